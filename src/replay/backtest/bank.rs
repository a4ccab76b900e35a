//! The bank's call log as a recorded past: its calls as the events of a floor, its agents when they are likely to have taken
//! calls.

use super::error::BacktestError;
use super::recorded::Recorded;
use super::script::{Act, Cue, Turn, wish};
use crate::engine::agent::Presence;
use crate::engine::command::Command;
use crate::engine::event::EndedBy;
use crate::engine::ids::{AgentKey, Text};
use crate::engine::policy::Policy;
use crate::engine::time::Time;
use crate::replay::bank_calls::{AsEvents, ReplayOptions, SOURCE, as_events, midnight, time};
use crate::rules::RuleSet;
use jiff::civil::Date;

/// What the bank published, as far as its log tells: time in queue, priority customers with a credit of 90 s.
pub const BANK_RULE: &str = include_str!("bank_rule.yaml");

/// A log to read, and which days of it.
#[derive(Debug, Clone)]
pub struct BankLog {
    /// The file, who is taken first in the calibration, the seed of what is drawn for agents.
    pub options: ReplayOptions,
    /// What decides in the bank's pool.
    pub policy: Policy,
    /// First day. `None`: the first of the log.
    pub from: Option<Date>,
    /// Last day. `None`: the last of the log.
    pub to: Option<Date>,
}

impl Recorded {
    /// Reads the bank's log. The bank's clock is taken for UTC. A queue for the priority customers of a type is there if
    /// either rule set speaks of it; they have the tier `priority` in any case. `progress` hears of the calibration.
    ///
    /// # Errors
    /// The log cannot be read, or holds no such days.
    pub fn from_bank_log(
        log: &BankLog,
        published: &RuleSet,
        draft: &RuleSet,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Recorded, BacktestError> {
        let named =
            |name: &str| [published, draft].iter().any(|rules| rules.document().queues.contains_key(name));
        let told = as_events(&log.options, log.policy, published, &named, progress)?;
        let midnight = |day: Date| time(midnight(day));
        let from = midnight(log.from.unwrap_or(told.first));
        let to = midnight(log.to.unwrap_or(told.last)).after(24 * 3_600_000);
        let mut recorded = Recorded::from_events(&told.events, from, to)?;
        recorded.source = log.options.file.display().to_string();
        recorded.notes = notes(&told);
        // The log is over, and so was the day: nobody was there any more.
        (recorded.end, recorded.until) = (to, to);
        recorded.attend(&told.available);
        Ok(recorded)
    }

    /// Agents take calls when they are likely to have taken some, not whenever they were on duty.
    fn attend(&mut self, available: &[(AgentKey, Vec<(Time, Time)>)]) {
        let presence = |cue: &Cue| matches!(cue.act, Act::Command(Command::SetPresence { .. }));
        self.script.retain(|cue| !presence(cue));
        let set = |at, agent, presence| {
            let turn = if presence == Presence::Available { Turn::Floor } else { Turn::Goes };
            Cue { at, turn, act: wish(agent, presence, &Text::default(), EndedBy::Agent) }
        };
        let inside = |at: Time| at >= self.from && at < self.to;
        let mut cues: Vec<Cue> = Vec::new();
        for (agent, stretches) in available {
            cues.push(set(self.from, *agent, Presence::SignedOut));
            for (from, to) in stretches {
                cues.extend(inside(*from).then(|| set(*from, *agent, Presence::Available)));
                cues.extend(inside(*to).then(|| set(*to, *agent, Presence::SignedOut)));
            }
        }
        self.script.extend(cues);
        self.script.sort_by_key(|cue| (cue.at, cue.turn));
    }
}

fn notes(told: &AsEvents) -> Vec<String> {
    let mut notes = vec![SOURCE.to_owned()];
    let calibrated = told.calibration.as_ref().map_or_else(String::new, |calibration| {
        format!(
            ", calibrated on {} to {}, whose mean wait is {:.1} s for {:.1} s recorded; those days prove nothing",
            calibration.from, calibration.to, calibration.engine_mean_wait_s, calibration.recorded_mean_wait_s
        )
    });
    notes.push(format!(
        "breaks are not in the log: decided again, agents take calls in a drawn {:.1} % of their time on duty{calibrated}; \
         the occupancy of the record is of all that time, so it is lower",
        told.availability * 100.0
    ));
    notes.push(format!("{} services name no agent: Z00 stands for whoever it was", told.unnamed));
    notes.push(
        "the tier `priority` is that of customers whom the bank preferred; the log knows them only if they queued, so those of \
         the record waited longer than others, and than they do when it is decided again"
            .to_owned(),
    );
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banks_rule_is_a_rule_document() {
        let rules = RuleSet::read(BANK_RULE).expect("it is right");
        assert_eq!(rules.name(), "the bank's own rule");
    }
}
