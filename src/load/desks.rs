//! Agents who share a stream (`Agents.Attach`), as a platform holds its desk phones: they sign in, answer what is
//! offered, talk, wrap up, and sign out in the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::calls::{Call, Calls, Doing};
use super::floor::{agent_name, agent_number};
use super::life::FOREIGN;
use super::mix::due_ns;
use super::outgoing::Outgoing;
use super::roll::Roll;
use super::run::{Miss, Run};
use super::seen::{Answer, Caller, Event, Offer, Told};
use super::settings::What;
use super::tally::Kind;
use crate::proto::attach_request::Request;
use crate::proto::{
    AcceptRequest, AttachRequest, CompleteRequest, FinishWrapUpRequest, HeartbeatRequest, Presence,
    SetPresenceRequest, WorkRequest, offer_ended,
};
use crate::runtime::leases::LEASE;

/// How long signing out may take.
const LEAVING: Duration = Duration::from_secs(5);
/// How often the agents of one stream may lose their sessions before the stream gives up.
const REOPENED_MAX: u32 = 1_000;

/// One stream with its agents.
pub struct Desks {
    run: Arc<Run>,
    roll: Roll,
    agents: Vec<Seat>,
    /// Agents are dealt out: this stream has every so-many-th.
    streams: u32,
    calls: Calls,
    out: Outgoing<AttachRequest>,
    think: Duration,
    /// What is to be done later, by when and in order.
    agenda: BTreeMap<(Instant, u64), Call>,
    noted: u64,
    reopened: u32,
}

struct Seat {
    name: String,
    session: String,
    present: bool,
}

impl Desks {
    /// The stream number `stream` of so many.
    pub fn new(run: Arc<Run>, roll: Roll, stream: u32, streams: u32, agents: u32, think: Duration) -> Desks {
        let seats = (stream..agents).step_by(streams as usize);
        let seat = |number| Seat { name: agent_name(number), session: String::new(), present: false };
        Desks {
            run,
            roll,
            agents: seats.map(seat).collect(),
            streams,
            calls: Calls::default(),
            out: Outgoing::new(),
            think,
            agenda: BTreeMap::new(),
            noted: 0,
            reopened: 0,
        }
    }

    /// Works until it is time to leave. A stream that breaks ends the run: without agents there is nothing to measure.
    pub async fn work(
        mut self,
        channel: Channel,
        leave: watch::Receiver<bool>,
        broken: mpsc::Sender<String>,
    ) {
        (0..self.agents.len()).for_each(|seat| self.open(seat));
        let opened = Caller::new(channel).attach(self.out.clone()).await;
        let ended = match opened {
            Ok(answers) => self.listen(answers, leave).await,
            Err(status) => Err(status),
        };
        if let Err(status) = ended {
            // One reason is enough.
            let _ = broken.try_send(format!("an agents' stream ended: {}", Miss::from(status).word));
        }
    }

    async fn listen(
        &mut self,
        mut answers: Streaming<Answer>,
        mut leave: watch::Receiver<bool>,
    ) -> Result<(), Status> {
        let mut renewal = interval(LEASE / 3);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.agenda.first_key_value().map(|((due, _), _)| *due);
            tokio::select! {
                answer = answers.message() => {
                    let answer = answer?.ok_or_else(|| Status::unavailable("the server ended the stream"))?;
                    self.take(answer)?;
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.act(),
                _ = renewal.tick() => self.renew(),
                _ = leave.changed() => break,
            }
        }
        self.sign_out(&mut answers).await;
        Ok(())
    }

    fn take(&mut self, answer: Answer) -> Result<(), Status> {
        if answer.tag != 0 {
            if let Some(call) = self.calls.close(answer.tag) {
                self.answered(call, answer.told);
            }
            return Ok(());
        }
        let number = agent_number(&answer.agent).map(|number| (number / self.streams) as usize);
        let Some(seat) = number.filter(|seat| *seat < self.agents.len()) else { return Ok(()) };
        match answer.told {
            Some(Told::Work(work)) => match work.event {
                Some(Event::Opened(opened)) => {
                    self.agents[seat].session = opened.session;
                    self.present(seat);
                }
                Some(Event::Offer(offer)) => self.offered(seat, offer),
                Some(Event::OfferEnded(ended)) if ended.ending == offer_ended::Ending::Expired as i32 => {
                    self.run.tally.failed(Kind::Accept, self.run.tally.now_ns(), "OFFER_EXPIRED");
                }
                _ => {}
            },
            Some(Told::Failure(failure)) => {
                let miss = Miss::from(failure);
                self.run.tally.failed(Kind::Offer, self.run.tally.now_ns(), &miss.word);
                self.reopened += 1;
                if self.reopened > REOPENED_MAX {
                    return Err(Status::aborted(format!("agents lose their sessions: {}", miss.word)));
                }
                self.open(seat);
            }
            _ => {}
        }
        Ok(())
    }

    /// What a call came to.
    fn answered(&mut self, call: Call, told: Option<Told>) {
        let run = self.run.clone();
        let answer = match told {
            Some(Told::Failure(failure)) => Err(Miss::from(failure)),
            Some(Told::Accepted(accepted)) => Ok(accepted.assignment),
            _ => Ok(String::new()),
        };
        let since = call.since_ns;
        match call.doing {
            Doing::Open => {
                if let Err(miss) = answer {
                    run.tally.failed(Kind::SignIn, since, &miss.word);
                    self.roll.absent(&miss.word);
                }
            }
            Doing::Presence => match answer {
                Ok(_) => {
                    run.tally.ended(Kind::SignIn, since);
                    if !std::mem::replace(&mut self.agents[call.seat].present, true) {
                        self.roll.present();
                    }
                }
                Err(miss) => {
                    run.tally.failed(Kind::SignIn, since, &miss.word);
                    self.roll.absent(&miss.word);
                }
            },
            Doing::Renew | Doing::SignOut => {}
            // Somebody else gets the offer, or the same agent another one: its slot stays taken.
            Doing::Accept(_) => {
                if let Ok(assignment) = run.ended(Kind::Accept, &run.told.answered, since, answer) {
                    self.later(Call { doing: Doing::Complete(assignment), ..call });
                }
            }
            Doing::Complete(assignment) => {
                if run.completed(since, call.due_ns, answer) {
                    self.later(Call { doing: Doing::WrapUp(assignment), ..call });
                }
            }
            Doing::WrapUp(_) => run.wrapped_up(since, call.due_ns, answer),
        }
    }

    fn open(&mut self, seat: usize) {
        let now = self.run.tally.now_ns();
        self.run.tally.started(Kind::SignIn, now);
        let request = WorkRequest { agent: self.agents[seat].name.clone(), ..WorkRequest::default() };
        self.ask(Call { doing: Doing::Open, seat, since_ns: now, due_ns: now }, Request::Open(request));
    }

    /// Available, or there without being available, where only submitting is measured.
    fn present(&mut self, seat: usize) {
        let presence = match self.run.what {
            What::Cycle => Presence::Available,
            What::Submit => Presence::OnBreak,
        };
        self.set_presence(seat, presence, Doing::Presence);
    }

    fn set_presence(&mut self, seat: usize, presence: Presence, doing: Doing) {
        let (agent, break_reason) = (self.agents[seat].name.clone(), String::new());
        let now = self.run.tally.now_ns();
        let request = SetPresenceRequest { agent, presence: presence as i32, break_reason };
        let call = Call { doing, seat, since_ns: now, due_ns: now };
        self.ask(call, Request::SetPresence(request));
    }

    fn offered(&mut self, seat: usize, offer: Offer) {
        let now = self.run.tally.now_ns();
        let ours = offer.interaction.filter(|seen| seen.source == self.run.source);
        let due = ours.and_then(|seen| due_ns(&seen.external_id));
        if let Some(due) = due {
            self.run.offered(due);
        }
        // Whoever else uses this server is served too, and not counted.
        let due_ns = due.unwrap_or(FOREIGN);
        self.later(Call { doing: Doing::Accept(offer.name), seat, since_ns: now, due_ns });
    }

    /// Does it when the agent has thought.
    fn later(&mut self, call: Call) {
        if self.think.is_zero() {
            return self.begin(call);
        }
        self.noted += 1;
        self.agenda.insert((Instant::now() + self.think, self.noted), call);
    }

    /// Does what is due.
    fn act(&mut self) {
        let now = Instant::now();
        while let Some(first) = self.agenda.first_entry().filter(|first| first.key().0 <= now) {
            let call = first.remove();
            self.begin(call);
        }
    }

    fn begin(&mut self, call: Call) {
        let now = self.run.tally.now_ns();
        let (kind, request) = match &call.doing {
            Doing::Accept(offer) => (Kind::Accept, Request::Accept(AcceptRequest { offer: offer.clone() })),
            Doing::Complete(assignment) => {
                let (assignment, disposition) = (assignment.clone(), "solved".to_owned());
                let request = CompleteRequest { assignment, disposition, ..CompleteRequest::default() };
                (Kind::Complete, Request::Complete(request))
            }
            Doing::WrapUp(assignment) => {
                let request = FinishWrapUpRequest { assignment: assignment.clone() };
                (Kind::WrapUp, Request::FinishWrapUp(request))
            }
            Doing::Open | Doing::Presence | Doing::Renew | Doing::SignOut => {
                unreachable!("these are never put off")
            }
        };
        self.run.tally.started(kind, now);
        self.ask(Call { since_ns: now, ..call }, request);
    }

    fn ask(&mut self, call: Call, request: Request) {
        let tag = self.calls.open(call);
        self.out.push(AttachRequest { tag, request: Some(request) });
    }

    fn renew(&mut self) {
        for seat in 0..self.agents.len() {
            let session = self.agents[seat].session.clone();
            if session.is_empty() {
                continue;
            }
            let now = self.run.tally.now_ns();
            let request = HeartbeatRequest { session, sequence: 0 };
            let call = Call { doing: Doing::Renew, seat, since_ns: now, due_ns: now };
            self.ask(call, Request::Heartbeat(request));
        }
    }

    /// Everybody goes home. What is not answered by then is left to the server: it loses the sessions.
    async fn sign_out(&mut self, answers: &mut Streaming<Answer>) {
        for seat in 0..self.agents.len() {
            if self.agents[seat].present {
                self.set_presence(seat, Presence::SignedOut, Doing::SignOut);
            }
        }
        let all = async {
            // What was begun is ended, and what comes in between too.
            while !self.calls.is_empty() {
                let Ok(Some(answer)) = answers.message().await else { return };
                if self.take(answer).is_err() {
                    return;
                }
            }
        };
        // Late is as good as never.
        let _ = timeout(LEAVING, all).await;
        self.out.close();
    }
}
