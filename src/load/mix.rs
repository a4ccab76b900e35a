//! What arrives: the mix of channels and skills, drawn from a seed, and the request that hands it in.

use std::str::FromStr;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::floor::{PREFIX, phone, queue_name};
use super::settings::Settings;
use crate::demo::calls::TENANT;
use crate::proto::{Channel, Interaction, SubmitRequest};

/// Shares of channels, such as `voice=50,chat=30,email=20`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    parts: Vec<(Channel, u32)>,
    total: u32,
}

impl Default for Mix {
    fn default() -> Mix {
        Mix::of(vec![(Channel::Voice, 50), (Channel::Chat, 30), (Channel::Message, 10), (Channel::Email, 10)])
            .expect("it is a mix")
    }
}

impl Mix {
    fn of(parts: Vec<(Channel, u32)>) -> Option<Mix> {
        let total = parts.iter().try_fold(0_u32, |sum, (_, share)| sum.checked_add(*share))?;
        (total > 0).then_some(Mix { parts, total })
    }

    fn draw(&self, generator: &mut ChaCha8Rng) -> Channel {
        let mut point = generator.random_range(0..self.total);
        for (channel, share) in &self.parts {
            match point.checked_sub(*share) {
                Some(rest) => point = rest,
                None => return *channel,
            }
        }
        unreachable!("a point lies within one of the shares")
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Mix, String> {
        let wanted = || {
            "expected shares such as voice=50,chat=30,email=20, of voice, video, chat, message, email, social, task"
                .to_owned()
        };
        let part = |part: &str| {
            let (name, share) = part.split_once('=')?;
            let channel = Channel::from_str_name(&format!("CHANNEL_{}", name.trim().to_uppercase()))?;
            Some((channel, share.trim().parse().ok()?))
                .filter(|(channel, _)| *channel != Channel::Unspecified)
        };
        let parts: Option<Vec<_>> = text.split(',').map(part).collect();
        parts.and_then(Mix::of).ok_or_else(wanted)
    }
}

/// Makes the requests of a run, one after the other.
pub struct Requests {
    generator: ChaCha8Rng,
    mix: Mix,
    queues: Vec<String>,
    customers: u32,
    message: String,
    source: String,
    number: u64,
}

impl Requests {
    pub fn new(settings: &Settings, source: &str) -> Requests {
        Requests {
            generator: ChaCha8Rng::seed_from_u64(settings.seed),
            mix: settings.mix.clone(),
            queues: (0..settings.skills).map(queue_name).collect(),
            customers: settings.customers,
            message: "I would like to know. ".chars().cycle().take(settings.message as usize).collect(),
            source: source.to_owned(),
            number: 0,
        }
    }

    /// The next interaction. Its id tells when it was due, so that whoever sees it can tell how long it took.
    pub fn next(&mut self, due_ns: u64) -> SubmitRequest {
        self.number += 1;
        let queue = self.generator.random_range(0..self.queues.len());
        let interaction = Interaction {
            source: self.source.clone(),
            external_id: external_id(self.number, due_ns),
            channel: self.mix.draw(&mut self.generator) as i32,
            queue: self.queues[queue].clone(),
            intent: PREFIX.to_owned(),
            from: (self.customers > 0).then(|| phone(self.generator.random_range(0..self.customers))),
            message: self.message.clone(),
            ..Interaction::default()
        };
        SubmitRequest {
            parent: TENANT.to_owned(),
            interaction: Some(interaction),
            ..SubmitRequest::default()
        }
    }
}

fn external_id(number: u64, due_ns: u64) -> String {
    format!("{number:x}-{due_ns:x}")
}

/// When an interaction of ours was due.
pub fn due_ns(external_id: &str) -> Option<u64> {
    let (number, due) = external_id.split_once('-')?;
    u64::from_str_radix(number, 16).and_then(|_| u64::from_str_radix(due, 16)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_written_as_shares() {
        let mix: Mix = "voice=90, chat=10".parse().expect("a mix");
        assert_eq!(mix.parts, [(Channel::Voice, 90), (Channel::Chat, 10)]);
        for wrong in
            ["", "voice", "voice=x", "voice=0", "pigeon=1", "unspecified=1", "voice=4294967295,chat=1"]
        {
            assert!(wrong.parse::<Mix>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn draws_follow_the_shares() {
        let mix: Mix = "voice=90,chat=10".parse().expect("a mix");
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        let voices = (0..10_000).filter(|_| mix.draw(&mut generator) == Channel::Voice).count();
        assert!((8_800..9_200).contains(&voices), "{voices}");
    }

    #[test]
    fn an_id_tells_when_it_was_due() {
        assert_eq!(due_ns(&external_id(77, 123_456_789)), Some(123_456_789));
        assert!(due_ns("call-1").is_none() && due_ns("plain").is_none());
    }
}
