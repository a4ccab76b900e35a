//! Words for a broken assumption. Whoever may go on after one catches the panic and says so with these; whoever may not
//! lets it pass, and the process ends.

use std::any::Any;

/// So much of what a panic says is repeated, in characters.
const WHY_MAX: usize = 500;

/// Why a thread or a call ended in the middle.
pub(crate) fn why(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let text: String = text.unwrap_or("no reason was given").chars().take(WHY_MAX).collect();
    format!("an assumption is broken: {text}")
}
