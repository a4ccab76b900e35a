//! What everybody in a run shares: the tally, the slots of what may be in flight, who waits, and what the server has
//! told, which the books are held against in the end.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::sync::Semaphore;
use tonic::{Code, Status};

use super::settings::{Settings, What};
use super::tally::{Kind, Tally, code_word, word};
use crate::proto::{Failure, InteractionState};

/// The state of a run.
pub struct Run {
    pub tally: Tally,
    pub slots: Slots,
    pub told: Told,
    /// The source of everything this run submits: different for each run.
    pub source: String,
    pub what: What,
    waiting: Mutex<VecDeque<String>>,
    waiting_max: usize,
}

/// What the server said that it did, and what may have happened without its saying so.
#[derive(Default)]
pub struct Told {
    pub entered: Account,
    pub answered: Account,
    pub left: Account,
    pub closed: Account,
}

#[derive(Default)]
pub struct Account {
    pub told: AtomicU64,
    pub in_doubt: AtomicU64,
}

/// A call that did not end well.
#[derive(Debug)]
pub struct Miss {
    pub word: String,
    /// It may have been done all the same: the answer is lost.
    pub in_doubt: bool,
}

/// How much may be in flight, and how much is.
pub struct Slots {
    free: Semaphore,
    max: u32,
}

impl Run {
    pub fn new(settings: &Settings) -> Run {
        let max = settings.pace.in_flight_max();
        Run {
            tally: Tally::default(),
            slots: Slots { free: Semaphore::new(max as usize), max },
            told: Told::default(),
            source: format!("load-{:016x}", crate::api::tenant::Tenant::new_session().0),
            what: settings.what,
            waiting: Mutex::default(),
            waiting_max: settings.waiting as usize,
        }
    }

    /// A submit was answered. Gives the interaction to cancel now, if there is one: the oldest.
    pub fn submitted(&self, due_ns: u64, answer: Result<String, Miss>) -> Result<Option<String>, Miss> {
        let name = self.ended(Kind::Submit, &self.told.entered, due_ns, answer)?;
        if self.what == What::Cycle {
            return Ok(None);
        }
        let mut waiting = self.waiting.lock().expect("waiting does not panic");
        waiting.push_back(name);
        Ok(if waiting.len() > self.waiting_max { waiting.pop_front() } else { None })
    }

    /// A cancel was answered with the interaction's state.
    pub fn cancelled(&self, since_ns: u64, answer: Result<InteractionState, Miss>) {
        match answer {
            Ok(InteractionState::Abandoned | InteractionState::Cancelled) => {
                self.told.left.told.fetch_add(1, Relaxed);
                self.tally.ended(Kind::Cancel, since_ns);
            }
            Ok(_) => {
                // It was answered before: the conversation has ended by this, and nobody else will tell.
                self.told.closed.in_doubt.fetch_add(1, Relaxed);
                self.tally.ended(Kind::Cancel, since_ns);
            }
            Err(miss) => self.missed(Kind::Cancel, &self.told.left, since_ns, &miss),
        }
    }

    /// A call ended: counted and, if it went well, told.
    pub fn ended<T>(
        &self,
        kind: Kind,
        account: &Account,
        since_ns: u64,
        answer: Result<T, Miss>,
    ) -> Result<T, Miss> {
        match &answer {
            Ok(_) => {
                account.told.fetch_add(1, Relaxed);
                self.tally.ended(kind, since_ns);
            }
            Err(miss) => self.missed(kind, account, since_ns, miss),
        }
        answer
    }

    fn missed(&self, kind: Kind, account: &Account, since_ns: u64, miss: &Miss) {
        account.in_doubt.fetch_add(u64::from(miss.in_doubt), Relaxed);
        self.tally.failed(kind, since_ns, &miss.word);
    }
}

impl Slots {
    /// Takes a slot as soon as one is free.
    pub async fn take(&self) {
        self.free.acquire().await.expect("the slots are never closed").forget();
    }

    /// Takes a slot if one is free.
    pub fn try_take(&self) -> bool {
        self.free.try_acquire().map(tokio::sync::SemaphorePermit::forget).is_ok()
    }

    /// One is done.
    pub fn give(&self) {
        self.free.add_permits(1);
    }

    /// How many are in flight.
    pub fn taken(&self) -> u64 {
        u64::from(self.max).saturating_sub(self.free.available_permits() as u64)
    }
}

impl From<Status> for Miss {
    fn from(status: Status) -> Miss {
        Miss { word: word(&status), in_doubt: in_doubt(status.code()) }
    }
}

impl From<Failure> for Miss {
    fn from(failure: Failure) -> Miss {
        let word = if failure.reason.is_empty() { code_word(failure.code) } else { failure.reason };
        Miss { word, in_doubt: in_doubt(Code::from_i32(failure.code)) }
    }
}

/// Whether such an answer leaves open what was done.
fn in_doubt(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal
            | Code::DataLoss
    )
}
