//! The two stories the product is there for, end to end: the free upgrade, and the green sofa.

use super::expect::{assert_refused, failed};
use super::faults::{Gate, Slow};
use super::harness::{Server, TENANT, call_with, name, phone, settings, within};
use baton::config::Settings;
use baton::customers::MemoryStore;
use baton::proto::set_preference_request::Preference;
use baton::proto::{self, Channel, Customer, HistoryEntry, InteractionState, history_entry::Kind};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

const MOTHER: &str = "+14155550100";
const DAUGHTER: &str = "+14155550101";

/// Repeats are urgent and want somebody who may decide; the third contact goes to those who decide on complaints.
const RULES: &str = "
version: 7
name: nobody has to be persistent to be loyal
queues:
  sales:
    repeats:
      within: 7d
      steps:
        - { contact: 2, priority: 2, weight: 2, require: { authority: 3 } }
        - { contact: 3, priority: 4, weight: 4, queue: complaints, require: { authority: 5 } }
";

fn instruction(place: &str, text: &str) -> proto::promise::Instruction {
    proto::promise::Instruction { place: place.into(), text: text.into() }
}

fn address(kind: proto::address::Kind, value: &str) -> Option<proto::Address> {
    Some(proto::Address { kind: kind.into(), value: value.into() })
}

fn entry(kind: Kind, channel: Channel, summary: &str, text: &str) -> HistoryEntry {
    let (summary, text) = (summary.into(), text.into());
    HistoryEntry { kind: kind.into(), channel: channel.into(), summary, text, ..HistoryEntry::default() }
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// What the error tells a program.
fn told(status: &Status, field: &str) -> String {
    let details = status.get_error_details();
    details.error_info().and_then(|info| info.metadata.get(field).cloned()).unwrap_or_default()
}

impl Server {
    pub async fn who(&self, address: Option<proto::Address>, named: &str) -> String {
        let request = proto::ResolveRequest { parent: TENANT.into(), address, display_name: named.into() };
        let resolved = within("a customer", self.customers().resolve(request)).await.expect("an address");
        resolved.into_inner().customer.expect("a customer").name
    }

    pub async fn prefer(&self, customer: &str, preference: Preference) -> Customer {
        let request = proto::SetPreferenceRequest {
            parent: customer.into(),
            preference: Some(preference),
            by: name("agents", "ana"),
            reason: "she said so on the phone".into(),
        };
        within("a preference", self.customers().set_preference(request)).await.expect("known").into_inner()
    }

    pub async fn record(&self, customer: &str, entry: HistoryEntry) -> Result<HistoryEntry, Status> {
        let request = proto::RecordEventRequest {
            parent: customer.into(),
            entry: Some(entry),
            ..proto::RecordEventRequest::default()
        };
        within("an entry", self.customers().record_event(request)).await.map(Response::into_inner)
    }

    pub async fn vow(&self, parent: &str, promise: proto::Promise) -> proto::Promise {
        let promise = Some(promise);
        let request = proto::MakePromiseRequest {
            parent: parent.into(),
            promise,
            ..proto::MakePromiseRequest::default()
        };
        within("a promise", self.customers().make_promise(request)).await.expect("known").into_inner()
    }

    pub async fn honour(&self, promise: &str, by: &str, place: &str) -> Result<proto::Promise, Status> {
        let (name, by, place) = (promise.into(), by.into(), place.into());
        let request =
            proto::RedeemPromiseRequest { name, by, place, ..proto::RedeemPromiseRequest::default() };
        within("a redemption", self.customers().redeem_promise(request)).await.map(Response::into_inner)
    }

    /// What somebody sees who looks a customer up where there is no interaction.
    pub async fn look(&self, customer: &str, place: &str) -> proto::Card {
        let (name, place) = (customer.into(), place.into());
        let request = proto::GetCardRequest { name, place, ..proto::GetCardRequest::default() };
        within("a card", self.customers().get_card(request)).await.expect("known").into_inner()
    }

    pub async fn may_contact(&self, number: &str, channel: Channel) -> proto::MayContactResponse {
        let request = proto::MayContactRequest {
            parent: TENANT.into(),
            address: phone(number),
            channel: channel.into(),
        };
        within("an answer", self.customers().may_contact(request)).await.expect("an address").into_inner()
    }

    /// What was known of the customer, once it is attached.
    pub async fn facts_of(&self, interaction: &str) -> proto::CustomerFacts {
        let ask = async {
            loop {
                let request = proto::ExplainRequest { interaction: interaction.into(), decision: 0 };
                let told = self.supervision().explain(request).await.expect("it exists").into_inner();
                if let Some(facts) = told.customer_facts {
                    return facts;
                }
            }
        };
        within("the facts", ask).await
    }

    async fn consent(&self, customer: &str, channel: Channel, allowed: bool) -> Customer {
        let consent = proto::Consent { channel: channel.into(), allowed, ..proto::Consent::default() };
        self.prefer(customer, Preference::Consent(consent)).await
    }
}

/// Marketing promises by email; instructions for every place where it may be redeemed.
fn upgrade() -> proto::Promise {
    proto::Promise {
        summary: "free upgrade of the daughter's phone".into(),
        terms: "on the web only".into(),
        instructions: vec![
            instruction("voice", "honour it with code X"),
            instruction("shop", "honour it with code X at the till"),
        ],
        alternative: "half the price of any phone".into(),
        made_by: "marketing".into(),
        channel: Channel::Email.into(),
        expire_time: Some(in_14_days()),
        ..proto::Promise::default()
    }
}

fn in_14_days() -> prost_types::Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the server runs by the clock of the machine")]
    let now = std::time::SystemTime::now();
    (now + std::time::Duration::from_secs(14 * 24 * 60 * 60)).into()
}

#[tokio::test]
async fn a_free_upgrade_promised_by_email_is_honoured_on_the_phone_once() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let mother = server.who(phone(MOTHER), "Ruth Levi").await;
    let daughter = server.who(phone(DAUGHTER), "Lena Levi").await;
    server.prefer(&daughter, Preference::Minor(true)).await;
    server.prefer(&daughter, Preference::ContactPerson(mother.clone())).await;
    let made = server.vow(&mother, upgrade()).await;

    // The mother calls: the promise stands on the agent's card, with what to do on the phone.
    let mut ana = server.sign_in("ana").await;
    let call = call_with("c1", |one| one.from = phone(MOTHER));
    let call = server.submit(call).await.expect("taken").interaction.expect("an interaction");
    let offer = ana.next_offer().await;
    let card = ana.whole_card(&offer).await;
    let [promise] = &card.promises[..] else { panic!("one promise is open: {card:?}") };
    assert_eq!((promise.how.as_str(), promise.terms.as_str()), ("honour it with code X", "on the web only"));
    let [child] = &card.household[..] else { panic!("she is asked about her daughter: {card:?}") };
    assert_eq!((child.display_name.as_str(), child.minor), ("Lena Levi", true));

    // She asks that texts to the daughter stop. From then on they are refused, and so is calling that number back.
    assert_eq!(server.may_contact(DAUGHTER, Channel::Message).await.reason, "MINOR_WITHOUT_CONSENT");
    server.consent(&daughter, Channel::Message, false).await;
    server.consent(&daughter, Channel::Voice, false).await;
    let answer = server.may_contact(DAUGHTER, Channel::Message).await;
    assert_eq!((answer.allowed, answer.reason.as_str()), (false, "CONSENT_WITHDRAWN"));
    assert_eq!((answer.by, answer.contact_person), (name("agents", "ana"), mother.clone()));
    let text =
        HistoryEntry { outbound: true, ..entry(Kind::Message, Channel::Message, "your new tariff", "") };
    let refused = server.record(&daughter, text).await.expect_err("she said no");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "CONSENT_WITHDRAWN"));
    assert_eq!(told(&refused, "by"), name("agents", "ana"));
    let from_daughter = call_with("c2", |one| one.from = phone(DAUGHTER));
    let waits = server.submit(from_daughter).await.expect("taken").interaction.expect("an interaction");
    let back = proto::RequestCallbackRequest {
        name: waits.name.clone(),
        until_time: Some(in_14_days()),
        ..proto::RequestCallbackRequest::default()
    };
    assert_refused("a call-back", server.request_callback(back.clone()).await, failed("CONSENT_WITHDRAWN"));
    server.consent(&daughter, Channel::Voice, true).await;
    assert!(server.request_callback(back).await.is_ok(), "what was said last holds");
    server.consent(&daughter, Channel::Voice, false).await;
    assert_eq!(
        server.state(&waits.name).await,
        InteractionState::Cancelled,
        "and takes back what was planned"
    );
    let changes = proto::ListChangesRequest { parent: daughter.clone() };
    let changes = server.customers().list_changes(changes).await.expect("known").into_inner().changes;
    assert_eq!(changes[0].what, "voice: not allowed");
    assert!(changes.iter().all(|change| change.by == name("agents", "ana") && !change.reason.is_empty()));

    // The agent honours it. The shop may not do so again, and sees when, where and by whom.
    let accepted = server.accept(&offer.name).await.expect("it is open");
    assert_eq!(accepted.interaction, call.name);
    server.honour(&made.name, &name("agents", "ana"), "voice").await.expect("it is open");
    let again =
        server.honour(&made.name, "the shop in Main Street", "shop").await.expect_err("honoured before");
    assert_eq!((reason(&again).as_str(), told(&again, "place").as_str()), ("PROMISE_REDEEMED", "voice"));
    let card = server.look(&mother, "shop").await;
    let [promise] = &card.promises[..] else { panic!("it is shown still: {card:?}") };
    assert_eq!((promise.redeemed_at.as_str(), &promise.redeemed_by), ("voice", &name("agents", "ana")));
    assert!(promise.redeem_time.is_some());
}

/// The skill `authority`, and a queue of those who decide on complaints.
async fn floor_that_decides(server: &Server) {
    server.open_floor(&[]).await;
    server.add_skill("authority").await;
    server.add_queue("complaints", proto::Queue::default()).await;
    for (agent, proficiency) in [("bo", 1), ("cleo", 3), ("dora", 9)] {
        let skill = name("skills", "authority");
        let skills = vec![proto::AgentSkill { skill, proficiency, ..proto::AgentSkill::default() }];
        let agent_id = agent.into();
        let agent = Some(proto::Agent { skills, ..proto::Agent::default() });
        let request = proto::CreateAgentRequest { parent: TENANT.into(), agent_id, agent };
        server.floor().create_agent(request).await.expect("a new agent");
    }
}

#[tokio::test]
async fn whoever_has_to_come_again_finds_somebody_who_may_decide() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("rules.yaml");
    std::fs::write(&path, RULES).expect("a file");
    let server = Server::with(Settings { rules: Some(path), ..settings() }).await;
    floor_that_decides(&server).await;
    let mother = server.who(phone(MOTHER), "Ruth Levi").await;
    server.vow(&mother, upgrade()).await;
    let about = |id: &str, channel: Channel| {
        call_with(id, |one| {
            one.from = phone(MOTHER);
            one.channel = channel.into();
            one.intent = "upgrade".into();
        })
    };

    // Bo cannot honour it, and closes; what was verified is pinned.
    let mut bo = server.sign_in("bo").await;
    let first = server.submit(about("c1", Channel::Voice)).await.expect("taken").interaction.expect("one");
    let offer = bo.next_offer().await;
    let facts = server.facts_of(&first.name).await;
    assert_eq!((facts.about_within, facts.open_promises), (0, 1));
    let assignment = server.accept(&offer.name).await.expect("it is open").assignment;
    let verified =
        HistoryEntry { pinned: true, ..entry(Kind::Note, Channel::Voice, "verified by date of birth", "") };
    server.record(&mother, verified).await.expect("known");
    server.complete_with(&assignment, "no code for the web offer in my tool").await.expect("it goes on");

    // The second contact is urgent, and not for Bo, who is free.
    let second = server.submit(about("c2", Channel::Chat)).await.expect("taken").interaction.expect("one");
    assert_eq!(server.facts_of(&second.name).await.about_within, 1);
    assert_eq!(server.state(&second.name).await, InteractionState::Waiting);
    let mut cleo = server.sign_in("cleo").await;
    let offer = cleo.next_offer().await;
    assert_eq!(offer.interaction().expect("it is offered").name, second.name);
    let card = cleo.whole_card(&offer).await;
    assert_eq!(card.pinned[0].summary, "verified by date of birth");
    assert_eq!((card.contacts_about, card.contacts_24h), (1, 1));
    let earlier = card.history.iter().find(|one| one.interaction == first.name).expect("the first contact");
    assert!(earlier.text.contains("no code for the web offer"), "{earlier:?}");
    let assignment = server.accept(&offer.name).await.expect("it is open").assignment;
    server.complete_with(&assignment, "supervisor not there").await.expect("it goes on");

    // The third goes to those who decide on complaints.
    let third = server.submit(about("c3", Channel::Email)).await.expect("taken").interaction.expect("one");
    assert_eq!(server.facts_of(&third.name).await.about_within, 2);
    assert_eq!(server.get(&third.name).await.queue, name("queues", "complaints"));
    let mut dora = server.sign_in("dora").await;
    let offer = dora.next_offer().await;
    assert_eq!(offer.interaction().expect("it is offered").name, third.name);
    let card = dora.whole_card(&offer).await;
    assert_eq!(
        (card.contacts_about, card.history.iter().filter(|one| one.kind() == Kind::Contact).count()),
        (2, 2)
    );
    assert_eq!(card.promises[0].alternative, "half the price of any phone");
}

#[tokio::test]
async fn a_green_sofa_is_found_reserved_and_made_good() {
    use proto::address::Kind::{Cookie, Loyalty};
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bot", 3)]).await;

    // A visitor under a cookie: searches, and a click on an ad.
    let visitor = server.who(address(Cookie, "aB-9"), "").await;
    for (summary, text) in [
        ("clicked the ad: sofas from 399", ""),
        ("searched: green velvet sofa three seats", "colour green, width 210 cm"),
        ("looked for a branch", "nearest branch: B, 4 km"),
    ] {
        server.record(&visitor, entry(Kind::Visit, Channel::Chat, summary, text)).await.expect("known");
    }

    // The same cookie opens the widget. A bot answers, and hands off with its transcript.
    let mut bot = server.sign_in("bot").await;
    let chat = call_with("w1", |one| {
        one.channel = Channel::Chat.into();
        one.from = address(Cookie, "aB-9");
        one.message = "is the green sofa in a branch near me?".into();
    });
    let chat = server.submit(chat).await.expect("taken").interaction.expect("an interaction");
    let offer = bot.next_offer().await;
    let assignment = server.accept(&offer.name).await.expect("it is open").assignment;
    let mut ana = server.sign_in("ana").await;
    let transcript = "bot: which branch? customer: B, this week";
    let hand = proto::TransferRequest {
        assignment,
        target: super::verbs::to_agent("ana"),
        transcript: transcript.into(),
        ..proto::TransferRequest::default()
    };
    within("a transfer", server.agents().transfer(hand)).await.expect("it is handed off");
    let offer = ana.next_offer().await;
    assert_eq!(offer.interaction().expect("it is offered").name, chat.name);
    let card = ana.whole_card(&offer).await;
    assert!(card.said.iter().any(|said| said.text.contains("which branch?")), "{card:?}");
    let seen: Vec<&str> = card.history.iter().map(|one| one.summary.as_str()).collect();
    assert!(seen.contains(&"searched: green velvet sofa three seats"), "{seen:?}");
    assert!(card.history.iter().any(|one| one.text.contains("nearest branch: B")));

    // She reserves it there.
    server.accept(&offer.name).await.expect("it is open");
    let held = proto::Promise {
        summary: "green sofa held until Saturday at branch B".into(),
        instructions: vec![instruction("branch B", "shelf 12; hand it over against the loyalty number")],
        made_by: name("agents", "ana"),
        channel: Channel::Chat.into(),
        ..proto::Promise::default()
    };
    let held = server.vow(&visitor, held).await;

    // She logs in: cookie and account are one person, and so are their histories.
    let account = server.who(address(Loyalty, "4711"), "Noa Katz").await;
    server.record(&account, entry(Kind::Purchase, Channel::Email, "a lamp", "")).await.expect("known");
    let link = proto::LinkRequest {
        name: visitor.clone(),
        into: account.clone(),
        by: "web login".into(),
        reason: "same session".into(),
    };
    let person = server.customers().link(link).await.expect("both are known").into_inner();
    assert_eq!((person.name.clone(), person.linked), (account.clone(), vec![visitor.clone()]));
    assert_eq!(server.who(address(Cookie, "aB-9"), "").await, account);

    // On Saturday the branch sees it, but has sold it by mistake: it says so, with what may be given instead.
    let card = server.look(&account, "branch B").await;
    assert_eq!(card.promises[0].how, "shelf 12; hand it over against the loyalty number");
    assert_eq!(card.history[0].summary, "a lamp", "newest first, from both");
    assert!(card.history.iter().any(|one| one.summary.starts_with("searched: green")));
    let sold = proto::WithdrawPromiseRequest {
        name: held.name.clone(),
        by: "branch B".into(),
        reason: "sold by mistake".into(),
        alternative: "the same in blue at half the price, delivered".into(),
    };
    within("a withdrawal", server.customers().withdraw_promise(sold)).await.expect("it is open");

    // She is called back about it, in a window she chose, on a channel she allowed.
    let mobile = server.who(phone(DAUGHTER), "").await;
    let link = proto::LinkRequest {
        name: mobile,
        into: account.clone(),
        by: "web login".into(),
        reason: String::new(),
    };
    server.customers().link(link).await.expect("both are known");
    server.consent(&account, Channel::Message, false).await;
    let call = call_with("v1", |one| one.from = phone(DAUGHTER));
    let call = server.submit(call).await.expect("taken").interaction.expect("an interaction");
    let back = |channel: Channel| proto::RequestCallbackRequest {
        name: call.name.clone(),
        channel: channel.into(),
        until_time: Some(in_14_days()),
        ..proto::RequestCallbackRequest::default()
    };
    assert_refused(
        "a text",
        server.request_callback(back(Channel::Message)).await,
        failed("CONSENT_WITHDRAWN"),
    );
    let offered = server.request_callback(back(Channel::Voice)).await;
    assert!(offered.is_ok(), "{offered:?}");

    // The card of the call says what happened and what may be given; that is what can be redeemed.
    let card = server.look(&account, "voice").await;
    let [promise] = &card.promises[..] else { panic!("it is open still: {card:?}") };
    assert_eq!(promise.withdraw_reason, "sold by mistake");
    assert_eq!(promise.alternative, "the same in blue at half the price, delivered");
    let as_made = server.honour(&held.name, "branch B", "branch B").await.expect_err("it is gone");
    assert_eq!(reason(&as_made), "PROMISE_WITHDRAWN");
    assert_eq!(told(&as_made, "alternative"), promise.alternative);
    let instead = proto::RedeemPromiseRequest {
        name: held.name.clone(),
        by: name("agents", "ana"),
        place: "voice".into(),
        alternative: true,
        ..proto::RedeemPromiseRequest::default()
    };
    let given =
        within("it", server.customers().redeem_promise(instead)).await.expect("it can be given").into_inner();
    assert!(given.redeemed_alternative && given.redeem_time.is_some());

    // What was joined can be parted again.
    let unlink =
        proto::UnlinkRequest { name: visitor.clone(), by: "bo".into(), reason: "another person".into() };
    let parted = server.customers().unlink(unlink).await.expect("they are linked").into_inner();
    assert_eq!((parted.name, parted.linked), (visitor.clone(), Vec::<String>::new()));
    assert!(server.look(&account, "voice").await.promises.is_empty());
    let visits = server.look(&visitor, "voice").await;
    assert!(visits.history.iter().all(|one| one.summary != "a lamp"));
}

#[tokio::test]
async fn what_is_known_too_late_is_attached_and_plans_again_at_the_old_place() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("rules.yaml");
    std::fs::write(&path, RULES).expect("a file");
    let cards = Gate::default();
    let gate = cards.clone();
    let server =
        Server::with_settings_and_parts(Settings { rules: Some(path), ..settings() }, move |parts| {
            let (addresses, cards) = (Gate::default(), gate.clone());
            parts.customers =
                Box::new(Slow { store: MemoryStore::new(), addresses, cards, profiles: Gate::default() });
        })
        .await;
    floor_that_decides(&server).await;
    let mother = server.who(phone(MOTHER), "").await;
    let about = |id: &str| {
        call_with(id, |one| {
            one.from = phone(MOTHER);
            one.matter = "upgrade".into();
        })
    };
    for id in ["c1", "c2"] {
        server.submit(about(id)).await.expect("taken");
    }
    // Something else is recorded, so that she has to be looked up again, and the store is slow.
    server.record(&mother, entry(Kind::Visit, Channel::Chat, "looked at phones", "")).await.expect("known");
    cards.close();
    let third = server.submit(about("c3")).await.expect("routing goes on").interaction.expect("one");
    assert_eq!(
        (third.queue, third.customer),
        (name("queues", "sales"), mother),
        "who it is was known in time"
    );
    cards.open();
    let moved = server.until(&third.name, |one| one.queue == name("queues", "complaints")).await;
    assert_eq!((moved.state(), moved.enter_time), (InteractionState::Waiting, third.enter_time));
    let request = proto::ExplainRequest { interaction: third.name.clone(), decision: 0 };
    let told = server.supervision().explain(request).await.expect("it exists").into_inner();
    assert!(!told.customer_facts_unknown, "the plan in force was made with them");
    assert_eq!(told.customer_facts.map(|facts| facts.about_within), Some(2));
    assert_eq!(
        told.replaced_plans.iter().map(|one| one.queue.clone()).collect::<Vec<_>>(),
        [name("queues", "sales")]
    );
}
