//! The load generator: makes a floor, signs agents in, submits at a fixed rate or as fast as it goes, measures, and
//! closes the books. It is a client like any other, and cheap, since it shares its machine with the server.
//!
//! `drive` sends what `mix` draws when `schedule` says, over `unary` or `route`; `desks` and `works` are the agents; `tally`
//! counts; `books` and `figures` are the end.

mod books;
mod calls;
mod cost;
mod desks;
mod drive;
mod error;
mod figures;
mod floor;
mod life;
mod mix;
mod outgoing;
mod progress;
mod roll;
mod route;
mod run;
mod schedule;
mod seen;
pub mod settings;
mod staff;
mod sweep;
mod tally;
mod target;
mod ticker;
mod unary;
mod works;

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

pub use error::LoadError;
pub use figures::{CallFigures, Figures};
pub use mix::Mix;
pub use progress::Progress;
pub use schedule::Burst;
pub use settings::Settings;
pub use tally::Kind;

use books::{Books, look};
use drive::{Drive, Line};
use mix::Requests;
use route::Route;
use run::Run;
use settings::{Pace, Via};
use staff::Staff;
use target::Target;
use unary::Unary;

/// How long what is in flight may still take in the end.
const DRAIN: Duration = Duration::from_secs(15);
/// Time between two looks at what is in flight.
const DRAIN_LOOK: Duration = Duration::from_millis(5);

/// Runs it all, until the time is over or `stop` comes, and tells what it came to.
pub async fn run(
    settings: &Settings,
    stop: impl Future<Output = ()>,
    progress: &Progress,
) -> Result<Figures, LoadError> {
    tokio::pin!(stop);
    let target = tokio::select! {
        target = Target::open(&settings.target) => target?,
        () = &mut stop => return Err(LoadError::Stopped),
    };
    let figures = play(&target, settings, stop, progress).await;
    let figures = figures.map(|figures| Figures { server_data_bytes: target.data_bytes(), ..figures });
    target.close().await;
    figures
}

async fn play(
    target: &Target,
    settings: &Settings,
    mut stop: Pin<&mut impl Future<Output = ()>>,
    progress: &Progress,
) -> Result<Figures, LoadError> {
    let run = Arc::new(Run::new(settings));
    let (broken, breaks) = mpsc::channel(1);
    let (staff, sign_in) = tokio::select! {
        staff = set_up(&run, target, settings, broken.clone(), progress) => staff?,
        () = &mut stop => return Err(LoadError::Stopped),
    };
    let before = look(&target.server).await?;
    let connections = target.connections(settings.connections);
    let line = match settings.via {
        Via::Unary => Line::Unary(Unary::new(run.clone(), connections)),
        Via::Stream => Line::Stream(Route::open(&run, connections, &broken)),
    };
    let requests = Requests::new(settings, &run.source);
    let drive = Drive { run: run.clone(), line: line.clone(), requests };
    let measured = load(drive, target, settings, breaks, stop, progress).await?;
    drain(&run).await;
    line.close();
    sweep::sweep(&run, &target.server, target.connection()).await;
    staff.leave().await;
    let after = look(&target.server).await?;
    let books = Books::close(&before, &after, &run, target.is_own());
    let figures = Figures::of(settings, &run.tally, sign_in.as_secs_f64(), books);
    Ok(Figures { journal: target.journal.map(|journal| journal.name()), ..measured.into(figures) })
}

/// The floor, the customers, and everybody at their desks. Says how long signing in took.
async fn set_up(
    run: &Arc<Run>,
    target: &Target,
    settings: &Settings,
    broken: mpsc::Sender<String>,
    progress: &Progress,
) -> Result<(Staff, Duration), LoadError> {
    progress
        .part("floor and customers", u64::from(2 * settings.skills + settings.agents + settings.customers));
    floor::provision(&target.server, settings, |steps| progress.step(steps)).await?;
    progress.part("agents sign in", u64::from(settings.agents));
    let since = Instant::now();
    let staff = Staff::sign_in(run, target, settings, broken).await?;
    Ok((staff, since.elapsed()))
}

/// What only the one who measures knows.
struct Measured {
    ended_early: Option<String>,
    client_cpu_s: Option<f64>,
    server_cpu_s: Option<f64>,
    server_memory_bytes: Option<u64>,
}

impl Measured {
    fn into(self, figures: Figures) -> Figures {
        let Measured { ended_early, client_cpu_s, server_cpu_s, server_memory_bytes } = self;
        Figures { ended_early, client_cpu_s, server_cpu_s, server_memory_bytes, ..figures }
    }
}

/// Warms up and measures.
async fn load(
    drive: Drive,
    target: &Target,
    settings: &Settings,
    mut breaks: mpsc::Receiver<String>,
    stop: Pin<&mut impl Future<Output = ()>>,
    progress: &Progress,
) -> Result<Measured, LoadError> {
    let run = drive.run.clone();
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).expect("a run is shorter than 584 years");
    let (now, from_ns) = (Instant::now(), run.tally.now_ns());
    let begin_ns = from_ns + nanos(settings.warm_up);
    let measured = begin_ns..begin_ns + nanos(settings.length);
    run.tally.measure(measured.start, measured.end);
    let cpu_s = || (cost::cpu_s(std::process::id()), target.cpu_s());
    let begun = Cell::new(cpu_s());
    let time = async {
        sleep_until(now + settings.warm_up).await;
        begun.set(cpu_s());
        match settings.pace {
            Pace::Closed { .. } => sleep_until(now + settings.warm_up + settings.length).await,
            // What is due to the end is sent, however late: the one who sends says when.
            Pace::Open { .. } => std::future::pending().await,
        }
    };
    let ended_early = tokio::select! {
        sent = drive.on(settings.pace, from_ns, measured) => { sent?; None }
        never = progress.follow(&run) => match never {},
        () = time => None,
        () = stop => Some("stopped".to_owned()),
        Some(why) = breaks.recv() => Some(why),
    };
    run.tally.cut();
    let ((client_before, server_before), (client, server)) = (begun.get(), cpu_s());
    let spent = |after: Option<f64>, before: Option<f64>| Some(figures::rounded(after? - before?));
    Ok(Measured {
        ended_early,
        client_cpu_s: spent(client, client_before),
        server_cpu_s: spent(server, server_before),
        server_memory_bytes: target.memory_bytes(),
    })
}

/// Waits for what is in flight, but not for ever.
async fn drain(run: &Run) {
    let until = Instant::now() + DRAIN;
    while run.slots.taken() > 0 && Instant::now() < until {
        sleep(DRAIN_LOOK).await;
    }
}
