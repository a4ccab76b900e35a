//! The sessions of the sources: renewed in real time, reconciled with `ListOpen` after every interruption.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;
use tonic::Status;

use super::calls::{TENANT, is_passing, once, repeated};
use super::centre::Centre;
use crate::proto::{InteractionState, ListOpenRequest, SourceHeartbeatRequest};

/// The pause after a renewal that failed.
const PAUSE: Duration = Duration::from_millis(500);
/// The lease assumed where the server names none.
const LEASE: Duration = Duration::from_secs(15);
const PAGE: i32 = 1_000;

/// Keeps the session of one source until the demo ends.
pub async fn keep(centre: Centre, source: &'static str) {
    tokio::select! {
        () = centre.stopped() => {}
        () = renew_for_ever(&centre, source) => {}
    }
}

async fn renew_for_ever(centre: &Centre, source: &str) {
    let mut pid = centre.pid.clone();
    let mut reconciled_with = 0;
    loop {
        let request = SourceHeartbeatRequest { parent: TENANT.to_owned(), source: source.to_owned() };
        let pause = match once(centre.server.interactions().heartbeat(request)).await {
            Ok(answer) => {
                let server = *pid.borrow_and_update();
                if answer.opened || server != reconciled_with {
                    reconcile(centre, source).await;
                    reconciled_with = server;
                }
                answer.lease.and_then(|lease| lease.try_into().ok()).unwrap_or(LEASE) / 3
            }
            Err(status) => {
                if !is_passing(&status) {
                    centre.tally.warn("renew the source's session", &status);
                }
                PAUSE
            }
        };
        // A restarted server gives sources little time to come back before it takes their customers for gone.
        tokio::select! {
            () = sleep(pause) => {}
            Ok(()) = pid.changed() => {}
        }
    }
}

/// Compares what waits on both sides. Each contact's own task goes on by itself; this only says what it found.
async fn reconcile(centre: &Centre, source: &str) {
    let before = centre.waiting(source);
    let there = match list_waiting(centre, source).await {
        Ok(there) => there,
        Err(status) => return centre.tally.warn("list what is open", &status),
    };
    // Who was answered or left while the list was read is missing on our side too by now.
    let after = centre.waiting(source);
    let missing = before.intersection(&after).filter(|name| !there.contains(*name)).count();
    let unknown = there.difference(&after).count();
    if !before.is_empty() || unknown > 0 {
        centre.tally.note(format!(
            "{source}: {} of its contacts wait there, {missing} are lost, {unknown} are new to us",
            there.len(),
        ));
    }
}

async fn list_waiting(centre: &Centre, source: &str) -> Result<BTreeSet<String>, Status> {
    let mut names = BTreeSet::new();
    let mut page_token = String::new();
    loop {
        let request = ListOpenRequest {
            parent: TENANT.to_owned(),
            source: source.to_owned(),
            page_size: PAGE,
            page_token,
        };
        let page = repeated(|| {
            let (mut client, request) = (centre.server.interactions(), request.clone());
            async move { client.list_open(request).await }
        })
        .await?;
        let waiting = page
            .interactions
            .into_iter()
            .filter(|found| matches!(found.state(), InteractionState::Waiting | InteractionState::Offered));
        names.extend(waiting.map(|found| found.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(names);
        }
    }
}
