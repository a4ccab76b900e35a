//! The conventions, each by a past small enough to know beforehand what has to come out.

use super::past::{NINE, Past, SALES, SERVICE};
use super::{rules, tell};
use baton::engine::agent::Presence;
use baton::engine::capacity::CapacitySpec;
use baton::engine::channel::{Channel, ChannelSet};
use baton::engine::command::Command;
use baton::engine::event::{EndedBy, Event};
use baton::engine::floor::{AgentSpec, QueueSpec};
use baton::engine::ids::PoolKey;
use baton::engine::policy::{Marginal, Policy};
use baton::replay::backtest::{Backtest, Ending, Recorded};
use baton::rules::RuleSet;

/// Nobody but those with the skill may serve sales.
fn vip_only() -> RuleSet {
    rules("version: 2\nname: vip only\nqueues:\n  sales:\n    prefer: { vip: 1 }\n")
}

/// The waits of those who changed, in seconds, as they came: published, draft.
fn waits(result: &Backtest) -> Vec<(f64, f64)> {
    let mut changed: Vec<_> = result.changed_most.iter().collect();
    changed.sort_by_key(|one| one.interaction);
    changed.iter().map(|one| (one.published.wait_s, one.draft.wait_s)).collect()
}

/// Ana is taken first, being idle for longer; both calls are over after 100 s.
fn two_calls_at_once() -> Past {
    let mut past = Past::plain();
    let (ana, ben) = (past.hire("ana", false), past.hire("ben", true));
    past.on_duty(0, ana);
    past.on_duty(1, ben);
    let first = past.call(10, SALES);
    let one = past.accept(12, first);
    let second = past.call(20, SALES);
    let other = past.accept(25, second);
    past.complete(112, one);
    past.complete(125, other);
    past
}

#[test]
fn the_same_rules_twice_change_nothing_and_repeat_the_record_where_nothing_is_drawn() {
    let past = two_calls_at_once();
    let published = RuleSet::default();
    let result = tell(&past.recorded(3_600), &published, &published);
    assert_eq!(result.all.published, result.all.draft);
    assert_eq!(
        result.all.recorded, result.all.published,
        "the agents, the answers and the work are as recorded"
    );
    let difference = result.all.difference.expect("two came");
    for change in
        [difference.in_time_points, difference.abandoned_points, difference.wait_s, difference.cost_percent]
    {
        assert_eq!((change.mean, change.ci), (0.0, None), "{difference:?}");
    }
    assert_eq!((result.changed, result.changed_most.len()), (0, 0));
}

#[test]
fn a_draft_that_asks_for_a_skill_makes_the_second_wait_for_whoever_has_it() {
    let past = two_calls_at_once();
    let result = tell(&past.recorded(3_600), &RuleSet::default(), &vip_only());
    // Ben answers the first, whom he was not asked for in the record, after one of the 2 s and 5 s that answers took, and is
    // as fast as Ana: nothing is known of the two that would tell them apart. The second is answered as it was, after 5 s.
    let [(_, first), (_, second)] = waits(&result)[..] else { panic!("{:?}", result.changed_most) };
    assert!(first == 2.0 || first == 5.0, "{first}");
    assert_eq!(second, 10.0 + first + 100.0 + 5.0 - 20.0);
    assert_eq!(result.changed_most[0].draft.agent.as_deref(), Some("ben"));
    let why = result.changed_most[0].draft.why.as_deref().expect("there is a decision");
    assert!(why.starts_with("ben: ") && why.contains("vip 5 >= 1"), "{why}");
}

#[test]
fn whoever_hung_up_hangs_up_after_the_same_wait() {
    let mut past = Past::plain();
    past.hire("ana", false);
    let call = past.call(100, SALES);
    past.hang_up(142, call);
    let result = tell(&past.recorded(3_600), &RuleSet::default(), &RuleSet::default());
    assert_eq!((result.all.published.abandoned, result.all.published.short_abandoned), (1, 0));
    // 42 s of waiting at 0.20 a minute, later than 20 s, and gone.
    assert!((result.all.published.cost - (0.14 + 1.0 + 5.0)).abs() < 1e-9, "{}", result.all.published.cost);
    assert_eq!(result.all.recorded, result.all.published);
    assert!(result.notes.iter().any(|note| note.starts_with("nobody was on duty")), "{:?}", result.notes);
}

#[test]
fn who_is_not_let_in_is_counted_apart() {
    let mut past = Past::plain();
    let ana = past.hire("ana", false);
    past.on_duty(0, ana);
    let one_at_a_time = QueueSpec { waiting_max: 1, ..QueueSpec::plain("".into(), PoolKey(0), Vec::new()) };
    past.queue(1, "sales", one_at_a_time);
    let first = past.call(10, SALES);
    let talk = past.accept(10, first);
    past.complete(50, talk);
    let second = past.call(60, SALES);
    let talk = past.accept(60, second);
    past.complete(90, talk);
    let result = tell(&past.recorded(3_600), &RuleSet::default(), &vip_only());
    let (was, draft) = (&result.all.published, &result.all.draft);
    assert_eq!((was.entered, was.answered, was.refused), (2, 2, 0));
    assert_eq!((draft.entered, draft.answered, draft.refused, draft.still_waiting), (1, 0, 1, 1));
    let refused = result.changed_most.iter().find(|one| one.interaction == second.0).expect("it changed");
    assert_eq!((refused.draft.ending, refused.draft.cost), (Ending::Refused, 5.0), "as much as leaving");
}

#[test]
fn doubling_what_waiting_costs_swaps_who_is_taken_first() {
    let document = |sales: &str| {
        rules(&format!(
            "version: 1\nname: goals\ndefault:\n  goals: {{ abandon: 0, late: 0, unresolved: 0, service_level_dial: 0 }}\n  \
             hold_at_most: {{ any: 0s }}\nqueues:\n  sales:\n    goals: {{ waiting_per_minute: {sales} }}\n  service:\n    \
             goals: {{ waiting_per_minute: 1.50 }}\n"
        ))
    };
    let (published, draft) = (document("1.00"), document("2.00"));
    let mut past = Past::opened(published.clone(), Policy::MarginalCost(Marginal::default()));
    let ana = past.hire("ana", false);
    past.on_duty(0, ana);
    let first = past.call(0, SALES);
    let talk = past.accept(0, first);
    let cheap = past.call(10, SALES);
    let dear = past.call(20, SERVICE);
    past.complete(100, talk);
    let talk = past.accept(100, dear);
    past.complete(200, talk);
    let talk = past.accept(200, cheap);
    past.complete(300, talk);
    let result = tell(&past.recorded(3_600), &published, &draft);
    assert_eq!(waits(&result), [(190.0, 90.0), (80.0, 180.0)]);
    // By the published goals: 100 s of service more at 1.50 a minute, 100 s of sales less at 1.00.
    let costs: Vec<i64> = result.changed_most.iter().map(|one| (one.cost * 1_000.0).round() as i64).collect();
    assert_eq!(costs, [2_500, -1_667]);
    let by_draft = result.all.draft.cost_by_draft.expect("the goals differ");
    assert!((by_draft - (90.0 * 2.0 + 180.0 * 1.5) / 60.0).abs() < 1e-9, "{by_draft}");
    let why = result.changed_most[1].draft.why.as_deref().expect("there is a decision");
    assert!(why.contains("for an hour of their time before"), "{why}");
}

#[test]
fn what_was_learned_late_is_not_known_before() {
    let again = rules(
        "version: 2\nname: again\ndefault:\n  repeats: { within: 7d, steps: [{ contact: 2, priority: 5 }] }\n",
    );
    let past = |known_at: u64| {
        let mut past = Past::plain();
        let ana = past.hire("ana", false);
        past.on_duty(0, ana);
        let busy = past.call(0, SALES);
        let talk = past.accept(0, busy);
        let (first, second) = (past.call(10, SALES), past.call(20, SALES));
        if known_at < 100 {
            past.known_to_come_again(known_at, second);
        }
        past.complete(100, talk);
        let talk = past.accept(100, first);
        if known_at >= 100 {
            past.known_to_come_again(known_at, second);
        }
        past.complete(200, talk);
        let talk = past.accept(200, second);
        past.complete(300, talk);
        past.recorded(3_600)
    };
    let result = tell(&past(25), &RuleSet::default(), &again);
    assert_eq!(waits(&result), [(90.0, 190.0), (180.0, 80.0)], "five points are five minutes");
    let result = tell(&past(110), &RuleSet::default(), &again);
    assert_eq!(result.changed, 0, "the first had been taken by then");
}

#[test]
fn an_agent_who_let_an_offer_expire_comes_back() {
    let mut past = Past::plain();
    let ana = past.hire("ana", false);
    past.on_duty(0, ana);
    let call = past.call(10, SALES);
    past.ask(25, Command::Tick);
    assert!(past.journal.iter().any(|stamped| matches!(stamped.event, Event::Expired { .. })));
    past.ask(
        65,
        Command::SetPresence {
            agent: ana,
            presence: Presence::Available,
            reason: "".into(),
            by: EndedBy::Agent,
        },
    );
    let talk = past.accept(65, call);
    past.complete(100, talk);
    let result = tell(&past.recorded(3_600), &RuleSet::default(), &RuleSet::default());
    assert_eq!(result.all.recorded.mean_wait_s, Some(55.0));
    // Away for 40 s, then asked again, as in the record.
    assert_eq!(result.all.published, result.all.recorded);
}

#[test]
fn what_gave_way_to_a_call_ends_later_by_as_long_as_the_call_took() {
    let mut capacity = CapacitySpec::default();
    let email = &mut capacity.channels[Channel::Email.index()];
    (email.units, email.interruptible_by) = (100, ChannelSet::of(&[Channel::Voice]));
    let spec = AgentSpec { capacity: Some(capacity), ..AgentSpec::plain("".into(), PoolKey(0), Vec::new()) };
    let mut past = Past::plain();
    let ana = past.employ("ana", spec);
    past.on_duty(0, ana);
    let email = past.contact(0, SALES, Channel::Email);
    let writes = past.accept(0, email);
    let call = past.call(50, SERVICE);
    let talks = past.accept(50, call);
    past.complete(150, talks);
    let next = past.contact(160, SALES, Channel::Email);
    past.complete(200, writes);
    let writes = past.accept(200, next);
    past.complete(210, writes);
    let result = tell(&past.recorded(3_600), &RuleSet::default(), &RuleSet::default());
    assert_eq!(result.all.recorded.p95_wait_s, Some(40.0), "the next one waited for the rest of the first");
    assert_eq!(result.all.published, result.all.recorded);
}

#[test]
fn a_source_that_was_gone_takes_nobody_along_who_stayed() {
    let mut past = Past::plain();
    let ana = past.hire("ana", false);
    past.ask(0, Command::OpenSource { source: "pbx".into() });
    past.ask(100, Command::LoseSource { source: "pbx".into() });
    past.ask(200, Command::OpenSource { source: "pbx".into() });
    let call = past.call(300, SALES);
    past.on_duty(330, ana);
    let talk = past.accept(330, call);
    past.complete(400, talk);
    let (from, to) = (NINE.after(150_000), NINE.after(3_600_000));
    let recorded = Recorded::from_events(&past.journal, from, to).expect("somebody came");
    let result = tell(&recorded, &RuleSet::default(), &RuleSet::default());
    assert_eq!(result.all.recorded.mean_wait_s, Some(30.0));
    assert_eq!(result.all.published, result.all.recorded);
}

#[test]
fn a_record_that_other_rules_planned_says_so() {
    let past = two_calls_at_once();
    let later = rules("version: 5\nname: later\n");
    let result = tell(&past.recorded(3_600), &later, &later);
    let noted = result
        .notes
        .iter()
        .any(|note| note.starts_with("2 of 2 interactions were planned by another version than 5"));
    assert!(noted, "{:?}", result.notes);
}

#[test]
fn what_the_draft_speaks_of_and_the_floor_does_not_have_is_said() {
    let draft = rules("version: 2\nname: typo\nqueues:\n  seals:\n    priority: 9\n");
    let result = tell(&two_calls_at_once().recorded(3_600), &RuleSet::default(), &draft);
    let noted = |note: &String| note.starts_with("the draft: ") && note.contains("seals");
    assert!(result.notes.iter().any(noted), "{:?}", result.notes);
    assert_eq!(result.changed, 0);
}

#[test]
fn what_was_handed_on_is_handed_on_and_each_does_their_own_work() {
    let mut past = Past::plain();
    let (ana, ben) = (past.hire("ana", false), past.hire("ben", true));
    past.on_duty(0, ana);
    past.on_duty(1, ben);
    let call = past.call(10, SALES);
    let talk = past.accept(12, call);
    past.transfer(112, talk, SERVICE);
    let talk = past.accept(115, call);
    // Ana is free by now; the one after has to wait for Ben.
    let second = past.call(120, SALES);
    let other = past.accept(121, second);
    let third = past.call(130, SERVICE);
    past.complete(215, talk);
    let last = past.accept(217, third);
    past.complete(300, other);
    past.complete(310, last);
    let published = RuleSet::default();
    let result = tell(&past.recorded(3_600), &published, &published);
    assert_eq!((result.all.recorded.entered, result.all.recorded.answered), (3, 4), "one was answered twice");
    assert_eq!(result.all.published, result.all.recorded);
    assert!(result.queues.iter().all(|row| row.published == row.recorded), "{result}");
    // Where only Ben may serve sales, Ana has what is handed on.
    let draft = tell(&past.recorded(3_600), &published, &vip_only());
    assert_eq!(draft.all.draft.answered, 4);
    let first = draft.changed_most.iter().find(|one| one.interaction == call.0).expect("Ben answers it");
    assert_eq!(first.draft.agent.as_deref(), Some("ben"));
}
