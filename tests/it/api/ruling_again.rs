//! The same twice: shares that go on over a publish, rules that are judged again from the record, and plans made again by
//! the rules that made them.

use super::harness::{Server, name, within};
use super::rules::outcomes;
use baton::proto::rule_trace::Outcome;
use baton::proto::{self, WaitingPolicy};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// One in five goes to the partner; `called` is no part of what the rule says.
fn trial(called: &str) -> String {
    format!(
        "name: {called}
rules:
  - name: partner trial
    split:
      - {{ share: 20%, then: {{ tags: [partner] }} }}
      - {{ share: 80%, then: {{ tags: [own] }} }}
fallback: {{ queue: sales }}
"
    )
}

/// So many calls, each with the tag of its share.
async fn dealt(server: &Server, from: usize, many: usize) -> Vec<String> {
    let mut tags = Vec::new();
    for number in from..from + many {
        tags.extend(server.planned(&format!("c{number}"), |_| {}).await.tags);
    }
    tags
}

#[tokio::test]
async fn the_shares_of_a_split_go_on_over_a_publish_and_who_waits_keeps_theirs() {
    let (one, other) = (Server::start().await, Server::start().await);
    for server in [&one, &other] {
        server.open_floor(&[]).await;
        server.rule_by(&trial("first"), WaitingPolicy::Keep).await;
    }
    let undisturbed = dealt(&one, 0, 100).await;
    let partner = undisturbed.iter().filter(|tag| *tag == "partner").count();
    assert_eq!(undisturbed.len(), 100);
    assert!((19..=21).contains(&partner), "{partner} of 100 are one in five, and less than two off");
    let mut disturbed = dealt(&other, 0, 33).await;
    let waiting = other.open_names().await;
    for (called, policy, many) in
        [("second", WaitingPolicy::Keep, 30), ("third", WaitingPolicy::PlanAgain, 37)]
    {
        other.rule_by(&trial(called), policy).await;
        disturbed.extend(dealt(&other, disturbed.len(), many).await);
    }
    assert_eq!(disturbed, undisturbed);
    for (name, share) in waiting.iter().zip(&undisturbed) {
        let planned = other.get(name).await;
        assert_eq!(
            (planned.tags, planned.rule_set_version),
            (vec![share.clone()], 4),
            "planned again in {name}"
        );
    }
}

/// Rules over attributes, figures and shares; each that applies leaves its name.
const VARIED: &str = "name: varied
facts:
  product: { type: text, meaning: what they have }
  amount: { type: number, meaning: what is at stake }
rules:
  - name: mortgages
    when: attribute.product == 'mortgage'
    then: { queue: loans, priority: 1, tags: [mortgages] }
  - name: large
    when: has(attribute.amount) && attribute.amount >= 1000
    then: { priority: 2, weight: 2, tags: [large] }
  - name: trial
    when: interaction.intent == 'trial'
    split:
      - { share: 40%, then: { tags: [trial-1], stop: true } }
      - { share: 60%, then: { priority: 4, tags: [trial-2] } }
  - name: below
    when: interaction.channel in ['voice', 'chat'] || attribute.amount < 10
    then: { tags: [below], deadline: 2h }
";

/// The same with a rule over figures, which nobody can tell of later.
fn with_figures() -> String {
    let crowded = "  - { name: crowded, when: 'queues[\"sales\"].waiting >= 3', then: { tags: [crowded] } }";
    format!("{VARIED}{crowded}\nfallback: {{ queue: sales }}\n")
}

fn without_figures() -> String {
    format!("{VARIED}fallback: {{ queue: sales }}\n")
}

/// What comes, by chance.
fn drawn(chance: &mut ChaCha8Rng, one: &mut proto::Interaction) {
    let of = |chance: &mut ChaCha8Rng, all: &[&str]| all[chance.random_range(0..all.len())].to_owned();
    one.intent = of(chance, &["", "trial", "trial", "poem"]);
    let channels = [proto::Channel::Voice, proto::Channel::Chat, proto::Channel::Email];
    one.channel = channels[chance.random_range(0..3)].into();
    for (fact, values) in
        [("product", &["mortgage", "card"][..]), ("amount", &["0", "9", "999", "1000", "many"][..])]
    {
        if chance.random_range(0..3) > 0 {
            one.attributes.insert(fact.into(), of(chance, values));
        }
    }
    if chance.random_range(0..3) == 0 {
        one.queue = String::new();
    }
}

/// Submits so many that are drawn with this seed; a value that is none of its kind is refused and left out.
async fn submitted(server: &Server, seed: u64, many: u32) -> Vec<proto::Interaction> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut planned = Vec::new();
    for number in 0..many {
        let call = super::harness::call_with(&format!("s{seed}-{number}"), |one| drawn(&mut chance, one));
        if let Ok(taken) = server.submit(call).await {
            planned.push(taken.interaction.expect("an interaction"));
        }
    }
    assert!(planned.len() > 50, "seed {seed}: {} were taken", planned.len());
    planned
}

async fn varied(text: &str) -> Server {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    server.add_queue("loans", proto::Queue::default()).await;
    server.rule_by(text, WaitingPolicy::Keep).await;
    server
}

/// The tags that the reasons of the rules stand for.
fn tags(told: &proto::Explanation) -> Vec<String> {
    let matched = outcomes(told).into_iter().filter(|(_, outcome, _)| *outcome == Outcome::Matched);
    let tag = |(rule, _, said): (&str, Outcome, &str)| match said.strip_prefix("by share ") {
        Some(share) => format!("{rule}-{share}"),
        None => rule.to_owned(),
    };
    matched.map(tag).collect()
}

#[tokio::test]
async fn what_was_recorded_leads_to_the_rules_that_made_the_plan_however_the_floor_has_changed() {
    let server = varied(&with_figures()).await;
    let crowded = async {
        // Figures are looked at twice a second: until then nobody is crowded.
        for number in 0.. {
            let one = server.planned(&format!("f{number}"), |_| {}).await;
            if one.tags.contains(&"crowded".to_owned()) {
                return;
            }
        }
    };
    within("a look at a crowded floor", crowded).await;
    let planned = submitted(&server, 1, 120).await;
    for name in server.open_names().await {
        server.cancel(&name).await;
    }
    for one in planned {
        let told = server.told(&one).await;
        assert_eq!(tags(&told), one.tags, "{one:?}\n{:?}", told.rules);
    }
}

#[tokio::test]
async fn planned_again_by_the_rules_that_made_it_a_plan_is_the_same() {
    let server = varied(&without_figures()).await;
    for seed in 2..5 {
        let before = submitted(&server, seed, 80).await;
        server.rule_by(&without_figures(), WaitingPolicy::PlanAgain).await;
        for one in before {
            let again = server.get(&one.name).await;
            let said = |one: &proto::Interaction| {
                (one.queue.clone(), one.tags.clone(), one.priority, one.due_time, one.enter_time)
            };
            assert_eq!(said(&again), said(&one), "seed {seed}: {one:?}");
            assert_eq!(again.rule_set_version, one.rule_set_version + 1);
        }
    }
    let led = server.planned("last", |one| {
        one.queue = String::new();
        one.attributes.insert("product".into(), "mortgage".into());
    });
    assert_eq!(led.await.queue, name("queues", "loans"), "the rules do something");
}
