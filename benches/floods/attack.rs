//! Floods as one client sends them: connections that say nothing, calls that are reset as soon as they are opened,
//! requests that mean nothing. The frames of HTTP/2 are written by hand, since no decent client would send them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
/// Flags of HEADERS: nothing follows; all headers are here.
const END: u8 = 0x1 | 0x4;
const CANCEL: [u8; 4] = [0, 0, 0, 8];
const SUBMIT: &str = "/baton.v1.Interactions/Submit";

/// Connections of which each third says nothing, half a word, or no more than who it is.
pub async fn idle(address: SocketAddr, count: usize) -> std::io::Result<Vec<TcpStream>> {
    let mut held = Vec::with_capacity(count);
    for number in 0..count {
        let mut stream = TcpStream::connect(address).await?;
        match number % 3 {
            0 => {}
            1 => stream.write_all(&PREFACE[..10]).await?,
            _ => stream.write_all(&[PREFACE, &SETTINGS].concat()).await?,
        }
        held.push(stream);
    }
    Ok(held)
}

/// A connection that opens calls and resets them.
pub struct Resets {
    address: SocketAddr,
    stream: Option<TcpStream>,
    next: u32,
    /// How many connections it took: the server ends one that goes too far.
    pub connections: u32,
}

impl Resets {
    pub fn new(address: SocketAddr) -> Resets {
        Resets { address, stream: None, next: 1, connections: 0 }
    }

    /// Opens so many calls and resets each at once.
    pub async fn send(&mut self, count: usize) -> std::io::Result<()> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let mut stream = TcpStream::connect(self.address).await?;
                stream.write_all(&[PREFACE, &SETTINGS].concat()).await?;
                (self.next, self.connections) = (1, self.connections + 1);
                stream
            }
        };
        let mut frames = Vec::new();
        for _ in 0..count {
            frames.extend(frame(1, END, self.next, &headers()));
            frames.extend(frame(3, 0, self.next, &CANCEL));
            self.next += 2;
        }
        if stream.write_all(&frames).await.is_ok() && !ended(&mut stream) {
            self.stream = Some(stream);
        }
        Ok(())
    }

    /// Waits until the server ends the connection.
    pub async fn shown_out(mut self) {
        let Some(stream) = &mut self.stream else { return };
        let mut heard = [0; 4096];
        while stream.read(&mut heard).await.is_ok_and(|read| read > 0) {}
    }
}

/// One connection with so many calls whose messages never come. Gives it with how many of them were refused, once it was
/// said of all that are beyond `taken`.
pub async fn half_sent(
    address: SocketAddr,
    count: usize,
    taken: usize,
) -> std::io::Result<(TcpStream, usize)> {
    let mut stream = TcpStream::connect(address).await?;
    let mut frames = [PREFACE, &SETTINGS].concat();
    for number in 0..u32::try_from(count).expect("a connection has fewer") {
        frames.extend(frame(1, 0x4, 2 * number + 1, &headers()));
    }
    stream.write_all(&frames).await?;
    let mut refused = 0;
    while refused < count.saturating_sub(taken) {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let mut payload = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
        stream.read_exact(&mut payload).await?;
        // RST_STREAM with REFUSED_STREAM: it was not begun, and may be sent again.
        refused += usize::from(head[3] == 3 && payload == [0, 0, 0, 7]);
    }
    Ok((stream, refused))
}

/// Takes what was said, so that it does not fill up. True if nothing more comes.
fn ended(stream: &mut TcpStream) -> bool {
    let mut heard = [0; 4096];
    loop {
        match stream.try_read(&mut heard) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `POST /baton.v1.Interactions/Submit` over http, without Huffman codes and without a table (RFC 7541).
fn headers() -> Vec<u8> {
    let mut block = vec![0x83, 0x86];
    let mut literal = |name: &[u8], value: &str| {
        block.extend(name);
        block.push(u8::try_from(value.len()).expect("a short value"));
        block.extend(value.as_bytes());
    };
    literal(&[0x04], SUBMIT);
    literal(&[0x01], "baton");
    literal(&[0x0f, 0x10], "application/grpc");
    literal(b"\x00\x02te", "trailers");
    block
}

/// Sends requests that are no messages, so many at a time, and counts what they are answered with.
pub async fn malformed(channel: &Channel, count: u64, at_once: u64) -> BTreeMap<String, u64> {
    let mut senders = JoinSet::new();
    for sender in 0..at_once {
        let channel = channel.clone();
        senders.spawn(async move {
            let mut answers = BTreeMap::new();
            for number in (sender..count).step_by(usize::try_from(at_once).expect("few")) {
                let code = nonsense(&channel, number).await;
                *answers.entry(format!("{code:?}")).or_insert(0) += 1;
            }
            answers
        });
    }
    let mut all = BTreeMap::new();
    while let Some(answers) = senders.join_next().await {
        for (code, count) in answers.expect("a sender does not panic") {
            *all.entry(code).or_insert(0) += count;
        }
    }
    all
}

/// One request of bytes that depend on its number.
async fn nonsense(channel: &Channel, number: u64) -> Code {
    let mut client = tonic::client::Grpc::new(channel.clone());
    if client.ready().await.is_err() {
        return Code::Unavailable;
    }
    let length = number % 97;
    let bytes =
        (0..length).map(|at| (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (at % 57)) as u8).collect();
    let path = SUBMIT.parse().expect("a path");
    let answer = client.unary(Request::new(bytes), path, Raw).await;
    answer.map_or_else(|status| status.code(), |_| Code::Ok)
}

/// Sends bytes as they are.
#[derive(Clone, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        prost::bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        let rest = prost::bytes::Buf::remaining(buffer);
        prost::bytes::Buf::advance(buffer, rest);
        Ok(Some(()))
    }
}
