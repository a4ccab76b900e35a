//! baton: an interaction routing engine for contact centres.

#[cfg(feature = "server")]
pub mod commands;
pub mod engine;
pub mod replay;

/// The generated messages and services of `proto/baton/v1`.
#[cfg(feature = "server")]
#[allow(missing_docs, clippy::all, rustdoc::all)]
pub mod proto {
    tonic::include_proto!("baton.v1");
}
