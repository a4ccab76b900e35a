//! The stream of customers: a Poisson process that follows the hours of the day, in engine time.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::centre::Centre;
use super::contact::{Contact, live};
use super::draws;
use super::population::{Arrival, Parting, Population};

/// Contacts alive at once, at most. Beyond, arrivals are turned away and counted.
const OPEN_MAX: usize = 5_000;
/// Partings that may wait to be read. Beyond, a customer does not come back.
const PARTINGS_MAX: usize = 1_024;
/// How long contacts that are being handed in may still take at the end, in real time.
const END: std::time::Duration = std::time::Duration::from_secs(10);

/// Who sends customers.
pub struct Arrivals {
    centre: Centre,
    scale: u32,
    generator: ChaCha8Rng,
    population: Population,
    contacts: JoinSet<()>,
    number: u64,
    parted: mpsc::Sender<(Arrival, Parting)>,
    partings: mpsc::Receiver<(Arrival, Parting)>,
}

impl Arrivals {
    pub fn new(centre: Centre, seed: u64, scale: u32) -> Arrivals {
        let (parted, partings) = mpsc::channel(PARTINGS_MAX);
        let (population, contacts) = (Population::new(), JoinSet::new());
        let generator = draws::generator(seed, 0);
        Arrivals { centre, scale, generator, population, contacts, number: 0, parted, partings }
    }

    /// Sends customers until the demo ends, then waits for those on the doorstep.
    pub async fn run(mut self) {
        let mut next_s = 0.0;
        let centre = self.centre.clone();
        tokio::select! {
            () = centre.stopped() => {}
            () = async {
                loop {
                    next_s += draws::gap_s(&mut self.generator, self.scale);
                    self.wait_until(next_s).await;
                    self.arrive(next_s);
                }
            } => {}
        }
        let until = Instant::now() + END;
        while let Ok(Some(_)) = timeout_at(until, self.contacts.join_next()).await {}
    }

    /// Notes who parted meanwhile.
    async fn wait_until(&mut self, next_s: f64) {
        let due = self.centre.clock.at(next_s);
        loop {
            tokio::select! {
                () = sleep_until(due) => return,
                Some((arrival, parting)) = self.partings.recv() => {
                    let elapsed_s = self.centre.clock.elapsed_s();
                    self.population.part(&mut self.generator, arrival, parting, elapsed_s);
                }
                Some(_) = self.contacts.join_next(), if !self.contacts.is_empty() => {}
            }
        }
    }

    fn arrive(&mut self, now_s: f64) {
        let time_of_day_s = self.centre.clock.time_of_day_s(now_s);
        if !self.generator.random_bool(draws::kept_share(time_of_day_s)) {
            return;
        }
        let arrival = self.population.arrive(&mut self.generator, now_s, time_of_day_s);
        let facts = arrival.intent.facts();
        self.number += 1;
        let contact = Contact {
            number: self.number,
            arrival,
            message: facts.messages[self.generator.random_range(0..facts.messages.len())],
            patience_s: draws::patience_s(&mut self.generator, facts, arrival.channel),
        };
        if self.contacts.len() >= OPEN_MAX {
            return self.centre.tally.count(&self.centre.tally.turned_away);
        }
        let (centre, parted) = (self.centre.clone(), self.parted.clone());
        self.contacts.spawn(async move {
            if let Some(parting) = live(centre, contact).await {
                // With the channel full, this customer just does not come back.
                let _ = parted.try_send((arrival, parting));
            }
        });
    }
}
