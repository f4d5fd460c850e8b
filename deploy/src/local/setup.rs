//! What is done on chain before the network starts: the contracts, the operators, the prices' owner.

use std::path::Path;

use super::{
    LocalError, Options,
    anvil::{Chain, DevKey},
    folder::Folder,
    operators::{self, LocalOperator},
    prices::Prices,
};
use crate::{Addresses, DeployConfig, chain::Account, deploy, open_journal, operator::Blocks};

/// What the setting up leaves behind.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) addresses: Addresses,
    pub(super) prices: Prices,
    pub(super) operators: Vec<LocalOperator>,
}

/// Deploys everything and sets the operators up. The chain mines at once meanwhile.
pub(super) async fn prepare(options: &Options, folder: &Folder, chain: &Chain) -> Result<Ready, LocalError> {
    let deployer = chain.account(DevKey::Deployer).await?;
    let mut config = DeployConfig::anvil()?.with_block_time(options.block_time);
    // Each aggregator may create tasks.
    let count = usize::try_from(options.aggregators).unwrap_or(usize::MAX);
    config.roles.generators =
        DevKey::AGGREGATORS.iter().take(count).map(|key| key.signer().address()).collect();
    let addresses = deploy_contracts(folder, chain, &deployer, &config).await?;
    let prices = Prices::take_over(chain, &deployer, &addresses).await?;
    let operators: Vec<LocalOperator> = (1..=options.operators)
        .map(|number| LocalOperator::load_or_make(folder, number))
        .collect::<Result<_, _>>()?;
    operators::set_up(folder, chain, &addresses, &operators, Blocks::Mine).await?;
    Ok(Ready { addresses, prices, operators })
}

/// Deploys everything to an anvil that somebody else has started and that mines by the clock, as in a container. `folder`
/// gets addresses.json, and the journal by which this continues what was interrupted and repeats nothing. A block is mined
/// for each transaction at once meanwhile, and every `block_time` seconds afterwards.
///
/// # Errors
/// Where the folder cannot be written to, or the chain refuses or is no anvil.
pub async fn deploy_to_anvil(rpc_url: &str, folder: &Path, block_time: u64) -> Result<Addresses, LocalError> {
    let chain = Chain::running(rpc_url, rpc_url, Path::new("--rpc-url"))?;
    let folder = Folder::shared(folder)?;
    let deployer = chain.account(DevKey::Deployer).await?;
    chain.mine_at_once().await?;
    chain.grow_old().await?;
    let config = DeployConfig::anvil()?.with_block_time(block_time);
    let outcome = deploy_contracts(&folder, &chain, &deployer, &config).await;
    chain.mine_every(block_time).await?;
    outcome
}

async fn deploy_contracts(
    folder: &Folder,
    chain: &Chain,
    deployer: &Account,
    config: &DeployConfig,
) -> Result<Addresses, LocalError> {
    let mut journal = open_journal(deployer, config, &folder.join("deployment.json")).await?;
    let addresses = deploy(deployer, config, &chain.rpc_url, &mut journal).await?;
    addresses.save(&folder.addresses())?;
    Ok(addresses)
}
