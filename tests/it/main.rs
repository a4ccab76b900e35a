//! One binary for all tests of the library: stories, laws, the naive twin, recovery, the API.

#[cfg(feature = "server")]
mod api;
mod backtest;
mod bound;
mod chance;
#[cfg(feature = "server")]
mod chart;
mod charts;
mod encoding;
mod exact;
mod fractions;
mod fuzz;
mod laws;
mod learning;
mod limits;
mod money;
mod naive;
mod orders;
mod report;
mod scenarios;
#[path = "../sim/mod.rs"]
mod sim;
mod story;
mod tidy;
mod tune;
