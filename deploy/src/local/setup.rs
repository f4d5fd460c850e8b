//! What is done on chain before the network starts: the contracts, the operators, the prices' owner.

use super::{
    LocalError, Options,
    anvil::{Chain, DevKey},
    folder::Folder,
    operators::{self, LocalOperator},
    prices::Prices,
};
use crate::{Addresses, DeployConfig, deploy, open_journal, operator::Blocks};

/// What the setting up leaves behind.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) addresses: Addresses,
    pub(super) prices: Prices,
    pub(super) operators: Vec<LocalOperator>,
}

/// Deploys everything and sets the operators up. The chain mines at once meanwhile.
pub(super) async fn prepare(options: &Options, folder: &Folder, chain: &Chain) -> Result<Ready, LocalError> {
    let config = DeployConfig::anvil()?;
    let deployer = chain.account(DevKey::Deployer).await?;
    let mut journal = open_journal(&deployer, &config, &folder.join("deployment.json")).await?;
    let addresses = deploy(&deployer, &config, &chain.rpc_url, &mut journal).await?;
    addresses.save(&folder.addresses())?;
    let prices = Prices::take_over(chain, &deployer, &addresses).await?;
    let operators: Vec<LocalOperator> = (1..=options.operators)
        .map(|number| LocalOperator::load_or_make(folder, number))
        .collect::<Result<_, _>>()?;
    operators::set_up(folder, chain, &addresses, &operators, Blocks::Mine).await?;
    Ok(Ready { addresses, prices, operators })
}
