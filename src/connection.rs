//! A connection from the socket to the first word of HTTP/2, and its last. Whoever connects must come through TLS and say
//! so in time: the transport pings whoever has spoken, but would wait for ever for one who never does. And it asks for a
//! connection to end, but cannot end one whose other side does not want to.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::coop::{Unconstrained, unconstrained};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

/// How long a caller has for TLS and the first word together. A handshake takes a few round trips; somebody on a bad
/// mobile network has time to lose a few packets.
pub const GREETING_MAX: Duration = Duration::from_secs(10);
/// What every HTTP/2 client says first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection whose caller speaks HTTP/2. What was read of it already is read again.
pub struct Connection {
    transport: Transport,
    /// So much of the first word has been read again.
    again: usize,
    /// Held by whoever may cut it off, who may do it at any time.
    cord: Unconstrained<oneshot::Receiver<()>>,
    is_cut: bool,
    written: Arc<AtomicU64>,
    _gone: oneshot::Sender<()>,
}

/// The way to end a connection that the transport has.
pub struct Cord {
    /// Whoever lets go of it cuts the connection off.
    pub cut: oneshot::Sender<()>,
    /// Ends when the connection has.
    pub gone: oneshot::Receiver<()>,
    /// Bytes that have left on it.
    pub written: Arc<AtomicU64>,
}

/// Waits for TLS and the first word.
pub async fn greeted(
    socket: TcpStream,
    tls: Option<&TlsAcceptor>,
    within: Duration,
) -> Result<(Connection, Cord)> {
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
        let ((cut, cord), (gone_with_it, gone)) = (oneshot::channel(), oneshot::channel());
        let cord = unconstrained(cord);
        let written = Arc::<AtomicU64>::default();
        let cord_held = Cord { cut, gone, written: written.clone() };
        let connection =
            Connection { transport, again: 0, cord, is_cut: false, written, _gone: gone_with_it };
        Ok((connection, cord_held))
    };
    let late = |_| Error::new(ErrorKind::TimedOut, "the caller said nothing in time");
    tokio::time::timeout(within, greeting).await.map_err(late)?
}

impl Connection {
    /// Refuses everything once it is cut off. Whoever waits for the connection is woken by it.
    fn check(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.is_cut = self.is_cut || Pin::new(&mut self.cord).poll(context).is_ready();
        if self.is_cut { Err(ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    fn count(&self, wrote: Poll<Result<usize>>) -> Poll<Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &wrote {
            self.written.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        wrote
    }
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
        this.check(context)?;
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
        let this = self.get_mut();
        this.check(context)?;
        let wrote = match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(&mut **stream).poll_write(context, bytes),
        };
        this.count(wrote)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let this = self.get_mut();
        this.check(context)?;
        let wrote = match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Transport::Tls(stream) => Pin::new(&mut **stream).poll_write_vectored(context, parts),
        };
        this.count(wrote)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        this.check(context)?;
        match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(context),
            Transport::Tls(stream) => Pin::new(&mut **stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        this.check(context)?;
        match &mut this.transport {
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

    #[tokio::test]
    async fn who_speaks_http2_is_heard_from_the_first_word_on() {
        let (mut client, server) = pair().await;
        let said = [PREFACE, b"and more"].concat();
        client.write_all(&said).await.expect("it is open");
        let (mut connection, _cord) = greeted(server, None, GREETING_MAX).await.expect("it is HTTP/2");
        let mut heard = vec![0; said.len()];
        connection.read_exact(&mut heard).await.expect("it was said");
        assert_eq!(heard, said);
    }

    #[tokio::test]
    async fn who_speaks_something_else_is_shown_out() {
        let (mut client, server) = pair().await;
        client.write_all(b"GET / HTTP/1.1\r\nHost: baton\r\n\r\n").await.expect("it is open");
        let refused = greeted(server, None, GREETING_MAX).await;
        assert_eq!(refused.err().map(|error| error.kind()), Some(ErrorKind::InvalidData));
    }

    #[tokio::test]
    async fn who_says_nothing_or_half_a_word_is_shown_out_when_the_time_is_over() {
        let (silent, first) = pair().await;
        let (mut halting, second) = pair().await;
        halting.write_all(&PREFACE[..20]).await.expect("it is open");
        for server in [first, second] {
            let refused = greeted(server, None, Duration::ZERO).await;
            assert_eq!(refused.err().map(|error| error.kind()), Some(ErrorKind::TimedOut));
        }
        drop((silent, halting));
    }

    #[tokio::test]
    async fn who_waits_for_a_connection_is_told_when_it_is_cut_off_and_who_cut_it_when_it_is_gone() {
        let (mut client, server) = pair().await;
        client.write_all(PREFACE).await.expect("it is open");
        let (mut connection, Cord { cut, gone, .. }) =
            greeted(server, None, GREETING_MAX).await.expect("it is HTTP/2");
        let mut heard = [0; PREFACE.len()];
        connection.read_exact(&mut heard).await.expect("it was said");
        let waits = async {
            let cut_off = connection.read_u8().await.expect_err("nothing more was said");
            assert_eq!(cut_off.kind(), ErrorKind::ConnectionAborted);
            assert!(connection.write_all(b"more").await.is_err(), "it is over for good");
        };
        tokio::join!(waits, async { drop(cut) });
        drop(connection);
        assert!(gone.await.is_err(), "it ends with the connection");
        assert_eq!(client.read(&mut heard).await.ok(), Some(0), "and the other side hears of it");
    }
}
