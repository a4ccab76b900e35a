//! What an evaluation reads: the facts of one interaction at one moment. Made anew for each interaction, of borrowed
//! parts. What is gathered only for those who ask (figures of queues, opening hours, attributes) is what
//! `Condition::uses` names.
//!
//! Deliberately absent: a clock. The moment is handed in; the wall that shows it is a time zone of this build.

use crate::engine::channel::Channel;
use crate::engine::journey::Journey;
use crate::engine::plan::Facts;
use crate::engine::time::Time;
use arrayvec::ArrayString;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write;

/// The facts of one interaction.
#[derive(Clone, Copy, Debug)]
pub struct Grounds<'g> {
    pub interaction: Incoming<'g>,
    /// Somebody knows whose it is.
    pub is_customer_known: bool,
    /// What was known of the customer.
    pub journey: Option<&'g Journey>,
    pub local: Local,
    /// Figures of the queue it is meant for. `None`: no queue was named, or it is not on this floor.
    pub queue: Option<Figures>,
    /// Figures of queues that are asked for by name.
    pub queues: &'g [(&'g str, Figures)],
    /// Opening hours that are asked for by name: whether they are open now.
    pub hours: &'g [(&'g str, bool)],
    /// What came with the interaction, of the facts that the document declares.
    pub attributes: &'g [(&'g str, Attribute<'g>)],
}

/// What the source said of an interaction.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'g> {
    pub channel: Channel,
    /// The system that handed it in.
    pub source: &'g str,
    /// The queue it named. Empty: none.
    pub queue: &'g str,
    pub intent: &'g str,
    pub language: &'g str,
    pub matter: &'g str,
    /// -10 to 10.
    pub priority: i16,
    /// Names of skills.
    pub requires: &'g [&'g str],
    /// Less than zero where it is overdue.
    pub due_in_ms: Option<i64>,
    pub is_scheduled: bool,
    /// The name of an agent. Empty: none.
    pub preferred_agent: &'g str,
}

impl<'g> Incoming<'g> {
    /// What the facts of the engine say, at a moment. Source, queue, skills and agent have other names there.
    pub fn of(channel: Channel, facts: &'g Facts, now: Time) -> Incoming<'g> {
        Incoming {
            channel,
            source: "",
            queue: "",
            intent: &facts.intent,
            language: &facts.language,
            matter: &facts.matter,
            priority: facts.priority,
            requires: &[],
            due_in_ms: facts.due.map(|due| until(due, now)),
            is_scheduled: facts.not_before.is_some(),
            preferred_agent: "",
        }
    }
}

/// How long until then, ms; less than zero if it is past.
fn until(then: Time, now: Time) -> i64 {
    let length = |ms| i64::try_from(ms).unwrap_or(i64::MAX);
    if then >= now { length(then.since(now)) } else { -length(now.since(then)) }
}

/// Figures of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    pub is_open: bool,
    pub waiting: u32,
    /// 0 where nobody waits.
    pub longest_wait_ms: u64,
    /// Agents who are ready for work.
    pub free_agents: u32,
    /// As `Tally::service_level_ppm` says it: parts per million.
    pub service_level_ppm: u32,
    /// `None`: cannot be told.
    pub estimated_wait_ms: Option<u64>,
}

impl Figures {
    /// In whole per cent, rounded down: 79.99 % is below 80.
    pub(super) fn service_level(&self) -> i64 {
        i64::from(self.service_level_ppm.min(1_000_000) / 10_000)
    }
}

/// A fact that the document declares, as it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attribute<'g> {
    Text(&'g str),
    Number(i64),
    Truth(bool),
}

/// What the clock on a wall shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Local {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 1 is Monday.
    pub weekday: u8,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    date: ArrayString<10>,
}

impl Local {
    /// What it shows at a moment in a time zone. A moment beyond the year 9999 is the last of it.
    pub fn at(now: Time, zone: &TimeZone) -> Local {
        let ms = i64::try_from(now.0).unwrap_or(i64::MAX);
        let shown = zone.to_datetime(Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX));
        let small = |number: i8| u8::try_from(number).unwrap_or_default();
        let mut date = ArrayString::new();
        write!(date, "{:04}-{:02}-{:02}", shown.year(), shown.month(), shown.day())
            .expect("a year from 1970 to 9999 has four digits");
        Local {
            hour: small(shown.hour()),
            minute: small(shown.minute()),
            weekday: small(shown.date().weekday().to_monday_one_offset()),
            month: small(shown.month()),
            day: small(shown.day()),
            date,
        }
    }

    /// As 2026-12-24.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// 0 to 1,439.
    pub fn minute_of_day(&self) -> i64 {
        i64::from(self.hour) * 60 + i64::from(self.minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::hours::time_zone;

    fn at(text: &str) -> (String, u8, i64) {
        let moment: Timestamp = text.parse().expect("a timestamp");
        let now = Time(u64::try_from(moment.as_millisecond()).expect("after 1970"));
        let local = Local::at(now, &time_zone("Europe/Madrid").expect("it comes with the build"));
        (local.date().to_owned(), local.weekday, local.minute_of_day())
    }

    #[test]
    fn the_clock_on_the_wall_knows_midnight_and_summer_time() {
        assert_eq!(at("2026-12-31T22:59:59Z"), ("2026-12-31".to_owned(), 4, 1_439));
        assert_eq!(at("2026-12-31T23:00:00Z"), ("2027-01-01".to_owned(), 5, 0));
        assert_eq!(at("2026-03-29T00:59:00Z"), ("2026-03-29".to_owned(), 7, 119));
        assert_eq!(at("2026-03-29T01:00:00Z"), ("2026-03-29".to_owned(), 7, 180));
    }

    #[test]
    fn a_moment_that_no_calendar_has_is_the_last_of_the_calendar() {
        assert_eq!(Local::at(Time(u64::MAX), &TimeZone::UTC).date(), "9999-12-30");
        assert_eq!(Local::at(Time(0), &TimeZone::UTC).date(), "1970-01-01");
    }

    #[test]
    fn what_is_due_is_told_from_now_on_and_may_be_past() {
        let due = |due: u64, now: u64| {
            let facts = Facts { due: Some(Time(due)), ..Facts::default() };
            Incoming::of(Channel::Task, &facts, Time(now)).due_in_ms
        };
        assert_eq!(due(5_000, 2_000), Some(3_000));
        assert_eq!(due(2_000, 5_000), Some(-3_000));
        assert_eq!(due(u64::MAX, 0), Some(i64::MAX));
        assert_eq!(Incoming::of(Channel::Task, &Facts::default(), Time(1)).due_in_ms, None);
    }
}
