//! Recorded days through the same engine that serves live, in simulated time.
//!
//! Nothing here is asynchronous and nothing reads a clock. Floating point is allowed, since curves are
//! fitted here; whatever reaches the engine is an integer.

pub mod backtest;
pub mod bank_calls;
mod cost;
mod draw;
