//! The choices the bank's switch made, and whom the engine would have chosen in its place.
//!
//! The recorded history is followed, not simulated: at each recorded start of service the engine is shown
//! exactly those who waited then, answers, and the recorded choice happens nonetheless. So one
//! disagreement does not lead to others.

use jiff::civil::Date;

use super::record::{Call, Kind, Second};

/// A call that arrived no longer ago than this is no rival, in seconds: the log rounds to seconds, so
/// whether it was in line before the choice cannot be told.
const RIVAL_AFTER_S: Second = 1;

/// One recorded start of service with at least one other call waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// Start of service: q_start + q_time of the call taken.
    pub(super) at: Second,
    /// Index of the call the record says was taken.
    pub(super) taken: usize,
    /// Indices of all who waited, the one taken included, by arrival, then row.
    pub(super) waiting: Vec<usize>,
}

/// Every choice among calls of one type on days `from..=to`, in order of time, then row.
///
/// A choice is a served, queued call i at t = q_start + q_time; its rivals are the calls of its type with
/// q_start < t − 1 s still waiting after t. It counts when there is a rival.
pub(super) fn in_record(calls: &[Call], kind: Kind, from: Date, to: Date) -> Vec<Choice> {
    let line = |index: &usize| calls[*index].kind == kind && calls[*index].queued && calls[*index].offered();
    let mut arriving: Vec<usize> = (0..calls.len()).filter(line).collect();
    let mut starting: Vec<usize> = arriving.iter().copied().filter(|i| calls[*i].served()).collect();
    arriving.sort_by_key(|i| (calls[*i].arrival, calls[*i].row));
    starting.sort_by_key(|i| (calls[*i].left_line(), calls[*i].row));

    let mut arriving = arriving.into_iter().peekable();
    let mut waiting: Vec<usize> = Vec::new();
    let mut choices = Vec::new();
    for taken in starting {
        let at = calls[taken].left_line();
        while let Some(next) = arriving.next_if(|i| calls[*i].arrival < at - RIVAL_AFTER_S) {
            waiting.push(next);
        }
        waiting.retain(|i| calls[*i].left_line() > at);
        if !waiting.is_empty() && (from..=to).contains(&calls[taken].day) {
            choices.push(Choice { at, taken, waiting: with(&waiting, taken, calls) });
        }
    }
    choices
}

fn with(rivals: &[usize], taken: usize, calls: &[Call]) -> Vec<usize> {
    let mut waiting = rivals.to_vec();
    waiting.push(taken);
    waiting.sort_by_key(|i| (calls[*i].arrival, calls[*i].row));
    waiting
}
