//! Customers who called lately, by address as it came: a known one costs neither a look-up nor the reading of a number.
//! Of linked customers it is the one under whose number they are seen. Whom an address leads to changes to another only when
//! somebody is erased or a link is undone, and then everything is forgotten; so it is when it is full.

use crate::customers::{Address, CustomerId};
use crate::proto;
use dashmap::DashMap;
use hashbrown::DefaultHashBuilder;
use std::cell::RefCell;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Most addresses that are remembered.
const KNOWN_MAX: usize = 262_144;

/// The addresses of a tenant's customers.
#[derive(Default)]
pub struct Known {
    /// By kind and text.
    customers: DashMap<Box<str>, Belongs, DefaultHashBuilder>,
    /// About how many: two at once may count one twice.
    count: AtomicUsize,
    /// How often everything was forgotten.
    generation: AtomicU64,
}

/// Whom an address belongs to, and how it is written here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Belongs {
    pub customer: CustomerId,
    pub address: Arc<str>,
}

thread_local! {
    static KEY: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Asks under an address as it came.
fn under<T>(address: &proto::Address, ask: impl FnOnce(&str) -> T) -> T {
    KEY.with_borrow_mut(|key| {
        key.clear();
        write!(key, "{} {}", address.kind, address.value).expect("a string takes whatever is written");
        ask(key)
    })
}

/// When a look-up began. What it finds may be from before everything was forgotten.
#[derive(Clone, Copy)]
pub struct Begun(u64);

impl Known {
    /// Whose address it is; `None` if that has to be looked up.
    pub fn customer(&self, address: &proto::Address) -> Option<Belongs> {
        under(address, |key| self.customers.get(key).map(|belongs| belongs.clone()))
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

    /// It was looked up: as it came, as it is written here, and whose it is.
    pub fn learn(&self, begun: Begun, came: &proto::Address, address: &Address, customer: CustomerId) {
        if self.count.load(Ordering::Relaxed) >= KNOWN_MAX {
            self.customers.clear();
            self.count.store(0, Ordering::Relaxed);
        }
        let key: Box<str> = under(came, |key| Box::from(key));
        let belongs = Belongs { customer, address: address.value().into() };
        if self.customers.insert(key.clone(), belongs).is_none() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        // Looked at after it is in: what is put in behind the back of `forget` is taken out again here.
        if self.generation.load(Ordering::SeqCst) != begun.0 {
            self.customers.remove(&key);
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
        let came = proto::Address { kind: 1, value: "00972 50-1234567".into() };
        let address = Address::parse(AddressKind::Phone, &came.value).expect("a phone number");
        let customer = |known: &Known| known.customer(&came).map(|belongs| belongs.customer);
        let before = known.begin();
        known.learn(before, &came, &address, CustomerId(1));
        assert_eq!(
            known.customer(&came).map(|belongs| belongs.address.to_string()),
            Some("+972501234567".into())
        );
        known.forget();
        assert_eq!(customer(&known), None);
        known.learn(before, &came, &address, CustomerId(1));
        assert_eq!(customer(&known), None);
        known.learn(known.begin(), &came, &address, CustomerId(2));
        assert_eq!(customer(&known), Some(CustomerId(2)));
        let email = proto::Address { kind: 2, ..came.clone() };
        assert_eq!(known.customer(&email), None, "the same text of another kind");
    }
}
