//! The rulebook of a tenant: every version of the rules that was ever published, which one is in force, the draft
//! people work on, and the audit trail of who changed what and why. A file of its own beside the journal.
//!
//! In reading order: `model` is what is kept, `book` opens the file and publishes, `draft` is the draft, `audit` the
//! chain, `verify` looks for what was changed in it; `beside` is a version that runs beside the one in force.
//! Deliberately absent: a way to change a version or a row of the trail.

mod audit;
mod beside;
mod book;
mod draft;
mod model;
mod read;
mod verify;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod damage;

pub use audit::{Act, Audited};
pub use beside::{Bounded, Running};
pub use book::Rulebook;
pub(crate) use book::copy;
pub use draft::DRAFTS_KEPT_MAX;
pub use model::{BookError, By, Draft, InForce, Publication, Refused, Version, Waiting};
pub use verify::{Trouble, Verdict};

/// Highest number a document may bring along: above it there would soon be none left.
pub const VERSION_MAX: u32 = 1_000_000_000;
