//! A week on the wall, in minutes: when a queue is open, when somebody is on shift, and what is left between.

use crate::engine::floor::Floor;
use crate::engine::hours::{DAY_MINUTES, HoursSpec};
use crate::engine::ids::HoursKey;

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// Most gaps that are told one by one.
const GAPS_TOLD_MAX: usize = 3;

/// Parts of a week, as minutes since Monday midnight, in order, none touching another; and whose clock it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Week {
    /// `None`: holds by every clock.
    zone: Option<String>,
    spans: Vec<(u16, u16)>,
}

impl Week {
    /// When a queue with these hours is open.
    pub fn open(floor: &Floor, hours: Option<HoursKey>) -> Option<Week> {
        Week::of(floor, std::iter::once(hours))
    }

    /// When at least one of these holds; without hours, always. `None`: they go by several clocks, and cannot be compared.
    pub fn of(floor: &Floor, all: impl Iterator<Item = Option<HoursKey>>) -> Option<Week> {
        let whole = || Week { zone: None, spans: vec![(0, 7 * DAY_MINUTES)] };
        let mut union = Week { zone: None, spans: Vec::new() };
        for hours in all {
            let spec = hours.and_then(|hours| floor.hours.live(u32::from(hours.0)));
            let Some(entry) = spec else { return Some(whole()) };
            let zone = entry.spec.time_zone.to_string();
            if union.zone.as_ref().is_some_and(|known| *known != zone) {
                return None;
            }
            union.zone = Some(zone);
            union.spans.extend(spans(&entry.spec));
        }
        union.join();
        Some(union)
    }

    fn join(&mut self) {
        self.spans.sort_unstable();
        let mut joined: Vec<(u16, u16)> = Vec::new();
        for (from, to) in self.spans.drain(..) {
            match joined.last_mut() {
                Some(last) if last.1 >= from => last.1 = last.1.max(to),
                _ => joined.push((from, to)),
            }
        }
        self.spans = joined;
    }

    /// What is in it and not in the other. Nothing, where they go by different clocks.
    pub fn without(&self, other: &Week) -> Vec<(u16, u16)> {
        let comparable = self.zone.is_none() || other.zone.is_none() || self.zone == other.zone;
        let mut left = if comparable { self.spans.clone() } else { Vec::new() };
        for (from, to) in &other.spans {
            let cut = |(begin, end): (u16, u16)| {
                [(begin, end.min(*from)), (begin.max(*to), end)]
                    .into_iter()
                    .filter(|(begin, end)| begin < end)
            };
            left = left.into_iter().flat_map(cut).collect();
        }
        left
    }
}

fn spans(spec: &HoursSpec) -> impl Iterator<Item = (u16, u16)> {
    spec.weekly.iter().map(|one| {
        let day = (u16::from(one.weekday) - 1) * DAY_MINUTES;
        (day + one.span.from, day + one.span.to)
    })
}

/// As `Saturday 08:00 to 14:00`; of many, the first three. Empty: no gap.
pub(super) fn shown(gaps: &[(u16, u16)]) -> String {
    let told = gaps.iter().take(GAPS_TOLD_MAX).map(|(from, to)| {
        let (end_day, end) = if to % DAY_MINUTES == 0 {
            ((to - 1) / DAY_MINUTES, DAY_MINUTES)
        } else {
            (to / DAY_MINUTES, to % DAY_MINUTES)
        };
        let day = |number: u16| DAYS[usize::from(number % 7)];
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let begin_day = from / DAY_MINUTES;
        let begin = format!("{} {}", day(begin_day), clock(from % DAY_MINUTES));
        if begin_day == end_day {
            format!("{begin} to {}", clock(end))
        } else {
            format!("{begin} to {} {}", day(end_day), clock(end))
        }
    });
    let mut told: Vec<String> = told.collect();
    if let Some(more) = gaps.len().checked_sub(GAPS_TOLD_MAX).filter(|more| *more > 0) {
        told.push(format!("and {more} more"));
    }
    told.join(", ")
}
