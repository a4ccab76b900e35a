//! Promises to everybody in a tier, and promises that cannot be honoured as they were made.

use super::super::model::{CustomerId, RequestId};
use super::super::preference::Preference;
use super::super::promise::{
    NewPromise, NotRedeemed, Promise, Promising, Redeeming, Redemption, To, Withdrawing,
};
use super::super::store::{Write, Written};
use super::{Harness, PHONE};

contract! {
    what_a_tier_is_promised_each_of_it_redeems_once
    whoever_leaves_a_tier_leaves_its_promises
    linked_customers_have_a_tiers_promise_once
    a_promise_that_is_withdrawn_leaves_its_alternative
    a_promise_without_an_alternative_has_none_to_give
    undoing_a_link_brings_no_redeemed_promise_back
}

const OTHER: &str = "+15550001111";

fn what(alternative: &str) -> NewPromise {
    let (summary, alternative) = ("free delivery".to_owned(), alternative.to_owned());
    NewPromise { summary, alternative, ..NewPromise::default() }
}

fn how(alternative: bool) -> Redemption {
    Redemption { by: "bo".to_owned(), place: "shop".to_owned(), note: String::new(), alternative }
}

impl Harness {
    fn promise_to(&mut self, to: To, alternative: &str, request: Option<&str>) -> Promise {
        let request_id = request.map(|id| RequestId::parse(id).expect("a request id"));
        match self.write(Write::Promise(Promising { to, what: what(alternative), request_id, now_ms: 1_000 }))
        {
            Written::Promised(promised) => *promised.expect("they are known"),
            other => panic!("a promise was answered with {other:?}"),
        }
    }

    fn redeem(
        &mut self,
        customer: CustomerId,
        promise: u64,
        how: Redemption,
    ) -> Result<Promise, NotRedeemed> {
        let redeeming = Redeeming { customer, promise, how, request_id: None, now_ms: 5_000 };
        match self.write(Write::Redeem(redeeming)) {
            Written::Redeemed(redeemed) => redeemed.map(|promise| *promise),
            other => panic!("a redemption was answered with {other:?}"),
        }
    }

    fn withdraw(&mut self, customer: Option<CustomerId>, promise: u64) -> Result<Promise, NotRedeemed> {
        let (by, reason) = ("branch B".to_owned(), "sold by mistake".to_owned());
        let alternative = "the blue one at half the price".to_owned();
        let withdrawing = Withdrawing { customer, promise, by, reason, alternative, now_ms: 4_000 };
        match self.write(Write::Withdraw(withdrawing)) {
            Written::Withdrawn(withdrawn) => withdrawn.map(|promise| *promise),
            other => panic!("a withdrawal was answered with {other:?}"),
        }
    }

    fn gold(&mut self, phone: &str) -> CustomerId {
        let customer = self.resolve(phone).customer;
        self.prefer(customer, Preference::Tier("gold".to_owned()));
        customer
    }
}

fn gold() -> To {
    To::Tier("gold".to_owned())
}

fn what_a_tier_is_promised_each_of_it_redeems_once(mut store: Harness) {
    let (ana, bo) = (store.gold(PHONE), store.gold(OTHER));
    let promise = store.promise_to(gold(), "", Some("r1"));
    assert_eq!(store.promise_to(gold(), "other words", Some("r1")), promise, "a repeated request");
    let redeemed = store.redeem(ana, promise.number, how(false)).expect("it is open");
    assert_eq!(redeemed.redeemed, Some((5_000, how(false))));
    let before = NotRedeemed::Before { at_ms: 5_000, how: how(false) };
    assert_eq!(store.redeem(ana, promise.number, how(false)), Err(before));
    assert_eq!(store.recall(bo, 9).expect("known").promises, std::slice::from_ref(&promise));
    assert!(store.redeem(bo, promise.number, how(false)).is_ok());
    let nobodys = store.resolve("+15550002222").customer;
    assert_eq!(store.redeem(nobodys, promise.number, how(false)), Err(NotRedeemed::Unknown));
    let mut store = store.reopened();
    assert_eq!(store.reads.tier_promises(), Ok(vec![promise]));
    assert_eq!(store.reads.promises(ana), Ok(Some(vec![redeemed])));
}

fn whoever_leaves_a_tier_leaves_its_promises(mut store: Harness) {
    let ana = store.gold(PHONE);
    let promise = store.promise_to(gold(), "", None);
    assert_eq!(store.reads.promises(ana), Ok(Some(vec![promise.clone()])));
    store.prefer(ana, Preference::Tier("silver".to_owned()));
    assert_eq!(store.reads.promises(ana), Ok(Some(Vec::new())));
    assert_eq!(store.redeem(ana, promise.number, how(false)), Err(NotRedeemed::Unknown));
}

fn linked_customers_have_a_tiers_promise_once(mut store: Harness) {
    let (cookie, account) = (store.resolve(PHONE).customer, store.gold(OTHER));
    let promise = store.promise_to(gold(), "", None);
    store.link(cookie, account).expect("both are known");
    assert!(store.redeem(cookie, promise.number, how(false)).is_ok(), "they are gold by the account");
    let before = NotRedeemed::Before { at_ms: 5_000, how: how(false) };
    assert_eq!(store.redeem(account, promise.number, how(false)), Err(before));
}

fn a_promise_that_is_withdrawn_leaves_its_alternative(mut store: Harness) {
    let ana = store.resolve(PHONE).customer;
    let other = store.resolve(OTHER).customer;
    let promise = store.promise_to(To::Customer(ana), "", None);
    assert_eq!(store.withdraw(Some(other), promise.number), Err(NotRedeemed::Unknown));
    assert_eq!(store.withdraw(None, promise.number), Err(NotRedeemed::Unknown));
    let withdrawn = store.withdraw(Some(ana), promise.number).expect("it is open");
    let said = withdrawn.withdrawn.as_ref().map(|said| (said.at_ms, said.by.as_str(), said.reason.as_str()));
    assert_eq!(said, Some((4_000, "branch B", "sold by mistake")));
    let mut store = store.reopened();
    assert_eq!(store.reads.promises(ana), Ok(Some(vec![withdrawn.clone()])));
    let (reason, alternative) = ("sold by mistake".to_owned(), "the blue one at half the price".to_owned());
    let refused = NotRedeemed::Withdrawn { reason, alternative };
    assert_eq!(store.redeem(ana, promise.number, how(false)), Err(refused));
    let given = store.redeem(ana, promise.number, how(true)).expect("the alternative can be given");
    assert_eq!(given.redeemed, Some((5_000, how(true))));
    let before = NotRedeemed::Before { at_ms: 5_000, how: how(true) };
    assert_eq!(store.withdraw(Some(ana), promise.number), Err(before));
}

fn a_promise_without_an_alternative_has_none_to_give(mut store: Harness) {
    let ana = store.resolve(PHONE).customer;
    let promise = store.promise_to(To::Customer(ana), "", None);
    assert_eq!(store.redeem(ana, promise.number, how(true)), Err(NotRedeemed::NoAlternative));
    let other = store.promise_to(To::Customer(ana), "half of it", None);
    assert!(store.redeem(ana, other.number, how(true)).is_ok());
}

fn undoing_a_link_brings_no_redeemed_promise_back(mut store: Harness) {
    let (cookie, account) = (store.resolve(PHONE).customer, store.resolve(OTHER).customer);
    let promise = store.promise_to(To::Customer(cookie), "", None);
    store.link(cookie, account).expect("both are known");
    assert!(store.redeem(account, promise.number, how(false)).is_ok(), "whichever number it is asked under");
    store.unlink(cookie).expect("they are linked");
    let before = NotRedeemed::Before { at_ms: 5_000, how: how(false) };
    assert_eq!(store.redeem(cookie, promise.number, how(false)), Err(before));
}
