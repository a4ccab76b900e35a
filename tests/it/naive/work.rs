//! What is done with interactions: in, offered, answered, over.

use super::twin::{Cool, Item, Job, Key, Ring, Twin};
use baton::engine::command::{Answer, Command, Leaving, Refusal, Submit};
use baton::engine::event::{AbandonCause, Admitted, EndedBy, Ending, Event, RescindCause};
use baton::engine::explain::Decision;
use baton::engine::floor::{Kind, OnExpiry, WrapUp};
use baton::engine::ids::{AgentKey, AssignmentId, CustomerId, InteractionId, OfferId, Text};
use baton::engine::interaction::State;
use baton::engine::time::Time;

const DAY_MS: u64 = 24 * 3_600_000;

type Answered = Result<Answer, Refusal>;

impl Twin {
    pub fn honour(&mut self, command: Command) -> Answered {
        match command {
            Command::Tick | Command::Restart => Ok(Answer::Done),
            Command::Define { name, definition, write } => self.define(name, definition, write),
            Command::Remove { kind, name, revision } => self.remove(kind, name, revision),
            Command::OpenSession { agent, session } => self.open_session(agent, session),
            Command::LoseSession { agent, session } => self.lose_session(agent, session),
            Command::SetPresence { agent, presence, reason } => self.set_presence(agent, presence, reason),
            Command::Submit(submit) => self.submit(*submit),
            Command::Identify { interaction, customer } => self.identify(interaction, customer),
            Command::Cancel { interaction, leaving } => self.cancel(interaction, leaving),
            Command::Accept { offer } => self.accept(offer),
            Command::Decline { offer, reason } => self.decline(offer, reason),
            Command::Complete { assignment, disposition } => self.complete(assignment, disposition),
            Command::FinishWrapUp { assignment } => self.finish(assignment),
            Command::OpenSource { source } => Ok(self.open_source(source)),
            Command::LoseSource { source } => self.lose_source(source),
        }
    }

    // ---- in ----

    fn submit(&mut self, submit: Submit) -> Answered {
        for wanted in submit.keys.into_iter().flatten() {
            let Some(known) = self.keys.iter().find(|known| known.key == wanted) else { continue };
            if known.content != submit.content {
                return Err(Refusal::RequestIdReused);
            }
            return Ok(Answer::Admitted { interaction: known.interaction, repeated: true });
        }
        if let Some(due) = submit.facts.due.filter(|due| *due <= self.now) {
            return Err(Refusal::DuePast { due_ms: due.0, now_ms: self.now.0 });
        }
        let queue = self.queues.get(submit.plan.queue.index()).filter(|queue| !queue.removed);
        let Some(queue) = queue else {
            return Err(Refusal::NotDefined { kind: Kind::Queue, name: Text::default() });
        };
        submit.plan.requirements.iter().try_for_each(|need| self.check_skill(need.skill))?;
        let unanswered =
            |item: &&Item| matches!(item.state, State::Waiting | State::Offered) && !item.answered;
        let in_queue = |item: &&Item| item.plan.queue == submit.plan.queue;
        if self.items.iter().filter(in_queue).filter(unanswered).count() >= queue.spec.waiting_max as usize {
            return Err(Refusal::QueueFull { max: queue.spec.waiting_max });
        }
        Ok(self.admit(submit))
    }

    fn admit(&mut self, submit: Submit) -> Answer {
        let Submit { keys, content, source, external_id, channel, facts, plan } = submit;
        let interaction = InteractionId(self.items.len() as u64 + 1);
        self.forget();
        let remembered = keys.into_iter().flatten();
        self.keys.extend(remembered.map(|key| Key { key, content, interaction, at: self.now }));
        if !self.sources.iter().any(|(name, _)| *name == source) {
            self.sources.push((source.clone(), None));
        }
        self.items.push(Item {
            channel,
            known: facts.customer.is_some(),
            answered: false,
            plan: plan.clone(),
            source: source.clone(),
            entered: self.now,
            state: State::Waiting,
            cools: Vec::new(),
            gone: None,
        });
        self.tell(Event::Admitted(Box::new(Admitted {
            interaction,
            keys,
            content,
            source,
            external_id,
            channel,
            facts,
            plan,
        })));
        self.seek_agent(self.items.len() - 1);
        Answer::Admitted { interaction, repeated: false }
    }

    fn identify(&mut self, interaction: InteractionId, customer: CustomerId) -> Answered {
        let item = self.items.get_mut((interaction.0 as usize).wrapping_sub(1));
        let item = item.ok_or(Refusal::InteractionUnknown)?;
        if !std::mem::replace(&mut item.known, true) {
            self.tell(Event::Identified { interaction, customer });
        }
        Ok(Answer::Done)
    }

    /// Ids are remembered for a day at least, and while their interaction is open.
    fn forget(&mut self) {
        let (now, items) = (self.now, &self.items);
        let open = |key: &Key| !items[key.interaction.0 as usize - 1].state.is_over();
        self.keys.retain(|key| now.0 - key.at.0 <= DAY_MS || open(key));
        for key in self.keys.iter_mut().filter(|key| now.0 - key.at.0 > DAY_MS) {
            key.at = now;
        }
    }

    // ---- offers ----

    pub fn seek_agent(&mut self, item: usize) {
        match self.agent_for(item, None) {
            (Some(agent), decision) => self.offer(item, agent, decision),
            (None, decision) => {
                self.tell(Event::Waits { interaction: InteractionId(item as u64 + 1), decision });
            }
        }
    }

    pub fn seek_work(&mut self, agent: AgentKey) {
        while let Some((item, decision)) = self.work_for(agent.index()) {
            self.offer(item, agent, decision);
        }
    }

    pub fn offer(&mut self, item: usize, agent: AgentKey, decision: Decision) {
        let waiting = &mut self.items[item];
        waiting.state = State::Offered;
        let units = self.agents[agent.index()].spec.channels[waiting.channel.index()].units;
        let expires = Time(self.now.0 + self.queues[waiting.plan.queue.index()].spec.offer_expiry_ms);
        let interaction = InteractionId(item as u64 + 1);
        self.rings.push(Ring { interaction, agent, units, expires, ending: None, assignment: None });
        self.open.push(self.rings.len() - 1);
        let offer = Twin::offer_id(self.rings.len() - 1);
        self.tell(Event::Offered { offer, interaction, agent, units, expires, decision });
    }

    fn accept(&mut self, offer: OfferId) -> Answered {
        let index = self.ring(offer)?;
        let ring = &mut self.rings[index];
        let Ring { interaction, agent, units, .. } = *ring;
        match (ring.ending, ring.assignment) {
            (None, _) => {}
            (Some(_), Some(assignment)) => return Ok(Answer::Accepted { assignment, interaction }),
            (Some(ending), None) => return Err(too_late(ending)),
        }
        let assignment = AssignmentId(self.jobs.len() as u64 + 1);
        (ring.ending, ring.assignment) = (Some(Ending::Accepted), Some(assignment));
        self.open.retain(|open| *open != index);
        self.jobs.push(Job { interaction, agent, units, wrap_up_until: None, lost: None, over: false });
        let item = &mut self.items[interaction.0 as usize - 1];
        item.state = State::Handling;
        item.answered = true;
        item.cools.clear();
        item.gone = None;
        self.tell(Event::Accepted { offer, assignment });
        self.seek_work(agent);
        Ok(Answer::Accepted { assignment, interaction })
    }

    fn decline(&mut self, offer: OfferId, reason: Text) -> Answered {
        let index = self.ring(offer)?;
        match self.rings[index].ending {
            None => {}
            Some(Ending::Declined) => return Ok(Answer::Done),
            Some(ending) => return Err(too_late(ending)),
        }
        let Ring { interaction, agent, .. } = self.rings[index];
        let item = self.back_in_line(index, Ending::Declined);
        let cools = &mut self.items[item].cools;
        if !cools.iter().any(|cool| cool.agent == agent) {
            cools.push(Cool { agent, declines: 0, until: Time(0), due: false });
        }
        let cool = cools.iter_mut().find(|cool| cool.agent == agent).expect("it is there now");
        cool.declines += 1;
        // 30 s, then twice as long each time, up to ten minutes.
        let for_ms = (1..cool.declines).fold(30_000, |ms: u64, _| (2 * ms).min(600_000));
        (cool.until, cool.due) = (Time(self.now.0 + for_ms), true);
        let cools_down_until = cool.until;
        self.tell(Event::Declined { offer, reason, cools_down_until });
        self.seek_agent(interaction.0 as usize - 1);
        self.seek_work(agent);
        Ok(Answer::Done)
    }

    pub fn expire(&mut self, index: usize) {
        let agent = self.rings[index].agent;
        let item = self.back_in_line(index, Ending::Expired);
        let queue = &self.queues[self.items[item].plan.queue.index()].spec;
        let not_responding = queue.on_expiry == OnExpiry::NotResponding;
        self.people[agent.index()].not_responding |= not_responding;
        self.tell(Event::Expired { offer: Twin::offer_id(index), not_responding });
        match self.agent_for(item, Some(agent)) {
            (Some(other), decision) if other != agent => self.offer(item, other, decision),
            (Some(_), _) => {
                self.seek_work(agent);
                if self.items[item].state == State::Waiting {
                    self.seek_agent(item);
                }
            }
            (None, decision) => {
                self.tell(Event::Waits { interaction: InteractionId(item as u64 + 1), decision });
            }
        }
        self.seek_work(agent);
    }

    pub fn rescind(&mut self, index: usize, cause: RescindCause) {
        self.back_in_line(index, Ending::Rescinded);
        self.tell(Event::Rescinded { offer: Twin::offer_id(index), cause });
    }

    fn back_in_line(&mut self, index: usize, ending: Ending) -> usize {
        self.rings[index].ending = Some(ending);
        self.open.retain(|open| *open != index);
        let item = self.rings[index].interaction.0 as usize - 1;
        self.items[item].state = State::Waiting;
        item
    }

    fn ring(&self, offer: OfferId) -> Result<usize, Refusal> {
        let index = (offer.0 as usize).checked_sub(1).filter(|index| *index < self.rings.len());
        index.ok_or(Refusal::OfferUnknown)
    }

    // ---- over ----

    fn complete(&mut self, assignment: AssignmentId, disposition: Text) -> Answered {
        let index = self.job(assignment)?;
        if self.jobs[index].over || self.jobs[index].wrap_up_until.is_some() {
            return Err(Refusal::AssignmentEnded);
        }
        self.end_conversation(index, EndedBy::Agent, disposition);
        Ok(Answer::Done)
    }

    fn finish(&mut self, assignment: AssignmentId) -> Answered {
        let index = self.job(assignment)?;
        if self.jobs[index].over {
            return Err(Refusal::AssignmentEnded);
        }
        if self.jobs[index].wrap_up_until.is_none() {
            return Err(Refusal::NotWrappingUp);
        }
        self.end_wrap_up(index, EndedBy::Agent);
        Ok(Answer::Done)
    }

    fn end_conversation(&mut self, index: usize, by: EndedBy, disposition: Text) {
        let item = self.jobs[index].interaction.0 as usize - 1;
        let wrap_up_until = match self.queues[self.items[item].plan.queue.index()].spec.wrap_up {
            WrapUp::None => None,
            WrapUp::Timed { ms } => Some(Time(self.now.0 + ms)).filter(|_| ms > 0),
        };
        self.items[item].state = State::WrappingUp;
        (self.jobs[index].wrap_up_until, self.jobs[index].lost) = (wrap_up_until, None);
        let assignment = AssignmentId(index as u64 + 1);
        self.tell(Event::ConversationEnded { assignment, by, disposition, wrap_up_until });
        if wrap_up_until.is_none() {
            self.close(index);
        }
    }

    pub fn end_wrap_up(&mut self, index: usize, by: EndedBy) {
        self.tell(Event::WrapUpEnded { assignment: AssignmentId(index as u64 + 1), by });
        self.close(index);
    }

    fn close(&mut self, index: usize) {
        self.jobs[index].over = true;
        let Job { interaction, agent, .. } = self.jobs[index];
        self.items[interaction.0 as usize - 1].state = State::Closed;
        self.people[agent.index()].idle_since = self.now;
        self.tell(Event::Closed { interaction });
        self.drain(agent.index());
        self.seek_work(agent);
    }

    /// The agent did not come back: the customer goes back to the old place.
    pub fn lose_job(&mut self, index: usize) {
        (self.jobs[index].over, self.jobs[index].lost) = (true, None);
        let Job { interaction, agent, .. } = self.jobs[index];
        let item = interaction.0 as usize - 1;
        self.items[item].state = State::Waiting;
        self.people[agent.index()].idle_since = self.now;
        self.tell(Event::AssignmentLost { assignment: AssignmentId(index as u64 + 1) });
        self.drain(agent.index());
        self.seek_agent(item);
    }

    fn drain(&mut self, agent: usize) {
        if self.empty_handed(agent)
            && let Some((presence, reason)) = self.people[agent].pending.clone()
        {
            self.change_presence(agent, presence, reason);
        }
    }

    fn job(&self, assignment: AssignmentId) -> Result<usize, Refusal> {
        let index = (assignment.0 as usize).checked_sub(1).filter(|index| *index < self.jobs.len());
        index.ok_or(Refusal::AssignmentUnknown)
    }

    fn cancel(&mut self, interaction: InteractionId, leaving: Leaving) -> Answered {
        let item = (interaction.0 as usize).checked_sub(1).filter(|item| *item < self.items.len());
        let item = item.ok_or(Refusal::InteractionUnknown)?;
        let withdrawn = leaving == Leaving::Withdrawn;
        match self.items[item].state {
            State::Waiting => self.left(item, withdrawn),
            State::Offered => {
                let ring = self.ring_of(item).expect("it is offered");
                let cause = if withdrawn { RescindCause::Withdrawn } else { RescindCause::CustomerLeft };
                self.rescind(ring, cause);
                self.left(item, withdrawn);
                self.seek_work(self.rings[ring].agent);
            }
            State::Handling => {
                let job = self.job_of(item).expect("it is in conversation");
                let by = if withdrawn { EndedBy::Source } else { EndedBy::Customer };
                self.end_conversation(job, by, Text::default());
            }
            State::WrappingUp | State::Closed | State::Abandoned | State::Cancelled => {}
        }
        Ok(Answer::Cancelled { state: self.items[item].state })
    }

    fn left(&mut self, item: usize, withdrawn: bool) {
        let interaction = InteractionId(item as u64 + 1);
        if withdrawn {
            self.tell(Event::Cancelled { interaction });
            self.leave_line(item, State::Cancelled);
        } else {
            self.tell(Event::Abandoned { interaction, cause: AbandonCause::CustomerLeft });
            self.leave_line(item, State::Abandoned);
        }
    }

    pub fn leave_line(&mut self, item: usize, state: State) {
        let item = &mut self.items[item];
        item.state = state;
        item.cools.clear();
        item.gone = None;
    }

    // ---- sources ----

    fn open_source(&mut self, source: Text) -> Answer {
        let known = self.sources.iter_mut().find(|(name, _)| *name == source);
        match known {
            Some((_, Some(true))) => return Answer::Done,
            Some((_, live)) => *live = Some(true),
            None => self.sources.push((source.clone(), Some(true))),
        }
        for item in self.items.iter_mut().filter(|item| item.source == source) {
            item.gone = None;
        }
        self.tell(Event::SourceOpened { source });
        Answer::Done
    }

    fn lose_source(&mut self, source: Text) -> Answered {
        let known = self.sources.iter_mut().find(|(name, _)| *name == source);
        let Some((_, live)) = known else { return Err(Refusal::SessionUnknown) };
        if *live == Some(true) {
            *live = Some(false);
            self.tell(Event::SourceLost { source: source.clone() });
            self.start_grace(&source, self.now);
        }
        Ok(Answer::Done)
    }
}

fn too_late(ending: Ending) -> Refusal {
    match ending {
        Ending::Accepted => Refusal::OfferAccepted,
        Ending::Declined => Refusal::OfferDeclined,
        Ending::Expired => Refusal::OfferExpired,
        Ending::Rescinded => Refusal::OfferRescinded,
    }
}
