//! What is asked for, and the rows that answer it.

use super::figures::Figures;
use super::projection::{About, Projection};
use crate::engine::floor::Floor;
use crate::engine::ids::{AgentKey, QueueKey, Text};
use crate::engine::plan::Channel;
use crate::engine::time::Time;
use std::collections::BTreeMap;

/// Most rows a report may have.
pub const ROWS_MAX: usize = 100_000;

/// What rows are told apart by, beside the interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct By {
    pub queue: bool,
    pub channel: bool,
    /// Rows of agents come beside those of queues and channels: work of several queues in one row of a person.
    pub agent: bool,
}

/// A report's question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// The first moment that counts.
    pub from: Time,
    /// The first moment that counts no more.
    pub to: Time,
    /// Length of an interval, ms; they begin at multiples of it since 1970, UTC. `None`: the whole period is one.
    pub interval_ms: Option<u64>,
    pub by: By,
}

impl Request {
    pub(super) fn start_of(&self, at: Time) -> Time {
        match self.interval_ms {
            Some(ms) => Time(at.0 - at.0 % ms),
            None => self.from,
        }
    }

    pub(super) fn border_after(&self, at: Time) -> Time {
        match self.interval_ms {
            Some(ms) => Time(at.0 - at.0 % ms + ms),
            None => self.to,
        }
    }
}

/// Why a question cannot be answered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReportError {
    #[error("the period ends at {to_ms}, which is not after its beginning {from_ms} (ms since 1970)")]
    PeriodEmpty { from_ms: u64, to_ms: u64 },
    #[error("the interval is 0: want one of at least a minute, or none")]
    IntervalEmpty,
    #[error("the report would have more than {max} rows: ask for a shorter period or longer intervals")]
    TooManyRows { max: usize },
}

/// One row: one interval of one queue, channel or agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// When it begins and ends, cut to the period.
    pub start: Time,
    pub end: Time,
    pub queue: Option<Text>,
    pub channel: Option<Channel>,
    pub agent: Option<Text>,
    pub figures: Figures,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    pub from: Time,
    /// The end of the period, or of what is known of it.
    pub until: Time,
    /// In the order of intervals, then queue, channel, agent.
    pub rows: Vec<Row>,
}

type Key = (Time, Option<QueueKey>, Option<Channel>, Option<AgentKey>);

impl Projection {
    /// Checks the question before anything is read.
    pub fn check(request: &Request) -> Result<(), ReportError> {
        if request.to <= request.from {
            return Err(ReportError::PeriodEmpty { from_ms: request.from.0, to_ms: request.to.0 });
        }
        match request.interval_ms {
            Some(0) => Err(ReportError::IntervalEmpty),
            Some(ms) if request.to.since(request.from) / ms > ROWS_MAX as u64 => {
                Err(ReportError::TooManyRows { max: ROWS_MAX })
            }
            _ => Ok(()),
        }
    }

    /// The rows, once every event was taken. What agents do goes on until `now`, or until the end of the period.
    pub fn report(mut self, request: Request, now: Time) -> Result<Report, ReportError> {
        let until = now.max(self.shard().now()).min(request.to).max(request.from);
        self.finish(until);
        if self.full {
            return Err(ReportError::TooManyRows { max: ROWS_MAX });
        }
        let mut rows: BTreeMap<Key, Figures> = BTreeMap::new();
        for ((start, about), figures) in &self.cells {
            let Some(key) = key(*start, *about, request.by) else { continue };
            rows.entry(key).or_default().add(figures);
            if rows.len() > ROWS_MAX {
                return Err(ReportError::TooManyRows { max: ROWS_MAX });
            }
        }
        let floor = self.shard().floor();
        let rows = rows.into_iter().map(|(key, figures)| row(key, figures, &request, until, floor)).collect();
        Ok(Report { from: request.from, until, rows })
    }
}

/// The row a cell belongs to. Agents' cells count in rows of agents only, or everything would be there twice.
fn key(start: Time, about: About, by: By) -> Option<Key> {
    match about {
        About::Queue(queue, channel) if by.queue || by.channel || !by.agent => {
            Some((start, by.queue.then_some(queue), by.channel.then_some(channel), None))
        }
        About::Agent(agent) if by.agent => Some((start, None, None, Some(agent))),
        About::Queue(..) | About::Agent(_) => None,
    }
}

fn row(key: Key, figures: Figures, request: &Request, until: Time, floor: &Floor) -> Row {
    let (start, queue, channel, agent) = key;
    let name = |queue: QueueKey| floor.queues.get(u32::from(queue.0)).map(|entry| entry.name.clone());
    Row {
        start: start.max(request.from),
        end: request.border_after(start).min(until).max(start),
        queue: queue.and_then(name),
        channel,
        agent: agent.and_then(|agent| floor.agents.get(agent.0)).map(|entry| entry.name.clone()),
        figures,
    }
}
