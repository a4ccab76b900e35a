//! The engine's fractions against floating point, over the whole range of their parameters.

use baton::engine::fixed::{POWERS, Part, Powers, falling_by};

const BOUND: f64 = 1e-4;

fn float(part: Part) -> f64 {
    f64::from(part.0) / 65_536.0
}

#[test]
fn e_to_the_minus_x_is_within_a_ten_thousandth() {
    for x in 0..1_400_000_u32 {
        let exact = (-f64::from(x) / 100_000.0).exp();
        let ours = float(falling_by(u64::from(x), 100_000));
        assert!((ours - exact).abs() < BOUND, "x = {x} / 100000: {ours}, exactly {exact}");
    }
    assert_eq!(falling_by(u64::MAX, 1), Part::ZERO);
    assert_eq!((falling_by(1, 0), falling_by(0, 0)), (Part::ZERO, Part::ONE));
}

#[test]
fn powers_of_a_fraction_are_within_a_ten_thousandth() {
    for base in 400..=950 {
        let base = Part::thousandths(base);
        let powers = Powers::of(base);
        for power in 0..u32::try_from(POWERS).expect("few") {
            let exact = float(base).powi(power.cast_signed());
            let ours = float(powers.to(power));
            assert!((ours - exact).abs() < BOUND, "{base:?} to the {power}: {ours}, exactly {exact}");
        }
    }
}
