//! Every request of the protocol, made by chance from the protocol itself and changed by chance, one after the other to a server
//! that runs: each is answered, with a reason if it is refused, nothing panics, and the server serves on.
//!
//! Seeds are fixed and few; `BATON_FUZZ_SECONDS` goes on for so long, with one seed after the other. `BATON_TELL=1` says how often
//! each method was asked, and did what it was asked for.

mod schema;

use super::desk::Desk;
use super::harness::{Server, call_with, name, phone, within};
use super::hostile::Raw;
use crate::fuzz::{Luck, rounds};
use baton::proto;
use schema::{Method, Schema};
use std::collections::BTreeMap;
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

/// Of one seed.
const REQUESTS: usize = 500;
/// Whoever hears nothing for so long goes away.
const PATIENCE: Duration = Duration::from_millis(100);

#[test]
fn whatever_is_asked_is_answered_and_the_server_serves_on() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let schema = Schema::read();
    let tried = std::cell::RefCell::new(BTreeMap::<String, (u32, u32)>::new());
    rounds(1, |seed| {
        let told = runtime.block_on(serves(&schema, seed));
        for (path, taken) in told {
            let counts = &mut tried.borrow_mut();
            let (all, ok) = counts.entry(path).or_default();
            (*all, *ok) = (*all + 1, *ok + u32::from(taken));
        }
    });
    let tried = tried.into_inner();
    assert_eq!(tried.len(), schema.methods.len(), "every method was asked");
    if std::env::var_os("BATON_TELL").is_some() {
        println!("asked and taken: {tried:?}");
    }
    let taken: u32 = tried.values().map(|(_, ok)| ok).sum();
    let asked: u32 = tried.values().map(|(all, _)| all).sum();
    assert!(taken > asked / 10, "chance makes some that are right: {taken} of {asked}");
}

/// Whether each request was taken.
async fn serves(schema: &Schema, seed: u64) -> Vec<(String, bool)> {
    let mut luck = Luck::new(seed);
    let (server, desks) = furnished().await;
    let mut told = Vec::new();
    for number in 0..REQUESTS {
        // Each method first once.
        let method = match schema.methods.get(number) {
            Some(method) => method,
            None => &schema.methods[luck.below(schema.methods.len())],
        };
        let mut whole = true;
        let messages = (0..if method.client_streams { 1 + luck.below(3) } else { 1 }).map(|_| {
            let mut bytes = schema.message(&mut luck, &method.input);
            if luck.below(6) == 0 {
                whole = false;
                luck.change(&mut bytes, 0);
            }
            bytes
        });
        let messages: Vec<Vec<u8>> = messages.collect();
        let answer = ask(server.channel(), method, messages.clone()).await;
        assert_is_an_answer(&answer, whole, || format!("seed {seed}, {}, {messages:02x?}", method.path));
        told.push((method.path.clone(), answer.is_ok()));
    }
    still_serves(&server).await;
    drop(desks);
    server.stop().await.expect("the shard lives to the end");
    told
}

/// With something of everything that can be named: one agent talks to a customer who is known, one is asked.
async fn furnished() -> (Server, [Desk; 2]) {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 0)]).await;
    let known = call_with("c1", |interaction| interaction.from = phone("+351910000001"));
    server.submit(known).await.expect("a plain call is taken");
    let (ana, _) = server.sign_in_and_accept("ana").await;
    for external_id in ["c2", "c3", "c4"] {
        server.call(external_id).await;
    }
    let bo = server.sign_in("bo").await;
    (server, [ana, bo])
}

async fn ask(channel: Channel, method: &Method, mut messages: Vec<Vec<u8>>) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel);
    within("readiness", client.ready()).await.expect("the connection lives");
    let path = method.path.parse().expect("a path");
    // What waits for a route on purpose is not waited for.
    let answer = if method.client_streams {
        let mut request = Request::new(tokio_stream::iter(messages));
        request.set_timeout(PATIENCE);
        within("an answer", client.streaming(request, path, Raw)).await
    } else {
        let mut request = Request::new(messages.pop().unwrap_or_default());
        request.set_timeout(PATIENCE);
        within("an answer", client.server_streaming(request, path, Raw)).await
    };
    let mut answers = answer?.into_inner();
    match tokio::time::timeout(PATIENCE, answers.message()).await {
        Ok(first) => first.map(drop),
        Err(_) => Ok(()),
    }
}

/// It says whose fault it was, which is not ours, and why.
fn assert_is_an_answer(answer: &Result<(), Status>, whole: bool, what: impl Fn() -> String) {
    let Err(status) = answer else { return };
    let reason = status.get_details_error_info().map(|info| info.reason);
    let fine = match status.code() {
        // Its own deadline.
        Code::DeadlineExceeded | Code::Cancelled => true,
        // What does not decode as a message never reaches us.
        Code::Internal => !whole && status.message().contains("decode"),
        Code::Unknown | Code::DataLoss | Code::Unavailable => false,
        _ => reason.is_some_and(|reason| !reason.is_empty()),
    };
    assert!(fine, "{status:?}\n{}", what());
}

/// More of everything is taken.
async fn still_serves(server: &Server) {
    server.add_queue("after-all", proto::Queue::default()).await;
    server.add_agent("after-all", 0).await;
    let interaction = proto::Interaction {
        source: "after-all".into(),
        external_id: "after-all".into(),
        channel: proto::Channel::Voice.into(),
        queue: name("queues", "after-all"),
        ..proto::Interaction::default()
    };
    let request = proto::SubmitRequest {
        parent: super::harness::TENANT.into(),
        interaction: Some(interaction),
        ..proto::SubmitRequest::default()
    };
    let taken = server.submit(request).await.expect("a plain call is taken");
    let taken = taken.interaction.expect("an answer holds the interaction");
    assert_eq!(server.get(&taken.name).await.external_id, "after-all");
}
