//! The Work stream: a snapshot, then every change; broken, resumed, taken over, closed.

use super::expect::{assert_refused, unknown};
use super::harness::{Server, within};
use baton::proto::work_response::Event;
use baton::proto::{InteractionState, Liveness, RoutingState, assignment};
use tonic::Code;
use tonic_types::StatusExt;

#[tokio::test]
async fn a_stream_begins_with_the_session_and_a_snapshot_and_its_cursors_rise() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    let mut ana = server.sign_in("ana").await;
    assert!(!ana.resumed);
    assert!(ana.snapshot.offers.is_empty() && ana.snapshot.assignments.is_empty());
    let offer = ana.next_offer().await;
    let shown = offer.interaction().expect("an offer shows its interaction");
    assert_eq!((shown.name, shown.agent), (call, ana.agent.clone()));
    assert_eq!(shown.offer, offer.name);
    assert_eq!(
        offer.card().as_ref().map(|card| card.why.as_str()),
        Some("became free; nothing else to take")
    );
    let before = ana.cursor;
    let accepted = server.accept(&offer.name).await.expect("the offer is open");
    ana.ending_of(&offer.name).await;
    assert!(ana.cursor > before && ana.cursor <= accepted.sequence, "{} after {before}", ana.cursor);
    server.complete(&accepted.assignment).await.expect("the conversation goes on");
    ana.next_that("ana idle again", |event| match event {
        Event::Status(status) if status.sequence > accepted.sequence => {
            (status.routing_state() == RoutingState::Idle).then_some(())
        }
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn a_resumed_stream_keeps_the_work_in_hand() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    let (ana, assignment) = server.sign_in_and_accept("ana").await;
    let session = ana.session.clone();
    drop(ana);
    server.agent_until("ana", |status| status.liveness() == Liveness::Lost).await;
    let again = server.work("ana", &session).await;
    assert!(again.resumed);
    assert_eq!(again.session, session);
    let held: Vec<_> =
        again.snapshot.assignments.iter().map(|one| (one.name.as_str(), one.state())).collect();
    assert_eq!(held, [(assignment.as_str(), assignment::State::Talking)]);
    let status = again.snapshot.status.clone().expect("a snapshot has a status");
    assert_eq!((status.liveness(), status.routing_state()), (Liveness::Live, RoutingState::Handling));
    server.heartbeat(&session).await.expect("the session lives");
    server.complete(&assignment).await.expect("the conversation goes on");
    assert_eq!(server.state(&call).await, InteractionState::Closed);
}

#[tokio::test]
async fn a_second_stream_takes_over_with_the_work_in_hand_and_the_session_lives() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    server.call("c1").await;
    let mut first = server.sign_in("ana").await;
    let offer = first.next_offer().await;
    let second = server.work("ana", "").await;
    let ended = first.end().await;
    assert_eq!(ended.code(), Code::Aborted, "{ended:?}");
    let details = ended.get_error_details();
    assert_eq!(details.error_info().map(|info| info.reason.as_str()), Some("SESSION_TAKEN_OVER"));
    assert_ne!(first.session, second.session);
    let open: Vec<_> = second.snapshot.offers.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(open, [offer.name.as_str()], "the offer is still open");
    let gone = server.heartbeat(&first.session).await;
    assert_refused("the old session", gone, unknown("SESSION_NOT_FOUND", "session"));
    drop(first);
    server.heartbeat(&second.session).await.expect("the new one lives");
    server.accept(&offer.name).await.expect("the offer is open");
    assert_eq!(server.agent("ana").await.liveness(), Liveness::Live);
}

#[tokio::test]
async fn the_same_session_twice_at_once_is_a_take_over_too() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let mut first = server.sign_in("ana").await;
    let second = server.work("ana", &first.session).await;
    assert!(second.resumed);
    assert_eq!(first.end().await.code(), Code::Aborted);
    assert_eq!(first.session, second.session);
    server.heartbeat(&second.session).await.expect("the session lives");
    assert_eq!(server.agent("ana").await.liveness(), Liveness::Live);
}

#[tokio::test]
async fn a_closed_stream_takes_its_offer_back_and_rings_nobody() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let call = server.call("c1").await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    drop(ana);
    let back = server.until(&call, |one| one.state() == InteractionState::Waiting).await;
    assert_eq!((back.offer.as_str(), back.agent.as_str()), ("", ""));
    let refused = server.accept(&offer.name).await;
    assert_refused("too late", refused, super::expect::failed("OFFER_RESCINDED"));
    let mut bo = server.sign_in("bo").await;
    let next = bo.next_offer().await.interaction().expect("one");
    assert_eq!((next.name, next.enter_time), (call, back.enter_time), "the place is kept");
}

#[tokio::test]
async fn streams_end_with_the_server_and_say_so() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let mut ana = server.sign_in("ana").await;
    let stopping = tokio::spawn(server.stop());
    let ended = ana.end().await;
    assert_eq!(ended.code(), Code::Unavailable, "{ended:?}");
    drop(ana);
    within("the stop", stopping).await.expect("no panic").expect("a graceful stop");
}
