//! The recorded past: one model, whatever it was read from. Events from the first on, or, where those are not kept, a state
//! from before the period and the events behind it; the period's own events as what happened from outside, who came, and
//! what became of them.

use super::answers::Answers;
use super::column::Column;
use super::error::BacktestError;
use super::lives::{LeftOut, Life, Lives};
use super::moment;
use super::script::{Act, Cue, Script, Turn};
use crate::engine::event::{Event, Stamped};
use crate::engine::ids::{InteractionId, Sequence};
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use crate::journal::{Fault, Past, before_period, periods_from};
use crate::report::{By, Projection, Request};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

/// A recorded period, with what was before it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What it was read from, for people.
    pub(super) source: String,
    /// What to know about the record beside what holds for every one.
    pub(super) notes: Vec<String>,
    pub(super) from: Time,
    pub(super) to: Time,
    /// The end of the period, or of the record if that is earlier; the first moment that does not count.
    pub(super) end: Time,
    /// Up to here agents' times are counted.
    pub(super) until: Time,
    /// Everything before the period.
    pub(super) past: Projection,
    /// The period as it was.
    pub(super) record: Column,
    pub(super) script: Vec<Cue>,
    pub(super) lives: Vec<Life>,
    pub(super) answers: Answers,
    pub(super) left_out: LeftOut,
    numbers: HashMap<InteractionId, usize>,
}

impl Recorded {
    /// A tenant's folder, also beside a server that writes to it: it is opened read-only, through a second connection. The
    /// period is from `from` on and before `to`. Where the first events are not kept any more, it begins with the newest state
    /// that is kept from before the period.
    ///
    /// # Errors
    /// `PeriodEmpty`, `NotRetained` with the first moment a period may begin, `NobodyCame`; or the journal cannot be read.
    pub fn from_journal(folder: &Path, from: Time, to: Time) -> Result<Recorded, BacktestError> {
        check(from, to)?;
        let past = Past::open(folder)?;
        let read = Recorded::from_past(&past, from, to, format!("the journal in {}", folder.display()));
        read.map_err(|error| with_first(error, &past, from))
    }

    fn from_past(past: &Past, from: Time, to: Time, source: String) -> Result<Recorded, BacktestError> {
        let (state, next) = before_period(past, from)?;
        let mut reading = Reading::new(from, to)?;
        if next > 1 {
            reading.begin_with(state);
        }
        let mut damage = None;
        past.read(next, &mut |record| match record.event::<Event>() {
            Ok(event) => {
                let (sequence, time) = (Sequence(record.sequence), Time(record.time_ms));
                reading.take(&Stamped { sequence, time, event })
            }
            Err(corruption) => {
                damage = Some(BacktestError::Event { sequence: record.sequence, corruption });
                ControlFlow::Break(())
            }
        })?;
        match damage {
            Some(damage) => Err(damage),
            None => reading.recorded(source),
        }
    }

    /// Events in order from the first, as a journal holds them. As [`Recorded::from_journal`].
    pub fn from_events(events: &[Stamped], from: Time, to: Time) -> Result<Recorded, BacktestError> {
        let mut reading = Reading::new(from, to)?;
        for stamped in events {
            if reading.take(stamped).is_break() {
                break;
            }
        }
        reading.recorded("events".to_owned())
    }

    /// Who came in the period.
    pub fn interactions(&self) -> u64 {
        self.lives.iter().filter(|life| !life.carried).count() as u64
    }

    pub(super) fn number_of(&self, id: InteractionId) -> Option<usize> {
        self.numbers.get(&id).copied()
    }

    pub(super) fn request(&self) -> Request {
        request(self.from, self.to)
    }
}

fn request(from: Time, to: Time) -> Request {
    Request { from, to, interval_ms: None, by: By { queue: true, agent: true, channel: false } }
}

fn check(from: Time, to: Time) -> Result<(), BacktestError> {
    if to <= from {
        return Err(BacktestError::PeriodEmpty { from: moment(from), to: moment(to) });
    }
    Ok(Projection::check(&request(from, to))?)
}

/// Where the first events are not kept any more: with the first moment a period may begin, which is that of a state.
fn with_first(error: BacktestError, past: &Past, from: Time) -> BacktestError {
    let kept = || past.first().and_then(|first| if first > 1 { periods_from(past) } else { Ok(None) });
    match error {
        BacktestError::Journal(fault @ Fault::NotRetained { .. }) => match kept() {
            Ok(Some(first)) => BacktestError::NotRetained { from: moment(from), first: moment(first) },
            _ => fault.into(),
        },
        BacktestError::NobodyCame { from, to, first, last } => {
            let first = kept().ok().flatten().map_or(first, moment);
            BacktestError::NobodyCame { from, to, first, last }
        }
        other => other,
    }
}

/// Takes events in order, from the first or behind a state.
struct Reading {
    from: Time,
    to: Time,
    /// When what is known begins.
    first: Option<Time>,
    notes: Vec<String>,
    last: Time,
    /// Up to the period, then through it.
    column: Column,
    /// What was before the period, once that has begun.
    past: Option<Projection>,
    /// The state after the period, once that is over: some who came in it are served later.
    after: Option<Shard>,
    script: Script,
    lives: Lives,
    answers: Answers,
    /// As they were when the period was over.
    left_out: LeftOut,
}

/// After the period, so many events are read between two looks at whether everybody's end is known.
const LOOK_EVERY: u64 = 1_024;

impl Reading {
    fn new(from: Time, to: Time) -> Result<Reading, BacktestError> {
        check(from, to)?;
        Ok(Reading {
            from,
            to,
            first: None,
            notes: Vec::new(),
            last: Time(0),
            column: Column::after(&Projection::new(request(from, to))),
            past: None,
            after: None,
            script: Script::default(),
            lives: Lives::default(),
            answers: Answers::default(),
            left_out: LeftOut::default(),
        })
    }

    /// What is before this state is not kept.
    fn begin_with(&mut self, state: Shard) {
        let now = state.now();
        (self.first, self.last) = (Some(now), now);
        self.notes.push(format!(
            "the first events are not kept any more: this begins with the state of {}, and what agents answered, and how long \
             work took, before that is not drawn from",
            moment(now)
        ));
        self.lives = Lives::from_state(&state);
        self.script = Script::from_state(&state);
        self.answers = Answers::from_state(&state);
        self.column = Column::after(&Projection::from_state(request(self.from, self.to), state));
    }

    fn take(&mut self, stamped: &Stamped) -> ControlFlow<()> {
        let now = stamped.time;
        if *self.first.get_or_insert(now) > self.from {
            return ControlFlow::Break(());
        }
        self.last = now;
        if now >= self.to {
            return self.take_later(stamped);
        }
        if now >= self.from {
            self.begin();
        }
        self.column.hear(stamped);
        let shard = self.column.projection.shard();
        self.lives.hear(stamped, shard);
        self.script.hear(stamped, shard);
        self.answers.hear(stamped);
        ControlFlow::Continue(())
    }

    fn begin(&mut self) {
        if self.past.is_none() {
            self.past = Some(self.column.projection.clone());
            self.lives.begin();
            self.answers.begin();
            self.script.writes = true;
        }
    }

    /// Only for how things ended that began before.
    fn take_later(&mut self, stamped: &Stamped) -> ControlFlow<()> {
        self.begin();
        if self.after.is_none() {
            (self.after, self.left_out) = (Some(self.column.projection.shard().clone()), self.lives.left_out);
        }
        let Some(shard) = &mut self.after else { return ControlFlow::Break(()) };
        shard.apply(stamped);
        if !matches!(stamped.event, Event::Admitted(_)) {
            self.lives.hear(stamped, shard);
        }
        // Where nobody came, all is read: whoever asks is told from when to when there is something.
        let look = stamped.sequence.0.is_multiple_of(LOOK_EVERY) && self.lives.has_new();
        if look && self.lives.are_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn recorded(mut self, source: String) -> Result<Recorded, BacktestError> {
        let Some(first) = self.first else { return Err(BacktestError::JournalEmpty) };
        if first > self.from {
            return Err(BacktestError::NotRetained { from: moment(self.from), first: moment(first) });
        }
        self.begin();
        let left_out = if self.after.is_some() { self.left_out } else { self.lives.left_out };
        if !self.lives.has_new() {
            let (from, to) = (moment(self.from), moment(self.to));
            return Err(BacktestError::NobodyCame {
                from,
                to,
                first: moment(first),
                last: moment(self.last),
            });
        }
        let past = self.past.expect("the period has begun");
        let over = self.after.is_some();
        let until = if over { self.to } else { self.last };
        Ok(Recorded {
            source,
            notes: self.notes,
            from: self.from,
            to: self.to,
            end: if over { self.to } else { self.last.after(1) },
            until,
            past,
            record: self.column,
            script: in_order(self.script.cues, &self.lives.all),
            numbers: self.lives.all.iter().enumerate().map(|(at, life)| (life.id, at)).collect(),
            lives: self.lives.all,
            answers: self.answers,
            left_out,
        })
    }
}

/// With everybody who comes, by time.
pub(super) fn in_order(mut cues: Vec<Cue>, lives: &[Life]) -> Vec<Cue> {
    for (number, life) in lives.iter().enumerate() {
        if !life.carried {
            cues.push(Cue { at: life.came, turn: Turn::Comes, act: Act::Comes(number) });
        }
        if let Some(learned) = &life.learned {
            cues.push(Cue { at: learned.at.max(life.came), turn: Turn::Comes, act: Act::Known(number) });
        }
    }
    cues.sort_by_key(|cue| (cue.at, cue.turn));
    cues
}
