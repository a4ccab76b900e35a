//! A version beside the one in force: a shadow that is compared, a canary that plans its share, and one that is taken back
//! by itself.

use super::expect::{assert_refused, invalid, missing};
use super::harness::{Server, TENANT, call, call_with, name, within};
use baton::proto::figure_bound::Figure;
use baton::proto::run_beside_request::Document;
use baton::proto::{self, Beside, FigureBound, RunBesideRequest};
use tempfile::TempDir;
use tonic::{Code, Status};

/// Calls about loans go to another queue.
const LOANS: &str = "name: loans apart
rules:
  - { name: loans, when: interaction.intent == 'loan', then: { queue: service, tags: [loan] } }
fallback: { queue: sales }
";

impl Server {
    async fn with_two_queues() -> Server {
        let server = Server::start().await;
        server.open_floor(&[]).await;
        server.add_queue("service", proto::Queue::default()).await;
        server
    }

    async fn run_beside(&self, share_ppm: u32, bound: Option<FigureBound>) -> Result<Beside, Status> {
        self.run_text_beside(LOANS, share_ppm, bound).await
    }

    async fn run_text_beside(
        &self,
        text: &str,
        share_ppm: u32,
        bound: Option<FigureBound>,
    ) -> Result<Beside, Status> {
        let document = Some(Document::Text(text.into()));
        let (parent, reason) = (TENANT.to_owned(), "to see".to_owned());
        let request = RunBesideRequest { parent, document, share_ppm, bound, reason };
        within("it runs", self.rules().run_beside(request)).await.map(tonic::Response::into_inner)
    }

    async fn beside(&self) -> Result<Beside, Status> {
        let request = proto::GetBesideRequest { parent: TENANT.to_owned() };
        within("what runs", self.rules().get_beside(request)).await.map(tonic::Response::into_inner)
    }

    async fn loan(&self, id: &str) -> proto::Interaction {
        let submitted = self.submit(call_with(id, |one| one.intent = "loan".into())).await.expect("taken");
        submitted.interaction.expect("an interaction")
    }

    async fn rules_in_force(&self) -> u32 {
        self.submit(call("who")).await.expect("taken").interaction.expect("an interaction").rule_set_version
    }
}

/// What came of it, as soon as so many were compared.
async fn compared(server: &Server, wanted: u64) -> proto::ShadowComparison {
    let told = async {
        loop {
            let comparison = server.beside().await.expect("it runs").comparison.expect("a shadow");
            if comparison.planned >= wanted {
                return comparison;
            }
            tokio::task::yield_now().await;
        }
    };
    within("the comparison", told).await
}

#[tokio::test]
async fn a_shadow_is_compared_and_nobody_acts_on_it() {
    let server = Server::with_two_queues().await;
    let began = server.run_beside(0, None).await.expect("it begins");
    let version = began.version.expect("it has a number").number;
    let loan = server.loan("c1").await;
    assert_eq!(loan.queue, name("queues", "sales"), "the version in force plans it");
    server.call("c2").await;
    let comparison = compared(&server, 2).await;
    assert_eq!((comparison.planned, comparison.same), (2, 1));
    let newest = &comparison.newest[0];
    assert_eq!((newest.external_id.as_str(), newest.shadow_queue.as_str()), ("c1", "service"));
    assert_eq!(newest.what, ["queue", "overflow", "what agents read"], "overflow has the way back");
    assert_ne!(server.rules_in_force().await, version);
}

#[tokio::test]
async fn a_canary_plans_its_share_and_a_repetition_is_answered_the_same() {
    let server = Server::with_two_queues().await;
    let version =
        server.run_beside(500_000, None).await.expect("it begins").version.expect("a number").number;
    let mut planned = 0;
    for number in 0..40 {
        let id = format!("c{number}");
        let (first, again) = (server.loan(&id).await, server.loan(&id).await);
        assert_eq!(first.name, again.name);
        let by_canary = first.rule_set_version == version;
        let queue = if by_canary { "service" } else { "sales" };
        assert_eq!(first.queue, name("queues", queue));
        planned += u32::from(by_canary);
    }
    // Of 40 by a fair coin that is keyed anew for each server: outside this once in ten million servers.
    assert!((4..=36).contains(&planned), "{planned}");
    let told = server.beside().await.expect("it runs");
    assert_eq!(told.own.expect("fates").entered, u64::from(planned));
    assert_eq!(told.in_force.expect("fates").entered, u64::from(40 - planned));
}

#[tokio::test]
async fn a_canary_beyond_its_bound_is_taken_back_by_itself_and_the_trail_says_so() {
    let server = Server::with_two_queues().await;
    let bound =
        FigureBound { figure: Figure::Abandoned.into(), at_ppm: 1, after: 1, ..FigureBound::default() };
    let every_abandon = format!("{LOANS}default: {{ goals: {{ short_abandon: 0s }} }}\n");
    server.run_text_beside(&every_abandon, 500_000, Some(bound)).await.expect("it begins");
    let taken_back = async {
        for number in 0.. {
            let one = server.loan(&format!("c{number}")).await;
            server.cancel(&one.name).await;
            if server.beside().await.is_err() {
                return;
            }
        }
    };
    within("the end of the canary", taken_back).await;
    let refused = server.beside().await.expect_err("nothing runs");
    assert_eq!(refused.code(), Code::NotFound);
    let request = proto::ListAuditRequest { parent: TENANT.to_owned(), ..Default::default() };
    let trail = server.rules().list_audit(request).await.expect("listed").into_inner();
    let newest = &trail.entries[0];
    assert_eq!((newest.what.as_str(), newest.who.as_str()), ("ended beside", "server"));
    assert!(newest.detail.starts_with("abandoned of "), "{}", newest.detail);
}

#[tokio::test]
async fn what_ran_beside_goes_on_after_a_restart_and_publishing_ends_it() {
    let folder = TempDir::new().expect("a folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[]).await;
    server.add_queue("service", proto::Queue::default()).await;
    let version =
        server.run_beside(250_000, None).await.expect("it begins").version.expect("a number").number;
    server.stop().await.expect("it stops");
    let server = Server::on(folder.path()).await;
    let again = async {
        loop {
            if let Ok(told) = server.beside().await {
                return told;
            }
            tokio::task::yield_now().await;
        }
    };
    let told = within("it goes on", again).await;
    assert_eq!((told.share_ppm, told.version.expect("a number").number), (250_000, version));
    let request = proto::RollbackRequest {
        parent: TENANT.to_owned(),
        version: name("rules", version),
        reason: "it does what it should".into(),
        ..Default::default()
    };
    server.rules().rollback(request).await.expect("in force");
    assert_eq!(server.rules_in_force().await, version);
    assert_eq!(server.beside().await.expect_err("nothing runs").code(), Code::NotFound);
}

#[tokio::test]
async fn shares_and_bounds_that_make_no_sense_are_refused_by_name() {
    let server = Server::with_two_queues().await;
    assert_refused("too much", server.run_beside(500_001, None).await, invalid("share_ppm"));
    let level =
        |at_ppm| FigureBound { figure: Figure::ServiceLevel.into(), at_ppm, ..FigureBound::default() };
    assert_refused("in shadow", server.run_beside(0, Some(level(1))).await, invalid("bound"));
    assert_refused("no share", server.run_beside(1, Some(level(0))).await, invalid("bound.at_ppm"));
    let none = FigureBound::default();
    assert_refused("no figure", server.run_beside(1, Some(none)).await, missing("bound.figure"));
    assert_eq!(server.beside().await.expect_err("nothing runs").code(), Code::NotFound);
}
