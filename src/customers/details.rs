//! What not every entry of a history has: a matter, a pin, an answer to the question how it was, a mood.

use serde::{Deserialize, Serialize};

use super::entry::EntryKind;
use super::model::{InputError, within};

/// Longest name of a matter, in characters.
pub const MATTER_CHARS_MAX: usize = 64;

/// What is asked of customers afterwards. The codes are those of the API and of the store's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Measure {
    /// How satisfied they are, 1 to 5.
    Satisfaction = 1,
    /// How likely they recommend us, 0 to 10.
    Recommendation = 2,
    /// How easy it was, 1 to 7.
    Effort = 3,
}

impl Measure {
    /// The measure with this code, if there is one.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Satisfaction, Self::Recommendation, Self::Effort].into_iter().find(|one| *one as u8 == code)
    }

    /// What can be answered.
    fn range(self) -> (std::ops::RangeInclusive<i8>, &'static str) {
        match self {
            Self::Satisfaction => (1..=5, "1 to 5"),
            Self::Recommendation => (0..=10, "0 to 10"),
            Self::Effort => (1..=7, "1 to 7"),
        }
    }
}

/// What a customer answered when asked how it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    pub measure: Measure,
    pub score: i8,
}

/// What not every entry has.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Details {
    /// The matter it belongs to; empty if none was named.
    pub matter: String,
    /// Stands on top of every card, however old it is.
    pub pinned: bool,
    /// A message from us; the others are the customer's.
    pub outbound: bool,
    /// With `EntryKind::Feedback` alone.
    pub feedback: Option<Feedback>,
    /// How the customer feels, -100 to 100, if whoever records it knows.
    pub sentiment: Option<i8>,
}

impl Details {
    pub(super) fn checked(self, kind: EntryKind) -> Result<Self, InputError> {
        within("entry.matter", &self.matter, MATTER_CHARS_MAX)?;
        if let Some(Feedback { measure, score }) = self.feedback {
            let (range, wanted) = measure.range();
            if kind != EntryKind::Feedback {
                return Err(InputError::OtherKind { field: "entry.feedback", wanted: "FEEDBACK" });
            }
            if !range.contains(&score) {
                return Err(InputError::Range { field: "entry.feedback.score", got: score.into(), wanted });
            }
        }
        if self.outbound && kind != EntryKind::Message {
            return Err(InputError::OtherKind { field: "entry.outbound", wanted: "MESSAGE" });
        }
        match self.sentiment {
            Some(got) if !(-100..=100).contains(&got) => {
                let (field, got) = ("entry.sentiment", got.into());
                Err(InputError::Range { field, got, wanted: "-100 to 100" })
            }
            _ => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::NewEntry;
    use super::*;

    #[test]
    fn an_entry_says_which_detail_is_wrong() {
        let entry = |kind| NewEntry::new(kind, None, 0, "", "").expect("short");
        let asked =
            |measure, score| Details { feedback: Some(Feedback { measure, score }), ..Details::default() };
        assert!(entry(EntryKind::Feedback).with(asked(Measure::Recommendation, 0)).is_ok());
        let beyond = entry(EntryKind::Feedback).with(asked(Measure::Satisfaction, 6));
        let (field, wanted) = ("entry.feedback.score", "1 to 5");
        assert_eq!(beyond, Err(InputError::Range { field, got: 6, wanted }));
        let note = entry(EntryKind::Note).with(asked(Measure::Effort, 1));
        assert_eq!(note, Err(InputError::OtherKind { field: "entry.feedback", wanted: "FEEDBACK" }));
        let sent = Details { outbound: true, ..Details::default() };
        let sent = entry(EntryKind::Visit).with(sent);
        assert_eq!(sent, Err(InputError::OtherKind { field: "entry.outbound", wanted: "MESSAGE" }));
        let (field, wanted) = ("entry.sentiment", "-100 to 100");
        let beyond = entry(EntryKind::Note).with(Details { sentiment: Some(101), ..Details::default() });
        assert_eq!(beyond, Err(InputError::Range { field, got: 101, wanted }));
    }
}
