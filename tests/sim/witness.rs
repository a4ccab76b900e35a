//! Who writes down what was committed, on paper of its own, and holds everything else against it.

use super::drawn::GHOST;
use baton::engine::agent::Agent;
use baton::engine::capacity::Holder;
use baton::engine::event::{Ending, Event, RescindCause, Stamped};
use baton::engine::explain::Exclusion;
use baton::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId, QueueKey, Text};
use baton::engine::interaction::{Interaction, Part, Standing, State, Until};
use baton::engine::named::Named;
use baton::engine::score::{Place, place};
use baton::engine::shard::Shard;
use baton::engine::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// More events than this in one step are a loop.
pub const EVENTS_OF_A_STEP_MAX: usize = 2_000;

/// What an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct About {
    pub interaction: Option<InteractionId>,
    pub agent: Option<AgentKey>,
}

/// An offer, and its ending once it has one.
#[derive(Clone, Copy, Debug)]
struct Asked {
    interaction: InteractionId,
    agent: AgentKey,
    ending: Option<(Ending, Option<RescindCause>, Option<AssignmentId>)>,
}

#[derive(Default)]
pub struct Witness {
    /// Everything committed, in order.
    pub log: Vec<(Rc<Stamped>, About)>,
    offers: BTreeMap<OfferId, Asked>,
    assignments: BTreeMap<AssignmentId, (InteractionId, AgentKey)>,
    entered: BTreeMap<InteractionId, Time>,
    by_external: BTreeMap<(Text, Text), InteractionId>,
    /// What clients were told: submits and accepts that succeeded.
    admissions: BTreeMap<(Text, Text), InteractionId>,
    accepts: BTreeMap<OfferId, AssignmentId>,
    /// The highest sequence anybody was told of.
    told: u64,
}

impl Witness {
    /// Hears a committed event.
    pub fn hear(&mut self, stamped: &Stamped) -> About {
        assert_eq!(stamped.sequence.0, self.log.len() as u64 + 1, "events are committed in order, once");
        let about = self.about(&stamped.event);
        self.log.push((Rc::new(stamped.clone()), about));
        about
    }

    fn about(&mut self, event: &Event) -> About {
        let of = |interaction: &InteractionId| About { interaction: Some(*interaction), agent: None };
        match event {
            Event::Admitted(admitted) => {
                let (source, external) = (admitted.source.clone(), admitted.external_id.clone());
                let old = self.by_external.insert((source, external), admitted.interaction);
                assert_eq!(old, None, "one interaction per external id");
                of(&admitted.interaction)
            }
            Event::Offered { offer, interaction, agent, .. } => {
                let asked = Asked { interaction: *interaction, agent: *agent, ending: None };
                assert!(self.offers.insert(*offer, asked).is_none(), "an offer opens once");
                About { interaction: Some(*interaction), agent: Some(*agent) }
            }
            Event::Accepted { offer, assignment, .. } => {
                let about = self.end_offer(*offer, Ending::Accepted, None, Some(*assignment));
                let pair = about.interaction.zip(about.agent).expect("an offer is about both");
                assert!(self.assignments.insert(*assignment, pair).is_none(), "an assignment begins once");
                about
            }
            Event::Declined { offer, .. } => self.end_offer(*offer, Ending::Declined, None, None),
            Event::Expired { offer, .. } => self.end_offer(*offer, Ending::Expired, None, None),
            Event::Rescinded { offer, cause } => {
                self.end_offer(*offer, Ending::Rescinded, Some(*cause), None)
            }
            other => match other.names() {
                Named::Assignment(assignment) => self.of_assignment(assignment),
                Named::Interaction(interaction) => of(&interaction),
                Named::Agent(agent) => About { interaction: None, agent: Some(agent) },
                Named::Offer(_) => unreachable!("each ending of an offer is written down above"),
                Named::Nobody => About::default(),
            },
        }
    }

    fn of_assignment(&self, assignment: AssignmentId) -> About {
        let (interaction, agent) = self.assignments[&assignment];
        About { interaction: Some(interaction), agent: Some(agent) }
    }

    fn end_offer(
        &mut self,
        offer: OfferId,
        ending: Ending,
        cause: Option<RescindCause>,
        assignment: Option<AssignmentId>,
    ) -> About {
        let asked = self.offers.get_mut(&offer).expect("an offer opens before it ends");
        assert!(asked.ending.is_none(), "an offer has one ending, {offer} has {:?}", asked.ending);
        asked.ending = Some((ending, cause, assignment));
        About { interaction: Some(asked.interaction), agent: Some(asked.agent) }
    }

    /// Somebody was told what was true at `sequence`.
    pub fn told(&mut self, sequence: u64) {
        assert!(sequence <= self.log.len() as u64, "told of {sequence} before it was committed");
        self.told = self.told.max(sequence);
    }

    /// A client was told that its submit is admitted, or joined another.
    pub fn admission_told(&mut self, source: &Text, external: &Text, interaction: InteractionId) {
        let before = self.admissions.insert((source.clone(), external.clone()), interaction);
        assert!(before.is_none_or(|before| before == interaction), "the same answer to the same submit");
    }

    pub fn accept_told(&mut self, offer: OfferId, assignment: AssignmentId) {
        let before = self.accepts.insert(offer, assignment);
        assert!(before.is_none_or(|before| before == assignment), "the same answer to the same accept");
        self.check_ending(offer, Ending::Accepted);
    }

    /// What a late answer was told of its offer is true.
    pub fn check_ending(&self, offer: OfferId, told: Ending) {
        let ending = self.offers.get(&offer).and_then(|asked| asked.ending).map(|(ending, _, _)| ending);
        assert_eq!(ending, Some(told), "what a client was told of offer {offer}");
    }

    pub fn check_taken(&self, offer: OfferId, by_another: bool) {
        let Some((_, cause, _)) = self.offers.get(&offer).and_then(|asked| asked.ending) else {
            panic!("offer {offer} was said to be taken back, and is open");
        };
        assert_eq!(
            cause == Some(RescindCause::TakenByAnother),
            by_another,
            "why offer {offer} was taken back"
        );
    }

    /// After a recovery: everything told is there, with the same meaning.
    pub fn check_recovered(&self, shard: &Shard) {
        assert!(shard.sequence().0 >= self.told, "told of {}, recovered {}", self.told, shard.sequence().0);
        for (offer, assignment) in &self.accepts {
            let ended = shard.ended_offer(*offer).expect("an accept that was answered is remembered");
            assert_eq!((ended.ending, ended.assignment), (Ending::Accepted, Some(*assignment)));
        }
        for ((source, external), interaction) in &self.admissions {
            let subject = shard.interaction(*interaction);
            let subject = subject.unwrap_or_else(|| panic!("{external} was admitted and is lost"));
            let joined =
                subject.attached().iter().any(|one| one.source == *source && one.external_id == *external);
            let own = subject.source == *source && subject.external_id == *external;
            assert!(own || joined, "{external} was admitted as another");
        }
    }

    /// What holds after every commit, cheap enough for each.
    pub fn check_books(&self, shard: &Shard) {
        for key in 0..shard.floor().queues.entries().len() {
            let queue = QueueKey(u16::try_from(key).expect("floors are small"));
            let books = shard.tally().of(queue);
            let came = books.entered + books.moved_in + books.transferred_in;
            let left = books.answered + books.abandoned + books.cancelled + books.timed_out + books.sent_away;
            let in_line = u64::from(books.unanswered());
            assert_eq!(came, left + books.moved_out + in_line, "the books of queue {queue}: {books:?}");
        }
    }

    /// Every interaction and every claim, each where it must be.
    pub fn check_all(&mut self, shard: &Shard) {
        let open: Vec<&Interaction> = (1..=shard.last_interaction().0)
            .filter_map(|id| shard.interaction(InteractionId(id)))
            .filter(|subject| !subject.state.is_over() || !subject.assignments.is_empty())
            .collect();
        let mut claims = BTreeSet::new();
        for agent in shard.agents() {
            for claim in agent.ledger.claims() {
                assert!(claims.insert((claim.holder, agent.key)), "a holder claims once");
            }
        }
        for subject in &open {
            let entered = *self.entered.entry(subject.id).or_insert(subject.entered);
            assert_eq!(subject.entered, entered, "interaction {} lost its place", subject.id);
            check_state(shard, subject);
            check_times(shard, subject);
            for offer in &subject.offers {
                let agent = shard.offer(*offer).expect("it is open").agent;
                assert!(claims.remove(&(Holder::Offer(*offer), agent)), "offer {offer} claims nothing");
            }
            for id in &subject.assignments {
                let part = shard.assignment(*id).expect("it is not over");
                let holder = if part.talks() { Holder::Assignment(*id) } else { Holder::WrapUp(*id) };
                assert_ne!(claims.remove(&(holder, part.agent)), part.interrupted, "the claim of {id}");
            }
        }
        assert!(claims.is_empty(), "claims without work: {claims:?}");
        check_places(shard);
        let waiting = open.iter().filter(|subject| subject.standing.is_some());
        for subject in waiting {
            for agent in shard.agents() {
                let exclusion = shard.exclusion(agent, subject);
                assert!(exclusion.is_some(), "{} waits beside agent {}, who is free", subject.id, agent.key);
            }
        }
    }
}

/// After a step: who was offered something has room for it, unless somebody said that it may go beyond.
pub fn check_room(shard: &Shard, events: &[Stamped]) {
    let asked = events.iter().filter_map(|stamped| match &stamped.event {
        Event::Offered { agent, interaction, overdraw: None, .. } => Some((*agent, *interaction)),
        _ => None,
    });
    for (key, interaction) in asked {
        let (agent, spec) = (shard.agent(key).expect("it was asked"), shard.capacity_of(key));
        let claims = agent.ledger.claims();
        if claims.iter().any(|claim| claim.overdraw.is_some()) {
            continue;
        }
        let used = agent.ledger.used();
        assert!(used <= u32::from(spec.units), "agent {key} uses {used} of {}", spec.units);
        let channel = shard.interaction(interaction).expect("it was offered").channel;
        let (count, limit) = (agent.ledger.count(channel), spec.of(channel).limit);
        assert!(count <= limit, "agent {key} has {count} of {channel:?}, and may have {limit}");
        assert!(agent.ledger.offers() <= spec.open_offers_max, "agent {key} is asked too much at once");
    }
}

/// Whoever stands in a line stands at the own place, in that line alone.
fn check_places(shard: &Shard) {
    let lanes = shard.lines().lanes().map(|(key, lane)| (Standing::Lane(key), lane.waiting()));
    for (line, places) in lanes {
        places.for_each(|found| check_place(shard, line, *found));
    }
    for agent in shard.agents() {
        agent.line.iter().for_each(|found| check_place(shard, Standing::Agent(agent.key), *found));
    }
}

fn check_place(shard: &Shard, line: Standing, found: Place) {
    let subject = shard.interaction(found.3).expect("who stands in line exists");
    assert_eq!(found, place(subject), "interaction {} moved and its place did not", subject.id);
    assert_eq!(subject.standing, Some(line), "interaction {} stands elsewhere too", subject.id);
}

fn check_state(shard: &Shard, subject: &Interaction) {
    let (id, state) = (subject.id, subject.state);
    let talking: Vec<_> = subject
        .assignments
        .iter()
        .map(|id| shard.assignment(*id).expect("it is not over"))
        .filter(|part| part.talks())
        .collect();
    let owners = talking.iter().filter(|part| part.part == Part::Owner).count();
    let served = state == State::Handling || (state == State::Parked && subject.owner.is_some());
    assert_eq!(owners, usize::from(served), "interaction {id}, {state:?}, has {owners} owners");
    assert!(served || talking.is_empty(), "interaction {id}, {state:?}, and somebody talks");
    assert_eq!(subject.owner.is_some(), served, "interaction {id}, {state:?}: its owner");
    let stands = subject.standing.is_some();
    let sought = subject.seek().is_some() && subject.offers.is_empty();
    assert_eq!(stands, state == State::Waiting || sought, "interaction {id}, {state:?}: in line");
    assert!(subject.seek().is_none() || served, "interaction {id}, {state:?}, seeks a second agent");
    if subject.seek().is_none() {
        assert_eq!(
            !subject.offers.is_empty(),
            state == State::Offered,
            "interaction {id}, {state:?}: offers"
        );
    }
    assert_eq!(
        state == State::Scheduled,
        subject.scheduled().is_some(),
        "interaction {id}, {state:?}: until"
    );
}

/// Nothing that has a time was passed over by the clock.
fn check_times(shard: &Shard, subject: &Interaction) {
    let (id, now) = (subject.id, shard.now());
    // What is armed late fires with the next step.
    if shard.next_deadline().is_some_and(|due| due <= now) {
        return;
    }
    for offer in subject.offers.iter().filter_map(|offer| shard.offer(*offer)) {
        assert!(offer.expires >= now, "offer {} should have expired", offer.id);
    }
    for part in subject.assignments.iter().filter_map(|part| shard.assignment(*part)) {
        assert!(part.wrap_up_until.is_none_or(|until| until >= now), "the wrap-up of {} is over", part.id);
    }
    let spec = shard.floor().queues.get(u32::from(subject.queue().0)).map(|entry| &entry.spec);
    let open = spec.and_then(|spec| shard.phase(spec.hours?)).is_none_or(|phase| phase.open);
    match subject.scheduled() {
        Some(Until::At(at)) => assert!(at >= now, "interaction {id} was due"),
        Some(Until::Opening) => assert!(!open, "interaction {id} waits for an opening that was"),
        None => {}
    }
    if subject.state == State::Waiting {
        assert!(
            subject.wanted.is_none_or(|wanted| wanted.until >= now),
            "interaction {id} waits for one too long"
        );
        let max = subject.route().max_wait_ms.map(|ms| subject.waits_from.after(ms));
        assert!(subject.overdue || max.is_none_or(|max| max >= now), "interaction {id} is overdue");
    }
}

/// Nobody can take it, and that will not change by itself.
pub fn never_served(shard: &Shard, subject: &Interaction) -> bool {
    let barred = |agent: &Agent| {
        matches!(
            shard.exclusion(agent, subject),
            Some(
                Exclusion::OtherPool
                    | Exclusion::SkillMissing { .. }
                    | Exclusion::ProficiencyTooLow { .. }
                    | Exclusion::OtherGroup
                    | Exclusion::ChannelLimit
                    | Exclusion::DailyMaximum
            )
        ) || shard.floor().agents.get(agent.key.0).is_some_and(|entry| *entry.name == *GHOST)
            || too_small(shard, agent, subject)
    };
    subject.standing.is_some() && shard.agents().iter().all(|agent| barred(agent))
}

fn too_small(shard: &Shard, agent: &Agent, subject: &Interaction) -> bool {
    let spec = shard.capacity_of(agent.key);
    agent.is_empty_handed() && spec.of(subject.channel).units > spec.units
}
