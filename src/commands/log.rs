//! The log of a process, on standard error.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Lines for people on a terminal, JSON otherwise.
pub(super) fn begin(wanted: &str) -> Result<(), String> {
    let filter = EnvFilter::builder().parse(wanted).map_err(|error| {
        format!("log: got {wanted:?}, want a filter such as info or baton=debug,warn: {error}")
    })?;
    // A line that cannot be written would be told on standard error too, and break whoever wrote it.
    let lines = tracing_subscriber::fmt().log_internal_errors(false);
    let lines = lines.with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        lines.init();
    } else {
        lines.json().init();
    }
    Ok(())
}
