//! Days of one centre, drawn or recorded, that can be run again and again.

use super::centre::{Centre, Day};
use super::error::SimulateError;
use super::read;
use super::scenario::Scenario;
use std::borrow::Cow;
use std::path::Path;

/// The days.
#[derive(Clone, PartialEq, Debug)]
pub struct Past {
    pub name: String,
    pub centre: Centre,
    days: Days,
}

#[derive(Clone, PartialEq, Debug)]
enum Days {
    /// Drawn anew each time they are asked for: there may be many.
    Drawn(Box<Scenario>),
    Recorded(Vec<Day>),
}

impl Past {
    /// The days of a floor.
    pub fn drawn(scenario: Scenario) -> Past {
        let (name, centre) = (scenario.name.clone(), scenario.centre.clone());
        Past { name, centre, days: Days::Drawn(scenario.into()) }
    }

    /// All recorded days of a centre in a folder. Errors name the file, and the line of what cannot be used.
    pub fn recorded(folder: &Path, centre: &str) -> Result<Past, SimulateError> {
        let name = centre.to_owned();
        let centre = read::centre(folder, &name)?;
        let files = read::days_of(folder, &name)?;
        let days = files.iter().map(|(_, file)| read::day(file, &centre)).collect::<Result<_, _>>()?;
        Ok(Past { name, centre, days: Days::Recorded(days) })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match &self.days {
            Days::Drawn(scenario) => scenario.days as usize,
            Days::Recorded(days) => days.len(),
        }
    }

    /// What they are drawn from. `None`: they are recorded.
    pub fn seed(&self) -> Option<u64> {
        match &self.days {
            Days::Drawn(scenario) => Some(scenario.seed),
            Days::Recorded(_) => None,
        }
    }

    /// One of them, the first being 0; below `count`.
    pub fn day(&self, number: usize) -> Cow<'_, Day> {
        match &self.days {
            Days::Drawn(scenario) => {
                Cow::Owned(scenario.day(u32::try_from(number).expect("days are counted in 32 bits")))
            }
            Days::Recorded(days) => Cow::Borrowed(&days[number]),
        }
    }
}
