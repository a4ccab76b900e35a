//! How long calls keep an agent: as recorded for those served, drawn by type for those who left.
//!
//! A served call keeps its recorded time even below 10 s, when agents hung up to rest: that is the load
//! the floor had. A draw leaves these out, since it stands for a customer who got what they called for.

use std::collections::BTreeMap;

use super::record::{Call, Kind};
use crate::replay::draw::{self, Purpose};

/// Services shorter than this are agents who hung up.
const SERVICE_MIN_S: u32 = 10;

/// Used when a log has no service at all to draw from.
const FALLBACK_S: u32 = 180;

/// The recorded service times a draw takes from.
#[derive(Debug, Clone)]
pub struct WorkTimes {
    /// Sorted, seconds.
    by_kind: BTreeMap<Kind, Vec<u32>>,
    all: Vec<u32>,
}

impl WorkTimes {
    /// Collects the services of a log.
    pub fn fit<'a>(offered: impl IntoIterator<Item = &'a Call>) -> WorkTimes {
        let mut by_kind: BTreeMap<Kind, Vec<u32>> = BTreeMap::new();
        for call in offered {
            if let Some(service) = call.service.filter(|service| service.work_s >= SERVICE_MIN_S) {
                by_kind.entry(call.kind).or_default().push(service.work_s);
            }
        }
        by_kind.values_mut().for_each(|times| times.sort_unstable());
        let mut all: Vec<u32> = by_kind.values().flatten().copied().collect();
        all.sort_unstable();
        WorkTimes { by_kind, all }
    }

    /// Seconds an agent needs for this call.
    pub fn of(&self, call: &Call, seed: u64) -> u32 {
        if let Some(service) = call.service {
            return service.work_s;
        }
        let times = self.by_kind.get(&call.kind).unwrap_or(&self.all);
        let at = draw::unit(seed, Purpose::Work, u64::from(call.row)) * times.len() as f64;
        times.get(at as usize).copied().unwrap_or(FALLBACK_S)
    }
}
