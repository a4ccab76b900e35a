//! Leases of sessions. Renewals stay here, in real time; the engine hears only of sessions opened and lost.

use crate::engine::ids::{AgentKey, SessionId, Text};
use dashmap::DashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a session lives without a renewal.
pub const LEASE: Duration = Duration::from_secs(15);
/// How often leases are looked at.
pub const SWEEP: Duration = Duration::from_secs(1);

/// Who is alive.
#[derive(Clone, Default)]
pub struct Leases {
    agents: Arc<DashMap<SessionId, Lease>>,
    sources: Arc<DashMap<Text, SourceLease>>,
}

/// An agent's lease.
struct Lease {
    agent: AgentKey,
    /// The stream that opened the session last.
    stream: u64,
    since: Instant,
}

/// A source's lease.
struct SourceLease {
    since: Instant,
    /// As long as the source asked for.
    lasts: Duration,
}

/// What a sweep found to be over.
#[derive(Default)]
pub struct Lost {
    pub agents: Vec<(AgentKey, SessionId)>,
    pub sources: Vec<Text>,
}

impl Leases {
    /// Begins an agent's lease, or begins it again for another stream.
    pub fn open_agent(&self, session: SessionId, agent: AgentKey, stream: u64) {
        self.agents.insert(session, Lease { agent, stream, since: Instant::now() });
    }

    /// Renews an agent's lease; `None` if there is none.
    pub fn renew_agent(&self, session: SessionId) -> Option<AgentKey> {
        let mut lease = self.agents.get_mut(&session)?;
        lease.since = Instant::now();
        Some(lease.agent)
    }

    /// Ends an agent's lease without losing the session: another one took its place.
    pub fn drop_agent(&self, session: SessionId) {
        self.agents.remove(&session);
    }

    /// Ends the lease of a session that was lost with its stream, unless another stream has it by now.
    pub fn drop_stream(&self, session: SessionId, stream: u64) {
        self.agents.remove_if(&session, |_, lease| lease.stream == stream);
    }

    /// Begins or renews a source's lease. True if it is new.
    pub fn renew_source(&self, source: &Text, lasts: Duration) -> bool {
        self.sources.insert(source.clone(), SourceLease { since: Instant::now(), lasts }).is_none()
    }

    /// Ends a source's lease without losing a session: there is none.
    pub fn drop_source(&self, source: &Text) {
        self.sources.remove(source);
    }

    /// Takes out the leases that are over. `stalled` is by how much the sweep itself came late: a stall of our own
    /// never expires a session.
    pub fn sweep(&self, stalled: Duration) -> Lost {
        let over = |since: &Instant, lasts| since.elapsed().saturating_sub(stalled) > lasts;
        let mut lost = Lost::default();
        self.agents.retain(|session, lease| {
            let ends = over(&lease.since, LEASE);
            if ends {
                lost.agents.push((lease.agent, *session));
            } else {
                lease.since += stalled;
            }
            !ends
        });
        self.sources.retain(|source, lease| {
            let ends = over(&lease.since, lease.lasts);
            if ends {
                lost.sources.push(source.clone());
            } else {
                lease.since += stalled;
            }
            !ends
        });
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_the_lease_it_asked_for() {
        let leases = Leases::default();
        let (short, long): (Text, Text) = ("short".into(), "long".into());
        assert!(leases.renew_source(&short, Duration::ZERO));
        assert!(leases.renew_source(&long, LEASE));
        assert!(!leases.renew_source(&long, LEASE), "it goes on");
        std::hint::black_box(Instant::now());
        assert_eq!(leases.sweep(Duration::ZERO).sources, [short]);
    }
}
