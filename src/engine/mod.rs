//! The engine: a pure function with memory. Commands in, events out, one writer per shard, and an event is the
//! only thing that changes state.
//!
//! Open `shard.rs` first: it tells what happens to each command. The stages follow in the order of an
//! interaction's life: `intake`, `queue` and `score`, `matching`, `offer`, `outcome`.
//!
//! Deliberately absent: input and output, tasks and threads, a clock, random numbers, logging, floating point, a
//! look at the order of an unordered map. Time, facts and plans are carried in by commands.

pub mod agent;
mod apply;
mod averages;
pub mod board;
pub mod callback;
pub mod capacity;
pub mod channel;
pub mod chart;
mod checked;
pub mod circumstances;
pub mod command;
pub mod connect;
pub mod deadline;
pub mod define;
mod digest;
mod duplicates;
mod entry;
pub mod estimate;
pub mod event;
pub mod explain;
pub mod few;
pub mod fixed;
pub mod floor;
mod found;
pub mod hours;
pub mod ids;
mod index;
pub mod intake;
pub mod interaction;
mod interrupt;
pub mod journey;
pub mod kept;
pub mod learned;
pub mod leaves;
mod leaving;
mod line;
mod lists;
pub mod matching;
pub mod money;
pub mod named;
pub mod offer;
pub mod outcome;
pub mod overflow;
pub mod park;
pub mod plan;
pub mod policy;
pub mod presence;
mod prices;
pub mod profile;
pub mod queue;
pub mod reason;
pub mod relax;
mod remembered;
mod replan;
pub mod route;
pub mod score;
pub mod seek;
pub mod shard;
pub mod shift;
pub mod skill;
pub mod sorted;
pub mod source;
pub mod stakes;
pub mod supervise;
pub(crate) mod table;
pub mod tally;
pub mod time;
pub mod transfer;
pub mod trial;
mod weigh;
pub mod wrap_up;
