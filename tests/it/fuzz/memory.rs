//! The largest piece of memory that a thread asks for at once: a length that was made up must not take all there is.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What is read is far below this.
const PIECE_MAX: usize = 16 << 20;

struct Watching;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn note(size: usize) {
    // A thread that ends asks for memory, too, and nobody looks any more.
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

// SAFETY: everything is the system's; only sizes are noted, in memory that is there before.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static WATCHING: Watching = Watching;

/// Does it, without asking for too much.
pub fn bounded<T>(work: impl FnOnce() -> T) -> T {
    LARGEST.set(0);
    let done = work();
    let largest = LARGEST.get();
    assert!(largest <= PIECE_MAX, "{largest} bytes were asked for at once");
    done
}
