//! `Interactions`: from every channel in, and what became of them out.

use super::access::Service;
use super::convert::{duration_ms, page_size, real, text};
use super::in_hand::Counted;
use super::intake::{self, Again};
use super::names::{chosen_id, shown};
use super::planning_again::plan_one_again;
use super::platform;
use super::resuming::{has_happened, resume_after};
use super::route;
use super::status::{ApiError, FALLBACK_MAX};
use super::tenant::{Gate, Tenant, Tenants};
use super::watch;
use super::whose::Late;
use crate::engine::command::{Answer, Command, Refusal};
use crate::engine::ids::{CustomerId, InteractionId, Text};
use crate::engine::interaction::Interaction;
use crate::engine::plan::Plan;
use crate::proto;
use crate::proto::interactions_server::Interactions;
use crate::runtime::inbox::{AskError, Seen};
use crate::runtime::leases::LEASE;
use crate::runtime::told::{self, Look, Shown};
use crate::runtime::view::{self, InteractionView};
use crate::runtime::watchers::{Watch, Watched};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status, Streaming};

/// Longest wait for a route, ms of real time.
const MAX_WAIT_MS: u64 = 600_000;
/// Changes of one interaction that may wait for a reader.
pub const WATCH_FEED_MAX: usize = 64;
/// A late customer is waited for no longer than this.
const LATE_MAX: Duration = Duration::from_secs(30);
/// The revision of a plan that nothing has happened to.
const AS_ADMITTED: u32 = 0;

/// The service.
pub struct Api {
    gate: Gate,
}

impl Api {
    /// The service for all tenants of a server.
    pub fn new(tenants: Tenants) -> Api {
        Api { gate: Gate::new(tenants, Service::Interactions) }
    }

    async fn submit(
        &self,
        metadata: &MetadataMap,
        request: &proto::SubmitRequest,
    ) -> Result<proto::SubmitResponse, ApiError> {
        let tenant = self.gate.of_patient(metadata, "parent", &request.parent)?;
        text("fallback", &request.fallback, FALLBACK_MAX)?;
        let max_wait = max_wait(request.max_wait)?;
        let identity = intake::identity(&tenant, request)?;
        let (id, repeated, shown) = match intake::prepare(&tenant, request, &identity).await {
            Ok(prepared) => admitted(admit(&tenant, prepared, Look::Submitted).await?),
            // What was planned the first time may be impossible now; a repetition is still answered as the first was.
            Err(error) => (repeats(&tenant, &identity).await?.ok_or(error)?, true, Shown::Nothing),
        };
        let view = match shown {
            // It was looked at when it came in, and nobody is to be waited for.
            Shown::Interaction(view) if max_wait.is_zero() => view.map(|view| *view),
            _ => settled(&tenant, id, max_wait).await?,
        };
        let sequence = view.as_ref().map_or(0, |view| view.sequence.0);
        let attached = view.as_ref().is_some_and(|view| joined(&view.interaction, request));
        let interaction = view.map(|view| tenant.show_interaction(&view)).unwrap_or_else(|| {
            proto::Interaction { name: tenant.name_of("interactions", id), ..proto::Interaction::default() }
        });
        Ok(proto::SubmitResponse {
            interaction: Some(interaction),
            fallback: request.fallback.clone(),
            repeated,
            sequence,
            attached,
        })
    }

    async fn wait(
        &self,
        metadata: &MetadataMap,
        request: &proto::WaitRequest,
    ) -> Result<proto::WaitResponse, ApiError> {
        let tenant = self.gate.of_patient(metadata, "name", &request.name)?;
        let id = InteractionId(tenant.number("name", &request.name, "interactions")?);
        text("fallback", &request.fallback, FALLBACK_MAX)?;
        let view = settled(&tenant, id, max_wait(request.max_wait)?).await?;
        let view = view.ok_or(not_retained(&tenant, id).await)?;
        Ok(proto::WaitResponse {
            interaction: Some(tenant.show_interaction(&view)),
            fallback: request.fallback.clone(),
            sequence: view.sequence.0,
        })
    }

    async fn list_open(
        &self,
        metadata: &MetadataMap,
        request: &proto::ListOpenRequest,
    ) -> Result<proto::ListOpenResponse, ApiError> {
        let tenant = self.gate.of(metadata, "parent", &request.parent)?;
        let source: Text = chosen_id("source", &request.source)?.into();
        let size = page_size("page_size", request.page_size, 100, 1_000)?;
        let after: u64 = match request.page_token.as_str() {
            "" => 0,
            token => token.parse().map_err(|_| {
                ApiError::field("page_token", &shown(token), "the next_page_token of an earlier answer")
            })?,
        };
        let seen = tenant
            .shard
            .read(move |shard| {
                let Some(known) = shard.sources().get(&source) else { return Vec::new() };
                let next = InteractionId(after.saturating_add(1));
                let page = known.open.from(&next).take(size + 1);
                page.filter_map(|id| view::interaction(shard, *id)).collect()
            })
            .await?;
        let views: Vec<InteractionView> = seen.value;
        let more = views.len() > size;
        let next =
            views.iter().take(size).next_back().filter(|_| more).map(|view| view.interaction.id.to_string());
        Ok(proto::ListOpenResponse {
            interactions: views.iter().take(size).map(|view| tenant.show_interaction(view)).collect(),
            next_page_token: next.unwrap_or_default(),
            sequence: seen.sequence.0,
        })
    }
}

/// Whether a request was for a contact that is served with this interaction.
fn joined(interaction: &Interaction, request: &proto::SubmitRequest) -> bool {
    let Some(asked) = &request.interaction else { return false };
    let (source, external_id) = (asked.source.as_str(), asked.external_id.as_str());
    let own = &*interaction.source == source && &*interaction.external_id == external_id;
    let attached = interaction.attached().iter();
    !own && attached.map(|one| (&*one.source, &*one.external_id)).any(|one| one == (source, external_id))
}

/// Hands a prepared interaction in, with a look at what that left.
pub async fn admit(
    tenant: &Arc<Tenant>,
    prepared: intake::Prepared,
    look: Look,
) -> Result<(Seen<Answer>, Shown), ApiError> {
    let plan = prepared.late.as_ref().map(|_| prepared.submit.plan.clone());
    let command = Command::Submit(Box::new(prepared.submit));
    let (seen, shown) = tenant.shard.ask_and_look(command, Some(prepared.secret), look).await?;
    // A repetition has its own already, and what was attached to another is served with that one's plan.
    let late = prepared.late.filter(|_| matches!(seen.value, Answer::Admitted { repeated: false, .. }));
    if let (Some((late, again)), Some(interaction), Some(plan)) = (late, told::submitted(&seen.value), plan) {
        tokio::spawn(know_late(tenant.clone(), interaction, late, again, plan));
    }
    Ok((seen, shown))
}

fn admitted((seen, shown): (Seen<Answer>, Shown)) -> (InteractionId, bool, Shown) {
    let interaction = told::submitted(&seen.value).expect("a submit is answered with its interaction");
    (interaction, matches!(seen.value, Answer::Admitted { repeated: true, .. }), shown)
}

/// Attaches what was known too late for the admission, and plans again by it, unless somebody was faster.
async fn know_late(
    tenant: Arc<Tenant>,
    interaction: InteractionId,
    late: Late,
    again: Again,
    plan: Arc<Plan>,
) {
    let Ok(Some(recalled)) = tokio::time::timeout(LATE_MAX, late).await else { return };
    let known = recalled.known(&tenant, again.matter(), Some(interaction.0));
    let (customer, journey) = (CustomerId(known.customer.0), known.journey.clone());
    let command = Command::Identify { interaction, customer, journey };
    // Gone from memory, or the server stops: the history then lacks this one contact.
    if tenant.shard.ask(command, None).await.is_err() {
        return crate::observe::customer_late("never_attached");
    }
    let Some((plan, circumstances)) = again.plan(&tenant, &known, &plan) else { return };
    let command = Command::Replan { interaction, plan, replaces: AS_ADMITTED, circumstances };
    let planned = match tenant.shard.ask(command, None).await {
        // Other rules were published meanwhile, and planned it without knowing.
        Err(AskError::Refused(Refusal::PlanOvertaken { .. })) => plan_one_again(&tenant, interaction).await,
        other => other.is_ok(),
    };
    // Refused where it was offered meanwhile: that stands.
    if !planned {
        crate::observe::customer_late("never_planned_again");
    }
}

/// The interaction an earlier request with the same ids and content was answered with.
pub async fn repeats(
    tenant: &Tenant,
    identity: &intake::Identity,
) -> Result<Option<InteractionId>, ApiError> {
    let (keys, content) = (identity.keys, identity.content);
    Ok(tenant.shard.read(move |shard| shard.repeats(keys, content)).await?.value?)
}

fn max_wait(asked: Option<prost_types::Duration>) -> Result<Duration, ApiError> {
    Ok(Duration::from_millis(duration_ms("max_wait", asked, 0..=MAX_WAIT_MS, 0)?))
}

/// An interaction as it is now, if there is a record of it.
pub async fn look(tenant: &Tenant, id: InteractionId) -> Result<Option<InteractionView>, ApiError> {
    Ok(tenant.shard.read(move |shard| view::interaction(shard, id)).await?.value)
}

/// The interaction once an agent has accepted it, it is over, or the time has passed. `None` if it has no record.
async fn settled(
    tenant: &Tenant,
    id: InteractionId,
    max_wait: Duration,
) -> Result<Option<InteractionView>, ApiError> {
    if max_wait.is_zero() {
        return look(tenant, id).await;
    }
    let (feed, mut changes) = mpsc::channel(WATCH_FEED_MAX);
    tenant.shard.watch(id, Watch::Once, feed)?;
    let settles = async {
        while let Some(Watched::Now(changed)) = changes.recv().await {
            let view = changed.view;
            if !view.interaction.state.is_unanswered() {
                return Some(*view);
            }
        }
        None
    };
    match tokio::time::timeout(max_wait, settles).await {
        Ok(Some(view)) => Ok(Some(view)),
        Ok(None) | Err(_) => look(tenant, id).await,
    }
}

/// There is no record of it: it never was, or it was over too long ago.
pub async fn not_retained(tenant: &Tenant, id: InteractionId) -> ApiError {
    let last = tenant.shard.read(|shard| shard.last_interaction()).await;
    no_record(id, last.map_or(InteractionId(0), |last| last.value))
}

/// The same, with the last interaction there ever was.
pub fn no_record(id: InteractionId, last: InteractionId) -> ApiError {
    if id <= last {
        let message = "the interaction was over long ago and its record is no longer in memory";
        return ApiError::new(Code::NotFound, "NOT_RETAINED", message).blaming("name");
    }
    ApiError::not_found("name", "INTERACTION_NOT_FOUND", &format!("interaction {id}"))
}

#[tonic::async_trait]
impl Interactions for Api {
    async fn submit(
        &self,
        request: Request<proto::SubmitRequest>,
    ) -> Result<Response<proto::SubmitResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let answer = Api::submit(self, &metadata, &request).await;
        answer.map(Response::new).map_err(|error| error.with_fallback(&request.fallback).into())
    }

    async fn get(
        &self,
        request: Request<proto::GetInteractionRequest>,
    ) -> Result<Response<proto::Interaction>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        let id = InteractionId(tenant.number("name", &request.name, "interactions")?);
        Ok(Response::new(platform::now(&tenant, id).await?))
    }

    type WatchStream = std::pin::Pin<
        Box<dyn tokio_stream::Stream<Item = Result<proto::WatchInteractionResponse, Status>> + Send>,
    >;

    async fn watch(
        &self,
        request: Request<proto::WatchInteractionRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let (metadata, _, request) = request.into_parts();
        let stream = self.gate.of(&metadata, "name", &request.name)?.stream()?;
        let tenant = stream.tenant.clone();
        let id = InteractionId(tenant.number("name", &request.name, "interactions")?);
        let after = resume_after(request.resume_after.as_ref())?;
        let seen = tenant.shard.read(move |shard| shard.interaction(id).is_some());
        let seen = seen.await.map_err(ApiError::from)?;
        if !seen.value {
            return Err(not_retained(&tenant, id).await.into());
        }
        has_happened(after, seen.sequence)?;
        let (feed, changes) = mpsc::channel(WATCH_FEED_MAX);
        tenant.shard.watch(id, Watch::Stream(after), feed).map_err(ApiError::from)?;
        let (send, out) = mpsc::channel(1);
        tokio::spawn(watch::pass_on(tenant, changes, send));
        Ok(Response::new(Box::pin(stream.telling(ReceiverStream::new(out)))))
    }

    async fn wait(
        &self,
        request: Request<proto::WaitRequest>,
    ) -> Result<Response<proto::WaitResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let answer = Api::wait(self, &metadata, &request).await;
        answer.map(Response::new).map_err(|error| error.with_fallback(&request.fallback).into())
    }

    async fn cancel(
        &self,
        request: Request<proto::CancelRequest>,
    ) -> Result<Response<proto::Interaction>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        let id = InteractionId(tenant.number("name", &request.name, "interactions")?);
        platform::ask(&tenant, id, platform::cancel(id, request.cause)?, None).await?;
        Ok(Response::new(platform::now(&tenant, id).await?))
    }

    async fn list_open(
        &self,
        request: Request<proto::ListOpenRequest>,
    ) -> Result<Response<proto::ListOpenResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        Ok(Response::new(Api::list_open(self, &metadata, &request).await?))
    }

    async fn estimate(
        &self,
        request: Request<proto::EstimateRequest>,
    ) -> Result<Response<proto::EstimateResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(super::estimate::estimate(&tenant, &request).await?))
    }

    async fn heartbeat(
        &self,
        request: Request<proto::SourceHeartbeatRequest>,
    ) -> Result<Response<proto::SourceHeartbeatResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let source: Text = chosen_id("source", &request.source)?.into();
        let opened = tenant.leases.renew_source(&source, LEASE);
        if opened
            && let Err(error) = tenant.shard.ask(Command::OpenSource { source: source.clone() }, None).await
        {
            // Without a session there is no lease: the next call tries again.
            tenant.leases.drop_source(&source);
            return Err(ApiError::from(error).into());
        }
        Ok(Response::new(proto::SourceHeartbeatResponse { lease: Some(real(LEASE)), opened }))
    }

    async fn update(
        &self,
        request: Request<proto::UpdateInteractionRequest>,
    ) -> Result<Response<proto::Interaction>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(platform::update(&tenant, &request).await?))
    }

    async fn connected(
        &self,
        request: Request<proto::ConnectedRequest>,
    ) -> Result<Response<proto::Interaction>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(platform::connected(&tenant, &request).await?))
    }

    async fn connect_failed(
        &self,
        request: Request<proto::ConnectFailedRequest>,
    ) -> Result<Response<proto::Interaction>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(platform::connect_failed(&tenant, &request).await?))
    }

    type RouteStream = Counted<route::Answers>;

    async fn route(
        &self,
        request: Request<Streaming<proto::RouteRequest>>,
    ) -> Result<Response<Self::RouteStream>, Status> {
        let (metadata, _, requests) = request.into_parts();
        let stream = self.gate.caller(&metadata)?.stream()?;
        let answers = route::Answers::open(stream.tenant.clone(), requests)?;
        Ok(Response::new(stream.telling(answers)))
    }

    async fn transfer(
        &self,
        request: Request<proto::TransferInteractionRequest>,
    ) -> Result<Response<proto::Interaction>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(platform::transfer(&tenant, &request).await?))
    }

    async fn requeue(
        &self,
        request: Request<proto::RequeueInteractionRequest>,
    ) -> Result<Response<proto::Interaction>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(platform::requeue(&tenant, &request).await?))
    }

    async fn request_callback(
        &self,
        request: Request<proto::RequestCallbackRequest>,
    ) -> Result<Response<proto::RequestCallbackResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(platform::request_callback(&tenant, &request).await?))
    }
}
