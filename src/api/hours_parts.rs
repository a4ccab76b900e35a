//! Opening hours and shifts, from the protocol and back.

use super::convert::{code, timestamp};
use super::floor_parts::{display_name, etag};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::floor::{Definition, Entry, Floor};
use crate::engine::hours::{
    DAY_MINUTES, HoursSpec, Phase, SPANS_MAX, SPECIAL_DAYS_MAX, Span, SpecialDay, WeeklySpan,
};
use crate::engine::ids::HoursKey;
use crate::proto;
use jiff::civil::Date;

/// Hours as configured.
pub fn define_hours(hours: &proto::Hours) -> Result<Definition, ApiError> {
    if hours.time_zone.is_empty() {
        return Err(ApiError::missing("hours.time_zone", "an IANA name such as Europe/Madrid"));
    }
    at_most("hours.weekly", hours.weekly.len(), SPANS_MAX)?;
    at_most("hours.special_days", hours.special_days.len(), SPECIAL_DAYS_MAX)?;
    let mut weekly = hours.weekly.iter().map(weekly_span).collect::<Result<Vec<_>, _>>()?;
    weekly.sort_unstable();
    let mut special = hours.special_days.iter().map(special_day).collect::<Result<Vec<_>, _>>()?;
    special.sort_unstable();
    if special.windows(2).any(|pair| pair[0].date == pair[1].date) {
        return Err(ApiError::field("hours.special_days", "a date twice", "each date once"));
    }
    Ok(Definition::Hours(HoursSpec {
        display_name: display_name("hours.display_name", &hours.display_name)?,
        time_zone: code("hours.time_zone", &hours.time_zone, 64)?.into(),
        weekly,
        special,
    }))
}

fn at_most(field: &'static str, got: usize, max: usize) -> Result<(), ApiError> {
    let wanted = || ApiError::field(field, &got.to_string(), &format!("at most {max}"));
    if got <= max { Ok(()) } else { Err(wanted()) }
}

fn weekly_span(one: &proto::WeeklySpan) -> Result<WeeklySpan, ApiError> {
    let weekday = u8::try_from(one.weekday).ok().filter(|day| (1..=7).contains(day)).ok_or_else(|| {
        ApiError::field("hours.weekly.weekday", &one.weekday.to_string(), "1 MONDAY to 7 SUNDAY")
    })?;
    let asked = one.span.ok_or_else(|| ApiError::missing("hours.weekly.span", "a span"))?;
    Ok(WeeklySpan { weekday, span: span("hours.weekly.span", &asked)? })
}

fn special_day(one: &proto::SpecialDay) -> Result<SpecialDay, ApiError> {
    let field = "hours.special_days";
    at_most("hours.special_days.spans", one.spans.len(), SPANS_MAX)?;
    let year = i16::try_from(one.year).ok().filter(|year| (1970..=9999).contains(year));
    let date = year.zip(i8::try_from(one.month).ok()).zip(i8::try_from(one.day).ok());
    let date = date.and_then(|((year, month), day)| Date::new(year, month, day).ok()).ok_or_else(|| {
        let got = format!("{}-{:02}-{:02}", one.year, one.month, one.day);
        ApiError::field(field, &got, "a date from 1970 to 9999")
    })?;
    let mut spans = one
        .spans
        .iter()
        .map(|asked| span("hours.special_days.spans", asked))
        .collect::<Result<Vec<_>, _>>()?;
    spans.sort_unstable();
    Ok(SpecialDay { date: (date.year(), date.month(), date.day()), spans })
}

fn span(field: &'static str, asked: &proto::Span) -> Result<Span, ApiError> {
    let fits = asked.from_minute < asked.to_minute && asked.to_minute <= u32::from(DAY_MINUTES);
    let minutes = u16::try_from(asked.from_minute).ok().zip(u16::try_from(asked.to_minute).ok());
    minutes.filter(|_| fits).map(|(from, to)| Span { from, to }).ok_or_else(|| {
        let got = format!("{} to {}", asked.from_minute, asked.to_minute);
        ApiError::field(field, &got, "minutes since midnight, the second after the first, up to 1440")
    })
}

fn show_span(span: &Span) -> proto::Span {
    proto::Span { from_minute: span.from.into(), to_minute: span.to.into() }
}

impl Tenant {
    /// The name of hours; empty for always.
    pub fn hours_name(&self, hours: Option<HoursKey>, floor: &Floor) -> String {
        let entry = hours.and_then(|hours| floor.hours.get(u32::from(hours.0)));
        entry.map(|entry| self.name_of("hours", &entry.name)).unwrap_or_default()
    }

    /// Hours, and what they say now.
    pub fn show_hours(&self, entry: &Entry<HoursSpec>, phase: Option<Phase>) -> proto::Hours {
        let spec = &entry.spec;
        let weekly = spec
            .weekly
            .iter()
            .map(|one| proto::WeeklySpan { weekday: one.weekday.into(), span: Some(show_span(&one.span)) });
        let special = spec.special.iter().map(|one| {
            let (year, month, day) = one.date;
            proto::SpecialDay {
                year: u32::try_from(year).unwrap_or_default(),
                month: u32::try_from(month).unwrap_or_default(),
                day: u32::try_from(day).unwrap_or_default(),
                spans: one.spans.iter().map(show_span).collect(),
            }
        });
        proto::Hours {
            name: self.name_of("hours", &entry.name),
            display_name: spec.display_name.to_string(),
            time_zone: spec.time_zone.to_string(),
            weekly: weekly.collect(),
            special_days: special.collect(),
            etag: etag(entry.revision),
            open: phase.is_some_and(|phase| phase.open),
            turn_time: phase.and_then(|phase| phase.until).map(timestamp),
        }
    }
}
