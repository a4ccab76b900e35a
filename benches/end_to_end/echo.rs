//! The bare echo: what gRPC alone costs here, for the end-to-end comparison to hold baton against. `serve` answers
//! each `SubmitRequest` with the interaction it carries; `load` asks, in closed loop, from a process of its own.
//!
//! Same messages, HTTP/2 settings and allocator as baton and its load generator; the request has 300 bytes. Left out:
//! everything but decoding and encoding. `serve` ends when its standard input does, both after `LIFE` at the latest.

#[path = "echo/client.rs"]
mod client;
#[path = "echo/server.rs"]
mod server;

use std::time::Duration;

/// As baton has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Nothing here lives longer.
const LIFE: Duration = Duration::from_secs(120);
/// The way to the method that is a call for each message, and to the one that is a stream.
const UNARY: &str = "/baton.bench.Echo/Unary";
const STREAM: &str = "/baton.bench.Echo/Stream";
/// Bytes that may be under way on a stream, and on a connection.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

const USAGE: &str = "echo serve [one|many]
echo load ADDRESS unary|stream IN_FLIGHT CONNECTIONS SECONDS
echo request                   (one request as h2load sends it, on standard output)";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve"] | ["serve", "many"] => bounded(server::serve(), Threads::Many),
        ["serve", "one"] => bounded(server::serve(), Threads::One),
        ["load", address, via, in_flight, connections, seconds] => {
            let load = client::Load {
                address: address.parse().expect("ADDRESS is address:port"),
                stream: via == "stream",
                in_flight: number(in_flight),
                connections: number(connections),
                length: Duration::from_secs(number(seconds) as u64).min(LIFE / 2),
            };
            // As many as baton's load generator has by itself.
            bounded(client::load(load), Threads::One);
        }
        ["request"] => client::print_request(),
        // Whoever runs all benches runs this one too, and there is nothing to do then.
        _ => println!("{USAGE}"),
    }
}

fn number(word: &str) -> usize {
    word.parse().ok().filter(|number| (1..=100_000).contains(number)).expect("numbers are 1 to 100000")
}

/// On how many threads.
enum Threads {
    One,
    Many,
}

fn bounded(work: impl Future<Output = ()>, threads: Threads) {
    let mut runtime = match threads {
        Threads::One => tokio::runtime::Builder::new_current_thread(),
        Threads::Many => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build().expect("threads can be had");
    runtime.block_on(async {
        if tokio::time::timeout(LIFE, work).await.is_err() {
            eprintln!("ended after {} s, the longest there is", LIFE.as_secs());
        }
    });
    // The thread that waits for the end of standard input may wait for ever.
    runtime.shutdown_background();
}
