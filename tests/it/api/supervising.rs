//! What a supervisor decides: who gets an interaction, how urgent it is, how an agent is.

use super::expect::{assert_refused, failed, invalid, missing, unknown};
use super::harness::{Server, call, call_with, name};
use baton::proto::set_agent_state_request::Change;
use baton::proto::{self, Channel, InteractionState, Liveness, Overdraw, Presence, RoutingState, WaitReason};

async fn waiting(server: &Server, size: i32, token: &str) -> proto::ListWaitingResponse {
    let request = proto::ListWaitingRequest {
        queue: name("queues", "sales"),
        page_size: size,
        page_token: token.into(),
    };
    server.supervision().list_waiting(request).await.expect("a queue").into_inner()
}

#[tokio::test]
async fn the_line_is_listed_in_its_order_page_by_page_with_reasons() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    for (external_id, priority) in [("c1", 0), ("c2", 5), ("c3", 2)] {
        server.submit(call_with(external_id, |one| one.priority = priority)).await.expect("taken");
    }
    let first = waiting(&server, 2, "").await;
    let second = waiting(&server, 2, &first.next_page_token).await;
    assert_eq!(second.next_page_token, "");
    let line: Vec<_> = first.interactions.iter().chain(&second.interactions).collect();
    let ids: Vec<_> = line.iter().map(|one| one.external_id.as_str()).collect();
    assert_eq!(ids, ["c2", "c3", "c1"]);
    assert!(line.iter().all(|one| one.wait_reason() == WaitReason::NoAgentQualifies));
    let ask = |change: fn(&mut proto::ListWaitingRequest)| {
        let mut request = proto::ListWaitingRequest { queue: name("queues", "sales"), ..Default::default() };
        change(&mut request);
        let mut supervision = server.supervision();
        async move { supervision.list_waiting(request).await }
    };
    assert_refused(
        "no queue",
        ask(|one| one.queue = name("queues", "x")).await,
        unknown("QUEUE_NOT_FOUND", "queue"),
    );
    assert_refused("a size", ask(|one| one.page_size = 1_001).await, invalid("page_size"));
    for wrong in ["x", "-1", "10000", "18446744073709551615"] {
        let request = proto::ListWaitingRequest {
            page_token: wrong.into(),
            queue: name("queues", "sales"),
            page_size: 0,
        };
        assert_refused(wrong, server.supervision().list_waiting(request).await, invalid("page_token"));
    }
}

#[tokio::test]
async fn a_supervisor_gives_an_interaction_to_one_agent_beyond_skills_and_capacity() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 0)]).await;
    let spanish = |external_id: &str| {
        call_with(external_id, |one| {
            one.requirements = vec![proto::Requirement { skill: name("skills", "es"), proficiency: 3 }];
        })
    };
    server.submit(call("busy")).await.expect("taken");
    let (mut bo, _) = server.sign_in_and_accept("bo").await;
    let call = server.submit(spanish("c1")).await.expect("taken").interaction.expect("an interaction").name;
    let given = server.assign(&call, name("agents", "bo"), false).await;
    assert_refused("no room", given, failed("AGENT_CANNOT"));
    let given = server.assign(&call, name("agents", "bo"), true).await.expect("a supervisor says so");
    assert_eq!(given.state(), InteractionState::Offered);
    assert_eq!(bo.next_offer().await.overdraw(), Overdraw::Supervisor);
    let twice = server.assign(&call, name("agents", "bo"), true).await;
    assert_refused("asked already", twice, failed("AGENT_CANNOT"));
    let nobody = server.assign(&call, name("agents", "zoe"), false).await;
    assert_refused("no agent", nobody, unknown("AGENT_NOT_FOUND", "agent"));
    server.cancel(&call).await;
    assert_refused("over", server.assign(&call, name("agents", "ana"), true).await, failed("WRONG_STATE"));
    let never = server.assign(&name("interactions", 99), name("agents", "ana"), true).await;
    assert_refused("never was", never, unknown("INTERACTION_NOT_FOUND", "interaction"));
}

#[tokio::test]
async fn a_more_urgent_interaction_is_before_the_others() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    server.call("c1").await;
    let second = server.call("c2").await;
    let now = server.reprioritise(&second, 3).await.expect("it waits");
    assert_eq!((now.priority, now.estimate.expect("it waits").position), (3, 1));
    for wrong in [-11, 11, i32::MAX] {
        assert_refused("points", server.reprioritise(&second, wrong).await, invalid("priority"));
    }
    let (_ana, assignment) = server.sign_in_and_accept("ana").await;
    assert_eq!(server.get(&second).await.assignment, assignment);
    assert_refused("answered", server.reprioritise(&second, 1).await, failed("WRONG_STATE"));
    let never = server.reprioritise(&name("interactions", 99), 1).await;
    assert_refused("never was", never, unknown("INTERACTION_NOT_FOUND", "interaction"));
}

#[tokio::test]
async fn a_supervisor_brings_back_who_let_an_offer_expire_and_sends_on_a_break() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let queue = proto::Queue { offer_expiry: super::harness::seconds(1), ..proto::Queue::default() };
    server.add_queue("short", queue).await;
    let change = |presence: Presence| Change::Presence(presence.into());
    let absent = server.set_agent_state("ana", change(Presence::Available)).await;
    assert_refused("never came", absent, failed("NO_SESSION"));
    let _ana = server.sign_in("ana").await;
    let call =
        server.submit(call_with("c1", |one| one.queue = name("queues", "short"))).await.expect("taken");
    server.agent_until("ana", |status| status.routing_state() == RoutingState::NotResponding).await;
    let back = server.set_agent_state("ana", change(Presence::Available)).await.expect("she is here");
    assert_ne!(back.routing_state(), RoutingState::NotResponding);
    server.cancel(&call.interaction.expect("an interaction").name).await;
    let away = server.set_agent_state("ana", change(Presence::OnBreak)).await.expect("she is here");
    assert_eq!((away.presence(), away.liveness()), (Presence::OnBreak, Liveness::Live));
    assert_refused("unknown", server.set_agent_state("ana", Change::Presence(9)).await, invalid("presence"));
    let nothing = proto::SetAgentStateRequest { agent: name("agents", "ana"), ..Default::default() };
    assert_refused("nothing", server.supervision().set_agent_state(nothing).await, missing("change"));
}

#[tokio::test]
async fn explain_gives_each_agent_a_reason_also_for_what_is_served() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let chat = call_with("c1", |one| one.channel = Channel::Chat.into());
    let chat = server.submit(chat).await.expect("taken").interaction.expect("an interaction").name;
    let (_ana, _) = server.sign_in_and_accept("ana").await;
    let request = proto::ExplainRequest { interaction: chat, decision: 0 };
    let told = server.supervision().explain(request).await.expect("it exists").into_inner();
    let reasons: Vec<_> = told.agents.iter().map(|one| one.exclusion()).collect();
    assert_eq!(reasons, [proto::Exclusion::AlreadyOnIt, proto::Exclusion::SignedOut]);
    server.submit(call("c2")).await.expect("taken");
}
