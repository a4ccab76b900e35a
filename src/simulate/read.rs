//! Reads centres and days from CSV, plain or gzipped, and trusts nothing in it.

use super::centre::{AGENTS_MAX, Centre, Day, Does, KINDS_MAX, Kind, Member, Visit};
use super::error::SimulateError;
use csv::StringRecord;
use std::path::{Path, PathBuf};

/// Visits of a day that are read at most.
pub const VISITS_MAX: usize = 5_000_000;
/// Longest time in a file, s: a week.
const TIME_MAX_S: f64 = 604_800.0;
/// Most money in a file.
const MONEY_MAX: f64 = 1_000_000.0;
/// Greatest factor of work.
const WORK_MAX: f64 = 10_000.0;

/// The kinds and the agents of a centre: `{name}_types.csv` and `{name}_agents.csv`, or `types_{name}.csv` and
/// `agents_{name}.csv`.
pub fn centre(folder: &Path, name: &str) -> Result<Centre, SimulateError> {
    let mut kinds: Vec<Kind> = Vec::new();
    let file = file_of(folder, name, "types");
    rows(&file, KINDS_MAX, |row| {
        let kind = row.kind()?;
        if kinds.iter().any(|known| known.name == kind.name) {
            return Err(row.wrong("type", "each type once"));
        }
        kinds.push(kind);
        Ok(())
    })?;
    let mut agents: Vec<Member> = Vec::new();
    let file = file_of(folder, name, "agents");
    rows(&file, AGENTS_MAX * KINDS_MAX, |row| {
        let number = row.whole("agent", AGENTS_MAX as u64 - 1)?;
        let number = usize::try_from(number).expect("it is below the limit");
        if number > agents.len() {
            return Err(row.wrong("agent", "agents numbered from 0, without a gap"));
        }
        if number == agents.len() {
            agents.push(Member { group: 0, does: Vec::new() });
        }
        let does = row.does(&kinds)?;
        if agents[number].does.iter().any(|known| known.kind == does.kind) {
            return Err(row.wrong("type", "each type once for an agent"));
        }
        agents[number].does.push(does);
        Ok(())
    })?;
    for agent in &mut agents {
        agent.does.sort_by_key(|does| does.kind);
    }
    if kinds.is_empty() || agents.is_empty() {
        return Err(SimulateError::Unusable { file, what: "a centre has a type and an agent".to_owned() });
    }
    Ok(Centre { kinds, agents, staffing: Vec::new() })
}

/// What is said of a centre may stand before its name or behind it.
fn file_of(folder: &Path, name: &str, what: &str) -> PathBuf {
    let before = folder.join(format!("{what}_{name}.csv"));
    if before.exists() { before } else { folder.join(format!("{name}_{what}.csv")) }
}

/// One day of a centre.
pub fn day(file: &Path, centre: &Centre) -> Result<Day, SimulateError> {
    let mut visits: Vec<Visit> = Vec::new();
    rows(file, VISITS_MAX, |row| {
        let visit = row.visit(&centre.kinds)?;
        if visits.last().is_some_and(|last| last.at_s > visit.at_s) {
            return Err(row.wrong("arrival_s", "arrivals in the order of their times"));
        }
        visits.push(visit);
        Ok(())
    })?;
    Ok(Day { visits })
}

/// The days of a centre in a folder, by their names: what stands for `*` in `{name}_day*.csv` or `trace_{name}_*.csv`.
pub fn days_of(folder: &Path, name: &str) -> Result<Vec<(String, PathBuf)>, SimulateError> {
    let unreadable = |source| SimulateError::Unreadable { file: folder.to_owned(), source };
    let mut days = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(file) = path.file_name().and_then(|file| file.to_str()) else { continue };
        let begins = [format!("{name}_day"), format!("trace_{name}_")];
        let day = begins.iter().find_map(|begin| file.strip_prefix(begin.as_str()));
        let day = day.and_then(|rest| rest.strip_suffix(".gz").unwrap_or(rest).strip_suffix(".csv"));
        if let Some(day) = day {
            days.push((day.to_owned(), path));
        }
    }
    // By number where they are numbers.
    days.sort_by_key(|(day, _)| (day.parse::<u64>().unwrap_or(u64::MAX), day.clone()));
    match days.is_empty() {
        true => Err(SimulateError::NoDays { folder: folder.to_owned(), centre: name.to_owned() }),
        false => Ok(days),
    }
}

/// Calls for each row after the header.
fn rows(
    file: &Path,
    max: usize,
    mut each: impl FnMut(&Row) -> Result<(), SimulateError>,
) -> Result<(), SimulateError> {
    let unusable = |what: String| SimulateError::Unusable { file: file.to_owned(), what };
    let mut reader = csv::ReaderBuilder::new().from_reader(
        crate::records::open(file)
            .map_err(|source| SimulateError::Unreadable { file: file.to_owned(), source })?,
    );
    let header = reader.headers().map_err(|error| unusable(error.to_string()))?.clone();
    let mut record = StringRecord::new();
    let mut count = 0;
    while reader.read_record(&mut record).map_err(|error| unusable(error.to_string()))? {
        count += 1;
        if count > max {
            return Err(unusable(format!("more than {max} rows")));
        }
        let line = record.position().map_or(0, csv::Position::line);
        each(&Row { file, line, header: &header, record: &record })?;
    }
    Ok(())
}

/// One row, with the place it came from.
struct Row<'a> {
    file: &'a Path,
    line: u64,
    header: &'a StringRecord,
    record: &'a StringRecord,
}

impl Row<'_> {
    fn kind(&self) -> Result<Kind, SimulateError> {
        let name = self.text("type")?;
        if name.is_empty() || name.len() > 64 {
            return Err(self.wrong("type", "a name of 1 to 64 characters"));
        }
        Ok(Kind {
            name: name.to_owned(),
            target_s: self.number("target_s", 0.0..=TIME_MAX_S, "0 to 604800")?,
            abandon: self.money("abandon_cost")?,
            waiting_per_minute: self.money("wait_cost_per_min")?,
            late: self.money("sla_miss_cost")?,
            unresolved: self.money("unresolved_cost")?,
            patience_s: self.number("mean_patience_s", 0.001..=TIME_MAX_S, "above 0, up to 604800")?,
            handle_s: self.number("mean_handle_s", 0.001..=TIME_MAX_S, "above 0, up to 604800")?,
            priority: self.points()?,
            line_max: u32::MAX,
        })
    }

    /// Points are whole in the engine; a file may write `3.0`.
    fn points(&self) -> Result<i16, SimulateError> {
        let points = self.number("priority", -100.0..=100.0, "-100 to 100")?;
        Ok(points.round() as i16)
    }

    fn does(&self, kinds: &[Kind]) -> Result<Does, SimulateError> {
        const TIME: &str = "above 0, up to 604800";
        let time = |field| self.number(field, 0.001..=TIME_MAX_S, TIME);
        let share = |field| self.number(field, 0.0..=1.0, "0 to 1");
        let level = self.whole("skill_level", 10)?;
        if level == 0 {
            return Err(self.wrong("skill_level", "1 to 10, 1 is best"));
        }
        Ok(Does {
            kind: self.kind_of(kinds)?,
            // Levels count from the best, proficiencies towards it.
            proficiency: 11 - u8::try_from(level).expect("it is at most 10"),
            handle_s: time("mean_handle_s")?,
            resolution: share("resolution_prob")?,
            known: Some((time("est_mean_handle_s")?, share("est_resolution_prob")?)),
        })
    }

    fn visit(&self, kinds: &[Kind]) -> Result<Visit, SimulateError> {
        Ok(Visit {
            at_s: self.number("arrival_s", 0.0..=TIME_MAX_S, "0 to 604800")?,
            kind: self.kind_of(kinds)?,
            patience_s: self.number("patience_s", 0.0..=f64::MAX, "not negative")?,
            work: self.number("work_multiplier", 0.0..=WORK_MAX, "0 to 10000")?,
        })
    }

    fn kind_of(&self, kinds: &[Kind]) -> Result<usize, SimulateError> {
        let name = self.text("type")?;
        let found = kinds.iter().position(|kind| kind.name == name);
        found.ok_or_else(|| self.wrong("type", "a type of the file of types"))
    }

    fn money(&self, field: &'static str) -> Result<f64, SimulateError> {
        self.number(field, 0.0..=MONEY_MAX, "0 to 1000000")
    }

    fn whole(&self, field: &'static str, max: u64) -> Result<u64, SimulateError> {
        let number = self.text(field)?.parse().ok().filter(|number| *number <= max);
        number.ok_or_else(|| self.wrong(field, "a whole number that is not too large"))
    }

    fn number(
        &self,
        field: &'static str,
        within: std::ops::RangeInclusive<f64>,
        want: &'static str,
    ) -> Result<f64, SimulateError> {
        let number = self.text(field)?.parse::<f64>().ok().filter(|number| within.contains(number));
        number.ok_or_else(|| self.wrong(field, want))
    }

    fn text(&self, field: &'static str) -> Result<&str, SimulateError> {
        let at = self.header.iter().position(|name| name == field);
        at.and_then(|at| self.record.get(at)).ok_or_else(|| self.wrong(field, "a column of this name"))
    }

    fn wrong(&self, field: &'static str, want: &'static str) -> SimulateError {
        let at = self.header.iter().position(|name| name == field);
        let got = at.and_then(|at| self.record.get(at)).unwrap_or("nothing").to_owned();
        SimulateError::Wrong { file: self.file.to_owned(), line: self.line, field, got, want }
    }
}
