//! What a rule change would have done to a recorded period: small pasts worked out by hand, pasts made by chance, and the
//! bank's January.

mod carried;
mod chance;
mod conventions;
mod cut;
mod january;
mod past;
mod periods;

use baton::replay::backtest::{Backtest, Options, Recorded, backtest};
use baton::rules::RuleSet;
use std::ops::ControlFlow;

/// Decides again, to the end.
fn tell(recorded: &Recorded, published: &RuleSet, draft: &RuleSet) -> Backtest {
    let mut go_on = |_, _| ControlFlow::Continue(());
    backtest(recorded, published, draft, &Options::default(), &mut go_on)
        .expect("the period can be decided again")
}

/// A rule set of one line after another.
fn rules(document: &str) -> RuleSet {
    RuleSet::read(document).expect("the document was thought through")
}
