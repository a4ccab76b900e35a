//! What becomes of each interaction as far as its customer's history is concerned: heard event by event, told as changes.

use super::follow::About;
use super::payload::{Held, Plain, SAID_MAX};
use crate::customers::{Change, CustomerId, Opened, Outcome};
use crate::engine::event::{Admitted, Event, Stamped};
use crate::engine::floor::Floor;
use crate::engine::ids::{AgentKey, InteractionId, QueueKey, Text};
use crate::engine::interaction::Part;
use crate::engine::table::Table;
use crate::engine::time::Time;
use serde::{Deserialize, Serialize};

/// What is known of an interaction that is not over.
#[derive(Debug, Serialize, Deserialize)]
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
#[derive(Debug, Serialize, Deserialize)]
struct Unknown {
    opened: Opened,
    /// Written down nowhere: it is personal.
    #[serde(skip)]
    said: Vec<String>,
}

/// Hears a change, with the event it comes from and whose it is, if that is known.
pub(super) type Tell<'a> = dyn FnMut(&Stamped, Option<CustomerId>, Change) + 'a;

/// The contacts of a shard that are not over.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Contacts {
    open: Table<InteractionId, Box<Contact>>,
}

impl Contacts {
    /// Hears one event.
    pub fn hear(
        &mut self,
        stamped: &Stamped,
        about: About,
        plain: Option<&Plain>,
        floor: &Floor,
        tell: &mut Tell<'_>,
    ) {
        let Some(interaction) = about.interaction else { return };
        if let (Some(Plain::Said(said)), Some(contact)) = (plain, self.open.get_mut(&interaction)) {
            match &mut contact.unknown {
                Some(unknown) if unknown.said.len() < SAID_MAX => unknown.said.push(said.text.clone()),
                Some(_) => {}
                None => {
                    let text = said.text.clone();
                    tell(stamped, contact.customer, Change::NoteAdded { interaction: interaction.0, text });
                }
            }
        }
        let customer = self.open.get(&interaction).and_then(|contact| contact.customer);
        if let Some(change) = self.change(stamped, interaction, about, plain, floor, tell) {
            let opened = if let Change::Opened(opened) = &change { Some(opened.customer) } else { None };
            tell(stamped, opened.or(customer), change);
        }
    }

    /// What was said in an interaction before this began to hear, for whose customer it may be one day.
    pub fn was_said(&mut self, interaction: InteractionId, held: &Held) {
        let unknown = self.open.get_mut(&interaction).and_then(|contact| contact.unknown.as_mut());
        if let Some(unknown) = unknown {
            unknown.opened.message.clone_from(&held.payload.message);
            unknown.said = held.said.iter().map(|(_, said)| said.text.clone()).collect();
        }
    }

    fn change(
        &mut self,
        stamped: &Stamped,
        interaction: InteractionId,
        about: About,
        plain: Option<&Plain>,
        floor: &Floor,
        tell: &mut Tell<'_>,
    ) -> Option<Change> {
        match &stamped.event {
            Event::Admitted(admitted) => self.admitted(stamped.time, admitted, plain, floor),
            Event::Identified { customer, .. } => {
                self.identified(stamped, interaction, CustomerId(customer.0), tell);
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
        let contact = Contact {
            customer: admitted.facts.customer.map(|customer| CustomerId(customer.0)),
            entered,
            disposition: Text::default(),
            answered: None,
            answered_before: None,
            unknown,
        };
        self.open.insert(admitted.interaction, contact.into());
        change
    }

    /// The contact begins in the history when it began, not when we learned whose it is.
    fn identified(
        &mut self,
        stamped: &Stamped,
        interaction: InteractionId,
        customer: CustomerId,
        tell: &mut Tell<'_>,
    ) {
        let Some(contact) = self.open.get_mut(&interaction) else { return };
        let Some(Unknown { opened, said }) = contact.unknown.take() else { return };
        contact.customer = Some(customer);
        let answered = contact.answered.clone();
        let began = Stamped { time: contact.entered, ..stamped.clone() };
        tell(&began, Some(customer), Change::Opened(Opened { customer, ..opened }));
        if let Some((agent, wait_ms)) = answered {
            let answered = Change::Answered { interaction: interaction.0, agent, wait_ms };
            tell(stamped, Some(customer), answered);
        }
        for text in said {
            tell(stamped, Some(customer), Change::NoteAdded { interaction: interaction.0, text });
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
}

fn queue_name(queue: QueueKey, floor: &Floor) -> String {
    floor.queues.get(u32::from(queue.0)).map_or_else(String::new, |entry| entry.name.to_string())
}

fn agent_name(agent: AgentKey, floor: &Floor) -> String {
    floor.agents.get(agent.0).map_or_else(String::new, |entry| entry.name.to_string())
}
