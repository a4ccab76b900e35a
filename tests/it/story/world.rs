//! Tells the lines of a story to an engine. Names are bound by the story: `submit c1` calls whatever interaction
//! comes of it c1; offers and assignments are o1, a1 and so on, by their ids.
//!
//! What only sets the scene (a queue, an agent who signs in) says nothing unless an offer comes of it. Admissions are
//! not repeated either: each is followed at once by an offer or by why there is none.

use super::words::{Words, seconds_ms, span_ms};
use super::{look, render};
use baton::engine::command::{Answer, Command, Refusal};
use baton::engine::event::{Event, Stamped};
use baton::engine::explain::Candidate;
use baton::engine::ids::{
    AgentKey, AssignmentId, GroupKey, HoursKey, InteractionId, OfferId, PoolKey, QueueKey, Sequence,
    SessionId,
};
use baton::engine::route::Route;
use baton::engine::shard::Shard;
use baton::engine::time::Time;
use std::collections::BTreeMap;

/// When every story begins that does not say otherwise.
const START: Time = Time(1_000_000_000_000);
/// After a story its state and what the events alone led to must go on alike for so long, ms.
const GOES_ON_MS: u64 = 2 * 3_600_000;

/// An engine in the middle of a story.
pub struct World {
    pub shard: Shard,
    /// What the story calls an interaction.
    pub names: BTreeMap<InteractionId, String>,
    /// Who was in which conversation, also after it is over.
    pub parts: BTreeMap<AssignmentId, (InteractionId, AgentKey)>,
    /// How submits to a queue are routed from now on.
    pub routes: BTreeMap<QueueKey, Route>,
    pub start: Time,
    pub clock: Time,
    pub sessions: u64,
    /// What the last definition was answered with.
    pub etag: u64,
    /// The name given to what is being submitted.
    pub newcomer: String,
    /// The last answer, if it was no refusal.
    pub answer: Option<Answer>,
    /// Which interaction a name means.
    called: BTreeMap<String, InteractionId>,
    /// Everybody as a candidate, at each decision.
    pub judged: BTreeMap<Sequence, Vec<Candidate>>,
    /// The events alone, applied as they come.
    follower: Shard,
    /// All that happened so far.
    pub journal: Vec<Stamped>,
}

pub type Told = Result<Vec<String>, String>;

impl World {
    pub fn new() -> World {
        let mut world = World {
            shard: Shard::new(),
            names: BTreeMap::new(),
            parts: BTreeMap::new(),
            routes: BTreeMap::new(),
            start: START,
            clock: START,
            sessions: 0,
            etag: 0,
            newcomer: String::new(),
            answer: None,
            called: BTreeMap::new(),
            judged: BTreeMap::new(),
            follower: Shard::new(),
            journal: Vec::new(),
        };
        world.pool("default").expect("the first pool can be defined");
        world
    }

    /// One line of the story, and what is told of it.
    pub fn tell(&mut self, line: &str) -> Told {
        let mut words = Words::of(line);
        let verb = words.word("the verb")?;
        let told = self.time_verb(verb, &mut words)?;
        words.end()?;
        self.check()?;
        Ok(told)
    }

    fn time_verb(&mut self, verb: &str, words: &mut Words) -> Told {
        match verb {
            "begin" => self.begin(words.word("the moment")?),
            "at" => self.pass(self.start.after(seconds_ms(words.word("the time")?)?)),
            "wait" => self.pass(self.clock.after(span_ms(words.word("how long")?)?)),
            "stall" => {
                // Time goes by, and nobody tells the engine.
                self.clock = self.clock.after(span_ms(words.word("how long")?)?);
                Ok(Vec::new())
            }
            "restart" => {
                self.clock = self.clock.after(words.span("after", 0)?);
                self.ask(Command::Restart)
            }
            "explain" => Ok(look::judged(self, self.interaction(words)?)),
            "line" => Ok(look::line(self, self.queue_key(words.word("the queue")?)?)),
            "books" => Ok(look::books(self, self.queue_key(words.word("the queue")?)?)),
            "show" => look::shown(self, words.word("whom or what")?),
            other => self.floor_verb(other, words),
        }
    }

    /// The story begins at a moment of the calendar instead.
    fn begin(&mut self, moment: &str) -> Told {
        let begins: jiff::Timestamp = moment.parse().map_err(|_| format!("{moment} is no moment"))?;
        let ms = u64::try_from(begins.as_millisecond()).map_err(|_| "the story begins before 1970")?;
        self.start = Time(ms);
        self.pass(self.start)
    }

    /// What holds at every moment: the events alone lead to the same state, and every queue's books are right.
    fn check(&self) -> Result<(), String> {
        if self.follower.digest() != self.shard.digest() {
            return Err("the events give another state when they are applied again".into());
        }
        for (key, queue) in self.shard.floor().queues.entries().iter().enumerate() {
            let key = QueueKey(u16::try_from(key).expect("queue keys are u16"));
            let books = self.shard.tally().of(key);
            let came = books.entered + books.moved_in + books.transferred_in;
            let left = books.abandoned + books.cancelled + books.timed_out + books.sent_away;
            let went = books.answered + left + books.moved_out + u64::from(books.unanswered());
            if came != went {
                return Err(format!("the books of {} are wrong: {came} came, {went} went", queue.name));
            }
            if books.waiting != self.shard.lines().waiting(key) {
                return Err(format!("the books of {} count others than wait", queue.name));
            }
        }
        Ok(())
    }

    /// Restored from its events, the engine goes on as the one that lived through them.
    pub fn check_recovery(&self) -> Result<(), String> {
        let go_on = |shard: &Shard| {
            let (mut shard, mut events) = (shard.clone(), Vec::new());
            let answer = shard.step(self.clock.after(GOES_ON_MS), Command::Tick, &mut events);
            (answer, events)
        };
        let alike = go_on(&self.shard) == go_on(&self.follower);
        alike.then_some(()).ok_or("restored from its events, the engine goes on otherwise".into())
    }

    // ---- the engine ----

    /// Asks the engine, and tells all that happened.
    pub fn ask(&mut self, command: Command) -> Told {
        let (answer, events) = self.step(command);
        self.answer = answer.as_ref().ok().copied();
        let mut told = render::events(self, &events);
        match answer {
            Err(refusal) => told.push(render::refused(self, &refusal)),
            Ok(answer) if events.is_empty() => told.push(render::answered(self, answer)),
            Ok(_) => {}
        }
        Ok(told)
    }

    pub fn step(&mut self, command: Command) -> (Result<Answer, Refusal>, Vec<Stamped>) {
        let mut events = Vec::new();
        let answer = self.shard.step(self.clock, command, &mut events);
        for stamped in &events {
            if let Event::Accepted { offer, assignment, .. } = &stamped.event {
                let ended = self.shard.ended_offer(*offer).expect("an accepted offer is remembered");
                self.parts.insert(*assignment, (ended.interaction, ended.agent));
            }
            self.judge(stamped);
            self.follower.apply(stamped);
            self.journal.push(stamped.clone());
        }
        (answer, events)
    }

    /// Judges everybody again from the events before a decision, as whoever asks for its why gets it.
    fn judge(&mut self, stamped: &Stamped) {
        if let Event::Offered { interaction, .. } | Event::Waits { interaction, .. } = stamped.event {
            let before = self.follower.clone().looked_at(stamped.time);
            self.judged.insert(stamped.sequence, before.judge(interaction));
        }
    }

    fn pass(&mut self, time: Time) -> Told {
        if time < self.clock {
            return Err("the story is later than that already".into());
        }
        self.clock = time;
        let (_, events) = self.step(Command::Tick);
        Ok(render::events(self, &events))
    }

    /// Sets the scene: only what it leads to is told.
    pub fn set(&mut self, command: Command) -> Told {
        let scenery = |event: &Event| {
            matches!(
                event,
                Event::Defined { .. } | Event::SessionOpened { .. } | Event::PresenceChanged { .. }
            )
        };
        let (answer, events) = self.step(command);
        if let Ok(Answer::Defined { revision, .. }) = answer {
            self.etag = revision;
        }
        let events: Vec<Stamped> = events.into_iter().filter(|stamped| !scenery(&stamped.event)).collect();
        let mut told = render::events(self, &events);
        told.extend(answer.err().map(|refusal| render::refused(self, &refusal)));
        Ok(told)
    }

    // ---- names ----

    /// From now on the name means this interaction; one that joined another is called by both names.
    pub fn call(&mut self, name: &str, interaction: InteractionId) {
        self.names.entry(interaction).or_insert_with(|| name.to_owned());
        self.called.insert(name.to_owned(), interaction);
    }

    /// The interaction of a name.
    pub fn called(&self, name: &str) -> Option<InteractionId> {
        self.called.get(name).copied()
    }

    /// A name nobody has is an id nobody has.
    pub fn interaction(&self, words: &mut Words) -> Result<InteractionId, String> {
        let name = words.word("the interaction")?;
        Ok(self.called(name).unwrap_or(InteractionId(u64::MAX)))
    }

    pub fn agent_key(&self, name: &str) -> Result<AgentKey, String> {
        self.shard.floor().agents.key(name).map(AgentKey).ok_or(format!("there is no agent {name}"))
    }

    /// The agent, and the session: the last one, or the one given.
    pub fn session(&self, words: &mut Words) -> Result<(AgentKey, SessionId), String> {
        let agent = self.agent_key(words.word("the agent")?)?;
        let last = self.shard.agent(agent).and_then(|agent| agent.session).map_or(0, |session| session.0);
        Ok((agent, SessionId(words.number("session", last)?)))
    }

    pub fn pool_key(&self, words: &mut Words) -> Result<PoolKey, String> {
        let name = words.setting("pool").unwrap_or("default");
        small(self.shard.floor().pools.key(name), "pool", name).map(PoolKey)
    }

    pub fn queue_key(&self, name: &str) -> Result<QueueKey, String> {
        small(self.shard.floor().queues.key(name), "queue", name).map(QueueKey)
    }

    pub fn group_key(&self, name: &str) -> Result<GroupKey, String> {
        small(self.shard.floor().groups.key(name), "group", name).map(GroupKey)
    }

    pub fn hours_key(&self, name: &str) -> Result<HoursKey, String> {
        small(self.shard.floor().hours.key(name), "hours", name).map(HoursKey)
    }
}

fn small(key: Option<u32>, kind: &str, name: &str) -> Result<u16, String> {
    let key = key.ok_or(format!("there is no {kind} {name}"))?;
    Ok(u16::try_from(key).expect("but for agents, keys are u16"))
}

/// `o1`, `a1`, `#7`.
fn number(words: &mut Words, letter: char) -> Result<u64, String> {
    numbered(words.word("the id")?, letter)
}

fn numbered(word: &str, letter: char) -> Result<u64, String> {
    let number = word.strip_prefix(letter).and_then(|number| number.parse().ok());
    number.ok_or(format!("{word}: want {letter} and a number"))
}

pub fn offer(words: &mut Words) -> Result<OfferId, String> {
    number(words, 'o').map(OfferId)
}

pub fn assignment(words: &mut Words) -> Result<AssignmentId, String> {
    number(words, 'a').map(AssignmentId)
}

/// An assignment in a setting: `with=a2`.
pub fn assignment_in(words: &mut Words, name: &str) -> Result<Option<AssignmentId>, String> {
    words.setting(name).map(|word| numbered(word, 'a').map(AssignmentId)).transpose()
}
