//! Patience: against figures that are known exactly, and against customers whose patience is known.

use super::{assert_digits, draw, exponential};
use baton::engine::time::Time;
use baton::learning::{BUCKETS, Curve, Ending, HalfLife, HazardTable, Patience, Prior};

/// Wait ms, abandoned, answered, at risk, survival, cumulative hazard.
#[rustfmt::skip]
const CURVE: [(u64, u64, u64, u64, f64, f64); 37] = [
    (200, 1, 0, 40, 0.975, 0.025),
    (700, 0, 1, 39, 0.975, 0.025),
    (5_600, 0, 1, 38, 0.975, 0.025),
    (6_300, 1, 0, 37, 0.948_648_65, 0.052_027_027),
    (6_600, 1, 0, 36, 0.922_297_3, 0.079_804_805),
    (7_200, 0, 3, 35, 0.922_297_3, 0.079_804_805),
    (7_600, 0, 1, 32, 0.922_297_3, 0.079_804_805),
    (8_700, 1, 0, 31, 0.892_545_77, 0.112_062_87),
    (12_200, 0, 1, 30, 0.892_545_77, 0.112_062_87),
    (17_300, 1, 0, 29, 0.861_768_33, 0.146_545_63),
    (18_400, 0, 1, 28, 0.861_768_33, 0.146_545_63),
    (19_400, 1, 0, 27, 0.829_850_99, 0.183_582_66),
    (19_500, 0, 1, 26, 0.829_850_99, 0.183_582_66),
    (22_600, 0, 1, 25, 0.829_850_99, 0.183_582_66),
    (23_300, 0, 1, 24, 0.829_850_99, 0.183_582_66),
    (24_200, 0, 1, 23, 0.829_850_99, 0.183_582_66),
    (34_000, 0, 1, 22, 0.829_850_99, 0.183_582_66),
    (36_000, 0, 1, 21, 0.829_850_99, 0.183_582_66),
    (37_300, 0, 1, 20, 0.829_850_99, 0.183_582_66),
    (45_800, 1, 0, 19, 0.786_174_62, 0.236_214_24),
    (46_800, 0, 1, 18, 0.786_174_62, 0.236_214_24),
    (47_600, 0, 1, 17, 0.786_174_62, 0.236_214_24),
    (49_700, 0, 1, 16, 0.786_174_62, 0.236_214_24),
    (51_200, 0, 1, 15, 0.786_174_62, 0.236_214_24),
    (53_200, 1, 1, 14, 0.730_019_29, 0.307_642_82),
    (53_800, 0, 1, 12, 0.730_019_29, 0.307_642_82),
    (54_900, 0, 1, 11, 0.730_019_29, 0.307_642_82),
    (64_700, 1, 0, 10, 0.657_017_36, 0.407_642_82),
    (76_600, 0, 1, 9, 0.657_017_36, 0.407_642_82),
    (77_800, 1, 0, 8, 0.574_890_19, 0.532_642_82),
    (79_400, 1, 0, 7, 0.492_763_02, 0.675_499_96),
    (85_000, 0, 1, 6, 0.492_763_02, 0.675_499_96),
    (96_700, 0, 1, 5, 0.492_763_02, 0.675_499_96),
    (104_400, 1, 0, 4, 0.369_572_26, 0.925_499_96),
    (127_000, 0, 1, 3, 0.369_572_26, 0.925_499_96),
    (155_400, 0, 1, 2, 0.369_572_26, 0.925_499_96),
    (162_200, 1, 0, 1, 0.0, 1.9255),
];

const NEVER: HalfLife = HalfLife::USUAL;
const NOW: Time = Time(1_000_000);

/// Customers who hang up after an exponential patience, unless they are answered first, at a time as random.
fn waits(count: usize, patience_ms: f64, answered_ms: f64) -> Vec<(u64, Ending)> {
    let mut luck = draw(7);
    let mut wait = || {
        let (patience, answered) = (exponential(&mut luck, patience_ms), exponential(&mut luck, answered_ms));
        let ending = if patience < answered { Ending::Abandoned } else { Ending::Answered };
        (patience.min(answered) as u64, ending)
    };
    (0..count).map(|_| wait()).collect()
}

#[test]
fn survival_and_hazard_are_those_of_the_tables() {
    let waits: Vec<(u64, Ending)> = CURVE
        .iter()
        .flat_map(|row| {
            let abandoned = (0..row.1).map(|_| (row.0, Ending::Abandoned));
            abandoned.chain((0..row.2).map(|_| (row.0, Ending::Answered)))
        })
        .collect();
    let curve = Curve::of(&waits);
    assert_eq!(curve.steps.len(), CURVE.len());
    for (step, row) in curve.steps.iter().zip(CURVE) {
        assert_eq!((step.wait_ms, step.abandoned, step.answered, step.at_risk), (row.0, row.1, row.2, row.3));
        assert_digits("survival", step.survival, row.4);
        assert_digits("hazard", step.cumulative_hazard, row.5);
    }
    assert_digits("between two steps", curve.survival(60_000), 0.73001929);
    assert_eq!(curve.median_ms(), Some(79_400));
}

#[test]
fn patience_is_found_though_most_are_answered_first() {
    let waits = waits(20_000, 240_000.0, 60_000.0);
    let mut patience = Patience::new(NEVER);
    waits.iter().for_each(|(wait_ms, ending)| patience.record(NOW, *wait_ms, *ending));
    let found = patience.mean_ms(NOW, Prior::default());
    assert!((found / 240_000.0 - 1.0).abs() < 0.04, "{found} instead of 240000 ms");
    // The mean wait of those who hung up would be a fifth of it.
    let abandoned: Vec<f64> =
        waits.iter().filter(|wait| wait.1 == Ending::Abandoned).map(|wait| wait.0 as f64).collect();
    assert!(abandoned.iter().sum::<f64>() / (abandoned.len() as f64) < 60_000.0);
    // And by the curve, whatever the form: half are gone after ln 2 of the mean.
    let median = Curve::of(&waits).median_ms().expect("some waited long") as f64;
    assert!((median / (240_000.0 * 2_f64.ln()) - 1.0).abs() < 0.08, "{median}");
}

#[test]
fn an_answered_wait_never_shortens_patience() {
    let mut patience = Patience::new(NEVER);
    patience.record(NOW, 30_000, Ending::Abandoned);
    let before = patience.mean_ms(NOW, Prior::default());
    for wait_ms in [0, 1_000, 20_000] {
        let shorter = patience.mean_ms(NOW, Prior::default());
        patience.record(NOW, wait_ms, Ending::Answered);
        assert!(patience.mean_ms(NOW, Prior::default()) >= shorter);
    }
    patience.record(NOW, 1_000, Ending::Abandoned);
    assert!(patience.mean_ms(NOW, Prior::default()) < before);
}

#[test]
fn a_class_of_which_little_is_known_is_as_patient_as_its_wider_group() {
    let mut wider = Patience::new(NEVER);
    (0..1_000).for_each(|_| wider.record(NOW, 120_000, Ending::Abandoned));
    let prior = Prior::default().towards(&wider, NOW);
    let mut class = Patience::new(NEVER);
    let of_group = class.mean_ms(NOW, prior);
    assert!((of_group / 120_000.0 - 1.0).abs() < 0.02, "{of_group}");
    class.record(NOW, 600_000, Ending::Abandoned);
    let after_one = class.mean_ms(NOW, prior);
    assert!(after_one > of_group && after_one < 180_000.0, "{after_one}");
    (0..200).for_each(|_| class.record(NOW, 600_000, Ending::Abandoned));
    assert!(class.mean_ms(NOW, prior) > 560_000.0);
}

#[test]
fn patience_of_last_season_is_forgotten() {
    let half_life_ms = 1_000_000;
    let mut patience = Patience::new(HalfLife::of_ms(half_life_ms));
    (0..100).for_each(|_| patience.record(Time(0), 100_000, Ending::Abandoned));
    let prior = Prior { mean_ms: 300_000.0, abandons: 10.0 };
    let fresh = patience.mean_ms(Time(0), prior);
    assert!((fresh - (10_000_000.0 + 3_000_000.0) / 110.0).abs() < 1e-6);
    // After a half-life a hundred count fifty; after many, what is believed of everybody.
    let half = patience.mean_ms(Time(half_life_ms), prior);
    assert!((half - (5_000_000.0 + 3_000_000.0) / 60.0).abs() < 1e-6);
    assert!((patience.mean_ms(Time(40 * half_life_ms), prior) - 300_000.0).abs() < 1.0);
    // What is new outweighs what is old.
    (0..100).for_each(|_| patience.record(Time(4 * half_life_ms), 500_000, Ending::Abandoned));
    assert!(patience.mean_ms(Time(4 * half_life_ms), prior) > 400_000.0);
}

#[test]
fn the_hazard_table_knows_when_customers_hang_up() {
    let mut table = HazardTable::new(NEVER);
    // At 15 s an announcement drives off a fifth of those who hear it; before and after, 300 s of patience.
    let mut luck = draw(3);
    let (mut waits, mut patience_of) = (0, Patience::new(NEVER));
    while waits < 20_000 {
        let (patience, answered) = (exponential(&mut luck, 300_000.0), exponential(&mut luck, 60_000.0));
        let driven = if exponential(&mut luck, 1.0) < -(0.8_f64.ln()) { 15_500.0 } else { f64::INFINITY };
        let leaves = patience.min(driven);
        let ending = if leaves < answered { Ending::Abandoned } else { Ending::Answered };
        table.record(NOW, leaves.min(answered) as u64, ending);
        patience_of.record(NOW, leaves.min(answered) as u64, ending);
        waits += 1;
    }
    let prior = Prior { mean_ms: patience_of.mean_ms(NOW, Prior::default()), abandons: 0.0 };
    let buckets = table.buckets(NOW, prior);
    assert_eq!(buckets.len(), BUCKETS);
    assert_eq!(
        (buckets[15].from_ms, buckets[60].from_ms, buckets[BUCKETS - 1].from_ms),
        (15_000, 60_000, 600_000)
    );
    // A fifth at once, of a second of which most wait but half.
    assert!(buckets[15].per_ms > 0.000_18, "{:?}", buckets[15]);
    for bucket in [5, 10, 25, 40] {
        let mean = buckets[bucket - 4..=bucket].iter().map(|bucket| bucket.per_ms).sum::<f64>() / 5.0;
        assert!((mean * 300_000.0 - 1.0).abs() < 0.35, "bucket {bucket}: {mean}");
    }
    // Where nobody ever waited it is the class's own.
    assert!((buckets[BUCKETS - 1].per_ms * prior.mean_ms - 1.0).abs() < 0.3);
}

#[test]
fn a_hazard_table_is_the_same_however_it_is_summed() {
    let waits = waits(500, 100_000.0, 300_000.0);
    let mut table = HazardTable::new(NEVER);
    waits.iter().for_each(|(wait_ms, ending)| table.record(NOW, *wait_ms, *ending));
    let prior = Prior { mean_ms: 1e9, abandons: 0.0 };
    let buckets = table.buckets(NOW, prior);
    for (number, bucket) in buckets.iter().enumerate() {
        let until = buckets.get(number + 1).map_or(u64::MAX, |next| next.from_ms);
        let in_it = |wait: u64| (wait.min(until) - bucket.from_ms.min(wait)) as f64;
        let waited: f64 = waits.iter().map(|(wait_ms, _)| in_it(*wait_ms)).sum();
        let left = waits.iter().filter(|(wait_ms, ending)| {
            *ending == Ending::Abandoned && (bucket.from_ms..until).contains(wait_ms)
        });
        let want = (left.count() as f64 + 1.0) / (waited + 1e9);
        assert!((bucket.per_ms / want - 1.0).abs() < 1e-9, "bucket {number}");
    }
}
