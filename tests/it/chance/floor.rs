//! A random floor: agents, queues, groups and hours, with every setting there is, mostly plain. Hours turn within
//! minutes of the start, so that they turn within a run.

use super::START;
use super::dice::Dice;
use baton::engine::capacity::{CapacitySpec, ChannelCapacity, channels_default};
use baton::engine::channel::{Channel, ChannelSet};
use baton::engine::fixed::Part;
use baton::engine::floor::{
    AgentSpec, Estimate, GroupSpec, OnAgentLost, OnExpiry, QueueSpec, WrapUp, WrapUpMode,
};
use baton::engine::hours::{HoursSpec, Span, SpecialDay, WeeklySpan};
use baton::engine::ids::{GroupKey, HoursKey, PoolKey, QueueKey, SkillKey, Text};
use baton::engine::skill::{Requirement, Skill};
use baton::engine::time::Time;

/// Keys there may be references to.
pub const GROUPS: u16 = 2;
pub const HOURS: u16 = 3;

pub fn agent(dice: &mut Dice, now: Time) -> AgentSpec {
    let mut skills = Vec::new();
    for index in 0..2 {
        let level = dice.of(13);
        if (1..=10).contains(&level) {
            let proficiency = u8::try_from(level).expect("it is at most 10");
            let ms = [0, 60_000, 600_000, 90_000_000];
            let expires = dice.one_in(6).then(|| now.after(dice.choose(&ms)));
            skills.push(Skill { skill: SkillKey(index), proficiency, expires });
        }
    }
    // What is known of an agent decides in money only: the floor is the same without it.
    let levels: u32 = skills.iter().map(|held: &Skill| u32::from(held.proficiency)).sum();
    let mut apart = Dice::new([levels, levels.wrapping_mul(0x9e37_79b9), levels.wrapping_mul(0x85eb_ca6b)]);
    AgentSpec {
        display_name: Text::default(),
        pool: PoolKey(u16::from(dice.one_in(14))),
        skills,
        group: dice.one_in(2).then(|| group_key(dice)),
        capacity: dice.one_in(2).then(|| capacity(dice)),
        shift: dice.one_in(4).then(|| hours_key(dice)),
        bot: dice.one_in(9),
        estimates: estimates(&mut apart),
        acceptance: if apart.one_in(7) { Part::thousandths(600) } else { Part::ONE },
    }
}

fn estimates(dice: &mut Dice) -> Vec<Estimate> {
    let mut estimates = Vec::new();
    for queue in (0..2).map(QueueKey) {
        if dice.one_in(2) {
            let handle_ms = dice.choose(&[180_000, 60_000, 1_000, 600_000]);
            let resolution = Part::thousandths(dice.choose(&[750, 500, 1_000, 0]));
            estimates.push(Estimate { queue, handle_ms, resolution });
        }
    }
    estimates
}

pub fn group(dice: &mut Dice) -> GroupSpec {
    GroupSpec { display_name: Text::default(), capacity: capacity(dice) }
}

fn capacity(dice: &mut Dice) -> CapacitySpec {
    let mut channels = channels_default();
    match dice.of(10) {
        0 => channels[Channel::Chat.index()].limit = 2,
        1 => channels[Channel::Task.index()].units = 0,
        2 => {
            let voice = &mut channels[Channel::Voice.index()];
            *voice = ChannelCapacity { units: 60, limit: 1, ..*voice };
        }
        3 => channels[Channel::Email.index()].limit = 0,
        4 => channels[Channel::Voice.index()].units = 0,
        _ => {}
    }
    if dice.one_in(2) {
        let by = [&[Channel::Voice][..], &[Channel::Voice, Channel::Chat], &[Channel::Email], &Channel::ALL];
        for channel in [Channel::Email, Channel::Task, Channel::Chat] {
            channels[channel.index()].interruptible_by = ChannelSet::of(dice.choose(&by));
        }
    }
    if dice.one_in(3) {
        let channel = dice.choose(&Channel::ALL);
        channels[channel.index()].daily_max = Some(dice.choose(&[0, 1, 2, 5]));
    }
    CapacitySpec {
        units: dice.choose(&[100, 100, 50, 200, 110]),
        channels,
        open_offers_max: dice.choose(&[1, 1, 1, 2, 3]),
        shift_overrun_ms: dice.choose(&[0, 0, 120_000, 3_600_000]),
    }
}

pub fn queue(dice: &mut Dice) -> QueueSpec {
    let requirement = Requirement { skill: SkillKey(1), proficiency: 1 };
    QueueSpec {
        display_name: Text::default(),
        pool: PoolKey(u16::from(dice.one_in(9))),
        requirements: if dice.one_in(9) { vec![requirement] } else { Vec::new() },
        offer_expiry_ms: dice.choose(&[15_000, 20_000, 10_000, 30_000]),
        on_expiry: match dice.of(4) {
            0 => OnExpiry::Stay,
            1 => OnExpiry::Recover { after_ms: dice.choose(&[0, 5_000, 60_000]) },
            _ => OnExpiry::NotResponding,
        },
        on_agent_lost: if dice.one_in(4) { OnAgentLost::Keep } else { OnAgentLost::Requeue },
        wrap_up: wrap_up(dice),
        broadcast: dice.choose(&[1, 1, 1, 2, 3]),
        hours: dice.one_in(5).then(|| hours_key(dice)),
        pull: dice.one_in(2),
        waiting_max: dice.choose(&[8, 30, 3, 30]),
    }
}

fn wrap_up(dice: &mut Dice) -> WrapUp {
    WrapUp {
        mode: dice.choose(&[WrapUpMode::None, WrapUpMode::Optional, WrapUpMode::Mandatory]),
        ms: dice.choose(&[10_000, 30_000, 0]),
        share_percent: dice.choose(&[100, 100, 50, 33, 0]),
        extensions_max: dice.choose(&[0, 1, 2]),
        extension_ms: dice.choose(&[10_000, 30_000]),
    }
}

/// Open and closed by turns, from a little before the start on; some days are special.
pub fn hours(dice: &mut Dice) -> HoursSpec {
    // The start is 01:46:40 UTC on a Sunday.
    let (known, start_minute) =
        dice.choose(&[("UTC", 106), ("Europe/Madrid", 226), ("America/New_York", 1_306)]);
    let time_zone = if dice.one_in(30) { "Mars/Olympus" } else { known };
    let spans = spans(dice, start_minute);
    let weekly = match dice.of(16) {
        0 => Vec::new(),
        1 | 2 => (1..=7).map(|weekday| WeeklySpan { weekday, span: Span { from: 0, to: 1_440 } }).collect(),
        _ => (1..=7)
            .flat_map(|weekday| spans.iter().map(move |span| WeeklySpan { weekday, span: *span }))
            .collect(),
    };
    let special = match dice.of(6) {
        0 => vec![SpecialDay { date: (2001, 9, 9), spans: Vec::new() }],
        1 => vec![SpecialDay { date: (2001, 9, 10), spans: vec![Span { from: 0, to: 1_440 }] }],
        _ => Vec::new(),
    };
    HoursSpec { display_name: Text::default(), time_zone: time_zone.into(), weekly, special }
}

fn spans(dice: &mut Dice, start_minute: u16) -> Vec<Span> {
    let (open, closed) = (dice.choose(&[1, 5, 20, 40]), dice.choose(&[1, 5, 20]));
    let before = u16::try_from(dice.of(30)).expect("it is small");
    let mut from = start_minute.saturating_sub(before);
    let mut spans = Vec::new();
    while spans.len() < 8 && from < 1_440 {
        spans.push(Span { from, to: (from + open).min(1_440) });
        from += open + closed;
    }
    spans
}

pub fn group_key(dice: &mut Dice) -> GroupKey {
    let known = GROUPS + u16::from(dice.one_in(30));
    GroupKey(u16::try_from(dice.of(u32::from(known))).expect("it is small"))
}

pub fn hours_key(dice: &mut Dice) -> HoursKey {
    let known = HOURS + u16::from(dice.one_in(30));
    HoursKey(u16::try_from(dice.of(u32::from(known))).expect("it is small"))
}

/// Near the start, so that it comes within a run.
pub fn soon(dice: &mut Dice, now: Time) -> Time {
    match dice.of(8) {
        0 => START,
        1 => now,
        2 => now.after(90_000_000),
        _ => now.after(u64::from(dice.of(40)) * 5_000),
    }
}
