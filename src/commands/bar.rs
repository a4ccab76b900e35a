//! A progress bar on standard error. It is hidden where that is no terminal, and gone when the result is printed.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar while something is done.
pub struct Bar(ProgressBar);

impl Bar {
    /// `what` is counted: `choices`.
    pub fn new(what: &'static str) -> Bar {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}, {eta} left");
        let bar =
            ProgressBar::new(0).with_style(style.expect("the template is a constant")).with_message(what);
        Bar(bar)
    }

    /// So many are done, of so many.
    pub fn show(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Does the work under a bar; the work tells how many runs are done, of how many.
pub fn with_bar<T>(work: impl FnOnce(&mut dyn FnMut(u64, u64)) -> T) -> T {
    let bar = Bar::new("runs of a day");
    work(&mut |done, total| bar.show(done, total))
}
