//! Agents with different skills: first come, first served, and the agent idle longest (Adan and Weiss 2014).

use super::*;
use baton::simulate::{Piece, Stream, day};

/// Agents as handle time and kinds; for each kind: rate per hour, must wait, mean wait, mean queue; occupancy by agent.
type Design = (&'static str, &'static [(f64, &'static [usize])], &'static [[f64; 4]], &'static [f64]);

const SEVENTH: f64 = 1_000.0 / 7.0;

const DESIGNS: [Design; 3] = [
    (
        "N with 1 and 2",
        &[(125.0, &[0]), (125.0, &[0, 1]), (125.0, &[0, 1])],
        &[[28.8, 0.45302818, 64.718311, 0.51774649], [32.4, 0.66444133, 129.43662, 1.1649296]],
        &[0.58104652, 0.77197674, 0.77197674],
    ),
    (
        "M with 1, 1 and 1",
        &[(SEVENTH, &[0]), (SEVENTH, &[0, 1]), (SEVENTH, &[1])],
        &[[25.2, 0.52830189, 97.03504, 0.67924528], [25.2, 0.52830189, 97.03504, 0.67924528]],
        &[0.62264151, 0.75471698, 0.62264151],
    ),
    (
        "W with 1 and 1",
        &[(125.0, &[0, 1]), (125.0, &[1, 2])],
        &[
            [10.8, 0.625, 154.16667, 0.4625],
            [14.4, 0.4375, 72.916667, 0.29166667],
            [10.8, 0.625, 154.16667, 0.4625],
        ],
        &[0.625, 0.625],
    ),
];

#[test]
fn skills_shared_in_part_make_waits_of_product_form() {
    let mut wrong = Vec::new();
    for (row, (name, agents, kinds, busy)) in (0..).zip(DESIGNS) {
        let centre = Centre {
            kinds: (0..kinds.len()).map(|number| kind(&format!("k{number}"), agents[0].0)).collect(),
            agents: agents.iter().map(|(handle_s, kinds)| member(*handle_s, kinds)).collect(),
            staffing: Vec::new(),
        };
        let all: f64 = kinds.iter().map(|kind| kind[0]).sum();
        let until_s = arrivals(40_000) as f64 / all * 3_600.0;
        let work = Spread::Exponential { mean: 1.0 };
        let stream = |(number, kind): (usize, &[f64; 4])| {
            Stream::steady(number, Piece { until_s, per_hour: kind[0], patience: Spread::NEVER, work })
        };
        let streams: Vec<Stream> = kinds.iter().enumerate().map(stream).collect();
        let day = day(&streams, 1.0, 600 + row);
        let observed = Observed::of(&day, &outcome(&centre, &day, Choice::LongestIdle));
        let mut figures = Vec::new();
        for (number, [_, waits, wait_s, queue]) in kinds.iter().enumerate() {
            figures.push(figure(&format!("kind {number} must wait"), *waits, must_wait(number)));
            figures.push(figure(&format!("kind {number} mean wait"), *wait_s, mean_wait(number)));
            figures.push(figure(&format!("kind {number} mean queue"), *queue, mean_queue(number)));
        }
        for (number, busy) in busy.iter().enumerate() {
            figures.push(figure(&format!("agent {number} occupancy"), *busy, occupancy_of(number)));
        }
        wrong.extend(observed.check(&format!("{name}:"), figures));
    }
    assert_exact(wrong);
}

fn occupancy_of(member: usize) -> impl Fn(&Batch) -> (f64, f64) {
    move |batch| {
        let work = batch.customers.iter().map(|(_, fate)| match fate {
            Fate::Served { agent, work_s, .. } if *agent == member => *work_s,
            _ => 0.0,
        });
        (work.sum(), batch.lasts_s)
    }
}
