//! `Shard::step`: every command, stage by stage. The page that tells the story.
//!
//! A command is honoured or refused whole. What it does is said by events; each is applied the moment it is
//! decided, so the next question already sees it. Recovery applies the same events again.

use super::agent::Agent;
use super::capacity::CapacitySpec;
use super::checked::Checked;
use super::command::{Answer, Command, Refusal};
use super::deadline::{Deadline, Deadlines};
use super::duplicates::Matters;
use super::event::{EndedBy, Event, RescindCause, Stamped};
use super::floor::{AgentSpec, Floor, QueueSpec};
use super::hours::Phase;
use super::ids::{AgentKey, AssignmentId, HoursKey, InteractionId, OfferId, PoolKey, QueueKey, Sequence};
use super::intake::IntakeMemory;
use super::interaction::{Decided, Interaction};
use super::learned::Learned;
use super::offer::{EndedOffers, Offer};
use super::outcome::{Assignment, Over};
use super::policy::Arm;
use super::prices::Prices;
use super::profile::Profiles;
use super::queue::Lines;
use super::source::Sources;
use super::table::Table;
use super::tally::Tally;
use super::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// One writer's world: a pool's queues, agents and interactions. Written whole by `kept.rs` alone: by itself it leaves out
/// agents, interactions and what is found by hashing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Shard {
    pub(super) now: Time,
    pub(super) sequence: Sequence,
    pub(super) floor: Floor,
    /// Shared with whoever looks: one that is looked at is copied before it changes, and only then.
    #[serde(skip)]
    pub(super) agents: Vec<Arc<Agent>>,
    /// The same.
    #[serde(skip)]
    pub(super) interactions: Table<InteractionId, Arc<Interaction>>,
    pub(super) offers: Table<OfferId, Offer>,
    pub(super) assignments: Table<AssignmentId, Assignment>,
    pub(super) lines: Lines,
    pub(super) profiles: Profiles,
    pub(super) deadlines: Deadlines,
    #[serde(skip)]
    pub(super) checked: Checked,
    pub(super) prices: Prices,
    pub(super) learned: Learned,
    pub(super) intake: IntakeMemory,
    pub(super) ended_offers: EndedOffers,
    pub(super) over: Over,
    pub(super) sources: Sources,
    pub(super) tally: Tally,
    pub(super) phases: BTreeMap<HoursKey, Phase>,
    /// Of pools on which another policy is tried.
    pub(super) arms: BTreeMap<PoolKey, Arm>,
    /// Scheduled until their queue opens.
    pub(super) held: BTreeSet<InteractionId>,
    pub(super) matters: Matters,
    /// Whether somebody may take only so many a day: otherwise nobody is looked at for that.
    pub(super) daily_maxima: bool,
    /// Of agents for whom nothing else is said.
    pub(super) capacity_default: CapacitySpec,
    pub(super) latest: VecDeque<(InteractionId, Decided)>,
    pub(super) last_interaction: InteractionId,
    pub(super) last_offer: OfferId,
    pub(super) last_assignment: AssignmentId,
}

impl Shard {
    /// An empty world. Its first event gives it time.
    pub fn new() -> Shard {
        Shard::default()
    }

    /// The only way in: time passes to `now`, then the command is honoured or refused. What happened is appended to
    /// `events`, also on a refusal: deadlines that came due are no part of the command.
    pub fn step(
        &mut self,
        now: Time,
        command: Command,
        events: &mut Vec<Stamped>,
    ) -> Result<Answer, Refusal> {
        if now < self.now {
            return Err(Refusal::TimeRunsBack { time_ms: now.0, now_ms: self.now.0 });
        }
        let mut step = Step { shard: self, events, somebody_free: false };
        if command == Command::Restart {
            step.restart(now);
        }
        step.pass_time(now);
        let answer = step.obey(command);
        step.look_again_for_held();
        answer
    }

    /// When the next timer is due. Stepping at that time, or later, fires it with its own time.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.next().map(|(at, _)| at)
    }

    /// The time of the last event or command.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The number of the last event.
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// What exists.
    pub fn floor(&self) -> &Floor {
        &self.floor
    }

    /// Every agent ever defined, in the order of their keys.
    pub fn agents(&self) -> &[Arc<Agent>] {
        &self.agents
    }

    /// One agent.
    pub fn agent(&self, key: AgentKey) -> Option<&Agent> {
        self.agents.get(key.index()).map(|shared| &**shared)
    }

    /// One agent as it is now, to keep: what happens later does not show in it.
    pub fn agent_shared(&self, key: AgentKey) -> Option<Arc<Agent>> {
        self.agents.get(key.index()).cloned()
    }

    /// One interaction: open, or among the last that were over.
    pub fn interaction(&self, id: InteractionId) -> Option<&Interaction> {
        self.interactions.get(&id).map(|shared| &**shared)
    }

    /// All that are not over, in the order of their ids.
    pub fn open_interactions(&self) -> impl Iterator<Item = &Interaction> {
        let all = self.interactions.ids().filter_map(|id| self.interaction(InteractionId(id)));
        all.filter(|one| !one.state.is_over())
    }

    /// One interaction as it is now, to keep: what happens later does not show in it.
    pub fn interaction_shared(&self, id: InteractionId) -> Option<Arc<Interaction>> {
        self.interactions.get(&id).cloned()
    }

    /// One open offer.
    pub fn offer(&self, id: OfferId) -> Option<&Offer> {
        self.offers.get(&id)
    }

    /// One assignment that is not over.
    pub fn assignment(&self, id: AssignmentId) -> Option<&Assignment> {
        self.assignments.get(&id)
    }

    /// All that are not over, in the order of their ids.
    pub fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.assignments.ids().filter_map(|id| self.assignments.get(&AssignmentId(id)))
    }

    /// The waiting lines.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// The counters.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Who submits.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The timers.
    pub fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    /// The last decisions, newest first.
    pub fn latest(&self) -> impl Iterator<Item = &(InteractionId, Decided)> {
        self.latest.iter().rev()
    }

    /// The same state looked at a little later, for questions only: no deadline fires.
    pub fn looked_at(mut self, now: Time) -> Shard {
        self.now = self.now.max(now);
        self
    }

    /// The last interaction that was admitted; ids below it have existed.
    pub fn last_interaction(&self) -> InteractionId {
        self.last_interaction
    }

    /// What opening hours and shifts say now.
    pub fn phase(&self, hours: HoursKey) -> Option<Phase> {
        self.phases.get(&hours).copied()
    }

    pub(super) fn spec(&self, agent: AgentKey) -> &AgentSpec {
        &self.floor.agents.get(agent.0).expect("an agent has an entry on the floor").spec
    }

    pub(super) fn queue(&self, queue: QueueKey) -> &QueueSpec {
        &self.floor.queues.get(u32::from(queue.0)).expect("a planned queue was defined").spec
    }

    pub(super) fn subject(&self, id: InteractionId) -> &Interaction {
        self.interaction(id).expect("offers, assignments and lanes name interactions that exist")
    }

    pub(super) fn subject_mut(&mut self, id: InteractionId) -> &mut Interaction {
        let shared = self
            .interactions
            .get_mut(&id)
            .expect("offers, assignments and lanes name interactions that exist");
        Arc::make_mut(shared)
    }

    pub(super) fn agent_mut(&mut self, key: AgentKey) -> &mut Agent {
        Arc::make_mut(&mut self.agents[key.index()])
    }
}

/// A shard in the middle of a step, with the place for its events.
pub(super) struct Step<'a> {
    pub shard: &'a mut Shard,
    pub events: &'a mut Vec<Stamped>,
    /// Somebody became free and found nothing more to take.
    pub somebody_free: bool,
}

impl Step<'_> {
    /// Decides an event: it is applied at once and told.
    pub fn emit(&mut self, event: Event) {
        let stamped = Stamped { sequence: Sequence(self.shard.sequence.0 + 1), time: self.shard.now, event };
        self.shard.apply(&stamped);
        self.events.push(stamped);
    }

    fn obey(&mut self, command: Command) -> Result<Answer, Refusal> {
        match command {
            Command::Tick | Command::Restart => Ok(Answer::Done),
            Command::Define { name, definition, write } => self.define(name, definition, write),
            Command::Remove { kind, name, revision } => self.remove(kind, &name, revision),
            Command::OpenSession { agent, session } => self.open_session(agent, session),
            Command::LoseSession { agent, session } => self.lose_session(agent, session),
            Command::SetPresence { agent, presence, reason, by } => {
                self.set_presence(agent, presence, reason, by)
            }
            Command::Submit(submit) => self.admit(*submit),
            Command::Identify { interaction, customer, journey } => {
                self.identify(interaction, customer, journey)
            }
            Command::Replan { interaction, plan, replaces, circumstances } => {
                self.replan(interaction, plan, replaces, circumstances)
            }
            Command::Cancel { interaction, leaving } => self.leave(interaction, leaving),
            Command::Accept { offer } => self.accept(offer),
            Command::Decline { offer, reason } => self.decline(offer, reason),
            Command::Complete { assignment, disposition, solved } => {
                self.complete(assignment, disposition, solved)
            }
            Command::FinishWrapUp { assignment, by } => self.finish_wrap_up(assignment, by),
            Command::ExtendWrapUp { assignment } => self.extend_wrap_up(assignment),
            Command::Connected { interaction } => self.connected(interaction),
            Command::ConnectFailed { interaction, cause } => self.connect_failed(interaction, cause),
            Command::Transfer { assignment, target, handover } => self.transfer(assignment, target, handover),
            Command::Consult { assignment, target } => self.consult(assignment, target),
            Command::Conference { assignment, target } => self.conference(assignment, target),
            Command::StopSeeking { assignment } => self.stop_seeking(assignment),
            Command::Park { assignment } => self.park(assignment),
            Command::Resume { interaction } => self.resume(interaction),
            Command::Wrote { interaction } => self.wrote(interaction),
            Command::Requeue { assignment } => self.requeue(assignment),
            Command::Pull { agent, interaction } => self.pull(agent, interaction),
            Command::RequestCallback { interaction, channel, window } => {
                self.request_callback(interaction, channel, window)
            }
            Command::Assign { interaction, agent, overdraw } => self.assign(interaction, agent, overdraw),
            Command::Reprioritise { interaction, priority } => self.reprioritise(interaction, priority),
            Command::OpenSource { source } => self.open_source(source),
            Command::SetParameters(parameters) => self.set_parameters(*parameters),
            Command::LoseSource { source } => self.lose_source(source),
        }
    }

    /// Fires what came due up to `now`, each with its own time, then arrives there.
    fn pass_time(&mut self, now: Time) {
        while let Some((at, deadline)) = self.shard.deadlines.next().filter(|(at, _)| *at <= now) {
            if let Deadline::Overflow(interaction) = deadline
                && at < self.shard.now
            {
                self.shard.check_overflow_later(interaction);
                continue;
            }
            // A deadline armed in the past (a restart shortens nothing, but may arm late) fires at once.
            self.shard.now = self.shard.now.max(at);
            self.fire(deadline);
            self.look_again_for_held();
        }
        self.shard.now = now;
    }

    fn fire(&mut self, deadline: Deadline) {
        match deadline {
            Deadline::Offer(offer) => self.expire(offer),
            Deadline::WrapUp(assignment) => self.end_wrap_up(assignment, EndedBy::Clock),
            Deadline::CoolDown(interaction, agent) => self.cooled_down(interaction, agent),
            Deadline::Agent(assignment) => self.agent_gone(assignment),
            Deadline::Hours(hours) => self.look_up_hours(hours),
            Deadline::Skill(agent, skill) => self.skill_expired(agent, skill),
            Deadline::Recover(agent) => self.recovered(agent),
            Deadline::NewDay(agent) => self.new_day(agent),
            Deadline::Connect(assignment) => self.assume_connected(assignment),
            Deadline::Due(interaction) => self.due(interaction),
            Deadline::Preference(interaction) => self.preference_spent(interaction),
            Deadline::MaxWait(interaction) => self.overdue(interaction),
            Deadline::Relax(interaction) => self.relax(interaction),
            Deadline::Overflow(interaction) => self.check_overflow(interaction),
            Deadline::Window(interaction) => self.window_missed(interaction),
            Deadline::Seek(interaction) => self.seek_timed_out(interaction),
            Deadline::Source(interaction) => self.source_gone(interaction),
            Deadline::Hold(interaction) => self.held_enough(interaction),
            Deadline::Block(pool) => self.next_block(pool),
        }
    }

    /// We were gone since the last event. Stamped with the time we went, so that what fell due meanwhile follows in
    /// order; open offers are taken back first, because their ring timers must not run over the gap.
    fn restart(&mut self, now: Time) {
        let open = self.shard.open_offers();
        self.emit(Event::Restarted { down_from: self.shard.now, down_to: now });
        for offer in open {
            self.rescind(offer, RescindCause::EngineRestart);
        }
    }
}
