//! What Submit refuses, field by field, and how a repetition is told from another request.

use super::expect::{Case, Wanted, assert_refused, fallback, invalid, missing, unknown};
use super::harness::{Server, call, call_with, name, phone, seconds};
use baton::proto::{self, Interaction, SubmitRequest};
use prost_types::Timestamp;
use tonic::Code;

const DUE_PAST: Wanted<'static> = (Code::InvalidArgument, "DUE_TIME_PAST", "interaction.due_time");

fn need(skill: String) -> Vec<proto::Requirement> {
    vec![proto::Requirement { skill, proficiency: 1 }]
}

fn es(proficiency: u32) -> proto::Requirement {
    proto::Requirement { skill: name("skills", "es"), proficiency }
}

fn due(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

fn attributes(count: usize, length: usize) -> std::collections::BTreeMap<String, String> {
    (0..count).map(|number| (format!("key{number}"), "v".repeat(length))).collect()
}

fn of_names() -> Vec<Case<Interaction>> {
    vec![
        ("no queue", |i| i.queue = String::new(), missing("interaction.queue")),
        ("a bare queue", |i| i.queue = "sales".into(), invalid("interaction.queue")),
        ("an agent as queue", |i| i.queue = name("agents", "sales"), invalid("interaction.queue")),
        (
            "an unknown queue",
            |i| i.queue = name("queues", "billing"),
            unknown("QUEUE_NOT_FOUND", "interaction.queue"),
        ),
        (
            "a queue of 1 MB",
            |i| i.queue = name("queues", "q".repeat(1 << 20)),
            unknown("QUEUE_NOT_FOUND", "interaction.queue"),
        ),
        (
            "another tenant's queue",
            |i| i.queue = "tenants/rival/queues/sales".into(),
            unknown("TENANT_NOT_FOUND", "interaction.queue"),
        ),
        (
            "an unknown skill",
            |i| i.requirements = need(name("skills", "xx")),
            unknown("SKILL_NOT_FOUND", "interaction.requirements"),
        ),
        (
            "another tenant's skill",
            |i| i.requirements = need("tenants/rival/skills/es".into()),
            unknown("TENANT_NOT_FOUND", "interaction.requirements"),
        ),
        ("no source", |i| i.source = String::new(), invalid("interaction.source")),
        ("a source of 64", |i| i.source = "s".repeat(64), invalid("interaction.source")),
        ("a source with a space", |i| i.source = "p bx".into(), invalid("interaction.source")),
        ("no id", |i| i.external_id = String::new(), missing("interaction.external_id")),
        ("an id of 129", |i| i.external_id = "é".repeat(129), invalid("interaction.external_id")),
    ]
}

fn of_figures() -> Vec<Case<Interaction>> {
    let proficiency = "interaction.requirements.proficiency";
    vec![
        ("proficiency 11", |i| i.requirements = vec![es(11)], invalid(proficiency)),
        ("proficiency max", |i| i.requirements = vec![es(u32::MAX)], invalid(proficiency)),
        ("17 requirements", |i| i.requirements = vec![es(1); 17], invalid("interaction.requirements")),
        ("priority 11", |i| i.priority = 11, invalid("interaction.priority")),
        ("priority -11", |i| i.priority = -11, invalid("interaction.priority")),
        ("priority min", |i| i.priority = i32::MIN, invalid("interaction.priority")),
        ("channel 0", |i| i.channel = 0, invalid("interaction.channel")),
        ("channel 99", |i| i.channel = 99, invalid("interaction.channel")),
        ("channel -1", |i| i.channel = -1, invalid("interaction.channel")),
        ("due in 1970", |i| i.due_time = due(1), DUE_PAST),
        ("due before 1970", |i| i.due_time = due(-1), invalid("interaction.due_time")),
        ("due in the year 9999", |i| i.due_time = due(253_402_300_799), invalid("interaction.due_time")),
        ("due never", |i| i.due_time = due(i64::MAX), invalid("interaction.due_time")),
        (
            "due at -1 ns",
            |i| i.due_time = Some(Timestamp { seconds: 2_000_000_000, nanos: -1 }),
            invalid("interaction.due_time"),
        ),
    ]
}

fn of_payload() -> Vec<Case<Interaction>> {
    let from = "interaction.from.value";
    vec![
        ("an intent of two lines", |i| i.intent = "a\nb".into(), invalid("interaction.intent")),
        ("an intent of 65", |i| i.intent = "i".repeat(65), invalid("interaction.intent")),
        ("a language of 36", |i| i.language = "l".repeat(36), invalid("interaction.language")),
        ("a message of 4,097", |i| i.message = "ä".repeat(4_097), invalid("interaction.message")),
        ("33 attributes", |i| i.attributes = attributes(33, 1), invalid("interaction.attributes")),
        (
            "an attribute of 1 MB",
            |i| i.attributes = attributes(1, 1 << 20),
            invalid("interaction.attributes[key0]"),
        ),
        (
            "an attribute without a key",
            |i| drop(i.attributes.insert(String::new(), "v".into())),
            missing("interaction.attributes (key)"),
        ),
        (
            "a key of 65",
            |i| drop(i.attributes.insert("k".repeat(65), "v".into())),
            invalid("interaction.attributes (key)"),
        ),
        (
            "no kind of address",
            |i| i.from = Some(proto::Address::default()),
            invalid("interaction.from.kind"),
        ),
        (
            "address kind 99",
            |i| i.from = Some(proto::Address { kind: 99, value: "x".into() }),
            invalid("interaction.from.kind"),
        ),
        ("an empty phone", |i| i.from = phone(""), missing(from)),
        (
            "a cookie of 321",
            |i| {
                let kind = proto::address::Kind::Cookie.into();
                i.from = Some(proto::Address { kind, value: "c".repeat(321) });
            },
            invalid(from),
        ),
    ]
}

fn of_outputs() -> Vec<Case<Interaction>> {
    vec![
        ("name", |i| i.name = name("interactions", 1), invalid("interaction.name")),
        ("state", |i| i.state = 1, invalid("interaction.state")),
        ("customer", |i| i.customer = name("customers", 1), invalid("interaction.customer")),
        ("enter_time", |i| i.enter_time = due(1), invalid("interaction.enter_time")),
        ("answer_time", |i| i.answer_time = due(1), invalid("interaction.answer_time")),
        ("close_time", |i| i.close_time = due(1), invalid("interaction.close_time")),
        ("agent", |i| i.agent = name("agents", "ana"), invalid("interaction.agent")),
        ("offer", |i| i.offer = name("offers", 1), invalid("interaction.offer")),
        ("assignment", |i| i.assignment = name("assignments", 1), invalid("interaction.assignment")),
        ("wait_reason", |i| i.wait_reason = 1, invalid("interaction.wait_reason")),
        ("estimate", |i| i.estimate = Some(proto::Estimate::default()), invalid("interaction.estimate")),
        ("requeues", |i| i.requeues = 1, invalid("interaction.requeues")),
        ("rule set", |i| i.rule_set_version = 1, invalid("interaction.rule_set_version")),
        ("disposition", |i| i.disposition = "solved".into(), invalid("interaction.disposition")),
        ("wait_time", |i| i.wait_time = seconds(1), invalid("interaction.wait_time")),
    ]
}

fn of_request() -> Vec<Case<SubmitRequest>> {
    vec![
        ("no parent", |r| r.parent = String::new(), invalid("parent")),
        ("a parent of another kind", |r| r.parent = "queues/sales".into(), invalid("parent")),
        ("another tenant", |r| r.parent = "tenants/rival".into(), unknown("TENANT_NOT_FOUND", "parent")),
        (
            "a tenant of 1 MB",
            |r| r.parent = format!("tenants/{}", "t".repeat(1 << 20)),
            unknown("TENANT_NOT_FOUND", "parent"),
        ),
        ("no interaction", |r| r.interaction = None, missing("interaction")),
        ("a request id of 129", |r| r.request_id = "r".repeat(129), invalid("request_id")),
        ("a fallback of 257", |r| r.fallback = "f".repeat(257), invalid("fallback")),
        ("a fallback of 1 MB", |r| r.fallback = "f".repeat(1 << 20), invalid("fallback")),
        ("max_wait 601 s", |r| r.max_wait = seconds(601), invalid("max_wait")),
        ("max_wait -1 s", |r| r.max_wait = seconds(-1), invalid("max_wait")),
        ("max_wait for ever", |r| r.max_wait = seconds(i64::MAX), invalid("max_wait")),
        ("max_wait since ever", |r| r.max_wait = seconds(i64::MIN), invalid("max_wait")),
        (
            "max_wait of negative nanoseconds",
            |r| r.max_wait = Some(prost_types::Duration { seconds: 0, nanos: -1 }),
            invalid("max_wait"),
        ),
    ]
}

#[tokio::test]
async fn each_wrong_field_of_a_submit_is_refused_by_name_and_leaves_no_trace() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    for (case, change, wanted) in [of_names(), of_figures(), of_payload(), of_outputs()].concat() {
        assert_refused(case, server.submit(call_with("c1", change)).await, wanted);
    }
    for (case, change, wanted) in of_request() {
        let mut request = call("c1");
        change(&mut request);
        assert_refused(case, server.submit(request).await, wanted);
    }
    assert!(server.open_names().await.is_empty(), "a refusal enters nothing");
    let answer = server.submit(call("c1")).await.expect("the id is still free");
    assert!(!answer.repeated);
}

#[tokio::test]
async fn what_is_at_its_limit_is_taken() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let longest = |i: &mut Interaction| {
        i.source = "pbx".into();
        i.external_id = "é".repeat(128);
        i.message = "ä".repeat(4_096);
        i.attributes = attributes(32, 1_024);
        i.requirements = vec![es(10); 16];
        i.priority = -10;
        i.intent = "i".repeat(64);
    };
    let request =
        SubmitRequest { fallback: "f".repeat(256), request_id: "r".repeat(128), ..call_with("", longest) };
    let answer = server.submit(request).await.expect("nothing is beyond its limit");
    assert_eq!(answer.fallback, "f".repeat(256));
    let interaction = answer.interaction.expect("an interaction");
    assert_eq!((interaction.attributes.len(), interaction.requirements.len()), (32, 1));
    let zero = call_with("zero", |i| i.requirements = vec![es(0)]);
    let least = server.submit(zero).await.expect("0 stands for 1").interaction.expect("an interaction");
    assert_eq!(least.requirements[0].proficiency, 1);
    let dashed = SubmitRequest { parent: "tenants/-".into(), ..call("dash") };
    server.submit(dashed).await.expect("`-` is the caller's tenant");
}

#[tokio::test]
async fn a_caller_without_a_number_is_unknown_and_still_a_caller() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    for (case, number) in [("withheld", "anonymous"), ("extension", "42")] {
        let request = call_with(case, |i| i.from = phone(number));
        let taken = server.submit(request).await.expect(case).interaction.expect("an interaction");
        assert_eq!((taken.customer.as_str(), taken.from), ("", phone(number)), "{case}: kept as it came");
    }
}

#[tokio::test]
async fn an_error_tells_nothing_personal() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let secret = "Rumpelstiltskin ";
    let wrong: [fn(&mut Interaction, String); 3] = [
        |i, text| i.message = text,
        |i, text| drop(i.attributes.insert("pet".into(), text)),
        |i, text| i.from = phone(&text),
    ];
    for (number, change) in wrong.into_iter().enumerate() {
        let request = call_with("c1", |i| change(i, secret.repeat(300)));
        let refused = server.submit(request).await.expect_err("too long");
        let details = String::from_utf8_lossy(refused.details());
        assert!(
            !refused.message().contains("Rumpel") && !details.contains("Rumpel"),
            "{number}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn every_answer_repeats_the_fallback_errors_too() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let fallback_to = "sip:voicemail@pbx-1";
    let with = |request: SubmitRequest| SubmitRequest { fallback: fallback_to.into(), ..request };
    let taken = server.submit(with(call("c1"))).await.expect("taken");
    assert_eq!(taken.fallback, fallback_to);
    let wrong = server.submit(with(call_with("c2", |i| i.priority = 11))).await.expect_err("refused");
    assert_eq!(fallback(&wrong).as_deref(), Some(fallback_to));
    let wait = proto::WaitRequest {
        name: name("interactions", 99),
        fallback: fallback_to.into(),
        ..proto::WaitRequest::default()
    };
    let unknown = server.interactions().wait(wait).await.expect_err("there is no such interaction");
    assert_eq!(fallback(&unknown).as_deref(), Some(fallback_to));
    let none = server.submit(call_with("c3", |i| i.priority = 11)).await.expect_err("refused");
    assert_eq!(fallback(&none), None);
}

#[tokio::test]
async fn a_repetition_gets_the_first_answer_and_another_request_under_its_id_is_refused() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let by_both = |request_id: &str| SubmitRequest { request_id: request_id.into(), ..call("c1") };
    let first = server.submit(by_both("r1")).await.expect("taken").interaction.expect("an interaction");
    let again = server.submit(by_both("r1")).await.expect("a repetition");
    assert!(again.repeated);
    assert_eq!(again.interaction.expect("an interaction").name, first.name);

    let reused = (Code::AlreadyExists, "REQUEST_ID_REUSED", "");
    let other = call_with("c1", |i| i.message = "something else".into());
    assert_refused("the external id again", server.submit(other).await, reused);
    let other = SubmitRequest { request_id: "r1".into(), ..call("c2") };
    assert_refused("the request id again", server.submit(other).await, reused);
    let elsewhere = call_with("c1", |i| i.source = "web".into());
    assert!(!server.submit(elsewhere).await.expect("another source's ids are its own").repeated);
    assert_eq!(server.open_names().await, [first.name]);
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_back_and_a_place_that_came_free_is_taken() {
    let server = Server::start().await;
    server.add_queue("sales", proto::Queue { waiting_max: 2, ..proto::Queue::default() }).await;
    let first = server.call("c1").await;
    server.call("c2").await;
    let full = (Code::ResourceExhausted, "QUEUE_FULL", "");
    let request = SubmitRequest { fallback: "voicemail".into(), ..call("c3") };
    let refused = server.submit(request.clone()).await;
    assert_eq!(refused.as_ref().err().and_then(fallback).as_deref(), Some("voicemail"));
    assert_refused("a third", refused, full);
    assert!(server.submit(call("c2")).await.expect("a repetition needs no room").repeated);
    server.cancel(&first).await;
    server.submit(request).await.expect("there is room again");
}

#[tokio::test]
async fn a_message_above_the_limit_is_refused_and_the_connection_lives() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let huge = call_with("c1", |i| i.message = "m".repeat(baton::api::MESSAGE_MAX + 1));
    let refused = server.submit(huge).await.expect_err("above the limit");
    assert_eq!(refused.code(), Code::OutOfRange, "{refused:?}");
    server.submit(call("c1")).await.expect("the next one is taken");
}

#[tokio::test]
async fn a_deadline_of_the_call_that_is_past_ends_the_call_and_a_retry_is_safe() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let late = SubmitRequest { max_wait: seconds(600), ..call("c1") };
    let mut request = tonic::Request::new(late.clone());
    request.set_timeout(std::time::Duration::ZERO);
    let ended = server.interactions().submit(request).await.expect_err("the deadline is past");
    assert!(matches!(ended.code(), Code::DeadlineExceeded | Code::Cancelled), "{ended:?}");
    let retried = server.submit(SubmitRequest { max_wait: None, ..late }).await.expect("taken, or found");
    let interaction = retried.interaction.expect("an interaction");
    assert_eq!(server.open_names().await, [interaction.name]);
}
