//! How long a waiting interaction may still have to wait: a plain figure until waits are learned.

use super::ids::{InteractionId, QueueKey};
use super::interaction::State;
use super::score::place;
use super::shard::Shard;

/// Handle time taken for granted before any interaction of the queue was closed, ms.
pub const HANDLE_TIME_DEFAULT_MS: u64 = 180_000;

/// An estimate for one waiting interaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// 1 is next, in its own queue, by the scores now.
    pub position: u32,
    /// Position × mean handle time ÷ agents on duty who qualify, ms. `None` while nobody does.
    pub wait_ms: Option<u64>,
}

impl Shard {
    /// Position and wait of a waiting interaction; `None` if it does not wait.
    pub fn estimate(&self, interaction: InteractionId) -> Option<Estimate> {
        let subject = self.interaction(interaction).filter(|subject| subject.state == State::Waiting)?;
        let queue = subject.queue();
        let own = place(subject);
        let before: usize = self.lines.of_queue(queue).map(|lane| lane.before(own)).sum();
        let position = u32::try_from(before + 1).expect("queue sizes are u32");
        let agents = self.lines.lane(subject.lane).on_duty();
        Some(Estimate { position, wait_ms: self.wait_at(position, queue, agents) })
    }

    /// What one who comes to the end of a line would have to wait, ms.
    pub(super) fn wait_at_door(&self, queue: QueueKey, agents: u32) -> Option<u64> {
        self.wait_at(self.lines.waiting(queue) + 1, queue, agents)
    }

    fn wait_at(&self, position: u32, queue: QueueKey, agents: u32) -> Option<u64> {
        let handle_ms = self.tally.of(queue).mean_handle_ms().unwrap_or(HANDLE_TIME_DEFAULT_MS);
        (u64::from(position) * handle_ms).checked_div(u64::from(agents))
    }
}
