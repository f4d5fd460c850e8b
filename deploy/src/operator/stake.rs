//! Tokens: getting them on a local chain, and depositing them.

use super::{OperatorError, OperatorSetup, Outcome};
use crate::chain::{Account, ChainError, Request};
use alloy::{
    primitives::{Address, U256, uint, utils::format_units},
    providers::Provider,
};
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
        let (operator, token) = (self.address(), self.addresses.token);
        let mut requests = Vec::new();
        let ether = self.provider().get_balance(operator).await;
        if ether.map_err(|e| ChainError::rpc(format!("the balance of {operator}"), e))? < LEAST_GAS_MONEY {
            requests.push(Request::transfer(format!("sending ether to {operator}"), operator, GAS_MONEY));
        }
        let lacking = self.to_deposit().await?.saturating_sub(self.balance().await?);
        if !lacking.is_zero() {
            let mint = LocalToken::mintCall { account: operator, amount: lacking };
            requests.push(Request::call(format!("minting tokens for {operator}"), token, &mint));
        }
        if requests.is_empty() {
            return Ok(Outcome::AlreadyDone(format!("{operator} has the ether and the tokens it needs")));
        }
        funder.execute_all(&requests).await?;
        let lacking = self.amount(lacking).await?;
        Ok(Outcome::Done(format!("{operator} was given {lacking}, and ether for gas")))
    }

    /// Deposits what is missing of the stake into the strategy.
    pub async fn deposit(&self) -> Result<Outcome, OperatorError> {
        let (operator, token, strategy) = (self.address(), self.addresses.token, self.addresses.strategy);
        let needed = self.to_deposit().await?;
        if needed.is_zero() {
            let stake = self.amount(self.params.stake).await?;
            return Ok(Outcome::AlreadyDone(format!("{operator} has deposited {stake} or more")));
        }
        let balance = self.balance().await?;
        if balance < needed {
            return Err(OperatorError::NotEnoughTokens {
                operator,
                token,
                balance,
                needed: needed - balance,
            });
        }
        self.approve(needed).await?;
        let call = StrategyManager::depositIntoStrategyCall { strategy, token, amount: needed };
        self.send("depositing stake", self.addresses.strategy_manager, &call).await?;
        let needed = self.amount(needed).await?;
        Ok(Outcome::Done(format!("{operator} has deposited {needed} into strategy {strategy}")))
    }

    async fn approve(&self, amount: U256) -> Result<(), OperatorError> {
        let (token, spender) = (self.addresses.token, self.addresses.strategy_manager);
        let allowance =
            self.read(token, LocalToken::allowanceCall { owner: self.address(), spender }).await?;
        if allowance < amount {
            self.send("approving the deposit", token, &LocalToken::approveCall { spender, value: amount })
                .await?;
        }
        Ok(())
    }

    /// What is missing of the stake, in the token's smallest unit.
    ///
    /// A share can be worth more than one unit of the token. A deposit is rounded down to whole shares, so what it leaves
    /// over is no shortfall: the stake is there once the shares are as many as it would buy.
    async fn to_deposit(&self) -> Result<U256, ChainError> {
        let (strategy, stake) = (self.addresses.strategy, self.params.stake);
        let view = StrategyBase::underlyingToSharesViewCall { amountUnderlying: stake };
        if self.deposited().await? >= self.read(strategy, view).await? {
            return Ok(U256::ZERO);
        }
        let view = StrategyBase::userUnderlyingViewCall { user: self.address() };
        Ok(stake.saturating_sub(self.read(strategy, view).await?))
    }

    /// What the operator has deposited, in the strategy's shares.
    pub(super) async fn deposited(&self) -> Result<U256, ChainError> {
        let (staker, strategy): (Address, Address) = (self.address(), self.addresses.strategy);
        let view = StrategyManager::stakerDepositSharesCall { staker, strategy };
        self.read(self.addresses.strategy_manager, view).await
    }

    /// An amount of the token, as people write it.
    async fn amount(&self, value: U256) -> Result<String, ChainError> {
        let symbol = self.read(self.addresses.token, LocalToken::symbolCall {}).await?;
        let decimals = self.read(self.addresses.token, LocalToken::decimalsCall {}).await?;
        let number = format_units(value, decimals).unwrap_or_else(|_| value.to_string());
        let number = match number.split_once('.') {
            Some((whole, part)) => format!("{whole}.{}", part.trim_end_matches('0')),
            None => number,
        };
        Ok(format!("{} {symbol}", number.trim_end_matches('.')))
    }

    async fn balance(&self) -> Result<U256, ChainError> {
        self.read(self.addresses.token, LocalToken::balanceOfCall { account: self.address() }).await
    }
}
