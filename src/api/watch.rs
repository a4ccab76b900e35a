//! The stream of whoever watches an interaction: as it is or what was missed, then every change until it is over.

use super::interactions::WATCH_FEED_MAX;
use super::resuming::cursor_at;
use super::tenant::Tenant;
use super::work::cut_off;
use crate::proto;
use crate::runtime::backlog::Position;
use crate::runtime::watchers::{Changed, Watched};
use std::sync::Arc;
use tokio::sync::mpsc;
use tonic::Status;

/// Where the messages of a stream go. `Err` means that the reader has gone.
type Send = mpsc::Sender<Result<proto::WatchInteractionResponse, Status>>;

/// Passes an interaction's changes on until it is over or the reader goes.
pub async fn pass_on(tenant: Arc<Tenant>, mut changes: mpsc::Receiver<Watched>, send: Send) {
    let (mut over, mut last) = (false, Position::default());
    while !over {
        let next = tokio::select! {
            next = changes.recv() => next,
            () = send.closed() => return,
        };
        let Some(watched) = next else {
            let gap = cut_off(&tenant, WATCH_FEED_MAX, last).await;
            // Gone already is as well.
            let _ = send.send(Err(gap.into())).await;
            return;
        };
        let (changes, gap);
        (changes, gap, over) = taken_apart(watched);
        for changed in changes {
            last = changed.position;
            if send.send(Ok(shown(&tenant, &changed, gap))).await.is_err() {
                return;
            }
        }
    }
}

/// The changes, whether some are missing before them, and whether the interaction is over with them.
fn taken_apart(watched: Watched) -> (Vec<Changed>, bool, bool) {
    let over = |changed: &Changed| changed.view.interaction.state.is_over();
    match watched {
        Watched::Now(changed) => (vec![changed.clone()], false, over(&changed)),
        Watched::Gap(changed) => (vec![changed.clone()], true, over(&changed)),
        Watched::Missed { changes, over } => (changes, false, over),
    }
}

fn shown(tenant: &Tenant, changed: &Changed, gap: bool) -> proto::WatchInteractionResponse {
    let Changed { position, view } = changed;
    proto::WatchInteractionResponse {
        interaction: Some(tenant.show_interaction(view)),
        cursor: Some(cursor_at(*position, view.now)),
        gap,
    }
}
