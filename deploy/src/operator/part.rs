//! How much of the own stake a withdrawal takes, and whether one has been made since the operator left.

use super::{Amount, OperatorError, OperatorSetup, Shortfall, past::When};
use alloy::primitives::U256;
use anzen_contracts::eigenlayer::{DelegationManager, StrategyBase};

/// What a withdrawal takes.
#[derive(Debug)]
pub(super) struct Part {
    /// In the shares of the deposit, which slashing does not lower.
    pub(super) shares: U256,
    /// What EigenLayer gives for them as things are.
    pub(super) amount: Amount,
    /// What all own stake is worth as things are.
    pub(super) whole: Amount,
}

impl OperatorSetup {
    /// Whether there is what is to be withdrawn: asked before the operator leaves for it.
    ///
    /// # Errors
    /// Where there is less, or it cannot be told.
    pub async fn check_withdrawal(&self) -> Result<(), OperatorError> {
        if self.withdrawn().await?.is_none() {
            self.part().await?;
        }
        Ok(())
    }

    /// What is to be withdrawn. A part is rounded down to whole shares.
    pub(super) async fn part(&self) -> Result<Part, OperatorError> {
        let (operator, at) = (self.address(), &self.operator.addresses);
        let (staker, strategies) = (operator, vec![at.strategy]);
        let view = DelegationManager::getWithdrawableSharesCall { staker, strategies: strategies.clone() };
        let own = self.operator.read(at.delegation_manager, view).await?;
        let deposited = own.depositShares.into_iter().sum::<U256>();
        let value = self.value(own.withdrawableShares.into_iter().sum()).await?;
        let whole = self.operator.amount(value).await?;
        let asked = self.params.withdrawal.unwrap_or(value);
        let amount = Amount { units: asked, ..whole.clone() };
        if asked > value {
            let shortfall = Shortfall { operator, stake: whole, asked: amount };
            return Err(OperatorError::NotEnoughStake(Box::new(shortfall)));
        }
        if asked == value {
            return Ok(Part { shares: deposited, amount, whole });
        }
        let view = StrategyBase::underlyingToSharesViewCall { amountUnderlying: asked };
        let withdrawable = vec![self.operator.read(at.strategy, view).await?];
        let view = DelegationManager::convertToDepositSharesCall {
            staker,
            strategies,
            withdrawableShares: withdrawable,
        };
        let shares = self.operator.read(at.delegation_manager, view).await?.into_iter().sum::<U256>();
        if shares.is_zero() {
            return Err(OperatorError::NothingToWithdraw(Box::new(amount)));
        }
        Ok(Part { shares: shares.min(deposited), amount, whole })
    }

    /// The part that has been withdrawn since the operator left, in a sentence; nothing where none has.
    ///
    /// A part of some size is like another of that size: without this, a run that goes on after an interruption would
    /// withdraw as much again. All of the stake needs no such care.
    pub(super) async fn withdrawn(&self) -> Result<Option<String>, OperatorError> {
        let operator = self.address();
        if self.params.withdrawal.is_none() || self.operator.is_member().await? {
            return Ok(None);
        }
        let left = self.operator.left_in().await?;
        let queued = self.withdrawals().await?;
        let latest = queued.iter().filter(|(one, _)| u64::from(one.startBlock) >= left.unwrap_or_default());
        if let Some((one, shares)) = latest.max_by_key(|(one, _)| one.startBlock) {
            let amount = self.operator.amount(self.value(*shares).await?).await?;
            return Ok(Some(format!("{operator} withdraws {amount} since block {}", one.startBlock)));
        }
        let Some(left) = left else { return Err(OperatorError::NeverMember(operator)) };
        match self.operator.withdrew(left).await? {
            When::Never => Ok(None),
            When::Unknown => Err(OperatorError::WithdrawalUnknown { operator, left }),
            When::Known(block) => Ok(Some(format!(
                "{operator} has left the quorum in block {left} and withdrawn in block {block}: one part for each time \
                 that it leaves; `--withdraw all` takes the rest"
            ))),
        }
    }

    /// What shares are worth, in the token's smallest unit.
    async fn value(&self, shares: U256) -> Result<U256, OperatorError> {
        let view = StrategyBase::sharesToUnderlyingViewCall { amountShares: shares };
        Ok(self.operator.read(self.operator.addresses.strategy, view).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::{Step, mocked::Node};
    use alloy::{primitives::B256, sol_types::SolValue};
    use anzen_contracts::eigenlayer::Withdrawal;

    /// A node of the chain on which an operator left in block 999,000 and has no withdrawal queued; the operator wants one.
    async fn has_left() -> (Node, OperatorSetup) {
        let node = Node::default();
        let mut operator = node.operator().await;
        operator.params.withdrawal = Some(U256::ONE);
        node.returns(false.abi_encode());
        node.returns(B256::repeat_byte(1).abi_encode());
        // Block, next block, stake.
        node.returns((999_000_u32, 0_u32, U256::ZERO).abi_encode_params());
        node.returns((Vec::<Withdrawal>::new(), Vec::<Vec<U256>>::new()).abi_encode_params());
        (node, operator)
    }

    #[tokio::test]
    async fn where_old_logs_are_missing_nothing_is_withdrawn_twice() {
        let (node, operator) = has_left().await;
        node.is_at_height();
        (0..5).for_each(|_| node.refuses("history has been pruned"));
        let error = operator.plan(Step::QueueWithdrawal).await.unwrap_err();
        assert!(matches!(error, OperatorError::WithdrawalUnknown { left: 999_000, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_node_that_is_behind_the_leaving_has_to_be_asked_again() {
        let (node, operator) = has_left().await;
        node.is_at(998_999);
        assert!(operator.plan(Step::QueueWithdrawal).await.unwrap_err().is_passing());
    }
}
