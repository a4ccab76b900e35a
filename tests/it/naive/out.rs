//! Out: customers who leave, work that is withdrawn or over, and sources that fall silent.

use super::door::Answered;
use super::twin::{Said, Twin, id};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Leaving, Refusal};
use baton::engine::event::{AbandonCause, CancelCause, EndedBy, Event, RescindCause};
use baton::engine::ids::{InteractionId, Text};
use baton::engine::interaction::State;
use baton::engine::time::Time;

impl Twin {
    pub fn cancel(&mut self, interaction: InteractionId, leaving: Leaving) -> Answered {
        let item = self.item(interaction)?;
        let withdrawn = leaving == Leaving::Withdrawn;
        let promised = self.items[item].callback.is_some();
        match self.items[item].state {
            state if state.is_unanswered() && promised && !withdrawn => {}
            State::Scheduled => self.withdraw(item),
            State::Waiting | State::Offered => {
                let cause = if withdrawn { RescindCause::Withdrawn } else { RescindCause::CustomerLeft };
                let freed = self.rescind_all(item, cause);
                if withdrawn {
                    self.withdraw(item);
                } else {
                    self.abandon(item, AbandonCause::CustomerLeft);
                }
                self.seek_works(freed);
            }
            State::Handling | State::Parked => match self.items[item].owner {
                Some(owner) => {
                    let by = if withdrawn { EndedBy::Source } else { EndedBy::Customer };
                    let freed = self.end_rest_but(item, owner);
                    self.end_conversation(owner, by, Said::default());
                    self.free_all(freed);
                }
                None => self.close(item),
            },
            _ => {}
        }
        Ok(Answer::Cancelled { state: self.items[item].state })
    }

    fn withdraw(&mut self, item: usize) {
        self.over(item, State::Cancelled);
        self.tell(Event::Cancelled { interaction: id(item), cause: CancelCause::Withdrawn });
    }

    pub fn abandon(&mut self, item: usize, cause: AbandonCause) {
        let this = &self.items[item];
        let short = self.now.0.saturating_sub(this.entered.0) <= this.plan.goals.short_abandon_ms;
        let visit = self.items[item].visits.last_mut().expect("it came once");
        if visit.answered.is_none() {
            visit.abandoned = Some(short);
        }
        self.over(item, State::Abandoned);
        self.tell(Event::Abandoned { interaction: id(item), cause });
    }

    /// Nothing more happens to it.
    pub fn over(&mut self, item: usize, state: State) {
        let this = &mut self.items[item];
        this.state = state;
        this.cools.clear();
        (this.gone, this.overdue_at, this.window, this.look) = (None, None, None, None);
        this.scheduled = None;
    }

    pub fn close(&mut self, item: usize) {
        self.over(item, State::Closed);
        self.tell(Event::Closed { interaction: id(item) });
    }

    // ---- sources ----

    pub fn open_source(&mut self, source: Text) -> Answer {
        let known = self.sources.iter_mut().find(|(name, _)| *name == source);
        match known {
            Some((_, Some(true))) => return Answer::Done,
            Some((_, live)) => *live = Some(true),
            None => self.sources.push((source.clone(), Some(true))),
        }
        for item in self.items.iter_mut().filter(|item| item.source == source) {
            item.gone = None;
        }
        self.tell(Event::SourceOpened { source });
        Answer::Done
    }

    pub fn lose_source(&mut self, source: Text) -> Answered {
        let known = self.sources.iter_mut().find(|(name, _)| *name == source);
        let Some((_, live)) = known else { return Err(Refusal::SessionUnknown) };
        if *live == Some(true) {
            *live = Some(false);
            self.tell(Event::SourceLost { source: source.clone() });
            self.start_grace(&source, self.now);
        }
        Ok(Answer::Done)
    }

    pub fn start_grace(&mut self, source: &Text, from: Time) {
        for item in 0..self.items.len() {
            if self.items[item].source == *source
                && let Some(ms) = self.source_grace_ms(item)
            {
                self.items[item].gone = Some(Time(from.0 + ms));
            }
        }
    }

    fn source_grace_ms(&self, item: usize) -> Option<u64> {
        let this = &self.items[item];
        let on_line = matches!(this.state, State::Waiting | State::Offered) && this.callback.is_none();
        match this.channel {
            Channel::Voice | Channel::Video => on_line.then_some(10_000),
            Channel::Chat => on_line.then_some(60_000),
            Channel::Message | Channel::Email | Channel::Social | Channel::Task => None,
        }
    }

    /// Whoever comes back in line while their source is lost may be gone too.
    pub fn may_be_gone(&mut self, item: usize) {
        let source = self.sources.iter().find(|(name, _)| *name == self.items[item].source);
        let lost = source.is_some_and(|(_, live)| *live == Some(false));
        if let Some(ms) = self.source_grace_ms(item).filter(|_| lost && self.items[item].gone.is_none()) {
            self.items[item].gone = Some(Time(self.now.0 + ms));
        }
    }

    pub fn source_gone(&mut self, item: usize) {
        let freed = self.rescind_all(item, RescindCause::SourceLost);
        self.abandon(item, AbandonCause::SourceLost);
        self.seek_works(freed);
    }
}
