//! What is wrong with a condition: where in it, what came and what would be right; and the name somebody may have meant.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Wrong {
    /// In the condition, the first being 1.
    pub line: u32,
    /// In characters, the first of the line being 1.
    pub column: u32,
    pub got: String,
    pub want: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Wrong { line, column, got, want } = self;
        write!(f, "line {line}, column {column}: got {got}, want {want}")
    }
}

impl std::error::Error for Wrong {}

/// The name that differs least from `said`, if it differs so little that it may have been meant.
pub(super) fn nearest<'n>(said: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let far = (said.chars().count() / 3).clamp(1, 2);
    names
        .map(|name| (difference(said, name), name))
        .filter(|(apart, _)| *apart <= far)
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be changed, added, left out or swapped with their neighbour.
fn difference(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let changed = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_told_from_another_word() {
        let names = ["interaction.channel", "interaction.source", "customer.tier"];
        let meant = |said| nearest(said, names.into_iter());
        assert_eq!(meant("interaction.chanel"), Some("interaction.channel"));
        assert_eq!(meant("customer.teir"), Some("customer.tier"));
        assert_eq!(meant("weather.rain"), None);
        assert_eq!(difference("ab", "ba"), 1);
        assert_eq!(difference("", "abc"), 3);
    }
}
