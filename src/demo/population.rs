//! Who contacts the centre: a few who come often, many who come rarely, and those who come back.
//!
//! A return takes the place of an arrival and does not add one: the hourly curve already counts every contact.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Zipf};

use super::constants::{
    BACK_AFTER_LEAVING, BACK_AFTER_SERVED, BACK_ELSEWHERE, BACK_WITHIN_S, CUSTOMERS, Intent, ZIPF_EXPONENT,
};
use super::draws;
use crate::proto::Channel;

/// Returns planned at most; beyond, a customer does not come back.
const RETURNS_MAX: usize = 10_000;

/// One contact about to be handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// 1 is the customer who comes most often.
    pub customer: u32,
    pub intent: Intent,
    pub channel: Channel,
    /// The first contact of this customer in this demo.
    pub first: bool,
}

/// How a contact ended for the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    Served,
    Left,
}

/// The customers of the demo.
#[derive(Debug)]
pub struct Population {
    who: Zipf<f64>,
    seen: BTreeSet<u32>,
    /// Due time in engine milliseconds, and who comes back with what on which channel.
    returns: BinaryHeap<Reverse<(u64, u32, Intent, i32)>>,
}

impl Population {
    pub fn new() -> Population {
        Population {
            who: Zipf::new(f64::from(CUSTOMERS), ZIPF_EXPONENT).expect("the constants are positive"),
            seen: BTreeSet::new(),
            returns: BinaryHeap::new(),
        }
    }

    /// The contact that arrives now: whoever was to come back by now, or somebody drawn.
    pub fn arrive(&mut self, generator: &mut ChaCha8Rng, elapsed_s: f64, time_of_day_s: f64) -> Arrival {
        let (customer, intent, channel) = match self.due(elapsed_s) {
            Some(back) => back,
            None => (
                self.who.sample(generator) as u32,
                draws::intent(generator, time_of_day_s),
                draws::channel(generator),
            ),
        };
        Arrival { customer, intent, channel, first: self.seen.insert(customer) }
    }

    /// Decides whether the customer comes back within the hour, and on which channel.
    pub fn part(&mut self, generator: &mut ChaCha8Rng, arrival: Arrival, parting: Parting, elapsed_s: f64) {
        let share = match parting {
            Parting::Served => BACK_AFTER_SERVED,
            Parting::Left => BACK_AFTER_LEAVING,
        };
        if !generator.random_bool(share) || self.returns.len() >= RETURNS_MAX {
            return;
        }
        let channel = match generator.random_bool(BACK_ELSEWHERE) {
            true => draws::other_channel(generator, arrival.channel),
            false => arrival.channel,
        };
        // Sooner is likelier: the square of a uniform share puts half of the returns into the first quarter.
        let delay_s = generator.random_range(0.0f64..1.0).powi(2) * BACK_WITHIN_S;
        let due_ms = ((elapsed_s + delay_s) * 1000.0) as u64;
        self.returns.push(Reverse((due_ms, arrival.customer, arrival.intent, channel as i32)));
    }

    fn due(&mut self, elapsed_s: f64) -> Option<(u32, Intent, Channel)> {
        let Reverse((due_ms, ..)) = *self.returns.peek()?;
        if due_ms > (elapsed_s * 1000.0) as u64 {
            return None;
        }
        let Reverse((_, customer, intent, channel)) = self.returns.pop()?;
        Some((customer, intent, Channel::try_from(channel).expect("it was put in as a channel")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_O_CLOCK_S: f64 = 36_000.0;

    #[test]
    fn one_customer_in_a_hundred_makes_a_quarter_of_the_contacts() {
        let (mut population, mut generator) = (Population::new(), draws::generator(5, 0));
        let frequent = (0..40_000)
            .filter(|_| population.arrive(&mut generator, 0.0, TEN_O_CLOCK_S).customer <= CUSTOMERS / 100)
            .count();
        let share = frequent as f64 / 40_000.0;
        assert!((0.21..0.27).contains(&share), "{share} and not about 0.2385");
    }

    #[test]
    fn who_left_comes_back_within_the_hour_as_often_as_in_the_log() {
        let (mut population, mut generator) = (Population::new(), draws::generator(6, 0));
        let left = Arrival { customer: 9, intent: Intent::Stocks, channel: Channel::Voice, first: true };
        for _ in 0..5_000 {
            population.part(&mut generator, left, Parting::Left, 100.0);
        }
        let mut back = Vec::new();
        while let Some(found) = population.due(100.0 + BACK_WITHIN_S) {
            back.push(found);
        }
        assert!((2_200..2_500).contains(&back.len()), "{} of 5000", back.len());
        let elsewhere = back.iter().filter(|(_, _, channel)| *channel != Channel::Voice).count();
        assert!(elsewhere * 10 > back.len() * 4 && elsewhere * 10 < back.len() * 6);
        assert!(back.iter().all(|&(customer, intent, _)| customer == 9 && intent == Intent::Stocks));
    }

    #[test]
    fn nobody_comes_back_before_the_time() {
        let (mut population, mut generator) = (Population::new(), draws::generator(8, 0));
        let left = Arrival { customer: 9, intent: Intent::English, channel: Channel::Chat, first: true };
        for _ in 0..50 {
            population.part(&mut generator, left, Parting::Left, 100.0);
        }
        assert_eq!(population.due(99.0), None);
    }
}
