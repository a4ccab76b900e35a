//! Whatever comes in, the server answers and everybody else's work is safe: random bytes, and messages that are well
//! formed but mean nothing.

use super::harness::{Server, call, name, within};
use baton::proto::{self, SubmitRequest};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use prost::Message;
use prost::bytes::{Buf, BufMut};
use std::time::Duration;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Status};

/// Sends bytes as they are.
#[derive(Clone, Default)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}

impl Server {
    /// Submits bytes.
    async fn submit_raw(&self, bytes: Vec<u8>) -> Result<(), Status> {
        let mut client = tonic::client::Grpc::new(self.channel());
        within("readiness", client.ready()).await.expect("the connection lives");
        let mut request = Request::new(bytes);
        // A max_wait that happens to be right is not waited for.
        request.set_timeout(Duration::from_millis(200));
        let path = "/baton.v1.Interactions/Submit".parse().expect("a path");
        within("an answer", client.unary(request, path, Raw)).await.map(drop)
    }
}

/// Codes that say whose fault it was, none of which is ours.
fn is_an_answer(answer: &Result<(), Status>) -> bool {
    match answer {
        Ok(()) => true,
        Err(status) => match status.code() {
            Code::InvalidArgument | Code::NotFound | Code::AlreadyExists | Code::ResourceExhausted => true,
            // Its own deadline, while it waited for a route.
            Code::DeadlineExceeded | Code::Cancelled => true,
            // What does not decode as a message.
            Code::Internal => status.message().contains("decode"),
            _ => false,
        },
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just(String::new()),
        2 => Just(name("queues", "sales")),
        1 => Just(name("skills", "es")),
        2 => Just("pbx".to_owned()),
        1 => Just("tenants/-".to_owned()),
        2 => "\\PC{0,80}",
        1 => "[a-z]{0,10}",
        1 => prop::collection::vec(any::<char>(), 0..300).prop_map(String::from_iter),
    ]
}

fn number() -> impl Strategy<Value = i32> {
    prop_oneof![any::<i32>(), -12..12, Just(i32::MIN), Just(i32::MAX)]
}

fn length() -> impl Strategy<Value = Option<(i64, i32)>> {
    let seconds = prop_oneof![any::<i64>(), -2_i64..3, Just(i64::MIN), Just(i64::MAX)];
    prop::option::of((seconds, number()))
}

/// How many fields `change` knows.
const FIELDS: usize = 15;

prop_compose! {
    /// A call with up to three fields changed to anything: the rest is right, so that it comes far.
    fn submits()(
        id in "[a-z0-9]{12}",
        changed in prop::collection::vec((0..FIELDS, word(), number(), length()), 0..4),
    ) -> SubmitRequest {
        let mut request = call(&id);
        for (field, word, number, length) in changed {
            change(&mut request, field, word, number, length);
        }
        request
    }
}

fn change(request: &mut SubmitRequest, field: usize, word: String, number: i32, length: Option<(i64, i32)>) {
    let duration = length.map(|(seconds, nanos)| prost_types::Duration { seconds, nanos });
    let moment = length.map(|(seconds, nanos)| prost_types::Timestamp { seconds, nanos });
    let SubmitRequest { parent, interaction, request_id, max_wait, fallback } = request;
    let interaction = interaction.as_mut().expect("a call is an interaction");
    match field {
        0 => *parent = word,
        1 => *request_id = word,
        2 => *fallback = word,
        3 => *max_wait = duration,
        4 => interaction.source = word,
        5 => interaction.external_id = word,
        6 => interaction.queue = word,
        7 => interaction.channel = number,
        8 => interaction.priority = number,
        9 => (interaction.intent, interaction.language) = (word.clone(), word),
        10 => interaction.message = word,
        11 => interaction.due_time = moment,
        12 => interaction.from = Some(proto::Address { kind: number.rem_euclid(7), value: word }),
        13 => drop(interaction.attributes.insert(word.clone(), word)),
        _ => {
            let proficiency = number.cast_unsigned();
            interaction.requirements.push(proto::Requirement { skill: word, proficiency });
        }
    }
}

/// Sends each of many requests; afterwards another client's work is as it was, and more of it is taken. Gives how
/// many were taken.
fn nothing_is_lost_by(cases: u32, requests: impl Strategy<Value = Vec<u8>>) -> u32 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (server, mine) = runtime.block_on(async {
        let server = Server::start().await;
        server.open_floor(&[]).await;
        let mine = server.call("mine").await;
        (server, mine)
    });
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let taken = std::cell::Cell::new(0);
    let sent = runner.run(&requests, |bytes| {
        runtime.block_on(async {
            let answer = server.submit_raw(bytes).await;
            prop_assert!(is_an_answer(&answer), "{answer:?}");
            taken.set(taken.get() + u32::from(answer.is_ok()));
            prop_assert_eq!(server.state(&mine).await, proto::InteractionState::Waiting);
            Ok(())
        })
    });
    sent.unwrap_or_else(|error| panic!("{error}"));
    runtime.block_on(async {
        server.call("mine too").await;
        server.add_agent("ana", 10).await;
        drop(server.sign_in_and_accept("ana").await);
        server.stop().await.expect("the shard lives to the end");
    });
    taken.get()
}

#[test]
fn random_bytes_are_answered_and_lose_nobodys_work() {
    nothing_is_lost_by(400, prop::collection::vec(any::<u8>(), 0..600));
}

#[test]
fn random_fields_are_answered_and_lose_nobodys_work() {
    let taken = nothing_is_lost_by(800, submits().prop_map(|request| request.encode_to_vec()));
    assert!((100..800).contains(&taken), "{taken} of 800 were taken: some should be, and not all");
}

#[test]
fn a_message_with_a_few_bytes_changed_is_answered_and_loses_nobodys_work() {
    let changed = (submits(), prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4));
    let bytes = changed.prop_map(|(request, changes)| {
        let mut bytes = request.encode_to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    });
    nothing_is_lost_by(400, bytes);
}
