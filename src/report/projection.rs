//! Follows the events with a state of its own, and writes each change to the interval it happened in.

use super::figures::Figures;
use super::presence::Doing;
use super::rows::{ROWS_MAX, Request};
use crate::engine::event::{Event, Stamped};
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId, QueueKey};
use crate::engine::named::Named;
use crate::engine::plan::Channel;
use crate::engine::shard::Shard;
use crate::engine::tally::Books;
use crate::engine::time::Time;
use std::collections::BTreeMap;

/// What a cell of the report is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum About {
    Queue(QueueKey, Channel),
    Agent(AgentKey),
}

/// What an agent has been doing since when.
#[derive(Clone, Debug)]
struct Since {
    doing: Doing,
    from: Time,
}

/// An assignment as far as its times are concerned.
#[derive(Clone, Copy, Debug)]
struct Talk {
    agent: AgentKey,
    queue: QueueKey,
    channel: Channel,
    /// When the part that goes on now began: the conversation, then the wrap-up.
    from: Time,
    wraps_up: bool,
}

/// Figures of the period asked for, growing with each event. A copy goes on by itself: a past that goes on two ways.
#[derive(Clone, Debug)]
pub struct Projection {
    request: Request,
    shard: Shard,
    pub(super) cells: BTreeMap<(Time, About), Figures>,
    agents: Vec<Since>,
    talks: BTreeMap<AssignmentId, Talk>,
    /// More was to be counted than a report may hold: it is refused.
    pub(super) full: bool,
}

/// What an event is about, looked up before it is applied.
#[derive(Clone, Copy, Default)]
struct Subject {
    interaction: Option<InteractionId>,
    agent: Option<AgentKey>,
    assignment: Option<AssignmentId>,
}

impl Projection {
    /// Nothing yet.
    pub fn new(request: Request) -> Projection {
        Projection {
            request,
            shard: Shard::new(),
            cells: BTreeMap::new(),
            agents: Vec::new(),
            talks: BTreeMap::new(),
            full: false,
        }
    }

    /// Nothing yet of a past that began with this state. Conversations that go on in it count from their accept, wrap-ups from
    /// now.
    pub fn from_state(request: Request, shard: Shard) -> Projection {
        let now = shard.now();
        let agents =
            shard.agents().iter().map(|agent| Since { doing: Doing::of(agent), from: now }).collect();
        let talks = shard.assignments().map(|part| {
            let wraps_up = part.wrap_up_until.is_some();
            let from = if wraps_up { now } else { part.started };
            let (agent, queue, channel) = (part.agent, part.queue, part.channel);
            (part.id, Talk { agent, queue, channel, from, wraps_up })
        });
        Projection { agents, talks: talks.collect(), shard, ..Projection::new(request) }
    }

    /// The state after the last event.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Takes the next event. They come in order, from the first: what is before the period is not counted, but known.
    pub fn apply(&mut self, stamped: &Stamped) {
        let subject = self.subject(&stamped.event);
        let place = subject.interaction.and_then(|id| self.place(id));
        let waited_from =
            subject.interaction.and_then(|id| self.shard.interaction(id)).map(|one| one.waits_from);
        let channel = match &stamped.event {
            Event::Admitted(admitted) => Some(admitted.channel),
            _ => place.map(|(_, channel)| channel),
        };
        let before = self.books_of(&stamped.event, &subject);
        self.shard.apply(stamped);
        let now = stamped.time;
        if let Some(channel) = channel {
            for (queue, before) in before {
                let after = self.shard.tally().of(queue);
                if before != after {
                    self.cell(now, About::Queue(queue, channel), |figures| figures.count(&before, &after));
                }
            }
        }
        self.note(&stamped.event, subject, place, waited_from, now);
        self.follow_agents(&stamped.event, subject.agent, now);
    }

    fn subject(&self, event: &Event) -> Subject {
        match event {
            Event::Offered { interaction, agent, .. } => {
                Subject { interaction: Some(*interaction), agent: Some(*agent), assignment: None }
            }
            // There is nothing to look up before it is applied.
            Event::Admitted(_) => Subject::default(),
            // Whoever owns it now does nothing else than before.
            Event::OwnerChanged { interaction, .. } => {
                Subject { interaction: Some(*interaction), ..Subject::default() }
            }
            other => self.named(other.names()),
        }
    }

    fn named(&self, named: Named) -> Subject {
        match named {
            Named::Offer(offer) => self.shard.offer(offer).map_or(Subject::default(), |offer| Subject {
                interaction: Some(offer.interaction),
                agent: Some(offer.agent),
                assignment: None,
            }),
            Named::Assignment(assignment) => self.of_assignment(assignment),
            Named::Interaction(interaction) => {
                Subject { interaction: Some(interaction), ..Subject::default() }
            }
            Named::Agent(agent) => Subject { agent: Some(agent), ..Subject::default() },
            Named::Nobody => Subject::default(),
        }
    }

    fn of_assignment(&self, id: AssignmentId) -> Subject {
        self.shard.assignment(id).map_or(Subject::default(), |part| Subject {
            interaction: Some(part.interaction),
            agent: Some(part.agent),
            assignment: Some(id),
        })
    }

    fn place(&self, id: InteractionId) -> Option<(QueueKey, Channel)> {
        self.shard.interaction(id).map(|one| (one.queue(), one.channel))
    }

    /// Every queue whose books an event about this may change, each once, with its books.
    fn books_of(&self, event: &Event, subject: &Subject) -> Vec<(QueueKey, Books)> {
        let interaction = subject.interaction.and_then(|id| self.shard.interaction(id));
        let own = interaction.map(|one| one.queue());
        let sought = interaction.and_then(|one| one.seek()).map(|seek| seek.plan.entry().queue);
        let handled = subject.assignment.and_then(|id| self.shard.assignment(id)).map(|part| part.queue);
        let mut queues: Vec<QueueKey> = [own, sought, handled].into_iter().flatten().collect();
        if let Some(interaction) = interaction {
            queues.extend(interaction.plan.routes.iter().map(|route| route.queue));
        }
        queues.extend(match event {
            Event::Admitted(admitted) => Some(admitted.plan.routes[usize::from(admitted.route)].queue),
            Event::Transferred(to) => Some(to.plan.routes[usize::from(to.route)].queue),
            Event::Replanned(to) => Some(to.plan.entry().queue),
            _ => None,
        });
        queues.sort_unstable();
        queues.dedup();
        queues.into_iter().map(|queue| (queue, self.shard.tally().of(queue))).collect()
    }

    /// What the books do not tell: waits of those who left, times of conversations, hand-overs, and all of agents.
    fn note(
        &mut self,
        event: &Event,
        subject: Subject,
        place: Option<(QueueKey, Channel)>,
        waited_from: Option<Time>,
        now: Time,
    ) {
        let about = place.map(|(queue, channel)| About::Queue(queue, channel));
        match (event, about) {
            (Event::Abandoned { interaction, .. }, Some(about)) => {
                let answered = self.shard.interaction(*interaction).is_none_or(|one| one.visit_answered);
                if let Some(from) = waited_from.filter(|_| !answered) {
                    self.abandoned(about, now, now.since(from));
                }
            }
            (Event::CallbackPlanned { .. }, Some(about)) => {
                self.cell(now, about, |figures| figures.callbacks_planned += 1);
            }
            (Event::TimedOut { cause, .. }, Some(about)) => {
                let unreachable = *cause == crate::engine::event::ExitCause::Unreachable;
                self.cell(now, about, |figures| figures.callbacks_unreachable += u64::from(unreachable));
            }
            _ => {}
        }
        self.note_agent(event, subject.agent, now);
        self.note_talk(event, subject, now);
    }

    fn abandoned(&mut self, about: About, now: Time, wait_ms: u64) {
        self.cell(now, about, |figures| {
            figures.abandon_wait_ms += wait_ms;
            figures.longest_abandon_wait_ms = figures.longest_abandon_wait_ms.max(wait_ms);
        });
    }

    fn note_agent(&mut self, event: &Event, agent: Option<AgentKey>, now: Time) {
        let Some(agent) = agent else { return };
        self.cell(now, About::Agent(agent), |figures| match event {
            Event::Accepted { .. } => figures.offers_accepted += 1,
            Event::Declined { .. } => figures.offers_declined += 1,
            Event::Expired { .. } => figures.offers_expired += 1,
            Event::Rescinded { .. } => figures.offers_rescinded += 1,
            Event::ConnectFailed { .. } => figures.connects_failed += 1,
            Event::Connected { assumed: true, .. } => figures.connects_assumed += 1,
            _ => {}
        });
    }

    fn note_talk(&mut self, event: &Event, subject: Subject, now: Time) {
        if let Event::Accepted { assignment, .. } = event
            && let Some(part) = self.shard.assignment(*assignment)
        {
            let (agent, queue, channel) = (part.agent, part.queue, part.channel);
            self.talks.insert(*assignment, Talk { agent, queue, channel, from: now, wraps_up: false });
            return;
        }
        let Some(id) = subject.assignment else { return };
        let handed_on = matches!(event, Event::Transferred(_))
            || matches!(event, Event::ConversationEnded { by: crate::engine::event::EndedBy::Transfer, .. });
        match event {
            Event::ConnectFailed { .. } => {
                self.talks.remove(&id);
            }
            Event::ConversationEnded { .. }
            | Event::Transferred(_)
            | Event::Requeued { .. }
            | Event::AssignmentLost { .. }
            | Event::Parked { .. }
            | Event::WrapUpEnded { .. } => self.part_ended(id, handed_on, now),
            _ => {}
        }
    }

    fn part_ended(&mut self, id: AssignmentId, handed_on: bool, now: Time) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let ended = *talk;
        (talk.from, talk.wraps_up) = (now, true);
        let over = self.shard.assignment(id).is_none();
        if over {
            self.talks.remove(&id);
        }
        let ms = now.since(ended.from);
        for about in [About::Queue(ended.queue, ended.channel), About::Agent(ended.agent)] {
            self.cell(now, about, |figures| {
                if ended.wraps_up {
                    figures.wrap_up_ms += ms;
                } else {
                    figures.talk_ms += ms;
                    figures.transfers += u64::from(handed_on);
                }
            });
        }
        if over {
            self.cell(now, About::Agent(ended.agent), |figures| figures.handled += 1);
        }
    }

    /// Closes what an agent was doing, if that changed.
    fn follow_agents(&mut self, event: &Event, agent: Option<AgentKey>, now: Time) {
        while self.agents.len() < self.shard.agents().len() {
            let agent = &self.shard.agents()[self.agents.len()];
            self.agents.push(Since { doing: Doing::of(agent), from: now });
        }
        match (event, agent) {
            (Event::Restarted { .. } | Event::Removed { .. }, _) => {
                (0..self.agents.len()).for_each(|index| self.follow_agent(index, now));
            }
            (_, Some(agent)) => self.follow_agent(agent.index(), now),
            (_, None) => {}
        }
    }

    fn follow_agent(&mut self, index: usize, now: Time) {
        let doing = Doing::of(&self.shard.agents()[index]);
        if doing != self.agents[index].doing {
            self.spend(index, now);
            self.agents[index].doing = doing;
        }
    }

    /// Writes the time up to `now` to its intervals, split at their borders.
    fn spend(&mut self, index: usize, now: Time) {
        let Since { doing, from } = self.agents[index].clone();
        let agent = AgentKey(u32::try_from(index).expect("agent keys are u32"));
        let (mut at, end) = (from.max(self.request.from), now.min(self.request.to));
        while at < end && self.request.by.agent && !self.full {
            let border = self.request.border_after(at).min(end);
            self.cell(at, About::Agent(agent), |figures| figures.time.spend(&doing, border.since(at)));
            at = border;
        }
        self.agents[index].from = now;
    }

    /// The period is over, or what is known of it is: closes what goes on still.
    pub(super) fn finish(&mut self, until: Time) {
        for index in 0..self.agents.len() {
            self.spend(index, until.max(self.agents[index].from));
        }
    }

    fn cell(&mut self, at: Time, about: About, count: impl FnOnce(&mut Figures)) {
        let wanted = match about {
            About::Queue(..) => true,
            About::Agent(_) => self.request.by.agent,
        };
        if !wanted || at < self.request.from || at >= self.request.to {
            return;
        }
        let key = (self.request.start_of(at), about);
        if self.cells.len() >= ROWS_MAX && !self.cells.contains_key(&key) {
            self.full = true;
            return;
        }
        count(self.cells.entry(key).or_default());
    }
}
