//! Checks a deployment against what it should be: code, proxies, wiring, roles, windows, disputes, policies, feeds.

mod checker;
mod code;
mod disputes;
mod events;
mod governance;
mod protocols;
mod report;
mod roles;
mod stake;
mod wiring;

pub use report::{Check, Finding, Report, VerifyError};

use crate::{addresses::Addresses, chain::ChainError};
use alloy::providers::{DynProvider, Provider};
use checker::Checker;

/// Checks the deployment at `addresses`. A contract that is wrong, or missing, is a finding of the report; a node that
/// does not answer is an error.
pub async fn verify(provider: &DynProvider, addresses: &Addresses) -> Result<Report, ChainError> {
    let mut checker = Checker::new(provider, addresses);
    let chain_id = provider.get_chain_id().await.map_err(|e| ChainError::rpc("the chain's id", e))?;
    let todo = "give the URL of a node of the addresses' chain";
    if !checker.compare("chain id", &chain_id, &addresses.chain_id, todo) {
        return Ok(checker.report);
    }
    code::check(&mut checker).await?;
    wiring::check(&mut checker).await?;
    roles::check(&mut checker).await?;
    governance::check(&mut checker).await?;
    stake::check(&mut checker).await?;
    disputes::check(&mut checker).await?;
    protocols::check(&mut checker).await?;
    Ok(checker.report)
}
