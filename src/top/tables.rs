//! What is shown, as tables of text: the same in a terminal and in a file.

use crate::demo::figures::{id, percent, spoken};
use crate::proto::{AgentStatus, FloorView, MoneyView, QueueAtRisk, QueueFigures, Relief};
use std::fmt::{self, Display, Formatter};

/// Decisions shown.
const DECISIONS_MAX: usize = 8;

/// A table with a title. The first column is aligned to the left, the others to the right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    pub title: String,
    pub header: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    /// The last column is a text: to the left as well.
    pub text_last: bool,
}

impl Table {
    /// Characters each column takes.
    pub fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([self.header[column].len()]).max().unwrap_or(0)
        };
        (0..self.header.len()).map(width).collect()
    }

    /// Whether a column is aligned to the left.
    pub fn is_left(&self, column: usize) -> bool {
        column == 0 || (self.text_last && column + 1 == self.header.len())
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let widths = self.widths();
        let header = self.header.iter().map(ToString::to_string).collect();
        for row in std::iter::once(&header).chain(&self.rows) {
            let cell = |(column, text): (usize, &String)| match self.is_left(column) {
                true => format!("{text:<width$}", width = widths[column]),
                false => format!("{text:>width$}", width = widths[column]),
            };
            let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
            writeln!(f, "  {}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// Everything on one view, from top to bottom.
pub fn tables(view: &FloorView) -> Vec<Table> {
    let none = MoneyView::default();
    let money = view.money.as_ref().unwrap_or(&none);
    vec![queues(view, money), skills(money), agents(view, money), decisions(view)]
}

fn queues(view: &FloorView, money: &MoneyView) -> Table {
    let header = vec![
        "queue",
        "waiting",
        "held",
        "longest",
        "level",
        "answered",
        "abandoned",
        "at risk/min",
        "minutes",
        "hang-up",
        "target",
    ];
    let row = |queue: &QueueFigures| {
        let nothing = QueueAtRisk::default();
        let risk = money.at_risk.iter().find(|one| one.queue == queue.queue).unwrap_or(&nothing);
        let relief = risk.per_minute.unwrap_or_default();
        let all = relief.waiting + relief.hang_up + relief.target;
        let mut cells = vec![
            id(&queue.queue).to_owned(),
            queue.waiting.to_string(),
            risk.held.to_string(),
            spoken(queue.longest_wait.as_ref()),
            percent(queue.service_level_ppm),
            queue.answered.to_string(),
            queue.abandoned.to_string(),
        ];
        cells.extend([all, relief.waiting, relief.hang_up, relief.target].map(units));
        cells
    };
    let mut rows: Vec<Vec<String>> = view.queues.iter().map(row).collect();
    if view.queues.len() > 1 {
        rows.push(all_queues(view, money));
    }
    Table { title: "queues, and what their lines cost".into(), header, rows, text_last: false }
}

fn all_queues(view: &FloorView, money: &MoneyView) -> Vec<String> {
    let sum = |of: fn(&QueueFigures) -> u64| view.queues.iter().map(of).sum::<u64>().to_string();
    let risk = |of: fn(&Relief) -> i64| -> i64 {
        money.at_risk.iter().filter_map(|one| one.per_minute.as_ref()).map(of).sum()
    };
    let (waiting, hang_up, target) = (risk(|r| r.waiting), risk(|r| r.hang_up), risk(|r| r.target));
    let mut cells = vec![
        "all".to_owned(),
        sum(|queue| queue.waiting.into()),
        money.held.to_string(),
        String::new(),
        String::new(),
        sum(|queue| queue.answered),
        sum(|queue| queue.abandoned),
    ];
    cells.extend([waiting + hang_up + target, waiting, hang_up, target].map(units));
    cells
}

fn skills(money: &MoneyView) -> Table {
    let row = |one: &crate::proto::SkillPrice| {
        vec![
            id(&one.skill).to_owned(),
            one.free.to_string(),
            one.on_duty.to_string(),
            units(one.per_minute),
            units(one.saves_per_hour),
        ]
    };
    let mut rows: Vec<_> = money.prices.iter().collect();
    rows.sort_by_key(|one| std::cmp::Reverse(one.per_minute));
    Table {
        title: "skills: what a minute of whoever has it is worth to those who may come".into(),
        header: vec!["skill", "free", "on duty", "per minute", "one more saves/h"],
        rows: rows.into_iter().map(row).collect(),
        text_last: false,
    }
}

fn agents(view: &FloorView, money: &MoneyView) -> Table {
    let on_duty = view.agents.iter().filter(|agent| is_on_duty(agent)).count();
    let busy = view.agents.iter().filter(|agent| is_on_duty(agent) && agent.capacity_used > 0).count();
    let rows = vec![vec![
        on_duty.to_string(),
        busy.to_string(),
        percent(money.occupancy_mean_ppm),
        format!("{:.3}", f64::from(money.occupancy_gini_ppm) / 1e6),
        money.held.to_string(),
        money.held_before.to_string(),
        money.held_lost.to_string(),
        spoken(money.held_time.as_ref()),
        units(money.held_saved),
    ]];
    let header = vec![
        "on duty",
        "busy",
        "occupancy",
        "Gini",
        "held now",
        "held before",
        "of them lost",
        "for",
        "saved",
    ];
    Table { title: "agents, and whoever is held for one of them".into(), header, rows, text_last: false }
}

fn is_on_duty(agent: &AgentStatus) -> bool {
    agent.presence() != crate::proto::Presence::SignedOut && agent.liveness() == crate::proto::Liveness::Live
}

fn decisions(view: &FloorView) -> Table {
    let row = |one: &crate::proto::DecisionSummary| {
        vec![id(&one.interaction).to_owned(), one.sequence.to_string(), one.why.clone()]
    };
    Table {
        title: "newest decisions".into(),
        header: vec!["interaction", "event", "why"],
        rows: view.decisions.iter().take(DECISIONS_MAX).map(row).collect(),
        text_last: true,
    }
}

/// An amount with two decimals.
fn units(millionths: i64) -> String {
    crate::engine::explain::money(millionths)
}
