//! Bulk traffic on one stream. Requests are taken as they come and handed over at once, many under way; answers go
//! out in whatever order they become durable. The stream is its own task's work: whoever reads the answers thereby
//! takes the next requests, so one who does not read is not served further either.

use super::convert::{duration_ms, real};
use super::interactions::{admit, no_record, repeats};
use super::names::chosen_id;
use super::shown::interaction_state;
use super::status::ApiError;
use super::tenant::Tenant;
use super::{intake, platform};
use crate::engine::command::{Answer, Command, Refusal};
use crate::engine::ids::{InteractionId, Sequence, Text};
use crate::proto;
use crate::proto::route_request::Request as Asked;
use crate::proto::route_response::Response as Answered;
use crate::runtime::inbox::{AskError, Tagged};
use crate::runtime::leases::LEASE;
use crate::runtime::pipe::{CHANGES_MAX, Change, PipeEnd, Return};
use crate::runtime::told::{self, Look, Shown, Told};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_stream::Stream;
use tonic::{Code, Status, Streaming};

/// Most requests under way on one stream.
const UNDER_WAY_MAX: usize = 4_096;
/// Longest lease a source may ask for, ms of real time.
const LEASE_MAX_MS: u64 = 300_000;
/// Of what is heard on a stream, the lease is renewed so often while it lasts.
const RENEWALS: u32 = 8;

/// The answers of one stream.
pub struct Answers {
    tenant: Arc<Tenant>,
    requests: Streaming<proto::RouteRequest>,
    pipe: PipeEnd,
    /// What the shard has answered and what was refused before it got there.
    ready: VecDeque<proto::RouteResponse>,
    returned: std::vec::IntoIter<Return>,
    /// Handed over and not answered.
    under_way: usize,
    /// Submits that wait for the customer store.
    looked_up: JoinSet<LookedUp>,
    source: Option<Session>,
    /// Sessions that are being opened, in order.
    opening: VecDeque<Opening>,
    watch: bool,
    /// The source went on with this stream; once is enough.
    resumed: bool,
    requests_ended: bool,
}

/// What became of one of these: its tag, and which interaction it is with the answer.
type LookedUp = (u64, Result<(InteractionId, proto::RouteSubmitted), ApiError>);

/// A source that keeps its session by this stream.
struct Session {
    source: Text,
    lease: Duration,
    renewed: Instant,
}

/// `tag` is missing where a session is opened again that was lost while the stream was silent.
struct Opening {
    tag: Option<u64>,
    source: Text,
    lease: Duration,
}

impl Stream for Answers {
    type Item = Result<proto::RouteResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(answer) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(answer)));
            }
            if let Some(returned) = this.returned.next() {
                match this.shown(returned) {
                    Ok(Some(answer)) => return Poll::Ready(Some(Ok(answer))),
                    Ok(None) => continue,
                    Err(ends) => return Poll::Ready(Some(Err(ends.into()))),
                }
            }
            if let Poll::Ready(returned) = this.pipe.poll(context) {
                this.returned = returned.into_iter();
                continue;
            }
            if let Poll::Ready(Some(Ok((tag, answer)))) = this.looked_up.poll_join_next(context) {
                this.looked_up_is(tag, answer);
                continue;
            }
            if this.take_requests(context) {
                continue;
            }
            let idle = this.under_way == 0 && this.looked_up.is_empty();
            return if this.requests_ended && idle { Poll::Ready(None) } else { Poll::Pending };
        }
    }
}

impl Answers {
    /// Begins to answer.
    pub fn open(tenant: Arc<Tenant>, requests: Streaming<proto::RouteRequest>) -> Result<Answers, ApiError> {
        Ok(Answers {
            pipe: tenant.shard.open_pipe()?,
            tenant,
            requests,
            ready: VecDeque::new(),
            returned: Vec::new().into_iter(),
            under_way: 0,
            looked_up: JoinSet::new(),
            source: None,
            opening: VecDeque::new(),
            watch: false,
            resumed: false,
            requests_ended: false,
        })
    }

    /// Takes what has arrived, as far as there is room. True if that was anything: what it began is to be polled.
    fn take_requests(&mut self, context: &mut Context<'_>) -> bool {
        let mut heard = false;
        while !self.requests_ended && self.under_way + self.looked_up.len() < UNDER_WAY_MAX {
            match Pin::new(&mut self.requests).poll_next(context) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(request))) => {
                    heard = true;
                    self.take(request);
                    if self.ready.len() >= UNDER_WAY_MAX {
                        break;
                    }
                }
                // A stream that breaks ends like one that was closed: what was handed in goes on.
                Poll::Ready(Some(Err(_)) | None) => {
                    self.requests_ended = true;
                    return true;
                }
            }
        }
        if heard {
            self.renew();
        }
        heard
    }

    fn take(&mut self, request: proto::RouteRequest) {
        let tag = request.tag;
        let taken = match request.request {
            Some(Asked::Open(open)) => self.open_session(tag, &open),
            Some(Asked::Submit(submit)) => self.submit(tag, submit),
            Some(other) => self.about_one(tag, other),
            None => Err(ApiError::missing("request", "one of the requests")),
        };
        if let Err(error) = taken {
            self.ready.push_back(failure(tag, error));
        }
    }

    fn hand_over(&mut self, tagged: Tagged) -> Result<(), AskError> {
        self.tenant.shard.hand_over(self.pipe.id, tagged)?;
        self.under_way += 1;
        Ok(())
    }

    fn submit(&mut self, tag: u64, request: Box<proto::SubmitRequest>) -> Result<(), ApiError> {
        self.tenant.has_parent(&request.parent)?;
        if request.max_wait.is_some_and(|wait| wait != prost_types::Duration::default()) {
            return Err(ApiError::field("max_wait", "a time", "nothing: `watch` tells what becomes of it"));
        }
        let identity = intake::identity(&self.tenant, &request)?;
        match intake::prepare_now(&self.tenant, &request, &identity) {
            Ok(Some(prepared)) => {
                let (command, secret) = (Command::Submit(Box::new(prepared.submit)), Some(prepared.secret));
                let watch = self.watch;
                Ok(self.hand_over(Tagged { tag, command, secret, look: Look::State, watch })?)
            }
            // To be looked up, or a repetition of what cannot be planned any more.
            Ok(None) | Err(_) => {
                let tenant = self.tenant.clone();
                let answer = async move { (tag, submit_slowly(&tenant, &request, &identity).await) };
                self.looked_up.spawn(answer);
                Ok(())
            }
        }
    }

    /// First the answer, and only then what becomes of it.
    fn looked_up_is(&mut self, tag: u64, answer: Result<(InteractionId, proto::RouteSubmitted), ApiError>) {
        match answer {
            Err(error) => self.ready.push_back(failure(tag, error)),
            Ok((id, submitted)) => {
                self.ready.push_back(response(tag, Answered::Submitted(submitted)));
                if self.watch {
                    // The server stops, or is so busy that the source has to ask.
                    let _ = self.tenant.shard.route(self.pipe.id, id);
                }
            }
        }
    }

    /// A request about one interaction, answered with it.
    fn about_one(&mut self, tag: u64, asked: Asked) -> Result<(), ApiError> {
        let tenant = &self.tenant;
        let (id, (command, secret)) = match &asked {
            Asked::Cancel(request) => {
                let id = platform::interaction(tenant, &request.name)?;
                (id, (platform::cancel(id, request.cause)?, None))
            }
            Asked::Connected(request) => {
                let id = platform::interaction(tenant, &request.name)?;
                (id, (Command::Connected { interaction: id }, None))
            }
            Asked::ConnectFailed(request) => {
                let id = platform::interaction(tenant, &request.name)?;
                (id, (platform::not_connected(id, request.cause)?, None))
            }
            Asked::Update(request) => {
                let id = platform::interaction(tenant, &request.name)?;
                (id, platform::wrote(tenant, id, &request.message)?)
            }
            Asked::Open(_) | Asked::Submit(_) => unreachable!("taken before"),
        };
        Ok(self.hand_over(Tagged { tag, command, secret, look: Look::Interaction(id), watch: false })?)
    }

    fn open_session(&mut self, tag: u64, request: &proto::RouteOpen) -> Result<(), ApiError> {
        self.tenant.has_parent(&request.parent)?;
        let default = u64::try_from(LEASE.as_millis()).expect("seconds");
        let lease =
            Duration::from_millis(duration_ms("lease", request.lease, 1_000..=LEASE_MAX_MS, default)?);
        if request.source.is_empty() {
            if let Some(after) = request.resume_after {
                let wanted = "nothing without a source: what was missed is kept by source";
                return Err(ApiError::field("resume_after", &after.to_string(), wanted));
            }
            self.source = None;
            self.watch = request.watch;
            self.ready.push_back(response(tag, Answered::Opened(proto::RouteOpened::default())));
            return Ok(());
        }
        if let Some(after) = request.resume_after.filter(|_| !request.watch) {
            return Err(ApiError::field("resume_after", &after.to_string(), "nothing without watch"));
        }
        if let Some(after) = request.resume_after
            && std::mem::replace(&mut self.resumed, true)
        {
            let wanted = "nothing: this stream goes on already, and may do so once";
            return Err(ApiError::field("resume_after", &after.to_string(), wanted));
        }
        let source: Text = chosen_id("source", &request.source)?.into();
        self.begin(Opening { tag: Some(tag), source: source.clone(), lease })?;
        if request.watch {
            // Behind the session, so that `opened` leaves first.
            self.tenant.shard.serve(self.pipe.id, source.clone(), request.resume_after.map(Sequence))?;
        }
        self.watch = request.watch;
        self.source = Some(Session { source, lease, renewed: Instant::now() });
        Ok(())
    }

    /// Renews a lease, and opens the session if there was none.
    fn begin(&mut self, opening: Opening) -> Result<(), ApiError> {
        let Opening { tag, ref source, lease } = opening;
        if !self.tenant.leases.renew_source(source, lease) {
            if let Some(tag) = tag {
                let opened = proto::RouteOpened { lease: Some(real(lease)), opened: false };
                self.ready.push_back(response(tag, Answered::Opened(opened)));
            }
            return Ok(());
        }
        let command = Command::OpenSource { source: source.clone() };
        let tagged = Tagged { tag: 0, command, secret: None, look: Look::Session, watch: false };
        if let Err(error) = self.hand_over(tagged) {
            // Without a session there is no lease: the next message tries again.
            self.tenant.leases.drop_source(source);
            return Err(error.into());
        }
        self.opening.push_back(opening);
        Ok(())
    }

    /// Something was heard: the source lives.
    fn renew(&mut self) {
        let Some(session) = &mut self.source else { return };
        if session.renewed.elapsed() < session.lease / RENEWALS {
            return;
        }
        session.renewed = Instant::now();
        let again = Opening { tag: None, source: session.source.clone(), lease: session.lease };
        // Too busy for it now: the lease was dropped, and the next message opens the session again.
        let _ = self.begin(again);
    }

    /// `Err` ends the stream.
    fn shown(&mut self, returned: Return) -> Result<Option<proto::RouteResponse>, ApiError> {
        match returned {
            Return::Answer { tag, told } => {
                self.under_way -= 1;
                Ok(self.answered(tag, told))
            }
            Return::Changed(change) => Ok(Some(self.changed(change))),
            Return::Resumed { missed, sequence } => {
                let (gap, missed) = (missed.is_none(), missed.unwrap_or_default());
                let missed = u32::try_from(missed).unwrap_or(u32::MAX);
                let resumed = proto::RouteResumed { missed, gap, sequence: sequence.0 };
                Ok(Some(response(0, Answered::Resumed(resumed))))
            }
            // Nobody works here.
            Return::Notice(_) => Ok(None),
            Return::CutOff => {
                let message = format!("more than {CHANGES_MAX} changes were waiting to be read");
                Err(ApiError::new(Code::ResourceExhausted, "STREAM_GAP", message))
            }
            Return::Stopping => Err(AskError::Stopped.into()),
        }
    }

    fn answered(&mut self, tag: u64, told: Told) -> Option<proto::RouteResponse> {
        let Told { sequence, answer, shown } = told;
        if matches!(shown, Shown::Session) {
            return self.session_opened(answer);
        }
        let answered = match (answer, shown) {
            (Err(Refusal::InteractionUnknown), Shown::NoRecord { asked, last }) => {
                return Some(failure(tag, no_record(asked, last)));
            }
            (Err(refusal), _) => return Some(failure(tag, refusal.into())),
            (Ok(_), Shown::Interaction(Some(view))) => {
                Answered::Interaction(self.tenant.write_interaction(&view))
            }
            (Ok(answer), shown) => Answered::Submitted(submitted(&self.tenant, answer, &shown, sequence)),
        };
        Some(response(tag, answered))
    }

    /// `None` where the session was opened again unasked.
    fn session_opened(&mut self, answer: Result<Answer, Refusal>) -> Option<proto::RouteResponse> {
        let Opening { tag, source, lease } = self.opening.pop_front()?;
        if let Err(refusal) = answer {
            // Without a session there is no lease.
            self.tenant.leases.drop_source(&source);
            return tag.map(|tag| failure(tag, refusal.into()));
        }
        let opened = proto::RouteOpened { lease: Some(real(lease)), opened: true };
        Some(response(tag?, Answered::Opened(opened)))
    }

    fn changed(&self, change: Change) -> proto::RouteResponse {
        let floor = self.tenant.shard.floor();
        response(
            0,
            Answered::Changed(proto::RouteChange {
                name: self.tenant.name_of("interactions", change.interaction),
                state: interaction_state(change.state).into(),
                agent: change.agent.map(|agent| self.tenant.agent_name(agent, &floor)).unwrap_or_default(),
                sequence: change.sequence.0,
            }),
        )
    }
}

/// A submit that has to wait for the customer store.
async fn submit_slowly(
    tenant: &Arc<Tenant>,
    request: &proto::SubmitRequest,
    identity: &intake::Identity,
) -> Result<(InteractionId, proto::RouteSubmitted), ApiError> {
    let (answer, shown, sequence) = match intake::prepare(tenant, request, identity).await {
        Ok(prepared) => {
            let (seen, shown) = admit(tenant, prepared, Look::State).await?;
            (seen.value, shown, seen.sequence)
        }
        Err(error) => {
            let interaction = repeats(tenant, identity).await?.ok_or(error)?;
            let seen = tenant.shard.read(move |shard| shard.interaction(interaction).map(|one| one.state));
            let seen = seen.await?;
            let shown = seen.value.map_or(Shown::Nothing, Shown::State);
            (Answer::Admitted { interaction, repeated: true }, shown, seen.sequence)
        }
    };
    let id = told::submitted(&answer).expect("a submit is answered with its interaction");
    Ok((id, submitted(tenant, answer, &shown, sequence)))
}

fn submitted(tenant: &Tenant, answer: Answer, shown: &Shown, sequence: Sequence) -> proto::RouteSubmitted {
    let interaction = told::submitted(&answer).expect("a submit is answered with its interaction");
    let state = match shown {
        Shown::State(state) => interaction_state(*state),
        _ => proto::InteractionState::Unspecified,
    };
    proto::RouteSubmitted {
        name: tenant.name_of("interactions", interaction),
        state: state.into(),
        repeated: matches!(answer, Answer::Admitted { repeated: true, .. }),
        attached: matches!(answer, Answer::Attached { .. }),
        sequence: sequence.0,
    }
}

fn failure(tag: u64, error: ApiError) -> proto::RouteResponse {
    response(tag, Answered::Failure(error.into()))
}

fn response(tag: u64, response: Answered) -> proto::RouteResponse {
    proto::RouteResponse { tag, response: Some(response) }
}
