//! Whoever was there when the period began goes on from where they were: what was done, said and known by then is not done
//! again, and what was not is done as it was.

use super::past::{NINE, Past, SALES, SERVICE};
use super::tell;
use baton::engine::command::Command;
use baton::engine::ids::InteractionId;
use baton::replay::backtest::{Backtest, Recorded};
use baton::rules::RuleSet;

/// The same rules twice, from so many seconds after nine on.
fn again(past: &Past, from: u64) -> Backtest {
    let (from, to) = (NINE.after(from * 1_000), NINE.after(3_600_000));
    let recorded = Recorded::from_events(&past.journal, from, to).expect("somebody came");
    tell(&recorded, &RuleSet::default(), &RuleSet::default())
}

/// Ana is there, and a call is waiting for her answer since 10 s.
fn a_call_is_offered() -> (Past, InteractionId) {
    let mut past = Past::plain();
    let ana = past.hire("ana", false);
    past.on_duty(0, ana);
    let call = past.call(10, SALES);
    (past, call)
}

/// One who comes later, so that the period has somebody.
fn another_comes(past: &mut Past, second: u64) {
    let call = past.call(second, SALES);
    let talk = past.accept(second + 2, call);
    past.complete(second + 50, talk);
}

#[test]
fn who_declined_before_the_period_does_not_decline_again() {
    let (mut past, call) = a_call_is_offered();
    let offer = past.offer(call);
    past.ask(12, Command::Decline { offer, reason: "".into() });
    past.ask(42, Command::Tick);
    let talk = past.accept(44, call);
    past.complete(100, talk);
    another_comes(&mut past, 200);
    let result = again(&past, 20);
    assert_eq!((result.all.recorded.answered, result.all.recorded.mean_wait_s), (2, Some(18.0)));
    assert_eq!(result.all.published, result.all.recorded);
}

#[test]
fn who_was_being_asked_when_the_period_began_answers_when_they_did() {
    let (mut past, call) = a_call_is_offered();
    let talk = past.accept(18, call);
    past.complete(100, talk);
    another_comes(&mut past, 200);
    let result = again(&past, 15);
    assert_eq!(result.all.recorded.mean_wait_s, Some(5.0), "8 s and 2 s");
    assert_eq!(result.all.published, result.all.recorded);
}

/// Ana has a call from 12 s to 112 s and hands it to service, where Ben has it from 125 s to 215 s.
fn handed_on() -> Past {
    let mut past = Past::plain();
    let (ana, ben) = (past.hire("ana", false), past.hire("ben", false));
    past.on_duty(0, ana);
    let call = past.call(10, SALES);
    let talk = past.accept(12, call);
    past.transfer(112, talk, SERVICE);
    past.on_duty(115, ben);
    let talk = past.accept(125, call);
    past.complete(215, talk);
    another_comes(&mut past, 300);
    past
}

#[test]
fn what_was_handed_on_before_the_period_is_not_handed_on_again() {
    let result = again(&handed_on(), 120);
    assert_eq!(result.all.recorded.answered, 2);
    assert_eq!(result.all.published, result.all.recorded);
    assert!(result.queues.iter().all(|row| row.published == row.recorded), "{result}");
}

#[test]
fn a_conversation_in_hand_is_handed_on_when_it_was() {
    let result = again(&handed_on(), 60);
    assert_eq!(result.all.recorded.answered, 2, "one of them by Ben, the second to have it");
    assert_eq!(result.all.published, result.all.recorded);
    assert!(result.queues.iter().all(|row| row.published == row.recorded), "{result}");
}
