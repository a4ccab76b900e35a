//! Stages 4 and 5: open an offer, and its four endings: accepted, declined, expired, rescinded. Capacity is
//! claimed from the moment of the offer; every release looks for the next work in the same step.

use super::capacity::{Claim, Holder, Overdraw};
use super::command::{Answer, Refusal};
use super::deadline::Deadline;
use super::event::{Ending, Event, ExitCause, PreferenceEnd, RescindCause, SeekEnd};
use super::explain::Decision;
use super::few::Few;
use super::floor::OnExpiry;
use super::ids::{AgentKey, AssignmentId, InteractionId, OfferId, Text};
use super::interaction::{CoolDown, Decided, Part, State, WantedBy};
use super::outcome::Finish;
use super::shard::{Shard, Step};
use super::table::Table;
use super::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// How long a pair cools down after the first decline, ms; it doubles with each further one.
pub const COOL_DOWN_MS: u64 = 30_000;
/// And no longer than this, ms.
pub const COOL_DOWN_MAX_MS: u64 = 600_000;
/// Of the offers that ended, so many are remembered, to tell late answers what became of them.
pub const ENDED_OFFERS_MAX: usize = 65_536;

/// So many of the last decisions are kept for those who watch the floor.
pub const LATEST_MAX: usize = 20;

/// An open offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offer {
    pub id: OfferId,
    pub interaction: InteractionId,
    pub agent: AgentKey,
    /// What the agent would be in it.
    pub part: Part,
    pub overdraw: Option<Overdraw>,
    pub opened: Time,
    pub expires: Time,
}

/// What became of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ended {
    pub interaction: InteractionId,
    pub agent: AgentKey,
    pub ending: Ending,
    /// Of a rescinded one.
    pub cause: Option<RescindCause>,
    /// Of an accepted one.
    pub assignment: Option<AssignmentId>,
}

/// The offers that ended last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EndedOffers {
    by_id: Table<OfferId, Ended>,
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
        if self.leaves_instead(interaction) {
            self.look_on(interaction);
            return;
        }
        let (agents, decision) = self.shard.agents_for(interaction);
        if agents.is_empty() {
            self.emit(Event::Waits { interaction, decision });
        } else {
            self.open_offers(interaction, &agents, &decision);
        }
    }

    /// Looks for work for an agent until there is none they can take. What was interrupted comes back first, unless
    /// it would be interrupted again at once.
    pub fn seek_work(&mut self, agent: AgentKey) {
        loop {
            let next = self.shard.interaction_for(agent);
            let interrupts = next.as_ref().is_some_and(|(id, _)| self.shard.would_interrupt(agent, *id));
            if !interrupts && self.continue_interrupted(agent) {
                continue;
            }
            let Some((interaction, decision)) = next else { break };
            self.open_offer(interaction, agent, decision);
        }
        self.somebody_free |= self.shard.agents[agent.index()].ready.is_some();
    }

    /// One more is free, or prices have moved: others who are free may be worth less to others now, and whoever is held
    /// may have one of them. After everybody who became free in this step has looked for work: what is urgent comes first.
    pub(super) fn look_again_for_held(&mut self) {
        let moved = std::mem::take(&mut self.shard.prices.moved);
        if !(std::mem::take(&mut self.somebody_free) || moved) || self.shard.lines.is_empty() {
            return;
        }
        let heads = self.shard.heads_beside_free_agents();
        heads.into_iter().for_each(|interaction| self.try_again(interaction));
    }

    /// Looks for an agent for one that stands in line already, and knows why.
    pub(super) fn try_again(&mut self, interaction: InteractionId) {
        if self.shard.subject(interaction).standing.is_some() {
            let (agents, decision) = self.shard.agents_for(interaction);
            self.open_offers(interaction, &agents, &decision);
        }
    }

    /// It is held for a cheaper agent no longer, or has been for a while.
    pub(super) fn held_enough(&mut self, interaction: InteractionId) {
        self.shard.deadlines.disarm(Deadline::Hold(interaction));
        self.try_again(interaction);
        if self.shard.subject(interaction).standing.is_some() {
            self.shard.arm_hold(interaction);
        }
    }

    fn open_offers(&mut self, interaction: InteractionId, agents: &[AgentKey], decision: &Arc<Decision>) {
        let mut freed = Few::None;
        for agent in agents {
            if self.open_offer(interaction, *agent, decision.clone()) {
                freed.push(*agent);
            }
        }
        // What gave way may have held more than this takes.
        for agent in freed {
            self.seek_work(agent);
        }
    }

    /// True if other work gave way to it.
    pub(super) fn open_offer(
        &mut self,
        interaction: InteractionId,
        agent: AgentKey,
        decision: Arc<Decision>,
    ) -> bool {
        let overdraw = self.shard.overdraw_for(interaction, agent);
        let made_room = overdraw.is_none() && self.make_room(interaction, agent);
        let queue = self.shard.sought_queue(interaction);
        let subject = self.shard.subject(interaction);
        let part = subject.sought().2;
        let units = self.shard.capacity_of(agent).of(subject.channel).units;
        let expires = self.shard.now.after(self.shard.queue(queue).offer_expiry_ms);
        let offer = OfferId(self.shard.last_offer.0 + 1);
        self.emit(Event::Offered { offer, interaction, agent, part, units, overdraw, expires, decision });
        made_room
    }

    pub fn accept(&mut self, offer: OfferId) -> Result<Answer, Refusal> {
        if let Some(ended) = self.shard.ended_offer(offer) {
            return match (ended.ending, ended.assignment) {
                (Ending::Accepted, Some(assignment)) => {
                    Ok(Answer::Accepted { assignment, interaction: ended.interaction })
                }
                _ => Err(refusal(ended)),
            };
        }
        let Offer { interaction, agent, part, .. } = *self.shard.open_offer(offer)?;
        let subject = self.shard.subject(interaction);
        let hands_over = subject.seek().filter(|_| part == Part::Owner).map(|seek| seek.by);
        let assignment = AssignmentId(self.shard.last_assignment.0 + 1);
        let connect_until = self.shard.connect_until(interaction, part);
        self.emit(Event::Accepted { offer, assignment, connect_until });
        let freed = self.rescind_all(interaction, RescindCause::TakenByAnother);
        if let Some(first) = hands_over {
            self.end_conversation(first, Finish::by(super::event::EndedBy::Transfer));
        }
        self.seek_work(agent);
        self.seek_works(freed);
        Ok(Answer::Accepted { assignment, interaction })
    }

    pub fn decline(&mut self, offer: OfferId, reason: Text) -> Result<Answer, Refusal> {
        match self.shard.ended_offer(offer) {
            // The same answer twice is one answer.
            Some(Ended { ending: Ending::Declined, .. }) => return Ok(Answer::Done),
            Some(ended) => return Err(refusal(ended)),
            None => {}
        }
        let Offer { interaction, agent, .. } = *self.shard.open_offer(offer)?;
        let before = self.shard.subject(interaction).cool_downs().iter().find(|pair| pair.agent == agent);
        let declines = before.map_or(0, |pair| pair.declines);
        let cool_down_ms = COOL_DOWN_MS.saturating_mul(1 << declines.min(16)).min(COOL_DOWN_MAX_MS);
        let cools_down_until = self.shard.now.after(cool_down_ms);
        self.emit(Event::Declined { offer, reason, cools_down_until });
        self.refused_by(interaction, agent);
        if self.shard.subject(interaction).standing.is_some() {
            self.seek_agent(interaction);
        }
        self.seek_work(agent);
        Ok(Answer::Done)
    }

    /// The offer's time is over.
    pub fn expire(&mut self, offer: OfferId) {
        let Offer { interaction, agent, .. } = self.shard.offers[&offer];
        let (not_responding, recovers) = self.shard.after_no_answer(interaction);
        self.emit(Event::Expired { offer, not_responding, recovers });
        self.refused_by(interaction, agent);
        if self.shard.subject(interaction).standing.is_none() || self.leaves_instead(interaction) {
            self.seek_work(agent);
            self.look_on(interaction);
            return;
        }
        let (next, decision) = self.shard.agents_for_rather(interaction, agent);
        match next.first() {
            // Nobody else: the agent is asked below, like anybody who is free, for the highest score.
            Some(same) if *same == agent => {}
            Some(_) => self.open_offers(interaction, &next, &decision),
            None => self.emit(Event::Waits { interaction, decision }),
        }
        self.seek_work(agent);
        if next.first() == Some(&agent) && self.shard.subject(interaction).standing.is_some() {
            self.seek_agent(interaction);
        }
    }

    /// The one agent it waited for does not want it: anybody will do; who asked for that agent is told.
    fn refused_by(&mut self, interaction: InteractionId, agent: AgentKey) {
        let subject = self.shard.subject(interaction);
        if subject.standing.is_none() || subject.sought().1.is_none_or(|wanted| wanted.agent != agent) {
            return;
        }
        if subject.seek().is_some() {
            self.emit(Event::SeekEnded { interaction, cause: SeekEnd::AgentRefused });
        } else {
            self.end_preference(interaction, PreferenceEnd::AgentRefused);
        }
    }

    /// Its queue closed meanwhile, or there were so many refusals: it leaves by the exit of its route for that, if that
    /// leads anywhere. The caller lets it look on.
    fn leaves_instead(&mut self, interaction: InteractionId) -> bool {
        let subject = self.shard.subject(interaction);
        if subject.state != State::Waiting {
            return false;
        }
        let (plan, route) = (subject.plan.clone(), usize::from(subject.route));
        let route = &plan.routes[route];
        let too_many = subject.declines >= u32::from(route.declines_max);
        // Whoever was being offered while it closed was not waiting then. Who was answered has been let in for good.
        let closed = !subject.visit_answered && !self.shard.is_open(route.queue);
        closed && self.leave_by(interaction, &route.at_closing, ExitCause::QueueClosed)
            || too_many && self.leave_by(interaction, &route.last_step.exit, ExitCause::TooManyDeclines)
    }

    /// Takes an offer back. The caller looks for other work for both.
    pub fn rescind(&mut self, offer: OfferId, cause: RescindCause) {
        self.emit(Event::Rescinded { offer, cause });
    }

    /// Takes back every open offer of an interaction; who was asked, in that order.
    pub fn rescind_all(&mut self, interaction: InteractionId, cause: RescindCause) -> Few<AgentKey> {
        let open = self.shard.subject(interaction).offers.clone();
        if open.is_empty() {
            return Few::None;
        }
        let asked = open.iter().map(|offer| self.shard.offers[offer].agent).collect();
        for offer in open {
            self.rescind(offer, cause);
        }
        asked
    }

    /// The pair may be tried again.
    pub fn cooled_down(&mut self, interaction: InteractionId, agent: AgentKey) {
        self.emit(Event::CooledDown { interaction, agent });
        self.try_again(interaction);
    }
}

fn refusal(ended: Ended) -> Refusal {
    match (ended.ending, ended.cause) {
        (Ending::Accepted, _) => Refusal::OfferAccepted,
        (Ending::Declined, _) => Refusal::OfferDeclined,
        (Ending::Expired, _) => Refusal::OfferExpired,
        (Ending::Rescinded, Some(RescindCause::TakenByAnother)) => Refusal::OfferTaken,
        (Ending::Rescinded, _) => Refusal::OfferRescinded,
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

    /// The queue an agent is sought in: of the second agent, if one is.
    pub(super) fn sought_queue(&self, id: InteractionId) -> super::ids::QueueKey {
        let subject = self.subject(id);
        subject.seek().map_or_else(|| subject.queue(), |seek| seek.plan.entry().queue)
    }

    /// Whether an agent who does not answer counts as not responding, and until when.
    pub(super) fn after_no_answer(&self, interaction: InteractionId) -> (bool, Option<Time>) {
        match self.queue(self.sought_queue(interaction)).on_expiry {
            OnExpiry::Stay => (false, None),
            OnExpiry::NotResponding => (true, None),
            OnExpiry::Recover { after_ms } => (true, Some(self.now.after(after_ms))),
        }
    }

    /// The policy that lets this agent take it beyond their capacity, if it takes that.
    fn overdraw_for(&self, interaction: InteractionId, agent: AgentKey) -> Option<Overdraw> {
        let subject = self.subject(interaction);
        let wanted = subject.sought().1.filter(|wanted| wanted.agent == agent && wanted.overdraw)?;
        self.no_room(&self.agents[agent.index()], subject.channel, false)?;
        Some(match wanted.by {
            WantedBy::Supervisor => Overdraw::Supervisor,
            WantedBy::Rule | WantedBy::LastAgent | WantedBy::Colleague => Overdraw::PreferredAgent,
        })
    }

    pub(super) fn decided(&mut self, id: InteractionId, agent: Option<AgentKey>, decision: &Arc<Decision>) {
        let decided = Decided { sequence: self.sequence, time: self.now, agent, decision: decision.clone() };
        if self.latest.len() == LATEST_MAX {
            self.latest.pop_front();
        }
        self.latest.push_back((id, decided.clone()));
        self.subject_mut(id).remember(decided);
    }

    pub(super) fn offered(&mut self, offer: Offer, units: u16) {
        let Offer { id, interaction, agent, overdraw, expires, .. } = offer;
        self.last_offer = id;
        self.offers.insert(id, offer);
        self.deadlines.arm_owned(Deadline::Offer(id), expires);
        self.step_out(interaction);
        self.change_state(interaction, |subject| {
            subject.offers.push(id);
            subject.plan_revision += 1;
            if subject.seek().is_none() {
                subject.state = State::Offered;
            }
        });
        let channel = self.subject(interaction).channel;
        let claim = Claim { holder: Holder::Offer(id), channel, units, overdraw };
        let now = self.now;
        let asked = self.agent_mut(agent);
        asked.asked = now;
        asked.ledger.claim(claim);
        self.reindex(agent);
    }

    pub(super) fn declined(&mut self, id: OfferId, until: Time) {
        let Offer { interaction, agent, .. } = self.offer_failed(id, Ending::Declined, None);
        self.count_refusal(interaction);
        self.cool_down(interaction, agent, until, 1);
        let queue = self.sought_queue(interaction);
        self.tally.books(queue).offers_declined += 1;
    }

    /// Refusals of a second agent are none of the queue's.
    fn count_refusal(&mut self, id: InteractionId) {
        let subject = self.subject_mut(id);
        subject.declines += u32::from(subject.seek().is_none());
    }

    /// The pair is not tried again before then.
    pub(super) fn cool_down(&mut self, id: InteractionId, agent: AgentKey, until: Time, declines: u32) {
        let subject = self.subject_mut(id);
        subject.change_extras(|extras| match extras.cool_downs.iter_mut().find(|pair| pair.agent == agent) {
            Some(pair) => (pair.declines, pair.until) = (pair.declines + declines, until),
            None => extras.cool_downs.push(CoolDown { agent, declines, until }),
        });
        self.note_restricted(id);
        self.deadlines.arm(Deadline::CoolDown(id, agent), until);
    }

    pub(super) fn expired(&mut self, id: OfferId, not_responding: bool, recovers: Option<Time>) {
        let Offer { interaction, agent, .. } = self.offer_failed(id, Ending::Expired, None);
        self.count_refusal(interaction);
        let queue = self.sought_queue(interaction);
        self.tally.books(queue).offers_expired += 1;
        self.does_not_respond(agent, not_responding, recovers);
    }

    pub(super) fn does_not_respond(&mut self, agent: AgentKey, not_responding: bool, recovers: Option<Time>) {
        // Only the agent's return ends it, or a time that is over, not another offer under a milder policy.
        let before = self.agents[agent.index()].not_responding;
        self.agent_mut(agent).not_responding |= not_responding;
        let recovering = self.deadlines.is_armed(Deadline::Recover(agent));
        match recovers {
            Some(at) if !before || recovering => self.deadlines.arm(Deadline::Recover(agent), at),
            None if not_responding => self.deadlines.disarm(Deadline::Recover(agent)),
            _ => {}
        }
        self.reindex(agent);
    }

    pub(super) fn rescinded(&mut self, id: OfferId, cause: RescindCause) {
        let Offer { interaction, .. } = self.offer_failed(id, Ending::Rescinded, Some(cause));
        let queue = self.sought_queue(interaction);
        self.tally.books(queue).offers_rescinded += 1;
    }

    /// The timer is gone; the pair's count of declines stays for the next one.
    pub(super) fn cool_down_ended(&mut self, interaction: InteractionId, agent: AgentKey) {
        self.deadlines.disarm(Deadline::CoolDown(interaction, agent));
    }

    /// The customer's place is the one of first entry: `place` does not look at how often we failed them. While others
    /// are still being asked, it is not back in line.
    fn offer_failed(&mut self, id: OfferId, ending: Ending, cause: Option<RescindCause>) -> Offer {
        let offer = self.end_offer(
            id,
            Ended {
                interaction: self.offers[&id].interaction,
                agent: self.offers[&id].agent,
                ending,
                cause,
                assignment: None,
            },
        );
        self.agent_mut(offer.agent).ledger.release(Holder::Offer(id));
        self.reindex(offer.agent);
        let subject = self.subject(offer.interaction);
        let (asked_on, sought) = (!subject.offers.is_empty(), subject.seek().is_some());
        if asked_on || !(sought || subject.state == State::Offered) {
            return offer;
        }
        if !sought {
            self.change_state(offer.interaction, |subject| {
                subject.state = State::Waiting;
                subject.requeues += 1;
            });
        }
        self.stand(offer.interaction);
        offer
    }

    pub(super) fn end_offer(&mut self, id: OfferId, ended: Ended) -> Offer {
        let offer = self.offers.remove(&id).expect("an offer ends once");
        self.deadlines.disarm_owned(Deadline::Offer(id), offer.expires);
        self.ended_offers.remember(id, ended);
        self.subject_mut(offer.interaction).offers.retain(|open| *open != id);
        offer
    }
}
