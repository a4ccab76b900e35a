//! 1,000 promises that several desks try to redeem, each of them all, through the running service: one call at a time a desk,
//! the next when the answer is there. Either all want the same one at the same time, or each begins elsewhere. That each was
//! redeemed exactly once is looked at after every turn. Medians of 5 turns, all kinds in each.

use super::filled::address;
use super::{NOW_MS, folder, grouped, median};
use baton::customers::{
    CustomerId, Customers, MemoryStore, NewPromise, NotRedeemed, Promise, Promising, Redeeming, Redemption,
    SqliteStore, StoreFault, To,
};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const PROMISES: usize = 1_000;
const TURNS: usize = 5;

#[derive(Clone, Copy)]
struct Desks {
    count: usize,
    /// Between where one desk and the next begin.
    apart: usize,
    what: &'static str,
}

const DESKS: [Desks; 3] = [
    Desks { count: 1, apart: 0, what: "one" },
    Desks { count: 8, apart: 0, what: "8, all for the same one at once" },
    Desks { count: 8, apart: PROMISES / 8, what: "8, each begins elsewhere" },
];

pub fn print() {
    println!("\n{:>8} {:<34} {:>12} {:>12}", "promises", "threads", "redeemed", "tries");
    println!("{:>8} {:<34} {:>12} {:>12}", "", "", "a second", "a second");
    let folder = folder();
    let sqlite = SqliteStore::open(folder.path()).expect("a new store");
    print_store("memory", &started(Customers::start(Box::new(MemoryStore::new()))));
    print_store("sqlite", &started(Customers::start(Box::new(sqlite))));
}

fn started(service: Result<Customers, StoreFault>) -> Customers {
    service.expect("its threads can be started")
}

fn print_store(name: &str, service: &Customers) {
    let everybody = everybody(service);
    let mut took = DESKS.map(|_| Vec::new());
    for _ in 0..TURNS {
        for (desks, took) in DESKS.iter().zip(&mut took) {
            let promises = make(service, &everybody);
            took.push(redeem_all(service, &promises, *desks));
        }
    }
    for (desks, took) in DESKS.iter().zip(took) {
        let seconds = median(took) / 1e6;
        let a_second = PROMISES as f64 / seconds;
        // Rounded, since it is shown.
        let shown = |rate: f64| grouped(rate.round() as u64);
        let tries = shown(a_second * desks.count as f64);
        println!("{name:>8} {:<34} {:>12} {tries:>12}", desks.what, shown(a_second));
    }
}

/// One answer of the service, waited for.
fn answer<T: Send + 'static>(ask: impl FnOnce(Box<dyn FnOnce(Result<T, StoreFault>) + Send>)) -> T {
    let (reply, answers) = mpsc::channel();
    ask(Box::new(move |answer| drop(reply.send(answer))));
    answers.recv().expect("a call is answered").expect("the store works")
}

/// All are asked for before the first is waited for.
fn everybody(service: &Customers) -> Vec<CustomerId> {
    let (reply, answers) = mpsc::channel();
    for customer in 1..=PROMISES as u64 {
        let reply = reply.clone();
        service.resolve(address(customer), None, NOW_MS, move |answer| drop(reply.send(answer)));
    }
    let resolved = answers.iter().take(PROMISES).map(|resolved| resolved.expect("the store works").customer);
    resolved.collect()
}

fn make(service: &Customers, everybody: &[CustomerId]) -> Vec<Promise> {
    let (reply, answers) = mpsc::channel();
    for customer in everybody {
        let what = NewPromise { summary: "delivery for free".to_owned(), ..NewPromise::default() };
        let to = To::Customer(*customer);
        let promising = Promising { to, what, request_id: None, now_ms: NOW_MS };
        let reply = reply.clone();
        service.promise(promising, move |answer| drop(reply.send(answer)));
    }
    let made = answers.iter().take(everybody.len());
    made.map(|made| made.expect("the store works").expect("everybody is known")).collect()
}

fn redeem_all(service: &Customers, promises: &[Promise], desks: Desks) -> Duration {
    let start = Instant::now();
    let won: Vec<Vec<u64>> = std::thread::scope(|scope| {
        let desk = |number: usize| scope.spawn(move || desk(service, promises, number, desks.apart));
        let all: Vec<_> = (0..desks.count).map(desk).collect();
        all.into_iter().map(|desk| desk.join().expect("a desk does not fail")).collect()
    });
    let took = start.elapsed();
    check(service, promises, &won);
    took
}

/// Which it has redeemed.
fn desk(service: &Customers, promises: &[Promise], number: usize, apart: usize) -> Vec<u64> {
    let begin = number * apart;
    let order = promises[begin..].iter().chain(&promises[..begin]);
    let redeemed = order.filter(|promise| {
        let To::Customer(customer) = promise.to else { panic!("all are to a customer") };
        let how = Redemption { by: number.to_string(), place: "desk".to_owned(), ..Redemption::default() };
        let redeeming =
            Redeeming { customer, promise: promise.number, how, request_id: None, now_ms: NOW_MS };
        match answer(|reply| service.redeem(redeeming, reply)) {
            Ok(_) => true,
            Err(NotRedeemed::Before { .. }) => false,
            Err(other) => panic!("it can be redeemed once, and: {other}"),
        }
    });
    redeemed.map(|promise| promise.number).collect()
}

/// Each has one desk that was told so, and the store names that desk.
fn check(service: &Customers, promises: &[Promise], won: &[Vec<u64>]) {
    let told: usize = won.iter().map(Vec::len).sum();
    assert_eq!(told, promises.len(), "each is redeemed once");
    for promise in promises {
        let To::Customer(customer) = promise.to else { panic!("all are to a customer") };
        let kept = answer(|reply| service.promises(customer, reply)).expect("everybody is known");
        let kept = kept.into_iter().find(|kept| kept.number == promise.number).expect("it was made");
        let (_, how) = kept.redeemed.expect("it is redeemed");
        let desk: usize = how.by.parse().expect("a desk's number");
        assert!(won[desk].contains(&promise.number), "whom the store names was told so");
    }
}
