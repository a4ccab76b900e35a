//! The values people write in rules: durations (`30s`, `1h30m`), money (`0.20`), shares (`80%`), proficiencies.
//! Everything is an integer from here on; no floating-point number ever stands in between.

use crate::engine::fixed::Part;
use crate::engine::money::Money;
use crate::engine::skill::{PROFICIENCY_MAX, Proficiency};
use serde::{Deserialize, Deserializer, de};

/// Longest duration in a rule, ms: a year.
pub const DURATION_MAX_MS: u64 = 366 * 24 * 60 * 60 * 1000;
/// Most money in a rule, in units of the currency.
pub const MONEY_MAX: i64 = 1_000_000_000;

/// The dial of the service level goes so far.
pub const DIAL_MAX: u8 = 16;

/// A length of time, ms.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Duration(pub u64);

/// A duration, or `never`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit(pub Option<u64>);

/// A duration, or `unlimited`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold(pub Option<u64>);

/// What something weighs against others of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Weight(pub Part);

/// How strongly something is turned, 0 to 16.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dial(pub u8);

/// A figure of the goals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amount(pub Money);

/// A part of the whole, in parts per million.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Share(pub u32);

/// A proficiency, 1 to 10.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level(pub Proficiency);

/// A text that becomes a value, and what would have become one.
trait Written: Sized {
    const WANT: &'static str;
    fn read(text: &str) -> Option<Self>;
}

impl Written for Duration {
    const WANT: &'static str = "a duration such as 30s, 15m or 1h30m, up to 366d";

    fn read(text: &str) -> Option<Duration> {
        const UNITS: [(&str, u64); 5] =
            [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
        let (mut rest, mut total, mut smaller_than) = (text, 0_u64, u64::MAX);
        while !rest.is_empty() {
            let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
            let (word, after) =
                after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
            let (_, unit) = UNITS.into_iter().find(|(unit, _)| *unit == word)?;
            // From large to small, each once: `30m1h` is a slip of the pen.
            if unit >= smaller_than {
                return None;
            }
            total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
            (rest, smaller_than) = (after, unit);
        }
        (!text.is_empty() && total <= DURATION_MAX_MS).then_some(Duration(total))
    }
}

impl Written for Limit {
    const WANT: &'static str = "a duration such as 30s, 15m or 1h30m, or never";

    fn read(text: &str) -> Option<Limit> {
        match text {
            "never" => Some(Limit(None)),
            text => Duration::read(text).map(|Duration(ms)| Limit(Some(ms))),
        }
    }
}

impl Written for Hold {
    const WANT: &'static str = "a duration such as 30s or 2m, 0s to hold nobody, or unlimited";

    fn read(text: &str) -> Option<Hold> {
        match text {
            "unlimited" => Some(Hold(None)),
            text => Duration::read(text).map(|Duration(ms)| Hold(Some(ms))),
        }
    }
}

impl Written for Weight {
    const WANT: &'static str = "a weight, 0.25 to 8, at most three decimals";

    fn read(text: &str) -> Option<Weight> {
        let thousandths = u32::try_from(decimal(text, 3)?).ok()?;
        (250..=8_000).contains(&thousandths).then(|| Weight(Part::thousandths(thousandths)))
    }
}

impl Written for Dial {
    const WANT: &'static str = "a whole number, 0 to 16";

    fn read(text: &str) -> Option<Dial> {
        text.parse().ok().filter(|dial| *dial <= DIAL_MAX).map(Dial)
    }
}

impl Written for Amount {
    const WANT: &'static str =
        "an amount such as 5 or 0.20, not negative, at most six decimals, up to 1000000000";

    fn read(text: &str) -> Option<Amount> {
        let millionths = decimal(text, 6)?;
        (millionths <= MONEY_MAX * 1_000_000).then_some(Amount(Money(millionths)))
    }
}

impl Written for Share {
    const WANT: &'static str = "a share such as 80% or 99.5%, at most 100%";

    fn read(text: &str) -> Option<Share> {
        let ppm = decimal(text.strip_suffix('%')?, 4)?;
        u32::try_from(ppm).ok().filter(|ppm| *ppm <= 1_000_000).map(Share)
    }
}

impl Written for Level {
    const WANT: &'static str = "a proficiency, 1 to 10";

    fn read(text: &str) -> Option<Level> {
        text.parse().ok().filter(|level| (1..=PROFICIENCY_MAX).contains(level)).map(Level)
    }
}

/// A decimal number without sign, times ten to the power of `places`.
fn decimal(text: &str, places: u32) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let length = u32::try_from(part.len()).ok()?;
    if !digits(whole) || !digits(part) || length > places {
        return None;
    }
    let whole = whole.parse::<i64>().ok()?.checked_mul(10_i64.pow(places))?;
    whole.checked_add(part.parse::<i64>().ok()? * 10_i64.pow(places - length))
}

/// True if two texts stand for the same value: `5m` and `300s`, `5` and `5.00`.
pub(super) fn means_the_same(one: &str, other: &str) -> bool {
    fn both<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
        one.is_some() && one == other
    }
    let share = |text: &str| text.strip_suffix('%').and_then(|text| decimal(text, 6));
    one == other
        || both(Duration::read(one), Duration::read(other))
        || both(decimal(one, 6), decimal(other, 6))
        || both(share(one), share(other))
}

struct Reader<T>(std::marker::PhantomData<T>);

impl<T: Written> de::Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(T::WANT)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::read(text).ok_or_else(|| E::custom(format!("got {text:?}, want {}", T::WANT)))
    }
}

macro_rules! read_from_text {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                deserializer.deserialize_str(Reader(std::marker::PhantomData))
            }
        }
    )*};
}

read_from_text!(Duration, Limit, Hold, Weight, Dial, Amount, Share, Level);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_people_say_them() {
        let ms = |text| Duration::read(text).map(|duration| duration.0);
        assert_eq!(ms("30s"), Some(30_000));
        assert_eq!(ms("1h30m"), Some(5_400_000));
        assert_eq!(ms("250ms"), Some(250));
        assert_eq!(ms("0s"), Some(0));
        for wrong in ["", "30", "s", "-1s", "1.5m", "30m1h", "1h1h", "30 s", "367d", "99999999999999999999d"]
        {
            assert_eq!(ms(wrong), None, "{wrong}");
        }
        assert_eq!(Limit::read("never"), Some(Limit(None)));
    }

    #[test]
    fn money_is_exact_to_the_millionth() {
        let millionths = |text| Amount::read(text).map(|amount| amount.0.0);
        assert_eq!(millionths("0.20"), Some(200_000));
        assert_eq!(millionths("5"), Some(5_000_000));
        assert_eq!(millionths("0.000001"), Some(1));
        for wrong in ["", ".5", "5.", "-1", "1e3", "0.0000001", "1,50", "1000000001"] {
            assert_eq!(millionths(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn weights_and_dials_have_bounds() {
        assert_eq!(Weight::read("1.5"), Some(Weight(Part(98_304))));
        assert_eq!(Weight::read("8"), Some(Weight(Part(8 << 16))));
        assert!(["0.2", "8.001", "-1", "1.0000", "x"].iter().all(|wrong| Weight::read(wrong).is_none()));
        assert_eq!(Dial::read("16"), Some(Dial(16)));
        assert!(["17", "-1", "4.5"].iter().all(|wrong| Dial::read(wrong).is_none()));
        assert_eq!(Hold::read("unlimited"), Some(Hold(None)));
        assert_eq!(Hold::read("1m"), Some(Hold(Some(60_000))));
    }

    #[test]
    fn a_share_is_a_percentage_and_a_level_is_1_to_10() {
        assert_eq!(Share::read("80%"), Some(Share(800_000)));
        assert_eq!(Share::read("99.5%"), Some(Share(995_000)));
        assert!(["80", "0.8", "101%", "-1%"].iter().all(|wrong| Share::read(wrong).is_none()));
        assert_eq!(Level::read("10"), Some(Level(10)));
        assert!(["0", "11", "x"].iter().all(|wrong| Level::read(wrong).is_none()));
    }
}
