//! Who is one person, and what is known of them.

use super::super::link::{self, LINKED_MAX, Linking, NotLinked, NotUnlinked, Tie, Unlinking};
use super::super::model::{Customer, CustomerId};
use super::super::preference::{
    CONSENTS_MAX, Changed, Consent, NotPreferred, Preference, Preferring, Reason,
};
use super::State;

impl State {
    fn ties(&self) -> Vec<Tie> {
        let linked = self.profiles.iter().flatten().filter(|profile| profile.linked_to.is_some());
        linked.map(|profile| Tie { customer: profile.customer.id, linked_to: profile.linked_to }).collect()
    }

    /// Under which number a customer is seen.
    pub(super) fn head(&self, id: CustomerId) -> CustomerId {
        link::head(id, &self.ties())
    }

    /// Everybody who is the same person, in the order of their numbers; nobody if there is no such customer.
    pub(super) fn members(&self, id: CustomerId) -> Vec<CustomerId> {
        let ties = self.ties();
        let head = link::head(id, &ties);
        let all = self.profiles.iter().flatten().map(|profile| profile.customer.id);
        all.filter(|other| link::head(*other, &ties) == head).collect()
    }

    /// What is known of a customer and all who are linked with them.
    pub(super) fn person(&self, id: CustomerId) -> Option<Customer> {
        let members = self.members(id);
        let all = members.iter().filter_map(|member| self.profile(*member)).map(|one| one.customer.clone());
        link::merged(all.collect(), self.head(id))
    }

    /// What is known of somebody who is there.
    fn here(&self, id: CustomerId) -> Customer {
        self.person(id).expect("they were found a moment ago")
    }

    pub(super) fn link(&mut self, linking: &Linking) -> Result<Box<Customer>, NotLinked> {
        let Linking { customer, into, reason, now_ms } = linking;
        for one in [*customer, *into] {
            self.profile(one).ok_or(NotLinked::Unknown(one))?;
        }
        let (from, head) = (self.head(*customer), self.head(*into));
        if from == head {
            return Ok(self.here(head).into());
        }
        let count = self.members(from).len() + self.members(head).len();
        if count > LINKED_MAX {
            return Err(NotLinked::TooMany { count });
        }
        self.profile_mut(from).ok_or(NotLinked::Unknown(from))?.linked_to = Some(head);
        self.changed(from, format!("linked to customer {head}"), reason, *now_ms);
        Ok(self.here(head).into())
    }

    pub(super) fn unlink(&mut self, unlinking: &Unlinking) -> Result<Box<[Customer; 2]>, NotUnlinked> {
        let Unlinking { customer, reason, now_ms } = unlinking;
        let before = self.head(*customer);
        let profile = self.profile_mut(*customer).ok_or(NotUnlinked::Unknown(*customer))?;
        let from = profile.linked_to.take().ok_or(NotUnlinked::NotLinked(*customer))?;
        self.changed(*customer, format!("no longer linked to customer {from}"), reason, *now_ms);
        Ok([self.here(*customer), self.here(before)].into())
    }

    pub(super) fn prefer(&mut self, preferring: &Preferring) -> Result<Box<Customer>, NotPreferred> {
        let Preferring { customer, preference, reason, now_ms } = preferring;
        self.profile(*customer).ok_or(NotPreferred::Unknown(*customer))?;
        if let Preference::ContactPerson(Some(other)) = preference {
            self.profile(*other).ok_or(NotPreferred::UnknownContactPerson(*other))?;
            if self.head(*other) == self.head(*customer) {
                return Err(NotPreferred::OwnContactPerson);
            }
        }
        let profile = self.profile_mut(*customer).ok_or(NotPreferred::Unknown(*customer))?;
        let own = &mut profile.customer;
        if let Preference::Consent { channel, address, .. } = preference
            && own.consents.len() >= CONSENTS_MAX
            && !own.consents.iter().any(|one| (one.channel, &one.address) == (*channel, address))
        {
            return Err(NotPreferred::TooManyConsents);
        }
        match preference.clone() {
            Preference::Consent { channel, address, allowed } => {
                own.consents.retain(|one| (one.channel, &one.address) != (channel, &address));
                let by = reason.by.clone();
                own.consents.push(Consent { channel, address, allowed, since_ms: *now_ms, by });
                own.consents.sort_by_key(|one| (one.channel, one.address.clone()));
            }
            Preference::PreferredChannel(channel) => own.preferred_channel = channel,
            Preference::Language(language) => own.language = language,
            Preference::Tier(tier) => own.tier = tier,
            Preference::DisplayName(name) => own.display_name = name,
            Preference::Minor(minor) => own.minor = minor,
            Preference::ContactPerson(other) => own.contact_person = other,
        }
        self.changed(*customer, preference.words(), reason, *now_ms);
        Ok(self.here(*customer).into())
    }

    fn changed(&mut self, customer: CustomerId, what: String, reason: &Reason, time_ms: i64) {
        self.last_change += 1;
        let number = self.last_change;
        self.changes.push(Changed { number, customer, time_ms, what, reason: reason.clone() });
    }
}
