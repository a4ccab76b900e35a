//! A server with rules of its own: they plan what is submitted, and mistakes in them are told before it starts.

use super::harness::{Server, call, call_with, name, settings, within};
use baton::assembly::{ServerError, prepare};
use baton::config::Settings;
use baton::proto::InteractionState;
use baton::proto::rule_trace::Outcome;
use baton::proto::{self, Explanation};
use std::path::PathBuf;
use tempfile::TempDir;

/// A file with rules, in a folder that goes with it.
fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("rules.yaml");
    std::fs::write(&path, text).expect("a file");
    (folder, path)
}

/// What a server says that does not start with these rules.
async fn refused(rules: PathBuf) -> ServerError {
    let config = Settings { rules: Some(rules), ..settings() }.validate().expect("the settings fit together");
    prepare(&config).await.err().expect("rules that are to be refused")
}

#[tokio::test]
async fn what_is_submitted_is_planned_by_the_rules_of_the_file() {
    let text = "version: 9\nname: short\nqueues:\n  sales:\n    last_step: { after: 1ms, then: { send_away: voicemail } }\n  abroad:\n    priority: 1\n";
    let (_folder, path) = file(text);
    let server = Server::with(Settings { rules: Some(path), ..settings() }).await;
    server.open_floor(&[]).await;
    let sales = server.submit(call("c1")).await.expect("taken").interaction.expect("an interaction");
    assert_eq!(sales.rule_set_version, 9);
    let gone = server.until(&sales.name, |one| one.state() == InteractionState::SentAway).await;
    assert_eq!(gone.name, sales.name);
}

#[tokio::test]
async fn a_queue_the_rules_name_and_the_floor_does_not_have_is_still_refused() {
    let (_folder, path) = file("version: 9\nname: early\nqueues:\n  abroad:\n    priority: 1\n");
    let server = Server::with(Settings { rules: Some(path), ..settings() }).await;
    server.open_floor(&[]).await;
    let abroad = call_with("c1", |one| one.queue = super::harness::name("queues", "abroad"));
    let refusal = server.submit(abroad).await.expect_err("there is no such queue");
    assert_eq!(refusal.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn mistakes_in_rules_are_told_by_line_and_field_before_the_server_starts() {
    let (_folder, path) = file("version: 1\nname: x\ndefault:\n  goals: { answer_within: soon }\n");
    let said = refused(path.clone()).await;
    assert!(matches!(said, ServerError::Rules { .. }));
    let said = said.to_string();
    assert!(said.contains(&path.display().to_string()), "{said}");
    assert!(said.contains("line 4, default.goals.answer_within: got \"soon\", want a duration"), "{said}");
    let missing = refused(path.with_file_name("none.yaml")).await;
    assert!(matches!(missing, ServerError::RulesFile { .. }));
}

/// Rules with conditions over what the source, the floor and the document itself tell.
const ORDERED: &str = "version: 12
name: ordered
facts:
  product: { type: text, meaning: what the customer has with us }
  amount: { type: number, meaning: what is at stake }
rules:
  - name: large amounts
    when: has(attribute.amount) && attribute.amount >= 1000
    then: { require: { es: 2 }, tags: [large], instruction: Ask for the second signature., deadline: 1h }
  - name: mortgages
    when: attribute.product == 'mortgage'
    then: { queue: sales, tags: [mortgage] }
  - name: a line that is empty
    when: queues[\"sales\"].waiting == 0 && queue.open
    then: { tags: [first-in-line] }
  - name: trial
    when: interaction.intent == 'trial'
    split:
      - { share: 50%, then: { tags: [one] } }
      - { share: 50%, then: { tags: [other] } }
fallback: { queue: service }
";

impl Server {
    async fn ordered() -> (TempDir, Server) {
        let (folder, path) = file(ORDERED);
        let server = Server::with(Settings { rules: Some(path), ..settings() }).await;
        server.open_floor(&[]).await;
        server.add_queue("service", proto::Queue::default()).await;
        (folder, server)
    }

    /// What the rules said of it.
    pub async fn told(&self, interaction: &proto::Interaction) -> Explanation {
        let request = proto::ExplainRequest { interaction: interaction.name.clone(), decision: 0 };
        within("the reason", self.supervision().explain(request)).await.expect("it exists").into_inner()
    }

    pub async fn planned(
        &self,
        id: &str,
        change: impl FnOnce(&mut proto::Interaction),
    ) -> proto::Interaction {
        let submitted = self.submit(call_with(id, change)).await.expect("taken");
        submitted.interaction.expect("an interaction")
    }
}

/// What became of each rule, by name.
pub fn outcomes(told: &Explanation) -> Vec<(&str, Outcome, &str)> {
    told.rules.iter().map(|one| (one.rule.as_str(), one.outcome(), one.sentence.as_str())).collect()
}

#[tokio::test]
async fn an_interaction_that_names_no_queue_is_led_by_the_rules_or_falls_back() {
    let (_folder, server) = Server::ordered().await;
    let mortgage = |one: &mut proto::Interaction| {
        one.queue = String::new();
        one.attributes.insert("product".into(), "mortgage".into());
    };
    let led = server.planned("c1", mortgage).await;
    assert_eq!((led.queue, led.tags), (name("queues", "sales"), vec!["mortgage".to_owned()]));
    let fallen = server.planned("c2", |one| one.queue = String::new()).await;
    assert_eq!(fallen.queue, name("queues", "service"));
}

#[tokio::test]
async fn what_a_rule_says_is_on_the_interaction_and_on_the_card() {
    let (_folder, server) = Server::ordered().await;
    server.add_agent("ana", 5).await;
    let mut ana = server.sign_in("ana").await;
    let large = |one: &mut proto::Interaction| {
        one.attributes.insert("amount".into(), "2500".into());
    };
    let large = server.planned("c1", large).await;
    assert!(large.due_time.is_some(), "an hour from now");
    assert!(large.tags.contains(&"large".to_owned()), "{large:?}");
    let offer = ana.next_offer().await;
    let card = offer.card().expect("every offer has a card");
    assert_eq!(card.instructions, ["Ask for the second signature."]);
}

#[tokio::test]
async fn each_rule_is_explained_from_what_was_recorded_and_a_failing_one_is_skipped() {
    let (_folder, server) = Server::ordered().await;
    let small = |one: &mut proto::Interaction| {
        one.attributes.insert("amount".into(), "12".into());
    };
    let small = server.planned("c1", small).await;
    let told = server.told(&small).await;
    let outcomes = outcomes(&told);
    let large = "attribute.amount >= 1000; attribute.amount is 12";
    assert_eq!(outcomes[0], ("large amounts", Outcome::NotMatched, large));
    assert_eq!(outcomes[1], ("mortgages", Outcome::Skipped, "attribute.product is missing"));
    assert_eq!(outcomes[3].1, Outcome::NotMatched);
}

#[tokio::test]
async fn shares_are_dealt_in_turn_and_told_afterwards() {
    let (_folder, server) = Server::ordered().await;
    let mut shares = Vec::new();
    for number in 0..8 {
        let one = server.planned(&format!("c{number}"), |one| one.intent = "trial".into()).await;
        let told = server.told(&one).await;
        let trial = told.rules.iter().find(|rule| rule.rule == "trial").expect("it is traced");
        let by_tag = if one.tags.contains(&"one".to_owned()) { "by share 1" } else { "by share 2" };
        assert_eq!(trial.sentence, by_tag);
        shares.push(by_tag);
    }
    let first = shares.iter().filter(|share| **share == "by share 1").count();
    assert!((3..=5).contains(&first), "{shares:?}");
}

#[tokio::test]
async fn figures_of_queues_are_told_to_rules_and_recorded_with_the_plan() {
    let (_folder, server) = Server::ordered().await;
    // The floor is looked at twice a second: until then nobody can tell, and the rule is skipped.
    let looked_at = async {
        for number in 0.. {
            let one = server.planned(&format!("c{number}"), |_| {}).await;
            server.cancel(&one.name).await;
            let told = server.told(&one).await;
            let empty = told.rules.iter().find(|rule| rule.rule == "a line that is empty");
            // The look may have been while the call before waited.
            match empty.expect("it is traced").outcome() {
                Outcome::Matched => return one.tags,
                _ => assert!(one.tags.is_empty()),
            }
        }
        unreachable!("it goes on until the floor was looked at")
    };
    let told = within("a look at the floor", looked_at).await;
    assert_eq!(told, ["first-in-line"]);
}

#[tokio::test]
async fn nobody_is_refused_for_an_attribute_that_is_too_long_to_be_a_fact() {
    let (_folder, server) = Server::ordered().await;
    let long = |one: &mut proto::Interaction| {
        one.attributes.insert("product".into(), "m".repeat(129));
    };
    let long = server.planned("c1", long).await;
    let told = server.told(&long).await;
    assert_eq!(outcomes(&told)[1], ("mortgages", Outcome::Skipped, "attribute.product is missing"));
}
