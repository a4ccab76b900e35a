//! Learns on a thread of its own: takes what was seen, tells the engine every ten minutes of its time what has changed, and
//! keeps the forecasts of waits.

use super::clock::Clock;
use super::inbox::{AskError, ShardHandle};
use crate::broken;
use crate::engine::command::Command;
use crate::engine::floor::Floor;
use crate::engine::ids::{PoolKey, QueueKey};
use crate::engine::time::Time;
use crate::learning::{
    Accuracy, Ending, Expectation, Forecasts, Held, Holds, Learner, Lesson, Lifts, Seen, Trials,
};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// What was learned is told so often, ms of engine time.
pub const TELL_MS: u64 = 600_000;
/// The thread looks at the time at least so often.
const ROUND: Duration = Duration::from_secs(1);

/// What is expected of waits, for whoever asks. Reading holds the pupil up for microseconds, the shard never.
#[derive(Clone, Default)]
pub struct Outlook(Arc<RwLock<Seeing>>);

#[derive(Default, Serialize, Deserialize)]
struct Seeing {
    forecasts: Forecasts,
    trials: Trials,
    holds: Holds,
    /// Mean patience by queue, ms.
    patience_ms: Vec<f64>,
}

impl Outlook {
    /// The wait of who has so many ahead in a queue. `None` before anybody was taken from it.
    pub fn expect(
        &self,
        now: Time,
        queue: QueueKey,
        ahead: u32,
        by_position_ms: Option<u64>,
    ) -> Option<Expectation> {
        let seeing = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let patience_ms = seeing.patience(queue);
        seeing.forecasts.expect(now, queue, ahead, by_position_ms, patience_ms)
    }

    /// Customers of a queue wait so long in the mean before they hang up, ms. `None` before anybody stood in line.
    pub fn patience_ms(&self, queue: QueueKey) -> Option<f64> {
        let seeing = self.0.read().unwrap_or_else(PoisonError::into_inner);
        seeing.patience_ms.get(queue.index()).copied().filter(|ms| *ms > 0.0)
    }

    /// How well waits were told, of a queue or in all.
    pub fn accuracy(&self, queue: Option<QueueKey>) -> Option<Accuracy> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).forecasts.accuracy(queue)
    }

    /// What the trial of a pool has come to, in all and by queue. `None` if none is under way, or nobody has come since.
    pub fn trial(&self, pool: PoolKey) -> Option<(Lifts, Vec<(QueueKey, Lifts)>)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).trials.lifts(pool)
    }

    /// How many are held for a cheaper agent now, and what holding has come to.
    pub fn holds(&self) -> (u64, Held) {
        let seeing = self.0.read().unwrap_or_else(PoisonError::into_inner);
        (seeing.holds.held_now(), seeing.holds.ended())
    }

    /// Takes in what was seen.
    pub(super) fn learn(&self, lessons: &[Lesson], learner: &Learner, floor: &Floor) {
        let mut seeing = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for lesson in lessons {
            seeing.note(lesson, learner, floor);
        }
    }
}

/// Alone: nobody else holds it, or sees what changes meanwhile.
impl Serialize for Outlook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Outlook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Outlook, D::Error> {
        Ok(Outlook(Arc::new(RwLock::new(Seeing::deserialize(deserializer)?))))
    }
}

impl Seeing {
    fn patience(&self, queue: QueueKey) -> f64 {
        const USUAL_MS: f64 = 300_000.0;
        self.patience_ms.get(queue.index()).copied().filter(|ms| *ms > 0.0).unwrap_or(USUAL_MS)
    }

    fn note(&mut self, lesson: &Lesson, learner: &Learner, floor: &Floor) {
        self.forecasts.note(lesson, learner);
        let now = lesson.now;
        match lesson.seen {
            Seen::Came { queue, interaction, costs, .. } => {
                self.trials.came(now, interaction, queue, costs, floor);
            }
            Seen::Queued { queue, .. } => self.note_patience(queue, learner.patience_ms(now, queue)),
            Seen::Waited { interaction, wait_ms, ending, .. } => {
                let abandoned = ending == Ending::Abandoned;
                self.trials.waited(interaction, wait_ms, abandoned);
                self.holds.left(now, interaction, abandoned);
            }
            Seen::Held { interaction, worth, costs } => self.holds.begin(now, interaction, worth, costs),
            Seen::HeldEnough { interaction, worth } => self.holds.offered(now, interaction, worth),
            Seen::Ended { interaction: Some(interaction), solved, .. } => {
                self.trials.ended(interaction, solved);
            }
            Seen::Over { interaction } => self.trials.over(interaction),
            Seen::Ended { interaction: None, .. } | Seen::Handled { .. } | Seen::Duty { .. } => {}
        }
    }

    fn note_patience(&mut self, queue: QueueKey, patience_ms: f64) {
        if self.patience_ms.len() <= queue.index() {
            self.patience_ms.resize(queue.index() + 1, 0.0);
        }
        self.patience_ms[queue.index()] = patience_ms;
    }
}

/// Learns a piece. An assumption that breaks in learning ends the learning, here and in a recovery, and nothing else: what the
/// floor taught so far stays in force, and the next start begins again.
pub(super) fn or_say<T>(learning: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(learning))
        .inspect_err(|panic| {
            let why = broken::why(&**panic);
            tracing::error!(why, "nothing more is learned of the floor until the next start");
        })
        .ok()
}

/// The thread's things.
pub(super) struct Pupil {
    pub lessons: Receiver<Vec<Lesson>>,
    pub learner: Learner,
    pub outlook: Outlook,
    pub shard: ShardHandle,
    pub clock: Clock,
}

impl Pupil {
    /// Learns until the shard ends, or until an assumption breaks in it.
    pub fn run_or_say(self) {
        or_say(|| self.run());
    }

    fn run(mut self) {
        let mut next = self.clock.now().after(TELL_MS);
        loop {
            match self.lessons.recv_timeout(ROUND) {
                Ok(lessons) => self.learn(&lessons),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.clock.now();
            if now >= next {
                next = now.after(TELL_MS);
                if self.tell(now) == Err(AskError::Stopped) {
                    return;
                }
            }
        }
    }

    fn learn(&mut self, lessons: &[Lesson]) {
        let floor = self.shard.floor();
        for lesson in lessons {
            self.learner.note(lesson.now, lesson.seen, &floor);
        }
        self.outlook.learn(lessons, &self.learner, &floor);
    }

    fn tell(&mut self, now: Time) -> Result<(), AskError> {
        let Some(news) = self.learner.news(&self.shard.floor(), now) else { return Ok(()) };
        match self.shard.ask_waiting(Command::SetParameters(news.clone().into())) {
            Ok(_) => {
                self.learner.told(&news);
                tracing::debug!(version = news.version, agents = news.agents.len(), "told what was learned");
                Ok(())
            }
            Err(AskError::Refused(refusal)) => {
                // The floor has changed under it: the next telling is made for the new one.
                tracing::warn!(%refusal, "what was learned does not suit the floor");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lessons::Lessons;
    use super::super::start::{Beside, start};
    use super::*;
    use crate::customers::{Customers, MemoryStore};
    use crate::engine::event::{EndedBy, Event};
    use crate::engine::ids::{AgentKey, InteractionId};
    use crate::engine::shard::Shard;
    use crate::journal::Memory;
    use crate::learning::{Costs, Expected, Eyes, HalfLife};
    use std::io::Write;
    use std::sync::Mutex;

    const NOW: Time = Time(1_000);

    /// Who comes to a queue that no floor has, which nothing in learning is prepared for.
    fn came_nowhere() -> Lesson {
        let (queue, interaction) = (QueueKey(9), InteractionId(1));
        let expected = Expected { handle_ms: 60_000, patience_ms: 60_000 };
        Lesson::new(NOW, Seen::Came { queue, interaction, expected, costs: Costs::default() }, &Shard::new())
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("nobody breaks while writing").extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What the log says meanwhile.
    fn log_of(work: impl FnOnce()) -> String {
        // With one subscriber alone, whichever thread first comes by a line decides whether anybody wants it, also one that has
        // no subscriber: another test may. With two both are asked.
        let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
        let log = Log::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(lines, work);
        let said = log.0.lock().expect("it is written").clone();
        String::from_utf8(said).expect("lines are text")
    }

    #[tokio::test]
    async fn what_breaks_in_learning_is_told_once_and_the_shard_goes_on() {
        let customers = Customers::start(Box::new(MemoryStore::new())).expect("memory cannot fail");
        let running = start(Box::new(Memory::new()), customers, &[], 1, false, "t", Beside::default())
            .expect("nothing to recover");
        let (out, lessons) = Lessons::channel();
        out.send(vec![came_nowhere()]).expect("there is room");
        let (shard, outlook) = (running.handle.clone(), running.outlook.clone());
        let learner = Learner::new(HalfLife::USUAL);
        let pupil = Pupil { lessons, learner, outlook, shard, clock: running.clock };
        let said = log_of(|| pupil.run_or_say());
        let told: Vec<_> = said.lines().collect();
        let [line] = told[..] else { panic!("one line: {said}") };
        for part in [
            "ERROR",
            "nothing more is learned of the floor until the next start",
            "an assumption is broken: a planned queue was defined",
        ] {
            assert!(line.contains(part), "{line}");
        }
        let mut lessons = Lessons::new(Eyes::default(), Some(out));
        for _ in 0..3 {
            let event = Event::Responding { agent: AgentKey(0), by: EndedBy::Clock };
            lessons.hear(NOW, &event, &Shard::new());
            lessons.flush();
        }
        running.handle.ask(Command::Tick, None).await.expect("it answers as before");
    }

    #[test]
    fn what_is_expected_of_waits_is_still_told_when_learning_broke_amid_it() {
        let (outlook, learner, queue) = (Outlook::default(), Learner::new(HalfLife::USUAL), QueueKey(0));
        outlook.0.write().expect("new").note_patience(queue, 7_000.0);
        let learned = or_say(|| outlook.learn(&[came_nowhere()], &learner, &Floor::default()));
        assert_eq!(learned, None, "it broke");
        assert!(outlook.0.is_poisoned(), "and it was being written to");
        assert_eq!(outlook.patience_ms(queue), Some(7_000.0));
        let bytes = postcard::to_stdvec(&outlook).expect("it is still kept");
        let again: Outlook = postcard::from_bytes(&bytes).expect("and read");
        assert_eq!(again.patience_ms(queue), Some(7_000.0));
    }
}
