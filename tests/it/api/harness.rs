//! The server in process, and the verbs of a centre: make a floor, submit, look. A signature change of the API
//! touches this folder's `harness.rs` and `desk.rs`.

use baton::assembly::{Parts, ServerError, prepare_with};
use baton::config::{Config, JournalKind, Settings};
use baton::customers::MemoryStore;
use baton::journal::{Erasures, Memory};
use baton::proto;
use baton::proto::agents_client::AgentsClient;
use baton::proto::customers_client::CustomersClient;
use baton::proto::floor_client::FloorClient;
use baton::proto::interactions_client::InteractionsClient;
use baton::proto::rules_client::RulesClient;
use baton::proto::supervision_client::SupervisionClient;
use baton::rulebook::Rulebook;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// Ends a test that would wait for ever. No assertion depends on it.
const GUARD: Duration = Duration::from_secs(120);

pub const TENANT: &str = "tenants/default";

/// Waits, but not for ever.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(GUARD, future).await;
    ended.unwrap_or_else(|_| panic!("{what} did not come within {GUARD:?}"))
}

/// The full name of something of the tenant `default`.
pub fn name(collection: &str, id: impl std::fmt::Display) -> String {
    format!("{TENANT}/{collection}/{id}")
}

pub fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

/// Settings of a server with everything in memory.
pub fn settings() -> Settings {
    Settings {
        listen: Some(([127, 0, 0, 1], 0).into()),
        journal: Some(JournalKind::Memory),
        ..Settings::default()
    }
}

fn config(settings: Settings) -> Config {
    settings.validate().expect("the settings of a test fit together")
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    channel: Channel,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), ServerError>>,
}

impl Server {
    /// With everything in memory.
    pub async fn start() -> Server {
        Server::with(settings()).await
    }

    /// On a folder, as a real floor is.
    pub async fn on(folder: &Path) -> Server {
        let journal = Some(JournalKind::Sqlite);
        Server::with(Settings { data: Some(folder.into()), journal, ..settings() }).await
    }

    /// What a server says that does not start on a folder.
    pub async fn refused_on(folder: &Path) -> ServerError {
        let journal = Some(JournalKind::Sqlite);
        let config = config(Settings { data: Some(folder.into()), journal, ..settings() });
        let ready = prepare_with(&config, |tenant| Parts::open(&config, tenant)).await;
        ready.err().expect("a folder that is to be refused")
    }

    pub async fn with(settings: Settings) -> Server {
        let config = config(settings);
        Server::serving(&config, |tenant| Parts::open(&config, tenant)).await
    }

    /// In memory, with rules of the test's.
    pub async fn under(rules: &str) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("rules.yaml");
        std::fs::write(&path, rules).expect("a file");
        Server::with(Settings { rules: Some(path), ..settings() }).await
    }

    /// In memory, with a journal and a customer store of the test's.
    pub async fn with_parts(change: impl Fn(&mut Parts)) -> Server {
        Server::with_settings_and_parts(settings(), change).await
    }

    /// The same with settings of the test's.
    pub async fn with_settings_and_parts(settings: Settings, change: impl Fn(&mut Parts)) -> Server {
        let parts = |_: &str| {
            let mut parts = Parts {
                journal: Box::new(Memory::new()),
                customers: Box::new(MemoryStore::new()),
                erasures: Erasures::in_memory(),
                rulebook: Rulebook::in_memory("default"),
                folder: None,
            };
            change(&mut parts);
            Ok(parts)
        };
        Server::serving(&config(settings), parts).await
    }

    async fn serving(config: &Config, parts: impl FnMut(&str) -> Result<Parts, ServerError>) -> Server {
        let ready = prepare_with(config, parts).await.expect("a server on a free port starts");
        let address = ready.address;
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(ready.serve(async {
            // Sent or dropped, either way it is time.
            let _ = stopped.await;
        }));
        let channel = endpoint.connect().await.expect("the server listens");
        Server { address, channel, stop, serving }
    }

    /// Stops gracefully.
    pub async fn stop(self) -> Result<(), ServerError> {
        drop(self.channel);
        drop(self.stop);
        within("the stop", self.serving).await.expect("serving does not panic")
    }

    /// Waits until the server ends by itself.
    pub async fn ends(self) -> Result<(), ServerError> {
        let Server { serving, stop, .. } = self;
        let ended = within("the end", serving).await.expect("serving does not panic");
        drop(stop);
        ended
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }
    pub fn interactions(&self) -> InteractionsClient<Channel> {
        InteractionsClient::new(self.channel())
    }
    pub fn agents(&self) -> AgentsClient<Channel> {
        AgentsClient::new(self.channel())
    }
    pub fn customers(&self) -> CustomersClient<Channel> {
        CustomersClient::new(self.channel())
    }
    pub fn floor(&self) -> FloorClient<Channel> {
        FloorClient::new(self.channel())
    }
    pub fn rules(&self) -> RulesClient<Channel> {
        RulesClient::new(self.channel())
    }
    pub fn supervision(&self) -> SupervisionClient<Channel> {
        SupervisionClient::new(self.channel())
    }

    /// A floor with the skill `es`, the queue `sales` without wrap-up, and these agents, with `es` where a
    /// proficiency is given: `[("ana", 3), ("bo", 0)]`.
    pub async fn open_floor(&self, agents: &[(&str, u32)]) {
        self.add_skill("es").await;
        self.add_queue("sales", proto::Queue::default()).await;
        for (agent, proficiency) in agents {
            self.add_agent(agent, *proficiency).await;
        }
    }

    pub async fn add_skill(&self, id: &str) {
        let request = proto::CreateSkillRequest { parent: TENANT.into(), skill_id: id.into(), skill: None };
        within("a skill", self.floor().create_skill(request)).await.expect("a new skill");
    }

    pub async fn add_queue(&self, id: &str, queue: proto::Queue) -> proto::Queue {
        let request =
            proto::CreateQueueRequest { parent: TENANT.into(), queue_id: id.into(), queue: Some(queue) };
        within("a queue", self.floor().create_queue(request)).await.expect("a new queue").into_inner()
    }

    pub async fn add_agent(&self, id: &str, proficiency: u32) {
        let skills = (proficiency > 0)
            .then(|| proto::AgentSkill { skill: name("skills", "es"), proficiency, ..Default::default() })
            .into_iter()
            .collect();
        let agent = Some(proto::Agent { skills, ..proto::Agent::default() });
        let request = proto::CreateAgentRequest { parent: TENANT.into(), agent_id: id.into(), agent };
        within("an agent", self.floor().create_agent(request)).await.expect("a new agent");
    }

    pub async fn submit(&self, request: proto::SubmitRequest) -> Result<proto::SubmitResponse, Status> {
        within("a submit", self.interactions().submit(request)).await.map(tonic::Response::into_inner)
    }

    /// Submits a call and gives its name.
    pub async fn call(&self, external_id: &str) -> String {
        let answer = self.submit(call(external_id)).await.expect("a plain call is taken");
        answer.interaction.expect("an answer holds the interaction").name
    }

    pub async fn get(&self, name: &str) -> proto::Interaction {
        let request = proto::GetInteractionRequest { name: name.into() };
        within("a get", self.interactions().get(request)).await.expect("it exists").into_inner()
    }

    pub async fn state(&self, name: &str) -> proto::InteractionState {
        self.get(name).await.state()
    }

    /// The names of what the source `pbx` has open, in order.
    pub async fn open_names(&self) -> Vec<String> {
        let request = proto::ListOpenRequest {
            parent: TENANT.into(),
            source: "pbx".into(),
            ..proto::ListOpenRequest::default()
        };
        let answer = within("a list", self.interactions().list_open(request)).await.expect("a list");
        answer.into_inner().interactions.into_iter().map(|one| one.name).collect()
    }

    pub async fn cancel(&self, name: &str) -> proto::Interaction {
        let request = proto::CancelRequest { name: name.into(), cause: 0 };
        within("a cancel", self.interactions().cancel(request)).await.expect("it exists").into_inner()
    }

    /// Waits until an interaction is as wanted.
    pub async fn until(
        &self,
        interaction: &str,
        wanted: impl Fn(&proto::Interaction) -> bool,
    ) -> proto::Interaction {
        let request = proto::WatchInteractionRequest { name: interaction.into(), ..Default::default() };
        let mut changes = self.interactions().watch(request).await.expect("it exists").into_inner();
        loop {
            let change = within("a change", changes.message()).await.expect("the watch goes on");
            let shown = change.expect("it is not over yet").interaction.expect("an interaction");
            if wanted(&shown) {
                return shown;
            }
        }
    }
}

/// A call to the queue `sales` from the source `pbx`.
pub fn call(external_id: &str) -> proto::SubmitRequest {
    let interaction = proto::Interaction {
        source: "pbx".into(),
        external_id: external_id.into(),
        channel: proto::Channel::Voice.into(),
        queue: name("queues", "sales"),
        ..proto::Interaction::default()
    };
    proto::SubmitRequest {
        parent: TENANT.into(),
        interaction: Some(interaction),
        ..proto::SubmitRequest::default()
    }
}

/// The same, changed.
pub fn call_with(external_id: &str, change: impl FnOnce(&mut proto::Interaction)) -> proto::SubmitRequest {
    let mut request = call(external_id);
    change(request.interaction.as_mut().expect("a call is an interaction"));
    request
}

pub fn phone(number: &str) -> Option<proto::Address> {
    Some(proto::Address { kind: proto::address::Kind::Phone.into(), value: number.into() })
}

/// A request with a token.
pub fn bearing<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse().expect("a token is plain text");
    request.metadata_mut().insert("authorization", value);
    request
}
