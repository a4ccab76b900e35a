//! A simulated contact centre that uses a real server, through its public API only.
//!
//! `child` runs the server, `floor` sets it up, `agents` and `arrivals` fill it with people drawn from `constants`,
//! `view` or `lines` show what supervisors see, `summary` closes the books. `--speed` scales engine time only:
//! deadlines of calls, leases and heartbeats are real.

mod agents;
mod arrivals;
pub(crate) mod calls;
mod centre;
pub(crate) mod child;
mod clock;
pub mod constants;
mod contact;
mod desk;
mod draws;
pub(crate) mod error;
pub(crate) mod figures;
mod floor;
pub(crate) mod folder;
mod lines;
mod people;
mod population;
mod sources;
mod summary;
mod tally;
mod view;
pub(crate) mod watching;

use std::io::IsTerminal;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use error::DemoError;
pub use lines::say;
pub use summary::Summary;

use agents::Agent;
use arrivals::Arrivals;
use calls::Server;
use centre::{Centre, SOURCES};
use child::{Launch, ServerProcess};
use clock::Clock;
use folder::Folder;
use tally::Tally;
use view::Screen;
use watching::Picture;

use crate::config::JournalKind;
use crate::proto::FloorView;

/// Deaths of the server after which the demo gives up.
const DEATHS_MAX: u32 = 20;
/// How long everybody may take to go home, in real time.
const CLOSING: Duration = Duration::from_secs(30);

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the server listens. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Kept afterwards. `None` takes a temporary one that is removed.
    pub data: Option<PathBuf>,
    /// Seconds of engine time in one second.
    pub speed: u32,
    /// Real time until it ends by itself. `None` goes on until it is told.
    pub length: Option<Duration>,
    /// Time of day at the start, in seconds after midnight.
    pub from_s: u32,
    pub seed: u64,
    /// Times the agents and the arrivals of the bank.
    pub scale: u32,
}

/// Runs the demo from the start of the server to its end.
pub async fn run(settings: Settings) -> Result<Summary, DemoError> {
    let listen = free_port(settings.listen)?;
    let folder = Folder::open(settings.data.as_deref(), "baton-demo")?;
    let data = folder.path().to_owned();
    let launch = Launch { listen, data, speed: settings.speed, journal: JournalKind::Sqlite };
    let server = Server::at(listen);
    let process = match launch.start(&server).await {
        Ok(process) => process,
        Err(error) => {
            folder.discard();
            return Err(error);
        }
    };
    say(&format!(
        "server process {} on {}, data and serve.log in {}",
        process.pid(),
        launch.listen,
        folder.path().display()
    ));
    let outcome = play(&settings, launch, server, process).await;
    folder.close(outcome.as_ref().is_ok_and(Summary::adds_up));
    outcome
}

/// The day itself, on a server that answers.
async fn play(
    settings: &Settings,
    launch: Launch,
    server: Server,
    process: ServerProcess,
) -> Result<Summary, DemoError> {
    floor::provision(&server, settings.scale).await?;
    let before = watching::look(&server).await.map_err(no_figures)?;
    let mut demo = Demo::start(settings, launch, server, process);
    demo.last_until_the_end(settings.length).await?;
    demo.close(&before).await
}

/// Everything that runs.
struct Demo {
    launch: Launch,
    server: Server,
    /// `None` only while it is being restarted or ended.
    process: Option<ServerProcess>,
    /// Tells everybody of a restart; 0 while there is no server.
    pid: watch::Sender<u32>,
    picture: Picture,
    people: JoinSet<()>,
    stop: watch::Sender<bool>,
    screen: Option<Screen>,
    quit: mpsc::Receiver<()>,
}

impl Demo {
    fn start(settings: &Settings, launch: Launch, server: Server, process: ServerProcess) -> Demo {
        let (stop, stopped) = watch::channel(false);
        let (floor_found, floor) = watch::channel(None);
        let (pid, pid_known) = watch::channel(process.pid());
        let picture = Picture {
            clock: Clock::starting_now(settings.speed, settings.from_s),
            tally: Arc::new(Tally::default()),
            pid: pid_known,
            floor,
        };
        let centre = Centre::new(server.clone(), &picture, &run_id(), stopped);
        let mut people = JoinSet::new();
        people.spawn(watching::follow(centre.clone(), floor_found));
        spawn_people(&mut people, &centre, settings);
        let (quit_sender, quit) = mpsc::channel(1);
        let screen = if std::io::stdout().is_terminal() {
            Some(Screen::open(picture.clone(), quit_sender))
        } else {
            people.spawn(until_stopped(centre, lines::print(picture.clone())));
            None
        };
        Demo { launch, server, process: Some(process), pid, picture, people, stop, screen, quit }
    }

    /// Keeps the server alive until somebody or the clock ends the demo.
    async fn last_until_the_end(&mut self, length: Option<Duration>) -> Result<(), DemoError> {
        let end = async {
            match length {
                Some(length) => sleep(length).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(end);
        let mut interrupts = Interrupts::listen();
        let has_screen = self.screen.is_some();
        let mut deaths = 0;
        loop {
            let process = self.process.as_mut().expect("a restart that fails ends the demo");
            tokio::select! {
                how = process.ended() => {
                    deaths += 1;
                    if deaths > DEATHS_MAX {
                        return Err(self.give_up(DemoError::DiesAgain(deaths)));
                    }
                    self.restart(&how).await?;
                }
                () = &mut end => return Ok(()),
                () = interrupts.next() => return Ok(()),
                _ = self.quit.recv(), if has_screen => return Ok(()),
            }
        }
    }

    /// Starts the server again on the same folder. Agents and customers reconnect by themselves.
    async fn restart(&mut self, how: &str) -> Result<(), DemoError> {
        let pid = self.pid.send_replace(0);
        self.picture
            .tally
            .note(format!("the server (process {pid}) died: {how}; restarting on the same folder"));
        self.process = None;
        let process = match self.launch.start(&self.server).await {
            Ok(process) => process,
            Err(error) => return Err(self.give_up(error)),
        };
        self.pid.send_replace(process.pid());
        self.picture.tally.note(format!("the server is back as process {}", process.pid()));
        self.process = Some(process);
        Ok(())
    }

    /// Sends everybody home, takes the last figures, ends the server.
    async fn close(mut self, before: &FloorView) -> Result<Summary, DemoError> {
        self.stop.send_replace(true);
        let home = timeout(CLOSING, async { while self.people.join_next().await.is_some() {} }).await;
        if home.is_err() {
            self.picture.tally.note("not everybody could be sent home in time");
        }
        let shown = self.screen.take().map(Screen::close);
        let after = watching::look(&self.server).await.map_err(no_figures);
        let process = self.process.take().expect("the server runs until it is ended here");
        let ended = process.end().await;
        shown.transpose()?;
        let tally = &self.picture.tally;
        match ended {
            Some(status) if status.success() => {}
            Some(status) => tally.note(format!("warning: the server ended with {status}")),
            None => tally.note("warning: the server did not end when told, and was killed"),
        }
        // With a screen that is all of them: what it showed went with it.
        tally.print_notes().iter().for_each(|note| say(note));
        Ok(Summary::of(before, &after?, tally))
    }

    /// Gives the terminal back before the error is told.
    fn give_up(&mut self, error: DemoError) -> DemoError {
        match self.screen.take().map(Screen::close) {
            Some(Err(terminal)) => terminal,
            Some(Ok(())) | None => error,
        }
    }
}

/// Ctrl-C, SIGTERM and the closed terminal.
struct Interrupts(Vec<tokio::signal::unix::Signal>);

impl Interrupts {
    fn listen() -> Interrupts {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Interrupts(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let ready = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}

fn spawn_people(people: &mut JoinSet<()>, centre: &Centre, settings: &Settings) {
    people.spawn(Arrivals::new(centre.clone(), settings.seed, settings.scale).run());
    for source in SOURCES {
        people.spawn(sources::keep(centre.clone(), source));
    }
    for (id, part) in floor::agent_ids(settings.scale).iter().zip(1..) {
        let generator = draws::generator(settings.seed, part);
        let rank = (part as usize - 1) % constants::AGENTS.len();
        let (tally, stop) = (Arc::clone(&centre.tally), centre.stop.clone());
        people.spawn(Agent::new(id, rank, &centre.server, centre.clock, generator, tally, stop).work());
    }
}

async fn until_stopped(centre: Centre, work: impl Future<Output = ()>) {
    tokio::select! {
        () = centre.stopped() => {}
        () = work => {}
    }
}

/// The address to listen on: with port 0, one that is free now.
pub(crate) fn free_port(listen: SocketAddr) -> Result<SocketAddr, DemoError> {
    TcpListener::bind(listen)
        .and_then(|found| found.local_addr())
        .map_err(|source| DemoError::Address { address: listen, source })
}

/// Different for each run: the time of its start.
#[allow(clippy::disallowed_methods, reason = "a name for this run, no part of what is simulated")]
fn run_id() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("demo-{}", since.as_millis())
}

fn no_figures(status: tonic::Status) -> DemoError {
    DemoError::NoFigures(Box::new(status))
}
