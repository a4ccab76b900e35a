//! A person who is to be forgotten: whom to erase, and what was.
//! What was erased is told in numbers and times only. A number alone names nobody: after a restore it may be another
//! one's, so each comes with the time at which whoever had it came.

use super::model::CustomerId;

/// Whom to erase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erasing {
    /// The person a customer is, with everything that is recorded of them.
    Person(CustomerId),
    /// Exactly these, each with the time of its creation, as they were erased before: an older copy of the store may have
    /// brought them back. Who has the number and came at another time is somebody else, and stays.
    Again(Vec<(CustomerId, i64)>),
}

/// Who and what is erased. Times are in ms since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Nobody has these numbers any more, nor ever will. Each with the time of its creation.
    pub customers: Vec<(CustomerId, i64)>,
    /// The interactions of their histories, each with the time it came, in the order of their numbers.
    pub interactions: Vec<(u64, i64)>,
}
