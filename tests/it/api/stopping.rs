//! A server that is asked to end: streams are told to come back, what was taken is durable, and a disk that does not
//! answer does not keep it for ever.

use super::expect::assert_refused;
use super::faults::Failing;
use super::harness::{Server, call, settings, within};
use baton::assembly::ServerError;
use baton::config::Settings;
use baton::proto::InteractionState;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// Who submit one after the other, all at once.
const CLIENTS: usize = 16;

#[tokio::test]
async fn a_desk_is_told_to_come_back_and_when() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let mut ana = server.sign_in("ana").await;
    let stopping = tokio::spawn(server.stop());
    let ended = ana.end().await;
    assert_refused("the stream", Err::<(), _>(ended), (Code::Unavailable, "STOPPING", ""));
    within("the stop", stopping).await.expect("no panic").expect("it stops in order");
}

#[tokio::test]
async fn who_follows_the_health_hears_of_the_stop_and_does_not_hold_it_up() {
    let server = Server::with(Settings { stop_within: Some(600), ..settings() }).await;
    let mut health = HealthClient::new(server.channel());
    let request = HealthCheckRequest { service: "baton.v1.Agents".into() };
    let mut told = within("the health", health.watch(request)).await.expect("it is served").into_inner();
    let mut next =
        async || within("a status", told.message()).await.expect("no error").map(|told| told.status());
    assert_eq!(next().await, Some(ServingStatus::Serving));
    let stopping = tokio::spawn(server.stop());
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    assert_eq!(next().await, None, "there is nothing more to follow");
    within("the stop", stopping).await.expect("no panic").expect("it stops in order");
}

#[tokio::test]
async fn whatever_was_answered_before_a_stop_is_there_after_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[]).await;
    let (answered, mut answers) = tokio::sync::mpsc::unbounded_channel();
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let (mut client, answered) = (server.interactions(), answered.clone());
        clients.spawn(async move {
            for round in 0.. {
                let answer = client.submit(call(&format!("c{number}-{round}"))).await?.into_inner();
                answered.send(answer.interaction.expect("an interaction").name).expect("the test listens");
            }
            Ok(())
        });
    }
    drop(answered);
    let mut taken = Vec::new();
    while taken.len() < 4 * CLIENTS {
        taken.push(within("an answer", answers.recv()).await.expect("nobody has been refused yet"));
    }
    let stopping = tokio::spawn(server.stop());
    while let Some(ended) = within("a refusal", clients.join_next()).await {
        let status: tonic::Status = ended.expect("no panic").expect_err("they go on until they are refused");
        // Refused, or its connection was closed before it was heard.
        let refused = matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled);
        assert!(refused, "{status:?}");
    }
    within("the stop", stopping).await.expect("no panic").expect("it stops in order");
    while let Some(name) = answers.recv().await {
        taken.push(name);
    }
    let server = Server::on(folder.path()).await;
    for name in taken {
        assert_eq!(server.state(&name).await, InteractionState::Waiting, "{name}");
    }
    server.stop().await.expect("it stops in order");
}

#[tokio::test]
async fn a_disk_that_does_not_answer_is_not_waited_for_beyond_the_limit() {
    let (journals, journal) = std::sync::mpsc::channel();
    let settings = Settings { stop_within: Some(1), ..settings() };
    let server = Server::with_settings_and_parts(settings, move |parts| {
        let journal = Failing::default();
        journals.send(journal.gate()).expect("the test waits for it");
        parts.journal = Box::new(journal);
    })
    .await;
    let gate = journal.recv().expect("a server has a journal");
    server.open_floor(&[]).await;
    gate.close();
    let mut client = server.interactions();
    let unanswered = tokio::spawn(async move { client.submit(call("c1")).await });
    let waiting = gate.clone();
    tokio::task::spawn_blocking(move || waiting.somebody_waits()).await.expect("no panic");
    let stopped = server.stop().await;
    assert!(matches!(stopped, Err(ServerError::StopTooLong { .. })), "{stopped:?}");
    gate.open();
    // It was never answered OK; whether it is in the journal nobody was promised.
    let _ = within("its end", unanswered).await;
}
