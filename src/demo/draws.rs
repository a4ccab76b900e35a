//! Chance: when somebody contacts us, how long they talk, how long they are willing to wait.
//!
//! Pure functions of a generator, so that a seed gives the same day again. What follows from the answers of
//! the server (who is served when) depends on the machine, and no seed can repeat that.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Exp, LogNormal};

use super::constants::{CHANNEL_WEIGHTS, CHAT_STRETCH, INTENTS, Intent, IntentFacts, PATIENCE_S, SERVICE_S};
use crate::proto::Channel;

/// A generator of its own for each part of the demo: what one draws does not move the others.
pub fn generator(seed: u64, part: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(part);
    generator
}

/// Uniform between two bounds.
pub fn between(generator: &mut ChaCha8Rng, bounds: (f64, f64)) -> f64 {
    generator.random_range(bounds.0..bounds.1)
}

/// Contacts an hour on all channels at a time of day, in seconds after midnight.
pub fn rate_per_hour(time_of_day_s: f64) -> f64 {
    let hour = hour_of(time_of_day_s);
    let calls: f64 = INTENTS.iter().map(|facts| facts.per_hour[hour]).sum();
    calls * f64::from(channel_weights()) / f64::from(CHANNEL_WEIGHTS[0].1)
}

/// The highest value of [`rate_per_hour`] in a day.
pub fn rate_per_hour_max() -> f64 {
    (0..24).map(|hour| rate_per_hour(f64::from(hour) * 3600.0)).fold(0.0, f64::max)
}

/// Engine seconds to the next arrival that the busiest hour would bring. The caller keeps each with the share
/// [`kept_share`]: thinning, which makes a Poisson process follow a curve.
pub fn gap_s(generator: &mut ChaCha8Rng, scale: u32) -> f64 {
    let per_second = rate_per_hour_max() * f64::from(scale) / 3600.0;
    Exp::new(per_second).expect("the busiest hour has arrivals").sample(generator)
}

/// The share of the busiest hour's arrivals that this time of day has.
pub fn kept_share(time_of_day_s: f64) -> f64 {
    rate_per_hour(time_of_day_s) / rate_per_hour_max()
}

/// What the next customer wants, by the curves of this hour.
pub fn intent(generator: &mut ChaCha8Rng, time_of_day_s: f64) -> Intent {
    let hour = hour_of(time_of_day_s);
    let total: f64 = INTENTS.iter().map(|facts| facts.per_hour[hour]).sum();
    let mut rest = generator.random_range(0.0..1.0) * total;
    for facts in &INTENTS {
        if rest < facts.per_hour[hour] {
            return facts.intent;
        }
        rest -= facts.per_hour[hour];
    }
    Intent::Regular
}

/// The channel of the next customer.
pub fn channel(generator: &mut ChaCha8Rng) -> Channel {
    let mut rest = generator.random_range(0..channel_weights());
    for (channel, weight) in CHANNEL_WEIGHTS {
        if rest < weight {
            return channel;
        }
        rest -= weight;
    }
    unreachable!("the weights sum to the bound of the draw")
}

/// A channel other than this one, by the same weights.
pub fn other_channel(generator: &mut ChaCha8Rng, than: Channel) -> Channel {
    loop {
        let drawn = channel(generator);
        if drawn != than {
            return drawn;
        }
    }
}

/// Length of a conversation, in engine seconds.
pub fn service_s(generator: &mut ChaCha8Rng, facts: &IntentFacts, channel: Channel) -> f64 {
    let law =
        LogNormal::new(facts.service_ln_mean, facts.service_ln_sd).expect("the deviations are positive");
    let spoken = law.sample(generator).clamp(SERVICE_S.0, SERVICE_S.1);
    match channel {
        Channel::Chat => spoken * CHAT_STRETCH,
        _ => spoken,
    }
}

/// How long the customer is willing to wait, in engine seconds. `None` where nobody waits at a screen or line.
pub fn patience_s(generator: &mut ChaCha8Rng, facts: &IntentFacts, channel: Channel) -> Option<f64> {
    match channel {
        Channel::Voice | Channel::Video | Channel::Chat => Some(patience_on_line_s(generator, facts)),
        _ => None,
    }
}

/// Inverts the survival curve, straight between its points, exponential beyond the last.
fn patience_on_line_s(generator: &mut ChaCha8Rng, facts: &IntentFacts) -> f64 {
    let level = generator.random_range(0.0..1.0) * 10_000.0;
    let mut before = (0.0, 10_000.0);
    for (&second, &patient) in PATIENCE_S.iter().zip(&facts.patient) {
        let here = (f64::from(second), f64::from(patient));
        if level >= here.1 {
            let share = (before.1 - level) / (before.1 - here.1).max(1.0);
            return before.0 + share * (here.0 - before.0);
        }
        before = here;
    }
    let tail = Exp::new(1.0 / facts.patience_tail_s).expect("the tails are positive");
    before.0 + tail.sample(generator)
}

fn channel_weights() -> u32 {
    CHANNEL_WEIGHTS.iter().map(|(_, weight)| weight).sum()
}

fn hour_of(time_of_day_s: f64) -> usize {
    (time_of_day_s / 3600.0) as usize % 24
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64, tolerance: f64) -> bool {
        (found - wanted).abs() <= wanted * tolerance
    }

    #[test]
    fn conversations_last_as_long_as_in_the_log() {
        let mut generator = generator(7, 0);
        for facts in &INTENTS {
            let drawn: f64 = (0..40_000).map(|_| service_s(&mut generator, facts, Channel::Voice)).sum();
            // The logarithmic fit is within 6 % of the log's own mean for every intent.
            assert!(
                near(drawn / 40_000.0, facts.service_mean_s, 0.07),
                "{}: {}",
                facts.code,
                drawn / 40_000.0
            );
        }
    }

    #[test]
    fn arrivals_follow_the_hourly_curve() {
        let mut generator = generator(11, 0);
        let mut arrivals = [0u32; 24];
        let (days, mut now) = (200.0, 0.0);
        while now < days * 86_400.0 {
            now += gap_s(&mut generator, 1);
            let time_of_day = now % 86_400.0;
            if generator.random_bool(kept_share(time_of_day)) {
                arrivals[hour_of(time_of_day)] += 1;
            }
        }
        for hour in [8, 10, 13, 16, 23] {
            let found = f64::from(arrivals[hour]) / days;
            let wanted = rate_per_hour(hour as f64 * 3600.0);
            assert!(near(found, wanted, 0.03), "{hour} h: {found} and not {wanted}");
        }
    }

    #[test]
    fn patience_runs_out_as_in_the_log() {
        let mut generator = generator(13, 0);
        for facts in &INTENTS {
            let drawn: Vec<f64> = (0..40_000)
                .map(|_| patience_s(&mut generator, facts, Channel::Voice).expect("callers have a patience"))
                .collect();
            for point in [5, 8, 10] {
                let limit = f64::from(PATIENCE_S[point]);
                let found = drawn.iter().filter(|&&patience| patience > limit).count() as f64 / 40_000.0;
                let wanted = f64::from(facts.patient[point]) / 10_000.0;
                assert!(near(found, wanted, 0.02), "{} at {limit} s: {found} and not {wanted}", facts.code);
            }
        }
    }

    #[test]
    fn nobody_waits_at_the_screen_for_an_email() {
        assert_eq!(patience_s(&mut generator(1, 0), &INTENTS[0], Channel::Email), None);
    }

    #[test]
    fn the_telephone_has_the_majority() {
        let mut generator = generator(17, 0);
        let calls = (0..10_000).filter(|_| channel(&mut generator) == Channel::Voice).count();
        assert!((7_200..7_600).contains(&calls), "{calls}");
        assert!((0..100).all(|_| other_channel(&mut generator, Channel::Voice) != Channel::Voice));
    }

    #[test]
    fn a_seed_gives_the_same_draws_again() {
        let draw = |seed| (0..5).map(|_| gap_s(&mut generator(seed, 3), 1)).collect::<Vec<_>>();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
