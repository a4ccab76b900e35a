//! A platform and its customers: they come, wait, hang up, write, and want to be called back. The platform submits,
//! connects, and learns by its stream how its interactions are.

use super::dice::Dice;
use super::drawn::not_before;
use super::streams::Notice;
use super::world::{START, StreamId, Who, World};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Command, Leaving, Refusal, Submit, Window};
use baton::engine::event::ConnectFailure;
use baton::engine::ids::{CustomerId, InteractionId, SessionId, Text};
use baton::engine::interaction::State;
use baton::engine::journey::Journey;
use baton::engine::outcome::Connection;
use baton::engine::plan::{Facts, Plan};
use baton::engine::shard::Shard;
use baton::engine::time::Time;
use std::collections::BTreeMap;

/// What a customer does next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    Arrive,
    /// Patience is over.
    Leave,
    /// Goes whatever the state.
    GoHome,
    CallMeBack,
    /// Writes, or leaves, while the conversation is parked.
    Write,
    /// The platform has rung them.
    Connect,
    /// Who it is was found out.
    Known,
}

/// An interaction as its platform is told of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    pub id: InteractionId,
    pub source: Text,
    external: Text,
    pub state: State,
    /// The customer may write.
    pub parked: bool,
    /// The platform is to connect them.
    to_connect: bool,
    sequence_of_assignment: Option<u64>,
}

impl View {
    pub fn of(shard: &Shard, id: InteractionId) -> Option<View> {
        let subject = shard.interaction(id)?;
        let owner = subject.owner.and_then(|owner| shard.assignment(owner));
        Some(View {
            id,
            source: subject.source.clone(),
            external: subject.external_id.clone(),
            state: subject.state,
            parked: subject.state == State::Parked && subject.owner.is_none(),
            to_connect: owner.is_some_and(|part| part.connection == Connection::Pending),
            sequence_of_assignment: subject.owner.map(|owner| owner.0),
        })
    }
}

struct Customer {
    external: Text,
    submit: Box<Submit>,
    interaction: Option<InteractionId>,
    gone: bool,
}

pub struct Platform {
    number: usize,
    pub source: Text,
    pub stream: Option<StreamId>,
    connected: bool,
    /// What is not over, as far as it was told.
    pub open: BTreeMap<InteractionId, View>,
    customers: Vec<Customer>,
    mean_ms: u64,
}

impl Platform {
    pub fn new(number: usize, traffic_until: Time, dice: &mut Dice) -> Platform {
        Platform {
            number,
            source: ["pbx", "web"][number].into(),
            stream: None,
            connected: false,
            open: BTreeMap::new(),
            customers: Vec::new(),
            mean_ms: traffic_until.since(START) / if dice.percent(4) { 40 } else { dice.between(3, 11) },
        }
    }
}

impl World {
    pub fn open_platform(&mut self, number: usize) {
        self.plan_reconnect(number, 100);
        self.plan_customer(number, 0, Step::Arrive, 3_000);
    }

    pub fn some_plan(&mut self) -> Plan {
        self.dice.pick(&self.drawn.plans)
    }

    pub fn platform_connects(&mut self, number: usize) {
        let platform = &mut self.platforms[number];
        if platform.connected {
            return;
        }
        if let Some(stream) = platform.stream.take() {
            self.abandoned_stream(Who::Platform(number), stream);
        }
        let stream = self.new_stream_id();
        self.platforms[number].stream = Some(stream);
        self.ask_to_follow(Who::Platform(number), stream, SessionId(0), None);
        self.plan_reconnect(number, 12_000);
    }

    pub fn platform_is_cut(&mut self, number: usize) {
        let platform = &mut self.platforms[number];
        (platform.stream, platform.connected) = (None, false);
        let after_ms = if self.calm { 100 } else { self.dice.pick(&[100, 1_000, 30_000]) };
        self.plan_reconnect(number, after_ms);
    }

    /// Nobody new comes; who can be dealt with is.
    pub fn platform_calms(&mut self, number: usize) {
        if !self.platforms[number].connected {
            self.plan_reconnect(number, 100);
        }
        let views: Vec<View> = self.platforms[number].open.values().cloned().collect();
        for view in views {
            self.platform_acts(number, &view);
        }
    }

    pub fn platform_hears(&mut self, number: usize, notice: Notice) {
        self.platforms[number].connected = true;
        match notice {
            Notice::Listed(views) => {
                self.platforms[number].open.clear();
                for view in views {
                    self.platform_sees(number, view);
                }
            }
            Notice::View(view) => self.platform_sees(number, view),
            Notice::Snapshot(..) | Notice::Event(_) | Notice::UpTo(_) | Notice::End => {
                panic!("that is not for platforms")
            }
        }
    }

    fn platform_sees(&mut self, number: usize, view: View) {
        let platform = &mut self.platforms[number];
        if view.state.is_over() {
            platform.open.remove(&view.id);
            return;
        }
        let before = platform.open.insert(view.id, view.clone());
        if before.is_none_or(|before| before != view) {
            self.platform_acts(number, &view);
        }
    }

    fn customer_of(&self, number: usize, external: &Text) -> usize {
        let found = self.platforms[number].customers.iter().position(|one| one.external == *external);
        found.expect("only its own customers are told to a platform")
    }

    fn platform_acts(&mut self, number: usize, view: &View) {
        let customer = self.customer_of(number, &view.external);
        self.platforms[number].customers[customer].interaction.get_or_insert(view.id);
        if view.parked {
            let after_ms = self.dice.between(500, 60_000);
            self.plan_customer(number, customer, Step::Write, after_ms);
        } else if view.to_connect {
            let after_ms = self.dice.between(200, 12_000);
            self.plan_customer(number, customer, Step::Connect, after_ms);
        } else if self.platforms[number].customers[customer].gone {
            self.plan_customer(number, customer, Step::GoHome, 100);
        }
    }

    pub fn customer_does(&mut self, number: usize, customer: usize, step: Step) {
        if step == Step::Arrive {
            return self.customer_arrives(number);
        }
        let Some(interaction) = self.platforms[number].customers[customer].interaction else { return };
        let view = self.platforms[number].open.get(&interaction);
        let (parked, to_connect) = view.map_or((false, false), |view| (view.parked, view.to_connect));
        let who = Who::Platform(number);
        match step {
            Step::Arrive => {}
            Step::Leave if self.calm => {}
            Step::Leave | Step::GoHome => {
                self.platforms[number].customers[customer].gone = true;
                let leaving =
                    self.dice.pick(&[Leaving::CustomerLeft, Leaving::CustomerLeft, Leaving::Withdrawn]);
                self.send(who, Command::Cancel { interaction, leaving });
            }
            Step::CallMeBack if self.calm => {}
            Step::CallMeBack => {
                let from = self.now.after(self.dice.below(120_000));
                let window = Window { from, until: from.after(self.dice.between(1_000, 300_000)) };
                let channel = Channel::Voice;
                self.send(who, Command::RequestCallback { interaction, channel, window });
            }
            Step::Write if parked => {
                let command = if self.dice.percent(65) {
                    Command::Resume { interaction }
                } else {
                    Command::Cancel { interaction, leaving: Leaving::CustomerLeft }
                };
                self.send(who, command);
            }
            Step::Connect if to_connect => {
                let roll = if self.calm { 0 } else { self.dice.below(100) };
                match roll {
                    0..75 => {
                        self.send(who, Command::Connected { interaction });
                    }
                    75..92 => {
                        let cause = self.dice.pick(&[
                            ConnectFailure::AgentNoAnswer,
                            ConnectFailure::AgentBusy,
                            ConnectFailure::CustomerGone,
                            ConnectFailure::CustomerNoAnswer,
                            ConnectFailure::Network,
                        ]);
                        self.send(who, Command::ConnectFailed { interaction, cause });
                    }
                    _ => {}
                }
            }
            Step::Write | Step::Connect => {}
            Step::Known => {
                let customer = CustomerId(self.dice.between(1, 8));
                let journey = Some(Journey { about_within: 1, ..Journey::default() }.into());
                self.send(who, Command::Identify { interaction, customer, journey });
                // Planned again with that, if nobody was offered it in the meantime.
                if self.dice.percent(50) {
                    let plan = self.some_plan().into();
                    self.send(who, Command::Replan { interaction, plan, replaces: 0, circumstances: None });
                }
            }
        }
    }

    fn customer_arrives(&mut self, number: usize) {
        if self.calm || self.now >= self.traffic_until {
            return;
        }
        let submit = Box::new(self.submit(number));
        let external = submit.external_id.clone();
        let customer = Customer { external, submit: submit.clone(), interaction: None, gone: false };
        self.platforms[number].customers.push(customer);
        self.send(Who::Platform(number), Command::Submit(submit));
        let mean_ms = self.platforms[number].mean_ms;
        let next_ms = if self.dice.percent(15) { 1 } else { self.dice.between(100, 2 * mean_ms) };
        self.plan_customer(number, 0, Step::Arrive, next_ms);
    }

    fn submit(&mut self, number: usize) -> Submit {
        let platform = &self.platforms[number];
        let external: Text = format!("{}-{}", platform.source, platform.customers.len()).into();
        let key = (u128::from(platform.number as u64 + 1) << 64) + platform.customers.len() as u128;
        let source = platform.source.clone();
        let channels = [Channel::Voice, Channel::Voice, Channel::Chat, Channel::Message, Channel::Email];
        let channel =
            if self.dice.percent(85) { self.dice.pick(&channels) } else { self.dice.pick(&Channel::ALL) };
        let customer = self.dice.percent(60).then(|| CustomerId(self.dice.between(1, 8)));
        Submit {
            keys: [Some(key), self.dice.percent(50).then_some(key | 1 << 100)],
            content: key,
            source,
            external_id: external,
            channel,
            facts: Facts {
                customer,
                not_before: not_before(self.now, &mut self.dice),
                matter: self.dice.pick(&["", "bill", "bill", "move"]).into(),
                ..Facts::default()
            },
            plan: self.some_plan().into(),
        }
    }

    pub fn platform_hears_answer(
        &mut self,
        number: usize,
        command: &Command,
        answer: &Result<Answer, Refusal>,
    ) {
        let Command::Submit(submit) = command else { return };
        let at = self.customer_of(number, &submit.external_id);
        let customer = &mut self.platforms[number].customers[at];
        assert_eq!(*customer.submit, **submit, "repeated as it was");
        match answer {
            Ok(Answer::Admitted { interaction, .. } | Answer::Attached { interaction }) => {
                customer.interaction = Some(*interaction);
                let after_ms = self.dice.between(2_000, 400_000);
                if self.dice.percent(45) {
                    self.plan_customer(number, at, Step::Leave, after_ms);
                } else if self.dice.percent(20) {
                    self.plan_customer(number, at, Step::CallMeBack, after_ms / 4);
                }
                if self.dice.percent(15) {
                    self.plan_customer(number, at, Step::Known, 300);
                }
            }
            // Turned away. Should another copy have been admitted, it is withdrawn when that is told.
            _ => customer.gone = true,
        }
    }

    /// Whoever is still there goes home.
    pub fn send_everybody_home(&mut self) {
        self.say(|| "whoever still waits goes home".to_owned());
        for number in 0..self.platforms.len() {
            let open: Vec<InteractionId> = self.platforms[number].open.keys().copied().collect();
            for interaction in open {
                // Who is promised a call has hung up already: the promise is taken back.
                let leave = Command::Cancel { interaction, leaving: Leaving::Withdrawn };
                self.send(Who::Platform(number), leave);
            }
        }
    }
}
