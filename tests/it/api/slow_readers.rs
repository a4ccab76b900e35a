//! Who opens a stream and does not read it: the others are served, the reader is cut off, told where the gap begins,
//! and may come back.

use super::expect::assert_refused;
use super::harness::{Server, TENANT, call, name, within};
use baton::proto::agents_client::AgentsClient;
use baton::proto::interactions_client::InteractionsClient;
use baton::proto::supervision_client::SupervisionClient;
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

fn gap_after(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().expect("a reason").metadata["after_sequence"].clone()
}

#[tokio::test]
async fn an_agent_who_does_not_read_is_cut_off_and_the_floor_goes_on() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let request = proto::WorkRequest { agent: name("agents", "ana"), session: String::new() };
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
    assert_eq!(gap_after(&ended), cursor.sequence.to_string());
    assert_refused("the stream", Err::<(), _>(ended), (Code::ResourceExhausted, "STREAM_GAP", ""));
    let again = server.work("ana", "").await;
    assert!(again.cursor > cursor.sequence, "the snapshot is of now");
}

#[tokio::test]
async fn a_watch_that_is_not_read_ends_and_the_next_one_shows_what_was_missed() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let call = server.call("c1").await;
    let watch = || proto::WatchInteractionRequest { name: call.clone() };
    let mut platform = InteractionsClient::new(narrow(&server, 4_096).await);
    let mut unread = within("the watch", platform.watch(watch())).await.expect("it exists").into_inner();
    for change in 0..200 {
        let request = proto::ReprioritiseRequest { interaction: call.clone(), priority: change % 2 };
        let changed = within("a change", server.supervision().reprioritise(request)).await;
        changed.expect("nobody waits for a reader");
    }
    let (last, ended) = to_the_end(&mut unread).await;
    let cursor = last.expect("what fitted was told").cursor.expect("each has one");
    assert_eq!(gap_after(&ended), cursor.sequence.to_string());
    assert_refused("the watch", Err::<(), _>(ended), (Code::ResourceExhausted, "STREAM_GAP", ""));
    let again = within("the watch", server.interactions().watch(watch())).await.expect("it exists");
    let now = within("a snapshot", again.into_inner().message()).await.expect("it goes on").expect("a view");
    assert_eq!(now.interaction.expect("an interaction").priority, 1, "the last change");
    assert!(now.cursor.expect("each has one").sequence > cursor.sequence);
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
