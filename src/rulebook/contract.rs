//! What a rulebook promises, in memory and in a file alike: numbers, the one in force, drafts and etags, the trail.

use super::model::{BookError, By, Publication, Refused, Waiting};
use super::{Act, DRAFTS_KEPT_MAX, Rulebook, VERSION_MAX};
use crate::engine::time::Time;

/// Somebody at some time.
pub(super) fn by(who: &str, time: u64) -> By {
    By { who: who.into(), time: Time(time), reason: format!("{who} says so") }
}

/// A text, as somebody publishes it.
pub(super) fn text(text: &str, number: u32, by: By) -> Publication {
    let (name, waiting) = (format!("name of {text}"), Waiting::Keep);
    Publication { text: text.into(), name, number, by, waiting, draft: None, base: None, four_eyes: false }
}

/// A book with a first version, 3.
pub(super) fn begun(mut book: Rulebook) -> Rulebook {
    book.begin(&text("first", 3, by("server", 1))).expect("it begins");
    book
}

fn each(contract: impl Fn(Rulebook)) {
    contract(begun(Rulebook::in_memory("acme")));
    let folder = tempfile::tempdir().expect("a temporary folder");
    contract(begun(Rulebook::open(folder.path(), "acme").expect("new")));
}

fn refusal<T: std::fmt::Debug>(done: Result<T, BookError>) -> Refused {
    match done.expect_err("refused") {
        BookError::Refused(refused) => refused,
        BookError::Fault(fault) => panic!("{fault}"),
    }
}

fn in_force(book: &Rulebook) -> u32 {
    book.in_force().expect("readable").expect("something is in force").number
}

#[test]
fn a_document_keeps_its_number_if_that_is_the_highest_and_gets_the_next_otherwise() {
    each(|mut book| {
        let mut publish = |number| book.publish(&text("t", number, by("ana", 2))).map(|one| one.number);
        assert_eq!(publish(3).expect("published"), 4);
        assert_eq!(publish(9).expect("published"), 9);
        assert_eq!(publish(9).expect("published"), 10);
        assert_eq!(refusal(publish(VERSION_MAX + 1)), Refused::NumberTooHigh { got: VERSION_MAX + 1 });
        assert_eq!(in_force(&book), 10);
        let numbers: Vec<u32> =
            book.versions(u32::MAX, 3).expect("readable").iter().map(|one| one.number).collect();
        assert_eq!(numbers, [10, 9, 4], "newest first, as many as were asked for");
    });
}

#[test]
fn rolled_back_is_in_force_again_under_its_own_number_and_text() {
    each(|mut book| {
        book.publish(&text("second", 1, by("ana", 2))).expect("published");
        let back = book.roll_back(3, &by("bo", 3), Waiting::PlanAgain).expect("rolled back");
        assert_eq!((back.number, back.text.as_str()), (3, "first"));
        let now = book.in_force().expect("readable").expect("in force");
        assert_eq!((now.number, now.since, now.planning_again), (3, Time(3), true));
        assert_eq!(book.before(3).expect("readable"), Some(4));
        let again = book.roll_back(3, &by("bo", 4), Waiting::Keep);
        assert_eq!(refusal(again), Refused::InForceAlready { number: 3 });
        let unknown = book.roll_back(7, &by("bo", 4), Waiting::Keep);
        assert_eq!(refusal(unknown), Refused::VersionUnknown { number: 7 });
        assert_eq!(book.publish(&text("third", 1, by("ana", 5))).expect("published").number, 5);
    });
}

#[test]
fn planning_again_is_noted_until_it_is_done() {
    each(|mut book| {
        let again = Publication { waiting: Waiting::PlanAgain, ..text("second", 1, by("ana", 2)) };
        book.publish(&again).expect("published");
        let planning = |book: &Rulebook| book.in_force().expect("readable").expect("one").planning_again;
        assert!(planning(&book));
        book.planned_again(3, &by("server", 3), "another one").expect("noted");
        assert!(planning(&book), "that was another version");
        book.planned_again(4, &by("server", 3), "7 planned again").expect("noted");
        assert!(!planning(&book));
        let newest = book.audited(u64::MAX, 1).expect("readable").remove(0);
        assert_eq!(
            (newest.what.as_str(), newest.detail.as_str()),
            (Act::PlannedAgain.word(), "7 planned again")
        );
    });
}

#[test]
fn a_draft_begins_as_the_version_in_force_and_is_changed_by_whoever_saw_it_last() {
    each(|mut book| {
        let start = book.draft().expect("readable").expect("the version in force");
        assert_eq!((start.text.as_str(), start.etag.as_str(), start.author.as_str()), ("first", "v3", ""));
        let mine = book.write_draft("mine", &start.etag, &by("ana", 2)).expect("written");
        assert_eq!((mine.base, mine.author.as_str()), (3, "ana"));
        let late = book.write_draft("theirs", &start.etag, &by("bo", 3));
        assert_eq!(refusal(late), Refused::StaleEtag { got: "v3".into(), current: mine.etag.clone() });
        let theirs = book.write_draft("theirs", &mine.etag, &by("bo", 4)).expect("written");
        assert_eq!(book.text_of(&mine.etag).expect("readable").as_deref(), Some("mine"));
        assert_eq!(book.text_of(&theirs.etag).expect("readable").as_deref(), Some("theirs"));
        assert_eq!(book.text_of("v3").expect("readable").as_deref(), Some("first"));
        assert_eq!(book.text_of("x").expect("readable"), None);
        book.discard_draft(&theirs.etag, &by("bo", 5)).expect("discarded");
        assert_eq!(refusal(book.discard_draft("v3", &by("bo", 5))), Refused::NoDraft);
        let new = book.write_draft("new", "v3", &by("ana", 6)).expect("written");
        assert_ne!(new.etag, theirs.etag, "an etag names one state, for ever");
    });
}

#[test]
fn only_the_last_states_of_a_draft_are_kept() {
    each(|mut book| {
        let mut etag = "v3".to_owned();
        for number in 0..DRAFTS_KEPT_MAX + 2 {
            etag = book.write_draft(&number.to_string(), &etag, &by("ana", 2)).expect("written").etag;
        }
        assert_eq!(book.text_of("d1").expect("readable"), None, "too old to tell");
        assert_eq!(book.text_of("d2").expect("readable").as_deref(), Some("1"));
    });
}

#[test]
fn a_published_draft_is_its_authors_and_is_a_draft_no_more() {
    each(|mut book| {
        let draft = book.write_draft("mine", "v3", &by("ana", 2)).expect("written");
        let publication =
            |etag: &str| Publication { draft: Some(etag.into()), ..text("mine", 1, by("bo", 3)) };
        assert!(matches!(refusal(book.publish(&publication("d9"))), Refused::StaleEtag { .. }));
        let version = book.publish(&publication(&draft.etag)).expect("published");
        assert_eq!((version.author.as_str(), version.published.who.as_str()), ("ana", "bo"));
        assert_eq!(version.base, Some(3));
        assert_eq!(book.draft().expect("readable").expect("one").etag, "v4");
        assert_eq!(refusal(book.publish(&publication(&draft.etag))), Refused::NoDraft);
    });
}

#[test]
fn with_four_eyes_the_last_who_changed_the_draft_does_not_publish_it() {
    each(|mut book| {
        let mine = book.write_draft("mine", "v3", &by("ana", 2)).expect("written");
        let bos = book.write_draft("bo's", &mine.etag, &by("bo", 3)).expect("written");
        let publication = |who| Publication {
            draft: Some(bos.etag.clone()),
            four_eyes: true,
            ..text("bo's", 1, by(who, 4))
        };
        assert_eq!(refusal(book.publish(&publication("bo"))), Refused::SamePerson { who: "bo".into() });
        assert_eq!(book.publish(&publication("ana")).expect("another").author, "bo");
    });
}

#[test]
fn a_draft_of_another_version_does_not_undo_what_was_published_meanwhile() {
    each(|mut book| {
        let draft = book.write_draft("mine", "v3", &by("ana", 2)).expect("written");
        book.publish(&text("theirs", 1, by("bo", 3))).expect("published");
        let mine = Publication { draft: Some(draft.etag.clone()), ..text("mine", 1, by("ana", 4)) };
        assert_eq!(refusal(book.publish(&mine)), Refused::BaseOvertaken { base: 3, in_force: 4 });
        let seen = book.write_draft("mine and theirs", &draft.etag, &by("ana", 5)).expect("written");
        assert_eq!(seen.base, 4);
        let both = Publication { draft: Some(seen.etag), ..text("mine and theirs", 1, by("ana", 6)) };
        assert_eq!(book.publish(&both).expect("published").number, 5);
        let old = Publication { base: Some(4), ..text("old", 1, by("ana", 7)) };
        assert_eq!(refusal(book.publish(&old)), Refused::BaseOvertaken { base: 4, in_force: 5 });
    });
}

#[test]
fn everything_is_in_the_trail_and_what_was_refused_is_not() {
    each(|mut book| {
        let draft = book.write_draft("mine", "v3", &by("ana", 2)).expect("written");
        refusal(book.write_draft("late", "v3", &by("bo", 3)));
        book.discard_draft(&draft.etag, &by("ana", 4)).expect("discarded");
        book.publish(&text("second", 1, by("bo", 5))).expect("published");
        book.roll_back(3, &by("bo", 6), Waiting::Keep).expect("rolled back");
        let rows = book.audited(u64::MAX, 100).expect("readable");
        let told: Vec<(u64, &str, &str, &str)> = rows
            .iter()
            .map(|row| (row.sequence, row.by.who.as_str(), row.what.as_str(), row.subject.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (5, "bo", "rolled back", "3"),
                (4, "bo", "published", "4"),
                (3, "ana", "draft discarded", "d1"),
                (2, "ana", "draft changed", "d1"),
                (1, "server", "began", "3"),
            ]
        );
        let verdict = book.verify().expect("readable");
        assert_eq!((verdict.rows, verdict.trouble), (5, None));
        assert_eq!(verdict.head, rows[0].hash);
        assert_eq!(book.audited(3, 1).expect("readable")[0].sequence, 2, "a page further down");
    });
}
