//! What rules read of the floor: figures of queues and opening hours, as of half a second ago, published for everybody who
//! plans. Looked at only as far as the rules in force ask for it; what a plan was made with is recorded with it.

use super::tenant::{Ruling, Tenant};
use crate::engine::channel::Channel;
use crate::engine::circumstances::{Circumstances, QueueFigures};
use crate::engine::ids::{HoursKey, QueueKey, Text};
use crate::engine::plan::{Facts, Plan};
use crate::rules::Asked;
use crate::rules::condition::Uses;
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// So often it is looked anew.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The floor as rules see it.
#[derive(Default)]
pub struct Surroundings(ArcSwap<Seen>);

#[derive(Default)]
struct Seen {
    queues: BTreeMap<Text, QueueFigures>,
    hours: BTreeMap<Text, bool>,
}

impl Surroundings {
    /// Tells what these rules read, for an interaction meant for a queue.
    pub fn tell(&self, ruling: &Ruling, queue: Option<&str>, circumstances: &mut Circumstances) {
        let uses = ruling.rules.uses();
        let own = queue.filter(|_| uses.own_queue);
        if own.is_none() && uses.queues.is_empty() && uses.hours.is_empty() {
            return;
        }
        let seen = self.0.load();
        let named = uses.queues.iter().map(|name| &**name).filter(|name| Some(*name) != own);
        let figures = own.into_iter().chain(named).filter_map(|name| seen.queues.get_key_value(name));
        circumstances.queues = figures.map(|(name, figures)| (name.clone(), *figures)).collect();
        let hours = uses.hours.iter().filter_map(|name| seen.hours.get_key_value(&**name));
        circumstances.hours = hours.map(|(name, open)| (name.clone(), *open)).collect();
    }
}

/// Looks once, at what the rules in force read, those beside them, and what others are about to. Nothing is read, nothing
/// is looked at.
pub async fn look(tenant: &Tenant, also: &Uses) {
    let ruling = tenant.rules.now();
    let mut uses = ruling.rules.uses().clone();
    uses.join(also);
    if let Some(beside) = tenant.rules.beside() {
        uses.join(beside.ruling.rules.uses());
    }
    if !uses.own_queue && uses.queues.is_empty() && uses.hours.is_empty() {
        return;
    }
    let floor = tenant.shard.floor();
    let every = uses.own_queue;
    let queues = floor.queues.by_name().filter(|(_, entry)| every || uses.queues.contains(&*entry.name));
    let queues: Vec<(Text, Arc<Plan>)> = queues
        .map(|(key, entry)| {
            let queue = QueueKey(u16::try_from(key).expect("queue keys are u16"));
            let plan = ruling.plan(&floor, &Asked::plain(Channel::Voice, queue, &Facts::default()));
            (entry.name.clone(), plan)
        })
        .collect();
    let hours = floor.hours.by_name().filter(|(_, entry)| uses.hours.contains(&*entry.name));
    let hours: Vec<(Text, HoursKey)> = hours
        .map(|(key, entry)| {
            (entry.name.clone(), HoursKey(u16::try_from(key).expect("keys of hours are u16")))
        })
        .collect();
    let looked = tenant.shard.read(move |shard| {
        let figures = |(name, plan): (Text, Arc<Plan>)| (name, shard.figures(&plan, Channel::Voice));
        let open = |(name, key)| (name, shard.hours_open(key));
        Seen {
            queues: queues.into_iter().map(figures).collect(),
            hours: hours.into_iter().map(open).collect(),
        }
    });
    // The shard ends: nobody plans any more.
    if let Ok(seen) = looked.await {
        tenant.surroundings.0.store(seen.value.into());
    }
}

/// Looks again and again, as long as the server runs.
pub async fn keep_looking(tenant: Arc<Tenant>) {
    let mut turns = tokio::time::interval(LOOK_EVERY);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        look(&tenant, &Uses::default()).await;
    }
}
