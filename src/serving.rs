//! Serves connections: a thread for each processor, each with a runtime of its own, and every connection stays with one
//! of them. A thread that is alone with its connections does all that woke it before it writes, so answers that become
//! ready together leave with one call of the system; and no task moves between processors.

mod activity;
mod calls;
mod room;

use crate::connection::{Connection, Cord, GREETING_MAX, greeted};
use crate::observe;
use calls::Calls;
use room::{PARTING_MAX, Room, Visit};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::Future;
use std::net::TcpStream as Socket;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_stream::StreamExt;
use tonic::service::Routes;
use tonic::transport::Server;

pub use calls::request_streams;

/// Proxies and dead peers are found by HTTP/2 pings; they prove nothing about sessions.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A peer that does not answer a ping for this long is cut off.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// What a caller may send ahead on one stream, and on all of one connection, in bytes.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// Most calls open on one connection. A platform has one connection and a call for each of its customers who waits.
const CALLS_MAX: u32 = 4_096;
/// Calls that were reset before we came to them, at once. More is an attack (rapid reset, CVE-2023-44487), and ends the
/// connection; the usual limit of 20 would also end that of a platform whose deadlines pass while we are busy.
const RESETS_MAX: usize = 256;
/// Calls that we had to reset for what the caller did wrong, in the life of a connection.
const WRONGS_MAX: usize = 1_024;
/// The headers of one call, in bytes as HTTP/2 counts them: a token, a deadline, what proxies add.
const HEADERS_MAX: u32 = 16 * 1024;
/// One frame, in bytes: the least HTTP/2 allows, so that no call holds up the others of its connection for long.
const FRAME_MAX: u32 = 16 * 1024;

/// Of a connection that has been told to go, fewer bytes in the time it is given are farewells and pings, not an answer that
/// still leaves; which may take so many times as long.
const FAREWELL_BYTES: u64 = 256;
const LEAVING_MAX: u32 = 15;

/// How long nothing is accepted after the system refused to: it has no file numbers left, say.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Files that are not for connections: a tenant has a dozen and a half open, some more for a moment (a backtest, a
/// snapshot); the process has some of its own, and connections that are parting have given up their place already.
pub const FILES_OF_TENANT: usize = 32;
const FILES_OF_PROCESS: usize = 128 + PARTING_MAX;

/// How long what a caller could draw out may take.
#[derive(Clone, Copy)]
pub struct Patience {
    /// TLS and the first word.
    pub greeting: Duration,
    /// A request that is no stream, from its headers to its last byte. A slow line carries the largest in half of it.
    pub request: Duration,
    /// A connection without a call.
    pub idle: Duration,
    /// The same when others need its place.
    pub spared: Duration,
    /// The end of a connection that has been told of it.
    pub parting: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            greeting: GREETING_MAX,
            request: Duration::from_secs(30),
            idle: Duration::from_secs(300),
            spared: Duration::from_secs(5),
            parting: Duration::from_secs(2),
        }
    }
}

/// What is served, and to whom.
#[derive(Clone)]
pub struct House {
    pub tls: Option<TlsAcceptor>,
    pub routes: Routes,
    /// The methods whose requests are streams, by path.
    pub request_streams: Arc<BTreeSet<String>>,
    pub patience: Patience,
}

/// Connections as a serving thread gets them.
type Connections = mpsc::UnboundedSender<(Socket, Visit)>;

/// The transport's limits. A caller that breaks one loses the call, or the connection: what is theirs alone.
fn transport() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(PING_EVERY))
        .http2_keepalive_timeout(Some(PING_TIMEOUT))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(CALLS_MAX)
        .http2_max_pending_accept_reset_streams(Some(RESETS_MAX))
        .http2_max_local_error_reset_streams(Some(WRONGS_MAX))
        .http2_max_header_list_size(HEADERS_MAX)
        .max_frame_size(FRAME_MAX)
}

/// Serves until told to stop, then finishes what is open.
pub async fn serve(
    listener: TcpListener,
    connections_max: usize,
    house: &House,
    stop: impl Future<Output = ()>,
) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (drain, drained) = watch::channel(());
    let mut serving = JoinSet::new();
    let mut connections = Vec::with_capacity(threads);
    for number in 0..threads {
        let (sender, ended) = start(number, house.clone(), drained.clone());
        connections.push(sender);
        // Its end is the word, and a thread that is gone without one has been told to stop with its process.
        serving.spawn(async { drop(ended.await) });
    }
    let room = Room::new(connections_max, house.patience.spared);
    tokio::select! {
        () = accept(&listener, &connections, &room) => unreachable!("it goes on for ever"),
        () = stop => {}
        Some(ended) = serving.join_next() => ended.expect("waiting for a thread does not panic"),
    }
    drop((listener, connections, drain));
    while let Some(ended) = serving.join_next().await {
        ended.expect("waiting for a thread does not panic");
    }
}

/// As many connections as are wanted, but no more than the process may have files for: an accept that fails for want of
/// one would fail for everybody, and so would the journal.
pub fn connections_max(wanted: usize, tenants: usize) -> usize {
    let kept = FILES_OF_PROCESS + tenants * FILES_OF_TENANT;
    let room = files_max().map_or(wanted, |files| files.saturating_sub(kept).max(1));
    if room < wanted {
        tracing::warn!(wanted, room, "the system allows the process too few files for so many connections");
    }
    wanted.min(room)
}

/// How many files the process may have open, where the system says so.
fn files_max() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    files.split_whitespace().next()?.parse().ok()
}

/// Gives each connection to the next thread. One for which there is no place is closed at once: its caller knows, and
/// may try elsewhere or later.
async fn accept(listener: &TcpListener, connections: &[Connections], room: &Arc<Room>) {
    let mut turns = connections.iter().cycle();
    loop {
        let accepted = match listener.accept().await {
            Ok((stream, _)) => stream.set_nodelay(true).and_then(|()| stream.into_std()),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let Some(visit) = room.enter() else {
            observe::connection_refused("too_many");
            continue;
        };
        // A connection that broke before it began is nobody's concern.
        if let (Ok(stream), Some(thread)) = (accepted, turns.next()) {
            let _ = thread.send((stream, visit));
        }
    }
}

fn start(number: usize, house: House, drained: watch::Receiver<()>) -> (Connections, oneshot::Receiver<()>) {
    let (sender, accepted) = mpsc::unbounded_channel();
    let (end, ended) = oneshot::channel::<()>();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system can wait for sockets at start-up");
        runtime.block_on(attend_all(accepted, house, drained));
        drop(end);
    };
    let thread = std::thread::Builder::new().name(format!("serve-{number}"));
    thread.spawn(run).expect("the system can start a thread at start-up");
    (sender, ended)
}

/// Every connection of a thread, until there are no more.
async fn attend_all(
    mut accepted: mpsc::UnboundedReceiver<(Socket, Visit)>,
    house: House,
    drained: watch::Receiver<()>,
) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            next = accepted.recv() => match next {
                Some((socket, visit)) => drop(open.spawn(attend(socket, visit, house.clone(), drained.clone()))),
                None => break,
            },
            // One that broke an assumption is over like any other.
            Some(_) = open.join_next() => {}
        }
    }
    while open.join_next().await.is_some() {}
}

/// A connection from its first word to its end.
async fn attend(socket: Socket, visit: Visit, house: House, mut drained: watch::Receiver<()>) {
    // As above: one that broke before it began.
    let Ok(socket) = TcpStream::from_std(socket) else { return };
    let greeted = tokio::select! {
        greeted = greeted(socket, house.tls.as_ref(), house.patience.greeting) => greeted,
        why = visit.activity.leaves(house.patience.idle) => return observe::connection_ended(why.name()),
        _ = drained.changed() => return,
    };
    match greeted {
        Ok((connection, cord)) => keep(connection, cord, &visit, house, drained).await,
        Err(error) => {
            tracing::debug!(%error, "a connection said nothing that can be served");
            observe::connection_refused("greeting");
        }
    }
}

/// Serves one connection until it ends by itself, has been without a call for too long, is to make room, or the server
/// stops. Whoever is to go is told (GOAWAY) and finishes what is open; one who stays without a call is cut off.
async fn keep(
    connection: Connection,
    Cord { cut, gone, written }: Cord,
    visit: &Visit,
    house: House,
    mut drained: watch::Receiver<()>,
) {
    let (activity, patience) = (&visit.activity, house.patience);
    let calls = Calls {
        routes: house.routes,
        request_streams: house.request_streams,
        request_max: patience.request,
        activity: activity.clone(),
    };
    // A server for each connection, since the transport tells all connections of one to go, or none.
    let incoming = tokio_stream::once(Ok::<_, Infallible>(connection)).chain(tokio_stream::pending());
    let (tell, told) = oneshot::channel::<()>();
    let told = async {
        // Its end is the word.
        let _ = told.await;
    };
    let serving = transport().serve_with_incoming_shutdown(calls, incoming, told);
    let parting = async {
        tokio::select! {
            why = activity.leaves(patience.idle) => observe::connection_ended(why.name()),
            _ = drained.changed() => {}
        }
        drop(tell);
        for _ in 0..LEAVING_MAX {
            let before = written.load(Ordering::Relaxed);
            tokio::time::sleep(patience.parting).await;
            activity.idle_for(patience.parting).await;
            // A call is over for us when the transport has its answer, which may still be leaving.
            if written.load(Ordering::Relaxed) - before < FAREWELL_BYTES {
                break;
            }
        }
        drop(cut);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        // Nothing of it can fail but the making of the service, which does not.
        _ = serving => {}
        () = parting => {}
        _ = gone => {}
    }
}

#[cfg(test)]
mod tests;
