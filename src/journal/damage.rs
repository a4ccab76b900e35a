//! Damage done to the files of a real journal, as they lie after a kill: cut at every byte, bits flipped, pages
//! wiped. The answer is a refusal that names the file, or records exactly as written; fewer only where a commit
//! was unfinished.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::contract::{batch, sequences};
use super::{BatchWriter, Fault, Journal, Key, Sqlite, WrappedKey, file, keys, sqlite};

const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// In memory where there is such a folder: these tests open thousands of journals, and a sync there costs nothing.
pub(super) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
        .expect("a temporary folder")
}

/// The files of a journal, and a folder in which to look at damaged copies of them.
struct Scene {
    files: BTreeMap<&'static str, Vec<u8>>,
    /// Where each commit ended: the sequence of its last record, and the size of the log after it.
    commits: Vec<(u64, usize)>,
    /// An interaction of each block of pads with its wrapped key, and the size of the log of the keys after it.
    keys: Vec<(u64, WrappedKey, usize)>,
    page_size: usize,
    folder: TempDir,
}

const NAMES: [&str; 4] = ["journal.db", "journal.db-wal", "keys.db", "keys.db-wal"];

impl Scene {
    /// Six commits, small ones and ones of many pages, copied while the journal is open: all of it lies in the logs.
    fn after_a_kill(page_size: u32) -> Self {
        let folder = folder();
        let dir = folder.path();
        file::create(&sqlite::keys_path(dir), &keys::KIND, "acme", page_size).expect("created");
        file::create(&sqlite::journal_path(dir), &sqlite::KIND, "acme", page_size).expect("created");
        let mut journal = Sqlite::open(dir, "acme").expect("new");
        let mut commits = Vec::new();
        let mut keys = Vec::new();
        for interaction in [1, keys::BLOCK] {
            let wrapped = journal.wrap(interaction, &Key::random()).expect("wrapped");
            keys.push((interaction, wrapped, read(dir, "keys.db-wal").len()));
        }
        for count in [3, 16, 1, 1, 14, 18] {
            let batch = batch(journal.last_sequence() + 1, count);
            journal.append(&batch).expect("appended");
            commits.push((batch.last(), read(dir, "journal.db-wal").len()));
        }
        let files = NAMES.map(|name| (name, read(dir, name))).into();
        drop(journal);
        Self { files, commits, keys, page_size: page_size as usize, folder: self::folder() }.checked(folder)
    }

    /// The same after the journal was opened again: all of it lies in the main files.
    fn after_a_start(page_size: u32) -> Self {
        let mut scene = Self::after_a_kill(page_size);
        scene.open(&[]).expect("undamaged");
        scene.files = NAMES.map(|name| (name, read(scene.folder.path(), name))).into();
        assert!(scene.files["journal.db-wal"].is_empty() && scene.files["keys.db-wal"].is_empty());
        scene
    }

    fn checked(self, original: TempDir) -> Self {
        assert_eq!(self.open(&[]).expect("undamaged"), self.all());
        drop(original);
        self
    }

    fn log(&self) -> &[u8] {
        &self.files["journal.db-wal"]
    }

    fn all(&self) -> u64 {
        self.commits[self.commits.len() - 1].0
    }

    fn all_but_last(&self) -> (u64, usize) {
        self.commits[self.commits.len() - 2]
    }

    /// Opens the journal with some files replaced, reads all of it, and says up to where it goes.
    fn open(&self, damaged: &[(&str, &[u8])]) -> Result<u64, Fault> {
        let journal = self.open_journal(damaged)?;
        let (mut read, last) = (0, journal.last_sequence());
        journal.read(1, &mut |record| {
            read += 1;
            assert_eq!((record.sequence, record.time_ms), (read, read * 1_000));
            assert_eq!(record.event(), Ok(("event".to_owned(), read)));
            std::ops::ControlFlow::Continue(())
        })?;
        assert_eq!(read, last);
        Ok(last)
    }

    fn open_journal(&self, damaged: &[(&str, &[u8])]) -> Result<Sqlite, Fault> {
        // Opening brings the keys in order once and for all, so they are laid down again only where they matter.
        let keys_too = damaged.iter().all(|(name, _)| name.starts_with("keys"));
        for name in &NAMES[..if keys_too { 4 } else { 2 }] {
            let damaged = damaged.iter().find(|(replaced, _)| replaced == name);
            let bytes = damaged.map_or(&self.files[*name][..], |(_, bytes)| bytes);
            fs::write(self.path(name), bytes).expect("written");
        }
        Sqlite::open(self.folder.path(), "acme")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn frame(&self) -> usize {
        FRAME_HEADER + self.page_size
    }

    /// Offsets into a log: all of its headers, and every `step`th byte of the pages.
    fn offsets(&self, log: &[u8], step: usize) -> Vec<usize> {
        let matters = |at: usize| {
            at < WAL_HEADER || (at - WAL_HEADER) % self.frame() < FRAME_HEADER || at.is_multiple_of(step)
        };
        (0..log.len()).filter(|&at| matters(at)).collect()
    }
}

fn read(dir: &Path, name: &str) -> Vec<u8> {
    fs::read(dir.join(name)).expect("the file is there")
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1 << (at * 5 % 8);
    bytes
}

fn assert_names(fault: &Fault, path: &Path) {
    let message = fault.to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(
        matches!(
            fault,
            Fault::Damaged { .. }
                | Fault::Foreign { .. }
                | Fault::OtherFormat { .. }
                | Fault::OtherTenant { .. }
        ),
        "{fault:?}"
    );
}

#[test]
fn a_log_cut_at_any_byte_holds_the_commits_that_were_whole() {
    let scene = Scene::after_a_kill(512);
    for length in 0..=scene.log().len() {
        let whole = scene.commits.iter().rfind(|(_, size)| *size <= length).map_or(0, |(last, _)| *last);
        let held = scene.open(&[("journal.db-wal", &scene.log()[..length])]);
        assert_eq!(held.expect("a cut log is a torn tail"), whole, "cut at {length}");
    }
}

#[test]
fn a_log_with_a_bit_flipped_is_refused_or_lacks_its_last_commit_only() {
    for (page_size, step) in [(512, 8), (4096, 64)] {
        let scene = Scene::after_a_kill(page_size);
        let (without_last, start_of_last) = scene.all_but_last();
        for at in scene.offsets(scene.log(), step) {
            match scene.open(&[("journal.db-wal", &flipped(scene.log(), at))]) {
                Ok(held) => {
                    assert!(at >= start_of_last, "byte {at} of {page_size}: held {held}");
                    assert!(
                        held == without_last || held == scene.all(),
                        "byte {at} of {page_size}: held {held}"
                    );
                }
                Err(fault) => assert_names(&fault, &scene.path("journal.db-wal")),
            }
        }
    }
}

#[test]
fn a_frame_wiped_out_before_the_last_commit_is_refused() {
    let scene = Scene::after_a_kill(512);
    for start in (WAL_HEADER..scene.all_but_last().1).step_by(scene.frame()) {
        let mut log = scene.log().to_vec();
        log[start..start + scene.frame()].fill(0);
        let fault = scene.open(&[("journal.db-wal", &log)]).expect_err("answered commits follow");
        assert_names(&fault, &scene.path("journal.db-wal"));
    }
}

#[test]
fn a_journal_goes_on_after_a_torn_tail_and_is_whole_at_the_next_start() {
    let scene = Scene::after_a_kill(512);
    let (held, start_of_last) = scene.all_but_last();
    assert!(scene.log().len() > start_of_last + 2 * scene.frame(), "the last commit has several frames");
    // The first frame of the last commit never reached the disk, the others did.
    let mut torn = scene.log().to_vec();
    torn[start_of_last..start_of_last + scene.frame()].fill(0);
    let mut journal = scene.open_journal(&[("journal.db-wal", &torn)]).expect("torn");
    assert_eq!(journal.last_sequence(), held);
    journal.append(&batch(held + 1, 2)).expect("appended");
    journal.append(&batch(held + 3, 3)).expect("appended");
    drop(journal);
    let journal = Sqlite::open(scene.folder.path(), "acme").expect("whole");
    assert_eq!(sequences(&journal, 1), (1..=held + 5).collect::<Vec<_>>());
}

#[test]
fn a_damaged_log_of_keys_is_refused_or_lacks_its_last_keys_only() {
    let scene = Scene::after_a_kill(512);
    let log = &scene.files["keys.db-wal"];
    let (first, wrapped, start_of_last) = scene.keys[0];
    for at in scene.offsets(log, 64) {
        match scene.open_journal(&[("keys.db-wal", &flipped(log, at))]) {
            Ok(journal) => {
                assert!(at >= start_of_last, "byte {at}");
                assert!(journal.key(first, &wrapped).expect("readable").is_some(), "byte {at}");
            }
            Err(fault) => assert_names(&fault, &scene.path("keys.db-wal")),
        }
    }
}

#[test]
fn a_damaged_main_file_is_refused_by_name_or_reads_as_written() {
    let scene = Scene::after_a_start(512);
    let whole = &scene.files["journal.db"];
    let mut refused = 0;
    for at in 0..whole.len() {
        match scene.open(&[("journal.db", &flipped(whole, at))]) {
            Ok(held) => assert_eq!(held, scene.all(), "byte {at}"),
            Err(fault) => {
                assert_names(&fault, &scene.path("journal.db"));
                refused += 1;
            }
        }
    }
    assert!(refused > whole.len() / 4, "only {refused} of {} were noticed", whole.len());
}

#[test]
fn a_main_file_with_pages_lost_or_swapped_is_refused_by_name() {
    let scene = Scene::after_a_start(512);
    let whole = &scene.files["journal.db"];
    let pages = whole.len() / scene.page_size;
    let at = |page: usize| page * scene.page_size..(page + 1) * scene.page_size;
    for page in 0..pages {
        let mut wiped = whole.clone();
        wiped[at(page)].fill(0);
        let mut doubled = whole.clone();
        doubled.copy_within(at((page + 1) % pages), at(page).start);
        for damaged in [&wiped[..], &whole[..at(page).start], &whole[..at(page).start + 7]] {
            let fault = scene.open(&[("journal.db", damaged)]).expect_err("every page is in use");
            assert_names(&fault, &scene.path("journal.db"));
        }
        // The page that notes the checkpoint may by chance read as one from before.
        match scene.open(&[("journal.db", &doubled)]) {
            Ok(held) => assert_eq!(held, scene.all(), "page {page}"),
            Err(fault) => assert_names(&fault, &scene.path("journal.db")),
        }
    }
}

#[test]
fn rows_lost_from_the_end_are_missed() {
    let scene = Scene::after_a_start(512);
    let journal = scene.open_journal(&[]).expect("undamaged");
    drop(journal);
    let connection = rusqlite::Connection::open(scene.path("journal.db")).expect("opened");
    connection.execute("DELETE FROM batches WHERE last = ?1", [scene.all().cast_signed()]).expect("deleted");
    drop(connection);
    let fault = Sqlite::open(scene.folder.path(), "acme").expect_err("it once held more");
    assert!(fault.to_string().contains(&format!("it once reached {}", scene.all())), "{fault}");
}

#[test]
fn a_row_missing_in_the_middle_is_named() {
    let folder = folder();
    let mut journal = Sqlite::open(folder.path(), "acme").expect("new");
    for first in [1, 3, 5] {
        let mut writer = BatchWriter::new(first);
        writer.push(1, &first, None);
        writer.push(2, &first, None);
        journal.append(&writer.finish()).expect("appended");
    }
    let connection = rusqlite::Connection::open(folder.path().join("journal.db")).expect("opened");
    connection.execute("DELETE FROM batches WHERE first = 3", []).expect("deleted");
    for from in [1, 3, 4] {
        let fault = journal.read(from, &mut |_| std::ops::ControlFlow::Continue(())).expect_err("a gap");
        assert!(fault.to_string().contains("is missing, the next one begins at 5"), "{fault}");
    }
}
