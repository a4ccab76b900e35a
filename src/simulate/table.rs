//! Comparisons as tables for people.

use super::compare::Comparison;
use super::random::{Lie, RandomFloors};
use std::fmt::{self, Display, Formatter};

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} agents, {:.0} customers a day, {} days of seed {}\n",
            self.floor, self.agents, self.calls, self.days, self.seed
        )?;
        writeln!(
            f,
            "{:<15} {:>20} {:>20} {:>7} {:>9} {:>7} {:>7} {:>8} {:>6}",
            "policy",
            "cost of a day",
            "service cost",
            "in time",
            "abandoned",
            "wait s",
            "95 % s",
            "resolved",
            "gini"
        )?;
        for one in &self.policies {
            writeln!(
                f,
                "{:<15} {:>11.2} +- {:>5.0} {:>11.2} +- {:>5.0} {:>7.4} {:>9.4} {:>7.2} {:>7.1} {:>8.4} {:>6.3}",
                one.policy,
                one.cost,
                one.cost_ci,
                one.service_cost,
                one.service_cost_ci,
                one.sl,
                one.abandoned,
                one.asa_s,
                one.p95_s,
                one.resolution,
                one.gini
            )?;
        }
        self.write_differences(f)
    }
}

impl Comparison {
    fn write_differences(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(first) = self.differences.first() else { return Ok(()) };
        writeln!(f, "\nagainst {} on the same days, with 95 % intervals", first.against)?;
        writeln!(
            f,
            "{:<15} {:>16} {:>16} {:>16} {:>18} {:>18}",
            "policy", "cost %", "service cost %", "in time, points", "abandoned, points", "resolved, points"
        )?;
        for one in &self.differences {
            writeln!(
                f,
                "{:<15} {:>+8.1} +- {:>4.1} {:>+8.1} +- {:>4.1} {:>+8.2} +- {:>4.2} {:>+10.2} +- {:>4.2} {:>+10.2} +- {:>4.2}",
                one.policy,
                one.cost_percent,
                one.cost_percent_ci,
                one.service_cost_percent,
                one.service_cost_percent_ci,
                one.sl_points,
                one.sl_points_ci,
                one.abandoned_points,
                one.abandoned_points_ci,
                one.resolution_points,
                one.resolution_points_ci
            )?;
        }
        Ok(())
    }
}

impl Display for RandomFloors {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "service cost of a day, {} days each, seed {}\n", self.days, self.seed)?;
        writeln!(
            f,
            "{:<10} {:>5} {:>6} {:>6} {:>7} {:>12} {:>14} {:>10} {:>13} {:>17} {:>10} {:>12}",
            "floor",
            "kinds",
            "groups",
            "agents",
            "calls",
            "longest-idle",
            "priority-skill",
            "cmu-theta",
            "marginal-cost",
            "against idle %",
            "best %",
            "whole cost %"
        )?;
        for one in &self.floors {
            writeln!(
                f,
                "{:<10} {:>5} {:>6} {:>6} {:>7.0} {:>12.2} {:>14.2} {:>10.2} {:>13.2} {:>+9.1} +- {:>4.1} {:>+10.1} {:>+12.1}",
                one.floor,
                one.kinds,
                one.groups,
                one.agents,
                one.calls,
                one.longest_idle,
                one.priority_skill,
                one.cmu_theta,
                one.marginal_cost,
                one.against_longest_idle,
                one.against_longest_idle_ci,
                one.against_best_other,
                one.cost_against_longest_idle
            )?;
        }
        let mut line = |what: &str, lie: Lie| {
            writeln!(
                f,
                "{what:<44} median {:>+6.1} %, p10 {:>+6.1} %, p90 {:>+6.1} %, worst {:>+6.1} %",
                lie.median, lie.p10, lie.p90, lie.worst
            )
        };
        line("\nmarginal cost against longest idle", self.against_longest_idle)?;
        line("against the best other policy of each floor", self.against_best_other)
    }
}
