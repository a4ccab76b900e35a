//! The agent's stream: the session, a snapshot, then every change, each offer with its card.

use super::card;
use super::convert::{cursor, real, timestamp};
use super::desk::{self, parse_session, show_session};
use super::names;
use super::shown;
use super::shown_interaction::{overdraw, part};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::command::{Answer, Command};
use crate::engine::ids::{AgentKey, Sequence, SessionId};
use crate::engine::offer::Offer;
use crate::engine::time::Time;
use crate::proto;
use crate::proto::work_response::Event;
use crate::runtime::leases::LEASE;
use crate::runtime::outbox::{AgentFollower, AgentNotice, FEED_MAX, Notice};
use crate::runtime::view::{AgentView, InteractionView};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::Code;

/// A silent stream says that it is alive this often.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

static STREAMS: AtomicU64 = AtomicU64::new(1);

/// A session with its feed, before anything was sent.
pub struct Opened {
    tenant: Arc<Tenant>,
    agent: AgentKey,
    session: SessionId,
    stream: u64,
    resumed: bool,
    feed: mpsc::Receiver<AgentNotice>,
    /// What is missing on cards that left as partial.
    rests: JoinSet<Option<proto::CardCompleted>>,
    at: Sequence,
}

/// Where the messages of a stream go. `Err` means that the reader has gone.
pub type Send = mpsc::Sender<Result<proto::WorkResponse, ApiError>>;

/// Opens or resumes an agent's session.
pub async fn open(tenant: &Arc<Tenant>, request: &proto::WorkRequest) -> Result<Opened, ApiError> {
    let agent = desk::agent(tenant, &request.agent)?;
    if !request.session.is_empty() && parse_session(&request.session).is_none() {
        let wanted = "the session of an earlier SessionOpened, or nothing";
        return Err(ApiError::field("session", &names::shown(&request.session), wanted));
    }
    let known =
        tenant.shard.read(move |shard| shard.agent(agent).and_then(|agent| agent.session)).await?.value;
    let wanted = parse_session(&request.session).filter(|wanted| known == Some(*wanted));
    let session = wanted.unwrap_or_else(Tenant::new_session);
    if let Some(old) = known.filter(|old| *old != session) {
        tenant.leases.drop_agent(old);
    }
    let stream = STREAMS.fetch_add(1, Ordering::Relaxed);
    // The lease begins first: a session that is open has one.
    tenant.leases.open_agent(session, agent, stream);
    let seen = tenant.shard.ask(Command::OpenSession { agent, session }, None).await?;
    let Answer::SessionOpened { resumed } = seen.value else {
        unreachable!("an opened session is answered as one");
    };
    let (sender, feed) = mpsc::channel(FEED_MAX);
    tenant.shard.follow_agent(AgentFollower { agent, session, stream, feed: sender })?;
    let rests = JoinSet::new();
    Ok(Opened { tenant: tenant.clone(), agent, session, stream, resumed, feed, rests, at: seen.sequence })
}

impl Opened {
    /// Sends until the reader goes, another stream takes over, or the reader was too slow.
    pub async fn run(mut self, send: Send) {
        let opened = Event::Opened(proto::SessionOpened {
            session: show_session(self.session),
            lease: Some(real(LEASE)),
            resumed: self.resumed,
        });
        let now = self.tenant.clock.now();
        let mut alive = send.send(Ok(message(self.at, now, opened))).await.is_ok();
        let mut last = self.at;
        while alive {
            let next = tokio::select! {
                next = self.feed.recv() => next,
                () = send.closed() => break,
                Some(rest) = self.rests.join_next() => {
                    // A look-up that failed leaves the card as it is.
                    if let Ok(Some(completed)) = rest {
                        let event = Event::CardCompleted(completed);
                        alive = send.send(Ok(message(last, self.tenant.clock.now(), event))).await.is_ok();
                    }
                    continue;
                }
                () = tokio::time::sleep(KEEP_ALIVE) => {
                    let keep = Event::KeepAlive(proto::KeepAlive {});
                    alive = send.send(Ok(message(last, self.tenant.clock.now(), keep))).await.is_ok();
                    continue;
                }
            };
            match next {
                Some(AgentNotice { notice: Notice::TakenOver, .. }) => {
                    let error = "another stream of this agent took over";
                    let error = ApiError::new(Code::Aborted, "SESSION_TAKEN_OVER", error);
                    // A session of its own is not to be renewed any more; one that the other stream resumed is.
                    self.tenant.leases.drop_stream(self.session, self.stream);
                    // Gone already is as well.
                    let _ = send.send(Err(error)).await;
                    return;
                }
                Some(AgentNotice { notice: Notice::SessionLost, .. }) => {
                    let error = "the session was lost: it was not renewed in time";
                    // As above.
                    let _ = send.send(Err(ApiError::new(Code::Aborted, "SESSION_LOST", error))).await;
                    alive = false;
                }
                Some(notice) => {
                    last = notice.sequence;
                    alive = self.tell(notice, &send).await;
                }
                None => {
                    // As above.
                    let _ = send.send(Err(cut_off(&self.tenant, FEED_MAX).await)).await;
                    alive = false;
                }
            }
        }
        // A session that lives on without its stream would be renewed for nothing: whoever renews it must learn
        // that the stream is to be opened again.
        if self.tenant.shard.unfollow(self.agent, self.session, self.stream).await {
            self.tenant.leases.drop_stream(self.session, self.stream);
        }
    }

    async fn tell(&mut self, notice: AgentNotice, send: &Send) -> bool {
        let AgentNotice { sequence, time, notice } = notice;
        let tenant = &self.tenant.clone();
        let event = match notice {
            Notice::Snapshot(view) => Event::Snapshot(self.snapshot(&view).await),
            Notice::Offered { offer, interaction } => {
                Event::Offer(self.offer(&offer, &interaction, sequence).await)
            }
            Notice::Identified { offer, interaction } => {
                let offer = self.offer(&offer, &interaction, sequence).await;
                Event::CardCompleted(proto::CardCompleted { offer: offer.name, card: offer.card })
            }
            Notice::OfferEnded { offer, interaction, ending, cause } => {
                Event::OfferEnded(proto::OfferEnded {
                    offer: tenant.name_of("offers", offer),
                    interaction: tenant.name_of("interactions", interaction),
                    ending: shown::ending(ending).into(),
                    cause: cause.map_or(0, |cause| shown::rescind_cause(cause).into()),
                })
            }
            Notice::Assigned { assignment, interaction } => {
                Event::Assignment(tenant.show_assignment(&assignment, &interaction))
            }
            Notice::AssignmentEnded { assignment, interaction, end } => {
                Event::Assignment(proto::Assignment {
                    name: tenant.name_of("assignments", assignment),
                    interaction: Some(tenant.show_interaction(&interaction)),
                    state: proto::assignment::State::Ended.into(),
                    ended_by: shown::ended_by(end).into(),
                    ..proto::Assignment::default()
                })
            }
            Notice::Wrote { interaction, said } => Event::Message(proto::CustomerMessage {
                interaction: tenant.name_of("interactions", interaction),
                text: said.text.clone(),
                time: Some(timestamp(time)),
            }),
            Notice::Status(view) => Event::Status(tenant.show_status(&view)),
            Notice::TakenOver | Notice::SessionLost => return false,
        };
        send.send(Ok(message(sequence, time, event))).await.is_ok()
    }

    async fn snapshot(&mut self, view: &AgentView) -> proto::WorkSnapshot {
        let mut offers = Vec::with_capacity(view.offers.len());
        for (offer, interaction) in &view.offers {
            offers.push(self.offer(offer, interaction, view.sequence).await);
        }
        let assignments = view.assignments.iter();
        proto::WorkSnapshot {
            status: Some(self.tenant.show_status(view)),
            offers,
            assignments: assignments
                .map(|(one, interaction)| self.tenant.show_assignment(one, interaction))
                .collect(),
        }
    }

    /// An offer with its card. What is missing on it follows after it, under the cursor of that moment.
    async fn offer(
        &mut self,
        offer: &Offer,
        interaction: &InteractionView,
        sequence: Sequence,
    ) -> proto::Offer {
        let (card, rest) = card::card(&self.tenant, interaction, sequence).await;
        let name = self.tenant.name_of("offers", offer.id);
        if let Some(rest) = rest {
            self.rests.spawn(completed(name.clone(), rest));
        }
        proto::Offer {
            name,
            interaction: Some(self.tenant.show_interaction(interaction)),
            card: Some(card),
            open_time: Some(timestamp(offer.opened)),
            expire_time: Some(timestamp(offer.expires)),
            part: part(offer.part).into(),
            overdraw: overdraw(offer.overdraw).into(),
        }
    }
}

/// Why a feed ended: the server stops, or the reader was too slow.
pub async fn cut_off(tenant: &Tenant, feed_max: usize) -> ApiError {
    match tenant.shard.read(|_| ()).await {
        Ok(_) => {
            let error =
                format!("more than {feed_max} changes were waiting to be read: open the stream again");
            ApiError::new(Code::ResourceExhausted, "STREAM_GAP", error)
        }
        Err(error) => error.into(),
    }
}

/// The rest of a card that left as partial.
async fn completed(
    offer: String,
    rest: tokio::task::JoinHandle<Option<proto::Card>>,
) -> Option<proto::CardCompleted> {
    let card = rest.await.ok().flatten()?;
    Some(proto::CardCompleted { offer, card: Some(card) })
}

fn message(sequence: Sequence, time: Time, event: Event) -> proto::WorkResponse {
    proto::WorkResponse { cursor: Some(cursor(sequence.0, time)), event: Some(event) }
}
