//! What past days say of a pool's figures, for people.

use super::tune::{Change, KindChange, Setting, Tuning};
use std::fmt::{self, Display, Formatter};

impl Display for Setting {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "scarcity {}, depletion {}", self.scarcity, self.depletion)
    }
}

impl Display for Tuning {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let from = self.seed.map_or("recorded".to_owned(), |seed| format!("of seed {seed}"));
        writeln!(
            f,
            "{}: {} agents, {:.0} customers a day, {} days {from}, the same for all settings\n",
            self.floor, self.agents, self.calls, self.days
        )?;
        self.grid(f)?;
        self.verdict(f)?;
        self.table(f, &format!("the present setting ({})", self.present), |kind| kind.against_present)?;
        self.table(f, "longest idle", |kind| kind.against_longest_idle)?;
        self.lines(f)
    }
}

impl Tuning {
    fn grid(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut depletions: Vec<f64> = self
            .tried
            .iter()
            .filter(|one| one.setting.scarcity > 0.0)
            .map(|one| one.setting.depletion)
            .collect();
        depletions.sort_by(f64::total_cmp);
        depletions.dedup();
        writeln!(
            f,
            "cost of a day against the present setting, per cent, with 95 % intervals of the paired differences"
        )?;
        write!(f, "{:<14}", "depletion")?;
        depletions.iter().try_for_each(|depletion| write!(f, "{depletion:>15}"))?;
        for scarcity in self.tried.chunk_by(|a, b| a.setting.scarcity == b.setting.scarcity) {
            write!(f, "\n{:<14}", format!("scarcity {}", scarcity[0].setting.scarcity))?;
            for depletion in &depletions {
                // Without scarcity the depletion says nothing.
                let of = |setting: Setting| setting.scarcity == 0.0 || setting.depletion == *depletion;
                match scarcity.iter().find(|one| of(one.setting)) {
                    Some(one) if one.setting == self.present => write!(f, "{:>15}", "present")?,
                    Some(one) => {
                        let (percent, ci) = (one.against_present_percent, one.against_present_percent_ci);
                        write!(f, "{percent:>+8.1} +- {ci:<3.1}")?;
                    }
                    None => write!(f, "{:>15}", "")?,
                }
            }
        }
        writeln!(f)
    }

    fn verdict(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let best = &self.best;
        writeln!(
            f,
            "\nbest: {}; {:.2} a day, {:+.1} +- {:.1} % against the present setting, {:+.1} +- {:.1} % against longest idle",
            best.setting,
            best.cost,
            best.against_present_percent,
            best.against_present_percent_ci,
            self.against_longest_idle_percent,
            self.against_longest_idle_percent_ci
        )?;
        writeln!(
            f,
            "chosen on all days but one and tried on that one: {:+.1} +- {:.1} %",
            self.held_out_percent, self.held_out_percent_ci
        )?;
        match self.recommended == self.present {
            true if best.setting == self.present => {
                writeln!(f, "recommended: stay as it is, nothing tried is cheaper")
            }
            true => writeln!(f, "recommended: stay as it is, since the gain may be luck"),
            false => writeln!(f, "recommended: {}", self.recommended),
        }
    }

    fn table(&self, f: &mut Formatter<'_>, other: &str, of: fn(&KindChange) -> Change) -> fmt::Result {
        if self.kinds.iter().all(|kind| of(kind) == Change::NONE) {
            return Ok(());
        }
        writeln!(f, "\nwho gains and who pays under the best setting, against {other}")?;
        writeln!(
            f,
            "{:<12} {:>7} {:>22} {:>24} {:>24} {:>30}",
            "kind", "calls", "in time %, points", "hung up %, points", "wait s, change", "cost of a day, %"
        )?;
        for kind in &self.kinds {
            let change = of(kind);
            writeln!(
                f,
                "{:<12} {:>7.0} {:>7.1} {:>+6.1} +- {:>4.1} {:>8.2} {:>+6.2} +- {:>4.2} {:>8.1} {:>+6.1} +- {:>4.1} {:>12.2} {:>+7.1} +- {:>5.1}{}",
                kind.kind,
                kind.calls,
                kind.in_time * 100.0,
                change.in_time_points,
                change.in_time_points_ci,
                kind.abandoned * 100.0,
                change.abandoned_points,
                change.abandoned_points_ci,
                kind.wait_s,
                change.wait_s,
                change.wait_s_ci,
                kind.cost,
                change.cost_percent,
                change.cost_percent_ci,
                change.word()
            )?;
        }
        Ok(())
    }

    /// What a person sets, as the protocol writes it in JSON.
    fn lines(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.recommended == self.present {
            return Ok(());
        }
        let Setting { scarcity, depletion } = self.recommended;
        writeln!(
            f,
            "\nNothing has been changed. To set it: Floor.UpdatePool, with what else the pool's policy says"
        )?;
        writeln!(
            f,
            "  \"policy\": {{ \"marginal_cost\": {{ \"scarcity\": {scarcity}, \"depletion\": {depletion} }} }}"
        )
    }
}

impl Change {
    const NONE: Change = Change {
        in_time_points: 0.0,
        in_time_points_ci: 0.0,
        wait_s: 0.0,
        wait_s_ci: 0.0,
        abandoned_points: 0.0,
        abandoned_points_ci: 0.0,
        cost_percent: 0.0,
        cost_percent_ci: 0.0,
    };

    /// In money, as far as the interval tells.
    fn word(&self) -> &'static str {
        match (self.cost_percent - self.cost_percent_ci, self.cost_percent + self.cost_percent_ci) {
            (_, most) if most < 0.0 => "  gains",
            (least, _) if least > 0.0 => "  pays",
            _ => "",
        }
    }
}
