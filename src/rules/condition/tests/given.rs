//! Grounds to judge on: a known customer who complained on a Thursday in Advent, one of whom nobody knows anything, and
//! chance.

use super::chance::Chance;
use crate::engine::channel::Channel;
use crate::engine::hours::time_zone;
use crate::engine::journey::{Journey, LastOutcome, Signals};
use crate::engine::time::Time;
use crate::rules::condition::{Condition, Failure};
use crate::rules::facts::{Attribute, Declarations, Figures, Grounds, Incoming, Local};

/// Thursday, 24 December 2026, 09:05 in Madrid.
pub const ADVENT: Time = Time(1_798_099_500_000);

pub const NOTHING: Incoming<'static> = Incoming {
    channel: Channel::Email,
    source: "",
    queue: "",
    intent: "",
    language: "",
    matter: "",
    priority: 0,
    requires: &[],
    due_in_ms: None,
    is_scheduled: false,
    preferred_agent: "",
};

const CALL: Incoming<'static> = Incoming {
    channel: Channel::Voice,
    source: "pbx",
    queue: "loans",
    intent: "cancel_card",
    language: "es",
    matter: "card 7",
    priority: 3,
    requires: &["mortgage", "spanish"],
    due_in_ms: Some(-90_000),
    is_scheduled: true,
    preferred_agent: "ana",
};

pub const BUSY: Figures = Figures {
    is_open: true,
    waiting: 12,
    longest_wait_ms: 185_000,
    free_agents: 0,
    service_level_ppm: 799_999,
    estimated_wait_ms: Some(240_000),
};

pub fn complained() -> Journey {
    Journey {
        contacts_1h: 1,
        contacts_24h: 2,
        contacts_7d: 5,
        about_1h: 1,
        about_24h: 2,
        about_7d: 3,
        about_within: 3,
        lifetime_contacts: 40,
        last_outcome: Some(LastOutcome::Left),
        last_ago_ms: Some(600_000),
        last_agent: "ben".into(),
        served_ago_ms: Some(86_400_000),
        open_promises: 1,
        tier: "gold".into(),
        language: "ca".into(),
        preferred_channel: Some(Channel::Chat),
        refuses_calls: true,
        signals: Signals { complaint: true, competitor: true, cancel: true },
        sentiment: Some(-42),
        sentiment_trend: -7,
    }
}

pub fn local(now: Time) -> Local {
    Local::at(now, &time_zone("Europe/Madrid").expect("it comes with the build"))
}

/// What the document of these tests declares.
pub fn declared() -> Declarations {
    let text = r#"{"contract": {"type": "text", "meaning": "Kind of contract"}, "limit": {"type": "number"},
        "vip": {"type": "truth"}, "absent": {"type": "number"}, "strange": {"type": "number"}}"#;
    serde_json::from_str(text).expect("a section as documents have it")
}

pub fn compiled(text: &str) -> Condition {
    Condition::compile(text, &declared()).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"))
}

/// On the grounds of the one who complained.
pub fn holds(text: &str) -> Result<bool, Failure> {
    compiled(text).holds(&grounds(&complained()))
}

pub fn grounds(journey: &Journey) -> Grounds<'_> {
    Grounds {
        interaction: CALL,
        is_customer_known: true,
        journey: Some(journey),
        local: local(ADVENT),
        queue: Some(BUSY),
        queues: &[("loans", BUSY), ("cards", NO_QUEUE)],
        hours: &[("head office", true), ("night", false)],
        attributes: &[
            ("contract", Attribute::Text("business")),
            ("limit", Attribute::Number(2_500)),
            ("vip", Attribute::Truth(true)),
            ("strange", Attribute::Text("many")),
        ],
    }
}

const NO_QUEUE: Figures = Figures {
    is_open: false,
    waiting: 0,
    longest_wait_ms: 0,
    free_agents: 3,
    service_level_ppm: 1_000_000,
    estimated_wait_ms: None,
};

pub fn unknown() -> Grounds<'static> {
    Grounds {
        interaction: NOTHING,
        is_customer_known: false,
        journey: None,
        local: local(ADVENT),
        queue: None,
        queues: &[],
        hours: &[],
        attributes: &[],
    }
}

/// What chance made, to borrow grounds from.
pub struct Drawn {
    interaction: Incoming<'static>,
    journey: Option<Journey>,
    now: Time,
    queue: Option<Figures>,
    queues: Vec<(&'static str, Figures)>,
    hours: Vec<(&'static str, bool)>,
    attributes: Vec<(&'static str, Attribute<'static>)>,
}

impl Drawn {
    pub fn new(chance: &mut Chance) -> Drawn {
        Drawn {
            interaction: interaction(chance),
            journey: chance.maybe(journey),
            now: Time(ADVENT.0 + chance.below(3 * 366 * 24 * 60) * 60_000),
            queue: chance.maybe(figures),
            queues: chance.some(&["loans", "cards"], figures),
            hours: chance.some(&["head office", "night"], |chance| chance.coin()),
            attributes: attributes(chance),
        }
    }

    pub fn grounds(&self) -> Grounds<'_> {
        Grounds {
            interaction: self.interaction,
            is_customer_known: self.journey.is_some(),
            journey: self.journey.as_ref(),
            local: local(self.now),
            queue: self.queue,
            queues: &self.queues,
            hours: &self.hours,
            attributes: &self.attributes,
        }
    }
}

fn interaction(chance: &mut Chance) -> Incoming<'static> {
    Incoming {
        channel: chance.one_of(&Channel::ALL),
        source: chance.one_of(&["", "pbx", "webshop"]),
        queue: chance.one_of(&["", "loans", "cards"]),
        intent: chance.one_of(&["", "cancel_card", "café", "i1", "i2"]),
        language: chance.one_of(&["", "es", "pt-BR"]),
        matter: chance.one_of(&["", "card 7"]),
        priority: i16::try_from(chance.below(21)).expect("below 21") - 10,
        requires: chance.one_of(&[&[][..], &["mortgage"], &["mortgage", "spanish"]]),
        due_in_ms: chance.maybe(|chance| chance.one_of(&[-90_000, 0, 60_000, i64::MAX])),
        is_scheduled: chance.coin(),
        preferred_agent: chance.one_of(&["", "ana"]),
    }
}

fn journey(chance: &mut Chance) -> Journey {
    let count = |chance: &mut Chance| chance.one_of(&[0, 1, 2, 3, 7, u32::MAX]);
    Journey {
        contacts_1h: count(chance),
        contacts_24h: count(chance),
        contacts_7d: count(chance),
        about_24h: count(chance),
        lifetime_contacts: count(chance),
        last_outcome: chance.maybe(|chance| chance.one_of(&[LastOutcome::Served, LastOutcome::Left])),
        last_ago_ms: chance.maybe(|chance| chance.one_of(&[0, 60_000, u64::MAX])),
        open_promises: count(chance),
        tier: (chance.one_of(&["", "gold", "silver"])).into(),
        preferred_channel: chance.maybe(|chance| chance.one_of(&Channel::ALL)),
        signals: Signals { complaint: chance.coin(), competitor: chance.coin(), cancel: chance.coin() },
        sentiment: chance.maybe(|chance| chance.one_of(&[-100, -42, 0, 100])),
        sentiment_trend: chance.one_of(&[-200, 0, 3]),
        ..Journey::default()
    }
}

fn figures(chance: &mut Chance) -> Figures {
    Figures {
        is_open: chance.coin(),
        waiting: chance.one_of(&[0, 1, 12, u32::MAX]),
        longest_wait_ms: chance.one_of(&[0, 60_000, u64::MAX]),
        free_agents: chance.one_of(&[0, 1, 3]),
        service_level_ppm: chance.one_of(&[0, 799_999, 800_000, 1_000_000]),
        estimated_wait_ms: chance.maybe(|chance| chance.one_of(&[0, 240_000])),
    }
}

fn attributes(chance: &mut Chance) -> Vec<(&'static str, Attribute<'static>)> {
    let numbers = [0, 1, -7, 2_500, i64::MAX, i64::MIN];
    let mut attributes = Vec::new();
    attributes
        .extend(chance.maybe(|chance| ("contract", Attribute::Text(chance.one_of(&["", "business", "es"])))));
    attributes.extend(chance.maybe(|chance| ("limit", Attribute::Number(chance.one_of(&numbers)))));
    attributes.extend(chance.maybe(|chance| ("vip", Attribute::Truth(chance.coin()))));
    attributes
}
