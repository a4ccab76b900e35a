//! Turns committed events into contacts of the customers' histories. Told every event from the first on, or from
//! a snapshot with the contacts of then, so it needs nothing but what it has heard; the store ignores what it has written already.

use super::contacts::Contacts;
use super::follow::About;
use super::payload::Plain;
use super::recents::Recents;
use crate::customers::{Customers, NotProjected, Projected, Projection};
use crate::engine::event::Stamped;
use crate::engine::floor::Floor;
use std::collections::VecDeque;
use std::sync::Arc;

/// Stretches kept while the store is too slow to take them. Beyond it they are read again from the journal at the
/// next start.
const KEPT_MAX: usize = 1_024;
/// While it is behind, stretches grow to about so many events.
const STRETCH_EVENTS: usize = 1_024;

/// The projector of one shard.
pub struct History {
    customers: Customers,
    recents: Arc<Recents>,
    pub contacts: Contacts,
    pending: Vec<Projected>,
    /// The last event of the last stretch.
    told: u64,
    kept: VecDeque<Projection>,
}

impl History {
    /// A projector into a store, of the events behind this one.
    pub fn new(customers: Customers, recents: Arc<Recents>, contacts: Contacts, told: u64) -> History {
        History { customers, recents, contacts, pending: Vec::new(), told, kept: VecDeque::new() }
    }

    /// Before the events up to this one are heard.
    pub fn begin(&self, upto: u64) {
        self.recents.begin(upto);
    }

    /// Hears one event.
    pub fn hear(&mut self, stamped: &Stamped, about: About, plain: Option<&Plain>, floor: &Floor) {
        let History { contacts, recents, pending, .. } = self;
        contacts.hear(stamped, about, plain, floor, &mut |stamped, customer, change| {
            let time_ms = i64::try_from(stamped.time.0).expect("engine time is far below 2^63 ms");
            let event = Projected { sequence: stamped.sequence.0, time_ms, change };
            if let Some(customer) = customer {
                recents.hear(customer, &event);
            }
            pending.push(event);
        });
    }

    /// Hands over what was heard up to an event. A store that cannot take it now gets it with a later one; the
    /// engine does not wait for it.
    pub fn flush(&mut self, upto: u64) {
        self.keep(upto);
        while let Some(stretch) = self.kept.pop_front() {
            match self.customers.project(stretch) {
                Ok(()) => {}
                Err(NotProjected::Full(stretch)) => {
                    self.kept.push_front(stretch);
                    break;
                }
                Err(NotProjected::Dead) => break,
            }
        }
        self.kept.truncate(KEPT_MAX);
    }

    /// The same for recovery, which has nobody else to serve.
    pub fn flush_waiting(&mut self, upto: u64) {
        self.keep(upto);
        while let Some(stretch) = self.kept.pop_front() {
            if self.customers.project_waiting(stretch).is_err() {
                break;
            }
        }
    }

    fn keep(&mut self, upto: u64) {
        if upto <= self.told {
            return;
        }
        match self.kept.back_mut() {
            // The store is behind: it takes few long stretches faster than many short ones.
            Some(last) if last.events.len() < STRETCH_EVENTS && last.upto == self.told => {
                last.upto = upto;
                last.events.append(&mut self.pending);
            }
            _ => self.kept.push_back(Projection {
                after: self.told,
                upto,
                events: std::mem::take(&mut self.pending),
            }),
        }
        self.told = upto;
    }
}
