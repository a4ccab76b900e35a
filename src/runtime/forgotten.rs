//! Whom nobody may know any more. A number that was erased stays in the journal, where it names nobody; whatever comes in
//! under it later, from a look-up that began before, is erased as it comes.

use crate::engine::event::{Event, Stamped};
use crate::engine::ids::{CustomerId, InteractionId};
use crate::engine::time::Time;
use crate::journal::Erasure;
use arc_swap::ArcSwap;
use hashbrown::HashSet;
use std::sync::Arc;

/// The numbers of a tenant's erased customers. Read with every look at an interaction, and hardly ever changed.
#[derive(Default)]
pub struct Forgotten(ArcSwap<HashSet<CustomerId>>);

impl Forgotten {
    /// Whether this is one of them.
    pub fn has(&self, customer: Option<CustomerId>) -> bool {
        customer.is_some_and(|customer| self.0.load().contains(&customer))
    }

    /// Forgets more.
    pub(super) fn add(&self, customers: impl IntoIterator<Item = CustomerId> + Clone) {
        self.0.rcu(|known| {
            let mut more = HashSet::clone(known);
            more.extend(customers.clone());
            more
        });
    }
}

/// What is erased of a journal while it is recovered: the interactions that are listed, and those of customers who are
/// forgotten, though none of them was listed because a crash or a late answer came between.
pub(super) struct Erased {
    forgotten: Arc<Forgotten>,
    /// With the time of admission: after a restore the number may be another one's.
    listed: HashSet<(InteractionId, i64)>,
    /// Found, and not over.
    pub open: HashSet<InteractionId>,
    /// All that were found.
    pub found: Vec<u64>,
}

impl Erased {
    pub fn new(erasures: &[Erasure], forgotten: Arc<Forgotten>) -> Erased {
        let listed = erasures.iter().flat_map(|erasure| &erasure.interactions);
        let listed = listed.map(|(number, came_ms)| (InteractionId(*number), *came_ms)).collect();
        Erased { forgotten, listed, open: HashSet::new(), found: Vec::new() }
    }

    /// The interaction that turns out to be erased with an event.
    pub fn hear(&mut self, stamped: &Stamped) -> Option<InteractionId> {
        let interaction = match &stamped.event {
            Event::Admitted(admitted) => (self.is_listed(admitted.interaction, stamped.time)
                || self.has(admitted.facts.customer))
            .then(|| {
                self.open.insert(admitted.interaction);
                admitted.interaction
            }),
            // It may be over.
            Event::Identified { interaction, customer, .. } => {
                self.has(Some(*customer)).then_some(*interaction)
            }
            _ => None,
        }?;
        self.found.push(interaction.0);
        Some(interaction)
    }

    /// Whether an interaction that came then was erased.
    pub fn is_listed(&self, interaction: InteractionId, came: Time) -> bool {
        let came_ms = i64::try_from(came.0).expect("engine time is far below 2^63 ms");
        self.listed.contains(&(interaction, came_ms))
    }

    /// Whether a customer is forgotten.
    pub fn has(&self, customer: Option<CustomerId>) -> bool {
        self.forgotten.has(customer)
    }
}
