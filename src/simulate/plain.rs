//! Plain numbers in a floor file: read from what stands there, so that an error can say what it was.

use serde::{Deserialize, Deserializer, de};
use std::fmt::{self, Formatter};
use std::marker::PhantomData;
use std::str::FromStr;

/// A number as it stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Plain<T>(pub T);

/// What would be right.
pub trait Wanted: FromStr {
    const WANT: &'static str;
}

impl Wanted for f64 {
    const WANT: &'static str = "a number such as 0.85";
}

impl Wanted for i16 {
    const WANT: &'static str = "a whole number, not too large";
}

impl Wanted for u8 {
    const WANT: &'static str = "a whole number, 0 to 255";
}

impl Wanted for u32 {
    const WANT: &'static str = "a whole number, 0 to 4294967295";
}

impl Wanted for u64 {
    const WANT: &'static str = "a whole number, not negative";
}

struct Reader<T>(PhantomData<T>);

impl<T: Wanted> de::Visitor<'_> for Reader<T> {
    type Value = Plain<T>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(T::WANT)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Plain<T>, E> {
        text.parse().map(Plain).map_err(|_| E::custom(format!("got {text:?}, want {}", T::WANT)))
    }
}

impl<'de, T: Wanted> Deserialize<'de> for Plain<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Plain<T>, D::Error> {
        deserializer.deserialize_str(Reader(PhantomData))
    }
}
