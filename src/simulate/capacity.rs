//! How many customers of a mix a floor can serve if its agents never rest: a linear programme, by the simplex method.

/// Of a floor's groups so many agents each, who take `handle_s[kind][group]` for one (`None`: not served): customers an
/// hour of all kinds together that can be served in the long run, if they come in these shares.
pub fn capacity_per_hour(shares: &[f64], agents: &[f64], handle_s: &[Vec<Option<f64>>]) -> f64 {
    let mut table = Table::new(shares, agents, handle_s);
    while let Some((row, column)) = table.pivot() {
        table.exchange(row, column);
    }
    table.greatest() * 3_600.0
}

/// Below this a number is rounding.
const NOTHING: f64 = 1e-9;

/// Rows: for each kind, what comes of it less what is served is at most 0; for each group, its agents' shares of time
/// are at most its agents; last, what is to be great. Columns: customers a second, then the share of time of each group
/// for each kind it serves, then what a row leaves free; last, the bound.
struct Table {
    rows: Vec<Vec<f64>>,
    /// Of each row but the last: the column that stands for it.
    stands_for: Vec<usize>,
}

impl Table {
    fn new(shares: &[f64], agents: &[f64], handle_s: &[Vec<Option<f64>>]) -> Table {
        let (kinds, groups) = (shares.len(), agents.len());
        let pairs: Vec<(usize, usize, f64)> = (0..kinds)
            .flat_map(|kind| (0..groups).map(move |group| (kind, group)))
            .filter_map(|(kind, group)| handle_s[kind][group].map(|handle_s| (kind, group, handle_s)))
            .collect();
        let slack = 1 + pairs.len();
        let mut rows = vec![vec![0.0; slack + kinds + groups + 1]; kinds + groups + 1];
        for (kind, share) in shares.iter().enumerate() {
            rows[kind][0] = *share;
        }
        for (column, (kind, group, handle_s)) in (1..).zip(&pairs) {
            rows[*kind][column] = -1.0 / handle_s;
            rows[kinds + group][column] = 1.0;
        }
        for row in 0..kinds + groups {
            rows[row][slack + row] = 1.0;
        }
        for (group, agents) in agents.iter().enumerate() {
            *rows[kinds + group].last_mut().expect("a row has a bound") = *agents;
        }
        rows[kinds + groups][0] = -1.0;
        Table { rows, stands_for: (slack..slack + kinds + groups).collect() }
    }

    /// The next exchange, by the smallest columns (Bland), which never goes in a circle. `None`: it is the best.
    fn pivot(&self) -> Option<(usize, usize)> {
        let (aim, rows) = self.rows.split_last()?;
        let column = aim[..aim.len() - 1].iter().position(|gain| *gain < -NOTHING)?;
        let ratio = |row: &Vec<f64>| row[row.len() - 1] / row[column];
        let row = (0..rows.len()).filter(|row| rows[*row][column] > NOTHING).min_by(|a, b| {
            let tie = self.stands_for[*a].cmp(&self.stands_for[*b]);
            ratio(&rows[*a]).total_cmp(&ratio(&rows[*b])).then(tie)
        })?;
        Some((row, column))
    }

    fn exchange(&mut self, row: usize, column: usize) {
        let by = self.rows[row][column];
        self.rows[row].iter_mut().for_each(|value| *value /= by);
        let pivot = self.rows[row].clone();
        for (number, other) in self.rows.iter_mut().enumerate() {
            let times = other[column];
            if number != row && times != 0.0 {
                other.iter_mut().zip(&pivot).for_each(|(value, pivot)| *value -= times * pivot);
            }
        }
        self.stands_for[row] = column;
    }

    fn greatest(&self) -> f64 {
        self.rows.last().and_then(|aim| aim.last()).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_with_two_skills_go_where_they_are_needed() {
        // 6 agents for the first kind alone, 4 for both, a minute each: half and half, all ten are busy.
        let handle_s = vec![vec![Some(60.0), Some(60.0)], vec![None, Some(60.0)]];
        let near = |shares: &[f64], want: f64| {
            let found = capacity_per_hour(shares, &[6.0, 4.0], &handle_s);
            assert!((found - want).abs() < 1e-6, "{found} instead of {want}");
        };
        near(&[0.6, 0.4], 600.0);
        // Nobody of the first group helps with the second kind.
        near(&[0.5, 0.5], 480.0);
        near(&[1.0, 0.0], 600.0);
    }

    #[test]
    fn a_kind_nobody_serves_leaves_no_capacity() {
        assert!(capacity_per_hour(&[0.5, 0.5], &[6.0], &[vec![Some(60.0)], vec![None]]).abs() < 1e-9);
    }
}
