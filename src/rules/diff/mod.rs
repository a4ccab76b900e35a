//! What changes from one document to another, in sentences a supervisor reads: `queue loans: abandon 5 → 40`. Over the
//! documents as they are written, so that a draft that is not right yet can be compared, too, and a part that is new in
//! the format is told without a word of its own here.
//!
//! `tree` is a document of any kind, `phrases` the words for its parts, `compare` walks through two at once.

mod compare;
mod phrases;
#[cfg(test)]
mod tests;
mod tree;

use super::error::DocumentError;
use tree::Tree;

/// Every change in a sentence, in the order of the newer document; none if nothing changes. The number of the version is
/// no change: publishing gives it.
pub fn changes(before: &str, after: &str) -> Result<Vec<String>, DocumentError> {
    let (before, after) = (Tree::read(before)?, Tree::read(after)?);
    let built_in = Tree::read(super::DEFAULT)?;
    Ok(compare::documents(&before, &after, &built_in))
}
