//! How a server ends: why, and what becomes of the shards. Each finishes what it has taken, and what failed is told.

use crate::api::tenant::Tenant;
use crate::assembly::ServerError;
use crate::broken;
use crate::journal::{Fault, Reserve};
use crate::runtime::snapshotting::Snapshotting;
use crate::runtime::start::Running;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Why a server ends.
pub(crate) enum End {
    Asked,
    OfShard,
    OfTask(String),
}

impl End {
    /// Says so, and makes room for what is still to be written.
    pub fn tell(&self, reserve: Option<&Reserve>) {
        match self {
            End::Asked => return tracing::info!("stopping"),
            End::OfShard => tracing::error!("a shard ended"),
            End::OfTask(why) => tracing::error!(why, "what runs beside the serving ended"),
        }
        // The disk may be full, and what ends now has something to write.
        if let Some(reserve) = reserve {
            reserve.release();
        }
    }
}

/// The shards that run, with the threads that end with them.
pub(crate) type Handles =
    Vec<(Arc<Tenant>, std::thread::JoinHandle<Result<(), Fault>>, Option<Snapshotting>)>;

/// Waits for the end of each.
pub(crate) fn watch_ends(shards: impl Iterator<Item = (Arc<Tenant>, Running)>) -> (Handles, JoinSet<()>) {
    let mut ends = JoinSet::new();
    let handles = shards.map(|(tenant, running)| {
        let Running { ended, thread, snapshots, .. } = running;
        ends.spawn(async {
            // Nothing is ever sent; the end closes it.
            let _ = ended.await;
        });
        (tenant, thread, snapshots)
    });
    (handles.collect(), ends)
}

/// Lets each shard finish what it has taken, and tells how the first that failed ended.
pub(crate) async fn end_shards(
    handles: Handles,
    reserve: Option<&Reserve>,
    last_snapshots: &mut Vec<Snapshotting>,
) -> Result<(), ServerError> {
    // All of them refuse new work before the first is waited for.
    for (tenant, ..) in &handles {
        tenant.shard.refuse_intake();
    }
    // One that is stuck keeps no other from ending.
    let ending = handles.into_iter().map(|(tenant, thread, snapshots)| {
        let shard = tenant.shard.clone();
        let ended = tokio::task::spawn_blocking(move || {
            shard.stop();
            thread.join()
        });
        (tenant, ended, snapshots)
    });
    let mut result = Ok(());
    for (tenant, ended, snapshots) in ending.collect::<Vec<_>>() {
        let ended = ended.await.expect("joining does not panic");
        last_snapshots.extend(snapshots);
        let why = match ended {
            Ok(Ok(())) => continue,
            Ok(Err(fault)) => match reserve.filter(|_| fault.is_disk_full()) {
                Some(reserve) => {
                    reserve.release();
                    format!("{fault}; {}: make room and start again", reserve.told())
                }
                None => fault.to_string(),
            },
            Err(panic) => broken::why(&*panic),
        };
        // Whoever waits for all of them may be out of time before the last.
        tracing::error!(tenant = tenant.name, why, "the shard ended");
        result = result.and(Err(ServerError::ShardEnded { tenant: tenant.name.clone(), why }));
    }
    result
}
