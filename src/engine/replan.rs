//! Planning again: other facts or other rules, and the old place. Only while nobody is being offered it or serves it, and
//! only if the plan that is to be replaced is the one in force: whoever was faster is not undone.

use super::circumstances::Circumstances;
use super::command::{Answer, Refusal};
use super::event::{Event, Replanned};
use super::ids::{InteractionId, QueueKey};
use super::intake::wanted;
use super::interaction::{Interaction, REPLACED_KEPT_MAX, Replaced, State, Until, Wanted, WantedBy};
use super::plan::Plan;
use super::shard::{Shard, Step};
use std::sync::Arc;

impl Step<'_> {
    /// Puts it on the first route of another plan, where it stands; in another queue if that leads there.
    pub fn replan(
        &mut self,
        interaction: InteractionId,
        plan: Arc<Plan>,
        replaces: u32,
        circumstances: Option<Arc<Circumstances>>,
    ) -> Result<Answer, Refusal> {
        let subject = self.shard.to_plan_again(interaction, replaces)?;
        self.shard.check_plan(&plan, subject.channel)?;
        let to = plan.entry().queue;
        let moves = to != subject.queue();
        let held = subject.scheduled() == Some(Until::Opening);
        if moves {
            self.shard.check_new_queue(subject, to)?;
        }
        let (step, wanted) =
            (self.shard.steps_passed(subject, &plan), self.shard.wanted_anew(subject, &plan));
        let replanned = Replanned { interaction, plan, step, wanted, circumstances };
        self.emit(Event::Replanned(Box::new(replanned)));
        if moves && held {
            // The queue it waited for is another one's business, and this one is open.
            self.due(interaction);
        } else {
            self.line_up(interaction);
        }
        Ok(Answer::Done)
    }
}

impl Shard {
    /// Of the interactions after this one, those that could be planned again now, in the order of their ids. Looks at so
    /// many at most, and says after which one to go on; `None`: that was all.
    pub fn waiting_after(
        &self,
        after: InteractionId,
        looked_at: usize,
    ) -> (Vec<Arc<Interaction>>, Option<InteractionId>) {
        let mut ids = self.interactions.ids_from(after.0).filter(|id| *id > after.0);
        let (mut found, mut last) = (Vec::new(), None);
        for id in ids.by_ref().take(looked_at).map(InteractionId) {
            last = Some(id);
            let waits = |one: &Arc<Interaction>| matches!(one.state, State::Waiting | State::Scheduled);
            found.extend(self.interaction_shared(id).filter(waits));
        }
        let more = ids.next().is_some();
        (found, last.filter(|_| more))
    }

    /// Waiting or scheduled, and its plan is the one that was seen.
    fn to_plan_again(&self, id: InteractionId, replaces: u32) -> Result<&Interaction, Refusal> {
        let subject = self.interaction(id).ok_or(Refusal::InteractionUnknown)?;
        if subject.plan_revision != replaces {
            return Err(Refusal::PlanOvertaken { replaces, current: subject.plan_revision });
        }
        match subject.state {
            State::Waiting | State::Scheduled => Ok(subject),
            state => Err(Refusal::WrongState { state, wanted: "it waits or is scheduled" }),
        }
    }

    /// Open, with room. Work for later is asked about opening hours when it is due.
    fn check_new_queue(&self, subject: &Interaction, to: QueueKey) -> Result<(), Refusal> {
        let later = matches!(subject.scheduled(), Some(Until::At(_)));
        if !later && !self.is_open(to) {
            return Err(Refusal::QueueClosed { queue: self.queue_name(to) });
        }
        let room = self.has_room(to, None);
        room.then_some(()).ok_or(Refusal::QueueFull { max: self.queue(to).waiting_max })
    }

    /// Steps count from entry to the queue: where it stays, those whose time has passed are behind it.
    fn steps_passed(&self, subject: &Interaction, plan: &Plan) -> u8 {
        let route = plan.entry();
        if subject.state != State::Waiting || route.queue != subject.queue() {
            return 0;
        }
        let in_queue_ms = self.now.since(subject.in_queue_from);
        let passed = route.relaxation.iter().take_while(|step| step.after_ms <= in_queue_ms).count();
        u8::try_from(passed).expect("a route has at most RELAXATION_MAX steps")
    }

    /// As at admission. What a person decided stands, and nobody waits for an agent who has just refused it, nor beyond
    /// the maximum wait.
    fn wanted_anew(&self, subject: &Interaction, plan: &Plan) -> Option<Wanted> {
        if subject.wanted.is_some_and(|one| one.by != WantedBy::Rule) {
            return subject.wanted;
        }
        let now = self.now;
        let may =
            |agent| !subject.overdue && self.agent(agent).is_some() && !subject.cools_down_for(agent, now);
        let preferred = plan.preferred.filter(|one| may(one.agent));
        let from = subject.scheduled().map_or(now, |until| until.from(now));
        preferred.map(|one| wanted(one, from))
    }

    pub(super) fn replanned(&mut self, replanned: &Replanned) {
        let Replanned { interaction: id, plan, step, wanted, circumstances } = replanned;
        self.step_out(*id);
        let (now, to) = (self.now, plan.entry().queue);
        let moves = to != self.subject(*id).queue();
        if moves {
            self.count_move(*id, to);
        }
        self.change_state(*id, |subject| {
            subject.remember_plan(now);
            subject.plan = plan.clone();
            subject.facts.circumstances.clone_from(circumstances);
            subject.plan_revision += 1;
            (subject.route, subject.hops, subject.step) = (0, 0, *step);
            subject.wanted = *wanted;
            if moves {
                (subject.declines, subject.visit_answered, subject.in_queue_from) = (0, false, now);
            }
        });
        self.change_lane(*id);
        // What is for later begins to wait when it is due.
        if self.subject(*id).state == State::Waiting {
            self.arm_max_wait(*id);
            self.stand(*id);
        }
    }
}

impl Interaction {
    /// The plan in force is about to be replaced by one that is made with all that is known.
    fn remember_plan(&mut self, now: super::time::Time) {
        let replaced = Replaced { rule_set: self.plan.rule_set, queue: self.queue(), at: now };
        self.change_extras(|extras| {
            extras.facts_late = false;
            if extras.replaced.len() == REPLACED_KEPT_MAX {
                extras.replaced.remove(0);
            }
            extras.replaced.push(replaced);
        });
    }
}
