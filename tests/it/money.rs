//! Decisions in money, case by case: who is kept for whom, for how long, and what an agent takes first.

use baton::engine::agent::Presence;
use baton::engine::capacity::CapacitySpec;
use baton::engine::command::{Answer, Command, Leaving, Refusal, Submit, Write};
use baton::engine::event::{EndedBy, Event, Stamped};
use baton::engine::explain::{Exclusion, WaitReason};
use baton::engine::fixed::Part;
use baton::engine::floor::{AgentSpec, Definition, Estimate, QueueSpec};
use baton::engine::ids::{
    AgentKey, AssignmentId, InteractionId, OfferId, PoolKey, QueueKey, SessionId, SkillKey,
};
use baton::engine::learned::{AgentParameters, Parameters};
use baton::engine::money::Money;
use baton::engine::plan::{Channel, Facts, Familiar, Goals, Plan};
use baton::engine::policy::PoolSpec;
use baton::engine::route::{BetterWith, Route};
use baton::engine::shard::Shard;
use baton::engine::skill::{Requirement, Skill};
use baton::engine::time::Time;

const BILLING: u16 = 0;
const SALES: u16 = 1;

/// Two kinds of calls: billing, which many can take and which costs little, and sales, which is dear to lose.
struct Floor {
    shard: Shard,
    events: Vec<Stamped>,
    now: Time,
    hold_max_ms: Option<u64>,
    weight: Part,
}

impl Floor {
    fn open(hold_max_ms: Option<u64>) -> Floor {
        let (events, now, weight) = (Vec::new(), Time(1_000_000), Part::ONE);
        let mut floor = Floor { shard: Shard::new(), events, now, hold_max_ms, weight };
        floor.define("pool", Definition::Pool(PoolSpec::plain("pool".into()).into()));
        for (key, name) in [(BILLING, "billing"), (SALES, "sales")] {
            floor.define(name, Definition::Skill { display_name: name.into() });
            let queue = QueueSpec::plain(name.into(), PoolKey(0), vec![needs(key)]);
            floor.define(name, Definition::Queue(queue));
        }
        floor
    }

    fn define(&mut self, name: &str, definition: Definition) -> u32 {
        match self.ask(Command::Define { name: name.into(), definition, write: Write::Create }) {
            Answer::Defined { key, .. } => key,
            other => panic!("a definition is answered by its key, not {other:?}"),
        }
    }

    fn ask(&mut self, command: Command) -> Answer {
        self.shard.step(self.now, command, &mut self.events).expect("nothing here is refused")
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.after(seconds * 1_000);
        self.ask(Command::Tick);
    }

    fn agent(&mut self, name: &str, skills: &[u16], change: impl FnOnce(&mut AgentSpec)) -> AgentKey {
        let skill = |key: &u16| Skill { skill: SkillKey(*key), proficiency: 5, expires: None };
        let mut spec = AgentSpec::plain(name.into(), PoolKey(0), skills.iter().map(skill).collect());
        change(&mut spec);
        let agent = AgentKey(self.define(name, Definition::Agent(spec)));
        self.ask(Command::OpenSession { agent, session: SessionId(1) });
        let presence = Presence::Available;
        self.ask(Command::SetPresence { agent, presence, reason: "".into(), by: EndedBy::Agent });
        agent
    }

    fn call(&mut self, queue: u16) -> InteractionId {
        let goals = Goals {
            waiting_per_minute: Money(200_000),
            abandon: Money(if queue == SALES { 40_000_000 } else { 2_000_000 }),
            unresolved: Money(5_000_000),
            hold_max_ms: self.hold_max_ms,
            ..Goals::plain()
        };
        self.call_for(queue, goals)
    }

    fn call_for(&mut self, queue: u16, goals: Goals) -> InteractionId {
        let route = Route::plain(QueueKey(queue), vec![needs(queue)]);
        self.call_as(Plan { weight: self.weight, ..Plan::plain(1, route, 0, goals) }, None)
    }

    fn call_as(&mut self, plan: Plan, due: Option<Time>) -> InteractionId {
        let submit = Submit {
            keys: [None, None],
            content: 0,
            source: "pbx".into(),
            external_id: "".into(),
            channel: Channel::Voice,
            facts: Facts { due, ..Facts::default() },
            plan: plan.into(),
        };
        match self.ask(Command::Submit(Box::new(submit))) {
            Answer::Admitted { interaction, .. } => interaction,
            other => panic!("a submit is answered by an admission, not {other:?}"),
        }
    }

    /// Who is being offered it.
    fn offered(&self, interaction: InteractionId) -> Option<AgentKey> {
        let offer = self.shard.interaction(interaction)?.offers.first()?;
        self.shard.offer(*offer).map(|offer| offer.agent)
    }

    fn accept(&mut self, interaction: InteractionId) -> AssignmentId {
        let offer: OfferId = self.shard.interaction(interaction).expect("it came").offers[0];
        match self.ask(Command::Accept { offer }) {
            Answer::Accepted { assignment, .. } => assignment,
            other => panic!("an accept is answered by an assignment, not {other:?}"),
        }
    }

    fn complete(&mut self, assignment: AssignmentId) {
        self.ask(Command::Complete { assignment, disposition: "".into(), solved: None });
    }

    /// Sales calls come now and then, so it is known that they do.
    fn sell(&mut self, times: u32) {
        for _ in 0..times {
            let call = self.call(SALES);
            let assignment = self.accept(call);
            self.pass(60);
            self.complete(assignment);
        }
    }
}

fn needs(key: u16) -> Requirement {
    Requirement { skill: SkillKey(key), proficiency: 1 }
}

#[test]
fn the_only_one_who_sells_is_kept_for_sales_while_it_pays() {
    let mut floor = Floor::open(Some(60_000));
    let senior = floor.agent("senior", &[BILLING, SALES], |_| {});
    floor.sell(3);
    let junior = floor.agent("junior", &[BILLING], |_| {});
    let first = floor.call(BILLING);
    assert_eq!(floor.offered(first), Some(junior), "whoever sells is worth more to sales");
    let busy = floor.accept(first);
    let second = floor.call(BILLING);
    assert_eq!(floor.offered(second), None, "the senior is free, and kept");
    assert_eq!(floor.shard.wait_reason(second), Some(WaitReason::Held));
    let judged = floor.shard.judge(second);
    let why = judged.iter().find(|one| one.agent == senior).expect("everybody is judged");
    assert_eq!(why.exclusion, Some(Exclusion::KeptForOthers));
    let sale = floor.call(SALES);
    assert_eq!(floor.offered(sale), Some(senior), "for whom the senior was kept");
    floor.complete(busy);
    assert_eq!(floor.offered(second), Some(junior), "held for this");
}

#[test]
fn whoever_sells_is_worth_less_to_sales_the_more_are_free_who_do() {
    let price_with = |sellers: usize| {
        let mut floor = Floor::open(Some(60_000));
        for number in 0..sellers {
            floor.agent(&format!("seller{number}"), &[SALES], |_| {});
        }
        floor.sell(3);
        let prices = floor.shard.skill_prices();
        prices.iter().find(|one| one.skill == SkillKey(SALES)).expect("somebody sells").per_minute as f64
    };
    let alone = price_with(1);
    assert!(alone > 0.0, "{alone}");
    // The chance that one more does not help is 0.7.
    for (sellers, share) in [(2, 0.7), (3, 0.49), (5, 0.2401)] {
        let found = price_with(sellers) / alone;
        assert!((found / share - 1.0).abs() < 0.01, "{sellers} are free: {found} instead of {share}");
    }
}

#[test]
fn who_has_been_held_long_enough_is_held_no_longer() {
    let mut floor = Floor::open(Some(60_000));
    let senior = floor.agent("senior", &[BILLING, SALES], |_| {});
    floor.sell(3);
    let call = floor.call(BILLING);
    // Nobody else bills: the senior is the cheapest way there is.
    assert_eq!(floor.offered(call), Some(senior));
    let busy = floor.accept(call);
    let _junior = floor.agent("junior", &[BILLING], |_| {});
    let first = floor.call(BILLING);
    floor.accept(first);
    floor.complete(busy);
    let held = floor.call(BILLING);
    floor.pass(59);
    assert_eq!(floor.offered(held), None);
    assert_eq!(floor.shard.at_risk()[0].held, 1);
    let seen = floor.events.len();
    floor.pass(1);
    assert_eq!(floor.offered(held), Some(senior));
    let told = &floor.events[seen..];
    assert!(matches!(told[0].event, Event::Offered { .. }), "the end of a hold is no event: {told:?}");
}

#[test]
fn who_waits_for_room_is_not_counted_as_held() {
    let mut floor = Floor::open(None);
    let two_at_once = |spec: &mut AgentSpec| {
        let mut capacity = CapacitySpec::default();
        capacity.channels[Channel::Voice.index()].units = 60;
        capacity.channels[Channel::Voice.index()].limit = 2;
        spec.capacity = Some(capacity);
    };
    floor.agent("halves", &[BILLING], two_at_once);
    let first = floor.call(BILLING);
    floor.accept(first);
    let second = floor.call(BILLING);
    assert_eq!(floor.shard.wait_reason(second), Some(WaitReason::AllAgentsBusy));
    let [risk] = &floor.shard.at_risk()[..] else { panic!("one queue has a line") };
    assert_eq!((risk.queue, risk.held), (QueueKey(BILLING), 0));
}

#[test]
fn with_a_hold_of_nothing_nobody_waits_beside_a_free_agent() {
    let mut floor = Floor::open(Some(0));
    let senior = floor.agent("senior", &[BILLING, SALES], |_| {});
    floor.sell(3);
    let junior = floor.agent("junior", &[BILLING], |_| {});
    let first = floor.call(BILLING);
    assert_eq!(floor.offered(first), Some(junior), "prices still choose among those who are free");
    let second = floor.call(BILLING);
    assert_eq!(floor.offered(second), Some(senior));
}

#[test]
fn whoever_gets_free_takes_what_is_worth_most_for_their_time() {
    let mut floor = Floor::open(Some(60_000));
    let senior = floor.agent("senior", &[BILLING, SALES], |_| {});
    let first = floor.call(BILLING);
    let busy = floor.accept(first);
    let billing = floor.call(BILLING);
    floor.pass(30);
    let sale = floor.call(SALES);
    floor.complete(busy);
    assert_eq!(floor.offered(sale), Some(senior), "dearer to lose, though it has not waited as long");
    assert_eq!(floor.offered(billing), None);
}

#[test]
fn whoever_solves_more_gets_it_and_whoever_answers_less_does_not() {
    let known = |resolution: u32| {
        move |spec: &mut AgentSpec| {
            let resolution = Part::thousandths(resolution);
            spec.estimates = vec![Estimate { queue: QueueKey(BILLING), handle_ms: 180_000, resolution }];
        }
    };
    let chosen_of = |first: &mut dyn FnMut(&mut AgentSpec), second: &mut dyn FnMut(&mut AgentSpec)| {
        let mut floor = Floor::open(Some(0));
        let one = floor.agent("one", &[BILLING], |spec| first(spec));
        let two = floor.agent("two", &[BILLING], |spec| second(spec));
        // Averages over a small floor are taken with the next change.
        floor.pass(1);
        let call = floor.call(BILLING);
        (floor.offered(call), one, two)
    };
    let (chosen, _, second) = chosen_of(&mut |_| {}, &mut |spec| spec.acceptance = Part::ONE);
    assert!(chosen.is_some_and(|chosen| chosen != second), "alike: idle longest, then the first");
    let (chosen, _, second) = chosen_of(&mut |spec| spec.acceptance = Part::thousandths(300), &mut |_| {});
    assert_eq!(chosen, Some(second), "who mostly does not answer costs a ring time");
    let (chosen, _, second) = chosen_of(&mut known(500), &mut known(900));
    assert_eq!(chosen, Some(second));
}

#[test]
fn what_would_change_a_decision_changes_it() {
    let known = |spec: &mut AgentSpec, resolution: u32| {
        let resolution = Part::thousandths(resolution);
        spec.estimates = vec![Estimate { queue: QueueKey(BILLING), handle_ms: 180_000, resolution }];
    };
    let mut short = None;
    for rest_s in [0, -1, 1] {
        let mut floor = Floor::open(Some(0));
        let worse = floor.agent("worse", &[BILLING], |spec| known(spec, 500));
        // Longer idle by what was missing, less or more by a second.
        floor.pass(short.map_or(0, |short: i64| (short / 5_000 + rest_s).unsigned_abs()));
        let better = floor.agent("better", &[BILLING], |spec| known(spec, 900));
        floor.pass(1);
        let call = floor.call(BILLING);
        let chosen = if rest_s > 0 { worse } else { better };
        assert_eq!(floor.offered(call), Some(chosen), "{rest_s} s about {short:?}");
        if short.is_none() {
            let decision = &floor.shard.interaction(call).expect("it came").decisions[0].decision;
            let other = decision.agents.iter().find(|one| one.agent == worse).expect("it is stored");
            short = other.short_by(decision.score);
            assert!(short.is_some_and(|short| short > 0), "{decision:?}");
        }
    }
}

#[test]
fn what_was_learned_of_agents_decides_from_then_on_and_an_older_telling_is_refused() {
    let mut floor = Floor::open(Some(0));
    let first = floor.agent("first", &[BILLING], |_| {});
    let solves = floor.agent("solves", &[BILLING], |_| {});
    let learn = |floor: &mut Floor, version: u64, agent: AgentKey, resolution: u32| {
        let resolution = Part::thousandths(resolution);
        let estimates = vec![Estimate { queue: QueueKey(BILLING), handle_ms: 180_000, resolution }];
        let parameters = Parameters {
            version,
            agents: vec![AgentParameters { agent, estimates }],
            ..Parameters::default()
        };
        floor.shard.step(floor.now, Command::SetParameters(parameters.into()), &mut floor.events)
    };
    learn(&mut floor, 1, first, 500).expect("the first telling");
    learn(&mut floor, 2, solves, 900).expect("a newer one");
    let old = learn(&mut floor, 2, solves, 100);
    assert_eq!(old, Err(Refusal::ParametersOld { got: 2, current: 2 }));
    let mistaken = learn(&mut floor, 3, solves, 1_001);
    assert!(matches!(mistaken, Err(Refusal::ParameterOutOfRange { .. })), "{mistaken:?}");
    floor.pass(1);
    let call = floor.call(BILLING);
    assert_eq!(floor.offered(call), Some(solves));
}

#[test]
fn who_knows_the_customer_serves_them_again_if_that_costs_others_little() {
    let mut floor = Floor::open(Some(60_000));
    let first = floor.agent("first", &[BILLING], |_| {});
    let knows = floor.agent("knows", &[BILLING], |_| {});
    let plan = |worth: i64| Plan {
        familiar: Some(Familiar { agent: knows, worth: Money(worth) }),
        ..Plan::plain(1, Route::plain(QueueKey(BILLING), vec![needs(BILLING)]), 0, Goals::plain())
    };
    floor.pass(10);
    let stranger = floor.call_as(plan(0), None);
    assert_eq!(floor.offered(stranger), Some(first), "idle as long, and first");
    floor.ask(Command::Cancel { interaction: stranger, leaving: Leaving::Withdrawn });
    let known = floor.call_as(plan(1_000_000), None);
    assert_eq!(floor.offered(known), Some(knows));
    let decision = &floor.shard.interaction(known).expect("it came").decisions[0].decision;
    let net = decision.agents[0].net.expect("money decides");
    assert_eq!((net.familiar, net.sum()), (1_000_000, decision.score));
}

#[test]
fn whoever_gets_free_takes_the_customer_they_know_before_others_of_the_line() {
    let mut floor = Floor::open(Some(60_000));
    let knows = floor.agent("knows", &[BILLING], |_| {});
    let call = floor.call(BILLING);
    let busy = floor.accept(call);
    let plain = || Plan::plain(1, Route::plain(QueueKey(BILLING), vec![needs(BILLING)]), 0, Goals::plain());
    let first = floor.call_as(plain(), None);
    let familiar = Some(Familiar { agent: knows, worth: Money(500_000) });
    let known = floor.call_as(Plan { familiar, ..plain() }, None);
    floor.complete(busy);
    assert_eq!(floor.offered(known), Some(knows), "though another has waited longer");
    assert_eq!(floor.offered(first), None);
}

#[test]
fn a_skill_that_is_wished_for_decides_among_the_free_and_never_keeps_anybody_waiting_in_vain() {
    let plan = |worth: i64| {
        let wished = BetterWith { skill: needs(SALES), worth: Money(worth) };
        let route =
            Route { better_with: vec![wished], ..Route::plain(QueueKey(BILLING), vec![needs(BILLING)]) };
        let goals = Goals { waiting_per_minute: Money(200_000), hold_max_ms: Some(60_000), ..Goals::plain() };
        Plan::plain(1, route, 0, goals)
    };
    let mut floor = Floor::open(Some(60_000));
    let without = floor.agent("without", &[BILLING], |_| {});
    let nobody_has_it = floor.call_as(plan(50_000_000), None);
    assert_eq!(floor.offered(nobody_has_it), Some(without), "nobody on duty has it: waiting would not help");
    let busy = floor.accept(nobody_has_it);
    let with = floor.agent("with", &[BILLING, SALES], |_| {});
    floor.complete(busy);
    floor.pass(5);
    let call = floor.call_as(plan(1_000_000), None);
    assert_eq!(floor.offered(call), Some(with), "though idle for less time");
    let busy = floor.accept(call);
    let dear = floor.call_as(plan(50_000_000), None);
    assert_eq!(floor.offered(dear), None, "held for who has it, who is busy");
    assert_eq!(floor.shard.wait_reason(dear), Some(WaitReason::Held));
    let cheap = floor.call_as(plan(1), None);
    assert_eq!(floor.offered(cheap), Some(without), "not worth a wait");
    floor.complete(busy);
    assert_eq!(floor.offered(dear), Some(with));
}

fn later(waiting_per_minute: i64) -> Plan {
    let (late, waiting_per_minute) = (Money(1_000_000), Money(waiting_per_minute));
    let goals = Goals { late, waiting_per_minute, hold_max_ms: None, ..Goals::plain() };
    let route = Route::plain(QueueKey(BILLING), vec![needs(BILLING)]);
    Plan { by_due: true, ..Plan::plain(1, route, 0, goals) }
}

#[test]
fn what_can_be_done_later_is_done_when_nobody_else_needs_the_agent() {
    let waited_s = |waiting_per_minute: i64| {
        let mut floor = Floor::open(Some(60_000));
        let senior = floor.agent("senior", &[BILLING, SALES], |_| {});
        floor.sell(3);
        let mail = floor.call_as(later(waiting_per_minute), Some(floor.now.after(3_600_000)));
        assert_eq!(floor.offered(mail), None, "the only one who sells is kept for the next who calls");
        let offered = (1..=240).find(|_| {
            floor.pass(15);
            floor.offered(mail) == Some(senior)
        });
        offered.expect("it is done in time") * 15
    };
    let [free, cheap, dear] = [0, 200_000, 1_000_000].map(waited_s);
    assert!(
        60 < dear && dear < cheap && cheap < free,
        "the dearer its waiting, the sooner: {dear}, {cheap}, {free}"
    );
    // Three minutes before it is due it would be late when somebody is back.
    assert!(free <= 3_420, "{free}");
}

#[test]
fn the_first_due_is_the_first_served() {
    let mut floor = Floor::open(Some(60_000));
    let call = |floor: &mut Floor, hours: u64| {
        let due = floor.now.after(hours * 3_600_000);
        floor.call_as(later(200_000), Some(due))
    };
    let last = call(&mut floor, 30);
    floor.pass(3_600);
    let [second, first] = [20, 2].map(|hours| call(&mut floor, hours));
    let lanes = floor.shard.lines().of_queue(QueueKey(BILLING));
    let line: Vec<InteractionId> = lanes.flat_map(|lane| lane.waiting().map(|place| place.3)).collect();
    assert_eq!(line, [first, second, last]);
}

#[test]
fn what_is_due_is_not_kept_waiting_for_anybody() {
    let mut plan = later(0);
    plan.goals.late = Money(0);
    let mut floor = Floor::open(Some(60_000));
    let senior = floor.agent("senior", &[BILLING, SALES], |_| {});
    floor.sell(3);
    let mail = floor.call_as(plan, Some(floor.now.after(20_000)));
    assert_eq!(floor.offered(mail), None);
    floor.pass(19);
    assert_eq!(floor.offered(mail), None);
    floor.pass(1);
    assert_eq!(floor.offered(mail), Some(senior));
}

#[test]
fn as_many_are_asked_at_once_as_the_queue_says() {
    let mut floor = Floor::open(Some(0));
    for number in 0..9 {
        floor.agent(&format!("a{number}"), &[BILLING], |_| {});
    }
    let queue =
        QueueSpec { broadcast: 7, ..QueueSpec::plain("billing".into(), PoolKey(0), vec![needs(BILLING)]) };
    let revision = floor.shard.floor().queues.get(0).expect("it was defined").revision;
    let write = Write::Update { revision: Some(revision) };
    floor.ask(Command::Define { name: "billing".into(), definition: Definition::Queue(queue), write });
    let call = floor.call(BILLING);
    let offers = &floor.shard.interaction(call).expect("it came").offers;
    let asked: Vec<AgentKey> = offers.iter().map(|id| floor.shard.offer(*id).expect("open").agent).collect();
    assert_eq!(asked, (0..7).map(AgentKey).collect::<Vec<_>>(), "idle equally long: the first");
}

#[test]
fn the_greatest_amounts_there_are_still_add_up() {
    let most = Money(1_000_000_000_000_000);
    let goals = Goals {
        waiting_per_minute: most,
        abandon: most,
        late: most,
        unresolved: most,
        patience_ms: 366 * 24 * 3_600_000,
        answer_within_ms: 60_000,
        hold_max_ms: None,
        dial: 16,
        ..Goals::plain()
    };
    let mut floor = Floor::open(None);
    floor.weight = Part(8 << 16);
    let solves = |spec: &mut AgentSpec, resolution: Part| {
        spec.estimates = vec![Estimate { queue: QueueKey(BILLING), handle_ms: 1, resolution }];
        spec.acceptance = Part(1);
    };
    floor.agent("never", &[BILLING, SALES], |spec| solves(spec, Part::ZERO));
    floor.agent("always", &[BILLING], |spec| solves(spec, Part::ONE));
    for round in 0..40 {
        let call = floor.call_for(if round % 2 == 0 { BILLING } else { SALES }, goals.clone());
        let decisions = &floor.shard.interaction(call).expect("it came").decisions;
        let decision = &decisions[0].decision;
        let nets = decision.agents.iter().filter_map(|one| one.net);
        nets.for_each(|net| assert_eq!(net.relief, decision.relief.expect("money decides").sum()));
        floor.pass(1);
    }
}
