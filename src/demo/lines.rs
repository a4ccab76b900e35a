//! What is printed without a terminal: a line a second, and every note as it comes.

use std::io::Write;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::figures::{AGENT_STATES, agents_in, percent, spoken, total};
use super::watching::Picture;
use crate::proto::FloorView;

/// Prints until cancelled.
pub async fn print(picture: Picture) {
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        second.tick().await;
        for note in picture.tally.print_notes() {
            say(&format!("{}  {note}", picture.clock.reads()));
        }
        let line = picture.floor.borrow().as_ref().map(line);
        say(&format!("{}  {}", picture.clock.reads(), line.unwrap_or_else(|| picture.server())));
    }
}

fn line(view: &FloorView) -> String {
    let all = total(&view.queues);
    let agents: Vec<String> = AGENT_STATES
        .iter()
        .map(|&state| (agents_in(view, state), state.word()))
        .filter(|&(count, _)| count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!(
        "waiting {} (longest {})  entered {}  answered {}  abandoned {}  service level {}  agents: {}",
        all.waiting,
        spoken(all.longest_wait.as_ref()),
        all.entered,
        all.answered,
        all.abandoned,
        percent(all.service_level_ppm),
        agents.join(", "),
    )
}

/// A reader who has gone (`| head`) is no reason to end with a panic.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
