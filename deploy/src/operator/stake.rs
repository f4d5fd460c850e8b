//! Tokens: getting them on a local chain, and depositing them.

use super::{OperatorError, OperatorSetup, Outcome, Plan, error::Shortage};
use crate::chain::{Account, ChainError, Request};
use alloy::primitives::{U256, uint};
use anzen_contracts::{
    LocalToken,
    eigenlayer::{StrategyBase, StrategyManager},
};

/// What a local operator gets to pay for gas, in wei, once it has less than the least.
const GAS_MONEY: U256 = uint!(10_000_000_000_000_000_000_U256);
const LEAST_GAS_MONEY: U256 = uint!(1_000_000_000_000_000_000_U256);

impl OperatorSetup {
    /// Gives the operator ether, and mints the tokens that it lacks. On a local chain, where `funder` is the token's owner.
    pub async fn fund(&self, funder: &Account) -> Result<Outcome, OperatorError> {
        let (operator, token) = (self.address(), self.operator.addresses.token);
        let mut requests = Vec::new();
        if self.operator.ether().await? < LEAST_GAS_MONEY {
            requests.push(Request::transfer(format!("sending ether to {operator}"), operator, GAS_MONEY));
        }
        let lacking = self.to_deposit().await?.saturating_sub(self.operator.balance().await?);
        if !lacking.is_zero() {
            let mint = LocalToken::mintCall { account: operator, amount: lacking };
            requests.push(Request::call(format!("minting tokens for {operator}"), token, &mint));
        }
        if requests.is_empty() {
            return Ok(Outcome::AlreadyDone(format!("{operator} has the ether and the tokens it needs")));
        }
        let receipts = funder.execute_all(&requests).await?;
        let lacking = self.operator.amount(lacking).await?;
        Ok(Outcome::Done {
            text: format!("{operator} was given {lacking}, and ether for gas"),
            transactions: receipts.iter().map(|receipt| receipt.transaction_hash).collect(),
        })
    }

    /// Deposits what is missing of the stake into the strategy.
    pub(super) async fn deposit(&self) -> Result<Plan, OperatorError> {
        let operator = self.address();
        let needed = self.to_deposit().await?;
        if needed.is_zero() {
            let stake = self.operator.amount(self.params.stake).await?;
            return Ok(Plan::Nothing(format!("{operator} has deposited {stake} or more")));
        }
        let at = &self.operator.addresses;
        let (strategy, token, amount) = (at.strategy, at.token, needed);
        let balance = self.operator.balance().await?;
        if balance < amount {
            let needed = self.operator.amount(amount - balance).await?;
            let balance = self.operator.amount(balance).await?;
            let shortage = Shortage { operator, token, balance, needed };
            return Err(OperatorError::NotEnoughTokens(Box::new(shortage)));
        }
        let mut requests = Vec::new();
        let view = LocalToken::allowanceCall { owner: operator, spender: at.strategy_manager };
        if self.operator.read(token, view).await? < amount {
            let approve = LocalToken::approveCall { spender: at.strategy_manager, value: amount };
            requests.push(self.request("approving the deposit", token, &approve));
        }
        let call = StrategyManager::depositIntoStrategyCall { strategy, token, amount };
        requests.push(self.request("depositing stake", at.strategy_manager, &call));
        let amount = self.operator.amount(amount).await?;
        Ok(Plan::Send {
            requests,
            done: format!("{operator} has deposited {amount} into strategy {strategy}"),
        })
    }

    /// What is missing of the stake, in the token's smallest unit.
    ///
    /// A share can be worth more than one unit of the token. A deposit is rounded down to whole shares, so what it leaves
    /// over is no shortfall: the stake is there once the shares are as many as it would buy.
    async fn to_deposit(&self) -> Result<U256, ChainError> {
        let (strategy, stake) = (self.operator.addresses.strategy, self.params.stake);
        let view = StrategyBase::underlyingToSharesViewCall { amountUnderlying: stake };
        if self.operator.deposited().await? >= self.operator.read(strategy, view).await? {
            return Ok(U256::ZERO);
        }
        Ok(stake.saturating_sub(self.operator.deposited_value().await?))
    }
}
