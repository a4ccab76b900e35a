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
            "name" => Walk::of("the document", &mut told).part(&["called".into()], old, new),
            "default" => {
                let mut walk = Walk::of("every queue", &mut told);
                walk.below = Layers::of([None, built_in.get("default")]);
                walk.below_after = walk.below;
                walk.part(&[], old, new);
            }
            "queues" => queues((before, after), built_in, (old, new), &mut told),
            "signals" => Walk::of("words that", &mut told).part(&[], old, new),
            name => Walk::of("", &mut told).part(&[name.to_owned()], old, new),
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
        walk.part(&[], old.as_ref(), new.as_ref());
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
    told: &'a mut Vec<String>,
}

impl<'a> Walk<'a> {
    fn of(subject: &str, told: &'a mut Vec<String>) -> Walk<'a> {
        let (below, below_after) = (Layers::default(), Layers::default());
        Walk { subject: subject.to_owned(), below, below_after, told }
    }

    fn tell(&mut self, said: &str) {
        let subject = &self.subject;
        self.told.push(if subject.is_empty() { said.to_owned() } else { format!("{subject}: {said}") });
    }

    fn part(&mut self, path: &[String], before: Option<&Tree>, after: Option<&Tree>) {
        if before == after {
            return;
        }
        let is = |kind: fn(&Tree) -> bool| [before, after].into_iter().flatten().all(kind);
        let whole = phrases::is_whole(path, before, after);
        if [before, after].into_iter().flatten().all(Tree::is_empty) {
            self.empty(path, before, after);
        } else if !whole && is(|tree| matches!(tree, Tree::Map(_))) {
            for name in names(before, after) {
                let path = [path, std::slice::from_ref(&name)].concat();
                let of = |tree: Option<&'_ Tree>| tree.and_then(|tree| tree.get(&name)).cloned();
                self.part(&path, of(before).as_ref(), of(after).as_ref());
            }
        } else if is(|tree| matches!(tree, Tree::List(_))) {
            self.list(path, before, after);
        } else {
            self.value(path, before, after);
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
        if let (Some(Tree::Leaf(before)), Some(Tree::Leaf(after))) = (before, after)
            && means_the_same(before, after)
        {
            return;
        }
        let (words, unit) = phrases::words(path);
        let (held, holds) = (self.below.at(path), self.below_after.at(path));
        let said = match (before, after) {
            (Some(before), Some(after)) => format!("{words} {before} → {after}{unit}"),
            (None, Some(after)) => match held {
                Some(held) if held == after => format!("{words} {after}{unit}, said for itself now"),
                Some(held) => format!("{words} {held} → {after}{unit}"),
                None => format!("{words} {after}{unit}, new"),
            },
            (Some(before), None) => match holds {
                Some(holds) if holds == before => {
                    format!("{words} {before}{unit}, no longer said for itself")
                }
                Some(holds) => format!("{words} {before} → {holds}{unit}, as elsewhere"),
                None => format!("{words} {before}{unit}, no more"),
            },
            (None, None) => return,
        };
        self.tell(&said);
    }

    fn list(&mut self, path: &[String], before: Option<&Tree>, after: Option<&Tree>) {
        let of = |tree: Option<&Tree>| match tree {
            Some(Tree::List(entries)) => entries.clone(),
            _ => Vec::new(),
        };
        let (old, new) = (of(before), of(after));
        if old.iter().chain(&new).all(|entry| entry.leaf().is_some()) {
            self.plain(path, &old, &new);
        } else {
            self.entries(path, &old, &new);
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
        for (at, entry) in new.iter().enumerate() {
            let same = left.iter().position(|(was, other)| match (name(entry), name(other)) {
                (None, None) => *was == at,
                (one, other) => one == other,
            });
            let before = same.map(|same| left.remove(same));
            self.entry(&kind, at, before, entry);
        }
        for (at, entry) in left {
            let said = format!("{} removed: {entry}", called(&kind, at, entry));
            self.tell(&said);
        }
    }

    fn entry(&mut self, kind: &str, at: usize, before: Option<(usize, &Tree)>, entry: &Tree) {
        let called = called(kind, at, entry);
        let Some((was, before)) = before else {
            return self.tell(&format!("{called} added: {entry}"));
        };
        if was != at {
            self.tell(&format!("{called} moved from {} to {}", was + 1, at + 1));
        }
        let subject = match self.subject.as_str() {
            "" => called,
            subject => format!("{subject}, {called}"),
        };
        Walk::of(&subject, self.told).part(&[], Some(before), Some(entry));
    }
}

fn name(entry: &Tree) -> Option<&str> {
    entry.get("name")?.leaf()
}

fn called(kind: &str, at: usize, entry: &Tree) -> String {
    match name(entry) {
        Some(name) => format!("{kind} {} `{name}`", at + 1),
        None => format!("{kind} {}", at + 1),
    }
}
