//! The card with an offer: who, what happened before on every channel, why this agent; and what becomes of it when
//! the customer store is slow or dead.

use super::expect::assert_refused;
use super::faults::{Dead, Gate, Slow};
use super::harness::{Server, TENANT, call_with, name, phone, within};
use baton::customers::MemoryStore;
use baton::proto::{self, Channel, ContactOutcome, InteractionState, SubmitRequest};
use tonic::Code;

const NUMBER: &str = "+972 50-123.4567";

fn contact(external_id: &str, channel: Channel, message: &str) -> SubmitRequest {
    call_with(external_id, |one| {
        one.channel = channel.into();
        one.from = phone(NUMBER);
        one.message = message.into();
        one.attributes.insert("order".into(), "0817".into());
    })
}

impl Server {
    /// Submits and waits until the customer is known: a busy machine may look them up late.
    async fn known(&self, request: SubmitRequest) -> proto::Interaction {
        let taken = self.submit(request).await.expect("taken").interaction.expect("an interaction");
        self.until(&taken.name, |one| !one.customer.is_empty()).await
    }

    async fn history(&self, customer: &str) -> Vec<proto::HistoryEntry> {
        let request =
            proto::ListHistoryRequest { parent: customer.into(), ..proto::ListHistoryRequest::default() };
        let answer = within("the history", self.customers().list_history(request)).await;
        answer.expect("the customer exists").into_inner().entries
    }
}

#[tokio::test]
async fn the_next_contact_on_another_channel_shows_the_first() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let first = server.known(contact("c1", Channel::Chat, "where is my order?")).await;
    let (ana, assignment) = server.sign_in_and_accept("ana").await;
    server.complete_with(&assignment, "promised for monday").await.expect("the conversation goes on");
    drop(ana);
    server.agent_until("ana", |status| status.liveness() == proto::Liveness::Lost).await;
    let note = proto::HistoryEntry { kind: 5, summary: "called back".into(), ..Default::default() };
    let record = proto::RecordEventRequest {
        parent: first.customer.clone(),
        entry: Some(note),
        request_id: "n1".into(),
        to: None,
    };
    let noted = server.customers().record_event(record.clone()).await.expect("recorded").into_inner();
    let again = server.customers().record_event(record).await.expect("a repetition").into_inner();
    assert_eq!(noted.name, again.name);

    let second = server.known(contact("c2", Channel::Voice, "still waiting")).await;
    assert_eq!(first.customer, second.customer, "the same number is the same customer");
    let mut bo = server.sign_in("bo").await;
    let offer = bo.next_offer().await;
    let card = bo.whole_card(&offer).await;
    let customer = card.customer.expect("the customer is known");
    assert_eq!(customer.name, first.customer);
    assert_eq!(customer.addresses, [proto::Address { kind: 1, value: "+972501234567".into() }]);
    let seen: Vec<_> = card.history.iter().map(|entry| (entry.kind, entry.channel)).collect();
    assert_eq!(seen, [(5, 0), (1, Channel::Chat.into())], "newest first, without the offered one");
    let chat = &card.history[1];
    assert_eq!((&chat.interaction, &chat.agent), (&first.name, &name("agents", "ana")));
    assert_eq!((chat.outcome(), chat.disposition.as_str()), (ContactOutcome::Served, "solved"));
    assert_eq!(chat.text, "where is my order?\npromised for monday");
    assert_eq!((card.contacts_24h, card.contacts_7d, card.older_entries), (1, 1, 0));
    assert_eq!((card.message.as_str(), card.attributes["order"].as_str()), ("still waiting", "0817"));
    assert!(!card.partial && !card.why.is_empty());

    let outcomes: Vec<_> = server.history(&first.customer).await.iter().map(|one| one.outcome()).collect();
    assert_eq!(outcomes.first(), Some(&ContactOutcome::Open), "the contact that goes on comes first");
    assert_eq!(outcomes.len(), 3);
}

#[tokio::test]
async fn a_slow_store_makes_the_card_partial_and_the_rest_follows() {
    let (addresses, cards) = (Gate::default(), Gate::default());
    let gates = (addresses.clone(), cards.clone());
    let server = Server::with_parts(move |parts| {
        let (addresses, cards) = gates.clone();
        parts.customers =
            Box::new(Slow { store: MemoryStore::new(), addresses, cards, profiles: Gate::default() });
    })
    .await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.known(contact("c1", Channel::Voice, "hello")).await;
    cards.close();
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    let card = offer.card().expect("every offer has a card");
    assert!(card.partial && card.customer.is_none());
    assert_eq!(card.message, "hello", "what needs no look-up is there");

    let again = server.work("ana", &ana.session).await;
    assert!(again.snapshot.offers[0].card().is_some_and(|card| card.partial));
    cards.open();
    let mut ana = again;
    let completed = ana.next_card().await;
    assert_eq!(completed.offer, offer.name);
    let whole = completed.card().expect("a card");
    assert!(!whole.partial);
    assert_eq!(whole.customer.map(|customer| customer.name), Some(call.customer));
    assert_eq!((whole.message, whole.why), (card.message, card.why));
}

#[tokio::test]
async fn whoever_is_no_longer_linked_contacts_us_as_themselves() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let account = server.who(phone("+15550001111"), "Noa Katz").await;
    let own = server.who(phone(NUMBER), "").await;
    let (by, reason) = ("bo".to_owned(), String::new());
    let link = proto::LinkRequest {
        name: own.clone(),
        into: account.clone(),
        by: by.clone(),
        reason: reason.clone(),
    };
    server.customers().link(link).await.expect("both are known");
    let linked = server.known(contact("c1", Channel::Voice, "hello")).await;
    assert_eq!(linked.customer, account);
    let unlink = proto::UnlinkRequest { name: own.clone(), by, reason };
    server.customers().unlink(unlink).await.expect("they are linked");
    let parted = server.known(contact("c2", Channel::Voice, "hello again")).await;
    assert_eq!(parted.customer, own);
    assert_eq!(server.history(&own).await.len(), 1);
}

#[tokio::test]
async fn cards_follow_a_link_also_if_whoever_asked_for_it_has_gone() {
    let gate = Gate::default();
    let profiles = gate.clone();
    let server = Server::with_parts(move |parts| {
        let (addresses, cards, profiles) = (Gate::default(), Gate::default(), profiles.clone());
        parts.customers = Box::new(Slow { store: MemoryStore::new(), addresses, cards, profiles });
    })
    .await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.known(contact("c1", Channel::Voice, "hello")).await;
    let (mut ana, assignment) = server.sign_in_and_accept("ana").await;
    server.complete(&assignment).await.expect("the conversation goes on");
    let other = server.who(phone("+15550001111"), "").await;
    let promise = proto::Promise { summary: "a lamp".into(), ..proto::Promise::default() };
    server.vow(&other, promise).await;

    gate.close();
    let link = proto::LinkRequest {
        name: call.customer.clone(),
        into: other,
        by: "web login".into(),
        reason: String::new(),
    };
    let mut customers = server.customers();
    let asking = tokio::spawn(async move { customers.link(link).await });
    let request = proto::ListPromisesRequest { parent: call.customer.clone() };
    let promised = async || {
        let listed = server.customers().list_promises(request.clone()).await.expect("known");
        listed.into_inner().promises.len()
    };
    within("the link in the store", async { while promised().await == 0 {} }).await;
    asking.abort();
    // Whether it was answered by then or not.
    drop(asking.await);
    // It is one connection: by the time these are answered the server has heard of it.
    for _ in 0..8 {
        assert_eq!(promised().await, 1);
    }
    gate.open();
    let shown = async {
        for number in 2.. {
            server.submit(contact(&format!("c{number}"), Channel::Voice, "again")).await.expect("taken");
            let offer = ana.next_offer().await;
            let card = ana.whole_card(&offer).await;
            let assignment = server.accept(&offer.name).await.expect("it is open").assignment;
            server.complete(&assignment).await.expect("the conversation goes on");
            if card.promises.len() == 1 {
                return;
            }
        }
    };
    within("the promise on the card", shown).await;
}

#[tokio::test]
async fn a_customer_found_late_is_attached_and_is_in_the_history() {
    let gate = Gate::default();
    let addresses = gate.clone();
    let server = Server::with_parts(move |parts| {
        let (addresses, cards) = (addresses.clone(), Gate::default());
        parts.customers =
            Box::new(Slow { store: MemoryStore::new(), addresses, cards, profiles: Gate::default() });
    })
    .await;
    server.open_floor(&[("ana", 3)]).await;
    gate.close();
    let taken = server.submit(contact("c1", Channel::Chat, "hello")).await.expect("routing goes on");
    let taken = taken.interaction.expect("an interaction");
    assert_eq!(taken.customer, "", "unknown so far");
    let (_ana, assignment) = server.sign_in_and_accept("ana").await;
    gate.open();
    let known = server.until(&taken.name, |one| !one.customer.is_empty()).await;
    let history = server.history(&known.customer).await;
    assert_eq!(history.len(), 1);
    assert_eq!((&history[0].interaction, history[0].outcome()), (&taken.name, ContactOutcome::Open));
    assert_eq!(history[0].agent, name("agents", "ana"), "what happened before is not lost");
    assert_eq!(history[0].time, taken.enter_time, "it began when it began");
    server.complete(&assignment).await.expect("the conversation goes on");
    assert_eq!(server.history(&known.customer).await[0].outcome(), ContactOutcome::Served);
}

#[tokio::test]
async fn routing_goes_on_when_the_customer_store_is_dead() {
    let server = Server::with_parts(|parts| parts.customers = Box::new(Dead)).await;
    server.open_floor(&[("ana", 3)]).await;
    let taken = server.submit(contact("c1", Channel::Voice, "hello")).await.expect("routing goes on");
    let taken = taken.interaction.expect("an interaction");
    assert_eq!(taken.customer, "");
    let (_ana, assignment) = server.sign_in_and_accept("ana").await;
    server.complete_with(&assignment, "a note").await.expect("the conversation goes on");
    assert_eq!(server.state(&taken.name).await, InteractionState::Closed);
    let dead = (Code::Unavailable, "CUSTOMER_STORE_UNAVAILABLE", "");
    let request = proto::ResolveRequest {
        parent: TENANT.into(),
        address: phone(NUMBER),
        ..proto::ResolveRequest::default()
    };
    assert_refused("resolve", server.customers().resolve(request).await, dead);
    let request = proto::ListHistoryRequest { parent: name("customers", 1), ..Default::default() };
    let answer = within("an answer", server.customers().list_history(request)).await;
    assert_refused("history", answer, dead);
    server.call("c2").await;
}
