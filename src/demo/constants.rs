//! What the simulated floor is made of: the figures of a real telephone centre, and what we invented beside them.
//!
//! Source of all figures marked *bank*: the call log of "Anonymous Bank", Technion, Haifa (documentation by Ilan
//! Guedj and Avi Mandelbaum, 2000), January and February 1999, 64,943 rows; computed by us, rounded. Left out:
//! the type TT (calls the bank returned), 3 % of the calls. Figures marked *invented* have no source: that
//! centre had telephones only.

use crate::proto::Channel;

/// What a customer wants: the types of the call log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Intent {
    /// `PS`, regular activity.
    Regular,
    /// `PE`, regular activity in English.
    English,
    /// `IN`, internet support.
    Internet,
    /// `NE`, stock exchange activity.
    Stocks,
    /// `NW`, prospective customer.
    Prospect,
}

/// What the log says about one intent. *Bank.*
#[derive(Debug)]
pub struct IntentFacts {
    pub intent: Intent,
    /// Used as skill, queue and intent code.
    pub code: &'static str,
    pub title: &'static str,
    /// Mean calls offered to agents in each hour of a day, Sunday to Thursday (39 days).
    pub per_hour: [f64; 24],
    /// Service time of served calls of 10 s to 1 h: mean in seconds, and mean and deviation of its logarithm.
    pub service_mean_s: f64,
    pub service_ln_mean: f64,
    pub service_ln_sd: f64,
    /// Share, in ten-thousandths, still patient at each of [`PATIENCE_S`]: Kaplan-Meier over queued calls.
    pub patient: [u16; 14],
    /// Mean of the exponential fitted to the same waits, in seconds: used beyond the last point.
    pub patience_tail_s: f64,
    /// What customers say first. *Invented.*
    pub messages: [&'static str; 4],
}

/// The points of the patience curves, in seconds. *Bank*, thinned from steps of 5 s.
pub const PATIENCE_S: [u16; 14] = [0, 10, 20, 30, 40, 60, 90, 120, 180, 240, 300, 450, 600, 900];

/// Shortest and longest service time counted in the log, in seconds. *Bank.*
pub const SERVICE_S: (f64, f64) = (10.0, 3600.0);

/// Share of customers who call again within an hour of being served, or of leaving unserved. *Bank.*
pub const BACK_AFTER_SERVED: f64 = 0.1301;
pub const BACK_AFTER_LEAVING: f64 = 0.4697;
/// How long "within an hour" is, in seconds.
pub const BACK_WITHIN_S: f64 = 3600.0;
/// Of those who come back: the share on another channel than before. *Invented.*
pub const BACK_ELSEWHERE: f64 = 0.5;

/// Customers known to the centre. *Invented*, of the size of the log (5,759 in two months).
pub const CUSTOMERS: u32 = 3_000;
/// Exponent of the Zipf law that says who contacts us: with it, 1 % of the customers make 24 % of the contacts,
/// the *bank*'s 0.2385.
pub const ZIPF_EXPONENT: f64 = 0.77;

/// Contacts on each channel for 100 telephone calls. *Invented*, but for the calls.
pub const CHANNEL_WEIGHTS: [(Channel, u32); 4] =
    [(Channel::Voice, 100), (Channel::Chat, 15), (Channel::Message, 12), (Channel::Email, 8)];
/// How much longer a conversation takes in writing, where both sides type. *Invented.*
pub const CHAT_STRETCH: f64 = 1.5;

/// How long an agent takes to accept, in seconds; how often one declines or does not notice. *Invented.*
pub const ACCEPT_S: (f64, f64) = (2.0, 6.0);
pub const DECLINE_SHARE: f64 = 0.02;
pub const MISS_SHARE: f64 = 0.005;
/// How long an agent who missed an offer stays away, in seconds. *Invented.*
pub const BACK_AT_DESK_S: (f64, f64) = (20.0, 90.0);
/// Wrap-up: its limit in seconds, and how often an agent is done before. *Invented.*
pub const WRAP_UP_S: u32 = 30;
pub const WRAP_UP_EARLY_SHARE: f64 = 0.6;
/// *Invented*: conversations that the agent hands on to a colleague half way through.
pub const HAND_ON_SHARE: f64 = 0.03;
/// How often a conversation is followed by a break, and how long that is, in seconds. *Invented.*
pub const BREAK_SHARE: f64 = 0.06;
pub const BREAK_S: (f64, f64) = (180.0, 900.0);
/// Agents on duty in each hour. *Bank*: the agents with a call per half hour, Sunday to Thursday, a fifth more
/// because ours write too; at night, when the bank was closed, three, who know everything together.
pub const ON_DUTY: [u8; 24] = [3, 3, 3, 3, 3, 3, 3, 4, 8, 9, 10, 10, 10, 10, 11, 10, 9, 8, 8, 8, 8, 7, 5, 4];
/// How often an agent off duty looks at the clock again, in seconds. *Invented.*
pub const OFF_DUTY_S: f64 = 300.0;

/// The agents and what they know: the first thirteen entries of the log's list of skill shares (which it gives
/// without names), in thousandths of the calls each served, PS PE IN NE NW. *Bank*; the names are ours.
pub const AGENTS: [(&str, [u16; 5]); 13] = [
    ("ana", [815, 0, 32, 88, 11]),
    ("ben", [726, 10, 39, 2, 212]),
    ("carla", [724, 7, 1, 8, 225]),
    ("dov", [655, 11, 0, 113, 218]),
    ("ella", [794, 0, 17, 0, 165]),
    ("farid", [758, 8, 6, 96, 131]),
    ("gila", [639, 0, 0, 6, 304]),
    ("hanna", [860, 12, 0, 3, 88]),
    ("ivan", [546, 0, 0, 398, 39]),
    ("judy", [671, 0, 0, 53, 240]),
    ("kofi", [797, 0, 10, 19, 167]),
    ("lea", [709, 1, 0, 51, 206]),
    ("mateo", [880, 13, 19, 86, 0]),
];

/// The facts of every intent.
pub const INTENTS: [IntentFacts; 5] = [
    IntentFacts {
        intent: Intent::Regular,
        code: "ps",
        title: "Regular activity",
        per_hour: [
            0.18, 0.13, 0.0, 0.03, 0.05, 0.10, 1.21, 31.44, 56.05, 75.26, 86.92, 74.79, 66.90, 70.74, 78.23,
            77.51, 58.77, 49.21, 49.36, 46.92, 41.03, 41.05, 37.23, 31.31,
        ],
        service_mean_s: 196.1,
        service_ln_mean: 4.887,
        service_ln_sd: 0.872,
        patient: [9991, 9742, 9434, 9243, 9067, 8559, 8010, 7678, 7044, 6632, 6204, 5355, 4767, 2860],
        patience_tail_s: 449.9,
        messages: [
            "I would like to check my balance.",
            "My card was swallowed by the machine.",
            "Has my salary arrived?",
            "Please move my standing order to the fifth.",
        ],
    },
    IntentFacts {
        intent: Intent::English,
        code: "pe",
        title: "Regular activity in English",
        per_hour: [
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.03, 0.31, 0.31, 0.62, 0.72, 0.51, 0.56, 0.46, 0.44, 0.41, 0.41,
            0.26, 0.15, 0.36, 0.26, 0.18, 0.05, 0.0,
        ],
        service_mean_s: 274.5,
        service_ln_mean: 5.197,
        service_ln_sd: 0.962,
        patient: [10000, 9777, 9467, 9196, 8742, 8186, 7382, 7382, 7128, 6732, 6058, 0, 0, 0],
        patience_tail_s: 402.4,
        messages: [
            "Could you explain this fee to me in English?",
            "I am abroad and my card is refused.",
            "I need a bank reference letter in English.",
            "How do I send money to London?",
        ],
    },
    IntentFacts {
        intent: Intent::Internet,
        code: "in",
        title: "Internet support",
        per_hour: [
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.15, 0.72, 1.21, 1.36, 1.08, 1.15, 1.38, 1.08, 0.72, 0.77,
            0.51, 0.44, 0.49, 0.38, 0.31, 0.33, 0.26,
        ],
        service_mean_s: 280.2,
        service_ln_mean: 5.157,
        service_ln_sd: 1.0,
        patient: [10000, 9896, 9757, 9583, 9458, 8684, 8121, 7743, 6736, 5821, 5106, 2963, 1921, 1921],
        patience_tail_s: 439.3,
        messages: [
            "The site signs me out after every click.",
            "I have forgotten my password.",
            "My statement does not download.",
            "The page says my session has ended.",
        ],
    },
    IntentFacts {
        intent: Intent::Stocks,
        code: "ne",
        title: "Stock exchange",
        per_hour: [
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.41, 3.03, 10.49, 13.92, 9.46, 7.87, 8.69, 10.31, 13.18,
            5.23, 3.90, 4.46, 3.36, 3.26, 2.97, 2.85, 2.26,
        ],
        service_mean_s: 310.3,
        service_ln_mean: 5.291,
        service_ln_sd: 0.978,
        patient: [9996, 9929, 9789, 9674, 9526, 9239, 9009, 8666, 8146, 7246, 6953, 5385, 3518, 2345],
        patience_tail_s: 817.2,
        messages: [
            "I want to sell before the market closes.",
            "Was my order carried out?",
            "What does the custody account cost?",
            "Please cancel my limit order.",
        ],
    },
    IntentFacts {
        intent: Intent::Prospect,
        code: "nw",
        title: "Prospective customers",
        per_hour: [
            0.28, 0.0, 0.0, 0.03, 0.15, 0.10, 0.23, 3.79, 32.36, 13.56, 13.03, 13.85, 12.87, 13.18, 19.46,
            20.72, 55.51, 35.03, 17.23, 9.92, 8.13, 7.13, 5.67, 4.46,
        ],
        service_mean_s: 113.7,
        service_ln_mean: 4.270,
        service_ln_sd: 0.919,
        patient: [9962, 9291, 8738, 8223, 7891, 7139, 6191, 5682, 4439, 3661, 3146, 2271, 1744, 1744],
        patience_tail_s: 212.5,
        messages: [
            "How do I open an account?",
            "What do you pay on savings?",
            "Which papers do I need to join?",
            "I saw your advertisement this morning.",
        ],
    },
];

impl Intent {
    /// Its facts. `INTENTS` is in the order of the variants; a test says so.
    pub fn facts(self) -> &'static IntentFacts {
        &INTENTS[self as usize]
    }

    /// The intent of a code, as it comes back on an offer.
    pub fn of_code(code: &str) -> Option<Intent> {
        INTENTS.iter().find(|facts| facts.code == code).map(|facts| facts.intent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_intent_finds_its_own_facts() {
        for facts in &INTENTS {
            assert_eq!(facts.intent.facts().code, facts.code);
            assert_eq!(Intent::of_code(facts.code), Some(facts.intent));
        }
    }

    #[test]
    fn patience_only_runs_out() {
        for facts in &INTENTS {
            assert!(facts.patient.is_sorted_by(|earlier, later| earlier >= later), "{}", facts.code);
        }
    }
}
