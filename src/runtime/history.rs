//! Turns committed events into contacts of the customers' histories. Told every event from the first on, so it
//! needs nothing but what it has heard; the store ignores what it has written already.

use super::follow::About;
use super::payload::{Plain, SAID_MAX};
use super::recents::Recents;
use crate::customers::{Change, CustomerId, Customers, NotProjected, Opened, Outcome, Projected, Projection};
use crate::engine::event::{Admitted, Event, Stamped};
use crate::engine::floor::Floor;
use crate::engine::ids::{AgentKey, InteractionId, QueueKey, Text};
use crate::engine::interaction::Part;
use crate::engine::time::Time;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;

/// Stretches kept while the store is too slow to take them. Beyond it they are read again from the journal at the
/// next start.
const KEPT_MAX: usize = 1_024;
/// While it is behind, stretches grow to about so many events.
const STRETCH_EVENTS: usize = 1_024;

/// What is known of an interaction that is not over.
#[derive(Debug)]
struct Contact {
    /// `None` until it is known whose it is.
    customer: Option<CustomerId>,
    entered: Time,
    disposition: Text,
    /// Who answered last, and the first wait; and the same before that answer.
    answered: Answered,
    answered_before: Answered,
    /// `Some` until it is known whose it is.
    unknown: Option<Unknown>,
}

/// An agent's name and a wait in ms; `None` if nobody answered.
type Answered = Option<(String, u64)>;

/// An interaction whose customer is not known yet: what the history gets once they are.
#[derive(Debug)]
struct Unknown {
    opened: Opened,
    said: Vec<String>,
}

/// The projector of one shard.
pub struct History {
    customers: Customers,
    recents: Arc<Recents>,
    open: HashMap<InteractionId, Contact>,
    pending: Vec<Projected>,
    /// The last event of the last stretch.
    told: u64,
    kept: VecDeque<Projection>,
}

impl History {
    /// A projector into a store.
    pub fn new(customers: Customers, recents: Arc<Recents>) -> History {
        History {
            customers,
            recents,
            open: HashMap::new(),
            pending: Vec::new(),
            told: 0,
            kept: VecDeque::new(),
        }
    }

    /// Before the events up to this one are heard.
    pub fn begin(&self, upto: u64) {
        self.recents.begin(upto);
    }

    /// Hears one event.
    pub fn hear(&mut self, stamped: &Stamped, about: About, plain: Option<&Plain>, floor: &Floor) {
        let Some(interaction) = about.interaction else { return };
        if let (Some(Plain::Said(said)), Some(contact)) = (plain, self.open.get_mut(&interaction)) {
            match &mut contact.unknown {
                Some(unknown) if unknown.said.len() < SAID_MAX => unknown.said.push(said.text.clone()),
                Some(_) => {}
                None => {
                    let customer = contact.customer;
                    let text = said.text.clone();
                    self.push(stamped, customer, Change::NoteAdded { interaction: interaction.0, text });
                }
            }
        }
        let customer = self.open.get(&interaction).and_then(|contact| contact.customer);
        if let Some(change) = self.change(stamped, interaction, about, plain, floor) {
            let opened = if let Change::Opened(opened) = &change { Some(opened.customer) } else { None };
            self.push(stamped, opened.or(customer), change);
        }
    }

    fn push(&mut self, stamped: &Stamped, customer: Option<CustomerId>, change: Change) {
        let time_ms = i64::try_from(stamped.time.0).expect("engine time is far below 2^63 ms");
        let event = Projected { sequence: stamped.sequence.0, time_ms, change };
        if let Some(customer) = customer {
            self.recents.hear(customer, &event);
        }
        self.pending.push(event);
    }

    fn change(
        &mut self,
        stamped: &Stamped,
        interaction: InteractionId,
        about: About,
        plain: Option<&Plain>,
        floor: &Floor,
    ) -> Option<Change> {
        match &stamped.event {
            Event::Admitted(admitted) => self.admitted(stamped.time, admitted, plain, floor),
            Event::Identified { customer, .. } => {
                self.identified(stamped, interaction, CustomerId(customer.0));
                None
            }
            // Who advises, or joins, does not serve the customer.
            Event::Accepted { .. } | Event::OwnerChanged { .. } if about.part == Some(Part::Owner) => {
                let contact = self.open.get_mut(&interaction)?;
                let wait_ms = stamped.time.since(contact.entered);
                let wait_ms = contact.answered.as_ref().map_or(wait_ms, |(_, first)| *first);
                let agent = agent_name(about.agent?, floor);
                contact.answered_before = contact.answered.replace((agent.clone(), wait_ms));
                let known = contact.unknown.is_none();
                known.then_some(Change::Answered { interaction: interaction.0, agent, wait_ms })
            }
            Event::ConnectFailed { .. } => {
                let contact = self.open.get_mut(&interaction)?;
                contact.answered = contact.answered_before.take();
                let (agent, wait_ms) = contact.answered.clone().unzip();
                let agent = agent.unwrap_or_default();
                let known = contact.unknown.is_none();
                known.then_some(Change::AnswerUndone { interaction: interaction.0, agent, wait_ms })
            }
            Event::ConversationEnded { disposition, .. } if about.part == Some(Part::Owner) => {
                self.open.get_mut(&interaction)?.disposition = disposition.clone();
                None
            }
            Event::Closed { .. } => self.over(interaction, Outcome::Served, None),
            Event::Abandoned { .. } => self.over(interaction, Outcome::Left, Some(stamped.time)),
            Event::Cancelled { .. } => self.over(interaction, Outcome::TakenBack, Some(stamped.time)),
            Event::TimedOut { .. } => self.over(interaction, Outcome::TimedOut, Some(stamped.time)),
            Event::SentAway { .. } => self.over(interaction, Outcome::SentAway, Some(stamped.time)),
            _ => None,
        }
    }

    fn admitted(
        &mut self,
        entered: Time,
        admitted: &Admitted,
        plain: Option<&Plain>,
        floor: &Floor,
    ) -> Option<Change> {
        let message = match plain {
            Some(Plain::Payload(payload)) => payload.message.clone(),
            Some(Plain::Said(_)) | None => String::new(),
        };
        let opened = Opened {
            customer: CustomerId(admitted.facts.customer.unwrap_or_default().0),
            interaction: admitted.interaction.0,
            channel: admitted.channel as u8,
            queue: queue_name(admitted.plan.routes[usize::from(admitted.route)].queue, floor),
            intent: admitted.facts.intent.to_string(),
            matter: admitted.facts.matter.to_string(),
            message,
        };
        let known = admitted.facts.customer.is_some();
        let (unknown, change) = match known {
            true => (None, Some(Change::Opened(opened))),
            false => (Some(Unknown { opened, said: Vec::new() }), None),
        };
        self.open.insert(
            admitted.interaction,
            Contact {
                customer: admitted.facts.customer.map(|customer| CustomerId(customer.0)),
                entered,
                disposition: Text::default(),
                answered: None,
                answered_before: None,
                unknown,
            },
        );
        change
    }

    /// The contact begins in the history when it began, not when we learned whose it is.
    fn identified(&mut self, stamped: &Stamped, interaction: InteractionId, customer: CustomerId) {
        let Some(contact) = self.open.get_mut(&interaction) else { return };
        let Some(Unknown { opened, said }) = contact.unknown.take() else { return };
        contact.customer = Some(customer);
        let answered = contact.answered.clone();
        let began = Stamped { time: contact.entered, ..stamped.clone() };
        self.push(&began, Some(customer), Change::Opened(Opened { customer, ..opened }));
        if let Some((agent, wait_ms)) = answered {
            let answered = Change::Answered { interaction: interaction.0, agent, wait_ms };
            self.push(stamped, Some(customer), answered);
        }
        for text in said {
            self.push(stamped, Some(customer), Change::NoteAdded { interaction: interaction.0, text });
        }
    }

    fn over(&mut self, interaction: InteractionId, outcome: Outcome, left: Option<Time>) -> Option<Change> {
        let contact = self.open.remove(&interaction).filter(|contact| contact.unknown.is_none())?;
        Some(Change::Closed {
            interaction: interaction.0,
            outcome,
            disposition: contact.disposition.to_string(),
            wait_ms: left.map(|left| left.since(contact.entered)),
        })
    }

    /// Hands over what was heard up to an event. A store that cannot take it now gets it with a later one; the
    /// engine does not wait for it.
    pub fn flush(&mut self, upto: u64) {
        self.keep(upto);
        while let Some(stretch) = self.kept.pop_front() {
            match self.customers.project(stretch) {
                Ok(()) => {}
                Err(NotProjected::Full(stretch)) => {
                    self.kept.push_front(stretch);
                    break;
                }
                Err(NotProjected::Dead) => break,
            }
        }
        self.kept.truncate(KEPT_MAX);
    }

    /// The same for recovery, which has nobody else to serve.
    pub fn flush_waiting(&mut self, upto: u64) {
        self.keep(upto);
        while let Some(stretch) = self.kept.pop_front() {
            if self.customers.project_waiting(stretch).is_err() {
                break;
            }
        }
    }

    fn keep(&mut self, upto: u64) {
        if upto <= self.told {
            return;
        }
        match self.kept.back_mut() {
            // The store is behind: it takes few long stretches faster than many short ones.
            Some(last) if last.events.len() < STRETCH_EVENTS && last.upto == self.told => {
                last.upto = upto;
                last.events.append(&mut self.pending);
            }
            _ => self.kept.push_back(Projection {
                after: self.told,
                upto,
                events: std::mem::take(&mut self.pending),
            }),
        }
        self.told = upto;
    }
}

fn queue_name(queue: QueueKey, floor: &Floor) -> String {
    floor.queues.get(u32::from(queue.0)).map_or_else(String::new, |entry| entry.name.to_string())
}

fn agent_name(agent: AgentKey, floor: &Floor) -> String {
    floor.agents.get(agent.0).map_or_else(String::new, |entry| entry.name.to_string())
}
