//! Who submits. A source that keeps a session owns its live interactions: when the session is lost and a grace has
//! passed, those still unanswered leave as abandoned, so that no ghost rings an agent.

use super::command::{Answer, Refusal};
use super::deadline::Deadline;
use super::event::{AbandonCause, Event, RescindCause};
use super::ids::{InteractionId, Text};
use super::interaction::State;
use super::shard::{Shard, Step};
use super::sorted::Sorted;
use super::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most sources there may be.
pub const SOURCES_MAX: u32 = 10_000;

/// What the engine knows of a source's session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum SourceSession {
    /// Never opened one: nothing to lose.
    #[default]
    None,
    Live,
    Lost,
}

/// One source.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Source {
    pub session: SourceSession,
    /// Its interactions that are not over.
    pub open: Sorted<InteractionId>,
}

/// All sources by name.
pub type Sources = BTreeMap<Text, Source>;

impl Step<'_> {
    pub fn open_source(&mut self, source: Text) -> Result<Answer, Refusal> {
        self.shard.check_source(&source)?;
        let live = self.shard.sources.get(&source).is_some_and(|known| known.session == SourceSession::Live);
        if !live {
            self.emit(Event::SourceOpened { source });
        }
        Ok(Answer::Done)
    }

    pub fn lose_source(&mut self, source: Text) -> Result<Answer, Refusal> {
        match self.shard.sources.get(&source) {
            Some(known) if known.session == SourceSession::Live => self.emit(Event::SourceLost { source }),
            Some(_) => {}
            None => return Err(Refusal::SessionUnknown),
        }
        Ok(Answer::Done)
    }

    /// The grace is over.
    pub fn source_gone(&mut self, interaction: InteractionId) {
        let freed = self.rescind_all(interaction, RescindCause::SourceLost);
        self.emit(Event::Abandoned { interaction, cause: AbandonCause::SourceLost });
        self.seek_works(freed);
    }
}

impl Shard {
    pub(super) fn check_source(&self, source: &Text) -> Result<(), Refusal> {
        let room = self.sources.len() < SOURCES_MAX as usize || self.sources.contains_key(source);
        room.then_some(()).ok_or(Refusal::TooManySources { max: SOURCES_MAX })
    }

    pub(super) fn source_opened(&mut self, source: &Text) {
        let known = self.sources.entry(source.clone()).or_default();
        known.session = SourceSession::Live;
        for interaction in known.open.iter() {
            self.deadlines.disarm(Deadline::Source(*interaction));
        }
    }

    pub(super) fn source_lost(&mut self, source: &Text) {
        self.sources.entry(source.clone()).or_default().session = SourceSession::Lost;
        self.arm_graces(source, self.now);
    }

    /// A stall of our own takes nothing off a grace.
    pub(super) fn restart_source_graces(&mut self, down_to: Time) {
        let lost: Vec<Text> = self
            .sources
            .iter()
            .filter(|(_, source)| source.session == SourceSession::Lost)
            .map(|(name, _)| name.clone())
            .collect();
        for source in lost {
            self.arm_graces(&source, down_to);
        }
    }

    /// Whoever comes back in line while their source is lost may be gone too.
    pub(super) fn arm_source_grace(&mut self, id: InteractionId) {
        let deadline = Deadline::Source(id);
        if !self.deadlines.is_armed(deadline)
            && self.sources[&self.subject(id).source].session == SourceSession::Lost
            && let Some(grace_ms) = self.source_grace_ms(id)
        {
            self.deadlines.arm(deadline, self.now.after(grace_ms));
        }
    }

    /// A customer who is called back has hung up: nobody is on the line to lose.
    fn source_grace_ms(&self, id: InteractionId) -> Option<u64> {
        let interaction = &self.interactions[&id];
        let on_line =
            matches!(interaction.state, State::Waiting | State::Offered) && interaction.callback().is_none();
        interaction.channel.source_grace_ms().filter(|_| on_line)
    }

    fn arm_graces(&mut self, source: &Text, from: Time) {
        for id in self.sources[source].open.iter() {
            if let Some(grace_ms) = self.source_grace_ms(*id) {
                self.deadlines.arm(Deadline::Source(*id), from.after(grace_ms));
            }
        }
    }
}
