//! What a customer in line is told about the wait: how long in the mean, and a band that eight in ten end in.
//!
//! A line from which agents take at the rate seen lately and customers hang up (`Starts`, ALGORITHM.md 5) says one thing,
//! the place with the mean handle time and the agents another, the last wait a third. Priorities, skills and holds bend all
//! of them, so they are blended by how well each has told the waits of this queue lately (`Blend`); and of the waits that
//! ended, wait ÷ mean is kept by place in line: the band is where eight in ten of those lay.

use super::blend::{Blend, WAYS};
use super::calibration::{Accuracy, Calibration, Told};
use super::starts::Starts;
use super::waiting::Wait;
use crate::engine::ids::{InteractionId, QueueKey};
use crate::engine::time::Time;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// The first place of each group of places whose waits are compared with one another.
const GROUPS: [u32; 5] = [0, 1, 3, 8, 21];
/// Waits kept of each group.
const KEPT: usize = 200;
/// Before so many ended, the band is that of the line.
const ENOUGH: usize = 30;

/// Nobody is told less than this share of what the line says.
const LEAST: f64 = 0.1;
/// Of those who wait as long as so many mean patiences one in fifty is still there, so nobody is told more: a mean handle time of
/// a few calls, or a line that stood still, says hours.
const PATIENCES_MAX: f64 = 4.0;
const MINUTE_MS: f64 = 60_000.0;

/// A wait as it is told, ms.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Expectation {
    pub mean_ms: f64,
    pub p10_ms: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
}

/// What waits came to of what was told, of one group of places.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Ratios {
    newest: VecDeque<f64>,
    sorted: Vec<f64>,
}

impl Ratios {
    fn record(&mut self, ratio: f64) {
        if self.newest.len() == KEPT
            && let Some(oldest) = self.newest.pop_front()
        {
            let at = self.sorted.partition_point(|one| *one < oldest);
            self.sorted.remove(at);
        }
        self.newest.push_back(ratio);
        self.sorted.insert(self.sorted.partition_point(|one| *one < ratio), ratio);
    }

    /// The ratio that this share stayed below; `None` before enough ended.
    fn quantile(&self, share: f64) -> Option<f64> {
        let last = self.sorted.len().checked_sub(1)?;
        let at = share * (self.sorted.len() + 1) as f64 - 1.0;
        let (low, rest) = (at.floor().max(0.0), at.max(0.0).fract());
        let of = |at: f64| self.sorted[(at as usize).min(last)];
        (self.sorted.len() >= ENOUGH).then(|| of(low) * (1.0 - rest) + of(low + 1.0) * rest)
    }
}

/// One queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    starts: Starts,
    waiting: u32,
    blend: Blend,
    ratios: [Ratios; GROUPS.len()],
    calibration: Calibration,
}

/// Whom something was told.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Waiting {
    queue: QueueKey,
    group: usize,
    told: Option<(Told, [f64; WAYS])>,
}

/// The forecasts of a floor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Forecasts {
    lines: BTreeMap<QueueKey, Line>,
    waiting: HashMap<InteractionId, Waiting>,
    calibration: Calibration,
}

impl Forecasts {
    /// The wait of who has so many ahead in a queue whose customers hang up at this rate. `by_position_ms` is what place ×
    /// mean handle time ÷ agents says. `None` before anybody was taken.
    pub fn expect(
        &self,
        now: Time,
        queue: QueueKey,
        ahead: u32,
        by_position_ms: Option<u64>,
        patience_ms: f64,
    ) -> Option<Expectation> {
        let line = self.lines.get(&queue)?;
        let (wait, said) = line.said(now, ahead, by_position_ms, patience_ms)?;
        Some(line.expectation(wait, &said, group(ahead)))
    }

    /// Somebody stands in line with so many ahead, and is told.
    pub fn queued(
        &mut self,
        now: Time,
        interaction: InteractionId,
        queue: QueueKey,
        ahead: u32,
        by_position_ms: Option<u64>,
        patience_ms: f64,
    ) {
        let line = self.lines.entry(queue).or_default();
        let group = group(ahead);
        let told = line.said(now, ahead, by_position_ms, patience_ms).map(|(wait, said)| {
            let Expectation { mean_ms, p10_ms, p90_ms, .. } = line.expectation(wait, &said, group);
            // As simpler systems tell them, whatever they come to.
            let by_position_ms = by_position_ms.map_or(wait.mean_ms, |ms| ms as f64);
            let by_last_ms = line.starts.last_wait_ms().unwrap_or_default() as f64;
            (Told { mean_ms, p10_ms, p90_ms, by_position_ms, by_last_ms }, said)
        });
        line.waiting += 1;
        line.starts.line(now, line.waiting);
        self.waiting.insert(interaction, Waiting { queue, group, told });
    }

    /// Somebody has an agent after so long.
    pub fn taken(&mut self, now: Time, interaction: InteractionId, queue: QueueKey, wait_ms: u64) {
        let Some(known) = self.waiting.remove(&interaction) else {
            // An agent was free: that says nothing of a line.
            self.lines.entry(queue).or_default().starts.start(now, 0);
            return;
        };
        let Some(line) = self.lines.get_mut(&known.queue) else { return };
        line.starts.start(now, wait_ms.max(1));
        line.waiting = line.waiting.saturating_sub(1);
        line.starts.line(now, line.waiting);
        if let Some((told, said)) = known.told {
            line.ratios[known.group].record(wait_ms as f64 / told.mean_ms);
            line.blend.record(&said, wait_ms as f64 / MINUTE_MS);
            line.calibration.record(&told, wait_ms);
            self.calibration.record(&told, wait_ms);
        }
    }

    /// Somebody left the line without an agent.
    pub fn left(&mut self, now: Time, interaction: InteractionId) {
        if let Some(known) = self.waiting.remove(&interaction)
            && let Some(line) = self.lines.get_mut(&known.queue)
        {
            line.waiting = line.waiting.saturating_sub(1);
            line.starts.line(now, line.waiting);
        }
    }

    /// How well waits were told, in a queue or in all of them.
    pub fn accuracy(&self, queue: Option<QueueKey>) -> Option<Accuracy> {
        match queue {
            Some(queue) => self.lines.get(&queue)?.calibration.accuracy(),
            None => self.calibration.accuracy(),
        }
    }
}

impl Default for Line {
    /// Nothing seen: the line itself is believed.
    fn default() -> Line {
        let (starts, blend) = (Starts::new(), Blend::new([1.0, 0.0, 0.0, 0.0]));
        Line { starts, waiting: 0, blend, ratios: Default::default(), calibration: Calibration::default() }
    }
}

impl Line {
    /// What each way says, in minutes: the line, the place, the last wait, and always the same.
    fn said(
        &self,
        now: Time,
        ahead: u32,
        by_position_ms: Option<u64>,
        patience_ms: f64,
    ) -> Option<(Wait, [f64; WAYS])> {
        let agents_per_ms = by_position_ms.map(|ms| f64::from(ahead + 1) / ms.max(1) as f64);
        let wait = match agents_per_ms {
            Some(agents_per_ms) => self.starts.wait_beside(now, ahead, 1.0 / patience_ms, agents_per_ms)?,
            None => self.starts.wait(now, ahead, 1.0 / patience_ms)?,
        };
        let last_ms = self.starts.last_wait_ms()? as f64;
        let by_position_ms = by_position_ms.map_or(wait.mean_ms, |ms| ms as f64);
        let most_ms = patience_ms * PATIENCES_MAX;
        let said = [wait.mean_ms, by_position_ms, last_ms, MINUTE_MS];
        Some((wait, said.map(|ms| ms.min(most_ms) / MINUTE_MS)))
    }

    fn expectation(&self, wait: Wait, said: &[f64; WAYS], group: usize) -> Expectation {
        let mean_ms = (self.blend.of(said) * MINUTE_MS).max(wait.mean_ms * LEAST).max(1.0);
        let ratios = &self.ratios[group];
        let told = |share: f64| match ratios.quantile(share) {
            Some(ratio) => mean_ms * ratio,
            None => wait.quantile_ms(share) * mean_ms / wait.mean_ms.max(1.0),
        };
        Expectation { mean_ms, p10_ms: told(0.1), p50_ms: told(0.5), p90_ms: told(0.9) }
    }
}

fn group(ahead: u32) -> usize {
    GROUPS.partition_point(|first| *first <= ahead) - 1
}
