//! Metrics and log lines. Figures are derived from the engine's own books, so they cannot disagree with what
//! supervisors see; nothing personal goes into a name, a label or a line.

use crate::broken;
use crate::engine::agent::{Presence, RoutingState};
use crate::engine::ids::QueueKey;
use crate::engine::shard::Shard;
use crate::runtime::admission::{Change, Door};
use metrics::{counter, gauge, histogram};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often the gauges are brought up to date, at most.
const REFRESH: Duration = Duration::from_secs(1);

/// When a commit began.
pub struct CommitTimer(Instant);

/// Starts the clock of a commit.
pub fn commit_started() -> CommitTimer {
    CommitTimer(Instant::now())
}

/// A batch became durable.
pub fn committed(timer: CommitTimer, events: usize) {
    histogram!("baton_journal_commit_seconds").record(timer.0.elapsed());
    counter!("baton_events_total").increment(u64::try_from(events).unwrap_or(u64::MAX));
}

/// A snapshot was written, of so many bytes.
pub fn snapshot_written(tenant: &str, bytes: u64, took: Duration) {
    gauge!("baton_snapshot_bytes", "tenant" => tenant.to_owned()).set(bytes as f64);
    histogram!("baton_snapshot_seconds", "tenant" => tenant.to_owned()).record(took);
}

/// One was due and could not be written.
pub fn snapshot_failed(tenant: &str) {
    counter!("baton_snapshot_failures_total", "tenant" => tenant.to_owned()).increment(1);
}

/// One more connection is open.
pub fn connection_came() {
    gauge!("baton_connections").increment(1.0);
}

/// One less.
pub fn connection_went() {
    gauge!("baton_connections").decrement(1.0);
}

/// A connection was closed before anything was asked on it: `too_many` are open, or its `greeting` came to nothing.
pub fn connection_refused(why: &'static str) {
    counter!("baton_connections_refused_total", "why" => why).increment(1);
}

/// A connection without a call was told to end: it was `idle` for too long, or `makes_room` for another.
pub fn connection_ended(why: &'static str) {
    counter!("baton_connections_ended_total", "why" => why).increment(1);
}

/// So many calls of a tenant are being answered, and so many streams are open.
pub fn in_hand(tenant: &str, (calls, streams): (usize, usize)) {
    gauge!("baton_calls", "tenant" => tenant.to_owned()).set(real(calls));
    gauge!("baton_streams", "tenant" => tenant.to_owned()).set(real(streams));
}

/// What is behind two snapshots could not be moved to the archive.
pub fn archive_failed(tenant: &str) {
    counter!("baton_archive_failures_total", "tenant" => tenant.to_owned()).increment(1);
}

/// A request was refused or failed at the edge.
pub fn refused(reason: &'static str) {
    counter!("baton_requests_refused_total", "reason" => reason).increment(1);
}

/// From now on a broken assumption is told in the log, with its thread and place, wherever it breaks; who may go on after
/// it is for the thread to say.
pub fn tell_what_breaks() {
    std::panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let place = info.location().map(ToString::to_string);
        let thread = thread.name().unwrap_or("without a name").to_owned();
        // Asked for by RUST_BACKTRACE, as ever.
        let trace = Some(Backtrace::capture()).filter(|trace| trace.status() == BacktraceStatus::Captured);
        let trace = trace.map(|trace| trace.to_string());
        tracing::error!(thread, place, trace, "{}", broken::why(info.payload()));
        counter!("baton_broken_assumptions_total", "thread" => thread).increment(1);
    }));
}

/// A rule whose condition failed, and was skipped.
pub fn rule_skipped(tenant: &str, why: &'static str) {
    counter!("baton_rules_skipped_total", "tenant" => tenant.to_owned(), "why" => why).increment(1);
}

/// A card left without the customer's part, or an interaction without its customer.
pub fn customer_late(what: &'static str) {
    counter!("baton_customer_late_total", "what" => what).increment(1);
}

/// Other rules came in force.
pub fn rules_in_force(tenant: &str, version: u32) {
    gauge!("baton_rules_version", "tenant" => tenant.to_owned()).set(f64::from(version));
}

/// Rules were published, or put back.
pub fn rules_published(tenant: &str, what: &'static str) {
    counter!("baton_rules_published_total", "tenant" => tenant.to_owned(), "what" => what).increment(1);
}

/// So many who waited were planned again because other rules were published.
pub fn planned_again(tenant: &str, planned: u64) {
    counter!("baton_planned_again_total", "tenant" => tenant.to_owned()).increment(planned);
}

/// Intake is shed from now on, or no more.
pub fn shedding(gauges: &Gauges, change: Change, waited: Duration, door: &Door) {
    let (tenant, shed) = (&gauges.tenant, door.delayed.load(Ordering::Relaxed));
    let (waited_ms, target_ms) = (waited.as_millis(), door.target().as_millis());
    match change {
        Change::Began => {
            tracing::warn!(tenant, waited_ms, target_ms, "requests wait too long: intake is shed")
        }
        Change::Ended { after } => {
            tracing::info!(tenant, waited_ms, after_ms = after.as_millis(), shed, "intake is shed no more");
        }
    }
}

/// Publishes a shard's books.
pub struct Gauges {
    tenant: String,
    last: Option<Instant>,
}

impl Gauges {
    /// Gauges under a tenant's label.
    pub fn new(tenant: &str) -> Gauges {
        Gauges { tenant: tenant.to_owned(), last: None }
    }

    /// Brings the figures up to date, unless that was done a moment ago.
    pub fn refresh(&mut self, shard: &Shard, inbox: usize, door: &Door) {
        if self.last.is_some_and(|last| last.elapsed() < REFRESH) {
            return;
        }
        self.last = Some(Instant::now());
        gauge!("baton_inbox_depth", "tenant" => self.tenant.clone()).set(real(inbox));
        self.door(door);
        for (key, entry) in shard.floor().queues.by_name() {
            self.queue(shard, QueueKey(u16::try_from(key).expect("queue keys are u16")), &entry.name);
        }
        self.agents(shard);
    }

    fn door(&self, door: &Door) {
        gauge!("baton_inbox_delay_seconds", "tenant" => self.tenant.clone()).set(door.waited().as_secs_f64());
        gauge!("baton_intake_shedding", "tenant" => self.tenant.clone())
            .set(f64::from(u8::from(door.sheds())));
        for (why, count) in
            [("delay", &door.delayed), ("inbox_full", &door.full), ("caller_gone", &door.abandoned)]
        {
            let labels = [("tenant", self.tenant.clone()), ("why", why.to_owned())];
            counter!("baton_intake_shed_total", &labels).absolute(count.load(Ordering::Relaxed));
        }
    }

    fn queue(&self, shard: &Shard, key: QueueKey, name: &str) {
        let books = shard.tally().of(key);
        let labels = [("tenant", self.tenant.clone()), ("queue", name.to_owned())];
        gauge!("baton_waiting", &labels).set(f64::from(shard.lines().waiting(key)));
        gauge!("baton_service_level", &labels).set(f64::from(books.service_level_ppm()) / 1e6);
        for (what, count) in [
            ("entered", books.entered),
            ("answered", books.answered),
            ("abandoned", books.abandoned),
            ("cancelled", books.cancelled),
            ("closed", books.closed),
        ] {
            let labels =
                [("tenant", self.tenant.clone()), ("queue", name.to_owned()), ("what", what.to_owned())];
            counter!("baton_interactions_total", &labels).absolute(count);
        }
        for (ending, count) in [
            ("accepted", books.offers_accepted),
            ("declined", books.offers_declined),
            ("expired", books.offers_expired),
            ("rescinded", books.offers_rescinded),
        ] {
            let labels =
                [("tenant", self.tenant.clone()), ("queue", name.to_owned()), ("ending", ending.to_owned())];
            counter!("baton_offers_total", &labels).absolute(count);
        }
    }

    fn agents(&self, shard: &Shard) {
        let states = [
            ("idle", RoutingState::Idle),
            ("ringing", RoutingState::Ringing),
            ("handling", RoutingState::Handling),
            ("wrapping_up", RoutingState::WrappingUp),
            ("not_responding", RoutingState::NotResponding),
        ];
        for (word, state) in states {
            let count = shard
                .agents()
                .iter()
                .filter(|agent| agent.presence != Presence::SignedOut && agent.routing_state() == state)
                .count();
            let labels = [("tenant", self.tenant.clone()), ("state", word.to_owned())];
            gauge!("baton_agents", &labels).set(real(count));
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of agents and commands are far below 2^52")]
fn real(count: usize) -> f64 {
    count as f64
}
