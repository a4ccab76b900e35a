//! The plans of the sample, taken through the engine: it accepts them, and they lead where the document says.

use super::bank::{Bank, SAMPLE, rules};
use crate::engine::agent::Presence;
use crate::engine::channel::Channel;
use crate::engine::command::{Command, Submit};
use crate::engine::event::EndedBy;
use crate::engine::floor::{AgentSpec, Definition};
use crate::engine::ids::{AgentKey, InteractionId, PoolKey, SessionId};
use crate::engine::interaction::State;
use crate::engine::plan::Facts;
use crate::engine::time::Time;

const CALL: InteractionId = InteractionId(1);

impl Bank {
    fn at(&mut self, now: Time, command: Command) {
        self.0.step(now, command, &mut Vec::new()).expect("it suits the state");
    }

    /// An agent without skills and groups, ready for work.
    fn cleo_comes(&mut self) {
        self.define("cleo", Definition::Agent(AgentSpec::plain("Cleo".into(), PoolKey(0), Vec::new())));
        let (agent, now) = (AgentKey(0), self.0.now());
        self.at(now, Command::OpenSession { agent, session: SessionId(1) });
        let (presence, reason) = (Presence::Available, "".into());
        self.at(now, Command::SetPresence { agent, presence, reason, by: EndedBy::Agent });
    }

    fn calls(&mut self, queue: &str) {
        let plan = self.plan(&rules(SAMPLE), Channel::Task, queue);
        let submit = Submit {
            keys: [Some(1), None],
            content: 1,
            source: "crm".into(),
            external_id: "c1".into(),
            channel: Channel::Task,
            facts: Facts::default(),
            plan: plan.into(),
        };
        let now = self.0.now();
        self.at(now, Command::Submit(Box::new(submit)));
    }

    /// Where it is, after so many seconds.
    fn after(&mut self, seconds: u64) -> (State, String) {
        self.at(self.0.now().after(seconds * 1_000), Command::Tick);
        let call = self.0.interaction(CALL).expect("it is remembered");
        let key = u32::from(call.queue().0);
        let name = self.0.floor().queues.get(key).expect("its queue is there").name.to_string();
        (call.state, name)
    }
}

#[test]
fn with_nobody_there_a_loan_waits_and_then_is_called_back() {
    let mut bank = Bank::new();
    bank.calls("loans");
    assert_eq!(bank.after(479), (State::Waiting, "loans".into()));
    let promised = |bank: &Bank| bank.0.interaction(CALL).is_some_and(|call| call.callback().is_some());
    assert!(!promised(&bank));
    assert_eq!(bank.after(2), (State::Waiting, "loans".into()));
    assert!(promised(&bank), "within two hours, and it may be served before");
}

#[test]
fn with_nobody_for_loans_but_somebody_at_general_it_overflows() {
    let mut bank = Bank::new();
    bank.cleo_comes();
    bank.calls("loans");
    assert_eq!(bank.after(0), (State::Offered, "general".into()));
}

#[test]
fn a_lost_card_goes_to_general_as_soon_as_somebody_is_there_after_its_last_step() {
    let mut bank = Bank::new();
    bank.calls("cards-lost");
    assert_eq!(bank.after(170), (State::Waiting, "cards-lost".into()));
    bank.cleo_comes();
    assert_eq!(bank.after(9), (State::Waiting, "cards-lost".into()));
    assert_eq!(bank.after(2), (State::Offered, "general".into()));
}
