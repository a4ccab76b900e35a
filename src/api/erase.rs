//! Erasing a person. The order matters: noted first, so that a crash or an older copy that is put back undoes nothing; then
//! the keys, and last the customer, so that whoever is told that it failed can ask again.

use super::convert::{code, required};
use super::customers::{asked, no_such, now_ms};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::customers::{CustomerId, Erased, Erasing};
use crate::engine::ids;
use crate::journal::{Erasure, Erasures};
use crate::proto;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use tokio::sync::OwnedMutexGuard;
use tonic::Code;

/// Longest name of who erases, in characters.
const BY_MAX: usize = 128;
/// Longest reason, in characters.
const REASON_MAX: usize = 1_024;

/// Erases the person a customer is. What has begun is finished, also if whoever asked goes meanwhile.
pub async fn erase(
    tenant: &Arc<Tenant>,
    request: &proto::EraseRequest,
) -> Result<proto::EraseResponse, ApiError> {
    let customer = CustomerId(tenant.number("name", &request.name, "customers")?);
    let by = code("by", required("by", &request.by, BY_MAX)?, BY_MAX)?.to_owned();
    let reason = code("reason", required("reason", &request.reason, REASON_MAX)?, REASON_MAX)?.to_owned();
    let owner = tenant.clone();
    let erasing = tokio::spawn(async move {
        let erased = erase_now(&owner, customer).await?;
        let (customers, interactions) = (erased.customers.len(), erased.interactions.len());
        // Not whom: the line would say who asked for it.
        tracing::info!(tenant = owner.name, customers, interactions, by, reason, "a person was erased");
        Ok(proto::EraseResponse { customers: count(customers), interactions: count(interactions) })
    });
    let failed = |error: tokio::task::JoinError| unfinished(&error.to_string());
    erasing.await.unwrap_or_else(|error| Err(failed(error)))
}

async fn erase_now(tenant: &Arc<Tenant>, customer: CustomerId) -> Result<Erased, ApiError> {
    let mut erasures = tenant.erasures.clone().lock_owned().await;
    let mut erased = Erased::default();
    // Twice: what came in between the first look and the moment from which the shard lets nothing of theirs in any more is
    // found by the second.
    for _ in 0..2 {
        let found = found(tenant, customer).await?;
        let more = beyond(&erased, &found);
        if !(more.customers.is_empty() && more.interactions.is_empty()) {
            let number;
            (erasures, number) = noted(erasures, &more, now_ms(tenant)).await?;
            destroy(tenant, &more, number).await?;
        }
        erased = found;
    }
    let forgotten = forget(tenant, &erased).await;
    // Whatever came of it: under an address that is still known here, whoever comes again would be taken for the erased.
    tenant.known.forget();
    forgotten.map(|()| erased)
}

/// Who and what is to be erased, as of everything that was committed.
async fn found(tenant: &Tenant, customer: CustomerId) -> Result<Erased, ApiError> {
    let committed = tenant.shard.read(|_| ()).await?.sequence;
    asked(|reply| tenant.customers.wait_applied(committed.0, reply)).await?;
    let found = asked(|reply| tenant.customers.erasable(customer, reply)).await?;
    // Who was erased before, but not to the last trace, is erased again.
    let again =
        || tenant.forgotten.has(Some(ids::CustomerId(customer.0))) && tenant.unfinished.swap(false, SeqCst);
    match found {
        None if again() => Ok(Erased::default()),
        found => found.ok_or_else(|| no_such(customer)),
    }
}

/// What was found beyond what was known.
fn beyond(known: &Erased, found: &Erased) -> Erased {
    fn more<T: Ord + Copy>(known: &[T], found: &[T]) -> Vec<T> {
        let known: BTreeSet<T> = known.iter().copied().collect();
        found.iter().filter(|one| !known.contains(one)).copied().collect()
    }
    Erased {
        customers: more(&known.customers, &found.customers),
        interactions: more(&known.interactions, &found.interactions),
    }
}

async fn noted(
    mut erasures: OwnedMutexGuard<Erasures>,
    erased: &Erased,
    time_ms: i64,
) -> Result<(OwnedMutexGuard<Erasures>, u64), ApiError> {
    let customers = erased.customers.iter().map(|(id, created_ms)| (id.0, *created_ms)).collect();
    let erasure = Erasure { time_ms, customers, interactions: erased.interactions.clone() };
    let noted =
        tokio::task::spawn_blocking(move || erasures.append(&erasure).map(|number| (erasures, number))).await;
    noted.map_err(|error| unfinished(&error.to_string()))?.map_err(|fault| unfinished(&fault.to_string()))
}

async fn destroy(tenant: &Tenant, erased: &Erased, number: u64) -> Result<(), ApiError> {
    let customers = erased.customers.iter().map(|(id, _)| ids::CustomerId(id.0)).collect();
    let interactions = erased.interactions.iter().map(|(interaction, _)| *interaction).collect();
    tenant.shard.destroy(customers, interactions, Some(number)).await?.map_err(|why| unfinished(&why))
}

/// Exactly whom was noted: who was linked to them since stays.
async fn forget(tenant: &Tenant, erased: &Erased) -> Result<(), ApiError> {
    let recents = tenant.recents.clone();
    let customers: Vec<CustomerId> = erased.customers.iter().map(|(id, _)| *id).collect();
    let gone = asked(|reply| {
        tenant.customers.erase(Erasing::Again(erased.customers.clone()), move |gone| {
            // Before anybody hears of it, and whatever came of it: a card that was looked up before must not be kept.
            recents.erased(&customers);
            reply(gone);
        });
    });
    gone.await.map(drop).map_err(|error| {
        tenant.unfinished.store(true, SeqCst);
        unfinished(error.message())
    })
}

fn unfinished(why: &str) -> ApiError {
    let message = format!("the erasure is not finished, ask again: {why}");
    ApiError::new(Code::Unavailable, "ERASURE_UNFINISHED", message)
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}
