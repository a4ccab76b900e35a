//! Sends the arrivals: in open loop when they are due, in closed loop when a slot is free. In open loop it ends when
//! everything that was due has been sent, however late; in closed loop somebody ends it.

use std::ops::Range;
use std::sync::Arc;

use super::error::LoadError;
use super::mix::Requests;
use super::route::Route;
use super::run::Run;
use super::schedule::Schedule;
use super::settings::{Pace, What};
use super::tally::Kind;
use super::ticker::Ticker;
use super::unary::Unary;
use crate::proto::SubmitRequest;

/// The way interactions are submitted.
#[derive(Clone)]
pub enum Line {
    Unary(Arc<Unary>),
    Stream(Arc<Route>),
}

impl Line {
    fn submit(&self, request: SubmitRequest, due_ns: u64) {
        match self {
            Line::Unary(line) => line.submit(request, due_ns),
            Line::Stream(line) => line.submit(request, due_ns),
        }
    }

    /// Nothing more is sent.
    pub fn close(&self) {
        match self {
            Line::Unary(_) => {}
            Line::Stream(line) => line.close(),
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
    /// Sends from a moment of the run's clock on. A burst is in the middle of what is measured.
    pub async fn on(self, pace: Pace, from_ns: u64, measured: Range<u64>) -> Result<(), LoadError> {
        match pace {
            Pace::Closed { .. } => self.closed().await,
            Pace::Open { rate, burst } => {
                self.open(
                    Schedule::new(from_ns, rate, burst.map(|burst| (burst, measured.clone()))),
                    measured.end,
                )
                .await
            }
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

    async fn open(mut self, mut schedule: Schedule, end_ns: u64) -> Result<(), LoadError> {
        let ticker = Ticker::start(self.run.clone(), schedule.clone())?;
        while schedule.next_ns() < end_ns {
            ticker.due.notified().await;
            let now = self.run.tally.now_ns().min(end_ns - 1);
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
        Ok(())
    }

    fn started(&self, due_ns: u64) {
        self.run.tally.started(Kind::Submit, due_ns);
        if self.run.what == What::Cycle {
            self.run.tally.started(Kind::Cycle, due_ns);
        }
    }
}
