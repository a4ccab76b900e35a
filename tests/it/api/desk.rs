//! An agent at a desk: one Work stream, and what the agent does.

use super::harness::{Server, TENANT, name, within};
use baton::proto;
use baton::proto::work_response::Event;
use tonic::{Status, Streaming};

/// An open Work stream.
pub struct Desk {
    pub agent: String,
    pub session: String,
    pub resumed: bool,
    pub snapshot: proto::WorkSnapshot,
    /// How many messages were missed, if the stream went on from a cursor.
    pub missed: Option<u32>,
    /// The sequence of the last message, and its whole cursor.
    pub cursor: u64,
    pub last: proto::Cursor,
    stream: Streaming<proto::WorkResponse>,
}

impl Server {
    /// Opens the stream and says AVAILABLE.
    pub async fn sign_in(&self, agent: &str) -> Desk {
        let desk = self.work(agent, "").await;
        self.present(agent, proto::Presence::Available).await.expect("a session is open");
        desk
    }

    /// Opens the stream, or opens it again.
    pub async fn work(&self, agent: &str, session: &str) -> Desk {
        let desk = self.work_after(agent, session, None).await;
        assert!(desk.missed.is_none() && !desk.snapshot.gap, "nobody asked for what was missed");
        desk
    }

    /// The same, going on after a cursor.
    pub async fn work_after(&self, agent: &str, session: &str, resume_after: Option<proto::Cursor>) -> Desk {
        let agent = name("agents", agent);
        let request = proto::WorkRequest { agent: agent.clone(), session: session.into(), resume_after };
        let answer = within("the stream", self.agents().work(request)).await;
        Desk::begin(agent, answer.expect("the agent exists").into_inner()).await
    }

    pub async fn present(
        &self,
        agent: &str,
        presence: proto::Presence,
    ) -> Result<proto::AgentStatus, Status> {
        let request = proto::SetPresenceRequest {
            agent: name("agents", agent),
            presence: presence.into(),
            ..proto::SetPresenceRequest::default()
        };
        let answer = within("a presence", self.agents().set_presence(request)).await;
        answer.map(tonic::Response::into_inner)
    }

    pub async fn accept(&self, offer: &str) -> Result<proto::AcceptResponse, Status> {
        let request = proto::AcceptRequest { offer: offer.into() };
        within("an accept", self.agents().accept(request)).await.map(tonic::Response::into_inner)
    }

    pub async fn decline(&self, offer: &str) -> Result<proto::AgentStatus, Status> {
        let request = proto::DeclineRequest { offer: offer.into(), reason: String::new() };
        within("a decline", self.agents().decline(request)).await.map(tonic::Response::into_inner)
    }

    pub async fn complete(&self, assignment: &str) -> Result<proto::AgentStatus, Status> {
        self.complete_with(assignment, "").await
    }

    pub async fn complete_with(&self, assignment: &str, note: &str) -> Result<proto::AgentStatus, Status> {
        let request = proto::CompleteRequest {
            assignment: assignment.into(),
            disposition: "solved".into(),
            note: note.into(),
            ..proto::CompleteRequest::default()
        };
        within("a complete", self.agents().complete(request)).await.map(tonic::Response::into_inner)
    }

    pub async fn finish(&self, assignment: &str) -> Result<proto::AgentStatus, Status> {
        let request = proto::FinishWrapUpRequest { assignment: assignment.into() };
        within("a finish", self.agents().finish_wrap_up(request)).await.map(tonic::Response::into_inner)
    }

    pub async fn heartbeat(&self, session: &str) -> Result<proto::HeartbeatResponse, Status> {
        let request = proto::HeartbeatRequest { session: session.into(), sequence: 0 };
        within("a heartbeat", self.agents().heartbeat(request)).await.map(tonic::Response::into_inner)
    }

    pub async fn agent(&self, agent: &str) -> proto::AgentStatus {
        let request = proto::GetFloorRequest { name: name("agents", agent) };
        let agent = within("an agent", self.floor().get_agent(request)).await.expect("it exists");
        agent.into_inner().status.expect("an agent has a status")
    }

    /// Watches the floor until an agent is as wanted.
    pub async fn agent_until(&self, agent: &str, wanted: impl Fn(&proto::AgentStatus) -> bool) {
        let request = proto::WatchFloorRequest {
            parent: TENANT.into(),
            interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
            ..proto::WatchFloorRequest::default()
        };
        let mut floor = self.supervision().watch_floor(request).await.expect("a floor").into_inner();
        let agent = name("agents", agent);
        loop {
            let view = within("the floor", floor.message()).await.expect("it goes on").expect("for ever");
            if view.agents.iter().any(|status| status.agent == agent && wanted(status)) {
                return;
            }
        }
    }

    /// Signs an agent in, lets them accept the first offer, and gives the desk with the assignment.
    pub async fn sign_in_and_accept(&self, agent: &str) -> (Desk, String) {
        let mut desk = self.sign_in(agent).await;
        let offer = desk.next_offer().await;
        let accepted = self.accept(&offer.name).await.expect("the offer is open");
        (desk, accepted.assignment)
    }
}

impl Desk {
    /// Takes the beginning of a stream.
    pub async fn begin(agent: String, stream: Streaming<proto::WorkResponse>) -> Desk {
        let mut desk = Desk {
            agent,
            session: String::new(),
            resumed: false,
            snapshot: proto::WorkSnapshot::default(),
            missed: None,
            cursor: 0,
            last: proto::Cursor::default(),
            stream,
        };
        let Event::Opened(opened) = desk.next().await else { panic!("a stream begins with its session") };
        (desk.session, desk.resumed) = (opened.session, opened.resumed);
        match desk.next().await {
            Event::Snapshot(snapshot) => desk.snapshot = snapshot,
            Event::Resumed(resumed) => desk.missed = Some(resumed.missed),
            other => panic!("then comes the snapshot or what was missed, not {other:?}"),
        }
        desk
    }

    /// What comes next on the stream. Its cursor may not go back.
    pub async fn next(&mut self) -> Event {
        self.try_next().await.expect("the stream goes on")
    }

    /// The same of a stream that may end.
    pub async fn try_next(&mut self) -> Result<Event, Status> {
        let message = within("the next message", self.stream.message()).await?;
        Ok(self.take(message.expect("a stream ends with an error")))
    }

    fn take(&mut self, message: proto::WorkResponse) -> Event {
        let cursor = message.cursor.expect("every message has a cursor");
        let at = |cursor: &proto::Cursor| (cursor.sequence, cursor.index);
        assert!(at(&cursor) >= at(&self.last), "{cursor:?} after {:?}", self.last);
        (self.cursor, self.last) = (cursor.sequence, cursor);
        message.event.expect("every message says something")
    }

    /// The next event that fits; what else comes is passed over.
    pub async fn next_that<T>(&mut self, what: &str, fits: impl Fn(Event) -> Option<T>) -> T {
        within(what, async {
            loop {
                if let Some(found) = fits(self.next().await) {
                    return found;
                }
            }
        })
        .await
    }

    pub async fn next_offer(&mut self) -> proto::Offer {
        self.next_that("an offer", |event| match event {
            Event::Offer(offer) => Some(offer),
            _ => None,
        })
        .await
    }

    /// How an offer ended.
    pub async fn ending_of(&mut self, offer: &str) -> proto::OfferEnded {
        self.next_that("the end of an offer", |event| match event {
            Event::OfferEnded(ended) if ended.offer == offer => Some(ended),
            _ => None,
        })
        .await
    }

    /// The next news of an assignment in this state.
    pub async fn assignment_in(&mut self, state: proto::assignment::State) -> proto::Assignment {
        self.next_that("an assignment", |event| match event {
            Event::Assignment(assignment) if assignment.state() == state => Some(assignment),
            _ => None,
        })
        .await
    }

    /// The rest of a card.
    pub async fn next_card(&mut self) -> proto::CardCompleted {
        self.next_that("the rest of a card", |event| match event {
            Event::CardCompleted(completed) => Some(completed),
            _ => None,
        })
        .await
    }

    /// The card of an offer, whole: a busy machine may make any card partial at first.
    pub async fn whole_card(&mut self, offer: &proto::Offer) -> proto::Card {
        let card = offer.card().expect("every offer has a card");
        if !card.partial {
            return card;
        }
        let completed = self.next_card().await;
        assert_eq!(completed.offer, offer.name);
        completed.card().expect("the rest is a card")
    }

    /// Reads until the server ends the stream, and says how.
    pub async fn end(&mut self) -> Status {
        loop {
            match within("the end of the stream", self.stream.message()).await {
                Ok(Some(message)) => drop(self.take(message)),
                Ok(None) => return Status::ok("ended"),
                Err(status) => return status,
            }
        }
    }
}
