//! `anzen oracle`: safety factors, as the oracle has them.

mod get;
mod history;
mod list;

use std::fmt;

use anzen_deploy::oracle::{Round, RoundStatus, Written};
use anzen_messages::SafetyFactor;
use serde::Serialize;

use crate::{outcome::Outcome, output::Output};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Tell a protocol's latest safety factor. Exits with 3 where there is none, or it was withdrawn, or is older than is asked for.
    Get(get::Arguments),
    /// List every protocol: its value, its feeds, what governance demands of its tasks.
    List(list::Arguments),
    /// List the last rounds of a protocol, and what each is worth.
    History(history::Arguments),
}

pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    match command {
        Command::Get(arguments) => get::run(arguments, output),
        Command::List(arguments) => list::run(arguments, output),
        Command::History(arguments) => history::run(arguments, output),
    }
}

/// A round.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    round: u64,
    /// How far it can be relied on.
    status: RoundStatus,
    /// Nothing where it was withdrawn.
    #[serde(flatten)]
    value: Option<Value>,
}

/// A value that was written.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Value {
    /// With 9 decimals.
    value: String,
    /// The same in the contract's unit: 1.0 is 1000000000.
    safety_factor: SafetyFactor,
    /// Nothing of a fallback.
    task_index: Option<u32>,
    /// The block that the value is about.
    reference_block: u64,
    /// When it was written, in seconds since 1970.
    updated_at: u64,
}

impl From<Round> for Entry {
    fn from(round: Round) -> Self {
        Self { round: round.round, status: round.status, value: round.written.map(Value::from) }
    }
}

impl From<Written> for Value {
    fn from(written: Written) -> Self {
        Self {
            value: written.value.to_string(),
            safety_factor: written.value,
            task_index: written.task_index,
            reference_block: written.reference_block,
            updated_at: written.updated_at,
        }
    }
}

/// A column of what may not be there.
fn or_dash<T: fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}

/// How old a value is: since the block that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Age {
    blocks: u64,
    seconds: u64,
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocks = if self.blocks == 1 { "block" } else { "blocks" };
        write!(f, "{} {blocks} ({})", self.blocks, duration(self.seconds))
    }
}

/// Seconds in the two largest units that they fill.
fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min {} s", seconds % 60),
        3_600..86_400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_two_largest_units() {
        assert_eq!([0, 59, 60, 3_599].map(duration), ["0 s", "59 s", "1 min 0 s", "59 min 59 s"]);
        assert_eq!([3_600, 86_399, 90_000].map(duration), ["1 h 0 min", "23 h 59 min", "1 d 1 h"]);
        assert_eq!(Age { blocks: 1, seconds: 12 }.to_string(), "1 block (12 s)");
    }
}
