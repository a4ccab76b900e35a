//! Stages 4 and 5: open an offer, and its four endings: accepted, declined, expired, rescinded. Capacity is
//! claimed from the moment of the offer; every release looks for the next work in the same step.

use super::capacity::{Claim, Holder};
use super::command::{Answer, Refusal};
use super::deadline::Deadline;
use super::event::{Ending, Event, RescindCause};
use super::explain::Decision;
use super::floor::OnExpiry;
use super::ids::{AgentKey, AssignmentId, InteractionId, OfferId, Text};
use super::interaction::{CoolDown, Decided, State};
use super::outcome::Assignment;
use super::score::place;
use super::shard::{Shard, Step};
use super::time::Time;
use hashbrown::HashMap;
use serde::Serialize;
use std::collections::VecDeque;

/// How long a pair cools down after the first decline, ms; it doubles with each further one.
pub const COOL_DOWN_MS: u64 = 30_000;
/// And no longer than this, ms.
pub const COOL_DOWN_MAX_MS: u64 = 600_000;
/// Of the offers that ended, so many are remembered, to tell late answers what became of them.
pub const ENDED_OFFERS_MAX: usize = 65_536;

/// So many of the last decisions are kept for those who watch the floor.
pub const LATEST_MAX: usize = 20;

/// An open offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Offer {
    pub id: OfferId,
    pub interaction: InteractionId,
    pub agent: AgentKey,
    pub opened: Time,
    pub expires: Time,
}

/// What became of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Ended {
    pub interaction: InteractionId,
    pub agent: AgentKey,
    pub ending: Ending,
    /// Of an accepted one.
    pub assignment: Option<AssignmentId>,
}

/// The offers that ended last.
#[derive(Clone, Debug, Default)]
pub struct EndedOffers {
    by_id: HashMap<OfferId, Ended>,
    order: VecDeque<OfferId>,
}

impl EndedOffers {
    fn remember(&mut self, id: OfferId, ended: Ended) {
        if self.order.len() == ENDED_OFFERS_MAX {
            let oldest = self.order.pop_front().expect("the limit is not zero");
            self.by_id.remove(&oldest);
        }
        self.order.push_back(id);
        self.by_id.insert(id, ended);
    }
}

impl Step<'_> {
    /// Looks for an agent for an interaction that came, or came back to its place; says why if there is none.
    pub fn seek_agent(&mut self, interaction: InteractionId) {
        let (agent, decision) = self.shard.agent_for(interaction);
        match agent {
            Some(agent) => self.open_offer(interaction, agent, decision),
            None => self.emit(Event::Waits { interaction, decision }),
        }
    }

    /// Looks for work for an agent until there is none it can take.
    pub fn seek_work(&mut self, agent: AgentKey) {
        while let Some((interaction, decision)) = self.shard.interaction_for(agent) {
            self.open_offer(interaction, agent, decision);
        }
    }

    fn open_offer(&mut self, interaction: InteractionId, agent: AgentKey, decision: Decision) {
        let subject = self.shard.subject(interaction);
        let units = self.shard.spec(agent).channels[subject.channel.index()].units;
        let expires = self.shard.now.after(self.shard.queue(subject.plan.queue).offer_expiry_ms);
        let offer = OfferId(self.shard.last_offer.0 + 1);
        self.emit(Event::Offered { offer, interaction, agent, units, expires, decision });
    }

    pub fn accept(&mut self, offer: OfferId) -> Result<Answer, Refusal> {
        if let Some(ended) = self.shard.ended_offer(offer) {
            return match (ended.ending, ended.assignment) {
                (Ending::Accepted, Some(assignment)) => {
                    Ok(Answer::Accepted { assignment, interaction: ended.interaction })
                }
                (ending, _) => Err(refusal(ending)),
            };
        }
        let interaction = self.shard.open_offer(offer)?.interaction;
        let assignment = AssignmentId(self.shard.last_assignment.0 + 1);
        let agent = self.shard.offers[&offer].agent;
        self.emit(Event::Accepted { offer, assignment });
        self.seek_work(agent);
        Ok(Answer::Accepted { assignment, interaction })
    }

    pub fn decline(&mut self, offer: OfferId, reason: Text) -> Result<Answer, Refusal> {
        match self.shard.ended_offer(offer).map(|ended| ended.ending) {
            // The same answer twice is one answer.
            Some(Ending::Declined) => return Ok(Answer::Done),
            Some(ending) => return Err(refusal(ending)),
            None => {}
        }
        let Offer { interaction, agent, .. } = *self.shard.open_offer(offer)?;
        let before = self.shard.subject(interaction).cool_downs.iter().find(|pair| pair.agent == agent);
        let declines = before.map_or(0, |pair| pair.declines);
        let cool_down_ms = COOL_DOWN_MS.saturating_mul(1 << declines.min(16)).min(COOL_DOWN_MAX_MS);
        let cools_down_until = self.shard.now.after(cool_down_ms);
        self.emit(Event::Declined { offer, reason, cools_down_until });
        self.seek_agent(interaction);
        self.seek_work(agent);
        Ok(Answer::Done)
    }

    /// The offer's time is over.
    pub fn expire(&mut self, offer: OfferId) {
        let Offer { interaction, agent, .. } = self.shard.offers[&offer];
        let policy = self.shard.queue(self.shard.subject(interaction).plan.queue).on_expiry;
        self.emit(Event::Expired { offer, not_responding: policy == OnExpiry::NotResponding });
        let (next, decision) = self.shard.agent_for_rather(interaction, agent);
        match next {
            // Nobody else: the agent is asked below, like anybody who is free, for the highest score.
            Some(same) if same == agent => {}
            Some(other) => self.open_offer(interaction, other, decision),
            None => self.emit(Event::Waits { interaction, decision }),
        }
        self.seek_work(agent);
        if next == Some(agent) && self.shard.subject(interaction).state == State::Waiting {
            self.seek_agent(interaction);
        }
    }

    /// Takes an offer back. The caller looks for other work for both.
    pub fn rescind(&mut self, offer: OfferId, cause: RescindCause) {
        self.emit(Event::Rescinded { offer, cause });
    }

    /// The pair may be tried again.
    pub fn cooled_down(&mut self, interaction: InteractionId, agent: AgentKey) {
        self.emit(Event::CooledDown { interaction, agent });
        if self.shard.subject(interaction).state == State::Waiting
            && let (Some(agent), decision) = self.shard.agent_for(interaction)
        {
            self.open_offer(interaction, agent, decision);
        }
    }
}

fn refusal(ending: Ending) -> Refusal {
    match ending {
        Ending::Accepted => Refusal::OfferAccepted,
        Ending::Declined => Refusal::OfferDeclined,
        Ending::Expired => Refusal::OfferExpired,
        Ending::Rescinded => Refusal::OfferRescinded,
    }
}

impl Shard {
    /// What became of an offer that ended a while ago.
    pub fn ended_offer(&self, id: OfferId) -> Option<Ended> {
        self.ended_offers.by_id.get(&id).copied()
    }

    fn open_offer(&self, id: OfferId) -> Result<&Offer, Refusal> {
        self.offers.get(&id).ok_or(Refusal::OfferUnknown)
    }

    pub(super) fn decided(&mut self, id: InteractionId, agent: Option<AgentKey>, decision: &Decision) {
        let decided = Decided { sequence: self.sequence, time: self.now, agent, decision: decision.clone() };
        if self.latest.len() == LATEST_MAX {
            self.latest.pop_front();
        }
        self.latest.push_back((id, decided.clone()));
        self.subject_mut(id).remember(decided);
    }

    pub(super) fn offered(
        &mut self,
        id: OfferId,
        interaction: InteractionId,
        agent: AgentKey,
        units: u16,
        expires: Time,
    ) {
        self.last_offer = id;
        self.offers.insert(id, Offer { id, interaction, agent, opened: self.now, expires });
        self.deadlines.arm(Deadline::Offer(id), expires);
        let subject = self.subject_mut(interaction);
        subject.state = State::Offered;
        subject.offer = Some(id);
        let (lane, place, channel, queue) =
            (subject.lane, place(subject), subject.channel, subject.plan.queue);
        self.lines.dequeue(lane, place);
        self.tally.books(queue).offered += 1;
        self.agents[agent.index()].ledger.claim(Claim { holder: Holder::Offer(id), channel, units });
        self.reindex(agent);
    }

    pub(super) fn accepted(&mut self, id: OfferId, assignment: AssignmentId) {
        let Offer { interaction, agent, .. } = self.end_offer(id, Ending::Accepted, Some(assignment));
        self.last_assignment = assignment;
        self.deadlines.disarm(Deadline::Source(interaction));
        let now = self.now;
        let subject = self.subject_mut(interaction);
        subject.state = State::Handling;
        subject.assignment = Some(assignment);
        subject.agent = Some(agent);
        let first = subject.answered.is_none();
        subject.answered.get_or_insert(now);
        let (queue, wait_ms, channel) = (subject.plan.queue, subject.wait_ms(now), subject.channel);
        let in_target = wait_ms <= subject.plan.goals.answer_within_ms;
        for pair in std::mem::take(&mut subject.cool_downs) {
            self.deadlines.disarm(Deadline::CoolDown(interaction, pair.agent));
        }
        let books = self.tally.books(queue);
        books.handling += 1;
        books.offers_accepted += 1;
        if first {
            books.answered += 1;
            books.answered_in_target += u64::from(in_target);
            books.wait_ms += wait_ms;
        } else {
            books.returned -= 1;
        }
        self.assignments.insert(assignment, Assignment::new(assignment, interaction, agent, channel, now));
        self.agents[agent.index()].ledger.pass(Holder::Offer(id), Holder::Assignment(assignment));
        self.reindex(agent);
    }

    pub(super) fn declined(&mut self, id: OfferId, until: Time) {
        let Offer { interaction, agent, .. } = self.back_in_line(id, Ending::Declined);
        let subject = self.subject_mut(interaction);
        match subject.cool_downs.iter_mut().find(|pair| pair.agent == agent) {
            Some(pair) => (pair.declines, pair.until) = (pair.declines + 1, until),
            None => subject.cool_downs.push(CoolDown { agent, declines: 1, until }),
        }
        let queue = subject.plan.queue;
        self.tally.books(queue).offers_declined += 1;
        self.deadlines.arm(Deadline::CoolDown(interaction, agent), until);
    }

    pub(super) fn expired(&mut self, id: OfferId, not_responding: bool) {
        let Offer { interaction, agent, .. } = self.back_in_line(id, Ending::Expired);
        let queue = self.subject(interaction).plan.queue;
        self.tally.books(queue).offers_expired += 1;
        // Only the agent's return ends it, not another offer under a milder policy.
        self.agents[agent.index()].not_responding |= not_responding;
        self.reindex(agent);
    }

    pub(super) fn rescinded(&mut self, id: OfferId) {
        let Offer { interaction, .. } = self.back_in_line(id, Ending::Rescinded);
        let queue = self.subject(interaction).plan.queue;
        self.tally.books(queue).offers_rescinded += 1;
    }

    /// The timer is gone; the pair's count of declines stays for the next one.
    pub(super) fn cool_down_ended(&mut self, interaction: InteractionId, agent: AgentKey) {
        self.deadlines.disarm(Deadline::CoolDown(interaction, agent));
    }

    /// The customer's place is the one of first entry: `place` does not look at how often we failed them.
    fn back_in_line(&mut self, id: OfferId, ending: Ending) -> Offer {
        let offer = self.end_offer(id, ending, None);
        self.agents[offer.agent.index()].ledger.release(Holder::Offer(id));
        self.reindex(offer.agent);
        let subject = self.subject_mut(offer.interaction);
        subject.state = State::Waiting;
        subject.requeues += 1;
        let (lane, place) = (subject.lane, place(subject));
        self.lines.enqueue(lane, place);
        offer
    }

    fn end_offer(&mut self, id: OfferId, ending: Ending, assignment: Option<AssignmentId>) -> Offer {
        let offer = self.offers.remove(&id).expect("an offer ends once");
        self.deadlines.disarm(Deadline::Offer(id));
        let ended = Ended { interaction: offer.interaction, agent: offer.agent, ending, assignment };
        self.ended_offers.remember(id, ended);
        let subject = self.subject_mut(offer.interaction);
        subject.offer = None;
        let queue = subject.plan.queue;
        self.tally.books(queue).offered -= 1;
        offer
    }
}
