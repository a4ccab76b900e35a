//! Figures from events: a day small enough to be worked out by hand, and that sums are the engine's books whatever
//! happens.

use crate::chance::{Chance, Move};
use baton::engine::agent::Presence;
use baton::engine::capacity::Holder;
use baton::engine::command::{Answer, Command, Leaving, Submit, Write};
use baton::engine::event::{EndedBy, Event, Stamped};
use baton::engine::floor::{AgentSpec, Definition, QueueSpec, WrapUp};
use baton::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId, PoolKey, QueueKey, SessionId};
use baton::engine::plan::{Channel, Facts, Goals, Plan};
use baton::engine::policy::PoolSpec;
use baton::engine::route::Route;
use baton::engine::shard::Shard;
use baton::engine::tally::Books;
use baton::engine::time::Time;
use baton::report::{By, Figures, Projection, Report, ReportError, Request, csv, json, table};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const MINUTE: u64 = 60_000;
const QUARTER: u64 = 15 * MINUTE;
/// 2026-11-25 09:00 UTC: a border of an interval.
const NINE: Time = Time(1_795_597_200_000);

/// A floor of one queue and one agent, told minute by minute.
struct Day {
    shard: Shard,
    journal: Vec<Stamped>,
    calls: u64,
}

impl Day {
    fn opened() -> Day {
        let mut day = Day { shard: Shard::new(), journal: Vec::new(), calls: 0 };
        let define =
            |name: &str, definition| Command::Define { name: name.into(), definition, write: Write::Create };
        day.ask(0, define("default", Definition::Pool(PoolSpec::listed("".into()).into())));
        let queue = QueueSpec {
            wrap_up: WrapUp::optional(2 * MINUTE),
            ..QueueSpec::plain("".into(), PoolKey(0), Vec::new())
        };
        day.ask(0, define("sales", Definition::Queue(queue)));
        let agent = AgentSpec::plain("".into(), PoolKey(0), Vec::new());
        day.ask(0, define("ana", Definition::Agent(agent)));
        day
    }

    fn ask(&mut self, second: u64, command: Command) -> Answer {
        let answer = self.shard.step(NINE.after(second * 1000), command, &mut self.journal);
        answer.expect("the day was thought through")
    }

    fn presence(&mut self, second: u64, presence: Presence, reason: &str) {
        let (agent, by) = (AgentKey(0), EndedBy::Agent);
        self.ask(second, Command::SetPresence { agent, presence, reason: reason.into(), by });
    }

    fn call(&mut self, second: u64) -> InteractionId {
        self.calls += 1;
        let submit = Submit {
            keys: [Some(u128::from(self.calls)), None],
            content: 0,
            source: "pbx".into(),
            external_id: "".into(),
            channel: Channel::Chat,
            facts: Facts::default(),
            plan: Plan::plain(1, Route::plain(QueueKey(0), Vec::new()), 0, Goals::plain()).into(),
        };
        match self.ask(second, Command::Submit(Box::new(submit))) {
            Answer::Admitted { interaction, .. } => interaction,
            other => panic!("{other:?}"),
        }
    }

    fn hang_up(&mut self, second: u64, interaction: InteractionId) {
        self.ask(second, Command::Cancel { interaction, leaving: Leaving::CustomerLeft });
    }

    fn accept(&mut self, second: u64, offer: u64) {
        self.ask(second, Command::Accept { offer: OfferId(offer) });
    }

    fn complete(&mut self, second: u64, assignment: u64) {
        self.ask(
            second,
            Command::Complete { assignment: AssignmentId(assignment), disposition: "".into(), solved: None },
        );
    }

    fn report(&self, to_second: u64, interval_ms: Option<u64>, by: By) -> Report {
        let to = NINE.after(to_second * 1000);
        report(&self.journal, Request { from: NINE, to, interval_ms, by }, to).expect("a good question")
    }
}

fn report(journal: &[Stamped], request: Request, now: Time) -> Result<Report, ReportError> {
    Projection::check(&request)?;
    let mut projection = Projection::new(request);
    journal.iter().for_each(|stamped| projection.apply(stamped));
    projection.report(request, now)
}

/// Ana comes after a minute and accepts, after two, the first customer; what follows is told by each test.
fn half_an_hour() -> Day {
    let mut day = Day::opened();
    day.ask(60, Command::OpenSession { agent: AgentKey(0), session: SessionId(1) });
    day.presence(60, Presence::Available, "");
    day.call(120);
    day.accept(130, 1);
    day
}

#[test]
fn half_an_hour_is_what_was_worked_out_by_hand() {
    let mut day = half_an_hour();
    day.complete(930, 1);
    day.ask(1050, Command::Tick);
    let left = day.call(1100);
    day.hang_up(1104, left);
    day.call(1110);
    day.accept(1120, 3);
    day.complete(1500, 2);
    day.ask(1620, Command::Tick);
    day.presence(1620, Presence::OnBreak, "lunch");
    let report = day.report(1800, Some(QUARTER), By { agent: true, ..By::default() });
    let (first, second) = (&report.rows[0].figures, &report.rows[1].figures);
    // 0 to 60 signed out; 60 to 120 idle; 120 to 130 ringing; 130 to 900 handling.
    assert_eq!(first.time.signed_out_ms, 60_000);
    assert_eq!(first.time.idle_ms, 60_000);
    assert_eq!(first.time.ringing_ms, 10_000);
    assert_eq!(first.time.handling_ms, 770_000);
    // 900 to 930 handling, to 1050 wrap-up, to 1100 idle, to 1104 ringing, to 1110 idle, to 1120 ringing, to 1500
    // handling, to 1620 wrap-up, then a break.
    assert_eq!(second.time.handling_ms, 30_000 + 380_000);
    assert_eq!(second.time.wrapping_up_ms, 120_000 + 120_000);
    assert_eq!(second.time.idle_ms, 50_000 + 6_000);
    assert_eq!(second.time.ringing_ms, 4_000 + 10_000);
    assert_eq!(second.time.break_ms, 180_000);
    assert_eq!(second.time.break_by_reason_ms["lunch"], 180_000);
    // Busy 650 s of 720 s there: 650 + 56 idle + 14 ringing.
    assert_eq!(second.time.occupancy_ppm(), Some(902_777));
    assert_eq!((second.handled, second.talk_ms, second.wrap_up_ms), (2, 800_000 + 380_000, 240_000));
    let queues = day.report(1800, Some(QUARTER), By { queue: true, ..By::default() });
    let (first, second) = (&queues.rows[0].figures, &queues.rows[1].figures);
    assert_eq!((first.entered, first.answered, first.answered_in_target, first.wait_ms), (1, 1, 1, 10_000));
    assert_eq!((second.entered, second.answered, second.abandoned, second.short_abandoned), (2, 1, 1, 1));
    assert_eq!((second.abandon_wait_ms, second.longest_wait_ms), (4_000, 10_000));
    assert_eq!(second.service_levels().of_answered_and_abandoned_ppm, Some(500_000));
    assert_eq!(second.service_levels().without_short_abandons_ppm, Some(1_000_000));
    assert_eq!(second.mean_handle_ms(), Some((800_000 + 380_000 + 240_000) / 2));
}

#[test]
fn the_times_of_an_agent_add_up_to_the_interval() {
    let mut day = half_an_hour();
    day.complete(930, 1);
    for row in day.report(3_600, Some(QUARTER), By { agent: true, ..By::default() }).rows {
        let time = &row.figures.time;
        assert_eq!(time.signed_in_ms() + time.signed_out_ms, row.end.since(row.start));
    }
}

#[test]
fn a_report_is_written_for_machines_and_people() {
    let day = half_an_hour();
    let report = day.report(900, None, By { queue: true, channel: true, agent: false });
    let written = csv(&report).expect("rows can be written");
    let mut lines = written.lines();
    let (names, cells) = (lines.next().expect("a line of names"), lines.next().expect("a row"));
    assert!(names.starts_with("start,end,queue,channel,agent,entered,"), "{names}");
    assert!(cells.starts_with("2026-11-25T09:00:00Z,2026-11-25T09:15:00Z,sales,chat,,1,"), "{cells}");
    assert_eq!(names.split(',').count(), cells.split(',').count());
    let shown = json(&report);
    assert_eq!(shown["rows"][0]["queue"], "sales");
    assert_eq!(shown["rows"][0]["mean_wait_ms"], 10_000);
    assert!(table(&report).contains("sales"), "{}", table(&report));
}

#[test]
fn a_question_that_makes_no_sense_is_refused() {
    let ask = |to: Time, interval_ms| {
        report(&[], Request { from: NINE, to, interval_ms, by: By::default() }, to).err()
    };
    assert!(matches!(ask(NINE, None), Some(ReportError::PeriodEmpty { .. })));
    assert!(matches!(ask(NINE.after(1), Some(0)), Some(ReportError::IntervalEmpty)));
    assert!(matches!(ask(NINE.after(u64::MAX / 4), Some(1)), Some(ReportError::TooManyRows { .. })));
}

/// Whatever happened: the rows of all intervals, queues and channels together are the engine's own books.
#[test]
fn the_sums_of_a_report_are_the_books() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    for _ in 0..crate::chance::runs(24) {
        let (mut shard, mut chance, mut journal) = (Shard::new(), Chance::new(), Vec::new());
        let mut ask = |chance: &mut Chance, now, command: Command| {
            let seen = journal.len();
            let _ = shard.step(now, command, &mut journal);
            chance.saw(&journal[seen..]);
        };
        for (now, command) in Chance::opening() {
            ask(&mut chance, now, command);
        }
        for _ in 0..300 {
            let one: Move = std::array::from_fn(|_| random.next_u32());
            let (now, command) = chance.next(one);
            ask(&mut chance, now, command);
        }
        check_sums(&shard, &journal);
    }
}

fn check_sums(shard: &Shard, journal: &[Stamped]) {
    let whole = |interval_ms, by| {
        let to = Time(shard.now().0 + 1);
        report(journal, Request { from: journal[0].time, to, interval_ms, by }, shard.now())
            .expect("a good question")
    };
    let by_queue = whole(Some(3_600_000), By { queue: true, channel: true, agent: false });
    for (key, entry) in shard.floor().queues.by_name() {
        let books = shard.tally().of(QueueKey(u16::try_from(key).expect("few queues")));
        let mut sum = Figures::default();
        let rows = by_queue.rows.iter().filter(|row| row.queue.as_ref() == Some(&entry.name));
        rows.for_each(|row| sum.add(&row.figures));
        assert_eq!(counted(&sum), booked(&books), "{}", entry.name);
        check_handle_time(shard, QueueKey(u16::try_from(key).expect("few queues")), &sum, &books);
        let offered = sum.entered + sum.moved_in + sum.transferred_in;
        let left = sum.abandoned + sum.cancelled + sum.timed_out + sum.sent_away + sum.moved_out;
        let answered = u64::try_from(sum.answered).expect("more answers than failed connections");
        assert_eq!(offered, answered + left + u64::from(books.unanswered()), "{}", entry.name);
    }
    let agents = whole(None, By { agent: true, ..By::default() });
    let handled: u64 = agents.rows.iter().map(|row| row.figures.handled).sum();
    let accepted = journal.iter().filter(|one| matches!(one.event, Event::Accepted { .. })).count();
    assert!(handled <= accepted as u64);
}

/// The books count a part when it is over, the report its conversation already when that has ended.
fn check_handle_time(shard: &Shard, queue: QueueKey, sum: &Figures, books: &Books) {
    let handled_ms = sum.talk_ms + sum.wrap_up_ms;
    let wraps_up = |holder: &Holder| match holder {
        Holder::WrapUp(id) => shard.assignment(*id).is_some_and(|part| part.queue == queue),
        Holder::Offer(_) | Holder::Assignment(_) => false,
    };
    let claims = shard.agents().iter().flat_map(|agent| agent.ledger.claims());
    if claims.filter(|claim| wraps_up(&claim.holder)).count() == 0 {
        assert_eq!(handled_ms, books.handle_ms, "queue {queue}");
    } else {
        assert!(handled_ms >= books.handle_ms, "queue {queue}: {handled_ms} < {}", books.handle_ms);
    }
}

fn counted(sum: &Figures) -> [i128; 17] {
    [
        sum.entered.into(),
        sum.moved_in.into(),
        sum.moved_out.into(),
        sum.transferred_in.into(),
        sum.answered.into(),
        sum.answered_in_target.into(),
        sum.abandoned.into(),
        sum.short_abandoned.into(),
        sum.cancelled.into(),
        sum.timed_out.into(),
        sum.sent_away.into(),
        sum.left_after_answer.into(),
        sum.closed.into(),
        sum.wait_ms.into(),
        sum.handled.into(),
        sum.connects_failed.into(),
        (sum.offers_accepted + sum.offers_declined + sum.offers_expired + sum.offers_rescinded).into(),
    ]
}

fn booked(books: &Books) -> [i128; 17] {
    [
        books.entered.into(),
        books.moved_in.into(),
        books.moved_out.into(),
        books.transferred_in.into(),
        books.answered.into(),
        books.answered_in_target.into(),
        books.abandoned.into(),
        books.short_abandoned.into(),
        books.cancelled.into(),
        books.timed_out.into(),
        books.sent_away.into(),
        books.left_after_answer.into(),
        books.closed.into(),
        books.wait_ms.into(),
        books.handled.into(),
        books.connects_failed.into(),
        (books.offers_accepted + books.offers_declined + books.offers_expired + books.offers_rescinded)
            .into(),
    ]
}
