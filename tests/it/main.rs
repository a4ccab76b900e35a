//! One binary for all tests of the library: stories, laws, the naive twin, recovery, the API.

mod scenarios;
mod story;
