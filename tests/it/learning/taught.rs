//! Learned against given: a floor that begins knowing nothing comes near one that was told everything, and one that was
//! told wrongly does no harm. `BATON_DAYS` is the number of days.

use baton::simulate::{Belief, Scenario, TaughtDay, floor, taught};

fn days(few: u32) -> u32 {
    let asked = std::env::var("BATON_DAYS").ok();
    asked.map_or(few, |asked| asked.parse().expect("BATON_DAYS is a whole number"))
}

fn run(belief: Belief, days: u32) -> Vec<TaughtDay> {
    let floor = floor("S1").expect("it is shipped");
    let scenario = Scenario::new(&floor, Some(days), Some(20_261_126)).expect("it can be run");
    let all = taught(&scenario, belief, Some(60_000), &mut |_, _| {});
    for one in &all {
        println!(
            "day {:2}: longest idle {:6.0} {:6.0}, given {:6.0} {:6.0}, learned {:6.0} {:6.0}, believed {:6.0} {:6.0}",
            one.day,
            one.longest_idle,
            one.longest_idle_service,
            one.given,
            one.given_service,
            one.learned,
            one.learned_service,
            one.believed,
            one.believed_service
        );
    }
    all
}

/// What is saved of the cost under longest idle, in per cent.
fn saved(days: &[TaughtDay], of: fn(&TaughtDay) -> f64, idle: fn(&TaughtDay) -> f64) -> f64 {
    let idle: f64 = days.iter().map(idle).sum();
    (1.0 - days.iter().map(of).sum::<f64>() / idle) * 100.0
}

#[test]
fn after_five_days_of_learning_from_nothing_as_much_is_saved_as_with_everything_given() {
    let all = run(Belief::Flat, days(10));
    let later = &all[5..];
    let given = saved(later, |day| day.given, |day| day.longest_idle);
    let learned = saved(later, |day| day.learned, |day| day.longest_idle);
    let service = |of| saved(later, of, |day| day.longest_idle_service);
    let (service_given, service_learned) =
        (service(|day| day.given_service), service(|day| day.learned_service));
    println!("cost {given:.1} given, {learned:.1} learned; service {service_given:.1}, {service_learned:.1}");
    assert!(given - learned <= 2.0, "{given:.1} % saved with everything given, {learned:.1} % learned");
}

#[test]
fn what_is_believed_wrongly_at_first_is_never_worse_than_longest_idle() {
    for one in run(Belief::Wrong(0.3), days(6)) {
        assert!(one.learned <= one.longest_idle, "{one:?}");
    }
}
