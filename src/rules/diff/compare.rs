//! Two documents at once, part by part. Whatever differs is told; what a section leaves out is told as what holds
//! instead: the default section's, or the built-in document's.

use super::phrases;
use super::tree::Tree;
use crate::rules::values::means_the_same;

/// Every change, in the order of the newer document, what is gone after what is there.
pub(super) fn documents(before: &Tree, after: &Tree, built_in: &Tree) -> Vec<String> {
    let mut told = Vec::new();
    for name in names(Some(before), Some(after)) {
        let (old, new) = (before.get(&name), after.get(&name));
        match name.as_str() {
            "version" => {}
            "name" => Walk::of("the document", &mut told).go(&["called".into()], old, new),
            "default" => {
                let mut walk = Walk::of("every queue", &mut told);
                walk.below = Layers::of([None, built_in.get("default")]);
                walk.below_after = walk.below;
                walk.go(&[], old, new);
            }
            "queues" => queues((before, after), built_in, (old, new), &mut told),
            "signals" => {
                let mut walk = Walk::of("words that", &mut told);
                walk.below = Layers::of([None, built_in.get("signals")]);
                walk.below_after = walk.below;
                walk.go(&[], old, new);
            }
            name => Walk::of("", &mut told).go(&[name.to_owned()], old, new),
        }
    }
    told
}

fn queues(
    (before, after): (&Tree, &Tree),
    built_in: &Tree,
    (old, new): (Option<&Tree>, Option<&Tree>),
    told: &mut Vec<String>,
) {
    for queue in names(old, new) {
        let own = |tree: Option<&'_ Tree>| tree.and_then(|tree| tree.get(&queue)).cloned();
        let (old, new) = (own(old), own(new));
        let mut walk = Walk::of(&format!("queue {queue}"), told);
        let built_in = built_in.get("default");
        walk.below = Layers::of([before.get("default"), built_in]);
        walk.below_after = Layers::of([after.get("default"), built_in]);
        walk.go(&[], old.as_ref(), new.as_ref());
    }
}

/// The names of both, the newer ones first.
fn names(before: Option<&Tree>, after: Option<&Tree>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for tree in [after, before].into_iter().flatten() {
        let Tree::Map(parts) = tree else { continue };
        for (name, _) in parts {
            if !all.contains(name) {
                all.push(name.clone());
            }
        }
    }
    all
}

/// What holds where a section says nothing, the nearest first.
#[derive(Clone, Copy, Default)]
struct Layers<'a>([Option<&'a Tree>; 2]);

impl<'a> Layers<'a> {
    fn of(layers: [Option<&'a Tree>; 2]) -> Layers<'a> {
        Layers(layers)
    }

    /// What holds at a place; on a channel, also what holds for every channel.
    fn at(self, path: &[String]) -> Option<&'a Tree> {
        self.0.into_iter().flatten().find_map(|layer| at(layer, path).or_else(|| at_any(layer, path)))
    }
}

fn at<'a>(tree: &'a Tree, path: &[String]) -> Option<&'a Tree> {
    path.iter().try_fold(tree, |tree, name| tree.get(name))
}

fn at_any<'a>(tree: &'a Tree, path: &[String]) -> Option<&'a Tree> {
    let (last, above) = path.split_last().filter(|(last, _)| phrases::is_channel(last))?;
    let _ = last;
    at(tree, above)?.get("any")
}

/// A walk through what one subject says.
struct Walk<'a> {
    subject: String,
    below: Layers<'a>,
    below_after: Layers<'a>,
    /// What is said for itself now, or no more, and stays as it was.
    said_now: Vec<String>,
    said_no_more: Vec<String>,
    told: &'a mut Vec<String>,
}

impl<'a> Walk<'a> {
    fn of(subject: &str, told: &'a mut Vec<String>) -> Walk<'a> {
        Walk {
            subject: subject.to_owned(),
            below: Layers::default(),
            below_after: Layers::default(),
            said_now: Vec::new(),
            said_no_more: Vec::new(),
            told,
        }
    }

    fn tell(&mut self, said: &str) {
        let subject = &self.subject;
        self.told.push(if subject.is_empty() { said.to_owned() } else { format!("{subject}: {said}") });
    }

    /// The whole walk. What stays as it was is told in one sentence at its end.
    fn go(mut self, path: &[String], before: Option<&Tree>, after: Option<&Tree>) {
        self.part(path, before, after);
        let (now, no_more) = (std::mem::take(&mut self.said_now), std::mem::take(&mut self.said_no_more));
        for (parts, said) in [(now, "said here now"), (no_more, "no longer said here")] {
            match parts.as_slice() {
                [] => {}
                [one] => self.tell(&format!("{one}, {said}")),
                many => self.tell(&format!("{} parts are {said} and stay as they were", many.len())),
            }
        }
    }

    fn part(&mut self, path: &[String], before: Option<&Tree>, after: Option<&Tree>) {
        if before == after {
            return;
        }
        let is = |kind: fn(&Tree) -> bool| [before, after].into_iter().flatten().all(kind);
        let (held, holds) = (before.or(self.below.at(path)), after.or(self.below_after.at(path)));
        if is(|tree| matches!(tree, Tree::Map(_)))
            && !is(Tree::is_empty)
            && !phrases::is_whole(path, before, after)
        {
            self.named_parts(path, before, after);
        } else if same(held, holds) {
            self.stays(path, before, after);
        } else if let (Some(Tree::List(old)), Some(Tree::List(new))) = (held, holds) {
            self.list(path, old, new);
        } else if is(Tree::is_empty) {
            self.empty(path, before, after);
        } else if is(|tree| matches!(tree, Tree::List(_))) {
            let entries = |tree: Option<&Tree>| match tree {
                Some(Tree::List(entries)) => entries.clone(),
                _ => Vec::new(),
            };
            self.list(path, &entries(before), &entries(after));
        } else {
            self.value(path, before, after);
        }
    }

    fn named_parts(&mut self, path: &[String], before: Option<&Tree>, after: Option<&Tree>) {
        for name in names(before, after) {
            let path = [path, std::slice::from_ref(&name)].concat();
            let of = |tree: Option<&'_ Tree>| tree.and_then(|tree| tree.get(&name)).cloned();
            self.part(&path, of(before).as_ref(), of(after).as_ref());
        }
    }

    /// Said for itself on one side only, and it is what held, or holds, anyway.
    fn stays(&mut self, path: &[String], before: Option<&Tree>, after: Option<&Tree>) {
        let (words, unit) = phrases::words(path);
        match (before, after) {
            (None, Some(after)) => self.said_now.push(format!("{words} {after}{unit}")),
            (Some(before), None) => self.said_no_more.push(format!("{words} {before}{unit}")),
            // Another spelling of the same.
            _ => {}
        }
    }

    /// Something that says nothing came, went, or is now nothing of another kind.
    fn empty(&mut self, path: &[String], before: Option<&Tree>, after: Option<&Tree>) {
        let words = if path.is_empty() { "a section".to_owned() } else { phrases::words(path).0 };
        match (before, after) {
            (None, Some(_)) => self.tell(&format!("{words}, empty, new")),
            (Some(_), None) => self.tell(&format!("{words}, empty, no more")),
            _ => {}
        }
    }

    fn value(&mut self, path: &[String], before: Option<&Tree>, after: Option<&Tree>) {
        let (words, unit) = phrases::words(path);
        let (held, holds) = (self.below.at(path), self.below_after.at(path));
        let said = match (before, after) {
            (Some(before), Some(after)) => format!("{words} {before} → {after}{unit}"),
            (None, Some(after)) => match held {
                Some(held) => format!("{words} {held} → {after}{unit}"),
                None => format!("{words} {after}{unit}, new"),
            },
            (Some(before), None) => match holds {
                Some(holds) => format!("{words} {before} → {holds}{unit}, as elsewhere"),
                None => format!("{words} {before}{unit}, no more"),
            },
            (None, None) => return,
        };
        self.tell(&said);
    }

    fn list(&mut self, path: &[String], old: &[Tree], new: &[Tree]) {
        if old.iter().chain(new).all(|entry| entry.leaf().is_some()) {
            self.plain(path, old, new);
        } else {
            self.entries(path, old, new);
        }
    }

    /// Words, names: what came, what went, and another order.
    fn plain(&mut self, path: &[String], old: &[Tree], new: &[Tree]) {
        let (words, _) = phrases::words(path);
        let only = |these: &[Tree], others: &[Tree]| {
            let mut left = others.to_vec();
            let own = these.iter().filter(|one| match left.iter().position(|other| other == *one) {
                Some(at) => {
                    left.remove(at);
                    false
                }
                None => true,
            });
            own.cloned().collect::<Vec<Tree>>()
        };
        let (added, removed) = (only(new, old), only(old, new));
        if added.is_empty() && removed.is_empty() {
            let (old, new) = (Tree::List(old.to_vec()), Tree::List(new.to_vec()));
            return self.tell(&format!("{words} in another order: {old} → {new}"));
        }
        let said = [(added, "added"), (removed, "removed")];
        let said: Vec<String> = said
            .into_iter()
            .filter(|(entries, _)| !entries.is_empty())
            .map(|(entries, done)| format!("{} {done}", Tree::List(entries)))
            .collect();
        self.tell(&format!("{words}: {}", said.join("; ")));
    }

    /// Parts: by their names if they have such, else by where they stand.
    fn entries(&mut self, path: &[String], old: &[Tree], new: &[Tree]) {
        let kind = phrases::entry(path);
        let mut left: Vec<(usize, &Tree)> = old.iter().enumerate().collect();
        let mut found: Vec<Option<(usize, &Tree)>> = Vec::new();
        for (at, entry) in new.iter().enumerate() {
            let same = left.iter().position(|(was, other)| match (name(entry), name(other)) {
                (None, None) => *was == at,
                (one, other) => one == other,
            });
            found.push(same.map(|same| left.remove(same)));
        }
        let stayed = in_order(&found.iter().flatten().map(|(was, _)| *was).collect::<Vec<_>>());
        for (at, (entry, before)) in new.iter().zip(found).enumerate() {
            let called = called(&kind, at, entry);
            match before {
                None => self.tell(&added(&called, at, entry)),
                Some((was, before)) => {
                    if stayed.binary_search(&was).is_err() {
                        self.tell(&format!("{called}: moved from {} to {}", was + 1, at + 1));
                    }
                    self.entry(called, before, entry);
                }
            }
        }
        for (at, entry) in left {
            self.tell(&removed(&called(&kind, at, entry), entry));
        }
    }

    fn entry(&mut self, called: String, before: &Tree, entry: &Tree) {
        let subject = match self.subject.as_str() {
            "" => called,
            subject => format!("{subject}, {called}"),
        };
        Walk::of(&subject, self.told).go(&[], Some(before), Some(entry));
    }
}

/// The longest run of rising numbers: what need not be moved. With one put on top of ten nobody is told that ten moved.
fn in_order(numbers: &[usize]) -> Vec<usize> {
    // For each length the run that ends lowest, by where its last number stands, and before each number the one of its run.
    let (mut ends, mut before): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), Vec::new());
    for (at, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let last = ends.last().copied();
    let mut run: Vec<usize> = std::iter::successors(last, |at| before[*at]).map(|at| numbers[at]).collect();
    run.reverse();
    run
}

/// True if both say the same, in whatever spelling.
fn same(one: Option<&Tree>, other: Option<&Tree>) -> bool {
    match (one, other) {
        (Some(Tree::Leaf(one)), Some(Tree::Leaf(other))) => means_the_same(one, other),
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

fn name(entry: &Tree) -> Option<&str> {
    entry.get("name")?.leaf()
}

/// By its name, which stays, rather than by its number, which does not.
fn called(kind: &str, at: usize, entry: &Tree) -> String {
    match name(entry) {
        Some(name) => format!("{kind} `{name}`"),
        None => format!("{kind} {}", at + 1),
    }
}

/// Where it stands is told of one with a name: of the others that is what they are called.
fn added(called: &str, at: usize, entry: &Tree) -> String {
    match name(entry) {
        Some(_) => format!("{called}: added as number {}: {}", at + 1, unnamed(entry)),
        None => format!("{called} added: {entry}"),
    }
}

fn removed(called: &str, entry: &Tree) -> String {
    match name(entry) {
        Some(_) => format!("{called}: removed: {}", unnamed(entry)),
        None => format!("{called} removed: {entry}"),
    }
}

/// What it says besides its name.
fn unnamed(entry: &Tree) -> Tree {
    match entry {
        Tree::Map(parts) if name(entry).is_some() => {
            Tree::Map(parts.iter().filter(|(key, _)| key != "name").cloned().collect())
        }
        entry => entry.clone(),
    }
}
