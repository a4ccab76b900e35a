//! Every byte of a short journal: flipped, or the file cut there. Of all four files. Each time it is refused, naming the
//! file; or holds what was written, up to the end of a commit; and a key is the one that was wrapped, or none.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use tempfile::TempDir;

use super::contract::batch;
use super::damage::folder;
use super::{Fault, Journal, KEY_LENGTH, Key, Sqlite, WrappedKey, file, keys, sqlite};

const NAMES: [&str; 4] = ["journal.db", "journal.db-wal", "keys.db", "keys.db-wal"];
const PAGE: u32 = 512;
/// Of the pads, which fill many pages, one byte in so many.
const PADS_STEP: usize = 331;
/// Where pages are that hold anything else: at the beginning.
const NO_PADS: usize = 4 * PAGE as usize;

/// Two commits of one record each and the keys of one block, as they lie after a kill or after another start.
struct Short {
    files: Vec<Vec<u8>>,
    wrapped: WrappedKey,
    key: Key,
    secret: [u8; KEY_LENGTH],
    folder: TempDir,
}

/// What was held by a journal that opened.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    last: u64,
    key: bool,
    secret: bool,
}

impl Short {
    fn after_a_kill() -> Short {
        let folder = folder();
        let dir = folder.path();
        file::create(&sqlite::keys_path(dir), &keys::KIND, "acme", PAGE).expect("created");
        file::create(&sqlite::journal_path(dir), &sqlite::KIND, "acme", PAGE).expect("created");
        let mut journal = Sqlite::open(dir, "acme").expect("new");
        let key = Key::random();
        let secret = journal.secret().expect("laid down");
        let wrapped = journal.wrap(1, &key).expect("wrapped");
        journal.append(&batch(1, 1)).expect("appended");
        journal.append(&batch(2, 1)).expect("appended");
        let files = NAMES.map(|name| fs::read(dir.join(name)).expect("there")).into();
        drop(journal);
        Short { files, wrapped, key, secret, folder }
    }

    fn after_a_start() -> Short {
        let mut short = Short::after_a_kill();
        assert_eq!(short.open().expect("undamaged"), short.all());
        short.files = NAMES.map(|name| fs::read(short.path(name)).expect("there")).into();
        short
    }

    fn all(&self) -> Held {
        Held { last: 2, key: true, secret: true }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lays the files down, one of them damaged, and says what is held.
    fn with(&self, damaged: usize, bytes: &[u8]) -> Result<Held, Fault> {
        // Opening brings the keys in order once and for all, so they are laid down again only where they matter.
        let upto = if damaged < 2 { 2 } else { NAMES.len() };
        for (number, name) in NAMES.iter().enumerate().take(upto) {
            let bytes = if number == damaged { bytes } else { &self.files[number] };
            fs::write(self.path(name), bytes).expect("written");
        }
        self.open()
    }

    fn open(&self) -> Result<Held, Fault> {
        let mut journal = Sqlite::open(self.folder.path(), "acme")?;
        let mut last = 0;
        journal.read(1, &mut |record| {
            last += 1;
            assert_eq!(record.event(), Ok(("event".to_owned(), last)), "what is read is what was written");
            ControlFlow::Continue(())
        })?;
        assert_eq!(last, journal.last_sequence());
        let key = journal.key(1, &self.wrapped)?;
        assert!(key.as_ref().is_none_or(|key| *key == self.key), "a key is the right one or none");
        let secret = journal.secret()? == self.secret;
        Ok(Held { last, key: key.is_some(), secret })
    }

    /// Damages a file at each byte in a way, and looks what is held.
    fn each(&self, file: usize, damage: fn(&[u8], usize) -> Vec<u8>, right: impl Fn(usize, &Held) -> bool) {
        let bytes = &self.files[file];
        let matters = |at: &usize| file < 2 || *at < NO_PADS || at.is_multiple_of(PADS_STEP);
        let mut refused = 0;
        for at in (0..bytes.len()).filter(matters) {
            match self.with(file, &damage(bytes, at)) {
                Ok(held) => assert!(right(at, &held), "{} at byte {at}: {held:?}", NAMES[file]),
                Err(fault) => {
                    refused += 1;
                    assert_names(&fault, NAMES[file]);
                }
            }
        }
        assert!(refused > 0, "nothing was noticed in {}", NAMES[file]);
    }
}

/// The file that is damaged, or its neighbour that no longer fits it.
fn assert_names(fault: &Fault, name: &str) {
    let message = fault.to_string();
    assert!(message.contains(name.trim_end_matches("-wal")), "{name}: {message}");
    assert!(!matches!(fault, Fault::Io { .. } | Fault::Locked { .. }), "{fault:?}");
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1 << (at * 5 % 8);
    bytes
}

fn cut(bytes: &[u8], at: usize) -> Vec<u8> {
    bytes[..at].to_vec()
}

#[test]
fn each_byte_flipped_in_the_log_of_a_short_journal() {
    Short::after_a_kill().each(1, flipped, |_, held| held.last >= 1 && held.key && held.secret);
}

#[test]
fn each_byte_flipped_in_a_short_journal() {
    let short = Short::after_a_start();
    short.each(0, flipped, |_, held| *held == short.all());
}

#[test]
fn a_short_journal_cut_at_each_byte() {
    let short = Short::after_a_start();
    short.each(0, cut, |_, held| *held == short.all());
}

#[test]
fn each_byte_flipped_in_a_short_keys_file() {
    let short = Short::after_a_start();
    short.each(2, flipped, |_, held| *held == short.all());
}

#[test]
fn a_short_keys_file_cut_at_each_byte() {
    let short = Short::after_a_start();
    short.each(2, cut, |_, held| *held == short.all());
}
