//! Sends the arrivals: in open loop when they are due, in closed loop when a slot is free. Never ends by itself.

use std::ops::Range;
use std::sync::Arc;

use super::error::LoadError;
use super::mix::Requests;
use super::run::Run;
use super::schedule::{Burst, Schedule};
use super::settings::{Pace, What};
use super::tally::Kind;
use super::ticker::Ticker;
use super::unary::Unary;
use crate::proto::SubmitRequest;

/// The way interactions are submitted.
pub enum Line {
    Unary(Arc<Unary>),
}

impl Line {
    fn submit(&self, request: SubmitRequest, due_ns: u64) {
        match self {
            Line::Unary(line) => line.submit(request, due_ns),
        }
    }
}

/// What sends.
pub struct Drive {
    pub run: Arc<Run>,
    pub line: Line,
    pub requests: Requests,
}

impl Drive {
    /// Sends until it is dropped.
    pub async fn on(self, pace: Pace, measured: Range<u64>) -> Result<std::convert::Infallible, LoadError> {
        match pace {
            Pace::Closed { .. } => self.closed().await,
            Pace::Open { rate, burst } => self.open(rate, burst, measured).await,
        }
    }

    async fn closed(mut self) -> ! {
        loop {
            self.run.slots.take().await;
            let due = self.run.tally.now_ns();
            self.started(due);
            self.line.submit(self.requests.next(due), due);
        }
    }

    async fn open(
        mut self,
        rate: u32,
        burst: Option<Burst>,
        measured: Range<u64>,
    ) -> Result<std::convert::Infallible, LoadError> {
        let burst = burst.map(|burst| (burst, measured));
        let mut schedule = Schedule::new(self.run.tally.now_ns(), rate, burst);
        let ticker = Ticker::start(self.run.clone(), schedule.clone())?;
        loop {
            ticker.due.notified().await;
            let now = self.run.tally.now_ns();
            while let Some(due) = schedule.due(now) {
                self.started(due);
                if self.run.slots.try_take() {
                    self.run.tally.started(Kind::Late, due);
                    self.run.tally.ended(Kind::Late, due);
                    self.line.submit(self.requests.next(due), due);
                } else {
                    self.run.tally.failed(Kind::Submit, due, "NOT_SENT");
                }
            }
        }
    }

    fn started(&self, due_ns: u64) {
        self.run.tally.started(Kind::Submit, due_ns);
        if self.run.what == What::Cycle {
            self.run.tally.started(Kind::Cycle, due_ns);
        }
    }
}
