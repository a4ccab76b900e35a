//! Days drawn from streams of customers: Poisson, with rates that change over the day.

use super::centre::{Day, Visit};
use super::draw::{Luck, Spread};

/// A part of the day in which a stream stays the same.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Piece {
    /// It ends here, s; it begins where the one before ends.
    pub until_s: f64,
    pub per_hour: f64,
    /// How long those who come in it wait, s.
    pub patience: Spread,
    /// How much more work they are than usual.
    pub work: Spread,
}

/// Customers of one kind.
#[derive(Clone, PartialEq, Debug)]
pub struct Stream {
    pub kind: usize,
    /// In the order of time.
    pub pieces: Vec<Piece>,
    /// What the rate of each piece is multiplied with, drawn for every piece.
    pub factor: Spread,
}

impl Stream {
    /// Customers who come for so long at one rate.
    pub fn steady(kind: usize, piece: Piece) -> Stream {
        Stream { kind, pieces: vec![piece], factor: Spread::Fixed(1.0) }
    }
}

/// The day of this seed, with every rate multiplied by `factor`.
pub fn day(streams: &[Stream], factor: f64, seed: u64) -> Day {
    let mut visits = Vec::new();
    for stream in streams {
        // A stream keeps its luck whichever others there are.
        let mut luck = Luck::new(seed, stream.kind as u64 + 1);
        let mut from_s = 0.0;
        for piece in &stream.pieces {
            let per_hour = piece.per_hour * factor * stream.factor.draw(&mut luck);
            come(&mut visits, stream.kind, piece, from_s, per_hour, &mut luck);
            from_s = piece.until_s;
        }
    }
    visits.sort_by(|a, b| a.at_s.total_cmp(&b.at_s).then(a.kind.cmp(&b.kind)));
    Day { visits }
}

/// The factor of the day of this seed.
pub fn day_factor(spread: Spread, seed: u64) -> f64 {
    spread.draw(&mut Luck::new(seed, 0))
}

fn come(visits: &mut Vec<Visit>, kind: usize, piece: &Piece, from_s: f64, per_hour: f64, luck: &mut Luck) {
    if per_hour <= 0.0 {
        return;
    }
    let mut at_s = from_s;
    loop {
        at_s += luck.exponential() * 3_600.0 / per_hour;
        if at_s >= piece.until_s {
            return;
        }
        visits.push(Visit {
            // Whole milliseconds, as the engine counts: who is served at once has waited 0.
            at_s: (at_s * 1_000.0).floor() / 1_000.0,
            kind,
            patience_s: piece.patience.draw(luck),
            work: piece.work.draw(luck),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams() -> Vec<Stream> {
        let piece = |until_s, per_hour| Piece {
            until_s,
            per_hour,
            patience: Spread::Exponential { mean: 100.0 },
            work: Spread::Lognormal { mean: 1.0, cv: 1.0 },
        };
        let busy = Stream {
            kind: 0,
            pieces: vec![piece(36_000.0, 600.0), piece(72_000.0, 60.0)],
            factor: Spread::Fixed(1.0),
        };
        vec![busy, Stream::steady(1, piece(72_000.0, 100.0))]
    }

    #[test]
    fn as_many_come_as_the_rates_say_and_in_order() {
        let day = day(&streams(), 0.5, 3);
        assert!(day.visits.is_sorted_by(|a, b| a.at_s <= b.at_s));
        let count = |kind, from, until| {
            let comes = |visit: &&Visit| visit.kind == kind && (from..until).contains(&visit.at_s);
            day.visits.iter().filter(comes).count() as f64
        };
        for (counted, mean) in [
            (count(0, 0.0, 36_000.0), 3_000.0_f64),
            (count(0, 36_000.0, 72_000.0), 300.0),
            (count(1, 0.0, 72_000.0), 1_000.0),
        ] {
            assert!((counted - mean).abs() < 4.0 * mean.sqrt(), "{counted} instead of {mean}");
        }
    }

    #[test]
    fn a_stream_keeps_its_customers_whichever_others_come() {
        let both = day(&streams(), 1.0, 3);
        let alone = day(&streams()[1..], 1.0, 3);
        let of_one: Vec<Visit> = both.visits.into_iter().filter(|visit| visit.kind == 1).collect();
        assert_eq!(of_one, alone.visits);
    }
}
