//! A progress bar on standard error while runs of days are done.

use indicatif::{ProgressBar, ProgressStyle};

/// Does the work under a bar; the work tells how many runs are done, of how many.
pub fn with_bar<T>(work: impl FnOnce(&mut dyn FnMut(u64, u64)) -> T) -> T {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs of a day, {eta} left");
    let bar = ProgressBar::new(0).with_style(style.expect("the template is a constant"));
    let result = work(&mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    result
}
