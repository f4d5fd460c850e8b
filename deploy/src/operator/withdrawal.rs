//! Getting the own stake back out of EigenLayer.

use super::{OperatorError, OperatorSetup, Plan, Wait};
use alloy::primitives::U256;
use anzen_contracts::eigenlayer::{DelegationManager, QueuedWithdrawalParams, Withdrawal};

impl OperatorSetup {
    /// Queues a withdrawal of own shares: all, or a part, once for each time that the operator leaves. They count for
    /// nothing from then on, and can be slashed until it is due.
    pub(super) async fn queue_withdrawal(&self) -> Result<Plan, OperatorError> {
        let (operator, at) = (self.address(), &self.operator.addresses);
        if let Some(text) = self.withdrawn().await? {
            return Ok(Plan::Nothing(text));
        }
        let part = self.part().await?;
        if part.shares.is_zero() {
            return Ok(Plan::Nothing(format!(
                "{operator} has no shares of its own in strategy {}",
                at.strategy
            )));
        }
        if self.operator.is_member().await? {
            return Err(OperatorError::StillMember(operator));
        }
        let params = QueuedWithdrawalParams {
            strategies: vec![at.strategy],
            depositShares: vec![part.shares],
            withdrawer: operator,
        };
        let call = DelegationManager::queueWithdrawalsCall { params: vec![params] };
        let delay = self.withdrawal_delay().await?;
        let (amount, whole) = (part.amount, part.whole);
        let done = format!(
            "{operator} withdraws {amount} of its {whole}: EigenLayer gives the tokens out after {delay} blocks, and takes \
             what is slashed until then"
        );
        let what = format!("withdrawing {amount} of {whole}");
        let requests = vec![self.request(&what, at.delegation_manager, &call)];
        Ok(Plan::Send { requests, done })
    }

    /// What will be withdrawn once the operator has left, in a sentence.
    pub(super) async fn withdrawal_outlook(&self) -> Result<String, OperatorError> {
        let part = self.part().await?;
        Ok(format!("withdraws {} of {}", part.amount, part.whole))
    }

    /// Waits until EigenLayer gives the tokens out.
    pub(super) async fn await_withdrawal(&self) -> Result<Plan, OperatorError> {
        let operator = self.address();
        let Some(latest) = self.withdrawals().await?.iter().map(|(one, _)| one.startBlock).max() else {
            return Ok(Plan::Nothing(format!("{operator} withdraws nothing")));
        };
        let height = self.operator.height().await?;
        let until = u64::from(latest) + self.withdrawal_delay().await? + 1;
        if height >= until {
            return Ok(Plan::Nothing(format!("{operator}'s withdrawal is due")));
        }
        let text = format!("EigenLayer gives {operator}'s tokens out");
        Ok(Plan::Wait(Wait { text, height, until, exact: true }))
    }

    /// Gets the tokens.
    pub(super) async fn complete_withdrawal(&self) -> Result<Plan, OperatorError> {
        let (operator, at) = (self.address(), &self.operator.addresses);
        let withdrawals = self.withdrawals().await?;
        if withdrawals.is_empty() {
            return Ok(Plan::Nothing(format!("{operator} withdraws nothing")));
        }
        let complete = |withdrawal: Withdrawal| {
            let call = DelegationManager::completeQueuedWithdrawalCall {
                withdrawal,
                tokens: vec![at.token],
                receiveAsTokens: true,
            };
            self.request("getting the withdrawn tokens", at.delegation_manager, &call)
        };
        let requests = withdrawals.into_iter().map(|(one, _)| complete(one)).collect();
        Ok(Plan::Send { requests, done: format!("{operator} has its tokens back") })
    }

    /// Those of this strategy alone, with the shares that they give as things are; others are none of Anzen's business.
    pub(super) async fn withdrawals(&self) -> Result<Vec<(Withdrawal, U256)>, OperatorError> {
        let view = DelegationManager::getQueuedWithdrawalsCall { staker: self.address() };
        let at = &self.operator.addresses;
        let queued = self.operator.read(at.delegation_manager, view).await?;
        let shares = queued.shares.into_iter().map(|of_one| of_one.into_iter().sum());
        let own = |(one, _): &(Withdrawal, U256)| {
            one.strategies == [at.strategy] && one.withdrawer == self.address()
        };
        Ok(queued.withdrawals.into_iter().zip(shares).filter(own).collect())
    }

    async fn withdrawal_delay(&self) -> Result<u64, OperatorError> {
        let view = DelegationManager::minWithdrawalDelayBlocksCall {};
        Ok(self.operator.read(self.operator.addresses.delegation_manager, view).await?.into())
    }
}
