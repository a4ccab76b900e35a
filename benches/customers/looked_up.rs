//! What a card costs, from the address on: `find`, `recall`, `Kept` with its facts, the card.
//!
//! In turns, all sizes in each, so that whatever else the machine does falls on all of them: a connection is opened (its page
//! cache is empty, and holds 2 MB), and looks up customers drawn at random that no turn had before (cold), the same ones
//! again (warm), and once more, each twice at once, of which the second counts (at once): what it reads is then in the
//! connection's own cache. Last, facts and card are asked of what is kept. The operating system's cache is left as it is.
//! Beside the wall's time stands that of the processor, which leaves out waiting, for the disk and for others.

use super::filled::{Filled, address};
use super::{DAY_MS, NOW_MS, drawn, grouped, median, percentile};
use baton::customers::{Address, AskedFacts, CustomerReads, CustomerStore, Kept, Pen, about};
use baton::rules::RuleSet;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::collections::HashSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

const TURNS: u64 = 5;
/// Customers in a turn; fewer where there are not so many that every turn has its own.
const DRAWN: u64 = 1_000;
const PASSES: [&str; 4] = ["cold", "warm", "at once", "kept"];

/// The parts, in their order.
const PARTS: usize = 4;

#[derive(Clone, Copy, Default)]
struct Times {
    parts: [Duration; PARTS],
    /// Of all parts, by the processor's clock.
    processor: Duration,
}

/// By pass.
type Measured = [Vec<Times>; PASSES.len()];

pub fn print(all: &[Filled]) {
    let words = RuleSet::default().words();
    let mut drawn: Vec<Vec<u64>> = all.iter().map(|filled| draw(filled.customers)).collect();
    let mut measured: Vec<Measured> = all.iter().map(|_| Measured::default()).collect();
    for _ in 0..TURNS {
        for (at, filled) in all.iter().enumerate() {
            let rest = drawn[at].len() - a_turn(filled.customers);
            let addresses: Vec<Address> = drawn[at].drain(rest..).map(address).collect();
            turn(filled, &addresses, &words, &mut measured[at]);
        }
    }
    println!("\n{:>19} {:<31} {:<29} the processor's time", "µs", "medians of the parts", "the whole");
    print!("{:>10} {:>8}", "customers", "");
    ["find", "recall", "facts", "card"].iter().for_each(|part| print!(" {part:>7}"));
    ["p50", "p95", "p99"].repeat(2).iter().for_each(|part| print!(" {part:>9}"));
    println!();
    for (filled, measured) in all.iter().zip(&measured) {
        for (pass, times) in PASSES.iter().zip(measured) {
            print_row(filled.customers, pass, times);
        }
    }
    print_ratios(all, &measured);
}

fn a_turn(customers: u64) -> usize {
    usize::try_from(DRAWN.min(customers / TURNS)).expect("a turn is short")
}

/// Enough for all turns, each once.
fn draw(customers: u64) -> Vec<u64> {
    let wanted = a_turn(customers) * usize::try_from(TURNS).expect("turns are few");
    let mut seen = HashSet::new();
    let all = (0..).map(|number| 1 + drawn(number) % customers);
    all.filter(|customer| seen.insert(*customer)).take(wanted).collect()
}

fn turn(filled: &Filled, addresses: &[Address], words: &baton::customers::Words, measured: &mut Measured) {
    let [cold, warm, at_once, kept] = measured;
    let mut reads = filled.store.reads().expect("the store can be read");
    let mut asked = |address| look_up(reads.as_mut(), address, words);
    cold.extend(addresses.iter().map(|address| asked(address).1));
    warm.extend(addresses.iter().map(|address| asked(address).1));
    for address in addresses {
        drop(asked(address));
        let (mut card, times) = asked(address);
        at_once.push(times);
        kept.push(from_kept(&mut card, words));
    }
}

/// What an offer to somebody who was not offered lately costs.
fn look_up(
    reads: &mut dyn CustomerReads,
    address: &Address,
    words: &baton::customers::Words,
) -> (Kept, Times) {
    let mut times = Times::default();
    let known = times.timed(0, || reads.find(address));
    let known = known.expect("the store works").expect("everybody is known");
    let recalled = times.timed(1, || reads.recall(known.customer, NOW_MS - 7 * DAY_MS));
    let recalled = recalled.expect("the store works").expect("everybody is known");
    assert_eq!((recalled.newest.len(), recalled.lifetime_contacts), (20, 10), "a whole history");
    let mut kept = times.timed(2, || {
        let mut kept = Kept::new(recalled);
        ask(&mut kept, words);
        kept
    });
    times.timed(3, || show(&mut kept));
    (kept, times)
}

fn from_kept(kept: &mut Kept, words: &baton::customers::Words) -> Times {
    let mut times = Times::default();
    times.timed(2, || ask(kept, words));
    times.timed(3, || show(kept));
    times
}

fn ask(kept: &mut Kept, words: &baton::customers::Words) {
    let asked = AskedFacts {
        about: about("", "card_arrival"),
        within_ms: DAY_MS.cast_unsigned(),
        leaving_out: None,
        now_ms: NOW_MS,
        words,
    };
    black_box(kept.facts(&asked));
}

fn show(kept: &mut Kept) {
    let pen = Pen { customer: &|customer| written(customer), entry: &|_, entry| written(entry) };
    // What the wire takes over.
    let card = kept.card(0, NOW_MS, &pen);
    black_box(card.written.concat());
}

fn written(what: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(what).expect("all of it can be written")
}

impl Times {
    fn timed<T>(&mut self, part: usize, work: impl FnOnce() -> T) -> T {
        let (start, had) = (Instant::now(), processor_time());
        let done = work();
        self.processor += processor_time().saturating_sub(had);
        self.parts[part] = start.elapsed();
        done
    }
}

fn processor_time() -> Duration {
    let had = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(had).expect("no thread had less than nothing")
}

fn whole(times: &[Times]) -> Vec<Duration> {
    times.iter().map(|times| times.parts.iter().sum()).collect()
}

fn on_the_processor(times: &[Times]) -> Vec<Duration> {
    times.iter().map(|times| times.processor).collect()
}

fn print_row(customers: u64, pass: &str, times: &[Times]) {
    let part = |at: usize| median(times.iter().map(|times| times.parts[at]).collect());
    print!("{:>10} {pass:>8}", grouped(customers));
    for at in 0..PARTS {
        print!(" {:>7.1}", part(at));
    }
    for mut all in [whole(times), on_the_processor(times)] {
        for hundredths in [50, 95, 99] {
            print!(" {:>9.1}", percentile(&mut all, hundredths));
        }
    }
    println!();
}

/// The most customers against the fewest.
fn print_ratios(all: &[Filled], measured: &[Measured]) {
    let (Some((few, with_few)), Some((many, with_many))) =
        (all.first().zip(measured.first()), all.last().zip(measured.last()))
    else {
        return;
    };
    println!("{} : {}", grouped(many.customers), grouped(few.customers));
    for (at, pass) in PASSES.iter().enumerate() {
        print!("{pass:>19}{:32}", "");
        for clock in [whole, on_the_processor] {
            let (mut many, mut few) = (clock(&with_many[at]), clock(&with_few[at]));
            for hundredths in [50, 95, 99] {
                print!(" {:>9.2}", percentile(&mut many, hundredths) / percentile(&mut few, hundredths));
            }
        }
        println!();
    }
}
