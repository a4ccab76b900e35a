//! What durability costs: a single submit on a shard at rest, beside the bare syncs of the same disk in the same turn, and submits
//! as fast as they are taken, beside the same with nothing on the disk. Printed; every figure of one run.
//!
//! Load: 50 skills and queues, 1,000 agents of whom nobody is there, submits with a sealed message and an idempotency key
//! through the inbox of a shard; on disk in a folder made for the run where temporary files go. A bare sync is that of
//! 4,096 bytes added to a file. At rest one waits for the other, 200 of each in a turn; at saturation 512 are under way at once,
//! 50,000 in a turn. `BATON_TURNS` (5) turns. Left out: the API.

mod common;

use baton::engine::command::{Command, Write};
use common::house::{House, for_good, median, submitted};
use common::{Centre, Size, Submissions, definitions};
use rustix::fs::fdatasync;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// As baton has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AT_REST: u64 = 200;
const SATURATED: u64 = 50_000;
const PAGE: [u8; 4096] = [7; 4096];

fn main() {
    let turns = std::env::var("BATON_TURNS").ok().and_then(|count| count.parse().ok()).unwrap_or(5);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started");
    let folder = tempfile::tempdir().expect("a folder can be made");
    runtime.block_on(measure(folder.path(), turns));
}

async fn measure(folder: &Path, turns: u64) {
    let (durable, memory) = (House::open(folder, for_good(folder), 1), House::in_memory());
    let submissions = furnish(&durable).await;
    furnish(&memory).await;
    let (mut syncs, mut singles) = (Vec::new(), Vec::new());
    let (mut on_disk, mut in_memory) = (Vec::new(), Vec::new());
    for turn in 0..turns {
        let first = turn * (AT_REST + SATURATED);
        syncs.extend(bare_syncs(folder));
        for number in first..first + AT_REST {
            singles.push(submitted(durable.handle(), &submissions, number).await.1);
        }
        let numbers = first + AT_REST..first + AT_REST + SATURATED;
        on_disk.push(durable.submit(&submissions, numbers.clone()).await.0);
        durable.settle().await;
        in_memory.push(memory.submit(&submissions, numbers).await.0);
        memory.settle().await;
    }
    told("a bare sync of 4 KiB", &mut syncs);
    told("a single durable submit at rest", &mut singles);
    let allowed = 2 * median(&syncs) + Duration::from_millis(1);
    println!(
        "  two syncs and 1 ms are {allowed:.2?}: {:.2} of it",
        median(&singles).as_secs_f64() / allowed.as_secs_f64()
    );
    let rate = |all: &[Duration]| SATURATED as f64 / median(all).as_secs_f64();
    let (on_disk, in_memory) = (rate(&on_disk), rate(&in_memory));
    println!(
        "submits a second at saturation: {on_disk:.0} durable, {in_memory:.0} in memory, ratio {:.2}",
        on_disk / in_memory
    );
    durable.close().await;
    memory.close().await;
}

async fn furnish(house: &House) -> Arc<Submissions> {
    for (name, definition) in definitions(Size::USUAL) {
        let define = Command::Define { name: name.into(), definition, write: Write::Create };
        house.handle().ask(define, None).await.expect("a new name");
    }
    Centre::new(Size { agents: 0, ..Size::USUAL }, Size::USUAL.skills).submissions
}

fn bare_syncs(folder: &Path) -> Vec<Duration> {
    let mut file = std::fs::File::create(folder.join("bare")).expect("the disk works");
    let mut sync = || {
        let began = Instant::now();
        file.write_all(&PAGE).expect("the disk works");
        fdatasync(&file).expect("the disk works");
        began.elapsed()
    };
    (0..AT_REST).map(|_| sync()).collect()
}

fn told(what: &str, all: &mut [Duration]) {
    all.sort_unstable();
    let at = |part: usize| all[(all.len() - 1) * part / 100];
    println!("{what}: median {:.2?}, 95 of 100 within {:.2?}, 99 within {:.2?}", at(50), at(95), at(99));
}
