//! What the duties have to say, as log lines and metrics.

use anzen_messages::TaskHash;
use anzen_messages::signature::SubmitReply;

use super::effect::{Ignored, Report};
use super::metrics::{OperatorSignerMetrics, Reason, Submission};
use super::protection::Refusal;
use crate::bus::DeliveryError;

/// Logs and counts. `aggregators` are their names.
pub(super) fn report(report: &Report, aggregators: &[String], metrics: &OperatorSignerMetrics) {
    match report {
        Report::Ignored { task, reason } => {
            metrics.ignored.get_or_create(&Reason { reason: ignored(reason) }).inc();
            tracing::warn!(
                task = %task.hash(), index = task.index, oracle_index = task.oracle_index, %reason,
                "this task is not answered"
            );
        }
        Report::Disagrees { task, computed } => {
            metrics.disagreements.inc();
            tracing::warn!(
                task = %task.hash(), index = task.index, oracle_index = task.oracle_index,
                proposed = %task.proposed_safety_factor, %computed,
                "the task proposes another value than was computed; the computed one is signed"
            );
        }
        Report::Refused { task, refusal } => {
            metrics.refused.get_or_create(&Reason { reason: refused(refusal) }).inc();
            tracing::error!(%task, %refusal, "REFUSED TO SIGN");
        }
        Report::Settled { task, to, reply } => {
            settled(*task, aggregators.get(*to).cloned().unwrap_or_default(), *reply, metrics);
        }
        Report::Missed { task } => {
            metrics.missed.inc();
            tracing::warn!(
                task = %task.hash(), index = task.index, oracle_index = task.oracle_index,
                "the task ended without this operator"
            );
        }
    }
}

fn settled(task: TaskHash, aggregator: String, reply: SubmitReply, metrics: &OperatorSignerMetrics) {
    let (outcome, well) = outcome(reply);
    if well {
        tracing::info!(%task, aggregator, outcome, "the answer was acknowledged");
    } else {
        tracing::warn!(%task, aggregator, outcome, "the answer does not count");
    }
    metrics.submissions.get_or_create(&Submission { aggregator, outcome }).inc();
}

/// Why a submission is tried again; nothing where it has been answered for good.
pub(super) fn deferred(reply: &Result<SubmitReply, DeliveryError>) -> Option<&'static str> {
    match reply {
        Ok(reply) => reply.is_temporary().then(|| outcome(*reply).0),
        Err(DeliveryError::Full(_)) => Some("full"),
        Err(_) => Some("undelivered"),
    }
}

/// A reply's label, and whether all is well.
fn outcome(reply: SubmitReply) -> (&'static str, bool) {
    match reply {
        SubmitReply::Accepted => ("accepted", true),
        SubmitReply::Duplicate => ("duplicate", true),
        SubmitReply::Early => ("early", true),
        SubmitReply::TooLate => ("too_late", false),
        SubmitReply::NotInSet => ("not_in_set", false),
        SubmitReply::SecondAnswer => ("second_answer", false),
        SubmitReply::Invalid => ("invalid", false),
        SubmitReply::Malformed => ("malformed", false),
        SubmitReply::TooManyEarly => ("too_many_early", false),
        SubmitReply::Unavailable => ("unavailable", false),
    }
}

fn ignored(reason: &Ignored) -> &'static str {
    match reason {
        Ignored::UnknownProtocol => "unknown_protocol",
        Ignored::OtherModel { .. } => "other_model",
        Ignored::Inconsistent => "inconsistent",
        Ignored::NoAnswer(_) => "no_answer",
        Ignored::TooMany => "too_many",
    }
}

fn refused(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::AnotherAnswer { .. } => "another_answer",
        Refusal::TooOld { .. } => "too_old",
    }
}
