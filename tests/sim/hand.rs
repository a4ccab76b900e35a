//! What an agent has in hand: as the agent's desk believes from what it was told, and as the engine knows it. The two
//! are the same once everything told has arrived.

use baton::engine::agent::Presence;
use baton::engine::capacity::Holder;
use baton::engine::event::Event;
use baton::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId};
use baton::engine::interaction::Part;
use baton::engine::outcome::Connection;
use baton::engine::shard::Shard;
use baton::engine::time::Time;
use std::collections::BTreeMap;

/// An open offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    pub interaction: InteractionId,
    pub part: Part,
}

/// A part in an interaction that is not over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Work {
    pub interaction: InteractionId,
    pub part: Part,
    pub wrap_up_until: Option<Time>,
    pub interrupted: bool,
    pub connected: bool,
}

impl Work {
    pub fn talks(&self) -> bool {
        self.wrap_up_until.is_none()
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hand {
    pub presence: Option<Presence>,
    pub pending: Option<Presence>,
    pub not_responding: bool,
    pub offers: BTreeMap<OfferId, Asked>,
    pub work: BTreeMap<AssignmentId, Work>,
}

impl Hand {
    /// As the engine has it.
    pub fn of(shard: &Shard, key: AgentKey) -> Hand {
        let agent = shard.agent(key).expect("agents stay defined");
        let offers = shard.offers_to(key).into_iter().map(|id| {
            let offer = shard.offer(id).expect("its claim is there");
            (id, Asked { interaction: offer.interaction, part: offer.part })
        });
        let held = agent.ledger.claims().iter().filter_map(|claim| match claim.holder {
            Holder::Assignment(id) | Holder::WrapUp(id) => Some(id),
            Holder::Offer(_) => None,
        });
        let work = held.chain(agent.interrupted.iter().copied()).map(|id| {
            let known = shard.assignment(id).expect("its claim is there");
            let work = Work {
                interaction: known.interaction,
                part: known.part,
                wrap_up_until: known.wrap_up_until,
                interrupted: known.interrupted,
                connected: known.connection != Connection::Pending,
            };
            (id, work)
        });
        Hand {
            presence: Some(agent.presence),
            pending: agent.pending.as_ref().map(|pending| pending.presence),
            not_responding: agent.not_responding,
            offers: offers.collect(),
            work: work.collect(),
        }
    }

    /// What an event that is about this agent changes.
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::PresenceChanged { presence, .. } => {
                self.presence = Some(*presence);
                self.pending = None;
                self.not_responding &= *presence != Presence::SignedOut;
            }
            Event::PresencePending { presence, .. } => self.pending = Some(*presence),
            Event::Responding { .. } => self.not_responding = false,
            Event::Offered { offer, interaction, part, .. } => {
                self.offers.insert(*offer, Asked { interaction: *interaction, part: *part });
            }
            Event::Accepted { offer, assignment, connect_until } => {
                let Asked { interaction, part } = self.offers.remove(offer).expect("it was asked before");
                let connected = connect_until.is_none();
                let work = Work { interaction, part, wrap_up_until: None, interrupted: false, connected };
                self.work.insert(*assignment, work);
            }
            Event::Declined { offer, .. } | Event::Rescinded { offer, .. } => {
                self.offers.remove(offer).expect("it was asked before");
            }
            Event::Expired { offer, not_responding, .. } => {
                self.offers.remove(offer).expect("it was asked before");
                self.not_responding |= *not_responding;
            }
            Event::ConnectFailed { assignment, not_responding, .. } => {
                self.not_responding |= *not_responding;
                self.end_talk(*assignment, None);
            }
            Event::ConversationEnded { assignment, wrap_up_until, .. }
            | Event::Requeued { assignment, wrap_up_until, .. } => self.end_talk(*assignment, *wrap_up_until),
            Event::Transferred(handed) => self.end_talk(handed.assignment, handed.wrap_up_until),
            Event::Parked { assignment }
            | Event::AssignmentLost { assignment }
            | Event::WrapUpEnded { assignment, .. } => self.end_talk(*assignment, None),
            Event::WrapUpExtended { assignment, until } => {
                self.part(*assignment).wrap_up_until = Some(*until)
            }
            Event::Interrupted { assignment } => self.part(*assignment).interrupted = true,
            Event::Continued { assignment } => self.part(*assignment).interrupted = false,
            Event::Connected { assignment, .. } => self.part(*assignment).connected = true,
            Event::OwnerChanged { assignment, .. } => self.part(*assignment).part = Part::Owner,
            Event::Joined { assignment } => self.part(*assignment).part = Part::Member,
            _ => {}
        }
    }

    fn part(&mut self, id: AssignmentId) -> &mut Work {
        self.work.get_mut(&id).expect("it was told of that work before")
    }

    fn end_talk(&mut self, id: AssignmentId, wrap_up_until: Option<Time>) {
        match wrap_up_until {
            None => {
                self.work.remove(&id).expect("it was told of that work before");
            }
            Some(_) => {
                let part = self.part(id);
                (part.wrap_up_until, part.interrupted) = (wrap_up_until, false);
            }
        }
    }
}
