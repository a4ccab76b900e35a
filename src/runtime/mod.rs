//! Around the engine: one thread a shard takes commands from a lock-free inbox, steps, commits to the journal, and
//! only then answers and publishes.
//!
//! Way of a command: `inbox` → `driver` → engine → journal → `outbox` (agents' streams, watchers), `pipe` (bulk
//! streams), `history` (customers), `lessons` (what is learned from it), `fates` (versions of rules compared), `observe`
//! (metrics). Beside it `snapshotting` recovers all day, with `replica`, and writes down what comes of it.

pub mod admission;
pub mod backlog;
pub mod clock;
mod closing;
mod contacts;
mod driver;
mod erase;
pub mod fates;
mod follow;
pub mod forgotten;
mod history;
pub mod inbox;
pub mod leases;
mod lessons;
mod missed;
pub mod notice;
mod opening;
pub mod outbox;
pub mod payload;
pub mod pipe;
pub mod poisoned;
pub mod pupil;
pub mod recents;
pub mod replica;
pub mod snapshotting;
pub mod start;
pub mod told;
pub mod view;
pub mod watchers;
