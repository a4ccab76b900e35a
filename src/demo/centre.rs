//! What every contact shares: the server, the clock, the counts, and which contacts still wait.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::calls::Server;
use super::clock::Clock;
use super::tally::Tally;
use super::watching::Picture;
use crate::proto::Channel;

/// The simulated world outside the centre.
#[derive(Clone)]
pub struct Centre {
    pub server: Server,
    pub clock: Clock,
    pub tally: Arc<Tally>,
    /// Starts every external id, so that runs on the same folder do not meet.
    pub run: Arc<str>,
    pub stop: watch::Receiver<bool>,
    /// The server's process id: it changes with every restart.
    pub pid: watch::Receiver<u32>,
    waiting: Arc<Mutex<BTreeSet<String>>>,
}

impl Centre {
    pub fn new(server: Server, picture: &Picture, run: &str, stop: watch::Receiver<bool>) -> Centre {
        Centre {
            server,
            clock: picture.clock,
            tally: Arc::clone(&picture.tally),
            run: run.into(),
            stop,
            pid: picture.pid.clone(),
            waiting: Arc::default(),
        }
    }

    /// Returns when the demo ends.
    pub async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // A closed channel means that the demo has gone, which is an end too.
        let _ = stop.wait_for(|stopped| *stopped).await;
    }

    /// Remembers a contact, by source and name, as waiting.
    pub fn waits(&self, source: &str, name: &str) {
        self.lock().insert(key(source, name));
    }

    /// Forgets a contact that waits no more.
    pub fn waits_no_more(&self, source: &str, name: &str) {
        self.lock().remove(&key(source, name));
    }

    /// The names of a source's contacts that wait, as far as its side knows.
    pub fn waiting(&self, source: &str) -> BTreeSet<String> {
        let prefix = key(source, "");
        self.lock().iter().filter_map(|found| found.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.waiting.lock().expect("nobody panics while noting who waits")
    }
}

/// The system that hands in the contacts of a channel.
pub fn source_of(channel: Channel) -> &'static str {
    match channel {
        Channel::Chat => "chat",
        Channel::Message => "messaging",
        Channel::Email => "mail",
        _ => "pbx",
    }
}

/// Every source of the demo.
pub const SOURCES: [&str; 4] = ["pbx", "chat", "messaging", "mail"];

fn key(source: &str, name: &str) -> String {
    format!("{source}|{name}")
}
