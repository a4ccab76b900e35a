//! Conversations that wait for the customer, what customers write meanwhile, bots that hand off, and work that agents
//! take themselves.

use super::desk::Desk;
use super::expect::{assert_refused, failed, invalid, missing};
use super::harness::{Server, call_with, name};
use super::verbs::to_queue;
use baton::proto::assignment::{EndedBy, State};
use baton::proto::said::By;
use baton::proto::work_response::Event;
use baton::proto::{self, Channel, Handover, InteractionState, Queue};

impl Server {
    async fn message(&self, external_id: &str) -> String {
        let request = call_with(external_id, |one| {
            one.channel = Channel::Message.into();
            one.message = "where is my parcel?".into();
        });
        self.submit(request).await.expect("taken").interaction.expect("an interaction").name
    }
}

impl Desk {
    async fn next_message(&mut self) -> String {
        self.next_that("a message", |event| match event {
            Event::Message(message) => Some(message.text),
            _ => None,
        })
        .await
    }
}

#[tokio::test]
async fn a_parked_conversation_comes_back_to_the_same_agent_when_the_customer_writes() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let interaction = server.message("m1").await;
    let (mut ana, assignment) = server.sign_in_and_accept("ana").await;
    let _bo = server.sign_in("bo").await;
    server.update(&interaction, "hello?").await.expect("ana serves");
    assert_eq!(ana.next_message().await, "hello?", "who serves hears at once");
    assert_eq!(server.park(&assignment).await.expect("ana serves").capacity_used, 0);
    assert_eq!(ana.assignment_in(State::Ended).await.ended_by(), EndedBy::Parked);
    assert_eq!(server.state(&interaction).await, InteractionState::Parked);
    let told = server.update(&interaction, "it has come").await.expect("it is parked");
    assert_eq!(told.wanted_agent, name("agents", "ana"), "not bo, who has been idle for longer");
    let offer = ana.next_offer().await;
    let said: Vec<_> =
        offer.card().expect("a card").said.into_iter().map(|said| (said.by(), said.text)).collect();
    assert_eq!(said, [(By::Customer, "hello?".into()), (By::Customer, "it has come".into())]);
    server.accept(&offer.name).await.expect("the offer is open");
}

#[tokio::test]
async fn what_is_parked_can_be_taken_back_by_its_agent_alone() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let interaction = server.message("m1").await;
    let (_ana, assignment) = server.sign_in_and_accept("ana").await;
    let _bo = server.sign_in("bo").await;
    server.park(&assignment).await.expect("ana serves");
    let pull = async |agent| server.pull(name("agents", agent), &interaction).await;
    assert_refused("bo", pull("bo").await, failed("PULL_NOT_ALLOWED"));
    let taken = pull("ana").await.expect("it was hers");
    assert_eq!(taken.interaction, interaction);
    assert_refused("twice", pull("ana").await, failed("PULL_NOT_ALLOWED"));
}

#[tokio::test]
async fn a_call_cannot_be_parked_and_what_is_over_takes_no_message() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    let (_ana, assignment) = server.sign_in_and_accept("ana").await;
    assert_refused("a call", server.park(&assignment).await, failed("NOT_PARKABLE"));
    assert_refused("nothing", server.update(&call, "").await, missing("message"));
    assert_refused("a novel", server.update(&call, &"x".repeat(4_097)).await, invalid("message"));
    server.complete(&assignment).await.expect("ana serves");
    assert_refused("over", server.update(&call, "hello?").await, failed("WRONG_STATE"));
}

#[tokio::test]
async fn a_bots_transcript_is_on_the_card_of_the_next_agent_after_a_restart_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[("ana", 3)]).await;
    server.add_queue("people", Queue::default()).await;
    let agent = Some(proto::Agent { bot: true, capacity: 1_000, ..proto::Agent::default() });
    let request =
        proto::CreateAgentRequest { parent: super::harness::TENANT.into(), agent_id: "bot".into(), agent };
    server.floor().create_agent(request).await.expect("a new agent");
    let interaction = server.message("m1").await;
    let (bot, assignment) = server.sign_in_and_accept("bot").await;
    server.update(&interaction, "a person, please").await.expect("the bot serves");
    let transcript = "bot: hello\ncustomer: a person, please";
    server
        .transfer(&assignment, to_queue("people"), Handover::Blind, transcript)
        .await
        .expect("the bot serves");
    drop(bot);
    server.stop().await.expect("a graceful stop");

    let server = Server::on(folder.path()).await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    let card = offer.card().expect("a card");
    assert_eq!(card.message, "where is my parcel?");
    let said: Vec<_> = card.said.iter().map(|said| (said.by(), said.text.as_str())).collect();
    assert_eq!(said, [(By::Customer, "a person, please"), (By::Transcript, transcript)]);
    server.stop().await.expect("a graceful stop");
}

#[tokio::test]
async fn agents_take_work_from_the_line_where_the_queue_lets_them() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    server.add_queue("free", Queue { pull: true, ..Queue::default() }).await;
    let bound = server.call("c1").await;
    let request = call_with("c2", |one| one.queue = name("queues", "free"));
    let free = server.submit(request).await.expect("taken").interaction.expect("an interaction").name;
    let pull = async |interaction: &str| server.pull(name("agents", "ana"), interaction).await;
    assert_refused("not signed in", pull(&free).await, failed("AGENT_CANNOT"));
    let (_ana, assignment) = server.sign_in_and_accept("ana").await;
    assert_refused("no room", pull(&free).await, failed("AGENT_CANNOT"));
    assert_refused("not allowed", pull(&bound).await, failed("PULL_NOT_ALLOWED"));
    server.present("ana", proto::Presence::OnBreak).await.expect("when the call ends");
    server.complete(&assignment).await.expect("ana serves");
    assert_refused("on break", pull(&free).await, failed("AGENT_CANNOT"));
}

#[tokio::test]
async fn a_wrap_up_is_extended_so_often_and_a_mandatory_one_ended_by_a_supervisor_alone() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let strict = Queue {
        wrap_up: proto::queue::WrapUp::Mandatory.into(),
        wrap_up_extensions_max: 1,
        ..Queue::default()
    };
    server.add_queue("strict", strict).await;
    let request = call_with("c1", |one| one.queue = name("queues", "strict"));
    server.submit(request).await.expect("taken");
    let (mut ana, assignment) = server.sign_in_and_accept("ana").await;
    assert_refused("not yet", server.extend_wrap_up(&assignment).await, failed("NOT_WRAPPING_UP"));
    server.complete(&assignment).await.expect("ana serves");
    let until = ana.assignment_in(State::WrapUp).await.wrap_up_end_time.expect("it ends").seconds;
    server.extend_wrap_up(&assignment).await.expect("once");
    let longer = ana.assignment_in(State::WrapUp).await;
    assert_eq!((longer.wrap_up_end_time.expect("it ends").seconds - until, longer.extensions), (30, 1));
    assert_refused("twice", server.extend_wrap_up(&assignment).await, failed("NO_EXTENSION_LEFT"));
    assert_refused("early", server.finish(&assignment).await, failed("WRAP_UP_MANDATORY"));
    let finish = proto::set_agent_state_request::Change::FinishWrapUp(assignment.clone());
    let not_his = server.set_agent_state("bo", finish.clone()).await;
    assert_refused("bo's", not_his, (tonic::Code::NotFound, "ASSIGNMENT_NOT_FOUND", "finish_wrap_up"));
    server.set_agent_state("ana", finish).await.expect("a supervisor may");
    assert_eq!(ana.assignment_in(State::Ended).await.ended_by(), EndedBy::Supervisor);
}
