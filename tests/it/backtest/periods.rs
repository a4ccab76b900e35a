//! Which period, and what is known of it: cut, not kept, empty, nobody there, a journal beside the server that writes it.

use super::past::{NINE, Past, SALES};
use super::tell;
use baton::engine::agent::Presence;
use baton::engine::ids::{AgentKey, AssignmentId};
use baton::engine::time::Time;
use baton::journal::{BatchWriter, Journal, Sqlite};
use baton::replay::backtest::{BacktestError, Options, Recorded, backtest};
use baton::rules::RuleSet;
use std::ops::ControlFlow;

/// One call before ten that goes on after ten, one between ten and eleven, one later.
fn three_hours() -> Past {
    let mut past = Past::plain();
    let ana = past.hire("ana", false);
    past.on_duty(0, ana);
    let early = past.call(3_500, SALES);
    let talk = past.accept(3_500, early);
    let middle = past.call(3_700, SALES);
    past.complete(3_800, talk);
    let talk = past.accept(3_805, middle);
    past.complete(4_000, talk);
    let late = past.call(7_300, SALES);
    past.accept(7_300, late);
    past.complete(7_400, AssignmentId(3));
    past
}

fn of(past: &Past, from: u64, to: u64) -> Result<Recorded, BacktestError> {
    Recorded::from_events(&past.journal, NINE.after(from * 1_000), NINE.after(to * 1_000))
}

#[test]
fn a_period_has_who_came_in_it_and_whoever_was_there_before_goes_on() {
    let recorded = of(&three_hours(), 3_600, 7_200).expect("somebody came");
    assert_eq!(recorded.interactions(), 1);
    let result = tell(&recorded, &RuleSet::default(), &RuleSet::default());
    assert_eq!((result.all.recorded.entered, result.all.recorded.answered), (1, 1));
    // Ana is in her first conversation until 3,800 in all three: 100 s of waiting, and 5 s until she answers.
    assert_eq!(result.all.published.mean_wait_s, Some(105.0));
    assert_eq!(result.all.recorded, result.all.published);
}

#[test]
fn a_period_that_begins_before_what_is_kept_is_refused_with_the_first_moment_there_is() {
    let past = three_hours();
    let error = Recorded::from_events(&past.journal, Time(0), NINE).expect_err("nothing is known of 1970");
    assert_eq!(error.reason(), "NOT_RETAINED");
    assert!(error.to_string().contains("kept from 2026-11-25T08:00:00Z on"), "{error}");
    let error = Recorded::from_events(&[], Time(0), NINE).expect_err("there is nothing");
    assert_eq!(error.reason(), "NOT_RETAINED");
}

#[test]
fn a_period_without_anybody_or_without_length_is_refused() {
    let past = three_hours();
    let error = of(&past, 8_000, 9_000).expect_err("nobody came then");
    assert_eq!(error.reason(), "NOBODY_CAME");
    assert!(error.to_string().contains("2026-11-25T11:13:20Z"), "{error}");
    assert_eq!(of(&past, 7_200, 7_200).expect_err("it has no length").reason(), "PERIOD_EMPTY");
}

#[test]
fn who_asks_for_a_period_without_anybody_is_told_how_far_the_record_goes() {
    let mut past = three_hours();
    for second in 8_000..9_200 {
        let presence = if second % 2 == 0 { Presence::Available } else { Presence::OnBreak };
        past.presence(second, AgentKey(0), presence);
    }
    let error = of(&past, 7_500, 7_900).expect_err("nobody came then").to_string();
    assert!(error.ends_with("to 2026-11-25T11:33:19Z"), "{error}");
}

#[test]
fn whoever_asked_may_stop_it() {
    let recorded = of(&three_hours(), 0, 10_000).expect("somebody came");
    let (mut heard, rules) = (Vec::new(), RuleSet::default());
    let mut stop_at_four = |done, total| {
        heard.push((done, total));
        if done == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = backtest(&recorded, &rules, &rules, &Options::default(), &mut stop_at_four);
    assert_eq!(stopped.expect_err("it was stopped").reason(), "STOPPED");
    assert_eq!(heard, [(1, 6), (2, 6), (3, 6), (4, 6)]);
}

#[test]
fn a_journal_is_read_beside_the_server_that_writes_it() {
    let folder = tempfile::tempdir().expect("there is room");
    let mut journal = Sqlite::open(folder.path(), "t").expect("a new folder");
    let past = three_hours();
    let mut batch = BatchWriter::new(1);
    for stamped in &past.journal {
        batch.push(stamped.time.0, &stamped.event, None);
    }
    journal.append(&batch.finish()).expect("there is room");
    let (from, to) = (NINE.after(3_600_000), NINE.after(7_200_000));
    let recorded = Recorded::from_journal(folder.path(), from, to).expect("a second connection reads");
    let rules = RuleSet::default();
    let (read, known) =
        (tell(&recorded, &rules, &rules), tell(&of(&past, 3_600, 7_200).expect("the same"), &rules, &rules));
    assert_eq!((read.all, read.queues, read.notes), (known.all, known.queues, known.notes));
    assert!(read.source.contains(&folder.path().display().to_string()));
    drop(journal);
}
