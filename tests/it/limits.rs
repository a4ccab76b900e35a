//! A decision looks at a bounded set of pairs (ALGORITHM.md 9.2). How often, and by how much, would looking at all of
//! them have done better? On floors where nobody is like anybody else, which is the worst there is.

use crate::chance::{Dice, runs};
use baton::engine::agent::Presence;
use baton::engine::command::{Answer, Command, Submit, Write};
use baton::engine::event::{EndedBy, Event, Stamped};
use baton::engine::explain::{Net, Trigger};
use baton::engine::fixed::Part;
use baton::engine::floor::{AgentSpec, Definition, Estimate, QueueSpec};
use baton::engine::ids::{AgentKey, AssignmentId, OfferId, PoolKey, QueueKey, SessionId, SkillKey};
use baton::engine::money::Money;
use baton::engine::plan::{Channel, Facts, Goals, Plan};
use baton::engine::policy::PoolSpec;
use baton::engine::route::Route;
use baton::engine::shard::Shard;
use baton::engine::skill::{Requirement, Skill};
use baton::engine::time::Time;

const QUEUES: u16 = 6;
const AGENTS: u32 = 300;

/// What was found, over all decisions of a floor.
#[derive(Default)]
struct Seen {
    decisions: u32,
    others_best: u32,
    lost: i64,
    value: i64,
}

struct Floor {
    shard: Shard,
    now: Time,
    dice: Dice,
    talking: Vec<AssignmentId>,
    seen: Seen,
}

impl Floor {
    /// `alike`: agents of few profiles who differ by their figures alone; otherwise nearly everybody has a profile of
    /// their own.
    fn open(seed: u32, alike: bool) -> Floor {
        let (dice, now) = (Dice::new([seed, 1, u32::from(alike)]), Time(1_000_000));
        let mut floor = Floor { shard: Shard::new(), now, dice, talking: Vec::new(), seen: Seen::default() };
        floor.ask(define("pool", Definition::Pool(PoolSpec::plain("pool".into()).into())));
        for key in 0..QUEUES {
            let name = format!("q{key}");
            floor.ask(define(&name, Definition::Skill { display_name: name.as_str().into() }));
            let queue = QueueSpec::plain(name.as_str().into(), PoolKey(0), vec![needs(key)]);
            floor.ask(define(&name, Definition::Queue(queue)));
        }
        (0..AGENTS).for_each(|number| floor.hire(number, alike));
        floor
    }

    fn hire(&mut self, number: u32, alike: bool) {
        let dice = &mut self.dice;
        let mut skills = Vec::new();
        for key in 0..QUEUES {
            if dice.one_in(2) || key == u16::try_from(number).unwrap_or(0) % QUEUES {
                let proficiency = if alike { 5 } else { dice.choose(&[1, 2, 3, 4, 5, 6, 7, 8]) };
                skills.push(Skill { skill: SkillKey(key), proficiency, expires: None });
            }
        }
        let known = |skill: &Skill, dice: &mut Dice| Estimate {
            queue: QueueKey(skill.skill.0),
            handle_ms: u64::from(120_000 + dice.of(240_000)),
            resolution: Part::thousandths(500 + dice.of(450)),
        };
        let estimates = skills.iter().map(|skill| known(skill, dice)).collect();
        let name = format!("a{number}");
        let spec = AgentSpec { estimates, ..AgentSpec::plain(name.as_str().into(), PoolKey(0), skills) };
        self.ask(define(&name, Definition::Agent(spec)));
        let (agent, presence) = (AgentKey(number), Presence::Available);
        self.ask(Command::OpenSession { agent, session: SessionId(1) });
        self.ask(Command::SetPresence { agent, presence, reason: "".into(), by: EndedBy::Agent });
    }

    fn ask(&mut self, command: Command) -> (Answer, Vec<Stamped>) {
        let mut events = Vec::new();
        let answer = self.shard.step(self.now, command, &mut events).expect("nothing here is refused");
        (answer, events)
    }

    /// So many calls, more than the floor can take at once now and then.
    fn work(&mut self, calls: u32) {
        for _ in 0..calls {
            self.now = self.now.after(u64::from(self.dice.of(2_000)));
            let queue = u16::try_from(self.dice.of(u32::from(QUEUES))).expect("few");
            self.call(queue);
            while self.talking.len() > 260 || (!self.talking.is_empty() && self.dice.one_in(3)) {
                let at = self.dice.of(u32::try_from(self.talking.len()).expect("few")) as usize;
                let assignment = self.talking.swap_remove(at);
                let (_, events) =
                    self.ask(Command::Complete { assignment, disposition: "".into(), solved: None });
                self.accept_all(&events);
            }
        }
    }

    fn call(&mut self, queue: u16) {
        let goals = Goals {
            waiting_per_minute: Money(200_000),
            abandon: Money(5_000_000 * i64::from(1 + queue)),
            late: Money(1_000_000),
            unresolved: Money(5_000_000 * i64::from(1 + queue)),
            hold_max_ms: Some(60_000),
            ..Goals::plain()
        };
        let plan = Plan::plain(1, Route::plain(QueueKey(queue), vec![needs(queue)]), 0, goals);
        let submit = Submit {
            keys: [None, None],
            content: 0,
            source: "pbx".into(),
            external_id: "".into(),
            channel: Channel::Voice,
            facts: Facts::default(),
            plan: plan.into(),
        };
        let mut before = self.shard.clone();
        let (_, events) = self.ask(Command::Submit(Box::new(submit)));
        for stamped in &events {
            if let Event::Offered { interaction, decision, .. } = &stamped.event
                && decision.trigger == Trigger::InteractionWaits
            {
                let judged = before.clone().looked_at(stamped.time).judge(*interaction);
                let best = judged.iter().filter_map(|one| one.net.map(Net::sum)).max();
                self.compare(decision.score, best.expect("somebody was chosen"));
            }
            before.apply(stamped);
        }
        self.accept_all(&events);
    }

    fn compare(&mut self, chosen: i64, best: i64) {
        assert!(chosen <= best, "all pairs include the chosen one");
        self.seen.decisions += 1;
        self.seen.others_best += u32::from(chosen < best);
        self.seen.lost += best - chosen;
        self.seen.value += best;
    }

    fn accept_all(&mut self, events: &[Stamped]) {
        let offers: Vec<OfferId> = events
            .iter()
            .filter_map(|stamped| match &stamped.event {
                Event::Offered { offer, .. } => Some(*offer),
                _ => None,
            })
            .collect();
        for offer in offers {
            if let (Answer::Accepted { assignment, .. }, _) = self.ask(Command::Accept { offer }) {
                self.talking.push(assignment);
            }
        }
    }
}

fn define(name: &str, definition: Definition) -> Command {
    Command::Define { name: name.into(), definition, write: Write::Create }
}

fn needs(key: u16) -> Requirement {
    Requirement { skill: SkillKey(key), proficiency: 1 }
}

/// Of all decisions, the thousandths in which another pair was worth more, and what was lost of all value.
fn lost(alike: bool) -> (f64, f64) {
    let mut all = Seen::default();
    for seed in 0..runs(2) {
        let mut floor = Floor::open(seed, alike);
        floor.work(1_000);
        let Seen { decisions, others_best, lost, value } = floor.seen;
        all.decisions += decisions;
        all.others_best += others_best;
        (all.lost, all.value) = (all.lost + lost, all.value + value);
    }
    assert!(all.decisions > 500, "{} decisions tell little", all.decisions);
    let share = f64::from(all.others_best) / f64::from(all.decisions);
    let part = all.lost as f64 / all.value as f64;
    println!(
        "of {} decisions {:.2} % had a better pair, {:.3} % of the value was lost",
        all.decisions,
        share * 100.0,
        part * 100.0
    );
    (share, part)
}

#[test]
fn few_profiles_lose_little_to_the_limit() {
    let (_, part) = lost(true);
    assert!(part < 0.005, "{part}");
}

#[test]
fn nobody_like_anybody_else_loses_little_to_the_limit() {
    let (_, part) = lost(false);
    assert!(part < 0.05, "{part}");
}
