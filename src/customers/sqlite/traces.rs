//! What is left in the files of somebody whose rows are deleted. `secure_delete` overwrites a row where it lies, but not the
//! copies that stay behind when SQLite moves the rows of a page: they lie in the unused middle of pages, between the list
//! of rows and the rows. Once the log is empty the main file holds everything, and the middles are overwritten in it; whoever
//! reads a page reads what is listed, and nothing there. (File format: "B-tree Pages".)

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use rusqlite::Connection;

/// In the header of a file in which nothing is left of anybody who is gone: "btnc".
const NONE_LEFT: i32 = 0x6274_6e63;
/// In that of one in which something may be: "btne".
const SOME_LEFT: i32 = 0x6274_6e65;
/// An overflow page begins with the number of the next, a page of rows with 2, 5, 10 or 13. From this number of pages on the
/// one may look like the other.
const PAGES_MAX: u64 = 0x0200_0000;
const PAGES_AT_ONCE: usize = 256;

/// Notes, with the deletion itself, that something may be left.
pub(super) fn note(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "application_id", SOME_LEFT)
}

/// Whether something may be left. So it is in a file of a release that did not overwrite what it deleted.
pub(super) fn may_be_left(db: &Connection) -> rusqlite::Result<bool> {
    let found: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok(found != NONE_LEFT)
}

/// Writes every page anew, which leaves nothing, and takes as long as the file is large.
pub(super) fn rewrite(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("VACUUM")?;
    db.pragma_update(None, "application_id", NONE_LEFT)
}

/// Overwrites what is left, after the log was emptied. `file` is the main file, and stays open as long as any connection: the
/// end of one handle would take the locks of all.
pub(super) fn overwrite(db: &Connection, file: &File) -> Result<(), TraceError> {
    if !middles(file)? {
        return Ok(rewrite(db)?);
    }
    file.sync_data()?;
    // The pages as they were are still in memory, and would come back into the file with the next change of them.
    db.execute_batch("PRAGMA shrink_memory")?;
    Ok(db.pragma_update(None, "application_id", NONE_LEFT)?)
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum TraceError {
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// False if the file is too large to tell its pages apart.
fn middles(mut file: &File) -> io::Result<bool> {
    let mut header = [0; 100];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut header)?;
    let page_bytes = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        bytes => usize::from(bytes),
    };
    let length = file.metadata()?.len();
    if length / page_bytes as u64 >= PAGES_MAX {
        return Ok(false);
    }
    let mut pages = vec![0; page_bytes * PAGES_AT_ONCE];
    let mut at = 0;
    while at < length {
        let count = usize::try_from(length - at).map_or(pages.len(), |left| left.min(pages.len()));
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut pages[..count])?;
        for page in pages[..count].chunks_exact(page_bytes) {
            if let Some(middle) = middle(page, at == 0)
                && page[middle.clone()].iter().any(|byte| *byte != 0)
            {
                file.seek(SeekFrom::Start(at + middle.start as u64))?;
                file.write_all(&vec![0; middle.len()])?;
            }
            at += page_bytes as u64;
        }
    }
    Ok(true)
}

/// Where nothing is, in a page of rows.
fn middle(page: &[u8], first: bool) -> Option<Range<usize>> {
    let header = if first { 100 } else { 0 };
    let list = match page[header] {
        2 | 5 => header + 12,
        10 | 13 => header + 8,
        _ => return None,
    };
    let number = |at: usize| usize::from(u16::from_be_bytes([page[at], page[at + 1]]));
    let from = list + 2 * number(header + 3);
    let until = match number(header + 5) {
        0 => 65_536,
        until => until,
    };
    (from < until && until <= page.len()).then_some(from..until)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::super::super::contract::{note, opened, resolution};
    use super::super::super::erase::Erasing;
    use super::super::super::model::CustomerId;
    use super::super::super::store::{Change, CustomerStore, Projected, Projection, Write};
    use super::super::{FILE, SqliteStore, erase};
    use super::*;

    const CUSTOMERS: u64 = 400;
    const NOBODY: [u64; 0] = [];

    /// Histories of many customers whose texts grow, so that SQLite moves rows about. The same in every run.
    struct Busy {
        store: SqliteStore,
        folder: tempfile::TempDir,
        seed: u64,
        sequence: u64,
        contacts: Vec<u64>,
    }

    impl Busy {
        fn new() -> Busy {
            // In memory where there is such a folder: thousands of commits, and a sync there costs nothing.
            let memory = Path::new("/dev/shm");
            let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
            let folder = folder.expect("a temporary folder");
            let store = SqliteStore::open(folder.path()).expect("a new store");
            let mut busy = Busy { store, folder, seed: 1, sequence: 0, contacts: vec![0] };
            for customer in 1..=CUSTOMERS {
                let phone = format!("+972{:010}", busy.draw(10_000_000_000));
                busy.commit(resolution(&phone, Some(&format!("name-{customer:06}"))));
            }
            busy
        }

        fn draw(&mut self, below: u64) -> u64 {
            self.seed =
                self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.seed >> 33) % below
        }

        fn commit(&mut self, write: Write) {
            self.store.commit(&[write]).expect("the store works");
        }

        fn project(&mut self, change: impl FnOnce(u64) -> Projected) {
            let after = self.sequence;
            self.sequence += 1;
            let events = vec![change(self.sequence)];
            self.commit(Write::Project(Projection { after, upto: self.sequence, events }));
        }

        /// Contacts come, are noted upon and recorded beside.
        fn goes_on(&mut self, times: u64) {
            for _ in 0..times {
                let customer = CustomerId(1 + self.draw(CUSTOMERS));
                let word = format!("text-{:06} ", customer.0);
                let length = usize::try_from(self.draw(60)).expect("it is short");
                match self.draw(10) {
                    0..5 => {
                        self.contacts.push(self.sequence + 1);
                        self.project(|sequence| contact(sequence, customer, word.repeat(length)));
                    }
                    5..9 => {
                        let at = usize::try_from(self.draw(self.contacts.len() as u64)).expect("an index");
                        let (interaction, text) = (self.contacts[at], "more ".repeat(4 * length));
                        self.project(|sequence| {
                            let change = Change::NoteAdded { interaction, text };
                            Projected { sequence, time_ms: 5, change }
                        });
                    }
                    _ => self.commit(Write::Record(note(customer, 5, &word))),
                }
            }
        }

        /// Of these customers, those of whom something is in a file.
        fn left(&self, of: impl Iterator<Item = u64>) -> Vec<u64> {
            let mut found = BTreeSet::new();
            for name in [FILE, "customers.db-wal", "customers.db-shm"] {
                let bytes = std::fs::read(self.folder.path().join(name)).expect("the store is open");
                for word in bytes.windows(11).filter(|word| word[4] == b'-') {
                    let number: Option<u64> =
                        std::str::from_utf8(&word[5..]).ok().and_then(|number| number.parse().ok());
                    found.extend(number.filter(|_| word.starts_with(b"name") || word.starts_with(b"text")));
                }
            }
            of.filter(|one| found.contains(one)).collect()
        }
    }

    fn contact(sequence: u64, customer: CustomerId, message: String) -> Projected {
        let mut event = opened(sequence, 5, customer, sequence);
        if let Change::Opened(opened) = &mut event.change {
            opened.message = message;
        }
        event
    }

    #[test]
    fn nothing_is_left_of_the_erased_in_any_file_whatever_was_moved_before() {
        let mut busy = Busy::new();
        busy.goes_on(6_000);
        let gone = || (1..=CUSTOMERS).step_by(3);
        assert_eq!(busy.left(gone()).len(), gone().count(), "in clear, as long as they are there");
        for customer in gone() {
            erase::erase(&busy.store.connection, &Erasing::Person(CustomerId(customer)))
                .expect("the store works")
                .expect("known");
        }
        busy.store.empty_log(super::super::BUSY_TIMEOUT).expect("nobody reads");
        let left = busy.left(gone());
        assert!(!left.is_empty(), "without overwriting, something is left");
        busy.store.wipe(super::super::BUSY_TIMEOUT).expect("nobody reads");
        assert_eq!(busy.left(gone()), NOBODY);
        busy.goes_on(500);
        let gone = || gone().chain([7]);
        busy.commit(Write::Erase(Erasing::Person(CustomerId(7))));
        // What comes for the erased is left out, and pages that are written again bring nothing back.
        assert_eq!(busy.left(gone()), NOBODY);
        assert_eq!(busy.left([8].into_iter()), [8]);
    }

    #[test]
    fn a_file_of_a_release_that_left_traces_is_written_anew_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(folder.path()).expect("a new store");
        let then = "PRAGMA secure_delete = OFF; PRAGMA application_id = 0;
            INSERT INTO history (customer, kind, time_ms, channel, summary, text)
                VALUES (1, 5, 1, 0, '', 'stays'), (1, 5, 1, 0, '', 'Rumpelstiltskin');
            DELETE FROM history WHERE text <> 'stays'";
        store.connection.execute_batch(then).expect("as it was then");
        store.empty_log(super::super::BUSY_TIMEOUT).expect("nobody reads");
        drop(store);
        let holds = || {
            let bytes = std::fs::read(folder.path().join(FILE)).expect("it is there");
            bytes.windows(9).any(|window| window == b"stiltskin")
        };
        assert!(holds());
        let store = SqliteStore::open(folder.path()).expect("it is brought in order");
        assert!(!holds() && !may_be_left(&store.connection).expect("it can be read"));
        let rows: i64 =
            store.connection.query_row("SELECT count(*) FROM history", [], |row| row.get(0)).expect("one");
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_crash_before_the_traces_were_overwritten_is_made_good_at_the_next_start() {
        let mut busy = Busy::new();
        busy.goes_on(1_000);
        erase::erase(&busy.store.connection, &Erasing::Person(CustomerId(3)))
            .expect("it works")
            .expect("known");
        let Busy { store, folder, seed, sequence, contacts } = busy;
        assert!(may_be_left(&store.connection).expect("it can be read"), "noted with the deletion");
        drop(store);
        let store = SqliteStore::open(folder.path()).expect("the same store");
        let busy = Busy { store, folder, seed, sequence, contacts };
        let reads = busy.store.reads().expect("it can be read");
        assert_eq!(busy.left([3].into_iter()), NOBODY);
        drop(reads);
    }
}
