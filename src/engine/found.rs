//! What a look at everybody who is free has found: the pairs that are worth most, those kept for others, and why the
//! rest could not have it.

use super::agent::Rank;
use super::explain::{CANDIDATES_STORED_MAX, Exclusion, Net};
use super::few::Few;
use super::ids::AgentKey;
use super::matching::Barred;
use super::plan::Familiar;
use super::profile::keep;
use super::stakes::Relief;
use arrayvec::ArrayVec;
use std::cmp::Reverse;

/// What one interaction stands for on it.
#[derive(Clone, Copy)]
pub(super) struct Weighed {
    pub relief: Relief,
    /// It has waited so long that it is held no longer.
    pub held_enough: bool,
    /// Who knows the customer.
    pub familiar: Option<Familiar>,
}

impl Weighed {
    /// Leaving it waiting costs no less than taking the agent from others, or it has been held long enough.
    pub fn allows(&self, net: &Net) -> bool {
        self.held_enough || net.relief >= net.opportunity + net.lacking
    }
}

/// The best pairs so far, best first: net, then least in use, then idle longest, then the lower key.
type Pairs = ArrayVec<Pair, CANDIDATES_STORED_MAX>;
pub(super) type Pair = (Reverse<i64>, Rank, Net);

/// What a look at everybody who is free has found.
#[derive(Default)]
pub(super) struct Found {
    /// Nobody who has nothing in hand is kept from it.
    pub open_to_all: bool,
    /// Who just missed it, and comes last.
    pub last: Option<AgentKey>,
    /// Who knows the customer has been looked at.
    pub met: Option<AgentKey>,
    pub eligible: Pairs,
    /// Every one of them, if more are asked at once than are stored.
    pub all: Option<Vec<(Reverse<i64>, Rank)>>,
    /// Those who are worth more to others than the interaction loses by waiting.
    pub dear: Pairs,
    pub others: ArrayVec<(Rank, Option<Exclusion>), CANDIDATES_STORED_MAX>,
    pub barred: Barred,
}

impl Found {
    pub fn excluded(&mut self, rank: Rank, exclusion: Option<Exclusion>) {
        self.barred.note(exclusion);
        if !self.others.is_full() {
            self.others.push((rank, exclusion));
        }
    }

    /// Nobody could have it, whatever it is worth.
    pub fn is_empty(&self) -> bool {
        self.eligible.is_empty() && self.dear.is_empty()
    }

    /// The best so many. Who just missed it is asked again only when nobody else can be.
    pub fn first(&mut self, count: usize) -> Few<AgentKey> {
        if self.all.is_none() && self.last.is_none() {
            return self.eligible.iter().take(count).map(|one| one.1.agent()).collect();
        }
        let mut best: Vec<AgentKey> = match &mut self.all {
            Some(all) => {
                all.sort_unstable();
                all.iter().map(|one| one.1.agent()).collect()
            }
            None => self.eligible.iter().map(|one| one.1.agent()).collect(),
        };
        if best.len() > 1 {
            best.retain(|agent| Some(*agent) != self.last);
        }
        best.truncate(count);
        best.into()
    }

    pub fn weighed(&mut self, rank: Rank, net: &Net, weighed: Weighed) {
        let worth = if self.last == Some(rank.agent()) { i64::MIN } else { net.sum() };
        if let Some(all) = self.all.as_mut().filter(|_| weighed.allows(net)) {
            all.push((Reverse(worth), rank));
        }
        keep(
            if weighed.allows(net) { &mut self.eligible } else { &mut self.dear },
            (Reverse(worth), rank, *net),
        );
    }
}
