//! Looks at what lies beside the journal: snapshots, and the archive with the states beside its days. A start needs one of
//! them when the journal does not begin with event 1.

use super::TenantFolder;
use super::dump::moment;
use crate::engine::event::Event;
use crate::engine::ids::InteractionId;
use crate::journal::{
    Archive, Day, Fault, Mark, RecordRef, SnapshotReader, Snapshots, SqliteReader, check_snapshot,
};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// One file.
pub(super) struct Looked {
    /// Its name in the folder of the tenant.
    pub file: String,
    pub path: PathBuf,
    /// For people.
    pub holds: String,
    pub damage: Option<String>,
    /// The first and the last event that could be read; of a state, the event after which it was.
    pub events: Option<(u64, u64)>,
    /// Engine time of the last.
    pub last_ms: u64,
    /// The highest number of an interaction in it; of the archive, of before the journal.
    pub interaction: u64,
}

/// What lies beside the journal of a tenant.
pub(super) struct Kept {
    /// Oldest first.
    pub snapshots: Vec<Looked>,
    /// Files of the archive, oldest first.
    pub days: Vec<Looked>,
    /// States beside them.
    pub bases: Vec<Looked>,
}

impl Kept {
    /// Looks at all of it, and how it fits the journal, which begins with `first`.
    pub fn look(tenant: &TenantFolder, journal: &SqliteReader, first: u64) -> Result<Kept, Fault> {
        let dir = &tenant.path;
        let mut snapshots = Vec::new();
        for (sequence, path) in Snapshots::of(dir).list()? {
            let by_journal = |sequence, mark| {
                marked(sequence, mark, &mut |from, see| journal.batches(from, &mut |_, records| see(records)))
            };
            snapshots.push(snapshot(dir, &tenant.name, &path, Some(sequence), &by_journal));
        }
        let archive = Archive::of(dir);
        let (mut days, mut bases) = (Vec::new(), Vec::new());
        for (_, path) in archive.files()? {
            let looked = day(dir, &path, days.last(), first);
            days.push(looked);
            let base = path.with_extension("snapshot");
            if base.exists() {
                bases.push(snapshot(dir, &tenant.name, &base, None, &|sequence, mark| {
                    Ok(by_archive(&archive, sequence, mark))
                }));
            }
        }
        if let Some(last) = days.last_mut() {
            reaches(last, first);
        }
        Ok(Kept { snapshots, days, bases })
    }

    /// The snapshots a start may begin with, if the journal ends at `last`.
    pub fn good_snapshots(&self, last: u64) -> impl Iterator<Item = &Looked> {
        let fits = move |one: &&Looked| {
            one.damage.is_none() && one.events.is_some_and(|(sequence, _)| sequence <= last)
        };
        self.snapshots.iter().filter(fits)
    }

    /// The last event in the archive.
    pub fn archived(&self) -> Option<u64> {
        self.days.last().and_then(|day| day.events).map(|(_, last)| last)
    }

    /// The highest number of an interaction of before the journal, as far as the good snapshots up to `last` or the archive tell.
    pub fn interaction(&self, last: u64) -> u64 {
        self.good_snapshots(last).chain(&self.days).map(|one| one.interaction).max().unwrap_or_default()
    }

    /// Whether the archive has each event from the first to the one before the journal begins.
    pub fn has_the_first(&self) -> bool {
        let begins = self.days.first().and_then(|day| day.events).is_some_and(|(first, _)| first == 1);
        begins && self.days.iter().all(|day| day.damage.is_none())
    }

    /// Why a journal that begins with `first` and ends with `last` cannot be begun with, if that is so.
    pub fn nothing_to_begin_with(&self, first: u64, last: u64) -> Option<String> {
        if first == 1 || self.good_snapshots(last).next().is_some() || self.has_the_first() {
            return None;
        }
        Some(format!(
            "it begins with event {first}, and what was before is in no snapshot and no archive that is as written"
        ))
    }

    /// How many of the oldest days are of no use: the last one that is damaged, and all before it.
    pub fn lost_days(&self) -> usize {
        self.days.iter().rposition(|day| day.damage.is_some()).map_or(0, |last| last + 1)
    }

    /// The last event of the days behind those that are lost, 0 if there are none.
    pub fn good_archived(&self) -> u64 {
        let good = self.days.iter().skip(self.lost_days());
        good.filter_map(|day| day.events).map(|(_, last)| last).max().unwrap_or_default()
    }

    /// The days behind those that are lost, to be copied.
    pub fn good_days(&self) -> Vec<Day> {
        let good = self.days.iter().skip(self.lost_days());
        good.filter_map(|day| {
            let (first, _) = day.events?;
            let name = day.path.file_stem()?.to_string_lossy().into_owned();
            Some(Day { name, path: day.path.clone(), first, bytes: 0 })
        })
        .collect()
    }
}

fn named(dir: &Path, path: &Path) -> String {
    path.strip_prefix(dir).expect("it was found there").to_string_lossy().into_owned()
}

/// Sees the records of one batch.
type SeeRecords<'a> = dyn FnMut(&[RecordRef<'_>]) -> Result<ControlFlow<()>, Fault> + 'a;

/// Whether an event has this mark in what `read` shows from it on.
fn marked(
    sequence: u64,
    mark: Mark,
    read: &mut dyn FnMut(u64, &mut SeeRecords<'_>) -> Result<(), Fault>,
) -> Result<bool, Fault> {
    let mut found = None;
    read(sequence, &mut |records| {
        found = records.iter().find(|record| record.sequence == sequence).map(Mark::of);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found == Some(mark))
}

/// Of a state before the oldest day, or beside a damaged one, nobody can say more than that it is whole.
fn by_archive(archive: &Archive, sequence: u64, mark: Mark) -> bool {
    if !archive.first().is_ok_and(|first| first.is_some_and(|first| first <= sequence)) {
        return true;
    }
    let looked = marked(sequence, mark, &mut |from, see| {
        archive.batches(from, &mut |_, records| see(records)).map(drop)
    });
    looked.unwrap_or(true)
}

fn snapshot(
    dir: &Path,
    tenant: &str,
    path: &Path,
    name: Option<u64>,
    is_ours: &dyn Fn(u64, Mark) -> Result<bool, Fault>,
) -> Looked {
    let mut looked = Looked {
        file: named(dir, path),
        path: path.to_owned(),
        holds: String::new(),
        damage: None,
        events: None,
        last_ms: 0,
        interaction: 0,
    };
    match SnapshotReader::open(path)
        .and_then(|reader| Ok((reader.time_ms(), check_snapshot(path, tenant, is_ours)?)))
    {
        Ok((_, shard)) if name.is_some_and(|name| name != shard.sequence().0) => {
            let sequence = shard.sequence();
            looked.damage = Some(format!(
                "{} is the state after event {sequence}, which its name does not say",
                path.display()
            ));
        }
        Ok((time_ms, shard)) => {
            let sequence = shard.sequence().0;
            looked.holds = format!("the state after event {sequence}, of {}", moment(time_ms));
            looked.events = Some((sequence, sequence));
            looked.interaction = shard.last_interaction().0;
        }
        Err(fault) => looked.damage = Some(fault.to_string()),
    }
    looked
}

/// Reads a file of the archive, which must go on where the one before ended, if that could be read.
fn day(dir: &Path, path: &Path, before: Option<&Looked>, journal: u64) -> Looked {
    let mut seen = Seen { before: journal, ..Seen::default() };
    let read = Archive::check(path, &mut |records, _| {
        seen.see(path, records)?;
        Ok(ControlFlow::Continue(()))
    });
    let follows =
        match (before.filter(|before| before.damage.is_none()).and_then(|one| one.events), seen.events) {
            (Some((_, end)), Some((first, _))) if first != end + 1 => Err(Fault::damaged(
                path,
                format!("it begins with event {first}, the file before it ends with {end}"),
            )),
            _ => Ok(()),
        };
    let (torn, damage) = match read {
        Ok(torn) => (torn, follows.err()),
        Err(fault) => (0, Some(fault)),
    };
    Looked {
        file: named(dir, path),
        path: path.to_owned(),
        holds: seen.told(torn),
        damage: damage.map(|fault| fault.to_string()),
        events: seen.events,
        last_ms: seen.to_ms,
        interaction: seen.interaction,
    }
}

/// The last file must reach the journal.
fn reaches(last: &mut Looked, first: u64) {
    if let (None, Some((_, end))) = (&last.damage, last.events)
        && end + 1 < first
    {
        let missing = format!("it ends with event {end}, the journal begins with {first}");
        last.damage = Some(Fault::damaged(&last.path, missing).to_string());
    }
}

#[derive(Default)]
struct Seen {
    /// Interactions that came later are told by the journal.
    before: u64,
    events: Option<(u64, u64)>,
    from_ms: u64,
    to_ms: u64,
    interaction: u64,
}

impl Seen {
    fn see(&mut self, path: &Path, records: &[RecordRef<'_>]) -> Result<(), Fault> {
        self.interaction = self.interaction.max(newest_interaction(path, records, self.before)?);
        for record in records {
            let (first, _) = *self.events.get_or_insert_with(|| {
                self.from_ms = record.time_ms;
                (record.sequence, record.sequence)
            });
            (self.events, self.to_ms) = (Some((first, record.sequence)), record.time_ms);
        }
        Ok(())
    }

    fn told(&self, torn: u64) -> String {
        let torn = match torn {
            0 => String::new(),
            bytes => {
                format!("; {bytes} bytes of a batch that was not written to its end, and is in the journal")
            }
        };
        match self.events {
            None => format!("no events{torn}"),
            Some((first, last)) => {
                let (from, to) = (moment(self.from_ms), moment(self.to_ms));
                format!("events {first} to {last}, from {from} to {to}{torn}")
            }
        }
    }
}

/// Decodes the events; the highest number of an interaction that came with those before one.
pub(super) fn newest_interaction(path: &Path, records: &[RecordRef<'_>], before: u64) -> Result<u64, Fault> {
    let mut newest = InteractionId(0);
    for record in records {
        let event = record.event().map_err(|corruption| Fault::damaged(path, corruption.to_string()))?;
        if let Event::Admitted(admitted) = event
            && record.sequence < before
        {
            newest = newest.max(admitted.interaction);
        }
    }
    Ok(newest.0)
}
