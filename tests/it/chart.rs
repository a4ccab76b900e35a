//! The Helm chart keeps to the program: its release, its settings by their names, its ports, where its files lie and how
//! long it takes to stop. Reads the chart as text; what the templates become is not seen here.

use baton::config::{Config, Settings};
use serde::Deserialize;
use std::path::Path;

/// Where the chart puts the configuration and the secrets, and where the volume.
const FILES: &str = "/etc/baton";
const VOLUME: &str = "/var/lib/baton";

#[derive(Deserialize)]
struct Chart {
    #[serde(rename = "appVersion")]
    app_version: String,
}

/// Of the values only what is the program's. It refuses names that it does not know.
#[derive(Deserialize)]
struct Values {
    settings: Settings,
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("helm").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn config() -> Config {
    let values: Values = serde_saphyr::from_str(&read("values.yaml")).expect("settings the program knows");
    values.settings.validate().expect("settings that fit together")
}

fn usual() -> Config {
    Settings::default().validate().expect("the defaults fit together")
}

#[test]
fn the_chart_is_of_this_release() {
    let chart: Chart = serde_saphyr::from_str(&read("Chart.yaml")).expect("a chart says what it is of");
    assert_eq!(chart.app_version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_setting_of_the_chart_is_one_of_the_program() {
    let config = config();
    assert!(!config.listen.ip().is_loopback(), "others than the pod reach {}", config.listen);
    assert_eq!(config.archive, usual().archive, "what the chart says of the archive is the default");
    assert_eq!(config.stop_within, usual().stop_within, "and of a stop");
    let misspelt = read("values.yaml").replace("\n  stop-within:", "\n  stop_within:");
    let Err(error) = serde_saphyr::from_str::<Values>(&misspelt) else { panic!("no such name is known") };
    assert!(error.to_string().contains("stop_within"), "{error}");
}

/// The templates take them from the settings, so there is one place to change them.
#[test]
fn the_ports_are_those_of_the_settings() {
    let config = config();
    let (grpc, metrics) = (config.listen.port(), config.metrics.expect("metrics are on").port());
    assert_eq!(grpc, usual().listen.port(), "clients find the chart where they find the program");
    assert_ne!(grpc, metrics);
    for name in ["_helpers.tpl", "configmap.yaml", "service.yaml", "statefulset.yaml", "NOTES.txt"] {
        let template = read(&format!("templates/{name}"));
        for port in [grpc, metrics] {
            assert!(!template.contains(&port.to_string()), "{name} has the port {port} from the settings");
        }
    }
    let pod = read("templates/statefulset.yaml");
    for (port, from) in [("grpc", "baton.port"), ("metrics", "baton.metrics-port")] {
        let named = format!("- name: {port}\n              containerPort: {{{{ include \"{from}\" . }}}}");
        assert!(pod.contains(&named), "the pod has the port {port}");
    }
    let helpers = read("templates/_helpers.tpl");
    for setting in ["listen", "metrics"] {
        let taken = format!("regexFind \"[0-9]+$\" .Values.settings.{setting}");
        assert!(helpers.contains(&taken), "the port of {setting} is what it ends with");
    }
}

#[test]
fn what_the_settings_name_is_where_the_pod_has_it() {
    let config = config();
    let pod = read("templates/statefulset.yaml");
    let (cert, key) = config.tls.expect("beyond loopback there is TLS");
    for file in [cert, key, config.tokens.expect("and there are tokens")] {
        let name = file.strip_prefix(FILES).expect("it lies with the other files").display().to_string();
        assert!(pod.contains(&format!("path: {name} }}")), "{name} comes from a secret");
    }
    assert!(config.data.starts_with(VOLUME) && config.data != Path::new(VOLUME), "a folder on the volume");
    for place in [FILES, VOLUME] {
        assert!(pod.contains(&format!("mountPath: {place}\n")), "{place} is there");
    }
    assert!(pod.contains(&format!("--config, {FILES}/baton.toml]")));
    let files = read("templates/configmap.yaml");
    assert!(files.contains("\n  baton.toml: |"));
    assert!(files.contains(&format!("set $settings \"rules\" \"{FILES}/rules\"")));
    assert!(files.contains("toYaml (dict \"rules\" .)"));
}

#[test]
fn one_pod_writes_and_has_the_time_to_stop() {
    let pod = read("templates/statefulset.yaml");
    assert!(pod.contains("\n  replicas: 1\n"), "a data folder has one writer");
    let grace = pod.lines().find_map(|line| line.trim().strip_prefix("terminationGracePeriodSeconds: "));
    let usual = usual().stop_within.as_secs();
    let longer =
        format!("{{{{ add 5 (index .Values.settings \"stop-within\" | default {usual} | toString) }}}}");
    assert_eq!(grace, Some(longer.as_str()));
}
