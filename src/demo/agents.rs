//! A simulated agent at a desk: one task, one `Work` stream, and an agenda of what to do next and when.
//!
//! It knows nothing but what the API tells it. After a broken connection it opens the stream again with its
//! session and takes the work in hand from the snapshot.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tonic::{Code, Status, Streaming};

use super::calls::{Server, TENANT, is_overtaken, is_passing, once, within};
use super::clock::Clock;
use super::desk::{Action, Desk};
use super::tally::Tally;
use crate::proto::{
    AcceptRequest, CompleteRequest, DeclineRequest, FinishWrapUpRequest, Handover, HeartbeatRequest,
    Presence, SetPresenceRequest, Target, TransferRequest, WorkRequest, WorkResponse,
    agents_client::AgentsClient, work_response,
};

/// How long to pause before a stream is opened again, and before a call that failed in passing is repeated.
const PAUSE: Duration = Duration::from_millis(100);
/// How often one thing is tried: at the pause above, the minute that a restart may take.
const TRIES_MAX: u32 = 600;
/// The lease assumed until the server has said its own.
const LEASE: Duration = Duration::from_secs(15);
/// How long each call at the end of the day may take.
const LEAVING: Duration = Duration::from_secs(3);

/// What connects a desk with the world.
pub struct Agent {
    name: String,
    client: AgentsClient<tonic::transport::Channel>,
    session: String,
    lease: Duration,
    sequence: u64,
    desk: Desk,
    tally: Arc<Tally>,
    stop: watch::Receiver<bool>,
}

/// Why an agent stopped listening to a stream.
enum Listened {
    Stop,
    Broken,
}

impl Agent {
    /// `rank` says who goes home first.
    pub fn new(
        id: &str,
        rank: usize,
        server: &Server,
        clock: Clock,
        generator: rand_chacha::ChaCha8Rng,
        tally: Arc<Tally>,
        stop: watch::Receiver<bool>,
    ) -> Agent {
        Agent {
            name: format!("{TENANT}/agents/{id}"),
            client: server.agents(),
            session: String::new(),
            lease: LEASE,
            sequence: 0,
            desk: Desk::new(id, rank, clock, generator, Arc::clone(&tally)),
            tally,
            stop,
        }
    }

    /// Works until the demo ends, then signs out.
    pub async fn work(mut self) {
        while !*self.stop.borrow() {
            // From a snapshot: the servers of a demo are killed, and nothing is held for whoever comes back to the next one.
            let (agent, session) = (self.name.clone(), self.session.clone());
            let request = WorkRequest { agent, session, resume_after: None };
            match once(self.client.work(request)).await {
                Ok(stream) => match self.listen(stream).await {
                    Listened::Stop => break,
                    Listened::Broken => {}
                },
                Err(status) if is_passing(&status) => {}
                Err(status) => self.tally.warn("open the agent's stream", &status),
            }
            sleep(PAUSE).await;
        }
        self.leave().await;
    }

    async fn listen(&mut self, mut stream: Streaming<WorkResponse>) -> Listened {
        let mut renewal = Instant::now() + self.lease / 3;
        loop {
            let due = self.desk.next_due();
            tokio::select! {
                _ = self.stop.changed() => return Listened::Stop,
                message = stream.message() => match message {
                    Ok(Some(message)) => self.take(message),
                    Ok(None) => return Listened::Broken,
                    Err(status) => {
                        self.lost(&status);
                        return Listened::Broken;
                    }
                },
                () = sleep_until(renewal) => {
                    if self.renew().await.is_err() {
                        return Listened::Broken;
                    }
                    renewal = Instant::now() + self.lease / 3;
                }
                () = sleep_until(due.unwrap_or(renewal)), if due.is_some() => self.act().await,
            }
        }
    }

    fn take(&mut self, message: WorkResponse) {
        if let Some(cursor) = message.cursor {
            self.sequence = self.sequence.max(cursor.sequence);
        }
        match message.event {
            Some(work_response::Event::Opened(opened)) => {
                self.session = opened.session;
                self.lease = opened.lease.and_then(|lease| lease.try_into().ok()).unwrap_or(LEASE);
            }
            Some(event) => self.desk.take(event),
            None => {}
        }
    }

    fn lost(&self, status: &Status) {
        if !is_passing(status) && status.code() != Code::Unknown {
            self.tally.warn("the agent's stream ended", status);
        }
    }

    /// A failed renewal ends the stream: opening it again shows whether the session still lives.
    async fn renew(&mut self) -> Result<(), Status> {
        let request = HeartbeatRequest { session: self.session.clone(), sequence: self.sequence };
        let answer = once(self.client.heartbeat(request)).await;
        if let Err(status) = &answer {
            if status.code() == Code::NotFound {
                self.session.clear();
            } else if !is_passing(status) {
                self.tally.warn("renew the agent's session", status);
            }
        }
        answer.map(drop)
    }

    /// Does the first thing on the agenda.
    async fn act(&mut self) {
        let Some((action, tries)) = self.desk.pop_due() else { return };
        match self.perform(&action).await {
            Ok(()) => self.desk.done(&action),
            Err(status) if is_overtaken(&status) => self.desk.overtaken(&action),
            Err(status) if is_passing(&status) && tries < TRIES_MAX => {
                self.desk.put_off(action, tries + 1, PAUSE)
            }
            Err(status) => self.tally.warn(action.name(), &status),
        }
    }

    async fn perform(&mut self, action: &Action) -> Result<(), Status> {
        match action {
            Action::Accept(offer) => {
                let answer = once(self.client.accept(AcceptRequest { offer: offer.clone() })).await?;
                self.desk.talk_after(offer, answer.assignment);
            }
            Action::Decline(offer) => {
                let request = DeclineRequest { offer: offer.clone(), reason: "busy-elsewhere".to_owned() };
                once(self.client.decline(request)).await?;
            }
            Action::Complete(assignment) => {
                let (disposition, note) = self.desk.result_of(assignment);
                let assignment = assignment.clone();
                let request = CompleteRequest { assignment, disposition, note, ..CompleteRequest::default() };
                once(self.client.complete(request)).await?;
            }
            Action::HandOn(assignment) => {
                // Over already: the stream has told, or will.
                let Some(queue) = self.desk.queue_of(assignment) else { return Ok(()) };
                let request = TransferRequest {
                    assignment: assignment.clone(),
                    target: Some(Target { queue, ..Target::default() }),
                    handover: Handover::Blind as i32,
                    transcript: "The customer has told everything; a colleague takes over.".to_owned(),
                };
                once(self.client.transfer(request)).await?;
            }
            Action::FinishWrapUp(assignment) => {
                let request = FinishWrapUpRequest { assignment: assignment.clone() };
                once(self.client.finish_wrap_up(request)).await?;
            }
            Action::GoOnBreak => {
                let reason = self.desk.break_reason();
                self.set_presence(Presence::OnBreak, reason).await?;
            }
            Action::BeAvailable => self.set_presence(Presence::Available, "").await?,
        }
        Ok(())
    }

    async fn set_presence(&mut self, presence: Presence, break_reason: &str) -> Result<(), Status> {
        let request = SetPresenceRequest {
            agent: self.name.clone(),
            presence: presence as i32,
            break_reason: break_reason.to_owned(),
        };
        once(self.client.set_presence(request)).await.map(drop)
    }

    /// Ends the conversations and signs out. What cannot be told any more is left to the server: it loses the
    /// session and does the same.
    async fn leave(mut self) {
        for assignment in self.desk.in_hand() {
            let (disposition, note) = ("end-of-demo".to_owned(), String::new());
            let request = CompleteRequest {
                assignment: assignment.clone(),
                disposition,
                note,
                ..CompleteRequest::default()
            };
            let _ = within(LEAVING, self.client.complete(request)).await;
            let request = FinishWrapUpRequest { assignment };
            let _ = within(LEAVING, self.client.finish_wrap_up(request)).await;
        }
        let request = SetPresenceRequest {
            agent: self.name.clone(),
            presence: Presence::SignedOut as i32,
            break_reason: String::new(),
        };
        if let Err(status) = within(LEAVING, self.client.set_presence(request)).await {
            self.tally.warn("sign out", &status);
        }
    }
}
