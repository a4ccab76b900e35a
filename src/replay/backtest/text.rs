//! A back-test for people: what would change first, then the tables, the interactions that changed most, and what was
//! assumed.

use super::changed::{Changed, Told};
use super::conventions::with_interval;
use super::difference::Difference;
use super::figures::Cell;
use super::result::{Backtest, Row};
use std::fmt::{self, Display, Formatter};

const HEADS: [&str; 10] =
    ["", "", "entered", "answered", "hung up", "not let in", "in time %", "wait s", "p95 s", "cost"];

impl Display for Backtest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} to {}, from {}", self.from, self.to, self.source)?;
        let named = |named: &super::result::Named| format!("{} (version {})", named.name, named.version);
        writeln!(
            f,
            "published: {}; draft: {}; seed {}",
            named(&self.published),
            named(&self.draft),
            self.seed
        )?;
        writeln!(f, "cost is by the goals of the published rules, in their currency")?;
        writeln!(f, "{}\n", self.own_error)?;
        table(f, "in all", std::slice::from_ref(&self.all))?;
        agents(f, &self.all)?;
        table(f, "by queue", &self.queues)?;
        table(f, "by segment", &self.segments)?;
        differences(f, self)?;
        changed(f, self)?;
        list(f, "about this record", &self.notes)?;
        list(f, "what is assumed", &self.conventions)
    }
}

fn table(f: &mut Formatter<'_>, title: &str, rows: &[Row]) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}")?;
    let mut lines = vec![HEADS.map(str::to_owned)];
    for row in rows {
        for (at, (telling, cell)) in
            [("recorded", &row.recorded), ("published", &row.published), ("draft", &row.draft)]
                .into_iter()
                .enumerate()
        {
            lines.push(cells(if at == 0 { &row.name } else { "" }, telling, cell));
        }
    }
    aligned(f, &lines)?;
    writeln!(f)
}

fn cells(name: &str, telling: &str, cell: &Cell) -> [String; 10] {
    let by_draft = cell.cost_by_draft.filter(|_| telling == "draft");
    let cost = match by_draft {
        Some(by_draft) => format!("{:.2} (by its own goals {by_draft:.2})", cell.cost),
        None => format!("{:.2}", cell.cost),
    };
    [
        name.to_owned(),
        telling.to_owned(),
        cell.entered.to_string(),
        cell.answered.to_string(),
        cell.abandoned.to_string(),
        cell.refused.to_string(),
        one_decimal(cell.service_level, 100.0),
        one_decimal(cell.mean_wait_s, 1.0),
        one_decimal(cell.p95_wait_s, 1.0),
        cost,
    ]
}

/// Words to the left, numbers to the right; the last column as it is, since nothing follows.
fn aligned<const N: usize>(f: &mut Formatter<'_>, lines: &[[String; N]]) -> fmt::Result {
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N).map(width).collect();
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 | 1 => format!("{cell:<width$}"),
            _ if column + 1 == N => cell.clone(),
            _ => format!("{cell:>width$}"),
        });
        writeln!(f, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

fn agents(f: &mut Formatter<'_>, all: &Row) -> fmt::Result {
    let one = |cell: &Cell| {
        let gini = cell.occupancy_gini.map_or_else(|| "-".to_owned(), |gini| format!("{gini:.3}"));
        format!("{} % ({gini})", one_decimal(cell.occupancy, 100.0))
    };
    writeln!(
        f,
        "agents' occupancy, and in brackets how unevenly it is spread (Gini, 0 is evenly): recorded {}, published {}, \
         draft {}\n",
        one(&all.recorded),
        one(&all.published),
        one(&all.draft)
    )
}

fn differences(f: &mut Formatter<'_>, result: &Backtest) -> fmt::Result {
    let rows = || std::iter::once(&result.all).chain(&result.queues).chain(&result.segments);
    let Some(days) = result.all.difference.map(|difference| difference.days) else { return Ok(()) };
    let sure = match days {
        1 => "one day, which tells nothing of others".to_owned(),
        days => format!("means of {days} days, with half the width of their 95 % intervals"),
    };
    writeln!(f, "draft less published, {sure}")?;
    let heads = ["", "", "in time, points", "hung up, points", "mean wait, s", "cost, %", "cost a day"];
    let mut lines = vec![heads.map(str::to_owned)];
    lines.extend(rows().filter_map(|row| Some(difference(&row.name, &row.difference?))));
    aligned(f, &lines)?;
    writeln!(f)
}

fn difference(name: &str, by: &Difference) -> [String; 7] {
    [
        name.to_owned(),
        String::new(),
        with_interval(by.in_time_points, 2),
        with_interval(by.abandoned_points, 2),
        with_interval(by.wait_s, 2),
        with_interval(by.cost_percent, 2),
        with_interval(by.cost_a_day, 2),
    ]
}

fn changed(f: &mut Formatter<'_>, result: &Backtest) -> fmt::Result {
    let (count, came) = (result.changed, result.all.published.entered + result.all.published.refused);
    writeln!(
        f,
        "interactions that end another way under the draft: {count} of {came}; those that change most"
    )?;
    for one in &result.changed_most {
        one_changed(f, one)?;
    }
    writeln!(f)
}

fn one_changed(f: &mut Formatter<'_>, one: &Changed) -> fmt::Result {
    let segment = if one.segment.is_empty() { String::new() } else { format!(", {}", one.segment) };
    let called = if one.external_id.is_empty() { String::new() } else { format!(" ({})", one.external_id) };
    writeln!(
        f,
        "  {:+.2}  interaction {}{called} of {}, {}{segment}",
        one.cost, one.interaction, one.came, one.queue
    )?;
    for (telling, told) in [("recorded", &one.recorded), ("published", &one.published), ("draft", &one.draft)]
    {
        writeln!(f, "         {telling:<9} {}", sentence(told))?;
    }
    Ok(())
}

fn sentence(told: &Told) -> String {
    let by = told.agent.as_ref().map_or_else(String::new, |agent| format!(" by {agent}"));
    let why = told.why.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
    format!("{}{by} after {:.1} s, cost {:.2}{why}", told.ending.word(), told.wait_s, told.cost)
}

fn list(f: &mut Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}")?;
    lines.iter().try_for_each(|line| writeln!(f, "  - {line}"))
}

fn one_decimal(value: Option<f64>, unit: f64) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.1}", value * unit))
}
