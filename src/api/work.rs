//! The agent's stream: the session, a snapshot or what was missed, then every change, each offer with its card.

use super::card;
use super::convert::{real, timestamp};
use super::desk::{self, parse_session, show_session};
use super::names;
use super::resuming::{cursor_at, gap_after, has_happened, resume_after};
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
use crate::runtime::backlog::{After, Position};
use crate::runtime::leases::LEASE;
use crate::runtime::notice::{AgentNotice, Notice, Resumed};
use crate::runtime::outbox::{AgentFeed, AgentFollower, FEED_MAX};
use crate::runtime::view::{AgentView, InteractionView};
use prost::bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::Code;

/// A silent stream says that it is alive this often.
pub const KEEP_ALIVE: Duration = Duration::from_secs(10);

static STREAMS: AtomicU64 = AtomicU64::new(1);

/// A session that was opened or resumed, before anything is told.
pub struct Session {
    pub agent: AgentKey,
    pub session: SessionId,
    pub stream: u64,
    resumed: bool,
    after: Option<After>,
}

/// A session with its feed, before anything was sent.
pub struct Opened {
    tenant: Arc<Tenant>,
    session: Session,
    feed: mpsc::Receiver<AgentNotice>,
    /// What is missing on cards that left as partial.
    rests: JoinSet<Option<proto::CardCompleted>>,
}

/// Where the messages of a stream go. `Err` means that the reader has gone.
pub type Send = mpsc::Sender<Result<proto::WorkResponse, ApiError>>;

/// Opens or resumes an agent's session, on a stream of its own.
pub async fn open(tenant: &Arc<Tenant>, request: &proto::WorkRequest) -> Result<Opened, ApiError> {
    let session = begin(tenant, request).await?;
    let (sender, feed) = mpsc::channel(FEED_MAX);
    tenant.shard.follow_agent(session.follower(sender.into()))?;
    Ok(Opened { tenant: tenant.clone(), session, feed, rests: JoinSet::new() })
}

/// Opens or resumes an agent's session. Nothing is told before it is followed.
pub async fn begin(tenant: &Tenant, request: &proto::WorkRequest) -> Result<Session, ApiError> {
    let agent = desk::agent(tenant, &request.agent)?;
    if !request.session.is_empty() && parse_session(&request.session).is_none() {
        let wanted = "the session of an earlier SessionOpened, or nothing";
        return Err(ApiError::field("session", &names::shown(&request.session), wanted));
    }
    let after = resume_after(request.resume_after.as_ref())?;
    let seen = tenant.shard.read(move |shard| shard.agent(agent).and_then(|agent| agent.session)).await?;
    has_happened(after, seen.sequence)?;
    let known = seen.value;
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
    Ok(Session { agent, session, stream, resumed, after })
}

impl Session {
    /// Wants to be told.
    pub fn follower(&self, feed: AgentFeed) -> AgentFollower {
        let Session { agent, session, stream, after, .. } = *self;
        AgentFollower { agent, session, stream, after, feed }
    }

    /// Where the agent stands before anything is told.
    pub fn start(&self) -> Position {
        self.after.unwrap_or_default().position
    }

    /// What the agent is told first. Its cursor is the one that was asked for: who breaks off here has missed nothing more.
    pub fn opened(&self, tenant: &Tenant) -> proto::WorkResponse {
        let opened = Event::Opened(proto::SessionOpened {
            session: show_session(self.session),
            lease: Some(real(LEASE)),
            resumed: self.resumed,
        });
        let time = self.after.and_then(|after| after.time);
        message(self.start(), time.unwrap_or_else(|| tenant.clock.now()), opened)
    }

    /// The stream has ended. A session that lives on without it would be renewed for nothing: whoever renews it must
    /// learn that the stream is to be opened again.
    pub async fn end(&self, tenant: &Tenant) {
        if tenant.shard.unfollow(self.agent, self.session, self.stream).await {
            tenant.leases.drop_stream(self.session, self.stream);
        }
    }
}

/// Why a stream ends with a notice.
pub fn last_word(tenant: &Tenant, session: &Session, notice: &Notice) -> Option<ApiError> {
    let (reason, message) = match notice {
        Notice::TakenOver => {
            // A session of its own is not to be renewed any more; one that the other stream resumed is.
            tenant.leases.drop_stream(session.session, session.stream);
            ("SESSION_TAKEN_OVER", "another stream of this agent took over")
        }
        Notice::SessionLost => ("SESSION_LOST", "the session was lost: it was not renewed in time"),
        _ => return None,
    };
    Some(ApiError::new(Code::Aborted, reason, message))
}

impl Opened {
    /// Sends until the reader goes, another stream takes over, or the reader was too slow.
    pub async fn run(mut self, send: Send) {
        let mut alive = send.send(Ok(self.session.opened(&self.tenant))).await.is_ok();
        let mut last = self.session.start();
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
                    alive = send.send(Ok(keep_alive(&self.tenant, last))).await.is_ok();
                    continue;
                }
            };
            match next {
                Some(told) => {
                    if let Some(error) = last_word(&self.tenant, &self.session, &told.notice) {
                        // Gone already is as well.
                        let _ = send.send(Err(error)).await;
                        if matches!(told.notice, Notice::TakenOver) {
                            return;
                        }
                        break;
                    }
                    alive = self.tell(told, &send, &mut last).await;
                }
                None => {
                    // As above.
                    let gap = cut_off(&self.tenant, FEED_MAX, last).await;
                    let _ = send.send(Err(gap)).await;
                    break;
                }
            }
        }
        self.session.end(&self.tenant).await;
    }

    async fn tell(&mut self, told: AgentNotice, send: &Send, last: &mut Position) -> bool {
        let Notice::Resumed(resumed) = told.notice else {
            return self.tell_one(told, send, last).await;
        };
        let begins = resumes(&resumed, told.time);
        let mut alive = send.send(Ok(begins)).await.is_ok();
        let Resumed { missed, now, .. } = *resumed;
        for told in missed.into_iter().chain(now) {
            alive = alive && self.tell_one(told, send, last).await;
        }
        alive
    }

    async fn tell_one(&mut self, told: AgentNotice, send: &Send, last: &mut Position) -> bool {
        let (position, time) = (told.position, told.time);
        *last = position;
        let event = match event(&self.tenant, &told) {
            Some(event) => event,
            None => {
                let (event, rests) = event_looked_up(&self.tenant, told).await;
                for rest in rests {
                    self.rests.spawn(rest.completed());
                }
                event
            }
        };
        send.send(Ok(message(position, time, event))).await.is_ok()
    }
}

/// Says what follows to an agent who goes on. Its cursor is still the one that was asked for.
pub fn resumes(resumed: &Resumed, now: Time) -> proto::WorkResponse {
    let missed = u32::try_from(resumed.missed.len()).unwrap_or(u32::MAX);
    let After { position, time } = resumed.after;
    message(position, time.unwrap_or(now), Event::Resumed(proto::WorkResumed { missed }))
}

/// What a notice says; `None` if a customer has to be looked up for it.
pub fn event(tenant: &Tenant, told: &AgentNotice) -> Option<Event> {
    Some(match &told.notice {
        Notice::Snapshot { view, gap } => {
            let offers = view.offers.iter().map(|(offer, of)| offer_at_once(tenant, offer, of));
            Event::Snapshot(snapshot(tenant, view, *gap, offers.collect::<Option<_>>()?))
        }
        Notice::Offered { offer, interaction } => Event::Offer(offer_at_once(tenant, offer, interaction)?),
        // Nobody is to decide on it any more.
        Notice::OfferedMeanwhile { offer, interaction } => {
            Event::Offer(show_offer(tenant, offer, interaction, Bytes::new()))
        }
        // By now the customer is known.
        Notice::Identified { .. } => return None,
        Notice::OfferEnded { offer, interaction, ending, cause } => Event::OfferEnded(proto::OfferEnded {
            offer: tenant.name_of("offers", offer),
            interaction: tenant.name_of("interactions", interaction),
            ending: shown::ending(*ending).into(),
            cause: cause.map_or(0, |cause| shown::rescind_cause(cause).into()),
        }),
        Notice::Assigned { assignment, interaction } => {
            Event::Assignment(tenant.show_assignment(assignment, interaction))
        }
        Notice::AssignmentEnded { assignment, interaction, end } => Event::Assignment(proto::Assignment {
            name: tenant.name_of("assignments", assignment),
            interaction: tenant.write_interaction(interaction),
            state: proto::assignment::State::Ended.into(),
            ended_by: shown::ended_by(*end).into(),
            ..proto::Assignment::default()
        }),
        Notice::Wrote { interaction, said, .. } => Event::Message(proto::CustomerMessage {
            interaction: tenant.name_of("interactions", interaction),
            text: said.text.clone(),
            time: Some(timestamp(told.time)),
        }),
        Notice::Status(view) => Event::Status(tenant.show_status(view)),
        Notice::Resumed(_) => unreachable!("what was missed is told one by one"),
        Notice::TakenOver | Notice::SessionLost => unreachable!("they end the stream before"),
    })
}

/// The same with what the customer store knows, and what is still missing of it.
pub async fn event_looked_up(tenant: &Arc<Tenant>, told: AgentNotice) -> (Event, Vec<Rest>) {
    let mut rests = Vec::new();
    let event = match &told.notice {
        Notice::Snapshot { view, gap } => {
            let mut offers = Vec::with_capacity(view.offers.len());
            for (offer, interaction) in &view.offers {
                offers.push(with_card(tenant, offer, interaction, view.sequence, &mut rests).await);
            }
            Event::Snapshot(snapshot(tenant, view, *gap, offers))
        }
        Notice::Offered { offer, interaction } => {
            Event::Offer(with_card(tenant, offer, interaction, told.position.sequence, &mut rests).await)
        }
        Notice::Identified { offer, interaction } => {
            let offer = with_card(tenant, offer, interaction, told.position.sequence, &mut rests).await;
            Event::CardCompleted(proto::CardCompleted { offer: offer.name, card: offer.card })
        }
        _ => event(tenant, &told).expect("only offers have cards"),
    };
    (event, rests)
}

fn snapshot(tenant: &Tenant, view: &AgentView, gap: bool, offers: Vec<proto::Offer>) -> proto::WorkSnapshot {
    let assignments = view.assignments.iter();
    proto::WorkSnapshot {
        status: Some(tenant.show_status(view)),
        offers,
        assignments: assignments.map(|(one, interaction)| tenant.show_assignment(one, interaction)).collect(),
        gap,
    }
}

/// An offer whose card needs nothing from the customer store.
fn offer_at_once(tenant: &Tenant, offer: &Offer, interaction: &InteractionView) -> Option<proto::Offer> {
    let card = card::at_once(tenant, interaction)?;
    Some(show_offer(tenant, offer, interaction, card))
}

/// An offer with its card. What is missing on it follows after it, under the cursor of that moment.
async fn with_card(
    tenant: &Arc<Tenant>,
    offer: &Offer,
    interaction: &InteractionView,
    sequence: Sequence,
    rests: &mut Vec<Rest>,
) -> proto::Offer {
    let (card, rest) = card::card(tenant, interaction, sequence).await;
    let shown = show_offer(tenant, offer, interaction, card);
    rests.extend(rest.map(|card| Rest { offer: shown.name.clone(), card }));
    shown
}

fn show_offer(tenant: &Tenant, offer: &Offer, interaction: &InteractionView, card: Bytes) -> proto::Offer {
    proto::Offer {
        name: tenant.name_of("offers", offer.id),
        interaction: tenant.write_interaction(interaction),
        card,
        open_time: Some(timestamp(offer.opened)),
        expire_time: Some(timestamp(offer.expires)),
        part: part(offer.part).into(),
        overdraw: overdraw(offer.overdraw).into(),
    }
}

/// Why a feed ended: the server stops, or the reader was too slow. Then it says where the gap begins.
pub async fn cut_off(tenant: &Tenant, feed_max: usize, last: Position) -> ApiError {
    match tenant.shard.read(|_| ()).await {
        Ok(_) => {
            let error =
                format!("more than {feed_max} changes were waiting to be read: open the stream again");
            let gap = ApiError::new(Code::ResourceExhausted, "STREAM_GAP", error);
            gap_after(gap, last)
        }
        Err(error) => error.into(),
    }
}

/// The rest of a card that left as partial.
pub struct Rest {
    offer: String,
    card: tokio::task::JoinHandle<Option<Bytes>>,
}

impl Rest {
    /// Waits for it; `None` if it cannot be had.
    pub async fn completed(self) -> Option<proto::CardCompleted> {
        let card = self.card.await.ok().flatten()?;
        Some(proto::CardCompleted { offer: self.offer, card })
    }
}

/// A silent stream says that it is alive.
pub fn keep_alive(tenant: &Tenant, last: Position) -> proto::WorkResponse {
    message(last, tenant.clock.now(), Event::KeepAlive(proto::KeepAlive {}))
}

/// A message with its cursor.
pub fn message(position: Position, time: Time, event: Event) -> proto::WorkResponse {
    proto::WorkResponse { cursor: Some(cursor_at(position, time)), event: Some(event) }
}
