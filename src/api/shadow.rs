//! A version of the rules in shadow: what was planned by the version in force is planned by it too, beside the path of the
//! interaction, and compared. Nobody waits for it, and nobody acts on it.

use super::beside::Mode;
use super::planned::{Shares, Subject};
use super::tenant::Tenant;
use crate::engine::channel::Channel;
use crate::engine::circumstances::Circumstances;
use crate::engine::ids::{QueueKey, Text};
use crate::engine::plan::{Facts, Plan};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Interactions that may wait to be compared. Of more, some are passed over, and counted.
pub const WITNESSES_MAX: usize = 4_096;

/// One that was planned, as its plan was made.
pub struct Witness {
    pub channel: Channel,
    pub source: Text,
    pub external_id: Text,
    /// The queue it is meant for, before any rule is asked.
    pub queue: QueueKey,
    pub facts: Facts,
    pub plan: Arc<Plan>,
}

/// Tells whoever compares, if a version runs in shadow.
pub fn tell(tenant: &Tenant, witness: impl FnOnce() -> Witness) {
    let Some(beside) = tenant.rules.beside().filter(|beside| beside.mode == Mode::Shadow) else { return };
    if tenant.witnesses.try_send(witness()).is_err() {
        beside.pass_over();
    }
}

/// Compares, as long as the server runs.
pub async fn compare_all(tenant: Arc<Tenant>, mut witnesses: mpsc::Receiver<Witness>) {
    while let Some(witness) = witnesses.recv().await {
        compare(&tenant, &witness);
    }
}

fn compare(tenant: &Tenant, witness: &Witness) {
    // What was told before the shadow was taken away is of no use any more.
    let Some(beside) = tenant.rules.beside().filter(|beside| beside.mode == Mode::Shadow) else { return };
    let floor = tenant.shard.floor();
    let facts = &witness.facts;
    let plain =
        || Circumstances { queue: Some(witness.queue), at: tenant.clock.now(), ..Circumstances::default() };
    let mut made_in = facts.circumstances.as_deref().cloned().unwrap_or_else(plain);
    let subject = Subject {
        channel: witness.channel,
        source: &witness.source,
        queue: witness.queue,
        facts,
        journey: facts.journey.as_deref(),
    };
    let shadow =
        subject.plan(tenant, &beside.ruling, &floor, &mut made_in, Shares::LookedAt(&beside.tickets));
    beside.compare((&witness.source, &witness.external_id), &floor, &witness.plan, &shadow);
}
