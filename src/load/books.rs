//! The books: what the server's figures say against themselves, and against what it told us it did. Nobody may be
//! lost, and nobody may have been made up.

use std::sync::atomic::Ordering::Relaxed;

use serde::Serialize;

use super::error::LoadError;
use super::run::{Account, Run};
use crate::demo::calls::{Server, TENANT, once};
use crate::demo::figures::{balances, id, total};
use crate::proto::{FloorView, WatchFloorRequest};

/// A view names every agent.
const VIEW_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The floor as it is now.
pub async fn look(server: &Server) -> Result<FloorView, LoadError> {
    let request =
        WatchFloorRequest { parent: TENANT.to_owned(), messages_max: 1, ..WatchFloorRequest::default() };
    let mut client = server.supervision().max_decoding_message_size(VIEW_BYTES_MAX);
    let view = async { once(client.watch_floor(request)).await?.message().await };
    let missing = || tonic::Status::data_loss("the stream ended before its first view");
    let view = view.await.and_then(|view| view.ok_or_else(missing));
    view.map_err(|status| LoadError::NoFigures(Box::new(status)))
}

/// How the books of a run are closed.
#[derive(Clone, Debug, Serialize)]
pub struct Books {
    /// By the server's figures: came, was answered, left unanswered, was served, is in line, all since the run began.
    pub entered: u64,
    pub answered: u64,
    pub left: u64,
    pub closed: u64,
    pub not_yet_answered: i64,
    /// What is wrong, in words.
    pub wrong: Vec<String>,
}

impl Books {
    /// Compares. Of a server of our own nobody else is a client: then nothing may have happened that we do not know of.
    pub fn close(before: &FloorView, after: &FloorView, run: &Run, own: bool) -> Books {
        let unbalanced = after.queues.iter().filter(|queue| !balances(queue));
        let mut wrong: Vec<String> =
            unbalanced.map(|queue| format!("the figures of {} do not add up", id(&queue.queue))).collect();
        let (then, now) = (total(&before.queues), total(&after.queues));
        let left = |figures: &crate::proto::QueueFigures| {
            figures.abandoned + figures.cancelled + figures.timed_out + figures.sent_away
        };
        let grown = |now: u64, then: u64| now.saturating_sub(then);
        let books = Books {
            entered: grown(now.entered, then.entered),
            answered: grown(now.answered, then.answered),
            left: grown(left(&now), left(&then)),
            closed: grown(now.closed, then.closed),
            not_yet_answered: in_line(&now) - in_line(&then),
            wrong: Vec::new(),
        };
        let unanswered = run.slots.taken();
        let told = &run.told;
        for (what, counted, account) in [
            ("entered", books.entered, &told.entered),
            ("were answered", books.answered, &told.answered),
            ("left", books.left, &told.left),
            ("were closed", books.closed, &told.closed),
        ] {
            wrong.extend(compared(what, counted, account, unanswered, own));
        }
        Books { wrong, ..books }
    }

    pub fn balanced(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// In line, waiting or offered, and not answered before.
fn in_line(figures: &crate::proto::QueueFigures) -> i64 {
    i64::from(figures.waiting) + i64::from(figures.offered) + i64::from(figures.scheduled)
        - i64::from(figures.returned)
}

fn compared(what: &str, counted: u64, account: &Account, unanswered: u64, own: bool) -> Option<String> {
    let told = account.told.load(Relaxed);
    let most = told + account.in_doubt.load(Relaxed) + unanswered;
    if counted < told {
        return Some(format!("{told} {what}, as we were told, and {counted} by the figures"));
    }
    (own && counted > most)
        .then(|| format!("{counted} {what} by the figures, and at most {most} as we were told"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(told: u64, in_doubt: u64) -> Account {
        let account = Account::default();
        account.told.store(told, Relaxed);
        account.in_doubt.store(in_doubt, Relaxed);
        account
    }

    #[test]
    fn whoever_is_missing_is_noticed() {
        assert!(compared("entered", 9, &account(10, 0), 0, false).is_some());
        assert!(compared("entered", 10, &account(10, 0), 0, true).is_none());
    }

    #[test]
    fn whoever_was_made_up_is_noticed_where_there_is_nobody_else() {
        assert!(compared("entered", 12, &account(10, 1), 0, true).is_some());
        assert!(compared("entered", 12, &account(10, 1), 1, true).is_none());
        assert!(compared("entered", 12, &account(10, 1), 0, false).is_none());
    }
}
