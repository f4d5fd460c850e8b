//! What the tests share: a chain, accounts on it, and a folder that goes with the test.

use alloy::{
    primitives::Address,
    providers::{DynProvider, Provider},
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};
use anzen_deploy::{
    Addresses, DeployConfig, DeployError,
    anvil::{ANVIL_DEPLOYER, Anvil},
    chain::Account,
    deploy, open_journal,
};
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

/// An anvil of the test's own.
pub(crate) struct Chain {
    anvil: Anvil,
    pub(crate) provider: DynProvider,
    pub(crate) folder: TempDir,
}

impl Chain {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// One with these arguments.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        let anvil = Anvil::start(arguments).unwrap();
        let provider = anvil.provider();
        Self { anvil, provider, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) async fn deployer(&self) -> Account {
        self.account(ANVIL_DEPLOYER).await
    }

    pub(crate) async fn account(&self, key: &str) -> Account {
        Account::new(self.provider.clone(), key.parse().unwrap()).await.unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.anvil.http_url()
    }

    pub(crate) async fn height(&self) -> u64 {
        self.provider.get_block_number().await.unwrap()
    }

    /// Mines so many blocks.
    pub(crate) async fn mine(&self, blocks: u64) {
        let mined: Value = self.provider.raw_request("anvil_mine".into(), [blocks]).await.unwrap();
        assert!(mined.is_null());
    }

    /// Sends a call in the name of any account, a contract's too.
    pub(crate) async fn call_as<C: SolCall>(&self, from: Address, to: Address, call: C) {
        let request = |method: &'static str, params: Value| {
            self.provider.raw_request::<_, Value>(method.into(), params)
        };
        request("anvil_setBalance", json!([from, "0xde0b6b3a7640000"])).await.unwrap();
        request("anvil_impersonateAccount", json!([from])).await.unwrap();
        let transaction = TransactionRequest::default().from(from).to(to).input(call.abi_encode().into());
        let receipt = self.provider.send_transaction(transaction).await.unwrap().get_receipt().await.unwrap();
        assert!(receipt.status());
        request("anvil_stopImpersonatingAccount", json!([from])).await.unwrap();
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.file("journal.json")
    }

    /// A file of the test's own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A whole run of the deployment, journal included.
    pub(crate) async fn deploy(&self) -> Result<Addresses, DeployError> {
        let (config, deployer) = (DeployConfig::anvil()?, self.deployer().await);
        let mut journal = open_journal(&deployer, &config, &self.journal()).await?;
        deploy(&deployer, &config, &self.url(), &mut journal).await
    }
}
