//! Writes a message as it goes over the wire, field by field, for what is shown so often that building it first would
//! cost more than all the rest. Values that are the default are left out, as the format wants.

use crate::engine::time::Time;
use prost::bytes::{BufMut, Bytes};
use prost::encoding::{encode_varint, encoded_len_varint};

const VARINT: u32 = 0;
const LENGTH_DELIMITED: u32 = 2;

/// What tells things of one kind apart.
#[derive(Clone, Copy)]
pub enum Id<'a> {
    /// People chose it.
    Chosen(&'a str),
    Number(u64),
}

/// A message that is being written.
#[derive(Clone)]
pub struct Wire(Vec<u8>);

impl Wire {
    /// An empty message, with room for so many bytes.
    pub fn with_room(bytes: usize) -> Wire {
        Wire(Vec::with_capacity(bytes))
    }

    /// What was written.
    pub fn finish(self) -> Bytes {
        self.0.into()
    }

    /// The same, to be kept in one piece with others.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }

    /// Whole fields that were written before.
    pub fn append(&mut self, fields: &[u8]) {
        self.0.put_slice(fields);
    }

    fn key(&mut self, field: u32, wire_type: u32) {
        encode_varint(u64::from(field << 3 | wire_type), &mut self.0);
    }

    /// A number, a flag, or the code of an enum.
    pub fn number(&mut self, field: u32, value: impl Into<u64>) {
        let value = value.into();
        if value != 0 {
            self.key(field, VARINT);
            encode_varint(value, &mut self.0);
        }
    }

    /// The code of an enum, which is never negative.
    pub fn code(&mut self, field: u32, value: impl Into<i32>) {
        self.number(field, value.into().unsigned_abs());
    }

    /// A number of the type `sint32`.
    pub fn signed(&mut self, field: u32, value: i32) {
        self.number(field, ((value << 1) ^ (value >> 31)).cast_unsigned());
    }

    pub fn text(&mut self, field: u32, value: &str) {
        if !value.is_empty() {
            self.bytes(field, value.as_bytes());
        }
    }

    /// Bytes, or a message that was written before.
    pub fn bytes(&mut self, field: u32, value: &[u8]) {
        self.key(field, LENGTH_DELIMITED);
        encode_varint(value.len() as u64, &mut self.0);
        self.0.put_slice(value);
    }

    /// A name of something: where it is, and which.
    pub fn name(&mut self, field: u32, place: [&str; 2], id: Id<'_>) {
        self.message(field, |name| {
            for part in ["tenants/", place[0], "/", place[1], "/"] {
                name.0.put_slice(part.as_bytes());
            }
            match id {
                Id::Chosen(text) => name.0.put_slice(text.as_bytes()),
                Id::Number(number) => name.digits(number),
            }
        });
    }

    /// A number in decimal. Names are most of what is written, and the formatter of the language is for people.
    fn digits(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b"0123456789"[(number % 10) as usize];
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.0.put_slice(&digits[first..]);
    }

    /// A message within this one; it is there also if it is empty.
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Wire)) {
        self.key(field, LENGTH_DELIMITED);
        let at = self.0.len();
        // Most are shorter than 128 bytes, whose length takes one.
        self.0.push(0);
        write(self);
        let length = (self.0.len() - at - 1) as u64;
        let more = encoded_len_varint(length) - 1;
        self.0.splice(at..at, std::iter::repeat_n(0, more));
        encode_varint(length, &mut &mut self.0[at..=at + more]);
    }

    /// A moment.
    pub fn time(&mut self, field: u32, time: Option<Time>) {
        if let Some(time) = time {
            self.seconds(field, time.0);
        }
    }

    /// A length of time in ms.
    pub fn millis(&mut self, field: u32, ms: Option<u64>) {
        if let Some(ms) = ms {
            self.seconds(field, ms);
        }
    }

    /// Moments and lengths of time look alike: seconds and nanoseconds.
    fn seconds(&mut self, field: u32, ms: u64) {
        self.message(field, |value| {
            value.number(1, ms / 1_000);
            value.number(2, ms % 1_000 * 1_000_000);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto;
    use prost::Message;

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 7, 10, 999, 1_000, u64::MAX] {
            let mut wire = Wire::with_room(0);
            wire.name(1, ["t", "offers"], Id::Number(number));
            let read = proto::Offer::decode(wire.finish()).expect("a message");
            assert_eq!(read.name, format!("tenants/t/offers/{number}"));
        }
    }

    #[test]
    fn what_is_written_field_by_field_reads_like_any_message() {
        for length in [0, 1, 127, 128, 16_383, 16_384] {
            let text = "x".repeat(length);
            let mut wire = Wire::with_room(0);
            wire.text(1, &text);
            wire.signed(7, -3);
            wire.message(16, |preferred| {
                preferred.name(1, ["t", "agents"], Id::Chosen(&text));
                preferred.millis(2, Some(61_001));
                preferred.number(3, true);
            });
            wire.time(22, Some(Time(1_500)));
            wire.time(23, None);
            let preferred = proto::PreferredAgent {
                agent: format!("tenants/t/agents/{text}"),
                budget: Some(prost_types::Duration { seconds: 61, nanos: 1_000_000 }),
                overdraw: true,
            };
            let wanted = proto::Interaction {
                name: text,
                priority: -3,
                preferred_agent: Some(preferred),
                enter_time: Some(prost_types::Timestamp { seconds: 1, nanos: 500_000_000 }),
                ..proto::Interaction::default()
            };
            let written = wire.finish();
            assert_eq!(proto::Interaction::decode(written.clone()), Ok(wanted.clone()));
            assert_eq!(written, wanted.encode_to_vec());
        }
    }
}
