//! The file `poisoned` in the folder of a tenant: commands that were set aside because they broke an assumption, each a
//! line of JSON. `src/runtime/poisoned.rs` writes and heeds it; an operator lists and releases.

use super::Fault;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

/// In the folder of a tenant.
pub const FILE: &str = "poisoned";

/// One command that was set aside: a line of the file, JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SetAside {
    /// By which it is known again, and released.
    pub id: String,
    /// What kind of command it is.
    pub command: String,
    /// Engine time at which it came, ms since 1970.
    pub time_ms: u64,
    /// What it broke.
    pub why: String,
}

/// What was set aside in the folder of a tenant.
pub fn read(folder: &Path) -> Result<Vec<SetAside>, Fault> {
    let path = folder.join(FILE);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(Fault::io(&path, "read"))?,
    };
    // A line without an end was not written to its end: its process was ended from outside.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            Fault::damaged(&path, format!("line {} is no command that was set aside: {error}", number + 1))
        })
    };
    whole.lines().enumerate().map(line).collect()
}

/// Releases one: it is tried again when it comes again. False if it was not set aside. The server does not run.
pub fn release(folder: &Path, id: &str) -> Result<bool, Fault> {
    let entries = read(folder)?;
    let kept: Vec<_> = entries.iter().filter(|one| one.id != id).collect();
    if kept.len() == entries.len() {
        return Ok(false);
    }
    let path = folder.join(FILE);
    let draft = folder.join(format!("{FILE}.new"));
    let written = (|| {
        let mut file = File::create(&draft)?;
        kept.iter().try_for_each(|one| file.write_all(&line(one)))?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(folder)?.sync_all()
    })();
    written.map_err(Fault::io(&path, "write")).map(|()| true)
}

/// Sets one aside, on stable storage on return. A line that could not be written whole is taken back; so is one that a power
/// cut left: half a line would make the next one unreadable.
pub fn append(path: &Path, one: &SetAside) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut lines = Vec::new();
    file.read_to_end(&mut lines)?;
    let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end as u64 + 1);
    file.set_len(whole)?;
    let written = file.write_all(&line(one)).and_then(|()| file.sync_all());
    if written.is_err() {
        file.set_len(whole)?;
    }
    written?;
    File::open(path.parent().expect("the file lies in a folder"))?.sync_all()
}

fn line(one: &SetAside) -> Vec<u8> {
    let mut line = serde_json::to_vec(one).expect("texts and numbers are JSON");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_is_passed_over_and_a_foreign_one_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        let one = SetAside { id: "1f".into(), command: "Accept".into(), time_ms: 7, why: "broken".into() };
        append(&path, &one).expect("written");
        let whole = fs::read(&path).expect("there");
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("written");
            assert_eq!(read(folder.path()).expect("readable"), [], "cut at {length}");
            append(&path, &one).expect("written");
            assert_eq!(read(folder.path()).expect("readable"), std::slice::from_ref(&one), "cut at {length}");
        }
        fs::write(&path, [&whole[..], b"hello\n"].concat()).expect("written");
        let fault = read(folder.path()).expect_err("foreign").to_string();
        assert!(fault.contains("poisoned is damaged: line 2 is no command that was set aside"), "{fault}");
    }
}
