//! A file that was changed, cut or is not ours: what was written is found changed and named, what was half written
//! leaves the state before, and what cannot be read is refused by name.

use super::Rulebook;
use super::book::path_of;
use super::contract::{begun, by, text};
use super::model::Waiting;
use super::verify::Trouble;
use std::path::Path;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn open(folder: &Path) -> Rulebook {
    Rulebook::open(folder, "acme").expect("it is right")
}

/// A book with five rows and two versions.
fn filled(folder: &Path) -> Rulebook {
    let mut book = begun(open(folder));
    let draft = book.write_draft("mine", "v3", &by("ana", 2)).expect("written");
    book.discard_draft(&draft.etag, &by("ana", 3)).expect("discarded");
    book.publish(&text("second", 1, by("bo", 4))).expect("published");
    book.roll_back(3, &by("bo", 5), Waiting::Keep).expect("rolled back");
    book
}

fn trouble(book: &Rulebook) -> Option<Trouble> {
    book.verify().expect("readable").trouble
}

#[test]
fn whatever_is_changed_in_a_row_is_found_and_the_row_is_named() {
    let changes = [
        "time_ms = time_ms + 1",
        "who = 'eve'",
        "what = 'published '",
        "subject = '4'||subject",
        "reason = ''",
        "detail = detail||'.'",
        "hash = zeroblob(32)",
        "hash = x'00'",
        // From one column to the next: the same letters in the same order.
        "who = who||substr(what, 1, 1), what = substr(what, 2)",
    ];
    for change in changes {
        for sequence in 1..=5 {
            let folder = folder();
            let book = filled(folder.path());
            let update = format!("UPDATE audit SET {change} WHERE sequence = {sequence}");
            book.connection.execute(&update, []).expect("changed");
            assert_eq!(trouble(&book), Some(Trouble::Changed { sequence }), "{update}");
        }
    }
}

#[test]
fn every_byte_of_a_rows_texts_in_the_file_counts() {
    let original = folder();
    drop(filled(original.path()));
    let bytes = std::fs::read(path_of(original.path())).expect("a file");
    let marker = b"bo says so";
    let found = bytes.windows(marker.len()).rposition(|window| window == marker);
    let at = found.expect("the reason lies in the file in clear");
    for byte in at..at + marker.len() {
        let changed = folder();
        let mut bytes = bytes.clone();
        bytes[byte] ^= 0x80;
        std::fs::write(path_of(changed.path()), bytes).expect("a file");
        let found = trouble(&open(changed.path()));
        assert!(matches!(found, Some(Trouble::Changed { .. } | Trouble::VersionChanged { .. })), "{found:?}");
    }
}

#[test]
fn missing_moved_and_added_rows_are_named() {
    for sequence in 1..=4_u64 {
        let folder = folder();
        let book = filled(folder.path());
        book.connection
            .execute("DELETE FROM audit WHERE sequence = ?1", [i64::try_from(sequence).expect("small")])
            .expect("deleted");
        let found = i64::try_from(sequence).expect("small") + 1;
        assert_eq!(trouble(&book), Some(Trouble::Missing { sequence, found }));
    }
    let folder = folder();
    let book = filled(folder.path());
    let change = |sql: &str| book.connection.execute(sql, []).expect("changed");
    change("UPDATE audit SET sequence = 50 WHERE sequence = 2");
    change("UPDATE audit SET sequence = 2 WHERE sequence = 3");
    change("UPDATE audit SET sequence = 3 WHERE sequence = 50");
    assert_eq!(trouble(&book), Some(Trouble::Changed { sequence: 2 }), "out of order");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let book = filled(folder.path());
    book.connection.execute("DELETE FROM audit WHERE sequence >= 4", []).expect("deleted");
    assert_eq!(trouble(&book), Some(Trouble::EndMissing { sequence: 4, rows: 5 }));
}

#[test]
fn a_changed_missing_or_smuggled_version_is_named() {
    let found = |sql: &str| {
        let folder = folder();
        let book = filled(folder.path());
        book.connection.execute(sql, []).expect("changed");
        trouble(&book).map(|trouble| trouble.to_string())
    };
    for change in
        ["text = 'other'", "who = 'eve'", "author = 'eve'", "reason = ''", "waiting = 1", "base = 2"]
    {
        let sql = format!("UPDATE versions SET {change} WHERE number = 4");
        assert_eq!(found(&sql).as_deref(), Some("version 4 is not as it was published"), "{sql}");
    }
    let gone = found("DELETE FROM versions WHERE number = 4");
    assert_eq!(gone.as_deref(), Some("version 4 is missing"));
    let added = found(
        "INSERT INTO versions SELECT 8, text, name, who, time_ms, reason, author, base, waiting
        FROM versions WHERE number = 4",
    );
    assert_eq!(added.as_deref(), Some("version 8 was never published"));
    let other = found("UPDATE state SET in_force = 4");
    assert_eq!(other.as_deref(), Some("version 4 is said to be in force, and the audit trail says 3"));
}

/// What is on disk at every instant of a change is its log cut somewhere.
#[test]
fn cut_at_any_byte_of_the_log_it_is_as_before_or_as_after() {
    let original = folder();
    let mut book = begun(open(original.path()));
    let reader = Rulebook::open_read_only(original.path()).expect("a second connection");
    // As long as somebody reads what was before, the log keeps all of it.
    let reading = reader.connection.unchecked_transaction().expect("a reading");
    reading.query_row("SELECT count(*) FROM audit", [], |_| Ok(())).expect("readable");
    let main = std::fs::read(path_of(original.path())).expect("a file");
    book.publish(&text("second", 1, by("ana", 2))).expect("published");
    let log = std::fs::read(original.path().join("rules.db-wal")).expect("a log");
    assert!(log.len() > 4_096, "the change is in the log");
    let (mut before, mut after) = (0, 0);
    for length in (0..log.len()).step_by(61).chain([log.len()]) {
        let copy = folder();
        std::fs::write(path_of(copy.path()), &main).expect("a file");
        std::fs::write(copy.path().join("rules.db-wal"), &log[..length]).expect("a log");
        let book = open(copy.path());
        let number = book.in_force().expect("readable").expect("in force").number;
        let versions = book.versions(u32::MAX, 9).expect("readable").len();
        match (number, versions) {
            (3, 1) => before += 1,
            (4, 2) => after += 1,
            half => panic!("{half:?} with {length} bytes of the log"),
        }
        assert_eq!(trouble(&book), None, "with {length} bytes of the log");
    }
    assert!(before > 0 && after > 0, "{before} before, {after} after");
}

#[test]
fn a_foreign_file_another_tenants_and_a_damaged_one_are_refused_by_name() {
    let folder = folder();
    let path = path_of(folder.path());
    let refusal = |tenant| Rulebook::open(folder.path(), tenant).expect_err("refused").to_string();
    std::fs::write(&path, "hello").expect("written");
    assert!(refusal("acme").contains("rules.db is not a baton file"));
    std::fs::remove_file(&path).expect("removed");
    drop(filled(folder.path()));
    assert!(refusal("bank").contains(r#"belongs to tenant "acme""#));
    // Opening moves what is in the log into the file.
    drop(open(folder.path()));
    let bytes = std::fs::read(&path).expect("a file");
    std::fs::write(&path, &bytes[..bytes.len() - 4_096]).expect("cut");
    assert!(refusal("acme").contains("rules.db is damaged"), "{}", refusal("acme"));
}

#[test]
fn it_is_as_it_was_after_opening_again_and_a_reader_sees_it_meanwhile() {
    let folder = folder();
    let book = filled(folder.path());
    let reader = Rulebook::open_read_only(folder.path()).expect("beside the one that writes");
    assert_eq!(reader.verify().expect("readable"), book.verify().expect("readable"));
    drop(book);
    let book = open(folder.path());
    assert_eq!(book.in_force().expect("readable"), reader.in_force().expect("readable"));
    assert_eq!((trouble(&book), book.verify().expect("readable").rows), (None, 5));
}
