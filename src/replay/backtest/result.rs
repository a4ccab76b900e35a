//! A back-test's result: three tellings of one period side by side, and what changed.

use super::again::{Again, Worth};
use super::changed::{Changed, most, queue_name};
use super::column::Counted;
use super::conventions::{conventions, own_error};
use super::difference::{Difference, difference};
use super::drawn::Drawn;
use super::error::BacktestError;
use super::fates::Fate;
use super::figures::{Cell, Yardsticks};
use super::lives::Life;
use super::recorded::Recorded;
use super::{Options, moment};
use crate::report::Figures;
use crate::rules::RuleSet;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which rule set it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    pub version: u32,
    pub name: String,
}

/// All, a queue or a segment in the three tellings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub name: String,
    /// What was.
    pub recorded: Cell,
    /// The same period decided again by the published rules. What differs from the record is the simulation's own error.
    pub published: Cell,
    /// And by the draft.
    pub draft: Cell,
    /// Draft less published. `None`: nobody came.
    pub difference: Option<Difference>,
}

/// What a rule change would have done to a recorded period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backtest {
    /// What was read.
    pub source: String,
    /// The first moment that counts, and the first that counts no more; UTC.
    pub from: String,
    pub to: String,
    pub published: Named,
    pub draft: Named,
    /// Seed of every draw.
    pub seed: u64,
    /// What was assumed, in sentences.
    pub conventions: Vec<String>,
    /// What to know about this record.
    pub notes: Vec<String>,
    /// How far the simulation is from the record, in one sentence.
    pub own_error: String,
    pub all: Row,
    /// By name.
    pub queues: Vec<Row>,
    /// Within queues where customers are told apart, by their tier and the points given by the source.
    pub segments: Vec<Row>,
    /// Interactions that end another way, by another agent or after another wait under the draft.
    pub changed: u64,
    /// Of those, the ones that changed most, by money.
    pub changed_most: Vec<Changed>,
}

/// So many parts of the draft that the floor does not bear out are said one by one.
const SKIPPED_MAX: usize = 10;

/// Everything a row is made of.
struct Tellings<'a> {
    recorded: &'a Recorded,
    record: Vec<Option<Fate>>,
    published: &'a Again,
    draft: &'a Again,
    counted: [Counted; 3],
}

impl Tellings<'_> {
    fn fates(&self) -> [&[Option<Fate>]; 3] {
        [&self.record, &self.published.fates, &self.draft.fates]
    }

    fn row(&self, name: String, members: &[usize], put: impl Fn(Cell, &Counted) -> Cell) -> Row {
        let by = Yardsticks { published: &self.published.worth, draft: &self.draft.worth };
        let cell = |at: usize| put(Cell::of(members, self.fates()[at], by), &self.counted[at]);
        let lives = &self.recorded.lives;
        let (worth, published, draft): (&[Option<Worth>], _, _) =
            (&self.published.worth, &self.published.fates, &self.draft.fates);
        Row {
            name,
            recorded: cell(0),
            published: cell(1),
            draft: cell(2),
            difference: difference(members, lives, worth, published, draft),
        }
    }

    fn all(&self) -> Row {
        let members: Vec<usize> = (0..self.recorded.lives.len()).collect();
        self.row("all".to_owned(), &members, |cell, counted| {
            let mut sum = Figures::default();
            counted.queues.values().for_each(|figures| sum.add(figures));
            cell.reported(&sum).with_agents(counted)
        })
    }

    /// Also those that nobody came to, but some were led to.
    fn queues(&self) -> Vec<Row> {
        let floor = self.recorded.record.projection.shard().floor();
        let mut members: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for counted in &self.counted {
            members.extend(counted.queues.keys().map(|name| (name.clone(), Vec::new())));
        }
        for (number, life) in self.recorded.lives.iter().enumerate() {
            members.entry(queue_name(floor, life.contact.queue)).or_default().push(number);
        }
        let row = |(name, members): (String, Vec<usize>)| {
            let own = name.clone();
            let nothing = Figures::default();
            self.row(name, &members, |cell, counted| {
                cell.reported(counted.queues.get(&own).unwrap_or(&nothing))
            })
        };
        members.into_iter().map(row).collect()
    }

    fn segments(&self) -> Vec<Row> {
        let floor = self.recorded.record.projection.shard().floor();
        let mut members: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
        for (number, life) in self.recorded.lives.iter().enumerate().filter(|(_, life)| !life.carried) {
            let of = (queue_name(floor, life.contact.queue), life.contact.segment());
            members.entry(of).or_default().push(number);
        }
        // Where nobody is told apart, the queue's own row says it all.
        let parts = |queue: &str| members.keys().filter(|(other, _)| other == queue).count();
        let several: Vec<bool> = members.keys().map(|(queue, _)| parts(queue) > 1).collect();
        let members = members.into_iter().zip(several).filter(|(_, several)| *several).map(|(one, _)| one);
        let row = |((queue, segment), members): ((String, String), Vec<usize>)| {
            let segment = if segment.is_empty() { "others".to_owned() } else { segment };
            self.row(format!("{queue}, {segment}"), &members, |cell, _| cell)
        };
        members.map(row).collect()
    }
}

/// Puts the three tellings side by side.
pub(super) fn result(
    recorded: &Recorded,
    drawn: &Drawn,
    (published, draft): (&RuleSet, &RuleSet),
    (again, drafted): (&Again, &Again),
    options: &Options,
) -> Result<Backtest, BacktestError> {
    let (request, until) = (recorded.request(), recorded.until);
    let shard = recorded.record.projection.shard();
    let fate =
        |life: &super::lives::Life| (!life.carried).then(|| recorded.record.fates.of(life.id, shard, until));
    let counted =
        [&recorded.record, &again.column, &drafted.column].map(|column| column.counted(request, until));
    let [one, two, three] = counted;
    let tellings = Tellings {
        recorded,
        record: recorded.lives.iter().map(fate).collect(),
        published: again,
        draft: drafted,
        counted: [one?, two?, three?],
    };
    let (all, queues) = (tellings.all(), tellings.queues());
    let (changed, changed_most) = most(recorded, &tellings.record, again, drafted, options.changed_max);
    let named = |rules: &RuleSet| Named { version: rules.version(), name: rules.name().to_owned() };
    Ok(Backtest {
        source: recorded.source.clone(),
        from: moment(recorded.from),
        to: moment(recorded.to),
        published: named(published),
        draft: named(draft),
        seed: options.seed,
        conventions: conventions(recorded, drawn),
        notes: notes(recorded, (published, draft), (again, drafted), &all),
        own_error: own_error(&all, &queues),
        queues,
        segments: tellings.segments(),
        all,
        changed,
        changed_most,
    })
}

/// Facts that a draft asks for and that did not come along in the record, or not from the beginning on.
fn not_recorded(recorded: &Recorded, draft: &RuleSet) -> Vec<String> {
    let said = |name: &Arc<str>| {
        let has = |life: &Life| life.contact.attributes().any(|known| known == &**name);
        let because = "rules of the draft that ask for it are skipped until then, or do not match";
        match recorded.lives.iter().position(has) {
            Some(0) => None,
            Some(first) => {
                let since = moment(recorded.lives[first].entered);
                Some(format!("attribute.{name} is not recorded before {since}: {because}"))
            }
            None => Some(format!("attribute.{name} is not recorded in this period: {because}")),
        }
    };
    draft.uses().attributes.iter().filter_map(said).collect()
}

fn notes(
    recorded: &Recorded,
    (rules, drafted): (&RuleSet, &RuleSet),
    (published, draft): (&Again, &Again),
    all: &Row,
) -> Vec<String> {
    let mut notes = recorded.notes.clone();
    let skipped = drafted.skipped(draft.column.projection.shard().floor());
    notes.extend(skipped.iter().take(SKIPPED_MAX).map(|part| format!("the draft: {part}")));
    if let Some(more) = skipped.len().checked_sub(SKIPPED_MAX).filter(|more| *more > 0) {
        notes.push(format!(
            "the draft: {more} more parts are left out, since the floor does not have what they name"
        ));
    }
    notes.extend(not_recorded(recorded, drafted));
    if recorded.until < recorded.to {
        let ends = moment(recorded.until);
        notes.push(format!("the record ends at {ends}: what is later in the period is not known"));
    }
    let version = rules.version();
    let other = recorded.lives.iter().filter(|life| life.contact.rule_set != version).count();
    if other > 0 {
        notes.push(format!(
            "{other} of {} interactions were planned by another version than {version} in the record: so far the second column \
             is not meant to repeat it",
            recorded.lives.len()
        ));
    }
    if all.recorded.occupancy.is_none() {
        let nobody = "nobody was on duty for work in this period: all columns are waiting and leaving alone";
        notes.push(nobody.to_owned());
    }
    if published.refused + draft.refused > 0 {
        notes.push(format!(
            "acts of the record that could not be repeated since what was before them was another thing: {} under the \
             published rules, {} under the draft",
            published.refused, draft.refused
        ));
    }
    notes
}
