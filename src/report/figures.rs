//! The figures of one row, with what each one counts and when. Times are milliseconds. Everything is counted in the
//! interval in which it happened; so within one interval answered and entered need not be of the same customers.

use super::presence::AgentTime;
use crate::engine::tally::Books;
use serde::Serialize;

/// What happened in one interval, to one queue, channel or agent.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Figures {
    /// Admitted to the queue.
    pub entered: u64,
    /// Came by overflow from another queue; went by overflow to another.
    pub moved_in: u64,
    pub moved_out: u64,
    /// Handed to the queue by an agent, after an answer elsewhere.
    pub transferred_in: u64,
    /// First accepted offers of this visit of the queue; a failed connection takes its answer back, in the interval of
    /// the failure.
    pub answered: i64,
    /// Of them: within the target of their plan.
    pub answered_in_target: i64,
    /// Left unanswered, those within the short-abandon time included.
    pub abandoned: u64,
    /// Of the abandoned: within the short-abandon time of their plan.
    pub short_abandoned: u64,
    pub cancelled: u64,
    pub timed_out: u64,
    pub sent_away: u64,
    /// Had been answered, were back in line, and left from there.
    pub left_after_answer: u64,
    /// Over, after conversation and wrap-up.
    pub closed: u64,
    /// Sum and maximum of the waits of the answered.
    pub wait_ms: i64,
    pub longest_wait_ms: u64,
    /// Sum and maximum of the waits of the abandoned.
    pub abandon_wait_ms: u64,
    pub longest_abandon_wait_ms: u64,
    /// Assignments that were over, and their conversations and wrap-ups, whole, in the interval each of them ended.
    pub handled: u64,
    pub talk_ms: u64,
    pub wrap_up_ms: u64,
    pub offers_accepted: u64,
    pub offers_declined: u64,
    pub offers_expired: u64,
    pub offers_rescinded: u64,
    /// Conversations handed on by their agent, blind or warm.
    pub transfers: u64,
    pub callbacks_planned: u64,
    pub callback_windows_missed: u64,
    pub callbacks_unreachable: u64,
    pub connects_failed: u64,
    pub connects_assumed: u64,
    /// Agents only.
    pub time: AgentTime,
}

/// The usual definitions of service level, each a share of 0 to 1 in parts per million; `None` of nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ServiceLevels {
    /// In target ÷ answered: abandons do not count.
    pub of_answered_ppm: Option<u32>,
    /// In target ÷ (answered + abandoned): every abandon counts against us.
    pub of_answered_and_abandoned_ppm: Option<u32>,
    /// In target ÷ (answered + abandoned − short abandoned): whoever left at once does not count. The engine's own.
    pub without_short_abandons_ppm: Option<u32>,
    /// In target ÷ offered, where offered = entered + moved in + transferred in − moved out: who still waits counts
    /// against us too.
    pub of_offered_ppm: Option<u32>,
    /// (In target + short abandoned) ÷ (answered + abandoned): whoever left at once counts for us.
    pub short_abandons_as_served_ppm: Option<u32>,
}

impl Figures {
    /// The service level by each definition.
    pub fn service_levels(&self) -> ServiceLevels {
        let signed = |count: u64| i64::try_from(count).expect("counts are far below 2^63");
        let (abandoned, short) = (signed(self.abandoned), signed(self.short_abandoned));
        let offered = signed(self.entered + self.moved_in + self.transferred_in) - signed(self.moved_out);
        let met = self.answered_in_target;
        ServiceLevels {
            of_answered_ppm: share_ppm(met, self.answered),
            of_answered_and_abandoned_ppm: share_ppm(met, self.answered + abandoned),
            without_short_abandons_ppm: share_ppm(met, self.answered + abandoned - short),
            of_offered_ppm: share_ppm(met, offered),
            short_abandons_as_served_ppm: share_ppm(met + short, self.answered + abandoned),
        }
    }

    /// Mean wait of the answered (ASA), ms.
    pub fn mean_wait_ms(&self) -> Option<u64> {
        let wait_ms = u64::try_from(self.wait_ms).ok()?;
        wait_ms.checked_div(u64::try_from(self.answered).ok()?)
    }

    /// Mean wait of the abandoned, ms.
    pub fn mean_abandon_wait_ms(&self) -> Option<u64> {
        self.abandon_wait_ms.checked_div(self.abandoned)
    }

    /// Mean handle time: conversation and wrap-up by assignment, ms.
    pub fn mean_handle_ms(&self) -> Option<u64> {
        (self.talk_ms + self.wrap_up_ms).checked_div(self.handled)
    }

    /// Adds another row to this one.
    pub fn add(&mut self, other: &Figures) {
        self.entered += other.entered;
        self.moved_in += other.moved_in;
        self.moved_out += other.moved_out;
        self.transferred_in += other.transferred_in;
        self.answered += other.answered;
        self.answered_in_target += other.answered_in_target;
        self.abandoned += other.abandoned;
        self.short_abandoned += other.short_abandoned;
        self.cancelled += other.cancelled;
        self.timed_out += other.timed_out;
        self.sent_away += other.sent_away;
        self.left_after_answer += other.left_after_answer;
        self.closed += other.closed;
        self.wait_ms += other.wait_ms;
        self.longest_wait_ms = self.longest_wait_ms.max(other.longest_wait_ms);
        self.abandon_wait_ms += other.abandon_wait_ms;
        self.longest_abandon_wait_ms = self.longest_abandon_wait_ms.max(other.longest_abandon_wait_ms);
        self.handled += other.handled;
        self.talk_ms += other.talk_ms;
        self.wrap_up_ms += other.wrap_up_ms;
        self.offers_accepted += other.offers_accepted;
        self.offers_declined += other.offers_declined;
        self.offers_expired += other.offers_expired;
        self.offers_rescinded += other.offers_rescinded;
        self.transfers += other.transfers;
        self.callbacks_planned += other.callbacks_planned;
        self.callback_windows_missed += other.callback_windows_missed;
        self.callbacks_unreachable += other.callbacks_unreachable;
        self.connects_failed += other.connects_failed;
        self.connects_assumed += other.connects_assumed;
        self.time.add(&other.time);
    }

    /// Adds how a queue's books changed by one event.
    pub(super) fn count(&mut self, before: &Books, after: &Books) {
        let more = |before: u64, after: u64| after - before;
        let change = |before: u64, after: u64| after.cast_signed() - before.cast_signed();
        self.entered += more(before.entered, after.entered);
        self.moved_in += more(before.moved_in, after.moved_in);
        self.moved_out += more(before.moved_out, after.moved_out);
        self.transferred_in += more(before.transferred_in, after.transferred_in);
        self.answered += change(before.answered, after.answered);
        self.answered_in_target += change(before.answered_in_target, after.answered_in_target);
        self.abandoned += more(before.abandoned, after.abandoned);
        self.short_abandoned += more(before.short_abandoned, after.short_abandoned);
        self.cancelled += more(before.cancelled, after.cancelled);
        self.timed_out += more(before.timed_out, after.timed_out);
        self.sent_away += more(before.sent_away, after.sent_away);
        self.left_after_answer += more(before.left_after_answer, after.left_after_answer);
        self.closed += more(before.closed, after.closed);
        self.wait_ms += change(before.wait_ms, after.wait_ms);
        if after.answered > before.answered {
            self.longest_wait_ms = self.longest_wait_ms.max(more(before.wait_ms, after.wait_ms));
        }
        self.handled += more(before.handled, after.handled);
        self.offers_accepted += more(before.offers_accepted, after.offers_accepted);
        self.offers_declined += more(before.offers_declined, after.offers_declined);
        self.offers_expired += more(before.offers_expired, after.offers_expired);
        self.offers_rescinded += more(before.offers_rescinded, after.offers_rescinded);
        self.callback_windows_missed += more(before.windows_missed, after.windows_missed);
        self.connects_failed += more(before.connects_failed, after.connects_failed);
        self.connects_assumed += more(before.connects_assumed, after.connects_assumed);
    }
}

fn share_ppm(part: i64, of: i64) -> Option<u32> {
    if of <= 0 {
        return None;
    }
    let ppm = i128::from(part.max(0)) * 1_000_000 / i128::from(of);
    Some(u32::try_from(ppm).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_service_levels_differ_in_how_they_count_those_who_left() {
        let figures = Figures {
            entered: 100,
            answered: 80,
            answered_in_target: 60,
            abandoned: 15,
            short_abandoned: 5,
            ..Figures::default()
        };
        let levels = figures.service_levels();
        assert_eq!(levels.of_answered_ppm, Some(750_000), "60 of 80");
        assert_eq!(levels.of_answered_and_abandoned_ppm, Some(631_578), "60 of 95");
        assert_eq!(levels.without_short_abandons_ppm, Some(666_666), "60 of 90");
        assert_eq!(levels.of_offered_ppm, Some(600_000), "60 of 100");
        assert_eq!(levels.short_abandons_as_served_ppm, Some(684_210), "65 of 95");
        assert_eq!(Figures::default().service_levels().of_answered_ppm, None, "nobody was answered");
    }
}
