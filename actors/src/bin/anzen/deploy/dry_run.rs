//! `anzen deploy --dry-run`.

use std::{fmt, path::PathBuf};

use alloy::{
    primitives::{Address, U256, utils::format_ether},
    providers::Provider,
};
use anzen_deploy::{
    DeployConfig,
    chain::{Account, ChainError},
    plan::Plan,
};
use serde::Serialize;

use crate::output::Report;

/// What would be deployed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DryRun {
    network: String,
    chain_id: u64,
    deployer: Address,
    /// In wei.
    balance: String,
    journal: PathBuf,
    #[serde(flatten)]
    plan: Plan,
    /// About what the gas costs now, in wei.
    cost: String,
    #[serde(skip)]
    summary: String,
}

impl DryRun {
    pub(super) async fn new(
        config: DeployConfig,
        account: &Account,
        journal: PathBuf,
        plan: Plan,
    ) -> Result<Self, ChainError> {
        let (provider, deployer) = (account.provider(), account.address());
        let balance = provider.get_balance(deployer).await;
        let balance = balance.map_err(|error| ChainError::rpc("the deployer's balance", error))?;
        let fees = provider.estimate_eip1559_fees().await;
        let fees = fees.map_err(|error| ChainError::rpc("the chain's fees", error))?;
        let cost = U256::from(plan.gas) * U256::from(fees.max_fee_per_gas);
        let enough = if balance >= cost { "" } else { ", which is TOO LITTLE" };
        let summary = format!(
            "about {} gas, {} ether at most; the deployer has {} ether{enough}",
            plan.gas,
            format_ether(cost),
            format_ether(balance)
        );
        Ok(Self {
            network: config.name,
            chain_id: config.chain_id,
            deployer,
            balance: balance.to_string(),
            journal,
            plan,
            cost: cost.to_string(),
            summary,
        })
    }
}

impl Report for DryRun {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let Plan { done, to_do, .. } = &self.plan;
        writeln!(f, "network   {} (chain {})", self.network, self.chain_id)?;
        writeln!(f, "deployer  {}", self.deployer)?;
        writeln!(f, "done      {} steps, according to {} and the chain", done.len(), self.journal.display())?;
        if to_do.is_empty() {
            return writeln!(f, "There is nothing to do.");
        }
        writeln!(f, "cost      {}", self.summary)?;
        writeln!(f, "to do     {} steps:", to_do.len())?;
        to_do.iter().try_for_each(|step| writeln!(f, "  {step}"))?;
        writeln!(f, "Nothing was sent.")
    }
}
