//! A report as CSV, JSON or a table for people. CSV and JSON have the same names, with the unit in the name: `_ms` are
//! milliseconds, `_ppm` parts per million; what nobody can tell (a mean of nobody) is empty, or null.

use super::figures::Figures;
use super::rows::{Report, Row};
use crate::engine::time::Time;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The whole report as one JSON object.
pub fn json(report: &Report) -> Value {
    let rows: Vec<Value> = report.rows.iter().map(|row| Value::Object(fields(row))).collect();
    json!({ "from": moment(report.from), "until": moment(report.until), "rows": rows })
}

/// A line of names, then a line a row.
pub fn csv(report: &Report) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = report.rows.first().map(fields).unwrap_or_else(|| fields(&empty(report)));
    writer.write_record(names.keys().filter(|name| *name != "break_by_reason_ms"))?;
    for row in &report.rows {
        let fields = fields(row);
        let cells = fields.iter().filter(|(name, _)| *name != "break_by_reason_ms");
        writer.write_record(cells.map(|(_, value)| plain(value)))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8(bytes).expect("names and numbers are text"))
}

/// The figures most asked for, for people.
pub fn table(report: &Report) -> String {
    let mut text = format!("{} to {}\n", moment(report.from), moment(report.until));
    let heads =
        ["from", "queue", "channel", "agent", "entered", "answered", "abandoned", "short", "in target"];
    let more = ["wait s", "longest s", "handled", "handle s", "occupancy"];
    let head = heads.iter().chain(&more).map(|head| (*head).to_owned()).collect();
    let mut lines: Vec<Vec<String>> = vec![head];
    lines.extend(report.rows.iter().map(cells));
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    for line in &lines {
        let padded = line.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0..=3 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        let line = padded.collect::<Vec<_>>().join("  ");
        writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
    }
    text
}

fn cells(row: &Row) -> Vec<String> {
    let figures = &row.figures;
    let share =
        |ppm: Option<u32>| ppm.map_or("-".into(), |ppm| format!("{}.{} %", ppm / 10_000, ppm / 1_000 % 10));
    let seconds = |ms: Option<u64>| ms.map_or("-".into(), |ms| format!("{}.{}", ms / 1000, ms / 100 % 10));
    let name = |name: &Option<crate::engine::ids::Text>| name.as_deref().unwrap_or("-").to_owned();
    vec![
        moment(row.start),
        name(&row.queue),
        row.channel.map_or("-", |channel| channel.word()).to_owned(),
        name(&row.agent),
        figures.entered.to_string(),
        figures.answered.to_string(),
        figures.abandoned.to_string(),
        figures.short_abandoned.to_string(),
        share(figures.service_levels().without_short_abandons_ppm),
        seconds(figures.mean_wait_ms()),
        seconds((figures.longest_wait_ms > 0).then_some(figures.longest_wait_ms)),
        figures.handled.to_string(),
        seconds(figures.mean_handle_ms()),
        share(figures.time.occupancy_ppm()),
    ]
}

fn fields(row: &Row) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("start".into(), moment(row.start).into());
    fields.insert("end".into(), moment(row.end).into());
    fields.insert("queue".into(), row.queue.as_deref().into());
    fields.insert("channel".into(), row.channel.map(|channel| channel.word()).into());
    fields.insert("agent".into(), row.agent.as_deref().into());
    add(&mut fields, &row.figures);
    let levels = row.figures.service_levels();
    add(
        &mut fields,
        &json!({
            "service_level_of_answered_ppm": levels.of_answered_ppm,
            "service_level_of_answered_and_abandoned_ppm": levels.of_answered_and_abandoned_ppm,
            "service_level_without_short_abandons_ppm": levels.without_short_abandons_ppm,
            "service_level_of_offered_ppm": levels.of_offered_ppm,
            "service_level_short_abandons_as_served_ppm": levels.short_abandons_as_served_ppm,
            "mean_wait_ms": row.figures.mean_wait_ms(),
            "mean_abandon_wait_ms": row.figures.mean_abandon_wait_ms(),
            "mean_handle_ms": row.figures.mean_handle_ms(),
            "occupancy_ppm": row.figures.time.occupancy_ppm(),
            "signed_in_ms": row.figures.time.signed_in_ms(),
        }),
    );
    fields
}

/// Adds what serialises to an object, the times of agents in line with the rest.
fn add(fields: &mut Map<String, Value>, part: &impl serde::Serialize) {
    let Ok(Value::Object(part)) = serde_json::to_value(part) else { return };
    for (name, value) in part {
        match value {
            Value::Object(times) if name == "time" => fields.extend(times),
            value => {
                fields.insert(name, value);
            }
        }
    }
}

fn empty(report: &Report) -> Row {
    Row {
        start: report.from,
        end: report.until,
        queue: None,
        channel: None,
        agent: None,
        figures: Figures::default(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn moment(time: Time) -> String {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| time.0.to_string(), |at| at.to_string())
}
