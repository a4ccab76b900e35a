//! What memory is left for a snapshot.

use std::path::Path;

/// What is left for the process, as far as the system says: of the machine, or of the group it may be confined to.
pub(super) fn free_memory() -> Option<u64> {
    [of_machine(), of_group()].into_iter().flatten().min()
}

/// What it keeps of files counts as used there, and is given up when it is needed.
fn of_group() -> Option<u64> {
    let read = |name| std::fs::read_to_string(Path::new("/sys/fs/cgroup").join(name)).ok();
    let number = |name| read(name)?.trim().parse::<u64>().ok();
    let stat = read("memory.stat")?;
    let of_files = |name: &str| {
        let line = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|bytes| bytes.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    let files = of_files("active_file") + of_files("inactive_file");
    let used = number("memory.current")?.saturating_sub(files);
    Some(number("memory.max")?.saturating_sub(used))
}

fn of_machine() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
}
