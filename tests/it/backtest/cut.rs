//! Folders whose archive was cut: a period behind the cut is told as it was before, from the state that is kept; what is
//! really gone is refused with the moment from which on periods can be told.

use super::chance::journal;
use super::past::{NINE, Past, SALES, SERVICE};
use super::{rules, tell};
use baton::engine::agent::Presence;
use baton::engine::event::Stamped;
use baton::engine::floor::{QueueSpec, WrapUp};
use baton::engine::ids::PoolKey;
use baton::engine::shard::Shard;
use baton::engine::time::Time;
use baton::journal::{Archive, Batch, BatchWriter, Journal, Limits, Mark, Origin, Snapshots, Sqlite};
use baton::replay::backtest::{Backtest, BacktestError, Recorded};
use baton::rules::RuleSet;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const DAY_MS: u64 = 86_400_000;

/// The folder of a tenant after so many events: each part but the last is a file of the archive, with the state before it; the
/// journal has let go of those.
fn laid_down(events: &[Stamped], ends: &[usize]) -> TempDir {
    let folder = tempfile::tempdir().expect("there is room");
    let mut journal = Sqlite::open(folder.path(), "t").expect("a new folder");
    let mut adding = Archive::of(folder.path()).open_to_add(1).expect("a new archive");
    let (mut shard, mut begin) = (Shard::new(), 0);
    for (day, end) in ends.iter().enumerate() {
        let base = (begin > 0).then(|| snapshot(folder.path(), &shard));
        adding.turn_to(day as u64 * DAY_MS, base.as_deref()).expect("a new day");
        for batch in batches(&events[begin..*end]) {
            journal.append(&batch).expect("there is room");
            adding.add(&batch).expect("there is room");
        }
        events[begin..*end].iter().for_each(|stamped| shard.apply(stamped));
        begin = *end;
    }
    adding.sync().expect("there is room");
    snapshot(folder.path(), &shard);
    journal.let_go(begin as u64);
    for batch in batches(&events[begin..]) {
        journal.append(&batch).expect("there is room");
    }
    assert!(journal.first_sequence() > 1, "it has let go of what is in the archive");
    folder
}

fn batches(events: &[Stamped]) -> impl Iterator<Item = Batch> {
    events.chunks(2).map(|events| {
        let mut batch = BatchWriter::new(events[0].sequence.0);
        events.iter().for_each(|stamped| batch.push(stamped.time.0, &stamped.event, None));
        batch.finish()
    })
}

fn snapshot(folder: &Path, shard: &Shard) -> std::path::PathBuf {
    let snapshots = Snapshots::of(folder);
    let origin = Origin { tenant: "t".to_owned(), mark: Mark::default() };
    let mut writer = snapshots.begin(shard.sequence().0, shard.now().0, &origin).expect("there is room");
    shard.keep(&mut writer).expect("there is room");
    writer.finish().expect("there is room");
    snapshots.list().expect("readable").pop().expect("one was written").1
}

/// Lets go of the archive's first days.
fn cut(folder: &TempDir, days: u64) {
    let gone = Archive::of(folder.path()).forget(Limits { days: 0, bytes: 1 << 40 }, days * DAY_MS);
    assert_eq!(gone.expect("they can be removed") as u64, days);
}

/// Seconds from nine to midnight.
const MIDNIGHT: u64 = 15 * 3_600;

/// Two days, with a floor that is busy at midnight: Ana talks, Ben wraps up and has a break after that, Cleo is being asked, two
/// wait. Every offer is answered after two seconds, so that it does not matter which of the answers are known.
fn two_days() -> Past {
    let mut past = Past::plain();
    let hired = [("ana", false), ("ben", true), ("cleo", true)].map(|(name, vip)| past.hire(name, vip));
    let [ana, ben, cleo] = hired;
    let wrap_up = WrapUp::optional(30_000);
    past.queue(0, "service", QueueSpec { wrap_up, ..QueueSpec::plain("".into(), PoolKey(0), Vec::new()) });
    past.on_duty(0, ana);
    for second in [10, 110] {
        let call = past.call(second, SALES);
        let talk = past.accept(second + 2, call);
        past.complete(second + 90, talk);
    }
    let before = |seconds: u64| MIDNIGHT - seconds;
    let call = past.call(before(400), SALES);
    let anas = past.accept(before(398), call);
    past.on_duty(before(300), ben);
    let call = past.call(before(290), SERVICE);
    let bens = past.accept(before(288), call);
    past.presence(before(200), ben, Presence::OnBreak);
    past.on_duty(before(190), cleo);
    past.complete(before(5), bens);
    let [asked, waits] = [SALES, SALES].map(|queue| past.call(before(1), queue));
    let hangs_up = past.call(before(1), SERVICE);

    let cleos = past.accept(MIDNIGHT + 1, asked);
    past.hang_up(MIDNIGHT + 35, hangs_up);
    past.complete(MIDNIGHT + 50, anas);
    let long = past.accept(MIDNIGHT + 52, waits);
    past.complete(MIDNIGHT + 90, cleos);
    past.complete(MIDNIGHT + 95, long);
    past.on_duty(MIDNIGHT + 100, ben);
    for number in 0..30 {
        let at = MIDNIGHT + 600 + 40 * number;
        let call = past.call(at, if number % 3 == 0 { SERVICE } else { SALES });
        let talk = past.accept(at + 2, call);
        past.complete(at + 20 + number / 2, talk);
    }
    past
}

/// Everything but where it was read and what is said of that.
fn figures(result: &Backtest) -> Backtest {
    Backtest { source: String::new(), notes: Vec::new(), ..result.clone() }
}

fn told(folder: &TempDir, from: u64, to: u64) -> Result<Backtest, BacktestError> {
    let at = |second: u64| NINE.after(second * 1_000);
    let recorded = Recorded::from_journal(folder.path(), at(from), at(to))?;
    let draft = rules("version: 2\nname: vip only\nqueues:\n  sales:\n    prefer: { vip: 1 }\n");
    Ok(tell(&recorded, &RuleSet::default(), &draft))
}

/// How many events there are before so many seconds after nine.
fn before(past: &Past, second: u64) -> usize {
    past.journal.partition_point(|stamped| stamped.time < NINE.after(second * 1_000))
}

#[test]
fn a_period_behind_the_cut_is_told_as_it_was_before_the_cut() {
    let past = two_days();
    let folder = laid_down(&past.journal, &[before(&past, MIDNIGHT), before(&past, MIDNIGHT + 1_000)]);
    let periods =
        [(0, 9_000), (20, 1_500), (1_100, 1_400)].map(|(from, to)| (MIDNIGHT + from, MIDNIGHT + to));
    let whole = periods.map(|(from, to)| told(&folder, from, to).expect("all is kept"));
    assert!(whole[0].changed > 0, "the draft is another one");
    cut(&folder, 1);
    for ((from, to), whole) in periods.into_iter().zip(&whole) {
        let again = told(&folder, from, to).expect("the state before it is kept");
        assert_eq!(figures(&again), figures(whole), "from {from} to {to}");
        let [note, others @ ..] = &again.notes[..] else { panic!("it says what is not kept") };
        assert!(note.starts_with("the first events are not kept any more: "), "{note}");
        assert_eq!(others, whole.notes);
    }
}

#[test]
fn a_period_before_the_cut_is_refused_with_the_moment_from_which_on_it_can_be_told() {
    let past = two_days();
    let ends = [before(&past, 1_000), before(&past, MIDNIGHT), before(&past, MIDNIGHT + 1_000)];
    let folder = laid_down(&past.journal, &ends);
    cut(&folder, 2);
    let last = past.journal[before(&past, MIDNIGHT) - 1].time;
    for from in [NINE, last] {
        let error = Recorded::from_journal(folder.path(), from, NINE.after(MIDNIGHT * 2_000))
            .expect_err("it is gone");
        assert_eq!(error.reason(), "NOT_RETAINED");
        assert!(error.to_string().contains("kept from 2026-11-25T23:59:59.001Z on"), "{error}");
    }
    let recorded = Recorded::from_journal(folder.path(), last.after(1), NINE.after(MIDNIGHT * 2_000));
    assert_eq!(recorded.expect("it is kept from here on").interactions(), 30);
    let nobody = Recorded::from_journal(folder.path(), NINE.after(MIDNIGHT * 2_000), Time(u64::MAX));
    let nobody = nobody.expect_err("the past was over").to_string();
    assert!(nobody.contains("kept from 2026-11-25T23:59:59.001Z to"), "{nobody}");
}

#[test]
fn a_state_that_cannot_be_read_is_passed_over_for_the_one_before() {
    let past = two_days();
    let ends = [before(&past, 1_000), before(&past, MIDNIGHT), before(&past, MIDNIGHT + 1_000)];
    let folder = laid_down(&past.journal, &ends);
    let (from, to) = (MIDNIGHT + 1_100, MIDNIGHT + 9_000);
    let whole = told(&folder, from, to).expect("all is kept");
    cut(&folder, 1);
    let states = Snapshots::of(folder.path()).list().expect("readable");
    for ((_, state), of) in states.iter().rev().zip(["26T00:16", "25T23:59:59Z", "25T09:03:20Z"]) {
        let again = told(&folder, from, to).expect("a state is kept");
        assert_eq!(figures(&again), figures(&whole));
        assert!(again.notes[0].contains(&format!("with the state of 2026-11-{of}")), "{:?}", again.notes);
        fs::write(state, b"torn").expect("written, and so is the archive's, which is the same file");
    }
    let gone = told(&folder, from, to).expect_err("no state is left to begin with");
    assert_eq!(gone.reason(), "NOT_RETAINED");
}

#[test]
fn whatever_was_before_the_cut_the_record_behind_it_is_counted_the_same() {
    let rules = RuleSet::default();
    let mut told = 0;
    for seed in 0..20 {
        let journal = journal(seed);
        let at = |quarter: usize| journal.len() * quarter / 4;
        let (from, to) = (journal[at(1)].time, journal[at(3)].time.after(1));
        let folder = laid_down(&journal, &[at(1) / 2, at(2)]);
        let Ok(whole) = Recorded::from_journal(folder.path(), from, to) else { continue };
        cut(&folder, 1);
        let after = Recorded::from_journal(folder.path(), from, to).expect("the state before it is kept");
        let (whole, after) = (tell(&whole, &rules, &rules), tell(&after, &rules, &rules));
        assert_eq!(after.all.recorded, whole.all.recorded, "seed {seed}");
        let recorded = |result: &Backtest| {
            let rows = result.queues.iter().map(|row| (row.name.clone(), row.recorded.clone()));
            rows.collect::<Vec<_>>()
        };
        assert_eq!(recorded(&after), recorded(&whole), "seed {seed}");
        assert_eq!((&after.all.published, after.changed), (&after.all.draft, 0), "seed {seed}");
        told += 1;
    }
    assert!(told > 5, "{told} of the pasts had somebody in their middle");
}
