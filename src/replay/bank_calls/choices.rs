//! The choices the bank's switch made, and whom the engine would have chosen in its place.
//!
//! The recorded history is followed, not simulated: at each recorded start of service the engine is shown
//! exactly those who waited then, answers, and the recorded choice happens nonetheless. So one
//! disagreement does not lead to others.

use std::collections::HashMap;

use jiff::civil::Date;

use super::floor::{Floor, Terms};
use super::record::{AgentNo, Call, Kind, Second};
use super::simulate::time;

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

/// Whom the engine gives to an agent who becomes free, among exactly those who waited at a choice, each with
/// the place of their own arrival and no head start: longest wait first. Returns their index.
pub(super) fn engines(calls: &[Call], choice: &Choice) -> usize {
    let taken = &calls[choice.taken];
    let agent = taken.service.and_then(|service| service.agent).unwrap_or(AgentNo { desk: 'A', number: 0 });
    let first = time(calls[choice.waiting[0]].arrival);
    let mut floor = Floor::open(first, &[(agent, [taken.kind].into())].into(), Terms::BANK);
    let mut index_of = HashMap::new();
    for index in &choice.waiting {
        let call = &calls[*index];
        index_of.insert(floor.submit(time(call.arrival), call), *index);
    }
    floor.sign_in(time(choice.at), agent);
    let offers = floor.offers();
    let [offered] = offers[..] else {
        unreachable!("one free agent is offered one call, not {}", offers.len())
    };
    index_of[&offered.interaction]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::bank_calls::record::{Outcome, Service, midnight};

    fn day() -> Date {
        jiff::civil::date(1999, 1, 1)
    }

    /// A call as (arrival, wait, served), in s.
    fn record(calls: &[(Second, u32, bool)]) -> Vec<Call> {
        let call = |(row, (arrival, wait_s, served)): (u32, &(Second, u32, bool))| {
            let arrival = midnight(day()) + arrival;
            let service = Service { start: arrival + Second::from(*wait_s), work_s: 60, agent: None };
            Call {
                row,
                kind: Kind::Ps,
                day: day(),
                priority_customer: false,
                arrival,
                queued: true,
                wait_s: *wait_s,
                outcome: if *served { Outcome::Agent } else { Outcome::Hang },
                service: served.then_some(service),
            }
        };
        (2..).zip(calls).map(call).collect()
    }

    fn found(calls: &[Call]) -> Vec<(usize, Vec<usize>)> {
        let choices = in_record(calls, Kind::Ps, day(), day());
        choices.into_iter().map(|choice| (choice.taken, choice.waiting)).collect()
    }

    #[test]
    fn rivals_arrived_more_than_a_second_before_and_wait_on() {
        // Taken at 50: 1 waits on, 2 leaves just then, 3 came a second before, 4 two seconds before.
        let calls =
            record(&[(0, 50, true), (10, 60, false), (20, 30, false), (49, 9, false), (48, 9, false)]);
        assert_eq!(found(&calls), [(0, vec![0, 1, 4])]);
    }

    #[test]
    fn the_engine_takes_the_longest_wait_and_of_two_equal_the_lower_row() {
        let calls = record(&[(10, 90, true), (0, 95, true), (0, 96, true), (50, 51, false)]);
        let choices = in_record(&calls, Kind::Ps, day(), day());
        let asked: Vec<_> = choices.iter().map(|choice| (choice.taken, engines(&calls, choice))).collect();
        assert_eq!(asked, [(1, 1), (2, 2), (0, 0)]);
        let choices = in_record(&calls[..3], Kind::Ps, day(), day());
        let swapped = Choice { taken: 2, ..choices[0].clone() };
        assert_eq!(engines(&calls, &swapped), 1);
    }

    #[test]
    fn a_lone_call_is_no_choice() {
        assert_eq!(found(&record(&[(0, 50, true), (60, 5, true)])), []);
    }
}
