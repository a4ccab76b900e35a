//! How long the entries of histories are kept, by their kind. What is not named is kept for good.

use super::card::DAY_MS;
use super::entry::EntryKind;
use super::store::Purging;

/// A hundred years: longer is for good.
const DAYS_MAX: i64 = 36_500;

/// So many days for each kind that is not kept for good.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Retention(Vec<(EntryKind, i64)>);

impl Retention {
    /// Reads `visit=90d,message=730d`: each kind once, 1 to 36,500 days.
    pub fn parse(text: &str) -> Result<Retention, String> {
        let mut all: Vec<(EntryKind, i64)> = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (kind, days) = one(part).ok_or_else(|| {
                format!("got {part:?}, want a kind (contact, visit, purchase, message, note, feedback) and 1d to {DAYS_MAX}d, as in visit=90d")
            })?;
            if all.iter().any(|(known, _)| *known == kind) {
                return Err(format!("got {part:?}, want each kind once"));
            }
            all.push((kind, days));
        }
        Ok(Retention(all))
    }

    /// Everything is kept for good.
    pub fn is_for_good(&self) -> bool {
        self.0.is_empty()
    }

    /// What to let go at a moment, among so many numbers after one.
    pub fn purging(&self, now_ms: i64, after: u64, looked_at: u64) -> Purging {
        let before = |(kind, days): &(EntryKind, i64)| (*kind, now_ms.saturating_sub(days * DAY_MS));
        Purging { before_ms: self.0.iter().map(before).collect(), after, looked_at, only_look: false }
    }
}

fn one(part: &str) -> Option<(EntryKind, i64)> {
    let (kind, days) = part.split_once('=')?;
    let kind = match kind.trim() {
        "contact" => EntryKind::Contact,
        "visit" => EntryKind::Visit,
        "purchase" => EntryKind::Purchase,
        "message" => EntryKind::Message,
        "note" => EntryKind::Note,
        "feedback" => EntryKind::Feedback,
        _ => return None,
    };
    let days = days.trim().strip_suffix('d')?.parse().ok()?;
    (1..=DAYS_MAX).contains(&days).then_some((kind, days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_kept_so_many_days() {
        let retention = Retention::parse("visit=90d, message=730d").expect("it is right");
        let purging = retention.purging(100 * DAY_MS, 7, 10);
        let before_ms = vec![(EntryKind::Visit, 10 * DAY_MS), (EntryKind::Message, -630 * DAY_MS)];
        assert_eq!(purging, Purging { before_ms, after: 7, looked_at: 10, only_look: false });
        assert!(Retention::default().is_for_good() && !retention.is_for_good());
    }

    #[test]
    fn what_cannot_be_read_is_told_with_what_would_be_right() {
        for text in ["", "visit", "visit=90", "visit=0d", "calls=9d", "visit=36501d"] {
            let told = Retention::parse(text).expect_err("it is wrong");
            assert!(told.contains("as in visit=90d"), "{told}");
        }
        let twice = Retention::parse("visit=9d,visit=8d");
        assert_eq!(twice, Err("got \"visit=8d\", want each kind once".to_owned()));
    }
}
