//! Erasing in memory: what a person left is taken out of every map.

use super::super::address::Address;
use super::super::erase::{Erased, Erasing};
use super::super::model::CustomerId;
use super::super::promise::To;
use super::super::store::UnknownCustomer;
use super::State;

impl State {
    pub(super) fn erasable(&self, id: CustomerId) -> Option<Erased> {
        self.profile(id)?;
        let members = self.members(id).into_iter();
        let customers: Vec<_> =
            members.filter_map(|one| Some((one, self.profile(one)?.customer.created_ms))).collect();
        let interactions = self.interactions_of(&customers);
        Some(Erased { customers, interactions })
    }

    pub(super) fn erase(&mut self, erasing: &Erasing) -> Result<Erased, UnknownCustomer> {
        let erased = match erasing {
            Erasing::Person(id) => self.erasable(*id).ok_or(UnknownCustomer(*id))?,
            Erasing::Again(before) => {
                let customers: Vec<_> =
                    before.iter().filter(|one| !self.is_strangers(one)).copied().collect();
                Erased { interactions: self.interactions_of(&customers), customers }
            }
        };
        for (id, _) in &erased.customers {
            self.forget(*id);
        }
        Ok(erased)
    }

    fn is_strangers(&self, (id, created_ms): &(CustomerId, i64)) -> bool {
        self.profile(*id).is_some_and(|profile| profile.customer.created_ms != *created_ms)
    }

    fn interactions_of(&self, customers: &[(CustomerId, i64)]) -> Vec<(u64, i64)> {
        let profiles = customers.iter().filter_map(|(id, _)| self.profile(*id));
        let contacts = profiles.flat_map(|profile| &profile.contacts);
        let mut interactions: Vec<(u64, i64)> =
            contacts.map(|(position, (interaction, _))| (*interaction, position.time_ms)).collect();
        interactions.sort_unstable();
        interactions
    }

    fn forget(&mut self, id: CustomerId) {
        // The numbers up to this one count as given.
        let Some(index) = Self::index(id) else { return };
        if self.profiles.len() <= index {
            self.profiles.resize_with(index + 1, || None);
        }
        // Who is left of a person of whom somebody is erased is on their own.
        for member in self.members(id) {
            self.profile_mut(member).map(|profile| profile.linked_to.take());
        }
        self.profiles[index] = None;
        let theirs: Vec<Address> = self
            .addresses
            .iter()
            .filter(|(_, customer)| **customer == id)
            .map(|(address, _)| address.clone())
            .collect();
        for profile in self.profiles.iter_mut().flatten() {
            let is_theirs = |address: &Address| theirs.contains(address);
            profile.customer.consents.retain(|one| !one.address.as_ref().is_some_and(is_theirs));
            profile.customer.contact_person.take_if(|person| *person == id);
        }
        self.changes.retain(|change| change.customer != id);
        self.promises.values_mut().for_each(|one| drop(one.redeemed.remove(&id)));
        self.addresses.retain(|_, customer| *customer != id);
        self.contacts.retain(|_, (customer, _)| *customer != id);
        self.requests.retain(|(customer, _), _| *customer != id);
        self.promises.retain(|_, one| one.promise.to != To::Customer(id));
    }
}
