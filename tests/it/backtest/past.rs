//! A past to be decided again, told second by second through the real engine, and planned by a rule set.

use baton::engine::agent::Presence;
use baton::engine::command::{Answer, Command, Handover, Leaving, Submit, Target, Write};
use baton::engine::event::{EndedBy, Event, Stamped};
use baton::engine::floor::{AgentSpec, Definition, QueueSpec};
use baton::engine::ids::{
    AgentKey, AssignmentId, CustomerId, InteractionId, OfferId, PoolKey, QueueKey, SessionId, SkillKey,
};
use baton::engine::journey::Journey;
use baton::engine::plan::{Channel, Facts};
use baton::engine::policy::{Policy, PoolSpec};
use baton::engine::shard::Shard;
use baton::engine::skill::Skill;
use baton::engine::time::Time;
use baton::replay::backtest::Recorded;
use baton::rules::{Asked, RuleSet};

/// 2026-11-25 09:00 UTC.
pub const NINE: Time = Time(1_795_597_200_000);
const HOUR_S: u64 = 3_600;

/// Queues `sales` and `service` of one pool, a skill `vip`, and whoever is hired; there since an hour before nine.
pub struct Past {
    pub shard: Shard,
    pub journal: Vec<Stamped>,
    rules: RuleSet,
}

pub const SALES: QueueKey = QueueKey(0);
pub const SERVICE: QueueKey = QueueKey(1);

impl Past {
    pub fn opened(rules: RuleSet, policy: Policy) -> Past {
        let mut past = Past { shard: Shard::new(), journal: Vec::new(), rules };
        past.define(
            "main",
            Definition::Pool(PoolSpec { display_name: "".into(), policy, trial: None }.into()),
        );
        past.define("vip", Definition::Skill { display_name: "".into() });
        for queue in ["sales", "service"] {
            past.define(queue, Definition::Queue(QueueSpec::plain("".into(), PoolKey(0), Vec::new())));
        }
        past
    }

    /// As it is by default: the lists of before.
    pub fn plain() -> Past {
        Past::opened(RuleSet::default(), PoolSpec::listed("".into()).policy)
    }

    /// An agent with a session, signed out.
    pub fn hire(&mut self, name: &str, vip: bool) -> AgentKey {
        let skills = vip.then_some(Skill { skill: SkillKey(0), proficiency: 5, expires: None });
        self.employ(name, AgentSpec::plain("".into(), PoolKey(0), skills.into_iter().collect()))
    }

    pub fn employ(&mut self, name: &str, spec: AgentSpec) -> AgentKey {
        let agent = AgentKey(self.define(name, Definition::Agent(spec)));
        self.before(Command::OpenSession { agent, session: SessionId(u64::from(agent.0) + 1) });
        agent
    }

    fn define(&mut self, name: &str, definition: Definition) -> u32 {
        match self.before(Command::Define { name: name.into(), definition, write: Write::Create }) {
            Answer::Defined { key, .. } => key,
            other => panic!("{other:?}"),
        }
    }

    fn before(&mut self, command: Command) -> Answer {
        let at = Time(NINE.0 - HOUR_S * 1_000);
        self.shard.step(at, command, &mut self.journal).expect("the floor was thought through")
    }

    /// At so many seconds after nine.
    pub fn ask(&mut self, second: u64, command: Command) -> Answer {
        let at = NINE.after(second * 1_000);
        self.shard.step(at, command, &mut self.journal).expect("the past was thought through")
    }

    pub fn on_duty(&mut self, second: u64, agent: AgentKey) {
        self.presence(second, agent, Presence::Available);
    }

    pub fn presence(&mut self, second: u64, agent: AgentKey, presence: Presence) {
        self.ask(second, Command::SetPresence { agent, presence, reason: "".into(), by: EndedBy::Agent });
    }

    pub fn queue(&mut self, second: u64, name: &str, queue: QueueSpec) {
        let (definition, write) = (Definition::Queue(queue), Write::Update { revision: None });
        self.ask(second, Command::Define { name: name.into(), definition, write });
    }

    /// A call comes in.
    pub fn call(&mut self, second: u64, queue: QueueKey) -> InteractionId {
        self.contact(second, queue, Channel::Voice)
    }

    pub fn contact(&mut self, second: u64, queue: QueueKey, channel: Channel) -> InteractionId {
        let facts = Facts::default();
        let plan = self.rules.plan(self.shard.floor(), &Asked::plain(channel, queue, &facts));
        let submit = Submit {
            keys: [None, None],
            content: 0,
            source: "pbx".into(),
            external_id: "".into(),
            channel,
            facts,
            plan: plan.into(),
        };
        match self.ask(second, Command::Submit(Box::new(submit))) {
            Answer::Admitted { interaction, .. } => interaction,
            other => panic!("{other:?}"),
        }
    }

    /// It becomes known that the customer has come about it before.
    pub fn known_to_come_again(&mut self, second: u64, interaction: InteractionId) {
        let journey = Some(Journey { about_within: 1, ..Journey::default() }.into());
        self.ask(second, Command::Identify { interaction, customer: CustomerId(7), journey });
    }

    pub fn hang_up(&mut self, second: u64, interaction: InteractionId) {
        self.ask(second, Command::Cancel { interaction, leaving: Leaving::CustomerLeft });
    }

    /// The agent who is asked takes it, and is put through.
    pub fn accept(&mut self, second: u64, interaction: InteractionId) -> AssignmentId {
        let offer = self.offer(interaction);
        let Answer::Accepted { assignment, .. } = self.ask(second, Command::Accept { offer }) else {
            panic!("an accept is answered by an assignment")
        };
        self.ask(second, Command::Connected { interaction });
        assignment
    }

    pub fn offer(&self, interaction: InteractionId) -> OfferId {
        let of = |stamped: &Stamped| match stamped.event {
            Event::Offered { offer, interaction: of, .. } if of == interaction => Some(offer),
            _ => None,
        };
        self.journal.iter().rev().find_map(of).expect("it is being offered")
    }

    pub fn complete(&mut self, second: u64, assignment: AssignmentId) {
        self.ask(second, Command::Complete { assignment, disposition: "".into(), solved: None });
    }

    /// The agent hands the customer to a queue, and leaves at once.
    pub fn transfer(&mut self, second: u64, assignment: AssignmentId, queue: QueueKey) {
        let facts = Facts::default();
        let plan = self.rules.plan(self.shard.floor(), &Asked::plain(Channel::Voice, queue, &facts));
        let target = Target::Line { plan: plan.into(), agent: None };
        self.ask(second, Command::Transfer { assignment, target, handover: Handover::Blind });
    }

    /// So many seconds from nine on.
    pub fn recorded(&self, seconds: u64) -> Recorded {
        Recorded::from_events(&self.journal, NINE, NINE.after(seconds * 1_000)).expect("a period with calls")
    }
}
