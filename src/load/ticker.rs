//! Wakes whoever sends in open loop when the next arrival is due. On a thread of its own, for the timers of tasks
//! know milliseconds only, which would be most of what there is to measure.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::Notify;

use super::error::LoadError;
use super::run::Run;
use super::schedule::Schedule;

/// Shortest time between two wake-ups: what is due meanwhile is sent together.
const TICK: Duration = Duration::from_micros(200);

/// Wakes until it is dropped.
pub struct Ticker {
    pub due: Arc<Notify>,
    _end: Sender<()>,
}

impl Ticker {
    pub fn start(run: Arc<Run>, mut schedule: Schedule) -> Result<Ticker, LoadError> {
        let (end, ended) = channel();
        let due = Arc::new(Notify::new());
        let wakes = due.clone();
        let tick = move || {
            loop {
                let wait = Duration::from_nanos(schedule.next_ns().saturating_sub(run.tally.now_ns()));
                if ended.recv_timeout(wait.max(TICK)) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                let now = run.tally.now_ns();
                let mut any = false;
                while schedule.due(now).is_some() {
                    any = true;
                }
                if any {
                    wakes.notify_one();
                }
            }
        };
        std::thread::Builder::new().name("load-ticker".to_owned()).spawn(tick).map_err(LoadError::Thread)?;
        Ok(Ticker { due, _end: end })
    }
}
