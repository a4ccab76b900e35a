//! Call-backs are calls of ours: none is planned against what the customer said of calls, and one that was planned before is
//! taken back when they say so.

use super::customers::asked;
use super::intake::LOOKUP_DEADLINE;
use super::people::not_allowed;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::customers::{Address, AddressKind, Customer, CustomerId, EntryKind, Filter, History, Outcome};
use crate::engine::command::{Command, Leaving};
use crate::engine::ids::InteractionId;
use crate::engine::interaction::State;
use crate::engine::plan::Channel;
use std::sync::Arc;
use tokio::time::timeout;

/// So many contacts are looked through for call-backs, the newest first.
const CONTACTS_MAX: usize = 100;

/// Refuses a call-back that the customer does not want. A store that cannot be asked does not keep anybody from being called
/// who asks for it.
pub async fn refuse_unwanted(tenant: &Tenant, id: InteractionId, channel: Channel) -> Result<(), ApiError> {
    let found =
        tenant.shard.read(move |shard| shard.interaction(id).and_then(|one| one.facts.customer)).await;
    let Some(customer) = found.map_err(ApiError::from)?.value else { return Ok(()) };
    let look = asked(|reply| tenant.customers.customer(CustomerId(customer.0), reply));
    let Ok(Ok(found)) = timeout(LOOKUP_DEADLINE, look).await else {
        crate::observe::customer_late("consent");
        return Ok(());
    };
    let from = came_from(tenant, id);
    let refused = found.and_then(|person| person.may_be_answered(channel as u8, from.as_ref()).err());
    refused.map_or(Ok(()), |refused| Err(not_allowed(tenant, &refused)))
}

/// Takes back the call-backs of somebody that they do not want any more: as withdrawn by us.
pub async fn take_back_unwanted(tenant: &Arc<Tenant>, person: &Customer) -> Result<(), ApiError> {
    let committed = tenant.shard.read(|_| ()).await.map_err(ApiError::from)?.sequence;
    asked(|reply| tenant.customers.wait_applied(committed.0, reply)).await?;
    let filter = Filter { kinds: vec![EntryKind::Contact], ..Filter::default() };
    let which = History { id: person.id, filter, after: None, limit: CONTACTS_MAX };
    let page = asked(|reply| tenant.customers.history(which, reply)).await?;
    let contacts = page.into_iter().flat_map(|page| page.entries).filter_map(|entry| entry.contact);
    let open = contacts.filter(|contact| contact.outcome == Outcome::Open);
    let open: Vec<InteractionId> = open.map(|contact| InteractionId(contact.interaction)).collect();
    let planned = tenant.shard.read(move |shard| {
        let of = |id: &InteractionId| {
            let one = shard.interaction(*id)?;
            let waits = matches!(one.state, State::Scheduled | State::Waiting);
            (waits && one.callback().is_some()).then_some((*id, one.channel))
        };
        open.iter().filter_map(of).collect::<Vec<_>>()
    });
    for (interaction, channel) in planned.await.map_err(ApiError::from)?.value {
        let from = came_from(tenant, interaction);
        if person.may_be_answered(channel as u8, from.as_ref()).is_err() {
            let command = Command::Cancel { interaction, leaving: Leaving::Withdrawn };
            // Refused where it was offered or is over by now: nobody calls without an agent who reads the card.
            let _ = tenant.shard.ask(command, None).await;
        }
    }
    Ok(())
}

/// The address an interaction came from, as long as it is open.
fn came_from(tenant: &Tenant, id: InteractionId) -> Option<Address> {
    let from = tenant.payloads.get(&id).and_then(|held| held.payload.from.clone());
    from.and_then(|(kind, value)| Address::parse(AddressKind::from_code(kind)?, &value).ok())
}
