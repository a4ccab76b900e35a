//! What can be seen meanwhile: a line on the terminal, and nothing where standard error is none.

use std::convert::Infallible;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{MissedTickBehavior, interval};

use super::run::Run;
use super::tally::Kind;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// The line. It is gone when the figures are printed.
pub struct Progress(ProgressBar);

impl Progress {
    /// On standard error, if that is a terminal.
    pub fn shown() -> Progress {
        Progress(ProgressBar::new(0))
    }

    /// Nowhere.
    pub fn hidden() -> Progress {
        Progress(ProgressBar::hidden())
    }

    /// A part that has so many steps.
    pub fn part(&self, what: &'static str, steps: u64) {
        let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}");
        self.0.set_style(style.expect("the template is a constant"));
        self.0.set_message(what);
        self.0.set_length(steps);
        self.0.set_position(0);
    }

    pub fn step(&self, steps: u64) {
        self.0.inc(steps);
    }

    /// Follows the load until it is dropped.
    pub async fn follow(&self, run: &Run) -> Infallible {
        self.part("load", run.tally.length().as_secs());
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut last = [0; 2];
        loop {
            looks.tick().await;
            let now = [Kind::Submit, Kind::Cycle].map(|kind| run.tally.so_far(kind));
            let per_s = |index: usize| (now[index] - last[index]) as f64 / LOOK.as_secs_f64();
            self.0.set_message(format!(
                "submits {:.0}/s, cycles {:.0}/s, {} in flight",
                per_s(0),
                per_s(1),
                run.slots.taken()
            ));
            self.0.set_position(run.tally.measured().as_secs());
            last = now;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
