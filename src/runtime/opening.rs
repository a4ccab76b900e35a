//! Opens the payloads of interactions that are not over, on a thread of its own beside whoever looks for their keys and takes
//! them in: about half the work each.

use super::payload::{Held, key_before, open_payload, open_said};
use super::replica::Sealed;
use crate::engine::ids::InteractionId;
use crate::journal::{Fault, Journal, Key};
use crossbeam_channel::bounded;

/// So many are opened before they are handed on, and so many parts may wait for whoever takes them.
const PART: usize = 4_096;
const PARTS_MAX: usize = 4;

/// Why not all are open.
pub(super) enum NotOpened {
    /// The interaction whose payload and key do not fit.
    Unfit(InteractionId),
    Keys(Fault),
}

/// What is sealed of an interaction, with its key if there is one.
pub(super) struct Locked {
    interaction: InteractionId,
    sealed: Box<Sealed>,
    key: Option<Key>,
}

impl Locked {
    /// With the key that the journal has for it.
    pub fn of(
        journal: &dyn Journal,
        interaction: InteractionId,
        sealed: Box<Sealed>,
    ) -> Result<Locked, Fault> {
        let key = match key_before(&sealed.payload) {
            Some(wrapped) => journal.key(interaction.0, wrapped)?,
            None => None,
        };
        Ok(Locked { interaction, sealed, key })
    }

    fn open(self) -> Result<(InteractionId, Held), NotOpened> {
        let Locked { interaction, sealed, key } = self;
        let Sealed { content, payload, said, .. } = *sealed;
        let opened = key.and_then(|key| Some((open_payload(&key, content, &payload)?, key)));
        let (payload, key) = opened.ok_or(NotOpened::Unfit(interaction))?;
        let mut held = Held::new(payload.into(), key);
        for (time, sealed) in said {
            let said = open_said(&held.key, &sealed).ok_or(NotOpened::Unfit(interaction))?;
            held.hear(time, said.into());
        }
        Ok((interaction, held))
    }
}

/// Opens all of them, and hands each to `hold`, in order.
pub(super) fn open_all(
    mut locked: impl Iterator<Item = Result<Locked, Fault>>,
    mut hold: impl FnMut(InteractionId, Held),
) -> Result<(), NotOpened> {
    let (to_open, parts) = bounded::<Vec<Locked>>(PARTS_MAX);
    let (opened, open) = bounded(PARTS_MAX);
    // Whatever is dropped here ends the thread beside.
    std::thread::scope(move |scope| {
        scope.spawn(move || {
            let all = parts.into_iter().map(|part| part.into_iter().map(Locked::open).collect::<Vec<_>>());
            all.map_while(|part| opened.send(part).ok()).for_each(drop);
        });
        let mut under_way = 0;
        loop {
            let part: Vec<_> =
                locked.by_ref().take(PART).collect::<Result<_, _>>().map_err(NotOpened::Keys)?;
            let more = !part.is_empty();
            // It is there until this ends, but for a panic, which the scope passes on.
            under_way += usize::from(more && to_open.send(part).is_ok());
            while under_way > if more { PARTS_MAX - 1 } else { 0 } {
                for one in open.recv().into_iter().flatten() {
                    let (interaction, held) = one?;
                    hold(interaction, held);
                }
                under_way -= 1;
            }
            if !more {
                return Ok(());
            }
        }
    })
}
