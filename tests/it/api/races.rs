//! Who comes first when many come at once: accept against expiry, against the customer who leaves, against a
//! supervisor and against a colleague; and a maximum under a rush. Through the real runtime, with many threads; the
//! order is whatever it happens to be, and every answer must agree with what the journal says came of it.

use baton::customers::{Customers, MemoryStore};
use baton::engine::agent::Presence;
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Command, Leaving, Refusal, Submit, Write};
use baton::engine::event::{EndedBy, Ending, Event, RescindCause, Stamped};
use baton::engine::floor::{AgentSpec, Definition, QueueSpec};
use baton::engine::ids::{
    AgentKey, AssignmentId, InteractionId, OfferId, PoolKey, QueueKey, Sequence, SessionId, Text,
};
use baton::engine::interaction::State;
use baton::engine::plan::{Facts, Goals, Plan};
use baton::engine::policy::PoolSpec;
use baton::engine::route::Route;
use baton::engine::time::Time;
use baton::journal::{Batch, Fault, Journal, Key, Memory, RecordRef, WrappedKey};
use baton::runtime::inbox::{AskError, Seen, ShardHandle};
use baton::runtime::start::{Beside, Running, start};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

/// Interactions that are raced for.
const ROUNDS: u64 = 10_000;
/// So many at once, each on a small floor of its own.
const FLOORS: u16 = 20;
/// Engine time runs so much faster than life: an offer of 60 ms is open about as long as an answer takes.
const SPEED: u32 = 1_000;
const OFFER_EXPIRIES_MS: [u64; 5] = [0, 60, 200, 1_000, 3_600_000];

/// A journal that can still be read when the shard has it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Memory>>);

impl Shared {
    fn with<T>(&self, ask: impl FnOnce(&mut Memory) -> T) -> T {
        ask(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn events(&self) -> Vec<Stamped> {
        let mut events = Vec::new();
        let read = self.read(1, &mut |record| {
            let event = record.event::<Event>().expect("it was encoded by this build");
            events.push(Stamped { sequence: Sequence(record.sequence), time: Time(record.time_ms), event });
            ControlFlow::Continue(())
        });
        read.expect("memory cannot fail");
        events
    }
}

impl Journal for Shared {
    fn append(&mut self, batch: &Batch) -> Result<(), Fault> {
        self.with(|journal| journal.append(batch))
    }

    fn read(&self, from: u64, visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>) -> Result<(), Fault> {
        self.with(|journal| journal.read(from, visit))
    }

    fn first_sequence(&self) -> u64 {
        self.with(|journal| journal.first_sequence())
    }

    fn let_go(&mut self, upto: u64) {
        self.with(|journal| journal.let_go(upto));
    }

    fn erasures_seen(&self) -> Result<u64, Fault> {
        self.with(|journal| journal.erasures_seen())
    }

    fn note_erasures(&mut self, count: u64) -> Result<(), Fault> {
        self.with(|journal| journal.note_erasures(count))
    }

    fn last_sequence(&self) -> u64 {
        self.with(|journal| journal.last_sequence())
    }

    fn last_time_ms(&self) -> u64 {
        self.with(|journal| journal.last_time_ms())
    }

    fn wrap(&mut self, interaction: u64, key: &Key) -> Result<WrappedKey, Fault> {
        self.with(|journal| journal.wrap(interaction, key))
    }

    fn key(&self, interaction: u64, wrapped: &WrappedKey) -> Result<Option<Key>, Fault> {
        self.with(|journal| journal.key(interaction, wrapped))
    }

    fn destroy_keys(&mut self, interactions: &[u64]) -> Result<(), Fault> {
        self.with(|journal| journal.destroy_keys(interactions))
    }
}

fn running(journal: &Shared, speed: u32) -> Running {
    let customers = Customers::start(Box::new(MemoryStore::new())).expect("memory cannot fail");
    start(Box::new(journal.clone()), customers, &[], speed, true, "races", Beside::default())
        .expect("nothing to recover")
}

async fn done(handle: &ShardHandle, command: Command) -> Answer {
    handle.ask(command, None).await.expect("nothing stands against it").value
}

fn define(name: String, definition: Definition) -> Command {
    Command::Define { name: name.into(), definition, write: Write::Create }
}

fn submit(queue: QueueKey, number: u64) -> Command {
    let goals = Goals { short_abandon_ms: 0, ..Goals::plain() };
    let key = u128::from(number) + 1;
    Command::Submit(Box::new(Submit {
        keys: [Some(key), None],
        content: key,
        source: "races".into(),
        external_id: number.to_string().into(),
        channel: Channel::Chat,
        facts: Facts::default(),
        plan: Plan::plain(1, Route::plain(queue, Vec::new()), 0, goals).into(),
    }))
}

/// What came of an offer, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct End {
    sequence: Sequence,
    ending: Ending,
    cause: Option<RescindCause>,
    assignment: Option<AssignmentId>,
}

/// The endings by the journal: each offer has one.
fn endings(events: &[Stamped]) -> BTreeMap<OfferId, End> {
    let mut open: BTreeMap<OfferId, Option<End>> = BTreeMap::new();
    for Stamped { sequence, event, .. } in events {
        let (offer, ending, cause, assignment) = match event {
            Event::Offered { offer, .. } => {
                assert!(open.insert(*offer, None).is_none(), "an offer opens once");
                continue;
            }
            Event::Accepted { offer, assignment, .. } => (offer, Ending::Accepted, None, Some(*assignment)),
            Event::Declined { offer, .. } => (offer, Ending::Declined, None, None),
            Event::Expired { offer, .. } => (offer, Ending::Expired, None, None),
            Event::Rescinded { offer, cause } => (offer, Ending::Rescinded, Some(*cause), None),
            _ => continue,
        };
        let end = End { sequence: *sequence, ending, cause, assignment };
        let before = open.get_mut(offer).expect("an offer opens before it ends").replace(end);
        assert_eq!(before, None, "offer {offer} ends once");
    }
    open.into_iter().map(|(offer, end)| (offer, end.expect("every offer has ended"))).collect()
}

/// What a racer asked, and was told.
struct Told {
    offer: Option<OfferId>,
    accepts: bool,
    answer: Result<Seen<Answer>, AskError>,
}

/// A small floor with its agents, and what is raced for on it.
#[derive(Clone)]
struct Course {
    handle: ShardHandle,
    queue: QueueKey,
    agents: [AgentKey; 2],
}

impl Course {
    async fn new(handle: &ShardHandle, number: u16) -> Course {
        let pool = PoolKey(number + 1);
        let display_name = Text::from("pool");
        done(handle, define(format!("p{number}"), Definition::Pool(PoolSpec::listed(display_name).into())))
            .await;
        let spec = QueueSpec {
            offer_expiry_ms: OFFER_EXPIRIES_MS[usize::from(number) % OFFER_EXPIRIES_MS.len()],
            broadcast: 1 + number / 5 % 2,
            ..QueueSpec::plain("queue".into(), pool, Vec::new())
        };
        done(handle, define(format!("q{number}"), Definition::Queue(spec))).await;
        let mut agents = [AgentKey(0); 2];
        for (place, key) in agents.iter_mut().enumerate() {
            let spec = AgentSpec::plain("agent".into(), pool, Vec::new());
            let defined = done(handle, define(format!("a{number}-{place}"), Definition::Agent(spec))).await;
            let Answer::Defined { key: defined, .. } = defined else { panic!("it is defined") };
            *key = AgentKey(defined);
            done(handle, Command::OpenSession { agent: *key, session: SessionId(1) }).await;
        }
        Course { handle: handle.clone(), queue: QueueKey(number), agents }
    }

    /// One interaction, and everybody who wants something of it at once.
    async fn race(&self, number: u64) -> (InteractionId, Vec<Told>) {
        for agent in self.agents {
            let (presence, reason) = (Presence::Available, Text::default());
            done(&self.handle, Command::SetPresence { agent, presence, reason, by: EndedBy::Agent }).await;
        }
        let admitted = done(&self.handle, submit(self.queue, number)).await;
        let Answer::Admitted { interaction, .. } = admitted else { panic!("it is admitted") };
        let look = self.handle.read(move |shard| {
            shard.interaction(interaction).map(|subject| subject.offers.clone()).unwrap_or_default()
        });
        let offers = look.await.expect("the shard lives").value;
        // Each floor has its own offers, so who races follows from the lap, not from the number.
        let lap = number / u64::from(FLOORS);
        let mut racers = Vec::new();
        for offer in &offers {
            racers.push((Some(*offer), Command::Accept { offer: *offer }));
            racers.push((Some(*offer), Command::Accept { offer: *offer }));
            if lap.is_multiple_of(3) {
                racers.push((Some(*offer), Command::Decline { offer: *offer, reason: Text::default() }));
            }
        }
        if lap % 4 < 2 {
            let leaving = if lap.is_multiple_of(8) { Leaving::Withdrawn } else { Leaving::CustomerLeft };
            racers.push((None, Command::Cancel { interaction, leaving }));
        }
        if lap.is_multiple_of(5) {
            let agent = self.agents[usize::from(lap.is_multiple_of(2))];
            racers.push((None, Command::Assign { interaction, agent, overdraw: true }));
        }
        // Who is asked first is not always first.
        let turned = usize::try_from(lap).expect("rounds are few") % racers.len().max(1);
        racers.rotate_left(turned);
        let racing: Vec<_> = racers
            .into_iter()
            .map(|(offer, command)| {
                let handle = self.handle.clone();
                tokio::spawn(async move {
                    let accepts = matches!(command, Command::Accept { .. });
                    Told { offer, accepts, answer: handle.ask(command, None).await }
                })
            })
            .collect();
        let mut told = Vec::new();
        for racer in racing {
            told.push(racer.await.expect("asking does not panic"));
        }
        (interaction, told)
    }

    /// Ends what is left of it.
    async fn clear(&self, interaction: InteractionId) {
        let cancel = Command::Cancel { interaction, leaving: Leaving::CustomerLeft };
        let Answer::Cancelled { state } = done(&self.handle, cancel).await else {
            panic!("a strange answer")
        };
        assert!(state.is_over(), "it is over, not {state:?}");
    }
}

/// The answer is true: it says what the journal says, and left when that was in it.
fn check(told: &Told, offer: OfferId, end: End) {
    let seen = match &told.answer {
        Ok(Seen { value: Answer::Accepted { assignment, .. }, sequence }) if told.accepts => {
            assert_eq!((end.ending, end.assignment), (Ending::Accepted, Some(*assignment)), "offer {offer}");
            *sequence
        }
        Ok(Seen { value: Answer::Done, sequence }) if !told.accepts => {
            assert_eq!(end.ending, Ending::Declined, "offer {offer}");
            *sequence
        }
        Ok(other) => panic!("a strange answer: {other:?}"),
        Err(AskError::Refused(refusal)) => {
            let taken = end.cause == Some(RescindCause::TakenByAnother);
            let said = match end.ending {
                Ending::Accepted => Refusal::OfferAccepted,
                Ending::Declined => Refusal::OfferDeclined,
                Ending::Expired => Refusal::OfferExpired,
                Ending::Rescinded if taken => Refusal::OfferTaken,
                Ending::Rescinded => Refusal::OfferRescinded,
            };
            assert_eq!(*refusal, said, "offer {offer}");
            return;
        }
        Err(other) => panic!("the runtime turned it away: {other}"),
    };
    assert!(seen >= end.sequence, "an answer leaves with what it says");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_all_who_race_for_an_offer_one_ends_it_and_all_hear_the_truth() {
    let journal = Shared::default();
    let running = running(&journal, SPEED);
    let mut courses = Vec::new();
    for number in 0..FLOORS {
        let course = Course::new(&running.handle, number).await;
        courses.push(tokio::spawn(async move {
            let mut all = Vec::new();
            let mut round = u64::from(number);
            while round < ROUNDS {
                let (interaction, told) = course.race(round).await;
                course.clear(interaction).await;
                all.push((interaction, told));
                round += u64::from(FLOORS);
            }
            all
        }));
    }
    let mut raced = Vec::new();
    for course in courses {
        raced.extend(course.await.expect("a course is run to its end"));
    }
    assert_eq!(raced.len() as u64, ROUNDS);
    let ends = endings(&journal.events());
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for (interaction, told) in &raced {
        let (mut accepted, mut abandoned) = (None, false);
        for one in told {
            match (one.offer, &one.answer) {
                (Some(offer), answer) => {
                    let end = ends[&offer];
                    check(one, offer, end);
                    *outcomes.entry(format!("{:?} {:?}", end.ending, end.cause)).or_default() += 1;
                    if one.accepts && answer.is_ok() {
                        assert!(accepted.is_none_or(|before| before == offer), "{interaction} has one agent");
                        accepted = Some(offer);
                    }
                }
                (None, Ok(Seen { value: Answer::Cancelled { state }, .. })) => {
                    abandoned |= matches!(state, State::Abandoned | State::Cancelled);
                }
                // A supervisor may come too late, or find the agent asked already.
                (None, Ok(_) | Err(AskError::Refused(_))) => {}
                (None, Err(other)) => panic!("the runtime turned it away: {other}"),
            }
        }
        assert!(!(abandoned && accepted.is_some()), "{interaction} left before it was answered, or after");
    }
    let wanted = ["Accepted None", "Declined None", "Expired None"];
    let causes = ["CustomerLeft", "Withdrawn", "TakenByAnother", "Supervisor"];
    let causes = causes.map(|cause| format!("Rescinded Some({cause})"));
    for outcome in wanted.into_iter().chain(causes.iter().map(String::as_str)) {
        assert!(outcomes.contains_key(outcome), "no race ended so: {outcome}, of {outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_rush_fills_a_queue_to_its_maximum_and_not_one_beyond() {
    const MAX: u32 = 1_234;
    let journal = Shared::default();
    let running = running(&journal, 1);
    let spec = QueueSpec { waiting_max: MAX, ..QueueSpec::plain("rush".into(), PoolKey(0), Vec::new()) };
    done(&running.handle, define("rush".into(), Definition::Queue(spec))).await;
    let queue = QueueKey(0);
    let mut asked = Vec::new();
    for number in 0..10_000_u64 {
        let handle = running.handle.clone();
        // Every fifth comes twice.
        let number = if number % 5 == 4 { number - 1 } else { number };
        asked.push(tokio::spawn(async move { (number, handle.ask(submit(queue, number), None).await) }));
        if number % 100 == 0 {
            let handle = running.handle.clone();
            asked.push(tokio::spawn(async move {
                let look = handle.read(move |shard| shard.tally().of(queue).unanswered());
                assert!(look.await.expect("the shard lives").value <= MAX, "never one beyond");
                (number, handle.ask(Command::Tick, None).await)
            }));
        }
    }
    let mut admitted: BTreeMap<u64, InteractionId> = BTreeMap::new();
    let mut full = 0;
    for one in asked {
        match one.await.expect("asking does not panic") {
            (number, Ok(Seen { value: Answer::Admitted { interaction, .. }, .. })) => {
                let before = admitted.insert(number, interaction);
                assert!(before.is_none_or(|before| before == interaction), "{number} is one interaction");
            }
            (_, Ok(Seen { value: Answer::Done, .. })) => {}
            (number, Err(AskError::Refused(Refusal::QueueFull { max: MAX }))) => {
                full += 1;
                assert!(!admitted.contains_key(&number), "{number} was admitted and refused");
            }
            (number, other) => panic!("{number} was told {other:?}"),
        }
    }
    assert_eq!(admitted.len(), MAX as usize, "exactly so many");
    assert!(full > 0);
    let events = journal.events();
    let entered = events.iter().filter(|stamped| matches!(stamped.event, Event::Admitted(_))).count();
    assert_eq!(entered, MAX as usize, "and the journal knows of no other");
}
