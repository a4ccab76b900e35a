//! How much one tenant may have in hand at once: calls that are being answered and streams that are open. One tenant's
//! flood then takes neither the memory nor the threads of the others, and within a tenant those who wait for long leave
//! room for the rest.

use super::status::ApiError;
use super::tenant::Tenant;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio_stream::Stream;
use tonic::Code;

/// The most of a tenant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Most {
    pub calls: u32,
    pub streams: u32,
}

/// What a tenant has in hand.
pub struct InHand {
    most: Most,
    calls: Arc<AtomicUsize>,
    streams: Arc<AtomicUsize>,
}

/// One of them, until it is dropped.
struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(count: &Arc<AtomicUsize>, most: usize) -> Option<Slot> {
        let slot = Slot(count.clone());
        // Counted before it is compared, so that no two take the last one.
        (count.fetch_add(1, Ordering::Relaxed) < most).then_some(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl InHand {
    /// Nothing yet.
    pub fn new(most: Most) -> InHand {
        InHand { most, calls: Arc::default(), streams: Arc::default() }
    }

    /// How many calls and streams.
    pub fn now(&self) -> (usize, usize) {
        (self.calls.load(Ordering::Relaxed), self.streams.load(Ordering::Relaxed))
    }

    fn call(&self, most: usize) -> Result<Slot, ApiError> {
        Slot::take(&self.calls, most).ok_or_else(|| {
            let message =
                format!("{most} calls of this tenant are being answered already, the most there may be");
            ApiError::new(Code::ResourceExhausted, "TOO_MANY_CALLS", message)
        })
    }

    fn stream(&self) -> Result<Slot, ApiError> {
        let most = size(self.most.streams);
        Slot::take(&self.streams, most).ok_or_else(|| {
            let message = format!("{most} streams of this tenant are open already, the most there may be");
            ApiError::new(Code::ResourceExhausted, "TOO_MANY_STREAMS", message)
        })
    }
}

fn size(most: u32) -> usize {
    usize::try_from(most).expect("a machine of 32 bits or more")
}

/// A call that is being answered, with its tenant.
pub struct Entered {
    tenant: Arc<Tenant>,
    _call: Slot,
}

impl Entered {
    /// Takes a call in.
    pub fn new(tenant: Arc<Tenant>) -> Result<Entered, ApiError> {
        let call = tenant.in_hand.call(size(tenant.in_hand.most.calls))?;
        Ok(Entered { tenant, _call: call })
    }

    /// Takes a call in that may wait for long. A quarter of the room is not for these: whoever waits for a route must
    /// not keep agents from accepting, or sources from saying that they live.
    pub fn patient(tenant: Arc<Tenant>) -> Result<Entered, ApiError> {
        let most = size(tenant.in_hand.most.calls).div_ceil(4) * 3;
        let call = tenant.in_hand.call(most)?;
        Ok(Entered { tenant, _call: call })
    }

    /// The call becomes a stream.
    pub fn stream(self) -> Result<Open, ApiError> {
        let slot = self.tenant.in_hand.stream()?;
        Ok(Open { tenant: self.tenant, slot })
    }
}

impl Deref for Entered {
    type Target = Arc<Tenant>;

    fn deref(&self) -> &Arc<Tenant> {
        &self.tenant
    }
}

/// A stream that is about to open, with its tenant.
pub struct Open {
    pub tenant: Arc<Tenant>,
    slot: Slot,
}

impl Open {
    /// What is told on it. It counts until that is dropped.
    pub fn telling<S>(self, told: S) -> Counted<S> {
        Counted { told, _slot: self.slot }
    }
}

/// A stream that counts.
pub struct Counted<S> {
    told: S,
    _slot: Slot,
}

impl<S: Stream + Unpin> Stream for Counted<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        Pin::new(&mut self.get_mut().told).poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_is_given_once_and_comes_back() {
        let in_hand = InHand::new(Most { calls: 2, streams: 1 });
        let first = in_hand.call(2).expect("there is room");
        let second = in_hand.call(2).expect("there is room");
        let refused = in_hand.call(2).err().expect("there is none");
        assert_eq!((refused.code(), refused.reason()), (Code::ResourceExhausted, "TOO_MANY_CALLS"));
        assert_eq!(in_hand.now(), (2, 0), "who was refused does not count");
        drop(first);
        in_hand.call(2).expect("one has gone");
        drop(second);
        let stream = in_hand.stream().expect("there is room");
        assert_eq!(in_hand.stream().err().map(|error| error.reason()), Some("TOO_MANY_STREAMS"));
        drop(stream);
        assert_eq!(in_hand.now(), (0, 0));
    }
}
