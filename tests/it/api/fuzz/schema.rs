//! Messages by chance, in bytes, from the compiled protocol: every field of every request there is, also of those that come
//! later. Words are often those of the floor, so that requests come far.

use crate::fuzz::Luck;
use baton::api::{DESCRIPTORS, SERVICES};
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use std::collections::BTreeMap;

/// Messages in messages go no deeper.
const DEPTH_MAX: u32 = 6;
const NUMBERS: [i64; 14] =
    [0, 0, 1, 1, 2, 3, 5, 10, 60, -1, i32::MAX as i64, i32::MIN as i64, i64::MAX, i64::MIN];
const WORDS: [&str; 12] =
    ["", "", "pbx", "c1", "es", "x", "gold", "2027-01-01", "Europe/Lisbon", "PT1H", "\u{0}", "ação"];

/// What most requests have, or are refused at once.
const USUAL: [&str; 24] = [
    "parent",
    "name",
    "agent",
    "queue",
    "interaction",
    "offer",
    "assignment",
    "customer",
    "source",
    "channel",
    "session",
    "presence",
    "state",
    "from",
    "kind",
    "value",
    "request",
    "submit",
    "accept",
    "heartbeat",
    "skill",
    "reason",
    "proficiency",
    "display_name",
];

/// How often there are fields that are not usual, and words that are not; of a hundred.
#[derive(Clone, Copy)]
struct Style {
    others: usize,
    wild: usize,
}

pub struct Method {
    pub path: String,
    pub input: String,
    pub client_streams: bool,
}

pub struct Schema {
    pub methods: Vec<Method>,
    messages: BTreeMap<String, DescriptorProto>,
}

impl Schema {
    pub fn read() -> Schema {
        let set = FileDescriptorSet::decode(DESCRIPTORS).expect("we made it");
        let mut schema = Schema { methods: Vec::new(), messages: BTreeMap::new() };
        for file in &set.file {
            schema.take_in(&format!(".{}", file.package()), &file.message_type);
            for service in &file.service {
                let full = format!("{}.{}", file.package(), service.name());
                for method in &service.method {
                    schema.methods.push(Method {
                        path: format!("/{full}/{}", method.name()),
                        input: method.input_type().to_owned(),
                        client_streams: method.client_streaming(),
                    });
                }
            }
        }
        let services = schema.methods.iter().map(|method| method.path.split('/').nth(1).unwrap_or_default());
        let services: std::collections::BTreeSet<&str> = services.collect();
        assert_eq!(services, SERVICES.iter().copied().collect(), "the services of the protocol");
        schema
    }

    fn take_in(&mut self, scope: &str, messages: &[DescriptorProto]) {
        for message in messages {
            let full = format!("{scope}.{}", message.name());
            self.take_in(&full, &message.nested_type);
            self.messages.insert(full, message.clone());
        }
    }

    /// The bytes of one message of a type.
    pub fn message(&self, luck: &mut Luck, of: &str) -> Vec<u8> {
        // Few fields of few kinds are often right; many, never.
        let style = luck.one_of(&[
            Style { others: 0, wild: 0 },
            Style { others: 8, wild: 0 },
            Style { others: 15, wild: 2 },
            Style { others: 60, wild: 15 },
        ]);
        self.at_depth(luck, style, of, 0)
    }

    fn at_depth(&self, luck: &mut Luck, style: Style, of: &str, depth: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in &self.messages.get(of).unwrap_or_else(|| panic!("{of} is in the protocol")).field {
            let usual = USUAL.contains(&field.name()) || field.name().ends_with("_id");
            let there = luck.below(100) < if usual { 95 } else { style.others };
            let times = match field.label() {
                Label::Repeated if there => 1 + luck.below(3),
                _ => usize::from(there),
            };
            for _ in 0..times {
                self.field(luck, style, (of, field), depth, &mut bytes);
            }
        }
        bytes
    }

    fn field(
        &self,
        luck: &mut Luck,
        style: Style,
        (of, field): (&str, &FieldDescriptorProto),
        depth: u32,
        out: &mut Vec<u8>,
    ) {
        let number = u32::try_from(field.number()).expect("numbers of fields are positive");
        let delimited = |out: &mut Vec<u8>, bytes: &[u8]| {
            encode_key(number, WireType::LengthDelimited, out);
            encode_varint(bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        };
        match field.r#type() {
            Type::Message if depth == DEPTH_MAX => {}
            Type::Message => delimited(out, &self.at_depth(luck, style, field.type_name(), depth + 1)),
            Type::String => delimited(out, word(luck, style, of, field.name()).as_bytes()),
            Type::Bytes => delimited(out, &luck.bytes(40)),
            Type::Double | Type::Fixed64 | Type::Sfixed64 => {
                let value = luck.one_of(&[0.0, 0.5, 1.0, -1.0, f64::NAN, f64::INFINITY, f64::MAX]);
                encode_key(number, WireType::SixtyFourBit, out);
                out.extend_from_slice(&value.to_le_bytes());
            }
            Type::Float | Type::Fixed32 | Type::Sfixed32 => {
                encode_key(number, WireType::ThirtyTwoBit, out);
                out.extend_from_slice(&luck.one_of(&[0.0, 0.5, 1.0, -1.0, f32::NAN]).to_le_bytes());
            }
            Type::Enum => {
                let value = if style.wild == 0 { 1 + luck.below(3) } else { luck.below(9) };
                varint(out, number, value as u64);
            }
            Type::Bool => varint(out, number, luck.below(2) as u64),
            _ => {
                let small = luck.below(100) >= 3 * style.wild;
                let value = if small { 1 + luck.below(9) as i64 } else { luck.one_of(&NUMBERS) };
                varint(out, number, value.cast_unsigned());
            }
        }
    }
}

fn varint(out: &mut Vec<u8>, number: u32, value: u64) {
    encode_key(number, WireType::Varint, out);
    encode_varint(value, out);
}

/// Collections and ids that a message of this type may name; no id is a number.
fn named_by(message: &str) -> Vec<(&'static str, &'static str)> {
    let all = [
        ("Queue", "queues", "sales"),
        ("Queue", "queues", "q1"),
        ("Agent", "agents", "ana"),
        ("Agent", "agents", "a1"),
        ("Skill", "skills", "es"),
        ("Skill", "skills", "s1"),
        ("Pool", "pools", "default"),
        ("Pool", "pools", "p1"),
        ("Group", "groups", "g1"),
        ("Hours", "hours", "h1"),
        ("Customer", "customers", ""),
        ("Interaction", "interactions", ""),
        ("Offer", "offers", ""),
        ("Assignment", "assignments", ""),
    ];
    let fits = |(of, ..): &(&str, &str, &str)| message.contains(of);
    let by_type: Vec<_> = all.into_iter().filter(fits).map(|(_, collection, id)| (collection, id)).collect();
    if by_type.is_empty() {
        return ["interactions", "offers", "assignments", "customers"]
            .map(|collection| (collection, ""))
            .into();
    }
    by_type
}

/// What stands in a field of this name in such a message; sometimes anything.
fn word(luck: &mut Luck, style: Style, within: &str, field: &str) -> String {
    if luck.below(100) < style.wild {
        return String::from_utf8_lossy(&luck.bytes(300)).into_owned();
    }
    if luck.below(100) < style.wild {
        return luck.one_of(&WORDS).to_owned();
    }
    let tenant = super::super::harness::TENANT;
    let number = 1 + luck.below(4);
    let named = |collection: &str, id: &str| format!("{tenant}/{collection}/{id}");
    let agent = luck.one_of(&["ana", "ana", "bo", "a1"]);
    let queue = luck.one_of(&["sales", "sales", "q1"]);
    match field {
        "parent" => tenant.to_owned(),
        "agent" | "contact_person" | "last_agent" | "wanted_agent" => named("agents", agent),
        "queue" | "fallback" | "shadow_queue" => named("queues", queue),
        "interaction" | "base" | "into" => named("interactions", &number.to_string()),
        "offer" => named("offers", &number.to_string()),
        "assignment" => named("assignments", &number.to_string()),
        "customer" | "linked" => named("customers", &number.to_string()),
        "skill" => named("skills", "es"),
        "pool" => named("pools", "default"),
        "name" => {
            let (collection, id) = luck.one_of(&named_by(within));
            match id {
                "" => named(collection, &number.to_string()),
                id => named(collection, id),
            }
        }
        "value" => format!("+35191000000{number}"),
        "source" => "pbx".to_owned(),
        "session" => number.to_string(),
        "text" => luck.one_of(&["", "version: 1", "rules: []", "queues: {sales: {}}", "- ["]).to_owned(),
        "display_name" | "reason" | "by" | "note" => "somebody".to_owned(),
        field if field.ends_with("_id") => format!("{}{}", &field[..1], luck.below(6)),
        "page_token" | "etag" => luck.one_of(&["", "", "1", "2"]).to_owned(),
        _ => luck.one_of(&WORDS).to_owned(),
    }
}
