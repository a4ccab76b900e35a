//! What was asked on a stream and is not answered yet, by tag.

/// What an agent, or somebody for an agent, asks for.
#[derive(Debug)]
pub enum Doing {
    Open,
    Presence,
    Renew,
    SignOut,
    /// The offer.
    Accept(String),
    /// The assignment.
    Complete(String),
    WrapUp(String),
}

/// One request.
#[derive(Debug)]
pub struct Call {
    pub doing: Doing,
    /// Whose.
    pub seat: usize,
    /// When it was sent.
    pub since_ns: u64,
    /// When the interaction it is about was due.
    pub due_ns: u64,
}

/// Requests by tag. Tags are places, used again as soon as they are free: looking one up is one step.
#[derive(Debug)]
pub struct Calls<C = Call> {
    places: Vec<Option<C>>,
    free: Vec<usize>,
}

impl<C> Default for Calls<C> {
    fn default() -> Calls<C> {
        Calls { places: Vec::new(), free: Vec::new() }
    }
}

impl<C> Calls<C> {
    /// Notes a request and gives its tag, which is never 0.
    pub fn open(&mut self, call: C) -> u64 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[place] = Some(call);
        place as u64 + 1
    }

    /// The request that was answered. `None` for a tag that was never given, or was answered before.
    pub fn close(&mut self, tag: u64) -> Option<C> {
        let place = usize::try_from(tag.checked_sub(1)?).ok()?;
        let call = self.places.get_mut(place)?.take()?;
        self.free.push(place);
        Some(call)
    }

    pub fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_answered_once_and_used_again() {
        let mut calls = Calls::default();
        let (first, second) = (calls.open('a'), calls.open('b'));
        assert_eq!(
            (calls.close(first), calls.close(first), calls.close(0), calls.close(9)),
            (Some('a'), None, None, None)
        );
        assert_eq!((calls.open('c'), calls.is_empty()), (first, false));
        assert_eq!((calls.close(first), calls.close(second), calls.is_empty()), (Some('c'), Some('b'), true));
    }
}
