//! `Customers`: who contacts us, and everything that happened, on every channel.

use super::access::Service;
use super::card::{gone, show_customer, show_entry};
use super::convert::{channel, moment, page_size};
use super::erase;
use super::intake::parse_address;
use super::names::shown;
use super::promises;
use super::status::ApiError;
use super::tenant::{Gate, Tenant, Tenants};
use crate::customers::{
    Customer, CustomerId, DisplayName, EntryKind, InputError, NewEntry, Position, Recording, RequestId,
    StoreFault,
};
use crate::engine::time::Time;
use crate::proto;
use crate::proto::customers_server::Customers;
use tokio::sync::oneshot;
use tonic::{Request, Response, Status};

/// How far ahead of ours the clock of whoever records an event may be, ms.
const AHEAD_MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// The service.
pub struct Api {
    gate: Gate,
    /// For whoever may erase.
    erase: Gate,
}

/// Asks the store and waits for its answer.
pub async fn asked<T: Send + 'static>(
    ask: impl FnOnce(Box<dyn FnOnce(Result<T, StoreFault>) + Send>),
) -> Result<T, ApiError> {
    let (reply, answer) = oneshot::channel();
    ask(Box::new(move |result| {
        // Whoever asked may have gone.
        let _ = reply.send(result);
    }));
    Ok(answer.await.map_err(|_| gone())??)
}

impl Api {
    /// The service for all tenants of a server.
    pub fn new(tenants: Tenants) -> Api {
        let erase = Gate::new(tenants.clone(), Service::Erase);
        Api { gate: Gate::new(tenants, Service::Customers), erase }
    }
}

/// Engine time, as the store counts it.
pub fn now_ms(tenant: &Tenant) -> i64 {
    i64::try_from(tenant.clock.now().0).expect("engine time is far below 2^63 ms")
}

/// There is no such customer.
pub fn not_found(id: CustomerId) -> ApiError {
    ApiError::not_found("parent", "CUSTOMER_NOT_FOUND", &format!("customer {id}"))
}

/// What is wrong with a text.
pub fn input(field: &'static str) -> impl Fn(InputError) -> ApiError {
    move |error| match error {
        InputError::TooLong { field, chars, chars_max } => {
            ApiError::field(field, &format!("{chars} characters"), &format!("at most {chars_max}"))
        }
        InputError::Empty { field, chars_max } => {
            ApiError::missing(field, &format!("1 to {chars_max} characters"))
        }
        InputError::TooMany { field, count, max } => {
            ApiError::field(field, &format!("{count} entries"), &format!("at most {max}"))
        }
        InputError::Twice { field, got } => ApiError::field(field, &shown(&got), "each once"),
        InputError::ContactKind => ApiError::field(field, "CONTACT", &InputError::ContactKind.to_string()),
    }
}

fn new_entry(entry: &proto::HistoryEntry, now: Time) -> Result<NewEntry, ApiError> {
    let kind = u8::try_from(entry.kind).ok().and_then(EntryKind::from_code).ok_or_else(|| {
        let wanted = "2 VISIT, 3 PURCHASE, 4 MESSAGE, 5 NOTE or 6 FEEDBACK";
        ApiError::field("entry.kind", &entry.kind.to_string(), wanted)
    })?;
    let code = match entry.channel {
        0 => 0,
        code => channel("entry.channel", code)? as u8,
    };
    let time = entry.time.map(|time| moment("entry.time", time)).transpose()?;
    // What has not happened would stand above everything that has. Clocks of others may be a little ahead.
    if let Some(ahead) = time.filter(|time| time.since(now) > AHEAD_MAX_MS) {
        let got = format!("{} ms after now", ahead.since(now));
        return Err(ApiError::field("entry.time", &got, &format!("at most {AHEAD_MAX_MS} ms after now")));
    }
    let time_ms = time.map(|time| i64::try_from(time.0).expect("moments end with the year 9999"));
    NewEntry::new(kind, time_ms, code, &entry.summary, &entry.text).map_err(input("entry.kind"))
}

#[tonic::async_trait]
impl Customers for Api {
    async fn resolve(
        &self,
        request: Request<proto::ResolveRequest>,
    ) -> Result<Response<proto::ResolveResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let address = request.address.as_ref().ok_or_else(|| ApiError::missing("address", "an address"))?;
        let address = parse_address("address", address)?;
        let name = (!request.display_name.is_empty())
            .then(|| DisplayName::parse(&request.display_name).map_err(input("display_name")))
            .transpose()?;
        let now = now_ms(&tenant);
        let (recents, named) = (tenant.recents.clone(), name.is_some());
        let resolved = asked(|reply| {
            tenant.customers.resolve(address, name, now, move |resolved| {
                // A customer without a name may have one now.
                if let (true, Ok(resolved)) = (named, &resolved) {
                    recents.forget(resolved.customer);
                }
                reply(resolved);
            });
        });
        let resolved = resolved.await?;
        let customer = profile(&tenant, resolved.customer).await?;
        Ok(Response::new(proto::ResolveResponse {
            customer: Some(show_customer(&tenant, &customer)),
            created: resolved.created,
        }))
    }

    async fn list_history(
        &self,
        request: Request<proto::ListHistoryRequest>,
    ) -> Result<Response<proto::ListHistoryResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let id = CustomerId(tenant.number("parent", &request.parent, "customers")?);
        let size = page_size("page_size", request.page_size, 50, 500)?;
        let after = match request.page_token.as_str() {
            "" => None,
            token => Some(Position::from_token(token).ok_or_else(|| {
                ApiError::field("page_token", &shown(token), "the next_page_token of an earlier answer")
            })?),
        };
        // What was answered OK is in the history that is asked for next.
        let committed = tenant.shard.read(|_| ()).await.map_err(ApiError::from)?.sequence;
        asked(|reply| tenant.customers.wait_applied(committed.0, reply)).await?;
        let customer = profile(&tenant, id).await?;
        let page = asked(|reply| tenant.customers.history(id, after, size, reply)).await?;
        let page = page.ok_or_else(|| not_found(id))?;
        Ok(Response::new(proto::ListHistoryResponse {
            entries: page.entries.iter().map(|entry| show_entry(&tenant, customer.id, entry)).collect(),
            next_page_token: page.next.map(Position::token).unwrap_or_default(),
        }))
    }

    async fn make_promise(
        &self,
        request: Request<proto::MakePromiseRequest>,
    ) -> Result<Response<proto::Promise>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(promises::make(&tenant, &request).await?))
    }

    async fn redeem_promise(
        &self,
        request: Request<proto::RedeemPromiseRequest>,
    ) -> Result<Response<proto::Promise>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(promises::redeem(&tenant, &request).await?))
    }

    async fn list_promises(
        &self,
        request: Request<proto::ListPromisesRequest>,
    ) -> Result<Response<proto::ListPromisesResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(promises::list(&tenant, &request).await?))
    }

    async fn erase(
        &self,
        request: Request<proto::EraseRequest>,
    ) -> Result<Response<proto::EraseResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.erase.of(&metadata, "name", &request.name)?;
        Ok(Response::new(erase::erase(&tenant, &request).await?))
    }

    async fn record_event(
        &self,
        request: Request<proto::RecordEventRequest>,
    ) -> Result<Response<proto::HistoryEntry>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let id = CustomerId(tenant.number("parent", &request.parent, "customers")?);
        let entry = request.entry.as_ref().ok_or_else(|| ApiError::missing("entry", "an entry"))?;
        let entry = new_entry(entry, tenant.clock.now())?;
        let request_id = (!request.request_id.is_empty())
            .then(|| RequestId::parse(&request.request_id).map_err(input("request_id")))
            .transpose()?;
        let recording = Recording { customer: id, entry, request_id, now_ms: now_ms(&tenant) };
        let recents = tenant.recents.clone();
        let recorded = asked(|reply| {
            tenant.customers.record(recording, move |recorded| {
                recents.forget(id);
                reply(recorded);
            });
        });
        let recorded = recorded.await?;
        let entry = recorded.map_err(|_| not_found(id))?;
        let customer = profile(&tenant, id).await?;
        Ok(Response::new(show_entry(&tenant, customer.id, &entry)))
    }
}

async fn profile(tenant: &Tenant, id: CustomerId) -> Result<Customer, ApiError> {
    let found = asked(|reply| tenant.customers.customer(id, reply)).await?;
    found.ok_or_else(|| not_found(id))
}
