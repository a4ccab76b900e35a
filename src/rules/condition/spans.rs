//! Rules by the numbers for which they may hold: thresholds, ranges and single numbers. A number finds those that hold in
//! a logarithm of all for each of them at most, and one more: a sorted list is its own search tree, whose middle is the root.

/// Spans of numbers, each with its rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans(Vec<Span>);

#[derive(Clone, Debug)]
struct Span {
    from: i64,
    to: i64,
    /// The greatest `to` of the part of the list of which this is the middle.
    reach: i64,
    rule: u16,
}

impl Spans {
    /// Of spans with both ends. Those of one rule are apart from each other.
    pub fn new(spans: impl IntoIterator<Item = ((i64, i64), u16)>) -> Spans {
        let span = |((from, to), rule)| Span { from, to, reach: to, rule };
        let mut spans: Vec<Span> = spans.into_iter().map(span).collect();
        spans.sort_by_key(|span| (span.from, span.to, span.rule));
        reach(&mut spans);
        Spans(spans)
    }

    /// Adds the rules within whose spans a number is, each once, in no order.
    pub fn holding(&self, number: i64, found: &mut Vec<u16>) {
        holding(&self.0, number, found);
    }
}

/// Notes how far each part of the list reaches; `None`: it is empty.
fn reach(spans: &mut [Span]) -> Option<i64> {
    let (before, rest) = spans.split_at_mut(spans.len() / 2);
    let (middle, after) = rest.split_first_mut()?;
    middle.reach = [reach(before), reach(after)].into_iter().flatten().fold(middle.to, i64::max);
    Some(middle.reach)
}

fn holding(spans: &[Span], number: i64, found: &mut Vec<u16>) {
    let (before, rest) = spans.split_at(spans.len() / 2);
    let Some((middle, after)) = rest.split_first() else { return };
    if middle.reach < number {
        return;
    }
    holding(before, number, found);
    // Whatever comes after begins no earlier.
    if middle.from <= number {
        if number <= middle.to {
            found.push(middle.rule);
        }
        holding(after, number, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it is by asking each.
    fn by_asking(spans: &[((i64, i64), u16)], number: i64) -> Vec<u16> {
        let within = |((from, to), _): &&((i64, i64), u16)| (*from..=*to).contains(&number);
        let mut found: Vec<u16> = spans.iter().filter(within).map(|(_, rule)| *rule).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn a_number_finds_the_spans_it_is_in_however_many_there_are() {
        let ends = [i64::MIN, -3, 0, 1, 2, 5, i64::MAX];
        let pairs = ends.iter().flat_map(|from| ends.iter().map(move |to| (*from, *to)));
        let pairs = pairs.filter(|(from, to)| from <= to).zip(0..);
        let all: Vec<((i64, i64), u16)> = pairs.collect();
        for count in 0..=all.len() {
            let some = &all[..count];
            let spans = Spans::new(some.iter().copied());
            for number in ends.iter().flat_map(|end| [end.saturating_sub(1), *end, end.saturating_add(1)]) {
                let mut found = Vec::new();
                spans.holding(number, &mut found);
                found.sort_unstable();
                assert_eq!(found, by_asking(some, number), "{number} in the first {count}");
            }
        }
    }
}
