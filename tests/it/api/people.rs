//! What is wrong about customers is refused by field, in every method; and what the edge adds to what stores must do: the
//! card as it is kept follows a link, a preference and a promise to a tier at once.

use super::expect::{assert_refused, failed, invalid, missing, unknown};
use super::harness::{Server, TENANT, call_with, name, phone, within};
use baton::proto::set_preference_request::Preference;
use baton::proto::{self, Channel};
use tonic::Response;

const NUMBER: &str = "+14155550100";

fn preferring(parent: &str, preference: Option<Preference>, by: &str) -> proto::SetPreferenceRequest {
    proto::SetPreferenceRequest { parent: parent.into(), preference, by: by.into(), reason: String::new() }
}

#[tokio::test]
async fn whoever_is_not_there_is_not_found_in_every_method() {
    let server = Server::start().await;
    let ana = server.who(phone(NUMBER), "Ana").await;
    let mut customers = server.customers();
    let nobody = name("customers", 77);
    let of = |name: &str| proto::GetCustomerRequest { name: name.into() };
    let absent = |field: &'static str| unknown("CUSTOMER_NOT_FOUND", field);
    assert_refused("get", customers.get(of(&nobody)).await.map(drop), absent("name"));
    assert_refused(
        "rival",
        customers.get(of("tenants/rival/customers/1")).await.map(drop),
        unknown("TENANT_NOT_FOUND", "name"),
    );
    assert_refused(
        "no number",
        customers.get(of(&name("customers", "ana"))).await.map(drop),
        invalid("name"),
    );
    let card = |name: &str, address| proto::GetCardRequest {
        name: name.into(),
        parent: TENANT.into(),
        address,
        ..proto::GetCardRequest::default()
    };
    assert_refused("card", customers.get_card(card(&nobody, None)).await.map(drop), absent("name"));
    assert_refused("whose card", customers.get_card(card("", None)).await.map(drop), missing("name"));
    let stranger = card("", phone("+14155550199"));
    assert_refused("unknown address", customers.get_card(stranger).await.map(drop), absent("address"));
    let link = |one: &str, into: &str, by: &str| proto::LinkRequest {
        name: one.into(),
        into: into.into(),
        by: by.into(),
        reason: String::new(),
    };
    assert_refused("link", customers.link(link(&nobody, &ana, "bo")).await.map(drop), absent("name"));
    assert_refused("into", customers.link(link(&ana, &nobody, "bo")).await.map(drop), absent("into"));
    assert_refused("by", customers.link(link(&ana, &ana, "")).await.map(drop), missing("by"));
    let unlink =
        |one: &str| proto::UnlinkRequest { name: one.into(), by: "bo".into(), reason: String::new() };
    assert_refused("unlink", customers.unlink(unlink(&nobody)).await.map(drop), absent("name"));
    assert_refused("alone", customers.unlink(unlink(&ana)).await.map(drop), failed("NOT_LINKED"));
    let changes = proto::ListChangesRequest { parent: nobody.clone() };
    assert_refused("changes", customers.list_changes(changes).await.map(drop), absent("parent"));
    let may =
        |parent: &str, address, channel| proto::MayContactRequest { parent: parent.into(), address, channel };
    assert_refused("may", customers.may_contact(may(&nobody, None, 1)).await.map(drop), absent("parent"));
    assert_refused(
        "where to",
        customers.may_contact(may(TENANT, None, 1)).await.map(drop),
        missing("address"),
    );
    assert_refused("on what", customers.may_contact(may(&ana, None, 0)).await.map(drop), invalid("channel"));
    let stranger = customers.may_contact(may(TENANT, phone("+14155550199"), 4)).await.expect("an answer");
    assert!(stranger.into_inner().allowed, "nobody has said no");
}

#[tokio::test]
async fn each_wrong_preference_is_refused_by_name() {
    let server = Server::start().await;
    let ana = server.who(phone(NUMBER), "Ana").await;
    let consent = |change: fn(&mut proto::Consent)| {
        let mut consent = proto::Consent::default();
        change(&mut consent);
        Some(Preference::Consent(consent))
    };
    let wrong = [
        ("nothing", preferring(&ana, None, "bo"), missing("preference")),
        (
            "nobody",
            preferring(&name("customers", 77), Some(Preference::Minor(true)), "bo"),
            unknown("CUSTOMER_NOT_FOUND", "parent"),
        ),
        ("by whom", preferring(&ana, Some(Preference::Minor(true)), ""), missing("by")),
        (
            "language",
            preferring(&ana, Some(Preference::Language("x".repeat(36))), "bo"),
            invalid("preference.language"),
        ),
        ("tier", preferring(&ana, Some(Preference::Tier("x".repeat(65))), "bo"), invalid("preference.tier")),
        (
            "name",
            preferring(&ana, Some(Preference::DisplayName("x".repeat(129))), "bo"),
            invalid("preference.display_name"),
        ),
        (
            "channel",
            preferring(&ana, Some(Preference::PreferredChannel(99)), "bo"),
            invalid("preferred_channel"),
        ),
        (
            "own",
            preferring(&ana, Some(Preference::ContactPerson(ana.clone())), "bo"),
            invalid("contact_person"),
        ),
        (
            "unknown contact person",
            preferring(&ana, Some(Preference::ContactPerson(name("customers", 77))), "bo"),
            unknown("CUSTOMER_NOT_FOUND", "contact_person"),
        ),
        (
            "consent channel",
            preferring(&ana, consent(|one| one.channel = 99), "bo"),
            invalid("consent.channel"),
        ),
        ("consent by", preferring(&ana, consent(|one| one.by = "me".into()), "bo"), invalid("consent")),
        (
            "consent address",
            preferring(&ana, consent(|one| one.address = phone("x")), "bo"),
            invalid("consent.address.value"),
        ),
    ];
    for (case, request, wanted) in wrong {
        let answer = within(case, server.customers().set_preference(request)).await;
        assert_refused(case, answer.map(Response::into_inner), wanted);
    }
}

#[tokio::test]
async fn each_wrong_entry_and_filter_is_refused_by_name() {
    let server = Server::start().await;
    let ana = server.who(phone(NUMBER), "Ana").await;
    let feedback = |measure, score| Some(proto::Feedback { measure, score });
    let entry = proto::HistoryEntry { kind: 6, ..proto::HistoryEntry::default() };
    let wrong = [
        (
            "measure",
            proto::HistoryEntry { feedback: feedback(9, 1), ..entry.clone() },
            invalid("entry.feedback.measure"),
        ),
        (
            "score",
            proto::HistoryEntry { feedback: feedback(1, 6), ..entry.clone() },
            invalid("entry.feedback.score"),
        ),
        (
            "huge",
            proto::HistoryEntry { feedback: feedback(2, 1_000), ..entry.clone() },
            invalid("entry.feedback.score"),
        ),
        (
            "kind",
            proto::HistoryEntry { kind: 5, feedback: feedback(1, 1), ..entry.clone() },
            invalid("entry.feedback"),
        ),
        ("mood", proto::HistoryEntry { sentiment: Some(101), ..entry.clone() }, invalid("entry.sentiment")),
        (
            "far mood",
            proto::HistoryEntry { sentiment: Some(i32::MIN), ..entry.clone() },
            invalid("entry.sentiment"),
        ),
        ("outbound", proto::HistoryEntry { outbound: true, ..entry.clone() }, invalid("entry.outbound")),
        ("matter", proto::HistoryEntry { matter: "x".repeat(65), ..entry }, invalid("entry.matter")),
    ];
    for (case, entry, wanted) in wrong {
        assert_refused(case, server.record(&ana, entry).await, wanted);
    }
    let list = |change: fn(&mut proto::ListHistoryRequest)| {
        let mut request =
            proto::ListHistoryRequest { parent: ana.clone(), ..proto::ListHistoryRequest::default() };
        change(&mut request);
        request
    };
    for (request, wanted) in [
        (list(|one| one.kinds = vec![0]), invalid("kinds")),
        (list(|one| one.kinds = vec![7]), invalid("kinds")),
        (list(|one| one.channels = vec![99]), invalid("channels")),
        (list(|one| one.matter = "x".repeat(65)), invalid("matter")),
    ] {
        let answer = within("a history", server.customers().list_history(request)).await;
        assert_refused("a history", answer.map(Response::into_inner), wanted);
    }
}

#[tokio::test]
async fn each_wrong_part_of_a_tiers_promise_and_a_withdrawal_is_refused_by_name() {
    let server = Server::start().await;
    let ana = server.who(phone(NUMBER), "Ana").await;
    let promise = |tier: &str| {
        Some(proto::Promise { summary: "x".into(), tier: tier.into(), ..proto::Promise::default() })
    };
    let make = |parent: &str, tier: &str| proto::MakePromiseRequest {
        parent: parent.into(),
        promise: promise(tier),
        ..proto::MakePromiseRequest::default()
    };
    let mut customers = server.customers();
    assert_refused(
        "no tier",
        customers.make_promise(make(TENANT, "")).await.map(drop),
        missing("promise.tier"),
    );
    assert_refused(
        "both",
        customers.make_promise(make(&ana, "gold")).await.map(drop),
        invalid("promise.tier"),
    );
    let long = "x".repeat(65);
    assert_refused(
        "long",
        customers.make_promise(make(TENANT, &long)).await.map(drop),
        invalid("promise.tier"),
    );
    let gold = customers.make_promise(make(TENANT, "gold")).await.expect("it is right").into_inner();
    assert_eq!(gold.name, name("promises", 1));
    let redeemed = server.honour(&gold.name, "bo", "shop").await;
    assert_refused("by nobody", redeemed, invalid("name"));
    let withdraw = |name: &str, by: &str, reason: &str| proto::WithdrawPromiseRequest {
        name: name.into(),
        by: by.into(),
        reason: reason.into(),
        alternative: String::new(),
    };
    for (case, request, wanted) in [
        ("by", withdraw(&gold.name, "", "gone"), missing("by")),
        ("why", withdraw(&gold.name, "bo", ""), missing("reason")),
        ("which", withdraw(&name("promises", 9), "bo", "gone"), unknown("PROMISE_NOT_FOUND", "name")),
        ("whose", withdraw(&format!("{ana}/promises/1"), "bo", "gone"), unknown("PROMISE_NOT_FOUND", "name")),
        ("name", withdraw("promises", "bo", "gone"), invalid("name")),
    ] {
        assert_refused(case, customers.withdraw_promise(request).await.map(drop), wanted);
    }
}

#[tokio::test]
async fn the_next_card_shows_what_was_just_linked_said_and_promised() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let (one, other) = (server.who(phone(NUMBER), "").await, server.who(phone("+14155550101"), "Noa").await);
    let mut ana = server.sign_in("ana").await;
    let call = |id: &str| call_with(id, |call| call.from = phone(NUMBER));
    let mut number = 0;
    let mut next = async |server: &Server| {
        number += 1;
        server.submit(call(&format!("c{number}"))).await.expect("taken");
        let offer = ana.next_offer().await;
        let card = ana.whole_card(&offer).await;
        let accepted = server.accept(&offer.name).await.expect("it is open");
        server.complete(&accepted.assignment).await.expect("it goes on");
        card
    };
    assert_eq!(next(&server).await.customer.expect("known").name, one);
    let link = proto::LinkRequest {
        name: one.clone(),
        into: other.clone(),
        by: "login".into(),
        reason: String::new(),
    };
    server.customers().link(link).await.expect("both are known");
    let card = next(&server).await;
    assert_eq!((card.customer.expect("known").display_name, card.history.len()), ("Noa".to_owned(), 1));
    server.prefer(&other, Preference::Tier("gold".into())).await;
    server
        .vow(
            TENANT,
            proto::Promise {
                summary: "free delivery".into(),
                tier: "gold".into(),
                ..proto::Promise::default()
            },
        )
        .await;
    let card = next(&server).await;
    assert_eq!(card.customer.expect("known").tier, "gold");
    assert_eq!(card.promises[0].name, format!("{other}/promises/1"));
    server.honour(&card.promises[0].name, "ana", "voice").await.expect("it is open");
    assert!(next(&server).await.promises[0].redeem_time.is_some());
    let unlink = proto::UnlinkRequest { name: one.clone(), by: "bo".into(), reason: String::new() };
    server.customers().unlink(unlink).await.expect("they are linked");
    let card = next(&server).await;
    assert_eq!((card.customer.expect("known").name, card.promises.len()), (one.clone(), 0));
    assert_eq!(card.history.len(), 1, "what came while they were linked stays with the account");
    let by_channel = proto::ListHistoryRequest {
        parent: other,
        channels: vec![Channel::Voice.into()],
        ..proto::ListHistoryRequest::default()
    };
    let page = server.customers().list_history(by_channel).await.expect("known").into_inner();
    assert_eq!(page.entries.len(), 3);
}
