//! Every setting of the server: meaning, unit, default, limits. From the command line, then the environment, then a
//! file, then the default; validated once.

use crate::api::in_hand::Most;
use crate::customers::{Home, Retention};
use crate::journal::Limits;
use crate::runtime::admission;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Calls of a tenant that are answered at once, unless the settings say otherwise: some 10 KiB each.
const CALLS_MAX: u32 = 16_384;
/// Streams of a tenant that are open at once: an agent's desk has one.
const STREAMS_MAX: u32 = 65_536;
/// Connections at once.
const CONNECTIONS_MAX: u32 = 16_384;
/// Less than what supervisors of processes wait before they kill: 30 s in Kubernetes, 90 s by systemd.
const STOP_WITHIN_S: u32 = 10;

/// Where events are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JournalKind {
    /// On disk, in the data folder. An OK means that the event is on stable storage.
    Sqlite,
    /// In memory: gone with the process. For trying things and for measuring.
    Memory,
}

impl JournalKind {
    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            JournalKind::Sqlite => "sqlite",
            JournalKind::Memory => "memory",
        }
    }
}

/// Events between two snapshots, and the fewest: a small state is written in a moment.
const SNAPSHOT_EVENTS: u64 = 500_000;
const SNAPSHOT_EVENTS_MIN: u64 = 1_000;
/// What is kept of the past.
const ARCHIVE: Limits = Limits { days: 400, bytes: 10 << 30 };

/// Settings as they are given. The names are those of the file, too.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Address and port of the gRPC API [default: 127.0.0.1:7700]. Beyond loopback, TLS and tokens are required.
    #[arg(long, env = "BATON_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Folder of the journal and the customers [default: baton-data]. One process at a time.
    #[arg(long, env = "BATON_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Where events are kept [default: sqlite].
    #[arg(long, env = "BATON_JOURNAL", value_enum)]
    pub journal: Option<JournalKind>,
    /// Address and port of the Prometheus endpoint, over HTTP [default: none].
    #[arg(long, env = "BATON_METRICS", value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Certificate chain for TLS, PEM [default: none, no TLS].
    #[arg(long, env = "BATON_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM.
    #[arg(long, env = "BATON_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Who may come in: one `TOKEN TENANT ROLE NAME` a line, roles platform, agent, supervisor [default: none,
    /// everybody on loopback is the tenant `default`].
    #[arg(long, env = "BATON_TOKENS", value_name = "FILE")]
    pub tokens: Option<PathBuf>,
    /// The rules a tenant begins with, YAML or JSON [default: those built in]. Read and checked at every start; in force
    /// only until others are published.
    #[arg(long, env = "BATON_RULES", value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// Whether rules are published by another supervisor than the one who wrote them [default: false].
    /// Without --tokens nobody can be told from anybody else, and nothing is published.
    #[arg(long, env = "BATON_FOUR_EYES", value_name = "TRUE|FALSE", num_args = 0..=1, default_missing_value = "true")]
    pub four_eyes: Option<bool>,
    /// How many times faster than life engine time runs, 1 to 1000 [default: 1]. For demos: sessions and RPC
    /// deadlines stay real.
    #[arg(long, env = "BATON_SPEED", value_name = "TIMES")]
    pub speed: Option<u32>,
    /// Country whose phone numbers may be written without its code, two letters as in `IL` [default: none].
    #[arg(long, env = "BATON_COUNTRY", value_name = "COUNTRY")]
    pub country: Option<String>,
    /// How long entries of customers' histories are kept, by kind, as in `visit=90d,message=730d`; kinds contact, visit,
    /// purchase, message, note, feedback [default: for good]. What is pinned stays.
    #[arg(long, env = "BATON_RETAIN", value_name = "KIND=DAYS,...")]
    pub retain: Option<String>,
    /// Whether the engine is told what its floor teaches: handle times, patience, resolution, load [default: true].
    #[arg(long, env = "BATON_LEARN", value_name = "TRUE|FALSE")]
    pub learn: Option<bool>,
    /// A snapshot of each tenant is written about every so many events, 1000 or more [default: 500000]. A start reads no
    /// more than the newest and the events behind it.
    #[arg(long, env = "BATON_SNAPSHOT_EVENTS", value_name = "EVENTS")]
    pub snapshot_events: Option<u64>,
    /// Days of events kept for explanations, reports and back-tests, beyond those a start needs [default: 400].
    #[arg(long, env = "BATON_ARCHIVE_DAYS", value_name = "DAYS")]
    pub archive_days: Option<u32>,
    /// And no more bytes of them for each tenant than this [default: 10737418240, 10 GiB].
    #[arg(long, env = "BATON_ARCHIVE_BYTES", value_name = "BYTES")]
    pub archive_bytes: Option<u64>,
    /// How long requests may wait for the engine before new interactions are refused, ms, 5 to 10000 [default: 100]. Only
    /// a delay that stands for half a second counts.
    #[arg(long, env = "BATON_DELAY_MAX_MS", value_name = "MS")]
    pub delay_max_ms: Option<u32>,
    /// Most calls of one tenant that are being answered at once, 16 to 1000000; the last quarter is not for those that
    /// wait for a route [default: 16384].
    #[arg(long, env = "BATON_CALLS_MAX", value_name = "COUNT")]
    pub calls_max: Option<u32>,
    /// Most streams of one tenant that are open at once, 16 to 1000000 [default: 65536].
    #[arg(long, env = "BATON_STREAMS_MAX", value_name = "COUNT")]
    pub streams_max: Option<u32>,
    /// Most connections at once, 16 to 1000000 [default: 16384, or fewer if the system allows the process fewer files].
    #[arg(long, env = "BATON_CONNECTIONS_MAX", value_name = "COUNT")]
    pub connections_max: Option<u32>,
    /// How long an end may take that was asked for, seconds, 1 to 600 [default: 10].
    #[arg(long, env = "BATON_STOP_WITHIN", value_name = "SECONDS")]
    pub stop_within: Option<u32>,
    /// Which log lines, as in `info` or `baton=debug,warn` [default: info].
    #[arg(long, env = "BATON_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

/// Settings, complete and valid.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub data: PathBuf,
    pub journal: JournalKind,
    pub metrics: Option<SocketAddr>,
    /// Certificate and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    pub tokens: Option<PathBuf>,
    pub rules: Option<PathBuf>,
    /// Whoever publishes rules must be another than who wrote them.
    pub four_eyes: bool,
    pub speed: u32,
    pub home: Option<Home>,
    pub retention: Retention,
    pub learns: bool,
    /// Events between two snapshots.
    pub snapshot_events: u64,
    /// As in `Keeping`: not a setting, the program knows where it lies.
    pub program: Option<PathBuf>,
    pub archive: Limits,
    /// What commands may have to wait before intake is shed.
    pub delay_max: Duration,
    /// What a tenant may have in hand.
    pub most: Most,
    pub connections_max: usize,
    /// How long an end may take that was asked for.
    pub stop_within: Duration,
    pub log: String,
}

/// Why settings are not accepted.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("cannot read the config file {path}: {source}")]
    Io { path: String, source: std::io::Error },
    #[error("config file {path}: {source}")]
    Toml { path: String, source: Box<toml::de::Error> },
    #[error("speed: got {got}, want 1 to 1000")]
    Speed { got: u32 },
    #[error("snapshot-events: got {got}, want {SNAPSHOT_EVENTS_MIN} or more")]
    SnapshotEvents { got: u64 },
    #[error("{name}: got {got}, want {least} to {most}")]
    Range { name: &'static str, got: u32, least: u32, most: u32 },
    #[error("country: {0}")]
    Country(String),
    #[error("retain: {0}")]
    Retain(String),
    #[error("tls-cert and tls-key: got only one of them, want both or none")]
    HalfTls,
    #[error("listen: {listen} is beyond loopback, which demands {missing}; or listen on 127.0.0.1")]
    Exposed { listen: SocketAddr, missing: &'static str },
}

impl Settings {
    /// Reads a file in TOML with the same names as the options.
    pub fn read(path: &Path) -> Result<Settings, ConfigError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Io { path: shown.clone(), source })?;
        toml::from_str(&text).map_err(|source| ConfigError::Toml { path: shown, source: Box::new(source) })
    }

    /// What is missing here is taken from `other`.
    #[must_use]
    pub fn or(self, other: Settings) -> Settings {
        Settings {
            listen: self.listen.or(other.listen),
            data: self.data.or(other.data),
            journal: self.journal.or(other.journal),
            metrics: self.metrics.or(other.metrics),
            tls_cert: self.tls_cert.or(other.tls_cert),
            tls_key: self.tls_key.or(other.tls_key),
            tokens: self.tokens.or(other.tokens),
            rules: self.rules.or(other.rules),
            four_eyes: self.four_eyes.or(other.four_eyes),
            speed: self.speed.or(other.speed),
            country: self.country.or(other.country),
            retain: self.retain.or(other.retain),
            learn: self.learn.or(other.learn),
            snapshot_events: self.snapshot_events.or(other.snapshot_events),
            archive_days: self.archive_days.or(other.archive_days),
            archive_bytes: self.archive_bytes.or(other.archive_bytes),
            delay_max_ms: self.delay_max_ms.or(other.delay_max_ms),
            calls_max: self.calls_max.or(other.calls_max),
            streams_max: self.streams_max.or(other.streams_max),
            connections_max: self.connections_max.or(other.connections_max),
            stop_within: self.stop_within.or(other.stop_within),
            log: self.log.or(other.log),
        }
    }

    /// Fills in the defaults and checks what must fit together.
    pub fn validate(self) -> Result<Config, ConfigError> {
        let speed = self.speed.unwrap_or(1);
        if !(1..=1_000).contains(&speed) {
            return Err(ConfigError::Speed { got: speed });
        }
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err(ConfigError::HalfTls),
        };
        let listen = self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 7700)));
        let missing = match (&tls, &self.tokens) {
            (None, None) => Some("--tls-cert, --tls-key and --tokens"),
            (None, Some(_)) => Some("--tls-cert and --tls-key"),
            (Some(_), None) => Some("--tokens"),
            (Some(_), Some(_)) => None,
        };
        if let Some(missing) = missing.filter(|_| !listen.ip().is_loopback()) {
            return Err(ConfigError::Exposed { listen, missing });
        }
        let home = self.country.as_deref().map(Home::parse).transpose().map_err(ConfigError::Country)?;
        let retention =
            self.retain.as_deref().map(Retention::parse).transpose().map_err(ConfigError::Retain)?;
        let snapshot_events = self.snapshot_events.unwrap_or(SNAPSHOT_EVENTS);
        if snapshot_events < SNAPSHOT_EVENTS_MIN {
            return Err(ConfigError::SnapshotEvents { got: snapshot_events });
        }
        let usual_ms = u32::try_from(admission::TARGET.as_millis()).expect("a fraction of a second");
        let delay_max_ms = within("delay-max-ms", self.delay_max_ms, usual_ms, 5..=10_000)?;
        let most = Most {
            calls: within("calls-max", self.calls_max, CALLS_MAX, 16..=1_000_000)?,
            streams: within("streams-max", self.streams_max, STREAMS_MAX, 16..=1_000_000)?,
        };
        let connections = within("connections-max", self.connections_max, CONNECTIONS_MAX, 16..=1_000_000)?;
        let stop_within = within("stop-within", self.stop_within, STOP_WITHIN_S, 1..=600)?;
        Ok(Config {
            listen,
            data: self.data.unwrap_or_else(|| "baton-data".into()),
            journal: self.journal.unwrap_or(JournalKind::Sqlite),
            metrics: self.metrics,
            tls,
            tokens: self.tokens,
            rules: self.rules,
            four_eyes: self.four_eyes.unwrap_or(false),
            speed,
            home,
            retention: retention.unwrap_or_default(),
            learns: self.learn.unwrap_or(true),
            snapshot_events,
            program: None,
            archive: Limits {
                days: self.archive_days.unwrap_or(ARCHIVE.days),
                bytes: self.archive_bytes.unwrap_or(ARCHIVE.bytes),
            },
            delay_max: Duration::from_millis(u64::from(delay_max_ms)),
            most,
            connections_max: usize::try_from(connections).expect("a machine of 32 bits or more"),
            stop_within: Duration::from_secs(u64::from(stop_within)),
            log: self.log.unwrap_or_else(|| "info".into()),
        })
    }
}

/// A number within its bounds, or its default.
fn within(
    name: &'static str,
    given: Option<u32>,
    usual: u32,
    bounds: RangeInclusive<u32>,
) -> Result<u32, ConfigError> {
    let got = given.unwrap_or(usual);
    if bounds.contains(&got) {
        return Ok(got);
    }
    Err(ConfigError::Range { name, got, least: *bounds.start(), most: *bounds.end() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_loopback_tls_and_tokens_are_demanded() {
        let open = Settings { listen: Some(SocketAddr::from(([0, 0, 0, 0], 7700))), ..Settings::default() };
        assert!(matches!(open.clone().validate(), Err(ConfigError::Exposed { .. })));
        let only_tokens = Settings { tokens: Some("tokens".into()), ..open.clone() };
        assert!(
            matches!(only_tokens.validate(), Err(ConfigError::Exposed { missing, .. }) if missing.contains("tls"))
        );
        let both = Settings {
            tokens: Some("tokens".into()),
            tls_cert: Some("cert".into()),
            tls_key: Some("key".into()),
            ..open
        };
        assert!(both.validate().is_ok());
    }

    #[test]
    fn a_file_fills_what_the_command_line_left_open_and_an_unknown_name_is_refused() {
        let file: Settings = toml::from_str("speed = 60\nlisten = \"127.0.0.1:1\"").expect("it is right");
        let line = Settings { speed: Some(2), ..Settings::default() };
        let config = line.or(file).validate().expect("it fits");
        assert_eq!((config.speed, config.listen.port()), (2, 1));
        assert!(toml::from_str::<Settings>("spede = 60").is_err());
        let wrong = Settings { speed: Some(0), ..Settings::default() };
        assert!(matches!(wrong.validate(), Err(ConfigError::Speed { got: 0 })));
        let often = Settings { snapshot_events: Some(999), ..Settings::default() };
        assert!(matches!(often.validate(), Err(ConfigError::SnapshotEvents { got: 999 })));
        let never = Settings { stop_within: Some(0), ..Settings::default() };
        assert!(matches!(never.validate(), Err(ConfigError::Range { name: "stop-within", got: 0, .. })));
        let nowhere = Settings { country: Some("XX".into()), ..Settings::default() };
        assert!(matches!(nowhere.validate(), Err(ConfigError::Country(_))));
        let weeks = Settings { retain: Some("visit=9w".into()), ..Settings::default() };
        assert!(matches!(weeks.validate(), Err(ConfigError::Retain(_))));
    }
}
