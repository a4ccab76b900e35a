//! The end: a table by queue, and whether the books add up.

use std::fmt::Write;

use super::figures::{balances, id, percent, spoken, total};
use super::tally::{Tally, read};
use crate::proto::{FloorView, QueueFigures};

/// What came of a run.
#[derive(Debug)]
pub struct Summary {
    text: String,
    adds_up: bool,
}

impl Summary {
    /// Compares the server's figures with each other, and their growth since `before` with our own counts.
    pub fn of(before: &FloorView, after: &FloorView, tally: &Tally) -> Summary {
        let mut text = table(&after.queues);
        let earlier = total(&before.queues).entered;
        if earlier > 0 {
            let _ =
                writeln!(text, "\nof these, {earlier} entered before this run: the folder's figures go on");
        }
        let queues_wrong: Vec<&str> =
            after.queues.iter().filter(|queue| !balances(queue)).map(|queue| id(&queue.queue)).collect();
        let entered = total(&after.queues).entered.saturating_sub(earlier);
        let (handed_in, in_doubt) = (read(&tally.handed_in), read(&tally.in_doubt));
        write_cards(&mut text, tally);
        write_books(&mut text, &queues_wrong, &total(&after.queues));
        let _ = writeln!(
            text,
            "handed in by the demo {handed_in}, entered meanwhile {entered}: {} ({in_doubt} in doubt, {} turned away, \
             {} warnings)",
            compared(handed_in, entered, in_doubt),
            read(&tally.turned_away),
            read(&tally.warnings),
        );
        Summary { text, adds_up: queues_wrong.is_empty() && entered >= handed_in }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether every contact is accounted for.
    pub fn adds_up(&self) -> bool {
        self.adds_up
    }
}

/// Fewer than we handed in means that some are lost. More is no fault: the server is open to other clients too.
fn compared(handed_in: u64, entered: u64, in_doubt: u64) -> String {
    match entered {
        _ if entered < handed_in => format!("{} are MISSING", handed_in - entered),
        _ if entered <= handed_in + in_doubt => "none is missing".to_owned(),
        _ => format!("none is missing, {} are of other clients", entered - handed_in - in_doubt),
    }
}

fn table(queues: &[QueueFigures]) -> String {
    let mut text = format!(
        "{:<10}{:>9}{:>10}{:>11}{:>11}{:>12}{:>15}{:>11}\n",
        "queue", "entered", "answered", "abandoned", "cancelled", "still open", "service level", "mean wait"
    );
    for queue in queues {
        text.push_str(&row(id(&queue.queue), queue));
    }
    text.push_str(&row("all", &total(queues)));
    text
}

fn row(name: &str, queue: &QueueFigures) -> String {
    format!(
        "{:<10}{:>9}{:>10}{:>11}{:>11}{:>12}{:>15}{:>11}\n",
        name,
        queue.entered,
        queue.answered,
        queue.abandoned,
        queue.cancelled,
        queue.waiting + queue.offered,
        percent(queue.service_level_ppm),
        spoken(queue.mean_wait.as_ref()),
    )
}

fn write_cards(text: &mut String, tally: &Tally) {
    let _ = writeln!(
        text,
        "\ncards seen by agents {}, with earlier contacts {}, with earlier contacts on another channel {}",
        read(&tally.cards),
        read(&tally.cards_with_history),
        read(&tally.cards_across_channels),
    );
}

fn write_books(text: &mut String, queues_wrong: &[&str], all: &QueueFigures) {
    let mut equation = format!("{} entered", all.entered);
    let seldom = |equation: &mut String, counts: &[(u64, &str)]| {
        for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
            let _ = write!(equation, " + {count} {what}");
        }
    };
    let back = (u64::from(all.returned), "back in line after an answer");
    seldom(&mut equation, &[(all.moved_in, "moved in"), (all.transferred_in, "handed on"), back]);
    let _ = write!(
        equation,
        " = {} answered + {} abandoned + {} cancelled + {} waiting + {} offered",
        all.answered, all.abandoned, all.cancelled, all.waiting, all.offered,
    );
    let later = (u64::from(all.scheduled), "scheduled");
    let left =
        [(all.timed_out, "timed out"), (all.sent_away, "sent away"), (all.moved_out, "moved out"), later];
    seldom(&mut equation, &left);
    let _ = match queues_wrong {
        [] => writeln!(text, "the books add up: {equation}"),
        wrong => writeln!(text, "the books do NOT add up in {}: {equation}", wrong.join(", ")),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(entered: u64, answered: u64, waiting: u32) -> FloorView {
        let queue = QueueFigures {
            queue: "tenants/default/queues/ps".into(),
            entered,
            answered,
            waiting,
            ..QueueFigures::default()
        };
        FloorView { queues: vec![queue], ..FloorView::default() }
    }

    #[test]
    fn books_that_balance_add_up() {
        let tally = Tally::default();
        (0..5).for_each(|_| tally.count(&tally.handed_in));
        let summary = Summary::of(&view(2, 2, 0), &view(7, 4, 3), &tally);
        assert!(summary.adds_up(), "{}", summary.text());
        assert!(summary.text().contains("the books add up: 7 entered = 4 answered"));
    }

    #[test]
    fn a_contact_that_is_missing_is_noticed() {
        let summary = Summary::of(&view(0, 0, 0), &view(7, 4, 2), &Tally::default());
        assert!(!summary.adds_up());
        assert!(summary.text().contains("do NOT add up in ps"));
    }

    #[test]
    fn a_contact_that_we_handed_in_and_nobody_counted_is_noticed() {
        let tally = Tally::default();
        (0..8).for_each(|_| tally.count(&tally.handed_in));
        assert!(!Summary::of(&view(0, 0, 0), &view(7, 7, 0), &tally).adds_up());
    }
}
