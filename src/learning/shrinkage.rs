//! How far means of a few draws are to be trusted: towards what all groups have in common, by how much groups differ.

/// What was seen of one group.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Few {
    /// Draws, 0 or more; with forgetting no whole number. Draws that fade count here for what is left of them, which
    /// understates what they tell (by half where they have faded for long): the mean is trusted rather less than more.
    pub count: f64,
    pub mean: f64,
    /// Variance of one draw around the mean of its group, above 0.
    pub within: f64,
}

/// What groups have in common.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Between {
    /// Mean of the groups, each weighed by 1 / (variance + within / count).
    pub mean: f64,
    /// Variance of the groups' true means (tau squared), 0 or more.
    pub variance: f64,
}

/// What is believed of one group.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shrunk {
    pub mean: f64,
    /// Of that mean, as a belief.
    pub variance: f64,
    /// How much its own draws count, 0 to 1.
    pub weight: f64,
}

impl Between {
    /// By the moments of DerSimonian and Laird (1986): tau^2 = (Q - (k - 1)) / (sum w - sum w^2 / sum w), at least 0, with
    /// w = count / within and Q the weighted squares around the weighted mean. `None`: nothing was drawn.
    pub fn of(groups: &[Few]) -> Option<Between> {
        let drawn = || groups.iter().filter(|group| group.count > 0.0);
        let precision = |group: &Few| group.count / group.within;
        let fixed = weighted(drawn(), precision)?;
        let sum: f64 = drawn().map(precision).sum();
        let squares: f64 = drawn().map(|group| precision(group).powi(2)).sum();
        let beside: f64 = drawn().map(|group| precision(group) * (group.mean - fixed).powi(2)).sum();
        let free = sum - squares / sum;
        let excess = beside - (drawn().count() as f64 - 1.0);
        let variance = if free > 0.0 { (excess / free).max(0.0) } else { 0.0 };
        let mean = weighted(drawn(), |group| 1.0 / (variance + group.within / group.count))?;
        Some(Between { mean, variance })
    }

    /// The group's own mean by weight tau^2 / (tau^2 + within / count), the rest being what is common to all.
    pub fn shrink(&self, group: &Few) -> Shrunk {
        let doubt = group.within / group.count;
        // Of nobody seen the doubt has no end, and where groups do not differ there is nothing of their own.
        let weight = if self.variance > 0.0 { self.variance / (self.variance + doubt) } else { 0.0 };
        let mean = if weight > 0.0 { weight * group.mean + (1.0 - weight) * self.mean } else { self.mean };
        Shrunk { mean, variance: self.variance * (1.0 - weight), weight }
    }
}

fn weighted<'a>(groups: impl Iterator<Item = &'a Few>, weight: impl Fn(&Few) -> f64) -> Option<f64> {
    let add = |(sum, of), group: &'a Few| (sum + weight(group) * group.mean, of + weight(group));
    let (sum, of) = groups.fold((0.0, 0.0), add);
    (of > 0.0).then(|| sum / of)
}
