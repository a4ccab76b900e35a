//! The month under several ways to decide, for people, with what cannot be concluded from it.

use super::policies::{Group, Less, Policies, UnderPolicy};
use super::report::SOURCE;
use std::fmt::{self, Display, Formatter};

impl Display for Policies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} to {}, {} days; the same customers, agents and work for every way but the record; goals: {}\n",
            self.from, self.to, self.days, self.goals
        )?;
        let Some((all, others)) = self.groups.split_first() else { return Ok(()) };
        whole(f, all)?;
        writeln!(
            f,
            "\nwho gains and who pays: hung up %, mean wait s, cost; the last against each other simulated one, cost %"
        )?;
        heading(f, all)?;
        others.iter().try_for_each(|group| class(f, group))?;
        writeln!(f)?;
        self.notes(f)
    }
}

fn whole(f: &mut Formatter<'_>, all: &Group) -> fmt::Result {
    writeln!(
        f,
        "{:<16} {:>8} {:>8} {:>9} {:>8} {:>10} {:>12} {:>12} {:>12} {:>10}",
        "way",
        "offered",
        "served",
        "hung up",
        "wait s",
        "in 20 s",
        "of waiting",
        "of hang-ups",
        "service cost",
        "squared"
    )?;
    for row in &all.rows {
        let UnderPolicy { policy, figures, cost_waiting, cost_abandoned, cost_service, squared_minutes } =
            row;
        writeln!(
            f,
            "{policy:<16} {:>8} {:>8} {:>9} {:>8.1} {:>8.1} % {cost_waiting:>12.2} {cost_abandoned:>12.2} {cost_service:>12.2} {squared_minutes:>10.0}",
            figures.offered,
            figures.served,
            figures.abandoned,
            figures.mean_wait_s,
            figures.within_20s * 100.0,
        )?;
    }
    for less in &all.less {
        let Less { policy, against, cost_percent, cost_percent_ci, .. } = less;
        writeln!(
            f,
            "{policy} against {against}, by day: cost {cost_percent:+.1} +- {cost_percent_ci:.1} %, hung up {:+.2} +- {:.2} \
             points, wait {:+.1} +- {:.1} s",
            less.abandoned_points, less.abandoned_points_ci, less.wait_s, less.wait_s_ci
        )?;
    }
    Ok(())
}

fn heading(f: &mut Formatter<'_>, all: &Group) -> fmt::Result {
    write!(f, "{:<12} {:>8}", "calls", "offered")?;
    all.rows.iter().try_for_each(|row| write!(f, " {:>24}", row.policy))?;
    all.less.iter().try_for_each(|less| write!(f, " {:>20}", format!("against {}", less.against)))?;
    writeln!(f)
}

fn class(f: &mut Formatter<'_>, group: &Group) -> fmt::Result {
    write!(f, "{:<12} {:>8}", group.calls, group.rows[0].figures.offered)?;
    for UnderPolicy { figures, cost_service, .. } in &group.rows {
        let left = figures.abandoned as f64 / figures.offered as f64 * 100.0;
        write!(f, " {left:>6.1} {:>6.1} {cost_service:>10.2}", figures.mean_wait_s)?;
    }
    for less in &group.less {
        write!(f, " {:>+11.1} +- {:>5.1}", less.cost_percent, less.cost_percent_ci)?;
    }
    writeln!(f)
}

impl Policies {
    fn notes(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{SOURCE}")?;
        writeln!(
            f,
            "squared: half the square minutes of waiting, the credit of 90 s included, whoever hangs up: what the order of the\n\
             \x20 bank's rule keeps small, and the goals do not ask for"
        )?;
        let calibrated = if self.calibration.is_some() {
            "calibrated on the days before, by the bank's order"
        } else {
            "given"
        };
        writeln!(
            f,
            "agents take calls {:.2} % of their time on duty ({calibrated}); what is drawn is of seed {}",
            self.availability * 100.0,
            self.seed
        )?;
        writeln!(
            f,
            "not to be concluded: what the bank would have saved. How long those who were answered would have waited was\n\
             \x20 never seen: it is drawn from those who hung up, as if the answered were like them. Agents work as long as\n\
             \x20 recorded, whoever they get and whatever the rule; of those who hang up nobody calls again, where in the record\n\
             \x20 nearly half do within the hour. Duty, skills and breaks are read off what agents did under the bank's rule, so\n\
             \x20 the staffing fits that rule. The customers of the {unknown} calls that never queued are not known and count as\n\
             \x20 regular. The goals are ours, after the bank's rule; with others the gain is another. And what the record cost is\n\
             \x20 no measure for any way: the simulated load differs from the recorded. What is shown is the order of the ways\n\
             \x20 under one and the same simulated load",
            unknown = self.customer_unknown,
        )
    }
}
