//! Planning again who waits, when other rules are published. What waits is read a few at a time and planned again where it
//! stands, until nobody is left with a plan of other rules; a plan that somebody else replaced meanwhile stands.
//!
//! Nobody who comes in waits for it: plans are made on threads that serve nobody, and the shard is asked for a few at a time,
//! the next when these are done.

use super::documents::{aside, of_version};
use super::in_force::Ruling;
use super::planned::{self, Planned, Shares};
use super::status::ApiError;
use super::tenant::{Tenant, Tickets};
use crate::engine::command::Command;
use crate::engine::floor::Floor;
use crate::engine::ids::InteractionId;
use crate::engine::interaction::Interaction;
use crate::engine::plan::Plan;
use crate::observe;
use crate::rules::RuleSet;
use crate::runtime::inbox::AskError;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// So many interactions are looked at between two commands of the shard.
pub const LOOKED_AT: usize = 256;
/// So many are planned and handed to the shard together. Whoever comes behind them waits for these: a fraction of the time
/// that a batch of the shard may take (`src/runtime/driver.rs`).
const AT_ONCE: usize = 32;
/// Between two looks for those who were on their way in with the rules before.
const AGAIN_AFTER: Duration = Duration::from_millis(20);
/// Whoever publishes waits for one look at everybody, and no longer than this for the last of those; they are planned again
/// all the same.
const ANSWER_AFTER: Duration = Duration::from_secs(1);
/// A customer who is looked up too late is planned with the rules of then for no longer than this.
const ON_THEIR_WAY_MAX: Duration = Duration::from_secs(40);

/// Plans who waits by rules that take the place of others, and keeps what a supervisor said of them.
pub struct Planner {
    pub tenant: Arc<Tenant>,
    ruling: Arc<Ruling>,
    /// Nobody acts on the plans: numbers for splits are taken from these.
    looked_at: Option<Tickets>,
    pub floor: Arc<Floor>,
    /// The rules that made the plans there are, by their version; `None`: they cannot be read.
    before: BTreeMap<u32, Option<RuleSet>>,
}

impl Planner {
    /// Of plans that will hold.
    pub fn new(tenant: &Arc<Tenant>, ruling: &Arc<Ruling>) -> Planner {
        let (tenant, ruling, floor) = (tenant.clone(), ruling.clone(), tenant.shard.floor());
        Planner { tenant, ruling, looked_at: None, floor, before: BTreeMap::new() }
    }

    /// Of plans that are looked at alone.
    pub fn looking(tenant: &Arc<Tenant>, ruling: &Arc<Ruling>) -> Planner {
        Planner { looked_at: Some(tenant.tickets.clone()), ..Planner::new(tenant, ruling) }
    }

    /// Finds the rules that the plans of those who were given other points could have come from.
    pub async fn look_up(&mut self, waiting: &[Arc<Interaction>]) -> Result<(), ApiError> {
        for subject in waiting.iter().filter(|subject| subject.plan_revision > 0) {
            let number = subject.plan.rule_set;
            if let Entry::Vacant(unknown) = self.before.entry(number) {
                unknown.insert(of_version(&self.tenant, number).await?);
            }
        }
        Ok(())
    }

    /// The plan for one who waits, and what it was made in; `None`: there is no queue for it.
    pub fn plan(&self, subject: &Interaction) -> Option<Planned> {
        let shares = self.looked_at.as_ref().map_or(Shares::Dealt, Shares::LookedAt);
        let again = planned::again(&self.tenant, &self.ruling, &self.floor, subject, shares);
        let (mut plan, circumstances) = again?;
        if self.was_given_points(subject) {
            Arc::make_mut(&mut plan).priority = subject.plan.priority;
        }
        Some((plan, circumstances))
    }

    /// What asks the shard to plan one again.
    fn command(&self, subject: &Interaction) -> Option<Command> {
        let (plan, circumstances) = self.plan(subject)?;
        let replaces = subject.plan_revision;
        Some(Command::Replan { interaction: subject.id, plan, replaces, circumstances })
    }

    /// True if the rules that made its plan would have given other points: then a person has changed them since.
    fn was_given_points(&self, subject: &Interaction) -> bool {
        if subject.plan_revision == 0 {
            return false;
        }
        let before = self.before.get(&subject.plan.rule_set).and_then(Option::as_ref);
        let by_rules = before.and_then(|before| planned::as_recorded(before, &self.floor, subject));
        by_rules.is_some_and(|plan| plan.priority != subject.plan.priority)
    }
}

/// Whoever was sent somewhere by a person stays there: rules do not take that back.
pub fn may_be_planned_again(one: &Interaction) -> bool {
    one.transfers == 0
}

/// True if a plan says the same, whichever rules made it.
pub fn says_the_same(one: &Plan, other: &Plan) -> bool {
    *one == Plan { rule_set: one.rule_set, ..other.clone() }
}

/// What came of planning again.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counted {
    /// Planned again.
    pub planned: u64,
    /// The queue they are meant for does not take them now, or there is none: their plans stand.
    pub refused: u64,
}

/// Plans everybody who waits again with the rules in force, which have just taken the place of others. What is not done
/// in time for an answer goes on by itself; when all is done that is noted in the rulebook.
pub async fn plan_again(tenant: &Arc<Tenant>, before: Weak<Ruling>) -> Result<Counted, ApiError> {
    let mut work =
        Work { tenant: tenant.clone(), ruling: tenant.rules.now(), before, counted: Counted::default() };
    let done = work.until(Instant::now() + ANSWER_AFTER).await?;
    let counted = work.counted;
    match done {
        true if work.is_in_force() => work.note().await?,
        true => {}
        false => drop(tokio::spawn(work.finish())),
    }
    Ok(counted)
}

/// Goes on with what a crash cut short. Nobody is on their way in: whoever was has been forgotten with the process.
pub async fn take_up(tenant: Arc<Tenant>) {
    let unfinished = tenant.publishing.look(|book| book.in_force()).await;
    match unfinished {
        Ok(Some(in_force)) if in_force.planning_again => {}
        Ok(_) => return,
        Err(fault) => return tracing::error!(tenant = tenant.name, "the rulebook cannot be read: {fault}"),
    }
    tracing::info!(tenant = tenant.name, "going on with planning again who waits");
    let ruling = tenant.rules.now();
    let work = Work { tenant, ruling, before: Weak::new(), counted: Counted::default() };
    work.finish().await;
}

struct Work {
    tenant: Arc<Tenant>,
    ruling: Arc<Ruling>,
    before: Weak<Ruling>,
    counted: Counted,
}

impl Work {
    /// Until nobody is left, or the time has come. True: nobody is left.
    async fn until(&mut self, end: Instant) -> Result<bool, ApiError> {
        loop {
            // Asked before the pass: who was on their way then is seen by the one after.
            let nobody_on_their_way = self.before.strong_count() == 0;
            let planned = self.pass().await?;
            if nobody_on_their_way && planned == 0 {
                return Ok(true);
            }
            if Instant::now() >= end || !self.is_in_force() {
                return Ok(!self.is_in_force());
            }
            sleep(AGAIN_AFTER).await;
        }
    }

    /// Other rules may have been published since: what they leave standing is theirs to say.
    fn is_in_force(&self) -> bool {
        Arc::ptr_eq(&self.ruling, &self.tenant.rules.now())
    }

    async fn finish(mut self) {
        let done = self.until(Instant::now() + ON_THEIR_WAY_MAX).await;
        let noted = match done {
            // Others have taken the place of these meanwhile: who waits is theirs, and so is the mark.
            Ok(_) if !self.is_in_force() => return,
            Ok(_) => self.note().await,
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            // The mark stays in the rulebook, and the next start goes on.
            let (tenant, why) = (&self.tenant.name, error.message());
            tracing::warn!(tenant, "planning again who waits is not finished: {why}");
        }
    }

    async fn note(&self) -> Result<(), ApiError> {
        let (number, Counted { planned, refused }) = (self.ruling.rules.version(), self.counted);
        let counted = format!(
            "{planned} planned again; {refused} could not be: offered meanwhile, or no queue takes them"
        );
        let by = self.tenant.publishing.server_by(self.tenant.clock.now(), "published with plan again");
        Ok(self.tenant.publishing.book(move |book| book.planned_again(number, &by, &counted)).await?)
    }

    /// Once over everybody who waits: how many were planned again.
    async fn pass(&mut self) -> Result<u64, ApiError> {
        let (mut planned, mut refused, mut after) = (0, 0, Some(InteractionId(0)));
        while let Some(from) = after.filter(|_| self.is_in_force()) {
            let seen = self.tenant.shard.read(move |shard| shard.waiting_after(from, LOOKED_AT)).await?;
            let (waiting, next) = seen.value;
            let counted = self.batch(waiting).await?;
            (planned, refused, after) = (planned + counted.planned, refused + counted.refused, next);
        }
        self.counted.planned += planned;
        // Those who are refused are looked at in every pass.
        self.counted.refused = refused;
        observe::planned_again(&self.tenant.name, planned);
        Ok(planned)
    }

    async fn batch(&self, waiting: Vec<Arc<Interaction>>) -> Result<Counted, ApiError> {
        let version = self.ruling.rules.version();
        let beside = self.tenant.rules.beside().map(|beside| beside.ruling.rules.version());
        let due = |one: &Arc<Interaction>| {
            one.plan.rule_set != version && Some(one.plan.rule_set) != beside && may_be_planned_again(one)
        };
        let waiting: Vec<_> = waiting.into_iter().filter(due).collect();
        let mut planner = Planner::new(&self.tenant, &self.ruling);
        planner.look_up(&waiting).await?;
        let (planner, mut waiting) = (Arc::new(planner), waiting.into_iter());
        let (mut asked, mut counted) = (JoinSet::new(), Counted::default());
        while self.is_in_force() {
            let few: Vec<_> = waiting.by_ref().take(AT_ONCE).collect();
            if few.is_empty() {
                break;
            }
            let planner = planner.clone();
            let commands =
                aside(move || few.iter().map(|one| planner.command(one)).collect::<Vec<_>>()).await;
            // These were planned while the shard was at the ones before.
            counted.add(&mut asked).await?;
            for command in commands {
                match command {
                    Some(command) => drop(asked.spawn(ask(self.tenant.clone(), command))),
                    None => counted.refused += 1,
                }
            }
        }
        counted.add(&mut asked).await?;
        Ok(counted)
    }
}

impl Counted {
    /// What came of those that were asked for, when all are answered.
    async fn add(&mut self, asked: &mut JoinSet<Result<(), AskError>>) -> Result<(), ApiError> {
        while let Some(answer) = asked.join_next().await {
            match answer.expect("asking does not panic") {
                Ok(()) => self.planned += 1,
                Err(AskError::Refused(_)) => self.refused += 1,
                Err(stopped) => return Err(stopped.into()),
            }
        }
        Ok(())
    }
}

/// Plans one who waits again with the rules in force, as all that is known by now has it. False: it is not done.
pub async fn plan_one_again(tenant: &Arc<Tenant>, interaction: InteractionId) -> bool {
    let ruling = tenant.rules.now();
    let Ok(seen) = tenant.shard.read(move |shard| shard.interaction_shared(interaction)).await else {
        return false;
    };
    let of_these = |one: &Arc<Interaction>| one.plan.rule_set == ruling.rules.version();
    let Some(subject) = seen.value.filter(|one| of_these(one) && may_be_planned_again(one)) else {
        return false;
    };
    let waiting = [subject];
    let mut planner = Planner::new(tenant, &ruling);
    if planner.look_up(&waiting).await.is_err() {
        return false;
    }
    let Some(command) = waiting.iter().find_map(|one| planner.command(one)) else { return false };
    ask(tenant.clone(), command).await.is_ok()
}

/// A shard with much to do is asked again.
async fn ask(tenant: Arc<Tenant>, command: Command) -> Result<(), AskError> {
    loop {
        match tenant.shard.ask(command.clone(), None).await {
            Err(AskError::Busy) => sleep(AGAIN_AFTER).await,
            answer => return answer.map(drop),
        }
    }
}
