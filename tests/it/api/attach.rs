//! Many agents on one stream, for a platform whose desk phones speak no gRPC.

use super::harness::{Server, name, within};
use baton::proto::assignment::State;
use baton::proto::attach_request::Request as Ask;
use baton::proto::attach_response::Response as Answer;
use baton::proto::work_response::Event;
use baton::proto::{self, InteractionState, Liveness, Presence};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

/// A platform with its stream.
struct Platform {
    ask: mpsc::Sender<proto::AttachRequest>,
    answers: Streaming<proto::AttachResponse>,
    /// What came unasked while an answer was awaited.
    told: Vec<(String, Answer)>,
}

impl Server {
    async fn attach(&self) -> Platform {
        let (ask, asked) = mpsc::channel(64);
        let answers = within("the stream", self.agents().attach(ReceiverStream::new(asked))).await;
        let answers = answers.expect("anybody may attach").into_inner();
        Platform { ask, answers, told: Vec::new() }
    }
}

impl Platform {
    /// Asks and waits for the answer under the tag.
    async fn ask(&mut self, tag: u64, request: Ask) -> (String, Answer) {
        let request = proto::AttachRequest { tag, request: Some(request) };
        self.ask.send(request).await.expect("the stream is open");
        within("the answer", async {
            loop {
                let (found, agent, answer) = self.next().await.expect("the stream goes on");
                match found {
                    0 => self.told.push((agent, answer)),
                    _ => {
                        assert_eq!(found, tag, "answers come in the order of the requests");
                        return (agent, answer);
                    }
                }
            }
        })
        .await
    }

    async fn next(&mut self) -> Option<(u64, String, Answer)> {
        let message = self.answers.message().await.expect("no request fails the stream")?;
        Some((message.tag, message.agent, message.response.expect("every message says something")))
    }

    /// What one agent is told next that fits; the rest is passed over.
    async fn told<T>(&mut self, agent: &str, fits: impl Fn(&Answer) -> Option<T>) -> T {
        let agent = name("agents", agent);
        within("the news", async {
            loop {
                if !self.told.is_empty() {
                    let (about, answer) = self.told.remove(0);
                    match fits(&answer) {
                        Some(found) if about == agent => return found,
                        _ => continue,
                    }
                }
                let (tag, about, answer) = self.next().await.expect("the stream goes on");
                assert_eq!(tag, 0, "nothing was asked");
                self.told.push((about, answer));
            }
        })
        .await
    }

    async fn sign_in(&mut self, tag: u64, agent: &str) {
        let open = proto::WorkRequest { agent: name("agents", agent), ..proto::WorkRequest::default() };
        let (about, answer) = self.ask(tag, Ask::Open(open)).await;
        assert_eq!(about, name("agents", agent));
        assert!(
            matches!(&answer, Answer::Status(status) if status.liveness() == Liveness::Live),
            "{answer:?}"
        );
        let available = proto::SetPresenceRequest {
            agent: name("agents", agent),
            presence: Presence::Available.into(),
            ..proto::SetPresenceRequest::default()
        };
        let (_, answer) = self.ask(tag + 1, Ask::SetPresence(available)).await;
        assert!(matches!(answer, Answer::Status(_)), "{answer:?}");
    }

    async fn failure(&mut self, tag: u64, request: Ask) -> (i32, String) {
        match self.ask(tag, request).await.1 {
            Answer::Failure(failure) => (failure.code, failure.reason),
            other => panic!("want a failure, was answered {other:?}"),
        }
    }
}

fn offered(answer: &Answer) -> Option<proto::Offer> {
    match answer {
        Answer::Work(work) => match &work.event {
            Some(Event::Offer(offer)) => Some(offer.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn session(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Work(work) => match &work.event {
            Some(Event::Opened(opened)) => Some(opened.session.clone()),
            _ => None,
        },
        _ => None,
    }
}

#[tokio::test]
async fn a_platform_works_for_two_agents_on_one_stream() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let mut platform = server.attach().await;
    platform.sign_in(10, "ana").await;
    let first = server.call("c1").await;
    let to_ana = platform.told("ana", offered).await;
    platform.sign_in(20, "bo").await;
    let second = server.call("c2").await;
    let to_bo = platform.told("bo", offered).await;
    assert_eq!(to_ana.interaction().expect("one").name, first);
    assert_eq!(to_bo.interaction().expect("one").name, second);

    let accept = |offer: &str| Ask::Accept(proto::AcceptRequest { offer: offer.into() });
    let (_, answer) = platform.ask(30, accept(&to_bo.name)).await;
    let Answer::Accepted(accepted) = answer else { panic!("an accept, not {answer:?}") };
    assert_eq!(accepted.interaction, second);
    let complete = proto::CompleteRequest { assignment: accepted.assignment, ..Default::default() };
    let (agent, answer) = platform.ask(31, Ask::Complete(complete.clone())).await;
    assert!(matches!(answer, Answer::Status(_)), "{answer:?}");
    assert_eq!(agent, name("agents", "bo"));
    assert_eq!(server.state(&second).await, InteractionState::Closed);

    let failed = Code::FailedPrecondition as i32;
    let again = platform.failure(32, Ask::Complete(complete)).await;
    assert_eq!(again, (failed, "ASSIGNMENT_ENDED".into()));
    let wrong = platform.failure(33, accept(&name("offers", 99))).await;
    assert_eq!(wrong, (Code::NotFound as i32, "OFFER_NOT_FOUND".into()));
    let foreign = platform.failure(34, accept("tenants/rival/offers/1")).await;
    assert_eq!(foreign, (Code::NotFound as i32, "TENANT_NOT_FOUND".into()));
    let open = |agent: &str, session: &str| {
        Ask::Open(proto::WorkRequest { agent: agent.into(), session: session.into(), ..Default::default() })
    };
    let foreign = platform.failure(35, open("tenants/rival/agents/ana", "")).await;
    assert_eq!(foreign, (Code::NotFound as i32, "TENANT_NOT_FOUND".into()));
    let unclear = platform.failure(36, open(&name("agents", "ana"), "mine")).await;
    assert_eq!(unclear, (Code::InvalidArgument as i32, "FIELD_INVALID".into()));
    let (_, answer) = platform.ask(37, accept(&to_ana.name)).await;
    assert!(matches!(answer, Answer::Accepted(_)), "the stream goes on after failures: {answer:?}");
}

#[tokio::test]
async fn a_request_that_asks_nothing_is_a_failure_under_its_tag() {
    let server = Server::start().await;
    let mut platform = server.attach().await;
    let empty = proto::AttachRequest { tag: 9, request: None };
    platform.ask.send(empty).await.expect("the stream is open");
    let (tag, _, answer) = within("the answer", platform.next()).await.expect("the stream goes on");
    assert_eq!(tag, 9);
    assert!(matches!(answer, Answer::Failure(failure) if failure.reason == "FIELD_MISSING"));
}

#[tokio::test]
async fn a_session_is_renewed_by_tag_until_another_stream_takes_over() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let mut platform = server.attach().await;
    platform.sign_in(1, "ana").await;
    let session = platform.told("ana", session).await;
    let renew = Ask::Heartbeat(proto::HeartbeatRequest { session: session.clone(), sequence: 0 });
    let (_, answer) = platform.ask(3, renew.clone()).await;
    assert!(matches!(answer, Answer::Heartbeat(_)), "{answer:?}");
    let _desk = server.work("ana", "").await;
    let ended = |answer: &Answer| match answer {
        Answer::Failure(failure) => Some((failure.code, failure.reason.clone())),
        _ => None,
    };
    let ended = platform.told("ana", ended).await;
    assert_eq!(ended, (Code::Aborted as i32, "SESSION_TAKEN_OVER".into()));
    assert_eq!(platform.failure(4, renew).await, (Code::NotFound as i32, "SESSION_NOT_FOUND".into()));
    assert_eq!(server.agent("ana").await.liveness(), Liveness::Live);
}

#[tokio::test]
async fn all_sessions_of_a_platform_go_with_its_stream() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let mut platform = server.attach().await;
    platform.sign_in(1, "ana").await;
    platform.sign_in(3, "bo").await;
    drop(platform);
    for agent in ["ana", "bo"] {
        server.agent_until(agent, |status| status.liveness() == Liveness::Lost).await;
    }
}

#[tokio::test]
async fn a_platform_that_only_stops_asking_has_ended_its_stream() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let mut platform = server.attach().await;
    platform.sign_in(1, "ana").await;
    let call = server.call("c1").await;
    platform.told("ana", offered).await;
    let Platform { ask, mut answers, .. } = platform;
    drop(ask);
    within("the end", async { while answers.message().await.expect("no failure").is_some() {} }).await;
    server.agent_until("ana", |status| status.liveness() == Liveness::Lost).await;
    assert_eq!(server.state(&call).await, InteractionState::Waiting);
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_its_platforms() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let mut platform = server.attach().await;
    platform.sign_in(1, "ana").await;
    let stopping = tokio::spawn(server.stop());
    let ended = |answer: &Answer| match answer {
        Answer::Failure(failure) => Some((failure.code, failure.reason.clone())),
        _ => None,
    };
    let ended = platform.told("ana", ended).await;
    assert_eq!(ended, (Code::Unavailable as i32, "STOPPING".into()));
    within("the end", async { while platform.next().await.is_some() {} }).await;
    stopping.await.expect("no panic").expect("a graceful stop");
}

#[tokio::test]
async fn what_an_agent_does_in_a_conversation_goes_over_the_stream_too() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    server.add_queue("free", proto::Queue { pull: true, ..proto::Queue::default() }).await;
    let chat = super::harness::call_with("c1", |one| {
        one.channel = proto::Channel::Message.into();
        one.queue = name("queues", "free");
    });
    let interaction = server.submit(chat).await.expect("taken").interaction.expect("an interaction").name;
    let mut platform = server.attach().await;
    platform.sign_in(10, "ana").await;
    let offer = platform.told("ana", offered).await;
    let accept = Ask::Accept(proto::AcceptRequest { offer: offer.name });
    let (_, Answer::Accepted(accepted)) = platform.ask(20, accept).await else { panic!("it is open") };
    let assignment = accepted.assignment;
    let extend = Ask::ExtendWrapUp(proto::ExtendWrapUpRequest { assignment: assignment.clone() });
    assert_eq!(platform.failure(21, extend).await.1, "NOT_WRAPPING_UP");
    let consult = proto::ConsultRequest { assignment: assignment.clone(), target: None };
    assert_eq!(platform.failure(22, Ask::Consult(consult)).await.1, "FIELD_MISSING");
    let conference = proto::ConferenceRequest { assignment: assignment.clone(), target: None };
    assert_eq!(platform.failure(23, Ask::Conference(conference)).await.1, "FIELD_MISSING");
    let stop = Ask::StopSeeking(proto::StopSeekingRequest { assignment: assignment.clone() });
    assert_eq!(platform.failure(24, stop).await.1, "NOT_SEEKING");
    let park = Ask::Park(proto::ParkRequest { assignment });
    let (about, answer) = platform.ask(25, park).await;
    assert!(matches!(answer, Answer::Status(_)), "{answer:?}");
    assert_eq!(about, name("agents", "ana"));
    let pull = proto::PullRequest { agent: name("agents", "ana"), interaction: interaction.clone() };
    let (_, answer) = platform.ask(26, Ask::Pull(pull)).await;
    let Answer::Accepted(taken) = answer else { panic!("it was hers: {answer:?}") };
    let target = Some(proto::Target { queue: name("queues", "sales"), ..proto::Target::default() });
    let transfer =
        proto::TransferRequest { assignment: taken.assignment, target, ..proto::TransferRequest::default() };
    let (_, answer) = platform.ask(27, Ask::Transfer(transfer)).await;
    assert!(matches!(answer, Answer::Status(_)), "{answer:?}");
    platform.sign_in(30, "bo").await;
    let offer = platform.told("bo", offered).await;
    let (_, answer) = platform.ask(32, Ask::Accept(proto::AcceptRequest { offer: offer.name })).await;
    let Answer::Accepted(accepted) = answer else { panic!("it is open: {answer:?}") };
    let requeue = Ask::Requeue(proto::RequeueRequest { assignment: accepted.assignment });
    let (_, answer) = platform.ask(33, requeue).await;
    assert!(matches!(answer, Answer::Status(_)), "{answer:?}");
    assert_eq!(server.get(&interaction).await.requeues, 2, "parked and resumed, then put back");
}

#[tokio::test]
async fn an_agent_of_a_platform_goes_on_after_the_cursor_on_its_next_stream() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    let call = server.call("c1").await;
    let mut platform = server.attach().await;
    platform.sign_in(1, "ana").await;
    let work = |answer: &Answer| match answer {
        Answer::Work(work) => Some((**work).clone()),
        _ => None,
    };
    let (offer, cursor) = loop {
        let told = platform.told("ana", work).await;
        if let Some(Event::Offer(offer)) = told.event {
            break (offer, told.cursor);
        }
    };
    let accept = Ask::Accept(proto::AcceptRequest { offer: offer.name.clone() });
    let (_, Answer::Accepted(_)) = platform.ask(3, accept).await else { panic!("it is open") };
    drop(platform);
    server.agent_until("ana", |status| status.liveness() == Liveness::Lost).await;
    server.cancel(&call).await;
    let mut again = server.attach().await;
    again.sign_in(1, "bo").await;
    let agent = name("agents", "ana");
    let open =
        |resume_after| proto::WorkRequest { agent: agent.clone(), session: String::new(), resume_after };
    let ahead = proto::Cursor { sequence: 1_000_000, ..proto::Cursor::default() };
    let refused = again.failure(3, Ask::Open(open(Some(ahead)))).await;
    assert_eq!(refused, (Code::OutOfRange as i32, "CURSOR_AHEAD".into()));
    let (_, answer) = again.ask(4, Ask::Open(open(cursor))).await;
    assert!(matches!(answer, Answer::Status(_)), "{answer:?}");
    let mut events = Vec::new();
    while events.len() < 5 {
        let told = again.told("ana", work).await;
        assert!(told.cursor.map(|at| (at.sequence, at.index)) >= cursor.map(|at| (at.sequence, at.index)));
        events.push(told.event.expect("every message says something"));
    }
    let [
        Event::Opened(_),
        Event::Resumed(resumed),
        Event::OfferEnded(ended),
        Event::Assignment(talks),
        Event::Assignment(over),
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((resumed.missed, &ended.offer), (3, &offer.name));
    assert_eq!((talks.state(), over.state()), (State::Talking, State::Ended));
}
