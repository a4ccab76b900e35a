//! Serves connections: a thread for each processor, each with a runtime of its own, and every connection stays with one
//! of them. A thread that is alone with its connections does all that woke it before it writes, so answers that become
//! ready together leave with one call of the system; and no task moves between processors.

use std::future::Future;
use std::net::TcpStream as Accepted;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::service::Routes;
use tonic::transport::{Error, Server};

/// How long nothing is accepted after the system refused to: it has no file numbers left, say.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Connections as a serving thread gets them.
type Connections = mpsc::UnboundedSender<Accepted>;

/// Serves until told to stop, then finishes what is open.
pub async fn serve(
    listener: TcpListener,
    server: &Server,
    routes: &Routes,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (drain, drained) = watch::channel(());
    let mut serving = JoinSet::new();
    let mut connections = Vec::with_capacity(threads);
    for number in 0..threads {
        let (sender, ended) = start(number, server.clone(), routes.clone(), drained.clone());
        connections.push(sender);
        // A thread that is gone without a word has been told to stop with its process.
        serving.spawn(async { ended.await.unwrap_or(Ok(())) });
    }
    tokio::select! {
        () = accept(&listener, &connections) => unreachable!("it goes on for ever"),
        () = stop => {}
        Some(ended) = serving.join_next() => ended.expect("waiting for a thread does not panic")?,
    }
    drop((listener, connections, drain));
    while let Some(ended) = serving.join_next().await {
        ended.expect("waiting for a thread does not panic")?;
    }
    Ok(())
}

/// Gives each connection to the next thread.
async fn accept(listener: &TcpListener, connections: &[Connections]) {
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
        // A connection that broke before it began is nobody's concern.
        if let (Ok(stream), Some(thread)) = (accepted, turns.next()) {
            let _ = thread.send(stream);
        }
    }
}

fn start(
    number: usize,
    mut server: Server,
    routes: Routes,
    mut drained: watch::Receiver<()>,
) -> (Connections, oneshot::Receiver<Result<(), Error>>) {
    let (sender, accepted) = mpsc::unbounded_channel::<Accepted>();
    let (end, ended) = oneshot::channel();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system can wait for sockets at start-up");
        let incoming = UnboundedReceiverStream::new(accepted).map(TcpStream::from_std);
        let served =
            runtime.block_on(server.add_routes(routes).serve_with_incoming_shutdown(incoming, async move {
                // Its end is the word.
                let _ = drained.changed().await;
            }));
        // Whoever waits for it may be gone.
        let _ = end.send(served);
    };
    let thread = std::thread::Builder::new().name(format!("serve-{number}"));
    thread.spawn(run).expect("the system can start a thread at start-up");
    (sender, ended)
}
