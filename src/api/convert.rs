//! From the protocol's values to ours and back. What is wrong is refused here, with the field's name.

use super::names::shown;
use super::status::ApiError;
use crate::engine::plan::Channel;
use crate::engine::time::Time;
use crate::proto;
use prost_types::{Duration as ProtoDuration, Timestamp};
use std::time::Duration;

/// A channel that must be one.
pub fn channel(field: &'static str, code: i32) -> Result<Channel, ApiError> {
    let known = Channel::ALL.into_iter().find(|channel| i32::from(*channel as u8) == code);
    let wanted = "1 VOICE, 2 VIDEO, 3 CHAT, 4 MESSAGE, 5 EMAIL, 6 SOCIAL or 7 TASK";
    known.ok_or_else(|| ApiError::field(field, &code.to_string(), wanted))
}

/// The channel's code in the protocol.
pub fn channel_code(channel: Channel) -> i32 {
    i32::from(channel as u8)
}

/// A text of at most `max` characters. It may be personal, so an error tells its length and nothing of it.
pub fn text<'a>(field: &str, value: &'a str, max: usize) -> Result<&'a str, ApiError> {
    // Bytes bound characters from above, so the usual case needs no count.
    if value.len() <= max || value.chars().count() <= max {
        return Ok(value);
    }
    let length = format!("{} characters", value.chars().count());
    Err(ApiError::field(field, &length, &format!("at most {max} characters")))
}

/// A code of at most `max` characters, kept and shown in clear: one line, no control characters.
pub fn code<'a>(field: &'static str, value: &'a str, max: usize) -> Result<&'a str, ApiError> {
    if value.chars().any(char::is_control) {
        return Err(ApiError::field(field, &shown(value), "no control characters"));
    }
    text(field, value, max)
}

/// A text of 1 to `max` characters.
pub fn required<'a>(field: &'static str, value: &'a str, max: usize) -> Result<&'a str, ApiError> {
    if value.is_empty() {
        return Err(ApiError::missing(field, &format!("1 to {max} characters")));
    }
    text(field, value, max)
}

/// A length of time within bounds, in ms; `default` if absent.
pub fn duration_ms(
    field: &'static str,
    value: Option<ProtoDuration>,
    range: std::ops::RangeInclusive<u64>,
    default: u64,
) -> Result<u64, ApiError> {
    let Some(value) = value else { return Ok(default) };
    let ms = u64::try_from(value.seconds)
        .ok()
        .zip(u64::try_from(value.nanos).ok().filter(|nanos| *nanos < 1_000_000_000))
        .and_then(|(seconds, nanos)| seconds.checked_mul(1000)?.checked_add(nanos / 1_000_000));
    ms.filter(|ms| range.contains(ms)).ok_or_else(|| {
        let got = format!("{} s {} ns", value.seconds, value.nanos);
        ApiError::field(field, &got, &format!("{} to {} ms", range.start(), range.end()))
    })
}

/// A moment, in ms since 1970.
pub fn moment(field: &'static str, value: Timestamp) -> Result<Time, ApiError> {
    let ms = u64::try_from(value.seconds)
        .ok()
        .zip(u64::try_from(value.nanos).ok().filter(|nanos| *nanos < 1_000_000_000))
        .filter(|(seconds, _)| *seconds < 253_402_300_800)
        .map(|(seconds, nanos)| seconds * 1000 + nanos / 1_000_000);
    let got = || format!("{} s {} ns", value.seconds, value.nanos);
    ms.map(Time).ok_or_else(|| ApiError::field(field, &got(), "a time between 1970 and 9999"))
}

/// A moment for the protocol.
pub fn timestamp(time: Time) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(time.0 / 1000).unwrap_or(i64::MAX),
        nanos: i32::try_from(time.0 % 1000).unwrap_or_default() * 1_000_000,
    }
}

/// A length of time for the protocol.
pub fn millis(ms: u64) -> ProtoDuration {
    ProtoDuration {
        seconds: i64::try_from(ms / 1000).unwrap_or(i64::MAX),
        nanos: i32::try_from(ms % 1000).unwrap_or_default() * 1_000_000,
    }
}

/// A length of real time for the protocol.
pub fn real(duration: Duration) -> ProtoDuration {
    millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// Where a stream stands that always tells all there is.
pub fn cursor(sequence: u64, time: Time) -> proto::Cursor {
    proto::Cursor { sequence, time: Some(timestamp(time)), index: 0 }
}

/// How many entries a page may have: 0 stands for the default.
pub fn page_size(field: &'static str, asked: i32, default: usize, max: usize) -> Result<usize, ApiError> {
    match usize::try_from(asked) {
        Ok(0) => Ok(default),
        Ok(size) if size <= max => Ok(size),
        _ => Err(ApiError::field(field, &asked.to_string(), &format!("0 to {max}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_outside_its_range_names_the_field() {
        let seconds = |seconds| Some(ProtoDuration { seconds, nanos: 0 });
        assert_eq!(duration_ms("f", seconds(2), 0..=5_000, 7).ok(), Some(2_000));
        assert_eq!(duration_ms("f", None, 0..=5_000, 7).ok(), Some(7));
        for wrong in
            [seconds(-1), seconds(6), seconds(i64::MAX), Some(ProtoDuration { seconds: 0, nanos: -5 })]
        {
            let error = duration_ms("f", wrong, 0..=5_000, 7).expect_err("out of range");
            assert!(error.message().starts_with("f: "), "{}", error.message());
        }
    }

    #[test]
    fn times_survive_the_way_out_and_back() {
        let time = Time(1_767_225_600_123);
        assert_eq!(moment("t", timestamp(time)).ok(), Some(time));
        assert!(moment("t", Timestamp { seconds: -1, nanos: 0 }).is_err());
        assert!(moment("t", Timestamp { seconds: i64::MAX, nanos: 0 }).is_err());
    }

    #[test]
    fn only_the_seven_channels_are_channels() {
        assert_eq!(channel("c", 1).ok(), Some(Channel::Voice));
        for wrong in [0, 8, -1, i32::MAX] {
            assert!(channel("c", wrong).is_err());
        }
    }
}
