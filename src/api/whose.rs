//! Whose interaction it is, and what is known of them. Neither ever stops routing: what is not known in time is unknown so
//! far, goes in without it, and comes after.

use super::card::look_up_now_heard;
use super::customers::now_ms;
use super::in_force::Ruling;
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
pub type Late = Pin<Box<dyn Future<Output = Option<Recalled>> + Send>>;

/// A customer, and what their card is made of.
pub struct Recalled {
    customer: CustomerId,
    card: Recollection,
}

/// What came of recalling somebody.
enum Recollection {
    /// They come for the first time.
    Nothing,
    Card(Box<Kept>),
    /// The store failed.
    Unknown,
}

impl Recalled {
    /// What is known of them, but for an interaction that may be in their history by then.
    pub fn known(self, tenant: &Tenant, matter: Matter, leaving_out: Option<u64>) -> Known {
        let ruling = tenant.rules.now();
        let asked = AskedFacts { leaving_out, ..asked(tenant, &ruling, matter) };
        let facts = match self.card {
            Recollection::Nothing => Some(CustomerFacts::default()),
            Recollection::Card(mut kept) => Some(kept.facts(&asked)),
            Recollection::Unknown => None,
        };
        Known { customer: self.customer, journey: facts.map(journey) }
    }
}

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
    let journey = tenant.recents.facts(customer, &asked(tenant, &tenant.rules.now(), matter)).map(journey)?;
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
        return (None, Some(Box::pin(async move { Some(recall(owner, finding.await?).await) })));
    };
    let Some(found) = found else { return (None, None) };
    let customer = found.customer;
    if let Some(facts) = tenant.recents.facts(customer, &asked(tenant, &tenant.rules.now(), matter)) {
        return (Some(Known { customer, journey: Some(journey(facts)) }), None);
    }
    let mut recalling = Box::pin(recall(tenant.clone(), found));
    match timeout_at(deadline, &mut recalling).await {
        Ok(recalled) => (Some(recalled.known(tenant, matter, None)), None),
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
async fn recall(tenant: Arc<Tenant>, found: Found) -> Recalled {
    let Found { customer, created } = found;
    if created {
        return Recalled { customer, card: Recollection::Nothing };
    }
    let card = match look_up_now_heard(&tenant, customer).await {
        Ok(Some(kept)) => Recollection::Card(Box::new(kept)),
        Ok(None) | Err(_) => {
            crate::observe::customer_late("facts_failed");
            Recollection::Unknown
        }
    };
    Recalled { customer, card }
}

fn asked<'a>(tenant: &Tenant, ruling: &'a Ruling, matter: Matter) -> AskedFacts<'a> {
    AskedFacts {
        about: matter.about,
        within_ms: matter.within_ms.unwrap_or(WEEK_MS),
        leaving_out: None,
        now_ms: now_ms(tenant),
        words: &ruling.words,
    }
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
        refuses_calls: facts.refuses_calls,
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
