//! Names that are malformed, unknown or another tenant's, in every service; and pages, sessions and presences.

use super::expect::{assert_refused, failed, invalid, missing, unknown};
use super::harness::{Server, TENANT, bearing, call, name, settings};
use baton::config::Settings;
use baton::proto;
use tonic::Code;

fn changed<T>(mut message: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut message);
    message
}

/// Calls one method with each of the names in one field and checks each refusal.
macro_rules! refused {
    ($client:expr, $method:ident, $field:ident of $request:expr, $($name:expr => $wanted:expr),+ $(,)?) => {
        $({
            let request = changed($request, |request| request.$field = $name.into());
            let shown: String = request.$field.chars().take(40).collect();
            let case = format!("{} of {shown:?}", stringify!($method));
            assert_refused(&case, $client.$method(request).await.map(drop), $wanted);
        })+
    };
}

#[tokio::test]
async fn an_interaction_that_is_not_there_is_not_found_in_every_method() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let (mut interactions, mut supervision) = (server.interactions(), server.supervision());
    let nobody = || unknown("INTERACTION_NOT_FOUND", "name");
    let rival = "tenants/rival/interactions/1";
    let foreign = || unknown("TENANT_NOT_FOUND", "name");
    refused!(interactions, get, name of proto::GetInteractionRequest::default(),
        "" => invalid("name"), "7" => invalid("name"), name("offers", 7) => invalid("name"),
        name("interactions", "x") => invalid("name"), name("interactions", 0) => invalid("name"),
        name("interactions", "18446744073709551616") => invalid("name"),
        name("interactions", u64::MAX) => nobody(), name("interactions", 7) => nobody(), rival => foreign());
    refused!(interactions, watch, name of proto::WatchInteractionRequest::default(),
        "" => invalid("name"), name("interactions", 7) => nobody(), rival => foreign());
    refused!(interactions, wait, name of proto::WaitRequest::default(),
        "" => invalid("name"), name("interactions", 7) => nobody(), rival => foreign());
    refused!(interactions, cancel, name of proto::CancelRequest::default(),
        "" => invalid("name"), name("interactions", 7) => nobody(), rival => foreign());
    refused!(interactions, cancel, name of proto::CancelRequest { cause: 9, ..proto::CancelRequest::default() },
        name("interactions", 7) => invalid("cause"));
    refused!(supervision, explain, interaction of proto::ExplainRequest::default(),
        "" => invalid("interaction"),
        name("interactions", 7) => unknown("INTERACTION_NOT_FOUND", "interaction"),
        rival => unknown("TENANT_NOT_FOUND", "interaction"));
}

#[tokio::test]
async fn every_verb_of_a_platform_and_a_supervisor_names_what_is_there() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let (mut interactions, mut supervision) = (server.interactions(), server.supervision());
    let (none, rival) = (name("interactions", 7), "tenants/rival/interactions/1");
    let nobody = || unknown("INTERACTION_NOT_FOUND", "name");
    let foreign = |field| unknown("TENANT_NOT_FOUND", field);
    refused!(interactions, update, name of proto::UpdateInteractionRequest { message: "m".into(), ..Default::default() },
        "" => invalid("name"), none.clone() => nobody(), rival => foreign("name"));
    refused!(interactions, connected, name of proto::ConnectedRequest::default(),
        "" => invalid("name"), none.clone() => nobody(), rival => foreign("name"));
    refused!(interactions, connect_failed, name of proto::ConnectFailedRequest { cause: 1, ..Default::default() },
        "" => invalid("name"), none.clone() => nobody(), rival => foreign("name"));
    refused!(interactions, transfer, name of proto::TransferInteractionRequest::default(),
        "" => invalid("name"), none.clone() => nobody(), rival => foreign("name"));
    refused!(interactions, requeue, name of proto::RequeueInteractionRequest::default(),
        "" => invalid("name"), none.clone() => nobody(), rival => foreign("name"));
    let until_time = Some(prost_types::Timestamp { seconds: 1, nanos: 0 });
    refused!(interactions, request_callback, name of proto::RequestCallbackRequest { until_time, ..Default::default() },
        "" => invalid("name"), none.clone() => nobody(), rival => foreign("name"));
    refused!(supervision, assign, interaction of proto::AssignRequest { agent: name("agents", "ana"), ..Default::default() },
        "" => invalid("interaction"), rival => foreign("interaction"));
    refused!(supervision, reprioritise, interaction of proto::ReprioritiseRequest::default(),
        "" => invalid("interaction"), rival => foreign("interaction"));
    refused!(supervision, set_agent_state, agent of proto::SetAgentStateRequest::default(),
        "" => invalid("agent"), name("agents", "zoe") => unknown("AGENT_NOT_FOUND", "agent"),
        "tenants/rival/agents/ana" => foreign("agent"));
    refused!(supervision, list_waiting, queue of proto::ListWaitingRequest::default(),
        "" => invalid("queue"), "tenants/rival/queues/sales" => foreign("queue"));
}

#[tokio::test]
async fn every_verb_of_a_conversation_names_an_assignment_that_is_there() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let mut agents = server.agents();
    let (none, rival) = (name("assignments", 7), "tenants/rival/assignments/1");
    let nobody = || unknown("ASSIGNMENT_NOT_FOUND", "assignment");
    let foreign = || unknown("TENANT_NOT_FOUND", "assignment");
    macro_rules! none_of {
        ($($method:ident: $request:ident),+) => {$(
            refused!(agents, $method, assignment of proto::$request::default(),
                "" => invalid("assignment"), none.clone() => nobody(), rival => foreign());
        )+};
    }
    none_of!(transfer: TransferRequest, consult: ConsultRequest, conference: ConferenceRequest,
        stop_seeking: StopSeekingRequest, park: ParkRequest, requeue: RequeueRequest,
        extend_wrap_up: ExtendWrapUpRequest);
    refused!(agents, pull, agent of proto::PullRequest { interaction: name("interactions", 7), ..Default::default() },
        "" => invalid("agent"), name("agents", "zoe") => unknown("AGENT_NOT_FOUND", "agent"),
        "tenants/rival/agents/ana" => unknown("TENANT_NOT_FOUND", "agent"));
    refused!(agents, pull, interaction of proto::PullRequest { agent: name("agents", "ana"), ..Default::default() },
        "" => invalid("interaction"), "tenants/rival/interactions/1" => unknown("TENANT_NOT_FOUND", "interaction"));
}

#[tokio::test]
async fn agents_offers_and_assignments_that_are_not_there_are_not_found() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let mut agents = server.agents();
    let foreign = |field| unknown("TENANT_NOT_FOUND", field);
    refused!(agents, work, agent of proto::WorkRequest::default(),
        "" => invalid("agent"), name("queues", "sales") => invalid("agent"),
        name("agents", "zoe") => unknown("AGENT_NOT_FOUND", "agent"),
        "tenants/rival/agents/ana" => foreign("agent"));
    refused!(agents, work, agent of proto::WorkRequest { session: "mine".into(), ..proto::WorkRequest::default() },
        name("agents", "ana") => invalid("session"));
    refused!(agents, set_presence, agent of proto::SetPresenceRequest { presence: 1, ..proto::SetPresenceRequest::default() },
        "" => invalid("agent"), name("agents", "zoe") => unknown("AGENT_NOT_FOUND", "agent"),
        name("agents", "ana") => failed("NO_SESSION"));
    refused!(agents, set_presence, agent of proto::SetPresenceRequest { presence: 0, ..proto::SetPresenceRequest::default() },
        name("agents", "ana") => invalid("presence"));
    refused!(agents, set_presence, agent of proto::SetPresenceRequest { presence: 2, break_reason: "b".repeat(65), ..proto::SetPresenceRequest::default() },
        name("agents", "ana") => invalid("break_reason"));
    refused!(agents, accept, offer of proto::AcceptRequest::default(),
        "" => invalid("offer"), name("offers", "x") => invalid("offer"),
        name("offers", 7) => unknown("OFFER_NOT_FOUND", "offer"), "tenants/rival/offers/1" => foreign("offer"));
    refused!(agents, decline, offer of proto::DeclineRequest::default(),
        "" => invalid("offer"), name("offers", 7) => unknown("OFFER_NOT_FOUND", "offer"),
        "tenants/rival/offers/1" => foreign("offer"));
    refused!(agents, complete, assignment of proto::CompleteRequest::default(),
        "" => invalid("assignment"),
        name("assignments", 7) => unknown("ASSIGNMENT_NOT_FOUND", "assignment"),
        "tenants/rival/assignments/1" => foreign("assignment"));
    refused!(agents, finish_wrap_up, assignment of proto::FinishWrapUpRequest::default(),
        name("assignments", 7) => unknown("ASSIGNMENT_NOT_FOUND", "assignment"));
    refused!(agents, heartbeat, session of proto::HeartbeatRequest::default(),
        "" => missing("session"), "mine" => unknown("SESSION_NOT_FOUND", "session"),
        "0123456789abcdef" => unknown("SESSION_NOT_FOUND", "session"));
}

#[tokio::test]
async fn pages_and_customers_are_checked() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let (mut interactions, mut customers) = (server.interactions(), server.customers());
    refused!(interactions, list_open, parent of proto::ListOpenRequest { source: "pbx".into(), ..proto::ListOpenRequest::default() },
        "" => invalid("parent"), "tenants/rival" => unknown("TENANT_NOT_FOUND", "parent"));
    refused!(interactions, list_open, source of proto::ListOpenRequest { parent: TENANT.into(), ..proto::ListOpenRequest::default() },
        "" => invalid("source"));
    refused!(interactions, list_open, page_token of proto::ListOpenRequest { parent: TENANT.into(), source: "pbx".into(), ..proto::ListOpenRequest::default() },
        "x" => invalid("page_token"), "-1" => invalid("page_token"));
    for size in [-1, 1_001, i32::MIN] {
        refused!(interactions, list_open, parent of proto::ListOpenRequest { source: "pbx".into(), page_size: size, ..proto::ListOpenRequest::default() },
            TENANT => invalid("page_size"));
    }
    refused!(interactions, heartbeat, source of proto::SourceHeartbeatRequest { parent: TENANT.into(), ..proto::SourceHeartbeatRequest::default() },
        "" => invalid("source"));
    let unknown_customer = || unknown("CUSTOMER_NOT_FOUND", "parent");
    refused!(customers, list_history, parent of proto::ListHistoryRequest::default(),
        "" => invalid("parent"), name("customers", "ana") => invalid("parent"),
        name("customers", 7) => unknown_customer(), name("customers", u64::MAX) => unknown_customer(),
        "tenants/rival/customers/1" => unknown("TENANT_NOT_FOUND", "parent"));
    refused!(customers, list_history, page_token of proto::ListHistoryRequest { parent: name("customers", 1), ..proto::ListHistoryRequest::default() },
        "x" => invalid("page_token"), "é".repeat(20) => invalid("page_token"));
    refused!(customers, list_history, parent of proto::ListHistoryRequest { page_size: -1, ..proto::ListHistoryRequest::default() },
        name("customers", 1) => invalid("page_size"));
    let note =
        || Some(proto::HistoryEntry { kind: 5, summary: "n".into(), ..proto::HistoryEntry::default() });
    refused!(customers, record_event, parent of proto::RecordEventRequest { entry: note(), ..proto::RecordEventRequest::default() },
        "" => invalid("parent"), name("customers", 7) => unknown_customer());
    refused!(customers, record_event, parent of proto::RecordEventRequest::default(),
        name("customers", 7) => missing("entry"));
    let contact = Some(proto::HistoryEntry { kind: 1, ..proto::HistoryEntry::default() });
    refused!(customers, record_event, parent of proto::RecordEventRequest { entry: contact.clone(), ..proto::RecordEventRequest::default() },
        name("customers", 7) => invalid("entry.kind"));
    let never = Some(prost_types::Timestamp { seconds: 253_402_300_799, nanos: 0 });
    let tomorrow = note().map(|note| proto::HistoryEntry { time: never, ..note });
    refused!(customers, record_event, parent of
            proto::RecordEventRequest { entry: tomorrow.clone(), ..proto::RecordEventRequest::default() },
        name("customers", 7) => invalid("entry.time"));
    let withheld = Some(proto::Address { kind: 1, value: String::new() });
    refused!(customers, resolve, parent of
            proto::ResolveRequest { address: withheld.clone(), ..proto::ResolveRequest::default() },
        TENANT => invalid("address.value"));
    refused!(customers, resolve, parent of proto::ResolveRequest::default(), TENANT => missing("address"));
}

#[tokio::test]
async fn the_last_page_token_there_could_be_gives_an_empty_page() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    server.call("c1").await;
    let request = proto::ListOpenRequest {
        parent: TENANT.into(),
        source: "pbx".into(),
        page_token: u64::MAX.to_string(),
        ..proto::ListOpenRequest::default()
    };
    let page = server.interactions().list_open(request).await.expect("a token is a number").into_inner();
    assert!(page.interactions.is_empty());
    assert_eq!(server.open_names().await.len(), 1, "the shard lives");
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let mut wanted = Vec::new();
    for number in 0..5 {
        wanted.push(server.call(&format!("c{number}")).await);
    }
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request =
            proto::ListOpenRequest { parent: TENANT.into(), source: "pbx".into(), page_size: 2, page_token };
        let page = server.interactions().list_open(request).await.expect("a page").into_inner();
        assert!(page.interactions.len() <= 2);
        found.extend(page.interactions.into_iter().map(|one| one.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(found, wanted);
}

const SHOP: &str = "shop-token-0123456789";
const BANK: &str = "bank-token-0123456789";
const DESK: &str = "desk-token-0123456789";

#[tokio::test]
async fn another_tenants_things_do_not_exist_and_a_role_opens_only_its_services() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tokens = folder.path().join("tokens");
    let lines = format!("{SHOP} shop supervisor boss\n{BANK} bank supervisor chief\n{DESK} shop agent ana\n");
    std::fs::write(&tokens, lines).expect("a temporary file");
    let server = Server::with(Settings { tokens: Some(tokens), ..settings() }).await;
    let queue =
        proto::CreateQueueRequest { parent: "tenants/shop".into(), queue_id: "sales".into(), queue: None };
    server.floor().create_queue(bearing(SHOP, queue.clone())).await.expect("the boss may");
    let mut request = call("c1");
    request.parent = "tenants/-".into();
    request.interaction.as_mut().expect("a call").queue = "tenants/-/queues/sales".into();
    let answer = server.interactions().submit(bearing(SHOP, request.clone())).await.expect("taken");
    let name = answer.into_inner().interaction.expect("an interaction").name;
    assert!(name.starts_with("tenants/shop/interactions/"), "{name}");

    let get = proto::GetInteractionRequest { name };
    let theirs = server.interactions().get(bearing(BANK, get.clone())).await;
    assert_refused("the bank asks", theirs, unknown("TENANT_NOT_FOUND", "name"));
    let theirs = server.interactions().submit(bearing(BANK, request.clone())).await;
    assert_refused("the bank has no such queue", theirs, unknown("QUEUE_NOT_FOUND", "interaction.queue"));

    let nobody = (Code::Unauthenticated, "TOKEN_REQUIRED", "");
    assert_refused("no token", server.interactions().get(get.clone()).await, nobody);
    let denied = (Code::PermissionDenied, "ROLE_INSUFFICIENT", "");
    let agent = server.interactions().submit(bearing(DESK, request)).await;
    assert_refused("an agent submits", agent, denied);
    assert_refused("an agent builds", server.floor().create_queue(bearing(DESK, queue)).await, denied);
}
