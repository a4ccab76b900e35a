//! What the memory answers.

use super::super::address::Address;
use super::super::card::{
    CONTACTS_KEPT, ContactTime, LOOKED_UP, PINNED_MAX, RELATIVES_MAX, Recalled, Relative,
};
use super::super::entry::{Filter, HistoryEntry, Page, Position};
use super::super::erase::Erased;
use super::super::model::{Customer, CustomerId};
use super::super::preference::{CHANGES_LISTED_MAX, Changed};
use super::super::promise::Promise;
use super::super::store::{CustomerReads, Known, StoreFault, Ties};
use super::{MemoryStore, State};

impl CustomerReads for MemoryStore {
    fn find(&mut self, address: &Address) -> Result<Option<Known>, StoreFault> {
        let state = self.state()?;
        let person = state.addresses.get(address).and_then(|id| state.person(*id));
        Ok(person.map(|person| Known { customer: person.id, named: !person.display_name.is_empty() }))
    }

    fn customer(&mut self, id: CustomerId) -> Result<Option<Customer>, StoreFault> {
        Ok(self.state()?.person(id))
    }

    fn history(
        &mut self,
        id: CustomerId,
        filter: &Filter,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Option<Page>, StoreFault> {
        let state = self.state()?;
        let wanted = |entry: &HistoryEntry| filter.takes(entry);
        Ok(state
            .person(id)
            .map(|_| Page::of(state.newest(id, after, limit.saturating_add(1), wanted), limit)))
    }

    fn recall(&mut self, id: CustomerId, since_ms: i64) -> Result<Option<Recalled>, StoreFault> {
        let state = self.state()?;
        let Some(customer) = state.person(id) else { return Ok(None) };
        let any = |_: &HistoryEntry| true;
        Ok(Some(Recalled {
            newest: state.newest(id, None, LOOKED_UP, any),
            pinned: state.newest(id, None, PINNED_MAX, |entry| entry.details.pinned),
            last_contact: state.newest(id, None, 1, |entry| entry.contact.is_some()).pop(),
            entries: state.sum(id, |profile| profile.history.len() as u64),
            lifetime_contacts: state.sum(id, |profile| profile.lifetime_contacts),
            contacts: state.contacts_since(id, since_ms),
            applied: state.applied,
            promises: state.promises_to(id),
            household: state.household(&customer),
            customer,
        }))
    }

    fn promises(&mut self, id: CustomerId) -> Result<Option<Vec<Promise>>, StoreFault> {
        let state = self.state()?;
        Ok(state.profile(id).map(|_| state.promises_to(id)))
    }

    fn tier_promises(&mut self) -> Result<Vec<Promise>, StoreFault> {
        Ok(self.state()?.promises_to_tiers())
    }

    fn changes(&mut self, id: CustomerId) -> Result<Option<Vec<Changed>>, StoreFault> {
        let state = self.state()?;
        let members = state.members(id);
        let theirs = state.changes.iter().rev().filter(|change| members.contains(&change.customer));
        Ok(state.profile(id).map(|_| theirs.take(CHANGES_LISTED_MAX).cloned().collect()))
    }

    fn ties(&mut self) -> Result<Vec<Ties>, StoreFault> {
        let state = self.state()?;
        let all = state.profiles.iter().flatten().map(|profile| Ties {
            customer: profile.customer.id,
            head: state.head(profile.customer.id),
            contact_person: state.person(profile.customer.id).and_then(|person| person.contact_person),
        });
        Ok(all.filter(|ties| ties.head != ties.customer || ties.contact_person.is_some()).collect())
    }

    fn erasable(&mut self, id: CustomerId) -> Result<Option<Erased>, StoreFault> {
        Ok(self.state()?.erasable(id))
    }

    fn applied_sequence(&mut self) -> Result<u64, StoreFault> {
        Ok(self.state()?.applied)
    }
}

impl State {
    fn sum(&self, id: CustomerId, of: impl Fn(&super::Profile) -> u64) -> u64 {
        self.members(id).iter().filter_map(|member| self.profile(*member)).map(of).sum()
    }

    fn newest(
        &self,
        id: CustomerId,
        after: Option<Position>,
        count: usize,
        wanted: impl Fn(&HistoryEntry) -> bool,
    ) -> Vec<HistoryEntry> {
        let mut found: Vec<&HistoryEntry> = Vec::new();
        for profile in self.members(id).iter().filter_map(|member| self.profile(*member)) {
            let entries = match after {
                Some(after) => profile.history.range(..after),
                None => profile.history.range(..),
            };
            found.extend(entries.rev().map(|(_, entry)| entry).filter(|entry| wanted(entry)).take(count));
        }
        found.sort_by_key(|entry| std::cmp::Reverse(entry.position()));
        found.into_iter().take(count).map(|entry| entry.clone().summed_up()).collect()
    }

    fn contacts_since(&self, id: CustomerId, since_ms: i64) -> Vec<ContactTime> {
        let since = Position { time_ms: since_ms, number: 0 };
        let mut all: Vec<(Position, ContactTime)> = Vec::new();
        for profile in self.members(id).iter().filter_map(|member| self.profile(*member)) {
            let contacts = profile.contacts.range(since..).rev().take(CONTACTS_KEPT);
            all.extend(contacts.map(|(position, (interaction, about))| {
                let (time_ms, interaction, about) = (position.time_ms, *interaction, *about);
                (*position, ContactTime { time_ms, interaction, about })
            }));
        }
        all.sort_by_key(|(position, _)| std::cmp::Reverse(*position));
        all.into_iter().take(CONTACTS_KEPT).map(|(_, contact)| contact).collect()
    }

    fn household(&self, person: &Customer) -> Vec<Relative> {
        let is_theirs = |other: &Customer| {
            let asked = other.contact_person;
            let is_theirs = |id: CustomerId| id == person.id || person.linked.contains(&id);
            asked.is_some_and(is_theirs) && !is_theirs(other.id)
        };
        let own = self.profiles.iter().flatten().map(|profile| &profile.customer);
        let mut heads: Vec<CustomerId> =
            own.filter(|other| is_theirs(other)).map(|other| self.head(other.id)).collect();
        heads.retain(|head| *head != person.id);
        heads.sort_unstable();
        heads.dedup();
        let own = heads.into_iter().take(RELATIVES_MAX).filter_map(|head| self.person(head));
        own.map(|customer| Relative { promises: self.promises_to(customer.id), customer }).collect()
    }
}
