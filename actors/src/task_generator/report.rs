//! What the schedule has to say, as log lines and metrics.

use super::effect::{Obstacle, Report};
use super::metrics::TaskGeneratorMetrics;

/// Logs and counts.
pub(super) fn report(report: &Report, metrics: &TaskGeneratorMetrics) {
    match report {
        Report::Created { oracle_index, index, block } => {
            metrics.latest(*oracle_index, *block);
            tracing::info!(protocol = oracle_index, index, block, "a task was created");
        }
        Report::Unanswered { oracle_index, task } => {
            tracing::warn!(
                protocol = oracle_index, index = task.index, task = %task.task, created = task.created,
                "nobody answered this task in time; are enough operators and an aggregator up?"
            );
        }
        Report::Hindered { oracle_index, obstacle, again } => {
            let (reason, expected) = label(obstacle);
            metrics.hindered(*oracle_index, reason);
            if expected {
                tracing::info!(protocol = oracle_index, %obstacle, again, "the task is not created yet");
            } else {
                tracing::warn!(protocol = oracle_index, %obstacle, again, "cannot create the task that is due");
            }
        }
    }
}

/// All labels of obstacles.
pub(super) const HINDRANCES: [&str; 7] =
    ["chain", "no_policy", "other_model", "no_answer", "refused", "reverted", "unknown"];

/// An obstacle's label, and whether it is part of everyday life.
fn label(obstacle: &Obstacle) -> (&'static str, bool) {
    match obstacle {
        Obstacle::Chain(_) => ("chain", false),
        Obstacle::NoPolicy => ("no_policy", false),
        Obstacle::OtherModel { .. } => ("other_model", false),
        Obstacle::NoAnswer(_) => ("no_answer", false),
        Obstacle::Refused(_) => ("refused", false),
        Obstacle::Reverted(_) => ("reverted", true),
        Obstacle::Unknown(_) => ("unknown", true),
    }
}
