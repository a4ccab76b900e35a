//! `baton load`: the load generator, against a running server or one of its own.
//!
//! Figures go to standard output, the progress and what went wrong to standard error.

use super::printed::complain;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::JournalKind;
use crate::load::settings::{
    AGENTS_MAX, AgentsVia, CLOSED_MAX, CONNECTIONS_MAX, CUSTOMERS_MAX, LENGTH_MAX, MESSAGE_MAX, Pace,
    RATE_MAX, SKILLS_MAX, Target, Via, WAITING_MAX, WORK_AGENTS_MAX, What,
};
use crate::load::{self, Burst, Figures, LoadError, Mix, Progress, Settings};

/// Wrong usage.
const EXIT_USAGE: u8 = 2;
/// The system refused to start threads (EX_OSERR).
const EXIT_SYSTEM: u8 = 71;

/// Puts load on a server and tells how it bears it: calls a second, latencies, errors, and whether the books balance.
///
/// `baton load --serve` starts a server of its own, measures it and ends it. Without --serve the server at --addr
/// bears the load; it gets skills, queues and agents named load-…, and is left with nothing in line.
///
/// In closed loop (--closed, the default) the next interaction is sent when one of so many is done: the most a server
/// can do. In open loop (--rate) they are sent on a schedule, whatever the server does, and latency is measured from
/// the schedule: what a customer would feel.
///
/// Rows of the result: sign_in; send_late (how late the generator itself was, open loop only); submit (until the
/// server has taken it); cancel; offer (from the submit until an agent's stream shows the offer); accept; complete;
/// wrap_up; cycle (from the submit until the wrap-up has ended).
///
/// Exit codes: 0 all well, 1 the books do not balance or the run could not be made, 2 wrong usage, 69 no server.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    baton load --serve --memory --what submit --closed 64\n  \
    baton load --serve --data /tmp/figures --what cycle --rate 1000 --for 1m --output json\n  \
    baton load --addr http://127.0.0.1:7700 --agents 20000 --skills 500 --channels voice=90,chat=10 \\\n    \
    --rate 2000 --burst 10x10s --for 1m")]
pub struct LoadArgs {
    /// A server that runs: address and port on this machine
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7700", value_parser = address, conflicts_with = "serve")]
    addr: SocketAddr,
    /// Start a server of its own for this run, on a free port, with the rules that are built in
    #[arg(long)]
    serve: bool,
    /// With --serve: keep its journal in memory; what it answers is not durable
    #[arg(long, requires = "serve", conflicts_with = "data")]
    memory: bool,
    /// With --serve: folder of its data, kept afterwards [default: a temporary one, removed afterwards]
    #[arg(long, value_name = "DIR", requires = "serve")]
    data: Option<PathBuf>,
    /// What is driven
    #[arg(long, value_enum, default_value = "cycle")]
    what: What,
    /// How interactions are submitted
    #[arg(long, value_enum, default_value = "unary")]
    via: Via,
    /// Closed loop: so many interactions in flight [default: 64]
    #[arg(long, value_name = "NUMBER", conflicts_with = "rate", value_parser = up_to(1, CLOSED_MAX))]
    closed: Option<u32>,
    /// Open loop: so many interactions a second
    #[arg(long, value_name = "PER_SECOND", value_parser = up_to(1, RATE_MAX))]
    rate: Option<u32>,
    /// With --rate: so many times the rate for so long, in the middle of the measured time, such as 10x10s
    #[arg(long, value_name = "FACTORxTIME", requires = "rate")]
    burst: Option<Burst>,
    /// Measured time
    #[arg(long = "for", value_name = "TIME", default_value = "30s", value_parser = length)]
    length: Duration,
    /// Load before that, not counted
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    warm_up: Duration,
    /// Agents, signed in before the load begins
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = up_to(0, AGENTS_MAX))]
    agents: u32,
    /// How agents are connected
    #[arg(long, value_enum, default_value = "attach")]
    agents_via: AgentsVia,
    /// With --agents-via attach: streams that share the agents
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = up_to(1, CONNECTIONS_MAX))]
    agent_streams: u32,
    /// What an agent takes to accept, to talk and to wrap up, each
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    think: Duration,
    /// Skills: each has a queue, and each agent two of them
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = up_to(1, SKILLS_MAX))]
    skills: u32,
    /// Shares of channels
    #[arg(long, value_name = "SHARES", default_value = "voice=50,chat=30,message=10,email=10")]
    channels: Mix,
    /// Customers, known to the server before the load begins; 0: nobody is known
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = up_to(0, CUSTOMERS_MAX))]
    customers: u32,
    /// With --what submit: so many are kept waiting, the oldest are cancelled
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = up_to(0, WAITING_MAX))]
    waiting: u32,
    /// Characters of the customer's message; with 100 a request has some 270 bytes
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = up_to(0, MESSAGE_MAX))]
    message: u32,
    /// Connections for submitting, or streams, and connections for the agents' streams
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = up_to(1, CONNECTIONS_MAX))]
    connections: u32,
    /// Threads of the generator
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = up_to(1, 64))]
    threads: u32,
    /// Seed of what is drawn: channels, queues, customers
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Table,
    /// One JSON object, the calls by kind
    Json,
}

/// In flight, where nothing else is asked for.
const CLOSED_DEFAULT: u32 = 64;

/// Runs the command and tells how it went.
pub fn run(args: LoadArgs) -> ExitCode {
    let settings = match settings(&args) {
        Ok(settings) => settings,
        Err(wrong) => return failed(&wrong, EXIT_USAGE),
    };
    let mut builder = match args.threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = match builder.worker_threads(args.threads as usize).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error, EXIT_SYSTEM),
    };
    match runtime.block_on(measure(&settings)) {
        Ok(figures) => match print(&figures, args.output) {
            // Whoever reads us has seen enough, as `head` has.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => failed(&error, 1),
            _ => ExitCode::from(u8::from(!figures.books_balanced)),
        },
        Err(error) => failed(&error, error.exit_code()),
    }
}

async fn measure(settings: &Settings) -> Result<Figures, LoadError> {
    let stop = async {
        // Where Ctrl-C cannot be heard, it ends the process as it always did.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let progress = Progress::shown();
    load::run(settings, stop, &progress).await
}

fn settings(args: &LoadArgs) -> Result<Settings, String> {
    if args.agents_via == AgentsVia::Work && args.agents > WORK_AGENTS_MAX {
        return Err(format!(
            "--agents: got {}, want at most {WORK_AGENTS_MAX} with a stream each",
            args.agents
        ));
    }
    if args.what == What::Cycle && args.agents == 0 {
        return Err("--agents: got 0, want 1 or more: somebody must answer".to_owned());
    }
    let target = match args.serve {
        true => {
            let journal = if args.memory { JournalKind::Memory } else { JournalKind::Sqlite };
            Target::Own { journal, data: args.data.clone() }
        }
        false => Target::Running(args.addr),
    };
    let pace = match args.rate {
        Some(rate) => Pace::Open { rate, burst: args.burst },
        None => Pace::Closed { in_flight: args.closed.unwrap_or(CLOSED_DEFAULT) },
    };
    Ok(Settings {
        target,
        what: args.what,
        via: args.via,
        pace,
        length: args.length,
        warm_up: args.warm_up,
        agents: args.agents,
        agents_via: args.agents_via,
        agent_streams: args.agent_streams,
        skills: args.skills,
        mix: args.channels.clone(),
        customers: args.customers,
        think: args.think,
        waiting: args.waiting,
        connections: args.connections,
        message: args.message,
        seed: args.seed,
    })
}

fn print(figures: &Figures, output: Output) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match output {
        Output::Table => write!(out, "{figures}")?,
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, figures).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

fn failed(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    complain(format_args!("baton load: {error}"));
    ExitCode::from(code)
}

fn up_to(least: u32, most: u32) -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(i64::from(least)..=i64::from(most))
}

/// `http://127.0.0.1:7700`, with or without the scheme.
fn address(text: &str) -> Result<SocketAddr, String> {
    let plain = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    let address: SocketAddr =
        plain.parse().map_err(|error| format!("{error}; expected one such as http://127.0.0.1:7700"))?;
    match address.ip().is_loopback() {
        true => Ok(address),
        // Such a server demands TLS and a token, and there is somebody on it who did not ask for this.
        false => Err("expected an address of this machine, such as http://127.0.0.1:7700".to_owned()),
    }
}

fn length(text: &str) -> Result<Duration, String> {
    time(text).and_then(|time| {
        if time.is_zero() { Err("expected a time such as 30s or 10m".into()) } else { Ok(time) }
    })
}

fn time(text: &str) -> Result<Duration, String> {
    let wanted =
        format!("expected a time such as 0s, 30s or 10m, of at most {} h", LENGTH_MAX.as_secs() / 3_600);
    let parsed: jiff::SignedDuration = text.parse().map_err(|error| format!("{error}; {wanted}"))?;
    Duration::try_from(parsed).ok().filter(|time| *time <= LENGTH_MAX).ok_or(wanted)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        load: LoadArgs,
    }

    fn parsed(line: &str) -> Result<Settings, String> {
        let words = std::iter::once("load").chain(line.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        settings(&line.load)
    }

    #[test]
    fn without_options_it_is_closed_loop_on_a_running_server() {
        let settings = parsed("").expect("the defaults fit together");
        assert_eq!(settings.pace, Pace::Closed { in_flight: 64 });
        assert!(matches!(settings.target, Target::Running(address) if address.port() == 7700));
    }

    #[test]
    fn a_rate_makes_it_an_open_loop() {
        let settings =
            parsed("--serve --memory --rate 500 --burst 10x10s --for 1m").expect("it fits together");
        assert!(matches!(settings.pace, Pace::Open { rate: 500, burst: Some(burst) } if burst.factor == 10));
        assert!(matches!(settings.target, Target::Own { journal: JournalKind::Memory, data: None }));
        assert_eq!(settings.length, Duration::from_secs(60));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in [
            "--rate 0",
            "--rate 5 --closed 5",
            "--burst 10x1s",
            "--for 0s",
            "--addr http://10.0.0.1:7700",
            "--serve --addr 127.0.0.1:7700",
            "--memory",
            "--serve --memory --data x",
            "--agents 0",
            "--agents-via work --agents 1001",
            "--channels pigeon=1",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
