//! Sets of what a fact can be: what a comparison leaves of it. Two are cut, and a cut that is empty is a contradiction.

use super::names;
use super::tree::Ask;
use crate::rules::facts::{Kind, Words};
use std::collections::BTreeSet;

/// What a fact may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Values<'t> {
    /// Spans with both ends, apart from each other and in order. Truth is 0 and 1.
    Numbers(Vec<(i64, i64)>),
    Among(BTreeSet<&'t str>),
    /// Any text but these.
    Outside(BTreeSet<&'t str>),
}

impl<'t> Values<'t> {
    /// Whatever a fact can be at all.
    pub(super) fn all(ask: &Ask) -> Values<'t> {
        match (names::kind(ask), ask.row().map(|fact| (fact.words, fact.range))) {
            (Kind::Text | Kind::Texts, Some((Words::Of(words), _))) => {
                Values::Among(words.iter().copied().collect())
            }
            (Kind::Text | Kind::Texts, _) => Values::Outside(BTreeSet::new()),
            (Kind::Truth, _) => Values::Numbers(vec![(0, 1)]),
            (Kind::Number | Kind::Duration, Some((_, range))) => Values::Numbers(vec![range]),
            (Kind::Number | Kind::Duration, None) => Values::Numbers(vec![(i64::MIN, i64::MAX)]),
        }
    }

    /// These numbers, in any order.
    pub(super) fn these(numbers: impl Iterator<Item = i64>) -> Values<'t> {
        let numbers: BTreeSet<i64> = numbers.collect();
        Values::Numbers(numbers.into_iter().map(|number| (number, number)).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Values::Numbers(spans) => spans.is_empty(),
            Values::Among(words) => words.is_empty(),
            Values::Outside(_) => false,
        }
    }

    /// What is in both.
    pub(super) fn cut(&self, other: &Values<'t>) -> Values<'t> {
        match (self, other) {
            (Values::Numbers(one), Values::Numbers(other)) => Values::Numbers(cut(one, other)),
            (Values::Among(one), Values::Among(other)) => Values::Among(one & other),
            (Values::Among(among), Values::Outside(outside))
            | (Values::Outside(outside), Values::Among(among)) => Values::Among(among - outside),
            (Values::Outside(one), Values::Outside(other)) => Values::Outside(one | other),
            // Of two kinds: nothing is certain, so nothing is cut away.
            _ => self.clone(),
        }
    }

    /// Everything else.
    pub(super) fn rest(&self) -> Values<'t> {
        match self {
            Values::Numbers(spans) => Values::Numbers(between(spans)),
            Values::Among(words) => Values::Outside(words.clone()),
            Values::Outside(words) => Values::Among(words.clone()),
        }
    }

    /// True if nothing of it is outside `other`.
    pub(super) fn is_within(&self, other: &Values<'t>) -> bool {
        self.cut(&other.rest()).is_empty()
    }
}

fn cut(one: &[(i64, i64)], other: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let pairs =
        one.iter().flat_map(|one| other.iter().map(move |other| (one.0.max(other.0), one.1.min(other.1))));
    pairs.filter(|(from, to)| from <= to).collect()
}

fn between(spans: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let (mut rest, mut from) = (Vec::new(), Some(i64::MIN));
    for (begin, end) in spans {
        if let (Some(from), Some(to)) = (from, begin.checked_sub(1))
            && from <= to
        {
            rest.push((from, to));
        }
        from = end.checked_add(1);
    }
    rest.extend(from.map(|from| (from, i64::MAX)));
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_numbers_is_cut_and_turned_without_a_gap() {
        let some = Values::Numbers(vec![(i64::MIN, -1), (3, 3), (7, i64::MAX)]);
        assert_eq!(some.rest(), Values::Numbers(vec![(0, 2), (4, 6)]));
        assert_eq!(some.rest().rest(), some);
        assert!(some.cut(&some.rest()).is_empty());
        assert!(Values::these([3, 9].into_iter()).is_within(&some));
        assert!(!Values::these([3, 4].into_iter()).is_within(&some));
        assert!(Values::Numbers(vec![(i64::MIN, i64::MAX)]).rest().is_empty());
    }

    #[test]
    fn texts_are_some_or_all_but_some() {
        let (some, others) = (Values::Among(["a", "b"].into()), Values::Outside(["b"].into()));
        assert_eq!(some.cut(&others), Values::Among(["a"].into()));
        assert!(!some.is_within(&others));
        assert!(Values::Among(["a"].into()).is_within(&others));
        assert!(!others.is_empty());
    }
}
