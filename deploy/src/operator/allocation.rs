//! Putting the stake at risk: only what is allocated to the operator set can be slashed, and counts.

use super::{OperatorError, OperatorSetup, Plan, WHOLE_MAGNITUDE, Wait};
use crate::chain::Request;
use anzen_contracts::eigenlayer::{AllocateParams, Allocation, AllocationManager};

impl OperatorSetup {
    /// Allocates stake to Anzen's operator set. More than is wanted stays, unless it may be lowered.
    pub(super) async fn allocate(&self) -> Result<Plan, OperatorError> {
        let operator = self.address();
        // Slashing lowers what can be allocated at all.
        let wanted = self.params.magnitude.min(self.operator.max_magnitude().await?);
        let allocation = self.operator.allocation().await?;
        let (current, will_be) = (i128::from(allocation.currentMagnitude), total(&allocation));
        if will_be == i128::from(wanted) || will_be > i128::from(wanted) && !self.params.may_lower {
            return Ok(Plan::Nothing(match allocation.pendingDiff {
                0 => format!("{operator} has allocated {}", share(allocation.currentMagnitude)),
                _ => format!("{operator} has an allocation that holds from block {}", allocation.effectBlock),
            }));
        }
        if allocation.pendingDiff != 0 {
            let text = format!("{operator}'s allocation changes, and EigenLayer makes one change at a time");
            return self.wait_for(&allocation, text).await;
        }
        if i128::from(wanted) < current {
            let delay = self.operator.deallocation_delay().await?;
            let done = format!(
                "{operator} lowers its allocation to {}: for {delay} blocks more the rest can be slashed",
                share(wanted)
            );
            return Ok(Plan::Send { requests: vec![self.modify("lowering the allocation", wanted)], done });
        }
        if self.operator.allocation_delay().await?.is_none() {
            return self.await_allocation_delay().await;
        }
        let done = format!("{operator} has allocated {} of its stake to Anzen", share(wanted));
        Ok(Plan::Send { requests: vec![self.modify("allocating stake", wanted)], done })
    }

    /// Waits until a new allocation holds.
    pub(super) async fn await_allocation(&self) -> Result<Plan, OperatorError> {
        let operator = self.address();
        let allocation = self.operator.allocation().await?;
        if allocation.pendingDiff <= 0 {
            return Ok(Plan::Nothing(format!("{operator}'s allocation holds")));
        }
        self.wait_for(&allocation, format!("{operator}'s allocation holds")).await
    }

    /// Takes the whole allocation back. It can be slashed until that holds.
    pub(super) async fn deallocate(&self) -> Result<Plan, OperatorError> {
        let operator = self.address();
        let allocation = self.operator.allocation().await?;
        if total(&allocation) == 0 {
            return Ok(Plan::Nothing(if allocation.pendingDiff == 0 {
                format!("{operator} has allocated nothing to Anzen")
            } else {
                let block = allocation.effectBlock;
                format!(
                    "{operator} takes its stake back: until block {block} it can be slashed for what it has signed"
                )
            }));
        }
        if self.operator.is_member().await? {
            return Err(OperatorError::StillMember(operator));
        }
        if allocation.pendingDiff != 0 {
            let text = format!("{operator}'s allocation changes, and EigenLayer makes one change at a time");
            return self.wait_for(&allocation, text).await;
        }
        let delay = self.operator.deallocation_delay().await?;
        let done = if self.operator.is_slashable().await? {
            format!(
                "{operator} takes its stake back: for {delay} blocks more it can be slashed for what it has signed, \
                 then it is free"
            )
        } else {
            format!("{operator} has taken its stake back")
        };
        Ok(Plan::Send { requests: vec![self.modify("taking stake back", 0)], done })
    }

    fn modify(&self, what: &str, magnitude: u64) -> Request {
        let params = AllocateParams {
            operatorSet: self.operator.operator_set(),
            strategies: vec![self.operator.addresses.strategy],
            newMagnitudes: vec![magnitude],
        };
        let call =
            AllocationManager::modifyAllocationsCall { operator: self.address(), params: vec![params] };
        self.request(what, self.operator.addresses.allocation_manager, &call)
    }

    async fn wait_for(&self, allocation: &Allocation, text: String) -> Result<Plan, OperatorError> {
        let height = self.operator.height().await?;
        Ok(Plan::Wait(Wait { text, height, until: allocation.effectBlock.into(), exact: true }))
    }
}

/// What is allocated once a pending change holds.
fn total(allocation: &Allocation) -> i128 {
    i128::from(allocation.currentMagnitude).saturating_add(allocation.pendingDiff)
}

/// A magnitude as a share of the whole.
pub(super) fn share(magnitude: u64) -> String {
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
