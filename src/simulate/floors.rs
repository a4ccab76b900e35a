//! The floors that come with baton, by name: those of ALGORITHM.md 8, and three that are nobody's in particular.

use super::description::Description;
use super::error::SimulateError;
use std::path::Path;

/// Longest floor file, bytes.
const FILE_MAX: u64 = 1 << 20;

const SHIPPED: [(&str, &str); 10] = [
    ("S1", include_str!("floors/S1.yaml")),
    ("S2", include_str!("floors/S2.yaml")),
    ("S3", include_str!("floors/S3.yaml")),
    ("S4", include_str!("floors/S4.yaml")),
    ("S5", include_str!("floors/S5.yaml")),
    ("S6", include_str!("floors/S6.yaml")),
    ("S7", include_str!("floors/S7.yaml")),
    ("bank", include_str!("floors/bank.yaml")),
    ("telecom", include_str!("floors/telecom.yaml")),
    ("thousand", include_str!("floors/thousand.yaml")),
];

/// The names of the floors that are shipped, each with a line about it.
pub fn shipped() -> Vec<(&'static str, String)> {
    let about = |text| Description::parse(text).expect("what is shipped is checked by a test").about;
    SHIPPED.iter().map(|(name, text)| (*name, about(text))).collect()
}

/// The floor of this name, or of this file.
pub fn floor(named: &str) -> Result<Description, SimulateError> {
    let file = Path::new(named);
    let text = match SHIPPED.iter().find(|(name, _)| *name == named) {
        Some((_, text)) => (*text).to_owned(),
        None => read(file)?,
    };
    Description::parse(&text).map_err(|errors| SimulateError::Described { file: file.to_owned(), errors })
}

fn read(file: &Path) -> Result<String, SimulateError> {
    let unreadable = |source| SimulateError::Unreadable { file: file.to_owned(), source };
    let length = match std::fs::metadata(file) {
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            let names = SHIPPED.map(|(name, _)| name).join(", ");
            let what = format!("no such file, and no floor of this name, want a file or one of {names}");
            return Err(SimulateError::Unusable { file: file.to_owned(), what });
        }
        found => found.map_err(unreadable)?.len(),
    };
    if length > FILE_MAX {
        let what = format!("{length} bytes, want at most {FILE_MAX}");
        return Err(SimulateError::Unusable { file: file.to_owned(), what });
    }
    std::fs::read_to_string(file).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::Scenario;

    #[test]
    fn every_floor_that_is_shipped_can_be_run() {
        for (name, text) in SHIPPED {
            let description = Description::parse(text).unwrap_or_else(|errors| panic!("{name}: {errors}"));
            assert_eq!(description.name, name);
            assert!(!description.about.is_empty(), "{name}");
            Scenario::new(&description, Some(1), None).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    #[test]
    fn what_is_wrong_in_a_floor_is_told_with_its_field() {
        let floor = SHIPPED[0].1;
        for (from, to, wanted) in [
            ("share: 30%", "share: 29%", "kinds: got shares of 99% in all, want shares of 100% in all"),
            ("agents: 23", "agents: 0", "groups.billing.agents: got 0, want 1 to 20000"),
            (
                "BillEN: 1, TechEN: 1",
                "BillEN: 1, Tech: 1",
                "groups.billing.skills.Tech: got \"Tech\", want one of",
            ),
            (
                "BillEN: 1, TechEN: 1",
                "BillEN: 1, TechEN: 11",
                "groups.billing.skills.TechEN: got 11, want 1 to 10",
            ),
            (
                "handle: 240s",
                "handle: 4 minutes",
                "kinds.BillEN.handle: got \"4 minutes\", want a duration such as",
            ),
            ("patience: 420s", "patience: 0s", "kinds.TechEN.patience: got 0ms, want more than 0s"),
            ("load: [0.80", "load: [80", "load[0]: got 80, want 0 to 10"),
            ("day_cv: 6%", "day_cv: 6", "day_cv: got \"6\", want a share such as 80%"),
            ("lasts: 10h", "last: 10h", "last"),
            ("load: [0.80", "load: [much", "load[0]: got \"much\", want a number such as 0.85"),
            ("agents: 12", "agents: twelve", "groups.sales.agents: got \"twelve\", want a whole number"),
            ("days: 20", "days: 0", "days: got 0, want 1 to 100000"),
            ("resolution: 75%", "resolution: 0%", "agents.resolution: got 0%, want a share above 0%"),
        ] {
            assert!(floor.contains(from), "{from}");
            let errors = Description::parse(&floor.replacen(from, to, 1)).expect_err(to).to_string();
            assert!(errors.contains(wanted) && errors.starts_with("line "), "{to}: {errors}");
        }
    }

    #[test]
    fn a_floor_nobody_knows_is_answered_with_those_there_are() {
        let error = floor("S9").expect_err("there is none").to_string();
        assert!(error.contains("one of S1, S2"), "{error}");
    }
}
