//! Tells those who watch an interaction: as it is, then after each batch that changed it. Of an interaction that somebody
//! watches on a stream the changes are kept for a while, so that they can go on where they were.

use super::backlog::{After, Backlog, Limits, Position, Told};
use super::view::{self, InteractionView};
use crate::engine::ids::InteractionId;
use crate::engine::shard::Shard;
use hashbrown::HashMap;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

/// Most changes that are kept, of all watched interactions together.
pub const CHANGES: Limits = Limits { count: 4_096, text_bytes: 0, missed: 2_048 };

/// Where an interaction's changes go.
pub type WatchFeed = mpsc::Sender<Watched>;

/// An interaction after a change.
#[derive(Clone, Debug)]
pub struct Changed {
    pub position: Position,
    pub view: Box<InteractionView>,
}

/// What whoever watches is told.
#[derive(Clone, Debug)]
pub enum Watched {
    /// As it is.
    Now(Changed),
    /// The same to one who wanted to go on from a cursor: not all that came after it is kept.
    Gap(Changed),
    /// What came after the cursor, oldest first, and whether the interaction is over.
    Missed { changes: Vec<Changed>, over: bool },
}

/// How long somebody watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Watch {
    /// Until something has come of it.
    Once,
    /// On a stream, to which they may come back; or have they.
    Stream(Option<After>),
}

/// Who watches what.
pub(super) struct Watchers {
    feeds: HashMap<InteractionId, Vec<WatchFeed>>,
    kept: Backlog<InteractionId, Box<InteractionView>>,
    touched: BTreeSet<InteractionId>,
}

impl Default for Watchers {
    fn default() -> Watchers {
        Watchers { feeds: HashMap::new(), kept: Backlog::new(CHANGES), touched: BTreeSet::new() }
    }
}

impl Watchers {
    /// An event was about this interaction.
    pub fn touch(&mut self, interaction: InteractionId) {
        if self.feeds.contains_key(&interaction) || self.kept.keeps(interaction) {
            self.touched.insert(interaction);
        }
    }

    /// After a batch.
    pub fn settle(&mut self, shard: &Shard) {
        self.kept.forget_old(shard.now());
        for interaction in std::mem::take(&mut self.touched) {
            let Some(view) = view::interaction(shard, interaction) else { continue };
            let over = view.interaction.state.is_over();
            let changed = self.changed(shard, view);
            let Some(feeds) = self.feeds.get_mut(&interaction) else { continue };
            feeds.retain(|feed| feed.try_send(Watched::Now(changed.clone())).is_ok());
            if feeds.is_empty() || over {
                self.feeds.remove(&interaction);
                self.kept.left(interaction, shard.now());
            }
        }
    }

    /// Keeps a change, if somebody may come back to it.
    fn changed(&mut self, shard: &Shard, view: InteractionView) -> Changed {
        let changed = self.at(view);
        if self.kept.keeps(changed.view.interaction.id) {
            let (position, what) = (changed.position, changed.view.clone());
            self.kept.keep(what.interaction.id, Told { position, time: shard.now(), what }, 0);
        }
        changed
    }

    fn at(&mut self, view: InteractionView) -> Changed {
        let unkept = Position { sequence: view.sequence, index: 0 };
        let position = self.kept.next(view.interaction.id, view.sequence).unwrap_or(unkept);
        Changed { position, view: Box::new(view) }
    }

    /// Takes somebody in: first the interaction as it is, or what they missed; then every change.
    pub fn follow(&mut self, shard: &Shard, interaction: InteractionId, watch: Watch, feed: WatchFeed) {
        let Some(view) = view::interaction(shard, interaction) else { return };
        let over = view.interaction.state.is_over();
        let first = match watch {
            Watch::Once => Watched::Now(self.at(view)),
            Watch::Stream(after) => self.first(view, after),
        };
        if feed.try_send(first).is_ok() && !over {
            let feeds = self.feeds.entry(interaction).or_default();
            // Who asks again and again for one that waits long leaves a closed feed behind each time.
            feeds.retain(|feed| !feed.is_closed());
            feeds.push(feed);
        } else if !over && !self.feeds.contains_key(&interaction) {
            self.kept.left(interaction, shard.now());
        }
    }

    fn first(&mut self, view: InteractionView, after: Option<After>) -> Watched {
        let (interaction, over) = (view.interaction.id, view.interaction.state.is_over());
        let missed = after.and_then(|after| self.kept.missed(interaction, &after));
        let missed = missed.map(|missed| {
            let changed = |told: Told<&Box<InteractionView>>| Changed {
                position: told.position,
                view: told.what.clone(),
            };
            missed.into_iter().map(changed).collect()
        });
        if !over {
            self.kept.begin(interaction, view.sequence, view.now);
        }
        match (missed, after) {
            (Some(changes), _) => Watched::Missed { changes, over },
            (None, Some(_)) => Watched::Gap(self.at(view)),
            (None, None) => Watched::Now(self.at(view)),
        }
    }

    #[cfg(test)]
    pub fn feeds_of(&self, interaction: InteractionId) -> usize {
        self.feeds.get(&interaction).map_or(0, Vec::len)
    }
}
