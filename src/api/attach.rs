//! Many agents on one stream. Requests take effect in their order; those that only the shard has to answer follow
//! each other without waiting, many under way, and are answered as they become durable. Whatever has to ask first
//! (a session, a note to be sealed, a conversation handed on) holds up what comes after it.

use super::desk_notices::Desks;
use super::status::ApiError;
use super::tenant::Tenant;
use super::work::{self, KEEP_ALIVE};
use super::{conversation, desk};
use crate::engine::command::{Answer, Command, Refusal};
use crate::engine::event::EndedBy;
use crate::proto;
use crate::proto::attach_request::Request as Asked;
use crate::proto::attach_response::Response as Answered;
use crate::runtime::inbox::{AskError, Seen, Tagged};
use crate::runtime::pipe::{PipeEnd, Return};
use crate::runtime::told::{Look, Shown, Told};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::task::JoinSet;
use tokio::time::{Interval, interval};
use tokio_stream::Stream;
use tonic::{Code, Status, Streaming};

/// Most requests under way on one stream.
const UNDER_WAY_MAX: usize = 4_096;

/// A request that has to ask before, or after, or more than once.
type Slowly = (u64, Result<Done, ApiError>);

/// What came of it.
enum Done {
    Answered(proto::AttachResponse),
    Opened(work::Session, String),
}

/// The answers of one stream, and what its agents are told.
pub struct Answers {
    tenant: Arc<Tenant>,
    requests: Streaming<proto::AttachRequest>,
    pipe: PipeEnd,
    returned: std::vec::IntoIter<Return>,
    desks: Desks,
    /// Handed over and not answered.
    under_way: usize,
    /// At most one at a time: what comes after it waits.
    slowly: JoinSet<Slowly>,
    keep_alive: Interval,
    requests_ended: bool,
}

impl Stream for Answers {
    type Item = Result<proto::AttachResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(message) = this.desks.next() {
                return Poll::Ready(Some(Ok(message)));
            }
            // A platform that says nothing more has no agents here either.
            if this.requests_ended {
                return Poll::Ready(None);
            }
            if let Some(returned) = this.returned.next() {
                this.hear(returned);
                continue;
            }
            if let Poll::Ready(returned) = this.pipe.poll(context) {
                this.returned = returned.into_iter();
                continue;
            }
            if this.desks.poll_cards(context) || this.poll_slowly(context) || this.take_requests(context) {
                continue;
            }
            if this.keep_alive.poll_tick(context).is_ready() {
                this.desks.keep_alive();
                continue;
            }
            return Poll::Pending;
        }
    }
}

impl Answers {
    /// Begins to answer.
    pub fn open(tenant: Arc<Tenant>, requests: Streaming<proto::AttachRequest>) -> Result<Answers, ApiError> {
        Ok(Answers {
            pipe: tenant.shard.open_pipe()?,
            desks: Desks::new(tenant.clone()),
            tenant,
            requests,
            returned: Vec::new().into_iter(),
            under_way: 0,
            slowly: JoinSet::new(),
            keep_alive: interval(KEEP_ALIVE),
            requests_ended: false,
        })
    }

    /// True if something was taken: what it began is to be polled.
    fn take_requests(&mut self, context: &mut Context<'_>) -> bool {
        let mut heard = false;
        while self.slowly.is_empty() && self.under_way < UNDER_WAY_MAX {
            match Pin::new(&mut self.requests).poll_next(context) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(request))) => self.take(request),
                // A broken stream ends like one that was closed: the agents' sessions go with it.
                Poll::Ready(Some(Err(_)) | None) => {
                    self.requests_ended = true;
                    return true;
                }
            }
            heard = true;
            if self.desks.has_messages() {
                break;
            }
        }
        heard
    }

    fn take(&mut self, request: proto::AttachRequest) {
        let tag = request.tag;
        let taken = match request.request {
            Some(Asked::Heartbeat(request)) => desk::heartbeat(&self.tenant, &request)
                .map(|beat| self.desks.push(response(tag, String::new(), Answered::Heartbeat(beat)))),
            Some(asked) => match self.at_once(&asked) {
                Ok(Some((command, look))) => self.hand_over(tag, command, look),
                Ok(None) => {
                    let tenant = self.tenant.clone();
                    self.slowly.spawn(async move { (tag, slowly(&tenant, asked, tag).await) });
                    Ok(())
                }
                Err(error) => Err(error),
            },
            None => Err(ApiError::missing("request", "one of the requests")),
        };
        if let Err(error) = taken {
            self.desks.push(failure(tag, String::new(), error));
        }
    }

    /// The command of a request that nothing has to be asked for.
    fn at_once(&self, asked: &Asked) -> Result<Option<(Command, Look)>, ApiError> {
        let tenant = &self.tenant;
        Ok(Some(match asked {
            Asked::Accept(request) => (desk::accepts(tenant, request)?, Look::Nothing),
            Asked::Decline(request) => {
                let (offer, command) = desk::declines(tenant, request)?;
                (command, Look::Asked(offer))
            }
            Asked::SetPresence(request) => {
                let (agent, command) = desk::presents(tenant, request)?;
                (command, Look::Agent(agent))
            }
            Asked::Complete(request) if request.note.is_empty() => {
                let (assignment, command) = desk::completes(tenant, request)?;
                (command, Look::AtWork(assignment))
            }
            Asked::FinishWrapUp(request) => {
                let assignment = desk::assignment(tenant, &request.assignment)?;
                (Command::FinishWrapUp { assignment, by: EndedBy::Agent }, Look::AtWork(assignment))
            }
            _ => return Ok(None),
        }))
    }

    fn hand_over(&mut self, tag: u64, command: Command, look: Look) -> Result<(), ApiError> {
        let tagged = Tagged { tag, command, secret: None, look, watch: false };
        self.tenant.shard.hand_over(self.pipe.id, tagged)?;
        self.under_way += 1;
        Ok(())
    }

    fn poll_slowly(&mut self, context: &mut Context<'_>) -> bool {
        let Poll::Ready(Some(Ok((tag, done)))) = self.slowly.poll_join_next(context) else { return false };
        match done {
            Ok(Done::Answered(response)) => self.desks.push(response),
            Ok(Done::Opened(session, agent)) => self.opened(tag, session, agent),
            Err(error) => self.desks.push(failure(tag, String::new(), error)),
        }
        true
    }

    /// Follows the agent, and answers with how they are once they are followed.
    fn opened(&mut self, tag: u64, session: work::Session, agent: String) {
        let followed = self.tenant.shard.follow_agent(session.follower(self.pipe.feed()));
        if let Err(error) = followed {
            return self.desks.push(failure(tag, agent, error.into()));
        }
        self.desks.open(session, agent.clone());
        let tenant = self.tenant.clone();
        self.slowly.spawn(async move {
            let status = desk::status_of(&tenant, &agent).await;
            (tag, status.map(|status| Done::Answered(by_status(tag, status))))
        });
    }

    fn hear(&mut self, returned: Return) {
        match returned {
            Return::Answer { tag, told } => {
                self.under_way -= 1;
                let answer = self.answered(tag, told);
                self.desks.push(answer.unwrap_or_else(|error| failure(tag, String::new(), error)));
            }
            Return::Notice(to) => self.desks.hear(to),
            // Nothing is submitted here.
            Return::Changed(_) | Return::Resumed { .. } => {}
            Return::CutOff => {
                let message = "too many messages were waiting to be read: open the stream again";
                self.end(&ApiError::new(Code::ResourceExhausted, "STREAM_GAP", message));
            }
            Return::Stopping => self.end(&AskError::Stopped.into()),
        }
    }

    /// Tells each agent why the stream ends.
    fn end(&mut self, error: &ApiError) {
        self.desks.fail_all(error);
        self.requests_ended = true;
    }

    fn answered(&mut self, tag: u64, told: Told) -> Result<proto::AttachResponse, ApiError> {
        let Told { sequence, answer, shown } = told;
        match (answer?, shown) {
            (value @ Answer::Accepted { .. }, _) => {
                let accepted = desk::accepted(&self.tenant, Seen { value, sequence });
                Ok(response(tag, String::new(), Answered::Accepted(accepted)))
            }
            (_, Shown::Agent(view)) => {
                self.desks.said(&view);
                Ok(by_status(tag, self.tenant.show_status(&view)))
            }
            // Whose work it was is forgotten.
            _ => Err(Refusal::AssignmentEnded.into()),
        }
    }
}

/// Whatever has to ask more than once.
async fn slowly(tenant: &Arc<Tenant>, asked: Asked, tag: u64) -> Result<Done, ApiError> {
    let status = match asked {
        Asked::Open(request) => {
            return Ok(Done::Opened(work::begin(tenant, &request).await?, request.agent));
        }
        Asked::Pull(request) => {
            let accepted = Answered::Accepted(conversation::pull(tenant, &request).await?);
            return Ok(Done::Answered(response(tag, request.agent, accepted)));
        }
        Asked::Complete(request) => desk::complete(tenant, &request).await?,
        Asked::ExtendWrapUp(request) => conversation::extend_wrap_up(tenant, &request).await?,
        Asked::Transfer(request) => conversation::transfer(tenant, &request).await?,
        Asked::Consult(request) => conversation::consult(tenant, &request).await?,
        Asked::Conference(request) => conversation::conference(tenant, &request).await?,
        Asked::StopSeeking(request) => conversation::stop_seeking(tenant, &request).await?,
        Asked::Park(request) => conversation::park(tenant, &request).await?,
        Asked::Requeue(request) => conversation::requeue(tenant, &request).await?,
        Asked::Heartbeat(_)
        | Asked::Accept(_)
        | Asked::Decline(_)
        | Asked::SetPresence(_)
        | Asked::FinishWrapUp(_) => unreachable!("done at once"),
    };
    Ok(Done::Answered(by_status(tag, status)))
}

fn by_status(tag: u64, status: proto::AgentStatus) -> proto::AttachResponse {
    response(tag, status.agent.clone(), Answered::Status(status))
}

/// A failed request, or an agent's stream that ends.
pub fn failure(tag: u64, agent: String, error: ApiError) -> proto::AttachResponse {
    response(tag, agent, Answered::Failure(error.into()))
}

/// A message about an agent.
pub fn response(tag: u64, agent: String, response: Answered) -> proto::AttachResponse {
    proto::AttachResponse { tag, agent, response: Some(response) }
}
