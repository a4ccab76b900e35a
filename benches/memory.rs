//! Bytes of the engine's state, by an allocator that counts: what was asked of it and not given back, without the
//! system allocator's own overhead. Printed, not timed.
//!
//! Load: 50 skills and queues, voice, one key of idempotency an interaction, no payload (the engine holds none).
//! An interaction's bytes are measured while it waits and nobody is there; the key it leaves behind is measured once
//! more than `OVER_KEPT_MAX` are over, so that only keys still grow. Tables grow by doubling, so a figure depends on
//! where between two doublings it is taken: it is shown at several sizes. Left out: the edge's side tables,
//! payload, customers, the journal.

mod common;

use baton::engine::command::{Answer, Command, Leaving};
use baton::engine::outcome::OVER_KEPT_MAX;
use common::{Centre, Size};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator as it came; beside that a number is counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let nobody = of_a_centre(0);
    for agents in [1_000, 10_000, 100_000] {
        print_row("agent, signed in", u64::from(agents), of_a_centre(agents) - nobody);
    }
    waiting();
    keys();
}

/// What a centre with so many agents holds, the same queues in all.
fn of_a_centre(agents: u32) -> usize {
    let before = held();
    let centre = Centre::staffed(Size { agents, ..Size::USUAL });
    let bytes = held() - before;
    drop(centre);
    bytes
}

fn waiting() {
    let mut centre = Centre::new(Size::USUAL, 50);
    let empty = held();
    let mut waiting = 0;
    for size in [1_000, 10_000, 100_000, 500_000, 1_000_000] {
        while waiting < size {
            submit(&mut centre, waiting);
            waiting += 1;
        }
        print_row("interaction waiting, its key included", size, held() - empty);
    }
}

/// At constant load only the memory of keys grows.
fn keys() {
    let mut centre = Centre::new(Size::USUAL, 50);
    let kept = 2 * OVER_KEPT_MAX as u64;
    (0..kept).for_each(|number| come_and_go(&mut centre, number));
    let (constant, mut gone) = (held(), kept);
    for size in [500_000, 1_000_000, 2_000_000] {
        while gone < kept + size {
            come_and_go(&mut centre, gone);
            gone += 1;
        }
        print_row("key of an interaction that is over", size, held() - constant);
    }
}

fn come_and_go(centre: &mut Centre, number: u64) {
    let Answer::Admitted { interaction, .. } = submit(centre, number) else {
        panic!("a submit is answered as one")
    };
    centre.ask(Command::Cancel { interaction, leaving: Leaving::CustomerLeft });
}

fn submit(centre: &mut Centre, number: u64) -> Answer {
    let command = centre.submissions.command(number);
    centre.ask(command)
}

fn held() -> usize {
    HELD.load(Ordering::Relaxed)
}

fn print_row(what: &str, count: u64, bytes: usize) {
    println!("{what:<40} {count:>9}  {:>6} bytes each", bytes as u64 / count);
}
