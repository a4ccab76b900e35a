//! The whole state in pieces, to be kept and read again: whoever begins with them goes on as whoever began with the first
//! event, to the last decision. So what others would call caches is kept too, where it decides; what is only found
//! faster by it is made again.

use super::agent::{Agent, Rank};
use super::ids::{InteractionId, ProfileKey};
use super::interaction::Interaction;
use super::plan::Plan;
use super::score::Place;
use super::shard::Shard;
use hashbrown::HashMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Takes pieces in order.
pub trait Keep {
    /// Why one was not taken.
    type Error;

    /// Takes the next one.
    fn keep(&mut self, piece: &impl Serialize) -> Result<(), Self::Error>;
}

/// Gives pieces again, in the order they were taken in.
pub trait Kept {
    /// Why there is none.
    type Error;

    /// Gives the next one.
    fn next<T: DeserializeOwned>(&mut self) -> Result<T, Self::Error>;

    /// Pieces that are whole, and do not fit each other.
    fn unfit(&self, what: &'static str) -> Self::Error;
}

/// What is not seen of an agent.
#[derive(Serialize, Deserialize)]
struct BesideAgent {
    familiar: BTreeSet<Place>,
    profile: Option<ProfileKey>,
    ready: Option<Rank>,
    counted: bool,
}

/// What is kept apart from an interaction: its plan, which many share, by its number, and whether its lane counts it.
#[derive(Serialize, Deserialize)]
struct BesideInteraction {
    plan: u32,
    restricted: bool,
}

impl Shard {
    /// Gives the state away in pieces.
    pub fn keep<K: Keep>(&self, out: &mut K) -> Result<(), K::Error> {
        out.keep(self)?;
        out.keep(&self.agents.len())?;
        for agent in &self.agents {
            let Agent { familiar, profile, ready, counted, .. } = &**agent;
            let (familiar, profile) = (familiar.clone(), *profile);
            out.keep(&BesideAgent { familiar, profile, ready: *ready, counted: *counted })?;
            out.keep(agent)?;
        }
        let mut plans = Plans::default();
        let mut blank = None;
        out.keep(&self.interactions.ids().count())?;
        for id in self.interactions.ids() {
            let Some(held) = self.interactions.get(&InteractionId(id)) else { continue };
            let (plan, new) = plans.number(&held.plan);
            out.keep(&BesideInteraction { plan, restricted: held.restricted })?;
            if new {
                out.keep(&held.plan)?;
            }
            let plan = blank.get_or_insert_with(|| Arc::new(without_lists(&held.plan)));
            out.keep(&Interaction { plan: plan.clone(), ..Interaction::clone(held) })?;
        }
        Ok(())
    }

    /// The state again, from the pieces that `keep` gave.
    pub fn from_kept<K: Kept>(from: &mut K) -> Result<Shard, K::Error> {
        let mut shard: Shard = from.next()?;
        let agents: usize = from.next()?;
        for _ in 0..agents {
            let BesideAgent { familiar, profile, ready, counted } = from.next()?;
            let agent: Agent = from.next()?;
            shard.agents.push(Arc::new(Agent { familiar, profile, ready, counted, ..agent }));
        }
        let mut plans: Vec<Arc<Plan>> = Vec::new();
        let interactions: usize = from.next()?;
        for _ in 0..interactions {
            let BesideInteraction { plan, restricted } = from.next()?;
            if plan as usize == plans.len() {
                plans.push(from.next()?);
            }
            let plan = plans.get(plan as usize).ok_or_else(|| from.unfit("a plan is not there"))?.clone();
            let interaction: Interaction = from.next()?;
            let interaction = Interaction { plan, restricted, ..interaction };
            shard.interactions.insert(interaction.id, Arc::new(interaction));
        }
        shard.lines.index_again();
        shard.intake.index_again();
        Ok(shard)
    }
}

/// Stands where the plan was.
fn without_lists(plan: &Plan) -> Plan {
    let (routes, instructions, tags) = (Arc::default(), Arc::default(), Arc::default());
    Plan { routes, instructions, tags, preferred: None, familiar: None, ..plan.clone() }
}

/// The plans so far. Most that are equal are one; those of a recovery are not.
#[derive(Default)]
struct Plans {
    by_place: HashMap<*const Plan, u32>,
    by_content: HashMap<Vec<u8>, u32>,
}

impl Plans {
    /// The number of a plan, and whether it is a new one.
    fn number(&mut self, plan: &Arc<Plan>) -> (u32, bool) {
        if let Some(known) = self.by_place.get(&Arc::as_ptr(plan)) {
            return (*known, false);
        }
        let content = postcard::to_stdvec(plan).expect("a plan has no part that cannot be encoded");
        let next = u32::try_from(self.by_content.len()).expect("plans are fewer than interactions");
        let number = *self.by_content.entry(content).or_insert(next);
        self.by_place.insert(Arc::as_ptr(plan), number);
        (number, number == next)
    }
}
