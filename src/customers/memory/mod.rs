//! Customers in memory, for simulations and tests. Nothing here can fail halfway, so a group needs no way
//! back: it is done under one lock, which is all that "committed" means without a disk.

mod erase;
mod people;
mod promises;
mod reads;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use self::promises::Promised;
use super::address::Address;
use super::entry::{HistoryEntry, Position};
use super::model::{Customer, CustomerId, DisplayName, RequestId};
use super::preference::Changed;
use super::store::{
    Change, CustomerReads, CustomerStore, Gap, NotRecorded, Opened, Projected, Projection, Purged, Purging,
    Recording, Resolved, StoreFault, Write, Written,
};

/// A store that forgets everything with the process. Clones share what they hold.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Customer 1 is at 0; who was erased leaves the place empty.
    profiles: Vec<Option<Profile>>,
    addresses: HashMap<Address, CustomerId>,
    /// Where the contact of an interaction stands.
    contacts: HashMap<u64, (CustomerId, Position)>,
    requests: HashMap<(CustomerId, RequestId), Position>,
    /// By number.
    promises: BTreeMap<u64, Promised>,
    /// Oldest first.
    changes: Vec<Changed>,
    last_promise: u64,
    last_change: u64,
    last_number: u64,
    applied: u64,
}

struct Profile {
    /// What is known of this customer alone.
    customer: Customer,
    linked_to: Option<CustomerId>,
    /// Contacts there ever were, those let go included.
    lifetime_contacts: u64,
    history: BTreeMap<Position, HistoryEntry>,
    /// The contacts alone, so that counting a week of them does not pass over everything else: interaction and what it is
    /// about.
    contacts: BTreeMap<Position, (u64, u64)>,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, StoreFault> {
        self.state.lock().map_err(|_| StoreFault::Unavailable {
            doing: "locking the memory store",
            cause: "a thread died while writing".into(),
        })
    }
}

impl CustomerStore for MemoryStore {
    fn reads(&self) -> Result<Box<dyn CustomerReads>, StoreFault> {
        Ok(Box::new(self.clone()))
    }

    fn commit(&mut self, group: &[Write]) -> Result<Vec<Written>, StoreFault> {
        let mut state = self.state()?;
        Ok(group.iter().map(|write| state.write(write)).collect())
    }
}

impl State {
    fn index(id: CustomerId) -> Option<usize> {
        usize::try_from(id.0.checked_sub(1)?).ok()
    }

    fn profile(&self, id: CustomerId) -> Option<&Profile> {
        self.profiles.get(Self::index(id)?)?.as_ref()
    }

    fn profile_mut(&mut self, id: CustomerId) -> Option<&mut Profile> {
        self.profiles.get_mut(Self::index(id)?)?.as_mut()
    }

    fn write(&mut self, write: &Write) -> Written {
        match write {
            Write::Resolve { address, display_name, now_ms } => {
                Written::Resolved(self.resolve(address, display_name.as_ref(), *now_ms))
            }
            Write::Record(recording) => Written::Recorded(self.record(recording).map(Box::new)),
            Write::Promise(promising) => Written::Promised(self.promise(promising).map(Box::new)),
            Write::Redeem(redeeming) => Written::Redeemed(self.redeem(redeeming).map(Box::new)),
            Write::Withdraw(withdrawing) => Written::Withdrawn(self.withdraw(withdrawing).map(Box::new)),
            Write::Link(linking) => Written::Linked(self.link(linking)),
            Write::Unlink(unlinking) => Written::Unlinked(self.unlink(unlinking)),
            Write::Prefer(preferring) => Written::Preferred(self.prefer(preferring)),
            Write::Purge(purging) => Written::Purged(self.purge(purging)),
            Write::Erase(erasing) => Written::Erased(self.erase(erasing)),
            Write::Project(projection) => Written::Projected(self.project(projection)),
        }
    }

    fn resolve(&mut self, address: &Address, name: Option<&DisplayName>, now_ms: i64) -> Resolved {
        let known = self.addresses.get(address).copied();
        let customer = known.map(|known| self.head(known)).unwrap_or_else(|| self.create(address, now_ms));
        let named = self.person(customer).is_some_and(|person| !person.display_name.is_empty());
        if let (Some(name), false, Some(profile)) = (name, named, self.profile_mut(customer)) {
            profile.customer.display_name = name.as_str().to_owned();
        }
        Resolved { customer, created: known.is_none() }
    }

    fn create(&mut self, address: &Address, created_ms: i64) -> CustomerId {
        let id = CustomerId(self.profiles.len() as u64 + 1);
        let customer = Customer { addresses: vec![address.clone()], ..Customer::thin(id, created_ms) };
        let (history, contacts) = (BTreeMap::new(), BTreeMap::new());
        self.profiles.push(Some(Profile {
            customer,
            linked_to: None,
            lifetime_contacts: 0,
            history,
            contacts,
        }));
        self.addresses.insert(address.clone(), id);
        id
    }

    fn record(&mut self, recording: &Recording) -> Result<HistoryEntry, NotRecorded> {
        let Recording { customer, entry, to, request_id, now_ms } = recording;
        let request = request_id.clone().map(|id| (*customer, id));
        if let Some(first) = request.as_ref().and_then(|request| self.recorded(request)) {
            return Ok(first.clone());
        }
        let person = self.person(*customer).ok_or(NotRecorded::Unknown(*customer))?;
        if entry.details.outbound {
            let owner = to.as_ref().and_then(|to| self.person(*self.addresses.get(to)?));
            let owner_allows = owner.map_or(Ok(()), |owner| owner.may_be_sent(entry.channel, to.as_ref()));
            let allowed = person.may_be_sent(entry.channel, to.as_ref()).and(owner_allows);
            allowed.map_err(NotRecorded::NotAllowed)?;
        }
        let entry = entry.numbered(self.last_number + 1, *now_ms);
        let profile = self.profile_mut(*customer).ok_or(NotRecorded::Unknown(*customer))?;
        profile.history.insert(entry.position(), entry.clone());
        self.last_number = entry.number;
        self.requests.extend(request.map(|request| (request, entry.position())));
        Ok(entry)
    }

    fn recorded(&self, request: &(CustomerId, RequestId)) -> Option<&HistoryEntry> {
        self.profile(request.0)?.history.get(self.requests.get(request)?)
    }

    fn purge(&mut self, purging: &Purging) -> Purged {
        let upto = purging.after.saturating_add(purging.looked_at);
        let (mut gone, mut interactions) = (0, Vec::new());
        for profile in self.profiles.iter_mut().flatten() {
            let numbers = purging.after + 1..=upto;
            let old = |entry: &&HistoryEntry| numbers.contains(&entry.number) && purging.takes(entry);
            let old = profile.history.values().filter(old).map(HistoryEntry::position);
            for position in old.collect::<Vec<_>>() {
                interactions.extend(profile.contacts.get(&position).map(|(interaction, _)| *interaction));
                if !purging.only_look {
                    profile.history.remove(&position);
                    profile.contacts.remove(&position);
                }
                gone += 1;
            }
        }
        interactions.sort_unstable();
        Purged { gone, interactions, next: (upto < self.last_number).then_some(upto) }
    }

    fn project(&mut self, projection: &Projection) -> Result<u64, Gap> {
        let applied = self.applied;
        if projection.after > applied {
            return Err(Gap { applied, after: projection.after });
        }
        for event in projection.events.iter().filter(|event| event.sequence > applied) {
            self.apply(event);
        }
        self.applied = applied.max(projection.upto);
        Ok(self.applied)
    }

    fn apply(&mut self, event: &Projected) {
        match &event.change {
            Change::Opened(opened) => self.open(event.time_ms, opened),
            change => self.amend(change),
        }
    }

    fn open(&mut self, time_ms: i64, opened: &Opened) {
        let number = self.last_number + 1;
        if self.contacts.contains_key(&opened.interaction) {
            return;
        }
        let Some(profile) = self.profile_mut(opened.customer) else { return };
        let entry = HistoryEntry::opened(number, time_ms, opened);
        let position = entry.position();
        profile.lifetime_contacts += 1;
        profile.history.insert(position, entry);
        profile.contacts.insert(position, (opened.interaction, opened.about()));
        self.contacts.insert(opened.interaction, (opened.customer, position));
        self.last_number = number;
    }

    fn amend(&mut self, change: &Change) {
        let Some((id, position)) = self.contacts.get(&change.interaction()).copied() else { return };
        let entry = self.profile_mut(id).and_then(|profile| profile.history.get_mut(&position));
        if let Some(entry) = entry {
            entry.amend(change);
        }
    }
}
