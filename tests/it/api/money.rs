//! The floor in money as supervisors see it, and another policy tried on it.

use super::expect::{assert_refused, failed, invalid, missing, unknown};
use super::harness::{Server, TENANT, call_with, name, seconds, within};
use baton::proto::{self, policy::Kind};
use baton::top::tables;
use tokio_stream::StreamExt;
use tonic::Status;

impl Server {
    async fn view(&self) -> proto::FloorView {
        let request = proto::WatchFloorRequest {
            parent: TENANT.into(),
            messages_max: 1,
            ..proto::WatchFloorRequest::default()
        };
        let answer =
            within("the floor", self.supervision().watch_floor(request)).await.expect("it is watched");
        within("a view", answer.into_inner().next()).await.expect("one view").expect("a view")
    }

    async fn try_policy(&self, trial: proto::Trial) -> Result<proto::Pool, Status> {
        let pool = proto::Pool { name: name("pools", "main"), trial: Some(trial), ..proto::Pool::default() };
        let request = proto::UpdatePoolRequest { pool: Some(pool) };
        within("the pool", self.floor().update_pool(request)).await.map(tonic::Response::into_inner)
    }

    async fn trial(&self, pool: &str) -> Result<proto::ReportTrialResponse, Status> {
        let request = proto::ReportTrialRequest { pool: name("pools", pool) };
        within("the trial", self.supervision().report_trial(request)).await.map(tonic::Response::into_inner)
    }
}

fn lists() -> Option<proto::Policy> {
    Some(proto::Policy { kind: Some(Kind::Lists(proto::Lists::default())) })
}

#[tokio::test]
async fn who_waits_costs_something_by_the_minute_and_scarce_skills_have_a_price() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let money = server.view().await.money.expect("the floor in money");
    assert_eq!((money.at_risk.len(), money.held), (0, 0), "nobody waits");
    for id in ["c1", "c2"] {
        let spanish = proto::Requirement { skill: name("skills", "es"), proficiency: 2 };
        let request = call_with(id, |call| call.requirements = vec![spanish]);
        within("a call", server.interactions().submit(request)).await.expect("it is taken");
    }
    let _ana = server.sign_in("ana").await;
    let view = server.view().await;
    let money = view.money.as_ref().expect("the floor in money");
    let [risk] = &money.at_risk[..] else { panic!("one queue has a line: {money:?}") };
    assert_eq!(risk.queue, name("queues", "sales"));
    let relief = risk.per_minute.expect("its costs");
    // One waits, the other rings: a minute at 0.20; of those who wait 5 min in the mean, 18 % hang up in one, at 5 each.
    assert_eq!(relief.waiting, 200_000);
    assert!((850_000..960_000).contains(&relief.hang_up), "{relief:?}");
    let priced = money.prices.iter().find(|one| one.per_minute > 0).expect("a scarce skill");
    assert_eq!((priced.saves_per_hour, priced.on_duty), (priced.per_minute * 60, 1));
    let text: Vec<String> = tables(&view).iter().map(ToString::to_string).collect();
    assert!(text[0].contains("sales") && text[0].contains("0.20"), "{}", text[0]);
}

#[tokio::test]
async fn another_policy_is_tried_and_reported_on() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    assert_refused("none is tried", server.trial("main").await, failed("NO_TRIAL"));
    assert_refused("no such pool", server.trial("elsewhere").await, unknown("POOL_NOT_FOUND", "pool"));
    let pool = server.try_policy(proto::Trial { other: lists(), ..proto::Trial::default() }).await;
    let shown = pool.expect("a trial").trial.expect("it is shown");
    assert_eq!((shown.block, shown.wash_out), (seconds(1_800), seconds(300)), "the usual figures");
    server.call("c1").await;
    let report = server.trial("main").await.expect("it is under way");
    let all = report.all.expect("figures of all");
    assert_eq!((all.cost, all.in_time), (None, None), "one contact says nothing yet");
}

#[tokio::test]
async fn each_wrong_figure_of_a_trial_is_refused_by_name() {
    let server = Server::start().await;
    let good = || proto::Trial { other: lists(), ..proto::Trial::default() };
    let wrong = [
        ("no policy", proto::Trial { other: None, ..good() }, missing("pool.trial.other")),
        ("too short", proto::Trial { block: seconds(299), ..good() }, invalid("pool.trial.block")),
        ("too long", proto::Trial { block: seconds(14_401), ..good() }, invalid("pool.trial.block")),
        (
            "more than half",
            proto::Trial { block: seconds(600), wash_out: seconds(301), ..good() },
            invalid("pool.trial.wash_out"),
        ),
    ];
    for (case, trial, wanted) in wrong {
        assert_refused(case, server.try_policy(trial).await, wanted);
    }
}
