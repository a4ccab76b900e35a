//! One binary for all tests of the library: stories, laws, the naive twin, recovery, the API.

#[cfg(feature = "server")]
mod api;
mod chance;
mod scenarios;
mod story;
mod tidy;
