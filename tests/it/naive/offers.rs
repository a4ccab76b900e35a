//! Offers: opened, answered, taken back; and what gives way for them.

use super::door::Answered;
use super::twin::{Cool, Job, Ring, Said, Twin, agent_key, id, job_id, offer_id, overdraw};
use baton::engine::agent::Liveness;
use baton::engine::command::{Answer, Refusal};
use baton::engine::event::{EndedBy, Ending, Event, ExitCause, PreferenceEnd, RescindCause, SeekEnd};
use baton::engine::explain::Decision;
use baton::engine::floor::OnExpiry;
use baton::engine::ids::{AgentKey, OfferId, Text};
use baton::engine::interaction::{Part, State};
use baton::engine::time::Time;
use std::sync::Arc;

const DAY_MS: u64 = 24 * 3_600_000;

impl Twin {
    pub fn seek_agent(&mut self, item: usize) {
        if self.leaves_instead(item) {
            return self.look_on(item);
        }
        let (agents, decision) = self.agents_for(item, None);
        self.offer_all(item, agents, decision);
    }

    fn offer_all(&mut self, item: usize, agents: Vec<usize>, decision: Arc<Decision>) {
        if agents.is_empty() {
            self.tell(Event::Waits { interaction: id(item), decision });
            return;
        }
        let gave_way: Vec<usize> =
            agents.into_iter().filter(|agent| self.offer(item, *agent, decision.clone())).collect();
        self.seek_works(gave_way);
    }

    pub fn seek_works(&mut self, agents: Vec<usize>) {
        agents.into_iter().for_each(|agent| self.seek_work(agent));
    }

    pub fn seek_work(&mut self, agent: usize) {
        loop {
            let next = self.work_for(agent);
            let again = next.as_ref().is_some_and(|(item, _)| self.would_interrupt(agent, *item));
            if !again && self.go_on(agent) {
                continue;
            }
            let Some((item, decision)) = next else { return };
            self.offer(item, agent, decision);
        }
    }

    fn would_interrupt(&self, agent: usize, item: usize) -> bool {
        let channel = self.items[item].channel;
        let gave_way = self.people[agent].interrupted.iter();
        gave_way.map(|job| self.jobs[*job].channel).any(|its| self.may_interrupt(agent, its, channel))
    }

    /// Takes up again the oldest work that gave way, if there is room.
    pub fn go_on(&mut self, agent: usize) -> bool {
        let spec = self.capacity(agent);
        let nothing = self.holds_nothing(agent);
        let fits = |job: &&usize| {
            let Job { units, channel, .. } = self.jobs[**job];
            let room = self.used(agent) + u32::from(units) <= u32::from(spec.units);
            let limit = self.held_on(agent, channel) < usize::from(spec.of(channel).limit);
            nothing || (room && limit)
        };
        let live = self.people[agent].liveness == Liveness::Live;
        let Some(job) = self.people[agent].interrupted.iter().find(fits).copied().filter(|_| live) else {
            return false;
        };
        self.people[agent].interrupted.retain(|other| *other != job);
        self.claims += 1;
        let this = &mut self.jobs[job];
        (this.interrupted, this.held, this.claim) = (false, this.units, self.claims);
        let its = this.item;
        self.note_who_talks(its);
        self.tell(Event::Continued { assignment: job_id(job) });
        true
    }

    /// True if something gave way.
    fn make_room(&mut self, item: usize, agent: usize) -> bool {
        let mut gave_way = false;
        let channel = self.items[item].channel;
        let spec = self.capacity(agent);
        while self.used(agent) + u32::from(spec.of(channel).units) > u32::from(spec.units) {
            let newest = self
                .open_jobs
                .iter()
                .copied()
                .filter(|job| self.jobs[*job].over.is_none() && self.jobs[*job].agent.index() == agent)
                .filter(|job| self.gives_way(&self.jobs[*job], channel))
                .max_by_key(|job| self.jobs[*job].claim);
            let Some(job) = newest else { break };
            gave_way = true;
            self.jobs[job].interrupted = true;
            self.people[agent].interrupted.push(job);
            let its = self.jobs[job].item;
            self.note_who_talks(its);
            self.tell(Event::Interrupted { assignment: job_id(job) });
        }
        gave_way
    }

    /// True if other work gave way to it.
    pub fn offer(&mut self, item: usize, agent: usize, decision: Arc<Decision>) -> bool {
        let (queue, wanted, part) = self.sought(item);
        let channel = self.items[item].channel;
        let beyond = wanted.filter(|one| one.agent.index() == agent && one.overdraw);
        let overdraw =
            beyond.filter(|_| self.no_room(agent, channel, false).is_some()).map(|one| overdraw(&one));
        let gave_way = overdraw.is_none() && self.make_room(item, agent);
        let units = self.capacity(agent).of(channel).units;
        let expires = Time(self.now.0 + self.queues[queue.index()].spec.offer_expiry_ms);
        self.claims += 1;
        self.rings.push(Ring {
            item,
            agent: agent_key(agent),
            part,
            channel,
            units,
            expires,
            claim: self.claims,
            ending: None,
            job: None,
        });
        self.open_rings.push(self.rings.len() - 1);
        self.items[item].revision += 1;
        if self.items[item].seek.is_none() {
            self.items[item].state = State::Offered;
        }
        let offer = offer_id(self.rings.len() - 1);
        let (interaction, agent) = (id(item), agent_key(agent));
        self.tell(Event::Offered { offer, interaction, agent, part, units, overdraw, expires, decision });
        gave_way
    }

    fn ring(&self, offer: OfferId) -> Result<usize, Refusal> {
        let index = (offer.0 as usize).checked_sub(1).filter(|index| *index < self.rings.len());
        index.ok_or(Refusal::OfferUnknown)
    }

    pub fn accept(&mut self, offer: OfferId) -> Answered {
        let index = self.ring(offer)?;
        let Ring { item, agent, part, channel, units, claim, ending, job, .. } = self.rings[index];
        if let Some(job) = job {
            return Ok(Answer::Accepted { assignment: job_id(job), interaction: id(item) });
        }
        if let Some(ending) = ending {
            return Err(too_late(ending));
        }
        let hands_over = self.items[item].seek.as_ref().filter(|_| part == Part::Owner).map(|seek| seek.by);
        let platform = part == Part::Owner && channel.is_connected_by_platform();
        let limit_ms = if self.items[item].callback.is_some() { 120_000 } else { 30_000 };
        let connect_until = platform.then_some(Time(self.now.0 + limit_ms));
        let queue = self.sought(item).0;
        let job = self.jobs.len();
        self.rings[index].ending = Some((Ending::Accepted, None));
        self.rings[index].job = Some(job);
        let (answered_visit, answered_first) =
            if part == Part::Owner { self.own(item, agent, job) } else { (false, false) };
        self.items[item].seek = None;
        if part == Part::Owner && connect_until.is_none() {
            self.items[item].callback = None;
        }
        self.count_today(agent.index(), channel.index());
        self.jobs.push(Job {
            item,
            agent,
            part,
            channel,
            queue,
            units,
            held: units,
            claim,
            started: self.now,
            connect_until,
            answered_visit,
            answered_first,
            interrupted: false,
            wrap_up_until: None,
            extensions: 0,
            lost: None,
            over: None,
            undone: false,
        });
        self.open_jobs.push(job);
        self.note_who_talks(item);
        let assignment = job_id(job);
        self.tell(Event::Accepted { offer, assignment, connect_until });
        let freed = self.rescind_all(item, RescindCause::TakenByAnother);
        if let Some(first) = hands_over {
            self.end_conversation(first, EndedBy::Transfer, Said::default());
        }
        self.seek_work(agent.index());
        self.seek_works(freed);
        Ok(Answer::Accepted { assignment, interaction: id(item) })
    }

    /// The customer is this agent's. Whether that answered the visit, and the interaction at all.
    fn own(&mut self, item: usize, agent: AgentKey, job: usize) -> (bool, bool) {
        if let Some(seek) = self.items[item].seek.clone() {
            let this = &mut self.items[item];
            let (queue, since) = (seek.plan.routes[0].queue, seek.since);
            (this.plan, this.route, this.hops, this.step) = (seek.plan, 0, 0, 0);
            (this.transfers, this.declines) = (this.transfers + 1, 0);
            (this.waits_from, this.in_queue_from) = (since, since);
            this.revision += 1;
            this.visits.push(super::twin::Visit { queue, answered: None, abandoned: None });
        }
        let waited = self.now.0.saturating_sub(self.items[item].waits_from.0);
        let this = &mut self.items[item];
        let in_target = waited <= this.plan.goals.answer_within_ms;
        let first = !this.answered;
        (this.scheduled, this.window, this.gone, this.overdue_at) = (None, None, None, None);
        this.cools.clear();
        (this.state, this.answered, this.owner, this.agent) = (State::Handling, true, Some(job), Some(agent));
        (this.wanted, this.look) = (None, None);
        let visit = this.visits.last_mut().expect("it came once");
        let first_of_visit = visit.answered.is_none();
        visit.answered.get_or_insert(in_target);
        (first_of_visit, first)
    }

    fn count_today(&mut self, agent: usize, channel: usize) {
        let shift = self.agents[agent].spec.shift.and_then(|hours| self.phases[hours.index()]);
        let ends = shift.map_or(Time(self.now.0 / DAY_MS * DAY_MS + DAY_MS), |phase| phase.midnight);
        let max = self.capacity(agent).channels[channel].daily_max;
        let now = self.now;
        let person = &mut self.people[agent];
        if now >= person.day_ends {
            (person.day_ends, person.accepted) = (ends, [0; 7]);
        }
        person.accepted[channel] += 1;
        if max.is_some_and(|max| person.accepted[channel] >= max) {
            person.new_day = Some(ends);
        }
    }

    pub fn decline(&mut self, offer: OfferId, reason: Text) -> Answered {
        let index = self.ring(offer)?;
        match self.rings[index].ending {
            None => {}
            Some((Ending::Declined, _)) => return Ok(Answer::Done),
            Some(ending) => return Err(too_late(ending)),
        }
        let Ring { item, agent, .. } = self.rings[index];
        self.failed(index, Ending::Declined, None);
        self.count_refusal(item);
        let before = self.items[item].cools.iter().find(|cool| cool.agent == agent);
        let declines = before.map_or(0, |cool| cool.declines);
        // 30 s, then twice as long each time, up to ten minutes.
        let for_ms = (0..declines).fold(30_000, |ms: u64, _| (2 * ms).min(600_000));
        let cools_down_until = Time(self.now.0 + for_ms);
        self.cool(item, agent, cools_down_until, 1);
        self.tell(Event::Declined { offer, reason, cools_down_until });
        self.refused_by(item, agent);
        if self.stands(item) {
            self.seek_agent(item);
        }
        self.seek_work(agent.index());
        Ok(Answer::Done)
    }

    fn count_refusal(&mut self, item: usize) {
        let this = &mut self.items[item];
        this.declines += u32::from(this.seek.is_none());
    }

    pub fn cool(&mut self, item: usize, agent: AgentKey, until: Time, declines: u32) {
        let cools = &mut self.items[item].cools;
        match cools.iter_mut().find(|cool| cool.agent == agent) {
            Some(cool) => (cool.declines, cool.until, cool.due) = (cool.declines + declines, until, true),
            None => cools.push(Cool { agent, declines, until, due: true }),
        }
    }

    /// Whether an agent who does not answer is not responding then, and until when.
    pub fn after_no_answer(&self, item: usize) -> (bool, Option<Time>) {
        match self.queues[self.sought(item).0.index()].spec.on_expiry {
            OnExpiry::Stay => (false, None),
            OnExpiry::NotResponding => (true, None),
            OnExpiry::Recover { after_ms } => (true, Some(Time(self.now.0 + after_ms))),
        }
    }

    pub fn does_not_respond(&mut self, agent: AgentKey, not_responding: bool, recovers: Option<Time>) {
        let person = &mut self.people[agent.index()];
        match recovers {
            Some(at) if !person.not_responding || person.recovers.is_some() => person.recovers = Some(at),
            None if not_responding => person.recovers = None,
            _ => {}
        }
        person.not_responding |= not_responding;
    }

    pub fn expire(&mut self, index: usize) {
        let Ring { item, agent, .. } = self.rings[index];
        let (not_responding, recovers) = self.after_no_answer(item);
        self.failed(index, Ending::Expired, None);
        self.count_refusal(item);
        self.does_not_respond(agent, not_responding, recovers);
        self.tell(Event::Expired { offer: offer_id(index), not_responding, recovers });
        self.refused_by(item, agent);
        let agent = agent.index();
        if !self.stands(item) || self.leaves_instead(item) {
            self.seek_work(agent);
            return self.look_on(item);
        }
        let (next, decision) = self.agents_for(item, Some(agent));
        let same = next.first() == Some(&agent);
        if !same {
            self.offer_all(item, next, decision);
        }
        self.seek_work(agent);
        if same && self.stands(item) {
            self.seek_agent(item);
        }
    }

    fn refused_by(&mut self, item: usize, agent: AgentKey) {
        let wanted = self.sought(item).1.is_some_and(|one| one.agent == agent);
        if !self.stands(item) || !wanted {
            return;
        }
        if self.items[item].seek.is_some() {
            self.items[item].seek = None;
            self.tell(Event::SeekEnded { interaction: id(item), cause: SeekEnd::AgentRefused });
        } else {
            self.end_preference(item, PreferenceEnd::AgentRefused);
        }
    }

    fn leaves_instead(&mut self, item: usize) -> bool {
        if !self.is_waiting(item) {
            return false;
        }
        let route = self.route(item);
        let max = u32::from(route.declines_max);
        let (at_closing, last) = (route.at_closing.clone(), route.last_step.exit.clone());
        let shut_out = !self.visit_answered(item) && !self.is_open(self.queue(item));
        if shut_out && self.leave_by(item, &at_closing, ExitCause::QueueClosed) {
            return true;
        }
        self.items[item].declines >= max && self.leave_by(item, &last, ExitCause::TooManyDeclines)
    }

    pub fn rescind(&mut self, index: usize, cause: RescindCause) {
        self.failed(index, Ending::Rescinded, Some(cause));
        self.tell(Event::Rescinded { offer: offer_id(index), cause });
    }

    /// Takes back every offer of an interaction. Who was asked.
    pub fn rescind_all(&mut self, item: usize, cause: RescindCause) -> Vec<usize> {
        let open = self.rings_of(item);
        open.iter().for_each(|ring| self.rescind(*ring, cause));
        open.into_iter().map(|ring| self.rings[ring].agent.index()).collect()
    }

    /// Back in line, unless others are being asked still.
    fn failed(&mut self, index: usize, ending: Ending, cause: Option<RescindCause>) {
        self.rings[index].ending = Some((ending, cause));
        let item = self.rings[index].item;
        if !self.rings_of(item).is_empty() {
            return;
        }
        if self.items[item].seek.is_none() && self.items[item].state == State::Offered {
            self.items[item].state = State::Waiting;
            self.stand(item);
        }
    }

    pub fn cooled_down(&mut self, item: usize, agent: AgentKey) {
        let pair = self.items[item].cools.iter_mut().find(|cool| cool.agent == agent);
        pair.expect("it is due").due = false;
        self.tell(Event::CooledDown { interaction: id(item), agent });
        if self.stands(item) {
            let (agents, decision) = self.agents_for(item, None);
            if !agents.is_empty() {
                self.offer_all(item, agents, decision);
            }
        }
    }
}

fn too_late(ending: (Ending, Option<RescindCause>)) -> Refusal {
    match ending {
        (Ending::Accepted, _) => Refusal::OfferAccepted,
        (Ending::Declined, _) => Refusal::OfferDeclined,
        (Ending::Expired, _) => Refusal::OfferExpired,
        (Ending::Rescinded, Some(RescindCause::TakenByAnother)) => Refusal::OfferTaken,
        (Ending::Rescinded, _) => Refusal::OfferRescinded,
    }
}
