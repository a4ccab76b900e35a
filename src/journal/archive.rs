//! Events that recovery does not need any more: one file a day, of batches one after the other as the journal had them,
//! each with its checksum. Beside it lies a snapshot of the state before its first event, so that a day can be told
//! without those before it. The oldest files go when there are too many; nobody but explanations, reports and back-tests
//! asks for them.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::batches::{Batches, first_of};
use super::reader::SeeBatch;
use super::record::{self, Batch, RecordRef};
use super::steady::Steady;
use super::{Fault, file, parting};

/// Sees the records of a batch, and the batch.
pub(crate) type SeeBytes<'a> = dyn FnMut(&[RecordRef<'_>], &[u8]) -> Result<ControlFlow<()>, Fault> + 'a;

const ENDING: &str = "events";
const BASE_ENDING: &str = "snapshot";
const DAY_MS: u64 = 86_400_000;

/// How much of the past is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Days.
    pub days: u32,
    /// Bytes in all, at least one file.
    pub bytes: u64,
}

/// The archive of one tenant.
#[derive(Clone, Debug)]
pub struct Archive {
    folder: PathBuf,
}

/// One file of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Day {
    /// As in `2026-11-27`, UTC, of its first event.
    pub name: String,
    pub path: PathBuf,
    /// The number of its first event.
    pub first: u64,
    pub bytes: u64,
}

impl Day {
    /// Where the state before its first event lies, if it is kept.
    pub(crate) fn base(&self) -> PathBuf {
        self.path.with_extension(BASE_ENDING)
    }
}

impl Archive {
    /// That in the folder of a tenant, which may be empty.
    pub fn of(dir: &Path) -> Archive {
        Archive { folder: dir.join("archive") }
    }

    /// Its files, oldest first.
    pub fn days(&self) -> Result<Vec<Day>, Fault> {
        let mut days = Vec::new();
        for (name, path) in self.files()? {
            if let Some((span, bytes)) = first_of(&path)? {
                days.push(Day { name, path, first: span.first, bytes });
            }
        }
        days.sort_by_key(|day| day.first);
        Ok(days)
    }

    /// Names and places of its files by name, whatever is in them.
    pub(crate) fn files(&self) -> Result<Vec<(String, PathBuf)>, Fault> {
        let mut found = Vec::new();
        for path in file::files_in(&self.folder)? {
            if path.extension().is_some_and(|found| found == ENDING)
                && let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned)
            {
                found.push((name, path));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The number of the first event in it; `None` if it is empty.
    pub fn first(&self) -> Result<Option<u64>, Fault> {
        Ok(self.days()?.first().map(|day| day.first))
    }

    /// The number of the last event in it; `None` if it is empty.
    pub fn last(&self) -> Result<Option<u64>, Fault> {
        let Some(newest) = self.days()?.pop() else { return Ok(None) };
        let mut batches = Batches::open(&newest.path)?;
        let mut last = None;
        while let Some(span) = batches.next()? {
            batches.skip()?;
            last = Some(span.last);
        }
        Ok(last)
    }

    /// Where the states lie that are kept beside the days, oldest first.
    pub fn bases(&self) -> Result<Vec<PathBuf>, Fault> {
        let mut bases: Vec<_> = self.days()?.iter().map(Day::base).collect();
        bases.retain(|base| base.exists());
        Ok(bases)
    }

    /// Shows the records from `from` to the end, in order, until `visit` breaks. The number behind the last it has; `None`
    /// if it was told to break.
    pub fn read(
        &self,
        from: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<Option<u64>, Fault> {
        self.walk(from, &mut |records, _| {
            Ok(records.iter().filter(|one| one.sequence >= from).try_for_each(|&one| visit(one)))
        })
    }

    /// The same by whole batches with their records, from the one that holds `from` on.
    pub(crate) fn batches(&self, from: u64, see: &mut SeeBatch<'_>) -> Result<Option<u64>, Fault> {
        self.walk(from, &mut |records, bytes| see(Batch::of(records, bytes), records))
    }

    fn walk(&self, from: u64, see: &mut SeeBytes<'_>) -> Result<Option<u64>, Fault> {
        let days = self.days()?;
        let start = days.partition_point(|day| day.first <= from).saturating_sub(1);
        let mut next = None;
        for day in days.get(start..).unwrap_or_default() {
            if next.is_some_and(|next| next != day.first) {
                return Err(Fault::damaged(
                    &day.path,
                    format!("it begins at {}, not where the day before ended", day.first),
                ));
            }
            let mut batches = Batches::open(&day.path)?;
            while let Some(span) = batches.next()? {
                if next.is_some_and(|next| next != span.first) {
                    return Err(batches.damaged("it does not follow the one before"));
                }
                // The day that had it was let go a moment ago.
                if next.is_none() && span.first > from {
                    let (folder, first) = (self.folder.clone(), span.first);
                    return Err(Fault::NotRetained { folder, wanted: from, first });
                }
                next = Some(span.last + 1);
                if span.last < from {
                    batches.skip()?;
                    continue;
                }
                let bytes = batches.body()?;
                let records = record::decode(bytes).map_err(Fault::batch(&day.path, span.first))?;
                if see(&records, bytes)?.is_break() {
                    return Ok(None);
                }
            }
        }
        Ok(Some(next.unwrap_or(from)))
    }

    /// Reads one file of it, each batch checked and shown. So many bytes at its end are of a batch that is not all there.
    pub(crate) fn check(path: &Path, see: &mut SeeBytes<'_>) -> Result<u64, Fault> {
        let (mut batches, mut next) = (Batches::open(path)?, None);
        while let Some(span) = batches.next()? {
            if next.is_some_and(|next| next != span.first) {
                return Err(batches.damaged("it does not follow the one before"));
            }
            next = Some(span.last + 1);
            let bytes = batches.body()?;
            let records = record::decode(bytes).map_err(Fault::batch(path, span.first))?;
            if see(&records, bytes)?.is_break() {
                break;
            }
        }
        Ok(batches.left())
    }

    /// How many bytes of a file hold the batches that end at an event or before it.
    pub(crate) fn length_to(path: &Path, last: u64) -> Result<u64, Fault> {
        let mut batches = Batches::open(path)?;
        let mut length = 0;
        while batches.next()?.is_some_and(|span| span.last <= last) {
            batches.skip()?;
            length = batches.end();
        }
        Ok(length)
    }

    /// Opens it to be added to by a journal that begins with this event. What a crash left half written at its end is cut off:
    /// the journal still has that.
    ///
    /// # Errors
    /// Damage, when what would be left does not reach to the journal: then it was no crash.
    pub fn open_to_add(&self, journal_first: u64) -> Result<Adding, Fault> {
        file::create_folder(&self.folder)?;
        let mut adding = Adding { folder: self.folder.clone(), day: None, next: None };
        let (newest, mut end) = (self.days()?.pop(), 0);
        if let Some(day) = &newest {
            let mut batches = Batches::open(&day.path)?;
            while let Some(span) = batches.next()? {
                batches.skip()?;
                (end, adding.next) = (batches.end(), Some(span.last + 1));
            }
        }
        // A file without a whole batch is no day yet: one that was begun, and is behind the newest.
        let mut begun = Vec::new();
        for (name, path) in self.files()? {
            if newest.as_ref().is_none_or(|day| name > day.name) && first_of(&path)?.is_none() {
                begun.push(path);
            }
        }
        let reaches = adding.next.unwrap_or(1);
        let looked_at = newest.as_ref().map(|day| &day.path).or(begun.last());
        if let Some(path) = looked_at.filter(|_| reaches < journal_first) {
            let what = format!("it ends before event {reaches}, and the journal begins with {journal_first}");
            return Err(Fault::damaged(path, what));
        }
        begun.iter().try_for_each(|path| fs::remove_file(path).map_err(Fault::io(path, "remove")))?;
        if let Some(day) = newest {
            let file = OpenOptions::new().write(true).open(&day.path);
            let cut = file.and_then(|mut file| {
                file.set_len(end)?;
                file.seek(SeekFrom::Start(end))?;
                Ok(BufWriter::new(Steady::new(file)))
            });
            adding.day = Some((day.name, day.path.clone(), cut.map_err(Fault::io(&day.path, "open"))?));
        }
        Ok(adding)
    }

    /// Removes the oldest files until the rest is within the limits at this time. The newest stays. How many went.
    pub fn forget(&self, limits: Limits, now_ms: u64) -> Result<usize, Fault> {
        let days = self.days()?;
        let oldest = day_name(now_ms.saturating_sub(u64::from(limits.days) * DAY_MS));
        let mut bytes: u64 = days.iter().map(|day| day.bytes).sum();
        let mut gone = 0;
        for day in days.iter().take(days.len().saturating_sub(1)) {
            if bytes <= limits.bytes && day.name >= oldest {
                break;
            }
            parting::remove(&day.path).map_err(Fault::io(&day.path, "remove"))?;
            match parting::remove(&day.base()) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                gone => gone.map_err(Fault::io(&day.base(), "remove"))?,
            }
            (bytes, gone) = (bytes - day.bytes, gone + 1);
        }
        Ok(gone)
    }
}

/// An archive that is added to.
pub struct Adding {
    folder: PathBuf,
    day: Option<(String, PathBuf, BufWriter<Steady>)>,
    next: Option<u64>,
}

impl Adding {
    /// The number of the event that is to come next; `None`: any.
    pub fn next(&self) -> Option<u64> {
        self.next
    }

    /// Begins the file of the day of this moment, unless there is one of that day or a later one. `base` is the state before
    /// the first event that comes.
    pub fn turn_to(&mut self, time_ms: u64, base: Option<&Path>) -> Result<(), Fault> {
        let name = day_name(time_ms);
        if self.day.as_ref().is_some_and(|(day, ..)| *day >= name) {
            return Ok(());
        }
        self.sync()?;
        let path = self.folder.join(format!("{name}.{ENDING}"));
        if let Some(base) = base {
            let kept = path.with_extension(BASE_ENDING);
            file::remove_if_there(&kept)?;
            fs::hard_link(base, &kept).map_err(Fault::io(&kept, "create"))?;
        }
        let file = File::create(&path).map_err(Fault::io(&path, "create"))?;
        file::sync_folder(&self.folder).map_err(Fault::io(&self.folder, "sync"))?;
        self.day = Some((name, path, BufWriter::new(Steady::new(file))));
        Ok(())
    }

    /// Adds a batch, after `turn_to`. It is durable after `sync`.
    pub fn add(&mut self, batch: &Batch) -> Result<(), Fault> {
        let (_, path, file) = self.day.as_mut().expect("a day has been turned to");
        assert!(self.next.is_none_or(|next| next == batch.first()), "a batch follows the one before");
        file.write_all(batch.bytes()).map_err(Fault::io(path, "write"))?;
        self.next = Some(batch.last() + 1);
        Ok(())
    }

    /// Makes what was added durable.
    pub fn sync(&mut self) -> Result<(), Fault> {
        let Some((_, path, file)) = &mut self.day else { return Ok(()) };
        file.flush().and_then(|()| file.get_mut().sync_all()).map_err(Fault::io(path, "sync"))
    }
}

fn day_name(time_ms: u64) -> String {
    let ms = i64::try_from(time_ms).unwrap_or(i64::MAX);
    let day = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX);
    day.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::contract::batch;
    use super::*;

    /// Of three days: the first with events 1 to 5, the others with one batch each.
    fn three_days(dir: &Path) -> Archive {
        let archive = Archive::of(dir);
        let mut adding = archive.open_to_add(1).expect("new");
        for (day, batches) in
            [(0, &[batch(1, 3), batch(4, 2)][..]), (1, &[batch(6, 4)]), (2, &[batch(10, 1)])]
        {
            adding.turn_to(day * DAY_MS, None).expect("turned");
            batches.iter().for_each(|batch| adding.add(batch).expect("added"));
        }
        adding.sync().expect("synced");
        archive
    }

    fn sequences(archive: &Archive, from: u64) -> (Vec<u64>, Option<u64>) {
        let mut seen = Vec::new();
        let next = archive.read(from, &mut |record| {
            seen.push(record.sequence);
            ControlFlow::Continue(())
        });
        (seen, next.expect("readable"))
    }

    #[test]
    fn what_was_added_is_read_from_any_place_over_the_days() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let archive = three_days(folder.path());
        for from in 1..13 {
            let (seen, next) = sequences(&archive, from);
            assert_eq!(seen, (from..=10).collect::<Vec<_>>());
            assert_eq!(next, Some(11));
        }
        let days = archive.days().expect("readable");
        assert_eq!(days.iter().map(|day| day.first).collect::<Vec<_>>(), [1, 6, 10]);
        assert_eq!(days[1].name, "1970-01-02");
        let mut first = None;
        let broken = archive.read(4, &mut |record| {
            first = Some(record.sequence);
            ControlFlow::Break(())
        });
        assert_eq!((broken.expect("readable"), first), (None, Some(4)));
    }

    #[test]
    fn what_a_crash_left_at_the_end_is_no_event_and_is_cut_off() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let archive = three_days(folder.path());
        let last = archive.days().expect("readable").pop().expect("three days");
        let whole = fs::read(&last.path).expect("readable");
        let more = batch(11, 2);
        for length in 0..more.bytes().len() {
            fs::write(&last.path, [&whole, &more.bytes()[..length]].concat()).expect("written");
            assert_eq!(sequences(&archive, 10), (vec![10], Some(11)), "cut at {length}");
            let mut adding = archive.open_to_add(11).expect("there");
            assert_eq!(adding.next(), Some(11));
            adding.add(&more).expect("added");
            adding.sync().expect("synced");
            assert_eq!(sequences(&archive, 10), (vec![10, 11, 12], Some(13)), "cut at {length}");
        }
        let begun = folder.path().join("archive/1970-01-04.events");
        fs::write(&begun, &more.bytes()[..7]).expect("written");
        assert_eq!(archive.days().expect("readable").len(), 3, "a day begins with a whole batch");
        archive.open_to_add(11).expect("there");
        assert!(!begun.exists());
    }

    #[test]
    fn a_bit_that_flipped_is_found_and_named_unless_it_looks_like_the_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let archive = three_days(folder.path());
        let day = archive.days().expect("readable").swap_remove(0);
        let whole = fs::read(&day.path).expect("readable");
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&day.path, bytes).expect("written");
            let mut seen = Vec::new();
            let read = archive.read(1, &mut |record| {
                seen.push(record.sequence);
                ControlFlow::Continue(())
            });
            // Never a wrong event. A first batch that seems to reach beyond its file is no day: then it does not begin at 1.
            assert!(read.is_err() || seen.first() != Some(&1), "bit {bit}");
            assert!(seen.windows(2).all(|two| two[0] + 1 == two[1]), "bit {bit}");
        }
    }

    #[test]
    fn what_the_journal_has_no_more_is_never_cut_off_or_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let archive = three_days(folder.path());
        let contents = || -> Vec<Vec<u8>> {
            let days = archive.files().expect("readable");
            days.iter().map(|(_, path)| fs::read(path).expect("readable")).collect()
        };
        // A length that seems to reach beyond the file looks like a half-written end.
        for (_, path) in archive.files().expect("readable") {
            let whole = fs::read(&path).expect("readable");
            let mut bytes = whole.clone();
            bytes[22] ^= 1;
            fs::write(&path, bytes).expect("written");
            let before = contents();
            let opened = archive.open_to_add(11);
            assert_eq!(contents(), before, "{}", path.display());
            let newest = path.ends_with("1970-01-03.events");
            assert_eq!(opened.is_err(), newest, "older days are not touched, {}", path.display());
            fs::write(&path, whole).expect("put back");
        }
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_and_the_newest_stays() {
        let names = |archive: &Archive| -> Vec<u64> {
            archive.days().expect("readable").iter().map(|day| day.first).collect()
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let archive = three_days(folder.path());
        let (much, now_ms) = (Limits { days: 400, bytes: 1 << 40 }, 2 * DAY_MS + 5);
        assert_eq!(archive.forget(much, now_ms).expect("forgotten"), 0);
        assert_eq!(archive.forget(Limits { days: 1, ..much }, now_ms).expect("forgotten"), 1);
        assert_eq!(names(&archive), [6, 10]);
        assert_eq!(archive.forget(Limits { bytes: 0, ..much }, now_ms).expect("forgotten"), 1);
        assert_eq!(names(&archive), [10], "the newest stays");
    }
}
