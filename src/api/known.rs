//! Customers who called lately, by address: a known one costs no look-up. Of linked customers it is the one under whose
//! number they are seen. Whom an address leads to changes to another only when somebody is erased or a link is undone, and then
//! everything is forgotten; so it is when it is full.

use crate::customers::{Address, CustomerId};
use dashmap::DashMap;
use hashbrown::DefaultHashBuilder;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Most addresses that are remembered.
const KNOWN_MAX: usize = 262_144;

/// The addresses of a tenant's customers.
#[derive(Default)]
pub struct Known {
    customers: DashMap<Address, CustomerId, DefaultHashBuilder>,
    /// About how many: two at once may count one twice.
    count: AtomicUsize,
    /// How often everything was forgotten.
    generation: AtomicU64,
}

/// When a look-up began. What it finds may be from before everything was forgotten.
#[derive(Clone, Copy)]
pub struct Begun(u64);

impl Known {
    /// Whose address it is; `None` if that has to be looked up.
    pub fn customer(&self, address: &Address) -> Option<CustomerId> {
        self.customers.get(address).map(|customer| *customer)
    }

    /// Before an address is looked up.
    pub fn begin(&self) -> Begun {
        Begun(self.generation.load(Ordering::SeqCst))
    }

    /// After somebody was erased, or a link undone. Which addresses were theirs is not known here any more.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.customers.clear();
        self.count.store(0, Ordering::Relaxed);
    }

    /// It was looked up.
    pub fn learn(&self, begun: Begun, address: Address, customer: CustomerId) {
        if self.count.load(Ordering::Relaxed) >= KNOWN_MAX {
            self.customers.clear();
            self.count.store(0, Ordering::Relaxed);
        }
        if self.customers.insert(address.clone(), customer).is_none() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        // Looked at after it is in: what is put in behind the back of `forget` is taken out again here.
        if self.generation.load(Ordering::SeqCst) != begun.0 {
            self.customers.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::AddressKind;

    #[test]
    fn what_a_look_up_found_that_began_before_an_erasure_is_not_learned() {
        let known = Known::default();
        let address = Address::parse(AddressKind::Phone, "+972501234567").expect("a phone number");
        let before = known.begin();
        known.learn(before, address.clone(), CustomerId(1));
        assert_eq!(known.customer(&address), Some(CustomerId(1)));
        known.forget();
        assert_eq!(known.customer(&address), None);
        known.learn(before, address.clone(), CustomerId(1));
        assert_eq!(known.customer(&address), None);
        known.learn(known.begin(), address.clone(), CustomerId(2));
        assert_eq!(known.customer(&address), Some(CustomerId(2)));
    }
}
