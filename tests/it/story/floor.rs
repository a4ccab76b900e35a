//! The verbs that build the floor: pools, queues, agents, groups, hours.

use super::words::{Words, channel, seconds_ms, span_ms};
use super::world::{Told, World};
use baton::engine::agent::Presence;
use baton::engine::capacity::CapacitySpec;
use baton::engine::channel::ChannelSet;
use baton::engine::command::{Command, Write};
use baton::engine::event::EndedBy;
use baton::engine::floor::{
    AgentSpec, Definition, GroupSpec, Kind, OnAgentLost, OnExpiry, QueueSpec, WrapUp, WrapUpMode,
};
use baton::engine::hours::{HoursSpec, Span, SpecialDay, WeeklySpan};
use baton::engine::ids::{AgentKey, SessionId, SkillKey, Text};
use baton::engine::policy::PoolSpec;
use baton::engine::skill::{Requirement, Skill};

const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Whether a name is there already, and the etag given for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    No,
    At(Option<u64>),
}

impl World {
    pub fn floor_verb(&mut self, verb: &str, words: &mut Words) -> Told {
        match verb {
            "pool" => self.pool(words.word("the pool")?),
            "queue" => self.queue(words),
            "group" => self.group(words),
            "hours" => self.hours(words),
            "agent" => self.agent(words),
            "remove" => self.remove(words),
            "route" => self.route(words),
            other => self.agent_verb(other, words),
        }
    }

    fn define(&mut self, name: &str, known: Known, definition: Definition) -> Told {
        let write = match known {
            Known::No => Write::Create,
            Known::At(revision) => Write::Update { revision },
        };
        self.set(Command::Define { name: name.into(), definition, write })
    }

    pub fn pool(&mut self, name: &str) -> Told {
        self.define(name, Known::No, Definition::Pool(PoolSpec::listed(name.into()).into()))
    }

    fn queue(&mut self, words: &mut Words) -> Told {
        let name = words.word("the queue")?;
        let lost = [("requeue", OnAgentLost::Requeue), ("keep", OnAgentLost::Keep)];
        let plain = QueueSpec::plain(name.into(), self.pool_key(words)?, self.requirements(words)?);
        let spec = QueueSpec {
            offer_expiry_ms: words.span("expiry", plain.offer_expiry_ms)?,
            on_expiry: words.setting("on-expiry").map_or(Ok(plain.on_expiry), on_expiry)?,
            on_agent_lost: words.one_of("on-agent-lost", &lost)?.unwrap_or(plain.on_agent_lost),
            wrap_up: words.setting("wrap-up").map_or(Ok(plain.wrap_up), wrap_up)?,
            broadcast: words.number("broadcast", plain.broadcast)?,
            hours: words.setting("hours").map(|hours| self.hours_key(hours)).transpose()?,
            pull: words.flag("pull"),
            waiting_max: words.number("max", plain.waiting_max)?,
            ..plain
        };
        let known = self.known(self.shard.floor().queues.key(name), words)?;
        self.define(name, known, Definition::Queue(spec))
    }

    fn group(&mut self, words: &mut Words) -> Told {
        let name = words.word("the group")?;
        let capacity = capacity(words)?.unwrap_or_default();
        let known = self.known(self.shard.floor().groups.key(name), words)?;
        self.define(name, known, Definition::Group(GroupSpec { display_name: name.into(), capacity }))
    }

    /// `hours office mon-fri=9:00-18:00 2026-12-25=closed zone=Europe/Madrid`.
    fn hours(&mut self, words: &mut Words) -> Told {
        let name = words.word("the hours")?;
        let time_zone: Text = words.setting("zone").unwrap_or("UTC").into();
        let known = self.known(self.shard.floor().hours.key(name), words)?;
        let (mut weekly, mut special) = (Vec::new(), Vec::new());
        for (days, text) in words.other_settings() {
            let spans = spans(text)?;
            match date(days) {
                Some(date) => special.push(SpecialDay { date, spans }),
                None => {
                    for weekday in weekdays(days)? {
                        weekly.extend(spans.iter().map(|span| WeeklySpan { weekday, span: *span }));
                    }
                }
            }
        }
        let spec = HoursSpec { display_name: name.into(), time_zone, weekly, special };
        self.define(name, known, Definition::Hours(spec))
    }

    fn agent(&mut self, words: &mut Words) -> Told {
        let name = words.word("the agent")?;
        let plain = AgentSpec::plain(name.into(), self.pool_key(words)?, self.skills(words)?);
        let spec = AgentSpec {
            group: words.setting("group").map(|group| self.group_key(group)).transpose()?,
            capacity: capacity(words)?,
            shift: words.setting("shift").map(|hours| self.hours_key(hours)).transpose()?,
            bot: words.flag("bot"),
            ..plain
        };
        let known = self.known(self.shard.floor().agents.key(name), words)?;
        let mut told = self.define(name, known, Definition::Agent(spec))?;
        if !words.flag("signed-out") && known == Known::No {
            let agent = AgentKey(self.shard.floor().agents.key(name).ok_or("the agent was refused")?);
            self.sessions += 1;
            told.extend(self.set(Command::OpenSession { agent, session: SessionId(self.sessions) })?);
            let (presence, reason, by) = (Presence::Available, Text::default(), EndedBy::Agent);
            told.extend(self.set(Command::SetPresence { agent, presence, reason, by })?);
        }
        Ok(told)
    }

    fn remove(&mut self, words: &mut Words) -> Told {
        let word = words.word("the kind")?;
        let kinds = [Kind::Pool, Kind::Skill, Kind::Queue, Kind::Agent, Kind::Group, Kind::Hours];
        let kind = kinds.into_iter().find(|kind| kind.word() == word);
        let kind = kind.ok_or(format!("there is no kind {word}"))?;
        self.ask(Command::Remove { kind, name: words.word("the name")?.into(), revision: None })
    }

    /// Whether a name is there, and the etag it is written over with: a number, or `answered` for the one the last
    /// definition was answered with.
    fn known(&self, key: Option<u32>, words: &mut Words) -> Result<Known, String> {
        let etag = match words.setting("etag") {
            Some("answered") => Some(self.etag),
            Some(number) => Some(number.parse().map_err(|_| format!("{number} is no etag"))?),
            None => None,
        };
        Ok(key.map_or(Known::No, |_| Known::At(etag)))
    }

    /// `skills=es:3,de:1@60s`: with their proficiency, and how long they are valid still.
    fn skills(&mut self, words: &mut Words) -> Result<Vec<Skill>, String> {
        let mut skills = Vec::new();
        for held in words.setting("skills").iter().flat_map(|text| text.split(',')) {
            let (held, valid) = held.split_once('@').map_or((held, None), |(held, span)| (held, Some(span)));
            let (name, proficiency) =
                held.split_once(':').ok_or(format!("{held}: want skill:proficiency"))?;
            let proficiency = proficiency.parse().map_err(|_| format!("{held}: want a proficiency"))?;
            let expires = valid.map(span_ms).transpose()?.map(|ms| self.clock.after(ms));
            skills.push(Skill { skill: self.skill(name)?, proficiency, expires });
        }
        skills.sort();
        Ok(skills)
    }

    /// The key of a skill; a story needs no line to have it defined.
    pub fn skill(&mut self, name: &str) -> Result<SkillKey, String> {
        if self.shard.floor().skills.key(name).is_none() {
            self.define(name, Known::No, Definition::Skill { display_name: name.into() })?;
        }
        let key = self.shard.floor().skills.key(name).ok_or("the skill was refused")?;
        Ok(SkillKey(u16::try_from(key).expect("skill keys are u16")))
    }

    /// `needs=es:3,de:1`.
    pub fn requirements(&mut self, words: &mut Words) -> Result<Vec<Requirement>, String> {
        let mut needs = Vec::new();
        for (skill, proficiency) in words.pairs("needs")? {
            needs.push(Requirement { skill: self.skill(skill)?, proficiency });
        }
        needs.sort();
        Ok(needs)
    }
}

fn on_expiry(text: &str) -> Result<OnExpiry, String> {
    match text.split_once(':') {
        None if text == "stay" => Ok(OnExpiry::Stay),
        None if text == "not-responding" => Ok(OnExpiry::NotResponding),
        Some(("recover", span)) => Ok(OnExpiry::Recover { after_ms: span_ms(span)? }),
        _ => Err(format!("on-expiry is {text}, want stay, not-responding or recover:60s")),
    }
}

/// `30s`, or `mandatory:30s:share=50:extend=2x15s`.
fn wrap_up(text: &str) -> Result<WrapUp, String> {
    let mut wrap_up = WrapUp::optional(0);
    for part in text.split(':') {
        match part.split_once('=') {
            None if part == "mandatory" => wrap_up.mode = WrapUpMode::Mandatory,
            None => wrap_up.ms = span_ms(part)?,
            Some(("share", percent)) => {
                wrap_up.share_percent = percent.parse().map_err(|_| format!("{percent} is no share"))?;
            }
            Some(("extend", terms)) => {
                let (times, span) = terms.split_once('x').ok_or(format!("{terms}: want 2x15s"))?;
                wrap_up.extensions_max = times.parse().map_err(|_| format!("{times} is no number"))?;
                wrap_up.extension_ms = span_ms(span)?;
            }
            Some(_) => return Err(format!("{part} is no part of a wrap-up")),
        }
    }
    Ok(wrap_up)
}

/// What an agent can take at once; `None` if nothing is said of it.
fn capacity(words: &mut Words) -> Result<Option<CapacitySpec>, String> {
    let plain = CapacitySpec::default();
    let mut spec = CapacitySpec {
        units: words.number("capacity", plain.units)?,
        open_offers_max: words.number("offers", plain.open_offers_max)?,
        shift_overrun_ms: words.span("overrun", plain.shift_overrun_ms)?,
        channels: plain.channels,
    };
    for (word, units) in words.pairs("units")? {
        spec.channels[channel(word)?.index()].units = units;
    }
    for (word, limit) in words.pairs("limit")? {
        spec.channels[channel(word)?.index()].limit = limit;
    }
    for (word, max) in words.pairs("daily")? {
        spec.channels[channel(word)?.index()].daily_max = Some(max);
    }
    // `interruptible=email:voice+chat`: email gives way to these.
    for pair in words.setting("interruptible").iter().flat_map(|text| text.split(',')) {
        let (gives_way, to) = pair.split_once(':').ok_or(format!("{pair}: want channel:channel"))?;
        let to = to.split('+').map(channel).collect::<Result<Vec<_>, _>>()?;
        spec.channels[channel(gives_way)?.index()].interruptible_by = ChannelSet::of(&to);
    }
    Ok((spec != CapacitySpec::default()).then_some(spec))
}

/// `mon`, `mon-fri`: 1 is Monday.
fn weekdays(text: &str) -> Result<std::ops::RangeInclusive<u8>, String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let number = |day: &str| {
        let found = WEEK.iter().position(|known| *known == day).ok_or(format!("{day} is no day"))?;
        Ok::<u8, String>(u8::try_from(found).expect("a week has seven days") + 1)
    };
    Ok(number(from)?..=number(to)?)
}

/// `2026-12-25`.
fn date(text: &str) -> Option<(i16, i8, i8)> {
    let date: jiff::civil::Date = text.parse().ok()?;
    Some((date.year(), date.month(), date.day()))
}

/// `closed`, `9:00-13:00,14:00-18:00`.
fn spans(text: &str) -> Result<Vec<Span>, String> {
    if text == "closed" {
        return Ok(Vec::new());
    }
    let span = |text: &str| {
        let (from, to) = text.split_once('-').ok_or(format!("{text}: want from-to"))?;
        Ok(Span { from: minute(from)?, to: minute(to)? })
    };
    text.split(',').map(span).collect()
}

/// `9:30` in minutes since midnight.
fn minute(text: &str) -> Result<u16, String> {
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
    let number = |text: &str| seconds_ms(text).ok().and_then(|ms| u16::try_from(ms / 1000).ok());
    match (number(hours), number(minutes)) {
        (Some(hours), Some(minutes)) => Ok(hours * 60 + minutes),
        _ => Err(format!("{text}: want a time such as 9:30")),
    }
}
