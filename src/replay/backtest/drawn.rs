//! What the record does not hold, drawn once for both rule sets: how long whoever was answered would have waited, how much
//! work those would have been who never were, and how long another agent would have taken.

use super::lives::{Leg, Life};
use super::patience::Patience;
use crate::engine::ids::{AgentKey, QueueKey};
use crate::engine::time::Time;
use crate::learning::{HalfLife, HandleTimes, Known};
use crate::replay::draw::{Purpose, unit};
use std::collections::BTreeMap;

/// Another agent takes at most so many times as long as the recorded one, and at least one over it.
pub(super) const RATIO_MAX: f64 = 4.0;

/// Of whom nothing is known.
const NOBODY: AgentKey = AgentKey(u32::MAX);

/// Work where the record has no example at all, ms.
const WORK_MS: u64 = 180_000;

/// By the number of the life.
#[derive(Debug)]
pub(super) struct Drawn {
    /// So long after entry the customer hangs up, ms; `None`: never.
    pub patience_ms: Vec<Option<u64>>,
    /// The work, one agent after another. Never empty.
    work: Vec<Vec<Leg>>,
    known: Known,
    pub patience_drawn: u64,
    pub work_drawn: u64,
}

impl Drawn {
    /// Draws for all.
    pub fn of(lives: &[Life], seed: u64) -> Drawn {
        let (patience, examples) = (Patience::seen_in(lives), Examples::seen_in(lives));
        let hung_up = |life: &&Life| life.hung_up;
        let worked = |life: &&Life| !life.work().is_empty();
        // All at one moment: nothing fades.
        let mut handle_times = HandleTimes::new(HalfLife::USUAL);
        for leg in lives.iter().flat_map(Life::work) {
            handle_times.record(Time(0), leg.agent, leg.queue, leg.talk_ms + leg.wrap_up_ms);
        }
        let count = |those: usize| (lives.len() - those) as u64;
        Drawn {
            patience_ms: lives.iter().map(|life| patience.of(life, seed)).collect(),
            work: lives.iter().map(|life| examples.of(life, seed)).collect(),
            known: handle_times.known(Time(0)),
            patience_drawn: count(lives.iter().filter(hung_up).count()),
            work_drawn: count(lives.iter().filter(worked).count()),
        }
    }

    /// The work on it.
    pub fn legs(&self, life: usize) -> &[Leg] {
        &self.work[life]
    }

    /// How long an agent takes for a leg: the conversation, and the wrap-up, ms.
    pub fn work_of(&self, life: usize, leg: usize, agent: AgentKey) -> (u64, u64) {
        let leg = self.work[life][leg];
        if leg.agent == agent {
            return (leg.talk_ms, leg.wrap_up_ms);
        }
        // What a class takes in the mean is in both.
        let mean = |agent| self.known.handle_ms(agent, leg.queue, 1.0);
        let ratio = (mean(agent) / mean(leg.agent)).clamp(1.0 / RATIO_MAX, RATIO_MAX);
        let scaled = |ms: u64| (ms as f64 * ratio).round() as u64;
        (scaled(leg.talk_ms), scaled(leg.wrap_up_ms))
    }
}

/// Works of the record to draw from: of those who were not handed on.
struct Examples {
    by_queue: BTreeMap<QueueKey, Vec<Leg>>,
    all: Vec<Leg>,
}

impl Examples {
    fn seen_in(lives: &[Life]) -> Examples {
        let mut by_queue: BTreeMap<QueueKey, Vec<Leg>> = BTreeMap::new();
        let mut all = Vec::new();
        for life in lives {
            if let [leg] = life.work() {
                by_queue.entry(life.contact.queue).or_default().push(*leg);
                all.push(*leg);
            }
        }
        Examples { by_queue, all }
    }

    fn of(&self, life: &Life, seed: u64) -> Vec<Leg> {
        if !life.work().is_empty() {
            return life.work().to_vec();
        }
        let examples = self.by_queue.get(&life.contact.queue).unwrap_or(&self.all);
        let at = (unit(seed, Purpose::Work, life.id.0) * examples.len() as f64) as usize;
        let usual = || Leg {
            queue: life.contact.queue,
            agent: NOBODY,
            asked_for: None,
            talk_ms: WORK_MS,
            wrap_up_ms: 0,
        };
        vec![examples.get(at).copied().unwrap_or_else(usual)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::asked::Contact;
    use super::*;
    use crate::engine::ids::InteractionId;

    const ANA: AgentKey = AgentKey(0);
    const BEN: AgentKey = AgentKey(1);
    const CLEO: AgentKey = AgentKey(2);
    const SALES: QueueKey = QueueKey(0);

    fn life(id: u64, worked: Option<(AgentKey, u64)>) -> Life {
        let life = Life::new(InteractionId(id), Time(0), Time(0), Contact::plain(SALES));
        let leg = |(agent, talk_ms)| Leg { queue: SALES, agent, asked_for: None, talk_ms, wrap_up_ms: 0 };
        match worked {
            Some(worked) => life.worked(&[leg(worked)]),
            None => life,
        }
    }

    /// Ana takes 100 s a call and Ben so long, five hundred times each: their means are no longer in doubt.
    fn drawn(ben_ms: u64) -> Drawn {
        let pair = |id| [life(id, Some((ANA, 100_000))), life(id + 1, Some((BEN, ben_ms)))];
        let mut lives: Vec<Life> = (0..500).flat_map(|n| pair(2 * n)).collect();
        lives.push(life(1_000, None));
        Drawn::of(&lives, 1)
    }

    #[test]
    fn the_same_agent_takes_as_long_as_recorded_and_another_in_proportion_to_their_means() {
        let drawn = drawn(200_000);
        assert_eq!(drawn.work_of(0, 0, ANA), (100_000, 0));
        let (bens, _) = drawn.work_of(0, 0, BEN);
        assert!((190_000..=201_000).contains(&bens), "{bens}");
        let (anas, _) = drawn.work_of(1, 0, ANA);
        assert!((99_000..=106_000).contains(&anas), "{anas}");
    }

    #[test]
    fn a_ratio_is_bounded_and_somebody_nobody_saw_takes_what_is_usual() {
        let drawn = drawn(10_000_000);
        assert_eq!(drawn.work_of(0, 0, BEN).0, 400_000, "four times as long at most");
        let (cleos, _) = drawn.work_of(0, 0, CLEO);
        assert!((300_000..=400_000).contains(&cleos), "between the two, and bounded: {cleos}");
    }

    #[test]
    fn who_was_never_answered_brings_work_of_the_queue() {
        let drawn = drawn(200_000);
        assert_eq!(drawn.work_drawn, 1);
        let [work] = drawn.legs(1_000) else { panic!("one agent would have done it") };
        assert!(matches!((work.agent, work.talk_ms), (ANA, 100_000) | (BEN, 200_000)), "{work:?}");
    }
}
