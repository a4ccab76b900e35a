//! Offers and their endings, and the search for work.

use super::choose::gives_way;
use super::state::{Cool, Job, Ring, Twin, agent_key, item_id, job_id, offer_id};
use baton::engine::agent::Liveness;
use baton::engine::capacity::Overdraw;
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Refusal};
use baton::engine::event::{EndedBy, Ending, Event, ExitCause, PreferenceEnd, RescindCause, SeekEnd};
use baton::engine::explain::Decision;
use baton::engine::floor::OnExpiry;
use baton::engine::ids::{OfferId, Text};
use baton::engine::interaction::{CoolDown, Part, State, WantedBy};
use baton::engine::time::Time;

impl Twin {
    pub fn seek_agent(&mut self, item: usize) {
        if self.leaves_after_declines(item) {
            self.look_on(item);
            return;
        }
        let (agents, decision) = self.agents_for(item, None);
        if agents.is_empty() {
            self.tell(Event::Waits { interaction: item_id(item), decision });
        } else {
            self.ask(item, &agents, &decision);
        }
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

    pub fn seek_works(&mut self, agents: Vec<usize>) {
        agents.into_iter().for_each(|agent| self.seek_work(agent));
    }

    /// All look for work, then those who wished for a break may go.
    pub fn free_all(&mut self, agents: Vec<usize>) {
        self.seek_works(agents.clone());
        let in_line = agents.into_iter().flat_map(|agent| self.drained(agent)).collect();
        self.seek_again(in_line);
    }

    fn ask(&mut self, item: usize, agents: &[usize], decision: &Decision) {
        let mut freed = Vec::new();
        for agent in agents {
            if self.offer(item, *agent, decision.clone()) {
                freed.push(*agent);
            }
        }
        self.seek_works(freed);
    }

    /// True if other work gave way.
    pub fn offer(&mut self, item: usize, agent: usize, decision: Decision) -> bool {
        let one = &self.items[item];
        let (channel, part, queue) = (one.channel, one.sought_part(), one.sought_way().queue);
        let wanted = one.sought_wanted().filter(|wanted| wanted.agent == agent_key(agent) && wanted.overdraw);
        let overdraw = wanted.filter(|_| self.no_room(agent, channel, false).is_some());
        let overdraw = overdraw.map(|wanted| match wanted.by {
            WantedBy::Supervisor => Overdraw::Supervisor,
            _ => Overdraw::PreferredAgent,
        });
        let made_room = overdraw.is_none() && self.make_room(item, agent);
        let units = self.capacity_of(agent).channels[channel.index()].units;
        let expires = self.now.after(self.queue(queue).offer_expiry_ms);
        let (offer, interaction) = (offer_id(self.rings.len()), item_id(item));
        let to = agent_key(agent);
        self.tell(Event::Offered { offer, interaction, agent: to, part, units, overdraw, expires, decision });
        self.open.push(self.rings.len());
        let turn = self.sequence;
        self.rings.push(Ring { item, agent, part, channel, units, expires, turn, ending: None, job: None });
        if self.items[item].seek.is_none() {
            self.items[item].state = State::Offered;
        }
        made_room
    }

    fn end(&mut self, ring: usize, ending: Ending, cause: Option<RescindCause>) {
        self.open.retain(|open| *open != ring);
        self.rings[ring].ending = Some((ending, cause));
    }

    /// An offer came to nothing: back in line, unless others are still asked.
    fn failed(&mut self, ring: usize, ending: Ending, cause: Option<RescindCause>) {
        self.end(ring, ending, cause);
        let item = self.rings[ring].item;
        if !self.rings_of(item).is_empty() {
            return;
        }
        if self.items[item].seek.is_none() && self.items[item].state == State::Offered {
            self.items[item].state = State::Waiting;
        }
        self.stood(item);
    }

    pub fn stood(&mut self, item: usize) {
        self.items[item].looked = self.now;
    }

    pub fn accept(&mut self, offer: OfferId) -> Result<Answer, Refusal> {
        let ring = self.ring_at(offer)?;
        let Ring { item, agent, part, channel, units, turn, ending, job, .. } = self.rings[ring];
        match (ending, job) {
            (Some(_), Some(job)) => {
                return Ok(Answer::Accepted { assignment: job_id(job), interaction: item_id(item) });
            }
            (Some(ending), None) => return Err(refusal(ending)),
            _ => {}
        }
        let one = &self.items[item];
        let hands_over = one.seek.as_ref().filter(|_| part == Part::Owner).map(|seek| seek.by);
        let live = matches!(channel, Channel::Voice | Channel::Video);
        let limit = if one.callback.is_some() { 120_000 } else { 30_000 };
        let connect = (part == Part::Owner && live).then(|| self.now.after(limit));
        let (queue, job) = (one.sought_way().queue, self.jobs.len());
        self.tell(Event::Accepted { offer, assignment: job_id(job), connect_until: connect });
        self.end(ring, Ending::Accepted, None);
        self.rings[ring].job = Some(job);
        let (answered_visit, answered_first) =
            if part == Part::Owner { self.owned(item, agent, job) } else { (false, false) };
        self.items[item].seek = None;
        if part == Part::Owner && connect.is_none() {
            self.items[item].callback = None;
        }
        self.count_today(agent, channel.index());
        self.jobs.push(Job {
            item,
            agent,
            part,
            channel,
            queue,
            started: self.now,
            units,
            turn,
            connect,
            answered_visit,
            answered_first,
            interrupted: None,
            wrap_up_until: None,
            wrap_up_units: 0,
            extensions: 0,
            lost: None,
            over: None,
            undone: false,
        });
        let freed = self.rescind_all(item, RescindCause::TakenByAnother);
        if let Some(first) = hands_over {
            self.end_conversation(first, EndedBy::Transfer, Text::default());
        }
        self.seek_work(agent);
        self.seek_works(freed);
        Ok(Answer::Accepted { assignment: job_id(job), interaction: item_id(item) })
    }

    fn owned(&mut self, item: usize, agent: usize, job: usize) -> (bool, bool) {
        let now = self.now;
        let one = &mut self.items[item];
        if let Some(seek) = one.seek.clone().filter(|seek| seek.part == Part::Owner) {
            one.plan = seek.plan;
            (one.route, one.hops, one.step, one.declines) = (0, 0, 0, 0);
            one.transfers += 1;
            one.visit_answered = false;
            (one.waits_from, one.in_queue_from) = (seek.since, seek.since);
        }
        (one.scheduled, one.window, one.gone, one.max_wait) = (None, None, None, None);
        one.cools.clear();
        let (visit, first) = (!one.visit_answered, !one.answered);
        one.state = State::Handling;
        (one.visit_answered, one.answered) = (true, true);
        (one.owner, one.agent, one.wanted) = (Some(job), Some(agent_key(agent)), None);
        if visit {
            let in_time = now.since(one.waits_from) <= one.plan.goals.answer_within_ms;
            self.answers.push((one.queue(), job, in_time));
        }
        (visit, first)
    }

    fn count_today(&mut self, agent: usize, channel: usize) {
        const DAY_MS: u64 = 86_400_000;
        let phase = self.phase_of(self.agents[agent].spec.shift);
        let ends = phase.map_or(Time((self.now.0 / DAY_MS + 1) * DAY_MS), |phase| phase.midnight);
        let max = self.capacity_of(agent).channels[channel].daily_max;
        let person = &mut self.people[agent];
        if self.now >= person.day_ends {
            (person.day_ends, person.accepted) = (ends, [0; 7]);
        }
        person.accepted[channel] += 1;
        if max.is_some_and(|max| person.accepted[channel] >= max) {
            person.new_day = Some(ends);
        }
    }

    pub fn decline(&mut self, offer: OfferId, reason: Text) -> Result<Answer, Refusal> {
        let ring = self.ring_at(offer)?;
        match self.rings[ring].ending {
            Some((Ending::Declined, _)) => return Ok(Answer::Done),
            Some(ending) => return Err(refusal(ending)),
            None => {}
        }
        let (item, agent) = (self.rings[ring].item, self.rings[ring].agent);
        let before = self.items[item].cools.iter().find(|cool| cool.pair.agent == agent_key(agent));
        let doublings = before.map_or(0, |cool| cool.pair.declines).min(16);
        let until = self.now.after((30_000 << doublings).min(600_000));
        self.tell(Event::Declined { offer, reason, cools_down_until: until });
        self.failed(ring, Ending::Declined, None);
        self.items[item].declines += u32::from(self.items[item].seek.is_none());
        self.cool(item, agent, until, 1);
        self.refused(item, agent);
        if self.stands(item) {
            self.seek_agent(item);
        }
        self.seek_work(agent);
        Ok(Answer::Done)
    }

    pub fn cool(&mut self, item: usize, agent: usize, until: Time, declines: u32) {
        let agent = agent_key(agent);
        match self.items[item].cools.iter_mut().find(|cool| cool.pair.agent == agent) {
            Some(cool) => {
                cool.pair.declines += declines;
                (cool.pair.until, cool.due) = (until, true);
            }
            None => {
                self.items[item].cools.push(Cool { pair: CoolDown { agent, declines, until }, due: true })
            }
        }
    }

    pub fn cooled_down(&mut self, item: usize, agent: usize) {
        self.tell(Event::CooledDown { interaction: item_id(item), agent: agent_key(agent) });
        let key = agent_key(agent);
        let pair = self.items[item].cools.iter_mut().find(|cool| cool.pair.agent == key);
        pair.expect("it is due").due = false;
        if self.stands(item) {
            let (agents, decision) = self.agents_for(item, None);
            self.ask(item, &agents, &decision);
        }
    }

    pub fn no_answer(&self, item: usize) -> (bool, Option<Time>) {
        match self.queue(self.items[item].sought_way().queue).on_expiry {
            OnExpiry::Stay => (false, None),
            OnExpiry::NotResponding => (true, None),
            OnExpiry::Recover { after_ms } => (true, Some(self.now.after(after_ms))),
        }
    }

    pub fn stops_responding(&mut self, agent: usize, not_responding: bool, recovers: Option<Time>) {
        let person = &mut self.people[agent];
        if not_responding {
            person.recovers = if person.not_responding { None } else { recovers };
        }
        person.not_responding |= not_responding;
    }

    pub fn expire(&mut self, ring: usize) {
        let (item, agent) = (self.rings[ring].item, self.rings[ring].agent);
        let (not_responding, recovers) = self.no_answer(item);
        self.tell(Event::Expired { offer: offer_id(ring), not_responding, recovers });
        self.failed(ring, Ending::Expired, None);
        self.items[item].declines += u32::from(self.items[item].seek.is_none());
        self.stops_responding(agent, not_responding, recovers);
        self.refused(item, agent);
        if !self.stands(item) || self.leaves_after_declines(item) {
            self.seek_work(agent);
            self.look_on(item);
            return;
        }
        let (next, decision) = self.agents_for(item, Some(agent));
        let same = next.first() == Some(&agent);
        if next.is_empty() {
            self.tell(Event::Waits { interaction: item_id(item), decision });
        } else if !same {
            self.ask(item, &next, &decision);
        }
        self.seek_work(agent);
        if same && self.stands(item) {
            self.seek_agent(item);
        }
    }

    fn refused(&mut self, item: usize, agent: usize) {
        let own = self.items[item].sought_wanted().is_some_and(|wanted| wanted.agent == agent_key(agent));
        if !own || !self.stands(item) {
            return;
        }
        if self.items[item].seek.is_some() {
            self.forget_seek(item, SeekEnd::AgentRefused);
        } else {
            self.end_preference(item, PreferenceEnd::AgentRefused);
        }
    }

    pub fn forget_seek(&mut self, item: usize, cause: SeekEnd) {
        self.tell(Event::SeekEnded { interaction: item_id(item), cause });
        self.items[item].seek = None;
    }

    pub fn end_preference(&mut self, item: usize, cause: PreferenceEnd) {
        self.tell(Event::PreferenceEnded { interaction: item_id(item), cause });
        self.items[item].wanted = None;
        if self.stands(item) {
            self.stood(item);
        }
    }

    fn leaves_after_declines(&mut self, item: usize) -> bool {
        let one = &self.items[item];
        if one.state != State::Waiting || one.declines < u32::from(one.way().declines_max) {
            return false;
        }
        let exit = one.way().last_step.exit.clone();
        self.leave_by(item, &exit, ExitCause::TooManyDeclines)
    }

    pub fn rescind(&mut self, ring: usize, cause: RescindCause) {
        self.tell(Event::Rescinded { offer: offer_id(ring), cause });
        self.failed(ring, Ending::Rescinded, Some(cause));
    }

    pub fn rescind_all(&mut self, item: usize, cause: RescindCause) -> Vec<usize> {
        let rings = self.rings_of(item);
        rings.iter().for_each(|ring| self.rescind(*ring, cause));
        rings.into_iter().map(|ring| self.rings[ring].agent).collect()
    }

    fn ring_at(&self, offer: OfferId) -> Result<usize, Refusal> {
        let ring = usize::try_from(offer.0).ok().and_then(|number| number.checked_sub(1));
        ring.filter(|ring| *ring < self.rings.len()).ok_or(Refusal::OfferUnknown)
    }

    // ---- what gives way ----

    fn make_room(&mut self, item: usize, agent: usize) -> bool {
        let channel = self.items[item].channel;
        let mut made_room = false;
        loop {
            let spec = self.capacity_of(agent);
            let needed = u32::from(spec.channels[channel.index()].units);
            if self.used(agent) + needed <= u32::from(spec.units) {
                return made_room;
            }
            let newest = self.holds(agent).into_iter().rfind(|hold| gives_way(hold, channel, spec));
            let Some(job) = newest.and_then(|hold| hold.job) else { return made_room };
            self.tell(Event::Interrupted { assignment: job_id(job) });
            self.jobs[job].interrupted = Some(self.sequence);
            let of = self.jobs[job].item;
            if self.talking_in(of).iter().all(|job| self.jobs[*job].interrupted.is_some()) {
                self.items[of].state = State::Parked;
            }
            made_room = true;
        }
    }

    pub fn go_on(&mut self, agent: usize) -> bool {
        if self.people[agent].liveness != Liveness::Live {
            return false;
        }
        let room = u32::from(self.capacity_of(agent).units);
        let (holds, spec) = (self.holds(agent), self.capacity_of(agent));
        let fits = |job: &usize| {
            let channel = self.jobs[*job].channel;
            let same = holds.iter().filter(|hold| hold.channel == channel).count();
            let units = self.used(agent) + u32::from(self.jobs[*job].units) <= room;
            holds.is_empty() || (units && same < usize::from(spec.channels[channel.index()].limit))
        };
        let Some(job) = self.interrupted_at(agent).into_iter().find(fits) else { return false };
        self.tell(Event::Continued { assignment: job_id(job) });
        (self.jobs[job].interrupted, self.jobs[job].turn) = (None, self.sequence);
        let item = self.jobs[job].item;
        self.items[item].state = State::Handling;
        true
    }

    fn would_interrupt(&self, agent: usize, item: usize) -> bool {
        let (channel, spec) = (self.items[item].channel, self.capacity_of(agent));
        self.interrupted_at(agent).into_iter().any(|job| {
            let of = self.jobs[job].channel;
            let live = matches!(of, Channel::Voice | Channel::Video);
            of != channel && !live && spec.channels[of.index()].interruptible_by.contains(channel)
        })
    }
}

fn refusal(ending: (Ending, Option<RescindCause>)) -> Refusal {
    match ending {
        (Ending::Accepted, _) => Refusal::OfferAccepted,
        (Ending::Declined, _) => Refusal::OfferDeclined,
        (Ending::Expired, _) => Refusal::OfferExpired,
        (Ending::Rescinded, Some(RescindCause::TakenByAnother)) => Refusal::OfferTaken,
        (Ending::Rescinded, _) => Refusal::OfferRescinded,
    }
}
