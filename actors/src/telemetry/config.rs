//! The section `[telemetry]` of a node's configuration.

use serde::{Deserialize, Serialize};

use crate::adapters::Endpoint;

/// What a process logs, and where its traces go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged: a level, or levels by module ("info,anzen_actors::rpc_gateway=debug"). The variable RUST_LOG
    /// overrides it.
    pub log: String,
    /// The OpenTelemetry collector that spans are sent to, by OTLP over HTTP ("http://127.0.0.1:4318"). Without one, and
    /// without the variable OTEL_EXPORTER_OTLP_ENDPOINT, nothing is recorded. Headers with a key for it belong into
    /// OTEL_EXPORTER_OTLP_HEADERS.
    pub otlp_endpoint: Option<Endpoint>,
    /// What the process is called in traces; its `name` unless this says otherwise.
    pub service_name: Option<String>,
    /// The share of tasks that are recorded, 0 to 1. Processes with the same share record the same tasks.
    pub sample_ratio: f64,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Auto,
            log: "info".into(),
            otlp_endpoint: None,
            service_name: None,
            sample_ratio: 1.0,
        }
    }
}
