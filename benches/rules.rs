//! Planning under 10, 100 and 1,000 ordered rules: which apply, and the whole plan. Rules are for one intent, tier or channel
//! each, of which there are as many as rules; or every tenth asks for a count and the clock: none of these applies, or ten of the
//! list do. Beside them the same with a sum for the count, which no index knows: each is asked. Interactions come with one intent
//! in turn, and one rule applies to each by that (where ten apply, one or none).
//!
//! Left out: the look-up of the customer, and the edge's memory of plans that were made before. `explain` asks every rule
//! why, in words: what a supervisor's question costs.

mod common;

use baton::engine::channel::Channel;
use baton::engine::circumstances::Circumstances;
use baton::engine::command::{Command, Write};
use baton::engine::floor::{Definition, Floor, QueueSpec};
use baton::engine::ids::{CustomerId, PoolKey, QueueKey};
use baton::engine::journey::Journey;
use baton::engine::plan::Facts;
use baton::engine::policy::PoolSpec;
use baton::engine::shard::Shard;
use baton::engine::time::Time;
use baton::rules::{Asked, RuleSet, Told};
use common::Clock;
use criterion::{Criterion, criterion_group, criterion_main};
use std::fmt::Write as _;
use std::hint::black_box;

/// Intents that interactions come with, in turn.
const INTENTS: usize = 64;

/// What rules ask for.
#[derive(Clone, Copy)]
enum Asks {
    /// One intent, tier or channel each.
    Equality,
    /// So, but every tenth a count and the clock, and it holds for nobody.
    Counts,
    /// So, and the first ten do, and hold for everybody.
    CountsOfTen,
    /// As `Counts`, in a way that has to be asked of each.
    Sums,
}

impl Asks {
    fn said(self) -> &'static str {
        match self {
            Asks::Equality => "",
            Asks::Counts => ", a tenth of them for counts",
            Asks::CountsOfTen => ", a tenth of them for counts, ten apply",
            Asks::Sums => ", a tenth of them for sums",
        }
    }
}

fn document(rules: usize, asks: Asks) -> String {
    let mut text = String::from("name: bench\nfallback: { queue: general }\nrules:\n");
    for number in 0..rules {
        let when = match (number % 10, asks) {
            (_, Asks::CountsOfTen) if number < 10 => "journey.about_24h > 0 && time.hour >= 8".to_owned(),
            (0, Asks::Counts | Asks::CountsOfTen) => {
                format!("journey.about_24h > {} && time.hour >= 8", 5 + number % 90)
            }
            (0, Asks::Sums) => format!("journey.about_24h + 0 > {} && time.hour >= 8", 5 + number % 90),
            (1, _) => format!("customer.tier == 'tier-{number}' && interaction.channel == 'voice'"),
            (2, _) => format!("interaction.channel == 'chat' && interaction.intent == 'intent-{number}'"),
            _ => format!("interaction.intent in ['intent-{number}', 'other-{number}'] && customer.known"),
        };
        writeln!(
            text,
            "  - {{ name: rule {number}, when: \"{when}\", then: {{ priority: 1, tags: [t{number}] }} }}"
        )
        .expect("a string takes whatever is written");
    }
    text
}

fn floor() -> Floor {
    let mut shard = Shard::new();
    let queue = QueueSpec::plain("General".into(), PoolKey(0), Vec::new());
    for (name, definition) in [
        ("main", Definition::Pool(PoolSpec::plain("Main".into()).into())),
        ("general", Definition::Queue(queue)),
    ] {
        let define = Command::Define { name: name.into(), definition, write: Write::Create };
        shard.step(shard.now(), define, &mut Vec::new()).expect("a new name");
    }
    shard.floor().clone()
}

/// Each of an intent that one rule is for, whose customer is known.
fn contacts(rules: usize) -> Vec<Facts> {
    let facts = |number: usize| {
        let journey = Journey { about_24h: 1, tier: "gold".into(), ..Journey::default() };
        let intent = format!("intent-{}", 3 + 10 * (number * 7 % (rules / 10))).as_str().into();
        let customer = Some(CustomerId(7));
        Facts { intent, customer, journey: Some(journey.into()), ..Facts::default() }
    };
    (0..INTENTS).map(facts).collect()
}

fn plan(criterion: &mut Criterion<Clock>) {
    let floor = floor();
    let made_in = Circumstances { at: Time(1_795_732_200_000), ..Circumstances::default() };
    let told = |facts: &Facts, ask: &mut dyn FnMut(&Told)| {
        let journey = facts.journey.as_deref();
        ask(&Told { channel: Channel::Voice, source: "pbx", facts, journey, circumstances: &made_in });
    };
    let mut group = criterion.benchmark_group("plan");
    let asked = [Asks::Equality, Asks::Counts, Asks::CountsOfTen, Asks::Sums];
    let sizes = [10, 100, 1_000].map(|count| asked.map(|asks| (count, asks)));
    for (count, asks) in sizes.into_iter().flatten() {
        let rules = RuleSet::read(&document(count, asks)).expect("the document is right");
        let contacts = contacts(count);
        let asks = asks.said();
        let mut at = 0;
        group.bench_function(format!("judge, {count} rules{asks}"), |bencher| {
            bencher.iter(|| {
                at = (at + 1) % contacts.len();
                told(&contacts[at], &mut |told| {
                    black_box(rules.judge(&floor, told, &mut |_| 0));
                });
            });
        });
        group.bench_function(format!("judge and plan, {count} rules{asks}"), |bencher| {
            bencher.iter(|| {
                at = (at + 1) % contacts.len();
                told(&contacts[at], &mut |told| {
                    let verdict = rules.judge(&floor, told, &mut |_| 0);
                    let plain = Asked::plain(Channel::Voice, QueueKey(0), told.facts);
                    black_box(rules.plan(&floor, &Asked { applied: &verdict.applied, ..plain }));
                });
            });
        });
        group.bench_function(format!("explain, {count} rules{asks}"), |bencher| {
            bencher.iter(|| {
                at = (at + 1) % contacts.len();
                told(&contacts[at], &mut |told| {
                    black_box(rules.trace(&floor, told));
                });
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(Clock::chosen());
    targets = plan
}
criterion_main!(benches);
