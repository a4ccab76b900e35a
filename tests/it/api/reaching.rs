//! Whether agent and customer reach each other: connections reported, calls promised, work for later, and the agent
//! somebody waits for.

use super::expect::{assert_refused, failed, invalid, missing};
use super::harness::{Server, call, call_with, name, phone, seconds};
use baton::engine::time::Time;
use baton::proto::assignment::{EndedBy, State};
use baton::proto::connect_failed_request::Cause;
use baton::proto::work_response::Event;
use baton::proto::{self, Connection, InteractionState, RequestCallbackRequest, WaitReason};
use baton::runtime::clock::Clock;
use tonic::Code;

/// A moment so many seconds from now, by the server's clock, which is the machine's.
fn ahead(seconds: i64) -> Option<prost_types::Timestamp> {
    let now = i64::try_from(Clock::start(Time(0), 1).now().0 / 1_000).expect("it is before 2^63");
    Some(prost_types::Timestamp { seconds: now + seconds, nanos: 0 })
}

fn window(interaction: &str, from: i64, until: i64) -> RequestCallbackRequest {
    RequestCallbackRequest {
        name: interaction.into(),
        from_time: ahead(from),
        until_time: ahead(until),
        channel: 0,
    }
}

#[tokio::test]
async fn a_connection_is_reported_once() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    assert_refused("nobody accepted", server.connected(&call).await, failed("WRONG_STATE"));
    let (mut ana, _) = server.sign_in_and_accept("ana").await;
    assert_eq!(ana.assignment_in(State::Talking).await.connection(), Connection::Pending);
    server.connected(&call).await.expect("ana accepted");
    assert_eq!(ana.assignment_in(State::Talking).await.connection(), Connection::Made);
    server.connected(&call).await.expect("a repetition");
    let late = server.connect_failed(&call, Cause::Network.into()).await;
    assert_refused("too late", late, failed("CONNECTED_ALREADY"));
}

#[tokio::test]
async fn a_connection_that_fails_undoes_the_answer_or_ends_the_contact() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    let (mut ana, _) = server.sign_in_and_accept("ana").await;
    for wrong in [0, 9] {
        assert_refused("cause", server.connect_failed(&call, wrong).await, invalid("cause"));
    }
    let back = server.connect_failed(&call, Cause::AgentBusy.into()).await.expect("ana accepted");
    assert_eq!((back.state(), back.answer_time), (InteractionState::Waiting, None));
    assert_eq!(ana.assignment_in(State::Ended).await.ended_by(), EndedBy::NotConnected);
    server.add_agent("bo", 3).await;
    let (_bo, _) = server.sign_in_and_accept("bo").await;
    let gone = server.connect_failed(&call, Cause::CustomerGone.into()).await.expect("bo accepted");
    assert_eq!(gone.state(), InteractionState::Abandoned);
}

#[tokio::test]
async fn a_customer_who_will_be_called_back_keeps_the_place() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let first = server.call("c1").await;
    let entered = server.get(&first).await.enter_time;
    let promised = server.request_callback(window(&first, 3_600, 7_200)).await.expect("it waits");
    let shown = promised.interaction.expect("an interaction");
    assert_eq!((shown.state(), promised.merged), (InteractionState::Scheduled, false));
    assert_eq!((shown.enter_time, shown.schedule_time), (entered, ahead_of(&shown)));
    let _ana = server.sign_in("ana").await;
    assert_eq!(server.state(&first).await, InteractionState::Scheduled, "not before its window");
    let now = server.request_callback(window(&first, -60, 600)).await.expect("a new window");
    assert_eq!(now.interaction.expect("an interaction").state(), InteractionState::Offered);
}

/// The beginning of the promised window.
fn ahead_of(shown: &proto::Interaction) -> Option<prost_types::Timestamp> {
    shown.callback.as_ref().expect("a promise").from_time
}

#[tokio::test]
async fn a_window_that_makes_no_sense_is_refused() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    let ask = async |change: fn(&mut RequestCallbackRequest)| {
        let mut request = window(&call, 60, 600);
        change(&mut request);
        server.request_callback(request).await
    };
    let window = (Code::InvalidArgument, "WINDOW_INVALID", "until_time");
    assert_refused("no end", ask(|one| one.until_time = None).await, missing("until_time"));
    assert_refused("ends first", ask(|one| one.until_time = ahead(30)).await, window);
    assert_refused("past", ask(|one| (one.from_time, one.until_time) = (None, ahead(-5))).await, window);
    assert_refused("years", ask(|one| one.until_time = ahead(400 * 86_400)).await, invalid("until_time"));
    assert_refused("a channel", ask(|one| one.channel = 8).await, invalid("channel"));
    let (_ana, _) = server.sign_in_and_accept("ana").await;
    assert_refused("answered", ask(|_| {}).await, failed("WRONG_STATE"));
}

#[tokio::test]
async fn a_second_wish_about_the_same_matter_is_merged_into_the_first() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let mut names = Vec::new();
    for external_id in ["c1", "c2"] {
        let request = call_with(external_id, |one| {
            one.from = phone("+15550001");
            one.matter = "order-17".into();
        });
        let taken = server.submit(request).await.expect("taken").interaction.expect("an interaction");
        names.push(server.until(&taken.name, |one| !one.customer.is_empty()).await.name);
    }
    server.request_callback(window(&names[0], 600, 1_200)).await.expect("it waits");
    let second = server.request_callback(window(&names[1], 1_800, 3_600)).await.expect("it waits");
    assert!(second.merged);
    assert_eq!(second.interaction.expect("an interaction").name, names[0]);
    assert_eq!(server.state(&names[1]).await, InteractionState::Cancelled);
}

#[tokio::test]
async fn work_for_later_is_scheduled_and_a_repetition_says_so_after_a_restart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[("ana", 3)]).await;
    let at = ahead(3_600);
    let later = || call_with("c1", |one| one.not_before = at);
    let taken = server.submit(later()).await.expect("taken").interaction.expect("an interaction");
    assert_eq!((taken.state(), taken.schedule_time), (InteractionState::Scheduled, at));
    let years = call_with("c2", |one| one.not_before = ahead(400 * 86_400));
    assert_refused("years", server.submit(years).await, invalid("interaction.not_before"));
    server.stop().await.expect("a graceful stop");
    let server = Server::on(folder.path()).await;
    let again = server.submit(later()).await.expect("a repetition");
    assert!(again.repeated && !again.attached);
    let found = again.interaction.expect("an interaction");
    assert_eq!((found.name, found.state), (taken.name, taken.state));
    server.stop().await.expect("a graceful stop");
}

#[tokio::test]
async fn a_contact_about_a_matter_that_waits_already_joins_it_if_the_rules_say_so() {
    let server = Server::under("version: 2\nname: join\ndefault:\n  duplicates: attach\n").await;
    server.open_floor(&[("ana", 3)]).await;
    let about = |external_id: &str| {
        call_with(external_id, |one| {
            one.from = phone("+15550001");
            one.matter = "order-17".into();
            one.message = format!("this is {external_id}");
        })
    };
    // A look-up that came late on a busy machine is no duplicate: the next contact tries again.
    let mut contacts = 0;
    let (joined, external_id) = loop {
        contacts += 1;
        let external_id = format!("c{contacts}");
        let answer = server.submit(about(&external_id)).await.expect("taken");
        if answer.attached {
            break (answer.interaction.expect("an interaction"), external_id);
        }
        assert!(contacts < 20, "no look-up is ever in time");
    };
    let last = joined.attached.last().expect("somebody joined");
    assert_eq!((last.source.as_str(), last.external_id.as_str()), ("pbx", external_id.as_str()));
    let again = server.submit(about(&external_id)).await.expect("a repetition");
    assert!(again.repeated && again.attached);
    let mut ana = server.sign_in("ana").await;
    let offer = ana
        .next_that("the offer", |event| match event {
            Event::Offer(offer) => Some(offer),
            _ => None,
        })
        .await;
    if offer.interaction().is_some_and(|one| one.name == joined.name) {
        let said = offer.card().expect("a card").said;
        assert_eq!(said.last().expect("what came with it").text, format!("this is {external_id}"));
    }
}

#[tokio::test]
async fn a_customer_waits_for_the_agent_they_want_and_no_longer_than_the_budget() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let wanting = |external_id: &str, agent: &str, budget| {
        let agent = name("agents", agent);
        call_with(external_id, |one| {
            one.preferred_agent = Some(proto::PreferredAgent { agent, budget, overdraw: false });
        })
    };
    let nobody = server.submit(wanting("c0", "zoe", None)).await;
    let field = "interaction.preferred_agent.agent";
    assert_refused("no agent", nobody, (Code::NotFound, "AGENT_NOT_FOUND", field));
    let days = server.submit(wanting("c0", "ana", seconds(86_401))).await;
    assert_refused("days", days, invalid("interaction.preferred_agent.budget"));
    server.submit(call("busy")).await.expect("taken");
    let (_ana, _) = server.sign_in_and_accept("ana").await;
    let _bo = server.sign_in("bo").await;
    let waits = server.submit(wanting("c1", "ana", seconds(600))).await.expect("taken");
    let waits = waits.interaction.expect("an interaction");
    assert_eq!(waits.wait_reason(), WaitReason::WaitsForAgent, "though bo is free");
    assert_eq!(waits.wanted_agent, name("agents", "ana"));
    let at_once = server.submit(wanting("c2", "ana", seconds(0))).await.expect("taken");
    assert_eq!(at_once.interaction.expect("an interaction").agent, name("agents", "bo"));
}
