//! What every call passes on its way to the routes and back. Its request must be whole in time, and it counts for its
//! connection until its answer has left.

use super::activity::{Activity, Call, Half};
use crate::api::ApiError;
use http_body::{Frame, SizeHint};
use prost::Message;
use prost::bytes::Bytes;
use prost_types::FileDescriptorSet;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tonic::service::Routes;
use tonic::{Code, Status};

/// Calls that need a credential, wherever one is needed at all. Health and reflection are for everybody, so they keep
/// nobody's place.
const OURS: &str = "/baton.v1.";

/// The methods, by path, whose requests are streams: these may be silent for as long as their sessions allow.
pub fn request_streams<'a>(descriptors: impl IntoIterator<Item = &'a [u8]>) -> BTreeSet<String> {
    let mut streams = BTreeSet::new();
    for descriptor in descriptors {
        let files = FileDescriptorSet::decode(descriptor).expect("it was compiled with the program");
        for file in &files.file {
            for service in &file.service {
                let methods = service.method.iter().filter(|method| method.client_streaming());
                let path = |method: &str| format!("/{}.{}/{method}", file.package(), service.name());
                streams.extend(methods.map(|method| path(method.name())));
            }
        }
    }
    streams
}

/// The routes, as one connection reaches them.
#[derive(Clone)]
pub struct Calls {
    pub routes: Routes,
    /// See [`request_streams`].
    pub request_streams: Arc<BTreeSet<String>>,
    /// How long all other requests may take to come, from their headers on.
    pub request_max: Duration,
    pub activity: Arc<Activity>,
}

impl Service<Request<Body>> for Calls {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.routes, context)
    }

    fn call(&mut self, request: Request<Body>) -> Answering {
        let path = request.uri().path();
        let call = path.starts_with(OURS).then(|| self.activity.call());
        let request = if self.request_streams.contains(path) {
            request
        } else {
            let half = call.is_some().then(|| self.activity.half());
            request.map(|body| Body::new(Coming::new(body, self.request_max, half)))
        };
        Answering { call, answering: self.routes.call(request) }
    }
}

/// The body of a request that must be whole in time.
struct Coming {
    body: Body,
    within: Duration,
    by: Instant,
    /// Only needed by those who keep us waiting.
    late: Option<Pin<Box<Sleep>>>,
    /// `None` as soon as it is whole.
    half: Option<Half>,
}

impl Coming {
    fn new(body: Body, within: Duration, half: Option<Half>) -> Coming {
        Coming { body, within, by: Instant::now() + within, late: None, half }
    }

    fn too_late(&self) -> Status {
        let message = format!("the request was not whole after {:?}, want all of it by then", self.within);
        ApiError::new(Code::DeadlineExceeded, "REQUEST_INCOMPLETE", message).into()
    }
}

impl http_body::Body for Coming {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            if frame.is_none() || this.body.is_end_stream() {
                this.half = None;
            }
            return Poll::Ready(frame);
        }
        let late = this.late.get_or_insert_with(|| Box::pin(sleep_until(this.by)));
        late.as_mut().poll(context).map(|()| Some(Err(this.too_late())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A call that is being answered.
pub struct Answering {
    // Dropped before what is asked for: a call that ends with half a request was none.
    call: Option<Call>,
    answering: <Routes as Service<Request<Body>>>::Future,
}

impl Future for Answering {
    type Output = Result<Response<Answer>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Poll::Ready(Ok(response)) = Pin::new(&mut self.answering).poll(context) else {
            return Poll::Pending;
        };
        let mut call = self.call.take();
        // An error alone is told in the headers.
        if response.headers().contains_key(Status::GRPC_STATUS) {
            call.iter_mut().for_each(Call::came_to_nothing);
        }
        Poll::Ready(Ok(response.map(|body| Answer { body, _call: call })))
    }
}

/// The answer, while it leaves.
pub struct Answer {
    body: Body,
    _call: Option<Call>,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::DESCRIPTORS;

    #[test]
    fn the_requests_that_are_streams_are_those_the_protocol_says() {
        let ours = request_streams([DESCRIPTORS]);
        let said = ["/baton.v1.Agents/Attach", "/baton.v1.Interactions/Route"];
        assert_eq!(ours.iter().map(String::as_str).collect::<Vec<_>>(), said);
        let reflection = request_streams([tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET]);
        assert!(reflection.contains("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"));
        assert!(request_streams([tonic_health::pb::FILE_DESCRIPTOR_SET]).is_empty());
    }
}
