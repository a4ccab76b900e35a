//! A rule document as people write it: one model for YAML, JSON and, later, the wire. What a queue's section leaves
//! out is as the default section says, and what that leaves out is as the built-in document says.

use super::facts::Declarations;
use super::ordered::{Fallback, Rule};
use super::values::{Amount, Dial, Duration, Hold, Level, Limit, Share, Weight};
use crate::engine::channel::Channel;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A rule set, whole.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Every plan says which version made it. Not zero. Left out: the first; publishing gives the next number.
    #[serde(default = "first")]
    pub version: u32,
    /// For people.
    pub name: String,
    /// What in customers' words announces something.
    #[serde(default)]
    pub signals: SignalWords,
    /// What holds for every queue.
    #[serde(default)]
    pub default: Section,
    /// What holds for one queue, by its name.
    #[serde(default)]
    pub queues: BTreeMap<String, Section>,
    /// Facts that come with the interaction as attributes.
    #[serde(default)]
    pub facts: Declarations,
    /// What holds for interactions of some kind, from the top.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Mandatory with rules.
    pub fallback: Option<Fallback>,
    /// Where the clock on the wall is read, IANA. Left out: UTC.
    pub time_zone: Option<String>,
}

fn first() -> u32 {
    super::DEFAULT_VERSION
}

/// Words and phrases, and intents, that announce something where a customer uses them. A list that is left out is as in the
/// built-in document.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignalWords {
    /// They complain.
    pub complaint: Option<Vec<String>>,
    /// They speak of a competitor.
    pub competitor: Option<Vec<String>>,
    /// They want to leave.
    pub cancel: Option<Vec<String>>,
}

impl SignalWords {
    /// The lists, by name.
    pub fn lists(&self) -> [(&'static str, &Option<Vec<String>>); 3] {
        [("complaint", &self.complaint), ("competitor", &self.competitor), ("cancel", &self.cancel)]
    }
}

/// What the rules say about a queue.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Section {
    /// Figure by figure over those of the default section.
    pub goals: GoalFigures,
    /// Points added to those the source gave; four double the weight, or one is worth a minute of waiting by lists.
    pub priority: Option<i16>,
    /// What its interactions weigh against others: a customer of twice the value weighs 2.
    pub weight: Option<Weight>,
    /// Held for a cheaper agent no longer than this.
    pub hold_at_most: ByChannel<Hold>,
    /// Counted as if it had waited this long already.
    pub head_start: Option<Duration>,
    /// Skills asked for beyond those the queue requires, and given up by relaxation.
    pub prefer: Option<BTreeMap<String, Level>>,
    /// Skills that are not asked for, by name: an agent without one is worth so much less.
    pub better_with: Option<BTreeMap<String, Better>>,
    /// Only agents of these groups, until relaxation adds others.
    pub groups: Option<Vec<String>>,
    /// Conversation and wrap-up are expected to take so long.
    pub expected_handle: ByChannel<Duration>,
    /// Having waited so long it is taken before every one that has not.
    pub max_wait: ByChannel<Limit>,
    /// A section that has these has a last step, and takes neither from the default section.
    pub relaxation: Vec<Step>,
    /// What when nothing more can be relaxed, or too many agents have refused.
    pub last_step: Option<Last>,
    /// Skills that relaxation may lower or drop also where the interaction itself asks for them.
    pub relax_own: Option<Vec<String>>,
    pub overflow: Option<Vec<OverflowRule>>,
    /// If the queue is closed when an interaction comes.
    pub when_closed: ByChannel<Leave>,
    /// If the queue closes while an interaction waits.
    pub at_closing: ByChannel<Leave>,
    /// Refusals by agents, before it leaves by the last step.
    pub declines_max: Option<u16>,
    /// Overflows from queue to queue.
    pub hops_max: Option<u8>,
    pub transfers: Option<Transfers>,
    pub call_back: Option<CallBack>,
    /// How long the agent the source names is waited for.
    pub preferred_agent: Option<Budget>,
    /// How long the agent who served the customer last is waited for.
    pub last_agent: Option<Budget>,
    /// What it is worth that the agent who served the customer last serves them again.
    pub familiar: Option<FamiliarTerms>,
    pub duplicates: Option<Same>,
    /// What it means that a customer comes again and again about the same matter.
    pub repeats: Option<Repeats>,
}

/// What waiting, leaving and a poor answer cost.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoalFigures {
    pub answer_within: Option<Duration>,
    pub service_level: Option<Share>,
    pub short_abandon: Option<Duration>,
    pub waiting_per_minute: Option<Amount>,
    pub abandon: Option<Amount>,
    pub late: Option<Amount>,
    pub unresolved: Option<Amount>,
    /// Customers wait so long in the mean before they hang up.
    pub patience: Option<Duration>,
    /// How strongly a missed target counts more while the service level is below its goal.
    pub service_level_dial: Option<Dial>,
}

/// One step of relaxation. Steps add up.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Counted from entry to the queue.
    pub after: Duration,
    /// Asks for no more than this from now on.
    #[serde(default)]
    pub lower: BTreeMap<String, Level>,
    /// Asks for these no more.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Agents of these groups may be asked, too.
    #[serde(default)]
    pub add_groups: Vec<String>,
    /// Whoever serves these queues may be asked, too.
    #[serde(default)]
    pub add_agents_of: Vec<String>,
}

/// The last step of relaxation.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    /// Counted from entry to the queue. Left out with `keep` alone.
    pub after: Option<Duration>,
    pub then: Leave,
}

/// A way out of a queue.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leave {
    /// It stays in line; at a closed door, until the queue opens.
    Keep,
    Refuse,
    Queue(String),
    CallBackWithin(Duration),
    /// To a place outside: voicemail, another system.
    SendAway(String),
}

/// If all of this holds, to the first of those queues that can take it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverflowRule {
    pub when: When,
    pub to: Vec<String>,
}

/// Conditions on the queue; all that are given must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// So many wait.
    pub waiting: Option<u32>,
    /// Somebody has waited so long.
    pub longest_wait: Option<Duration>,
    /// This one would have to wait so long.
    pub estimated_wait: Option<Duration>,
    /// The service level is lower.
    pub service_level_below: Option<Share>,
    /// No more agents than this are ready for one like it.
    pub free_agents_at_most: Option<u32>,
    /// The queue is closed.
    pub closed: Option<bool>,
}

/// How often an interaction may be handed on.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfers {
    pub max: u16,
    /// Where one more goes; left out: it is refused.
    pub beyond: Option<String>,
}

/// How a customer is called back.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallBack {
    pub attempts_max: u8,
    /// After a call that nobody answered.
    pub retry_after: Duration,
}

/// How long one agent is waited for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// A channel without one does not wait.
    pub budget: ByChannel<Duration>,
    /// Whether that agent may take it beyond their capacity.
    #[serde(default)]
    pub overdraw: bool,
}

/// A skill an interaction had better be served with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Better {
    /// Left out: 1.
    pub proficiency: Option<Level>,
    /// What it is worth. This, or `after`.
    pub worth: Option<Amount>,
    /// As people say it who relax by the clock: it is worth what so long a wait costs.
    pub after: Option<Duration>,
}

/// What it is worth that an agent knows the customer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamiliarTerms {
    /// Right after the last contact.
    pub worth: Amount,
    /// Half of it after so long.
    pub half_life: Duration,
}

/// What happens when a customer who waits already comes again about the same matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Same {
    KeepBoth,
    Attach,
    Replace,
}

/// Repeat contacts about the same matter.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeats {
    /// Contacts within so long count.
    pub within: Duration,
    /// In the order of their contacts. The last one reached applies, alone.
    pub steps: Vec<RepeatStep>,
}

/// What is done from some contact about a matter on.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatStep {
    /// The one in question included.
    pub contact: u16,
    /// Points added.
    pub priority: Option<i16>,
    /// Multiplied into the weight.
    pub weight: Option<Weight>,
    /// Skills asked for besides. Relaxation treats them as it treats what the interaction itself asks for.
    #[serde(default)]
    pub require: BTreeMap<String, Level>,
    /// It goes there instead.
    pub queue: Option<String>,
}

/// A value for each channel; `any` is for those that have none of their own.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "T: Deserialize<'de>"))]
pub struct ByChannel<T> {
    pub any: Option<T>,
    pub voice: Option<T>,
    pub video: Option<T>,
    pub chat: Option<T>,
    pub message: Option<T>,
    pub email: Option<T>,
    pub social: Option<T>,
    pub task: Option<T>,
}

impl<T> Default for ByChannel<T> {
    fn default() -> Self {
        ByChannel {
            any: None,
            voice: None,
            video: None,
            chat: None,
            message: None,
            email: None,
            social: None,
            task: None,
        }
    }
}

impl<T> ByChannel<T> {
    /// What holds on a channel.
    pub fn of(&self, channel: Channel) -> Option<&T> {
        self.own(channel).or(self.any.as_ref())
    }

    /// Everything that was given, with the word it was given under.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &T)> {
        let channels = Channel::ALL.into_iter().map(|channel| (channel.word(), self.own(channel)));
        let all = std::iter::once(("any", self.any.as_ref())).chain(channels);
        all.filter_map(|(word, value)| value.map(|value| (word, value)))
    }

    fn own(&self, channel: Channel) -> Option<&T> {
        let own = match channel {
            Channel::Voice => &self.voice,
            Channel::Video => &self.video,
            Channel::Chat => &self.chat,
            Channel::Message => &self.message,
            Channel::Email => &self.email,
            Channel::Social => &self.social,
            Channel::Task => &self.task,
        };
        own.as_ref()
    }
}

impl Step {
    /// True if it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.lower.is_empty()
            && self.drop.is_empty()
            && self.add_groups.is_empty()
            && self.add_agents_of.is_empty()
    }
}
