//! Whoever comes back to a stream with the cursor of what they heard last hears what they missed, once and in order; or
//! is told that it is not held any more, and how things are.

use super::desk::Desk;
use super::expect::{assert_refused, invalid};
use super::harness::{Server, call_with, name, phone, seconds, settings, within};
use baton::config::Settings;
use baton::proto::offer_ended::{Ending, RescindCause};
use baton::proto::work_response::Event;
use baton::proto::{self, Cursor, InteractionState, Liveness, RoutingState, assignment};
use tonic::{Code, Status, Streaming};

const AHEAD: (Code, &str, &str) = (Code::OutOfRange, "CURSOR_AHEAD", "resume_after.sequence");

/// What was missed, as announced, and how the agent is then.
async fn missed(desk: &mut Desk) -> (Vec<Event>, proto::AgentStatus) {
    let mut events = Vec::new();
    for _ in 0..desk.missed.expect("the stream went on") {
        events.push(desk.next().await);
    }
    match desk.next().await {
        Event::Status(status) => (events, status),
        other => panic!("what was missed is followed by how it is now, not by {other:?}"),
    }
}

/// A chat of a customer with a phone, in the hands of `ana`, who has heard of it.
async fn chat_in_hand(server: &Server) -> (proto::Interaction, Desk) {
    let chat = call_with("c1", |one| {
        one.channel = proto::Channel::Chat.into();
        one.from = phone("+972501234567");
    });
    let chat = server.submit(chat).await.expect("taken").interaction.expect("an interaction");
    let chat = server.until(&chat.name, |one| !one.customer.is_empty()).await;
    let (mut ana, _) = server.sign_in_and_accept("ana").await;
    ana.assignment_in(assignment::State::Talking).await;
    (chat, ana)
}

fn words(events: &[Event]) -> Vec<&str> {
    let messages = events.iter().filter_map(|event| match event {
        Event::Message(message) => Some(message.text.as_str()),
        _ => None,
    });
    messages.collect()
}

#[tokio::test]
async fn a_desk_whose_connection_broke_hears_of_the_offer_and_of_its_expiry() {
    let server = Server::with(Settings { speed: Some(10), ..settings() }).await;
    server.add_queue("sales", proto::Queue { offer_expiry: seconds(1), ..proto::Queue::default() }).await;
    server.add_agent("ana", 0).await;
    let broken = server.sign_in("ana").await;
    let call = server.call("c1").await;
    server.agent_until("ana", |status| status.routing_state() == RoutingState::NotResponding).await;
    let mut again = server.work_after("ana", &broken.session, Some(broken.last)).await;
    assert!(again.resumed);
    let (events, status) = missed(&mut again).await;
    let [Event::Offer(offer), Event::OfferEnded(ended)] = &events[..] else { panic!("{events:?}") };
    let shown = offer.interaction().expect("an offer shows its interaction");
    assert_eq!((shown.state(), shown.name), (InteractionState::Waiting, call), "as it is now");
    assert!(offer.card().is_none(), "nobody is to decide on it any more");
    assert_eq!((&ended.offer, ended.ending()), (&offer.name, Ending::Expired));
    assert_eq!(status.routing_state(), RoutingState::NotResponding);
}

#[tokio::test]
async fn an_offer_that_the_lost_connection_took_back_is_heard_of_too() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let ana = server.sign_in("ana").await;
    server.call("c1").await;
    server.agent_until("ana", |status| status.routing_state() == RoutingState::Ringing).await;
    let (session, cursor) = (ana.session.clone(), ana.last);
    drop(ana);
    server.agent_until("ana", |status| status.liveness() == Liveness::Lost).await;
    let mut again = server.work_after("ana", &session, Some(cursor)).await;
    let (events, _) = missed(&mut again).await;
    let [Event::Offer(first), Event::OfferEnded(ended), Event::Offer(second)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((&ended.offer, ended.cause()), (&first.name, RescindCause::SessionLost));
    assert!(second.card().is_some(), "the new offer is open and has its card");
    server.accept(&second.name).await.expect("the offer is open");
    again.ending_of(&second.name).await;
}

#[tokio::test]
async fn an_offer_that_is_still_open_after_the_break_has_its_card_again() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    server.call("c1").await;
    let mut broken = server.sign_in("ana").await;
    let offer = broken.next_offer().await;
    let mut again = server.work_after("ana", &broken.session, Some(broken.last)).await;
    assert_eq!(again.missed, Some(0));
    let Event::CardCompleted(completed) = again.next().await else { panic!("first the card") };
    assert_eq!(completed.offer, offer.name, "who was told half of it would wait for the rest");
    assert!(completed.card().is_some());
    assert!(matches!(again.next().await, Event::Status(_)));
    server.accept(&offer.name).await.expect("the offer is open");
}

#[tokio::test]
async fn a_cursor_between_two_messages_of_one_event_repeats_neither() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    server.call("c1").await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    let at_offer = ana.last;
    server.accept(&offer.name).await.expect("the offer is open");
    ana.ending_of(&offer.name).await;
    let ended = ana.last;
    ana.assignment_in(assignment::State::Talking).await;
    assert_eq!(
        (ana.last.sequence, ana.last.index),
        (ended.sequence, ended.index + 1),
        "one event, told twice"
    );
    let kinds = |events: &[Event]| -> Vec<&str> {
        let kind = |event: &Event| match event {
            Event::OfferEnded(_) => "ended",
            Event::Assignment(_) => "assigned",
            _ => "something else",
        };
        events.iter().map(kind).collect()
    };
    for (after, wanted) in [
        (at_offer, vec!["ended", "assigned"]),
        (ended, vec!["assigned"]),
        (Cursor { index: 0, ..ended }, vec!["ended", "assigned"]),
        (Cursor { time: None, ..ended }, vec!["assigned"]),
        (ana.last, vec![]),
    ] {
        let mut again = server.work_after("ana", &ana.session, Some(after)).await;
        let (events, status) = missed(&mut again).await;
        assert_eq!(kinds(&events), wanted, "after {after:?}");
        assert_eq!(status.routing_state(), RoutingState::Handling);
    }
}

#[tokio::test]
async fn what_customers_wrote_and_how_the_work_ended_is_heard_after_the_break() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let (chat, ana) = chat_in_hand(&server).await;
    let (session, cursor) = (ana.session.clone(), ana.last);
    server.gone(ana).await;
    server.update(&chat.name, "are you there?").await.expect("it is open");
    server.cancel(&chat.name).await;
    let mut again = server.work_after("ana", &session, Some(cursor)).await;
    let (events, status) = missed(&mut again).await;
    let [Event::Message(message), Event::Assignment(ended)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&message.interaction, message.text.as_str()), (&chat.name, "are you there?"));
    assert_eq!((ended.state(), ended.ended_by()), (assignment::State::Ended, assignment::EndedBy::Customer));
    assert_eq!((status.liveness(), status.routing_state()), (Liveness::Live, RoutingState::Idle));
}

#[tokio::test]
async fn the_words_of_an_erased_customer_do_not_come_back() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let (chat, ana) = chat_in_hand(&server).await;
    let (session, cursor) = (ana.session.clone(), ana.last);
    server.gone(ana).await;
    server.update(&chat.name, "before the erasure").await.expect("it is open");
    server.erase(&chat.customer).await.expect("known");
    server.update(&chat.name, "and after it").await.expect("it is open");
    let mut again = server.work_after("ana", &session, Some(cursor)).await;
    let (events, _) = missed(&mut again).await;
    assert_eq!(words(&events), ["", ""], "that something was written, and not what");
    server.update(&chat.name, "now to you").await.expect("it is open");
    let Event::Message(message) = again.next().await else { panic!("she serves the customer") };
    assert_eq!(message.text, "now to you", "who serves the customer hears them");
}

#[tokio::test]
async fn a_cursor_of_which_not_all_is_held_brings_a_snapshot_that_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[("ana", 3)]).await;
    server.call("c1").await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    let cursor = ana.last;
    for before_her_time in [Cursor::default(), Cursor { sequence: 1, ..Cursor::default() }] {
        let again = server.work_after("ana", &ana.session, Some(before_her_time)).await;
        assert!(again.missed.is_none() && again.snapshot.gap, "{before_her_time:?}");
        let open: Vec<&String> = again.snapshot.offers.iter().map(|offer| &offer.name).collect();
        assert_eq!(open, [&offer.name]);
        ana = again;
    }
    drop(ana);
    server.stop().await.expect("a graceful stop");
    let server = Server::on(folder.path()).await;
    let again = server.work_after("ana", "", Some(cursor)).await;
    assert!(again.missed.is_none() && again.snapshot.gap, "nothing is held over a restart");
    server.stop().await.expect("a graceful stop");
}

#[tokio::test]
async fn a_cursor_from_the_future_and_one_that_cannot_be_are_refused() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    let ana = server.sign_in("ana").await;
    let ahead = Cursor { sequence: 1_000_000, ..ana.last };
    let time = Some(prost_types::Timestamp { seconds: 1, nanos: -1 });
    let wrong = Cursor { time, ..ana.last };
    for (case, cursor, wanted) in [("ahead", ahead, AHEAD), ("no time", wrong, invalid("resume_after.time"))]
    {
        let resume_after = Some(cursor);
        let work = proto::WorkRequest { agent: name("agents", "ana"), session: String::new(), resume_after };
        let refused = within("the stream", server.agents().work(work)).await.map(drop);
        assert_refused(case, refused, wanted);
        let watch = proto::WatchInteractionRequest { name: call.clone(), resume_after };
        let refused = within("the watch", server.interactions().watch(watch)).await.map(drop);
        assert_refused(case, refused, wanted);
    }
    server.heartbeat(&ana.session).await.expect("whoever was refused took nothing over");
}

async fn watch(
    server: &Server,
    name: &str,
    resume_after: Option<Cursor>,
) -> Streaming<proto::WatchInteractionResponse> {
    let request = proto::WatchInteractionRequest { name: name.into(), resume_after };
    within("the watch", server.interactions().watch(request)).await.expect("it exists").into_inner()
}

/// The states that are told until the watch ends, and how it ends.
async fn to_the_end(
    stream: &mut Streaming<proto::WatchInteractionResponse>,
) -> Result<Vec<InteractionState>, Status> {
    let mut states = Vec::new();
    while let Some(message) = within("a change", stream.message()).await? {
        assert!(!message.gap, "{message:?}");
        states.push(message.interaction.expect("an interaction").state());
    }
    Ok(states)
}

#[tokio::test]
async fn whoever_watches_an_interaction_again_sees_each_change_since_also_when_it_is_over() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    let mut broken = watch(&server, &call, None).await;
    let first = within("a state", broken.message()).await.expect("it goes on").expect("a state");
    let cursor = first.cursor.expect("each has one");
    drop(broken);
    let (_ana, assignment) = server.sign_in_and_accept("ana").await;
    server.complete(&assignment).await.expect("it is in hand");
    let mut again = watch(&server, &call, Some(cursor)).await;
    let seen = to_the_end(&mut again).await.expect("it ends with the interaction");
    use InteractionState::{Closed, Handling, Offered};
    assert_eq!(seen, [Offered, Handling, Closed]);
    let mut all = watch(&server, &call, Some(cursor)).await;
    let mut last = cursor;
    while let Some(message) = within("a change", all.message()).await.expect("no gap") {
        last = message.cursor.expect("each has one");
    }
    let mut nothing = watch(&server, &call, Some(last)).await;
    assert_eq!(to_the_end(&mut nothing).await.expect("it is over"), []);
}

#[tokio::test]
async fn a_watch_that_cannot_go_on_shows_the_interaction_as_it_is_and_says_so() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let call = server.call("c1").await;
    let mut again = watch(&server, &call, Some(Cursor { sequence: 1, ..Cursor::default() })).await;
    let now = within("a state", again.message()).await.expect("it goes on").expect("a state");
    assert!(now.gap);
    assert_eq!(now.interaction.expect("an interaction").state(), InteractionState::Waiting);
    server.cancel(&call).await;
    let next = within("a change", again.message()).await.expect("it goes on").expect("a change");
    assert!(!next.gap, "only what comes first");
}
