//! What the floor refuses: ids, figures, names, etags, and taking away what is in use.

use super::expect::{Case, assert_refused, failed, invalid, missing, unknown};
use super::harness::{Server, TENANT, call, name, seconds};
use baton::proto::{self, Agent, Queue};
use tonic::Code;

fn queues() -> Vec<Case<Queue>> {
    vec![
        ("offer_expiry 0.9 s", |q| q.offer_expiry = nanos(900_000_000), invalid("queue.offer_expiry")),
        ("offer_expiry 601 s", |q| q.offer_expiry = seconds(601), invalid("queue.offer_expiry")),
        ("offer_expiry -1 s", |q| q.offer_expiry = seconds(-1), invalid("queue.offer_expiry")),
        ("wrap_up_time 3,601 s", |q| q.wrap_up_time = seconds(3_601), invalid("queue.wrap_up_time")),
        ("wrap_up_time for ever", |q| q.wrap_up_time = seconds(i64::MAX), invalid("queue.wrap_up_time")),
        ("wrap_up 9", |q| q.wrap_up = 9, invalid("queue.wrap_up")),
        ("on_expiry 9", |q| q.on_expiry = 9, invalid("queue.on_expiry")),
        ("waiting_max 10,000,001", |q| q.waiting_max = 10_000_001, invalid("queue.waiting_max")),
        ("display_name", |q| q.display_name = "d".repeat(129), invalid("queue.display_name")),
        ("unknown pool", |q| q.pool = name("pools", "x"), unknown("POOL_NOT_FOUND", "queue.pool")),
        ("bare pool", |q| q.pool = "main".into(), invalid("queue.pool")),
        (
            "another tenant's pool",
            |q| q.pool = "tenants/rival/pools/main".into(),
            unknown("TENANT_NOT_FOUND", "queue.pool"),
        ),
        (
            "proficiency 11",
            |q| q.requirements = vec![proto::Requirement { skill: name("skills", "es"), proficiency: 11 }],
            invalid("queue.requirements.proficiency"),
        ),
    ]
}

fn agents() -> Vec<Case<Agent>> {
    vec![
        ("proficiency 0", |a| a.skills = vec![es(0)], invalid("agent.skills.proficiency")),
        ("proficiency 11", |a| a.skills = vec![es(11)], invalid("agent.skills.proficiency")),
        ("a skill twice", |a| a.skills = vec![es(1), es(2)], invalid("agent.skills")),
        ("65 skills", |a| a.skills = vec![es(1); 65], invalid("agent.skills")),
        (
            "an unknown skill",
            |a| a.skills = vec![proto::AgentSkill { skill: name("skills", "xx"), ..es(1) }],
            unknown("SKILL_NOT_FOUND", "agent.skills"),
        ),
        ("capacity 1,001", |a| a.capacity = 1_001, invalid("agent.capacity")),
        ("open offers 1,001", |a| a.open_offers_max = 1_001, invalid("agent.open_offers_max")),
        ("channel 0", |a| a.channels = vec![units(0, 1)], invalid("agent.channels.channel")),
        ("a channel twice", |a| a.channels = vec![units(1, 1), units(1, 2)], invalid("agent.channels")),
        ("a name of two lines", |a| a.display_name = "a\nb".into(), invalid("agent.display_name")),
        ("units 1,001", |a| a.channels = vec![units(1, 1_001)], invalid("agent.channels.units")),
        ("unknown pool", |a| a.pool = name("pools", "x"), unknown("POOL_NOT_FOUND", "agent.pool")),
        ("display_name", |a| a.display_name = "d".repeat(129), invalid("agent.display_name")),
    ]
}

fn nanos(nanos: i32) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds: 0, nanos })
}

fn es(proficiency: u32) -> proto::AgentSkill {
    proto::AgentSkill { skill: name("skills", "es"), proficiency, expire_time: None }
}

fn units(channel: i32, units: u32) -> proto::ChannelCapacity {
    proto::ChannelCapacity { channel, units, limit: 1, ..proto::ChannelCapacity::default() }
}

#[tokio::test]
async fn each_wrong_field_of_a_definition_is_refused_by_name() {
    let server = Server::start().await;
    server.add_skill("es").await;
    for (case, change, wanted) in queues() {
        let mut queue = Queue::default();
        change(&mut queue);
        let request =
            proto::CreateQueueRequest { parent: TENANT.into(), queue_id: "q".into(), queue: Some(queue) };
        assert_refused(case, server.floor().create_queue(request).await, wanted);
    }
    for (case, change, wanted) in agents() {
        let mut agent = Agent::default();
        change(&mut agent);
        let request =
            proto::CreateAgentRequest { parent: TENANT.into(), agent_id: "a".into(), agent: Some(agent) };
        assert_refused(case, server.floor().create_agent(request).await, wanted);
    }
}

#[tokio::test]
async fn ids_are_short_and_plain_and_taken_once() {
    let server = Server::start().await;
    let create = |parent: &str, id: &str| {
        let request = proto::CreateSkillRequest { parent: parent.into(), skill_id: id.into(), skill: None };
        let mut floor = server.floor();
        async move { floor.create_skill(request).await }
    };
    for wrong in ["", "-a", "A", "a b", "ä", &"x".repeat(64), &"x".repeat(1 << 20)] {
        assert_refused(&format!("id of {}", wrong.len()), create(TENANT, wrong).await, invalid("skill_id"));
    }
    assert_refused("no parent", create("", "es").await, invalid("parent"));
    let foreign = unknown("TENANT_NOT_FOUND", "parent");
    assert_refused("another tenant", create("tenants/rival", "es").await, foreign);
    create(TENANT, &"x".repeat(63)).await.expect("63 characters fit");
    let twice = (Code::AlreadyExists, "ALREADY_EXISTS", "");
    assert_refused("twice", create(TENANT, &"x".repeat(63)).await, twice);
}

#[tokio::test]
async fn an_update_with_an_old_etag_is_refused_and_changes_nothing() {
    let server = Server::start().await;
    let first = server.add_queue("sales", Queue::default()).await;
    let update = |queue: Queue| {
        let mut floor = server.floor();
        async move { floor.update_queue(proto::UpdateQueueRequest { queue: Some(queue) }).await }
    };
    let second = update(Queue { display_name: "Sales".into(), ..first.clone() }).await;
    let second = second.expect("the etag is current").into_inner();
    assert_ne!(first.etag, second.etag);
    let mismatch = (Code::Aborted, "ETAG_MISMATCH", "queue.etag");
    assert_refused(
        "an old etag",
        update(Queue { display_name: "X".into(), ..first.clone() }).await,
        mismatch,
    );
    assert_refused(
        "no etag of ours",
        update(Queue { etag: "x".into(), ..first.clone() }).await,
        invalid("queue.etag"),
    );
    let nobody = Queue { name: name("queues", "none"), ..Queue::default() };
    assert_refused("an unknown queue", update(nobody).await, unknown("QUEUE_NOT_FOUND", "queue.name"));
    let nothing = server.floor().update_queue(proto::UpdateQueueRequest { queue: None }).await;
    assert_refused("nothing", nothing, missing("queue"));
    let request = proto::GetFloorRequest { name: first.name };
    let now = server.floor().get_queue(request).await.expect("it exists").into_inner();
    assert_eq!((now.display_name, now.etag), ("Sales".into(), second.etag));
}

#[tokio::test]
async fn what_is_in_use_stays_and_what_is_not_there_cannot_go() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    server.submit(call("c1")).await.expect("taken");
    let delete = |name: String| proto::DeleteFloorRequest { name, etag: String::new() };
    let mut floor = server.floor();
    let queue = floor.delete_queue(delete(name("queues", "sales"))).await;
    assert_refused("somebody waits", queue, failed("IN_USE"));
    assert_refused("ana has it", floor.delete_skill(delete(name("skills", "es"))).await, failed("IN_USE"));
    let main = floor.delete_pool(delete(name("pools", "main"))).await;
    assert_refused("a queue is in it", main, failed("IN_USE"));
    let _desk = server.sign_in("ana").await;
    assert_refused("ana is here", floor.delete_agent(delete(name("agents", "ana"))).await, failed("IN_USE"));

    let gone = floor.delete_queue(delete(name("queues", "none"))).await;
    assert_refused("no such queue", gone, unknown("QUEUE_NOT_FOUND", "name"));
    let gone = floor.delete_agent(delete(name("agents", "none"))).await;
    assert_refused("no such agent", gone, unknown("AGENT_NOT_FOUND", "name"));
    let gone = floor.get_queue(proto::GetFloorRequest { name: name("queues", "q".repeat(1 << 20)) }).await;
    assert_refused("a name of 1 MB", gone, unknown("QUEUE_NOT_FOUND", "name"));
}
