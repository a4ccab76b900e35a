//! Serves connections: a thread for each processor, each with a runtime of its own, and every connection stays with one
//! of them. A thread that is alone with its connections does all that woke it before it writes, so answers that become
//! ready together leave with one call of the system; and no task moves between processors.

use crate::connection::{Connection, GREETING_MAX, Place, Places, greeted};
use crate::observe;
use std::future::Future;
use std::net::TcpStream as Socket;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::service::Routes;
use tonic::transport::{Error, Server};

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

/// How long nothing is accepted after the system refused to: it has no file numbers left, say.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Files that are not for connections: those of the tenants, a dozen each, and whatever the process has besides.
const FILES_KEPT: usize = 256;

/// Connections as a serving thread gets them.
type Connections = mpsc::UnboundedSender<(Socket, Place)>;

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
    tls: Option<TlsAcceptor>,
    connections_max: usize,
    routes: &Routes,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (drain, drained) = watch::channel(());
    let mut serving = JoinSet::new();
    let mut connections = Vec::with_capacity(threads);
    for number in 0..threads {
        let (sender, ended) = start(number, tls.clone(), routes.clone(), drained.clone());
        connections.push(sender);
        // A thread that is gone without a word has been told to stop with its process.
        serving.spawn(async { ended.await.unwrap_or(Ok(())) });
    }
    let places = places(connections_max);
    tokio::select! {
        () = accept(&listener, &connections, &places) => unreachable!("it goes on for ever"),
        () = stop => {}
        Some(ended) = serving.join_next() => ended.expect("waiting for a thread does not panic")?,
    }
    drop((listener, connections, drain));
    while let Some(ended) = serving.join_next().await {
        ended.expect("waiting for a thread does not panic")?;
    }
    Ok(())
}

/// As many connections as are wanted, but no more than the process may have files for: an accept that fails for want of
/// one would fail for everybody, and so would the journal.
fn places(wanted: usize) -> Places {
    let room = files_max().map_or(wanted, |files| files.saturating_sub(FILES_KEPT).max(1));
    if room < wanted {
        tracing::warn!(wanted, room, "the system allows the process too few files for so many connections");
    }
    Places::new(wanted.min(room))
}

/// How many files the process may have open, where the system says so.
fn files_max() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    files.split_whitespace().next()?.parse().ok()
}

/// Gives each connection to the next thread. One for which there is no place is closed at once: its caller knows, and
/// may try elsewhere or later.
async fn accept(listener: &TcpListener, connections: &[Connections], places: &Places) {
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
        let Some(place) = places.take() else {
            observe::connection_refused("too_many");
            continue;
        };
        // A connection that broke before it began is nobody's concern.
        if let (Ok(stream), Some(thread)) = (accepted, turns.next()) {
            let _ = thread.send((stream, place));
        }
    }
}

fn start(
    number: usize,
    tls: Option<TlsAcceptor>,
    routes: Routes,
    mut drained: watch::Receiver<()>,
) -> (Connections, oneshot::Receiver<Result<(), Error>>) {
    let (sender, accepted) = mpsc::unbounded_channel::<(Socket, Place)>();
    let (end, ended) = oneshot::channel();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system can wait for sockets at start-up");
        let (ready, incoming) = mpsc::unbounded_channel();
        let incoming = UnboundedReceiverStream::new(incoming).map(Ok::<_, std::io::Error>);
        let served = runtime.block_on(async move {
            tokio::spawn(greet(accepted, tls, ready));
            let mut server = transport();
            let drained = async move {
                // Its end is the word.
                let _ = drained.changed().await;
            };
            server.add_routes(routes).serve_with_incoming_shutdown(incoming, drained).await
        });
        // Whoever waits for it may be gone.
        let _ = end.send(served);
    };
    let thread = std::thread::Builder::new().name(format!("serve-{number}"));
    thread.spawn(run).expect("the system can start a thread at start-up");
    (sender, ended)
}

/// Lets each caller say who they are, in their own time, and hands on those who did.
async fn greet(
    mut accepted: mpsc::UnboundedReceiver<(Socket, Place)>,
    tls: Option<TlsAcceptor>,
    ready: mpsc::UnboundedSender<Connection>,
) {
    while let Some((socket, place)) = accepted.recv().await {
        // As above: one that broke before it began.
        let Ok(socket) = TcpStream::from_std(socket) else { continue };
        let (tls, ready) = (tls.clone(), ready.clone());
        tokio::spawn(async move {
            match greeted(socket, tls.as_ref(), place, GREETING_MAX).await {
                // It came while we stop, and finds the connection closed.
                Ok(connection) => drop(ready.send(connection)),
                Err(error) => {
                    tracing::debug!(%error, "a connection said nothing that can be served");
                    observe::connection_refused("greeting");
                }
            }
        });
    }
}
