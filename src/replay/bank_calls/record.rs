//! The vocabulary of the bank's call log: one `Call` a row, with clock times made absolute.
//!
//! A time is in seconds since 1970 of the bank's own clock. Whoever reads a `Call` can rely on what
//! `parse.rs` checked: times in order of the day, waits that equal the difference of their clock times.

use std::fmt;

use jiff::civil::Date;
use serde::{Serialize, Serializer};

/// Seconds since 1970 on the wall clock of the bank, which has no time zone here.
pub type Second = i64;

/// What a customer called about, which is also the queue and the skill in the replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Regular activity.
    Ps,
    /// Regular activity in English.
    Pe,
    /// Internet support.
    In,
    /// Stock exchange.
    Ne,
    /// Prospective customer.
    Nw,
    /// Returned by the bank, then put on hold.
    Tt,
    /// Stray rows whose meaning the source had lost.
    Aa,
}

impl Kind {
    /// Every kind, in the order of the tables.
    pub const ALL: [Kind; 7] = [Kind::Ps, Kind::Pe, Kind::In, Kind::Ne, Kind::Nw, Kind::Tt, Kind::Aa];

    /// The two letters of the log.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Ps => "PS",
            Kind::Pe => "PE",
            Kind::In => "IN",
            Kind::Ne => "NE",
            Kind::Nw => "NW",
            Kind::Tt => "TT",
            Kind::Aa => "AA",
        }
    }

    /// The kind of two letters of the log, in capitals.
    pub fn from_code(code: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// An agent of the log, such as `A01`; `Z01` to `Z99` sat at the second desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentNo {
    /// `A` or `Z`.
    pub desk: char,
    /// Running number, 1 to 99.
    pub number: u8,
}

impl fmt::Display for AgentNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:02}", self.desk, self.number)
    }
}

/// How a call ended, as the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An agent took it.
    Agent,
    /// The customer hung up, in the queue or before it.
    Hang,
    /// An artefact of the switch, to be left out.
    Phantom,
}

/// The service of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// When it began.
    pub start: Second,
    /// How long it lasted, in seconds.
    pub work_s: u32,
    /// Who served. `None` where the log names nobody.
    pub agent: Option<AgentNo>,
}

/// One row of the log.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Line in the file, the header being line 1.
    pub row: u32,
    /// What it was about.
    pub kind: Kind,
    /// Day of the row: the one on which the call entered the voice menu.
    pub day: Date,
    /// True for customers the bank called priority customers (priority 2).
    pub priority_customer: bool,
    /// When it could first be given to an agent: joined the queue, or left the voice menu.
    pub arrival: Second,
    /// Whether it queued at all.
    pub queued: bool,
    /// Seconds in the queue, 0 for calls that never queued.
    pub wait_s: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// `Some` exactly for calls an agent took.
    pub service: Option<Service>,
}

impl Call {
    /// Queued or served, and no phantom: the calls a floor has to answer for.
    pub fn offered(&self) -> bool {
        match self.outcome {
            Outcome::Agent => true,
            Outcome::Hang => self.queued,
            Outcome::Phantom => false,
        }
    }

    /// An agent took it.
    pub fn served(&self) -> bool {
        self.service.is_some()
    }

    /// When it left the line, served or not.
    pub fn left_line(&self) -> Second {
        self.arrival + Second::from(self.wait_s)
    }
}

/// Midnight at which a day of the bank begins.
pub(crate) fn midnight(day: Date) -> Second {
    let days = (day - jiff::civil::date(1970, 1, 1)).get_days();
    Second::from(days) * 86_400
}
