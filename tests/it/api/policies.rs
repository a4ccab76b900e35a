//! How a pool decides: the policy of a pool, what is known of agents, and the terms every decision shows.

use super::expect::{assert_refused, invalid};
use super::harness::{Server, name, within};
use baton::proto;
use baton::proto::lists::{AgentOrder, LineOrder};
use baton::proto::policy::Kind;
use tonic::Status;

impl Server {
    /// Gives the pool `main` a policy.
    pub async fn decide_by(&self, kind: Kind) -> Result<proto::Pool, Status> {
        let policy = Some(proto::Policy { kind: Some(kind) });
        let pool = proto::Pool { name: name("pools", "main"), policy, ..proto::Pool::default() };
        let request = proto::UpdatePoolRequest { pool: Some(pool) };
        within("the pool", self.floor().update_pool(request)).await.map(tonic::Response::into_inner)
    }

    async fn why(&self, interaction: &str) -> proto::Decision {
        let request = proto::ExplainRequest { interaction: interaction.into(), decision: 0 };
        let told = within("the reason", self.supervision().explain(request)).await.expect("it exists");
        told.into_inner().decisions.pop().expect("a decision")
    }
}

fn sum(net: &proto::NetValue) -> i64 {
    net.relief + net.r#match + net.familiar - net.lacking - net.opportunity + net.fairness + net.ringing
}

#[tokio::test]
async fn a_pool_shows_its_policy_and_starts_with_marginal_cost() {
    let server = Server::start().await;
    let request = proto::GetFloorRequest { name: name("pools", "main") };
    let pool = within("the pool", server.floor().get_pool(request)).await.expect("it exists").into_inner();
    let Some(Kind::MarginalCost(figures)) = pool.policy.and_then(|policy| policy.kind) else {
        panic!("a pool that was told nothing decides in money");
    };
    assert_eq!(figures.scarcity, Some(1.0));
    assert!(figures.depletion.is_some_and(|rho| (rho - 0.7).abs() < 1e-4), "{figures:?}");
    let (agents, lines) = (AgentOrder::MostSkilled.into(), LineOrder::Priority.into());
    let listed = Kind::Lists(proto::Lists { agents, lines });
    let pool = server.decide_by(listed).await.expect("lists are a policy");
    assert_eq!(pool.policy.and_then(|policy| policy.kind), Some(listed));
}

#[tokio::test]
async fn each_wrong_figure_of_a_policy_is_refused_by_name() {
    let server = Server::start().await;
    let figures = proto::MarginalCost::default;
    let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    let wrong = [
        ("scarcity", proto::MarginalCost { scarcity: Some(2.1), ..figures() }),
        ("scarcity", proto::MarginalCost { scarcity: Some(f64::NAN), ..figures() }),
        ("depletion", proto::MarginalCost { depletion: Some(0.3), ..figures() }),
        ("fairness_per_second", proto::MarginalCost { fairness_per_second: Some(-0.01), ..figures() }),
        ("match_share", proto::MarginalCost { match_share: Some(1.5), ..figures() }),
        ("horizon", proto::MarginalCost { horizon: seconds(29), ..figures() }),
        ("target_window", proto::MarginalCost { target_window: seconds(0), ..figures() }),
        ("load", proto::MarginalCost { load: Some(f64::INFINITY), ..figures() }),
    ];
    for (field, figures) in wrong {
        let field = format!("pool.policy.marginal_cost.{field}");
        assert_refused(&field, server.decide_by(Kind::MarginalCost(figures)).await, invalid(&field));
    }
    let unknown = proto::Lists { agents: 77, lines: 0 };
    assert_refused(
        "order",
        server.decide_by(Kind::Lists(unknown)).await,
        invalid("pool.policy.lists.agents"),
    );
}

#[tokio::test]
async fn the_net_value_of_a_pair_is_the_sum_of_its_terms() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let (_ana, _bo) = (server.sign_in("ana").await, server.sign_in("bo").await);
    let call = server.call("c1").await;
    let why = server.why(&call).await;
    let relief = why.relief.expect("money decides");
    assert!(relief.waiting > 0 && relief.hang_up > 0 && relief.target > 0, "{relief:?}");
    assert_eq!(why.agents.len(), 2);
    for agent in &why.agents {
        let net = agent.net.as_ref().expect("both could have it");
        assert_eq!(net.net, sum(net));
        assert_eq!(net.relief, relief.waiting + relief.hang_up + relief.target);
    }
    assert_eq!(why.agents[0].net.as_ref().map(|net| net.net), Some(why.score));
    assert!(why.agents[1].net.as_ref().is_some_and(|net| net.net <= why.score));
}
