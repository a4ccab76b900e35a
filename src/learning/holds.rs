//! What holding brought: whoever was held for a cheaper agent, for how long, and what that saved or cost.

use super::seen::Costs;
use crate::engine::ids::InteractionId;
use crate::engine::time::Time;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Of all that were held and are no more. Money in units of the currency.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Held {
    pub count: u64,
    /// Of them, those who hung up before anybody was offered them.
    pub lost: u64,
    pub held_ms: u64,
    /// The value of the pair that came about less that of the best pair there was when it was held, less what waiting cost
    /// meanwhile; below zero if it was not worth it.
    pub saved: f64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Holding {
    since: Time,
    /// What the best pair was worth then, relief left out, in millionths.
    worth: i64,
    costs: Costs,
}

/// The books of holding.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Holds {
    now: HashMap<InteractionId, Holding>,
    ended: Held,
}

impl Holds {
    /// It is held from now on, unless it was already.
    pub fn begin(&mut self, now: Time, interaction: InteractionId, worth: i64, costs: Costs) {
        self.now.entry(interaction).or_insert(Holding { since: now, worth, costs });
    }

    /// An agent is offered it, in a pair that is worth so much.
    pub fn offered(&mut self, now: Time, interaction: InteractionId, worth: i64) {
        if let Some(held) = self.now.remove(&interaction) {
            let better = (worth - held.worth) as f64 / 1e6;
            self.end(held, now, better - held.costs.of_waiting(now.since(held.since)));
        }
    }

    /// The customer hung up, or it was taken back.
    pub fn left(&mut self, now: Time, interaction: InteractionId, abandoned: bool) {
        if let Some(held) = self.now.remove(&interaction) {
            let minutes = held.costs.of_minutes(now.since(held.since));
            self.end(held, now, if abandoned { -minutes - held.costs.abandon } else { -minutes });
            self.ended.lost += u64::from(abandoned);
        }
    }

    fn end(&mut self, held: Holding, now: Time, saved: f64) {
        self.ended.count += 1;
        self.ended.held_ms += now.since(held.since);
        self.ended.saved += saved;
    }

    /// Those who are held no more.
    pub fn ended(&self) -> Held {
        self.ended
    }

    /// Those who are held now.
    pub fn held_now(&self) -> u64 {
        self.now.len() as u64
    }
}
