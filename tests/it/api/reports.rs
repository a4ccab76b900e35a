//! Figures of a period over the API: what was done just now is in them, and a question that makes no sense is refused.

use super::expect::{assert_refused, failed, invalid, missing};
use super::harness::{Server, TENANT, call, name, seconds, within};
use baton::proto::{self, Presence};
use prost_types::Timestamp;
use tonic::{Code, Status};

/// Every journal of these tests lies after this moment, and before `LAST`.
const FIRST: Timestamp = Timestamp { seconds: 1_600_000_000, nanos: 0 };
const LAST: Timestamp = Timestamp { seconds: 10_000_000_000, nanos: 0 };

impl Server {
    async fn report(
        &self,
        change: impl FnOnce(&mut proto::ReportRequest),
    ) -> Result<proto::ReportResponse, Status> {
        let mut request = proto::ReportRequest {
            parent: TENANT.into(),
            from: Some(FIRST),
            to: Some(LAST),
            by_queue: true,
            by_channel: true,
            ..proto::ReportRequest::default()
        };
        change(&mut request);
        within("the report", self.supervision().report(request)).await.map(tonic::Response::into_inner)
    }
}

#[tokio::test]
async fn a_call_that_was_served_is_in_the_figures_of_its_queue_and_of_its_agent() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[("ana", 3)]).await;
    let mut ana = server.sign_in("ana").await;
    server.submit(call("c1")).await.expect("taken");
    let offer = ana.next_offer().await.name;
    let assignment = server.accept(&offer).await.expect("accepted").assignment;
    server.complete(&assignment).await.expect("completed");
    server.present("ana", Presence::OnBreak).await.expect("a break");
    let told = server.report(|request| request.by_agent = true).await.expect("figures");
    let queue = told.rows.iter().find(|row| !row.queue.is_empty()).expect("a row of the queue");
    assert_eq!(queue.channel(), proto::Channel::Voice);
    assert_eq!((queue.entered, queue.answered, queue.abandoned, queue.handled), (1, 1, 0, 1));
    let levels = queue.service_levels.expect("levels");
    assert_eq!(levels.of_answered_ppm, Some(1_000_000));
    let agent = told.rows.iter().find(|row| row.agent == name("agents", "ana")).expect("a row of ana");
    assert_eq!((agent.handled, agent.offers_accepted), (1, 1));
    assert!(agent.time.is_some());
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_period_or_an_interval_that_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::on(folder.path()).await;
    let none = server.report(|request| request.from = None).await;
    assert_refused("no beginning", none, missing("from"));
    let backwards = server.report(|request| request.to = Some(FIRST)).await;
    assert_refused("it ends where it begins", backwards, invalid("to"));
    let short = server.report(|request| request.interval = seconds(1)).await;
    assert_refused("intervals of a second", short, invalid("interval"));
    let many = server.report(|request| request.interval = seconds(60)).await;
    assert_refused("too many rows", many, (Code::ResourceExhausted, "TOO_MANY_ROWS", ""));
    server.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_journal_in_memory_has_no_reports() {
    let server = Server::start().await;
    assert_refused("no folder", server.report(|_| {}).await, failed("NOT_RETAINED"));
}
