//! What a process has cost: processor time and memory, as Linux tells. Elsewhere nothing is known.

use std::path::Path;

/// Ticks a second in `/proc`: 100 on every Linux, whatever the kernel's own clock.
const TICKS: f64 = 100.0;
/// User and system time in `/proc/PID/stat`, counted from behind the name, which may hold anything.
const USER_FIELD: usize = 11;

/// Processor seconds of a process so far.
pub fn cpu_s(pid: u32) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(USER_FIELD).take(2).map(|field| field.parse::<u64>().ok());
    let ticks: u64 = ticks.sum::<Option<u64>>()?;
    Some(ticks as f64 / TICKS)
}

/// Bytes of memory in use.
pub fn memory_bytes(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1_024)
}

/// Bytes of all files below a folder.
pub fn folder_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => folder_bytes(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_costs_something() {
        let pid = std::process::id();
        assert!(cpu_s(pid).is_some() && memory_bytes(pid).is_some_and(|bytes| bytes > 100_000));
        assert!(cpu_s(u32::MAX).is_none());
    }
}
