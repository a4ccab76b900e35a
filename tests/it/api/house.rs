//! One shard of a tenant on a folder, without a server: snapshots are written when a test says so, and it ends as a kill
//! or a stop would end it.

use baton::customers::{CustomerStore, Customers, MemoryStore, SqliteStore};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Command, Submit, Write};
use baton::engine::event::Stamped;
use baton::engine::floor::{AgentSpec, Definition, QueueSpec};
use baton::engine::ids::{InteractionId, PoolKey, QueueKey, Sequence};
use baton::engine::plan::{Facts, Goals, Plan};
use baton::engine::route::Route;
use baton::journal::{Erasure, Erasures, Journal, Limits, Past, Snapshots, Sqlite, recover};
use baton::rulebook::Rulebook;
use baton::runtime::inbox::AskError;
use baton::runtime::payload::{Payload, Secret, Speaker};
use baton::runtime::snapshotting::Keeping;
use baton::runtime::start::{Beside, Running, StartError, start};
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// As a server calls the only one.
pub const TENANT: &str = "default";

/// What the archive keeps: everything.
pub const LIMITS: Limits = Limits { days: 400, bytes: 1 << 40 };

/// A tenant's folder and store, which outlive the processes that work on them.
pub struct House {
    /// The data folder.
    pub data: TempDir,
    pub store: Store,
    pub erasures: Vec<Erasure>,
    /// Writes snapshots; a thread does if there is none.
    pub program: Option<PathBuf>,
}

/// Where customers are.
pub enum Store {
    Memory(MemoryStore),
    /// In the folder of the tenant.
    File,
}

/// A shard of it that runs.
pub struct Shard {
    pub running: Running,
    customers: Customers,
}

impl House {
    pub fn new() -> House {
        House::at(tempfile::tempdir().expect("a temporary folder"), Store::Memory(MemoryStore::new()))
    }

    /// With all files that a server has.
    pub fn full() -> House {
        let house = House::at(tempfile::tempdir().expect("a temporary folder"), Store::File);
        Rulebook::open(&house.dir(), TENANT).expect("new");
        Erasures::open(&house.dir(), TENANT).expect("new");
        house
    }

    /// On what lies there.
    pub fn at(data: TempDir, store: Store) -> House {
        House { data, store, erasures: Vec::new(), program: None }
    }

    /// The folder of the tenant.
    pub fn dir(&self) -> PathBuf {
        self.data.path().join("tenants").join(TENANT)
    }

    pub fn try_start(&self) -> Result<Shard, StartError> {
        let folder = self.dir();
        let journal = Sqlite::open(&folder, TENANT).expect("nobody else has it");
        let store: Box<dyn CustomerStore> = match &self.store {
            Store::Memory(store) => Box::new(store.clone()),
            Store::File => Box::new(SqliteStore::open(&folder).expect("nobody else has it")),
        };
        let customers = Customers::start(store).expect("it can be read");
        let program = self.program.clone();
        let keeping = Keeping { folder, snapshot_events: u64::MAX, program, limits: LIMITS };
        let beside = Beside { keeping: Some(keeping), ..Beside::default() };
        let running = start(Box::new(journal), customers.clone(), &self.erasures, 1, true, TENANT, beside)?;
        Ok(Shard { running, customers })
    }

    pub fn start(&self) -> Shard {
        self.try_start().expect("it can start")
    }

    pub fn snapshots(&self) -> Vec<(u64, PathBuf)> {
        Snapshots::of(&self.dir()).list().expect("readable")
    }

    /// Where the journal begins and ends.
    pub fn journal(&self) -> (u64, u64) {
        let journal = Sqlite::open(&self.dir(), TENANT).expect("nobody else has it");
        (journal.first_sequence(), journal.last_sequence())
    }

    /// The state by the events alone, from the first.
    pub fn told(&self) -> u64 {
        let past = Past::open(&self.dir()).expect("it is there");
        let mut last = 0;
        let each = |_: &_, stamped: &Stamped, _: Option<&[u8]>| {
            assert_eq!(stamped.sequence.0, last + 1, "none is missing, none comes twice");
            last = stamped.sequence.0;
        };
        recover(|visit| past.read(1, visit), Sequence(u64::MAX), each)
            .expect("all of it can be read")
            .digest()
    }
}

impl Shard {
    pub async fn ask(&self, command: Command, secret: Option<Secret>) -> Answer {
        self.running.handle.ask(command, secret).await.expect("nothing stands against it").value
    }

    /// A queue, and an agent who is not here.
    pub async fn furnish(&self) {
        let queue = Definition::Queue(QueueSpec::plain("Sales".into(), PoolKey(0), Vec::new()));
        let agent = Definition::Agent(AgentSpec::plain("Ana".into(), PoolKey(0), Vec::new()));
        for (name, definition) in [("sales", queue), ("ana", agent)] {
            self.ask(Command::Define { name: name.into(), definition, write: Write::Create }, None).await;
        }
    }

    /// One who comes, with something personal.
    pub async fn comes(&self, number: u32) -> InteractionId {
        let key = u128::from(number) + 1;
        let submit = Submit {
            keys: [Some(key), None],
            content: key,
            source: "widget".into(),
            external_id: number.to_string().into(),
            channel: Channel::Chat,
            facts: Facts::default(),
            plan: Plan::plain(1, Route::plain(QueueKey(0), Vec::new()), 0, Goals::plain()).into(),
        };
        let payload = Payload { message: format!("I am {number}"), ..Payload::default() };
        let answer = loop {
            let (submit, secret) = (submit.clone(), Secret::payload(payload.clone(), key));
            match self.running.handle.ask(Command::Submit(submit.into()), Some(secret)).await {
                // The machine is busy with other tests: asked again, as any source would.
                Err(AskError::Delayed { .. }) => tokio::task::yield_now().await,
                answer => break answer.expect("nothing stands against it").value,
            }
        };
        let Answer::Admitted { interaction, .. } = answer else { panic!("it is admitted") };
        interaction
    }

    pub async fn writes(&self, interaction: InteractionId, text: &str) {
        let key = self.running.payloads.get(&interaction).expect("it is open").key.clone();
        let said = Secret::said(interaction, Speaker::Customer, text, &key);
        self.ask(Command::Wrote { interaction }, Some(said)).await;
    }

    pub fn said_of(&self, interaction: InteractionId) -> Vec<String> {
        let held = self.running.payloads.get(&interaction).expect("it is open");
        let said = held.said.iter().map(|(_, said)| said.text.clone());
        std::iter::once(held.payload.message.clone()).chain(said).collect()
    }

    pub async fn digest(&self) -> u64 {
        self.running.handle.read(|shard| shard.digest()).await.expect("it runs").value
    }

    /// Waits until the histories hold everything: a snapshot is no newer than they are.
    pub async fn settled(&self) -> u64 {
        let sequence = self.running.handle.read(|_| ()).await.expect("it runs").sequence.0;
        let (reply, answer) = oneshot::channel();
        self.customers.wait_applied(sequence, move |applied| drop(reply.send(applied)));
        answer.await.expect("an answer").expect("memory cannot fail");
        sequence
    }

    /// A snapshot of everything so far.
    pub async fn snapshot(&self) {
        self.settled().await;
        self.running.snapshots.as_ref().expect("it keeps some").write_now();
    }

    /// As a kill would: nothing more is written.
    pub async fn ends(self) {
        self.settled().await;
        self.running.handle.stop();
        self.running.thread.join().expect("no panic").expect("nothing fails");
        std::mem::forget(self.running.snapshots);
    }

    /// Told to stop, with time for a last snapshot.
    pub async fn stops(self) {
        self.settled().await;
        self.running.handle.stop();
        self.running.thread.join().expect("no panic").expect("nothing fails");
        self.running.snapshots.expect("it keeps some").end();
    }
}

/// A house that has run for long: its journal has let go what lies in the archive, and has two snapshots.
pub async fn lived(house: House) -> House {
    let shard = house.start();
    shard.furnish().await;
    for number in 0..20 {
        shard.comes(number).await;
        if number % 4 == 0 {
            shard.snapshot().await;
        }
    }
    shard.ends().await;
    let (first, last) = house.journal();
    assert!(first > 1 && last > first, "{first} to {last}");
    house
}
