//! Figures from events: what every buyer asks first. By queue, channel or agent, in intervals of 15 or 30 minutes or
//! any other length. A pure projection: events in, rows out; integers.
//!
//! The counts are the engine's own books, taken event by event: each change of a queue's books is written to the
//! interval the event happened in, so that sums over intervals and channels are the books. Times of agents are split
//! exactly at the borders of intervals. What is counted when is said at each figure in `figures.rs`.

mod figures;
mod presence;
mod projection;
mod read;
mod rows;
mod write;

pub use figures::{Figures, ServiceLevels};
pub use presence::AgentTime;
pub use projection::Projection;
pub use read::{ReadError, from_folder};
pub use rows::{By, ROWS_MAX, Report, ReportError, Request, Row};
pub use write::{csv, json, table};
