//! Who did what, as log lines and metrics.

use anzen_messages::OperatorId;
use tracing::warn;

use super::effect::Fault;
use super::metrics::CollectorMetrics;

/// Logs and counts what an operator did wrong; the current span says in which task.
pub(super) fn blame(operator: OperatorId, fault: Fault, metrics: &CollectorMetrics) {
    match fault {
        Fault::BadSignature => {
            metrics.fault(operator, "bad_signature");
            warn!(%operator, "the operator's signature is not valid; it does not count");
        }
        Fault::OtherAnswer { its, quorum } => {
            metrics.fault(operator, "other_answer");
            warn!(%operator, %its, %quorum, "the operator signed another answer than the quorum");
        }
        Fault::SecondAnswer => {
            metrics.fault(operator, "second_answer");
            warn!(%operator, "the operator signed two answers of one task; the first counts, both are kept");
        }
    }
}
