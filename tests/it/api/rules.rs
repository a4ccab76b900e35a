//! A server with rules of its own: they plan what is submitted, and mistakes in them are told before it starts.

use super::harness::{Server, call, call_with, settings};
use baton::assembly::{ServerError, prepare};
use baton::config::Settings;
use baton::proto::InteractionState;
use std::path::PathBuf;
use tempfile::TempDir;

/// A file with rules, in a folder that goes with it.
fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("rules.yaml");
    std::fs::write(&path, text).expect("a file");
    (folder, path)
}

/// What a server says that does not start with these rules.
async fn refused(rules: PathBuf) -> ServerError {
    let config = Settings { rules: Some(rules), ..settings() }.validate().expect("the settings fit together");
    prepare(&config).await.err().expect("rules that are to be refused")
}

#[tokio::test]
async fn what_is_submitted_is_planned_by_the_rules_of_the_file() {
    let text = "version: 9\nname: short\nqueues:\n  sales:\n    last_step: { after: 1ms, then: { send_away: voicemail } }\n  abroad:\n    priority: 1\n";
    let (_folder, path) = file(text);
    let server = Server::with(Settings { rules: Some(path), ..settings() }).await;
    server.open_floor(&[]).await;
    let sales = server.submit(call("c1")).await.expect("taken").interaction.expect("an interaction");
    assert_eq!(sales.rule_set_version, 9);
    let gone = server.until(&sales.name, |one| one.state() == InteractionState::SentAway).await;
    assert_eq!(gone.name, sales.name);
}

#[tokio::test]
async fn a_queue_the_rules_name_and_the_floor_does_not_have_is_still_refused() {
    let (_folder, path) = file("version: 9\nname: early\nqueues:\n  abroad:\n    priority: 1\n");
    let server = Server::with(Settings { rules: Some(path), ..settings() }).await;
    server.open_floor(&[]).await;
    let abroad = call_with("c1", |one| one.queue = super::harness::name("queues", "abroad"));
    let refusal = server.submit(abroad).await.expect_err("there is no such queue");
    assert_eq!(refusal.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn mistakes_in_rules_are_told_by_line_and_field_before_the_server_starts() {
    let (_folder, path) = file("version: 1\nname: x\ndefault:\n  goals: { answer_within: soon }\n");
    let said = refused(path.clone()).await;
    assert!(matches!(said, ServerError::Rules { .. }));
    let said = said.to_string();
    assert!(said.contains(&path.display().to_string()), "{said}");
    assert!(said.contains("line 4, default.goals.answer_within: got \"soon\", want a duration"), "{said}");
    let missing = refused(path.with_file_name("none.yaml")).await;
    assert!(matches!(missing, ServerError::RulesFile { .. }));
}
