//! Runs every story of `tests/scenarios`. Each file is told to the engine line by line; what it answers must be, to
//! the letter, what the file says below its dashes. `BATON_REWRITE=1` writes down what was answered instead: the
//! difference is then reviewed like code.

use crate::story;
use std::path::{Path, PathBuf};

#[test]
fn every_scenario_is_told_as_it_is_written() {
    let rewrite = std::env::var_os("BATON_REWRITE").is_some_and(|value| value == "1");
    let files = scenario_files();
    assert!(files.len() >= 120, "only {} scenarios were found", files.len());
    let wrong: Vec<String> = files.iter().filter_map(|file| differs(file, rewrite)).collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

#[test]
fn the_index_names_every_scenario_and_no_other() {
    let index = std::fs::read_to_string(folder().join("README.md")).expect("the index is there");
    for file in scenario_files() {
        let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
        assert!(index.contains(&format!("({name})")), "tests/scenarios/README.md does not list {name}");
    }
    for link in index.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(folder().join(link).exists(), "tests/scenarios/README.md lists {link}, which is not there");
    }
}

/// The list of rows at the top of the index is what the tables are held to: each row once, in this order, with what must
/// happen and at least one story.
#[test]
fn the_index_has_every_row_with_a_story() {
    let index = std::fs::read_to_string(folder().join("README.md")).expect("the index is there");
    let mut listed = Vec::new();
    for line in index.lines().filter_map(|line| line.strip_prefix("- ")) {
        let (section, rows) = line.split_once(": ").expect("a section and its rows");
        listed.extend(rows.split("; ").map(|row| (section.to_owned(), row.to_owned())));
    }
    assert!(listed.len() >= 50, "only {} rows are listed", listed.len());
    let (mut section, mut told) = (String::new(), Vec::new());
    for line in index.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.to_owned();
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [row, what, stories] = cells[..] else { continue };
        if row == "row" {
            continue;
        }
        assert!(what.len() > 10, "{row} does not say what must happen");
        assert!(stories.contains(".txt)"), "{row} has no story");
        told.push((section.clone(), row.to_owned()));
    }
    assert_eq!(told, listed);
}

/// The text of every story file.
pub fn written() -> Vec<String> {
    let read = |file: &PathBuf| std::fs::read_to_string(file).expect("a scenario can be read");
    scenario_files().iter().map(read).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

fn scenario_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the scenarios are there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    files
}

/// The first difference between a file and what its story gives; `None` if there is none.
fn differs(file: &Path, rewrite: bool) -> Option<String> {
    let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
    let written = std::fs::read_to_string(file).expect("a scenario can be read");
    let told = match story::retell(&written) {
        Ok(told) => told,
        Err(problem) => return Some(format!("  {name}: {problem}")),
    };
    if told == written {
        return None;
    }
    if rewrite {
        std::fs::write(file, told).expect("a scenario can be written");
        return None;
    }
    Some(format!("  {name}: {}", first_difference(&written, &told)))
}

fn first_difference(written: &str, told: &str) -> String {
    let (mut written, mut told) = (written.lines(), told.lines());
    for line in 1.. {
        match (written.next(), told.next()) {
            (None, None) => break,
            (expected, got) if expected != got => {
                let (expected, got) = (expected.unwrap_or("(the end)"), got.unwrap_or("(the end)"));
                return format!("line {line}\n    written: {expected}\n    told:    {got}");
            }
            _ => {}
        }
    }
    "they differ in line ends only".into()
}
