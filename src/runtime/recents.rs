//! Cards of the customers who were offered lately. Each is looked up once and then told every change as it is
//! committed, so that the next offer leaves with its card at once, and rules are told of a customer without a look-up. When
//! it is full it begins anew. Linked customers have one card, under the number they are seen under.

use crate::customers::{
    AskedFacts, CardData, Customer, CustomerFacts, CustomerId, Kept, Pen, Projected, Recalled, Ties,
};
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use hashbrown::DefaultHashBuilder;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most customers whose cards are kept. A card takes about 8 KB, and 16 KB more for a customer with 1,000 contacts a
/// week.
const CARDS_MAX: usize = 16_384;
/// Most changes that may come while a card is being looked up.
const CHANGES_MAX: usize = 256;

/// The kept cards of one tenant.
#[derive(Default)]
pub struct Recents {
    cards: DashMap<CustomerId, Slot, DefaultHashBuilder>,
    /// Under which number those are seen who were linked to another.
    heads: DashMap<CustomerId, CustomerId, DefaultHashBuilder>,
    /// Whose card shows what others were promised.
    contact_persons: DashMap<CustomerId, CustomerId, DefaultHashBuilder>,
    /// Every change up to here was told to whoever was here, or is being told.
    heard: AtomicU64,
    look_ups: AtomicU64,
}

enum Slot {
    /// Somebody looks it up; what came since they began.
    LookedUp {
        look_up: u64,
        since: Vec<Projected>,
    },
    Kept(Box<Kept>),
}

/// A look-up that has begun. What it finds is complete if it has seen everything up to `upto`. Dropped without having
/// found anything, it leaves the place to the next.
pub struct LookUp {
    recents: Arc<Recents>,
    customer: CustomerId,
    number: u64,
    pub upto: u64,
}

impl Drop for LookUp {
    fn drop(&mut self) {
        let number = self.number;
        let ours = |slot: &Slot| matches!(slot, Slot::LookedUp { look_up, .. } if *look_up == number);
        self.recents.cards.remove_if(&self.customer, |_, slot| ours(slot));
    }
}

impl Recents {
    /// Nobody's card yet, and who is tied to whom.
    pub fn new(ties: &[Ties]) -> Recents {
        let recents = Recents::default();
        for Ties { customer, head, contact_person } in ties {
            if head != customer {
                recents.heads.insert(*customer, *head);
            }
            if let Some(person) = contact_person {
                recents.contact_persons.insert(*customer, *person);
            }
        }
        recents
    }

    /// The number a customer is seen under.
    pub fn head(&self, customer: CustomerId) -> CustomerId {
        self.heads.get(&customer).map_or(customer, |head| *head)
    }

    /// Who is one person now, and who is asked about them, after that was changed. To be told in the order in which the store
    /// changed it: by whoever answers.
    pub fn is_one(&self, person: &Customer) {
        // The cards of before, and of whoever was asked before.
        for member in person.linked.iter().chain([&person.id]) {
            self.forget(*member);
            self.cards.remove(member);
        }
        self.heads.remove(&person.id);
        for other in &person.linked {
            self.heads.insert(*other, person.id);
        }
        for member in person.linked.iter().chain([&person.id]) {
            match person.contact_person {
                Some(asked) => self.contact_persons.insert(*member, asked),
                None => self.contact_persons.remove(member).map(|(_, asked)| asked),
            };
        }
        self.forget(person.id);
    }

    /// Before the changes up to an event are told.
    pub fn begin(&self, upto: u64) {
        self.heard.store(upto, Ordering::SeqCst);
    }

    /// The last event whose changes are told, or being told.
    pub fn heard(&self) -> u64 {
        self.heard.load(Ordering::SeqCst)
    }

    /// A change of a customer's history.
    pub fn hear(&self, customer: CustomerId, event: &Projected) {
        let customer = self.head(customer);
        let full = match self.cards.get_mut(&customer).as_deref_mut() {
            None => false,
            Some(Slot::Kept(kept)) => {
                kept.apply(event);
                false
            }
            Some(Slot::LookedUp { since, .. }) => {
                since.push(event.clone());
                since.len() > CHANGES_MAX
            }
        };
        if full {
            self.forget(customer);
        }
    }

    /// Shows the customer's part of a card, if it is kept.
    pub fn card<T>(
        &self,
        customer: CustomerId,
        offered: u64,
        now_ms: i64,
        pen: &Pen<'_>,
        show: impl FnOnce(CardData<'_>) -> T,
    ) -> Option<T> {
        match self.cards.get_mut(&self.head(customer)).as_deref_mut() {
            Some(Slot::Kept(kept)) => Some(show(kept.card(offered, now_ms, pen))),
            Some(Slot::LookedUp { .. }) | None => None,
        }
    }

    /// What rules are told of a customer, if their card is kept.
    pub fn facts(&self, customer: CustomerId, asked: &AskedFacts<'_>) -> Option<CustomerFacts> {
        match self.cards.get_mut(&self.head(customer)).as_deref_mut() {
            Some(Slot::Kept(kept)) => Some(kept.facts(asked)),
            Some(Slot::LookedUp { .. }) | None => None,
        }
    }

    /// Somebody is about to look a customer up; `None` if somebody else is at it.
    pub fn look_up(self: &Arc<Self>, customer: CustomerId) -> Option<LookUp> {
        if self.cards.len() >= CARDS_MAX {
            self.cards.clear();
        }
        let customer = self.head(customer);
        let number = self.look_ups.fetch_add(1, Ordering::Relaxed);
        match self.cards.entry(customer) {
            Entry::Occupied(_) => return None,
            Entry::Vacant(vacant) => vacant.insert(Slot::LookedUp { look_up: number, since: Vec::new() }),
        };
        // Read after the slot is there: whatever is not told to the slot is no later than this.
        Some(LookUp { recents: self.clone(), customer, number, upto: self.heard() })
    }

    /// What a look-up found. It is not kept if the customer was to be forgotten since, or is seen under another number in
    /// the store than here: a link is being made or undone.
    pub fn found(&self, look_up: &LookUp, recalled: Recalled) {
        if recalled.customer.id != look_up.customer {
            return;
        }
        let Some(mut slot) = self.cards.get_mut(&look_up.customer) else { return };
        let Slot::LookedUp { look_up: number, since } = &mut *slot else { return };
        if *number != look_up.number {
            return;
        }
        let applied = recalled.applied;
        let mut kept = Kept::new(recalled);
        for event in since.iter().filter(|event| event.sequence > applied) {
            kept.apply(event);
        }
        *slot = Slot::Kept(Box::new(kept));
    }

    /// Something else than an event changed what is known of a customer: it is looked up again, and so is the card of
    /// whoever is asked about them.
    pub fn forget(&self, customer: CustomerId) {
        let head = self.head(customer);
        self.cards.remove(&head);
        for one in [customer, head] {
            let asked = self.contact_persons.get(&one).map(|asked| *asked);
            asked.map(|asked| self.cards.remove(&self.head(asked)));
        }
    }

    /// These are nobody any more.
    pub fn erased(&self, customers: &[CustomerId]) {
        for customer in customers {
            self.forget(*customer);
        }
        self.heads.retain(|member, head| !customers.contains(member) && !customers.contains(head));
        self.contact_persons.retain(|one, asked| !customers.contains(one) && !customers.contains(asked));
    }

    /// The same for everybody: what changed may stand on any card.
    pub fn forget_all(&self) {
        self.cards.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::{Change, Customer, Opened};

    const ANA: CustomerId = CustomerId(1);

    fn recalled(entries: u64, applied: u64) -> Recalled {
        Recalled {
            customer: Customer::thin(ANA, 0),
            newest: Vec::new(),
            pinned: Vec::new(),
            last_contact: None,
            entries,
            lifetime_contacts: entries,
            contacts: Vec::new(),
            applied,
            promises: Vec::new(),
            household: Vec::new(),
        }
    }

    fn came(sequence: u64) -> Projected {
        let opened = Opened {
            customer: ANA,
            interaction: sequence,
            channel: 1,
            queue: "sales".into(),
            intent: String::new(),
            matter: String::new(),
            message: String::new(),
        };
        Projected { sequence, time_ms: 0, change: Change::Opened(opened) }
    }

    fn contacts(recents: &Recents) -> Option<u64> {
        let pen = Pen { customer: &|_| Vec::new(), entry: &|_, _| Vec::new() };
        recents.card(ANA, 0, 0, &pen, |card| card.contacts_24h)
    }

    #[test]
    fn what_comes_during_a_look_up_is_on_the_card_once() {
        let recents = Arc::new(Recents::default());
        recents.begin(5);
        let look_up = recents.look_up(ANA).expect("nobody is at it");
        assert_eq!(look_up.upto, 5);
        assert!(recents.look_up(ANA).is_none(), "one is enough");
        recents.hear(ANA, &came(6));
        recents.hear(ANA, &came(7));
        assert_eq!(contacts(&recents), None);
        // The store had written the sixth event by then.
        recents.found(&look_up, recalled(0, 6));
        assert_eq!(contacts(&recents), Some(1));
        recents.hear(ANA, &came(8));
        assert_eq!(contacts(&recents), Some(2));
    }

    #[test]
    fn what_was_found_before_something_was_recorded_is_not_kept() {
        let recents = Arc::new(Recents::default());
        let before = recents.look_up(ANA).expect("nobody is at it");
        recents.forget(ANA);
        let after = recents.look_up(ANA).expect("nobody is at it any more");
        recents.found(&before, recalled(0, 0));
        assert_eq!(contacts(&recents), None);
        drop(before);
        recents.found(&after, recalled(1, 0));
        assert_eq!(contacts(&recents), Some(0));
    }

    #[test]
    fn a_look_up_that_takes_too_long_is_given_up() {
        let recents = Arc::new(Recents::default());
        let look_up = recents.look_up(ANA).expect("nobody is at it");
        for sequence in 0..=256 {
            recents.hear(ANA, &came(sequence));
        }
        recents.found(&look_up, recalled(0, 0));
        assert_eq!(contacts(&recents), None);
        assert!(recents.look_up(ANA).is_some());
    }

    #[test]
    fn linked_customers_have_one_card_until_the_link_is_undone() {
        let (cookie, account) = (CustomerId(2), ANA);
        let person = |linked| Customer { linked, ..Customer::thin(account, 0) };
        let recents = Arc::new(Recents::default());
        recents.is_one(&person(vec![cookie]));
        let look_up = recents.look_up(cookie).expect("nobody is at it");
        recents.found(&look_up, recalled(0, 0));
        assert_eq!(contacts(&recents), Some(0), "the account's card is the cookie's");
        recents.hear(cookie, &came(1));
        assert_eq!(contacts(&recents), Some(1));
        recents.is_one(&person(Vec::new()));
        recents.is_one(&Customer::thin(cookie, 0));
        assert_eq!((recents.head(cookie), contacts(&recents)), (cookie, None), "it is looked up again");
    }

    #[test]
    fn nobody_gets_the_card_of_whom_they_were_linked_to() {
        let cookie = CustomerId(2);
        let recents = Arc::new(Recents::default());
        recents.is_one(&Customer { linked: vec![cookie], ..Customer::thin(ANA, 0) });
        let look_up = recents.look_up(cookie).expect("nobody is at it");
        // The store has undone the link, and nobody was told yet.
        recents.found(&look_up, Recalled { customer: Customer::thin(cookie, 0), ..recalled(3, 0) });
        assert_eq!(contacts(&recents), None, "it is not Ana's");
    }

    #[test]
    fn what_a_child_is_promised_is_news_to_whoever_is_asked_about_it() {
        let (child, mother) = (CustomerId(2), ANA);
        let ties = Ties { customer: child, head: child, contact_person: Some(mother) };
        let recents = Arc::new(Recents::new(&[ties]));
        let look_up = recents.look_up(mother).expect("nobody is at it");
        recents.found(&look_up, recalled(0, 0));
        assert_eq!(contacts(&recents), Some(0));
        recents.forget(child);
        assert_eq!(contacts(&recents), None);
    }
}
