//! Tells the lines of a story to an engine. Names are bound by the story: `submit c1` calls whatever interaction
//! comes of it c1; offers and assignments are o1, a1 and so on, by their ids.
//!
//! What only sets the scene (a queue, an agent who signs in) says nothing unless an offer comes of it. Admissions are
//! not repeated either: each is followed at once by an offer or by why there is none.

use super::render;
use super::words::{Words, channel, seconds_ms, span_ms};
use baton::engine::agent::Presence;
use baton::engine::capacity::channels_default;
use baton::engine::command::{Answer, Command, Leaving, Refusal, Submit, Write};
use baton::engine::event::{Event, Stamped};
use baton::engine::floor::{AgentSpec, Definition, Kind, OnAgentLost, OnExpiry, QueueSpec, WrapUp};
use baton::engine::ids::{
    AgentKey, AssignmentId, CustomerId, InteractionId, OfferId, PoolKey, QueueKey, SessionId, SkillKey, Text,
};
use baton::engine::money::Money;
use baton::engine::plan::{Facts, Goals, LastStep, Plan};
use baton::engine::shard::Shard;
use baton::engine::skill::{Requirement, Skill, merged};
use baton::engine::time::Time;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// When every story begins.
pub const START: Time = Time(1_000_000_000_000);

/// An engine in the middle of a story.
pub struct World {
    pub shard: Shard,
    pub names: BTreeMap<InteractionId, String>,
    clock: Time,
    journal: Vec<Stamped>,
    sessions: u64,
    /// What the last definition was answered with.
    etag: u64,
}

/// Whether a name is there already, and the etag given for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    No,
    At(Option<u64>),
}

type Told = Result<Vec<String>, String>;

impl World {
    pub fn new() -> World {
        let mut world = World {
            shard: Shard::new(),
            names: BTreeMap::new(),
            clock: START,
            journal: Vec::new(),
            sessions: 0,
            etag: 0,
        };
        world.pool("default").expect("the first pool can be defined");
        world
    }

    /// One line of the story, and what is told of it.
    pub fn tell(&mut self, line: &str) -> Told {
        let mut words = Words::of(line);
        let told = self.verb(&mut words)?;
        words.end()?;
        Ok(told)
    }

    /// The events alone lead to the same state, with the same timers.
    pub fn check_replay(&self) -> Result<(), String> {
        let mut again = Shard::new();
        self.journal.iter().for_each(|stamped| again.apply(stamped));
        if again.digest() != self.shard.digest() {
            return Err("the events give another state when they are applied again".into());
        }
        if again.next_deadline() != self.shard.next_deadline() {
            return Err("the events arm other timers when they are applied again".into());
        }
        Ok(())
    }

    fn verb(&mut self, words: &mut Words) -> Told {
        match words.word("the verb")? {
            "pool" => self.pool(words.word("the pool")?),
            "queue" => self.queue(words),
            "agent" => self.agent(words),
            "remove" => self.remove(words),
            "at" => self.pass(START.after(seconds_ms(words.word("the time")?)?)),
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
            "submit" => self.submit(words),
            "identify" => {
                let interaction = self.interaction(words)?;
                let customer = CustomerId(number(words, '#')?);
                self.ask(Command::Identify { interaction, customer })
            }
            "leave" => self.cancel(words, Leaving::CustomerLeft),
            "withdraw" => self.cancel(words, Leaving::Withdrawn),
            "accept" => self.ask(Command::Accept { offer: OfferId(number(words, 'o')?) }),
            "decline" => {
                let offer = OfferId(number(words, 'o')?);
                self.ask(Command::Decline { offer, reason: words.rest().into() })
            }
            "complete" => {
                let assignment = AssignmentId(number(words, 'a')?);
                self.ask(Command::Complete { assignment, disposition: words.rest().into() })
            }
            "finish" => self.ask(Command::FinishWrapUp { assignment: AssignmentId(number(words, 'a')?) }),
            "presence" => self.presence(words),
            "connect" => {
                let agent = self.agent_key(words)?;
                self.sessions += 1;
                self.ask(Command::OpenSession { agent, session: SessionId(self.sessions) })
            }
            "resume" => {
                let (agent, session) = self.session(words)?;
                self.ask(Command::OpenSession { agent, session })
            }
            "lose" => {
                let (agent, session) = self.session(words)?;
                self.ask(Command::LoseSession { agent, session })
            }
            "source" => self.ask(Command::OpenSource { source: words.word("the source")?.into() }),
            "lose-source" => self.ask(Command::LoseSource { source: words.word("the source")?.into() }),
            "explain" => Ok(render::judged(self, self.interaction(words)?)),
            "line" => Ok(render::line(self, self.queue_key(words.word("the queue")?)?)),
            "books" => Ok(render::books(self, self.queue_key(words.word("the queue")?)?)),
            other => Err(format!("there is no verb {other}")),
        }
    }

    // ---- the engine ----

    /// Asks the engine, and tells all that happened.
    fn ask(&mut self, command: Command) -> Told {
        let (answer, events) = self.step(command);
        let mut told = render::events(self, &events);
        match answer {
            Err(refusal) => told.push(render::refused(self, &refusal)),
            Ok(answer) if events.is_empty() => told.extend(render::answered(self, answer)),
            Ok(_) => {}
        }
        Ok(told)
    }

    fn step(&mut self, command: Command) -> (Result<Answer, Refusal>, Vec<Stamped>) {
        let mut events = Vec::new();
        let answer = self.shard.step(self.clock, command, &mut events);
        self.journal.extend(events.iter().cloned());
        (answer, events)
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
    fn set(&mut self, command: Command) -> Told {
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

    // ---- the floor ----

    fn define(&mut self, name: &str, known: Known, definition: Definition) -> Told {
        let write = match known {
            Known::No => Write::Create,
            Known::At(revision) => Write::Update { revision },
        };
        self.set(Command::Define { name: name.into(), definition, write })
    }

    fn pool(&mut self, name: &str) -> Told {
        self.define(name, Known::No, Definition::Pool { display_name: name.into() })
    }

    fn queue(&mut self, words: &mut Words) -> Told {
        let name = words.word("the queue")?;
        let on_expiry = match words.setting("on-expiry") {
            None | Some("not-responding") => OnExpiry::NotResponding,
            Some("stay") => OnExpiry::Stay,
            Some(other) => return Err(format!("on-expiry is {other}, want stay or not-responding")),
        };
        let on_agent_lost = match words.setting("on-agent-lost") {
            None | Some("requeue") => OnAgentLost::Requeue,
            Some("keep") => OnAgentLost::Keep,
            Some(other) => return Err(format!("on-agent-lost is {other}, want requeue or keep")),
        };
        let wrap_up = match words.span("wrap-up", 0)? {
            0 => WrapUp::None,
            ms => WrapUp::Timed { ms },
        };
        let spec = QueueSpec {
            display_name: name.into(),
            pool: self.pool_key(words)?,
            requirements: self.requirements(words)?,
            offer_expiry_ms: words.span("expiry", 15_000)?,
            on_expiry,
            on_agent_lost,
            wrap_up,
            waiting_max: words.number("max", 1_000)?,
        };
        let known = self.known(self.shard.floor().queues.key(name), words)?;
        self.define(name, known, Definition::Queue(spec))
    }

    fn agent(&mut self, words: &mut Words) -> Told {
        let name = words.word("the agent")?;
        let pool = self.pool_key(words)?;
        let mut skills = Vec::new();
        for (skill, proficiency) in words.pairs("skills")? {
            skills.push(Skill { skill: self.skill(skill)?, proficiency });
        }
        skills.sort();
        let mut channels = channels_default();
        for (word, units) in words.pairs("units")? {
            channels[channel(word)?.index()].units = units;
        }
        for (word, limit) in words.pairs("limit")? {
            channels[channel(word)?.index()].limit = limit;
        }
        let spec = AgentSpec {
            display_name: name.into(),
            pool,
            skills,
            capacity: words.number("capacity", 100)?,
            channels,
            open_offers_max: words.number("offers", 1)?,
        };
        let known = self.known(self.shard.floor().agents.key(name), words)?;
        let mut told = self.define(name, known, Definition::Agent(spec))?;
        if !words.flag("signed-out") && known == Known::No {
            let agent = AgentKey(self.shard.floor().agents.key(name).ok_or("the agent was refused")?);
            self.sessions += 1;
            told.extend(self.set(Command::OpenSession { agent, session: SessionId(self.sessions) })?);
            let reason = Text::default();
            told.extend(self.set(Command::SetPresence { agent, presence: Presence::Available, reason })?);
        }
        Ok(told)
    }

    fn remove(&mut self, words: &mut Words) -> Told {
        let kind = match words.word("the kind")? {
            "pool" => Kind::Pool,
            "skill" => Kind::Skill,
            "queue" => Kind::Queue,
            "agent" => Kind::Agent,
            other => return Err(format!("there is no kind {other}")),
        };
        self.ask(Command::Remove { kind, name: words.word("the name")?.into(), revision: None })
    }

    /// Whether a name is there, and the etag it is written over with: a number, or `answered` for the one the last
    /// definition was answered with.
    fn known(&self, key: Option<u32>, words: &mut Words) -> Result<Known, String> {
        let etag = match words.setting("etag") {
            Some("answered") => Some(self.etag),
            Some(number) => Some(number.parse().map_err(|_| format!("{number} is no etag"))?),
            None => None,
        };
        Ok(key.map_or(Known::No, |_| Known::At(etag)))
    }

    /// The key of a skill; a story needs no line to have it defined.
    fn skill(&mut self, name: &str) -> Result<SkillKey, String> {
        if self.shard.floor().skills.key(name).is_none() {
            self.define(name, Known::No, Definition::Skill { display_name: name.into() })?;
        }
        let key = self.shard.floor().skills.key(name).ok_or("the skill was refused")?;
        Ok(SkillKey(u16::try_from(key).expect("skill keys are u16")))
    }

    fn requirements(&mut self, words: &mut Words) -> Result<Vec<Requirement>, String> {
        let mut needs = Vec::new();
        for (skill, proficiency) in words.pairs("needs")? {
            needs.push(Requirement { skill: self.skill(skill)?, proficiency });
        }
        needs.sort();
        Ok(needs)
    }

    // ---- interactions and agents ----

    fn submit(&mut self, words: &mut Words) -> Told {
        let name = words.word("the interaction")?;
        let source: Text = words.setting("source").unwrap_or("pbx").into();
        let external_id: Text = words.setting("id").unwrap_or_default().into();
        let request = words.setting("request");
        let queue = self.queue_key(words.setting("queue").ok_or("queue= is missing")?)?;
        let own = self.requirements(words)?;
        let entry = self.shard.floor().queues.get(u32::from(queue.0)).expect("the queue was found by name");
        let requirements = merged(&[&entry.spec.requirements, &own]);
        let channel = channel(words.setting("channel").unwrap_or("voice"))?;
        let due = words.setting("due").map(seconds_ms).transpose()?.map(|ms| START.after(ms));
        let plan = Plan {
            rule_set: 1,
            queue,
            requirements,
            priority: words.number("priority", 0)?,
            head_start_ms: words.span("head-start", 0)?,
            goals: goals(),
            last_step: LastStep::Keep,
        };
        let keys = [
            (!external_id.is_empty()).then(|| hash(&("external", &source, &external_id))),
            request.map(|id| hash(&("request", id))),
        ];
        let facts = Facts { priority: plan.priority, due, ..Facts::default() };
        let content = hash(&(&source, &external_id, channel, queue, &plan.requirements, plan.priority, due));
        let submit = Submit { keys, content, source, external_id, channel, facts, plan };
        let next = InteractionId(self.shard.last_interaction().0 + 1);
        self.names.insert(next, name.to_owned());
        self.ask(Command::Submit(Box::new(submit)))
    }

    fn cancel(&mut self, words: &mut Words, leaving: Leaving) -> Told {
        let interaction = self.interaction(words)?;
        self.ask(Command::Cancel { interaction, leaving })
    }

    fn presence(&mut self, words: &mut Words) -> Told {
        let agent = self.agent_key(words)?;
        let presence = match words.word("the presence")? {
            "available" => Presence::Available,
            "break" => Presence::OnBreak,
            "signed-out" => Presence::SignedOut,
            other => return Err(format!("{other} is no presence")),
        };
        self.ask(Command::SetPresence { agent, presence, reason: words.rest().into() })
    }

    // ---- names ----

    /// A name nobody has is an id nobody has.
    fn interaction(&self, words: &mut Words) -> Result<InteractionId, String> {
        let name = words.word("the interaction")?;
        let known = self.names.iter().rev().find(|(_, known)| *known == name).map(|(id, _)| *id);
        Ok(known.unwrap_or(InteractionId(u64::MAX)))
    }

    fn agent_key(&self, words: &mut Words) -> Result<AgentKey, String> {
        let name = words.word("the agent")?;
        self.shard.floor().agents.key(name).map(AgentKey).ok_or(format!("there is no agent {name}"))
    }

    fn session(&self, words: &mut Words) -> Result<(AgentKey, SessionId), String> {
        let agent = self.agent_key(words)?;
        let last = self.shard.agent(agent).and_then(|agent| agent.session).map_or(0, |session| session.0);
        Ok((agent, SessionId(words.number("session", last)?)))
    }

    fn pool_key(&self, words: &mut Words) -> Result<PoolKey, String> {
        let name = words.setting("pool").unwrap_or("default");
        let key = self.shard.floor().pools.key(name).ok_or(format!("there is no pool {name}"))?;
        Ok(PoolKey(u16::try_from(key).expect("pool keys are u16")))
    }

    fn queue_key(&self, name: &str) -> Result<QueueKey, String> {
        let key = self.shard.floor().queues.key(name).ok_or(format!("there is no queue {name}"))?;
        Ok(QueueKey(u16::try_from(key).expect("queue keys are u16")))
    }
}

fn number(words: &mut Words, letter: char) -> Result<u64, String> {
    let word = words.word("the id")?;
    let number = word.strip_prefix(letter).and_then(|number| number.parse().ok());
    number.ok_or(format!("{word}: want {letter} and a number"))
}

fn goals() -> Goals {
    Goals {
        answer_within_ms: 20_000,
        service_level_ppm: 800_000,
        short_abandon_ms: 5_000,
        waiting_per_minute: Money(0),
        abandon: Money(0),
        late: Money(0),
        unresolved: Money(0),
    }
}

fn hash(parts: &impl Hash) -> u128 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    u128::from(hasher.finish())
}
