//! The load generator against a server in process: what it counts agrees with what the server counts, and its result
//! has the fields it promises. How fast it was is nobody's business here.

use super::harness::{Server, within};
use baton::load::settings::{AgentsVia, Pace, Target, Via, What};
use baton::load::{self, CallFigures, Figures, Kind, Mix, Progress, Settings};
use std::net::SocketAddr;
use std::time::Duration;

/// A short run of a small floor.
fn settings(address: SocketAddr) -> Settings {
    Settings {
        target: Target::Running(address),
        what: What::Cycle,
        via: Via::Unary,
        pace: Pace::Closed { in_flight: 8 },
        length: Duration::from_millis(300),
        warm_up: Duration::ZERO,
        agents: 6,
        agents_via: AgentsVia::Attach,
        agent_streams: 2,
        skills: 3,
        mix: Mix::default(),
        customers: 5,
        think: Duration::ZERO,
        waiting: 10,
        connections: 1,
        message: 20,
        seed: 1,
    }
}

async fn measured(change: impl FnOnce(&mut Settings)) -> Figures {
    let server = Server::start().await;
    let mut settings = settings(server.address());
    change(&mut settings);
    let progress = Progress::hidden();
    let run = load::run(&settings, std::future::pending(), &progress);
    let figures = within("the load", run).await.expect("a small floor is made");
    assert!(figures.books_balanced, "{:?}", figures.books);
    assert_eq!(figures.ended_early, None);
    assert_eq!(figures.books.not_yet_answered, 0, "nothing is left in line");
    server.stop().await.expect("it stops in order");
    figures
}

fn call(figures: &Figures, kind: Kind) -> &CallFigures {
    let call = figures.call(kind).unwrap_or_else(|| panic!("there is a row for {}", kind.name()));
    assert_eq!((call.errors, &call.errors_by_reason), (0, &Default::default()), "{}", kind.name());
    assert!(call.completed > 0 && call.p50_us <= call.p99_us && call.p99_us <= call.max_us, "{call:?}");
    call
}

/// The whole life of everybody, counted alike by both sides.
fn assert_whole_lives(figures: &Figures) {
    let rows =
        [Kind::SignIn, Kind::Submit, Kind::Offer, Kind::Accept, Kind::Complete, Kind::WrapUp, Kind::Cycle];
    rows.into_iter().for_each(|kind| {
        call(figures, kind);
    });
    let books = &figures.books;
    assert_eq!(call(figures, Kind::SignIn).completed, 6);
    assert_eq!((books.entered, books.not_yet_answered), (books.answered + books.left, 0));
    // What was due in the measured time is a part of all that came.
    let (submits, cycles) = (call(figures, Kind::Submit).completed, call(figures, Kind::Cycle).completed);
    assert!(cycles <= submits && submits <= books.entered, "{cycles} <= {submits} <= {}", books.entered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_loop_of_whole_lives_balances() {
    let figures = measured(|_| {}).await;
    assert_whole_lives(&figures);
    assert_eq!((figures.closed, figures.rate), (Some(8), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_loop_sends_what_its_schedule_says() {
    let figures = measured(|settings| settings.pace = Pace::Open { rate: 200, burst: None }).await;
    assert_whole_lives(&figures);
    // 300 ms at 200 a second: 60 moments, the first of them at the beginning.
    let submits = call(&figures, Kind::Submit).completed;
    assert_eq!(submits, 60);
    call(&figures, Kind::Late);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submits_on_a_stream_come_to_the_same() {
    assert_whole_lives(&measured(|settings| settings.via = Via::Stream).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_submits_on_a_stream_keeps_so_many_waiting() {
    let (what, via) = (What::Submit, Via::Stream);
    let figures = measured(|settings| *settings = Settings { what, via, ..settings.clone() }).await;
    assert_eq!((figures.books.entered, figures.books.answered), (figures.books.left, 0));
    call(&figures, Kind::Submit);
    call(&figures, Kind::Cancel);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_with_a_stream_each_do_the_same() {
    assert_whole_lives(&measured(|settings| settings.agents_via = AgentsVia::Work).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_submits_keeps_so_many_waiting() {
    let figures = measured(|settings| settings.what = What::Submit).await;
    let (books, submits) = (&figures.books, call(&figures, Kind::Submit));
    call(&figures, Kind::Cancel);
    assert!(figures.call(Kind::Offer).is_none(), "agents are on a break");
    assert_eq!((books.entered, books.answered, books.not_yet_answered), (books.left, 0, 0));
    assert!(submits.completed <= books.entered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_it_gets_the_figures_so_far() {
    let server = Server::start().await;
    let settings = Settings { length: Duration::from_secs(3_600), ..settings(server.address()) };
    // Stops when something was answered.
    let mut supervision = server.supervision();
    let stop = async move {
        let request = baton::proto::WatchFloorRequest {
            parent: super::harness::TENANT.into(),
            interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
            ..Default::default()
        };
        let mut views =
            supervision.watch_floor(request).await.expect("the floor can be watched").into_inner();
        while let Ok(Some(view)) = views.message().await {
            if view.queues.iter().any(|queue| queue.answered > 0) {
                return;
            }
        }
    };
    let progress = Progress::hidden();
    let run = load::run(&settings, stop, &progress);
    let figures = within("the load", run).await.expect("a small floor is made");
    assert_eq!(figures.ended_early.as_deref(), Some("stopped"));
    assert!(figures.books_balanced && figures.books.answered > 0, "{:?}", figures.books);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_result_has_the_fields_it_promises() {
    let figures = measured(|_| {}).await;
    let json = serde_json::to_value(&figures).expect("figures are plain");
    for kind in ["submit", "offer", "accept", "complete", "wrap_up", "cycle"] {
        for field in [
            "offered_per_s",
            "completed_per_s",
            "completed",
            "errors",
            "p50_us",
            "p90_us",
            "p99_us",
            "p999_us",
            "max_us",
        ] {
            assert!(json["calls"][kind][field].is_number(), "{kind} {field} in {json}");
        }
    }
    assert_eq!(json["books_balanced"], true);
    assert!(json.get("client_cpu_s").is_some() && json.get("server_cpu_s").is_some());
    let table = figures.to_string();
    assert!(table.contains("the books balance") && table.contains("cycle"), "{table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_said_to_be_away() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let settings = settings(address);
    let progress = Progress::hidden();
    let run = load::run(&settings, std::future::pending(), &progress);
    let error = within("the refusal", run).await.expect_err("nobody listens there");
    assert_eq!(error.exit_code(), 69, "{error}");
}
