//! Floods of the transport: whoever sends them loses their own connection at most, and an agent's accept is answered.
//! In short here; `BATON_FLOODS` is how many times as much is sent. How long an accept takes meanwhile is for
//! `benches/floods.rs`.

#[path = "../../../benches/floods/attack.rs"]
mod attack;

use super::harness::{Server, within};
use attack::{Resets, half_sent, idle, malformed};
use baton::proto::InteractionState;

/// How many times as much is sent as by default.
fn times() -> usize {
    std::env::var("BATON_FLOODS").map_or(1, |times| times.parse().expect("BATON_FLOODS is a number"))
}

/// A customer comes, and an agent takes the call.
async fn assert_served(server: &Server, agent: &str, external_id: &str) {
    let call = server.call(external_id).await;
    let (desk, assignment) = server.sign_in_and_accept(agent).await;
    server.complete(&assignment).await.expect("the conversation goes on");
    assert_eq!(server.state(&call).await, InteractionState::Closed);
    drop(desk);
}

async fn floor() -> Server {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    server
}

#[tokio::test]
async fn connections_that_say_nothing_keep_nobody_from_accepting() {
    let server = floor().await;
    let held = within("the connections", idle(server.address(), 300 * times())).await.expect("they connect");
    assert_served(&server, "ana", "c1").await;
    drop(held);
    assert_served(&server, "bo", "c2").await;
    server.stop().await.expect("it stops in order");
}

#[tokio::test]
async fn calls_reset_as_they_open_end_their_connection_when_they_are_too_many() {
    let server = floor().await;
    let mut resets = Resets::new(server.address());
    for _ in 0..20 * times() {
        within("a few", resets.send(50)).await.expect("it connects");
    }
    assert_served(&server, "ana", "c1").await;
    within("too many at once", resets.send(100_000)).await.expect("it connects");
    within("the end of the connection", resets.shown_out()).await;
    assert_served(&server, "bo", "c2").await;
    server.stop().await.expect("it stops in order");
}

#[tokio::test]
async fn calls_beyond_those_a_connection_may_have_are_refused_and_others_served() {
    let server = floor().await;
    let flood = within("the refusals", half_sent(server.address(), 4_300, 4_096)).await;
    let (held, refused) = flood.expect("the connection lives");
    assert_eq!(refused, 204, "as many as are beyond its limit");
    assert_served(&server, "ana", "c1").await;
    drop(held);
    assert_served(&server, "bo", "c2").await;
    server.stop().await.expect("it stops in order");
}

#[tokio::test]
async fn headers_that_are_too_long_fail_their_call_alone() {
    let server = floor().await;
    let mut request = tonic::Request::new(super::harness::call("c0"));
    let long = "x".repeat(20 * 1024).parse().expect("plain text");
    request.metadata_mut().insert("too-long", long);
    let answer = within("an answer", server.interactions().submit(request)).await;
    let status = answer.expect_err("20 KiB are more than 16");
    assert!(status.message().contains("431"), "{status:?}");
    assert_served(&server, "ana", "c1").await;
    server.stop().await.expect("it stops in order");
}

#[tokio::test]
async fn requests_that_mean_nothing_are_all_answered_and_so_is_an_agent() {
    let server = floor().await;
    let count = 2_000 * u64::try_from(times()).expect("a small number");
    let channel = server.channel();
    let flood = tokio::spawn(async move { malformed(&channel, count, 50).await });
    assert_served(&server, "ana", "c1").await;
    let answers = within("the answers", flood).await.expect("no panic");
    assert_eq!(answers.values().sum::<u64>(), count, "{answers:?}");
    let known = ["Internal", "InvalidArgument"];
    assert!(answers.keys().all(|code| known.contains(&code.as_str())), "{answers:?}");
    assert_served(&server, "bo", "c2").await;
    server.stop().await.expect("it stops in order");
}
