//! The words for the parts of a document, by where they stand. A part without words of its own is called what it is
//! called in the document.

use super::tree::Tree;
use crate::engine::channel::Channel;

/// Parts by their path below a section or a rule; `*` is any one name, which stands for `{}` in the words. The last
/// column follows the value.
const WORDS: &[(&str, &str, &str)] = &[
    ("goals.answer_within", "to be answered within", ""),
    ("goals.service_level", "of all to be answered in time", ""),
    ("goals.short_abandon", "a short abandon is one within", ""),
    ("goals.waiting_per_minute", "urgency", " per minute"),
    ("goals.abandon", "abandon", ""),
    ("goals.late", "late answer", ""),
    ("goals.unresolved", "not solved at once", ""),
    ("goals.patience", "customers are patient for", ""),
    ("goals.service_level_dial", "dial of the service level", " of 16"),
    ("priority", "priority points", ""),
    ("weight", "weight", ""),
    ("hold_at_most.*", "held for a cheaper agent{} for at most", ""),
    ("head_start", "head start", ""),
    ("prefer.*", "asks for skill {} of", " or better"),
    ("better_with.*.proficiency", "better with skill {} of", " or better"),
    ("better_with.*.worth", "skill {} is worth", ""),
    ("better_with.*.after", "skill {} is worth a wait of", ""),
    ("groups", "only agents of groups", ""),
    ("expected_handle.*", "expected handle time{}", ""),
    ("max_wait.*", "taken before every other{} after", ""),
    ("lower.*", "skill {} lowered to", ""),
    ("drop", "skills no longer asked for", ""),
    ("add_groups", "agents of these groups, too", ""),
    ("add_agents_of", "agents of these queues, too", ""),
    ("last_step.after", "last step after", ""),
    ("last_step.then", "last step", ""),
    ("relax_own", "relaxed also where the interaction asks for them: skills", ""),
    ("when.waiting", "if so many wait:", ""),
    ("when.longest_wait", "if somebody has waited for", ""),
    ("when.estimated_wait", "if it would wait for", ""),
    ("when.service_level_below", "if the service level is below", ""),
    ("when.free_agents_at_most", "if no more agents are free than", ""),
    ("when.closed", "if the queue is closed:", ""),
    ("to", "to queues", ""),
    ("when_closed.*", "coming to the closed queue{}", ""),
    ("at_closing.*", "waiting when the queue closes{}", ""),
    ("declines_max", "leaves after refusals:", ""),
    ("hops_max", "overflows at most", " times"),
    ("transfers.max", "transfers at most", " times"),
    ("transfers.beyond", "one transfer more goes to queue", ""),
    ("call_back.attempts_max", "called back at most", " times"),
    ("call_back.retry_after", "called back again after", ""),
    ("preferred_agent.budget.*", "waits for the agent the source names{} for", ""),
    ("preferred_agent.overdraw", "the agent the source names takes it beyond capacity:", ""),
    ("last_agent.budget.*", "waits for the last agent{} for", ""),
    ("last_agent.overdraw", "the last agent takes it beyond capacity:", ""),
    ("familiar.worth", "an agent who knows the customer is worth", ""),
    ("familiar.half_life", "half of that after", ""),
    ("duplicates", "the same matter again while waiting:", ""),
    ("repeats.within", "repeat contacts count within", ""),
    ("contact", "from contact", " on"),
    ("require.*", "requires skill {} of", " or better"),
    ("queue", "goes to queue", ""),
    ("when", "when", ""),
    ("then.priority", "priority points added", ""),
    ("then.weight", "weight times", ""),
    ("then.preferred_agent.agent", "waits for agent", ""),
    ("then.preferred_agent.budget.*", "waits for that agent{} for", ""),
    ("then.preferred_agent.overdraw", "that agent takes it beyond capacity:", ""),
    ("authority", "asks for authority of", " or better"),
    ("deadline", "to be done within", ""),
    ("instruction", "on the card", ""),
    ("tags", "tags", ""),
    ("stop", "no rule below is looked at:", ""),
    ("share", "gets", " of them"),
    ("fallback.queue", "what names no queue goes to", ""),
    ("facts.*.type", "fact {} is a", ""),
    ("facts.*.meaning", "fact {} means", ""),
    ("time_zone", "clocks are read in", ""),
    ("complaint", "announce a complaint", ""),
    ("competitor", "speak of a competitor", ""),
    ("cancel", "announce that a customer leaves", ""),
];

/// Lists of parts, and what one of them is called. Those with a name are found again by it.
const ENTRIES: &[(&str, &str)] = &[
    ("relaxation", "relaxation step"),
    ("overflow", "overflow rule"),
    ("repeats.steps", "step of repeat contacts"),
    ("rules", "rule"),
    ("split", "share"),
];

/// Parts that are one value however they are written: a way out of a queue.
const WHOLE: &[&str] = &["last_step.then", "when_closed.*", "at_closing.*"];

/// The words for a part and what follows its value.
pub(super) fn words(path: &[String]) -> (String, &'static str) {
    let found = known(path).or_else(|| known(said_by(path)));
    found.unwrap_or_else(|| (path.join(" ").replace('_', " "), ""))
}

fn known(path: &[String]) -> Option<(String, &'static str)> {
    WORDS.iter().find_map(|(pattern, words, unit)| {
        let name = fits(pattern, path)?;
        Some((words.replace("{}", &named(words, name)), *unit))
    })
}

/// What a rule does is mostly said as a section says it.
fn said_by(path: &[String]) -> &[String] {
    match path {
        [then, rest @ ..] if then == "then" && !rest.is_empty() => rest,
        path => path,
    }
}

/// In the words, a channel is `on voice`, anything else its own name.
fn named(words: &str, name: &str) -> String {
    let on_channel = !words.contains(" {}");
    match name {
        "any" if on_channel => " on every other channel".to_owned(),
        name if on_channel => format!(" on {name}"),
        name => name.to_owned(),
    }
}

/// What one entry of a list is called.
pub(super) fn entry(path: &[String]) -> String {
    let path = said_by(path);
    let found = ENTRIES.iter().find(|(pattern, _)| fits(pattern, path).is_some());
    found.map_or_else(|| path.join(" ").replace('_', " "), |(_, entry)| (*entry).to_owned())
}

/// True if the part is one value.
pub(super) fn is_whole(path: &[String], one: Option<&Tree>, other: Option<&Tree>) -> bool {
    let exit =
        |tree: &Tree| matches!(tree, Tree::Leaf(_)) || matches!(tree, Tree::Map(parts) if parts.len() == 1);
    let path = said_by(path);
    WHOLE.iter().any(|pattern| fits(pattern, path).is_some()) && [one, other].into_iter().flatten().all(exit)
}

/// True for a name under which a value for each channel stands.
pub(super) fn is_channel(name: &str) -> bool {
    Channel::ALL.iter().any(|channel| channel.word() == name)
}

/// The name that stood for `*`, empty if the pattern has none; `None` if the path is another one.
fn fits<'a>(pattern: &str, path: &'a [String]) -> Option<&'a str> {
    let parts: Vec<&str> = pattern.split('.').collect();
    let same =
        parts.len() == path.len() && parts.iter().zip(path).all(|(part, name)| *part == "*" || part == name);
    let star = parts.iter().position(|part| *part == "*");
    same.then(|| star.map_or("", |at| path[at].as_str()))
}
