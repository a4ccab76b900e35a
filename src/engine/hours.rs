//! Opening hours: when a queue is open or a shift lasts, by the clock on the wall of a time zone, with holidays and
//! other special days. Looked up when something changes; the answer travels in the event, so replay needs no calendar.
//!
//! The rules of time zones come with the build, not from the machine: the same build says the same everywhere.

use super::ids::Text;
use super::time::Time;
use jiff::civil::{Date, Time as Clock, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan, Zoned};
use serde::{Deserialize, Serialize};

/// Most spans of a week, and of a special day.
pub const SPANS_MAX: usize = 64;
/// Most special days.
pub const SPECIAL_DAYS_MAX: usize = 1_000;
/// Minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;
/// Hours that say nothing for longer than this are taken to say nothing any more.
const SEARCH_DAYS: i32 = 400;

/// Part of a day: minutes since midnight, the end not included. An end of 1,440 is midnight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Span {
    pub from: u16,
    pub to: u16,
}

/// Part of each week.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct WeeklySpan {
    /// 1 is Monday, 7 is Sunday.
    pub weekday: u8,
    pub span: Span,
}

/// A date on which the week does not count: a holiday, or other hours for once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct SpecialDay {
    /// Year, month, day.
    pub date: (i16, i8, i8),
    /// Empty: closed all day.
    pub spans: Vec<Span>,
}

/// Opening hours as configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HoursSpec {
    pub display_name: Text,
    /// IANA: `Europe/Madrid`.
    pub time_zone: Text,
    pub weekly: Vec<WeeklySpan>,
    pub special: Vec<SpecialDay>,
}

/// What the hours say at a moment, and until when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Phase {
    pub open: bool,
    /// When it turns. `None`: not within 400 days.
    pub until: Option<Time>,
    /// The next midnight there: daily counts begin anew.
    pub midnight: Time,
}

impl Phase {
    /// When somebody must look again.
    pub fn ends(&self) -> Time {
        self.until.map_or(self.midnight, |until| until.min(self.midnight))
    }
}

/// The zone of that name, if this build knows it.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// What `spec` says at `now`. The zone is checked when hours are defined; an unknown one counts as UTC.
pub fn phase(spec: &HoursSpec, now: Time) -> Phase {
    let zone = time_zone(&spec.time_zone).unwrap_or(TimeZone::UTC);
    let local = at(now, &zone);
    let open = is_open(spec, &local);
    // Later than now whatever a calendar says, so that whoever looks again then gets on.
    let midnight = midnight_after(local.date(), &zone).max(now.after(60_000));
    Phase { open, until: turns(spec, &zone, now, open), midnight }
}

fn at(time: Time, zone: &TimeZone) -> Zoned {
    let ms = i64::try_from(time.0).expect("times are bounded far below 2^63 ms");
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX).to_zoned(zone.clone())
}

fn is_open(spec: &HoursSpec, local: &Zoned) -> bool {
    let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute()))
        .expect("hours and minutes are not negative");
    spans_on(spec, local.date()).iter().any(|span| span.from <= minute && minute < span.to)
}

fn spans_on(spec: &HoursSpec, date: Date) -> Vec<Span> {
    let day = (date.year(), date.month(), date.day());
    if let Some(special) = spec.special.iter().find(|special| special.date == day) {
        return special.spans.clone();
    }
    let weekday = number(date.weekday());
    spec.weekly.iter().filter(|weekly| weekly.weekday == weekday).map(|weekly| weekly.span).collect()
}

fn number(weekday: Weekday) -> u8 {
    u8::try_from(weekday.to_monday_one_offset()).expect("1 to 7")
}

/// The first moment after `now` at which it is not `open` any more, or is.
fn turns(spec: &HoursSpec, zone: &TimeZone, now: Time, open: bool) -> Option<Time> {
    let mut date = at(now, zone).date();
    for _ in 0..SEARCH_DAYS {
        let mut edges: Vec<u16> = spans_on(spec, date).iter().flat_map(|span| [span.from, span.to]).collect();
        // Midnight is an edge too: the next day may be a special one.
        edges.push(0);
        edges.sort_unstable();
        edges.dedup();
        for minute in edges {
            let moment = wall(date, minute, zone);
            if moment > now && is_open(spec, &at(moment, zone)) != open {
                return Some(moment);
            }
        }
        date = date.tomorrow().ok()?;
    }
    None
}

/// The moment a clock on the wall shows this minute of that day; where it is skipped, the moment of the jump.
fn wall(date: Date, minute: u16, zone: &TimeZone) -> Time {
    let (date, minute) = if minute >= DAY_MINUTES {
        (date.tomorrow().unwrap_or(date), minute - DAY_MINUTES)
    } else {
        (date, minute)
    };
    let hour = i8::try_from(minute / 60).expect("below 24");
    let clock = Clock::constant(hour, i8::try_from(minute % 60).expect("below 60"), 0, 0);
    let zoned = date.to_datetime(clock).to_zoned(zone.clone());
    millis(zoned.map_or(0, |zoned| zoned.timestamp().as_millisecond()))
}

fn midnight_after(date: Date, zone: &TimeZone) -> Time {
    let tomorrow = date.checked_add(1.day()).unwrap_or(Date::MAX);
    wall(tomorrow, 0, zone)
}

fn millis(ms: i64) -> Time {
    Time(u64::try_from(ms).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weekdays(from: u16, to: u16) -> Vec<WeeklySpan> {
        (1..=5).map(|weekday| WeeklySpan { weekday, span: Span { from, to } }).collect()
    }

    fn madrid(weekly: Vec<WeeklySpan>, special: Vec<SpecialDay>) -> HoursSpec {
        HoursSpec { display_name: "".into(), time_zone: "Europe/Madrid".into(), weekly, special }
    }

    fn utc(text: &str) -> Time {
        millis(text.parse::<Timestamp>().expect("a timestamp").as_millisecond())
    }

    #[test]
    fn a_queue_opens_and_closes_by_the_clock_on_its_wall() {
        let spec = madrid(weekdays(9 * 60, 18 * 60), Vec::new());
        // A Wednesday in winter: one hour before UTC.
        let phase_at = |text| phase(&spec, utc(text));
        assert_eq!(phase_at("2026-11-25T07:59:59Z").until, Some(utc("2026-11-25T08:00:00Z")));
        assert!(!phase_at("2026-11-25T07:59:59Z").open);
        assert!(phase_at("2026-11-25T08:00:00Z").open);
        assert_eq!(phase_at("2026-11-25T08:00:00Z").until, Some(utc("2026-11-25T17:00:00Z")));
        assert_eq!(phase_at("2026-11-25T08:00:00Z").midnight, utc("2026-11-25T23:00:00Z"));
        // Friday evening: the weekend is closed.
        assert_eq!(phase_at("2026-11-27T17:00:00Z").until, Some(utc("2026-11-30T08:00:00Z")));
        // In summer it is two hours.
        assert!(phase_at("2026-07-01T07:00:00Z").open);
    }

    #[test]
    fn a_holiday_is_closed_and_a_special_day_has_its_own_hours() {
        let holiday = SpecialDay { date: (2026, 12, 25), spans: Vec::new() };
        let eve = SpecialDay { date: (2026, 12, 24), spans: vec![Span { from: 9 * 60, to: 13 * 60 }] };
        let spec = madrid(weekdays(9 * 60, 18 * 60), vec![eve, holiday]);
        assert_eq!(phase(&spec, utc("2026-12-24T08:30:00Z")).until, Some(utc("2026-12-24T12:00:00Z")));
        let closed = phase(&spec, utc("2026-12-24T12:00:00Z"));
        assert!(!closed.open);
        assert_eq!(closed.until, Some(utc("2026-12-28T08:00:00Z")));
    }

    #[test]
    fn hours_across_midnight_do_not_turn_there() {
        let mut weekly: Vec<WeeklySpan> =
            (1..=7).map(|weekday| WeeklySpan { weekday, span: Span { from: 22 * 60, to: 1_440 } }).collect();
        weekly.extend((1..=7).map(|weekday| WeeklySpan { weekday, span: Span { from: 0, to: 6 * 60 } }));
        let spec = madrid(weekly, Vec::new());
        let night = phase(&spec, utc("2026-11-25T22:30:00Z"));
        assert!(night.open);
        assert_eq!(night.until, Some(utc("2026-11-26T05:00:00Z")));
    }

    #[test]
    fn the_hour_that_summer_time_skips_opens_at_the_jump() {
        let sunday = vec![WeeklySpan { weekday: 7, span: Span { from: 2 * 60 + 30, to: 5 * 60 } }];
        let spec = madrid(sunday, Vec::new());
        // 29 March 2026, 02:00 becomes 03:00.
        let before = phase(&spec, utc("2026-03-29T00:59:59Z"));
        assert!(!before.open);
        assert!(before.until.is_some_and(|at| at <= utc("2026-03-29T01:30:00Z")));
        assert!(phase(&spec, before.until.expect("it opens")).open);
    }

    #[test]
    fn hours_that_never_open_never_turn() {
        assert_eq!(phase(&madrid(Vec::new(), Vec::new()), utc("2026-11-25T08:00:00Z")).until, None);
        let always = (1..=7).map(|weekday| WeeklySpan { weekday, span: Span { from: 0, to: 1_440 } });
        let spec = madrid(always.collect(), Vec::new());
        assert_eq!(phase(&spec, utc("2026-11-25T08:00:00Z")).until, None);
    }

    #[test]
    fn a_zone_nobody_knows_is_none() {
        assert!(time_zone("Europe/Madrid").is_some());
        assert!(time_zone("Mars/Olympus").is_none());
    }
}
