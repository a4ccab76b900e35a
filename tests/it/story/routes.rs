//! The plans of a story. A `route` line says how submits to a queue are routed from then on; what a submit or a
//! transfer adds concerns the one interaction.
//!
//! Needs are written `es:3,de:1@seniors+experts`, alternatives with a bar between them, `any` for no need at all.
//! Something that comes after a time is written `30s>es:1`, and a list of such steps with semicolons.

use super::words::{Words, span_ms};
use super::world::{Told, World};
use baton::engine::ids::QueueKey;
use baton::engine::plan::{CallbackTerms, Duplicates, Goals, Plan, Preferred, TransferTerms};
use baton::engine::route::{Condition, Exit, LastStep, Needs, Overflow, Relaxation, Route};
use baton::engine::skill::{Requirement, merged};

impl World {
    /// `route sales needs=es:5 relax=30s>es:3;60s>es:1 last=90s>away:voicemail`.
    pub fn route(&mut self, words: &mut Words) -> Told {
        let queue = self.queue_key(words.word("the queue")?)?;
        let plain = self.plain_route(queue);
        let needs = match words.setting("needs") {
            Some(text) => self.needs(text, &plain.needs[0].requirements)?,
            None => plain.needs.clone(),
        };
        let max_wait = words.setting("max-wait").map(span_ms).transpose()?;
        let route = Route {
            better_with: Vec::new(),
            relaxation: self.relaxation(words, &plain.needs[0].requirements)?,
            needs,
            last_step: words.setting("last").map_or(Ok(plain.last_step), |text| self.last_step(text))?,
            overflow: self.overflow(words)?,
            when_closed: words.setting("closed").map_or(Ok(plain.when_closed), |text| self.exit(text))?,
            at_closing: words.setting("closing").map_or(Ok(plain.at_closing), |text| self.exit(text))?,
            declines_max: words.number("declines", plain.declines_max)?,
            max_wait_ms: max_wait,
            expected_handle_ms: words.span("handle", plain.expected_handle_ms)?,
            queue,
        };
        self.routes.insert(queue, route);
        Ok(Vec::new())
    }

    /// The plan of an interaction that comes to a queue, with what the line says of this one.
    pub fn plan(&mut self, queue: QueueKey, words: &mut Words) -> Result<Plan, String> {
        let own = self.requirements(words)?;
        let beyond = words.setting("beyond").map(|name| self.queue_key(name)).transpose()?;
        let mut entry = self.route_to(queue);
        for needs in &mut entry.needs {
            needs.requirements = merged(&[&needs.requirements, &own]);
        }
        let mut plan = Plan::plain(1, entry, words.number("priority", 0)?, Goals::plain());
        plan.routes = self.all_routes(plan.entry().clone(), beyond).into();
        plan.head_start_ms = words.span("head-start", 0)?;
        plan.preferred = words.setting("preferred").map(|text| self.preferred(text)).transpose()?;
        let duplicates = [
            ("keep", Duplicates::KeepBoth),
            ("attach", Duplicates::Attach),
            ("replace", Duplicates::Replace),
        ];
        plan.duplicates = words.one_of("duplicates", &duplicates)?.unwrap_or_default();
        plan.callback = CallbackTerms {
            attempts_max: words.number("attempts", plan.callback.attempts_max)?,
            retry_ms: words.span("retry", plan.callback.retry_ms)?,
        };
        plan.transfers = TransferTerms { max: words.number("transfers", plan.transfers.max)?, beyond };
        plan.hops_max = words.number("hops", plan.hops_max)?;
        Ok(plan)
    }

    fn plain_route(&self, queue: QueueKey) -> Route {
        let entry = self.shard.floor().queues.get(u32::from(queue.0)).expect("the queue was found by name");
        Route::plain(queue, entry.spec.requirements.clone())
    }

    fn route_to(&self, queue: QueueKey) -> Route {
        self.routes.get(&queue).cloned().unwrap_or_else(|| self.plain_route(queue))
    }

    /// The entry, and a route to every queue that can come of it.
    fn all_routes(&self, entry: Route, beyond: Option<QueueKey>) -> Vec<Route> {
        let mut routes = vec![entry];
        let mut at = 0;
        while at < routes.len() {
            let extra = beyond.filter(|_| at == 0);
            for queue in leads_to(&routes[at]).into_iter().chain(extra) {
                if !routes.iter().any(|known| known.queue == queue) {
                    routes.push(self.route_to(queue));
                }
            }
            at += 1;
        }
        routes
    }

    /// `preferred=ana:30s`, `preferred=ana:30s:overdraw`.
    fn preferred(&self, text: &str) -> Result<Preferred, String> {
        let mut parts = text.split(':');
        let agent = self.agent_key(parts.next().unwrap_or_default())?;
        let budget_ms = span_ms(parts.next().ok_or(format!("{text}: want agent:budget"))?)?;
        match parts.next() {
            None => Ok(Preferred { agent, budget_ms, overdraw: false }),
            Some("overdraw") => Ok(Preferred { agent, budget_ms, overdraw: true }),
            Some(other) => Err(format!("{other} is not understood")),
        }
    }

    fn needs(&mut self, text: &str, queue: &[Requirement]) -> Result<Vec<Needs>, String> {
        text.split('|').map(|way| self.way_to_qualify(way, queue)).collect()
    }

    fn way_to_qualify(&mut self, text: &str, queue: &[Requirement]) -> Result<Needs, String> {
        let (skills, groups) = text.split_once('@').unwrap_or((text, ""));
        let mut requirements = Vec::new();
        for pair in skills.split(',').filter(|pair| !pair.is_empty() && *pair != "any") {
            let (name, number) = pair.split_once(':').ok_or(format!("{pair}: want skill:proficiency"))?;
            let proficiency = number.parse().map_err(|_| format!("{pair}: want a proficiency"))?;
            requirements.push(Requirement { skill: self.skill(name)?, proficiency });
        }
        let names = groups.split('+').filter(|name| !name.is_empty());
        let mut groups = names.map(|name| self.group_key(name)).collect::<Result<Vec<_>, _>>()?;
        groups.sort();
        Ok(Needs { requirements: merged(&[queue, &requirements]), groups })
    }

    fn relaxation(&mut self, words: &mut Words, queue: &[Requirement]) -> Result<Vec<Relaxation>, String> {
        let mut steps = Vec::new();
        for step in words.setting("relax").iter().flat_map(|text| text.split(';')) {
            let (after_ms, then) = after(step)?;
            steps.push(Relaxation { after_ms, needs: self.needs(then, queue)? });
        }
        Ok(steps)
    }

    fn last_step(&self, text: &str) -> Result<LastStep, String> {
        if text == "keep" {
            return Ok(LastStep::keep());
        }
        let (after_ms, then) = after(text)?;
        Ok(LastStep { after_ms, exit: self.exit(then)? })
    }

    fn exit(&self, text: &str) -> Result<Exit, String> {
        match text.split_once(':') {
            None if text == "keep" => Ok(Exit::Keep),
            None if text == "refuse" => Ok(Exit::Refuse),
            Some(("queue", name)) => self.queue_key(name).map(Exit::Queue),
            Some(("callback", span)) => Ok(Exit::Callback { within_ms: span_ms(span)? }),
            Some(("away", destination)) => Ok(Exit::SendAway { destination: destination.into() }),
            _ => Err(format!("{text}: want keep, refuse, queue:NAME, callback:SPAN or away:PLACE")),
        }
    }

    /// `overflow=waiting:2&longest:60s>help,other;closed>night`.
    fn overflow(&self, words: &mut Words) -> Result<Vec<Overflow>, String> {
        let rule = |text: &str| {
            let (when, to) = text.split_once('>').ok_or(format!("{text}: want conditions>queues"))?;
            let when = when.split('&').map(condition).collect::<Result<Vec<_>, _>>()?;
            let to = to.split(',').map(|name| self.queue_key(name)).collect::<Result<Vec<_>, _>>()?;
            Ok(Overflow { when, to })
        };
        words.setting("overflow").iter().flat_map(|text| text.split(';')).map(rule).collect()
    }
}

/// `30s>something`.
fn after(text: &str) -> Result<(u64, &str), String> {
    let (span, then) = text.split_once('>').ok_or(format!("{text}: want SPAN>what then"))?;
    Ok((span_ms(span)?, then))
}

fn condition(text: &str) -> Result<Condition, String> {
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("{text} is no number"));
    match text.split_once(':') {
        None if text == "closed" => Ok(Condition::Closed),
        Some(("waiting", count)) => Ok(Condition::Waiting { at_least: number(count)? }),
        Some(("longest", span)) => Ok(Condition::LongestWait { at_least_ms: span_ms(span)? }),
        Some(("estimate", span)) => Ok(Condition::EstimatedWait { at_least_ms: span_ms(span)? }),
        Some(("level", percent)) => Ok(Condition::ServiceLevel { below_ppm: number(percent)? * 10_000 }),
        Some(("free", count)) => Ok(Condition::FreeAgents { at_most: number(count)? }),
        _ => Err(format!("{text} is no condition")),
    }
}

/// The queues one may get to from a route.
fn leads_to(route: &Route) -> Vec<QueueKey> {
    let exits = [&route.last_step.exit, &route.when_closed, &route.at_closing];
    let by_exit = exits.into_iter().filter_map(|exit| match exit {
        Exit::Queue(queue) => Some(*queue),
        Exit::Keep | Exit::Callback { .. } | Exit::SendAway { .. } | Exit::Refuse => None,
    });
    let by_overflow = route.overflow.iter().flat_map(|rule| rule.to.iter().copied());
    by_exit.chain(by_overflow).collect()
}
