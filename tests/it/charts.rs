//! The state charts: the document's tables are the code's lists, and the code takes each of the ways they name, and no
//! other.

use crate::chance::{Chance, Move};
use baton::engine::agent::{Liveness, Presence};
use baton::engine::chart::{INTERACTION, LIVENESS, OFFER, PRESENCE};
use baton::engine::command::Command;
use baton::engine::event::Stamped;
use baton::engine::ids::InteractionId;
use baton::engine::interaction::State;
use baton::engine::shard::Shard;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Row = (String, String, String);

fn named(from: Option<impl std::fmt::Debug>, by: &str, to: impl std::fmt::Debug) -> Row {
    (from.map_or("(new)".into(), |from| format!("{from:?}")), by.into(), format!("{to:?}"))
}

/// Every row of three cells of the document.
fn documented() -> BTreeSet<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).expect("the document is there");
    let charts = text.split("## State charts").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = charts.expect("it has state charts").lines().filter(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    cells
        .filter(|cells| {
            cells.len() == 3 && cells[0] != "from" && cells[0] != "by" && !cells[0].starts_with('-')
        })
        .map(|cells| (cells[0].to_owned(), cells[1].to_owned(), cells[2].to_owned()))
        .collect()
}

#[test]
fn the_documents_charts_are_the_codes() {
    let mut listed: BTreeSet<Row> = INTERACTION.iter().map(|(from, by, to)| named(*from, by, to)).collect();
    listed.extend(PRESENCE.iter().map(|(from, by, to)| named(Some(from), by, to)));
    listed.extend(LIVENESS.iter().map(|(from, by, to)| named(Some(from), by, to)));
    let mut documented = documented();
    for (by, ending) in OFFER {
        let row = documented.iter().find(|row| row.0 == *by && row.1 == format!("{ending:?}")).cloned();
        documented.remove(&row.unwrap_or_else(|| panic!("no row says that {by} ends an offer")));
    }
    assert_eq!(documented, listed);
}

/// Follows a journal event by event and notes every move.
#[derive(Default)]
struct Follower {
    shard: Shard,
    states: BTreeMap<InteractionId, State>,
    agents: Vec<(Presence, Liveness)>,
    moves: BTreeSet<Row>,
}

impl Follower {
    fn follow(&mut self, stamped: &Stamped) {
        self.shard.apply(stamped);
        let by = stamped.event.name();
        for id in (1..=self.shard.last_interaction().0).map(InteractionId) {
            let Some(now) = self.shard.interaction(id).map(|subject| subject.state) else { continue };
            let before = self.states.insert(id, now);
            if before != Some(now) {
                self.moves.insert(named(before, by, now));
            }
        }
        for (index, agent) in self.shard.agents().iter().enumerate() {
            let now = (agent.presence, agent.liveness);
            if self.agents.len() == index {
                self.agents.push(now);
            }
            let before = std::mem::replace(&mut self.agents[index], now);
            if before.0 != now.0 {
                self.moves.insert(named(Some(before.0), by, now.0));
            }
            if before.1 != now.1 {
                self.moves.insert(named(Some(before.1), by, now.1));
            }
        }
    }
}

fn random_journal(random: &mut ChaCha8Rng) -> Vec<Stamped> {
    let (mut shard, mut chance, mut journal) = (Shard::new(), Chance::new(), Vec::new());
    let mut ask = |chance: &mut Chance, now, command: Command| {
        let seen = journal.len();
        // A refusal is an answer like any other here.
        let _ = shard.step(now, command, &mut journal);
        chance.saw(&journal[seen..]);
    };
    for (now, command) in Chance::opening() {
        ask(&mut chance, now, command);
    }
    for _ in 0..400 {
        let one: Move = std::array::from_fn(|_| random.next_u32());
        let (now, command) = chance.next(one);
        ask(&mut chance, now, command);
    }
    journal
}

#[test]
fn each_way_between_states_is_taken_and_no_other() {
    let mut listed: BTreeSet<Row> = INTERACTION.iter().map(|(from, by, to)| named(*from, by, to)).collect();
    listed.extend(PRESENCE.iter().map(|(from, by, to)| named(Some(from), by, to)));
    listed.extend(LIVENESS.iter().map(|(from, by, to)| named(Some(from), by, to)));
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let told =
        crate::scenarios::written().iter().flat_map(|text| crate::story::journals(text)).collect::<Vec<_>>();
    let drawn = (0..30).map(|_| random_journal(&mut random));
    let mut taken = BTreeSet::new();
    for journal in told.into_iter().chain(drawn) {
        let mut follower = Follower::default();
        journal.iter().for_each(|stamped| follower.follow(stamped));
        taken.extend(follower.moves);
    }
    let unlisted: Vec<_> = taken.difference(&listed).collect();
    assert!(unlisted.is_empty(), "ways that are not in the chart: {unlisted:?}");
    let untaken: Vec<_> = listed.difference(&taken).collect();
    assert!(untaken.is_empty(), "ways nobody took: {untaken:?}");
}
