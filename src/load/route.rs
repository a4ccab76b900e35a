//! Submitting on streams (`Interactions.Route`): many requests under way on each, answered in any order.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use tokio::time::sleep;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::calls::Calls;
use super::outgoing::Outgoing;
use super::run::{Miss, Run};
use super::seen::{Caller, Routed, Routing};
use super::settings::What;
use super::tally::Kind;
use super::unary::{ERROR_PAUSE, cancel_request};
use crate::proto::route_request::Request;
use crate::proto::{RouteRequest, SubmitRequest};

/// The streams of a source, used in turn.
pub struct Route {
    streams: Vec<Arc<Stream>>,
    turn: AtomicUsize,
}

struct Stream {
    run: Arc<Run>,
    out: Outgoing<RouteRequest>,
    sent: Mutex<Calls<Sent>>,
}

/// What is not answered yet, and since when.
enum Sent {
    Submit { due_ns: u64 },
    Cancel { since_ns: u64 },
}

impl Route {
    /// Opens a stream on each connection. `broken` hears of one that ends before it is closed.
    pub fn open(run: &Arc<Run>, channels: Vec<Channel>, broken: &mpsc::Sender<String>) -> Arc<Route> {
        let stream = |channel| {
            let stream = Stream { run: run.clone(), out: Outgoing::new(), sent: Mutex::default() };
            let stream = Arc::new(stream);
            tokio::spawn(stream.clone().listen(channel, broken.clone()));
            stream
        };
        Arc::new(Route { streams: channels.into_iter().map(stream).collect(), turn: AtomicUsize::new(0) })
    }

    /// Sends it. The slot it has is given back when its part in the load is over.
    pub fn submit(&self, request: SubmitRequest, due_ns: u64) {
        let turn = self.turn.fetch_add(1, Relaxed) % self.streams.len();
        self.streams[turn].send(Sent::Submit { due_ns }, Request::Submit(request.into()));
    }

    /// Nothing more is sent: the streams end.
    pub fn close(&self) {
        self.streams.iter().for_each(|stream| stream.out.close());
    }
}

impl Stream {
    fn send(&self, sent: Sent, request: Request) {
        let tag = self.sent.lock().expect("noting does not panic").open(sent);
        self.out.push(RouteRequest { tag, request: Some(request) });
    }

    async fn listen(self: Arc<Stream>, channel: Channel, broken: mpsc::Sender<String>) {
        let ended = match Caller::new(channel).route(self.out.clone()).await {
            Ok(answers) => self.read(answers).await,
            Err(status) => Err(status),
        };
        if let Err(status) = ended {
            // One reason is enough.
            let _ = broken.try_send(format!("a stream of submits ended: {}", Miss::from(status).word));
        }
    }

    async fn read(&self, mut answers: Streaming<Routed>) -> Result<(), Status> {
        while let Some(answer) = answers.message().await? {
            let sent = self.sent.lock().expect("noting does not panic").close(answer.tag);
            let routing = answer.routing.unwrap_or(Routing::Interaction(Default::default()));
            match sent {
                Some(Sent::Submit { due_ns }) => self.submitted(due_ns, routing),
                Some(Sent::Cancel { since_ns }) => self.cancelled(since_ns, routing),
                None => {}
            }
        }
        match self.out.is_closed() {
            true => Ok(()),
            false => Err(Status::unavailable("the server ended the stream")),
        }
    }

    fn submitted(&self, due_ns: u64, routing: Routing) {
        let answer = match routing {
            Routing::Submitted(submitted) => Ok(submitted.name),
            Routing::Failure(failure) => Err(Miss::from(failure)),
            Routing::Interaction(seen) => Ok(seen.name),
        };
        match self.run.submitted(due_ns, answer) {
            // Agents give the slot back, when all is over.
            Ok(None) if self.run.what == What::Cycle => {}
            Ok(None) => self.run.slots.give(),
            Ok(Some(oldest)) => {
                let since_ns = self.run.tally.now_ns();
                self.run.tally.started(Kind::Cancel, since_ns);
                self.send(Sent::Cancel { since_ns }, Request::Cancel(cancel_request(oldest)));
            }
            Err(_) => {
                let run = self.run.clone();
                tokio::spawn(async move {
                    sleep(ERROR_PAUSE).await;
                    run.slots.give();
                });
            }
        }
    }

    fn cancelled(&self, since_ns: u64, routing: Routing) {
        let answer = match routing {
            Routing::Interaction(seen) => Ok(seen.state()),
            Routing::Failure(failure) => Err(Miss::from(failure)),
            Routing::Submitted(_) => Ok(Default::default()),
        };
        self.run.cancelled(since_ns, answer);
        self.run.slots.give();
    }
}
