//! Quantiles of a gamma distribution, and of a normal one on the way.

/// The value that this share, above 0 and below 1, of a gamma distribution stays below. `mean` is above 0, `variance` 0 or
/// more.
///
/// Wilson and Hilferty (1931): the cube root of a gamma variable is nearly normal, so x = mean (1 - 1/(9k) + z/(3 sqrt k))^3
/// with k = mean^2 / variance. Sums of exponential waits have k of 1 or more, and there the share that really stays below
/// is within 0.007 of the one asked for between 0.1 and 0.9 (at k = 1 the value itself: p10 -6.6 %, p50 +1.3 %, p90 -1 %).
/// That is nothing beside not knowing the rates, and no reason for a library of special functions.
pub fn gamma_quantile(mean: f64, variance: f64, share: f64) -> f64 {
    if variance <= 0.0 {
        return mean;
    }
    let shape = mean * mean / variance;
    let root = 1.0 - 1.0 / (9.0 * shape) + normal_quantile(share) / (3.0 * shape.sqrt());
    mean * root.max(0.0).powi(3)
}

/// The value that this share of a standard normal distribution stays below, within 0.00045 (Abramowitz and Stegun,
/// 26.2.23).
fn normal_quantile(share: f64) -> f64 {
    let tail = share.min(1.0 - share).max(f64::MIN_POSITIVE);
    let t = (-2.0 * tail.ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let value = t - above / below;
    if share < 0.5 { -value } else { value }
}
