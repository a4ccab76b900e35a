//! Numbers for splits by share: each that a rule applies to gets the next number of its rule, whichever version of the
//! rules asks. So shares hold exactly, and publishing does not begin them anew.

use dashmap::DashMap;

/// The counters, by the name of the rule.
#[derive(Clone, Default)]
pub struct Tickets(DashMap<Box<str>, u32>);

impl Tickets {
    /// The next number of a rule; after 2^32 of them it begins anew.
    pub fn next(&self, rule: &str) -> u32 {
        if let Some(mut next) = self.0.get_mut(rule) {
            let ticket = *next;
            *next = ticket.wrapping_add(1);
            return ticket;
        }
        let mut next = self.0.entry(rule.into()).or_insert(0);
        let ticket = *next;
        *next = ticket.wrapping_add(1);
        ticket
    }
}
