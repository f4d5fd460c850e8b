//! What has to be so on chain before the process can work.

use std::time::Duration;

use alloy::primitives::Address;
use alloy::providers::{DynProvider, Provider, ProviderBuilder, WsConnect};
use alloy::transports::{RpcError, TransportErrorKind};
use anzen_deploy::Addresses;
use anzen_deploy::chain::redact;

use super::NodeConfig;
use crate::adapters::Endpoint;

/// Why the chain is not the one that the configuration is for.
#[derive(Debug, thiserror::Error)]
pub enum OnlineError {
    /// No answer.
    #[error("{setting}: {endpoint} does not answer: {error}")]
    Silent {
        /// The setting.
        setting: &'static str,
        /// Who should answer.
        endpoint: Endpoint,
        /// What happened, without the keys in URLs.
        error: String,
    },
    /// Another chain.
    #[error("{setting}: {endpoint} serves chain {got}, and the addresses are of chain {expected}")]
    OtherChain {
        /// The setting.
        setting: &'static str,
        /// Who says so.
        endpoint: Endpoint,
        /// What it says.
        got: u64,
        /// What the addresses say.
        expected: u64,
    },
    /// No contract.
    #[error(
        "there is no contract at {address}, where the addresses say {contract} is; deploy again, or give the right file"
    )]
    NoCode {
        /// Which contract.
        contract: &'static str,
        /// Its address.
        address: Address,
    },
}

/// Asks the endpoints which chain they serve, and whether the contracts are there. Without a file of addresses, which the
/// check without a chain has told of, nothing is asked.
pub async fn check_chain(config: &NodeConfig) -> Vec<OnlineError> {
    let Ok(addresses) = Addresses::load(&config.addresses) else { return Vec::new() };
    let asked = Asked { patience: Duration::from_millis(config.chain.timeout_ms), addresses };
    let mut wrong = Vec::new();
    for endpoint in &config.chain.rpc_endpoints() {
        wrong.extend(asked.http(endpoint).await);
    }
    for endpoint in &config.chain.ws_endpoints() {
        wrong.extend(Box::pin(asked.websocket(endpoint)).await.err());
    }
    wrong
}

struct Asked {
    patience: Duration,
    addresses: Addresses,
}

impl Asked {
    async fn http(&self, endpoint: &Endpoint) -> Vec<OnlineError> {
        let provider = ProviderBuilder::new().connect_http(endpoint.url().clone()).erased();
        match self.chain("chain.rpc_url", endpoint, &provider).await {
            Ok(()) => self.contracts(endpoint, &provider).await,
            Err(error) => vec![error],
        }
    }

    async fn websocket(&self, endpoint: &Endpoint) -> Result<(), OnlineError> {
        const SETTING: &str = "chain.ws_url";
        let connecting = ProviderBuilder::new().connect_ws(WsConnect::new(endpoint.url().as_str()));
        let provider = Box::pin(self.in_time(SETTING, endpoint, connecting)).await?.erased();
        self.chain(SETTING, endpoint, &provider).await
    }

    async fn chain(
        &self,
        setting: &'static str,
        endpoint: &Endpoint,
        provider: &DynProvider,
    ) -> Result<(), OnlineError> {
        let got = self.in_time(setting, endpoint, async { provider.get_chain_id().await }).await?;
        let expected = self.addresses.chain_id;
        if got == expected {
            return Ok(());
        }
        Err(OnlineError::OtherChain { setting, endpoint: endpoint.clone(), got, expected })
    }

    async fn contracts(&self, endpoint: &Endpoint, provider: &DynProvider) -> Vec<OnlineError> {
        let all = [
            ("AnzenTaskManager", self.addresses.task_manager),
            ("AnzenServiceManager", self.addresses.service_manager),
            ("SafetyFactorOracle", self.addresses.safety_factor_oracle),
            ("SafetyFactorModels", self.addresses.safety_factor_models),
            ("SlashingRegistryCoordinator", self.addresses.registry_coordinator),
            ("StakeRegistry", self.addresses.stake_registry),
            ("BLSApkRegistry", self.addresses.bls_apk_registry),
            ("OperatorStateRetriever", self.addresses.operator_state_retriever),
        ];
        let mut wrong = Vec::new();
        for (contract, address) in all {
            let asking = async { provider.get_code_at(address).await };
            match self.in_time("chain.rpc_url", endpoint, asking).await {
                Ok(code) if code.is_empty() => wrong.push(OnlineError::NoCode { contract, address }),
                Ok(_) => {}
                Err(error) => return vec![error],
            }
        }
        wrong
    }

    async fn in_time<T>(
        &self,
        setting: &'static str,
        endpoint: &Endpoint,
        asking: impl Future<Output = Result<T, RpcError<TransportErrorKind>>>,
    ) -> Result<T, OnlineError> {
        let silent = |error| OnlineError::Silent { setting, endpoint: endpoint.clone(), error };
        match tokio::time::timeout(self.patience, asking).await {
            Ok(answer) => answer.map_err(|error| silent(redact(&error.to_string()))),
            Err(_) => Err(silent(format!("no answer within {} ms", self.patience.as_millis()))),
        }
    }
}
