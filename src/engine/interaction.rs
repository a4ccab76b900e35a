//! One contact of a customer on a channel, from received to closed.

use super::circumstances::Circumstances;
use super::explain::Decision;
use super::few::Few;
use super::ids::{AgentKey, AssignmentId, InteractionId, LaneKey, OfferId, QueueKey, Sequence, Text};
use super::journey::Journey;
use super::plan::{Channel, Facts, Familiar, Plan};
use super::route::Route;
use super::skill::Requirement;
use super::time::Time;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where it is. Exactly one at any time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum State {
    /// Not to be served yet: work for later, a call-back before its window, a queue that is closed.
    Scheduled,
    Waiting,
    Offered,
    Handling,
    /// Answered, and nobody works on it: it waits for the customer, or for its agent, who was interrupted.
    Parked,
    WrappingUp,
    Closed,
    Abandoned,
    Cancelled,
    TimedOut,
    SentAway,
}

impl State {
    /// Every state, in the order of a life.
    pub const ALL: [State; 11] = [
        State::Scheduled,
        State::Waiting,
        State::Offered,
        State::Handling,
        State::Parked,
        State::WrappingUp,
        State::Closed,
        State::Abandoned,
        State::Cancelled,
        State::TimedOut,
        State::SentAway,
    ];

    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            State::Scheduled => "scheduled",
            State::Waiting => "waiting",
            State::Offered => "offered",
            State::Handling => "in conversation",
            State::Parked => "parked",
            State::WrappingUp => "in wrap-up",
            State::Closed => "closed",
            State::Abandoned => "abandoned",
            State::Cancelled => "cancelled",
            State::TimedOut => "timed out",
            State::SentAway => "sent away",
        }
    }

    /// True if nothing more happens to it.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            State::Closed | State::Abandoned | State::Cancelled | State::TimedOut | State::SentAway
        )
    }

    /// True until an agent has accepted it, or it left.
    pub fn is_unanswered(self) -> bool {
        matches!(self, State::Scheduled | State::Waiting | State::Offered)
    }
}

/// A pair that is not tried again for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CoolDown {
    pub agent: AgentKey,
    /// How often this agent declined this interaction.
    pub declines: u32,
    pub until: Time,
}

/// Who decided that it waits for one agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum WantedBy {
    /// The rules: the agent must have the skills.
    Rule,
    /// It was theirs before: a parked conversation goes on.
    LastAgent,
    /// A colleague, who knows what they do: skills are not asked for.
    Colleague,
    /// A supervisor, likewise.
    Supervisor,
}

/// The one agent it waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wanted {
    pub agent: AgentKey,
    pub by: WantedBy,
    /// Then anybody will do.
    pub until: Time,
    /// Whether that agent may take it beyond their capacity.
    pub overdraw: bool,
}

/// What an agent is in an interaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Part {
    /// Serves the customer.
    Owner,
    /// Advises the owner; the customer does not hear.
    Consultant,
    /// In the conversation, beside the owner.
    Member,
}

/// A second agent is looked for while the first goes on: a warm transfer, a consult, a conference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seek {
    /// Who asked.
    pub by: AssignmentId,
    /// What the second agent will be.
    pub part: Part,
    pub plan: Arc<Plan>,
    pub wanted: Option<Wanted>,
    pub since: Time,
    pub lane: LaneKey,
}

/// A promise to call back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Callback {
    /// The window the customer was promised.
    pub from: Time,
    pub until: Time,
    /// Calls that nobody answered.
    pub attempts: u8,
}

/// Why it is scheduled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Until {
    At(Time),
    /// The opening of its queue.
    Opening,
}

/// Where it stands, if it stands in line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Standing {
    Lane(LaneKey),
    /// The line of one agent.
    Agent(AgentKey),
}

/// Another contact of the customer about the same matter, served with this one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attached {
    pub source: Text,
    pub external_id: Text,
    pub channel: Channel,
}

/// A plan that another took the place of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Replaced {
    /// The version of the rule set that made it.
    pub rule_set: u32,
    /// The queue it was in then.
    pub queue: QueueKey,
    pub at: Time,
}

/// A decision about it, with its place in the journal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decided {
    pub sequence: Sequence,
    pub time: Time,
    /// The agent it was offered to.
    pub agent: Option<AgentKey>,
    pub decision: Arc<Decision>,
}

/// Of the decisions about one interaction, the newest so many stay in memory; older ones are in the journal.
pub const DECISIONS_KEPT_MAX: usize = 16;
/// Of the plans of one interaction that others replaced, the newest so many are remembered.
pub const REPLACED_KEPT_MAX: usize = 16;
/// Most contacts that may be attached to one that waits.
pub const ATTACHED_MAX: usize = 16;

/// Everything the engine knows about one interaction. Nothing personal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Interaction {
    pub id: InteractionId,
    pub source: Text,
    pub external_id: Text,
    pub channel: Channel,
    pub facts: Facts,
    pub plan: Arc<Plan>,
    /// Names the plan for whoever plans again: rises with each other plan, with other points, and with each offer.
    pub plan_revision: u32,
    /// Which of the plan's routes it is on.
    pub route: u8,
    pub state: State,
    /// The lane of what it needs now: where it waits, or would go back to.
    pub lane: LaneKey,
    /// `Some` exactly while it waits, or a second agent is looked for and not being asked.
    pub standing: Option<Standing>,
    /// First entry. Its place in the line; it never changes. For scheduled work, when it was due.
    pub entered: Time,
    /// Since when this wait is measured: entry, the last transfer, or when the customer wrote again.
    pub waits_from: Time,
    /// Entry to the queue it is in: relaxation counts from here.
    pub in_queue_from: Time,
    /// First accept.
    pub answered: Option<Time>,
    /// Whether this visit of its queue has been answered.
    pub visit_answered: bool,
    /// When it was over.
    pub over: Option<Time>,
    /// The open offers of it, oldest first.
    pub offers: Few<OfferId>,
    /// Its assignments that are not over, wrap-up included, oldest first.
    pub assignments: Few<AssignmentId>,
    /// Who serves the customer. `Some` exactly while `Handling`, or `Parked` by an interruption.
    pub owner: Option<AssignmentId>,
    /// The last agent who owned it.
    pub agent: Option<AgentKey>,
    pub wanted: Option<Wanted>,
    /// Steps of relaxation taken.
    pub step: u8,
    /// Beyond its hard maximum wait.
    pub overdue: bool,
    /// Times it went back to its place.
    pub requeues: u32,
    /// Refusals in all since it came to this queue.
    pub declines: u32,
    pub transfers: u16,
    pub hops: u8,
    pub decisions: Few<Decided>,
    pub disposition: Text,
    pub(super) extras: Option<Box<Extras>>,
    /// Whether its lane counts it as restricted. A cache, kept by `line.rs`.
    #[serde(skip)]
    pub(super) restricted: bool,
}

/// What most interactions never have, apart, so that they take no room for it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Extras {
    pub seek: Option<Seek>,
    pub scheduled: Option<Until>,
    pub callback: Option<Callback>,
    pub attached: Vec<Attached>,
    pub cool_downs: Vec<CoolDown>,
    /// Plans that were replaced by planning again, oldest first.
    pub replaced: Vec<Replaced>,
    /// What is known of the customer came after the plan was made.
    pub facts_late: bool,
}

impl Extras {
    fn is_empty(&self) -> bool {
        let Extras { seek, scheduled, callback, attached, cool_downs, replaced, facts_late } = self;
        seek.is_none()
            && scheduled.is_none()
            && callback.is_none()
            && attached.is_empty()
            && cool_downs.is_empty()
            && replaced.is_empty()
            && !facts_late
    }
}

impl Interaction {
    /// The route it is on.
    pub fn route(&self) -> &Route {
        &self.plan.routes[usize::from(self.route)]
    }

    /// The queue it is in.
    pub fn queue(&self) -> QueueKey {
        self.route().queue
    }

    /// True if it has waited through the last step, and there was nowhere to go.
    pub fn is_past_last_step(&self) -> bool {
        usize::from(self.step) > self.route().relaxation.len()
    }

    /// The skills it asks for now: of the first way to qualify.
    pub fn requirements(&self) -> &[Requirement] {
        &self.route().needs_at(self.step)[0].requirements
    }

    /// What is looked for: the lane and the one agent, of the second agent if one is sought.
    pub fn sought(&self) -> (LaneKey, Option<Wanted>, Part) {
        match self.seek() {
            Some(seek) => (seek.lane, seek.wanted, seek.part),
            None => (self.lane, self.wanted, Part::Owner),
        }
    }

    /// The search for a second agent, if there is one.
    pub fn seek(&self) -> Option<&Seek> {
        self.extras.as_ref()?.seek.as_ref()
    }

    /// Why it is not to be served yet. `Some` exactly while `Scheduled`.
    pub fn scheduled(&self) -> Option<Until> {
        self.extras.as_ref()?.scheduled
    }

    /// The promise to call back.
    pub fn callback(&self) -> Option<Callback> {
        self.extras.as_ref()?.callback
    }

    /// Other contacts about the same matter.
    pub fn attached(&self) -> &[Attached] {
        self.extras.as_ref().map_or(&[], |extras| &extras.attached)
    }

    /// The agents who are not tried again for a while, or were not.
    pub fn cool_downs(&self) -> &[CoolDown] {
        self.extras.as_ref().map_or(&[], |extras| &extras.cool_downs)
    }

    /// The plans that were replaced by planning again, oldest first.
    pub fn replaced(&self) -> &[Replaced] {
        self.extras.as_ref().map_or(&[], |extras| &extras.replaced)
    }

    /// What the plan in force was made with, if anything was known of the customer then.
    pub fn planned_with(&self) -> Option<&Arc<Journey>> {
        let late = self.extras.as_ref().is_some_and(|extras| extras.facts_late);
        self.facts.journey.as_ref().filter(|_| !late)
    }

    /// The one way to change these: when nothing is left of them, nothing is kept.
    pub(super) fn change_extras<R>(&mut self, change: impl FnOnce(&mut Extras) -> R) -> R {
        let mut extras = self.extras.take().unwrap_or_default();
        let result = change(&mut extras);
        self.extras = Some(extras).filter(|extras| !extras.is_empty());
        result
    }

    /// Whether its visit was answered before, and it is in line again.
    pub(super) fn is_returned(&self) -> bool {
        self.state.is_unanswered() && self.visit_answered
    }

    /// Since when its wait counts: entry, or, if it is to be done by some time, so long before that as an answer may take.
    pub fn counts_from(&self) -> Time {
        let due = self.due().filter(|_| self.plan.by_due);
        due.map_or(self.entered, |due| Time(due.0.saturating_sub(self.plan.goals.answer_within_ms)))
    }

    /// What the plan in force was made in, as far as that is recorded, or certain anyway.
    pub fn made_in(&self) -> Circumstances {
        let plain = || Circumstances {
            at: self.entered,
            queue: Some(self.plan.entry().queue),
            ..Circumstances::default()
        };
        self.facts.circumstances.as_deref().cloned().unwrap_or_else(plain)
    }

    /// When it should be done: as its facts say, or so long after it came, or may begin, as the rules say.
    pub fn due(&self) -> Option<Time> {
        let begins = self.facts.not_before.map_or(self.entered, |at| at.max(self.entered));
        let by_rule = self.plan.deadline_ms.map(|ms| begins.after(ms));
        self.facts.due.into_iter().chain(by_rule).min()
    }

    /// The agent who knows the customer. Nobody while a second agent is looked for.
    pub fn familiar(&self) -> Option<Familiar> {
        self.plan.familiar.filter(|_| self.seek().is_none())
    }

    /// How long it waited: until the first accept, until it left, or until now. Milliseconds.
    pub fn wait_ms(&self, now: Time) -> u64 {
        self.answered.or(self.over).unwrap_or(now).since(self.entered)
    }

    /// True if this agent had it, or was asked for it, a short while ago.
    pub fn cools_down_for(&self, agent: AgentKey, now: Time) -> bool {
        self.cool_downs().iter().any(|pair| pair.agent == agent && pair.until > now)
    }

    /// True if somebody who can serve its lane may be kept from it: they had it, or have it.
    pub(super) fn may_be_kept_from_somebody(&self) -> bool {
        !(self.cool_downs().is_empty() && self.assignments.is_empty() && self.offers.is_empty())
    }

    pub(super) fn remember(&mut self, decided: Decided) {
        if self.decisions.len() == DECISIONS_KEPT_MAX {
            self.decisions.remove(0);
        }
        self.decisions.push(decided);
    }
}
