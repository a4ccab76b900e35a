//! Whose interaction it is, and what is known of them. Neither ever stops routing: what is not known in time is unknown so
//! far, goes in without it, and comes after.

use super::card::look_up_now_heard;
use super::intake::parse_address;
use super::tenant::Tenant;
use crate::customers::{Address, AskedFacts, CustomerFacts, CustomerId, Kept, Outcome, ServedBy};
use crate::engine::channel::Channel;
use crate::engine::floor::Floor;
use crate::engine::ids::AgentKey;
use crate::engine::journey::{Journey, LastOutcome, Signals};
use crate::proto;
use crate::rules::Served;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// Contacts about the same matter are counted a week back where no rule says otherwise, ms.
const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1_000;

/// What is known of a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    pub customer: CustomerId,
    /// `None`: unknown so far.
    pub journey: Option<Arc<Journey>>,
}

/// What was not back in time; `None` if nothing came of it.
pub type Late = Pin<Box<dyn Future<Output = Option<Known>> + Send>>;

/// What an interaction is about, for counting contacts about the same.
#[derive(Clone, Copy, Debug)]
pub struct Matter {
    /// As given by `customers::about`.
    pub about: u64,
    /// How far back the rules look.
    pub within_ms: Option<u64>,
}

/// Whose it is, if that takes no look-up; `None` if it does. Nobody, if nobody can be found under the address.
pub fn at_once(tenant: &Tenant, from: Option<&proto::Address>, matter: Matter) -> Option<Option<Known>> {
    let Some(from) = from else { return Some(None) };
    let Some(customer) = known(tenant, from) else {
        // Nobody will ever be found under an address that is none.
        return if usable(tenant, from).is_none() { Some(None) } else { None };
    };
    let journey = tenant.recents.facts(customer, &asked(tenant, matter)).map(journey)?;
    Some(Some(Known { customer, journey: Some(journey) }))
}

/// Whose it is as far as that is known by a deadline, and where the rest will come from.
pub async fn by(
    tenant: &Arc<Tenant>,
    from: Option<&proto::Address>,
    matter: Matter,
    deadline: Instant,
) -> (Option<Known>, Option<Late>) {
    let Some(from) = from else { return (None, None) };
    let mut finding = Box::pin(find(tenant.clone(), from.clone()));
    let Ok(found) = timeout_at(deadline, &mut finding).await else {
        crate::observe::customer_late("lookup");
        let owner = tenant.clone();
        return (None, Some(Box::pin(async move { Some(recall(owner, finding.await?, matter).await) })));
    };
    let Some(found) = found else { return (None, None) };
    let customer = found.customer;
    let mut recalling = Box::pin(recall(tenant.clone(), found, matter));
    match timeout_at(deadline, &mut recalling).await {
        Ok(known) => (Some(known), None),
        Err(_) => {
            crate::observe::customer_late("facts");
            let late: Late = Box::pin(async move { Some(recalling.await) });
            (Some(Known { customer, journey: None }), Some(late))
        }
    }
}

/// A customer, and whether they were unknown until now.
struct Found {
    customer: CustomerId,
    created: bool,
}

/// An address that somebody can be found under. A caller who withholds the number, or calls from an extension, is
/// unknown, and still a caller.
fn usable(tenant: &Tenant, from: &proto::Address) -> Option<Address> {
    let address = parse_address(tenant, "interaction.from", from).ok();
    if address.is_none() {
        crate::observe::customer_late("address_unusable");
    }
    address
}

/// Under which number they are seen, if the address is known at hand.
fn known(tenant: &Tenant, from: &proto::Address) -> Option<CustomerId> {
    tenant.known.customer(from).map(|known| tenant.recents.head(known.customer))
}

/// Whose address it is; nobody if it is none, or the store fails.
async fn find(tenant: Arc<Tenant>, from: proto::Address) -> Option<Found> {
    if let Some(customer) = known(&tenant, &from) {
        return Some(Found { customer, created: false });
    }
    let address = usable(&tenant, &from)?;
    let begun = tenant.known.begin();
    let (reply, answer) = oneshot::channel();
    tenant.customers.resolve(address.clone(), None, now_ms(&tenant), move |resolved| {
        // Whoever asked may have gone.
        let _ = reply.send(resolved);
    });
    let Ok(Ok(resolved)) = answer.await else {
        crate::observe::customer_late("lookup_failed");
        return None;
    };
    tenant.known.learn(begun, &from, &address, resolved.customer);
    Some(Found { customer: resolved.customer, created: resolved.created })
}

/// What is known of them: of somebody who comes for the first time, that.
async fn recall(tenant: Arc<Tenant>, found: Found, matter: Matter) -> Known {
    let Found { customer, created } = found;
    let asked = asked(&tenant, matter);
    let facts = match tenant.recents.facts(customer, &asked) {
        _ if created => Some(CustomerFacts::default()),
        None => look_up_now_heard(&tenant, customer)
            .await
            .map(|kept| kept.map(|mut kept: Kept| kept.facts(&asked)))
            .unwrap_or_else(|_| {
                crate::observe::customer_late("facts_failed");
                None
            }),
        kept => kept,
    };
    Known { customer, journey: facts.map(journey) }
}

fn asked(tenant: &Tenant, matter: Matter) -> AskedFacts<'_> {
    AskedFacts {
        about: matter.about,
        within_ms: matter.within_ms.unwrap_or(WEEK_MS),
        now_ms: now_ms(tenant),
        words: &tenant.words,
    }
}

fn now_ms(tenant: &Tenant) -> i64 {
    i64::try_from(tenant.clock.now().0).expect("engine time is far below 2^63 ms")
}

/// As the engine takes it in and records it.
fn journey(facts: CustomerFacts) -> Arc<Journey> {
    let (served_by, served_ago_ms) = match facts.served_by {
        Some(ServedBy { agent, ago_ms }) => (agent.as_str().into(), Some(ago_ms)),
        None => Default::default(),
    };
    let crate::customers::Signals { complaint, competitor, cancel } = facts.signals;
    Arc::new(Journey {
        contacts_1h: facts.contacts_1h,
        contacts_24h: facts.contacts_24h,
        contacts_7d: facts.contacts_7d,
        about_1h: facts.about_1h,
        about_24h: facts.about_24h,
        about_7d: facts.about_7d,
        about_within: facts.about_within,
        lifetime_contacts: u32::try_from(facts.lifetime_contacts).unwrap_or(u32::MAX),
        last_outcome: facts.last.map(|(outcome, _)| ended(outcome)),
        last_ago_ms: facts.last.map(|(_, ago_ms)| ago_ms),
        last_agent: served_by,
        served_ago_ms,
        open_promises: facts.open_promises,
        tier: facts.tier.as_str().into(),
        language: facts.language.as_str().into(),
        preferred_channel: Channel::ALL.into_iter().find(|one| *one as u8 == facts.preferred_channel),
        signals: Signals { complaint, competitor, cancel },
        sentiment: facts.sentiment,
        sentiment_trend: facts.sentiment_trend,
    })
}

fn ended(outcome: Outcome) -> LastOutcome {
    match outcome {
        Outcome::Open => LastOutcome::Open,
        Outcome::Served => LastOutcome::Served,
        Outcome::Left => LastOutcome::Left,
        Outcome::TakenBack => LastOutcome::TakenBack,
        Outcome::TimedOut => LastOutcome::TimedOut,
        Outcome::SentAway => LastOutcome::SentAway,
    }
}

/// The agent who answered the newest contact that was answered, if they still work here.
pub fn served(floor: &Floor, journey: &Journey) -> Option<Served> {
    let agent = floor.agents.key(&journey.last_agent).map(AgentKey)?;
    Some(Served { agent, ago_ms: journey.served_ago_ms? })
}
