//! How far a mean of days may be off, and by how much two ways differ on the same days.

/// Half the width of the 95 % interval of a mean (Student). One day alone tells nothing: 0.
pub(crate) fn half_width(values: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let count = values.len();
    if count < 2 {
        return 0.0;
    }
    let mean = values.clone().sum::<f64>() / count as f64;
    let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
    student(count - 1) * (variance / count as f64).sqrt()
}

/// Of pairs of figures, a pair a day: the mean of the differences times the unit, and half the width of its interval.
pub(crate) fn differences(pairs: &[(f64, f64)], unit: f64) -> (f64, f64) {
    let all: Vec<f64> = pairs.iter().map(|(one, other)| (one - other) * unit).collect();
    (all.iter().sum::<f64>() / all.len() as f64, half_width(all.into_iter()))
}

/// The same in per cent of the mean of the others; 0 if that is nothing.
pub(crate) fn percent(pairs: &[(f64, f64)]) -> (f64, f64) {
    let base = pairs.iter().map(|(_, other)| other).sum::<f64>() / pairs.len() as f64;
    if base > 0.0 { differences(pairs, 100.0 / base) } else { (0.0, 0.0) }
}

/// The 97.5 % point of Student's distribution: exact to 4 degrees of freedom, then by the expansion in their inverse.
fn student(degrees: usize) -> f64 {
    const FEW: [f64; 4] = [12.706, 4.303, 3.182, 2.776];
    const NORMAL: f64 = 1.959_964;
    if let Some(few) = degrees.checked_sub(1).and_then(|at| FEW.get(at)) {
        return *few;
    }
    let (z, v) = (NORMAL, degrees as f64);
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + (z.powi(3) + z) / (4.0 * v) + second / (v * v) + third / v.powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_student() {
        for (degrees, exact) in [(1, 12.706), (5, 2.571), (9, 2.262), (30, 2.042), (1_000, 1.962)] {
            assert!((student(degrees) - exact).abs() < 0.01, "{degrees}: {}", student(degrees));
        }
        let values = [1.0, 2.0, 3.0, 4.0];
        assert!((half_width(values.into_iter()) - 3.182 * (5.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-9);
        assert!(half_width([1.0].into_iter()).abs() < 1e-9);
    }
}
