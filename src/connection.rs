//! A connection from the socket to the first word of HTTP/2. Whoever connects must come through TLS and say so in time:
//! the transport pings whoever has spoken, but would wait for ever for one who never does.

use crate::observe;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

/// How long a caller has for TLS and the first word together. A handshake takes a few round trips; somebody on a bad
/// mobile network has time to lose a few packets.
pub const GREETING_MAX: Duration = Duration::from_secs(10);
/// What every HTTP/2 client says first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How many connections there are, and may be.
#[derive(Clone)]
pub struct Places {
    taken: Arc<AtomicUsize>,
    most: usize,
}

/// One of them, until it is dropped.
pub struct Place(Arc<AtomicUsize>);

impl Places {
    pub fn new(most: usize) -> Places {
        Places { taken: Arc::default(), most }
    }

    /// A place, if there is one.
    pub fn take(&self) -> Option<Place> {
        let place = Place(self.taken.clone());
        observe::connection_came();
        (self.taken.fetch_add(1, Ordering::Relaxed) < self.most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        observe::connection_went();
    }
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection whose caller speaks HTTP/2. What was read of it already is read again.
pub struct Connection {
    transport: Transport,
    /// So much of the first word has been read again.
    again: usize,
    _place: Place,
}

/// Waits for TLS and the first word.
pub async fn greeted(
    socket: TcpStream,
    tls: Option<&TlsAcceptor>,
    place: Place,
    within: Duration,
) -> Result<Connection> {
    let greeting = async {
        let mut transport = match tls {
            None => Transport::Plain(socket),
            Some(tls) => Transport::Tls(tls.accept(socket).await?.into()),
        };
        let mut heard = [0; PREFACE.len()];
        match &mut transport {
            Transport::Plain(stream) => stream.read_exact(&mut heard).await?,
            Transport::Tls(stream) => stream.read_exact(&mut heard).await?,
        };
        if heard != PREFACE {
            return Err(Error::new(ErrorKind::InvalidData, "the caller does not speak HTTP/2"));
        }
        Ok(Connection { transport, again: 0, _place: place })
    };
    let late = |_| Error::new(ErrorKind::TimedOut, "the caller said nothing in time");
    tokio::time::timeout(within, greeting).await.map_err(late)?
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = self.get_mut();
        let rest = &PREFACE[this.again..];
        if !rest.is_empty() {
            let part = rest.len().min(into.remaining());
            into.put_slice(&rest[..part]);
            this.again += part;
            return Poll::Ready(Ok(()));
        }
        match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_read(context, into),
            Transport::Tls(stream) => Pin::new(&mut **stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        match &mut self.get_mut().transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(&mut **stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        match &mut self.get_mut().transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Transport::Tls(stream) => Pin::new(&mut **stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut self.get_mut().transport {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(context),
            Transport::Tls(stream) => Pin::new(&mut **stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut self.get_mut().transport {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    /// Both ends of a connection.
    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        (client.expect("it listens"), server.expect("somebody came").0)
    }

    fn place(places: &Places) -> Place {
        places.take().expect("there is room")
    }

    #[tokio::test]
    async fn who_speaks_http2_is_heard_from_the_first_word_on() {
        let (mut client, server) = pair().await;
        let said = [PREFACE, b"and more"].concat();
        client.write_all(&said).await.expect("it is open");
        let mut connection =
            greeted(server, None, place(&Places::new(1)), GREETING_MAX).await.expect("it is HTTP/2");
        let mut heard = vec![0; said.len()];
        connection.read_exact(&mut heard).await.expect("it was said");
        assert_eq!(heard, said);
    }

    #[tokio::test]
    async fn who_speaks_something_else_is_shown_out_and_leaves_a_place() {
        let places = Places::new(1);
        let (mut client, server) = pair().await;
        client.write_all(b"GET / HTTP/1.1\r\nHost: baton\r\n\r\n").await.expect("it is open");
        let refused = greeted(server, None, place(&places), GREETING_MAX).await;
        assert_eq!(refused.err().map(|error| error.kind()), Some(ErrorKind::InvalidData));
        assert_eq!(places.taken.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn who_says_nothing_or_half_a_word_is_shown_out_when_the_time_is_over() {
        let places = Places::new(2);
        let (silent, first) = pair().await;
        let (mut halting, second) = pair().await;
        halting.write_all(&PREFACE[..20]).await.expect("it is open");
        for server in [first, second] {
            let refused = greeted(server, None, place(&places), Duration::ZERO).await;
            assert_eq!(refused.err().map(|error| error.kind()), Some(ErrorKind::TimedOut));
        }
        assert_eq!(places.taken.load(Ordering::Relaxed), 0);
        drop((silent, halting));
    }

    #[test]
    fn there_are_so_many_places_and_no_more() {
        let places = Places::new(2);
        let (first, second) = (places.take(), places.take());
        assert!(first.is_some() && second.is_some() && places.take().is_none());
        drop(second);
        assert!(places.take().is_some());
    }
}
