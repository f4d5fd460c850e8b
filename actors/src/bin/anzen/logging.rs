//! The log, on standard error: for people on a terminal, JSON lines elsewhere.

use std::{backtrace::Backtrace, io::IsTerminal};

use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` says what; in its absence `default`, and less of what our adapters report themselves.
pub(crate) fn start(default: &str) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(format!("{default},alloy_pubsub=warn")));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.with_target(false).init();
    } else {
        log.json().init();
    }
    end_on_panic();
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
