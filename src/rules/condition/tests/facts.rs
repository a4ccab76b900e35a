//! Every row of the table of facts: that it says what it is, what it was on known grounds, and that it is missing where it
//! may be. A row that is not listed here fails.

use super::given::{compiled, complained, grounds, holds, unknown};
use crate::rules::condition::{BYTES_MAX, Failure, LIST_MAX, NODES_MAX};
use crate::rules::facts::{Declarations, FACTS, Kind, Manual, Words};

/// What each fact is for the one who complained, and that of which nobody knows anything. `None`: missing.
const KNOWN: &[(&str, &str, Option<&str>)] = &[
    ("interaction.channel", r#""voice""#, Some(r#""email""#)),
    ("interaction.source", r#""pbx""#, Some("''")),
    ("interaction.queue", r#""loans""#, Some("''")),
    ("interaction.intent", r#""cancel_card""#, Some("''")),
    ("interaction.language", r#""es""#, Some("''")),
    ("interaction.matter", r#""card 7""#, Some("''")),
    ("interaction.priority", "3", Some("0")),
    ("interaction.requires", r#""mortgage""#, Some("")),
    ("interaction.due_in", r#"-duration("90s")"#, None),
    ("interaction.scheduled", "true", Some("false")),
    ("interaction.preferred_agent", r#""ana""#, Some("''")),
    ("customer.known", "true", Some("false")),
    ("customer.tier", r#""gold""#, Some("''")),
    ("customer.language", r#""ca""#, Some("''")),
    ("customer.preferred_channel", r#""chat""#, Some("''")),
    ("customer.refuses_calls", "true", Some("false")),
    ("customer.open_promises", "1", Some("0")),
    ("journey.contacts_1h", "1", Some("0")),
    ("journey.contacts_24h", "2", Some("0")),
    ("journey.contacts_7d", "5", Some("0")),
    ("journey.about_1h", "1", Some("0")),
    ("journey.about_24h", "2", Some("0")),
    ("journey.about_7d", "3", Some("0")),
    ("journey.contact_number", "4", Some("0")),
    ("journey.lifetime_contacts", "40", Some("0")),
    ("journey.last_outcome", r#""left""#, Some("''")),
    ("journey.last_ago", r#"duration("10m")"#, None),
    ("journey.last_agent", r#""ben""#, Some("''")),
    ("journey.served_ago", r#"duration("1d")"#, None),
    ("journey.complaint", "true", Some("false")),
    ("journey.competitor", "true", Some("false")),
    ("journey.cancel", "true", Some("false")),
    ("journey.sentiment", "-42", None),
    ("journey.sentiment_trend", "-7", Some("0")),
    ("time.hour", "9", Some("9")),
    ("time.minute", "5", Some("5")),
    ("time.minute_of_day", "545", Some("545")),
    ("time.weekday", "4", Some("4")),
    ("time.date", r#""2026-12-24""#, Some(r#""2026-12-24""#)),
    ("time.month", "12", Some("12")),
    ("time.day", "24", Some("24")),
    ("queue.open", "true", None),
    ("queue.waiting", "12", None),
    ("queue.longest_wait", r#"duration("3m5s")"#, None),
    ("queue.free_agents", "0", None),
    ("queue.service_level", "79", None),
    ("queue.estimated_wait", r#"duration("4m")"#, None),
];

fn is(name: &str, value: &str) -> String {
    match value {
        "" => format!("size({name}) == 0"),
        _ if name == "interaction.requires" => format!("{value} in {name}"),
        _ => format!("{name} == {value}"),
    }
}

#[test]
fn every_fact_is_what_it_was() {
    let rows: Vec<&str> = FACTS.iter().map(|fact| fact.name).collect();
    let known: Vec<&str> = KNOWN.iter().map(|(name, ..)| *name).collect();
    assert_eq!(known, rows, "a fact of the table is tested here, in its order");
    for (name, value, _) in KNOWN {
        assert_eq!(holds(&is(name, value)), Ok(true), "{name}");
        assert_eq!(holds(&format!("!({})", is(name, value))), Ok(false), "{name}");
    }
}

#[test]
fn a_fact_that_nobody_told_is_empty_or_missing_as_the_table_says() {
    for ((name, known, value), fact) in KNOWN.iter().zip(FACTS) {
        assert_eq!(fact.may_be_missing, value.is_none(), "{name}");
        let said = is(name, value.unwrap_or(known));
        let want = if fact.may_be_missing { Err(Failure::Missing((*name).into())) } else { Ok(true) };
        assert_eq!(compiled(&said).holds(&unknown()), want, "{said}");
        let has = compiled(&format!("has({name})"));
        assert_eq!(has.holds(&unknown()), Ok(!fact.may_be_missing), "{name}");
        assert_eq!(has.holds(&grounds(&complained())), Ok(true), "{name}");
    }
}

/// What must be true of a fact that is `value`, by its kind: each sign and function once on each side of its edge.
fn signs(name: &str, value: &str, kind: Kind) -> Vec<String> {
    let said = match kind {
        Kind::Truth => "N == V;!(N != V);(N ? V : !V);!(N && !V) && (N || !V)",
        Kind::Number => {
            "N == V;!(N != V);N <= V && N >= V;!(N < V) && !(N > V);N < V + 1 && N > V - 1;N in [V + 1, V];\
             !(N in [V - 1, V + 1]);N * 2 - V == N;-N == -(V);N + 1 > V;N % 2 == V % 2;(N == V ? N : 0) == V"
        }
        Kind::Duration => {
            "N == V;!(N != V);N <= V && N >= V;!(N < V) && !(N > V);N < V + duration('1ms');N > V - duration('1ms');\
             N in [V];N + V - N == V;-N == -(V);(N == V ? N : duration('0s')) == V"
        }
        Kind::Text => {
            "N == V;!(N != V);N <= V && N >= V;!(N < V) && !(N > V);N in [V];N.startsWith(V) && N.endsWith(V);\
             N.contains(V) && V.contains(N);size(N) == size(V);N.size() == V.size();(N == V ? N : '') == V"
        }
        Kind::Texts => "V in N;!('none' in N);size(N) > 0;N.size() == size(N)",
    };
    said.split(';').map(|said| said.replace('N', name).replace('V', value)).collect()
}

#[test]
fn every_fact_takes_every_sign_of_its_kind() {
    for ((name, value, _), fact) in KNOWN.iter().zip(FACTS) {
        for said in signs(name, value, fact.kind) {
            assert_eq!(holds(&said), Ok(true), "{said}");
            assert_eq!(holds(&format!("!({said})")), Ok(false), "{said}");
        }
    }
}

#[test]
fn figures_are_of_any_queue_by_name() {
    for fact in FACTS.iter().filter(|fact| fact.is_of_a_queue()) {
        let value = KNOWN.iter().find(|(name, ..)| *name == fact.name).map(|(_, value, _)| *value);
        let loans = format!("queues[\"loans\"].{}", fact.field());
        assert_eq!(holds(&is(&loans, value.expect("it is listed"))), Ok(true), "{loans}");
        let none = format!("has(queues['pensions'].{})", fact.field());
        assert_eq!(holds(&none), Err(Failure::UnknownQueue("pensions".into())), "{none}");
    }
    assert_eq!(holds("!queues['cards'].open && queues['cards'].service_level == 100"), Ok(true));
    assert_eq!(holds("has(queues['cards'].estimated_wait)"), Ok(false));
}

#[test]
fn opening_hours_are_open_closed_or_unknown() {
    assert_eq!(holds("hours['head office'] && !hours['night']"), Ok(true));
    assert_eq!(holds("hours['moon']"), Err(Failure::UnknownHours("moon".into())));
}

#[test]
fn an_attribute_is_what_the_document_declares_or_the_rule_fails() {
    assert_eq!(
        holds("attribute.contract == 'business' && attribute.limit > 2000 && attribute.vip"),
        Ok(true)
    );
    assert_eq!(holds("attribute.absent > 1"), Err(Failure::Missing("attribute.absent".into())));
    assert_eq!(holds("has(attribute.absent)"), Ok(false));
    let wrong = Failure::WrongType { name: "attribute.strange".into(), want: Kind::Number };
    assert_eq!(wrong.to_string(), "attribute.strange came as something else than a whole number");
    assert_eq!(holds("attribute.strange > 1"), Err(wrong));
    assert_eq!(holds("has(attribute.strange)"), Ok(true));
}

#[test]
fn attributes_are_read_as_they_were_declared() {
    use crate::rules::facts::Attribute::{Number, Text, Truth};
    let declared = super::given::declared();
    assert_eq!(declared.read("limit", "-12"), Some(Number(-12)));
    assert_eq!(declared.read("limit", "12.5"), Some(Text("12.5")));
    assert_eq!(declared.read("vip", "true"), Some(Truth(true)));
    assert_eq!(declared.read("vip", "yes"), Some(Text("yes")));
    assert_eq!(declared.read("contract", "12"), Some(Text("12")));
    assert_eq!(declared.read("shoe_size", "43"), None);
}

#[test]
fn a_declaration_has_a_name_that_can_be_asked_for_and_a_type() {
    let read = serde_json::from_str::<Declarations>;
    for wrong in
        [r#"{"Tier": {"type": "text"}}"#, r#"{"in": {"type": "text"}}"#, r#"{"": {"type": "truth"}}"#]
    {
        let declared = read(wrong).expect("it reads");
        assert_eq!(declared.wrong().len(), 1, "{wrong}");
    }
    assert_eq!(super::given::declared().wrong(), []);
    assert!(read(r#"{"tier": {"type": "float"}}"#).is_err());
    assert!(read(r#"{"tier": {"type": "text", "unit": "€"}}"#).is_err());
    let many: Vec<String> = (0..65).map(|number| format!(r#""f{number}": {{"type": "text"}}"#)).collect();
    assert_eq!(read(&format!("{{{}}}", many.join(","))).expect("it reads").wrong().len(), 1);
}

#[test]
fn every_row_of_the_table_explains_itself() {
    for fact in FACTS {
        let name = fact.name;
        assert!(
            !fact.meaning.is_empty() && !fact.meaning.ends_with('.') && !fact.source.is_empty(),
            "{name}"
        );
        let example = compiled(fact.example);
        assert!(example.uses().facts.contains(name), "{name}");
        assert_eq!(fact.name.matches('.').count(), 1, "{name}");
        // What a supervisor copies does not raise a doubt; figures of a queue want one to be named.
        assert!(fact.is_of_a_queue() || example.doubts().is_empty(), "{name}: {:?}", example.doubts());
        if let Words::Of(words) = fact.words {
            assert!(words.iter().all(|word| !word.contains(char::is_uppercase)), "{name}");
        }
    }
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_manual_says_all_of_it() {
    let (text, json) =
        (Manual::new().to_string(), serde_json::to_string(&Manual::new()).expect("it is plain"));
    for fact in FACTS {
        assert!(text.contains(fact.example) && json.contains(fact.name), "{}", fact.name);
        assert!(in_one_line(&text).contains(fact.meaning), "{}", fact.name);
    }
    for limit in [BYTES_MAX, NODES_MAX, LIST_MAX] {
        assert!(text.contains(&limit.to_string()), "{limit}");
    }
    assert!(
        text.contains("hours[\"NAME\"]")
            && text.contains("attribute.NAME")
            && text.contains("queues[\"NAME\"].*")
    );
}
