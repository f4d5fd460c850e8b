//! What the tests share: a chain, accounts on it, and a folder that goes with the test.

use alloy::providers::DynProvider;
use anzen_deploy::{
    Addresses, DeployConfig, DeployError,
    chain::Account,
    deploy,
    local::{ANVIL_DEPLOYER, Anvil},
    open_journal,
};
use std::path::PathBuf;
use tempfile::TempDir;

/// An anvil of the test's own.
pub(crate) struct Chain {
    anvil: Anvil,
    pub(crate) provider: DynProvider,
    folder: TempDir,
}

impl Chain {
    pub(crate) fn start() -> Self {
        let anvil = Anvil::start(&[]).unwrap();
        let provider = anvil.provider();
        Self { anvil, provider, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) async fn deployer(&self) -> Account {
        self.account(ANVIL_DEPLOYER).await
    }

    pub(crate) async fn account(&self, key: &str) -> Account {
        Account::new(self.provider.clone(), key.parse().unwrap()).await.unwrap()
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.path().join("journal.json")
    }

    /// A whole run of the deployment, journal included.
    pub(crate) async fn deploy(&self) -> Result<Addresses, DeployError> {
        let (config, deployer) = (DeployConfig::anvil()?, self.deployer().await);
        let mut journal = open_journal(&deployer, &config, &self.journal()).await?;
        deploy(&deployer, &config, &self.anvil.http_url(), &mut journal).await
    }
}
