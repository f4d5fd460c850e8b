//! Who did what, as log lines and metrics.

use anzen_messages::OperatorId;
use tracing::{debug, warn};

use super::effect::Fault;
use super::metrics::CollectorMetrics;
use super::standing::Struck;

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
            warn!(%operator, "the operator signed two answers of one task; the first counts, both are kept as evidence");
        }
    }
}

/// Logs, once each time, and counts that an operator is penalised.
pub(super) fn penalise(operator: OperatorId, struck: Struck, metrics: &CollectorMetrics) {
    let until_block = struck.penalty.until;
    if !struck.is_new {
        debug!(%operator, until_block, "the operator's penalty is longer");
        return;
    }
    metrics.penalty(operator);
    warn!(%operator, until_block, "the operator is penalised: its signatures are verified alone, after everybody else's");
}
