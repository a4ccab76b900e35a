//! Customers in memory, for simulations and tests. Nothing here can fail halfway, so a group needs no way
//! back: it is done under one lock, which is all that "committed" means without a disk.

mod erase;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use super::address::Address;
use super::card::{CONTACTS_KEPT, LOOKED_UP, Recalled};
use super::entry::{HistoryEntry, Page, Position};
use super::erase::Erased;
use super::model::{Customer, CustomerId, DisplayName, RequestId};
use super::promise::{NotRedeemed, PROMISES_LISTED_MAX, Promise, Promising, Redeeming};
use super::store::{
    Change, CustomerReads, CustomerStore, Gap, Known, Opened, Projected, Projection, Recording, Resolved,
    StoreFault, UnknownCustomer, Write, Written,
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
    last_promise: u64,
    last_number: u64,
    applied: u64,
}

/// A promise with the requests that made and redeemed it.
struct Promised {
    promise: Promise,
    made: Option<RequestId>,
    redeemed: Option<RequestId>,
}

struct Profile {
    customer: Customer,
    history: BTreeMap<Position, HistoryEntry>,
    /// The contacts alone, so that counting a week of them does not pass over everything else.
    contacts: BTreeMap<Position, u64>,
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

impl CustomerReads for MemoryStore {
    fn find(&mut self, address: &Address) -> Result<Option<Known>, StoreFault> {
        let state = self.state()?;
        let profile = state.addresses.get(address).and_then(|id| state.profile(*id));
        Ok(profile.map(|profile| Known {
            customer: profile.customer.id,
            named: !profile.customer.display_name.is_empty(),
        }))
    }

    fn customer(&mut self, id: CustomerId) -> Result<Option<Customer>, StoreFault> {
        Ok(self.state()?.profile(id).map(|profile| profile.customer.clone()))
    }

    fn history(
        &mut self,
        id: CustomerId,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Option<Page>, StoreFault> {
        let state = self.state()?;
        Ok(state.profile(id).map(|profile| Page::of(profile.newest(after, limit.saturating_add(1)), limit)))
    }

    fn recall(&mut self, id: CustomerId, since_ms: i64) -> Result<Option<Recalled>, StoreFault> {
        let state = self.state()?;
        let Some(profile) = state.profile(id) else { return Ok(None) };
        let since = Position { time_ms: since_ms, number: 0 };
        let contacts = profile.contacts.range(since..).rev().take(CONTACTS_KEPT);
        Ok(Some(Recalled {
            customer: profile.customer.clone(),
            newest: profile.newest(None, LOOKED_UP),
            entries: profile.history.len() as u64,
            contacts: contacts.map(|(position, interaction)| (position.time_ms, *interaction)).collect(),
            applied: state.applied,
            promises: state.promises_to(id),
        }))
    }

    fn promises(&mut self, id: CustomerId) -> Result<Option<Vec<Promise>>, StoreFault> {
        let state = self.state()?;
        Ok(state.profile(id).map(|_| state.promises_to(id)))
    }

    fn erasable(&mut self, id: CustomerId) -> Result<Option<Erased>, StoreFault> {
        Ok(self.state()?.erasable(id))
    }

    fn applied_sequence(&mut self) -> Result<u64, StoreFault> {
        Ok(self.state()?.applied)
    }
}

impl Profile {
    fn newest(&self, after: Option<Position>, count: usize) -> Vec<HistoryEntry> {
        let entries = match after {
            Some(after) => self.history.range(..after),
            None => self.history.range(..),
        };
        entries.rev().take(count).map(|(_, entry)| entry.clone().summed_up()).collect()
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
            Write::Erase(erasing) => Written::Erased(self.erase(erasing)),
            Write::Project(projection) => Written::Projected(self.project(projection)),
        }
    }

    fn resolve(&mut self, address: &Address, name: Option<&DisplayName>, now_ms: i64) -> Resolved {
        let known = self.addresses.get(address).copied();
        let customer = known.unwrap_or_else(|| self.create(address, now_ms));
        if let (Some(name), Some(profile)) = (name, self.profile_mut(customer))
            && profile.customer.display_name.is_empty()
        {
            profile.customer.display_name = name.as_str().to_owned();
        }
        Resolved { customer, created: known.is_none() }
    }

    fn create(&mut self, address: &Address, created_ms: i64) -> CustomerId {
        let id = CustomerId(self.profiles.len() as u64 + 1);
        let customer =
            Customer { id, display_name: String::new(), addresses: vec![address.clone()], created_ms };
        let profile = Profile { customer, history: BTreeMap::new(), contacts: BTreeMap::new() };
        self.profiles.push(Some(profile));
        self.addresses.insert(address.clone(), id);
        id
    }

    fn record(&mut self, recording: &Recording) -> Result<HistoryEntry, UnknownCustomer> {
        let Recording { customer, entry, request_id, now_ms } = recording;
        let request = request_id.clone().map(|id| (*customer, id));
        if let Some(first) = request.as_ref().and_then(|request| self.recorded(request)) {
            return Ok(first.clone());
        }
        let entry = HistoryEntry {
            number: self.last_number + 1,
            kind: entry.kind,
            time_ms: entry.time_ms.unwrap_or(*now_ms),
            channel: entry.channel,
            summary: entry.summary.clone(),
            text: entry.text.clone(),
            contact: None,
        };
        let profile = self.profile_mut(*customer).ok_or(UnknownCustomer(*customer))?;
        profile.history.insert(entry.position(), entry.clone());
        self.last_number = entry.number;
        self.requests.extend(request.map(|request| (request, entry.position())));
        Ok(entry)
    }

    fn promises_to(&self, id: CustomerId) -> Vec<Promise> {
        let theirs = self.promises.values().map(|one| &one.promise).filter(|promise| promise.customer == id);
        let mut theirs: Vec<Promise> = theirs.cloned().collect();
        theirs.sort_by_key(Promise::order);
        theirs.truncate(PROMISES_LISTED_MAX);
        theirs
    }

    fn promise(&mut self, promising: &Promising) -> Result<Promise, UnknownCustomer> {
        let Promising { customer, what, request_id, now_ms } = promising;
        let same = |one: &&Promised| {
            one.promise.customer == *customer && one.made.is_some() && one.made == *request_id
        };
        if let Some(first) = self.promises.values().find(same) {
            return Ok(first.promise.clone());
        }
        self.profile(*customer).ok_or(UnknownCustomer(*customer))?;
        let number = self.last_promise + 1;
        self.last_promise = number;
        let promise =
            Promise { number, customer: *customer, made_ms: *now_ms, what: what.clone(), redeemed: None };
        let made = request_id.clone();
        self.promises.insert(number, Promised { promise: promise.clone(), made, redeemed: None });
        Ok(promise)
    }

    fn redeem(&mut self, redeeming: &Redeeming) -> Result<Promise, NotRedeemed> {
        let Redeeming { customer, promise, how, request_id, now_ms } = redeeming;
        let known = self.promises.get_mut(promise).filter(|one| one.promise.customer == *customer);
        let known = known.ok_or(NotRedeemed::Unknown)?;
        if request_id.is_some() && known.redeemed == *request_id {
            return Ok(known.promise.clone());
        }
        known.promise.may_be_redeemed(*now_ms)?;
        known.promise.redeemed = Some((*now_ms, how.clone()));
        known.redeemed.clone_from(request_id);
        Ok(known.promise.clone())
    }

    fn recorded(&self, request: &(CustomerId, RequestId)) -> Option<&HistoryEntry> {
        self.profile(request.0)?.history.get(self.requests.get(request)?)
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
        profile.history.insert(position, entry);
        profile.contacts.insert(position, opened.interaction);
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
