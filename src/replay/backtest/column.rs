//! One telling of the period: its events, counted as `baton report` counts, and what became of each interaction.

use super::error::BacktestError;
use super::fates::Fates;
use crate::engine::event::{Event, Stamped};
use crate::engine::plan::{Goals, Plan};
use crate::engine::time::Time;
use crate::report::{Figures, Projection, Request};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Grows with each event.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub projection: Projection,
    pub fates: Fates,
}

/// Figures of the period as a report has them.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    /// By the name of the queue.
    pub queues: BTreeMap<String, Figures>,
    pub agents: BTreeMap<String, Figures>,
}

impl Column {
    /// A past, told up to the beginning of the period.
    pub fn after(past: &Projection) -> Column {
        Column { projection: past.clone(), fates: Fates::default() }
    }

    /// Takes the next event as it is.
    pub fn hear(&mut self, stamped: &Stamped) {
        self.projection.apply(stamped);
        self.fates.hear(stamped, self.projection.shard());
    }

    /// Takes the next event of a telling that is held against another: with the goals both are judged by, or a plan that
    /// asks for less would look better for it. Nothing is decided by what is heard here.
    pub fn hear_judged(&mut self, stamped: &Stamped, yardstick: Option<&Goals>) {
        let Some(goals) = yardstick else { return self.hear(stamped) };
        let judged = |plan: &Arc<Plan>| Arc::new(Plan { goals: goals.clone(), ..(**plan).clone() });
        let event = match &stamped.event {
            Event::Admitted(admitted) if admitted.plan.goals != *goals => {
                let mut admitted = admitted.clone();
                admitted.plan = judged(&admitted.plan);
                Event::Admitted(admitted)
            }
            Event::Replanned(replanned) if replanned.plan.goals != *goals => {
                let mut replanned = replanned.clone();
                replanned.plan = judged(&replanned.plan);
                Event::Replanned(replanned)
            }
            Event::Transferred(transferred) if transferred.plan.goals != *goals => {
                let mut transferred = transferred.clone();
                transferred.plan = judged(&transferred.plan);
                Event::Transferred(transferred)
            }
            _ => return self.hear(stamped),
        };
        self.hear(&Stamped { event, ..stamped.clone() });
    }

    /// Its figures once the period is over.
    pub fn counted(&self, request: Request, until: Time) -> Result<Counted, BacktestError> {
        let report = self.projection.clone().report(request, until)?;
        let mut counted = Counted::default();
        for row in report.rows {
            match (row.queue, row.agent) {
                (Some(queue), _) => drop(counted.queues.insert(queue.to_string(), row.figures)),
                (None, Some(agent)) => drop(counted.agents.insert(agent.to_string(), row.figures)),
                (None, None) => {}
            }
        }
        Ok(counted)
    }
}
