//! One contact from the customer's side: handed in, waited for, given up when patience runs out.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tonic::{Code, Status};

use super::calls::{TENANT, is_overtaken, is_passing, repeated, within};
use super::centre::{Centre, source_of};
use super::floor::queue_of;
use super::people;
use super::population::{Arrival, Parting};
use crate::proto::{
    CancelRequest, Channel, ConnectedRequest, Interaction, InteractionState, ResolveRequest, SubmitRequest,
    WaitRequest, cancel_request,
};

/// One `Wait`, in real time; longer waits ask again.
const WAIT: Duration = Duration::from_secs(60);
/// How much later than that the answer may come.
const WAIT_GRACE: Duration = Duration::from_secs(5);

/// A contact as drawn, before anybody knows what becomes of it.
pub struct Contact {
    pub number: u64,
    pub arrival: Arrival,
    pub message: &'static str,
    /// In engine seconds; `None` if nobody waits for the answer.
    pub patience_s: Option<f64>,
}

/// Lives through a contact. `None` if it still waits when the demo ends, or was never taken on.
pub async fn live(centre: Centre, contact: Contact) -> Option<Parting> {
    if contact.arrival.first {
        introduce(&centre, contact.arrival.customer).await;
    }
    let name = hand_in(&centre, &contact).await?;
    let source = source_of(contact.arrival.channel);
    centre.waits(source, &name);
    let parting = wait_or_leave(&centre, &contact, &name).await;
    centre.waits_no_more(source, &name);
    if parting == Some(Parting::Served) && contact.arrival.channel == Channel::Voice {
        connect(&centre, &name).await;
    }
    parting
}

/// Tells the server the customer's name, as a bank that knows its customers would have done.
async fn introduce(centre: &Centre, customer: u32) {
    let request = ResolveRequest {
        parent: TENANT.to_owned(),
        address: Some(people::address(customer)),
        display_name: people::name(customer),
    };
    let answer = repeated(|| {
        let (mut client, request) = (centre.server.customers(), request.clone());
        async move { client.resolve(request).await }
    });
    if let Err(status) = answer.await {
        centre.tally.warn("resolve a customer", &status);
    }
}

async fn hand_in(centre: &Centre, contact: &Contact) -> Option<String> {
    let request = SubmitRequest {
        parent: TENANT.to_owned(),
        interaction: Some(interaction(centre, contact)),
        ..SubmitRequest::default()
    };
    let answer = repeated(|| {
        let (mut client, request) = (centre.server.interactions(), request.clone());
        async move { client.submit(request).await }
    });
    match answer.await {
        Ok(answer) => {
            centre.tally.count(&centre.tally.handed_in);
            answer.interaction.map(|found| found.name)
        }
        Err(status) => {
            refused(centre, &status);
            None
        }
    }
}

fn refused(centre: &Centre, status: &Status) {
    match status.code() {
        Code::ResourceExhausted => centre.tally.count(&centre.tally.turned_away),
        _ if is_passing(status) => centre.tally.count(&centre.tally.in_doubt),
        _ => centre.tally.warn("hand in a contact", status),
    }
}

fn interaction(centre: &Centre, contact: &Contact) -> Interaction {
    let Arrival { customer, intent, channel, .. } = contact.arrival;
    let facts = intent.facts();
    Interaction {
        source: source_of(channel).to_owned(),
        external_id: format!("{}-{}", centre.run, contact.number),
        channel: channel as i32,
        queue: queue_of(facts, channel),
        intent: facts.code.to_owned(),
        language: if facts.code == "pe" { "en" } else { "he" }.to_owned(),
        from: Some(people::address(customer)),
        // Nobody has heard a caller yet when the call is handed in.
        message: if channel == Channel::Voice { "" } else { contact.message }.to_owned(),
        ..Interaction::default()
    }
}

async fn wait_or_leave(centre: &Centre, contact: &Contact, name: &str) -> Option<Parting> {
    let leaves = contact.patience_s.map(|patience| centre.clock.after(patience));
    tokio::select! {
        () = centre.stopped() => None,
        parting = wait(centre, contact.number, name) => parting,
        () = sleep_until(leaves.unwrap_or_else(Instant::now)), if leaves.is_some() => leave(centre, name).await,
    }
}

/// Waits until somebody answers or it is over.
async fn wait(centre: &Centre, turn: u64, name: &str) -> Option<Parting> {
    let max_wait = prost_types::Duration::try_from(WAIT).ok();
    loop {
        let request = WaitRequest { name: name.to_owned(), max_wait, ..WaitRequest::default() };
        let mut client = centre.server.interactions_waiting(turn);
        match within(WAIT + WAIT_GRACE, client.wait(request)).await {
            Ok(answer) => {
                let state = answer.interaction.map(|found| found.state()).unwrap_or_default();
                if let Some(parting) = parting(state) {
                    return Some(parting);
                }
            }
            Err(status) if is_passing(&status) => tokio::time::sleep(Duration::from_millis(250)).await,
            Err(status) => {
                centre.tally.warn("wait for an agent", &status);
                return None;
            }
        }
    }
}

/// The telephone switch has put the two together.
async fn connect(centre: &Centre, name: &str) {
    let answer = repeated(|| {
        let (mut client, name) = (centre.server.interactions(), name.to_owned());
        async move { client.connected(ConnectedRequest { name }).await }
    });
    match answer.await {
        Ok(_) => {}
        // A short call may be over already.
        Err(status) if is_overtaken(&status) || is_passing(&status) => {}
        Err(status) => centre.tally.warn("report a connection", &status),
    }
}

/// Hangs up. Whether an agent was faster is for the server to say.
async fn leave(centre: &Centre, name: &str) -> Option<Parting> {
    let cause = cancel_request::Cause::CustomerLeft as i32;
    let request = CancelRequest { name: name.to_owned(), cause };
    let answer = repeated(|| {
        let (mut client, request) = (centre.server.interactions(), request.clone());
        async move { client.cancel(request).await }
    });
    match answer.await {
        Ok(found) => parting(found.state()),
        Err(status) => {
            centre.tally.warn("leave the line", &status);
            None
        }
    }
}

fn parting(state: InteractionState) -> Option<Parting> {
    match state {
        InteractionState::Handling
        | InteractionState::Parked
        | InteractionState::WrappingUp
        | InteractionState::Closed => Some(Parting::Served),
        InteractionState::Abandoned
        | InteractionState::Cancelled
        | InteractionState::TimedOut
        | InteractionState::SentAway => Some(Parting::Left),
        InteractionState::Scheduled
        | InteractionState::Waiting
        | InteractionState::Offered
        | InteractionState::Unspecified => None,
    }
}
