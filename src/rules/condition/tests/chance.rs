//! Expressions by chance: each is written twice, as a condition and as the oracle reads it, where durations are numbers of
//! milliseconds. What is drawn is right by its kinds; whether it means anything is another matter.

use crate::rules::facts::{FACTS, Fact, Kind, Words};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A seed and what comes of it.
pub struct Chance(ChaCha8Rng);

/// One round with this seed; with `BATON_FUZZ_SECONDS` more of them for so long, each with the next seed.
pub fn rounds(first: u64, round: impl Fn(u64)) {
    round(first);
    let Ok(seconds) = std::env::var("BATON_FUZZ_SECONDS") else { return };
    let seconds = seconds.parse().expect("BATON_FUZZ_SECONDS is a whole number");
    let begin = std::time::Instant::now();
    let next = (first + 1..).take_while(|_| begin.elapsed().as_secs() < seconds);
    next.for_each(round);
}

/// One expression in the two ways of writing.
#[derive(Clone)]
pub struct Said {
    pub ours: String,
    pub theirs: String,
}

impl Said {
    fn same(text: impl Into<String>) -> Said {
        let text = text.into();
        Said { ours: text.clone(), theirs: text }
    }

    /// A frame around others: each `{}` of it is one.
    fn framed(frame: &str, parts: &[Said]) -> Said {
        let fill = |of: fn(&Said) -> &str| {
            let mut pieces = frame.split("{}");
            let mut said = pieces.next().unwrap_or_default().to_owned();
            for (piece, part) in pieces.zip(parts) {
                said = said + of(part) + piece;
            }
            said
        };
        Said { ours: fill(|part| &part.ours), theirs: fill(|part| &part.theirs) }
    }
}

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.random_range(0..bound)
    }

    pub fn index(&mut self, length: usize) -> usize {
        self.0.random_range(0..length)
    }

    pub fn coin(&mut self) -> bool {
        self.0.random_range(0..2) == 1
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.index(all.len())]
    }

    pub fn maybe<T>(&mut self, make: impl FnOnce(&mut Chance) -> T) -> Option<T> {
        self.coin().then(|| make(self))
    }

    /// Some of these names, each with what is made for it.
    pub fn some<T>(&mut self, names: &[&'static str], make: fn(&mut Chance) -> T) -> Vec<(&'static str, T)> {
        names.iter().filter_map(|name| self.maybe(|chance| (*name, make(chance)))).collect()
    }

    fn fact(&mut self, kind: Kind) -> &'static Fact {
        let of_kind: Vec<&'static Fact> = FACTS.iter().filter(|fact| fact.kind == kind).collect();
        self.one_of(&of_kind)
    }

    /// The fact by its name, or of a queue that is named.
    fn asked(&mut self, fact: &Fact) -> Said {
        if fact.is_of_a_queue() && self.coin() {
            let queue = self.one_of(&["loans", "cards"]);
            return Said::same(format!("queues[\"{queue}\"].{}", fact.field()));
        }
        Said::same(fact.name)
    }

    pub fn truth(&mut self, depth: u32) -> Said {
        let Some(less) = depth.checked_sub(1) else { return self.plain_truth() };
        match self.below(12) {
            0..=2 => Said::framed("({} && {})", &[self.truth(less), self.truth(less)]),
            3..=4 => Said::framed("({} || {})", &[self.truth(less), self.truth(less)]),
            5 => Said::framed("!({})", &[self.truth(less)]),
            6 => Said::framed("({} ? {} : {})", &[self.truth(less), self.truth(less), self.truth(less)]),
            7 => Said::framed("({} == {})", &[self.truth(less), self.truth(less)]),
            8 => self.compared(less),
            9 => self.texts_compared(less),
            10 => self.listed(less),
            _ => self.plain_truth(),
        }
    }

    fn plain_truth(&mut self) -> Said {
        match self.below(8) {
            0 => Said::same(self.one_of(&["true", "false"])),
            1 => Said::same("attribute.vip"),
            2 => Said::same(format!("hours[\"{}\"]", self.one_of(&["head office", "night"]))),
            3 => {
                let fact = self.one_of(&FACTS.iter().collect::<Vec<_>>());
                Said::framed("has({})", &[self.asked(fact)])
            }
            4 => {
                Said::same(format!("has(attribute.{})", self.one_of(&["contract", "limit", "vip", "absent"])))
            }
            5 => self.word_compared(),
            _ => {
                let fact = self.fact(Kind::Truth);
                self.asked(fact)
            }
        }
    }

    fn compared(&mut self, depth: u32) -> Said {
        let sign = self.one_of(&["==", "!=", "<", "<=", ">", ">="]);
        let frame = format!("{{}} {sign} {{}}");
        match self.coin() {
            true => Said::framed(&frame, &[self.number(depth), self.number(depth)]),
            false => Said::framed(&frame, &[self.duration(depth), self.duration(depth)]),
        }
    }

    /// A fact of a few words with one of them.
    fn word_compared(&mut self) -> Said {
        let fact = self.fact(Kind::Text);
        let word = match fact.words {
            Words::Of(words) => self.one_of(words),
            Words::Date => "2027-01-01",
            Words::Any => self.one_of(&["", "es", "cancel_card", "gold", "loans"]),
        };
        let sign = self.one_of(&["==", "!="]);
        Said::same(format!("{} {sign} \"{word}\"", fact.name))
    }

    /// A number that is always there, with a bound near to those it is.
    pub fn threshold(&mut self) -> String {
        let all = FACTS.iter().filter(|fact| fact.kind == Kind::Number && !fact.is_of_a_queue());
        let always: Vec<&'static Fact> = all.filter(|fact| !fact.may_be_missing).collect();
        let (fact, sign) = (self.one_of(&always), self.one_of(&["==", "!=", "<", "<=", ">", ">="]));
        let bound = self.one_of(&["-3", "0", "1", "2", "3", "7", "12", "9223372036854775807"]);
        match self.coin() {
            true => format!("{} {sign} {bound}", fact.name),
            false => format!("{bound} {sign} {}", fact.name),
        }
    }

    fn texts_compared(&mut self, depth: u32) -> Said {
        let two = [self.text(depth), self.text(depth)];
        let frame = self.one_of(&[
            "{} == {}",
            "{} != {}",
            "{} < {}",
            "{} >= {}",
            "{}.startsWith({})",
            "{}.endsWith({})",
            "{}.contains({})",
        ]);
        Said::framed(frame, &two)
    }

    fn listed(&mut self, depth: u32) -> Said {
        match self.below(3) {
            0 => Said::framed("{} in [{}, {}]", &[self.text(depth), self.text(depth), self.text(depth)]),
            1 => {
                Said::framed("{} in [{}, {}]", &[self.number(depth), self.number(depth), self.number(depth)])
            }
            _ => Said::framed("{} in interaction.requires", &[self.text(depth)]),
        }
    }

    fn number(&mut self, depth: u32) -> Said {
        let Some(less) = depth.checked_sub(1) else { return self.plain_number() };
        match self.below(9) {
            0 => {
                let sign = self.one_of(&["+", "-", "*", "/", "%"]);
                Said::framed(&format!("({{}} {sign} {{}})"), &[self.number(less), self.number(less)])
            }
            1 => Said::framed("(-{})", &[self.number(less)]),
            2 => Said::framed("({} ? {} : {})", &[self.truth(less), self.number(less), self.number(less)]),
            3 => Said::framed("size({})", &[self.text(less)]),
            _ => self.plain_number(),
        }
    }

    fn plain_number(&mut self) -> Said {
        match self.below(6) {
            0..=1 => Said::same(self.one_of(&["0", "1", "3", "12", "80", "9223372036854775807"])),
            2 => Said::same(self.one_of(&[
                "attribute.limit",
                "attribute.absent",
                "size(interaction.requires)",
            ])),
            _ => {
                let fact = self.fact(Kind::Number);
                self.asked(fact)
            }
        }
    }

    fn duration(&mut self, depth: u32) -> Said {
        let known =
            |said: &str, ms: &str| Said { ours: format!("duration(\"{said}\")"), theirs: ms.to_owned() };
        match (self.below(6), depth.checked_sub(1)) {
            (0, Some(less)) => Said::framed("({} + {})", &[self.duration(less), self.duration(less)]),
            (1, Some(less)) => Said::framed("({} - {})", &[self.duration(less), self.duration(less)]),
            (2..=3, _) => known("1m", "60000"),
            (4, _) => known("4m", "240000"),
            _ => {
                let fact = self.fact(Kind::Duration);
                self.asked(fact)
            }
        }
    }

    fn text(&mut self, depth: u32) -> Said {
        match (self.below(6), depth.checked_sub(1)) {
            (0, Some(less)) => {
                Said::framed("({} ? {} : {})", &[self.truth(less), self.text(less), self.text(less)])
            }
            (1, _) => Said::same("attribute.contract"),
            (2..=3, _) => Said::same(self.one_of(&["''", "\"es\"", "'caf\u{e9}'", "\"card\"", "'a'"])),
            // Those of a few words are compared with these alone.
            _ => Said::same(self.one_of(&["interaction.intent", "interaction.source", "customer.tier"])),
        }
    }
}
