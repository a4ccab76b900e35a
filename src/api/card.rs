//! The card: what an agent sees with an offer, as fresh as the offer. The customer's part is kept from the last time, or
//! looked up; a slow store makes the card partial, never late.

use super::convert::{millis, timestamp};
use super::promises;
use super::status::ApiError;
use super::tenant::Tenant;
use super::wire::Wire;
use crate::customers::{
    Address, CardData, Consent, Customer, CustomerId, HistoryEntry, Kept, Outcome, Pen, StoreFault,
};
use crate::engine::explain::chosen_sentence;
use crate::engine::ids::Sequence;
use crate::engine::time::Time;
use crate::proto;
use crate::runtime::payload::{Said, Speaker};
use crate::runtime::view::InteractionView;
use prost::Message;
use prost::bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// About what a card takes with a full history.
const ROOM: usize = 4_096;

/// How long an offer waits for its card.
pub const CARD_DEADLINE: Duration = Duration::from_millis(5);
/// How long the rest of a partial card is waited for.
const REST_MAX: Duration = Duration::from_secs(10);

/// What is known without asking the customer store. The fields are those of `Card` in `customers.proto`.
fn base(tenant: &Tenant, view: &InteractionView) -> Wire {
    let mut card = Wire::with_room(ROOM);
    if let Some(held) = tenant.payloads.get(&view.interaction.id) {
        card.text(6, &held.payload.message);
        for (key, value) in &held.payload.attributes {
            card.message(7, |entry| {
                entry.text(1, key);
                entry.text(2, value);
            });
        }
        for (time, said) in &held.said {
            card.bytes(10, &show_said(*time, said).encode_to_vec());
        }
    }
    card.text(8, &why(tenant, view));
    view.interaction.plan.instructions.iter().for_each(|said| card.text(18, said));
    card
}

fn show_said(time: Time, said: &Said) -> proto::Said {
    let by = match said.by {
        Speaker::Customer => proto::said::By::Customer,
        Speaker::Agent => proto::said::By::Agent,
        Speaker::Transcript => proto::said::By::Transcript,
    };
    proto::Said { by: by.into(), text: said.text.clone(), time: Some(timestamp(time)) }
}

fn why(tenant: &Tenant, view: &InteractionView) -> String {
    let offered = view.interaction.decisions.iter().rev().find_map(|decided| Some((decided, decided.agent?)));
    let Some((decided, agent)) = offered else { return String::new() };
    chosen_sentence(&decided.decision, agent, view.interaction.requirements(), &tenant.shard.floor())
}

/// Whose it is, as far as anybody may know.
fn known(tenant: &Tenant, view: &InteractionView) -> Option<crate::engine::ids::CustomerId> {
    view.interaction.facts.customer.filter(|customer| !tenant.forgotten.has(Some(*customer)))
}

/// The card of an offer as it goes over the wire, if nothing has to be looked up for it.
pub fn at_once(tenant: &Tenant, view: &InteractionView) -> Option<Bytes> {
    let Some(customer) = known(tenant, view) else { return Some(base(tenant, view).finish()) };
    let card = base(tenant, view);
    let (offered, now_ms) = (view.interaction.id.0, in_ms(view.now));
    with_pen(tenant, |pen| {
        tenant.recents.card(whose(customer), offered, now_ms, pen, |data| filled(tenant, view, card, &data))
    })
}

/// Writes profiles and entries as fields of a `Card`.
pub fn with_pen<T>(tenant: &Tenant, write: impl FnOnce(&Pen<'_>) -> T) -> T {
    write(&Pen {
        customer: &|customer| field(1, &show_customer(tenant, customer)),
        entry: &|customer, entry| field(2, &show_entry(tenant, customer, entry)),
    })
}

fn field(number: u32, message: &impl Message) -> Vec<u8> {
    let mut wire = Wire::with_room(message.encoded_len() + 4);
    wire.bytes(number, &message.encode_to_vec());
    wire.into_vec()
}

/// The card of an offer, and if it is partial, where the whole one will come from.
pub async fn card(
    tenant: &Arc<Tenant>,
    view: &InteractionView,
    offered: Sequence,
) -> (Bytes, Option<tokio::task::JoinHandle<Option<Bytes>>>) {
    let base = base(tenant, view);
    let Some(customer) = known(tenant, view) else { return (base.finish(), None) };
    let (owner, now) = (tenant.clone(), view.now);
    let mut found = Box::pin(async move { look_up(&owner, whose(customer), now, offered).await.ok() });
    match tokio::time::timeout(CARD_DEADLINE, &mut found).await {
        Ok(Some(found)) => (completed(tenant, view, base, found), None),
        Ok(None) => (partial(base), None),
        Err(_) => {
            crate::observe::customer_late("card");
            let (owner, whole, view) = (tenant.clone(), base.clone(), view.clone());
            let rest = tokio::spawn(async move {
                let found = tokio::time::timeout(REST_MAX, found).await.ok()??;
                Some(completed(&owner, &view, whole, found))
            });
            (partial(base), Some(rest))
        }
    }
}

fn partial(mut card: Wire) -> Bytes {
    card.number(9, true);
    card.finish()
}

/// The history up to the event that made the offer, so that what was just said elsewhere is there; kept for the next
/// offer. `None` if there is no such customer.
async fn look_up(
    tenant: &Tenant,
    customer: CustomerId,
    now: Time,
    offered: Sequence,
) -> Result<Option<Kept>, StoreFault> {
    let begun = tenant.recents.look_up(customer);
    let upto = begun.as_ref().map_or(0, |begun| begun.upto).max(offered.0);
    let (reply, applied) = oneshot::channel();
    tenant.customers.wait_applied(upto, move |result| {
        // The offer may be gone already.
        let _ = reply.send(result);
    });
    applied.await.map_err(|_| gone())??;
    let (reply, recalled) = oneshot::channel();
    tenant.customers.recall(customer, in_ms(now), move |result| {
        // As above.
        let _ = reply.send(result);
    });
    let Some(recalled) = recalled.await.map_err(|_| gone())?? else { return Ok(None) };
    if let Some(begun) = begun {
        tenant.recents.found(&begun, recalled.clone());
    }
    Ok(Some(Kept::new(recalled)))
}

/// The same up to what has been told so far, for whoever wants to know what is known and must not wait for more.
pub async fn look_up_now_heard(tenant: &Tenant, customer: CustomerId) -> Result<Option<Kept>, StoreFault> {
    look_up(tenant, customer, tenant.clock.now(), Sequence(tenant.recents.heard())).await
}

/// The same up to what is committed at this moment, for whoever looks a customer up without an offer.
pub async fn look_up_now(tenant: &Tenant, customer: CustomerId) -> Result<Option<Kept>, ApiError> {
    let committed = tenant.shard.read(|_| ()).await.map_err(ApiError::from)?.sequence;
    Ok(look_up(tenant, customer, tenant.clock.now(), committed).await?)
}

fn whose(customer: crate::engine::ids::CustomerId) -> CustomerId {
    CustomerId(customer.0)
}

fn in_ms(time: Time) -> i64 {
    i64::try_from(time.0).expect("engine time is far below 2^63 ms")
}

/// A reply that was dropped.
pub fn gone() -> StoreFault {
    StoreFault::Unavailable { doing: "waiting for its answer", cause: "it ended".into() }
}

fn completed(tenant: &Tenant, view: &InteractionView, base: Wire, found: Option<Kept>) -> Bytes {
    let Some(mut kept) = found else { return base.finish() };
    let (offered, now_ms) = (view.interaction.id.0, in_ms(view.now));
    with_pen(tenant, |pen| filled(tenant, view, base, &kept.card(offered, now_ms, pen)))
}

fn filled(tenant: &Tenant, view: &InteractionView, mut card: Wire, data: &CardData<'_>) -> Bytes {
    shown(tenant, &mut card, data, Some(view.interaction.channel.word()), in_ms(view.now));
    if let Some(journey) = &view.interaction.facts.journey {
        let part = proto::Card {
            contacts_about: journey.about_7d,
            sentiment: journey.sentiment.map(i32::from),
            sentiment_trend: journey.sentiment_trend.into(),
            ..proto::Card::default()
        };
        card.append(&part.encode_to_vec());
    }
    card.finish()
}

/// The customer's part; promises say what to do at this place.
pub fn shown(tenant: &Tenant, card: &mut Wire, data: &CardData<'_>, place: Option<&str>, now_ms: i64) {
    data.written.iter().for_each(|fields| card.append(fields));
    card.number(3, count(data.older_entries));
    card.number(4, count(data.contacts_24h));
    card.number(5, count(data.contacts_7d));
    for (customer, promise) in &data.promises {
        let shown = promises::show(tenant, *customer, promise, place, now_ms);
        card.bytes(11, &shown.encode_to_vec());
    }
    for entry in data.pinned {
        card.bytes(12, &show_entry(tenant, data.customer, entry).encode_to_vec());
    }
    card.number(13, count(data.more_promises));
    for relative in &data.household {
        card.bytes(14, &show_customer(tenant, relative).encode_to_vec());
    }
}

fn count(many: u64) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

/// A customer's profile.
pub fn show_customer(tenant: &Tenant, customer: &Customer) -> proto::Customer {
    proto::Customer {
        name: tenant.name_of("customers", customer.id),
        display_name: customer.display_name.clone(),
        addresses: customer.addresses.iter().map(show_address).collect(),
        create_time: Some(time(customer.created_ms)),
        linked: customer.linked.iter().map(|other| tenant.name_of("customers", other)).collect(),
        tier: customer.tier.clone(),
        language: customer.language.clone(),
        preferred_channel: i32::from(customer.preferred_channel),
        minor: customer.minor,
        contact_person: customer.contact_person.map_or(String::new(), |one| tenant.name_of("customers", one)),
        consents: customer.consents.iter().map(show_consent).collect(),
    }
}

fn show_consent(consent: &Consent) -> proto::Consent {
    proto::Consent {
        channel: i32::from(consent.channel),
        address: consent.address.as_ref().map(show_address),
        allowed: consent.allowed,
        time: Some(time(consent.since_ms)),
        by: consent.by.clone(),
    }
}

fn show_address(address: &Address) -> proto::Address {
    proto::Address { kind: i32::from(address.kind() as u8), value: address.value().to_owned() }
}

/// One entry of a customer's history.
pub fn show_entry(tenant: &Tenant, customer: CustomerId, entry: &HistoryEntry) -> proto::HistoryEntry {
    let mut shown = proto::HistoryEntry {
        name: entry_name(tenant, customer, entry),
        kind: i32::from(entry.kind as u8),
        time: Some(time(entry.time_ms)),
        channel: i32::from(entry.channel),
        summary: entry.summary.clone(),
        text: entry.text.strip_prefix('\n').unwrap_or(&entry.text).to_owned(),
        matter: entry.details.matter.clone(),
        pinned: entry.details.pinned,
        outbound: entry.details.outbound,
        feedback: entry.details.feedback.map(|feedback| proto::Feedback {
            measure: i32::from(feedback.measure as u8),
            score: feedback.score.into(),
        }),
        sentiment: entry.details.sentiment.map(i32::from),
        ..proto::HistoryEntry::default()
    };
    if let Some(contact) = &entry.contact {
        shown.interaction = tenant.name_of("interactions", contact.interaction);
        shown.queue = tenant.name_of("queues", &contact.queue);
        shown.intent = contact.intent.clone();
        shown.agent = match contact.agent.as_str() {
            "" => String::new(),
            agent => tenant.name_of("agents", agent),
        };
        shown.outcome = outcome(contact.outcome).into();
        shown.disposition = contact.disposition.clone();
        shown.wait_time = contact.wait_ms.map(millis);
    }
    shown
}

/// A contact has the number of its interaction, which is known before the history is written.
fn entry_name(tenant: &Tenant, customer: CustomerId, entry: &HistoryEntry) -> String {
    match &entry.contact {
        Some(contact) => {
            let interaction = contact.interaction;
            tenant.name_of("customers", format_args!("{customer}/history/interaction-{interaction}"))
        }
        None => tenant.name_of("customers", format_args!("{customer}/history/{}", entry.number)),
    }
}

fn outcome(outcome: Outcome) -> proto::ContactOutcome {
    match outcome {
        Outcome::Open => proto::ContactOutcome::Open,
        Outcome::Served => proto::ContactOutcome::Served,
        Outcome::Left => proto::ContactOutcome::Left,
        Outcome::TakenBack => proto::ContactOutcome::TakenBack,
        Outcome::TimedOut => proto::ContactOutcome::TimedOut,
        Outcome::SentAway => proto::ContactOutcome::SentAway,
    }
}

/// A moment of the store's.
pub fn time(ms: i64) -> prost_types::Timestamp {
    timestamp(Time(u64::try_from(ms).unwrap_or_default()))
}
