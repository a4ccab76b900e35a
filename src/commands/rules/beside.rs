//! `baton rules try`, `beside` and `end`: a version runs in shadow or for a share of what comes, beside the one in force.

use crate::client::{ClientError, text_of};
use crate::commands::at::{At, last};
use crate::proto::figure_bound::Figure;
use crate::proto::run_beside_request::Document;
use crate::proto::{Beside, EndBesideRequest, FigureBound, GetBesideRequest, RunBesideRequest, VersionFates};
use clap::Args;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

#[derive(Debug, Clone, Args)]
pub(super) struct TryArgs {
    /// YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Why, for the audit trail: 1 to 500 characters
    #[arg(long, value_name = "WHY")]
    reason: String,
    /// The share of what comes that it plans, up to 50% [default: none, it is in shadow]
    #[arg(long, value_name = "SHARE")]
    share: Option<Percent>,
    /// Taken back by itself when this is broken: service-level=70%, abandoned=12% or mean-wait=90s
    #[arg(long, value_name = "FIGURE=BOUND", requires = "share")]
    bound: Option<Limit>,
    /// The bound is not judged before so many were answered or lost
    #[arg(long, value_name = "NUMBER", default_value_t = 100, requires = "bound")]
    after: u32,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Clone, Args)]
pub(super) struct BesideArgs {
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Clone, Args)]
pub(super) struct EndArgs {
    /// Why, for the audit trail: 1 to 500 characters
    #[arg(long, value_name = "WHY")]
    reason: String,
    #[command(flatten)]
    at: At,
}

/// A share, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Percent(u32);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Percent, String> {
        let percent = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
        let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
        percent
            .map(|percent| Percent((percent * 10_000.0).round() as u32))
            .ok_or_else(|| "expected a share such as 5% or 2.5%".to_owned())
    }
}

/// A figure and its bound.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Limit(FigureBound);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Limit, String> {
        let wanted = || "expected service-level=70%, abandoned=12% or mean-wait=90s".to_owned();
        let (figure, at) = text.split_once('=').ok_or_else(wanted)?;
        let seconds = || at.strip_suffix('s').and_then(|seconds| seconds.parse::<i64>().ok());
        Ok(Limit(match figure {
            "service-level" => bound(Figure::ServiceLevel, at.parse()?),
            "abandoned" => bound(Figure::Abandoned, at.parse()?),
            "mean-wait" => FigureBound {
                figure: Figure::MeanWait.into(),
                at_wait: Some(prost_types::Duration { seconds: seconds().ok_or_else(wanted)?, nanos: 0 }),
                ..FigureBound::default()
            },
            _ => return Err(wanted()),
        }))
    }
}

fn bound(figure: Figure, Percent(at_ppm): Percent) -> FigureBound {
    FigureBound { figure: figure.into(), at_ppm, ..FigureBound::default() }
}

pub(super) async fn run(args: TryArgs) -> Result<(), ClientError> {
    let request = RunBesideRequest {
        parent: args.at.parent(),
        document: Some(Document::Text(text_of(&args.file)?)),
        share_ppm: args.share.map_or(0, |Percent(ppm)| ppm),
        bound: args.bound.map(|Limit(bound)| FigureBound { after: args.after, ..bound }),
        reason: args.reason,
    };
    let told = args.at.rules().await?.run_beside(args.at.asked(request)?).await?.into_inner();
    Ok(print(&told)?)
}

pub(super) async fn show(args: BesideArgs) -> Result<(), ClientError> {
    let request = GetBesideRequest { parent: args.at.parent() };
    let told = args.at.rules().await?.get_beside(args.at.asked(request)?).await?.into_inner();
    Ok(print(&told)?)
}

pub(super) async fn end(args: EndArgs) -> Result<(), ClientError> {
    let request = EndBesideRequest { parent: args.at.parent(), reason: args.reason };
    let told = args.at.rules().await?.end_beside(args.at.asked(request)?).await?.into_inner();
    print(&told)?;
    let mut out = io::stdout().lock();
    writeln!(out, "it runs beside the one in force no more")?;
    Ok(())
}

fn print(told: &Beside) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(said(told).as_bytes())?;
    out.flush()
}

fn said(told: &Beside) -> String {
    let version = told.version.clone().unwrap_or_default();
    let how = match told.share_ppm {
        0 => "in shadow".to_owned(),
        ppm => format!("for {} of what comes", share(ppm)),
    };
    let mut said = format!("version {} {:?} runs {how}\n", version.number, version.display_name);
    if let Some(bound) = &told.bound {
        let _ = writeln!(said, "until {}, judged after {} were answered or lost", limit(bound), bound.after);
    }
    if told.share_ppm > 0 {
        for (who, fates) in [("its own", &told.own), ("in force", &told.in_force)] {
            let _ = writeln!(said, "{who:>9}: {}", fate(fates.as_ref().unwrap_or(&VersionFates::default())));
        }
        said.push_str(
            "both are served by the same agents: what differs here is more than publishing would change\n",
        );
    }
    if let Some(seen) = &told.comparison {
        let otherwise = seen.planned - seen.same;
        let _ = writeln!(said, "{} planned by both, {otherwise} of them otherwise", seen.planned);
        for (what, count) in &seen.otherwise {
            let _ = writeln!(said, "{count:>9}  {what}");
        }
        for one in seen.newest.iter().take(10) {
            let id = if one.external_id.is_empty() { "-" } else { last(&one.external_id) };
            let _ = writeln!(
                said,
                "  {} {id}: {}; in {}, by the shadow in {}",
                one.source,
                one.what.join(", "),
                one.queue,
                one.shadow_queue
            );
        }
    }
    said
}

fn limit(bound: &FigureBound) -> String {
    match bound.figure() {
        Figure::ServiceLevel => format!("the service level is below {}", share(bound.at_ppm)),
        Figure::Abandoned => format!("more than {} abandon", share(bound.at_ppm)),
        Figure::MeanWait => {
            let wait = bound.at_wait.unwrap_or_default();
            format!("the mean wait is above {} s", wait.seconds)
        }
        Figure::Unspecified => "it is ended".to_owned(),
    }
}

fn fate(fates: &VersionFates) -> String {
    let level = fates.service_level_ppm.map_or_else(|| "-".to_owned(), share);
    let wait = fates.mean_wait.map_or_else(
        || "-".to_owned(),
        |wait| format!("{:.1} s", wait.seconds as f64 + f64::from(wait.nanos) / 1e9),
    );
    format!(
        "{} entered, {} answered, {} abandoned, service level {level}, mean wait {wait}",
        fates.entered, fates.answered, fates.abandoned
    )
}

/// Parts per million as people write them.
fn share(ppm: u32) -> String {
    format!("{:.1} %", f64::from(ppm) / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_bounds_are_written_as_people_say_them() {
        assert_eq!("2.5%".parse(), Ok(Percent(25_000)));
        for wrong in ["5", "-1%", "101%", "x%"] {
            assert!(wrong.parse::<Percent>().is_err(), "{wrong}");
        }
        let level: Limit = "service-level=70%".parse().expect("a bound");
        assert_eq!(limit(&level.0), "the service level is below 70.0 %");
        let wait: Limit = "mean-wait=90s".parse().expect("a bound");
        assert_eq!(limit(&wait.0), "the mean wait is above 90 s");
        assert!("speed=1s".parse::<Limit>().is_err());
    }

    #[test]
    fn a_canary_is_shown_beside_the_one_in_force() {
        let fates = |answered, level| VersionFates {
            entered: 9,
            answered,
            service_level_ppm: Some(level),
            mean_wait: Some(prost_types::Duration { seconds: 12, nanos: 500_000_000 }),
            ..VersionFates::default()
        };
        let told = Beside {
            share_ppm: 50_000,
            own: Some(fates(8, 700_000)),
            in_force: Some(fates(9, 800_000)),
            ..Beside::default()
        };
        let said = said(&told);
        assert!(said.starts_with("version 0 \"\" runs for 5.0 % of what comes\n"), "{said}");
        let own = "  its own: 9 entered, 8 answered, 0 abandoned, service level 70.0 %, mean wait 12.5 s\n";
        assert!(said.contains(own), "{said}");
    }
}
