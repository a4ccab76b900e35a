//! The one place where concrete parts meet: settings in, a running server out. Everything that can fail at start
//! fails before the first request is taken, and leaves nothing behind.

use crate::api::access::{Access, DEFAULT_TENANT, Tokens, TokensError};
use crate::api::in_hand::InHand;
use crate::api::tenant::{
    InForce, Known, Publishing, Surroundings, Tenant, Tenants, Tickets, WITNESSES_MAX, Witness, compare_all,
    keep_looking,
};
use crate::api::{self, DESCRIPTORS};
use crate::broken;
use crate::config::{Config, JournalKind};
use crate::customers::{CustomerStore, Customers, MemoryStore, Retention, SqliteStore, StoreFault};
use crate::ending::{End, end_shards, watch_ends};
use crate::engine::command::Command;
use crate::journal::{Erasures, Fault, FolderLock, Journal, Memory, Reserve, Sqlite};
use crate::observe;
use crate::retaining::keep;
use crate::rulebook::Rulebook;
use crate::rules::{DOCUMENT_MAX, DocumentErrors, RuleSet};
use crate::ruling::{InForceError, at_start};
use crate::runtime::leases::SWEEP;
use crate::runtime::poisoned::Poisoned;
use crate::runtime::snapshotting::{Keeping, Snapshotting};
use crate::runtime::start::{Beside, Running, StartError, start};
use crate::serving::{self, House, Patience};
use crate::tls::{self, TlsError};
use ring::hmac;
use std::collections::BTreeSet;
use std::future::Future;
use std::io::Read;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// So many parts of the rules that the floor does not bear out yet are logged one by one.
const SKIPPED_LOGGED_MAX: usize = 30;

/// Why a server does not start, or does not go on.
#[derive(Debug, Error)]
pub enum ServerError {
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("cannot serve metrics on {address}: {source}")]
    Metrics { address: SocketAddr, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("cannot use the data folder {folder}: {source}")]
    Folder { folder: String, source: std::io::Error },
    #[error("{0}")]
    Journal(#[from] Fault),
    #[error("tenant {tenant}: {source}")]
    Tenant { tenant: String, source: Box<StartError> },
    #[error("tenant {tenant}: {source}")]
    Customers { tenant: String, source: StoreFault },
    #[error("{0}")]
    Tokens(#[from] TokensError),
    #[error("cannot read the rules {path}: {source}")]
    RulesFile { path: String, source: std::io::Error },
    #[error("the rules {path} are not right:\n{source}")]
    Rules { path: String, source: DocumentErrors },
    #[error("tenant {tenant}: {source}")]
    Rulebook { tenant: String, source: Box<InForceError> },
    #[error("{0}")]
    Tls(#[from] TlsError),
    #[error(
        "the journal took longer than {} s to end: what was answered is durable, what was not may be lost",
        within.as_secs()
    )]
    StopTooLong { within: Duration },
    #[error("the shard of tenant {tenant} ended: {why}")]
    ShardEnded { tenant: String, why: String },
    #[error("what runs beside the serving ended: {0}")]
    TaskEnded(String),
}

/// A server that is ready to take requests.
pub struct Ready {
    /// Where it listens; the port is the real one, also if 0 was asked for.
    pub address: SocketAddr,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    connections_max: usize,
    stop_within: Duration,
    tenants: Tenants,
    shards: Vec<Shard>,
    retention: Retention,
    reserve: Option<Arc<Reserve>>,
    _lock: Option<FolderLock>,
}

struct Shard {
    tenant: Arc<Tenant>,
    running: Running,
    /// What a version in shadow is compared by, until somebody does.
    witnessed: Option<mpsc::Receiver<Witness>>,
}

/// What a tenant keeps its things in.
pub struct Parts {
    pub journal: Box<dyn Journal>,
    pub customers: Box<dyn CustomerStore>,
    pub erasures: Erasures,
    pub rulebook: Rulebook,
    /// Where the journal lies; `None` for one in memory.
    pub folder: Option<PathBuf>,
}

impl Parts {
    /// Opens what the settings ask for.
    pub fn open(config: &Config, tenant: &str) -> Result<Parts, ServerError> {
        if config.journal == JournalKind::Memory {
            let (journal, customers) = (Box::new(Memory::new()), Box::new(MemoryStore::new()));
            let (erasures, rulebook) = (Erasures::in_memory(), Rulebook::in_memory(tenant));
            return Ok(Parts { journal, customers, erasures, rulebook, folder: None });
        }
        let folder = config.data.join("tenants").join(tenant);
        std::fs::create_dir_all(&folder)
            .map_err(|source| ServerError::Folder { folder: folder.display().to_string(), source })?;
        let journal = Sqlite::open(&folder, tenant)?;
        let erasures = Erasures::open(&folder, tenant)?;
        let rulebook = Rulebook::open(&folder, tenant)?;
        let customers = SqliteStore::open(&folder)
            .map_err(|source| ServerError::Customers { tenant: tenant.to_owned(), source })?;
        let (journal, customers) = (Box::new(journal), Box::new(customers));
        Ok(Parts { journal, customers, erasures, rulebook, folder: Some(folder) })
    }
}

/// Brings everything up, but takes no request yet.
pub async fn prepare(config: &Config) -> Result<Ready, ServerError> {
    prepare_with(config, |tenant| Parts::open(config, tenant)).await
}

/// The same with other parts than the settings name: stores that are slow or dead, a journal that fails.
pub async fn prepare_with(
    config: &Config,
    mut parts: impl FnMut(&str) -> Result<Parts, ServerError>,
) -> Result<Ready, ServerError> {
    let given = config.rules.as_deref().map(read_rules).transpose()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|source| ServerError::Listen { address: config.listen, source })?;
    let address =
        listener.local_addr().map_err(|source| ServerError::Listen { address: config.listen, source })?;
    let tls = config.tls.as_ref().map(|(cert, key)| tls::acceptor(cert, key)).transpose()?;
    let access = match &config.tokens {
        Some(path) => Access::Tokens(Tokens::read(path)?),
        None => Access::Open,
    };
    if let Some(address) = config.metrics {
        metrics_exporter_prometheus::PrometheusBuilder::new()
            .with_http_listener(address)
            .install()
            .map_err(|error| ServerError::Metrics { address, source: Box::new(error) })?;
    }
    let lock = match config.journal {
        JournalKind::Sqlite => Some(lock(&config.data)?),
        JournalKind::Memory => None,
    };
    let reserve = lock.as_ref().map(|_| Reserve::make(&config.data)).transpose()?.map(Arc::new);
    let mut shards = Vec::new();
    for name in names(&access) {
        shards.push(open_tenant(config, &name, parts(&name)?, given.as_ref(), reserve.clone())?);
    }
    let tenants = Tenants::new(shards.iter().map(|shard| shard.tenant.clone()).collect(), access);
    let retention = config.retention.clone();
    let (connections_max, stop_within) = (config.connections_max, config.stop_within);
    Ok(Ready {
        address,
        listener,
        tls,
        connections_max,
        stop_within,
        tenants,
        shards,
        retention,
        reserve,
        _lock: lock,
    })
}

/// The rules of a file.
pub fn read_rules(path: &Path) -> Result<RuleSet, ServerError> {
    let shown = path.display().to_string();
    let mut text = String::new();
    // One byte more than is accepted: the rules say that it is too much.
    let most = u64::try_from(DOCUMENT_MAX).expect("a limit of one MiB") + 1;
    std::fs::File::open(path)
        .and_then(|file| file.take(most).read_to_string(&mut text))
        .map_err(|source| ServerError::RulesFile { path: shown.clone(), source })?;
    RuleSet::read(&text).map_err(|source| ServerError::Rules { path: shown, source })
}

fn names(access: &Access) -> BTreeSet<String> {
    match access {
        Access::Open => BTreeSet::from([DEFAULT_TENANT.to_owned()]),
        Access::Tokens(tokens) => tokens.tenants().map(str::to_owned).collect(),
    }
}

fn lock(folder: &Path) -> Result<FolderLock, ServerError> {
    std::fs::create_dir_all(folder)
        .map_err(|source| ServerError::Folder { folder: folder.display().to_string(), source })?;
    Ok(FolderLock::acquire(folder)?)
}

fn open_tenant(
    config: &Config,
    name: &str,
    parts: Parts,
    given: Option<&RuleSet>,
    reserve: Option<Arc<Reserve>>,
) -> Result<Shard, ServerError> {
    let Parts { journal, customers, erasures, mut rulebook, folder } = parts;
    let erased = erasures.read()?;
    let customers = Customers::start(customers)
        .map_err(|source| ServerError::Customers { tenant: name.to_owned(), source })?;
    let poisoned =
        folder.as_deref().map(|folder| Poisoned::open(folder, reserve)).transpose()?.unwrap_or_default();
    for one in poisoned.entries() {
        let (id, command, why) = (&one.id, &one.command, &one.why);
        tracing::warn!(tenant = name, id, command, why, "set aside: it is refused until it is released");
    }
    let keeping = folder.clone().map(|folder| Keeping {
        folder,
        snapshot_events: config.snapshot_events,
        program: config.program.clone(),
        limits: config.archive,
    });
    let beside = Beside { poisoned, keeping };
    let start = || start(journal, customers.clone(), &erased, config.speed, config.learns, name, beside);
    let running = catch_unwind(AssertUnwindSafe(start))
        .unwrap_or_else(|panic| Err(StartError::Broken(broken::why(&*panic))))
        .map_err(|source| ServerError::Tenant { tenant: name.to_owned(), source: Box::new(source) })?;
    running.handle.door().aim_at(config.delay_max);
    let rules = at_start(&mut rulebook, name, given, running.clock.now())
        .map_err(|source| ServerError::Rulebook { tenant: name.to_owned(), source: Box::new(source) })?;
    tracing::info!(
        tenant = name,
        events = running.recovered,
        from_snapshot = running.snapshot,
        rules = rules.name(),
        version = rules.version(),
        "tenant is open"
    );
    let skipped = rules.skipped(&running.handle.floor());
    for part in skipped.iter().take(SKIPPED_LOGGED_MAX) {
        tracing::warn!(tenant = name, "rules: {part}");
    }
    if let Some(more) = skipped.len().checked_sub(SKIPPED_LOGGED_MAX).filter(|more| *more > 0) {
        tracing::warn!(
            tenant = name,
            "rules: {more} more parts are left out until the floor has what they name"
        );
    }
    let (witnesses, witnessed) = mpsc::channel(WITNESSES_MAX);
    let tenant = Arc::new(Tenant {
        name: name.to_owned(),
        shard: running.handle.clone(),
        in_hand: InHand::new(config.most),
        payloads: running.payloads.clone(),
        recents: running.recents.clone(),
        outlook: running.outlook.clone(),
        by_version: running.by_version.clone(),
        customers,
        known: Known::default(),
        home: config.home,
        request_key: hmac::Key::new(hmac::HMAC_SHA256, &running.secret),
        forgotten: running.forgotten.clone(),
        erasures: Arc::new(Mutex::new(erasures)),
        unfinished: AtomicBool::new(false),
        leases: running.leases.clone(),
        clock: running.clock,
        rules: InForce::new(rules),
        surroundings: Surroundings::default(),
        witnesses,
        tickets: Tickets::default(),
        publishing: Publishing::new(rulebook, config.four_eyes),
        folder,
        recompute: Semaphore::new(1),
    });
    Ok(Shard { tenant, running, witnessed: Some(witnessed) })
}

impl Ready {
    /// Serves until `stop` comes, a shard ends, or what runs beside breaks an assumption. Answers what was taken, then ends the
    /// shards, within the time that the settings give.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
        let Ready { listener, tls, connections_max, stop_within, tenants, mut shards, .. } = self;
        let (retention, reserve, lock) = (self.retention, self.reserve, self._lock);
        for shard in &shards {
            api::begin(&shard.tenant).await;
        }
        let mut tasks = beside_serving(&mut shards, &retention);
        let (mut health_reporter, health) = tonic_health::server::health_reporter();
        report(&health_reporter, ServingStatus::Serving).await;
        // Older clients still ask for the alpha version.
        let reflection = || {
            tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(DESCRIPTORS)
        };
        let sound = "the descriptors were compiled with the program";
        let reflection_alpha = reflection().build_v1alpha().expect(sound);
        let reflection = reflection().build_v1().expect(sound);
        let routes =
            api::routes(&tenants).add_service(health).add_service(reflection).add_service(reflection_alpha);
        let (drain, drained) = tokio::sync::oneshot::channel::<()>();
        let described = [
            DESCRIPTORS,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ];
        let house = House {
            tls,
            routes: routes.prepare(),
            request_streams: Arc::new(serving::request_streams(described)),
            patience: Patience::default(),
        };
        let connections_max = serving::connections_max(connections_max, shards.len());
        let mut serving = tokio::spawn(async move {
            let drained = async {
                // Sent or dropped, either way it is time.
                let _ = drained.await;
            };
            serving::serve(listener, connections_max, &house, drained).await;
        });

        let running = shards.into_iter().map(|Shard { tenant, running, .. }| (tenant, running));
        let (handles, mut ends) = watch_ends(running);
        let end = tokio::select! {
            () = stop => End::Asked,
            _ = ends.join_next() => End::OfShard,
            why = break_of(&mut tasks) => End::OfTask(why),
            ended = &mut serving => {
                ended.expect("the server task does not panic");
                return Ok(());
            }
        };
        end.tell(reserve.as_deref());
        report(&health_reporter, ServingStatus::NotServing).await;
        let ends_by = tokio::time::Instant::now() + stop_within;
        // Who follows the health hears of it, and no more: their calls would keep the others waiting.
        for service in [""].iter().chain(api::SERVICES) {
            health_reporter.clear_service_status(service).await;
        }
        // No more connections, and no more calls on those there are.
        let _ = drain.send(());
        tasks.abort_all();
        let mut last_snapshots = Vec::new();
        let ending = end_shards(handles, reserve.as_deref(), &mut last_snapshots);
        let result = tokio::time::timeout_at(ends_by, ending).await;
        let mut given_up = result.is_err();
        let result = result.unwrap_or_else(|_| Err(ServerError::StopTooLong { within: stop_within }));
        // They read what the shards wrote last. One that is not done in time is not missed: the journal has everything.
        last_snapshots.iter().for_each(Snapshotting::hurry);
        let written = tokio::task::spawn_blocking(|| last_snapshots.into_iter().for_each(Snapshotting::end));
        // The streams learn of it from their shards: they end by themselves, unless somebody does not read.
        if tokio::time::timeout_at(ends_by, serving).await.is_err() {
            tracing::warn!("calls were still open after {stop_within:?}");
        }
        if tokio::time::timeout_at(ends_by, written).await.is_err() {
            tracing::info!("no last snapshot is written in {stop_within:?}: the next start reads more");
            given_up = true;
        }
        if given_up {
            // What was given up may still write: the folder stays ours as long as the process lives.
            std::mem::forget(lock);
        } else {
            drop(lock);
        }
        match end {
            End::OfTask(why) => result.and(Err(ServerError::TaskEnded(why))),
            End::Asked | End::OfShard => result,
        }
    }
}

/// What runs beside the serving, for each tenant; to be aborted in the end.
fn beside_serving(shards: &mut [Shard], retention: &Retention) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for Shard { tenant, witnessed, .. } in shards {
        tasks.spawn(sweep(tenant.clone()));
        tasks.spawn(keep(tenant.clone(), retention.clone()));
        tasks.spawn(keep_looking(tenant.clone()));
        tasks.spawn(api::take_up(tenant.clone()));
        tasks.spawn(api::watch_beside(tenant.clone()));
        if let Some(witnessed) = witnessed.take() {
            tasks.spawn(compare_all(tenant.clone(), witnessed));
        }
    }
    tasks
}

/// Waits until one of them breaks an assumption: leases that nobody looks at any more would ring for ever. Those that come
/// to their end have done their work.
async fn break_of(tasks: &mut JoinSet<()>) -> String {
    loop {
        match tasks.join_next().await {
            Some(Err(error)) if error.is_panic() => return broken::why(&*error.into_panic()),
            Some(_) => {}
            None => std::future::pending().await,
        }
    }
}

/// Tells the health of the server and of each service.
async fn report(health: &HealthReporter, status: ServingStatus) {
    for service in [""].iter().chain(api::SERVICES) {
        health.set_service_status(*service, status).await;
    }
}

/// Finds leases that are over and tells the engine.
async fn sweep(tenant: Arc<Tenant>) {
    let mut last = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(SWEEP).await;
        observe::in_hand(&tenant.name, tenant.in_hand.now());
        let stalled = last.elapsed().saturating_sub(2 * SWEEP);
        last = tokio::time::Instant::now();
        let lost = tenant.leases.sweep(stalled);
        let agents = lost.agents.into_iter().map(|(agent, session)| Command::LoseSession { agent, session });
        let sources = lost.sources.into_iter().map(|source| Command::LoseSource { source });
        for command in agents.chain(sources) {
            // Refused if another session replaced it meanwhile: then nothing was lost.
            let _ = tenant.shard.ask(command, None).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[tokio::test]
    async fn of_what_runs_beside_the_serving_only_what_breaks_ends_the_server() {
        let mut tasks = JoinSet::new();
        tasks.spawn(async {});
        tasks.spawn(std::future::pending());
        assert_eq!(by_now(break_of(&mut tasks)).await, None, "nothing has broken");
        tasks.spawn(async { panic!("a lease is a lease") });
        assert_eq!(break_of(&mut tasks).await, "an assumption is broken: a lease is a lease");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_tenant_opens_no_more_files_than_are_kept_for_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let tokens = folder.path().join("tokens");
        let names = ["bank", "shop", "taxi"];
        let lines = names.map(|name| format!("{name}-0123456789abcdef {name} supervisor boss\n"));
        std::fs::write(&tokens, lines.concat()).expect("a new file");
        let data = folder.path().join("data");
        let settings = Settings {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            data: Some(data.clone()),
            tokens: Some(tokens),
            ..Settings::default()
        };
        let ready = prepare(&settings.validate().expect("they fit together")).await.expect("it starts");
        let open = std::fs::read_dir("/proc/self/fd").expect("the system says what is open");
        let named = open.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        let open = named.filter(|name| name.starts_with(data.join("tenants"))).count();
        drop(ready);
        let kept = names.len() * serving::FILES_OF_TENANT;
        // A third is for what is opened for a moment.
        assert!((names.len()..=kept / 3 * 2).contains(&open), "{open} files are open, {kept} are kept");
    }

    /// What a future says when everything that can go on has gone on; `None` if it still waits.
    async fn by_now<T>(future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            value = future => Some(value),
            () = async {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
            } => None,
        }
    }
}
