//! What the challenger has to say, as log lines and metrics.

use tracing::{debug, error, info, warn};

use super::effect::{Obstacle, Report, State, Verdict};
use super::metrics::ChallengerMetrics;
use super::records::Due;

/// Logs and counts.
pub(super) fn report(report: &Report, metrics: &ChallengerMetrics) {
    match report {
        Report::Captured { task, index, due, provable: true } => {
            metrics.capture("captured");
            info!(%task, index, due = %told(due), provable = true, "recomputed; this must be answered");
        }
        Report::Captured { task, index, due, provable: false } => {
            metrics.capture("captured");
            info!(
                %task, index, due = %told(due), provable = false,
                "recomputed, but a source cannot be read on chain now; it is recomputed again to be certain"
            );
        }
        Report::Rechecked { task, index, error: None, certain } => {
            debug!(%task, index, certain, "recomputed again");
        }
        Report::Rechecked { task, index, error: Some(error), .. } => warn!(
            %task, index, %error,
            "not recomputed again: without that the committee is not asked from here, so somebody else may have to; tried again"
        ),
        Report::NotCaptured { task, index, error, again, answered } => {
            metrics.capture("failed");
            warn!(
                %task, index, %error, again, answered,
                "not recomputed yet, so its answer cannot be checked or disputed; tried again"
            );
        }
        Report::Doubted { task, index, answer, due } => {
            metrics.checked("doubtful");
            warn!(
                %task, index, %answer, due = %told(due),
                "the answer differs from what was recomputed, but a source cannot be read on chain now; recomputed again"
            );
        }
        Report::Checked { task, index, verdict: Verdict::Right, answer, .. } => {
            metrics.checked("right");
            info!(%task, index, %answer, "the answer is right");
        }
        Report::Checked { task, index, verdict: Verdict::Wrong, answer, due } => {
            metrics.checked("wrong");
            error!(%task, index, %answer, due = %told(due), "THE ANSWER ON CHAIN IS WRONG");
        }
        Report::Unchecked { task, index } => {
            metrics.checked("unchecked");
            error!(
                %task, index,
                "the answer was not checked while it could be challenged: the task could not be recomputed; see that the \
                 endpoints keep recent states and proofs"
            );
        }
        Report::Missed { task, index } => {
            metrics.checked("unchecked");
            error!(
                %task, index,
                "the task was answered in a block that this process was not told of, so the answer is not checked: set \
                 chain_watcher.margin_blocks to the challenge window at least, and start again while it can be challenged"
            );
        }
        Report::Window { blocks } => info!(blocks, "for so many blocks an answer can be challenged"),
        Report::Unknown { task, index } => {
            metrics.checked("unknown");
            info!(%task, index, "an answer to a task that was created before what is followed; it is not checked");
        }
        Report::Moved { task, index, state } => moved(*state, task, *index),
        Report::Slashed { task, operators } => {
            metrics.slashed(*operators);
            info!(%task, operators, "stake was taken for a wrong answer");
        }
        Report::Sends { task, id } => {
            metrics.sent(id.purpose());
            info!(%task, %id, "sending");
        }
        Report::WouldSend { task, id, value, cost } => {
            let cost = cost.map(tracing::field::display);
            warn!(%task, %id, %value, cost, "dry run: this would be sent (value and cost of the gas in wei)");
        }
        Report::Done { task, id } => {
            metrics.done(id.purpose());
            info!(%task, %id, "took effect");
        }
        Report::Hindered { task, obstacle, again } => {
            metrics.hindered(label(obstacle));
            warn!(%task, %obstacle, again, "the dispute does not get on; tried again");
        }
    }
}

fn moved(state: State, task: &anzen_messages::TaskHash, index: u32) {
    let name = state.name();
    match state {
        State::Unprovable => error!(
            %task, index, state = name,
            "the wrong answer cannot be proved on chain: somebody must have the committee rule on it before its challenge window \
             is over (challenger.most_bond_wei lets this process)"
        ),
        State::Vetoed => warn!(%task, index, state = name, "the committee has vetoed the slashing"),
        State::Expired => {
            error!(%task, index, state = name, "the execution window is over, and not all stake was taken");
        }
        State::Stands => error!(%task, index, state = name, "the wrong answer stands"),
        State::Slashed => info!(%task, index, state = name, "all signers of the wrong answer are slashed"),
        _ => info!(%task, index, state = name, "the dispute has come further"),
    }
}

fn told(due: &Due) -> String {
    match due {
        Due::Answer(answer) => answer.to_string(),
        Due::Nothing(why) => format!("nothing: {why}"),
    }
}

/// One of [`super::metrics::HINDRANCES`].
fn label(obstacle: &Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Chain(_) => "chain",
        Obstacle::Call(_) => "call",
        Obstacle::Refused(_) => "refused",
        Obstacle::Reverted(_) => "reverted",
        Obstacle::Unknown(_) => "unknown",
        Obstacle::NoChange(_) => "no_change",
        Obstacle::NotPosted => "not_posted",
    }
}
