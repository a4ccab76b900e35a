//! What an agent has on the desk: offers, conversations, and an agenda. Draws what a person would decide.
//!
//! No calls to the server here: `agents.rs` makes them, and reports what came of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tokio::time::Instant;

use super::clock::Clock;
use super::constants::{
    ACCEPT_S, BACK_AT_DESK_S, BREAK_S, BREAK_SHARE, DECLINE_SHARE, HAND_ON_SHARE, Intent, MISS_SHARE,
    OFF_DUTY_S, ON_DUTY, WRAP_UP_EARLY_SHARE, WRAP_UP_S,
};
use super::draws;
use super::floor::queue_of;
use super::tally::{Tally, read};
use crate::proto::{
    AgentStatus, Assignment, Card, Channel, Interaction, Offer, OfferEnded, RoutingState, WorkSnapshot,
    assignment, history_entry, offer_ended, work_response::Event,
};

/// How many of the first cards across channels are pointed out.
const POINTED_OUT: u64 = 3;
const DISPOSITIONS: [&str; 4] = ["solved", "solved", "information-given", "follow-up"];

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Accept(String),
    Decline(String),
    Complete(String),
    /// An assignment, to a colleague of the same queue.
    HandOn(String),
    FinishWrapUp(String),
    GoOnBreak,
    /// Also the way back from having missed an offer.
    BeAvailable,
}

/// What a contact is about, as far as the work on it depends on that.
#[derive(Clone, Copy, Debug)]
struct Matter {
    intent: Intent,
    channel: Channel,
}

/// The desk of one agent.
pub struct Desk {
    agent: String,
    /// Who has rank 0 is on duty whenever somebody is.
    rank: usize,
    clock: Clock,
    generator: ChaCha8Rng,
    tally: Arc<Tally>,
    /// In order of time; the number keeps things of the same instant apart. With each: how often it was tried.
    agenda: BTreeMap<(Instant, u64), (Action, u32)>,
    planned: u64,
    offers: BTreeMap<String, Matter>,
    talking: BTreeMap<String, Matter>,
    wrapping_up: BTreeSet<String>,
    /// On a break, or missed an offer: `BeAvailable` is on the agenda.
    away: bool,
}

impl Action {
    /// For messages.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Accept(_) => "accept",
            Action::Decline(_) => "decline",
            Action::Complete(_) => "complete",
            Action::HandOn(_) => "hand on",
            Action::FinishWrapUp(_) => "finish wrap-up",
            Action::GoOnBreak => "go on break",
            Action::BeAvailable => "be available",
        }
    }
}

impl Desk {
    pub fn new(agent: &str, rank: usize, clock: Clock, generator: ChaCha8Rng, tally: Arc<Tally>) -> Desk {
        Desk {
            agent: agent.to_owned(),
            rank,
            clock,
            generator,
            tally,
            agenda: BTreeMap::new(),
            planned: 0,
            offers: BTreeMap::new(),
            talking: BTreeMap::new(),
            wrapping_up: BTreeSet::new(),
            away: false,
        }
    }

    /// When there is something to do next.
    pub fn next_due(&self) -> Option<Instant> {
        self.agenda.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes the next thing from the agenda, with how often it was tried. Offers that have ended are skipped,
    /// and nobody comes back before duty begins.
    pub fn pop_due(&mut self) -> Option<(Action, u32)> {
        let (_, (action, tries)) = self.agenda.pop_first()?;
        match &action {
            Action::Accept(offer) | Action::Decline(offer) if !self.offers.contains_key(offer) => None,
            Action::BeAvailable if !self.on_duty() => {
                self.plan(self.clock.after(OFF_DUTY_S), action, 0);
                None
            }
            _ => Some((action, tries)),
        }
    }

    /// Puts something back on the agenda that did not come through.
    pub fn put_off(&mut self, action: Action, tries: u32, real: Duration) {
        self.plan(Instant::now() + real, action, tries);
    }

    /// The conversations and wrap-ups in hand.
    pub fn in_hand(&self) -> Vec<String> {
        self.talking.keys().chain(&self.wrapping_up).cloned().collect()
    }

    /// Takes in what the stream tells.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Snapshot(snapshot) => self.take_snapshot(snapshot),
            Event::Offer(offer) => self.take_offer(&offer),
            Event::OfferEnded(ended) => self.take_ending(&ended),
            Event::CardCompleted(completed) => {
                let channel = self.offers.get(&completed.offer).map(|matter| matter.channel);
                if let (Some(channel), Some(card)) = (channel, &completed.card()) {
                    self.count_card(card, channel);
                }
            }
            Event::Assignment(assignment) => self.take_assignment(&assignment),
            Event::Status(status) => self.take_status(&status),
            Event::Opened(_) | Event::Resumed(_) | Event::Message(_) | Event::KeepAlive(_) => {}
        }
    }

    /// An accept came through: the conversation begins.
    pub fn talk_after(&mut self, offer: &str, assignment: String) {
        if let Some(matter) = self.offers.remove(offer) {
            self.talk(assignment, matter);
        }
    }

    /// The queue of a conversation in hand.
    pub fn queue_of(&self, assignment: &str) -> Option<String> {
        let matter = self.talking.get(assignment)?;
        Some(queue_of(matter.intent.facts(), matter.channel))
    }

    /// How a conversation ended: disposition and note.
    pub fn result_of(&mut self, assignment: &str) -> (String, String) {
        let disposition = DISPOSITIONS[self.generator.random_range(0..DISPOSITIONS.len())];
        let about = self.talking.get(assignment).map_or("something", |matter| matter.intent.facts().title);
        (disposition.to_owned(), format!("{about}: {disposition}. Customer was told what happens next."))
    }

    /// Something came through.
    pub fn done(&mut self, action: &Action) {
        match action {
            Action::Complete(assignment) => {
                self.talking.remove(assignment);
                let tired = self.generator.random_bool(BREAK_SHARE);
                if !self.away && (tired || !self.on_duty()) {
                    self.away = true;
                    self.plan(Instant::now(), Action::GoOnBreak, 0);
                }
            }
            Action::GoOnBreak => {
                let length = draws::between(&mut self.generator, BREAK_S);
                self.plan(self.clock.after(length), Action::BeAvailable, 0);
            }
            Action::BeAvailable => self.away = false,
            Action::Decline(offer) => drop(self.offers.remove(offer)),
            Action::HandOn(assignment) => drop(self.talking.remove(assignment)),
            Action::FinishWrapUp(assignment) => drop(self.wrapping_up.remove(assignment)),
            Action::Accept(_) => {}
        }
    }

    /// Something came too late; the stream tells what happened instead.
    pub fn overtaken(&mut self, action: &Action) {
        match action {
            Action::Accept(offer) | Action::Decline(offer) => drop(self.offers.remove(offer)),
            Action::Complete(assignment) => drop(self.talking.remove(assignment)),
            // Handed on too often already, or set aside for a call: then it is done here.
            Action::HandOn(assignment) => self.plan(Instant::now(), Action::Complete(assignment.clone()), 0),
            Action::FinishWrapUp(assignment) => drop(self.wrapping_up.remove(assignment)),
            Action::GoOnBreak | Action::BeAvailable => self.away = false,
        }
    }

    /// A snapshot is the whole truth: what it does not list has ended while nobody listened.
    fn take_snapshot(&mut self, snapshot: WorkSnapshot) {
        self.offers.retain(|name, _| snapshot.offers.iter().any(|offer| offer.name == *name));
        let listed = |name: &String| snapshot.assignments.iter().any(|found| found.name == *name);
        self.talking.retain(|name, _| listed(name));
        self.wrapping_up.retain(listed);
        snapshot.assignments.iter().for_each(|assignment| self.take_assignment(assignment));
        snapshot.offers.iter().for_each(|offer| self.take_offer(offer));
        if !self.away {
            self.away = true;
            let first = if self.on_duty() { Action::BeAvailable } else { Action::GoOnBreak };
            self.plan(Instant::now(), first, 0);
        }
    }

    /// Why the agent is away, for supervisors.
    pub fn break_reason(&self) -> &'static str {
        if self.on_duty() { "short break" } else { "off duty" }
    }

    fn on_duty(&self) -> bool {
        let hour = (self.clock.time_of_day_s(self.clock.elapsed_s()) / 3600.0) as usize % 24;
        self.rank < usize::from(ON_DUTY[hour])
    }

    fn take_offer(&mut self, offer: &Offer) {
        let Some(matter) = offer.interaction().as_ref().map(Matter::of) else { return };
        if self.offers.insert(offer.name.clone(), matter).is_some() {
            return;
        }
        if let Some(card) = offer.card().filter(|card| !card.partial) {
            self.count_card(&card, matter.channel);
        }
        self.answer(offer.name.clone());
    }

    /// Says yes after a moment, now and then no, and rarely nothing at all.
    fn answer(&mut self, offer: String) {
        let luck = self.generator.random_range(0.0..1.0);
        let due = self.clock.after(draws::between(&mut self.generator, ACCEPT_S));
        if luck < DECLINE_SHARE {
            self.plan(due, Action::Decline(offer), 0);
        } else if luck >= DECLINE_SHARE + MISS_SHARE {
            self.plan(due, Action::Accept(offer), 0);
        }
    }

    fn take_ending(&mut self, ended: &OfferEnded) {
        if ended.ending() == offer_ended::Ending::Accepted {
            return; // The answer to our accept needs what we know about the offer.
        }
        self.offers.remove(&ended.offer);
        if ended.ending() == offer_ended::Ending::Expired {
            self.come_back();
        }
    }

    fn take_assignment(&mut self, found: &Assignment) {
        match found.state() {
            assignment::State::Talking => {
                if let Some(matter) = found.interaction().as_ref().map(Matter::of) {
                    self.talk(found.name.clone(), matter);
                }
            }
            assignment::State::WrapUp => self.wrap_up(found.name.clone()),
            assignment::State::Ended | assignment::State::Unspecified => {
                self.talking.remove(&found.name);
                self.wrapping_up.remove(&found.name);
            }
        }
    }

    fn take_status(&mut self, status: &AgentStatus) {
        if status.routing_state() == RoutingState::NotResponding {
            self.come_back();
        }
    }

    /// Both the answer to an accept and the stream tell of a conversation; the first begins it.
    fn talk(&mut self, assignment: String, matter: Matter) {
        if self.talking.insert(assignment.clone(), matter).is_none()
            && !self.wrapping_up.contains(&assignment)
        {
            let length = draws::service_s(&mut self.generator, matter.intent.facts(), matter.channel);
            if self.generator.random_bool(HAND_ON_SHARE) {
                self.plan(self.clock.after(length / 2.0), Action::HandOn(assignment), 0);
            } else {
                self.plan(self.clock.after(length), Action::Complete(assignment), 0);
            }
        }
    }

    fn wrap_up(&mut self, assignment: String) {
        self.talking.remove(&assignment);
        if self.wrapping_up.insert(assignment.clone()) && self.generator.random_bool(WRAP_UP_EARLY_SHARE) {
            let length = self.generator.random_range(0.1..0.9) * f64::from(WRAP_UP_S);
            self.plan(self.clock.after(length), Action::FinishWrapUp(assignment), 0);
        }
    }

    fn come_back(&mut self) {
        if !self.away {
            self.away = true;
            let absence = draws::between(&mut self.generator, BACK_AT_DESK_S);
            self.plan(self.clock.after(absence), Action::BeAvailable, 0);
        }
    }

    fn plan(&mut self, due: Instant, action: Action, tries: u32) {
        self.planned += 1;
        self.agenda.insert((due, self.planned), (action, tries));
    }

    fn count_card(&mut self, card: &Card, channel: Channel) {
        self.tally.count(&self.tally.cards);
        let mut earlier =
            card.history.iter().filter(|entry| entry.kind() == history_entry::Kind::Contact).peekable();
        if earlier.peek().is_some() {
            self.tally.count(&self.tally.cards_with_history);
        }
        if let Some(other) = earlier.find(|entry| entry.channel() != channel) {
            if read(&self.tally.cards_across_channels) < POINTED_OUT {
                let (now, before) = (spoken(channel), spoken(other.channel()));
                self.tally
                    .note(format!("{}'s card for {now} tells of {before} of the same customer", self.agent));
            }
            self.tally.count(&self.tally.cards_across_channels);
        }
    }
}

impl Matter {
    /// A contact of somebody else's on the same floor counts as regular activity.
    fn of(interaction: &Interaction) -> Matter {
        let intent = Intent::of_code(&interaction.intent).unwrap_or(Intent::Regular);
        Matter { intent, channel: interaction.channel() }
    }
}

fn spoken(channel: Channel) -> &'static str {
    match channel {
        Channel::Voice => "a call",
        Channel::Video => "a video call",
        Channel::Chat => "a chat",
        Channel::Message => "a message",
        Channel::Email => "an email",
        Channel::Social => "a post",
        Channel::Task => "a task",
        Channel::Unspecified => "a contact",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::tally::Tally;
    use crate::proto::HistoryEntry;
    use prost::Message;

    const OFFER: &str = "tenants/default/offers/1";
    const ASSIGNMENT: &str = "tenants/default/assignments/2";

    fn desk() -> Desk {
        let clock = Clock::starting_now(60, 36_000);
        Desk::new("ana", 0, clock, draws::generator(3, 1), Arc::new(Tally::default()))
    }

    fn call() -> Interaction {
        Interaction { channel: Channel::Voice as i32, intent: "ps".to_owned(), ..Interaction::default() }
    }

    fn offer() -> Event {
        let earlier = HistoryEntry {
            kind: history_entry::Kind::Contact as i32,
            channel: Channel::Chat as i32,
            ..HistoryEntry::default()
        };
        let card = Card { history: vec![earlier], ..Card::default() };
        Event::Offer(Offer {
            name: OFFER.to_owned(),
            interaction: call().encode_to_vec().into(),
            card: card.encode_to_vec().into(),
            ..Offer::default()
        })
    }

    fn agenda(desk: &mut Desk) -> Vec<Action> {
        std::iter::from_fn(|| desk.next_due().map(|_| desk.pop_due()))
            .flatten()
            .map(|(action, _)| action)
            .collect()
    }

    #[test]
    fn an_offer_seen_twice_is_answered_once() {
        let mut desk = desk();
        desk.take(offer());
        desk.take(offer());
        assert_eq!(agenda(&mut desk), [Action::Accept(OFFER.to_owned())]);
        assert_eq!(read(&desk.tally.cards_across_channels), 1);
    }

    #[test]
    fn an_agent_who_missed_an_offer_comes_back() {
        let mut desk = desk();
        desk.take(offer());
        let ending = offer_ended::Ending::Expired as i32;
        desk.take(Event::OfferEnded(OfferEnded { offer: OFFER.to_owned(), ending, ..OfferEnded::default() }));
        assert_eq!(agenda(&mut desk), [Action::BeAvailable]);
    }

    #[test]
    fn a_conversation_told_twice_ends_once() {
        let mut desk = desk();
        desk.take(offer());
        let _ = desk.pop_due();
        desk.talk_after(OFFER, ASSIGNMENT.to_owned());
        desk.take(Event::Assignment(Assignment {
            name: ASSIGNMENT.to_owned(),
            interaction: call().encode_to_vec().into(),
            state: assignment::State::Talking as i32,
            ..Assignment::default()
        }));
        assert_eq!(agenda(&mut desk), [Action::Complete(ASSIGNMENT.to_owned())]);
    }

    #[test]
    fn nobody_comes_before_duty_begins() {
        let clock = Clock::starting_now(60, 4 * 3_600);
        let mut desk = Desk::new("mateo", 12, clock, draws::generator(3, 13), Arc::new(Tally::default()));
        desk.take(Event::Snapshot(WorkSnapshot::default()));
        assert_eq!(desk.pop_due(), Some((Action::GoOnBreak, 0)));
        desk.done(&Action::GoOnBreak);
        assert_eq!(desk.pop_due(), None);
        assert!(desk.next_due().is_some());
    }

    #[test]
    fn what_a_snapshot_does_not_list_is_over() {
        let mut desk = desk();
        desk.take(offer());
        desk.take(Event::Snapshot(WorkSnapshot::default()));
        assert_eq!(agenda(&mut desk), [Action::BeAvailable]);
        assert!(desk.in_hand().is_empty());
    }
}
