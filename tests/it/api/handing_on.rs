//! Conversations handed on, and agents asked for help: blind, warm, consulted, conferenced; and what is refused.

use super::expect::{assert_refused, failed, invalid, missing, unknown};
use super::harness::{Server, call, name};
use super::verbs::{to_agent, to_part, to_queue};
use baton::proto::assignment::{EndedBy, State};
use baton::proto::said::By;
use baton::proto::{Handover, InteractionState, Part, Target, offer_ended};

/// Ana serves `c1`; bo is there too.
async fn served(server: &Server) -> (super::desk::Desk, super::desk::Desk, String, String) {
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let interaction = server.call("c1").await;
    let (ana, assignment) = server.sign_in_and_accept("ana").await;
    let bo = server.sign_in("bo").await;
    (ana, bo, interaction, assignment)
}

#[tokio::test]
async fn a_blind_transfer_frees_the_first_agent_and_tells_the_second_what_was_said() {
    let server = Server::start().await;
    let (mut ana, mut bo, interaction, assignment) = served(&server).await;
    let entered = server.get(&interaction).await.enter_time;
    let status = server.transfer(&assignment, to_agent("bo"), Handover::Blind, "wants a refund").await;
    assert_eq!(status.expect("bo is there").capacity_used, 0);
    let ended = ana.assignment_in(State::Ended).await;
    assert_eq!((ended.name, ended.ended_by), (assignment, i32::from(EndedBy::Transfer)));
    let offer = bo.next_offer().await;
    assert_eq!(offer.part(), Part::Owner);
    let card = bo.whole_card(&offer).await;
    let said: Vec<_> = card.said.iter().map(|said| (said.by(), said.text.as_str())).collect();
    assert_eq!(said, [(By::Transcript, "wants a refund")]);
    server.accept(&offer.name).await.expect("the offer is open");
    let now = server.get(&interaction).await;
    assert_eq!((now.agent, now.transfers, now.enter_time), (name("agents", "bo"), 1, entered));
}

#[tokio::test]
async fn a_warm_transfer_keeps_the_first_agent_until_the_second_accepts() {
    let server = Server::start().await;
    let (mut ana, mut bo, interaction, assignment) = served(&server).await;
    server.transfer(&assignment, to_queue("sales"), Handover::Warm, "").await.expect("she serves");
    let offer = bo.next_offer().await;
    let before = server.get(&interaction).await;
    assert_eq!((before.state(), before.agent), (InteractionState::Handling, name("agents", "ana")));
    assert_eq!(before.seek.expect("bo is being asked").part(), Part::Owner);
    server.accept(&offer.name).await.expect("the offer is open");
    assert_eq!(ana.assignment_in(State::Ended).await.ended_by(), EndedBy::Transfer);
    let after = server.get(&interaction).await;
    assert_eq!((after.agent, after.seek), (name("agents", "bo"), None));
}

#[tokio::test]
async fn a_consulted_agent_can_be_handed_the_customer() {
    let server = Server::start().await;
    let (mut ana, mut bo, interaction, assignment) = served(&server).await;
    server.consult(&assignment, to_agent("bo")).await.expect("she serves");
    let offer = bo.next_offer().await;
    assert_eq!(offer.part(), Part::Consultant);
    let advice = server.accept(&offer.name).await.expect("the offer is open").assignment;
    let told = ana
        .next_that("bo in the conversation", |event| match event {
            baton::proto::work_response::Event::Assignment(part) => {
                let parts = part.interaction().expect("it has one").participants;
                (parts.len() == 2).then_some(parts)
            }
            _ => None,
        })
        .await;
    assert_eq!((told[1].agent.clone(), told[1].part()), (name("agents", "bo"), Part::Consultant));
    assert_refused(
        "bo gives away",
        server.transfer(&advice, to_queue("sales"), Handover::Blind, "").await,
        failed("NOT_OWNER"),
    );
    server.transfer(&assignment, to_part(&advice), Handover::Blind, "").await.expect("bo advises");
    assert_eq!(ana.assignment_in(State::Ended).await.ended_by(), EndedBy::Transfer);
    let now = server.get(&interaction).await;
    assert_eq!((now.agent, now.assignment), (name("agents", "bo"), advice));
}

#[tokio::test]
async fn in_a_conference_the_next_one_serves_when_the_first_leaves() {
    let server = Server::start().await;
    let (_ana, mut bo, interaction, assignment) = served(&server).await;
    server.conference(&assignment, to_queue("sales")).await.expect("she serves");
    let offer = bo.next_offer().await;
    assert_eq!(offer.part(), Part::Member);
    let second = server.accept(&offer.name).await.expect("the offer is open").assignment;
    server.complete(&assignment).await.expect("she serves");
    let now = server.get(&interaction).await;
    assert_eq!((now.state(), now.assignment), (InteractionState::Handling, second));
}

#[tokio::test]
async fn who_is_wanted_no_more_loses_the_offer_and_nothing_else() {
    let server = Server::start().await;
    let (_ana, mut bo, interaction, assignment) = served(&server).await;
    assert_refused("nobody sought", server.stop_seeking(&assignment).await, failed("NOT_SEEKING"));
    server.consult(&assignment, to_agent("bo")).await.expect("she serves");
    let offer = bo.next_offer().await;
    assert_refused("twice", server.consult(&assignment, to_agent("bo")).await, failed("SEEKING_ALREADY"));
    server.stop_seeking(&assignment).await.expect("bo is being asked");
    let cause = bo.ending_of(&offer.name).await.cause();
    assert_eq!(cause, offer_ended::RescindCause::NotSoughtAnyMore);
    assert_refused("too late", server.accept(&offer.name).await, failed("OFFER_RESCINDED"));
    assert_eq!(server.state(&interaction).await, InteractionState::Handling);
}

#[tokio::test]
async fn a_target_that_makes_no_sense_is_refused_by_its_field() {
    let server = Server::start().await;
    let (_ana, bo, interaction, assignment) = served(&server).await;
    drop(bo);
    let blind = Handover::Blind;
    let transfer = async |target| server.transfer(&assignment, target, blind, "").await;
    assert_refused("nothing", transfer(None).await, missing("target"));
    assert_refused("empty", transfer(Some(Target::default())).await, missing("target"));
    let both = Target { queue: name("queues", "sales"), ..to_part(&assignment).expect("a target") };
    assert_refused("both", transfer(Some(both)).await, invalid("target.assignment"));
    assert_refused("herself", transfer(to_part(&assignment)).await, failed("NOT_CONSULTED"));
    let nobody = transfer(to_part(&name("assignments", 99))).await;
    assert_refused("nobody", nobody, unknown("ASSIGNMENT_NOT_FOUND", "target.assignment"));
    assert_refused("no queue", transfer(to_queue("x")).await, unknown("QUEUE_NOT_FOUND", "target.queue"));
    assert_refused("no agent", transfer(to_agent("x")).await, unknown("AGENT_NOT_FOUND", "target.agent"));
    let rival = Target { queue: "tenants/rival/queues/sales".into(), ..Target::default() };
    assert_refused("theirs", transfer(Some(rival)).await, unknown("TENANT_NOT_FOUND", "target.queue"));
    let long = server.transfer(&assignment, to_queue("sales"), blind, &"x".repeat(16_385)).await;
    assert_refused("a long transcript", long, invalid("transcript"));
    let part = server.consult(&assignment, to_part(&assignment)).await;
    assert_refused("consult a part", part, invalid("target.assignment"));
    server
        .set_agent_state("bo", baton::proto::set_agent_state_request::Change::Presence(3))
        .await
        .expect("bo goes");
    assert_refused("who left", transfer(to_agent("bo")).await, failed("AGENT_CANNOT"));
    assert_eq!(server.state(&interaction).await, InteractionState::Handling, "nothing has changed");
    server.complete(&assignment).await.expect("she serves");
    assert_refused("over", transfer(to_queue("sales")).await, failed("ASSIGNMENT_ENDED"));
    let never = server.transfer(&name("assignments", 99), to_queue("sales"), blind, "").await;
    assert_refused("never was", never, unknown("ASSIGNMENT_NOT_FOUND", "assignment"));
}

#[tokio::test]
async fn an_interaction_is_handed_on_so_often_and_no_more() {
    let server = Server::start().await;
    let (mut ana, mut bo, interaction, mut assignment) = served(&server).await;
    for turn in 0..5 {
        let (next, desk) = if turn % 2 == 0 { ("bo", &mut bo) } else { ("ana", &mut ana) };
        server.transfer(&assignment, to_agent(next), Handover::Blind, "").await.expect("within the limit");
        let offer = desk.next_offer().await;
        assignment = server.accept(&offer.name).await.expect("the offer is open").assignment;
    }
    assert_eq!(server.get(&interaction).await.transfers, 5);
    let more = server.transfer(&assignment, to_agent("ana"), Handover::Blind, "").await;
    assert_refused("once more", more, failed("TRANSFER_LIMIT"));
    assert_refused(
        "again",
        server.transfer(&assignment, to_agent("ana"), Handover::Warm, "").await,
        failed("TRANSFER_LIMIT"),
    );
}

#[tokio::test]
async fn a_platform_hands_on_and_puts_back_what_is_served() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let interaction =
        server.submit(call("c1")).await.expect("taken").interaction.expect("an interaction").name;
    let requeue = || baton::proto::RequeueInteractionRequest { name: interaction.clone() };
    let unserved = server.interactions().requeue(requeue()).await;
    assert_refused("nobody serves", unserved, failed("WRONG_STATE"));
    let (_ana, _) = server.sign_in_and_accept("ana").await;
    let back = server.interactions().requeue(requeue()).await.expect("ana serves").into_inner();
    assert_eq!(
        (back.state(), back.requeues),
        (InteractionState::Waiting, 1),
        "ana is not asked again at once"
    );
    let mut bo = {
        server.add_agent("bo", 3).await;
        server.sign_in("bo").await
    };
    let offer = bo.next_offer().await;
    server.accept(&offer.name).await.expect("the offer is open");
    server.add_queue("second", baton::proto::Queue::default()).await;
    let request = baton::proto::TransferInteractionRequest {
        name: interaction,
        target: to_queue("second"),
        ..baton::proto::TransferInteractionRequest::default()
    };
    let moved = server.interactions().transfer(request).await.expect("bo serves").into_inner();
    assert_eq!((moved.queue, moved.transfers), (name("queues", "second"), 1));
}

#[tokio::test]
async fn an_agent_who_puts_a_customer_back_is_not_asked_again_at_once() {
    let server = Server::start().await;
    let (mut ana, mut bo, interaction, assignment) = served(&server).await;
    server.requeue(&assignment).await.expect("she serves");
    assert_eq!(ana.assignment_in(State::Ended).await.ended_by(), EndedBy::Requeued);
    let offer = bo.next_offer().await.interaction().expect("an interaction");
    assert_eq!((offer.name, offer.requeues), (interaction, 1));
    assert_refused("twice", server.requeue(&assignment).await, failed("ASSIGNMENT_ENDED"));
}
