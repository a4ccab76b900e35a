//! Ordered rules from the first look to the day they are in force: what a validation doubts, what publishing refuses, and
//! what it means for those who wait: where they go, what they keep, and which version's reasons they are told.

use super::expect::{assert_refused, failed};
use super::harness::{Server, TENANT, call_with, name, within};
use super::publishing::{number, publication};
use super::rules::outcomes;
use baton::proto::rule_trace::Outcome;
use baton::proto::{self, WaitingPolicy};
use tonic::Code;

impl Server {
    pub async fn validate(&self, text: &str) -> proto::ValidateResponse {
        let document = Some(proto::Document { document: Some(proto::document::Document::Text(text.into())) });
        let request = proto::ValidateRequest { parent: TENANT.into(), document };
        within("a judgement", self.rules().validate(request)).await.expect("an answer").into_inner()
    }

    /// Puts rules in force, and gives the number they got.
    pub async fn rule_by(&self, text: &str, waiting: WaitingPolicy) -> u32 {
        number(&self.publish(publication(text, waiting)).await.expect("they are right"))
    }
}

/// Rules of which one asks for more than anybody can, one stops everybody, and one stands below it.
const DOUBTFUL: &str = "name: doubtful
rules:
  - name: fluent
    when: interaction.intent == 'poem'
    then: { queue: sales, require: { es: 9 } }
  - name: everybody
    then: { tags: [all], stop: true }
  - name: nobody
    when: interaction.intent == 'loan'
    then: { tags: [none] }
fallback: { queue: sales }
";

#[tokio::test]
async fn a_validation_doubts_what_nobody_meets_what_never_applies_and_what_matched_nothing_lately() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let told = async || {
        let told = server.validate(DOUBTFUL).await;
        assert_eq!(told.errors_total, 0, "{told:?}");
        let warnings = told.warnings.into_iter();
        warnings.map(|one| (one.line, one.field, one.message)).collect::<Vec<_>>()
    };
    let nobody_able =
        "line 3, rules[0]: no agent can serve what it sends to sales, which asks for es 9".to_owned();
    let shadowed = "line 8, rules[2]: never applies: \"everybody\" above stops whoever it is for".to_owned();
    let doubts = [(3, "rules[0]".to_owned(), nobody_able), (8, "rules[2]".to_owned(), shadowed)];
    assert_eq!(told().await, doubts, "nobody has come yet");
    server.call("c1").await;
    server.call("c2").await;
    let unmatched = r#"none of the newest 2 interactions that are known is matched by "fluent", "nobody""#;
    let wanted = [&doubts[..], &[(0, "rules".to_owned(), unmatched.to_owned())]].concat();
    assert_eq!(told().await, wanted);
    server.rule_by(DOUBTFUL, WaitingPolicy::Keep).await;
}

#[tokio::test]
async fn a_mistake_in_a_condition_is_told_with_its_line_and_column() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let wrong = "name: wrong
rules:
  - name: one line
    when: has(journey.mood) && interaction.chanel == 'voice'
    then: { tags: [a] }
  - name: two lines
    when: |
      interaction.channel == 'voice'
        && interaction.priority > 'high'
    then: { tags: [b] }
fallback: { queue: sales }
";
    let told = server.validate(wrong).await;
    let places: Vec<_> = told
        .errors
        .iter()
        .map(|one| (one.line, one.field.as_str(), one.condition_line, one.column))
        .collect();
    let wanted = [(4, "rules[0].when", 1, 5), (4, "rules[0].when", 1, 22), (7, "rules[1].when", 2, 6)];
    assert_eq!(places, wanted, "{told:?}");
    assert!(told.errors.iter().all(|one| !one.got.is_empty()), "{told:?}");
    let refused = server.publish(publication(wrong, WaitingPolicy::Keep)).await;
    assert_refused("published", refused, (Code::InvalidArgument, "RULES_WRONG", "text"));
}

#[tokio::test]
async fn rules_that_fall_back_to_a_queue_the_floor_does_not_have_change_nothing() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let waiting = server.call("c1").await;
    let stands = async || {
        let one = server.get(&waiting).await;
        (server.versions().await, server.trail().await, one.queue, one.rule_set_version)
    };
    let before = stands().await;
    let text = "name: nowhere\nrules: [{ name: all, then: { tags: [a] } }]\nfallback: { queue: nowhere }\n";
    for policy in [WaitingPolicy::Keep, WaitingPolicy::PlanAgain] {
        let refused = server.publish(publication(text, policy)).await;
        assert_refused("published", refused, failed("FALLBACK_WITHOUT_QUEUE"));
    }
    assert_eq!(stands().await, before);
    let next = server.planned("c2", |_| {}).await;
    assert_eq!((next.rule_set_version, next.tags), (1, vec![]));
    server.add_queue("nowhere", proto::Queue::default()).await;
    assert_eq!(server.rule_by(text, WaitingPolicy::Keep).await, 2, "now the floor has it");
}

/// Mortgages are marked, and that is all.
const MARKED: &str = "name: marked
facts: { product: { type: text, meaning: what they have } }
rules:
  - name: mark mortgages
    when: has(attribute.product) && attribute.product == 'mortgage'
    then: { tags: [mortgage] }
fallback: { queue: sales }
";

/// Mortgages go to a desk of their own.
const MOVED: &str = "name: moved
facts: { product: { type: text, meaning: what they have } }
rules:
  - name: mortgages to the desk
    when: has(attribute.product) && attribute.product == 'mortgage'
    then: { queue: loans, tags: [desk], instruction: Ask for the deed. }
fallback: { queue: sales }
";

fn mortgage(one: &mut proto::Interaction) {
    one.attributes.insert("product".into(), "mortgage".into());
}

/// A server under the rules that mark, with the queue `loans` beside `sales`.
async fn marking() -> Server {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    server.add_queue("loans", proto::Queue::default()).await;
    assert_eq!(server.rule_by(MARKED, WaitingPolicy::Keep).await, 2);
    server
}

#[tokio::test]
async fn who_waits_goes_to_the_queue_of_the_rule_and_keeps_the_place() {
    let server = marking().await;
    let early = server.planned("c1", mortgage).await;
    let plain = server.planned("c2", |_| {}).await;
    let late = server.planned("c3", |one| one.queue = name("queues", "loans")).await;
    assert_eq!((early.queue.clone(), early.tags.clone()), (name("queues", "sales"), vec!["mortgage".into()]));
    let answer = server.publish(publication(MOVED, WaitingPolicy::PlanAgain)).await.expect("right");
    assert_eq!((answer.planned_again, answer.not_planned_again), (3, 0));
    let moved = server.get(&early.name).await;
    assert_eq!((moved.queue.clone(), moved.tags.clone()), (name("queues", "loans"), vec!["desk".into()]));
    assert_eq!((moved.rule_set_version, moved.enter_time), (3, early.enter_time));
    assert_eq!(server.get(&plain.name).await.queue, name("queues", "sales"));
    server.cancel(&plain.name).await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    assert_eq!(
        offer.interaction().expect("an offer shows it").name,
        early.name,
        "it came before {}",
        late.name
    );
    assert_eq!(offer.card().expect("every offer has a card").instructions, ["Ask for the deed."]);
}

#[tokio::test]
async fn each_plan_is_explained_by_the_rules_of_the_version_that_made_it() {
    let server = marking().await;
    let kept = server.planned("c1", mortgage).await;
    server.rule_by(MOVED, WaitingPolicy::Keep).await;
    let fresh = server.planned("c2", mortgage).await;
    let matched = |rule: &'static str| vec![(rule, Outcome::Matched, "")];
    assert_eq!(outcomes(&server.told(&kept).await), matched("mark mortgages"));
    assert_eq!(outcomes(&server.told(&fresh).await), matched("mortgages to the desk"));
    let answer =
        server.publish(publication(MOVED, WaitingPolicy::PlanAgain)).await.expect("the same once more");
    assert_eq!(answer.planned_again, 2);
    let told = server.told(&kept).await;
    assert_eq!(outcomes(&told), matched("mortgages to the desk"), "the plan it has now");
    assert_eq!(told.interaction.expect("it is shown").rule_set_version, 4);
}

#[tokio::test]
async fn a_rule_that_was_told_nothing_when_the_plan_was_made_is_told_nothing_later() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    server.add_queue("loans", proto::Queue::default()).await;
    // No rule of then declared the fact, so it was not recorded.
    let undeclared = server.submit(call_with("c1", mortgage)).await.expect("taken");
    let undeclared = undeclared.interaction.expect("an interaction");
    server.rule_by(MOVED, WaitingPolicy::PlanAgain).await;
    let planned = server.get(&undeclared.name).await;
    assert_eq!((planned.queue, planned.rule_set_version), (name("queues", "sales"), 2));
    let told = server.told(&undeclared).await;
    assert_eq!(outcomes(&told)[0].1, Outcome::NotMatched);
}
