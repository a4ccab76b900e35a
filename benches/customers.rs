//! The customers' store: what a card costs with few and with many customers, what they take on the disk, promises that
//! eight desks want to redeem at once, and links between long histories. A table, with ratios from the same run.
//!
//! `BATON_CUSTOMERS=10000,100000,1000000` says with how many (10,000 and 100,000 if it says nothing); a million take 4 GB
//! and some minutes to write. Each has an address, a name and 20 entries over 60 days: 10 contacts (half with an agent's
//! note), 4 visits, 6 messages, half of them ours; the texts are those of BANKING77 where that lies beside the repository,
//! else words of the same lengths. Everybody's first entry is written before anybody's second, so the 20 lie in 20 places
//! of the file, as in life.
//!
//! Left out: the threads of the service but for promises, the wire (the pen here is postcard, on the wire it is protobuf),
//! promises, links and consents of those who are looked up. Wall time, the system's allocator.

#[path = "customers/contended.rs"]
mod contended;
#[path = "customers/filled.rs"]
mod filled;
#[path = "customers/links.rs"]
mod links;
#[path = "customers/looked_up.rs"]
mod looked_up;
#[path = "customers/texts.rs"]
mod texts;

use filled::Filled;
use std::time::Duration;
use texts::Texts;

/// Noon of some day, ms since 1970: every reading takes place then.
const NOW_MS: i64 = 1_790_000_000_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn main() {
    let texts = Texts::found();
    println!("texts: {}", texts.source());
    let filled: Vec<Filled> = sizes().into_iter().map(|customers| Filled::new(customers, &texts)).collect();
    filled::print(&filled);
    looked_up::print(&filled);
    drop(filled);
    contended::print();
    links::print();
}

fn sizes() -> Vec<u64> {
    let said = std::env::var("BATON_CUSTOMERS").unwrap_or_else(|_| "10000,100000".to_owned());
    let size = |one: &str| one.trim().parse().expect("BATON_CUSTOMERS is numbers, with commas between");
    said.split(',').map(size).collect()
}

/// A folder that goes away with the value, on the disk of the build: one in memory would not be what is measured.
fn folder() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("customers")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .expect("a temporary folder")
}

/// Stands for chance: spread over all bits, and the same in every run.
fn drawn(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// So many of a hundred are no longer than this, µs.
fn percentile(all: &mut [Duration], hundredths: usize) -> f64 {
    all.sort_unstable();
    let at = (all.len() * hundredths / 100).min(all.len() - 1);
    all[at].as_secs_f64() * 1e6
}

fn median(mut all: Vec<Duration>) -> f64 {
    percentile(&mut all, 50)
}

/// With a comma after every third digit.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}
