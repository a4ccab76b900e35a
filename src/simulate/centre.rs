//! What comes to a floor, and who serves it.

use crate::engine::queue::LANES_MAX;

/// Kinds of contacts a centre may have: each is a queue, and a lane at least.
pub const KINDS_MAX: usize = LANES_MAX as usize / 4;
/// Agents a centre may have.
pub const AGENTS_MAX: usize = 20_000;

/// One kind of contact: a queue of its own, and a skill.
#[derive(Clone, PartialEq, Debug)]
pub struct Kind {
    pub name: String,
    /// Answered within this is in time, s.
    pub target_s: f64,
    /// What a customer who hangs up costs.
    pub abandon: f64,
    /// What a minute of waiting costs.
    pub waiting_per_minute: f64,
    /// What an answer after the target costs.
    pub late: f64,
    /// What it costs when the matter is not solved.
    pub unresolved: f64,
    /// How long customers wait in the mean, as far as the router knows, s.
    pub patience_s: f64,
    /// How long an average agent takes, as far as the router knows, s.
    pub handle_s: f64,
    /// Points for policies that know nothing but points.
    pub priority: i16,
    /// Most who may be in line; one more is turned away.
    pub line_max: u32,
}

/// What an agent does with one kind.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Does {
    /// Which kind, as its place among the centre's.
    pub kind: usize,
    /// How well by the book, 1 to 10, more is better.
    pub proficiency: u8,
    /// How long this agent takes in truth, s, and how often the matter is solved in truth.
    pub handle_s: f64,
    pub resolution: f64,
    /// The same, as far as the router knows. `None`: it does not tell agents apart.
    pub known: Option<(f64, f64)>,
}

/// One agent.
#[derive(Clone, PartialEq, Debug)]
pub struct Member {
    /// Which group of agents, for `Centre::staffing`.
    pub group: usize,
    /// In the order of the kinds, each once.
    pub does: Vec<Does>,
}

/// A floor.
#[derive(Clone, PartialEq, Debug)]
pub struct Centre {
    pub kinds: Vec<Kind>,
    pub agents: Vec<Member>,
    /// In the order of time. Where it says nothing, everybody is there from the beginning.
    pub staffing: Vec<Staffing>,
}

/// From a time on so many of a group are there. Of those who are too many, whoever is idle goes at once, and the others
/// as they finish, the first first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Staffing {
    /// Since the beginning of the day, ms.
    pub at_ms: u64,
    pub group: usize,
    pub agents: usize,
}

/// One customer who comes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Visit {
    /// Since the beginning of the day, s.
    pub at_s: f64,
    pub kind: usize,
    /// Hangs up after so long, s. The router does not know.
    pub patience_s: f64,
    /// How much more work it is than usual: 1 is usual. The router does not know.
    pub work: f64,
}

/// A day: who comes, in the order of their coming.
#[derive(Clone, PartialEq, Debug)]
pub struct Day {
    pub visits: Vec<Visit>,
}
