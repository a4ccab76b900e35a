//! Asks the engine about every choice of a period and reports where it and the record disagree.

use std::path::PathBuf;

use jiff::civil::Date;
use serde::Serialize;

use super::choices::{self, Choice};
use super::error::RecordError;
use super::parse::read;
use super::record::{Call, Kind, Second};
use super::replay::ReplayError;

/// Which choices to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckOptions {
    /// The log, plain or gzipped.
    pub file: PathBuf,
    /// The type of call.
    pub kind: Kind,
    /// First day. `None`: from the beginning.
    pub from: Option<Date>,
    /// Last day, included. `None`: to the end.
    pub to: Option<Date>,
}

/// One who waited at a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Waiter {
    /// Line of the file, the header being line 1.
    pub row: u32,
    /// How long this one had waited at the choice, in seconds.
    pub wait_s: Second,
    /// A priority customer of the bank.
    pub priority_customer: bool,
}

/// A choice in which the engine would have taken somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// The day.
    pub date: Date,
    /// Clock time of the choice, HH:MM:SS.
    pub at: String,
    /// Whom the bank's switch took.
    pub recorded: Waiter,
    /// Whom the engine would have taken.
    pub engine: Waiter,
    /// How many waited in all.
    pub waiting: usize,
}

/// How often the record and the engine chose alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChoiceCheck {
    /// The type of call.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// First day looked at.
    pub from: Date,
    /// Last day looked at.
    pub to: Date,
    /// Starts of service with two or more waiting.
    pub choices: usize,
    /// Those in which the engine takes the call the record took.
    pub agree: usize,
    /// The others.
    pub disagreements: Vec<Disagreement>,
}

/// Follows the record and asks the engine at each choice. `progress` hears how many choices are done, and of
/// how many.
pub fn check_choices(
    options: &CheckOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<ChoiceCheck, ReplayError> {
    let calls = read(&options.file)?;
    let (from, to) = days(&calls, options)?;
    let found = choices::in_record(&calls, options.kind, from, to);
    let mut disagreements = Vec::new();
    for (done, choice) in (1..).zip(&found) {
        let engine = choices::engines(&calls, choice);
        if engine != choice.taken {
            disagreements.push(disagreement(&calls, choice, engine));
        }
        progress(done, found.len() as u64);
    }
    let (choices, agree) = (found.len(), found.len() - disagreements.len());
    Ok(ChoiceCheck { kind: options.kind, from, to, choices, agree, disagreements })
}

/// The days asked for, or those of the log.
fn days(calls: &[Call], options: &CheckOptions) -> Result<(Date, Date), ReplayError> {
    if let (Some(from), Some(to)) = (options.from, options.to)
        && from > to
    {
        return Err(ReplayError::DaysReversed { from, to });
    }
    let asked = |day: &Date| options.from.is_none_or(|f| f <= *day) && options.to.is_none_or(|t| *day <= t);
    let of_kind = calls.iter().filter(|call| call.kind == options.kind && call.offered());
    let days: Vec<Date> = of_kind.map(|call| call.day).filter(asked).collect();
    match (days.iter().min(), days.iter().max()) {
        (Some(first), Some(last)) => Ok((options.from.unwrap_or(*first), options.to.unwrap_or(*last))),
        _ => Err(RecordError::Empty { file: options.file.clone(), within: within(options) }.into()),
    }
}

/// What the log was narrowed to, for a message.
fn within(options: &CheckOptions) -> String {
    let from = options.from.map_or(String::new(), |day| format!(" from {day}"));
    let to = options.to.map_or(String::new(), |day| format!(" to {day}"));
    format!(" of type {}{from}{to}", options.kind)
}

fn disagreement(calls: &[Call], choice: &Choice, engine: usize) -> Disagreement {
    let waiter = |index: usize| Waiter {
        row: calls[index].row,
        wait_s: choice.at - calls[index].arrival,
        priority_customer: calls[index].priority_customer,
    };
    let clock = choice.at.rem_euclid(86_400);
    Disagreement {
        date: calls[choice.taken].day,
        at: format!("{:02}:{:02}:{:02}", clock / 3600, clock / 60 % 60, clock % 60),
        recorded: waiter(choice.taken),
        engine: waiter(engine),
        waiting: choice.waiting.len(),
    }
}
