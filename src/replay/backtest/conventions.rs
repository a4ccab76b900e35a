//! What a back-test assumes, in sentences that are printed with it, and how far it is from the record.

use super::difference::Change;
use super::drawn::{Drawn, RATIO_MAX};
use super::figures::Cell;
use super::recorded::Recorded;
use super::result::Row;

/// The assumptions, the figures of this record in them.
pub(super) fn conventions(recorded: &Recorded, drawn: &Drawn) -> Vec<String> {
    let out = &recorded.left_out;
    vec![
        "facts, presence of agents and what had been learned are as recorded; definitions of the floor as they were at each \
         moment; a fact that was declared later is not recorded before that"
            .to_owned(),
        "whoever was there when the period began goes on from where they were, with the plan they had, and is not among those who entered".to_owned(),
        format!(
            "work done by the agent of the record takes as long as recorded; another agent takes that times (their mean for \
             the queue / the recorded agent's mean), means drawn towards those of all agents, the ratio between \
             {:.2} and {RATIO_MAX}",
            1.0 / RATIO_MAX
        ),
        format!(
            "whoever was never answered brings work drawn from their queue's ({} of {})",
            drawn.work_drawn,
            recorded.lives.len()
        ),
        format!(
            "who hung up after a wait hangs up after that wait; anybody else has patience drawn beyond the wait they had, by \
             Kaplan and Meier, the same under both rule sets ({} of {}); where fewer than 20 left a queue, by its channel",
            drawn.patience_drawn,
            recorded.lives.len()
        ),
        "an agent asked for an interaction answers as they did when they were asked for it in the record, as often as they were, else as they answered one drawn from theirs (from \
         everybody's if they had fewer than 20); whoever lets one expire is back after the median time away; whoever accepts \
         is connected"
            .to_owned(),
        "contacts that were not let in left no event, so none are in the record; those a rule set does not let in are counted \
         apart, and cost as much as leaving"
            .to_owned(),
        format!(
            "a conversation that was handed on is handed on after its own time, to the same queue, or the one agent it was handed \
             to, always blind; consults, conferences, parking and putting back are not repeated ({} second agents sought, {} \
             parked, {} put back): that work is done at one go by whoever has the conversation; whoever hung up in line after a \
             hand-over is not handed on; contacts that joined another ({}) and failed connections ({}) are left out",
            out.second_agents, out.parked, out.put_back, out.attached, out.connects_failed
        ),
        "what the source asked for (queue, skills, an agent), what rules declare as facts and what was drawn for splits are as \
         recorded; figures of queues and opening hours that rules ask for are those of the floor as it is decided again"
            .to_owned(),
        "money, targets and short abandons of all columns but the record's own are by the goals of the published rules: minutes \
         of waiting, late answers, leaving unanswered"
            .to_owned(),
        "of queues and in all, counts, service level and mean wait are as `baton report` counts them: where and when it happened; \
         p95, money, segments and differences are of those who entered in the period, under the queue they came to; days are \
         UTC"
            .to_owned(),
    ]
}

/// A queue with fewer than this says little about a share.
const FEW: u64 = 100;

/// The second column against the first; also in the queue whose service level is farthest off.
pub(super) fn own_error(all: &Row, queues: &[Row]) -> String {
    let off = |row: &Row| {
        let levels = level(&row.published).zip(level(&row.recorded));
        levels.map_or(0.0, |(again, was)| (again - was).abs())
    };
    let enough = queues.iter().filter(|row| row.recorded.entered >= FEW);
    let farthest = enough.max_by(|a, b| off(a).total_cmp(&off(b))).map_or_else(String::new, |row| {
        let (again, was) = (shown(level(&row.published), 100.0), shown(level(&row.recorded), 100.0));
        format!("; farthest off, of queues with {FEW} or more, is {} with {again} % for {was} %", row.name)
    });
    let (was, again) = (&all.recorded, &all.published);
    format!(
        "the simulation's own error, published rules decided again against the record: mean wait {} s for {} s recorded, \
         service level {} % for {} %, {} hung up for {}{farthest}",
        shown(again.mean_wait_s, 1.0),
        shown(was.mean_wait_s, 1.0),
        shown(level(again), 100.0),
        shown(level(was), 100.0),
        again.abandoned,
        was.abandoned
    )
}

fn level(cell: &Cell) -> Option<f64> {
    cell.service_level
}

fn shown(value: Option<f64>, unit: f64) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.1}", value * unit))
}

/// A mean with its interval: `-1.3 ± 0.4`.
pub(super) fn with_interval(change: Change, decimals: usize) -> String {
    // A difference of nothing has no sign.
    let mean = if change.mean == 0.0 { 0.0 } else { change.mean };
    match change.ci {
        Some(ci) => format!("{mean:+.decimals$} ± {ci:.decimals$}"),
        None => format!("{mean:+.decimals$}"),
    }
}
