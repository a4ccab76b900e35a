//! What was asked for, with its limits, and the words of the command line it is written in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::mix::Mix;
use super::schedule::Burst;
use crate::config::JournalKind;

/// Most agents of one run.
pub const AGENTS_MAX: u32 = 100_000;
/// Most agents with a stream of their own: each costs a stream on both sides.
pub const WORK_AGENTS_MAX: u32 = 1_000;
/// Most skills, and queues, for each skill has one.
pub const SKILLS_MAX: u32 = 1_000;
/// Most customers who are resolved beforehand.
pub const CUSTOMERS_MAX: u32 = 1_000_000;
/// Most interactions in flight in closed loop.
pub const CLOSED_MAX: u32 = 100_000;
/// Most interactions in flight in open loop. Beyond, arrivals are not sent, and counted as `NOT_SENT`.
pub const OPEN_MAX: u32 = 100_000;
/// Most arrivals a second.
pub const RATE_MAX: u32 = 5_000_000;
/// Most that may be kept waiting.
pub const WAITING_MAX: u32 = 1_000_000;
/// Longest run.
pub const LENGTH_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Most connections, or streams, of each kind.
pub const CONNECTIONS_MAX: u32 = 256;
/// Longest message of a customer.
pub const MESSAGE_MAX: u32 = 4_096;

/// Everything a run needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    pub target: Target,
    pub what: What,
    pub via: Via,
    pub pace: Pace,
    /// Measured time, without the warm-up.
    pub length: Duration,
    /// Load before the measured time, not counted.
    pub warm_up: Duration,
    pub agents: u32,
    pub agents_via: AgentsVia,
    /// Streams that share the agents.
    pub agent_streams: u32,
    pub skills: u32,
    pub mix: Mix,
    pub customers: u32,
    /// What an agent takes to accept, to talk and to wrap up, each.
    pub think: Duration,
    /// Kept waiting while only submitting.
    pub waiting: u32,
    /// Connections for unary submits, or streams.
    pub connections: u32,
    /// Characters of the customer's message.
    pub message: u32,
    pub seed: u64,
}

/// The server that bears the load.
#[derive(Clone, Debug)]
pub enum Target {
    /// It runs already.
    Running(SocketAddr),
    /// A child process, for this run. Without a folder it gets a temporary one.
    Own { journal: JournalKind, data: Option<PathBuf> },
}

/// How arrivals are timed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As many a second, whatever the server does.
    Open { rate: u32, burst: Option<Burst> },
    /// The next one when one of so many is done.
    Closed { in_flight: u32 },
}

/// Which part of the life of an interaction is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum What {
    /// Submit, and cancel the oldest so that as many keep waiting; agents are signed in, on a break
    Submit,
    /// The whole life: submit, offer, accept, complete, wrap-up
    Cycle,
}

/// How interactions are submitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Via {
    /// A call for each
    Unary,
    /// Streams with many requests under way (Interactions.Route)
    Stream,
}

/// How agents are connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum AgentsVia {
    /// Few streams hold all agents (Agents.Attach)
    Attach,
    /// A stream for each agent (Agents.Work), calls for what they do; at most 1,000 agents
    Work,
}

impl What {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            What::Submit => "submit",
            What::Cycle => "cycle",
        }
    }
}

impl Via {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Via::Unary => "unary",
            Via::Stream => "stream",
        }
    }
}

impl Pace {
    /// Most that may be in flight.
    pub fn in_flight_max(self) -> u32 {
        match self {
            Pace::Open { .. } => OPEN_MAX,
            Pace::Closed { in_flight } => in_flight,
        }
    }
}
