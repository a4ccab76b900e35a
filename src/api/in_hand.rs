//! How much one tenant may have in hand at once: calls that are being answered and streams that are open. One tenant's
//! flood then takes neither the memory nor the threads of the others, and within a tenant those who wait for long leave
//! room for the rest.

use super::status::ApiError;
use super::tenant::Tenant;
use crate::places::{Place, Places};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
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
    calls: Places,
    streams: Places,
}

impl InHand {
    /// Nothing yet.
    pub fn new(most: Most) -> InHand {
        InHand { calls: Places::new(size(most.calls)), streams: Places::new(size(most.streams)) }
    }

    /// How many calls and streams.
    pub fn now(&self) -> (usize, usize) {
        (self.calls.taken(), self.streams.taken())
    }

    fn call(&self, most: usize) -> Result<Place, ApiError> {
        self.calls.take_of(most).ok_or_else(|| {
            let message =
                format!("{most} calls of this tenant are being answered already, the most there may be");
            ApiError::new(Code::ResourceExhausted, "TOO_MANY_CALLS", message)
        })
    }

    fn stream(&self) -> Result<Place, ApiError> {
        self.streams.take().ok_or_else(|| {
            let most = self.streams.most();
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
    _call: Place,
}

impl Entered {
    /// Takes a call in.
    pub fn new(tenant: Arc<Tenant>) -> Result<Entered, ApiError> {
        let call = tenant.in_hand.call(tenant.in_hand.calls.most())?;
        Ok(Entered { tenant, _call: call })
    }

    /// Takes a call in that may wait for long. A quarter of the room is not for these: whoever waits for a route must
    /// not keep agents from accepting, or sources from saying that they live.
    pub fn patient(tenant: Arc<Tenant>) -> Result<Entered, ApiError> {
        let most = tenant.in_hand.calls.most().div_ceil(4) * 3;
        let call = tenant.in_hand.call(most)?;
        Ok(Entered { tenant, _call: call })
    }

    /// The call becomes a stream.
    pub fn stream(self) -> Result<Open, ApiError> {
        let place = self.tenant.in_hand.stream()?;
        Ok(Open { tenant: self.tenant, place })
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
    place: Place,
}

impl Open {
    /// What is told on it. It counts until that is dropped.
    pub fn telling<S>(self, told: S) -> Counted<S> {
        Counted { told, _place: self.place }
    }
}

/// A stream that counts.
pub struct Counted<S> {
    told: S,
    _place: Place,
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
    fn who_finds_no_place_is_told_what_there_is_too_much_of() {
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
