//! The log, on standard error, and the export of traces.

use std::backtrace::Backtrace;

use anzen_actors::node::NodeConfig;
use anzen_actors::telemetry::{self, Guard, Service, TelemetryConfig, TelemetryError};

/// Starts the log of a command that is no node. `RUST_LOG` says what; in its absence `default`.
pub(crate) fn start(default: &str) {
    let config = TelemetryConfig { log: default.into(), ..TelemetryConfig::default() };
    match telemetry::start(&config, None) {
        // Without a service there is nothing to keep.
        Ok(guard) => drop(guard),
        Err(error) => eprintln!("nothing is logged: {error}"),
    }
    end_on_panic();
}

/// Starts the log of a node, and the export of its traces, which ends when the guard is dropped.
///
/// # Errors
/// Where a setting is wrong.
pub(crate) fn start_node(config: &NodeConfig) -> Result<Guard, TelemetryError> {
    let roles: Vec<&str> = config.roles.iter().map(|actor| actor.as_str()).collect();
    start_service(&config.telemetry, &config.name, &roles.join(","))
}

/// The same, of a node whose configuration is still being made.
pub(crate) fn start_service(
    config: &TelemetryConfig,
    name: &str,
    roles: &str,
) -> Result<Guard, TelemetryError> {
    let guard = telemetry::start(config, Some(Service { name, roles }))?;
    end_on_panic();
    Ok(guard)
}

/// An actor that panicked is dead in a process that seems alive. So the process ends, and whoever supervises it starts it
/// again from what is on disk.
fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = Backtrace::force_capture();
        tracing::error!(%panic, %backtrace, "a bug: the process ends; start it again, and report this");
        std::process::abort();
    }));
}
