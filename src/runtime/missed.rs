//! What is kept of the notices to agents, and how it becomes notices again. Kept are numbers and no copies: what a notice is
//! about is looked at again when somebody comes back, so the shard's state is not held and customers' words only where
//! they are the notice. How an agent was meanwhile is not told: how they are now is.

use super::backlog::{After, Backlog, Limits, Told};
use super::notice::{AgentNotice, End, Notice};
use super::payload::{Said, Speaker};
use super::view::{self, InteractionView};
use crate::engine::event::{Ending, RescindCause};
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId};
use crate::engine::offer::Offer;
use crate::engine::outcome::Assignment;
use crate::engine::shard::Shard;
use hashbrown::HashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Most notices that are kept, to all agents together, bytes of what customers wrote in them, and those to one agent.
pub const NOTICES: Limits = Limits { count: 65_536, text_bytes: 8 * 1024 * 1024, missed: 2_048 };

/// The notices to agents.
pub(super) type Notices = Backlog<AgentKey, Kept>;

/// What is kept of one.
pub(super) enum Kept {
    Offered(Offer),
    OfferEnded { offer: OfferId, interaction: InteractionId, ending: Ending, cause: Option<RescindCause> },
    Assigned(Assignment),
    AssignmentEnded { assignment: AssignmentId, interaction: InteractionId, end: End },
    Wrote { interaction: InteractionId, said: Arc<Said> },
}

/// Keeps a notice, if it is one that somebody can miss.
pub(super) fn keep(notices: &mut Notices, agent: AgentKey, told: &AgentNotice) {
    let Some(what) = Kept::of(&told.notice) else { return };
    let text_bytes = what.text_bytes();
    notices.keep(agent, Told { position: told.position, time: told.time, what }, text_bytes);
}

/// What an agent missed; `None` if not all of it is kept, or what it is about is not.
pub(super) fn missed(
    notices: &Notices,
    shard: &Shard,
    agent: AgentKey,
    after: &After,
) -> Option<Vec<AgentNotice>> {
    let mut views = Views { shard, made: HashMap::new() };
    let missed = notices.missed(agent, after)?.into_iter();
    missed
        .map(|Told { position, time, what }| {
            Some(AgentNotice { position, time, notice: what.again(&mut views)? })
        })
        .collect()
}

/// Interactions as they are, each looked at once.
struct Views<'a> {
    shard: &'a Shard,
    made: HashMap<InteractionId, Option<Box<InteractionView>>>,
}

impl Views<'_> {
    fn of(&mut self, id: InteractionId) -> Option<Box<InteractionView>> {
        let shard = self.shard;
        self.made.entry(id).or_insert_with(|| view::interaction(shard, id).map(Box::new)).clone()
    }
}

/// Forgets the customers' words in these interactions.
pub(super) fn forget(notices: &mut Notices, interactions: &BTreeSet<InteractionId>) {
    notices.change(|kept| match kept {
        Kept::Wrote { interaction, said } if interactions.contains(interaction) => *said = nothing(),
        _ => {}
    });
}

/// That something was said, and not what.
fn nothing() -> Arc<Said> {
    Arc::new(Said { by: Speaker::Customer, text: String::new() })
}

impl Kept {
    fn of(notice: &Notice) -> Option<Kept> {
        Some(match notice {
            Notice::Offered { offer, .. } => Kept::Offered(*offer),
            Notice::OfferEnded { offer, interaction, ending, cause } => {
                Kept::OfferEnded { offer: *offer, interaction: *interaction, ending: *ending, cause: *cause }
            }
            Notice::Assigned { assignment, .. } => Kept::Assigned(*assignment),
            Notice::AssignmentEnded { assignment, interaction, end } => Kept::AssignmentEnded {
                assignment: *assignment,
                interaction: interaction.interaction.id,
                end: *end,
            },
            Notice::Wrote { interaction, said, erased } => {
                let said = if *erased { nothing() } else { said.clone() };
                Kept::Wrote { interaction: *interaction, said }
            }
            // An offer that is still open comes again with its card.
            Notice::Identified { .. }
            | Notice::Snapshot { .. }
            | Notice::Resumed(_)
            | Notice::OfferedMeanwhile { .. }
            | Notice::Status(_)
            | Notice::TakenOver
            | Notice::SessionLost => return None,
        })
    }

    fn text_bytes(&self) -> usize {
        if let Kept::Wrote { said, .. } = self { said.text.len() } else { 0 }
    }

    /// `None` if there is no record any more of what it is about.
    fn again(&self, views: &mut Views<'_>) -> Option<Notice> {
        Some(match self {
            Kept::Offered(offer) => {
                let interaction = views.of(offer.interaction)?;
                if views.shard.offer(offer.id).is_some() {
                    Notice::Offered { offer: *offer, interaction }
                } else {
                    Notice::OfferedMeanwhile { offer: *offer, interaction }
                }
            }
            Kept::OfferEnded { offer, interaction, ending, cause } => Notice::OfferEnded {
                offer: *offer,
                interaction: *interaction,
                ending: *ending,
                cause: *cause,
            },
            Kept::Assigned(assignment) => {
                Notice::Assigned { assignment: *assignment, interaction: views.of(assignment.interaction)? }
            }
            Kept::AssignmentEnded { assignment, interaction, end } => Notice::AssignmentEnded {
                assignment: *assignment,
                interaction: views.of(*interaction)?,
                end: *end,
            },
            // Not kept apart from those that were erased since: these have no words.
            Kept::Wrote { interaction, said } => {
                Notice::Wrote { interaction: *interaction, said: said.clone(), erased: false }
            }
        })
    }
}
