//! What the rules decided about one interaction. Made at the edge, complete, and never changed here.

use super::circumstances::Circumstances;
use super::fixed::Part;
use super::ids::{AgentKey, CustomerId, QueueKey, Text};
use super::journey::Journey;
use super::money::Money;
use super::route::Route;
use super::time::Time;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub use super::channel::Channel;

/// The declared facts about an interaction: typed, in clear, nothing personal. A back-test decides again on them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    /// What the customer wants, as the source coded it.
    pub intent: Text,
    /// BCP 47.
    pub language: Text,
    /// Points given by the source, -10 to 10.
    pub priority: i16,
    /// Who it is, if that was known in time.
    pub customer: Option<CustomerId>,
    /// When it should be done.
    pub due: Option<Time>,
    /// Not to be done before: scheduled work.
    pub not_before: Option<Time>,
    /// The matter it is about, as the source or the rules named it. Two contacts of one customer about the same matter
    /// are duplicates in intent.
    pub matter: Text,
    /// What was known of the customer. `None`: nobody knows whose it is, or nothing is known of them so far.
    pub journey: Option<Arc<Journey>>,
    /// What else the plan in force was made in. `None`: in nothing but the queue it begins in.
    pub circumstances: Option<Arc<Circumstances>>,
}

/// Customers wait so long in the mean unless the rules say otherwise, ms.
pub const PATIENCE_MS: u64 = 300_000;

/// What waiting, leaving and a poor answer cost, and when an answer counts as in time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Goals {
    /// Answered within this time counts for the service level.
    pub answer_within_ms: u64,
    /// The share to be answered in time, in parts per million.
    pub service_level_ppm: u32,
    /// Leaving within this time of entry is a short abandon and counted apart.
    pub short_abandon_ms: u64,
    /// Per minute of waiting.
    pub waiting_per_minute: Money,
    /// Per customer who leaves unanswered.
    pub abandon: Money,
    /// Per answer later than `answer_within_ms`.
    pub late: Money,
    /// Per interaction not solved at once.
    pub unresolved: Money,
    /// Customers wait so long before they hang up, in the mean, ms.
    pub patience_ms: u64,
    /// Having waited so long, an interaction is held no longer for a cheaper agent, ms; 0: never held. `None`: as long
    /// as that pays.
    pub hold_max_ms: Option<u64>,
    /// How strongly a missed target counts more while the service level is below its goal, 0 to 16: G.
    pub dial: u8,
}

impl Goals {
    /// 80 % within 20 s, short abandons within 5 s, and nothing costs anything.
    pub fn plain() -> Goals {
        Goals {
            answer_within_ms: 20_000,
            service_level_ppm: 800_000,
            short_abandon_ms: 5_000,
            waiting_per_minute: Money(0),
            abandon: Money(0),
            late: Money(0),
            unresolved: Money(0),
            patience_ms: PATIENCE_MS,
            hold_max_ms: Some(0),
            dial: 0,
        }
    }
}

/// The agent who should have it, if that takes no longer than a budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Preferred {
    pub agent: AgentKey,
    /// So long it waits for that agent alone, ms.
    pub budget_ms: u64,
    /// Whether that agent may take it beyond their capacity.
    pub overdraw: bool,
}

/// The agent who knows the customer, and what it is worth that they serve them again: others are not kept from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Familiar {
    pub agent: AgentKey,
    pub worth: Money,
}

/// What happens when a customer who waits already comes again about the same matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Duplicates {
    /// Both are served.
    #[default]
    KeepBoth,
    /// The new contact joins the one that waits.
    Attach,
    /// The new one takes the place of the one that waits.
    Replace,
}

/// How a customer is called back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CallbackTerms {
    /// Calls that are made at most.
    pub attempts_max: u8,
    /// Until the next call after one that nobody answered, ms.
    pub retry_ms: u64,
}

impl Default for CallbackTerms {
    fn default() -> CallbackTerms {
        CallbackTerms { attempts_max: 3, retry_ms: 900_000 }
    }
}

/// How often an interaction may be handed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TransferTerms {
    /// Transfers at most.
    pub max: u16,
    /// Where one more goes instead of where it was asked to; `None`: it is refused. A queue the plan has a route to.
    pub beyond: Option<QueueKey>,
}

impl Default for TransferTerms {
    fn default() -> TransferTerms {
        TransferTerms { max: 5, beyond: None }
    }
}

/// Overflows from queue to queue at most, unless the rules say otherwise.
pub const HOPS_MAX_DEFAULT: u8 = 3;

/// The rules' answer, whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The version of the rule set that made it.
    pub rule_set: u32,
    /// The line it comes into, first, and every other it may get to by the rules. Never empty.
    pub routes: Arc<[Route]>,
    /// Priority points; one is worth a minute of waiting.
    pub priority: i16,
    /// What it weighs against others, 1/4 to 8.
    pub weight: Part,
    /// Counted as if it had waited this long already.
    pub head_start_ms: u64,
    /// What the business wants here.
    pub goals: Goals,
    pub preferred: Option<Preferred>,
    pub familiar: Option<Familiar>,
    /// It counts towards the time when it should be done instead of from its entry: the first due is the first served,
    /// and it is late when that time has passed.
    pub by_due: bool,
    /// It should be done so long after it came, or may begin, ms; and by the time its facts give, if that is earlier.
    pub deadline_ms: Option<u64>,
    pub duplicates: Duplicates,
    pub callback: CallbackTerms,
    pub transfers: TransferTerms,
    /// Overflows from queue to queue at most.
    pub hops_max: u8,
    /// What the rules tell the agent to do. Nothing personal.
    pub instructions: Arc<[Text]>,
    /// What the rules call it, for people and reports.
    pub tags: Arc<[Text]>,
}

impl Plan {
    /// One route, and nothing special.
    pub fn plain(rule_set: u32, route: Route, priority: i16, goals: Goals) -> Plan {
        Plan {
            rule_set,
            routes: Arc::new([route]),
            priority,
            weight: Part::ONE,
            head_start_ms: 0,
            goals,
            preferred: None,
            familiar: None,
            by_due: false,
            deadline_ms: None,
            duplicates: Duplicates::default(),
            callback: CallbackTerms::default(),
            transfers: TransferTerms::default(),
            hops_max: HOPS_MAX_DEFAULT,
            instructions: Arc::default(),
            tags: Arc::default(),
        }
    }

    /// The route it starts on.
    pub fn entry(&self) -> &Route {
        &self.routes[0]
    }

    /// Which of its routes leads to a queue.
    pub fn route_to(&self, queue: QueueKey) -> Option<u8> {
        let found = self.routes.iter().position(|route| route.queue == queue)?;
        Some(u8::try_from(found).expect("a plan has at most ROUTES_MAX routes"))
    }
}
