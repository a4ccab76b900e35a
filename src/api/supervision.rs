//! `Supervision`: what happens on the floor, and why.

use super::access::Service;
use super::convert::{cursor, duration_ms, millis, timestamp};
use super::explain::explain;
use super::money::{self, Board};
use super::report::report;
use super::status::ApiError;
use super::supervise;
use super::tenant::{Gate, Tenant, Tenants};
use crate::engine::explain::sentence;
use crate::engine::ids::{AgentKey, InteractionId};
use crate::engine::interaction::Decided;
use crate::engine::shard::Shard;
use crate::engine::skill::Requirement;
use crate::proto;
use crate::proto::supervision_server::Supervision;
use crate::runtime::view::{self, AgentView, QueueView};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// The service.
pub struct Api {
    gate: Gate,
}

impl Api {
    /// The service for all tenants of a server.
    pub fn new(tenants: Tenants) -> Api {
        Api { gate: Gate::new(tenants, Service::Supervision) }
    }
}

/// What one message of the floor is made of.
struct Look {
    queues: Vec<QueueView>,
    agents: Vec<AgentView>,
    decisions: Vec<(InteractionId, Decided, Vec<Requirement>)>,
    board: Board,
    now: crate::engine::time::Time,
}

fn look(shard: &Shard, listed: usize) -> Look {
    let keys = shard.floor().agents.by_name().map(|(key, _)| AgentKey(key));
    let decisions = shard.latest().map(|(id, decided)| {
        let needs = shard.interaction(*id).map(|interaction| interaction.requirements().to_vec());
        (*id, decided.clone(), needs.unwrap_or_default())
    });
    Look {
        queues: view::queues(shard, listed),
        agents: keys.filter_map(|key| view::status(shard, key)).collect(),
        decisions: decisions.collect(),
        board: Board::of(shard),
        now: shard.now(),
    }
}

fn show(tenant: &Tenant, look: &Look, sequence: u64) -> proto::FloorView {
    let floor = tenant.shard.floor();
    let decisions = look.decisions.iter().map(|(id, decided, needs)| proto::DecisionSummary {
        sequence: decided.sequence.0,
        time: Some(timestamp(decided.time)),
        interaction: tenant.name_of("interactions", id),
        agent: decided.agent.map(|agent| tenant.agent_name(agent, &floor)).unwrap_or_default(),
        why: sentence(&decided.decision, decided.agent, needs, &floor),
    });
    proto::FloorView {
        cursor: Some(cursor(sequence, look.now)),
        queues: look.queues.iter().map(|queue| figures(tenant, queue)).collect(),
        agents: look.agents.iter().map(|agent| tenant.show_status(agent)).collect(),
        decisions: decisions.collect(),
        money: Some(money::show(tenant, &look.board)),
    }
}

fn figures(tenant: &Tenant, view: &QueueView) -> proto::QueueFigures {
    let books = &view.books;
    proto::QueueFigures {
        queue: tenant.queue_name(view.queue, &tenant.shard.floor()),
        waiting: view.waiting,
        offered: books.offered,
        handling: books.handling,
        wrapping_up: books.wrapping_up,
        longest_wait: Some(millis(view.longest_wait_ms)),
        entered: books.entered,
        answered: books.answered,
        abandoned: books.abandoned,
        short_abandoned: books.short_abandoned,
        cancelled: books.cancelled,
        answered_in_target: books.answered_in_target,
        closed: books.closed,
        service_level_ppm: books.service_level_ppm(),
        mean_wait: books.mean_wait_ms().map(millis),
        mean_handle_time: books.mean_handle_ms().map(millis),
        offers_accepted: books.offers_accepted,
        offers_declined: books.offers_declined,
        offers_expired: books.offers_expired,
        offers_rescinded: books.offers_rescinded,
        returned: books.returned,
        left_after_answer: books.left_after_answer,
        scheduled: books.scheduled,
        parked: books.parked,
        moved_in: books.moved_in,
        moved_out: books.moved_out,
        transferred_in: books.transferred_in,
        timed_out: books.timed_out,
        sent_away: books.sent_away,
        connects_failed: books.connects_failed,
        connects_assumed: books.connects_assumed,
        windows_missed: books.windows_missed,
        waiting_interactions: view.listed.iter().map(|one| tenant.show_interaction(one)).collect(),
    }
}

#[tonic::async_trait]
impl Supervision for Api {
    type WatchFloorStream = Pin<Box<dyn Stream<Item = Result<proto::FloorView, Status>> + Send>>;

    async fn watch_floor(
        &self,
        request: Request<proto::WatchFloorRequest>,
    ) -> Result<Response<Self::WatchFloorStream>, Status> {
        let (metadata, _, request) = request.into_parts();
        let stream = self.gate.of(&metadata, "parent", &request.parent)?.stream()?;
        let interval = Duration::from_millis(duration_ms("interval", request.interval, 100..=60_000, 1_000)?);
        let listed = usize::try_from(request.waiting_listed).ok().filter(|listed| *listed <= 1_000);
        let listed = listed.ok_or_else(|| {
            ApiError::field("waiting_listed", &request.waiting_listed.to_string(), "0 to 1000")
        })?;
        let (send, out) = mpsc::channel(1);
        tokio::spawn(watch(stream.tenant.clone(), interval, listed, request.messages_max, send));
        Ok(Response::new(Box::pin(stream.telling(ReceiverStream::new(out)))))
    }

    async fn explain(
        &self,
        request: Request<proto::ExplainRequest>,
    ) -> Result<Response<proto::Explanation>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "interaction", &request.interaction)?;
        Ok(Response::new(explain(&tenant, &request).await?))
    }

    async fn report(
        &self,
        request: Request<proto::ReportRequest>,
    ) -> Result<Response<proto::ReportResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(report(&tenant, &request).await?))
    }

    async fn report_trial(
        &self,
        request: Request<proto::ReportTrialRequest>,
    ) -> Result<Response<proto::ReportTrialResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "pool", &request.pool)?;
        Ok(Response::new(money::report_trial(&tenant, &request.pool)?))
    }

    async fn list_waiting(
        &self,
        request: Request<proto::ListWaitingRequest>,
    ) -> Result<Response<proto::ListWaitingResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "queue", &request.queue)?;
        Ok(Response::new(supervise::list_waiting(&tenant, &request).await?))
    }

    async fn assign(
        &self,
        request: Request<proto::AssignRequest>,
    ) -> Result<Response<proto::Interaction>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "interaction", &request.interaction)?;
        Ok(Response::new(supervise::assign(&tenant, &request).await?))
    }

    async fn reprioritise(
        &self,
        request: Request<proto::ReprioritiseRequest>,
    ) -> Result<Response<proto::Interaction>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "interaction", &request.interaction)?;
        Ok(Response::new(supervise::reprioritise(&tenant, &request).await?))
    }

    async fn set_agent_state(
        &self,
        request: Request<proto::SetAgentStateRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "agent", &request.agent)?;
        Ok(Response::new(supervise::set_agent_state(&tenant, &request).await?))
    }
}

/// A message an interval. A reader who is slow gets the next one late, and it is of when the one before was taken.
async fn watch(
    tenant: Arc<Tenant>,
    interval: Duration,
    listed: usize,
    messages_max: u32,
    send: mpsc::Sender<Result<proto::FloorView, Status>>,
) {
    let mut pace = tokio::time::interval(interval);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut sent = 0;
    loop {
        tokio::select! {
            _ = pace.tick() => {}
            () = send.closed() => return,
        }
        // Room before a look: nothing is seen for nobody, and what waits to be read is no older than it must be.
        let Ok(room) = send.reserve().await else { return };
        let seen = tenant.shard.read(move |shard| look(shard, listed)).await;
        let message = match seen {
            Ok(seen) => Ok(show(&tenant, &seen.value, seen.sequence.0)),
            Err(error) => Err(ApiError::from(error).into()),
        };
        let failed = message.is_err();
        sent += 1;
        room.send(message);
        if failed || sent == messages_max {
            return;
        }
    }
}
