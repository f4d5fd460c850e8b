//! What the trace and the log lines of a request say.

use anzen_messages::transaction::{Mined, TxId, TxRefusal};
use anzen_messages::wire::ActorName;
use tracing::Span;
use tracing::field::{Empty, display};

use crate::telemetry::{scope, step};

/// The span of a request, from when it comes to when its transaction has its confirmations or no hope.
pub(super) fn sending(id: &TxId) -> Span {
    let (actor, task) = (ActorName::TxSender.as_str(), id.task().map(display));
    step!("tx.send", actor, task, %id, tx = Empty, block = Empty, error = Empty)
}

/// Says how the request ended.
pub(super) fn told(span: &Span, outcome: &Result<Mined, TxRefusal>) {
    match outcome {
        Ok(mined) => {
            span.record("tx", display(mined.hash));
            span.record("block", mined.block);
        }
        Err(refusal) => {
            span.record("error", display(refusal));
        }
    }
}

/// Fields for the lines of work on a request.
pub(super) fn about(id: &TxId) -> Span {
    scope!(TxSender, task = id.task().map(display), %id)
}
