//! The longest hold, as it is asked for on the command line.

/// Longest hold that can be asked for, ms: a day.
const HOLD_MAX_MS: u64 = 86_400_000;

/// Longest hold, ms; `None`: as long as it pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold(pub Option<u64>);

/// Reads a time, or `unlimited`.
pub fn parse(text: &str) -> Result<Hold, String> {
    if text == "unlimited" {
        return Ok(Hold(None));
    }
    let wanted = "expected a time such as 0s, 60s or 2m, up to 24h, or unlimited".to_owned();
    let parsed: jiff::SignedDuration = text.parse().map_err(|error| format!("{error}; {wanted}"))?;
    let ms = u64::try_from(parsed.as_millis()).ok().filter(|ms| *ms <= HOLD_MAX_MS).ok_or(wanted)?;
    Ok(Hold(Some(ms)))
}
