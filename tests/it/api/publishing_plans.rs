//! Publishing while the floor runs: every plan is made by exactly one version and names it; who waits is planned again in
//! place if that was asked for, who is offered is left alone, and nobody is left behind.

use super::harness::{Server, TENANT, call, call_with, name, phone, settings, within};
use super::publishing::{number, points, publication};
use baton::config::Settings;
use baton::engine::time::Time;
use baton::proto::{self, InteractionState, WaitingPolicy};
use baton::rulebook::{By, Publication, Rulebook, Waiting};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Contacts are counted, and from the second on are worth a point.
const COUNTED: &str =
    "name: counted\nqueues:\n  sales:\n    repeats: { within: 7d, steps: [{ contact: 2, priority: 1 }] }\n";
/// From the second on they go elsewhere.
const ELSEWHERE: &str = "name: elsewhere\nqueues:\n  sales:\n    repeats: { within: 7d, steps: [{ contact: 2, queue: complaints }] }\n  complaints: { priority: 5 }\n";

/// A server that counts contacts, with somebody who comes for the second time and somebody nobody knows.
async fn with_two_waiting(complaints: proto::Queue) -> (tempfile::TempDir, Server, String, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rules = folder.path().join("rules.yaml");
    std::fs::write(&rules, COUNTED).expect("written");
    let server = Server::with(Settings { rules: Some(rules), ..settings() }).await;
    server.open_floor(&[("ana", 3)]).await;
    server.add_queue("complaints", complaints).await;
    let comes = |id: &str| {
        call_with(id, |one| {
            one.from = phone("+14155550100");
            one.matter = "bill".into();
        })
    };
    let first = server.submit(comes("c1")).await.expect("taken").interaction.expect("an interaction");
    server.until(&first.name, |one| !one.customer.is_empty()).await;
    server.cancel(&first.name).await;
    let again = server.submit(comes("c2")).await.expect("taken").interaction.expect("an interaction");
    let plain = server.call("c3").await;
    let name = server.until(&again.name, |one| !one.customer.is_empty()).await.name;
    (folder, server, name, plain)
}

async fn preview(server: &Server, text: &str) -> proto::PreviewResponse {
    let document = Some(proto::Document { document: Some(proto::document::Document::Text(text.into())) });
    let request = proto::PreviewRequest { parent: TENANT.into(), document };
    within("a preview", server.rules().preview(request)).await.expect("right").into_inner()
}

#[tokio::test]
async fn who_waits_is_planned_again_in_place_and_moves_where_the_rules_say() {
    let (_folder, server, again, plain) = with_two_waiting(proto::Queue::default()).await;
    let before = (server.get(&again).await, server.get(&plain).await);
    assert_eq!((before.0.queue, before.0.rule_set_version), (name("queues", "sales"), 1));
    let told = preview(&server, ELSEWHERE).await;
    assert_eq!((told.waiting, told.queue_changes, told.without_queue), (2, 1, 0));
    let listed = told.interactions.iter().find(|one| one.interaction == again).expect("it moves");
    assert_eq!(listed.queue_after, name("queues", "complaints"));
    assert!(listed.changes.contains(&"queue sales → complaints".to_owned()), "{listed:?}");
    assert_eq!(server.get(&again).await.rule_set_version, 1, "a preview changes nothing");

    let answer = server.publish(publication(ELSEWHERE, WaitingPolicy::PlanAgain)).await.expect("right");
    assert_eq!((answer.planned_again, answer.not_planned_again), (2, 0));
    let after = (server.get(&again).await, server.get(&plain).await);
    assert_eq!((after.0.queue, after.0.rule_set_version), (name("queues", "complaints"), 2));
    assert_eq!((after.1.queue, after.1.rule_set_version), (name("queues", "sales"), 2));
    assert_eq!(
        (after.0.enter_time, after.1.enter_time),
        (before.0.enter_time, before.1.enter_time),
        "places"
    );
    let noted = server.trail().await.remove(0);
    assert_eq!(
        (noted.what.as_str(), noted.who.as_str(), noted.subject.as_str()),
        ("planned again", "server", "2")
    );
    assert!(noted.detail.starts_with("2 planned again; 0 could not be"), "{noted:?}");
}

#[tokio::test]
async fn who_is_being_offered_is_left_alone() {
    let (_folder, server, again, plain) = with_two_waiting(proto::Queue::default()).await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    let offered = offer.interaction().expect("an offer shows it").name;
    let waits = if offered == again { plain } else { again };
    let answer = server.publish(publication(&points(3), WaitingPolicy::PlanAgain)).await.expect("right");
    assert_eq!((answer.planned_again, answer.not_planned_again), (1, 0));
    let one = server.get(&offered).await;
    assert_eq!((one.state(), one.rule_set_version), (InteractionState::Offered, 1));
    server.accept(&offer.name).await.expect("the offer is open still");
    assert_eq!(server.get(&waits).await.rule_set_version, 2);
}

#[tokio::test]
async fn whom_the_new_queue_has_no_room_for_keeps_the_plan_and_is_counted() {
    let small = proto::Queue { waiting_max: 1, ..proto::Queue::default() };
    let (_folder, server, again, _plain) = with_two_waiting(small).await;
    let there = call_with("c4", |one| one.queue = name("queues", "complaints"));
    server.submit(there).await.expect("the only place");
    let answer = server.publish(publication(ELSEWHERE, WaitingPolicy::PlanAgain)).await.expect("right");
    assert_eq!((answer.planned_again, answer.not_planned_again), (2, 1));
    let one = server.get(&again).await;
    assert_eq!((one.queue, one.rule_set_version), (name("queues", "sales"), 1));
}

#[tokio::test]
async fn a_supervisors_rollback_plans_again_with_the_old_number() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let one = server.call("c1").await;
    let again = publication(&points(3), WaitingPolicy::PlanAgain);
    assert_eq!(server.publish(again).await.expect("right").planned_again, 1);
    let request = proto::RollbackRequest {
        parent: TENANT.into(),
        version: String::new(),
        reason: "it was worse".into(),
        waiting: WaitingPolicy::PlanAgain.into(),
    };
    let back = within("back", server.rules().rollback(request)).await.expect("the one before").into_inner();
    assert_eq!((number(&back), back.planned_again), (1, 1));
    assert_eq!(server.get(&one).await.rule_set_version, 1);
}

#[tokio::test]
async fn points_that_a_supervisor_gave_stand_whatever_rules_come_in_force() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let (given, plain) = (server.call("c1").await, server.call("c2").await);
    let request = proto::ReprioritiseRequest { interaction: given.clone(), priority: 7 };
    within("points", server.supervision().reprioritise(request)).await.expect("it waits");
    for figure in [3, 4] {
        let again = publication(&points(figure), WaitingPolicy::PlanAgain);
        assert_eq!(server.publish(again).await.expect("right").planned_again, 2);
        assert_eq!((server.get(&given).await.priority, server.get(&plain).await.priority), (7, figure));
    }
}

/// How many are submitted while others publish; a hundred of them to each version.
fn submits() -> u32 {
    let asked = std::env::var("BATON_PUBLISH_SUBMITS").ok();
    asked.map_or(2_000, |asked| asked.parse().expect("BATON_PUBLISH_SUBMITS is a whole number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_plan_is_of_one_version_while_many_are_published() {
    let submits = submits();
    let server = Arc::new(Server::start().await);
    server.open_floor(&[]).await;
    let next = Arc::new(AtomicU32::new(0));
    let submitting: Vec<_> = (0..8)
        .map(|_| {
            let (server, next) = (server.clone(), next.clone());
            tokio::spawn(async move {
                let mut planned = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= submits {
                        return planned;
                    }
                    let taken = server.submit(call(&format!("c{number}"))).await.expect("taken");
                    let one = taken.interaction.expect("an interaction");
                    planned.push((one.rule_set_version, one.priority));
                }
            })
        })
        .collect();
    // The points tell which version's words made the plan: version n gives n - 1, modulo ten.
    let versions = submits / 100;
    for version in 2..=versions + 1 {
        let figure = i32::try_from((version - 1) % 10).expect("one digit");
        let answer = server.publish(publication(&points(figure), WaitingPolicy::Keep)).await.expect("right");
        assert_eq!(number(&answer), version);
    }
    let mut seen = std::collections::BTreeSet::new();
    for one in submitting {
        for (version, priority) in within("the submits", one).await.expect("no panic") {
            let wanted = i32::try_from((version - 1) % 10).expect("one digit");
            assert_eq!(priority, wanted, "the plan of version {version}");
            seen.insert(version);
        }
    }
    assert!(seen.len() > 1, "some were planned meanwhile: {seen:?}");
    // Planning again with the version of one who waits gives the plan it has: nothing changes by it.
    let last = points(i32::try_from(versions % 10).expect("one digit"));
    let again = server.publish(publication(&last, WaitingPolicy::PlanAgain)).await.expect("right");
    assert_eq!(again.planned_again, u64::from(submits), "nobody is left behind");
    assert_eq!(preview(&server, &last).await.plan_changes, 0);
    assert!(server.verify().await.intact);
}

/// As a process leaves it that dies when a version is in force and nobody has been planned again.
fn published_and_killed(folder: &std::path::Path) {
    let mut book = Rulebook::open(&folder.join("tenants/default"), "default").expect("nobody has it open");
    let by = By { who: "ana".into(), time: Time(1), reason: "just before the end".into() };
    let (text, name, waiting) = (points(3), "points 3".to_owned(), Waiting::PlanAgain);
    let publication =
        Publication { text, name, number: 1, by, waiting, draft: None, base: None, four_eyes: false };
    assert_eq!(book.publish(&publication).expect("published").number, 2);
}

#[tokio::test]
async fn planning_again_that_a_crash_cut_short_is_taken_up_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[]).await;
    let one = server.call("c1").await;
    server.stop().await.expect("a graceful stop");
    published_and_killed(folder.path());
    let server = Server::on(folder.path()).await;
    let planned = server.until(&one, |one| one.rule_set_version == 2).await;
    assert_eq!(planned.priority, 3);
    server.stop().await.expect("a graceful stop");
    let server = Server::on(folder.path()).await;
    assert_eq!(server.get(&one).await.rule_set_version, 2);
    server.stop().await.expect("a graceful stop");
}
