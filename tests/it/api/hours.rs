//! Groups, opening hours and shifts, as supervisors define them.

use super::expect::{Case, assert_refused, failed, invalid, missing, unknown};
use super::harness::{Server, TENANT, name, seconds};
use baton::proto::{self, Hours, Queue, queue};
use tonic::Code;

fn nine_to_five() -> Hours {
    let span = proto::Span { from_minute: 9 * 60, to_minute: 17 * 60 };
    let weekly = (1..=5).map(|weekday| proto::WeeklySpan { weekday, span: Some(span) });
    let christmas = proto::SpecialDay { year: 2026, month: 12, day: 25, spans: Vec::new() };
    Hours {
        time_zone: "Europe/Madrid".into(),
        weekly: weekly.collect(),
        special_days: vec![christmas],
        ..Hours::default()
    }
}

fn create(id: &str, hours: Hours) -> proto::CreateHoursRequest {
    proto::CreateHoursRequest { parent: TENANT.into(), hours_id: id.into(), hours: Some(hours) }
}

#[tokio::test]
async fn opening_hours_are_kept_as_they_were_given_and_say_when_they_turn() {
    let server = Server::start().await;
    let made = server.floor().create_hours(create("office", nine_to_five())).await.expect("they are right");
    let made = made.into_inner();
    assert_eq!((made.weekly.len(), made.special_days.len()), (5, 1));
    assert!(made.turn_time.is_some(), "somebody will open or close within a week");
    let again = server.floor().get_hours(proto::GetFloorRequest { name: made.name.clone() }).await;
    assert_eq!(again.expect("they exist").into_inner(), made);
    let queue = Queue { hours: made.name.clone(), ..Queue::default() };
    assert_eq!(server.add_queue("sales", queue).await.hours, made.name);
    let delete = proto::DeleteFloorRequest { name: made.name, etag: String::new() };
    assert_refused("in use", server.floor().delete_hours(delete).await, failed("IN_USE"));
}

fn wrong() -> Vec<Case<Hours>> {
    vec![
        ("no zone", |h| h.time_zone.clear(), missing("hours.time_zone")),
        (
            "an unknown zone",
            |h| h.time_zone = "Mars/Base".into(),
            (Code::InvalidArgument, "TIME_ZONE_UNKNOWN", "hours.time_zone"),
        ),
        ("weekday 8", |h| h.weekly[0].weekday = 8, invalid("hours.weekly.weekday")),
        ("no span", |h| h.weekly[0].span = None, missing("hours.weekly.span")),
        ("a span that ends first", |h| h.weekly[0].span = span(600, 600), invalid("hours.weekly.span")),
        ("a span over midnight", |h| h.weekly[0].span = span(600, 1_441), invalid("hours.weekly.span")),
        ("65 spans", |h| h.weekly = vec![h.weekly[0]; 65], invalid("hours.weekly")),
        (
            "30 February",
            |h| (h.special_days[0].month, h.special_days[0].day) = (2, 30),
            invalid("hours.special_days"),
        ),
        (
            "a date twice",
            |h| h.special_days = vec![h.special_days[0].clone(); 2],
            invalid("hours.special_days"),
        ),
        (
            "a date 1,001 times",
            |h| h.special_days = vec![h.special_days[0].clone(); 1_001],
            invalid("hours.special_days"),
        ),
    ]
}

fn span(from_minute: u32, to_minute: u32) -> Option<proto::Span> {
    Some(proto::Span { from_minute, to_minute })
}

#[tokio::test]
async fn each_wrong_field_of_opening_hours_is_refused_by_name() {
    let server = Server::start().await;
    for (case, change, wanted) in wrong() {
        let mut hours = nine_to_five();
        change(&mut hours);
        assert_refused(case, server.floor().create_hours(create("h", hours)).await, wanted);
    }
}

#[tokio::test]
async fn an_agent_without_figures_has_the_groups_capacity() {
    let server = Server::start().await;
    let capacity = proto::Capacity { units: 250, open_offers_max: 5, ..proto::Capacity::default() };
    let group = proto::Group { capacity: Some(capacity), ..proto::Group::default() };
    let request =
        proto::CreateGroupRequest { parent: TENANT.into(), group_id: "bots".into(), group: Some(group) };
    let group = server.floor().create_group(request).await.expect("a new group").into_inner();
    let agent = |id: &str, capacity| proto::CreateAgentRequest {
        parent: TENANT.into(),
        agent_id: id.into(),
        agent: Some(proto::Agent {
            group: group.name.clone(),
            capacity,
            bot: true,
            ..proto::Agent::default()
        }),
    };
    let own = server.floor().create_agent(agent("own", 30)).await.expect("a new agent").into_inner();
    let theirs = server.floor().create_agent(agent("theirs", 0)).await.expect("a new agent").into_inner();
    assert_eq!((own.capacity, theirs.capacity), (30, 0), "only figures of their own are shown");
    let units = |agent: &proto::Agent| agent.status.as_ref().expect("an agent has a status").capacity;
    assert_eq!((units(&own), units(&theirs)), (30, 250));
    let delete = proto::DeleteFloorRequest { name: group.name.clone(), etag: String::new() };
    assert_refused("in use", server.floor().delete_group(delete).await, failed("IN_USE"));
    let nobody = proto::GetFloorRequest { name: name("groups", "none") };
    assert_refused("no group", server.floor().get_group(nobody).await, unknown("GROUP_NOT_FOUND", "name"));
    let foreign = proto::GetFloorRequest { name: "tenants/rival/groups/bots".into() };
    assert_refused("theirs", server.floor().get_group(foreign).await, unknown("TENANT_NOT_FOUND", "name"));
}

#[tokio::test]
async fn a_queues_policies_are_kept_as_they_were_given() {
    let server = Server::start().await;
    let asked = Queue {
        wrap_up: queue::WrapUp::Mandatory.into(),
        wrap_up_time: seconds(40),
        wrap_up_share: Some(0),
        wrap_up_extensions_max: 2,
        wrap_up_extension: seconds(20),
        on_expiry: queue::OnExpiry::Recover.into(),
        recover_after: seconds(90),
        broadcast: 3,
        pull: true,
        ..Queue::default()
    };
    let made = server.add_queue("sales", asked.clone()).await;
    let policies = |queue: &Queue| {
        let wrap_up = (queue.wrap_up, queue.wrap_up_time, queue.wrap_up_share, queue.wrap_up_extension);
        (wrap_up, queue.on_expiry, queue.recover_after, queue.broadcast, queue.pull)
    };
    assert_eq!(policies(&made), policies(&asked));
    let cases: [Case<Queue>; 6] = [
        ("broadcast 101", |q| q.broadcast = 101, invalid("queue.broadcast")),
        ("share 101", |q| q.wrap_up_share = Some(101), invalid("queue.wrap_up_share")),
        ("101 extensions", |q| q.wrap_up_extensions_max = 101, invalid("queue.wrap_up_extensions_max")),
        ("extension of nothing", |q| q.wrap_up_extension = seconds(0), invalid("queue.wrap_up_extension")),
        ("recovery after days", |q| q.recover_after = seconds(99_999), invalid("queue.recover_after")),
        ("unknown hours", |q| q.hours = name("hours", "x"), unknown("HOURS_NOT_FOUND", "queue.hours")),
    ];
    for (case, change, wanted) in cases {
        let mut queue = Queue::default();
        change(&mut queue);
        let request =
            proto::CreateQueueRequest { parent: TENANT.into(), queue_id: "q".into(), queue: Some(queue) };
        assert_refused(case, server.floor().create_queue(request).await, wanted);
    }
}
