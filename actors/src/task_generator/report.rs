//! What the schedule has to say, as log lines and metrics.

use super::effect::{Obstacle, Report};
use super::metrics::TaskGeneratorMetrics;

/// Logs and counts.
pub(super) fn report(report: &Report, metrics: &TaskGeneratorMetrics) {
    match report {
        Report::Created { oracle_index, task, index, block } => {
            metrics.latest(*oracle_index, *block);
            tracing::info!(%task, index, oracle_index, block, "a task was created");
        }
        Report::Asked { oracle_index, reason } => {
            metrics.asked(*oracle_index, reason.label());
            tracing::debug!(oracle_index, reason = reason.label(), "a task is due");
        }
        Report::NotCompared { oracle_index, obstacle } => {
            metrics.hindered(*oracle_index, label(obstacle));
            tracing::debug!(oracle_index, %obstacle, "cannot tell whether the value has deviated");
        }
        Report::Unanswered { oracle_index, task } => {
            metrics.unanswered(*oracle_index);
            tracing::warn!(
                task = %task.task, index = task.index, oracle_index, block = task.created,
                "nobody answered this task in time; are enough operators and an aggregator up?"
            );
        }
        Report::Hindered { oracle_index, obstacle, again } => {
            metrics.hindered(*oracle_index, label(obstacle));
            if obstacle.is_everyday() {
                tracing::info!(oracle_index, %obstacle, again, "the task is not created yet");
            } else {
                tracing::warn!(oracle_index, %obstacle, again, "cannot create the task that is due");
            }
        }
    }
}

/// All labels of obstacles.
pub(super) const HINDRANCES: [&str; 6] =
    ["chain", "no_policy", "no_answer", "refused", "reverted", "unknown"];

fn label(obstacle: &Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Chain(_) => "chain",
        Obstacle::NoPolicy => "no_policy",
        Obstacle::NoAnswer(_) => "no_answer",
        Obstacle::Refused(_) => "refused",
        Obstacle::Reverted(_) => "reverted",
        Obstacle::Unknown(_) => "unknown",
    }
}
