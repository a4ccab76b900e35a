//! The table of facts. A row is all there is to say about a fact; what is printed, checked, evaluated, indexed and tested
//! follows from it.
//!
//! Where nobody knows the customer, counts are 0, texts are empty and signals are false, so that rules about customers
//! simply do not hold; `customer.known` tells.

use super::{Fact, Grounds, Kind, Read, Words};
use crate::engine::channel::Channel;
use crate::engine::journey::{Journey, LastOutcome};

const CHANNELS: &[&str] = &["voice", "video", "chat", "message", "email", "social", "task"];
const CHANNELS_OR_NONE: &[&str] = &["", "voice", "video", "chat", "message", "email", "social", "task"];
const OUTCOMES: &[&str] = &["", "open", "served", "left", "taken_back", "timed_out", "sent_away"];

/// Counts are of 32 bits.
const COUNT: (i64, i64) = (0, u32::MAX as i64);
const ANY: (i64, i64) = (i64::MIN, i64::MAX);
const LENGTH: (i64, i64) = (0, i64::MAX);

const SUBMIT: &str = "the source, when it hands the interaction in";
const PROFILE: &str = "the customer's profile and preferences";
const HISTORY: &str = "the customer's history, this interaction not included";
const CLOCK: &str = "the clock, in the time zone of the rules";
const FLOOR: &str = "the floor, of up to a second ago";

/// A row that says what it is; [`Fact::means`] says the rest.
const fn row(name: &'static str, kind: Kind, range: (i64, i64), read: Read) -> Fact {
    Fact {
        name,
        kind,
        unit: "",
        meaning: "",
        source: "",
        may_be_missing: false,
        example: "",
        words: Words::Any,
        range,
        read,
    }
}

const fn truth(name: &'static str, read: fn(&Grounds) -> bool) -> Fact {
    row(name, Kind::Truth, (0, 1), Read::Truth(read))
}

const fn text(name: &'static str, read: for<'g> fn(&'g Grounds) -> &'g str) -> Fact {
    row(name, Kind::Text, ANY, Read::Text(read))
}

const fn number(name: &'static str, range: (i64, i64), read: fn(&Grounds) -> Option<i64>) -> Fact {
    row(name, Kind::Number, range, Read::Number(read))
}

const fn duration(name: &'static str, range: (i64, i64), read: fn(&Grounds) -> Option<i64>) -> Fact {
    row(name, Kind::Duration, range, Read::Number(read)).may_be_missing()
}

impl Fact {
    const fn means(self, source: &'static str, meaning: &'static str, example: &'static str) -> Fact {
        Fact { source, meaning, example, ..self }
    }

    const fn words(self, words: Words) -> Fact {
        Fact { words, ..self }
    }

    const fn unit(self, unit: &'static str) -> Fact {
        Fact { unit, ..self }
    }

    const fn may_be_missing(self) -> Fact {
        Fact { may_be_missing: true, ..self }
    }
}

/// The word of an outcome in a condition.
fn outcome(outcome: LastOutcome) -> &'static str {
    match outcome {
        LastOutcome::Open => "open",
        LastOutcome::Served => "served",
        LastOutcome::Left => "left",
        LastOutcome::TakenBack => "taken_back",
        LastOutcome::TimedOut => "timed_out",
        LastOutcome::SentAway => "sent_away",
    }
}

fn count(grounds: &Grounds, of: fn(&Journey) -> u32) -> Option<i64> {
    Some(grounds.journey.map_or(0, |journey| i64::from(of(journey))))
}

/// A length of time; one too long to be told apart is the longest.
fn length(ms: Option<u64>) -> Option<i64> {
    ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Every fact, in the order of the manual.
pub static FACTS: &[Fact] = &[
    text("interaction.channel", |g| g.interaction.channel.word()).words(Words::Of(CHANNELS)).means(
        SUBMIT,
        "How the customer reaches us",
        r#"interaction.channel in ["voice", "video"]"#,
    ),
    text("interaction.source", |g| g.interaction.source).means(
        SUBMIT,
        "The system that handed it in, by its name",
        r#"interaction.source == "webshop""#,
    ),
    text("interaction.queue", |g| g.interaction.queue).means(
        SUBMIT,
        "The queue that the source named; empty where it named none",
        r#"interaction.queue == "loans""#,
    ),
    text("interaction.intent", |g| g.interaction.intent).means(
        SUBMIT,
        "What the customer wants, as the source coded it; empty where it did not",
        r#"interaction.intent.startsWith("cancel")"#,
    ),
    text("interaction.language", |g| g.interaction.language).means(
        SUBMIT,
        "The language of this interaction as a tag such as es or pt-BR; empty where nobody said",
        r#"interaction.language == "es""#,
    ),
    text("interaction.matter", |g| g.interaction.matter).means(
        SUBMIT,
        "The matter it is about, as the source named it; empty where it did not",
        r#"interaction.matter != """#,
    ),
    number("interaction.priority", (-10, 10), |g| Some(g.interaction.priority.into())).unit("points").means(
        SUBMIT,
        "Points given by the source, -10 to 10; 0 where it gave none",
        "interaction.priority >= 5",
    ),
    row("interaction.requires", Kind::Texts, ANY, Read::Texts(|g| g.interaction.requires)).means(
        SUBMIT,
        "The skills that the interaction itself asks for, by name",
        r#""mortgage" in interaction.requires"#,
    ),
    duration("interaction.due_in", ANY, |g| g.interaction.due_in_ms).means(
        SUBMIT,
        "How long until it should be done, less than nothing where that is past; missing where it has no due time",
        r#"has(interaction.due_in) && interaction.due_in < duration("2h")"#,
    ),
    truth("interaction.scheduled", |g| g.interaction.is_scheduled).means(
        SUBMIT,
        "It is not to be done before a time that was named",
        "interaction.scheduled",
    ),
    text("interaction.preferred_agent", |g| g.interaction.preferred_agent).means(
        SUBMIT,
        "The agent whom the source named for it; empty where it named none",
        r#"interaction.preferred_agent != """#,
    ),
    truth("customer.known", |g| g.is_customer_known).means(
        "identification by address",
        "Somebody knows whose interaction it is; false also where the look-up was late",
        "!customer.known",
    ),
    text("customer.tier", |g| g.journey.map_or("", |j| &j.tier)).means(
        PROFILE,
        "What the business calls their standing; empty where nothing is known",
        r#"customer.tier in ["gold", "platinum"]"#,
    ),
    text("customer.language", |g| g.journey.map_or("", |j| &j.language)).means(
        PROFILE,
        "The language they like to speak, as a tag such as es; empty where nothing is known",
        r#"customer.language == "ca""#,
    ),
    text("customer.preferred_channel", |g| {
        g.journey.and_then(|j| j.preferred_channel).map_or("", Channel::word)
    })
    .words(Words::Of(CHANNELS_OR_NONE))
    .means(
        PROFILE,
        "How they would rather be reached; empty where they did not say",
        r#"customer.preferred_channel == "email""#,
    ),
    truth("customer.refuses_calls", |g| g.journey.is_some_and(|j| j.refuses_calls)).means(
        PROFILE,
        "They do not want to be called",
        "customer.refuses_calls",
    ),
    number("customer.open_promises", COUNT, |g| count(g, |j| j.open_promises)).unit("promises").means(
        HISTORY,
        "Promises to them that are still to be kept",
        "customer.open_promises > 0",
    ),
    number("journey.contacts_1h", COUNT, |g| count(g, |j| j.contacts_1h)).unit("contacts").means(
        HISTORY,
        "Their contacts of any kind within the last hour",
        "journey.contacts_1h >= 2",
    ),
    number("journey.contacts_24h", COUNT, |g| count(g, |j| j.contacts_24h)).unit("contacts").means(
        HISTORY,
        "Their contacts of any kind within the last 24 hours",
        "journey.contacts_24h >= 3",
    ),
    number("journey.contacts_7d", COUNT, |g| count(g, |j| j.contacts_7d)).unit("contacts").means(
        HISTORY,
        "Their contacts of any kind within the last 7 days",
        "journey.contacts_7d > 5",
    ),
    number("journey.about_1h", COUNT, |g| count(g, |j| j.about_1h)).unit("contacts").means(
        HISTORY,
        "Contacts about the same matter within the last hour",
        "journey.about_1h > 0",
    ),
    number("journey.about_24h", COUNT, |g| count(g, |j| j.about_24h)).unit("contacts").means(
        HISTORY,
        "Contacts about the same matter within the last 24 hours",
        "journey.about_24h >= 2",
    ),
    number("journey.about_7d", COUNT, |g| count(g, |j| j.about_7d)).unit("contacts").means(
        HISTORY,
        "Contacts about the same matter within the last 7 days",
        "journey.about_7d >= 3",
    ),
    number("journey.contact_number", COUNT, |g| count(g, Journey::contact_number)).means(
        HISTORY,
        "Which contact about the matter this is within as long as the repeats of its queue look back: 1 is the first; \
         0 where nobody knows the customer",
        "journey.contact_number >= 3",
    ),
    number("journey.lifetime_contacts", COUNT, |g| count(g, |j| j.lifetime_contacts)).unit("contacts").means(
        HISTORY,
        "Their contacts ever",
        "journey.lifetime_contacts == 0",
    ),
    text("journey.last_outcome", |g| g.journey.and_then(|j| j.last_outcome).map_or("", outcome))
        .words(Words::Of(OUTCOMES))
        .means(
            HISTORY,
            "How their newest contact ended; open: not yet; left: unanswered; taken_back: withdrawn; timed_out: nothing \
             more was tried; sent_away: to voicemail or another system; empty where there was none",
            r#"journey.last_outcome in ["left", "timed_out"]"#,
        ),
    duration("journey.last_ago", LENGTH, |g| length(g.journey.and_then(|j| j.last_ago_ms))).means(
        HISTORY,
        "How long ago their newest contact came; missing where there was none",
        r#"has(journey.last_ago) && journey.last_ago < duration("30m")"#,
    ),
    text("journey.last_agent", |g| g.journey.map_or("", |j| &j.last_agent)).means(
        HISTORY,
        "Who served the newest contact that was served, by name; empty where nobody did",
        r#"journey.last_agent == "ana""#,
    ),
    duration("journey.served_ago", LENGTH, |g| length(g.journey.and_then(|j| j.served_ago_ms))).means(
        HISTORY,
        "How long ago the newest contact that was served came; missing where there was none",
        r#"has(journey.served_ago) && journey.served_ago < duration("7d")"#,
    ),
    truth("journey.complaint", |g| g.journey.is_some_and(|j| j.signals.complaint)).means(
        HISTORY,
        "They complained lately",
        "journey.complaint",
    ),
    truth("journey.competitor", |g| g.journey.is_some_and(|j| j.signals.competitor)).means(
        HISTORY,
        "They spoke of a competitor lately",
        "journey.competitor",
    ),
    truth("journey.cancel", |g| g.journey.is_some_and(|j| j.signals.cancel)).means(
        HISTORY,
        "They said lately that they want to end it",
        r#"journey.cancel || interaction.intent == "cancel""#,
    ),
    number("journey.sentiment", (-100, 100), |g| g.journey.and_then(|j| j.sentiment).map(i64::from))
        .may_be_missing()
        .unit("points")
        .means(
            HISTORY,
            "How they felt in their newest contacts, -100 (badly) to 100 (well); missing where nothing was measured",
            "has(journey.sentiment) && journey.sentiment < -30",
        ),
    number("journey.sentiment_trend", (i16::MIN as i64, i16::MAX as i64), |g| {
        Some(g.journey.map_or(0, |j| j.sentiment_trend.into()))
    })
    .unit("points")
    .means(
        HISTORY,
        "How they felt in the newer half of these contacts less how in the older half; 0 where nothing was measured",
        "journey.sentiment_trend <= -20",
    ),
    number("time.hour", (0, 23), |g| Some(g.local.hour.into())).unit("hours").means(
        CLOCK,
        "The hour of the day, 0 to 23",
        "time.hour >= 18",
    ),
    number("time.minute", (0, 59), |g| Some(g.local.minute.into())).unit("minutes").means(
        CLOCK,
        "The minute of the hour, 0 to 59",
        "time.minute < 15",
    ),
    number("time.minute_of_day", (0, 1_439), |g| Some(g.local.minute_of_day())).unit("minutes").means(
        CLOCK,
        "Minutes since midnight by the clock on the wall, 0 to 1439",
        "time.minute_of_day >= 8 * 60 + 30",
    ),
    number("time.weekday", (1, 7), |g| Some(g.local.weekday.into())).means(
        CLOCK,
        "The day of the week: 1 is Monday, 7 is Sunday",
        "time.weekday in [6, 7]",
    ),
    text("time.date", |g| g.local.date()).words(Words::Date).means(
        CLOCK,
        "The date as 2026-12-24; dates compare as they follow each other",
        r#"time.date >= "2026-12-24" && time.date <= "2026-12-26""#,
    ),
    number("time.month", (1, 12), |g| Some(g.local.month.into())).means(
        CLOCK,
        "The month: 1 is January",
        "time.month == 12",
    ),
    number("time.day", (1, 31), |g| Some(g.local.day.into())).means(
        CLOCK,
        "The day of the month, 1 to 31",
        "time.day <= 3",
    ),
    row("queue.open", Kind::Truth, (0, 1), Read::QueueTruth(|q| q.is_open)).may_be_missing().means(
        FLOOR,
        "The queue takes interactions now by its opening hours",
        "!queue.open",
    ),
    row("queue.waiting", Kind::Number, COUNT, Read::QueueNumber(|q| Some(q.waiting.into())))
        .may_be_missing()
        .unit("interactions")
        .means(FLOOR, "Interactions that wait in it", "queue.waiting > 20"),
    row(
        "queue.longest_wait",
        Kind::Duration,
        LENGTH,
        Read::QueueNumber(|q| length(Some(q.longest_wait_ms))),
    )
    .may_be_missing()
    .means(
        FLOOR,
        "How long the one who waits longest has waited; nothing where nobody waits",
        r#"queue.longest_wait > duration("5m")"#,
    ),
    row("queue.free_agents", Kind::Number, COUNT, Read::QueueNumber(|q| Some(q.free_agents.into())))
        .may_be_missing()
        .unit("agents")
        .means(FLOOR, "Its agents who are ready for work", "queue.free_agents == 0"),
    row("queue.service_level", Kind::Number, (0, 100), Read::QueueNumber(|q| Some(q.service_level())))
        .may_be_missing()
        .unit("per cent")
        .means(
            FLOOR,
            "Answered in time of those who were to be answered today, in whole per cent, rounded down; 100 where \
             nobody was",
            "queue.service_level < 80",
        ),
    row(
        "queue.estimated_wait",
        Kind::Duration,
        LENGTH,
        Read::QueueNumber(|q| length(q.estimated_wait_ms)),
    )
    .may_be_missing()
    .means(
        FLOOR,
        "How long somebody who comes now will wait; missing where that cannot be told",
        r#"has(queue.estimated_wait) && queue.estimated_wait > duration("10m")"#,
    ),
];
