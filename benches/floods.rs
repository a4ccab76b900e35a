//! What agents feel of a flood: how long an accept takes with nothing beside it, and then while one client holds idle
//! connections, resets calls as it opens them and sends requests that mean nothing. The server is another process
//! (`--server ADDRESS`), on a floor of its own; the same run measures both, so the two can be compared.

#[path = "floods/attack.rs"]
#[allow(dead_code)]
mod attack;

use attack::{Resets, idle, malformed};
use baton::proto::agents_client::AgentsClient;
use baton::proto::floor_client::FloorClient;
use baton::proto::interactions_client::InteractionsClient;
use baton::proto::work_response::Event;
use baton::proto::{self, WorkResponse};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

const TENANT: &str = "tenants/default";
/// So many accepts a second at most.
const RATE: u64 = 50;
/// Calls in a burst of resets: a hundredth of a second's.
const BURST: usize = 10;
/// Requests that mean nothing, under way at once.
const AT_ONCE: u64 = 64;

/// What is sent.
struct Size {
    server: SocketAddr,
    idle: usize,
    reset_seconds: u64,
    malformed: u64,
    accepts: usize,
}

fn size() -> Option<Size> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let of = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).cloned()
    };
    let number = |name: &str, usual: u64| of(name).map_or(usual, |text| text.parse().expect("a number"));
    Some(Size {
        server: of("--server")?.parse().expect("ADDRESS:PORT"),
        idle: number("--idle", 10_000) as usize,
        reset_seconds: number("--reset-seconds", 10),
        malformed: number("--malformed", 200_000),
        accepts: number("--accepts", 500) as usize,
    })
}

fn main() {
    // Whoever runs all benches runs this one too, and there is nothing to do then.
    let Some(size) = size() else {
        return println!(
            "floods --server ADDRESS [--idle N] [--reset-seconds N] [--malformed N] [--accepts N]"
        );
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run(size));
}

async fn run(size: Size) {
    let mut floor = Floor::open(size.server).await;
    let calm = AtomicBool::new(true);
    floor.accepts(size.accepts, &calm).await.print("alone");

    let began = Instant::now();
    let held = idle(size.server, size.idle).await.expect("the server takes connections");
    println!("{} idle connections in {:.1} s", held.len(), began.elapsed().as_secs_f64());
    floor.accepts(size.accepts, &calm).await.print("beside idle connections");

    let (done, count) = (Arc::new(AtomicBool::new(false)), size.malformed);
    let resetting = tokio::spawn(reset(size.server, size.reset_seconds));
    let nonsense = Endpoint::from_shared(format!("http://{}", size.server)).expect("an address");
    let nonsense = nonsense.connect().await.expect("the server listens");
    let ending = done.clone();
    let meaningless = tokio::spawn(async move {
        let began = Instant::now();
        let answers = malformed(&nonsense, count, AT_ONCE).await;
        println!("{count} malformed requests in {:.1} s: {answers:?}", began.elapsed().as_secs_f64());
    });
    let floods = tokio::spawn(async move {
        meaningless.await.expect("no panic");
        resetting.await.expect("no panic");
        ending.store(true, Ordering::SeqCst);
    });
    floor.accepts(usize::MAX, &done).await.print("under all floods");
    floods.await.expect("no panic");
    drop(held);
}

/// A thousand calls a second, opened and reset.
async fn reset(server: SocketAddr, seconds: u64) {
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    let mut resets = Resets::new(server);
    let mut sent = 0;
    for _ in 0..seconds * 100 {
        pace.tick().await;
        resets.send(BURST).await.expect("the server takes connections");
        sent += BURST;
    }
    println!("{sent} calls opened and reset in {seconds} s, on {} connections", resets.connections);
}

/// Latencies, in order of time.
struct Latencies(Vec<Duration>);

impl Latencies {
    fn print(mut self, what: &str) {
        self.0.sort_unstable();
        let at = |share: usize| {
            let index = (self.0.len() * share / 1_000).min(self.0.len().saturating_sub(1));
            self.0.get(index).copied().unwrap_or_default().as_secs_f64() * 1e3
        };
        let (p50, p99, max) = (at(500), at(990), at(1_000));
        println!("{what}: {} accepts, ms: p50 {p50:.2}, p99 {p99:.2}, max {max:.2}", self.0.len());
    }
}

/// One queue, one agent, and calls for them one after the other.
struct Floor {
    interactions: InteractionsClient<Channel>,
    agents: AgentsClient<Channel>,
    work: Streaming<WorkResponse>,
    session: String,
    calls: u64,
}

impl Floor {
    async fn open(server: SocketAddr) -> Floor {
        let endpoint = Endpoint::from_shared(format!("http://{server}")).expect("an address");
        let channel = endpoint.tcp_nodelay(true).connect().await.expect("the server listens");
        let mut floor = FloorClient::new(channel.clone());
        let (parent, queue_id) = (TENANT.to_owned(), "floods".to_owned());
        let queue = Some(proto::Queue::default());
        floor.create_queue(proto::CreateQueueRequest { parent, queue_id, queue }).await.expect("a new floor");
        let (parent, agent_id) = (TENANT.to_owned(), "ana".to_owned());
        let agent = Some(proto::Agent::default());
        floor.create_agent(proto::CreateAgentRequest { parent, agent_id, agent }).await.expect("a new agent");
        let mut agents = AgentsClient::new(channel.clone());
        let agent = format!("{TENANT}/agents/ana");
        let request = proto::WorkRequest { agent: agent.clone(), ..proto::WorkRequest::default() };
        let mut work = agents.work(request).await.expect("she exists").into_inner();
        let first = work.message().await.expect("it goes on").expect("it has begun");
        let Some(Event::Opened(opened)) = first.event else { panic!("it begins with the session") };
        let presence = proto::Presence::Available.into();
        let present = proto::SetPresenceRequest { agent, presence, ..Default::default() };
        agents.set_presence(present).await.expect("she has a session");
        let interactions = InteractionsClient::new(channel);
        Floor { interactions, agents, work, session: opened.session, calls: 0 }
    }

    /// So many accepts, or until it is time. One after the other, at a fixed rate at most.
    async fn accepts(&mut self, most: usize, done: &AtomicBool) -> Latencies {
        let mut pace = tokio::time::interval(Duration::from_millis(1_000 / RATE));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut latencies = Vec::new();
        while latencies.len() < most && (most < usize::MAX || !done.load(Ordering::SeqCst)) {
            pace.tick().await;
            latencies.push(self.accept().await);
        }
        Latencies(latencies)
    }

    /// One life: submitted, offered, accepted, completed. Only the accept is measured.
    async fn accept(&mut self) -> Duration {
        self.calls += 1;
        if self.calls.is_multiple_of(RATE) {
            let session = self.session.clone();
            self.agents.heartbeat(proto::HeartbeatRequest { session, sequence: 0 }).await.expect("she lives");
        }
        let interaction = proto::Interaction {
            source: "bench".into(),
            external_id: self.calls.to_string(),
            channel: proto::Channel::Voice.into(),
            queue: format!("{TENANT}/queues/floods"),
            ..Default::default()
        };
        let interaction = Some(interaction);
        let submit = proto::SubmitRequest { parent: TENANT.into(), interaction, ..Default::default() };
        self.interactions.submit(submit).await.expect("it is taken");
        let offer = loop {
            let message = self.work.message().await.expect("it goes on").expect("it goes on");
            if let Some(Event::Offer(offer)) = message.event {
                break offer.name;
            }
        };
        let began = Instant::now();
        let accepted = self.agents.accept(proto::AcceptRequest { offer }).await.expect("the offer is open");
        let took = began.elapsed();
        let assignment = accepted.into_inner().assignment;
        self.agents
            .complete(proto::CompleteRequest {
                assignment,
                disposition: "solved".into(),
                ..Default::default()
            })
            .await
            .expect("the conversation goes on");
        took
    }
}
