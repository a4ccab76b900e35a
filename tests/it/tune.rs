//! Figures of a pool chosen on past days, on days they were not chosen on. `BATON_FLOORS=10` takes so many random floors, six
//! days to choose on and six others each; without it one small floor has three and three.

use baton::engine::policy::Marginal;
use baton::simulate::{
    CHOICES, Choice, Figures, Past, Run, Scenario, Setting, TuneTerms, Tuning, random_floor, run, tune,
};
use std::thread;

const HOLD_MS: Option<u64> = Some(60_000);
/// How many floors, and days of each to choose on; as many others follow.
fn asked() -> (u64, u32) {
    let asked = std::env::var("BATON_FLOORS").ok();
    asked.map_or((1, 3), |floors| (floors.parse().expect("BATON_FLOORS is a whole number"), 6))
}

fn tuned(scenario: &Scenario) -> Tuning {
    let terms = TuneTerms { present: Marginal::default(), hold_max_ms: HOLD_MS };
    tune(&Past::drawn(scenario.clone()), &terms, &mut |_, _| {}).expect("there are days enough")
}

/// A floor on the days after those its figures were chosen on: costs of all of them.
#[derive(Clone, Copy, Default)]
struct Others {
    chosen: f64,
    cheapest: f64,
    default: f64,
    chosen_service: f64,
    best_list_service: f64,
}

impl Others {
    fn of(scenario: &Scenario, tuning: &Tuning) -> Others {
        let sum = |choice, marginal| -> [f64; 2] {
            let day = |day| figures(scenario, day, choice, marginal);
            let days = thread::scope(|scope| {
                let days: Vec<_> = (scenario.days..2 * scenario.days)
                    .map(|number| scope.spawn(move || day(number)))
                    .collect();
                days.into_iter().map(|day| day.join().expect("a day ends")).collect::<Vec<Figures>>()
            });
            let sum = |of: fn(&Figures) -> f64| days.iter().map(of).sum();
            [sum(|day| day.cost), sum(|day| day.service_cost)]
        };
        let with = |setting: Setting| sum(Choice::MarginalCost, setting.in_pool(Marginal::default()));
        let [chosen, chosen_service] = with(tuning.recommended);
        let lists = CHOICES.into_iter().filter(|choice| *choice != Choice::MarginalCost);
        let services = lists.map(|choice| sum(choice, Marginal::default())[1]);
        Others {
            chosen,
            cheapest: with(tuning.best.setting)[0],
            default: with(tuning.present)[0],
            chosen_service,
            best_list_service: services.fold(f64::INFINITY, f64::min),
        }
    }
}

fn figures(scenario: &Scenario, number: u32, choice: Choice, marginal: Marginal) -> Figures {
    let day = scenario.day(number);
    run(&scenario.centre, &day, Run { choice, marginal, hold_max_ms: HOLD_MS, seed: 0 })
        .figures(&scenario.centre, &day)
}

fn percent(one: f64, other: f64) -> f64 {
    (one / other - 1.0) * 100.0
}

#[test]
fn what_is_chosen_on_some_days_is_no_worse_on_others() {
    let (floors, days) = asked();
    let (mut against_default, mut worst) = (0.0, f64::NEG_INFINITY);
    println!(
        "floor     recommended   cheapest      seen %  others: recommended %  cheapest %  service, best list %"
    );
    for number in 0..floors {
        let scenario = Scenario::new(&random_floor(1, number), Some(days), None).expect("it can be run");
        let tuning = tuned(&scenario);
        let others = Others::of(&scenario, &tuning);
        let service = percent(others.chosen_service, others.best_list_service);
        let Setting { scarcity, depletion } = tuning.recommended;
        println!(
            "{:<9} {scarcity:>4} {depletion:<5}    {:>4} {:<5} {:>+8.1} {:>+20.2} {:>+13.2} {service:>+15.1}",
            scenario.name,
            tuning.best.setting.scarcity,
            tuning.best.setting.depletion,
            tuning.best.against_present_percent,
            percent(others.chosen, others.default),
            percent(others.cheapest, others.default),
        );
        against_default += percent(others.chosen, others.default) / floors as f64;
        worst = f64::max(worst, service);
    }
    println!(
        "recommended against the default {against_default:+.2} % in the mean, worst against a list {worst:+.1} %"
    );
    assert!(against_default <= 0.0, "{against_default} % dearer than the default on other days");
    assert!(worst <= 2.0, "{worst} % dearer in service than the best list");
}
