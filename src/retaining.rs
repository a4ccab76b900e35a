//! Lets go of what customers' histories have kept for long enough: a walk over all entries now and then, a few at a time, so
//! that whoever writes meanwhile hardly waits. What is let go is gone from cards as well, and the payload of a contact from the
//! journal: it would belong to nobody any more, and an erasure could not find it.

use crate::api::tenant::Tenant;
use crate::customers::{Purged, Purging, Retention};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

/// Between the ends of two walks.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// Between two steps of one.
const STEP: Duration = Duration::from_millis(50);
/// Looked at in one step: about 2 ms of the writing thread.
const LOOKED_AT: u64 = 2_000;

/// Keeps one tenant's histories as long as they are to be kept; does not end.
pub async fn keep(tenant: Arc<Tenant>, retention: Retention) {
    if retention.is_for_good() {
        return;
    }
    let mut walks = interval(EVERY);
    walks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        walks.tick().await;
        let gone = walk(&tenant, &retention).await;
        if gone > 0 {
            tenant.recents.forget_all();
            tracing::info!(tenant = tenant.name, entries = gone, "let go of what was kept for long enough");
        }
    }
}

/// Over all entries there are; a store that fails is walked again the next time.
async fn walk(tenant: &Tenant, retention: &Retention) -> u64 {
    let mut steps = interval(STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut gone, mut after) = (0, Some(0));
    while let Some(at) = after {
        steps.tick().await;
        let now_ms = i64::try_from(tenant.clock.now().0).expect("engine time is far below 2^63 ms");
        let purging = retention.purging(now_ms, at, LOOKED_AT);
        // First the keys, then what tells whose they were: the other way round a crash would leave payload that nobody can
        // find any more.
        let Some(old) = purge(tenant, Purging { only_look: true, ..purging.clone() }).await else { break };
        if old.gone == 0 {
            after = old.next;
            continue;
        }
        let Ok(Ok(())) = tenant.shard.destroy(Vec::new(), old.interactions, None).await else { break };
        let Some(Purged { gone: more, next, .. }) = purge(tenant, purging).await else { break };
        (gone, after) = (gone + more, next);
    }
    gone
}

/// `None` if the store fails.
async fn purge(tenant: &Tenant, purging: Purging) -> Option<Purged> {
    let (reply, answer) = oneshot::channel();
    tenant.customers.purge(purging, move |purged| {
        // The server may be stopping.
        let _ = reply.send(purged);
    });
    answer.await.ok()?.ok()
}
