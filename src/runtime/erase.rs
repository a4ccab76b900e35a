//! Destroying what unwraps the payload of interactions. The driver does it, whose journal it is, between two batches; it is
//! no command of the engine and leaves no event, since nothing that is decided depends on it.

use super::driver::Driver;
use super::inbox::{Ask, AskError, ShardHandle};
use super::payload::{Held, Plain};
use crate::engine::ids::{CustomerId, InteractionId};
use crate::engine::time::Time;
use crate::journal::Fault;
use std::collections::BTreeSet;
use tokio::sync::oneshot;

/// What a shard is asked to destroy.
pub(super) struct Destroying {
    customers: Vec<CustomerId>,
    interactions: Vec<u64>,
    erasure: Option<u64>,
    /// Why they could not be.
    reply: oneshot::Sender<Result<(), String>>,
}

impl ShardHandle {
    /// Destroys the keys of interactions, and lets nothing of these customers in from then on. The answer comes when the keys
    /// are in no file any more. `erasure`: its number, if it is noted as one.
    pub async fn destroy(
        &self,
        customers: Vec<CustomerId>,
        interactions: Vec<u64>,
        erasure: Option<u64>,
    ) -> Result<Result<(), String>, AskError> {
        let (reply, answer) = oneshot::channel();
        self.send(Ask::Destroy(Destroying { customers, interactions, erasure, reply }))?;
        answer.await.map_err(|_| AskError::Stopped)
    }
}

impl Driver {
    /// After a batch: what was asked for, and what was learned to be of somebody forgotten.
    pub(super) fn destroy(&mut self, asked: Vec<Destroying>) -> Result<(), Fault> {
        let mut keys = std::mem::take(&mut self.late);
        if asked.is_empty() && keys.is_empty() {
            return Ok(());
        }
        for Destroying { customers, interactions, .. } in &asked {
            self.forgotten.add(customers.iter().copied());
            let gone: BTreeSet<InteractionId> = interactions.iter().copied().map(InteractionId).collect();
            gone.iter().for_each(|interaction| self.drop_held(*interaction));
            self.outbox.forget_words(&gone);
            keys.extend(interactions);
        }
        let destroyed = match self.journal.destroy_keys(&keys) {
            Ok(()) => Ok(()),
            // Somebody else reads the file. The erasure is noted: it is finished when it is asked for again, or at the next start.
            Err(busy @ Fault::Busy { .. }) => Err(busy.to_string()),
            Err(fault) => return Err(fault),
        };
        match &destroyed {
            Ok(()) => self.note_destroyed(asked.iter().filter_map(|one| one.erasure))?,
            Err(why) => tracing::error!(why, "keys of erased interactions were not destroyed"),
        }
        for Destroying { reply, .. } in asked {
            // Whoever asked may have gone.
            let _ = reply.send(destroyed.clone());
        }
        Ok(())
    }

    /// So the next start need not look for them in all of the past. Beyond one that could not be finished nothing is noted.
    fn note_destroyed(&mut self, erasures: impl Iterator<Item = u64>) -> Result<(), Fault> {
        for number in erasures {
            if self.journal.erasures_seen()? + 1 == number {
                self.journal.note_erasures(number)?;
            }
        }
        Ok(())
    }

    /// Of an interaction that goes on, its payload goes at once, and what was said out of what is kept for those who come
    /// back. What is said from then on reaches those who serve the customer and is kept nowhere else: `step` writes nothing
    /// down that belongs to it.
    pub(super) fn drop_payload(&mut self, interaction: InteractionId) {
        self.drop_held(interaction);
        self.outbox.forget_words(&BTreeSet::from([interaction]));
    }

    fn drop_held(&self, interaction: InteractionId) {
        if let Some(mut held) = self.payloads.get_mut(&interaction) {
            *held = Held::erased();
        }
    }

    /// Holds what was said at hand. True if its customer was erased.
    pub(super) fn hear_said(&self, at: Time, of: Option<InteractionId>, plain: Option<&Plain>) -> bool {
        let (Some(Plain::Said(said)), Some(interaction)) = (plain, of) else { return false };
        let Some(mut held) = self.payloads.get_mut(&interaction) else { return false };
        held.hear(at, said.clone());
        held.erased
    }
}

#[cfg(test)]
mod tests {
    use super::super::payload::{Payload, Secret, Speaker};

    use super::super::start::{Beside, Running, StartError, start};
    use super::*;
    use crate::customers::{Address, AddressKind, Customers, MemoryStore};
    use crate::engine::channel::Channel;
    use crate::engine::command::{Command, Submit, Write};
    use crate::engine::event::Event;
    use crate::engine::floor::{Definition, QueueSpec};
    use crate::engine::ids::{PoolKey, QueueKey};
    use crate::engine::plan::{Facts, Goals, Plan};
    use crate::engine::route::Route;
    use crate::journal::{Erasure, Journal, Sqlite};
    use std::ops::ControlFlow;
    use std::path::Path;

    const ANA: CustomerId = CustomerId(1);

    fn started(folder: &Path, store: &MemoryStore, erasures: &[Erasure]) -> Result<Running, StartError> {
        let customers = Customers::start(Box::new(store.clone())).expect("memory cannot fail");
        let journal = Sqlite::open(folder, "t").expect("the lock is ours");
        start(Box::new(journal), customers, erasures, 1, false, "t", Beside::default())
    }

    /// A store in which somebody has the number 1.
    async fn store_with_ana() -> MemoryStore {
        let store = MemoryStore::new();
        let customers = Customers::start(Box::new(store.clone())).expect("memory cannot fail");
        let address = Address::parse(AddressKind::Phone, "+972501234567").expect("a phone number");
        let (reply, answer) = oneshot::channel();
        customers.resolve(address, None, 7, move |resolved| drop(reply.send(resolved)));
        let resolved = answer.await.expect("an answer").expect("memory cannot fail");
        assert_eq!(resolved.customer.0, ANA.0);
        store
    }

    /// An interaction with a payload.
    async fn admit(running: &Running, key: u128, customer: Option<CustomerId>) -> InteractionId {
        let submit = Submit {
            keys: [Some(key), None],
            content: key,
            source: "pbx".into(),
            external_id: "c".into(),
            channel: Channel::Chat,
            facts: Facts { customer, ..Facts::default() },
            plan: Plan::plain(1, Route::plain(QueueKey(0), Vec::new()), 0, Goals::plain()).into(),
        };
        let payload = Payload { message: "help".into(), ..Payload::default() };
        let secret = Secret::payload(payload, key);
        let seen = running.handle.ask(Command::Submit(Box::new(submit)), Some(secret)).await;
        super::super::told::submitted(&seen.expect("it is taken").value).expect("an interaction")
    }

    fn is_erased(running: &Running, interaction: InteractionId) -> bool {
        let held = running.payloads.get(&interaction).expect("it is open");
        assert_eq!(held.payload.message.is_empty(), held.erased);
        held.erased
    }

    async fn stopped(running: Running) {
        running.handle.stop();
        let ended = tokio::task::spawn_blocking(|| running.thread.join()).await.expect("no panic");
        ended.expect("no panic").expect("nothing fails");
    }

    /// How many events have something sealed beside them, and whether a key is still there.
    fn sealed(folder: &Path) -> (usize, bool) {
        let reader = Sqlite::open_read_only(folder).expect("it is there");
        let (mut count, mut readable) = (0, false);
        let mut visit = |record: crate::journal::RecordRef<'_>| {
            let Some(sealed) = record.sealed else { return ControlFlow::Continue(()) };
            count += 1;
            if let Event::Admitted(admitted) = record.event().expect("an event") {
                let wrapped = super::super::payload::key_before(sealed).expect("it has a key");
                readable |= reader.key(admitted.interaction.0, wrapped).expect("readable").is_some();
            }
            ControlFlow::Continue(())
        };
        reader.read(1, &mut visit).expect("readable");
        (count, readable)
    }

    #[tokio::test]
    async fn an_erasure_is_noted_as_seen_by_the_keys_but_none_behind_one_that_is_not_finished() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = store_with_ana().await;
        let running = started(folder.path(), &store, &[]).expect("a new journal");
        for number in [1, 2, 4] {
            let destroyed = running.handle.destroy(vec![ANA], Vec::new(), Some(number)).await;
            destroyed.expect("it runs").expect("nobody reads");
        }
        stopped(running).await;
        let journal = Sqlite::open(folder.path(), "t").expect("it has ended");
        assert_eq!(journal.erasures_seen().expect("readable"), 2, "the third is to be looked for");
    }

    #[tokio::test]
    async fn what_comes_late_for_somebody_forgotten_is_erased_as_it_comes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = store_with_ana().await;
        let running = started(folder.path(), &store, &[]).expect("a new journal");
        let queue = Definition::Queue(QueueSpec::plain("Sales".into(), PoolKey(0), Vec::new()));
        let define = Command::Define { name: "sales".into(), definition: queue, write: Write::Create };
        running.handle.ask(define, None).await.expect("a new queue");
        let unknown = admit(&running, 1, None).await;
        let key = running.payloads.get(&unknown).expect("it is open").key.clone();
        assert!(!is_erased(&running, unknown));

        running.handle.destroy(vec![ANA], Vec::new(), None).await.expect("it runs").expect("nobody reads");
        let known = admit(&running, 2, Some(ANA)).await;
        assert!(is_erased(&running, known));
        let identify = Command::Identify { interaction: unknown, customer: ANA, journey: None };
        running.handle.ask(identify, None).await.expect("it is open");
        assert!(is_erased(&running, unknown));
        // Sealed before the edge heard of it.
        let said = Secret::said(unknown, Speaker::Customer, "it is me", &key);
        running.handle.ask(Command::Wrote { interaction: unknown }, Some(said)).await.expect("it is open");
        let heard = running.payloads.get(&unknown).expect("it is open").said.len();
        assert_eq!(heard, 1, "who serves her hears her");
        stopped(running).await;
        assert_eq!(sealed(folder.path()), (1, false), "the first payload, and no key of it");

        let erasure = Erasure { time_ms: 9, customers: vec![(ANA.0, 7)], interactions: Vec::new() };
        let running = started(folder.path(), &store, &[erasure]).expect("what is missing was erased");
        assert!(is_erased(&running, unknown) && is_erased(&running, known));
        stopped(running).await;
        let refused = started(folder.path(), &store, &[]).map(|running| running.recovered);
        assert!(matches!(refused, Err(StartError::CustomerUnknown { customer: ANA })), "{refused:?}");
    }
}
