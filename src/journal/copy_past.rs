//! Copies of what lies beside the journal, while a server adds to it: snapshots, and the archive up to an event. Snapshots
//! appear whole and never change; of the archive only the newest file grows and only the oldest go.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::archive::Day;
use super::{Archive, Fault, Snapshots, copy, file, parting};

/// So often a list is read again because something in it has gone.
const LOOKS_MAX: u32 = 16;

/// Copies the snapshots that fit, by their last event and their place.
pub(crate) fn copy_snapshots(from: &Path, to: &Path, fits: &dyn Fn(u64, &Path) -> bool) -> Result<(), Fault> {
    let mut looks = 0;
    loop {
        looks += 1;
        match copy_listed(from, to, fits) {
            // Newer ones took its place.
            Err(fault) if is_gone(&fault) && looks < LOOKS_MAX => {}
            copied => return copied,
        }
    }
}

fn copy_listed(from: &Path, to: &Path, fits: &dyn Fn(u64, &Path) -> bool) -> Result<(), Fault> {
    for (sequence, path) in Snapshots::of(from).list()?.into_iter().rev() {
        let copy = below(&path, from, to);
        if !copy.exists() && fits(sequence, &path) {
            copy_whole(&path, &copy)?;
        }
    }
    Ok(())
}

/// Copies these files of the archive with the states beside them, up to the batch that holds the last event at most. Newest
/// first: what goes meanwhile are the oldest, so none is missing in between. Of the states only those that fit.
pub(crate) fn copy_archive(
    from: &Path,
    to: &Path,
    days: &[Day],
    last: u64,
    fits: &dyn Fn(&Path) -> bool,
) -> Result<(), Fault> {
    for day in days.iter().rev().filter(|day| day.first <= last) {
        match copy_day(day, &below(&day.path, from, to), last) {
            Err(fault) if is_gone(&fault) => return Ok(()),
            copied => copied?,
        }
        if !fits(&day.base()) {
            continue;
        }
        match copy_whole(&day.base(), &below(&day.base(), from, to)) {
            Err(fault) if is_gone(&fault) => {}
            copied => copied?,
        }
    }
    Ok(())
}

fn copy_day(day: &Day, to: &Path, last: u64) -> Result<(), Fault> {
    let length = Archive::length_to(&day.path, last)?;
    write(&day.path, to, length)
}

fn copy_whole(from: &Path, to: &Path) -> Result<(), Fault> {
    write(from, to, u64::MAX)
}

/// Copies so much of the beginning of a file.
fn write(from: &Path, to: &Path, length: u64) -> Result<(), Fault> {
    let source = parting::open(from).map_err(Fault::io(from, "open"))?;
    file::create_folder(to.parent().expect("it lies in a folder"))?;
    let mut target = File::create(to).map_err(Fault::io(to, "create"))?;
    io::copy(&mut source.take(length), &mut target).map_err(Fault::io(from, "copy"))?;
    copy::sync(to)
}

/// The same place in another folder.
fn below(path: &Path, from: &Path, to: &Path) -> PathBuf {
    to.join(path.strip_prefix(from).expect("it was found in that folder"))
}

fn is_gone(fault: &Fault) -> bool {
    matches!(fault, Fault::Io { source, .. } if source.kind() == ErrorKind::NotFound)
}
