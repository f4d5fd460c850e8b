//! What a process tells of its work: log lines and traces.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `config.rs` | the section `[telemetry]` |
//! | `context.rs` | which trace a span belongs to, here and on the wire |
//! | `line.rs` | what a log line looks like: fields of the event, of the spans around it, of the process |
//! | `export.rs`, `otlp.rs` | sending spans to a collector |
//! | `metrics.rs` | whether spans arrive there |
//! | `start.rs` | putting it together when a program starts |
//!
//! # Field names
//! The same thing has the same name on every line and in every span:
//!
//! | field | what it is |
//! | --- | --- |
//! | `task` | the task's hash, whole |
//! | `index` | its number |
//! | `oracle_index` | the protocol |
//! | `operator` | an operator's id; on every line of an operator's process, its own |
//! | `node` | what the process calls itself |
//! | `actor` | who says it |
//! | `aggregator` | the aggregator that is submitted to |
//! | `peer` | the other end of a connection |
//! | `block` | a block's number |
//! | `tx` | a transaction's hash |
//! | `id` | a transaction's idempotency id |
//! | `error` | what failed, in words |

mod config;
mod context;
mod export;
mod line;
mod metrics;
mod otlp;
mod start;
#[cfg(test)]
mod tests;

pub use config::{LogFormat, TelemetryConfig};
pub use context::Incoming;
pub use line::{Identity, identify};
pub use metrics::{ExportMetrics, export_metrics};
pub use start::{Guard, Service, TelemetryError, start};

pub(crate) use context::{current, receive, rooted};
pub(crate) use export::{Begun, task_created};

/// The target of spans that are exported. Others only give log lines their context.
pub(crate) const STEP: &str = "anzen::step";

/// A step of what is done for a task: a span that is exported, within the current one.
///
/// Its level is that of errors so that it is there however little is logged: a line about an error has its fields.
macro_rules! step {
    ($name:literal, $($fields:tt)*) => {
        tracing::error_span!(target: $crate::telemetry::STEP, $name, $($fields)*)
    };
}

/// The same, directly beneath the root of a task's trace: for what follows from something that the chain tells.
macro_rules! task_step {
    ($name:literal, $actor:ident, $task:expr $(, $($fields:tt)*)?) => {{
        let task: anzen_messages::TaskHash = $task;
        let actor = anzen_messages::wire::ActorName::$actor.as_str();
        let span = $crate::telemetry::step!($name, actor, task = %task, $($($fields)*)?);
        $crate::telemetry::rooted(span, task)
    }};
}

/// Fields for the lines of what is called. It is not exported.
macro_rules! scope {
    ($actor:ident $(, $($fields:tt)*)?) => {
        tracing::error_span!("in", actor = anzen_messages::wire::ActorName::$actor.as_str(), $($($fields)*)?)
    };
}

pub(crate) use {scope, step, task_step};
