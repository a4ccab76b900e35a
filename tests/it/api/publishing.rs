//! Drafts, versions and who may publish them: two who edit at once, four eyes, what is refused, what is put back, and what
//! a restart finds.

use super::expect::{assert_refused, failed, invalid, missing, unknown};
use super::harness::{Server, TENANT, bearing, call, name, settings, within};
use baton::config::{JournalKind, Settings};
use baton::proto::publish_request::Document as What;
use baton::proto::{self, WaitingPolicy};
use std::path::Path;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

/// Rules that give these points in the queue `sales`.
pub fn points(points: i32) -> String {
    format!("name: points {points}\nqueues:\n  sales: {{ priority: {points} }}\n")
}

/// A request to publish a text.
pub fn publication(text: &str, waiting: WaitingPolicy) -> proto::PublishRequest {
    proto::PublishRequest {
        parent: TENANT.into(),
        document: Some(What::Text(text.into())),
        reason: "a test".into(),
        waiting: waiting.into(),
        base: String::new(),
    }
}

/// The number of what came in force.
pub fn number(answer: &proto::PublishResponse) -> u32 {
    answer.version.as_ref().expect("an answer tells the version").number
}

impl Server {
    pub async fn publish(
        &self,
        request: impl tonic::IntoRequest<proto::PublishRequest>,
    ) -> Result<proto::PublishResponse, Status> {
        within("a version", self.rules().publish(request)).await.map(Response::into_inner)
    }

    pub async fn roll_back(&self, version: &str) -> Result<proto::PublishResponse, Status> {
        let request = proto::RollbackRequest {
            parent: TENANT.into(),
            version: version.into(),
            reason: "it was worse".into(),
            waiting: 0,
        };
        within("a rollback", self.rules().rollback(request)).await.map(Response::into_inner)
    }

    async fn draft(&self) -> proto::RulesDraft {
        let request = proto::GetDraftRequest { parent: TENANT.into() };
        within("the draft", self.rules().get_draft(request)).await.expect("there is always one").into_inner()
    }

    pub async fn write(&self, text: &str, etag: &str) -> Result<proto::RulesDraft, Status> {
        within("a draft", self.rules().update_draft(draft(text, etag))).await.map(Response::into_inner)
    }

    pub async fn versions(&self) -> Vec<proto::RulesVersion> {
        let request = proto::ListVersionsRequest { parent: TENANT.into(), ..Default::default() };
        within("versions", self.rules().list_versions(request)).await.expect("a list").into_inner().versions
    }

    pub async fn trail(&self) -> Vec<proto::AuditEntry> {
        let request = proto::ListAuditRequest { parent: TENANT.into(), ..Default::default() };
        within("the trail", self.rules().list_audit(request)).await.expect("a list").into_inner().entries
    }

    pub async fn verify(&self) -> proto::VerifyAuditResponse {
        let request = proto::VerifyAuditRequest { parent: TENANT.into() };
        within("a verdict", self.rules().verify_audit(request)).await.expect("a verdict").into_inner()
    }

    /// The number in force, by the versions and by what is planned.
    async fn in_force(&self, external_id: &str) -> u32 {
        let planned =
            self.submit(call(external_id)).await.expect("taken").interaction.expect("an interaction");
        let listed = self.versions().await.into_iter().find(|version| version.in_force);
        assert_eq!(listed.map(|version| version.number), Some(planned.rule_set_version));
        planned.rule_set_version
    }
}

fn draft(text: &str, etag: &str) -> proto::UpdateDraftRequest {
    let (text, etag) = (text.into(), etag.into());
    proto::UpdateDraftRequest { parent: TENANT.into(), text, etag, reason: String::new() }
}

fn of_draft(etag: &str) -> proto::PublishRequest {
    let document = Some(What::DraftEtag(etag.into()));
    proto::PublishRequest { document, ..publication("", WaitingPolicy::Keep) }
}

fn told(status: &Status, field: &str) -> String {
    let details = status.get_error_details();
    details.error_info().and_then(|info| info.metadata.get(field).cloned()).unwrap_or_default()
}

#[tokio::test]
async fn what_is_published_plans_what_comes_next_and_what_waits_keeps_its_plan() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let before = server.call("c1").await;
    let answer = server.publish(publication(&points(4), WaitingPolicy::Unspecified)).await.expect("right");
    let version = answer.version.clone().expect("it tells the version");
    assert_eq!((version.number, version.display_name.as_str()), (2, "points 4"));
    assert_eq!((version.publisher.as_str(), version.author.as_str()), ("unauthenticated", "unauthenticated"));
    assert_eq!((version.base, version.text.as_str()), (name("rules", 1), ""));
    assert_eq!((answer.planned_again, answer.effect_time.is_some()), (0, true));
    assert!(
        answer.changes.contains(&"queue sales: priority points 0 → 4".to_owned()),
        "{:?}",
        answer.changes
    );
    assert_eq!(server.in_force("c2").await, 2);
    assert_eq!(server.get(&before).await.rule_set_version, 1, "kept");
    let request = proto::GetVersionRequest { name: name("rules", 2) };
    let stored = within("a version", server.rules().get_version(request)).await.expect("there").into_inner();
    assert_eq!((stored.text, stored.reason.as_str()), (points(4), "a test"));
    let first = server.versions().await.pop().expect("two versions");
    assert_eq!((first.number, first.reason.as_str(), first.publisher.as_str()), (1, "at start", "server"));
}

#[tokio::test]
async fn the_second_of_two_editors_is_told_what_the_first_changed() {
    let server = Server::start().await;
    let start = server.draft().await;
    assert_eq!((start.etag.as_str(), start.author.as_str()), ("v1", ""));
    let first = server.write(&points(4), &start.etag).await.expect("the first");
    assert_eq!((first.text, first.author.as_str()), (points(4), "unauthenticated"));
    let late = server.write(&points(7), &start.etag).await;
    let status = late.clone().expect_err("too late");
    assert_refused("the second", late, (Code::Aborted, "ETAG_MISMATCH", "etag"));
    assert!(told(&status, "difference").contains("queue sales: priority points 0 → 4"), "{status:?}");
    let late = server.publish(of_draft("v1")).await;
    assert_refused("published late", late, (Code::Aborted, "ETAG_MISMATCH", "draft_etag"));
    let second = server.write(&points(7), &first.etag).await.expect("having seen it");
    assert_eq!(number(&server.publish(of_draft(&second.etag)).await.expect("right")), 2);
    assert_refused("twice", server.publish(of_draft(&second.etag)).await, failed("NO_DRAFT"));
    assert_eq!(server.draft().await.etag, "v2", "the next draft starts from what is in force");
}

#[tokio::test]
async fn a_draft_does_not_undo_what_came_in_force_since_it_was_written() {
    let server = Server::start().await;
    let mine = server.write(&points(4), "v1").await.expect("written");
    let theirs = "name: theirs\nqueues:\n  mail: { head_start: 5m }\n";
    server.publish(publication(theirs, WaitingPolicy::Keep)).await.expect("right");
    let undone = server.publish(of_draft(&mine.etag)).await;
    let status = undone.clone().expect_err("overtaken");
    assert_refused("the draft", undone, (Code::Aborted, "BASE_OVERTAKEN", ""));
    assert!(told(&status, "difference").contains("queue mail: head start 0s → 5m"), "{status:?}");
    let based =
        proto::PublishRequest { base: name("rules", 1), ..publication("name: x", WaitingPolicy::Keep) };
    assert_refused("a text", server.publish(based).await, (Code::Aborted, "BASE_OVERTAKEN", ""));
    let seen = server.write(&points(4), &mine.etag).await.expect("written again, having seen it");
    assert_eq!(seen.base, name("rules", 2));
    server.publish(of_draft(&seen.etag)).await.expect("nothing is undone unseen");
}

#[tokio::test]
async fn a_refused_publish_changes_nothing() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let trail = server.trail().await;
    let wrong = "name: x\nqueues:\n  sales: { priority: 500 }\n  mail: { head_start: soon }\n";
    let right = points(1);
    let ask = |text: &str, change: fn(&mut proto::PublishRequest)| {
        let mut request = publication(text, WaitingPolicy::PlanAgain);
        change(&mut request);
        request
    };
    let cases = [
        ("rules that are wrong", ask(wrong, |_| {}), (Code::InvalidArgument, "RULES_WRONG", "text")),
        ("no document", ask(&right, |one| one.document = None), missing("document")),
        ("no reason", ask(&right, |one| one.reason.clear()), missing("reason")),
        ("a long reason", ask(&right, |one| one.reason = "x".repeat(501)), invalid("reason")),
        ("an unknown policy", ask(&right, |one| one.waiting = 9), invalid("waiting")),
        ("an empty text", ask("", |_| {}), missing("text")),
        ("a number too high", ask("version: 4000000000\nname: x", |_| {}), invalid("text")),
        ("no draft", of_draft("d1"), failed("NO_DRAFT")),
    ];
    for (case, request, wanted) in cases {
        assert_refused(case, server.publish(request).await, wanted);
    }
    assert_refused("the first", server.roll_back("").await, failed("NO_VERSION_BEFORE"));
    assert_refused("in force", server.roll_back(&name("rules", 1)).await, failed("IN_FORCE_ALREADY"));
    let nowhere = unknown("VERSION_NOT_FOUND", "version");
    assert_refused("no such version", server.roll_back(&name("rules", 9)).await, nowhere);
    assert_eq!((server.in_force("c1").await, server.versions().await.len()), (1, 1));
    assert_eq!(server.trail().await, trail);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_with_its_line_and_what_means_nothing_here_as_a_warning() {
    let server = Server::start().await;
    let ask = |text: &str| proto::ValidateRequest {
        parent: TENANT.into(),
        document: Some(proto::Document { document: Some(proto::document::Document::Text(text.into())) }),
    };
    let wrong = "name: x\nqueues:\n  sales:\n    priority: 500\n    hops_max: 200\n";
    let told = within("an answer", server.rules().validate(ask(wrong))).await.expect("told").into_inner();
    let places: Vec<(u32, &str)> = told.errors.iter().map(|one| (one.line, one.field.as_str())).collect();
    assert_eq!(places, [(4, "queues.sales.priority"), (5, "queues.sales.hops_max")]);
    assert!(told.errors.iter().all(|one| !one.got.is_empty() && !one.want.is_empty()), "{told:?}");
    let told =
        within("an answer", server.rules().validate(ask(&points(2)))).await.expect("told").into_inner();
    assert_eq!((told.errors_total, told.warnings_total), (0, 1));
    assert!(told.warnings[0].message.contains("the floor has no queue \"sales\""), "{told:?}");
    let draft = proto::ValidateRequest { parent: TENANT.into(), document: None };
    let told = within("an answer", server.rules().validate(draft)).await.expect("told").into_inner();
    assert_eq!((told.errors_total, told.warnings_total), (0, 0), "the draft is what is in force");
}

#[tokio::test]
async fn rolled_back_is_the_old_number_and_the_trail_tells_it_all() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    for figure in [2, 3] {
        server.publish(publication(&points(figure), WaitingPolicy::Keep)).await.expect("right");
    }
    assert_eq!(number(&server.roll_back("").await.expect("the one before")), 2);
    assert_eq!(server.in_force("c1").await, 2);
    let answer = server.roll_back(&name("rules", 1)).await.expect("an older one");
    assert!(
        answer.changes.contains(&"queue sales: priority points 2 → 0, as elsewhere".to_owned()),
        "{answer:?}"
    );
    assert_eq!(server.in_force("c2").await, 1);
    let published = server.publish(publication(&points(9), WaitingPolicy::Keep)).await.expect("right");
    assert_eq!(number(&published), 4, "a number is one text, for ever");
    let done: Vec<(String, String)> =
        server.trail().await.into_iter().rev().map(|row| (row.what, row.subject)).collect();
    let wanted = [
        ("began", "1"),
        ("published", "2"),
        ("published", "3"),
        ("rolled back", "2"),
        ("rolled back", "1"),
        ("published", "4"),
    ];
    assert_eq!(done, wanted.map(|(what, subject)| (what.to_owned(), subject.to_owned())));
    let verdict = server.verify().await;
    assert!(verdict.intact && verdict.rows == 6 && verdict.trouble.is_empty(), "{verdict:?}");
}

async fn with_tokens(folder: &Path, four_eyes: Option<bool>) -> Server {
    let tokens = folder.join("tokens");
    let lines = "0123456789abcdef default supervisor ana\nfedcba9876543210 default supervisor bo\nabcdef0123456789 default agent cy\n";
    std::fs::write(&tokens, lines).expect("written");
    Server::with(Settings { tokens: Some(tokens), four_eyes, ..settings() }).await
}

const ANA: &str = "0123456789abcdef";
const BO: &str = "fedcba9876543210";
const CY: &str = "abcdef0123456789";

#[tokio::test]
async fn with_four_eyes_another_publishes_than_who_wrote_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = with_tokens(folder.path(), Some(true)).await;
    let publish = async |token: &str, request| server.publish(bearing(token, request)).await;
    let write = |token, text: &str, etag: &str| -> Request<_> { bearing(token, draft(text, etag)) };
    let mine = server.rules().update_draft(write(ANA, &points(4), "v1")).await.expect("written").into_inner();
    assert_eq!(mine.author, "ana");
    let same = failed("FOUR_EYES_SAME_PERSON");
    assert_refused("her own", publish(ANA, of_draft(&mine.etag)).await, same);
    let text = publication(&points(4), WaitingPolicy::Keep);
    assert_refused("a text", publish(BO, text).await, failed("FOUR_EYES_DRAFT_ONLY"));
    let denied = (Code::PermissionDenied, "ROLE_INSUFFICIENT", "");
    assert_refused("an agent", publish(CY, of_draft(&mine.etag)).await, denied);
    let version = publish(BO, of_draft(&mine.etag)).await.expect("another").version.expect("a version");
    assert_eq!((version.author.as_str(), version.publisher.as_str()), ("ana", "bo"));
    // Who changed it last is who wrote it.
    let mine = server.rules().update_draft(write(ANA, &points(5), "v2")).await.expect("written").into_inner();
    let bos = write(BO, &points(6), &mine.etag);
    let bos = server.rules().update_draft(bos).await.expect("written").into_inner();
    assert_refused("bo's own now", publish(BO, of_draft(&bos.etag)).await, same);
    publish(ANA, of_draft(&bos.etag)).await.expect("ana has not written this");
}

#[tokio::test]
async fn with_four_eyes_nobody_publishes_whom_nobody_knows() {
    let server = Server::with(Settings { four_eyes: Some(true), ..settings() }).await;
    let mine = server.write(&points(4), "v1").await.expect("a draft is no publication");
    let unknown = failed("FOUR_EYES_UNAUTHENTICATED");
    assert_refused("a draft", server.publish(of_draft(&mine.etag)).await, unknown);
    let text = publication(&points(4), WaitingPolicy::Keep);
    assert_refused("a text", server.publish(text).await, unknown);
    assert_refused("back", server.roll_back(&name("rules", 1)).await, unknown);
}

#[tokio::test]
async fn without_four_eyes_the_trail_still_names_who_did_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = with_tokens(folder.path(), None).await;
    let text = publication(&points(4), WaitingPolicy::Keep);
    server.publish(bearing(ANA, text)).await.expect("her own");
    let request = bearing(BO, proto::ListAuditRequest { parent: TENANT.into(), ..Default::default() });
    let trail = server.rules().list_audit(request).await.expect("a supervisor").into_inner().entries;
    assert_eq!((trail[0].who.as_str(), trail[0].reason.as_str()), ("ana", "a test"));
    let denied = server.rules().list_audit(bearing(CY, proto::ListAuditRequest::default())).await;
    assert_refused("an agent", denied, (Code::PermissionDenied, "ROLE_INSUFFICIENT", ""));
}

fn on(folder: &Path, rules: Option<&Path>) -> Settings {
    let (data, rules) = (Some(folder.join("data")), rules.map(Path::to_owned));
    Settings { data, rules, journal: Some(JournalKind::Sqlite), ..settings() }
}

#[tokio::test]
async fn a_version_in_force_holds_after_a_restart_whatever_the_settings_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("rules.yaml");
    std::fs::write(&file, format!("version: 5\n{}", points(1))).expect("written");
    let server = Server::with(on(folder.path(), Some(&file))).await;
    server.open_floor(&[]).await;
    assert_eq!(server.in_force("c1").await, 5);
    server.publish(publication(&points(2), WaitingPolicy::Keep)).await.expect("right");
    server.write(&points(3), "v6").await.expect("a draft");
    let (trail, versions) = (server.trail().await, server.versions().await);
    server.stop().await.expect("a graceful stop");
    let server = Server::with(on(folder.path(), Some(&file))).await;
    assert_eq!(server.in_force("c2").await, 6, "what was published, not what the settings name");
    assert_eq!((server.trail().await, server.versions().await), (trail, versions));
    assert_eq!(server.draft().await.text, points(3));
    server.stop().await.expect("a graceful stop");
}

#[tokio::test]
async fn rules_this_release_cannot_read_and_a_damaged_rulebook_are_refused_at_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    Server::on(&data).await.stop().await.expect("a graceful stop");
    let path = data.join("tenants/default/rules.db");
    let book = rusqlite::Connection::open(&path).expect("it is there");
    book.execute("UPDATE versions SET text = 'name: x' || char(10) || 'later: thing'", []).expect("changed");
    drop(book);
    let refused = Server::refused_on(&data).await.to_string();
    assert!(refused.contains("version 1 of the rules, which is in force, cannot be read"), "{refused}");
    assert!(refused.contains("baton rules check") && refused.contains("later"), "{refused}");
    for file in ["rules.db-wal", "rules.db-shm"] {
        // There only while somebody has the file open.
        let _ = std::fs::remove_file(path.with_file_name(file));
    }
    std::fs::write(&path, b"SQLite format 3\0 and no more").expect("written");
    let refused = Server::refused_on(&data).await.to_string();
    assert!(refused.contains("rules.db"), "{refused}");
}
