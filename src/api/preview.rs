//! What other rules would change for those who wait, before they are published: how many, and the first hundred by name.

use super::documents::aside;
use super::in_force::Ruling;
use super::planning_again::{LOOKED_AT, Planner, may_be_planned_again, says_the_same};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::explain::money;
use crate::engine::floor::Floor;
use crate::engine::ids::InteractionId;
use crate::engine::interaction::Interaction;
use crate::engine::money::Money;
use crate::engine::plan::Plan;
use crate::proto;
use std::sync::Arc;

/// So many interactions are listed.
const LISTED_MAX: usize = 100;

/// What publishing would change.
pub async fn preview(tenant: &Arc<Tenant>, ruling: &Arc<Ruling>) -> Result<proto::PreviewResponse, ApiError> {
    let planner = Planner::looking(tenant, ruling);
    let mut looked = Looked { planner, told: proto::PreviewResponse::default(), stranded: Vec::new() };
    let mut after = Some(InteractionId(0));
    while let Some(from) = after {
        let seen = tenant.shard.read(move |shard| shard.waiting_after(from, LOOKED_AT)).await?;
        let (waiting, next) = seen.value;
        looked.planner.look_up(&waiting).await?;
        looked = aside(move || {
            waiting.iter().for_each(|subject| looked.look(subject));
            looked
        })
        .await;
        after = next;
    }
    Ok(looked.told())
}

/// What was seen so far.
struct Looked {
    planner: Planner,
    told: proto::PreviewResponse,
    /// Those who would have no queue. They are listed first.
    stranded: Vec<proto::PreviewedInteraction>,
}

impl Looked {
    fn look(&mut self, subject: &Interaction) {
        self.told.waiting += 1;
        if !may_be_planned_again(subject) {
            return;
        }
        let plan = self.planner.plan(subject).map(|(plan, _)| plan);
        if plan.as_ref().is_some_and(|plan| says_the_same(&subject.plan, plan)) {
            return;
        }
        let moves = plan.as_ref().is_some_and(|plan| plan.entry().queue != subject.queue());
        self.told.plan_changes += 1;
        self.told.queue_changes += u64::from(moves);
        self.told.without_queue += u64::from(plan.is_none());
        let list = if plan.is_none() { &mut self.stranded } else { &mut self.told.interactions };
        if list.len() < LISTED_MAX {
            list.push(shown(&self.planner.tenant, &self.planner.floor, subject, plan.as_deref()));
        }
    }

    fn told(self) -> proto::PreviewResponse {
        let Looked { told, stranded: mut listed, .. } = self;
        listed.extend(told.interactions);
        listed.truncate(LISTED_MAX);
        proto::PreviewResponse { interactions: listed, ..told }
    }
}

fn shown(
    tenant: &Tenant,
    floor: &Floor,
    subject: &Interaction,
    plan: Option<&Plan>,
) -> proto::PreviewedInteraction {
    proto::PreviewedInteraction {
        interaction: tenant.name_of("interactions", subject.id),
        queue_before: tenant.queue_name(subject.queue(), floor),
        queue_after: plan.map(|plan| tenant.queue_name(plan.entry().queue, floor)).unwrap_or_default(),
        changes: plan.map_or_else(|| vec!["no queue".to_owned()], |plan| changes(subject, plan, floor)),
    }
}

/// What another plan would mean, a sentence for each thing a supervisor knows by name.
fn changes(subject: &Interaction, plan: &Plan, floor: &Floor) -> Vec<String> {
    let before = &subject.plan;
    let queue = |key: crate::engine::ids::QueueKey| {
        floor.queues.get(u32::from(key.0)).map_or_else(String::new, |entry| entry.name.to_string())
    };
    let cost = |amount: Money| money(amount.0);
    let (goals, new) = (&before.goals, &plan.goals);
    let all = [
        ("queue", queue(subject.queue()), queue(plan.entry().queue)),
        ("priority points", before.priority.to_string(), plan.priority.to_string()),
        ("urgency per minute", cost(goals.waiting_per_minute), cost(new.waiting_per_minute)),
        ("abandon", cost(goals.abandon), cost(new.abandon)),
        ("late answer", cost(goals.late), cost(new.late)),
        ("not solved at once", cost(goals.unresolved), cost(new.unresolved)),
        ("to be answered within", time(Some(goals.answer_within_ms)), time(Some(new.answer_within_ms))),
        ("head start", time(Some(before.head_start_ms)), time(Some(plan.head_start_ms))),
        ("taken before every other after", time(before.entry().max_wait_ms), time(plan.entry().max_wait_ms)),
    ];
    let mut said: Vec<String> = all
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(what, before, after)| format!("{what} {before} → {after}"))
        .collect();
    let others = [
        ("its weight", before.weight != plan.weight),
        ("who may serve it", before.entry().needs != plan.entry().needs),
        ("how that loosens", before.entry().relaxation != plan.entry().relaxation),
        ("the agent it waits for", before.preferred != plan.preferred),
    ];
    said.extend(others.iter().filter(|(_, differs)| *differs).map(|(what, _)| format!("{what} changes")));
    if said.is_empty() {
        said.push("where it goes when nobody can take it changes".to_owned());
    }
    said
}

/// As people say it.
fn time(ms: Option<u64>) -> String {
    match ms {
        None => "never".to_owned(),
        Some(ms) if ms >= 60_000 && ms.is_multiple_of(60_000) => format!("{} min", ms / 60_000),
        Some(ms) if ms.is_multiple_of(1_000) => format!("{} s", ms / 1_000),
        Some(ms) => format!("{ms} ms"),
    }
}
