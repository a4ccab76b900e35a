//! A server in this process, on a port of its own, with people who wait, and who asks it: over connections like anybody's.

use baton::assembly::{Parts, ServerError, prepare_with};
use baton::config::{JournalKind, Settings};
use baton::proto;
use baton::proto::floor_client::FloorClient;
use baton::proto::interactions_client::InteractionsClient;
use baton::proto::publish_request::Document;
use baton::proto::rules_client::RulesClient;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

const TENANT: &str = "tenants/default";
/// Most submits under way while the floor is filled.
const AT_ONCE: usize = 64;

/// A running server with a queue, and no agents: whoever comes waits.
pub struct Centre {
    connections: Vec<Channel>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), ServerError>>,
}

impl Centre {
    /// With so many connections for those who submit, and one more for who publishes.
    pub async fn open(journal: JournalKind, folder: &std::path::Path, connections: usize) -> Centre {
        let settings = Settings {
            listen: Some(([127, 0, 0, 1], 0).into()),
            journal: Some(journal),
            data: Some(folder.into()),
            ..Settings::default()
        };
        let config = settings.validate().expect("the settings fit together");
        let ready = prepare_with(&config, |tenant| Parts::open(&config, tenant)).await.expect("it starts");
        let endpoint = Endpoint::from_shared(format!("http://{}", ready.address)).expect("an address");
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(ready.serve(async {
            // Sent or dropped, either way it is time.
            let _ = stopped.await;
        }));
        let mut all = Vec::new();
        for _ in 0..=connections {
            all.push(endpoint.connect().await.expect("the server listens"));
        }
        let centre = Centre { connections: all, stop, serving };
        let (parent, queue_id, queue) = (TENANT.into(), "sales".into(), Some(proto::Queue::default()));
        let request = proto::CreateQueueRequest { parent, queue_id, queue };
        FloorClient::new(centre.publisher()).create_queue(request).await.expect("a new queue");
        centre
    }

    /// Stops the server.
    pub async fn close(self) {
        let Centre { connections, stop, serving } = self;
        drop((connections, stop));
        serving.await.expect("serving does not panic").expect("a graceful stop");
    }

    /// Whoever submits as the n-th.
    pub fn source(&self, number: usize) -> InteractionsClient<Channel> {
        InteractionsClient::new(self.connections[number % (self.connections.len() - 1)].clone())
    }

    fn publisher(&self) -> Channel {
        self.connections.last().expect("one more than sources").clone()
    }

    /// Lets so many wait, of every intent in turn.
    pub async fn fill(&self, waiting: usize) {
        let mut under_way = tokio::task::JoinSet::new();
        for number in 0..waiting {
            let mut source = self.source(number);
            let request = contact(&format!("waits-{number}"), number);
            under_way.spawn(async move { source.submit(request).await.map(drop) });
            while under_way.len() >= AT_ONCE {
                let done = under_way.join_next().await.expect("some are under way");
                done.expect("no panic").expect("taken");
            }
        }
        while let Some(done) = under_way.join_next().await {
            done.expect("no panic").expect("taken");
        }
    }

    /// Publishes rules that differ by a figure; how long it took, and how many were planned again.
    pub async fn publish(
        &self,
        rules: usize,
        figure: u32,
        waiting: proto::WaitingPolicy,
    ) -> (Instant, Instant, u64) {
        let request = proto::PublishRequest {
            parent: TENANT.into(),
            document: Some(Document::Text(document(rules, figure))),
            reason: "to measure".into(),
            waiting: waiting.into(),
            base: String::new(),
        };
        let begin = Instant::now();
        let answer = RulesClient::new(self.publisher()).publish(request).await.expect("right").into_inner();
        (begin, Instant::now(), answer.planned_again)
    }
}

/// So many ordered rules, one for each intent.
pub fn document(rules: usize, figure: u32) -> String {
    let mut text = format!("name: figure {figure}\nfallback: {{ queue: sales }}\nrules:\n");
    for number in 0..rules {
        let points = (number as u32 + figure) % 10;
        writeln!(
            text,
            "  - {{ name: rule {number}, when: \"interaction.intent == 'intent-{number}'\", then: {{ priority: {points} }} }}"
        )
        .expect("a string takes whatever is written");
    }
    text
}

/// A call of one intent in a hundred.
pub fn contact(external_id: &str, number: usize) -> proto::SubmitRequest {
    let interaction = proto::Interaction {
        source: "pbx".into(),
        external_id: external_id.into(),
        channel: proto::Channel::Voice.into(),
        queue: format!("{TENANT}/queues/sales"),
        intent: format!("intent-{}", number % 100),
        ..proto::Interaction::default()
    };
    proto::SubmitRequest { parent: TENANT.into(), interaction: Some(interaction), ..Default::default() }
}

/// Cancels what was submitted, so that as many wait as before.
pub async fn cancel(mut source: InteractionsClient<Channel>, name: String) {
    let cause = proto::cancel_request::Cause::Withdrawn.into();
    source.cancel(proto::CancelRequest { name, cause }).await.expect("it waits");
}

/// Sleeps to a moment.
pub async fn until(moment: Instant) {
    tokio::time::sleep_until(moment.into()).await;
}

/// The middle one, or another share of them.
pub fn of(all: &mut [Duration], share: f64) -> Duration {
    all.sort_unstable();
    let last = all.len().saturating_sub(1);
    all.get(((last as f64) * share).round() as usize).copied().unwrap_or_default()
}
