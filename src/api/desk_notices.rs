//! What the agents of one stream are told, in order for each of them. An offer whose card has to be looked up holds
//! up what its agent is told next, and nobody else.

use super::attach::{failure, response};
use super::status::ApiError;
use super::tenant::Tenant;
use super::work::{self, Rest, Session};
use crate::engine::agent::{Liveness, Presence, RoutingState};
use crate::engine::ids::{AgentKey, Text};
use crate::engine::time::Time;
use crate::proto;
use crate::proto::attach_response::Response as Answered;
use crate::proto::work_response::Event;
use crate::runtime::backlog::Position;
use crate::runtime::notice::{AgentNotice, Notice, Resumed};
use crate::runtime::pipe::ToAgent;
use crate::runtime::view::AgentView;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::task::JoinSet;

/// One agent on the stream.
struct Desk {
    session: Session,
    /// The agent as it was asked for.
    name: String,
    /// What waits for a card; `None` if none is being looked up.
    held: Option<VecDeque<AgentNotice>>,
    /// Where the agent stands: nothing that is told may leave with a cursor beyond what was told.
    last: Position,
    /// How the agent was when that was said last, in an answer or a notice.
    said: Option<Status>,
}

/// What a status says, without when.
#[derive(PartialEq)]
struct Status {
    presence: Presence,
    liveness: Liveness,
    state: RoutingState,
    reason: Text,
    since: Time,
    draining: bool,
    used: u32,
    capacity: u16,
}

impl From<&AgentView> for Status {
    fn from(view: &AgentView) -> Status {
        let agent = &view.agent;
        Status {
            presence: agent.presence,
            liveness: agent.liveness,
            state: agent.routing_state(),
            reason: agent.reason.clone(),
            since: agent.since,
            draining: agent.pending.is_some(),
            used: agent.ledger.used(),
            capacity: view.capacity,
        }
    }
}

/// What came of a look-up.
enum Card {
    Found {
        agent: AgentKey,
        stream: u64,
        position: Position,
        message: Box<proto::WorkResponse>,
        rests: Vec<Rest>,
    },
    Rest {
        agent: AgentKey,
        stream: u64,
        completed: Option<Box<proto::CardCompleted>>,
    },
}

/// All agents of one stream.
pub struct Desks {
    tenant: Arc<Tenant>,
    open: HashMap<AgentKey, Desk>,
    messages: VecDeque<proto::AttachResponse>,
    cards: JoinSet<Card>,
    /// Where the agent stands who was told something last.
    last: Position,
    /// Nothing was sent since this was looked at last.
    silent: bool,
}

impl Desks {
    /// Nobody yet.
    pub fn new(tenant: Arc<Tenant>) -> Desks {
        Desks {
            tenant,
            open: HashMap::new(),
            messages: VecDeque::new(),
            cards: JoinSet::new(),
            last: Position::default(),
            silent: false,
        }
    }

    /// The next message to leave.
    pub fn next(&mut self) -> Option<proto::AttachResponse> {
        let next = self.messages.pop_front();
        self.silent &= next.is_none();
        next
    }

    /// Whether something waits to leave.
    pub fn has_messages(&self) -> bool {
        !self.messages.is_empty()
    }

    /// Puts a message behind what waits.
    pub fn push(&mut self, message: proto::AttachResponse) {
        self.messages.push_back(message);
    }

    /// An agent works here from now on.
    pub fn open(&mut self, session: Session, name: String) {
        let opened = session.opened(&self.tenant);
        self.push(response(0, name.clone(), Answered::Work(opened.into())));
        let last = session.start();
        let desk = Desk { session, name, held: None, last, said: None };
        // One that was here before has been taken over by this one, and says so by itself.
        if let Some(before) = self.open.insert(desk.session.agent, desk) {
            let error = work::last_word(&self.tenant, &before.session, &Notice::TakenOver);
            let error = error.expect("it ends a stream");
            self.push(failure(0, before.name, error));
        }
    }

    /// An answer on this stream says how an agent is.
    pub fn said(&mut self, view: &AgentView) {
        if let Some(desk) = self.open.get_mut(&view.agent.key) {
            desk.said = Some(view.into());
        }
    }

    /// An agent is told something.
    pub fn hear(&mut self, to: ToAgent) {
        let ToAgent { agent, stream, notice } = to;
        let Some(desk) = self.open.get_mut(&agent).filter(|desk| desk.session.stream == stream) else {
            return;
        };
        if let Some(error) = work::last_word(&self.tenant, &desk.session, &notice.notice) {
            let lost = matches!(notice.notice, Notice::SessionLost);
            let Some(desk) = self.open.remove(&agent) else { return };
            if lost {
                let tenant = self.tenant.clone();
                tokio::spawn(async move { desk.session.end(&tenant).await });
            }
            return self.push(failure(0, desk.name, error));
        }
        let AgentNotice { time, notice: Notice::Resumed(resumed), .. } = notice else {
            return self.take(agent, notice);
        };
        let begins = Answered::Work(work::resumes(&resumed, time).into());
        self.messages.push_back(response(0, desk.name.clone(), begins));
        let Resumed { missed, now, .. } = *resumed;
        missed.into_iter().chain(now).for_each(|notice| self.take(agent, notice));
    }

    /// Behind what waits for a card.
    fn take(&mut self, agent: AgentKey, notice: AgentNotice) {
        match self.open.get_mut(&agent).and_then(|desk| desk.held.as_mut()) {
            Some(held) => held.push_back(notice),
            None => self.tell(agent, notice),
        }
    }

    fn tell(&mut self, agent: AgentKey, told: AgentNotice) {
        let Some(desk) = self.open.get_mut(&agent) else { return };
        if let Notice::Status(view) = &told.notice {
            let status = Some(Status::from(&**view));
            if desk.said == status {
                return;
            }
            desk.said = status;
        }
        if let Some(event) = work::event(&self.tenant, &told) {
            (desk.last, self.last) = (told.position, told.position);
            let work = Answered::Work(work::message(told.position, told.time, event).into());
            self.messages.push_back(response(0, desk.name.clone(), work));
            return;
        }
        desk.held.get_or_insert_default();
        let (tenant, stream) = (self.tenant.clone(), desk.session.stream);
        self.cards.spawn(async move {
            let (position, time) = (told.position, told.time);
            let (event, rests) = work::event_looked_up(&tenant, told).await;
            let message = work::message(position, time, event).into();
            Card::Found { agent, stream, position, message, rests }
        });
    }

    /// Takes a card that was looked up. True if there was one.
    pub fn poll_cards(&mut self, context: &mut Context<'_>) -> bool {
        match self.cards.poll_join_next(context) {
            Poll::Ready(Some(Ok(Card::Found { agent, stream, position, message, rests }))) => {
                if let Some(desk) = self.open.get_mut(&agent).filter(|desk| desk.session.stream == stream) {
                    (desk.last, self.last) = (position, position);
                }
                self.found(agent, stream, *message, rests);
                true
            }
            Poll::Ready(Some(Ok(Card::Rest { agent, stream, completed }))) => {
                if let (Some(desk), Some(completed)) = (self.desk(agent, stream), completed) {
                    let (name, last) = (desk.name.clone(), desk.last);
                    let event = Event::CardCompleted(*completed);
                    let message = work::message(last, self.tenant.clock.now(), event);
                    self.push(response(0, name, Answered::Work(message.into())));
                }
                true
            }
            // A look-up cannot be cancelled, and does not panic.
            Poll::Ready(Some(Err(_))) => true,
            Poll::Ready(None) | Poll::Pending => false,
        }
    }

    fn desk(&self, agent: AgentKey, stream: u64) -> Option<&Desk> {
        self.open.get(&agent).filter(|desk| desk.session.stream == stream)
    }

    fn found(&mut self, agent: AgentKey, stream: u64, message: proto::WorkResponse, rests: Vec<Rest>) {
        let Some(desk) = self.open.get_mut(&agent).filter(|desk| desk.session.stream == stream) else {
            return;
        };
        let held = desk.held.take().unwrap_or_default();
        self.messages.push_back(response(0, desk.name.clone(), Answered::Work(message.into())));
        for rest in rests {
            self.cards.spawn(async move {
                Card::Rest { agent, stream, completed: rest.completed().await.map(Box::new) }
            });
        }
        for notice in held {
            let holds = self.open.get_mut(&agent).and_then(|desk| desk.held.as_mut());
            match holds {
                // One of those that waited has to look up a card itself.
                Some(again) => again.push_back(notice),
                None => self.tell(agent, notice),
            }
        }
    }

    /// Says that the stream is alive, unless something else has.
    pub fn keep_alive(&mut self) {
        if std::mem::replace(&mut self.silent, true) {
            let alive = Answered::Work(work::keep_alive(&self.tenant, self.last).into());
            self.push(response(0, String::new(), alive));
        }
    }

    /// Tells each agent why the stream ends.
    pub fn fail_all(&mut self, error: &ApiError) {
        let mut names: Vec<String> = self.open.values().map(|desk| desk.name.clone()).collect();
        names.sort_unstable();
        for name in names {
            self.push(failure(0, name, error.clone()));
        }
    }
}

impl Drop for Desks {
    /// The sessions go with the stream.
    fn drop(&mut self) {
        let sessions: Vec<Session> = self.open.drain().map(|(_, desk)| desk.session).collect();
        // Without a runtime the server is gone, and the sessions with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && !sessions.is_empty()
        {
            let tenant = self.tenant.clone();
            runtime.spawn(async move {
                for session in sessions {
                    session.end(&tenant).await;
                }
            });
        }
    }
}
