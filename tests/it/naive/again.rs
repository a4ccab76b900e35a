//! Once more: a plan in place of another, at the old place.

use super::door::Answered;
use super::twin::{Twin, Visit, id};
use baton::engine::circumstances::Circumstances;
use baton::engine::command::{Answer, Refusal};
use baton::engine::event::{Event, Replanned};
use baton::engine::ids::InteractionId;
use baton::engine::interaction::{State, Until, Wanted, WantedBy};
use baton::engine::plan::Plan;
use baton::engine::time::Time;
use std::sync::Arc;

impl Twin {
    pub fn replan(
        &mut self,
        interaction: InteractionId,
        plan: &Plan,
        replaces: u32,
        circumstances: Option<Arc<Circumstances>>,
    ) -> Answered {
        let item = self.item(interaction)?;
        let (state, current) = (self.items[item].state, self.items[item].revision);
        if current != replaces {
            return Err(Refusal::PlanOvertaken { replaces, current });
        }
        if !matches!(state, State::Waiting | State::Scheduled) {
            return Err(Refusal::WrongState { state, wanted: "" });
        }
        self.check_plan(plan)?;
        let to = plan.routes[0].queue;
        let moves = to != self.queue(item);
        let scheduled = self.items[item].scheduled;
        let for_later = matches!(scheduled, Some(Until::At(_)));
        if moves && !for_later && !self.is_open(to) {
            return Err(Refusal::QueueClosed { queue: "".into() });
        }
        if moves && !self.has_room(to, None) {
            return Err(Refusal::QueueFull { max: 0 });
        }
        let wanted = self.wanted_by_plan(item, plan);
        let waited = self.now.0 - self.items[item].in_queue_from.0;
        let passed = plan.routes[0].relaxation.iter().take_while(|step| step.after_ms <= waited).count();
        let step = if moves || for_later || scheduled.is_some() { 0 } else { passed };
        let now = self.now;
        let this = &mut self.items[item];
        (this.plan, this.route, this.hops, this.step) = (plan.clone(), 0, 0, step);
        (this.wanted, this.revision) = (wanted, this.revision + 1);
        if moves {
            (this.declines, this.in_queue_from) = (0, now);
            this.visits.push(Visit { queue: to, answered: None, abandoned: None });
        }
        if state == State::Waiting {
            self.time_max_wait(item);
            self.stand(item);
        }
        let step = u8::try_from(step).expect("few steps");
        let plan = plan.clone().into();
        let replanned = Replanned { interaction: id(item), plan, step, wanted, circumstances };
        self.tell(Event::Replanned(Box::new(replanned)));
        if moves && scheduled == Some(Until::Opening) {
            self.come_due(item);
        } else {
            self.line_up(item);
        }
        Ok(Answer::Done)
    }

    /// What people said stays; what the rules say comes anew, but for one who just refused it, or when it is late.
    fn wanted_by_plan(&self, item: usize, plan: &Plan) -> Option<Wanted> {
        let this = &self.items[item];
        if this.wanted.is_some_and(|one| one.by != WantedBy::Rule) {
            return this.wanted;
        }
        let preferred = plan.preferred.filter(|one| one.agent.index() < self.agents.len())?;
        let refused = this.cools.iter().any(|cool| cool.agent == preferred.agent && cool.until > self.now);
        let from = match this.scheduled {
            Some(Until::At(at)) => at,
            Some(Until::Opening) | None => self.now,
        };
        (!refused && !this.overdue).then_some(Wanted {
            agent: preferred.agent,
            by: WantedBy::Rule,
            until: Time(from.0 + preferred.budget_ms),
            overdraw: preferred.overdraw,
        })
    }
}
