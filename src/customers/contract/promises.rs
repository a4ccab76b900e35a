//! What every store must keep of promises: seen at once, redeemed once, and not after they have run out.

use super::super::model::{CustomerId, RequestId};
use super::super::promise::{
    Instruction, NewPromise, NotRedeemed, Promise, Promising, Redeeming, Redemption, To,
};
use super::super::store::{UnknownCustomer, Write, Written};
use super::{Harness, PHONE};

contract! {
    a_promise_is_seen_at_the_next_look
    a_promise_is_redeemed_once_and_whoever_asks_again_is_told_how
    a_promise_that_has_run_out_is_not_redeemed
    a_promise_belongs_to_one_customer
    a_repeated_request_makes_and_redeems_nothing_twice
    promises_stand_in_the_order_in_which_they_run_out_and_the_redeemed_ones_last
    promises_outlive_the_store
}

fn what(summary: &str, expires_ms: Option<i64>) -> NewPromise {
    let text = "Code X; no other discount".to_owned();
    NewPromise {
        summary: summary.to_owned(),
        terms: "web only".to_owned(),
        instructions: vec![Instruction { place: "voice".to_owned(), text }],
        alternative: "half the price of any model".to_owned(),
        made_by: "marketing".to_owned(),
        channel: 5,
        expires_ms,
    }
    .checked()
    .expect("short texts")
}

fn how(by: &str) -> Redemption {
    Redemption { by: by.to_owned(), place: "shop".to_owned(), ..Redemption::default() }
}

impl Harness {
    pub(super) fn promise_by(
        &mut self,
        customer: CustomerId,
        what: NewPromise,
        request: Option<&str>,
    ) -> Result<Promise, UnknownCustomer> {
        let request_id = request.map(|id| RequestId::parse(id).expect("a request id"));
        match self.write(Write::Promise(Promising {
            to: To::Customer(customer),
            what,
            request_id,
            now_ms: 1_000,
        })) {
            Written::Promised(promised) => promised.map(|promise| *promise),
            other => panic!("a promise was answered with {other:?}"),
        }
    }

    fn promise(&mut self, customer: CustomerId, summary: &str, expires_ms: Option<i64>) -> Promise {
        self.promise_by(customer, what(summary, expires_ms), None).expect("the customer is known")
    }

    fn redeem_by(
        &mut self,
        promise: &Promise,
        by: &str,
        now_ms: i64,
        request: Option<&str>,
    ) -> Result<Promise, NotRedeemed> {
        let request_id = request.map(|id| RequestId::parse(id).expect("a request id"));
        let To::Customer(customer) = promise.to else { panic!("it is to one customer") };
        let number = promise.number;
        let redeeming = Redeeming { customer, promise: number, how: how(by), request_id, now_ms };
        match self.write(Write::Redeem(redeeming)) {
            Written::Redeemed(redeemed) => redeemed.map(|promise| *promise),
            other => panic!("a redemption was answered with {other:?}"),
        }
    }

    fn promises(&mut self, customer: CustomerId) -> Vec<Promise> {
        self.reads.promises(customer).expect("the store works").expect("the customer is known")
    }
}

fn a_promise_is_seen_at_the_next_look(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let promise = store.promise(customer, "a free upgrade", Some(9_000));
    assert_eq!(store.promises(customer), vec![promise.clone()]);
    let recalled = store.recall(customer, 2_000).expect("a customer");
    assert_eq!(recalled.promises, vec![promise.clone()]);
    assert_eq!(promise.instruction("voice"), Some("Code X; no other discount"));
    assert_eq!(promise.instruction("shop"), None);
}

fn a_promise_is_redeemed_once_and_whoever_asks_again_is_told_how(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let promise = store.promise(customer, "a free upgrade", Some(9_000));
    let redeemed = store.redeem_by(&promise, "ana", 2_000, None).expect("it is open");
    assert_eq!(redeemed.redeemed, Some((2_000, how("ana"))));
    let again = store.redeem_by(&promise, "bo", 3_000, None);
    assert_eq!(again, Err(NotRedeemed::Before { at_ms: 2_000, how: how("ana") }));
    // Neither does running out change what was.
    let late = store.redeem_by(&promise, "bo", 10_000, None);
    assert_eq!(late, Err(NotRedeemed::Before { at_ms: 2_000, how: how("ana") }));
    assert_eq!(store.promises(customer), vec![redeemed]);
}

fn a_promise_that_has_run_out_is_not_redeemed(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let promise = store.promise(customer, "a free upgrade", Some(9_000));
    assert_eq!(store.redeem_by(&promise, "ana", 9_000, None), Err(NotRedeemed::Expired { at_ms: 9_000 }));
    assert!(store.redeem_by(&promise, "ana", 8_999, None).is_ok(), "a moment before");
    let forever = store.promise(customer, "a sofa", None);
    assert!(store.redeem_by(&forever, "ana", i64::MAX, None).is_ok());
}

fn a_promise_belongs_to_one_customer(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let other = store.resolve("+15550001111").customer;
    let promise = store.promise(customer, "a free upgrade", None);
    let theirs = Promise { to: To::Customer(other), ..promise.clone() };
    assert_eq!(store.redeem_by(&theirs, "ana", 2_000, None), Err(NotRedeemed::Unknown));
    let unknown = Promise { number: promise.number + 1, ..promise };
    assert_eq!(store.redeem_by(&unknown, "ana", 2_000, None), Err(NotRedeemed::Unknown));
    assert_eq!(store.promises(other), []);
    let nobody = CustomerId(77);
    assert_eq!(store.promise_by(nobody, what("a sofa", None), None), Err(UnknownCustomer(nobody)));
    assert_eq!(store.reads.promises(nobody), Ok(None));
}

fn a_repeated_request_makes_and_redeems_nothing_twice(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let first = store.promise_by(customer, what("a sofa", None), Some("p1")).expect("a customer");
    let again = store.promise_by(customer, what("another", None), Some("p1")).expect("a customer");
    assert_eq!(first, again);
    assert_eq!(store.promises(customer).len(), 1);
    let redeemed = store.redeem_by(&first, "ana", 2_000, Some("r1")).expect("it is open");
    assert_eq!(store.redeem_by(&first, "ana", 3_000, Some("r1")), Ok(redeemed));
    assert!(store.redeem_by(&first, "ana", 3_000, Some("r2")).is_err());
}

fn promises_stand_in_the_order_in_which_they_run_out_and_the_redeemed_ones_last(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let for_ever = store.promise(customer, "for ever", None);
    let late = store.promise(customer, "late", Some(9_000));
    let soon = store.promise(customer, "soon", Some(5_000));
    let kept = store.promise(customer, "kept", Some(3_000));
    let kept_later = store.promise(customer, "kept later", None);
    let kept = store.redeem_by(&kept, "ana", 2_000, None).expect("it is open");
    let kept_later = store.redeem_by(&kept_later, "ana", 2_500, None).expect("it is open");
    assert_eq!(store.promises(customer), vec![soon, late, for_ever, kept_later, kept]);
}

fn promises_outlive_the_store(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let promise = store.promise(customer, "a free upgrade", Some(9_000));
    let redeemed = store.redeem_by(&promise, "ana", 2_000, None).expect("it is open");
    let mut store = store.reopened();
    assert_eq!(store.promises(customer), vec![redeemed.clone()]);
    let next = store.promise(customer, "another", None);
    assert!(next.number > redeemed.number, "numbers are not given twice");
}
