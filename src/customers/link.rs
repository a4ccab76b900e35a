//! That two customers are one person. Each keeps what was recorded of them; who is linked is seen as one, under the
//! number of the one they were linked to, until the link is undone. So nothing has to be moved, and undone is as before.

use super::address::Address;
use super::model::{Customer, CustomerId};
use super::preference::{Consent, Reason};

/// Most customers who can be one person.
pub const LINKED_MAX: usize = 16;

/// To link a customer, with whoever they are linked with already, to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linking {
    pub customer: CustomerId,
    pub into: CustomerId,
    pub reason: Reason,
    pub now_ms: i64,
}

/// To undo the link by which a customer was linked to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlinking {
    pub customer: CustomerId,
    pub reason: Reason,
    pub now_ms: i64,
}

/// Why two customers were not linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLinked {
    #[error("customer {0} is not known, a number given by Resolve is accepted")]
    Unknown(CustomerId),
    #[error("together they would be {count} customers, up to {LINKED_MAX} can be one person")]
    TooMany { count: usize },
}

/// Why no link was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUnlinked {
    #[error("customer {0} is not known, a number given by Resolve is accepted")]
    Unknown(CustomerId),
    #[error("customer {0} was not linked to another; who was linked to them can be unlinked")]
    NotLinked(CustomerId),
}

/// One of the customers who are one person, with the link by which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tie {
    pub customer: CustomerId,
    pub linked_to: Option<CustomerId>,
}

/// The customer with whom it ends when each is followed to the one they are linked to.
pub(super) fn head(of: CustomerId, ties: &[Tie]) -> CustomerId {
    let to = |id: CustomerId| ties.iter().find(|tie| tie.customer == id).and_then(|tie| tie.linked_to);
    // A link goes from the head of one person to that of another, so there is no circle; the count is a second fence.
    let mut at = of;
    for _ in ties {
        match to(at) {
            Some(next) => at = next,
            None => break,
        }
    }
    at
}

/// What two linked customers may have said of the same thing: the later word counts. What neither said stays unsaid, and
/// of names, tiers and the like the first's count, who is the head.
pub(super) fn merged(mut all: Vec<Customer>, head: CustomerId) -> Option<Customer> {
    all.sort_by_key(|one| (one.id != head, one.id));
    // Who was asked about the other is asked about nobody once they are the same.
    let ids: Vec<CustomerId> = all.iter().map(|one| one.id).collect();
    for one in &mut all {
        one.contact_person.take_if(|asked| ids.contains(asked));
    }
    let mut all = all.into_iter();
    let first = all.next()?;
    Some(all.fold(first, joined))
}

fn joined(mut one: Customer, other: Customer) -> Customer {
    let text = |own: String, others: String| if own.is_empty() { others } else { own };
    one.linked.push(other.id);
    one.display_name = text(one.display_name, other.display_name);
    one.addresses = sorted(one.addresses, other.addresses);
    one.created_ms = one.created_ms.min(other.created_ms);
    one.tier = text(one.tier, other.tier);
    one.language = text(one.language, other.language);
    one.preferred_channel =
        if one.preferred_channel == 0 { other.preferred_channel } else { one.preferred_channel };
    one.minor |= other.minor;
    one.contact_person = one.contact_person.or(other.contact_person);
    one.consents = consents(one.consents, other.consents);
    one
}

fn sorted(mut own: Vec<Address>, others: Vec<Address>) -> Vec<Address> {
    own.extend(others);
    own.sort();
    own
}

fn consents(own: Vec<Consent>, others: Vec<Consent>) -> Vec<Consent> {
    let about = |consent: &Consent| (consent.channel, consent.address.clone());
    let mut all: Vec<Consent> = own.into_iter().chain(others).collect();
    all.sort_by_key(|consent| (about(consent), std::cmp::Reverse((consent.since_ms, !consent.allowed))));
    all.dedup_by_key(|consent| about(consent));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_found_along_the_links() {
        let tie = |customer, linked_to: u64| Tie {
            customer: CustomerId(customer),
            linked_to: (linked_to > 0).then_some(CustomerId(linked_to)),
        };
        let ties = [tie(1, 2), tie(2, 5), tie(5, 0), tie(7, 5)];
        for customer in [1, 2, 5, 7] {
            assert_eq!(head(CustomerId(customer), &ties), CustomerId(5));
        }
        assert_eq!(head(CustomerId(9), &[]), CustomerId(9));
    }

    #[test]
    fn the_head_speaks_first_and_of_consents_the_later_word_counts() {
        let consent =
            |allowed, since_ms| Consent { channel: 4, address: None, allowed, since_ms, by: "ana".into() };
        let account = Customer {
            display_name: "Ana Levi".into(),
            consents: vec![consent(true, 5)],
            ..Customer::thin(CustomerId(8), 50)
        };
        let cookie = Customer {
            display_name: "visitor".into(),
            tier: "gold".into(),
            consents: vec![consent(false, 6)],
            ..Customer::thin(CustomerId(3), 20)
        };
        let one = merged(vec![cookie, account], CustomerId(8)).expect("there are two");
        assert_eq!((one.id, one.linked.as_slice()), (CustomerId(8), &[CustomerId(3)][..]));
        assert_eq!((one.display_name.as_str(), one.tier.as_str(), one.created_ms), ("Ana Levi", "gold", 20));
        assert_eq!(one.consents, [consent(false, 6)]);
    }
}
