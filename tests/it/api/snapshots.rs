//! Snapshots and the archive: a start from a snapshot is the start from the first event; what is damaged, foreign or gone is
//! passed over or refused by name; and what the journal lets go is still told.

use baton::customers::{Customers, MemoryStore};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Command, Submit, Write};
use baton::engine::event::{Event, Stamped};
use baton::engine::floor::{AgentSpec, Definition, QueueSpec};
use baton::engine::ids::{InteractionId, PoolKey, QueueKey, Sequence};
use baton::engine::plan::{Facts, Goals, Plan};
use baton::engine::route::Route;
use baton::journal::{Archive, Erasure, Journal, Limits, Past, Snapshots, Sqlite, recover, state_after};
use baton::runtime::payload::{Payload, Secret, Speaker};
use baton::runtime::snapshotting::Keeping;
use baton::runtime::start::{Beside, Running, StartError, start};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A tenant's folder and store, which outlive the processes that work on them.
struct House {
    folder: TempDir,
    store: MemoryStore,
    erasures: Vec<Erasure>,
}

/// A shard of it that runs.
struct Shard {
    running: Running,
    customers: Customers,
}

impl House {
    fn new() -> House {
        let folder = tempfile::tempdir().expect("a temporary folder");
        House { folder, store: MemoryStore::new(), erasures: Vec::new() }
    }

    fn try_start(&self) -> Result<Shard, StartError> {
        let folder = self.folder.path().to_owned();
        let customers = Customers::start(Box::new(self.store.clone())).expect("memory cannot fail");
        let journal = Sqlite::open(&folder, "t").expect("nobody else has it");
        let limits = Limits { days: 400, bytes: 1 << 40 };
        let keeping = Keeping { folder, snapshot_events: u64::MAX, limits };
        let beside = Beside { keeping: Some(keeping), ..Beside::default() };
        let running = start(Box::new(journal), customers.clone(), &self.erasures, 1, true, "t", beside)?;
        Ok(Shard { running, customers })
    }

    fn start(&self) -> Shard {
        self.try_start().expect("it can start")
    }

    fn snapshots(&self) -> Vec<(u64, PathBuf)> {
        Snapshots::of(self.folder.path()).list().expect("readable")
    }

    /// Where the journal begins and ends.
    fn journal(&self) -> (u64, u64) {
        let journal = Sqlite::open(self.folder.path(), "t").expect("nobody else has it");
        (journal.first_sequence(), journal.last_sequence())
    }

    /// The state by the events alone, from the first.
    fn told(&self) -> u64 {
        let past = Past::open(self.folder.path()).expect("it is there");
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
    async fn ask(&self, command: Command, secret: Option<Secret>) -> Answer {
        self.running.handle.ask(command, secret).await.expect("nothing stands against it").value
    }

    /// A queue, and an agent who is not here.
    async fn furnish(&self) {
        let queue = Definition::Queue(QueueSpec::plain("Sales".into(), PoolKey(0), Vec::new()));
        let agent = Definition::Agent(AgentSpec::plain("Ana".into(), PoolKey(0), Vec::new()));
        for (name, definition) in [("sales", queue), ("ana", agent)] {
            self.ask(Command::Define { name: name.into(), definition, write: Write::Create }, None).await;
        }
    }

    /// One who comes, with something personal.
    async fn comes(&self, number: u32) -> InteractionId {
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
        let secret = Secret::payload(payload, key);
        let Answer::Admitted { interaction, .. } =
            self.ask(Command::Submit(Box::new(submit)), Some(secret)).await
        else {
            panic!("it is admitted");
        };
        interaction
    }

    async fn writes(&self, interaction: InteractionId, text: &str) {
        let key = self.running.payloads.get(&interaction).expect("it is open").key.clone();
        let said = Secret::said(interaction, Speaker::Customer, text, &key);
        self.ask(Command::Wrote { interaction }, Some(said)).await;
    }

    fn said_of(&self, interaction: InteractionId) -> Vec<String> {
        let held = self.running.payloads.get(&interaction).expect("it is open");
        let said = held.said.iter().map(|(_, said)| said.text.clone());
        std::iter::once(held.payload.message.clone()).chain(said).collect()
    }

    async fn digest(&self) -> u64 {
        self.running.handle.read(|shard| shard.digest()).await.expect("it runs").value
    }

    /// Waits until the histories hold everything: a snapshot is no newer than they are.
    async fn settled(&self) -> u64 {
        let sequence = self.running.handle.read(|_| ()).await.expect("it runs").sequence.0;
        let (reply, answer) = oneshot::channel();
        self.customers.wait_applied(sequence, move |applied| drop(reply.send(applied)));
        answer.await.expect("an answer").expect("memory cannot fail");
        sequence
    }

    /// A snapshot of everything so far.
    async fn snapshot(&self) {
        self.settled().await;
        self.running.snapshots.as_ref().expect("it keeps some").write_now();
    }

    /// As a kill would: nothing more is written.
    async fn ends(self) {
        self.settled().await;
        self.running.handle.stop();
        self.running.thread.join().expect("no panic").expect("nothing fails");
        std::mem::forget(self.running.snapshots);
    }

    /// Told to stop, with time for a last snapshot.
    async fn stops(self) {
        self.settled().await;
        self.running.handle.stop();
        self.running.thread.join().expect("no panic").expect("nothing fails");
        self.running.snapshots.expect("it keeps some").end();
    }
}

#[tokio::test]
async fn a_start_from_a_snapshot_is_the_start_from_the_first_event() {
    let house = House::new();
    let shard = house.start();
    shard.furnish().await;
    let first = shard.comes(1).await;
    shard.writes(first, "still here").await;
    shard.snapshot().await;
    let second = shard.comes(2).await;
    shard.writes(first, "hello?").await;
    shard.ends().await;
    assert_eq!(house.snapshots().len(), 1);

    let shard = house.start();
    assert_eq!(shard.digest().await, house.told());
    assert_eq!(shard.said_of(first), ["I am 1", "still here", "hello?"]);
    assert_eq!(shard.said_of(second), ["I am 2"]);
    assert_eq!(shard.comes(2).await, second, "who repeats is recognised");
    shard.stops().await;
    let (_, last) = house.journal();
    assert_eq!(house.snapshots().last().expect("one more").0, last, "a stop writes a last one");
}

#[tokio::test]
async fn a_damaged_snapshot_is_passed_over_for_the_one_before_and_then_for_the_events() {
    let house = House::new();
    let shard = house.start();
    shard.furnish().await;
    let one = shard.comes(1).await;
    shard.snapshot().await;
    shard.comes(2).await;
    shard.snapshot().await;
    shard.comes(3).await;
    shard.ends().await;
    let whole = house.told();
    for (sequence, path) in house.snapshots().into_iter().rev() {
        let mut bytes = fs::read(&path).expect("readable");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).expect("written");
        let again = state_after(house.folder.path(), Sequence(sequence + 1)).expect("it is passed over");
        assert_eq!(again.sequence(), Sequence(sequence + 1));
        let shard = house.start();
        assert_eq!(shard.said_of(one), ["I am 1"]);
        shard.ends().await;
    }
    assert_ne!(house.told(), whole, "the restarts are events");
}

#[tokio::test]
async fn what_the_journal_lets_go_is_in_the_archive_and_nothing_is_missing() {
    let house = House::new();
    let shard = house.start();
    shard.furnish().await;
    let one = shard.comes(0).await;
    for number in 1..40 {
        shard.comes(number).await;
        if number % 8 == 0 {
            shard.snapshot().await;
        }
    }
    shard.ends().await;
    let (first, last) = house.journal();
    assert!(first > 1, "it lets go what recovery does not need");
    assert_eq!(house.snapshots().len(), 2);
    assert_eq!(Archive::of(house.folder.path()).first().expect("readable"), Some(1));
    let told = house.told();

    // Any moment of it can be looked at.
    for upto in [1, 5, first - 1, first, last] {
        let shard = state_after(house.folder.path(), Sequence(upto)).expect("it is kept");
        assert_eq!(shard.sequence(), Sequence(upto));
    }
    let again = state_after(house.folder.path(), Sequence(last)).expect("it is kept");
    assert_eq!(again.digest(), told);

    // Without any snapshot there is the archive, without both a refusal.
    house.snapshots().iter().for_each(|(_, path)| fs::remove_file(path).expect("removed"));
    let shard = house.start();
    assert_eq!(shard.said_of(one), ["I am 0"]);
    shard.ends().await;
    fs::remove_dir_all(house.folder.path().join("archive")).expect("removed");
    let refused = house.try_start().err().expect("nothing to begin with").to_string();
    assert!(refused.contains("event 1 is not kept any more"), "{refused}");
}

#[tokio::test]
async fn a_snapshot_of_another_journal_is_not_begun_with() {
    let house = House::new();
    let shard = house.start();
    shard.furnish().await;
    shard.comes(1).await;
    shard.ends().await;
    let copied = ["journal.db", "journal.db-wal", "keys.db", "keys.db-wal"];
    let older = tempfile::tempdir().expect("a temporary folder");
    for name in copied.iter().filter(|name| house.folder.path().join(name).exists()) {
        fs::copy(house.folder.path().join(name), older.path().join(name)).expect("copied");
    }
    let shard = house.start();
    for number in 2..9 {
        shard.comes(number).await;
    }
    shard.snapshot().await;
    shard.ends().await;

    // The older journal is put back beside the newer snapshot, and goes another way.
    for name in copied {
        let (from, to) = (older.path().join(name), house.folder.path().join(name));
        match from.exists() {
            true => drop(fs::copy(from, to).expect("put back")),
            false => drop(fs::remove_file(to)),
        }
    }
    let kept = house.snapshots();
    let bytes = fs::read(&kept[0].1).expect("readable");
    let house = House { store: MemoryStore::new(), ..house };
    let shard = house.start();
    assert_eq!(house.snapshots(), [], "one that is newer than the journal goes");
    for number in 20..40 {
        shard.comes(number).await;
    }
    shard.ends().await;
    fs::write(&kept[0].1, bytes).expect("put back too");
    let shard = house.start();
    assert_eq!(shard.digest().await, house.told(), "one of another past is passed over");
    shard.ends().await;
}

#[tokio::test]
async fn who_was_erased_stays_erased_when_older_keys_are_put_back() {
    let mut house = House::new();
    let shard = house.start();
    shard.furnish().await;
    let (gone, stays) = (shard.comes(1).await, shard.comes(2).await);
    shard.snapshot().await;
    shard.ends().await;
    let mut came = 0;
    let past = Past::open(house.folder.path()).expect("it is there");
    let mut look = |record: baton::journal::RecordRef<'_>| {
        if let Ok(Event::Admitted(admitted)) = record.event()
            && admitted.interaction == gone
        {
            came = i64::try_from(record.time_ms).expect("a time");
        }
        std::ops::ControlFlow::Continue(())
    };
    past.read(1, &mut look).expect("readable");
    house.erasures = vec![Erasure { time_ms: 1, customers: Vec::new(), interactions: vec![(gone.0, came)] }];

    let shard = house.start();
    assert!(shard.running.payloads.get(&gone).expect("it is open").erased, "though it began with a snapshot");
    assert_eq!(shard.said_of(stays), ["I am 2"]);
    shard.ends().await;
}
