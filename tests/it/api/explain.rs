//! Why an interaction is where it is: chosen, ranked lower, each one excluded with the reason; and the same judged
//! again from the record.

use super::expect::{assert_refused, failed, invalid};
use super::faults::{Gate, Slow};
use super::harness::{Server, call, call_with, name, phone, within};
use baton::customers::MemoryStore;
use baton::proto::policy::Kind;
use baton::proto::{self, Channel, Exclusion, Explanation, InteractionState, Presence};
use std::collections::BTreeMap;
use tonic::Status;

impl Server {
    async fn explain(&self, interaction: &str, decision: u64) -> Result<Explanation, Status> {
        let request = proto::ExplainRequest { interaction: interaction.into(), decision };
        within("the reason", self.supervision().explain(request)).await.map(tonic::Response::into_inner)
    }

    /// A call that needs `es` 3.
    async fn spanish(&self, external_id: &str) -> String {
        let request = call_with(external_id, |one| {
            one.requirements = vec![proto::Requirement { skill: name("skills", "es"), proficiency: 3 }];
        });
        self.submit(request).await.expect("taken").interaction.expect("an interaction").name
    }
}

/// Exclusion and sentence by agent.
fn reasons(candidates: &[proto::Candidate]) -> BTreeMap<&str, (Exclusion, &str)> {
    let prefix = name("agents", "");
    candidates
        .iter()
        .map(|one| (&one.agent[prefix.len()..], (one.exclusion(), one.sentence.as_str())))
        .collect()
}

/// Ana and bo could, cy lacks proficiency, di the skill; ed never came, flo is on a break, gus lost the line.
async fn floor(server: &Server) -> Vec<super::desk::Desk> {
    let agents = [("ana", 3), ("bo", 5), ("cy", 1), ("di", 0), ("ed", 3), ("flo", 3), ("gus", 3)];
    server.open_floor(&agents).await;
    let mut desks = Vec::new();
    for agent in ["ana", "bo", "cy", "di", "flo"] {
        desks.push(server.sign_in(agent).await);
    }
    server.present("flo", Presence::OnBreak).await.expect("a break");
    drop(server.sign_in("gus").await);
    server.agent_until("gus", |status| status.liveness() == proto::Liveness::Lost).await;
    desks
}

#[tokio::test]
async fn each_agent_is_chosen_ranked_lower_or_excluded_for_one_reason() {
    let server = Server::start().await;
    let _desks = floor(&server).await;
    let first = server.spanish("c1").await;
    let told = server.explain(&first, 0).await.expect("it exists");
    let decision = &told.decisions[0];
    assert_eq!(decision.agent, name("agents", "ana"), "idle for the longest");
    assert_eq!(decision.trigger(), proto::decision::Trigger::InteractionWaits);
    assert!(decision.sentence.starts_with("ana: worth most; net "), "{}", decision.sentence);
    assert!(decision.sentence.ends_with("; es 3 >= 3"), "{}", decision.sentence);
    let stored = reasons(&decision.agents);
    assert_eq!(stored["ana"].0, Exclusion::Unspecified);
    assert_eq!(stored["bo"].0, Exclusion::RankedLower);
    assert_eq!((decision.agents_ready, decision.rule_set_version), (4, 1));
    assert!(!told.recomputed);
    assert_eq!(reasons(&told.agents)["ana"].0, Exclusion::AlreadyAsked);

    let second = server.spanish("c2").await;
    let third = server.spanish("c3").await;
    assert_eq!(server.state(&second).await, InteractionState::Offered);
    let waits = server.explain(&third, 0).await.expect("it exists");
    assert_eq!(waits.interaction.expect("it").wait_reason(), proto::WaitReason::AllAgentsBusy);
    let now = reasons(&waits.agents);
    for busy in ["ana", "bo"] {
        let full = [Exclusion::CapacityFull, Exclusion::ChannelLimitReached];
        assert!(full.contains(&now[busy].0), "{busy}: {:?}", now[busy]);
    }
    let others = [
        ("cy", (Exclusion::ProficiencyTooLow, "es 1 < 3")),
        ("di", (Exclusion::SkillMissing, "no es (needs 3)")),
        ("ed", (Exclusion::SignedOut, "signed out")),
        ("flo", (Exclusion::OnBreak, "on break")),
        ("gus", (Exclusion::SessionLost, "connection lost")),
    ];
    for (agent, wanted) in others {
        assert_eq!(now[agent], wanted, "{agent}");
    }
    assert_eq!(now.len(), 7, "every agent has a reason");
    let sentence = &waits.decisions[0].sentence;
    assert_eq!(sentence, "waits: every agent on duty who has the skills is busy");
}

#[tokio::test]
async fn a_decline_and_a_second_offer_are_said_as_such() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    let call = server.spanish("c1").await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    server.decline(&offer.name).await.expect("the offer is open");
    let told = server.explain(&call, 0).await.expect("it exists");
    assert_eq!(reasons(&told.agents)["ana"].0, Exclusion::CoolingDownAfterDecline);
    let sentences: Vec<&str> = told.decisions.iter().map(|one| one.sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "waits: no agent on duty has the skills",
            "ana: became free; nothing else to take; es 3 >= 3",
            "waits: every free agent who has the skills had it, or was asked for it, a short while ago",
        ]
    );
    let sequences: Vec<u64> = told.decisions.iter().map(|one| one.sequence).collect();
    assert!(sequences.is_sorted() && told.sequence >= sequences[2], "{sequences:?}");
}

#[tokio::test]
async fn under_lists_the_score_is_the_wait_and_sixty_seconds_a_point() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    server.decide_by(Kind::Lists(proto::Lists::default())).await.expect("lists are a policy");
    let plain = server.call("c1").await;
    let urgent = server.submit(call_with("c2", |one| one.priority = 10)).await.expect("taken");
    let urgent = urgent.interaction.expect("an interaction").name;
    let mut ana = server.sign_in("ana").await;
    assert_eq!(ana.next_offer().await.interaction().expect("one").name, urgent);
    let told = server.explain(&urgent, 0).await.expect("it exists");
    let chosen = told.decisions.last().expect("a decision");
    assert_eq!(chosen.trigger(), proto::decision::Trigger::AgentFree);
    let wait = chosen.wait_time.expect("a wait");
    assert_eq!(chosen.priority, Some(10));
    assert_eq!(chosen.score, wait.seconds * 1_000 + i64::from(wait.nanos / 1_000_000) + 600_000);
    let rivals: Vec<&str> = chosen.rivals.iter().map(|rival| rival.interaction.as_str()).collect();
    assert_eq!(rivals, [plain.as_str()]);
    assert!(chosen.rivals[0].score < chosen.score);
    let sums = format!("ana: became free; highest score {} before {}", chosen.score, chosen.rivals[0].score);
    assert_eq!(chosen.sentence, sums);
}

#[tokio::test]
async fn a_decision_judged_again_from_the_record_agrees_with_what_was_stored() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    let desks = floor(&server).await;
    let call = server.spanish("c1").await;
    let stored = server.explain(&call, 0).await.expect("it exists").decisions.remove(0);
    // What comes after must not change what was.
    server.present("bo", Presence::SignedOut).await.expect("bo goes home");
    let chat = call_with("c2", |one| one.channel = Channel::Chat.into());
    server.submit(chat).await.expect("taken");
    drop(desks);
    server.agent_until("ana", |status| status.liveness() == proto::Liveness::Lost).await;

    let again = server.explain(&call, stored.sequence).await.expect("it is recorded");
    assert!(again.recomputed);
    assert_eq!(again.agents.len(), 7, "every agent is judged");
    let judged = reasons(&again.agents);
    for then in &stored.agents {
        let now = again.agents.iter().find(|one| one.agent == then.agent).expect("every agent is judged");
        let terms = |one: &proto::Candidate| (one.exclusion, one.capacity_used, one.idle);
        assert_eq!(terms(now), terms(then), "{}", then.agent);
    }
    assert_eq!(judged["ana"].0, Exclusion::Unspecified);
    assert_eq!(judged["bo"].0, Exclusion::RankedLower);
    assert_eq!(judged["cy"], (Exclusion::ProficiencyTooLow, "es 1 < 3"));
    assert_eq!(judged["flo"].0, Exclusion::OnBreak);

    let wrong = server.explain(&call, stored.sequence - 1).await;
    assert_refused("no decision of it", wrong, invalid("decision"));
    let wrong = server.explain(&call, u64::MAX).await;
    assert_refused("no decision at all", wrong, invalid("decision"));
}

#[tokio::test]
async fn a_decision_is_told_with_the_points_it_was_made_with_and_never_with_those_of_now() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[("ana", 3)]).await;
    let mut ana = server.sign_in("ana").await;
    let urgent = server.submit(call_with("c1", |one| one.priority = 3)).await.expect("taken");
    let call = urgent.interaction.expect("an interaction").name;
    let offer = ana.next_offer().await;
    let points = |told: &Explanation| told.decisions.iter().map(|one| one.priority).collect::<Vec<_>>();
    let told = server.explain(&call, 0).await.expect("it exists");
    assert_eq!(points(&told), [Some(3)], "it has them still");

    server.reprioritise(&call, 7).await.expect("nobody has answered it");
    server.decline(&offer.name).await.expect("the offer is open");
    let told = server.explain(&call, 0).await.expect("it exists");
    let [first, second] = &told.decisions[..] else { panic!("{:?}", told.decisions) };
    assert_eq!(points(&told), [None, None], "which of them had which is in the record alone");
    assert_eq!((first.rule_set_version, second.rule_set_version), (0, 0), "nor is it known by which plan");
    for (decision, wanted) in [(first, [Some(3), None]), (second, [None, Some(7)])] {
        let again = server.explain(&call, decision.sequence).await.expect("it is recorded");
        assert_eq!(points(&again), wanted);
        let asked = again.decisions.iter().find(|one| one.sequence == decision.sequence).expect("it is told");
        assert_eq!(asked.rule_set_version, 1);
        assert_eq!(again.interaction.expect("it").priority, 7, "that is how it is now");
    }
}

#[tokio::test]
async fn a_customer_of_whom_nothing_was_known_in_time_is_told_from_one_nobody_knows() {
    let cards = Gate::default();
    let gate = cards.clone();
    let server = Server::with_parts(move |parts| {
        let (addresses, cards) = (Gate::default(), gate.clone());
        parts.customers =
            Box::new(Slow { store: MemoryStore::new(), addresses, cards, profiles: Gate::default() });
    })
    .await;
    server.open_floor(&[]).await;
    let ana = server.who(phone("+34911234567"), "").await;
    cards.close();
    let from = |id| call_with(id, |one| one.from = phone("+34911234567"));
    let known = server.submit(from("c1")).await.expect("taken").interaction.expect("an interaction");
    assert_eq!(known.customer, ana, "who it is was known in time");
    let told = server.explain(&known.name, 0).await.expect("it exists");
    assert_eq!((told.customer_facts, told.customer_facts_unknown), (None, true));
    assert_eq!(told.replaced_plans, [], "it was planned once");
    cards.open();
    let facts = server.facts_of(&known.name).await;
    let told = server.explain(&known.name, 0).await.expect("it exists");
    assert!(told.customer_facts_unknown, "the plan would have been the same, and stays");
    assert_eq!((facts.contacts_24h, facts.lifetime_contacts), (0, 0), "it does not count itself");
    let second = server.submit(from("c2")).await.expect("taken").interaction.expect("an interaction").name;
    assert_eq!(server.facts_of(&second).await.contacts_24h, 1);
    let nobody = server.submit(call("c3")).await.expect("taken").interaction.expect("an interaction").name;
    let told = server.explain(&nobody, 0).await.expect("it exists");
    assert_eq!((told.customer_facts, told.customer_facts_unknown), (None, false));
}

#[tokio::test]
async fn a_journal_in_memory_keeps_no_record_to_judge_from() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let call = server.call("c1").await;
    let decision = server.explain(&call, 0).await.expect("it exists").decisions[0].sequence;
    assert_refused("judge again", server.explain(&call, decision).await, failed("NOT_RETAINED"));
}
