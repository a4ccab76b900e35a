//! The verbs of agents, customers, platforms and supervisors.

use super::words::{Words, channel};
use super::world::{Told, World, assignment, assignment_in, offer};
use baton::engine::agent::Presence;
use baton::engine::command::{Answer, Command, Handover, Leaving, Submit, Target, Window};
use baton::engine::event::{ConnectFailure, EndedBy};
use baton::engine::ids::{AssignmentId, CustomerId, InteractionId, SessionId, Text};
use baton::engine::journey::Journey;
use baton::engine::plan::{Facts, Plan};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

const FAILURES: [(&str, ConnectFailure); 5] = [
    ("agent-no-answer", ConnectFailure::AgentNoAnswer),
    ("agent-busy", ConnectFailure::AgentBusy),
    ("customer-gone", ConnectFailure::CustomerGone),
    ("customer-no-answer", ConnectFailure::CustomerNoAnswer),
    ("network", ConnectFailure::Network),
];

impl World {
    /// What an agent does, and what becomes of the connection.
    pub fn agent_verb(&mut self, verb: &str, words: &mut Words) -> Told {
        match verb {
            "accept" => self.ask(Command::Accept { offer: offer(words)? }),
            "decline" => {
                let offer = offer(words)?;
                self.ask(Command::Decline { offer, reason: words.rest().into() })
            }
            "complete" => {
                let assignment = assignment(words)?;
                self.ask(Command::Complete { assignment, disposition: words.rest().into(), solved: None })
            }
            "finish" => {
                let assignment = assignment(words)?;
                let by = by(words)?;
                self.ask(Command::FinishWrapUp { assignment, by })
            }
            "extend" => self.ask(Command::ExtendWrapUp { assignment: assignment(words)? }),
            "park" => self.ask(Command::Park { assignment: assignment(words)? }),
            "requeue" => self.ask(Command::Requeue { assignment: assignment(words)? }),
            "take-back" => self.ask(Command::StopSeeking { assignment: assignment(words)? }),
            "pull" => {
                let agent = self.agent_key(words.word("the agent")?)?;
                let interaction = self.interaction(words)?;
                self.ask(Command::Pull { agent, interaction })
            }
            "transfer" => {
                let handover = if words.flag("warm") { Handover::Warm } else { Handover::Blind };
                let (assignment, target) = self.target(words)?;
                self.ask(Command::Transfer { assignment, target, handover })
            }
            "consult" => {
                let (assignment, target) = self.target(words)?;
                self.ask(Command::Consult { assignment, target })
            }
            "conference" => {
                let (assignment, target) = self.target(words)?;
                self.ask(Command::Conference { assignment, target })
            }
            "presence" => self.presence(words),
            "connect" => {
                let agent = self.agent_key(words.word("the agent")?)?;
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
            other => self.interaction_verb(other, words),
        }
    }

    /// What customers, platforms and supervisors do.
    fn interaction_verb(&mut self, verb: &str, words: &mut Words) -> Told {
        match verb {
            "submit" => self.submit(words),
            "identify" => {
                let interaction = self.interaction(words)?;
                let customer = customer(words.word("the customer")?)?;
                let journey = journey(words)?;
                self.ask(Command::Identify { interaction, customer, journey })
            }
            "replan" => self.replan(words),
            "leave" => self.cancel(words, Leaving::CustomerLeft),
            "withdraw" => self.cancel(words, Leaving::Withdrawn),
            "message" => {
                let interaction = self.interaction(words)?;
                self.ask(Command::Resume { interaction })
            }
            "callback" => self.callback(words),
            "connected" => {
                let interaction = self.interaction(words)?;
                self.ask(Command::Connected { interaction })
            }
            "failed" => {
                let interaction = self.interaction(words)?;
                let word = words.word("the cause")?;
                let cause = FAILURES.iter().find(|(known, _)| *known == word).map(|(_, cause)| *cause);
                let cause = cause.ok_or(format!("{word} is no reason for a failed connection"))?;
                self.ask(Command::ConnectFailed { interaction, cause })
            }
            "assign" => {
                let interaction = self.interaction(words)?;
                let agent = self.agent_key(words.word("the agent")?)?;
                let overdraw = words.flag("overdraw");
                self.ask(Command::Assign { interaction, agent, overdraw })
            }
            "reprioritise" => {
                let interaction = self.interaction(words)?;
                let word = words.word("the priority")?;
                let priority = word.parse().map_err(|_| format!("{word} is no priority"))?;
                self.ask(Command::Reprioritise { interaction, priority })
            }
            "source" => self.ask(Command::OpenSource { source: words.word("the source")?.into() }),
            "lose-source" => self.ask(Command::LoseSource { source: words.word("the source")?.into() }),
            other => Err(format!("there is no verb {other}")),
        }
    }

    fn submit(&mut self, words: &mut Words) -> Told {
        let name = words.word("the interaction")?;
        let source: Text = words.setting("source").unwrap_or("pbx").into();
        let external_id: Text = words.setting("id").unwrap_or_default().into();
        let request = words.setting("request");
        let queue = self.queue_key(words.setting("queue").ok_or("queue= is missing")?)?;
        let channel = channel(words.setting("channel").unwrap_or("voice"))?;
        let plan = self.plan(queue, words)?;
        let facts = Facts {
            priority: plan.priority,
            due: words.moment("due")?.map(|ms| self.start.after(ms)),
            not_before: words.moment("not-before")?.map(|ms| self.start.after(ms)),
            matter: words.setting("matter").unwrap_or_default().into(),
            customer: words.setting("customer").map(customer).transpose()?,
            journey: journey(words)?,
            ..Facts::default()
        };
        let keys = [
            (!external_id.is_empty()).then(|| hash(&("external", &source, &external_id))),
            request.map(|id| hash(&("request", id))),
        ];
        let content = hash(&(&source, &external_id, channel, queue, format!("{facts:?} {plan:?}")));
        let submit = Submit { keys, content, source, external_id, channel, facts, plan: plan.into() };
        let next = InteractionId(self.shard.last_interaction().0 + 1);
        // The name is known while it is told what happens, and given back if it was not needed.
        self.names.insert(next, name.to_owned());
        self.newcomer = name.to_owned();
        let told = self.ask(Command::Submit(Box::new(submit)))?;
        if self.shard.last_interaction() == next {
            self.call(name, next);
        } else {
            self.names.remove(&next);
            if let Some(Answer::Attached { interaction } | Answer::Admitted { interaction, .. }) = self.answer
            {
                self.call(name, interaction);
            }
        }
        Ok(told)
    }

    /// `replan c1 queue=complaints priority=4`: the line says the plan as for a submit; without a queue it is the one the
    /// interaction is in. `replaces=0` is the plan that was seen, if it is not the one in force.
    fn replan(&mut self, words: &mut Words) -> Told {
        let interaction = self.interaction(words)?;
        let subject = self.shard.interaction(interaction);
        let current = subject.map_or(0, |subject| subject.plan_revision);
        let queue = match (words.setting("queue"), subject) {
            (Some(name), _) => self.queue_key(name)?,
            (None, Some(subject)) => subject.queue(),
            (None, None) => return Err("the interaction is forgotten, and no queue is given".into()),
        };
        let replaces = words.number("replaces", current)?;
        let rule_set = words.number("rules", 1)?;
        let plan = Plan { rule_set, ..self.plan(queue, words)? };
        self.ask(Command::Replan { interaction, plan: plan.into(), replaces, circumstances: None })
    }

    fn cancel(&mut self, words: &mut Words, leaving: Leaving) -> Told {
        let interaction = self.interaction(words)?;
        self.ask(Command::Cancel { interaction, leaving })
    }

    /// `callback c1 from=5m until=15m channel=voice`, counted from now.
    fn callback(&mut self, words: &mut Words) -> Told {
        let interaction = self.interaction(words)?;
        let channel = channel(words.setting("channel").unwrap_or("voice"))?;
        let from = self.clock.after(words.span("from", 0)?);
        let until = self.clock.after(words.span("until", 3_600_000)?);
        self.ask(Command::RequestCallback { interaction, channel, window: Window { from, until } })
    }

    fn presence(&mut self, words: &mut Words) -> Told {
        let agent = self.agent_key(words.word("the agent")?)?;
        let presence = match words.word("the presence")? {
            "available" => Presence::Available,
            "break" => Presence::OnBreak,
            "signed-out" => Presence::SignedOut,
            other => return Err(format!("{other} is no presence")),
        };
        let by = by(words)?;
        self.ask(Command::SetPresence { agent, presence, reason: words.rest().into(), by })
    }

    /// `a1 queue=experts`, `a1 agent=ben`, `a1 with=a2`: whose conversation, and to whom or with whom. Without a queue
    /// it is the one the interaction is in.
    fn target(&mut self, words: &mut Words) -> Result<(AssignmentId, Target), String> {
        let assignment = assignment(words)?;
        if let Some(other) = assignment_in(words, "with")? {
            return Ok((assignment, Target::Consulted(other)));
        }
        let agent = words.setting("agent").map(|name| self.agent_key(name)).transpose()?;
        let queue = match words.setting("queue") {
            Some(name) => self.queue_key(name)?,
            None => {
                let known = self.parts.get(&assignment).ok_or("there is no such conversation")?;
                self.shard.interaction(known.0).ok_or("the interaction is forgotten")?.queue()
            }
        };
        let plan = Box::new(self.plan(queue, words)?);
        Ok((assignment, Target::Line { plan: plan.into(), agent }))
    }
}

fn by(words: &mut Words) -> Result<EndedBy, String> {
    let known = [("agent", EndedBy::Agent), ("supervisor", EndedBy::Supervisor)];
    Ok(words.one_of("by", &known)?.unwrap_or(EndedBy::Agent))
}

/// `about=2`: so many contacts about the matter before this one.
fn journey(words: &mut Words) -> Result<Option<Arc<Journey>>, String> {
    let word = words.setting("about");
    let about = word.map(|word| word.parse().map_err(|_| format!("{word} is no count"))).transpose()?;
    Ok(about.map(|about_within| Journey { about_within, ..Journey::default() }.into()))
}

/// `7` or `#7`.
fn customer(word: &str) -> Result<CustomerId, String> {
    let number = word.trim_start_matches('#').parse();
    number.map(CustomerId).map_err(|_| format!("{word} is no customer"))
}

fn hash(parts: &impl Hash) -> u128 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    u128::from(hasher.finish())
}
