//! What a run came to: a row for each kind of call, what it cost, and whether the books balance. As a table for
//! people, and as JSON under the same names.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::books::Books;
use super::settings::{Pace, Settings};
use super::tally::{Kind, Tally};

/// Everything a run tells.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    pub what: &'static str,
    pub via: &'static str,
    /// Arrivals a second in open loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<String>,
    /// In flight in closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<u32>,
    /// `sqlite` or `memory`, of a server of our own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<&'static str>,
    pub agents: u32,
    pub skills: u32,
    pub customers: u32,
    /// Measured time, s.
    pub measured_s: f64,
    /// Why the run ended before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_early: Option<String>,
    #[serde(serialize_with = "by_kind")]
    pub calls: Vec<CallFigures>,
    pub books_balanced: bool,
    pub books: Books,
    /// Processor seconds in the measured time: ours, and those of a server of our own.
    pub client_cpu_s: Option<f64>,
    pub server_cpu_s: Option<f64>,
    /// Of a server of our own, when the measured time was over.
    pub server_memory_bytes: Option<u64>,
    /// All of its folder in the end.
    pub server_data_bytes: Option<u64>,
}

/// One kind of call. Times in µs.
#[derive(Clone, Debug, Serialize)]
pub struct CallFigures {
    #[serde(skip)]
    pub kind: Kind,
    pub offered_per_s: f64,
    pub completed_per_s: f64,
    pub completed: u64,
    pub errors: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub errors_by_reason: BTreeMap<String, u64>,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p99_us: u64,
    pub p999_us: u64,
    pub max_us: u64,
}

impl CallFigures {
    fn of(kind: Kind, tally: &Tally, measured_s: f64, sign_in_s: f64) -> CallFigures {
        let (offered, ended_within, times) = tally.read(kind);
        // Agents sign in before anything is measured.
        let seconds = if kind == Kind::SignIn { sign_in_s } else { measured_s };
        let per_s = |count: u64| if seconds > 0.0 { rounded(count as f64 / seconds) } else { 0.0 };
        let at = |quantile| times.us.value_at_quantile(quantile);
        CallFigures {
            kind,
            offered_per_s: per_s(offered),
            completed_per_s: per_s(ended_within),
            completed: times.us.len(),
            errors: times.errors.values().sum(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: times.us.max(),
            errors_by_reason: times.errors,
        }
    }

    fn happened(&self) -> bool {
        self.completed > 0 || self.errors > 0
    }
}

impl Figures {
    /// What a tally came to, without what only the caller knows.
    pub fn of(settings: &Settings, tally: &Tally, sign_in_s: f64, books: Books) -> Figures {
        let measured_s = rounded(tally.measured().as_secs_f64());
        let calls = Kind::ALL.map(|kind| CallFigures::of(kind, tally, measured_s, sign_in_s));
        let (rate, burst, closed) = match settings.pace {
            Pace::Open { rate, burst } => (Some(rate), burst, None),
            Pace::Closed { in_flight } => (None, None, Some(in_flight)),
        };
        Figures {
            what: settings.what.name(),
            via: settings.via.name(),
            rate,
            burst: burst.map(|burst| format!("{}x{}s", burst.factor, burst.length.as_secs_f64())),
            closed,
            journal: None,
            agents: settings.agents,
            skills: settings.skills,
            customers: settings.customers,
            measured_s,
            ended_early: None,
            calls: calls.into_iter().filter(CallFigures::happened).collect(),
            books_balanced: books.balanced(),
            books,
            client_cpu_s: None,
            server_cpu_s: None,
            server_memory_bytes: None,
            server_data_bytes: None,
        }
    }

    /// The row of a kind of call, if there was any.
    pub fn call(&self, kind: Kind) -> Option<&CallFigures> {
        self.calls.iter().find(|call| call.kind == kind)
    }
}

fn by_kind<S: Serializer>(calls: &[CallFigures], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(calls.len()))?;
    for call in calls {
        map.serialize_entry(call.kind.name(), call)?;
    }
    map.end()
}

/// To thousandths.
pub fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_head(out)?;
        writeln!(
            out,
            "{:<10}{:>12}{:>12}{:>12}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "call",
            "offered/s",
            "done/s",
            "done",
            "errors",
            "p50 µs",
            "p90 µs",
            "p99 µs",
            "p99.9 µs",
            "max µs"
        )?;
        for call in &self.calls {
            writeln!(
                out,
                "{:<10}{:>12.0}{:>12.0}{:>12}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}",
                call.kind.name(),
                call.offered_per_s,
                call.completed_per_s,
                call.completed,
                call.errors,
                call.p50_us,
                call.p90_us,
                call.p99_us,
                call.p999_us,
                call.max_us,
            )?;
        }
        for call in &self.calls {
            for (reason, count) in &call.errors_by_reason {
                writeln!(out, "{}: {count} × {reason}", call.kind.name())?;
            }
        }
        self.write_cost(out)?;
        self.write_books(out)
    }
}

impl Figures {
    fn write_head(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pace = match (self.rate, self.closed) {
            (Some(rate), _) => format!("open loop at {rate}/s"),
            (None, in_flight) => format!("closed loop, {} in flight", in_flight.unwrap_or_default()),
        };
        let burst = self.burst.as_ref().map(|burst| format!(", burst {burst}")).unwrap_or_default();
        let journal = self.journal.map(|journal| format!(", journal {journal}")).unwrap_or_default();
        writeln!(
            out,
            "{} via {}, {pace}{burst}, {} s; {} agents, {} skills, {} customers{journal}",
            self.what, self.via, self.measured_s, self.agents, self.skills, self.customers
        )?;
        if let Some(why) = &self.ended_early {
            writeln!(out, "ended early: {why}")?;
        }
        writeln!(out)
    }

    fn write_cost(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(client) = self.client_cpu_s else { return Ok(()) };
        write!(out, "\nprocessor: load {client:.2} s")?;
        if let Some(server) = self.server_cpu_s {
            write!(out, ", server {server:.2} s")?;
        }
        if let Some(memory) = self.server_memory_bytes {
            write!(out, "; the server's memory {:.1} MB", memory as f64 / 1e6)?;
        }
        if let Some(data) = self.server_data_bytes {
            write!(out, ", its folder {:.1} MB", data as f64 / 1e6)?;
        }
        writeln!(out)
    }

    fn write_books(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Books { entered, answered, left, closed, not_yet_answered, wrong } = &self.books;
        if self.books_balanced {
            return writeln!(
                out,
                "the books balance: {entered} entered = {answered} answered + {left} left + {not_yet_answered} not \
                 yet answered; {closed} were served"
            );
        }
        writeln!(out, "the books do NOT balance:")?;
        wrong.iter().try_for_each(|wrong| writeln!(out, "  {wrong}"))
    }
}
