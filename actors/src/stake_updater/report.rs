//! What the schedule has to say, as log lines and metrics.

use super::effect::{Obstacle, Report};
use super::metrics::StakeUpdaterMetrics;

/// Logs and counts.
pub(super) fn report(report: &Report, metrics: &StakeUpdaterMetrics) {
    match report {
        Report::Read { quorum, age, max_age, operators, drift_bps } => {
            metrics.read(*quorum, *age, *max_age, *operators, *drift_bps);
            if age > max_age && *operators > 0 {
                tracing::warn!(
                    quorum,
                    age,
                    max_age,
                    "stakes are stale: no task can be created until they are refreshed"
                );
            }
        }
        Report::Refreshed { quorum, whole } => {
            metrics.refreshed(*quorum, if *whole { "full" } else { "batch" });
            tracing::info!(quorum, whole, "stakes were refreshed");
        }
        Report::Hindered { quorum, obstacle, again } => {
            metrics.hindered(*quorum, label(obstacle));
            tracing::warn!(quorum, %obstacle, again, "stakes are not refreshed yet");
        }
    }
}

/// All labels of obstacles.
pub(super) const HINDRANCES: [&str; 4] = ["chain", "refused", "reverted", "unknown"];

fn label(obstacle: &Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Chain(_) => "chain",
        Obstacle::Refused(_) => "refused",
        Obstacle::Reverted(_) => "reverted",
        Obstacle::Unknown(_) => "unknown",
    }
}
