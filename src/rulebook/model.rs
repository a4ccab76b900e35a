//! What a rulebook holds: versions, the one in force, the draft; who does something, and why something is refused.

use crate::engine::time::Time;
use crate::journal::Fault;
use thiserror::Error;

/// Who does something, when and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct By {
    pub who: String,
    pub time: Time,
    pub reason: String,
}

/// What happens to those who wait while rules are published.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Waiting {
    /// Their plans stand.
    #[default]
    Keep,
    /// They are planned again, and keep their places.
    PlanAgain,
}

impl Waiting {
    /// As people say it.
    pub fn word(self) -> &'static str {
        match self {
            Waiting::Keep => "keep",
            Waiting::PlanAgain => "plan again",
        }
    }

    pub(super) fn code(self) -> i64 {
        match self {
            Waiting::Keep => 0,
            Waiting::PlanAgain => 1,
        }
    }

    pub(super) fn of(code: i64) -> Option<Waiting> {
        [Waiting::Keep, Waiting::PlanAgain].into_iter().find(|one| one.code() == code)
    }
}

/// Rules as they were published. Never changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    pub number: u32,
    /// The document, as it came.
    pub text: String,
    /// What the document calls itself.
    pub name: String,
    pub published: By,
    /// Who wrote it: the last who changed the draft, or whoever published a text.
    pub author: String,
    /// The version that was in force before. `None`: the first.
    pub base: Option<u32>,
    /// What was to happen to those who waited.
    pub waiting: Waiting,
}

/// The version in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InForce {
    pub number: u32,
    pub since: Time,
    /// Who waits is being planned again with it: begun, and not noted as done.
    pub planning_again: bool,
}

/// What people work on. One a tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// Need not be right while it is a draft.
    pub text: String,
    /// Names this state of it.
    pub etag: String,
    /// The version in force when it was changed last.
    pub base: u32,
    /// Who changed it last. Empty: nobody has changed anything, it is the version in force.
    pub author: String,
    pub time: Time,
}

/// A document to be published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publication {
    pub text: String,
    pub name: String,
    /// The number written in it.
    pub number: u32,
    pub by: By,
    pub waiting: Waiting,
    /// The state of the draft it is. `None`: a text that was never a draft.
    pub draft: Option<String>,
    /// The version it was made from, if that is known.
    pub base: Option<u32>,
    /// Whoever publishes the draft must be another than who changed it last.
    pub four_eyes: bool,
}

/// Why something is not done. Nothing has changed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Refused {
    #[error("etag: got {got:?}, want {current:?}, which names what is there now")]
    StaleEtag { got: String, current: String },
    #[error("there is no draft")]
    NoDraft,
    #[error("there is no version {number}")]
    VersionUnknown { number: u32 },
    #[error("no version runs beside the one in force")]
    NothingBeside,
    #[error("version {number} is in force already")]
    InForceAlready { number: u32 },
    #[error("it was made from version {base}, and version {in_force} is in force now")]
    BaseOvertaken { base: u32, in_force: u32 },
    #[error("{who} changed the draft last; another supervisor must publish it")]
    SamePerson { who: String },
    #[error("version: got {got}, want at most {}", super::VERSION_MAX)]
    NumberTooHigh { got: u32 },
}

/// Why a rulebook did not do what it was asked.
#[derive(Debug, Error)]
pub enum BookError {
    #[error("{0}")]
    Refused(#[from] Refused),
    #[error("{0}")]
    Fault(#[from] Fault),
}
