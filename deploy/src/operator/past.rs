//! When something happened that views do not tell: from events.

use super::{Operator, QUORUM};
use crate::{
    TransportError,
    chain::{ChainError, asked_too_often},
};
use alloy::{primitives::Address, providers::Provider, rpc::types::Filter, sol_types::SolEvent};
use anzen_contracts::eigenlayer::AllocationManager::{AllocationDelaySet, OperatorRemovedFromOperatorSet};

/// How many blocks are asked for at once, as long as the node gives out as many.
const RANGE: u64 = 10_000;
/// Fewer are not asked for: a node that refuses them has no logs that old.
const LEAST_RANGE: u64 = 100;

/// When something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When<T> {
    /// Then.
    Known(T),
    /// Not among the blocks that were looked at.
    Never,
    /// The node does not give out logs that old.
    Unknown,
}

impl Operator {
    /// The block from which the allocation delay holds that was set last, if that was within the last `blocks`.
    pub(super) async fn delay_effect(&self, blocks: u64) -> Result<When<u64>, ChainError> {
        let of_operator = |event: &AllocationDelaySet| event.operator == self.address;
        let filter = Filter::new().event_signature(AllocationDelaySet::SIGNATURE_HASH);
        let found = self.last::<AllocationDelaySet>(filter, blocks, of_operator).await?;
        Ok(match found {
            When::Known((_, event)) => When::Known(event.effectBlock.into()),
            When::Never => When::Never,
            When::Unknown => When::Unknown,
        })
    }

    /// The block in which the operator left the quorum last, if that was within the last `blocks`.
    pub(super) async fn left(&self, blocks: u64) -> Result<When<u64>, ChainError> {
        let avs = self.addresses.service_manager;
        let of_quorum = |event: &OperatorRemovedFromOperatorSet| {
            event.operatorSet.avs == avs && event.operatorSet.id == u32::from(QUORUM)
        };
        let filter = Filter::new()
            .event_signature(OperatorRemovedFromOperatorSet::SIGNATURE_HASH)
            .topic1(self.address.into_word());
        let found = self.last::<OperatorRemovedFromOperatorSet>(filter, blocks, of_quorum).await?;
        Ok(match found {
            When::Known((block, _)) => When::Known(block),
            When::Never => When::Never,
            When::Unknown => When::Unknown,
        })
    }

    /// The latest event of EigenLayer's AllocationManager within the last `blocks`, with its block.
    async fn last<E: SolEvent>(
        &self,
        filter: Filter,
        blocks: u64,
        wanted: impl Fn(&E) -> bool,
    ) -> Result<When<(u64, E)>, ChainError> {
        let emitter: Address = self.addresses.allocation_manager;
        let head = self.height().await?;
        let (mut to, oldest, mut most) = (head, head.saturating_sub(blocks), RANGE);
        loop {
            let from = to.saturating_sub(most - 1).max(oldest);
            let range = filter.clone().address(emitter).from_block(from).to_block(to);
            let logs = match self.provider.get_logs(&range).await {
                Ok(logs) => logs,
                // Providers bound ranges, and tell so in many ways.
                Err(error) if refuses(&error) && most > LEAST_RANGE => {
                    most /= 10;
                    continue;
                }
                Err(error) if refuses(&error) => {
                    tracing::debug!(from, to, %error, "the node gives no logs of these blocks");
                    return Ok(When::Unknown);
                }
                Err(error) => return Err(ChainError::rpc("past events", error)),
            };
            for log in logs.iter().rev() {
                let event = log.log_decode::<E>().ok().map(|decoded| decoded.inner.data);
                if let (Some(block), Some(event)) = (log.block_number, event.filter(&wanted)) {
                    return Ok(When::Known((block, event)));
                }
            }
            if from == oldest {
                return Ok(When::Never);
            }
            to = from - 1;
        }
    }
}

/// True where the node will not give these logs, later neither.
fn refuses(error: &TransportError) -> bool {
    error.as_error_resp().is_some_and(|payload| !asked_too_often(&payload.message))
}
