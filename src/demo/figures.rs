//! Small arithmetic on what `WatchFloor` says: sums, names without their prefix, durations as people write them.

use crate::proto::{AgentStatus, FloorView, Liveness, Presence, QueueFigures, RoutingState};

/// How an agent is, in one word, the most telling one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgentState {
    Idle,
    Ringing,
    Handling,
    WrapUp,
    NotResponding,
    OnBreak,
    Lost,
    SignedOut,
}

/// The order in which states are listed.
pub const AGENT_STATES: [AgentState; 8] = [
    AgentState::Idle,
    AgentState::Ringing,
    AgentState::Handling,
    AgentState::WrapUp,
    AgentState::NotResponding,
    AgentState::OnBreak,
    AgentState::Lost,
    AgentState::SignedOut,
];

impl AgentState {
    pub fn of(status: &AgentStatus) -> AgentState {
        match (status.liveness(), status.presence(), status.routing_state()) {
            (_, Presence::SignedOut | Presence::Unspecified, _) => AgentState::SignedOut,
            (Liveness::Lost | Liveness::Offline, ..) => AgentState::Lost,
            (_, _, RoutingState::Ringing) => AgentState::Ringing,
            (_, _, RoutingState::Handling) => AgentState::Handling,
            (_, _, RoutingState::InWrapUp) => AgentState::WrapUp,
            (_, _, RoutingState::NotResponding) => AgentState::NotResponding,
            (_, Presence::OnBreak, _) => AgentState::OnBreak,
            (_, Presence::Available, RoutingState::Idle | RoutingState::Unspecified) => AgentState::Idle,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            AgentState::Idle => "idle",
            AgentState::Ringing => "ringing",
            AgentState::Handling => "handling",
            AgentState::WrapUp => "wrap-up",
            AgentState::NotResponding => "not responding",
            AgentState::OnBreak => "on break",
            AgentState::Lost => "lost",
            AgentState::SignedOut => "signed out",
        }
    }
}

/// How many agents are in a state.
pub fn agents_in(view: &FloorView, state: AgentState) -> usize {
    view.agents.iter().filter(|status| AgentState::of(status) == state).count()
}

/// All queues as one. Means are weighted by what they are means of; the name is empty.
pub fn total(queues: &[QueueFigures]) -> QueueFigures {
    let sum = |count: fn(&QueueFigures) -> u64| queues.iter().map(count).sum::<u64>();
    let now = |count: fn(&QueueFigures) -> u32| queues.iter().map(count).sum::<u32>();
    let (answered, answered_in_target) = (sum(|q| q.answered), sum(|q| q.answered_in_target));
    let (abandoned, short_abandoned) = (sum(|q| q.abandoned), sum(|q| q.short_abandoned));
    let waited_ms: u64 = queues.iter().map(|q| millis(q.mean_wait.as_ref()) * q.answered).sum();
    let longest_ms = queues.iter().map(|q| millis(q.longest_wait.as_ref())).max().unwrap_or(0);
    QueueFigures {
        waiting: now(|q| q.waiting),
        offered: now(|q| q.offered),
        handling: now(|q| q.handling),
        wrapping_up: now(|q| q.wrapping_up),
        parked: now(|q| q.parked),
        returned: now(|q| q.returned),
        moved_in: sum(|q| q.moved_in),
        moved_out: sum(|q| q.moved_out),
        transferred_in: sum(|q| q.transferred_in),
        timed_out: sum(|q| q.timed_out),
        sent_away: sum(|q| q.sent_away),
        scheduled: now(|q| q.scheduled),
        entered: sum(|q| q.entered),
        answered,
        abandoned,
        short_abandoned,
        cancelled: sum(|q| q.cancelled),
        answered_in_target,
        closed: sum(|q| q.closed),
        service_level_ppm: service_level_ppm(answered_in_target, answered + abandoned - short_abandoned),
        mean_wait: duration(waited_ms.checked_div(answered).unwrap_or(0)),
        longest_wait: duration(longest_ms),
        ..QueueFigures::default()
    }
}

/// Whether everybody who came to a queue is accounted for.
pub fn balances(queue: &QueueFigures) -> bool {
    let came = queue.entered + queue.moved_in + queue.transferred_in;
    came + u64::from(queue.returned) == accounted(queue)
}

/// Whoever is back in line after an answer is in two places: answered, and in line.
fn accounted(queue: &QueueFigures) -> u64 {
    let left = queue.abandoned + queue.cancelled + queue.timed_out + queue.sent_away + queue.moved_out;
    queue.answered + left + u64::from(queue.scheduled) + u64::from(queue.waiting) + u64::from(queue.offered)
}

fn service_level_ppm(within: u64, of: u64) -> u32 {
    u32::try_from((within * 1_000_000).checked_div(of).unwrap_or(1_000_000)).unwrap_or(1_000_000)
}

fn duration(ms: u64) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(std::time::Duration::from_millis(ms)).ok()
}

/// A duration in milliseconds; an absent or negative one is 0.
pub fn millis(length: Option<&prost_types::Duration>) -> u64 {
    length.map_or(0, |length| {
        let ms = length.seconds.saturating_mul(1_000).saturating_add(i64::from(length.nanos / 1_000_000));
        u64::try_from(ms).unwrap_or(0)
    })
}

/// `7 s`, `3:20` or `2:05:00`.
pub fn spoken(length: Option<&prost_types::Duration>) -> String {
    let seconds = (millis(length) + 500) / 1_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60),
    }
}

/// `84.2 %`.
pub fn percent(ppm: u32) -> String {
    let tenths = (ppm + 500) / 1_000;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// The last part of a resource name.
pub fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_queues_together_weigh_their_means() {
        let queue = |answered, wait_s: i64| QueueFigures {
            answered,
            answered_in_target: answered,
            mean_wait: Some(prost_types::Duration { seconds: wait_s, nanos: 0 }),
            ..QueueFigures::default()
        };
        let all = total(&[queue(30, 10), queue(10, 50)]);
        assert_eq!(
            (all.answered, millis(all.mean_wait.as_ref()), all.service_level_ppm),
            (40, 20_000, 1_000_000)
        );
    }

    #[test]
    fn lengths_read_as_people_write_them() {
        let spoken = |seconds| spoken(Some(&prost_types::Duration { seconds, nanos: 0 }));
        assert_eq!((spoken(7), spoken(200), spoken(7_500)), ("7 s".into(), "3:20".into(), "2:05:00".into()));
        assert_eq!((percent(842_000), id("tenants/default/queues/ps")), ("84.2 %".into(), "ps"));
    }

    #[test]
    fn an_agent_on_a_break_who_still_talks_is_handling() {
        let mut status = AgentStatus::default();
        status.set_presence(Presence::OnBreak);
        status.set_liveness(Liveness::Live);
        status.set_routing_state(RoutingState::Handling);
        assert_eq!(AgentState::of(&status), AgentState::Handling);
        status.set_routing_state(RoutingState::Idle);
        assert_eq!(AgentState::of(&status), AgentState::OnBreak);
    }
}
