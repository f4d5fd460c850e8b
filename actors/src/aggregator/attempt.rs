//! Posting a certificate: reads the indices, tries the call, has it sent.

use alloy::primitives::{Address, U256};
use anzen_messages::aggregation::QuorumReached;
use anzen_messages::transaction::{SendTransaction, TxId, TxRefusal};
use tracing::{info, warn};

use super::actor::Dependencies;
use super::postings::Attempt;
use crate::ports::{CallError, ResponseCall};

impl Dependencies {
    /// One attempt to post a certificate.
    pub(super) async fn attempt(&self, reached: &QuorumReached, not_after: u64) -> Attempt {
        match self.try_post(reached, not_after).await {
            Ok(outcome) => {
                self.metrics.attempt(outcome);
                Attempt::Settled
            }
            Err(error) => {
                self.metrics.attempt("failed");
                warn!(%error, "the response is not posted yet; trying again at the next block");
                Attempt::Failed
            }
        }
    }

    async fn try_post(&self, reached: &QuorumReached, not_after: u64) -> Result<&'static str, PostError> {
        let call = self.contract.response_call(&reached.task, &reached.response, &reached.certificate).await;
        let call = call.map_err(CallError::from)?;
        // Anyone may respond, so the sender's address makes no difference to the outcome.
        match self.contract.preflight(Address::ZERO, call.to, &call.data).await {
            Err(CallError::Reverts { already_answered: true, .. }) => return Ok("answered_by_another"),
            other => other?,
        }
        let id = TxId::respond(reached.response.task_hash);
        let ResponseCall { to, data } = call;
        let request = SendTransaction { id, to, data, value: U256::ZERO, not_after: Some(not_after) };
        match self.tx_sender.ask(request).await? {
            Ok(mined) if mined.succeeded => Ok("posted"),
            Ok(_) => self.lost_race(reached).await,
            Err(refusal) if self.contract.is_answered(&reached.task).await.unwrap_or(false) => {
                info!(%refusal, "another aggregator was faster");
                Ok("answered_by_another")
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// A transaction that reverted after a good preflight: another answer came first, or the chain changed.
    async fn lost_race(&self, reached: &QuorumReached) -> Result<&'static str, PostError> {
        let answered = self.contract.is_answered(&reached.task).await.map_err(CallError::from)?;
        if answered { Ok("lost_race") } else { Err(PostError::Reverted) }
    }
}

#[derive(Debug, thiserror::Error)]
enum PostError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Delivery(#[from] crate::bus::DeliveryError),
    #[error(transparent)]
    Refused(#[from] TxRefusal),
    #[error("the transaction reverted although the task is not answered")]
    Reverted,
}
