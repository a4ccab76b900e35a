//! How unevenly something is spread.

/// Gini coefficient: half the mean difference of two, over the mean. 0 is evenly; 0 also where there is nothing.
pub fn gini(values: &[u64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let (n, sum) = (sorted.len() as f64, sorted.iter().map(|value| *value as f64).sum::<f64>());
    let weigh = |(at, value): (usize, &u64)| (2.0 * (at as f64 + 1.0) - n - 1.0) * *value as f64;
    if sum > 0.0 { sorted.iter().enumerate().map(weigh).sum::<f64>() / (n * sum) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::gini;

    #[test]
    fn two_of_whom_one_has_all_are_spread_as_far_as_two_can_be() {
        assert!((gini(&[8, 0]) - 0.5).abs() < 1e-9);
        assert!(gini(&[3, 3, 3]).abs() < 1e-9 && gini(&[]).abs() < 1e-9 && gini(&[0, 0]).abs() < 1e-9);
    }
}
