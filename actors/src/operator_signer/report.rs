//! What the duties have to say, as log lines and metrics.

use anzen_messages::model::NoAnswer;
use anzen_messages::signature::SubmitReply;
use anzen_messages::{Task, TaskHash};

use super::effect::{Ignored, Report};
use super::metrics::OperatorSignerMetrics;
use super::refusal::Refusal;
use crate::bus::DeliveryError;

/// Logs and counts. `aggregators` are their names.
pub(super) fn report(report: &Report, aggregators: &[String], metrics: &OperatorSignerMetrics) {
    match report {
        Report::Ignored { task, reason } => {
            metrics.ignored(ignored(reason));
            if let Ignored::NoAnswer(no_answer) = reason {
                no_answer_is_told(task, *no_answer, metrics);
                return;
            }
            tracing::warn!(
                task = %task.hash(), index = task.index, oracle_index = task.oracle_index, %reason,
                "this task is not answered"
            );
        }
        Report::Disagrees { task, computed } => {
            metrics.disagrees();
            tracing::warn!(
                task = %task.hash(), index = task.index, oracle_index = task.oracle_index,
                proposed = %task.proposed_safety_factor, %computed,
                "the task proposes another value than was computed; the computed one is signed"
            );
        }
        Report::Refused { task, refusal } => {
            metrics.refused(refused(refusal));
            tracing::error!(%task, %refusal, "REFUSED TO SIGN");
        }
        Report::Settled { task, to, reply } => {
            settled(*task, aggregators.get(*to).cloned().unwrap_or_default(), *reply, metrics);
        }
        Report::Missed { task } => {
            metrics.missed();
            tracing::warn!(
                task = %task.hash(), index = task.index, oracle_index = task.oracle_index,
                "the task ended without this operator"
            );
        }
    }
}

/// That there is no answer is as right as an answer, and no fault of this operator's.
fn no_answer_is_told(task: &Task, no_answer: NoAnswer, metrics: &OperatorSignerMetrics) {
    metrics.no_answer(no_answer.name());
    tracing::info!(
        task = %task.hash(), index = task.index, oracle_index = task.oracle_index, model = %task.model_hash,
        outcome = no_answer.name(), reason = %no_answer, "there is no answer to this task, so nothing is signed"
    );
}

fn settled(task: TaskHash, aggregator: String, reply: SubmitReply, metrics: &OperatorSignerMetrics) {
    let outcome = reply.as_str();
    if reply.is_acknowledgement() {
        tracing::info!(%task, aggregator, outcome, "the answer was acknowledged");
    } else {
        tracing::warn!(%task, aggregator, outcome, "the answer does not count");
    }
    metrics.submission(aggregator, outcome);
}

/// What [`deferred`] says beside replies' names.
pub(super) const DEFERRALS: [&str; 3] = ["full", "undelivered", "unknown"];

/// Why a submission is tried again; nothing where it has been answered for good.
pub(super) fn deferred(reply: &Result<SubmitReply, DeliveryError>) -> Option<&'static str> {
    match reply {
        Ok(reply) => reply.is_temporary().then(|| reply.as_str()),
        Err(DeliveryError::Full(_)) => Some("full"),
        Err(_) => Some("undelivered"),
    }
}

/// All labels of tasks that are not answered.
pub(super) const IGNORED: [&str; 6] =
    ["unknown_protocol", "not_served", "inconsistent", "no_answer", "too_many", "before_start"];

fn ignored(reason: &Ignored) -> &'static str {
    match reason {
        Ignored::UnknownProtocol => "unknown_protocol",
        Ignored::NotServed => "not_served",
        Ignored::Inconsistent => "inconsistent",
        Ignored::NoAnswer(_) => "no_answer",
        Ignored::TooMany => "too_many",
        Ignored::BeforeStart { .. } => "before_start",
    }
}

/// All labels of refusals.
pub(super) const REFUSED: [&str; 4] = ["another_answer", "too_old", "before_start", "blocked"];

fn refused(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::AnotherAnswer { .. } => "another_answer",
        Refusal::TooOld { .. } => "too_old",
        Refusal::BeforeStart { .. } => "before_start",
        Refusal::Blocked => "blocked",
    }
}
