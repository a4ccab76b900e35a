//! The plan of one interaction: the rules are told what they ask for, judge, and plan; what they were told goes into the
//! record with the plan. The same for one that comes, one whose customer became known late, and one that waits while other
//! rules are published.

use super::rule_trace;
use super::tenant::{Ruling, Tenant, Tickets};
use super::whose::served;
use crate::engine::channel::Channel;
use crate::engine::circumstances::Circumstances;
use crate::engine::floor::Floor;
use crate::engine::ids::QueueKey;
use crate::engine::interaction::Interaction;
use crate::engine::journey::Journey;
use crate::engine::plan::{Facts, Plan};
use crate::rules::{Applied, Asked, RuleSet, Told};
use std::sync::Arc;

/// A plan, and what it was made in, if that is worth recording.
pub type Planned = (Arc<Plan>, Option<Arc<Circumstances>>);

/// What becomes of the shares of splits.
#[derive(Clone, Copy)]
pub enum Shares<'a> {
    /// Each gets the next number.
    Dealt,
    /// Nobody acts on the plan: numbers are taken from these, which go on from those that are dealt.
    LookedAt(&'a Tickets),
}

/// What is planned.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub channel: Channel,
    pub source: &'a str,
    /// The queue it is meant for, before any rule is asked.
    pub queue: QueueKey,
    pub facts: &'a Facts,
    pub journey: Option<&'a Journey>,
}

impl Subject<'_> {
    /// What the rules say, with what the source wishes. The circumstances say what the source asked for; what else the
    /// rules were told is added to them. Shares drawn before hold.
    pub fn plan(
        &self,
        tenant: &Tenant,
        ruling: &Ruling,
        floor: &Arc<Floor>,
        made_in: &mut Circumstances,
        shares: Shares<'_>,
    ) -> Arc<Plan> {
        let applied = self.judged(tenant, ruling, floor, made_in, shares);
        self.made(
            made_in,
            &applied,
            floor,
            |asked| ruling.asks_for_last_agent(floor, asked),
            |asked| ruling.plan(floor, asked),
        )
    }

    /// By rules of which it is known which apply.
    fn made(
        &self,
        made_in: &Circumstances,
        applied: &[Applied],
        floor: &Floor,
        asks_for_last_agent: impl FnOnce(&Asked) -> bool,
        plan: impl FnOnce(&Asked) -> Arc<Plan>,
    ) -> Arc<Plan> {
        let asked = Asked {
            requirements: &made_in.requirements,
            wish: made_in.wish,
            applied,
            ..Asked::plain(self.channel, self.queue, self.facts)
        };
        let last = self.journey.and_then(|journey| served(floor, journey));
        let last = last.filter(|_| asks_for_last_agent(&asked));
        plan(&Asked { last, ..asked })
    }

    /// The rules that apply.
    pub fn judged(
        &self,
        tenant: &Tenant,
        ruling: &Ruling,
        floor: &Floor,
        made_in: &mut Circumstances,
        shares: Shares<'_>,
    ) -> Vec<Applied> {
        if !ruling.rules.has_rules() {
            return Vec::new();
        }
        let named =
            made_in.queue.or(Some(self.queue)).and_then(|queue| floor.queues.live(u32::from(queue.0)));
        tenant.surroundings.tell(ruling, named.map(|entry| &*entry.name), made_in);
        let told = Told {
            channel: self.channel,
            source: self.source,
            facts: self.facts,
            journey: self.journey,
            circumstances: made_in,
        };
        let verdict = ruling.rules.judge(floor, &told, &mut |rule| match shares {
            Shares::Dealt => tenant.tickets.next(rule),
            Shares::LookedAt(tickets) => tickets.next(rule),
        });
        made_in.tickets.extend(verdict.drawn);
        if matches!(shares, Shares::Dealt) {
            for (_, failure) in &verdict.failed {
                crate::observe::rule_skipped(&tenant.name, failure.reason());
            }
        }
        verdict.applied
    }
}

/// Plans again what waits, with its recorded facts and the floor as it is. `None`: neither its source nor these rules have a
/// queue for it.
pub fn again(
    tenant: &Tenant,
    ruling: &Ruling,
    floor: &Arc<Floor>,
    waiting: &Interaction,
    shares: Shares<'_>,
) -> Option<Planned> {
    let mut made_in = recorded(tenant, waiting);
    let live = |queue: &QueueKey| floor.queues.live(u32::from(queue.0)).is_some();
    let queue = made_in.queue.filter(live).or_else(|| ruling.rules.fallback(floor))?;
    let plan = subject(queue, waiting).plan(tenant, ruling, floor, &mut made_in, shares);
    let circumstances = worth_recording(&made_in, &plan, ruling).then(|| made_in.into());
    Some((plan, circumstances))
}

/// The plan a version makes of what was recorded: if it made the plan in force, and nobody has changed its points since, the
/// same. `None`: neither its source nor these rules have a queue for it.
pub fn as_recorded(rules: &RuleSet, floor: &Floor, one: &Interaction) -> Option<Arc<Plan>> {
    let made_in = one.made_in();
    let told = rule_trace::told(one, &made_in);
    let applied = rules.judge(floor, &told, &mut |_| 0).applied;
    let queue = made_in.queue.or_else(|| rules.fallback(floor))?;
    floor.queues.live(u32::from(queue.0))?;
    let subject = Subject { journey: told.journey, ..subject(queue, one) };
    let asks = |asked: &Asked| rules.asks_for_last_agent(floor, asked);
    Some(subject.made(&made_in, &applied, floor, asks, |asked| rules.plan(floor, asked).into()))
}

/// The rules that apply to one that is handed on.
pub fn applied(tenant: &Tenant, ruling: &Ruling, floor: &Floor, interaction: &Interaction) -> Vec<Applied> {
    let mut made_in = recorded(tenant, interaction);
    let queue = made_in.queue.or_else(|| ruling.rules.fallback(floor)).unwrap_or(interaction.queue());
    subject(queue, interaction).judged(tenant, ruling, floor, &mut made_in, Shares::Dealt)
}

/// What its source asked for, now.
fn recorded(tenant: &Tenant, interaction: &Interaction) -> Circumstances {
    Circumstances { at: tenant.clock.now(), ..interaction.made_in() }
}

fn subject(queue: QueueKey, interaction: &Interaction) -> Subject<'_> {
    Subject {
        channel: interaction.channel,
        source: &interaction.source,
        queue,
        facts: &interaction.facts,
        journey: interaction.facts.journey.as_deref(),
    }
}

/// Nothing is kept of what follows from the plan alone.
pub fn worth_recording(made_in: &Circumstances, plan: &Plan, ruling: &Ruling) -> bool {
    let Circumstances { at: _, queue, requirements, wish, attributes, hours, queues, tickets } = made_in;
    let plain = *queue == Some(plan.entry().queue)
        && requirements.is_empty()
        && wish.is_none()
        && [attributes.is_empty(), hours.is_empty(), queues.is_empty(), tickets.is_empty()]
            .iter()
            .all(|none| *none);
    ruling.rules.has_rules() || !plain
}
