//! Opens the payloads of interactions that are not over, on a thread of its own beside whoever takes them in: about half the
//! work each.

use super::payload::{Held, key_before, open_payload, open_said};
use super::replica::Sealed;
use crate::engine::ids::InteractionId;
use crate::journal::{Fault, Journal, Key};
use crossbeam_channel::bounded;

/// So many are opened before they are handed on, and so many parts may wait for whoever takes them.
const PART: usize = 4_096;
const PARTS_MAX: usize = 4;

/// The interaction whose payload and key do not fit.
pub(super) struct Unfit(pub InteractionId);

/// What is sealed of an interaction, with its key if there is one.
pub(super) struct Locked {
    interaction: InteractionId,
    sealed: Sealed,
    key: Option<Key>,
}

impl Locked {
    /// With the key that the journal has for it.
    pub fn of(journal: &dyn Journal, interaction: InteractionId, sealed: Sealed) -> Result<Locked, Fault> {
        let key = match key_before(&sealed.payload) {
            Some(wrapped) => journal.key(interaction.0, wrapped)?,
            None => None,
        };
        Ok(Locked { interaction, sealed, key })
    }

    fn open(self) -> Result<(InteractionId, Held), Unfit> {
        let Locked { interaction, sealed: Sealed { content, payload, said, .. }, key } = self;
        let opened = key.and_then(|key| Some((open_payload(&key, content, &payload)?, key)));
        let (payload, key) = opened.ok_or(Unfit(interaction))?;
        let mut held = Held::new(payload.into(), key);
        for (time, sealed) in said {
            let said = open_said(&held.key, &sealed).ok_or(Unfit(interaction))?;
            held.hear(time, said.into());
        }
        Ok((interaction, held))
    }
}

/// Opens all of them, and hands each to `hold`, in order.
pub(super) fn open_all(locked: Vec<Locked>, mut hold: impl FnMut(InteractionId, Held)) -> Result<(), Unfit> {
    let (opened, parts) = bounded(PARTS_MAX);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut left = locked.into_iter();
            loop {
                let part: Vec<_> = left.by_ref().take(PART).map(Locked::open).collect();
                // Nobody takes it when one did not fit.
                if part.is_empty() || opened.send(part).is_err() {
                    break;
                }
            }
        });
        for one in parts.into_iter().flatten() {
            let (interaction, held) = one?;
            hold(interaction, held);
        }
        Ok(())
    })
}
