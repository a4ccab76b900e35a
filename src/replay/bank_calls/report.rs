//! The results for people: tables of the record beside the engine, and what may be concluded from them.

use std::fmt::{self, Display, Formatter};

use super::check::{ChoiceCheck, Disagreement};
use super::duty::{GAP_S, SLOT_S};
use super::figures::Figures;
use super::replay::{Calibration, Comparison, Order, Replay};

/// To be said wherever a figure of the record is shown.
pub(crate) const SOURCE: &str =
    "record: call log of \"Anonymous Bank\", Technion, Haifa (I. Guedj and A. Mandelbaum, 2000)";

const HEADER: [&str; 2] = [
    "                 offered         served            abandoned         mean wait, s      within 20 s, %",
    "                            record   engine    record   engine    record   engine    record   engine",
];

impl Display for Replay {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        HEADER.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        match &self.result {
            Some(result) => {
                writeln!(f, "by type, {}", days_of(result))?;
                types(f, result)?;
                row(f, "in all", &result.recorded.all, &result.engine.all)?;
            }
            None => types(f, &self.month)?,
        }
        writeln!(f, "per day{}", if self.calibration.is_some() { ", * calibrated on" } else { "" })?;
        days(f, &self.month)?;
        row(f, "all days", &self.month.recorded.all, &self.month.engine.all)?;
        writeln!(f)?;
        notes(f, self)
    }
}

fn days_of(comparison: &Comparison) -> String {
    match comparison.recorded.days.as_slice() {
        [] => "no day".to_owned(),
        [day] => day.date.to_string(),
        [first, .., last] => format!("{} to {}", first.date, last.date),
    }
}

fn types(f: &mut Formatter<'_>, comparison: &Comparison) -> fmt::Result {
    for (kind, recorded) in &comparison.recorded.types {
        row(f, kind.code(), recorded, &comparison.engine.types[kind])?;
    }
    Ok(())
}

fn days(f: &mut Formatter<'_>, comparison: &Comparison) -> fmt::Result {
    for (recorded, engine) in comparison.recorded.days.iter().zip(&comparison.engine.days) {
        let mark = if recorded.calibration { " *" } else { "" };
        row(f, &format!("{}{mark}", recorded.date), &recorded.figures, &engine.figures)?;
    }
    Ok(())
}

fn row(f: &mut Formatter<'_>, name: &str, recorded: &Figures, engine: &Figures) -> fmt::Result {
    writeln!(
        f,
        "  {name:<13}{:>7}    {:>7}  {:>7}   {:>7}  {:>7}   {:>7.1}  {:>7.1}   {:>7.1}  {:>7.1}",
        recorded.offered,
        recorded.served,
        engine.served,
        recorded.abandoned,
        engine.abandoned,
        recorded.mean_wait_s,
        engine.mean_wait_s,
        100.0 * recorded.within_20s,
        100.0 * engine.within_20s,
    )
}

fn notes(f: &mut Formatter<'_>, replay: &Replay) -> fmt::Result {
    writeln!(f, "{SOURCE}")?;
    writeln!(
        f,
        "offered: calls that queued or were served, phantoms left out; wait and within 20 s are over the offered,\n\
         \x20 and within 20 s counts answers only"
    )?;
    writeln!(
        f,
        "from the record: arrivals, patience of those who left, work time of those served (also below 10 s, when\n\
         \x20 agents hung up to rest)"
    )?;
    writeln!(
        f,
        "drawn, seed {}: patience of the {} served, from the Kaplan-Meier curve of their type beyond the wait they\n\
         \x20 had; work time of the {} who left, from the recorded ones of their type of 10 s and more",
        replay.seed, replay.patience_drawn, replay.work_drawn
    )?;
    writeln!(
        f,
        "agents: {} seen in the log, on duty from a service to the last one that follows without a gap over {} min,\n\
         \x20 serving the types that make up 1 % of their calls; {} served calls name no agent and show nobody on duty",
        replay.agents,
        GAP_S / 60,
        replay.served_by_nobody
    )?;
    availability(f, replay)?;
    writeln!(f, "order: {}", order(replay.order))?;
    writeln!(
        f,
        "not to be concluded: that the engine is better or worse than the switch where the figures differ. Who was\n\
         \x20 on a break, on another task or signed in for which type, and which type came first, is not in the log;\n\
         \x20 duty, skills and patience are read off the same days they are used on, and another seed moves the\n\
         \x20 means by seconds. The table shows whether the engine, given this load, behaves as the floor did"
    )
}

fn availability(f: &mut Formatter<'_>, replay: &Replay) -> fmt::Result {
    writeln!(
        f,
        "availability: breaks are not recorded; agents take calls in a drawn {:.4} of the {} min slots of their duty.",
        replay.availability,
        SLOT_S / 60
    )?;
    match &replay.calibration {
        Some(calibration) => calibrated(f, calibration, replay.result.is_some()),
        None => writeln!(f, "  This factor was given, not calibrated"),
    }
}

fn calibrated(f: &mut Formatter<'_>, calibration: &Calibration, others: bool) -> fmt::Result {
    let result = match others {
        true => "The result is that of the other days",
        false => "There are no other days, so this proves nothing",
    };
    let Calibration { from, to, recorded_mean_wait_s, engine_mean_wait_s } = calibration;
    writeln!(
        f,
        "  This one factor was calibrated on {from} to {to} to match the mean wait of these days\n\
         \x20 (record {recorded_mean_wait_s:.1} s, engine {engine_mean_wait_s:.1} s). {result}; the lengths of gap and slot\n\
         \x20 were set by hand with the whole month in view"
    )
}

fn order(order: Order) -> &'static str {
    match order {
        Order::Documented => {
            "time in queue, priority customers with a credit of 90 s, as the bank documented (not what its switch did\n  \
             from 1 to 10 January: see --check-choices)"
        }
        Order::LongestWait => "time in queue",
    }
}

impl Display for ChoiceCheck {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "type {}, {} to {}, longest wait first", self.kind, self.from, self.to)?;
        writeln!(f, "choices  {:>6}   starts of service with two or more waiting", self.choices)?;
        write!(f, "agree    {:>6}", self.agree)?;
        match self.choices {
            0 => writeln!(f)?,
            choices => writeln!(f, "   {:.2} %", 100.0 * self.agree as f64 / choices as f64)?,
        }
        let apart = |d: &Disagreement| d.engine.wait_s - d.recorded.wait_s;
        if let Some(most) = self.disagreements.iter().map(apart).max() {
            writeln!(
                f,
                "the others, in which the two calls had waited equally long but for {most} s at most:"
            )?;
        }
        for disagreement in &self.disagreements {
            writeln!(f, "  {disagreement}")?;
        }
        writeln!(f, "{SOURCE}")
    }
}

impl Display for Disagreement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Disagreement { date, at, recorded, engine, waiting } = self;
        write!(
            f,
            "{date} {at}: of {waiting} waiting, the record took line {} ({} s), the engine line {} ({} s)",
            recorded.row, recorded.wait_s, engine.row, engine.wait_s
        )
    }
}
