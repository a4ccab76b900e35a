//! Bulk traffic on one stream: answers by tag, refusals that end nothing, changes, the source's session, a cut.

use super::harness::{Server, TENANT, call, call_with, name, seconds, within};
use baton::proto::route_request::Request as Ask;
use baton::proto::route_response::Response as Answer;
use baton::proto::{self, InteractionState};
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

/// A change that was told: of what, its state, its agent.
type Change = (String, InteractionState, String);

/// A source with its stream.
struct Source {
    ask: mpsc::Sender<proto::RouteRequest>,
    answers: Streaming<proto::RouteResponse>,
}

impl Server {
    async fn route(&self) -> Source {
        let (ask, asked) = mpsc::channel(64);
        let answers = within("the stream", self.interactions().route(ReceiverStream::new(asked))).await;
        Source { ask, answers: answers.expect("anybody may route").into_inner() }
    }
}

impl Source {
    async fn send(&self, tag: u64, request: Ask) {
        let request = proto::RouteRequest { tag, request: Some(request) };
        within("room on the stream", self.ask.send(request)).await.expect("the stream is open");
    }

    async fn next(&mut self) -> Result<Option<(u64, Answer)>, Status> {
        let message = within("a message", self.answers.message()).await?;
        Ok(message.map(|one| (one.tag, one.response.expect("every message says something"))))
    }

    async fn answer(&mut self) -> (u64, Answer) {
        self.next().await.expect("no request fails the stream").expect("the stream goes on")
    }

    async fn ask(&mut self, tag: u64, request: Ask) -> Answer {
        self.send(tag, request).await;
        let (found, answer) = self.answer().await;
        assert_eq!(found, tag, "{answer:?}");
        answer
    }

    async fn submit(&mut self, tag: u64, request: proto::SubmitRequest) -> proto::RouteSubmitted {
        match self.ask(tag, Ask::Submit(request.into())).await {
            Answer::Submitted(submitted) => submitted,
            other => panic!("a submit was answered {other:?}"),
        }
    }

    async fn failure(&mut self, tag: u64, request: Ask) -> (Code, String, String) {
        match self.ask(tag, request).await {
            Answer::Failure(failure) => (Code::from(failure.code), failure.reason, failure.field),
            other => panic!("want a failure, was answered {other:?}"),
        }
    }

    async fn change(&mut self) -> Change {
        self.change_at().await.0
    }

    /// A change with its sequence.
    async fn change_at(&mut self) -> (Change, u64) {
        match self.answer().await {
            (0, Answer::Changed(changed)) => {
                ((changed.name.clone(), changed.state(), changed.agent), changed.sequence)
            }
            other => panic!("want a change, came {other:?}"),
        }
    }

    /// Opens the stream to go on after a change; what is said of it beside the changes that were missed.
    async fn resume(&mut self, tag: u64, after: u64) -> proto::RouteResumed {
        let Ask::Open(open) = open(true) else { unreachable!("it opens") };
        self.send(tag, Ask::Open(proto::RouteOpen { resume_after: Some(after), ..open })).await;
        let (mut opened, mut resumed) = (false, None);
        while !opened || resumed.is_none() {
            match self.answer().await {
                (_, Answer::Opened(_)) => opened = true,
                (0, Answer::Resumed(told)) => resumed = Some(told),
                other => panic!("want the stream opened and resumed, came {other:?}"),
            }
        }
        resumed.expect("the loop ends with it")
    }
}

fn open(watch: bool) -> Ask {
    Ask::Open(proto::RouteOpen {
        parent: TENANT.into(),
        source: "pbx".into(),
        watch,
        ..proto::RouteOpen::default()
    })
}

#[tokio::test]
async fn many_under_way_are_each_answered_under_their_tag() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let mut source = server.route().await;
    for tag in 1..=200 {
        let mut request = call(&format!("c{tag}"));
        // Every third has to be looked up first; on a stream the parent may be left out.
        if tag % 3 == 0 {
            request.interaction.as_mut().expect("one").from =
                super::harness::phone(&format!("+1555000{tag:04}"));
        }
        request.parent.clear();
        source.send(tag, Ask::Submit(request.into())).await;
    }
    let mut names = BTreeMap::new();
    for _ in 1..=200 {
        let (tag, Answer::Submitted(submitted)) = source.answer().await else { panic!("all are taken") };
        assert_eq!((submitted.state(), submitted.repeated), (InteractionState::Waiting, false));
        names.insert(tag, submitted.name);
    }
    assert_eq!(names.keys().copied().collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>());
    for tag in [1, 99, 200] {
        assert_eq!(server.get(&names[&tag]).await.external_id, format!("c{tag}"));
    }
    drop(source.ask);
    assert!(within("the end", source.answers.message()).await.expect("no failure").is_none());
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_the_stream_goes_on() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let mut source = server.route().await;
    let submit = |change: fn(&mut proto::SubmitRequest)| {
        let mut request = call("c1");
        change(&mut request);
        Ask::Submit(request.into())
    };
    let queue = |one: &mut proto::SubmitRequest| {
        one.interaction.as_mut().expect("one").queue = name("queues", "none");
    };
    let invalid = |reason: &str, field: &str| (Code::InvalidArgument, reason.to_owned(), field.to_owned());
    let unknown = |reason: &str, field: &str| (Code::NotFound, reason.to_owned(), field.to_owned());
    assert_eq!(source.failure(1, submit(queue)).await, unknown("QUEUE_NOT_FOUND", "interaction.queue"));
    let none = submit(|one| one.interaction = None);
    assert_eq!(source.failure(2, none).await, invalid("FIELD_MISSING", "interaction"));
    let waits = submit(|one| one.max_wait = seconds(1));
    assert_eq!(source.failure(3, waits).await, invalid("FIELD_INVALID", "max_wait"));
    let foreign = submit(|one| one.parent = "tenants/rival".into());
    assert_eq!(source.failure(4, foreign).await, unknown("TENANT_NOT_FOUND", "parent"));
    source.ask.send(proto::RouteRequest { tag: 5, request: None }).await.expect("the stream is open");
    let (tag, Answer::Failure(nothing)) = source.answer().await else { panic!("nothing was asked") };
    assert_eq!((tag, nothing.reason.as_str()), (5, "FIELD_MISSING"));
    let gone = Ask::Cancel(proto::CancelRequest { name: name("interactions", 9), cause: 0 });
    assert_eq!(source.failure(6, gone).await, unknown("INTERACTION_NOT_FOUND", "name"));
    let long =
        Ask::Open(proto::RouteOpen { parent: TENANT.into(), lease: seconds(301), ..Default::default() });
    assert_eq!(source.failure(7, long).await, invalid("FIELD_INVALID", "lease"));

    let first = source.submit(8, call("c1")).await;
    let again = source.submit(9, call("c1")).await;
    assert_eq!((&again.name, again.repeated), (&first.name, true));
    let other = submit(|one| one.interaction.as_mut().expect("one").priority = 3);
    let reused = (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned(), String::new());
    assert_eq!(source.failure(10, other).await, reused);
    let early = Ask::Connected(proto::ConnectedRequest { name: first.name.clone() });
    assert_eq!(source.failure(11, early).await.1, "WRONG_STATE");
    let unclear = Ask::ConnectFailed(proto::ConnectFailedRequest { name: first.name.clone(), cause: 0 });
    assert_eq!(source.failure(12, unclear).await, invalid("FIELD_INVALID", "cause"));
    let wrote =
        Ask::Update(proto::UpdateInteractionRequest { name: first.name.clone(), message: "hello".into() });
    let Answer::Interaction(shown) = source.ask(13, wrote).await else { panic!("an update shows it") };
    let shown: proto::Interaction = proto::read(&shown).expect("an interaction");
    assert_eq!(shown.name, first.name);
    let cancel = Ask::Cancel(proto::CancelRequest { name: first.name, cause: 0 });
    let Answer::Interaction(shown) = source.ask(14, cancel).await else { panic!("a cancel shows it") };
    let shown: proto::Interaction = proto::read(&shown).expect("an interaction");
    assert_eq!(shown.state(), InteractionState::Abandoned);
}

#[tokio::test]
async fn with_watch_the_stream_tells_what_became_of_each() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let ana = name("agents", "ana");
    let mut source = server.route().await;
    let before = source.submit(1, call("c0")).await.name;
    let Answer::Opened(opened) = source.ask(2, open(true)).await else { panic!("it opens") };
    assert!(opened.opened);
    let first = source.submit(3, call("c1")).await;
    assert_eq!(first.state(), InteractionState::Waiting);
    server.cancel(&before).await;
    let mut desk = server.sign_in("ana").await;
    assert_eq!(source.change().await, (first.name.clone(), InteractionState::Offered, ana.clone()));
    let offer = desk.next_offer().await;
    let accepted = server.accept(&offer.name).await.expect("the offer is open");
    assert_eq!(source.change().await, (first.name.clone(), InteractionState::Handling, ana.clone()));
    let connected = Ask::Connected(proto::ConnectedRequest { name: first.name.clone() });
    let Answer::Interaction(shown) = source.ask(4, connected).await else { panic!("they talk") };
    let shown: proto::Interaction = proto::read(&shown).expect("an interaction");
    assert_eq!(shown.agent, ana);
    server.complete(&accepted.assignment).await.expect("the conversation goes on");
    assert_eq!(source.change().await, (first.name, InteractionState::Closed, ana.clone()));
    // Offered in the same step: first the answer, then to whom.
    let second = source.submit(5, call_with("c2", |one| one.from = super::harness::phone("+15550001"))).await;
    assert_eq!(second.state(), InteractionState::Offered);
    assert_eq!(source.change().await, (second.name, InteractionState::Offered, ana));
}

#[tokio::test]
async fn contacts_of_two_sources_that_are_one_interaction_are_watched_by_both() {
    let server = Server::under("version: 2\nname: join\ndefault:\n  duplicates: attach\n").await;
    server.open_floor(&[]).await;
    let (mut pbx, mut web) = (server.route().await, server.route().await);
    for (stream, source) in [(&mut pbx, "pbx"), (&mut web, "web")] {
        let Ask::Open(opens) = open(true) else { unreachable!("it opens") };
        let asked = Ask::Open(proto::RouteOpen { source: source.into(), ..opens });
        assert!(matches!(stream.ask(1, asked).await, Answer::Opened(_)));
    }
    let about = |source: &str, tag: u64| {
        call_with(&format!("c{tag}"), |one| {
            one.source = source.into();
            one.from = super::harness::phone("+15550001");
            one.matter = "order-17".into();
        })
    };
    let called = pbx.submit(2, about("pbx", 2)).await;
    // A look-up that came late on a busy machine is no duplicate: the next contact tries again.
    let mut tag = 2;
    let joined = loop {
        tag += 1;
        let wrote = web.submit(tag, about("web", tag)).await;
        if wrote.name == called.name {
            break wrote;
        }
        server.cancel(&wrote.name).await;
        let gone = (wrote.name, InteractionState::Abandoned, String::new());
        assert_eq!(web.change().await, gone);
        assert!(tag < 20, "no look-up is ever in time");
    };
    server.cancel(&joined.name).await;
    let gone = (called.name, InteractionState::Abandoned, String::new());
    assert_eq!(pbx.change().await, gone);
    assert_eq!(web.change().await, gone);
}

#[tokio::test]
async fn a_stream_keeps_its_sources_session() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let mut source = server.route().await;
    let lease = seconds(60);
    let open = proto::RouteOpen { parent: TENANT.into(), source: "pbx".into(), ..Default::default() };
    let asked = Ask::Open(proto::RouteOpen { lease, ..open });
    let Answer::Opened(opened) = source.ask(1, asked.clone()).await else { panic!("it opens") };
    assert_eq!((opened.opened, opened.lease), (true, lease));
    let Answer::Opened(renewed) = source.ask(2, asked).await else { panic!("it renews") };
    assert_eq!((renewed.opened, renewed.lease), (false, lease));
    let beat = proto::SourceHeartbeatRequest { parent: TENANT.into(), source: "pbx".into() };
    let beat = server.interactions().heartbeat(beat).await.expect("a heartbeat").into_inner();
    assert!(!beat.opened, "it is the same session");
    let wrong =
        Ask::Open(proto::RouteOpen { parent: TENANT.into(), source: "P BX".into(), ..Default::default() });
    assert_eq!(source.failure(3, wrong).await.2, "source");
}

#[tokio::test]
async fn what_was_handed_in_outlives_a_cut_stream() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let mut source = server.route().await;
    let taken = source.submit(1, call("c1")).await;
    source.send(2, Ask::Submit(call("c2").into())).await;
    drop(source);
    assert_eq!(server.state(&taken.name).await, InteractionState::Waiting);
    let mut again = server.route().await;
    let repeated = again.submit(1, call("c1")).await;
    assert_eq!((repeated.name, repeated.repeated), (taken.name, true));
    // Whether the second got through nobody knows; repeating it makes it one.
    let second = again.submit(2, call("c2")).await;
    assert_eq!(server.open_names().await.len(), 2, "{second:?}");
}

#[tokio::test]
async fn the_stream_ends_with_the_server_and_says_so() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let mut source = server.route().await;
    source.submit(1, call("c1")).await;
    let stopping = tokio::spawn(server.stop());
    let ended = source.next().await.expect_err("it is cut");
    assert_eq!(ended.code(), Code::Unavailable, "{ended:?}");
    drop(source);
    within("the stop", stopping).await.expect("no panic").expect("a graceful stop");
}

#[tokio::test]
async fn a_source_whose_stream_broke_goes_on_with_another_and_hears_what_it_missed() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let ana = name("agents", "ana");
    let mut broken = server.route().await;
    broken.ask(1, open(true)).await;
    let first = broken.submit(2, call("c1")).await.name;
    let second = broken.submit(3, call("c2")).await.name;
    let mut desk = server.sign_in("ana").await;
    let (offered, at) = broken.change_at().await;
    assert_eq!(offered, (first.clone(), InteractionState::Offered, ana.clone()));
    drop(broken);
    let offer = desk.next_offer().await;
    let accepted = server.accept(&offer.name).await.expect("the offer is open");
    server.complete(&accepted.assignment).await.expect("it is in hand");
    let mut again = server.route().await;
    let resumed = again.resume(1, at).await;
    let told: Vec<Change> = {
        let mut told = Vec::new();
        for _ in 0..resumed.missed {
            told.push(again.change().await);
        }
        told
    };
    let now = |name: &String, state| (name.clone(), state, ana.clone());
    use InteractionState::{Closed, Handling, Offered};
    // The one it had heard of may come again.
    let since = told.strip_prefix(&[offered][..]).unwrap_or(&told);
    assert!(!resumed.gap);
    assert_eq!(since, [now(&first, Handling), now(&first, Closed), now(&second, Offered)]);
    let offer = desk.next_offer().await;
    server.accept(&offer.name).await.expect("the offer is open");
    assert_eq!(again.change().await, now(&second, Handling), "and from now on here");
    for not_held in [0, 1_000_000] {
        let resumed = server.route().await.resume(2, not_held).await;
        assert!(resumed.gap && resumed.missed == 0 && resumed.sequence > at, "{resumed:?}");
    }
    let nobody = proto::RouteOpen { parent: TENANT.into(), resume_after: Some(1), ..Default::default() };
    let wrong = (Code::InvalidArgument, "FIELD_INVALID".to_owned(), "resume_after".to_owned());
    assert_eq!(again.failure(3, Ask::Open(nobody.clone())).await, wrong);
    let Ask::Open(once_more) = open(true) else { unreachable!("it opens") };
    let once_more = Ask::Open(proto::RouteOpen { resume_after: Some(at), ..once_more });
    assert_eq!(again.failure(4, once_more).await, wrong, "it goes on already");
    let unwatched = proto::RouteOpen { source: "pbx".into(), ..nobody };
    assert_eq!(again.failure(4, Ask::Open(unwatched)).await, wrong);
}
