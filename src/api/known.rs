//! Customers who called lately, by address: a known one costs no look-up. Who an address belongs to never changes, so
//! nothing here grows old; when it is full it begins anew.

use crate::customers::{Address, CustomerId};
use dashmap::DashMap;
use hashbrown::DefaultHashBuilder;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most addresses that are remembered.
const KNOWN_MAX: usize = 262_144;

/// The addresses of a tenant's customers.
#[derive(Default)]
pub struct Known {
    customers: DashMap<Address, CustomerId, DefaultHashBuilder>,
    /// About how many: two at once may count one twice.
    count: AtomicUsize,
}

impl Known {
    /// Whose address it is; `None` if that has to be looked up.
    pub fn customer(&self, address: &Address) -> Option<CustomerId> {
        self.customers.get(address).map(|customer| *customer)
    }

    /// It was looked up.
    pub fn learn(&self, address: Address, customer: CustomerId) {
        if self.count.load(Ordering::Relaxed) >= KNOWN_MAX {
            self.customers.clear();
            self.count.store(0, Ordering::Relaxed);
        }
        if self.customers.insert(address, customer).is_none() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }
}
