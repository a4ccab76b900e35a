//! Submitting by a call for each interaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::sleep;
use tonic::transport::Channel;

use super::run::{Miss, Run};
use super::seen::Caller;
use super::settings::What;
use super::tally::Kind;
use crate::proto::cancel_request::Cause;
use crate::proto::{CancelRequest, SubmitRequest};

/// After an error the slot rests, so that a server that refuses is not asked as fast as it can refuse.
pub const ERROR_PAUSE: Duration = Duration::from_millis(20);

/// The connections of a source.
pub struct Unary {
    run: Arc<Run>,
    callers: Vec<Caller>,
    turn: AtomicUsize,
}

impl Unary {
    pub fn new(run: Arc<Run>, channels: Vec<Channel>) -> Arc<Unary> {
        Arc::new(Unary {
            run,
            callers: channels.into_iter().map(Caller::new).collect(),
            turn: AtomicUsize::new(0),
        })
    }

    /// Sends it. The slot it has is given back when its part in the load is over.
    pub fn submit(self: &Arc<Unary>, request: SubmitRequest, due_ns: u64) {
        tokio::spawn(self.clone().whole(request, due_ns));
    }

    async fn whole(self: Arc<Unary>, request: SubmitRequest, due_ns: u64) {
        let turn = self.turn.fetch_add(1, Relaxed) % self.callers.len();
        let mut caller = self.callers[turn].clone();
        let answer = caller.submit(request).await;
        let name = answer.map(|submitted| submitted.interaction.unwrap_or_default().name).map_err(Miss::from);
        match self.run.submitted(due_ns, name) {
            // Agents give it back, when all is over.
            Ok(None) if self.run.what == What::Cycle => return,
            Ok(None) => {}
            Ok(Some(oldest)) => cancel(&self.run, &mut caller, oldest).await,
            Err(_) => sleep(ERROR_PAUSE).await,
        }
        self.run.slots.give();
    }
}

/// A customer who has waited enough.
pub fn cancel_request(name: String) -> CancelRequest {
    CancelRequest { name, cause: Cause::CustomerLeft as i32 }
}

/// Cancels by a call.
pub async fn cancel(run: &Run, caller: &mut Caller, name: String) {
    let since = run.tally.now_ns();
    run.tally.started(Kind::Cancel, since);
    let answer = caller.cancel(cancel_request(name)).await;
    run.cancelled(since, answer.map(|seen| seen.state()).map_err(Miss::from));
}
