//! A centre whose figures are published: `SimpleMSK` of the ContactCenters library (Buist and L'Ecuyer), 1,000 days by
//! its authors with 95 % intervals. Three types and two groups, three periods of two hours, a gamma factor of the day.

use super::*;
use baton::simulate::{Piece, Staffing, Stream, day};

const PERIOD_S: f64 = 7_200.0;
const TARGET_S: f64 = 20.0;
/// The gamma factor of the day has this shape, and mean 1.
const SHAPE: f64 = 28.7;
/// By type and period, arrivals a minute.
const ARRIVALS: [[f64; 3]; 3] = [[4.2, 5.3, 3.2], [5.1, 4.3, 4.8], [6.3, 5.2, 4.8]];
/// By period: services a minute, abandonments a minute; both are those of the period a customer comes in.
const SERVICES: [f64; 3] = [0.5, 0.6, 0.4];
const ABANDONS: [f64; 3] = [0.3, 0.4, 0.2];
/// By group and period.
const AGENTS: [[usize; 3]; 2] = [[12, 18, 9], [15, 20, 11]];
/// Customers of a day, in the mean.
const CUSTOMERS: u64 = 5_208;

/// Published intervals: served, abandoned, in time of all but those who left before, occupancy of the first group.
const PUBLISHED: [(&str, f64, f64); 4] = [
    ("served", 4_270.150, 4_324.460),
    ("abandoned", 876.133, 944.537),
    ("service level", 0.494, 0.509),
    ("occupancy", 0.877, 0.884),
];
/// Answered in time, by type and period.
const PUBLISHED_IN_TIME: [[(f64, f64); 3]; 3] = [
    [(164.338, 175.970), (594.159, 604.509), (13.782, 17.198)],
    [(254.597, 271.275), (506.276, 517.020), (31.270, 38.124)],
    [(250.178, 269.434), (607.586, 619.878), (22.137, 27.639)],
];

/// The second type is for both groups, and prefers the first.
fn centre() -> Centre {
    let minute = |kind, proficiency| Does { kind, proficiency, handle_s: 60.0, resolution: 1.0, known: None };
    let first = Member { group: 0, does: vec![minute(0, 1), minute(1, 2)] };
    let second = Member { group: 1, does: vec![minute(1, 1), minute(2, 1)] };
    let changes = (0..).zip(AGENTS).flat_map(|(group, by_period)| {
        (0..).zip(by_period).map(move |(period, agents)| Staffing {
            at_ms: period * 7_200_000,
            group,
            agents,
        })
    });
    Centre {
        kinds: ["a", "b", "c"].map(|name| kind(name, 120.0)).to_vec(),
        agents: [vec![first; 18], vec![second; 20]].concat(),
        staffing: changes.collect(),
    }
}

fn streams() -> Vec<Stream> {
    let piece = |kind: usize, period: usize| Piece {
        until_s: (period as f64 + 1.0) * PERIOD_S,
        per_hour: ARRIVALS[kind][period] * 60.0,
        patience: Spread::Exponential { mean: 60.0 / ABANDONS[period] },
        work: Spread::Exponential { mean: 1.0 / SERVICES[period] },
    };
    let pieces = |kind| (0..3).map(|period| piece(kind, period)).collect();
    (0..3).map(|kind| Stream { kind, pieces: pieces(kind), factor: Spread::Fixed(1.0) }).collect()
}

/// So many values of the factor, each standing for an equal share of the days: the middles of its quantiles.
fn factors(days: usize) -> Vec<f64> {
    const STEP: f64 = 0.0001;
    let density = |x: f64| ((SHAPE - 1.0) * x.ln() - SHAPE * (x - 1.0)).exp();
    let grid: Vec<f64> = (1..40_000).map(|step| f64::from(step) * STEP).collect();
    let whole: f64 = grid.iter().map(|x| density(*x)).sum();
    let (mut below, mut factors) = (0.0, Vec::new());
    for x in grid {
        below += density(x) / whole;
        while factors.len() < days && below > (factors.len() as f64 + 0.5) / days as f64 {
            factors.push(x);
        }
    }
    factors
}

/// What is counted on a day.
#[derive(Default)]
struct Counted {
    served: f64,
    left: f64,
    left_late: f64,
    in_time: [[f64; 3]; 3],
    busy_s: f64,
    there_s: f64,
}

impl Counted {
    fn add(&mut self, day: &Day, outcome: &Outcome) {
        // The last change sends agents of the first group home; those who work then are there until they finish.
        let changes_s = 2.0 * PERIOD_S;
        let (mut ends_s, mut over_s) = (Vec::new(), 0.0_f64);
        for (visit, fate) in day.visits.iter().zip(&outcome.fates) {
            let gone_s = visit.at_s + waited(fate) + worked(fate);
            over_s = over_s.max(gone_s);
            match *fate {
                Fate::Served { wait_s, work_s, agent, .. } => {
                    self.served += 1.0;
                    let period = ((visit.at_s / PERIOD_S) as usize).min(2);
                    self.in_time[visit.kind][period] += f64::from(u8::from(wait_s < TARGET_S));
                    if agent < AGENTS[0][1] {
                        self.busy_s += work_s;
                        if gone_s > changes_s && gone_s - work_s < changes_s {
                            ends_s.push(gone_s - changes_s);
                        }
                    }
                }
                Fate::Left { wait_s } => {
                    self.left += 1.0;
                    self.left_late += f64::from(u8::from(wait_s >= TARGET_S));
                }
                Fate::TurnedAway => {}
            }
        }
        ends_s.sort_by(f64::total_cmp);
        let too_many = ends_s.len().saturating_sub(AGENTS[0][2]);
        let planned = (AGENTS[0][0] + AGENTS[0][1]) as f64 * PERIOD_S;
        self.there_s += planned + AGENTS[0][2] as f64 * (over_s - changes_s);
        self.there_s += ends_s[..too_many].iter().sum::<f64>();
    }
}

#[test]
fn a_published_centre_has_its_published_figures() {
    let days = usize::try_from(arrivals(100 * CUSTOMERS) / CUSTOMERS).expect("there are few days");
    let (centre, streams, mut counted) = (centre(), streams(), Counted::default());
    for (seed, factor) in (1..).zip(factors(days)) {
        let day = day(&streams, factor, seed);
        counted.add(&day, &outcome(&centre, &day, Choice::MostSkilled));
    }
    let all_in_time: f64 = counted.in_time.iter().flatten().sum();
    let mean = |sum: f64| sum / days as f64;
    let figures = [
        mean(counted.served),
        mean(counted.left),
        all_in_time / (counted.served + counted.left_late),
        counted.busy_s / counted.there_s,
    ];
    let totals =
        PUBLISHED.iter().zip(figures).map(|(published, found)| (published.0.to_owned(), found, *published));
    let cells = (0..9).map(|cell| {
        let (kind, period) = (cell / 3, cell % 3);
        let (low, high) = PUBLISHED_IN_TIME[kind][period];
        let name = format!("type {kind}, period {period}");
        (name, mean(counted.in_time[kind][period]), ("", low, high))
    });
    let all: Vec<(String, f64, (&str, f64, f64))> = totals.chain(cells).collect();
    let said = |(name, found, (_, low, high)): &(String, f64, (&str, f64, f64))| {
        format!("{name}: {found:.4}, published {low} to {high}")
    };
    if std::env::var_os("BATON_ARRIVALS").is_some() {
        all.iter().for_each(|one| println!("{}", said(one)));
    }
    let outside = all.iter().filter(|(_, found, (_, low, high))| !(*low..=*high).contains(found));
    let outside: Vec<String> = outside.map(said).collect();
    assert!(outside.is_empty(), "outside of what is published, {days} days:\n{}", outside.join("\n"));
}
