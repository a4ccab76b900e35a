//! Answers to offers and assignments: in time, twice, too late.

use super::expect::{assert_refused, failed};
use super::harness::{Server, seconds, settings};
use baton::config::Settings;
use baton::proto::offer_ended::{Ending, RescindCause};
use baton::proto::{self, InteractionState, Presence, assignment};

#[tokio::test]
async fn the_same_accept_twice_is_one_answer() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    let first = server.accept(&offer.name).await.expect("the offer is open");
    let again = server.accept(&offer.name).await.expect("the same answer");
    assert_eq!((&first.assignment, &first.interaction), (&again.assignment, &again.interaction));
    assert_eq!(first.interaction, call);
    assert_refused("decline after accept", server.decline(&offer.name).await, failed("OFFER_TAKEN"));
    assert_eq!(server.state(&call).await, InteractionState::Handling);
    assert_eq!(ana.ending_of(&offer.name).await.ending(), Ending::Accepted);
    assert_eq!(ana.assignment_in(assignment::State::Talking).await.name, first.assignment);
}

#[tokio::test]
async fn a_declined_offer_cannot_be_accepted_and_goes_to_another_agent() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    server.call("c1").await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    let mut bo = server.sign_in("bo").await;
    server.decline(&offer.name).await.expect("the offer is open");
    server.decline(&offer.name).await.expect("the same answer twice is one answer");
    assert_refused("accept after decline", server.accept(&offer.name).await, failed("OFFER_DECLINED"));
    assert_eq!(ana.ending_of(&offer.name).await.ending(), Ending::Declined);
    let next = bo.next_offer().await;
    let (first, second) = (offer.interaction().expect("one"), next.interaction().expect("the same"));
    assert_eq!((first.name, first.enter_time), (second.name, second.enter_time), "the place is kept");
}

#[tokio::test]
async fn an_expired_offer_cannot_be_accepted() {
    let server = Server::with(Settings { speed: Some(1_000), ..settings() }).await;
    server.add_queue("sales", proto::Queue { offer_expiry: seconds(1), ..proto::Queue::default() }).await;
    server.add_agent("ana", 0).await;
    let call = server.call("c1").await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    assert_eq!(ana.ending_of(&offer.name).await.ending(), Ending::Expired);
    assert_refused("accept after expiry", server.accept(&offer.name).await, failed("OFFER_EXPIRED"));
    assert_refused("decline after expiry", server.decline(&offer.name).await, failed("OFFER_EXPIRED"));
    let status = server.agent("ana").await;
    assert_eq!(status.routing_state(), proto::RoutingState::NotResponding);
    assert_eq!(server.state(&call).await, InteractionState::Waiting);
    server.present("ana", Presence::Available).await.expect("ana is back");
    assert_ne!(ana.next_offer().await.name, offer.name);
}

#[tokio::test]
async fn a_rescinded_offer_cannot_be_accepted_and_says_why() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    assert_eq!(server.cancel(&call).await.state(), InteractionState::Abandoned);
    let ended = ana.ending_of(&offer.name).await;
    assert_eq!((ended.ending(), ended.cause()), (Ending::Rescinded, RescindCause::CustomerLeft));
    assert_refused("accept after rescind", server.accept(&offer.name).await, failed("OFFER_RESCINDED"));
    assert_eq!(server.cancel(&call).await.state(), InteractionState::Abandoned, "leaving twice is once");
}

#[tokio::test]
async fn a_conversation_ends_once_and_so_does_wrap_up() {
    let server = Server::start().await;
    let wrap_up = proto::queue::WrapUp::Timed.into();
    server.add_queue("sales", proto::Queue { wrap_up, ..proto::Queue::default() }).await;
    server.add_agent("ana", 0).await;
    let call = server.call("c1").await;
    let (mut ana, assignment) = server.sign_in_and_accept("ana").await;
    assert_refused("finish before complete", server.finish(&assignment).await, failed("NOT_WRAPPING_UP"));
    let status = server.complete(&assignment).await.expect("the conversation goes on");
    assert_eq!(status.routing_state(), proto::RoutingState::InWrapUp);
    assert_refused("complete twice", server.complete(&assignment).await, failed("ASSIGNMENT_ENDED"));
    assert_eq!(server.get(&call).await.disposition, "solved");
    let status = server.finish(&assignment).await.expect("wrap-up goes on");
    assert_eq!(status.routing_state(), proto::RoutingState::Idle);
    assert_refused("finish twice", server.finish(&assignment).await, failed("ASSIGNMENT_ENDED"));
    assert_refused("complete after all", server.complete(&assignment).await, failed("ASSIGNMENT_ENDED"));
    assert_eq!(server.state(&call).await, InteractionState::Closed);
    let told = ana.assignment_in(assignment::State::Ended).await;
    assert_eq!(told.ended_by(), assignment::EndedBy::Agent);
}

#[tokio::test]
async fn wrap_up_that_nobody_ends_is_ended_by_the_clock() {
    let server = Server::with(Settings { speed: Some(1_000), ..settings() }).await;
    let (wrap_up, offer_expiry) = (proto::queue::WrapUp::Timed.into(), seconds(600));
    let queue = proto::Queue { wrap_up, wrap_up_time: seconds(1), offer_expiry, ..proto::Queue::default() };
    server.add_queue("sales", queue).await;
    server.add_agent("ana", 0).await;
    let call = server.call("c1").await;
    let (mut ana, assignment) = server.sign_in_and_accept("ana").await;
    server.complete(&assignment).await.expect("the conversation goes on");
    let told = ana.assignment_in(assignment::State::Ended).await;
    assert_eq!((told.ended_by(), told.name), (assignment::EndedBy::Clock, assignment));
    assert_eq!(server.state(&call).await, InteractionState::Closed);
}
