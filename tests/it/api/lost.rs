//! An agent's connection that is lost, in each state of the work.

use super::expect::{assert_refused, failed};
use super::harness::{Server, call_with, name};
use super::verbs::to_agent;
use baton::proto::{self, Channel, InteractionState, Liveness, Part};

impl Server {
    /// The stream breaks, and the session goes with it.
    async fn lose(&self, desk: super::desk::Desk) {
        let agent = desk.agent.rsplit('/').next().expect("a name has an id").to_owned();
        drop(desk);
        self.agent_until(&agent, |status| status.liveness() == Liveness::Lost).await;
    }
}

#[tokio::test]
async fn while_an_offer_is_open_it_goes_to_the_next_agent() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let call = server.call("c1").await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    let mut bo = server.sign_in("bo").await;
    server.lose(ana).await;
    assert_refused("too late", server.accept(&offer.name).await, failed("OFFER_RESCINDED"));
    let again = bo.next_offer().await.interaction().expect("an interaction");
    assert_eq!((again.name, again.requeues), (call, 1));
}

#[tokio::test]
async fn while_talking_wrapping_up_or_consulting_the_work_is_there_when_the_agent_is_back() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let timed = proto::Queue { wrap_up: proto::queue::WrapUp::Timed.into(), ..proto::Queue::default() };
    server.add_queue("timed", timed).await;
    let request = call_with("c1", |one| one.queue = name("queues", "timed"));
    let call = server.submit(request).await.expect("taken").interaction.expect("an interaction").name;
    let (ana, assignment) = server.sign_in_and_accept("ana").await;
    let mut bo = server.sign_in("bo").await;
    server.consult(&assignment, to_agent("bo")).await.expect("ana serves");
    let offer = bo.next_offer().await;
    server.accept(&offer.name).await.expect("the offer is open");
    let (ana_session, bo_session) = (ana.session.clone(), bo.session.clone());
    server.lose(ana).await;
    server.lose(bo).await;
    let parts =
        |one: &proto::WorkSnapshot| one.assignments.iter().map(|part| part.part()).collect::<Vec<_>>();
    let ana = server.work("ana", &ana_session).await;
    assert_eq!((ana.resumed, parts(&ana.snapshot)), (true, vec![Part::Owner]));
    let bo = server.work("bo", &bo_session).await;
    assert_eq!((bo.resumed, parts(&bo.snapshot)), (true, vec![Part::Consultant]));
    server.complete(&assignment).await.expect("ana serves");
    server.lose(ana).await;
    let ana = server.work("ana", &ana_session).await;
    let state = ana.snapshot.assignments[0].state();
    assert_eq!(state, proto::assignment::State::WrapUp);
    assert_eq!(server.state(&call).await, InteractionState::WrappingUp);
}

#[tokio::test]
async fn while_parked_the_customer_is_not_kept_waiting_for_who_is_gone() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let request = call_with("m1", |one| one.channel = Channel::Message.into());
    let message = server.submit(request).await.expect("taken").interaction.expect("an interaction").name;
    let (ana, assignment) = server.sign_in_and_accept("ana").await;
    let mut bo = server.sign_in("bo").await;
    server.park(&assignment).await.expect("ana serves");
    server.lose(ana).await;
    assert_eq!(server.state(&message).await, InteractionState::Parked);
    server
        .set_agent_state("ana", proto::set_agent_state_request::Change::Presence(3))
        .await
        .expect("she has gone");
    server.update(&message, "hello?").await.expect("it is parked");
    assert_eq!(bo.next_offer().await.interaction().expect("an interaction").name, message);
}

#[tokio::test]
async fn while_a_second_agent_is_asked_the_first_goes_on_alone() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let call = server.call("c1").await;
    let (_ana, assignment) = server.sign_in_and_accept("ana").await;
    let mut bo = server.sign_in("bo").await;
    server.transfer(&assignment, to_agent("bo"), proto::Handover::Warm, "").await.expect("ana serves");
    bo.next_offer().await;
    server.lose(bo).await;
    let now = server.get(&call).await;
    assert_eq!((now.state(), now.agent), (InteractionState::Handling, name("agents", "ana")));
}
