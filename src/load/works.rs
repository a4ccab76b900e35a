//! Agents with a stream each (`Agents.Work`) and calls for what they do, as desks have it. For small numbers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tonic::{Status, Streaming};

use super::floor::agent_name;
use super::life::FOREIGN;
use super::mix::due_ns;
use super::roll::Roll;
use super::run::{Miss, Run};
use super::seen::{Caller, Event, Offer, Work};
use super::settings::What;
use super::tally::Kind;
use crate::proto::{
    AcceptRequest, CompleteRequest, FinishWrapUpRequest, HeartbeatRequest, Presence, SetPresenceRequest,
    WorkRequest,
};
use crate::runtime::leases::LEASE;

/// How long signing out may take.
const LEAVING: Duration = Duration::from_secs(5);

/// One agent.
#[derive(Clone)]
pub struct Desk {
    pub run: Arc<Run>,
    pub roll: Roll,
    pub number: u32,
    pub caller: Caller,
    pub think: Duration,
}

impl Desk {
    /// Works until it is time to leave.
    pub async fn work(mut self, leave: watch::Receiver<bool>, broken: mpsc::Sender<String>) {
        let since = self.run.tally.now_ns();
        self.run.tally.started(Kind::SignIn, since);
        let request = WorkRequest { agent: agent_name(self.number), ..WorkRequest::default() };
        let ended = match self.caller.work(request).await {
            Ok(stream) => self.listen(stream, since, leave).await,
            Err(status) => Err(status),
        };
        if let Err(status) = ended {
            let miss = Miss::from(status);
            self.roll.absent(&miss.word);
            // One reason is enough.
            let _ = broken.try_send(format!("an agent's stream ended: {}", miss.word));
        }
    }

    async fn listen(
        &mut self,
        mut stream: Streaming<Work>,
        since_ns: u64,
        mut leave: watch::Receiver<bool>,
    ) -> Result<(), Status> {
        let mut session = String::new();
        let mut renewal = interval(LEASE / 3);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                work = stream.message() => {
                    let work = work?.ok_or_else(|| Status::unavailable("the server ended the stream"))?;
                    match work.event {
                        Some(Event::Opened(opened)) => {
                            session = opened.session;
                            self.sign_in(since_ns).await?;
                        }
                        Some(Event::Offer(offer)) => {
                            tokio::spawn(self.clone().serve(offer));
                        }
                        _ => {}
                    }
                }
                _ = renewal.tick(), if !session.is_empty() => {
                    self.caller.heartbeat(HeartbeatRequest { session: session.clone(), sequence: 0 }).await?;
                }
                _ = leave.changed() => break,
            }
        }
        // Late is as good as never: the server loses the session with the stream.
        let _ = timeout(LEAVING, self.set_presence(Presence::SignedOut)).await;
        Ok(())
    }

    async fn sign_in(&mut self, since_ns: u64) -> Result<(), Status> {
        let presence = match self.run.what {
            What::Cycle => Presence::Available,
            What::Submit => Presence::OnBreak,
        };
        self.set_presence(presence).await?;
        self.run.tally.ended(Kind::SignIn, since_ns);
        self.roll.present();
        Ok(())
    }

    async fn set_presence(&mut self, presence: Presence) -> Result<(), Status> {
        let (agent, break_reason) = (agent_name(self.number), String::new());
        let request = SetPresenceRequest { agent, presence: presence as i32, break_reason };
        self.caller.set_presence(request).await.map(drop)
    }

    /// From the offer to the end of the wrap-up.
    async fn serve(mut self, offer: Offer) {
        let run = self.run.clone();
        let ours = offer.interaction.filter(|seen| seen.source == run.source);
        let due = ours.and_then(|seen| due_ns(&seen.external_id));
        if let Some(due) = due {
            run.offered(due);
        }
        let since = self.begin(Kind::Accept).await;
        let answer = self.caller.accept(AcceptRequest { offer: offer.name }).await.map_err(Miss::from);
        let Ok(accepted) = run.ended(Kind::Accept, &run.told.answered, since, answer) else { return };
        let (assignment, due) = (accepted.assignment, due.unwrap_or(FOREIGN));

        let since = self.begin(Kind::Complete).await;
        let (disposition, note) = ("solved".to_owned(), String::new());
        let request = CompleteRequest {
            assignment: assignment.clone(),
            disposition,
            note,
            ..CompleteRequest::default()
        };
        let answer = self.caller.complete(request).await.map_err(Miss::from);
        if !run.completed(since, due, answer) {
            return;
        }
        let since = self.begin(Kind::WrapUp).await;
        let answer = self.caller.finish_wrap_up(FinishWrapUpRequest { assignment }).await.map_err(Miss::from);
        run.wrapped_up(since, due, answer);
    }

    /// Thinks, then begins.
    async fn begin(&self, kind: Kind) -> u64 {
        if !self.think.is_zero() {
            sleep(self.think).await;
        }
        let now = self.run.tally.now_ns();
        self.run.tally.started(kind, now);
        now
    }
}
