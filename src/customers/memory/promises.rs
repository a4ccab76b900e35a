//! Promises to customers and tiers, with the requests that made and redeemed them.

use std::collections::BTreeMap;

use super::super::model::{CustomerId, RequestId};
use super::super::promise::{
    NotRedeemed, PROMISES_LISTED_MAX, Promise, Promising, Redeeming, Redemption, To, Withdrawal, Withdrawing,
};
use super::super::store::UnknownCustomer;
use super::State;

/// A promise as it was made, and who has had it.
pub(super) struct Promised {
    pub promise: Promise,
    made: Option<RequestId>,
    pub redeemed: BTreeMap<CustomerId, (i64, Redemption, Option<RequestId>)>,
}

impl State {
    /// Every promise to a person, each as it stands with them.
    pub(super) fn promises_to(&self, id: CustomerId) -> Vec<Promise> {
        let Some(person) = self.person(id) else { return Vec::new() };
        let members = self.members(id);
        let theirs = |to: &To| match to {
            To::Customer(customer) => members.contains(customer),
            To::Tier(tier) => *tier == person.tier,
        };
        let mut counts: BTreeMap<CustomerId, usize> = BTreeMap::new();
        let mut newest = |to: &To| {
            let whose = if let To::Customer(customer) = to { *customer } else { CustomerId(0) };
            let count = counts.entry(whose).or_default();
            *count += 1;
            *count <= PROMISES_LISTED_MAX
        };
        let theirs =
            self.promises.values().rev().filter(|one| theirs(&one.promise.to) && newest(&one.promise.to));
        sorted(theirs.map(|one| one.with(&members)).collect())
    }

    pub(super) fn promises_to_tiers(&self) -> Vec<Promise> {
        let tiers = self.promises.values().map(|one| &one.promise);
        sorted(tiers.filter(|promise| matches!(promise.to, To::Tier(_))).cloned().collect())
    }

    pub(super) fn promise(&mut self, promising: &Promising) -> Result<Promise, UnknownCustomer> {
        let Promising { to, what, request_id, now_ms } = promising;
        let same = |one: &&Promised| one.promise.to == *to && one.made.is_some() && one.made == *request_id;
        if let Some(first) = self.promises.values().find(same) {
            let members = if let To::Customer(id) = to { self.members(*id) } else { Vec::new() };
            return Ok(first.with(&members));
        }
        if let To::Customer(customer) = to {
            self.profile(*customer).ok_or(UnknownCustomer(*customer))?;
        }
        self.last_promise += 1;
        let number = self.last_promise;
        let (to, what) = (to.clone(), what.clone());
        let promise = Promise { number, to, made_ms: *now_ms, what, withdrawn: None, redeemed: None };
        let made = request_id.clone();
        self.promises.insert(number, Promised { promise: promise.clone(), made, redeemed: BTreeMap::new() });
        Ok(promise)
    }

    pub(super) fn redeem(&mut self, redeeming: &Redeeming) -> Result<Promise, NotRedeemed> {
        let Redeeming { customer, promise, how, request_id, now_ms } = redeeming;
        let found = self.promises_to(*customer).into_iter().find(|one| one.number == *promise);
        let found = found.ok_or(NotRedeemed::Unknown)?;
        let members = self.members(*customer);
        let known = self.promises.get_mut(promise).ok_or(NotRedeemed::Unknown)?;
        let by_request = known.redeemed_by(&members).and_then(|(_, _, request)| request.clone());
        if request_id.is_some() && by_request == *request_id {
            return Ok(found);
        }
        found.may_be_redeemed(how, *now_ms)?;
        // Undoing a link must not bring back what one of the two was promised alone.
        let whose = if let To::Customer(to) = known.promise.to { to } else { *customer };
        known.redeemed.insert(whose, (*now_ms, how.clone(), request_id.clone()));
        Ok(known.with(&members))
    }

    pub(super) fn withdraw(&mut self, withdrawing: &Withdrawing) -> Result<Promise, NotRedeemed> {
        let Withdrawing { customer, promise, by, reason, alternative, now_ms } = withdrawing;
        let members = customer.map(|customer| self.members(customer)).unwrap_or_default();
        let known = self.promises.get_mut(promise).ok_or(NotRedeemed::Unknown)?;
        let theirs = match &known.promise.to {
            To::Customer(to) => members.contains(to),
            To::Tier(_) => customer.is_none(),
        };
        if !theirs {
            return Err(NotRedeemed::Unknown);
        }
        if let Some((at_ms, how, _)) = known.redeemed_by(&members) {
            return Err(NotRedeemed::Before { at_ms: *at_ms, how: how.clone() });
        }
        let (by, reason) = (by.clone(), reason.clone());
        known.promise.withdrawn = Some(Withdrawal { at_ms: *now_ms, by, reason });
        if !alternative.is_empty() {
            known.promise.what.alternative.clone_from(alternative);
        }
        Ok(known.with(&members))
    }
}

impl Promised {
    fn redeemed_by(&self, members: &[CustomerId]) -> Option<&(i64, Redemption, Option<RequestId>)> {
        members.iter().filter_map(|member| self.redeemed.get(member)).min_by_key(|(at_ms, _, _)| *at_ms)
    }

    /// As it stands with a person.
    fn with(&self, members: &[CustomerId]) -> Promise {
        let redeemed = self.redeemed_by(members).map(|(at_ms, how, _)| (*at_ms, how.clone()));
        Promise { redeemed, ..self.promise.clone() }
    }
}

fn sorted(mut all: Vec<Promise>) -> Vec<Promise> {
    all.sort_by_key(Promise::order);
    all.truncate(PROMISES_LISTED_MAX);
    all
}
