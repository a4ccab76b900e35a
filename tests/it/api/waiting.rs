//! Waiting for a route: Submit with `max_wait`, Wait, Watch, and the source's own session.

use super::expect::{assert_refused, invalid, unknown};
use super::harness::{Server, TENANT, call, name, seconds, within};
use baton::proto::{self, InteractionState, SubmitRequest};

fn wait_for(interaction: &str, max_wait: Option<prost_types::Duration>) -> proto::WaitRequest {
    proto::WaitRequest { name: interaction.into(), max_wait, fallback: "voicemail".into() }
}

#[tokio::test]
async fn a_submit_that_waits_is_answered_when_the_agent_accepts() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let mut ana = server.sign_in("ana").await;
    let request = SubmitRequest { max_wait: seconds(600), ..call("c1") };
    let mut interactions = server.interactions();
    let routed = tokio::spawn(async move { interactions.submit(request).await });
    let offer = ana.next_offer().await;
    assert!(!routed.is_finished(), "an offer is not yet an answer");
    let accepted = server.accept(&offer.name).await.expect("the offer is open");
    let answer = within("the route", routed).await.expect("no panic").expect("a route").into_inner();
    let interaction = answer.interaction.expect("an interaction");
    assert_eq!(interaction.state(), InteractionState::Handling);
    assert_eq!((interaction.agent, interaction.assignment), (name("agents", "ana"), accepted.assignment));
    assert!(answer.sequence >= accepted.sequence);
}

#[tokio::test]
async fn a_wait_that_runs_out_says_how_long_still() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    let soon = Some(prost_types::Duration { seconds: 0, nanos: 1_000_000 });
    for max_wait in [None, soon] {
        let answer = within("an answer", server.interactions().wait(wait_for(&call, max_wait))).await;
        let answer = answer.expect("time ran out, which is no error").into_inner();
        assert_eq!(answer.fallback, "voicemail");
        let interaction = answer.interaction.expect("an interaction");
        assert_eq!(interaction.state(), InteractionState::Waiting);
        assert_eq!(interaction.wait_reason(), proto::WaitReason::NoAgentQualifies);
        let estimate = interaction.estimate.expect("a position");
        assert_eq!((estimate.position, estimate.wait), (1, None), "nobody is there to serve it");
    }
}

#[tokio::test]
async fn a_wait_ends_when_an_agent_accepts_or_the_customer_leaves() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let (served, leaves) = (server.call("c1").await, server.call("c2").await);
    let waits = |interaction: &str| {
        let (mut interactions, request) = (server.interactions(), wait_for(interaction, seconds(600)));
        tokio::spawn(async move { interactions.wait(request).await })
    };
    let (first, second) = (waits(&served), waits(&leaves));
    server.sign_in_and_accept("ana").await;
    let answer = within("the route", first).await.expect("no panic").expect("a route").into_inner();
    assert_eq!(answer.interaction.expect("one").state(), InteractionState::Handling);
    server.cancel(&leaves).await;
    let answer = within("the end", second).await.expect("no panic").expect("an answer").into_inner();
    assert_eq!(answer.interaction.expect("one").state(), InteractionState::Abandoned);
    let over = within("at once", server.interactions().wait(wait_for(&leaves, seconds(600)))).await;
    let over = over.expect("an answer").into_inner().interaction.expect("one");
    assert_eq!(over.state(), InteractionState::Abandoned);
}

#[tokio::test]
async fn a_watch_shows_each_change_until_it_is_over() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.call("c1").await;
    let request = proto::WatchInteractionRequest { name: call.clone(), ..Default::default() };
    let mut watch = server.interactions().watch(request.clone()).await.expect("it exists").into_inner();
    let mut states = Vec::new();
    let mut cursor = 0;
    let mut next = async |watch: &mut tonic::Streaming<proto::WatchInteractionResponse>| {
        let change = within("a change", watch.message()).await.expect("the watch goes on")?;
        let sequence = change.cursor.expect("a cursor").sequence;
        assert!(sequence >= cursor, "{sequence} after {cursor}");
        cursor = sequence;
        Some(change.interaction.expect("an interaction").state())
    };
    states.extend(next(&mut watch).await);
    let (_ana, assignment) = server.sign_in_and_accept("ana").await;
    server.complete(&assignment).await.expect("the conversation goes on");
    while let Some(state) = next(&mut watch).await {
        states.push(state);
    }
    use InteractionState::{Closed, Handling, Offered, Waiting};
    assert_eq!(states, [Waiting, Offered, Handling, Closed]);
    let mut late = server.interactions().watch(request).await.expect("it exists").into_inner();
    let shown = within("the state", late.message()).await.expect("an answer").expect("one message");
    assert_eq!(shown.interaction.expect("an interaction").state(), Closed);
    assert!(within("the end", late.message()).await.expect("no error").is_none());
}

#[tokio::test]
async fn a_source_opens_its_session_once_and_then_renews_it() {
    let server = Server::start().await;
    let renew = || proto::SourceHeartbeatRequest { parent: TENANT.into(), source: "pbx".into() };
    let first = server.interactions().heartbeat(renew()).await.expect("a new session").into_inner();
    assert!(first.opened && first.lease.is_some());
    let again = server.interactions().heartbeat(renew()).await.expect("a renewal").into_inner();
    assert!(!again.opened);
}

/// Where calls of the harness come in.
const QUEUE: &str = "sales";

fn ask_about(queue: &str, channels: &[proto::Channel]) -> proto::EstimateRequest {
    let channels = channels.iter().map(|channel| i32::from(*channel)).collect();
    proto::EstimateRequest { parent: TENANT.into(), queue: name("queues", queue), channels }
}

#[tokio::test]
async fn before_anything_is_handed_in_it_is_told_what_it_would_meet() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let asked = || server.interactions();
    let voice = || ask_about(QUEUE, &[proto::Channel::Voice]);
    let nobody = asked().estimate(voice()).await.expect("an answer").into_inner();
    let [nobody] = &nobody.channels[..] else { panic!("one channel was asked about: {nobody:?}") };
    assert!(nobody.open && !nobody.free && nobody.call_back, "nobody is there: {nobody:?}");
    let estimate = nobody.estimate.as_ref().expect("a place");
    assert_eq!((estimate.position, estimate.wait), (1, None));

    let _ana = server.sign_in("ana").await;
    let free = asked().estimate(voice()).await.expect("an answer").into_inner();
    let free = &free.channels[0];
    assert!(free.open && free.free && !free.call_back, "{free:?}");
    assert_eq!(free.queue, name("queues", QUEUE));
    assert_eq!(free.estimate.as_ref().and_then(|estimate| estimate.wait).map(|wait| wait.seconds), Some(0));

    server.call("c1").await;
    server.call("c2").await;
    let usual = asked().estimate(ask_about(QUEUE, &[])).await.expect("an answer").into_inner();
    let channels: Vec<i32> = usual.channels.iter().map(|one| one.channel).collect();
    let wanted = [proto::Channel::Voice, proto::Channel::Chat, proto::Channel::Message];
    assert_eq!(channels, wanted.map(i32::from));
    assert_eq!(usual.channels[0].estimate.as_ref().map(|one| one.position), Some(2), "one waits, one rings");

    for (case, request, wanted) in [
        ("no such queue", ask_about("nowhere", &[]), unknown("QUEUE_NOT_FOUND", "queue")),
        ("twice", ask_about(QUEUE, &[proto::Channel::Voice, proto::Channel::Voice]), invalid("channels")),
    ] {
        assert_refused(case, asked().estimate(request).await, wanted);
    }
}
