//! Putting the stake at risk: only what is allocated to the operator set can be slashed, and counts.

use super::{Blocks, OperatorError, OperatorSetup, Outcome, WHOLE_MAGNITUDE};
use crate::chain::ChainError;
use anzen_contracts::eigenlayer::{AllocateParams, Allocation, AllocationManager};

impl OperatorSetup {
    /// Waits until EigenLayer lets the operator allocate: its allocation delay, set at registration, holds only after a
    /// while (17.5 days on mainnet).
    pub async fn await_allocation_delay(&self, blocks: Blocks) -> Result<Outcome, OperatorError> {
        let operator = self.address();
        if self.allocation_delay_is_set().await? {
            return Ok(Outcome::AlreadyDone(format!("{operator} may allocate")));
        }
        let view = AllocationManager::ALLOCATION_CONFIGURATION_DELAYCall {};
        let delay = self.read(self.addresses.allocation_manager, view).await?;
        while !self.allocation_delay_is_set().await? {
            // When it was set is not told by the chain, so a local one is given all the blocks at once.
            let step = if blocks == Blocks::Mine { u64::from(delay) + 1 } else { 1 };
            self.reach(self.height().await? + step, blocks).await?;
        }
        Ok(Outcome::Done(format!(
            "{operator} has waited for the allocation configuration delay of {delay} blocks"
        )))
    }

    /// Allocates stake to Anzen's operator set.
    pub async fn allocate(&self) -> Result<Outcome, OperatorError> {
        let operator = self.address();
        let wanted = self.wanted_magnitude().await?;
        let allocation = self.allocation().await?;
        if allocation.pendingDiff > 0 {
            let text =
                format!("{operator} has an allocation that holds from block {}", allocation.effectBlock);
            return Ok(Outcome::AlreadyDone(text));
        }
        let remains = i128::from(allocation.currentMagnitude) + allocation.pendingDiff;
        if remains >= i128::from(wanted) {
            let text = format!("{operator} has allocated {}", share(allocation.currentMagnitude));
            return Ok(Outcome::AlreadyDone(text));
        }
        if allocation.pendingDiff < 0 {
            return Err(OperatorError::Deallocating { operator, block: allocation.effectBlock });
        }
        let params = AllocateParams {
            operatorSet: self.operator_set(),
            strategies: vec![self.addresses.strategy],
            newMagnitudes: vec![wanted],
        };
        let call = AllocationManager::modifyAllocationsCall { operator, params: vec![params] };
        self.send("allocating stake", self.addresses.allocation_manager, &call).await?;
        Ok(Outcome::Done(format!("{operator} has allocated {} of its stake to Anzen", share(wanted))))
    }

    /// Waits until a new allocation holds.
    pub async fn await_allocation(&self, blocks: Blocks) -> Result<Outcome, OperatorError> {
        let operator = self.address();
        let allocation = self.allocation().await?;
        if allocation.pendingDiff <= 0 {
            return Ok(Outcome::AlreadyDone(format!("{operator}'s allocation holds")));
        }
        self.reach(allocation.effectBlock.into(), blocks).await?;
        Ok(Outcome::Done(format!("{operator}'s allocation holds since block {}", allocation.effectBlock)))
    }

    pub(super) async fn allocation(&self) -> Result<Allocation, ChainError> {
        let view = AllocationManager::getAllocationCall {
            operator: self.address(),
            operatorSet: self.operator_set(),
            strategy: self.addresses.strategy,
        };
        self.read(self.addresses.allocation_manager, view).await
    }

    /// Slashing lowers what can be allocated at all.
    async fn wanted_magnitude(&self) -> Result<u64, ChainError> {
        let (operator, strategy) = (self.address(), self.addresses.strategy);
        let view = AllocationManager::getMaxMagnitudeCall { operator, strategy };
        let most = self.read(self.addresses.allocation_manager, view).await?;
        Ok(self.params.magnitude.min(most))
    }

    async fn allocation_delay_is_set(&self) -> Result<bool, ChainError> {
        let view = AllocationManager::getAllocationDelayCall { operator: self.address() };
        Ok(self.read(self.addresses.allocation_manager, view).await?.isSet)
    }
}

/// A magnitude as a share of the whole.
fn share(magnitude: u64) -> String {
    let hundredths = u128::from(magnitude) * 10_000 / u128::from(WHOLE_MAGNITUDE);
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_in_per_cent() {
        assert_eq!(share(WHOLE_MAGNITUDE), "100.00 %");
        assert_eq!(share(WHOLE_MAGNITUDE / 8), "12.50 %");
        assert_eq!(share(0), "0.00 %");
    }
}
