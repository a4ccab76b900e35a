//! `Customers`: who contacts us, and everything that happened, on every channel.

use super::access::Service;
use super::card::{gone, show_customer};
use super::erase;
use super::intake::parse_address;
use super::names::shown;
use super::status::ApiError;
use super::tenant::{Gate, Tenant, Tenants};
use super::{histories, people, promises};
use crate::customers::{Customer, CustomerId, DisplayName, InputError, StoreFault};
use crate::proto;
use crate::proto::customers_server::Customers;
use tokio::sync::oneshot;
use tonic::{Request, Response, Status};

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

/// The same where the request has a name instead of a parent.
pub fn no_such(id: CustomerId) -> ApiError {
    ApiError::not_found("name", "CUSTOMER_NOT_FOUND", &format!("customer {id}"))
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
        InputError::Range { field, got, wanted } => ApiError::field(field, &got.to_string(), wanted),
        InputError::OtherKind { field, wanted } => {
            ApiError::field(field, "another kind of entry", &format!("it with {wanted}"))
        }
    }
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
        let address = parse_address(&tenant, "address", address)?;
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

    async fn get(
        &self,
        request: Request<proto::GetCustomerRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(people::get(&tenant, &request).await?))
    }

    async fn get_card(
        &self,
        request: Request<proto::GetCardRequest>,
    ) -> Result<Response<proto::Card>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = match request.name.as_str() {
            "" => self.gate.of(&metadata, "parent", &request.parent)?,
            name => self.gate.of(&metadata, "name", name)?,
        };
        Ok(Response::new(people::card(&tenant, &request).await?))
    }

    async fn link(&self, request: Request<proto::LinkRequest>) -> Result<Response<proto::Customer>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(people::link(&tenant, &request).await?))
    }

    async fn unlink(
        &self,
        request: Request<proto::UnlinkRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(people::unlink(&tenant, &request).await?))
    }

    async fn set_preference(
        &self,
        request: Request<proto::SetPreferenceRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(people::set_preference(&tenant, &request).await?))
    }

    async fn may_contact(
        &self,
        request: Request<proto::MayContactRequest>,
    ) -> Result<Response<proto::MayContactResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(people::may_contact(&tenant, &request).await?))
    }

    async fn list_changes(
        &self,
        request: Request<proto::ListChangesRequest>,
    ) -> Result<Response<proto::ListChangesResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(people::list_changes(&tenant, &request).await?))
    }

    async fn list_history(
        &self,
        request: Request<proto::ListHistoryRequest>,
    ) -> Result<Response<proto::ListHistoryResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(histories::list(&tenant, &request).await?))
    }

    async fn withdraw_promise(
        &self,
        request: Request<proto::WithdrawPromiseRequest>,
    ) -> Result<Response<proto::Promise>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(promises::withdraw(&tenant, &request).await?))
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
        Ok(Response::new(histories::record(&tenant, &request).await?))
    }
}

/// What is known of a customer.
pub async fn profile(tenant: &Tenant, id: CustomerId) -> Result<Customer, ApiError> {
    let found = asked(|reply| tenant.customers.customer(id, reply)).await?;
    found.ok_or_else(|| not_found(id))
}
