//! Registering with EigenLayer, with the delay after which allocations hold.

use super::{OperatorError, OperatorSetup, Plan, Wait, past::When};
use alloy::primitives::Address;
use anzen_contracts::eigenlayer::{AllocationManager, DelegationManager};

impl OperatorSetup {
    /// Registers with EigenLayer. Who registered before there were allocations gets an allocation delay.
    pub(super) async fn register(&self) -> Result<Plan, OperatorError> {
        let operator = self.address();
        let delay = self.params.allocation_delay;
        if !self.operator.is_operator().await? {
            let call = DelegationManager::registerAsOperatorCall {
                initDelegationApprover: Address::ZERO,
                allocationDelay: delay,
                metadataURI: self.params.metadata_uri.clone(),
            };
            let to = self.operator.addresses.delegation_manager;
            let requests = vec![self.request("registering as an operator", to, &call)];
            return Ok(Plan::Send {
                requests,
                done: format!("{operator} has become an operator of EigenLayer's"),
            });
        }
        if self.operator.allocation_delay().await?.is_some() || self.delay_effect().await? != When::Never {
            return Ok(Plan::Nothing(format!("{operator} is an operator of EigenLayer's")));
        }
        let call = AllocationManager::setAllocationDelayCall { operator, delay };
        let to = self.operator.addresses.allocation_manager;
        let requests = vec![self.request("setting the allocation delay", to, &call)];
        Ok(Plan::Send { requests, done: format!("{operator} has set its allocation delay: {delay} blocks") })
    }

    /// Waits until EigenLayer lets the operator allocate: its allocation delay holds only after a while (17.5 days on
    /// mainnet).
    pub(super) async fn await_allocation_delay(&self) -> Result<Plan, OperatorError> {
        let operator = self.address();
        if self.operator.allocation_delay().await?.is_some() {
            return Ok(Plan::Nothing(format!("{operator} may allocate")));
        }
        if !self.operator.is_operator().await? {
            return Err(OperatorError::NotOperator(operator));
        }
        let height = self.operator.height().await?;
        let (until, exact) = match self.delay_effect().await? {
            When::Known(block) => (block, true),
            When::Never | When::Unknown => (height + self.configuration_delay().await? + 1, false),
        };
        let text = format!("{operator}'s allocation delay, without which it cannot allocate, holds");
        Ok(Plan::Wait(Wait { text, height, until, exact }))
    }

    async fn delay_effect(&self) -> Result<When<u64>, OperatorError> {
        let blocks = self.configuration_delay().await? + 1;
        Ok(self.operator.delay_effect(blocks).await?)
    }

    async fn configuration_delay(&self) -> Result<u64, OperatorError> {
        let view = AllocationManager::ALLOCATION_CONFIGURATION_DELAYCall {};
        Ok(self.operator.read(self.operator.addresses.allocation_manager, view).await?.into())
    }
}
