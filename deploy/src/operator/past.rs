//! When something happened that views do not tell: from events.

use super::{Operator, QUORUM};
use crate::{
    TransportError,
    chain::{ChainError, asked_too_often},
};
use alloy::{
    primitives::Address, providers::Provider, rpc::types::Filter, sol_types::SolEvent,
    transports::TransportErrorKind,
};
use anzen_contracts::eigenlayer::{
    AllocationManager::{AllocationDelaySet, OperatorRemovedFromOperatorSet},
    DelegationManager::OperatorSharesDecreased,
};

/// How many blocks are asked for at once, as long as the node gives out as many.
const RANGE: u64 = 10_000;
/// So many questions at most: a node that gives out few blocks at once tells of what has just happened, and not of weeks.
const MOST_QUESTIONS: usize = 1_000;

/// When something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When<T> {
    /// Then.
    Known(T),
    /// Not among the blocks that were looked at.
    Never,
    /// The node does not give out logs that old, or too few at once.
    Unknown,
}

impl<T> When<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> When<U> {
        match self {
            Self::Known(known) => When::Known(f(known)),
            Self::Never => When::Never,
            Self::Unknown => When::Unknown,
        }
    }
}

impl Operator {
    /// The block from which the allocation delay holds that was set last, if that was within the last `blocks`.
    pub(super) async fn delay_effect(&self, blocks: u64) -> Result<When<u64>, ChainError> {
        let of_operator = |event: &AllocationDelaySet| event.operator == self.address;
        let filter = events::<AllocationDelaySet>(self.addresses.allocation_manager);
        let oldest = self.height().await?.saturating_sub(blocks);
        let found = self.last(filter, oldest, of_operator).await?;
        Ok(found.map(|(_, event)| event.effectBlock.into()))
    }

    /// The block in which the operator left the quorum last, if that was within the last `blocks`.
    pub(super) async fn left(&self, blocks: u64) -> Result<When<u64>, ChainError> {
        let avs = self.addresses.service_manager;
        let of_quorum = |event: &OperatorRemovedFromOperatorSet| {
            event.operatorSet.avs == avs && event.operatorSet.id == u32::from(QUORUM)
        };
        let filter = events::<OperatorRemovedFromOperatorSet>(self.addresses.allocation_manager);
        let oldest = self.height().await?.saturating_sub(blocks);
        let found = self.last(filter.topic1(self.address.into_word()), oldest, of_quorum).await?;
        Ok(found.map(|(block, _)| block))
    }

    /// The block in which the operator withdrew own shares of the strategy last, if that was in `since` or later.
    pub(super) async fn withdrew(&self, since: u64) -> Result<When<u64>, ChainError> {
        // Others withdraw what they have delegated to it, and slashing takes from nobody in particular.
        let own = |event: &OperatorSharesDecreased| {
            event.staker == self.address && event.strategy == self.addresses.strategy
        };
        let filter = events::<OperatorSharesDecreased>(self.addresses.delegation_manager);
        let found = self.last(filter.topic1(self.address.into_word()), since, own).await?;
        Ok(found.map(|(block, _)| block))
    }

    /// The latest of some events in block `oldest` or later, with its block.
    async fn last<E: SolEvent>(
        &self,
        filter: Filter,
        oldest: u64,
        wanted: impl Fn(&E) -> bool,
    ) -> Result<When<(u64, E)>, ChainError> {
        let head = self.height().await?;
        if head < oldest {
            // Another node of the same provider was asked before. To say "never" would be wrong.
            let error = TransportErrorKind::custom_str(&format!("the node is behind block {oldest}"));
            return Err(ChainError::rpc("past events", error));
        }
        let (mut to, mut most) = (head, RANGE);
        for _ in 0..MOST_QUESTIONS {
            let from = to.saturating_sub(most - 1).max(oldest);
            let range = filter.clone().from_block(from).to_block(to);
            let logs = match self.provider.get_logs(&range).await {
                Ok(logs) => logs,
                // Providers bound ranges, and tell so in many ways.
                Err(error) if refuses(&error) && most > 1 => {
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
        Ok(When::Unknown)
    }
}

/// A contract's events of one kind.
fn events<E: SolEvent>(emitter: Address) -> Filter {
    Filter::new().address(emitter).event_signature(E::SIGNATURE_HASH)
}

/// True where the node will not give these logs, later neither.
fn refuses(error: &TransportError) -> bool {
    error.as_error_resp().is_some_and(|payload| !asked_too_often(&payload.message))
}
