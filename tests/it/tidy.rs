//! The house keeps its own rules: what the engine must not touch, what tests must not do, how files open and how
//! long they are, and that the documents name files that exist. Reads the tree; asks no other tool.

use std::path::{Path, PathBuf};

/// Longer than this a file has a second subject.
const LINES_MAX: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder, by path from the root, in order. This file is left out: it names what it forbids.
fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("the tree can be read").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found.into_iter().map(named).filter(|(name, _)| name != "tests/it/tidy.rs").collect()
}

fn named(path: PathBuf) -> (String, String) {
    let text = std::fs::read_to_string(&path).expect("sources are text");
    let name =
        path.strip_prefix(root()).expect("it lies below the root").to_string_lossy().replace('\\', "/");
    (name, text)
}

/// Every line that says a word it must not, with its place. Comments may name what code may not use.
fn code_lines_with(files: &[(String, String)], word: &str) -> Vec<String> {
    let code = |line: &&str| !line.trim_start().starts_with("//");
    lines(files, |line| code(&line) && says(line, word))
}

fn lines(files: &[(String, String)], wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let numbered = files.iter().flat_map(|(name, text)| {
        text.lines().enumerate().map(move |(number, line)| (name, number + 1, line))
    });
    numbered
        .filter(|(_, _, line)| wrong(line))
        .map(|(name, number, line)| format!("{name}:{number}: {line}"))
        .collect()
}

/// The word stands there on its own, not inside another.
fn says(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(part) && word.starts_with(part);
        let after = line[at + word.len()..].chars().next().is_some_and(part) && word.ends_with(part);
        !before && !after
    })
}

fn assert_none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn the_engine_has_no_floats_clocks_tasks_or_logs() {
    let engine = files("src/engine", "rs");
    assert!(!engine.is_empty(), "the engine is where it was");
    for word in [
        "f32",
        "f64",
        "SystemTime",
        "Instant",
        "tokio",
        "tracing",
        "rand",
        "std::thread",
        "std::fs",
        "std::net",
        "std::io",
        "Mutex",
        "RwLock",
        "println!",
        "eprintln!",
        "async",
        "unsafe",
    ] {
        assert_none(code_lines_with(&engine, word), &format!("the engine is pure: no {word}"));
    }
}

/// It panics when nobody reads standard error any more.
#[test]
fn nobody_complains_but_by_the_function_that_cannot_break() {
    assert_none(code_lines_with(&files("src", "rs"), "eprintln!"), "`complain` tells what is wrong");
}

#[test]
fn the_engine_reaches_outside_for_the_vocabulary_only() {
    let foreign = |line: &str| {
        ["crate::", "baton::"].iter().any(|prefix| says(line, prefix)) && !line.contains("crate::engine")
    };
    assert_none(
        lines(&files("src/engine", "rs"), foreign),
        "the engine depends on nothing else of the crate",
    );
}

/// The order of a hash map is no order. A map is looked up; whoever needs all of it keeps a sorted one.
#[test]
fn the_engine_never_iterates_a_hash_map() {
    let engine = files("src/engine", "rs");
    let mut maps: Vec<String> = Vec::new();
    for (_, text) in &engine {
        let fields = text.lines().filter(|line| line.contains(": HashMap<"));
        maps.extend(fields.filter_map(|line| {
            line.split(": HashMap<").next()?.split_whitespace().last().map(str::to_owned)
        }));
    }
    assert!(!maps.is_empty(), "the maps are declared as fields");
    for map in maps {
        for way in [
            "iter()",
            "iter_mut()",
            "keys()",
            "values()",
            "values_mut()",
            "into_iter()",
            "drain()",
            "retain(",
        ] {
            let rule = format!("a hash map has no order: {map}.{way}");
            // An interaction has lists of the same names: the maps are those of the shard and its memories.
            for holder in ["self", "shard", "intake", "ended_offers"] {
                assert_none(code_lines_with(&engine, &format!("{holder}.{map}.{way}")), &rule);
            }
        }
        assert_none(
            lines(&engine, |line| line.contains(&format!("in &self.{map} "))),
            "a hash map has no order",
        );
    }
    assert_none(code_lines_with(&engine, "HashMap::new()"), "maps are made by default, with their field");
}

#[test]
fn tests_wait_for_something_and_never_sleep() {
    let tests = files("tests/it", "rs");
    for word in ["thread::sleep", "time::sleep", "#[ignore"] {
        assert_none(code_lines_with(&tests, word), &format!("no {word} in tests"));
    }
}

#[test]
fn nothing_is_left_for_later() {
    let mut all = files("src", "rs");
    all.extend(files("tests", "rs"));
    all.extend(files("benches", "rs"));
    all.extend(files("proto", "proto"));
    for word in ["todo!", "unimplemented!", "dbg!", "TODO", "FIXME", "XXX"] {
        assert_none(lines(&all, |line| says(line, word)), &format!("no {word}"));
    }
}

#[test]
fn the_source_says_why_something_cannot_fail() {
    assert_none(code_lines_with(&files("src", "rs"), ".unwrap()"), "expect(\"why it cannot be\")");
}

#[test]
fn every_file_opens_with_what_it_is_and_has_one_subject() {
    let source = files("src", "rs");
    let mut all = source.clone();
    for folder in ["tests", "benches"] {
        all.extend(files(folder, "rs"));
    }
    let silent = all.iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(name, _)| name.clone());
    assert_none(silent.collect(), "a file opens with //! and what it is");
    let long =
        source.iter().filter(|(_, text)| text.lines().count() > LINES_MAX).map(|(name, _)| name.clone());
    assert_none(long.collect(), "look for the second subject");
}

/// A path in backticks that begins with one of our folders is a promise that it is there.
#[test]
fn the_documents_name_files_that_exist() {
    for document in ["README.md", "ARCHITECTURE.md"] {
        let Ok(text) = std::fs::read_to_string(root().join(document)) else { continue };
        let quoted = text.split('`').skip(1).step_by(2);
        let ours = quoted.filter(|path| {
            ["src/", "tests/", "proto/", "benches/", "helm/"].iter().any(|folder| path.starts_with(folder))
        });
        let plain = ours.filter(|path| !path.contains([' ', '*', '{', '<', '…', '\n']));
        let missing = plain.filter(|path| !root().join(path.trim_end_matches('/')).exists());
        assert_none(missing.map(str::to_owned).collect(), &format!("{document} names what is not there"));
    }
}

/// Paths of the machine it was written on mean nothing to anybody else.
#[test]
fn no_file_names_a_place_on_one_machine() {
    let mut all = files("src", "rs");
    for (folder, extension) in [
        ("tests", "rs"),
        ("tests", "txt"),
        ("tests", "md"),
        ("tests", "py"),
        ("proto", "proto"),
        ("benches", "rs"),
        ("helm", "yaml"),
    ] {
        all.extend(files(folder, extension));
    }
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "Cargo.toml", "build.rs", "clippy.toml"]
    {
        all.extend(
            std::fs::read_to_string(root().join(document)).ok().map(|text| (document.to_owned(), text)),
        );
    }
    for place in ["/home/", "/Users/", "/root/", "C:\\"] {
        assert_none(lines(&all, |line| line.contains(place)), &format!("no path of one machine: {place}"));
    }
}
