//! Counters agree with what there is, and nobody is lost between them.

use super::run::Run;
use baton::engine::ids::QueueKey;
use baton::engine::interaction::State;
use baton::engine::tally::Books;

impl Run {
    pub fn check_books(&self) {
        let mut sum = Books::default();
        for queue in 0..self.shard.floor().queues.entries().len() {
            let queue = QueueKey(u16::try_from(queue).expect("a floor of few queues"));
            let books = self.shard.tally().of(queue);
            self.check_queue(queue, books);
            sum.entered += books.entered;
            sum.moved_in += books.moved_in;
            sum.moved_out += books.moved_out;
            sum.left_after_answer += books.left_after_answer;
        }
        let again = self.interactions().filter(|one| is_exit(one.state) && one.visit_answered).count();
        let (arrived, left) = (sum.moved_in + again as u64, sum.moved_out + sum.left_after_answer);
        assert_eq!(arrived, left, "what overflows arrives");
        let admitted = self.interactions().count();
        assert_eq!(sum.entered, admitted as u64);
        let left = self.interactions().filter(|one| one.state.is_over() && one.answered.is_none()).count();
        let not_yet = |one: &&_| is_not_yet_answered(one);
        let not_yet = self.interactions().filter(not_yet).count();
        assert_eq!(
            admitted,
            self.answered.len() + left + not_yet,
            "admitted = answered + left + not yet answered"
        );
    }

    /// Came = answered + left + not yet answered, and the gauges are counts.
    fn check_queue(&self, queue: QueueKey, books: Books) {
        let came = books.entered + books.moved_in + books.transferred_in;
        let left = books.abandoned + books.cancelled + books.timed_out + books.sent_away + books.moved_out;
        assert_eq!(came, books.answered + left + u64::from(books.unanswered()), "{queue}: {books:?}");
        assert_eq!(books.unanswered() as usize, self.unanswered(queue));
        let here = || self.interactions().filter(move |one| one.queue() == queue);
        let count = |state| here().filter(|one| one.state == state).count();
        for (gauge, state) in [
            (books.scheduled, State::Scheduled),
            (books.waiting, State::Waiting),
            (books.offered, State::Offered),
            (books.handling, State::Handling),
            (books.parked, State::Parked),
            (books.wrapping_up, State::WrappingUp),
        ] {
            assert_eq!(gauge as usize, count(state), "{queue} {state:?}");
        }
        let returned = here().filter(|one| one.state.is_unanswered() && one.visit_answered).count();
        assert_eq!(books.returned as usize, returned);
        assert_eq!(books.closed as usize, count(State::Closed));
        let fresh = |state| here().filter(|one| one.state == state && !one.visit_answered).count() as u64;
        let exits = [State::Abandoned, State::Cancelled, State::TimedOut, State::SentAway];
        assert_eq!(
            [books.abandoned, books.cancelled, books.timed_out, books.sent_away],
            exits.map(fresh),
            "{queue}"
        );
        assert!(books.answered_in_target <= books.answered);
        assert!(books.short_abandoned <= books.abandoned);
        assert_eq!(self.shard.lines().waiting(queue), books.waiting);
    }
}

fn is_exit(state: State) -> bool {
    state.is_over() && state != State::Closed
}

fn is_not_yet_answered(one: &baton::engine::interaction::Interaction) -> bool {
    !one.state.is_over() && one.answered.is_none()
}
