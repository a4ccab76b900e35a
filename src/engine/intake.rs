//! Stage 1: admit or refuse. A repetition gets the first answer; a refusal leaves no trace.

use super::command::{Answer, Leaving, Refusal, Submit};
use super::event::{AbandonCause, Admitted, EndedBy, Event, RescindCause};
use super::ids::{CustomerId, InteractionId, Text};
use super::interaction::{Interaction, State};
use super::plan::Plan;
use super::queue::{LANES_MAX, LaneId};
use super::score::place;
use super::shard::{Shard, Step};
use super::time::Time;
use hashbrown::HashMap;
use std::collections::VecDeque;

/// How long ids are remembered at least, ms.
pub const REMEMBERED_MS: u64 = 24 * 60 * 60 * 1000;
/// Most ids that may be remembered. At the limit intake is refused; nothing is forgotten early.
pub const REMEMBERED_MAX: u32 = 20_000_000;

#[derive(Clone, Copy, Debug)]
struct Remembered {
    content: u128,
    interaction: InteractionId,
}

/// Which ids were used, for which content. Forgotten by the time of events only, so recovery forgets alike.
#[derive(Clone, Debug, Default)]
pub struct IntakeMemory {
    by_key: HashMap<u128, Remembered>,
    order: VecDeque<(Time, u128)>,
}

impl IntakeMemory {
    /// How many ids are remembered.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// True if none is.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// What is remembered of a key: the content's hash and the interaction.
    pub fn get(&self, key: u128) -> Option<(u128, InteractionId)> {
        self.by_key.get(&key).map(|known| (known.content, known.interaction))
    }

    fn remember(&mut self, key: u128, content: u128, interaction: InteractionId, now: Time) {
        self.by_key.insert(key, Remembered { content, interaction });
        self.order.push_back((now, key));
    }

    /// The oldest key that may be forgotten, if any.
    fn expired(&self, now: Time) -> Option<u128> {
        self.order.front().filter(|(at, _)| now.since(*at) > REMEMBERED_MS).map(|(_, key)| *key)
    }
}

impl Step<'_> {
    pub fn admit(&mut self, submit: Submit) -> Result<Answer, Refusal> {
        if let Some(interaction) = self.shard.repeats(submit.keys, submit.content)? {
            return Ok(Answer::Admitted { interaction, repeated: true });
        }
        self.shard.check_source(&submit.source)?;
        self.shard.check_due(submit.facts.due)?;
        self.shard.check_plan(&submit.plan, submit.channel)?;
        if self.shard.intake.len() + submit.keys.len() > REMEMBERED_MAX as usize {
            return Err(Refusal::IntakeMemoryFull { max: REMEMBERED_MAX });
        }
        let Submit { keys, content, source, external_id, channel, facts, plan } = submit;
        let interaction = InteractionId(self.shard.last_interaction.0 + 1);
        self.emit(Event::Admitted(Box::new(Admitted {
            interaction,
            keys,
            content,
            source,
            external_id,
            channel,
            facts,
            plan,
        })));
        self.seek_agent(interaction);
        Ok(Answer::Admitted { interaction, repeated: false })
    }

    /// The customer left or the source took it back. Before an accept the interaction leaves; after it, the
    /// conversation ends and the agent wraps up.
    pub fn leave(&mut self, interaction: InteractionId, leaving: Leaving) -> Result<Answer, Refusal> {
        let subject = self.shard.interaction(interaction).ok_or(Refusal::InteractionUnknown)?;
        match (subject.state, subject.offer, subject.assignment) {
            (State::Waiting, _, _) => self.left(interaction, leaving),
            (State::Offered, Some(offer), _) => {
                let agent = self.shard.offers[&offer].agent;
                self.rescind(offer, cause(leaving));
                self.left(interaction, leaving);
                self.seek_work(agent);
            }
            (State::Handling, _, Some(assignment)) => {
                let by = match leaving {
                    Leaving::CustomerLeft => EndedBy::Customer,
                    Leaving::Withdrawn => EndedBy::Source,
                };
                self.end_conversation(assignment, by, Text::default());
            }
            (_, _, _) => {}
        }
        Ok(Answer::Cancelled { state: self.shard.subject(interaction).state })
    }

    /// Says whose an interaction is, once; a second answer changes nothing.
    pub fn identify(&mut self, interaction: InteractionId, customer: CustomerId) -> Result<Answer, Refusal> {
        let subject = self.shard.interaction(interaction).ok_or(Refusal::InteractionUnknown)?;
        if subject.facts.customer.is_none() {
            self.emit(Event::Identified { interaction, customer });
        }
        Ok(Answer::Done)
    }

    fn left(&mut self, interaction: InteractionId, leaving: Leaving) {
        self.emit(match leaving {
            Leaving::CustomerLeft => Event::Abandoned { interaction, cause: AbandonCause::CustomerLeft },
            Leaving::Withdrawn => Event::Cancelled { interaction },
        });
    }
}

fn cause(leaving: Leaving) -> RescindCause {
    match leaving {
        Leaving::CustomerLeft => RescindCause::CustomerLeft,
        Leaving::Withdrawn => RescindCause::Withdrawn,
    }
}

impl Shard {
    /// The interaction a request repeats, if it does.
    pub fn repeats(&self, keys: [Option<u128>; 2], content: u128) -> Result<Option<InteractionId>, Refusal> {
        for key in keys.into_iter().flatten() {
            if let Some((known, interaction)) = self.intake.get(key) {
                return if known == content { Ok(Some(interaction)) } else { Err(Refusal::RequestIdReused) };
            }
        }
        Ok(None)
    }

    fn check_due(&self, due: Option<Time>) -> Result<(), Refusal> {
        match due {
            Some(due) if due <= self.now => Err(Refusal::due_past(due, self.now)),
            _ => Ok(()),
        }
    }

    fn check_plan(&self, plan: &Plan, channel: super::plan::Channel) -> Result<(), Refusal> {
        let queue = u32::from(plan.queue.0);
        let Some(entry) = self.floor.queues.live(queue) else {
            let name = self
                .floor
                .queues
                .get(queue)
                .map_or_else(|| plan.queue.to_string().into(), |e| e.name.clone());
            return Err(Refusal::NotDefined { kind: super::floor::Kind::Queue, name });
        };
        self.check_skills(&plan.requirements)?;
        // Whoever is being offered counts: the offer may come to nothing, and their place is still theirs.
        let books = self.tally.of(plan.queue);
        let unanswered = self.lines.waiting(plan.queue) + books.offered - books.returned;
        if unanswered >= entry.spec.waiting_max {
            return Err(Refusal::QueueFull { max: entry.spec.waiting_max });
        }
        let known = self.lines.find(&lane_id(plan, channel)).is_some();
        if known || !self.lines.full() { Ok(()) } else { Err(Refusal::TooManyLanes { max: LANES_MAX }) }
    }

    pub(super) fn admitted(&mut self, admitted: &Admitted) {
        self.forget();
        let id = admitted.interaction;
        self.last_interaction = id;
        for key in admitted.keys.into_iter().flatten() {
            self.intake.remember(key, admitted.content, id, self.now);
        }
        let wanted = lane_id(&admitted.plan, admitted.channel);
        let lane = self.lines.find(&wanted).unwrap_or_else(|| self.open_lane(wanted));
        let interaction = Interaction {
            id,
            source: admitted.source.clone(),
            external_id: admitted.external_id.clone(),
            channel: admitted.channel,
            facts: admitted.facts.clone(),
            plan: admitted.plan.clone(),
            state: State::Waiting,
            lane,
            entered: self.now,
            answered: None,
            over: None,
            offer: None,
            assignment: None,
            agent: None,
            requeues: 0,
            cool_downs: Vec::new(),
            decisions: Vec::new(),
            disposition: Text::default(),
        };
        self.lines.enqueue(lane, place(&interaction));
        self.tally.books(interaction.plan.queue).entered += 1;
        self.sources.entry(admitted.source.clone()).or_default().open.insert(id);
        self.interactions.insert(id, Box::new(interaction));
    }

    pub(super) fn identified(&mut self, interaction: InteractionId, customer: CustomerId) {
        self.subject_mut(interaction).facts.customer = Some(customer);
    }

    /// Forgets ids whose time is over, but never one whose interaction is still open.
    fn forget(&mut self) {
        while let Some(key) = self.intake.expired(self.now) {
            self.intake.order.pop_front();
            let known = self.intake.get(key).and_then(|(_, interaction)| self.interaction(interaction));
            let open = known.is_some_and(|known| !known.state.is_over());
            if open {
                self.intake.order.push_back((self.now, key));
            } else {
                self.intake.by_key.remove(&key);
            }
        }
    }
}

fn lane_id(plan: &Plan, channel: super::plan::Channel) -> LaneId {
    LaneId { queue: plan.queue, channel, requirements: plan.requirements.clone() }
}
