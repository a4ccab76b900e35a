//! Promises, end to end: made on one channel, on the card of the next contact on another, kept once.

use super::expect::{assert_refused, invalid, missing, unknown};
use super::harness::{Server, call_with, name, phone, within};
use baton::proto::{self, Channel};
use tonic::{Code, Status};
use tonic_types::StatusExt;

const NUMBER: &str = "+14155550100";

fn instruction(place: &str, text: &str) -> proto::promise::Instruction {
    proto::promise::Instruction { place: place.into(), text: text.into() }
}

fn upgrade() -> proto::Promise {
    proto::Promise {
        summary: "free upgrade of the daughter's phone".into(),
        terms: "web only".into(),
        instructions: vec![
            instruction("voice", "honour it with code X"),
            instruction("shop", "honour it with code X at the till"),
        ],
        alternative: "half the price of any phone".into(),
        made_by: "marketing".into(),
        channel: Channel::Email.into(),
        ..proto::Promise::default()
    }
}

/// What clients take in headers, if nobody told them otherwise.
const HEADERS_MAX: usize = 8 * 1024;

#[tokio::test]
async fn a_refusal_fits_into_headers_however_much_was_said() {
    let server = Server::start().await;
    let customer = server.customer().await;
    let promise = server.promise(&customer, upgrade()).await.expect("known");
    let long = "\u{1f98a}".repeat(1_024);
    let request = proto::WithdrawPromiseRequest {
        name: promise.name.clone(),
        by: "branch B".into(),
        reason: long.clone(),
        alternative: long,
    };
    within("a withdrawal", server.customers().withdraw_promise(request)).await.expect("it is open");
    let refused = server.redeem(&promise.name, "till 4", "shop").await.expect_err("it is gone");
    let answer = refused.clone().into_http::<tonic::body::Body>();
    let bytes: usize = answer.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    assert!(bytes < HEADERS_MAX, "{bytes}");
    let told = refused.get_error_details().error_info().expect("a reason").metadata.clone();
    for text in ["reason", "alternative"] {
        assert_eq!(told[text].chars().count(), 201, "200 and an ellipsis");
    }
}

impl Server {
    async fn customer(&self) -> String {
        self.who(phone(NUMBER), "").await
    }

    async fn promise(&self, customer: &str, promise: proto::Promise) -> Result<proto::Promise, Status> {
        let request = proto::MakePromiseRequest {
            parent: customer.into(),
            promise: Some(promise),
            ..proto::MakePromiseRequest::default()
        };
        within("a promise", self.customers().make_promise(request)).await.map(tonic::Response::into_inner)
    }

    async fn redeem(&self, promise: &str, by: &str, place: &str) -> Result<proto::Promise, Status> {
        let request = proto::RedeemPromiseRequest {
            name: promise.into(),
            by: by.into(),
            place: place.into(),
            ..proto::RedeemPromiseRequest::default()
        };
        within("a redemption", self.customers().redeem_promise(request))
            .await
            .map(tonic::Response::into_inner)
    }

    /// The card of the next contact on a channel, with whoever is free.
    async fn card_on(&self, agent: &str, id: &str, channel: Channel) -> proto::Card {
        let mut desk = self.sign_in(agent).await;
        let request = call_with(id, |contact| {
            contact.channel = channel.into();
            contact.from = phone(NUMBER);
        });
        self.submit(request).await.expect("it is taken");
        let offer = desk.next_offer().await;
        desk.whole_card(&offer).await
    }
}

#[tokio::test]
async fn a_promise_made_by_email_is_on_the_next_card_and_is_kept_once() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let customer = server.customer().await;
    let made = server.promise(&customer, upgrade()).await.expect("the customer is known");
    assert!(made.name.starts_with(&format!("{customer}/promises/")), "{}", made.name);

    let card = server.card_on("ana", "c1", Channel::Voice).await;
    let [promise] = &card.promises[..] else { panic!("one promise is open: {card:?}") };
    assert_eq!(promise.summary, "free upgrade of the daughter's phone");
    assert_eq!(promise.how, "honour it with code X", "what to do on the phone");
    assert!(promise.redeem_time.is_none() && !promise.expired);

    let kept = server.redeem(&made.name, &name("agents", "ana"), "voice").await.expect("it is open");
    assert_eq!((&kept.redeemed_by, kept.redeemed_at.as_str()), (&name("agents", "ana"), "voice"));
    let again = server.redeem(&made.name, "the shop in Main Street", "shop").await.expect_err("kept before");
    assert_eq!(again.code(), Code::FailedPrecondition);
    let details = again.get_error_details();
    let info = details.error_info().expect("a reason");
    assert_eq!(info.reason, "PROMISE_REDEEMED");
    let told = |field: &str| info.metadata.get(field).cloned().unwrap_or_default();
    assert_eq!((told("by"), told("place")), (name("agents", "ana"), "voice".into()));
    assert!(!told("redeem_time").is_empty());

    let card = server.card_on("bo", "c2", Channel::Chat).await;
    let [promise] = &card.promises[..] else { panic!("it is still shown: {card:?}") };
    assert!(promise.redeem_time.is_some(), "when, where and by whom: {promise:?}");
    assert_eq!(
        (promise.redeemed_at.as_str(), promise.redeemed_by.as_str()),
        ("voice", kept.redeemed_by.as_str())
    );
}

#[tokio::test]
async fn of_many_who_redeem_at_once_one_does() {
    let server = Server::start().await;
    let customer = server.customer().await;
    let made = server.promise(&customer, upgrade()).await.expect("the customer is known");
    let tries = (0..50).map(|number| {
        let (mut customers, name) = (server.customers(), made.name.clone());
        tokio::spawn(async move {
            let by = format!("shop {number}");
            let request = proto::RedeemPromiseRequest { name, by, ..proto::RedeemPromiseRequest::default() };
            customers.redeem_promise(request).await.is_ok()
        })
    });
    let mut kept = 0;
    for one in tries.collect::<Vec<_>>() {
        kept += u32::from(within("an answer", one).await.expect("no panic"));
    }
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn each_wrong_part_of_a_promise_is_refused_by_name() {
    let server = Server::start().await;
    let customer = server.customer().await;
    let past = Some(prost_types::Timestamp { seconds: 1, nanos: 0 });
    let twice = vec![instruction("shop", "a"), instruction("shop", "b")];
    let wrong = [
        ("no summary", proto::Promise { summary: String::new(), ..upgrade() }, missing("promise.summary")),
        ("long", proto::Promise { summary: "x".repeat(257), ..upgrade() }, invalid("promise.summary")),
        ("past", proto::Promise { expire_time: past, ..upgrade() }, invalid("promise.expire_time")),
        ("channel", proto::Promise { channel: 99, ..upgrade() }, invalid("promise.channel")),
        ("twice", proto::Promise { instructions: twice, ..upgrade() }, invalid("promise.instructions.place")),
        (
            "many",
            proto::Promise { instructions: vec![instruction("a", "b"); 17], ..upgrade() },
            invalid("promise.instructions"),
        ),
    ];
    for (case, promise, wanted) in wrong {
        assert_refused(case, server.promise(&customer, promise).await, wanted);
    }
    let nobody = server.promise(&name("customers", 77), upgrade()).await;
    assert_refused("nobody", nobody, unknown("CUSTOMER_NOT_FOUND", "parent"));
    let nothing = server.redeem(&format!("{customer}/promises/77"), "ana", "").await;
    assert_refused("nothing", nothing, unknown("PROMISE_NOT_FOUND", "name"));
    assert_refused("no name", server.redeem("promises/1", "ana", "").await, invalid("name"));
    let made = server.promise(&customer, upgrade()).await.expect("a promise");
    assert_refused("nobody redeems", server.redeem(&made.name, "", "").await, missing("by"));
}
