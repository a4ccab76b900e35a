//! A generator that never gets somewhere proves nothing about it.

use super::Chance;
use baton::engine::event::Event;
use baton::engine::shard::Shard;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;

const EVENTS: &str = "Restarted Defined Removed SessionOpened SessionLost PresenceChanged PresencePending \
    Responding Admitted Waits Offered Accepted Declined Expired Rescinded CooledDown ConversationEnded WrapUpEnded \
    Abandoned Cancelled Closed SourceOpened SourceLost AssignmentLost Identified HoursTurned SkillExpired Due Held \
    Relaxed Overdue PreferenceEnded Overflowed SentAway TimedOut Connected ConnectFailed Transferred Sought \
    SeekEnded OwnerChanged Joined Parked Resumed Interrupted Continued Requeued WrapUpExtended CallbackPlanned \
    WindowMissed AttachedTo Reprioritised Assigned Replanned \
    Some(NoAgentQualifies) Some(AllAgentsBusy) Some(CoolingDown) Some(WaitsForAgent) Some(ShiftsEnd)";

// Not among them: the limits that take thousands to reach.
const REFUSALS: &str = "NotDefined AlreadyDefined EtagMismatch InUse SignedIn RequestIdReused QueueFull DuePast \
    InteractionUnknown AgentUnknown SessionUnknown NoSession OfferUnknown OfferExpired OfferRescinded OfferDeclined \
    OfferAccepted OfferTaken AssignmentUnknown AssignmentEnded NotWrappingUp QueueClosed WrapUpMandatory \
    NoExtensionLeft WrongState ConnectedAlready NotOwner TransferLimit SeekingAlready NotSeeking NotConsulted \
    NotParkable PullNotAllowed AgentCannot WindowInvalid PriorityOutOfRange PlanOvertaken TimeZoneUnknown TimeRunsBack";

#[test]
fn chance_reaches_every_event_and_nearly_every_refusal() {
    let (mut happened, mut refused) = (BTreeMap::new(), BTreeMap::new());
    for seed in 0..180 {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let (mut shard, mut chance) = (Shard::new(), Chance::new());
        let mut opening = Chance::opening().into_iter();
        for _ in 0..500 {
            let next = opening.next();
            let (now, command) = next.unwrap_or_else(|| chance.next(std::array::from_fn(|_| rng.next_u32())));
            let mut events = Vec::new();
            if let Err(refusal) = shard.step(now, command, &mut events) {
                *refused.entry(variant(&refusal)).or_insert(0) += 1;
            }
            chance.saw(&events);
            for stamped in events {
                *happened.entry(stamped.event.name().to_owned()).or_insert(0) += 1;
                if let Event::Waits { decision, .. } = &stamped.event {
                    *happened.entry(variant(&decision.wait_reason)).or_insert(0) += 1;
                }
            }
        }
    }
    let missing = |wanted: &str, seen: &BTreeMap<String, u32>| {
        wanted
            .split_whitespace()
            .filter(|name| !seen.contains_key(*name))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(missing(EVENTS, &happened), Vec::<String>::new(), "{happened:?}");
    assert_eq!(missing(REFUSALS, &refused), Vec::<String>::new(), "{refused:?}");
}

/// The name of an enum's variant, as `Debug` gives it.
fn variant(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}
