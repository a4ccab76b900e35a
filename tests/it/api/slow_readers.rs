//! Who opens a stream and does not read it: the others are served, the reader is cut off, told where the gap begins,
//! and may come back and go on from there.

use super::desk::Desk;
use super::expect::assert_refused;
use super::harness::{Server, TENANT, call, call_with, name, within};
use baton::proto::agents_client::AgentsClient;
use baton::proto::interactions_client::InteractionsClient;
use baton::proto::supervision_client::SupervisionClient;
use baton::proto::work_response::Event;
use baton::proto::{self, Liveness, Presence};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

/// A connection that takes little ahead: so many bytes of each stream.
async fn narrow(server: &Server, window: u32) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address())).expect("an address");
    endpoint.initial_stream_window_size(window).connect().await.expect("the server listens")
}

/// Reads a stream to its end: the last message, and how it ended.
async fn to_the_end<T>(stream: &mut Streaming<T>) -> (Option<T>, Status) {
    let mut last = None;
    loop {
        match within("the end", stream.message()).await {
            Ok(Some(message)) => last = Some(message),
            Ok(None) => panic!("a reader who was too slow is told so"),
            Err(status) => return (last, status),
        }
    }
}

/// The cursor that the error of a reader who was too slow tells.
fn gap_after(status: &Status) -> (String, String) {
    let details = status.get_error_details();
    let told = &details.error_info().expect("a reason").metadata;
    (told["after_sequence"].clone(), told["after_index"].clone())
}

fn shown(cursor: proto::Cursor) -> (String, String) {
    (cursor.sequence.to_string(), cursor.index.to_string())
}

#[tokio::test]
async fn an_agent_who_does_not_read_is_cut_off_and_the_floor_goes_on() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let request = proto::WorkRequest { agent: name("agents", "ana"), ..proto::WorkRequest::default() };
    let mut desk = AgentsClient::new(narrow(&server, 4_096).await);
    let mut unread = within("the stream", desk.work(request)).await.expect("she exists").into_inner();
    let mut changes = 0;
    loop {
        let presence = [Presence::Available, Presence::OnBreak][changes % 2];
        let status = server.present("ana", presence).await.expect("nobody waits for a reader");
        if status.liveness() == Liveness::Lost {
            break;
        }
        changes += 1;
        assert!(changes < 20_000, "nothing reaches her, and she counts as there");
    }
    let call = server.call("c1").await;
    let (_bo, _) = server.sign_in_and_accept("bo").await;
    assert_eq!(server.get(&call).await.agent, name("agents", "bo"), "others are served");
    let (last, ended) = to_the_end(&mut unread).await;
    let cursor = last.expect("what fitted was told").cursor.expect("each has one");
    assert_eq!(gap_after(&ended), shown(cursor));
    assert_refused("the stream", Err::<(), _>(ended), (Code::ResourceExhausted, "STREAM_GAP", ""));
    let again = server.work("ana", "").await;
    assert!(again.cursor > cursor.sequence, "the snapshot is of now");
}

#[tokio::test]
async fn a_watch_that_is_not_read_ends_and_the_next_one_shows_what_was_missed() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let call = server.call("c1").await;
    let watch = || proto::WatchInteractionRequest { name: call.clone(), ..Default::default() };
    let mut platform = InteractionsClient::new(narrow(&server, 4_096).await);
    let mut unread = within("the watch", platform.watch(watch())).await.expect("it exists").into_inner();
    for change in 0..200 {
        let request = proto::ReprioritiseRequest { interaction: call.clone(), priority: change % 2 };
        let changed = within("a change", server.supervision().reprioritise(request)).await;
        changed.expect("nobody waits for a reader");
    }
    let (last, ended) = to_the_end(&mut unread).await;
    let cursor = last.expect("what fitted was told").cursor.expect("each has one");
    assert_eq!(gap_after(&ended), shown(cursor));
    assert_refused("the watch", Err::<(), _>(ended), (Code::ResourceExhausted, "STREAM_GAP", ""));
    let again = within("the watch", server.interactions().watch(watch())).await.expect("it exists");
    let now = within("a snapshot", again.into_inner().message()).await.expect("it goes on").expect("a view");
    assert_eq!(now.interaction.expect("an interaction").priority, 1, "the last change");
    assert!(now.cursor.expect("each has one").sequence > cursor.sequence);
}

/// What the customer of a chat writes, by number; long enough to fill what lies between.
fn line(number: usize) -> String {
    format!("{number} {}", "and more ".repeat(40))
}

#[tokio::test]
async fn an_agent_who_was_cut_off_comes_back_and_has_missed_nothing() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let chat = call_with("c1", |one| one.channel = proto::Channel::Chat.into());
    let chat = server.submit(chat).await.expect("taken").interaction.expect("an interaction").name;
    let agent = name("agents", "ana");
    let request = proto::WorkRequest { agent: agent.clone(), ..proto::WorkRequest::default() };
    let mut client = AgentsClient::new(narrow(&server, 4_096).await);
    let stream = within("the stream", client.work(request)).await.expect("she exists").into_inner();
    let mut slow = Desk::begin(agent, stream).await;
    server.present("ana", Presence::Available).await.expect("a session is open");
    let offer = slow.next_offer().await;
    server.accept(&offer.name).await.expect("the offer is open");
    let mut written = 0;
    while server.agent("ana").await.liveness() == Liveness::Live {
        for _ in 0..50 {
            server.update(&chat, &line(written)).await.expect("nobody waits for a reader");
            written += 1;
        }
        assert!(written < 20_000, "nothing reaches her, and she counts as there");
    }
    let mut heard = Vec::new();
    let ended = loop {
        match slow.try_next().await {
            Ok(Event::Message(message)) => heard.push(message.text),
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(gap_after(&ended), shown(slow.last));
    assert_refused("the stream", Err::<(), _>(ended), (Code::ResourceExhausted, "STREAM_GAP", ""));
    assert!(heard.len() < written, "something was left over");
    let mut again = server.work_after("ana", &slow.session, Some(slow.last)).await;
    assert!(again.resumed && again.missed.is_some(), "what she missed is held");
    while heard.len() < written {
        if let Event::Message(message) = again.next().await {
            heard.push(message.text);
        }
    }
    assert_eq!(heard, (0..written).map(line).collect::<Vec<_>>(), "each once and in order");
}

#[tokio::test]
async fn a_watch_that_was_cut_off_goes_on_where_it_was() {
    let priority = |change: usize| i32::try_from(change % 10).expect("a few points");
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let call = server.call("c1").await;
    let mut platform = InteractionsClient::new(narrow(&server, 4_096).await);
    let watch = |resume_after| proto::WatchInteractionRequest { name: call.clone(), resume_after };
    let mut unread = within("the watch", platform.watch(watch(None))).await.expect("it exists").into_inner();
    let first = within("a state", unread.message()).await.expect("it goes on").expect("a state");
    for change in 1..=200 {
        let request = proto::ReprioritiseRequest { interaction: call.clone(), priority: priority(change) };
        within("a change", server.supervision().reprioritise(request)).await.expect("it waits");
    }
    let mut seen = vec![first.interaction.expect("an interaction").priority];
    let mut cursor = first.cursor;
    while let Ok(Some(message)) = within("the gap", unread.message()).await {
        cursor = message.cursor;
        seen.push(message.interaction.expect("an interaction").priority);
    }
    assert!(seen.len() < 200, "it was cut off");
    let again = within("the watch", server.interactions().watch(watch(cursor))).await.expect("it exists");
    let mut again = again.into_inner();
    while seen.len() <= 200 {
        let message = within("a change", again.message()).await.expect("it goes on").expect("it is not over");
        assert!(!message.gap);
        seen.push(message.interaction.expect("an interaction").priority);
    }
    assert_eq!(seen, (0..=200).map(priority).collect::<Vec<_>>(), "each change once and in order");
}

#[tokio::test]
async fn a_floor_that_is_not_watched_holds_nobody_up_and_is_shown_as_it_is_when_it_is_watched_again() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let watch = |messages_max| proto::WatchFloorRequest {
        parent: TENANT.into(),
        interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
        messages_max,
        ..proto::WatchFloorRequest::default()
    };
    // Less than a view: the first does not fit.
    let mut narrow = SupervisionClient::new(narrow(&server, 16).await);
    let mut unread = within("the watch", narrow.watch_floor(watch(0))).await.expect("a floor").into_inner();
    let read = within("the watch", server.supervision().watch_floor(watch(10))).await.expect("a floor");
    let mut read = read.into_inner();
    for agent in ["ana", "bo"] {
        server.call(agent).await;
        let (_desk, assignment) = server.sign_in_and_accept(agent).await;
        server.complete(&assignment).await.expect("nobody waits for a reader");
    }
    while within("a view", read.message()).await.expect("it goes on").is_some() {}
    let now = server.submit(call("last")).await.expect("taken").sequence;
    let mut late = 0;
    loop {
        let view = within("a view", unread.message()).await.expect("it goes on").expect("it is not over");
        if view.cursor.expect("each has one").sequence >= now {
            break;
        }
        late += 1;
    }
    assert!(late <= 3, "{late} old views were kept: two are on their way, and one waits behind them");
}
