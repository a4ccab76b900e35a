//! What comes of a condition is what the interpreter of the `cel` crate makes of it: the same value, and a failure where it
//! fails. The interpreter is the oracle only; it allocates, has no bound and is not asked at run time.

use super::chance::{Chance, rounds};
use super::given::{Drawn, compiled, declared};
use crate::rules::condition::Condition;
use crate::rules::facts::{Attribute, FACTS, Figures, Grounds, Read};
use cel::objects::{Key, Map};
use cel::{Context, Program, Value};
use std::collections::HashMap;
use std::sync::Arc;

type Entries = HashMap<Key, Value>;

fn map(entries: Entries) -> Value {
    Value::Map(Map { map: Arc::new(entries) })
}

fn text(text: &str) -> Value {
    Value::String(Arc::new(text.to_owned()))
}

/// The figures that are not missing.
fn figures(figures: &Figures) -> Value {
    let figure = |read| match read {
        Read::QueueTruth(read) => Some(Value::Bool(read(figures))),
        Read::QueueNumber(read) => read(figures).map(Value::Int),
        _ => None,
    };
    let rows = FACTS.iter().filter_map(|fact| Some((fact.field().into(), figure(fact.read)?)));
    map(rows.collect())
}

/// What is asked of a head, of the facts that are not missing.
fn head(name: &str, grounds: &Grounds) -> Value {
    let value = |read| match read {
        Read::Truth(read) => Some(Value::Bool(read(grounds))),
        Read::Number(read) => read(grounds).map(Value::Int),
        Read::Text(read) => Some(text(read(grounds))),
        Read::Texts(read) => {
            Some(Value::List(Arc::new(read(grounds).iter().map(|said| text(said)).collect())))
        }
        Read::QueueTruth(_) | Read::QueueNumber(_) => None,
    };
    let rows = FACTS.iter().filter(|fact| fact.name.split('.').next() == Some(name));
    map(rows.filter_map(|fact| Some((fact.field().into(), value(fact.read)?))).collect())
}

fn world(grounds: &Grounds) -> Context<'static, 'static> {
    let mut context = Context::default();
    for name in ["interaction", "customer", "journey", "time"] {
        context.add_variable_from_value(name, head(name, grounds));
    }
    let attribute = |attribute: Attribute| match attribute {
        Attribute::Text(said) => text(said),
        Attribute::Number(number) => Value::Int(number),
        Attribute::Truth(truth) => Value::Bool(truth),
    };
    let attributes = grounds.attributes.iter().map(|(name, came)| ((*name).into(), attribute(*came)));
    context.add_variable_from_value("attribute", map(attributes.collect()));
    let hours = grounds.hours.iter().map(|(name, open)| ((*name).into(), Value::Bool(*open)));
    context.add_variable_from_value("hours", map(hours.collect()));
    let queues = grounds.queues.iter().map(|(name, of)| ((*name).into(), figures(of)));
    context.add_variable_from_value("queues", map(queues.collect()));
    context.add_variable_from_value(
        "queue",
        grounds.queue.as_ref().map_or_else(|| map(Entries::new()), figures),
    );
    context
}

#[test]
fn a_condition_comes_out_as_the_oracle_says() {
    rounds(3, as_the_oracle_says);
}

fn as_the_oracle_says(seed: u64) {
    let mut chance = Chance::new(seed);
    let (mut judged, mut held, mut failed) = (0, 0, 0);
    for round in 0..1_500 {
        let said = chance.truth(round % 5);
        let Ok(condition) = Condition::compile(&said.ours, &declared()) else { continue };
        let oracle = Program::compile(&said.theirs).expect("what we take is CEL");
        for _ in 0..3 {
            let drawn = Drawn::new(&mut chance);
            let theirs = oracle.execute(&world(&drawn.grounds()));
            let ours = condition.holds(&drawn.grounds());
            match &theirs {
                Ok(Value::Bool(theirs)) => assert_eq!(ours.as_ref(), Ok(theirs), "{}", said.ours),
                Ok(other) => panic!("{} is {other:?}", said.theirs),
                Err(error) => assert!(ours.is_err(), "{}: {ours:?}, the oracle fails: {error}", said.ours),
            }
            held += u32::from(ours == Ok(true));
            failed += u32::from(ours.is_err());
            judged += 1;
        }
    }
    assert!(
        judged > 3_000 && held > 500 && failed > 300,
        "chance makes some of each: {judged}, {held}, {failed}"
    );
}

/// What the examples of the manual say is CEL too.
#[test]
fn the_examples_of_the_manual_come_out_as_the_oracle_says() {
    let mut chance = Chance::new(5);
    for fact in FACTS.iter().filter(|fact| !fact.example.contains("duration(")) {
        let (condition, oracle) =
            (compiled(fact.example), Program::compile(fact.example).expect("it is CEL"));
        for _ in 0..5 {
            let drawn = Drawn::new(&mut chance);
            let theirs = oracle.execute(&world(&drawn.grounds()));
            let ours = condition.holds(&drawn.grounds());
            assert_eq!(ours.ok().map(Value::Bool), theirs.ok(), "{}", fact.example);
        }
    }
}
