//! Who served a customer last, by name in their history, as an agent of this floor. Asked only where the rules would
//! wait for that agent, and never for longer than the look-up of the customer may take in all.

use crate::customers::{CustomerId, Customers, Filter, History};
use crate::engine::floor::Floor;
use crate::engine::ids::AgentKey;
use crate::engine::time::Time;
use crate::rules::Served;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// So many entries of a history are looked through, the newest first.
const ENTRIES_MAX: usize = 20;

/// The agent who answered the newest contact that was answered up to an event, if they still work here.
pub async fn last_agent(
    customers: &Customers,
    floor: &Floor,
    customer: CustomerId,
    upto: u64,
    now: Time,
    deadline: Instant,
) -> Option<Served> {
    let (reply, answer) = oneshot::channel();
    let store = customers.clone();
    customers.wait_applied(upto, move |_| {
        // What a store that fails had written before is better than nothing.
        let which = History { id: customer, filter: Filter::default(), after: None, limit: ENTRIES_MAX };
        store.history(which, move |page| {
            // Whoever asked may have gone.
            let _ = reply.send(page);
        });
    });
    let Ok(Ok(Ok(page))) = timeout_at(deadline, answer).await else {
        crate::observe::customer_late("last_agent");
        return None;
    };
    let mut contacts = page?.entries.into_iter().filter_map(|entry| Some((entry.time_ms, entry.contact?)));
    let (time_ms, answered) = contacts.find(|(_, contact)| !contact.agent.is_empty())?;
    let agent = floor.agents.key(&answered.agent).map(AgentKey)?;
    Some(Served { agent, ago_ms: now.since(Time(time_ms.max(0).unsigned_abs())) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::{
        Address, AddressKind, Change, MemoryStore, Opened, Outcome, Projected, Projection, Resolved,
    };
    use crate::engine::command::{Command, Write};
    use crate::engine::floor::{AgentSpec, Definition};
    use crate::engine::ids::PoolKey;
    use crate::engine::policy::PoolSpec;
    use crate::engine::shard::Shard;
    use std::time::Duration;

    /// Ana and Bo.
    fn floor() -> Shard {
        let mut shard = Shard::new();
        let agent = |name: &str| Definition::Agent(AgentSpec::plain(name.into(), PoolKey(0), Vec::new()));
        let main = Definition::Pool(PoolSpec::plain("Main".into()).into());
        for (name, definition) in [("main", main), ("ana", agent("ana")), ("bo", agent("bo"))] {
            let command = Command::Define { name: name.into(), definition, write: Write::Create };
            shard.step(shard.now(), command, &mut Vec::new()).expect("it suits the floor");
        }
        shard
    }

    /// A customer who was served by these one after the other; nobody answered where there is no name.
    async fn customer_served_by(customers: &Customers, agents: &[&str]) -> CustomerId {
        let address = Address::parse(AddressKind::Phone, "+14155550100").expect("a phone number");
        let (reply, answer) = oneshot::channel();
        customers.resolve(address, None, 1_000, move |resolved| drop(reply.send(resolved)));
        let Resolved { customer, .. } = answer.await.expect("an answer").expect("the store works");
        let mut changes = Vec::new();
        for (interaction, agent) in (1..).zip(agents) {
            let (queue, intent, message) = ("sales".into(), String::new(), String::new());
            let matter = String::new();
            let opened = Opened { customer, interaction, channel: 4, queue, intent, matter, message };
            changes.push(Change::Opened(opened));
            if !agent.is_empty() {
                changes.push(Change::Answered { interaction, agent: (*agent).into(), wait_ms: 10 });
            }
            let (outcome, disposition) = (Outcome::Served, String::new());
            changes.push(Change::Closed { interaction, outcome, disposition, wait_ms: None });
        }
        let upto = u64::try_from(changes.len()).expect("a few");
        let events = (1..).zip(changes).map(|(sequence, change)| {
            let time_ms = i64::try_from(sequence).expect("a few");
            Projected { sequence, time_ms, change }
        });
        let stretch = Projection { after: 0, upto, events: events.collect() };
        assert!(customers.project(stretch).is_ok(), "the store takes it");
        let (reply, applied) = oneshot::channel();
        customers.wait_applied(upto, move |result| drop(reply.send(result)));
        applied.await.expect("an answer").expect("the store works");
        customer
    }

    async fn last_of(agents: &[&str]) -> Option<AgentKey> {
        let customers = Customers::start(Box::new(MemoryStore::new())).expect("a store in memory");
        let customer = customer_served_by(&customers, agents).await;
        let deadline = Instant::now() + Duration::from_secs(60);
        let last = last_agent(&customers, floor().floor(), customer, 0, Time(10), deadline).await;
        last.map(|served| served.agent)
    }

    #[tokio::test]
    async fn the_last_agent_is_who_answered_the_newest_contact_that_was_answered() {
        assert_eq!(last_of(&["ana", "bo"]).await, Some(AgentKey(1)));
        assert_eq!(last_of(&["ana", ""]).await, Some(AgentKey(0)), "nobody answered the newest");
        assert_eq!(last_of(&[]).await, None);
        assert_eq!(last_of(&["ana", "gone"]).await, None, "who left is not replaced by the one before");
    }
}
