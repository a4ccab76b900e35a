//! A back-test over the API: a draft held against what this server has recorded, beside the version in force. Whoever asked
//! may go; where nothing is kept there is nothing to decide again.

use super::expect::{assert_refused, failed, invalid, missing};
use super::harness::{Server, TENANT, within};
use super::house::{House, lived};
use super::publishing::points;
use baton::proto::backtest_response::Event;
use baton::proto::{self, document::Document as Named};
use prost_types::Timestamp;
use tonic::{Code, Status, Streaming};

/// Points 4 against what is recorded from this moment on.
fn question(from: Option<Timestamp>) -> proto::BacktestRequest {
    proto::BacktestRequest {
        parent: TENANT.into(),
        document: Some(proto::Document { document: Some(Named::Text(points(4))) }),
        from_time: from,
        ..proto::BacktestRequest::default()
    }
}

impl Server {
    async fn backtest(
        &self,
        request: proto::BacktestRequest,
    ) -> Result<Streaming<proto::BacktestResponse>, Status> {
        within("a back-test", self.rules().backtest(request)).await.map(tonic::Response::into_inner)
    }
}

/// Everything it says: progress, as it may come, and then the result.
async fn result(mut answers: Streaming<proto::BacktestResponse>) -> proto::BacktestResult {
    let mut last = None;
    while let Some(answer) = within("a message", answers.message()).await.expect("it can be decided again") {
        assert!(last.is_none(), "nothing comes after the result");
        match answer.event.expect("a message says something") {
            Event::Progress(progress) => assert!(progress.done <= progress.total, "{progress:?}"),
            Event::Result(result) => last = Some(result),
        }
    }
    last.expect("the last message is the result")
}

/// A day in short: two are answered, one hangs up, one waits still. The moments the first and the last came.
async fn lived_through(server: &Server) -> [Option<Timestamp>; 2] {
    server.open_floor(&[("ana", 3)]).await;
    let first = server.call("c1").await;
    let began = server.get(&first).await.enter_time;
    let (mut ana, assignment) = server.sign_in_and_accept("ana").await;
    let gone = server.call("c2").await;
    server.call("c3").await;
    server.cancel(&gone).await;
    server.complete(&assignment).await.expect("the work is done");
    let offer = ana.next_offer().await;
    let assignment = server.accept(&offer.name).await.expect("it is open").assignment;
    server.complete(&assignment).await.expect("the work is done");
    server.present("ana", proto::Presence::SignedOut).await.expect("the day is over");
    let last = server.call("c4").await;
    [began, server.get(&last).await.enter_time]
}

#[tokio::test]
async fn a_draft_is_held_against_the_record_and_the_version_in_force_in_three_columns() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    let [began, last] = lived_through(&server).await;
    let told = result(server.backtest(question(began)).await.expect("it begins")).await;
    let row = |telling: &str| {
        let of_all = told.text.lines().skip_while(|line| *line != "in all");
        let found = of_all.map(|line| line.split_whitespace().collect::<Vec<_>>());
        let found = found.into_iter().find(|words| words.contains(&telling));
        found.unwrap_or_else(|| panic!("no row {telling} in\n{}", told.text)).join(" ")
    };
    assert!(row("recorded").contains("recorded 4 2 1"), "entered, answered, hung up\n{}", told.text);
    assert!(row("published").contains("published 4") && row("draft").contains("draft 4"), "{}", told.text);
    assert!(told.text.contains("draft: points 4"), "{}", told.text);
    let json: serde_json::Value = serde_json::from_str(&told.json).expect("the same for programs");
    assert!(json.is_object(), "{json}");
    // Up to the last, so that what is recorded meanwhile changes nothing.
    let up_to = proto::BacktestRequest { to_time: last, ..question(began) };
    let once = result(server.backtest(up_to.clone()).await.expect("it begins")).await;
    let twice = result(server.backtest(up_to).await.expect("it begins")).await;
    assert_eq!(once, twice, "the same seed, the same result");
    server.stop().await.expect("a graceful stop");
}

#[tokio::test]
async fn whoever_asked_may_go_and_the_next_is_answered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    let [began, _] = lived_through(&server).await;
    for _ in 0..20 {
        drop(server.backtest(question(began)).await.expect("it begins"));
    }
    let told =
        result(server.backtest(question(began)).await.expect("one at a time, and it is its turn")).await;
    assert!(!told.text.is_empty());
    server.call("c5").await;
    server.stop().await.expect("a graceful stop");
}

#[tokio::test]
async fn what_cannot_be_decided_again_is_refused_with_its_reason() {
    let began = Some(Timestamp { seconds: 1_000_000_000, nanos: 0 });
    let in_memory = Server::start().await;
    in_memory.open_floor(&[]).await;
    in_memory.call("c1").await;
    assert_refused("in memory", in_memory.backtest(question(began)).await, failed("NOT_RETAINED"));

    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    let [began, _] = lived_through(&server).await;
    let asked = question(began);
    let wrong = Some(proto::Document { document: Some(Named::Text("queue: {}".into())) });
    let cases = [
        ("no beginning", question(None), missing("from_time")),
        (
            "too many told",
            proto::BacktestRequest { changed_max: 1_001, ..asked.clone() },
            invalid("changed_max"),
        ),
        (
            "rules that are wrong",
            proto::BacktestRequest { document: wrong, ..asked.clone() },
            (Code::InvalidArgument, "RULES_WRONG", "document"),
        ),
    ];
    for (case, request, wanted) in cases {
        assert_refused(case, server.backtest(request).await, wanted);
    }
    let early = Some(Timestamp { seconds: 1, nanos: 0 });
    let later = [
        ("an empty period", proto::BacktestRequest { to_time: began, ..asked }, "PERIOD_EMPTY"),
        ("before the record", question(early), "NOT_RETAINED"),
    ];
    for (case, request, reason) in later {
        let mut answers = server.backtest(request).await.expect("it begins");
        let refusal = within("a refusal", answers.message()).await;
        let code = if reason == "PERIOD_EMPTY" { Code::InvalidArgument } else { Code::FailedPrecondition };
        assert_refused(case, refusal, (code, reason, ""));
    }
    server.stop().await.expect("a graceful stop");
}

#[tokio::test]
async fn a_period_that_is_kept_is_decided_again_though_what_was_before_is_gone() {
    let house = lived(House::full()).await;
    std::fs::remove_dir_all(house.dir().join("archive")).expect("it can be let go");
    let server = Server::on(house.data.path()).await;
    let early = Some(Timestamp { seconds: 1, nanos: 0 });
    let mut answers = server.backtest(question(early)).await.expect("it begins");
    let refusal = within("a refusal", answers.message()).await.expect_err("it is gone");
    let message = refusal.message().to_owned();
    assert_refused("before what is kept", Err::<(), _>(refusal), failed("NOT_RETAINED"));
    let kept = message.split("kept from ").nth(1).and_then(|rest| rest.split(' ').next());
    let kept: jiff::Timestamp = kept.expect("it says from when on").parse().expect("a moment");
    let from = Some(Timestamp { seconds: kept.as_second(), nanos: kept.subsec_nanosecond() });
    let told = result(server.backtest(question(from)).await.expect("it begins")).await;
    assert!(told.text.contains("the first events are not kept any more"), "{}", told.text);
    let result: serde_json::Value = serde_json::from_str(&told.json).expect("the same for programs");
    let (recorded, published) = (&result["all"]["recorded"], &result["all"]["published"]);
    assert!(
        recorded["entered"].as_u64().expect("a count") >= 4,
        "those behind the older of two snapshots: {recorded}"
    );
    assert_eq!(recorded["entered"], published["entered"]);
    server.stop().await.expect("a graceful stop");
}
