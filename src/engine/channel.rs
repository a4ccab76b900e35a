//! Channels: how a customer reaches us, and what differs between them.

use serde::{Deserialize, Serialize};

/// How the customer reaches us. The numbers are those of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Channel {
    Voice = 1,
    Video = 2,
    Chat = 3,
    Message = 4,
    Email = 5,
    Social = 6,
    Task = 7,
}

impl Channel {
    /// Every channel, in the order of their numbers.
    pub const ALL: [Channel; 7] = [
        Channel::Voice,
        Channel::Video,
        Channel::Chat,
        Channel::Message,
        Channel::Email,
        Channel::Social,
        Channel::Task,
    ];

    /// Where tables by channel hold it.
    pub fn index(self) -> usize {
        self as usize - 1
    }

    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Channel::Voice => "voice",
            Channel::Video => "video",
            Channel::Chat => "chat",
            Channel::Message => "message",
            Channel::Email => "email",
            Channel::Social => "social",
            Channel::Task => "task",
        }
    }

    /// How long the work of an agent whose connection was lost waits for that agent, in ms: short where somebody holds
    /// the line, long where the customer expects no answer at once.
    pub fn agent_grace_ms(self) -> u64 {
        match self {
            Channel::Voice | Channel::Video => 20_000,
            Channel::Chat => 60_000,
            Channel::Message | Channel::Social => 3_600_000,
            Channel::Email | Channel::Task => 8 * 3_600_000,
        }
    }

    /// True where somebody sits at the other end and the platform says whether the two were connected.
    pub fn is_connected_by_platform(self) -> bool {
        matches!(self, Channel::Voice | Channel::Video)
    }

    /// How long a customer on a live channel is kept in line after their source went silent, in ms. `None` for
    /// channels where nobody sits at the other end.
    pub fn source_grace_ms(self) -> Option<u64> {
        match self {
            Channel::Voice | Channel::Video => Some(10_000),
            Channel::Chat => Some(60_000),
            Channel::Message | Channel::Email | Channel::Social | Channel::Task => None,
        }
    }
}

/// A set of channels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct ChannelSet(u8);

impl ChannelSet {
    /// The set of these.
    pub fn of(channels: &[Channel]) -> ChannelSet {
        ChannelSet(channels.iter().fold(0, |set, channel| set | 1 << channel.index()))
    }

    /// True if the channel is in it.
    pub fn contains(self, channel: Channel) -> bool {
        self.0 & (1 << channel.index()) != 0
    }

    /// True if none is.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in it, in the order of their numbers.
    pub fn channels(self) -> impl Iterator<Item = Channel> {
        Channel::ALL.into_iter().filter(move |channel| self.contains(*channel))
    }
}
