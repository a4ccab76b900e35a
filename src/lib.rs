//! baton: an interaction routing engine for contact centres.
//!
//! In reading order: the [`engine`] decides, the [`journal`] makes it durable, [`customers`] remember what happened
//! to whom, the runtime brings the three together, and the API serves them.

pub mod bound;
mod broken;
pub mod customers;
pub mod engine;
pub mod journal;
pub mod learning;
mod records;
pub mod replay;
pub mod report;
pub mod rulebook;
pub mod rules;
pub mod simulate;
mod spread;
pub mod upkeep;

#[cfg(feature = "server")]
pub mod api;
#[cfg(feature = "server")]
pub mod assembly;
#[cfg(feature = "server")]
mod client;
#[cfg(feature = "server")]
pub mod commands;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
mod connection;
#[cfg(feature = "server")]
pub mod demo;
#[cfg(feature = "server")]
mod ending;
#[cfg(feature = "server")]
pub mod load;
#[cfg(feature = "server")]
pub mod observe;
#[cfg(feature = "server")]
mod places;
#[cfg(feature = "server")]
mod retaining;
#[cfg(feature = "server")]
mod ruling;
#[cfg(feature = "server")]
pub mod runtime;
#[cfg(feature = "server")]
mod serving;
#[cfg(feature = "server")]
pub mod tls;
#[cfg(feature = "server")]
pub mod top;

/// The generated messages and services of `proto/baton/v1`.
#[cfg(feature = "server")]
#[allow(missing_docs, clippy::all, rustdoc::all)]
pub mod proto;
