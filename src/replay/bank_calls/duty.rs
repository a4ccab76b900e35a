//! Which agents were on duty when, and what they serve, as far as the log shows it.
//!
//! An agent is on duty from the start of a service to the end of the last one that follows without a gap
//! of more than `GAP_S`. Served calls that name no agent show nobody on duty. Breaks inside a stretch are
//! not recorded: time is cut into slots, and an agent is available in a seeded share of them.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{AgentNo, Call, Kind, Second};
use crate::replay::draw::{self, Purpose};

/// A longer gap between two services ends a stretch of duty, in seconds. Half of all gaps in January are
/// below 38 s and six in seven below ten minutes. Which of the longer ones were breaks and which idle waits
/// for a call cannot be told; with 5 or 20 minutes the calibrated factor is 0.79 or 0.64 instead of 0.73, and
/// the mean wait of the other days 40.3 or 40.6 s instead of 38.2 s (record: 39.5 s).
pub const GAP_S: Second = 600;

/// Length of a slot in which an agent is available or is not, in seconds. Less than one service on average, so
/// that a break postpones calls without emptying the floor. Like the gap it was set by hand, with the whole
/// month in view: of the other days, 56.9 % are answered within 20 s (record: 54.7 %), with slots of 1 minute
/// 55.5 %, of 5 minutes 60.0 %.
pub const SLOT_S: Second = 120;

/// A type is among an agent's skills when at least one in this many of their calls was of it.
const SKILL_ONE_IN: usize = 100;

/// A contiguous time on duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// First moment on duty.
    pub from: Second,
    /// First moment off duty.
    pub to: Second,
}

/// The agents of a log.
#[derive(Debug, Clone, Default)]
pub struct Duty {
    /// By agent, in order of time, not touching.
    pub stretches: BTreeMap<AgentNo, Vec<Stretch>>,
    /// The types each agent serves.
    pub skills: BTreeMap<AgentNo, BTreeSet<Kind>>,
}

impl Duty {
    /// Reads duty and skills off the served calls.
    pub fn seen_in<'a>(offered: impl IntoIterator<Item = &'a Call>) -> Duty {
        let mut services: BTreeMap<AgentNo, Vec<Stretch>> = BTreeMap::new();
        let mut kinds: BTreeMap<AgentNo, Vec<Kind>> = BTreeMap::new();
        for call in offered {
            let Some(service) = call.service else { continue };
            let Some(agent) = service.agent else { continue };
            let to = service.start + Second::from(service.work_s);
            services.entry(agent).or_default().push(Stretch { from: service.start, to });
            kinds.entry(agent).or_default().push(call.kind);
        }
        Duty {
            stretches: services.into_iter().map(|(agent, all)| (agent, joined(all))).collect(),
            skills: kinds.into_iter().map(|(agent, all)| (agent, served_often(&all))).collect(),
        }
    }

    /// The times an agent takes calls: the slots of their duty that fall within `availability` (0 to 1).
    /// With a higher availability an agent is available whenever they were with a lower one.
    pub fn available(&self, agent: AgentNo, availability: f64, seed: u64) -> Vec<Stretch> {
        let mut times: Vec<Stretch> = Vec::new();
        for stretch in self.stretches.get(&agent).into_iter().flatten() {
            for slot in stretch.from.div_euclid(SLOT_S)..=(stretch.to - 1).div_euclid(SLOT_S) {
                if draw::unit(seed, Purpose::Availability, subject(agent, slot)) >= availability {
                    continue;
                }
                let from = stretch.from.max(slot * SLOT_S);
                let to = stretch.to.min((slot + 1) * SLOT_S);
                match times.last_mut().filter(|last| last.to == from) {
                    Some(last) => last.to = to,
                    None if from == to => {}
                    None => times.push(Stretch { from, to }),
                }
            }
        }
        times
    }
}

fn subject(agent: AgentNo, slot: Second) -> u64 {
    (u64::from(agent.desk as u32) << 56) ^ (u64::from(agent.number) << 48) ^ slot.unsigned_abs()
}

/// Services as stretches, with the gaps up to `GAP_S` filled. Some services overlap in the log.
fn joined(mut services: Vec<Stretch>) -> Vec<Stretch> {
    services.sort_unstable_by_key(|service| (service.from, service.to));
    let mut stretches: Vec<Stretch> = Vec::new();
    for service in services {
        match stretches.last_mut().filter(|last| service.from - last.to <= GAP_S) {
            Some(last) => last.to = last.to.max(service.to),
            None => stretches.push(service),
        }
    }
    stretches
}

fn served_often(calls: &[Kind]) -> BTreeSet<Kind> {
    let often =
        |kind: &Kind| calls.iter().filter(|other| *other == kind).count() * SKILL_ONE_IN >= calls.len();
    calls.iter().copied().collect::<BTreeSet<_>>().into_iter().filter(often).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(from: Second, to: Second) -> Stretch {
        Stretch { from, to }
    }

    fn duty_of(stretches: Vec<Stretch>) -> (Duty, AgentNo) {
        let agent = AgentNo { desk: 'A', number: 1 };
        (Duty { stretches: [(agent, stretches)].into(), skills: BTreeMap::new() }, agent)
    }

    #[test]
    fn a_long_gap_ends_a_stretch_and_an_overlap_does_not() {
        let services = vec![stretch(900, 950), stretch(0, 100), stretch(90, 95), stretch(700, 800)];
        assert_eq!(joined(services), [stretch(0, 950)]);
        assert_eq!(joined(vec![stretch(0, 100), stretch(701, 800)]), [stretch(0, 100), stretch(701, 800)]);
    }

    #[test]
    fn a_stray_call_is_no_skill() {
        let mut calls = vec![Kind::Ps; 150];
        calls.push(Kind::Tt);
        assert_eq!(served_often(&calls), [Kind::Ps].into());
        assert_eq!(served_often(&[Kind::Ps, Kind::Tt]), [Kind::Ps, Kind::Tt].into());
    }

    #[test]
    fn more_availability_only_adds_time() {
        let (duty, agent) = duty_of(vec![stretch(30, 4_000), stretch(9_000, 9_050)]);
        assert_eq!(duty.available(agent, 1.0, 7), [stretch(30, 4_000), stretch(9_000, 9_050)]);
        assert_eq!(duty.available(agent, 0.0, 7), []);
        let inside = |at: Second, times: &[Stretch]| times.iter().any(|t| (t.from..t.to).contains(&at));
        let (some, more) = (duty.available(agent, 0.5, 7), duty.available(agent, 0.8, 7));
        assert!((30..4_000).all(|at| !inside(at, &some) || inside(at, &more)));
        assert!(some.len() > 1 && some != more);
    }
}
