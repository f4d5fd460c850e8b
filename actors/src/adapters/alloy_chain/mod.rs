//! The chain behind an RPC endpoint, over alloy: one file per port.

mod broadcast;
mod contract;
mod eigen;
mod endpoint;
mod events;
mod failure;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod inputs;
mod keys;
mod metrics;
mod reader;
mod registry;
mod rpc;
mod signal;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, U64};
use anzen_contracts::AnzenTaskManager;
use anzen_deploy::Addresses;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub(crate) use endpoint::redacted;
pub use endpoint::{Endpoint, EndpointError};
pub use metrics::RpcMetrics;

use self::keys::Keys;
use self::reader::LogRange;
use self::rpc::{At, Rpc};
use self::signal::Signal;
use crate::health::{Health, HealthProbe};
use crate::ports::{ChainError, CpuPool, Rng, UnixMillis};

/// How the chain is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainConfig {
    /// The node that is asked everything (`http://` or `https://`).
    pub rpc_url: Endpoint,
    /// A node that tells of new blocks by a subscription (`ws://` or `wss://`). Without one, or while it is silent, the
    /// other is polled.
    pub ws_url: Option<Endpoint>,
    /// How long one question may take, in milliseconds.
    pub timeout_ms: u64,
    /// The pause between two polls, in milliseconds.
    pub poll_interval_ms: u64,
    /// The same while the subscription works.
    pub slow_poll_interval_ms: u64,
    /// The most blocks that one query of logs covers; halved by itself where the provider wants fewer.
    pub log_range: u64,
    /// The most questions in one batch.
    pub batch: usize,
}

impl Default for ChainConfig {
    fn default() -> Self {
        Self {
            #[allow(clippy::unwrap_used, reason = "a constant, tested below")]
            rpc_url: "http://127.0.0.1:8545".parse().unwrap(),
            ws_url: None,
            timeout_ms: 10_000,
            poll_interval_ms: 1_000,
            slow_poll_interval_ms: 12_000,
            log_range: 1_000,
            batch: 100,
        }
    }
}

/// Where Anzen is on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainAddresses {
    /// The chain's id.
    pub chain_id: u64,
    /// AnzenTaskManager.
    pub task_manager: Address,
    /// SlashingRegistryCoordinator.
    pub registry_coordinator: Address,
    /// StakeRegistry.
    pub stake_registry: Address,
    /// BLSApkRegistry.
    pub bls_apk_registry: Address,
    /// OperatorStateRetriever.
    pub operator_state_retriever: Address,
    /// AnzenServiceManager, which is the AVS.
    pub service_manager: Address,
    /// EigenLayer's AllocationManager.
    pub allocation_manager: Address,
    /// EigenLayer's RewardsCoordinator.
    pub rewards_coordinator: Address,
}

impl From<&Addresses> for ChainAddresses {
    fn from(addresses: &Addresses) -> Self {
        Self {
            chain_id: addresses.chain_id,
            task_manager: addresses.task_manager,
            registry_coordinator: addresses.registry_coordinator,
            stake_registry: addresses.stake_registry,
            bls_apk_registry: addresses.bls_apk_registry,
            operator_state_retriever: addresses.operator_state_retriever,
            service_manager: addresses.service_manager,
            allocation_manager: addresses.allocation_manager,
            rewards_coordinator: addresses.rewards_coordinator,
        }
    }
}

/// The chain, as all chain ports want it.
pub struct AlloyChain {
    rpc: Rpc,
    addresses: ChainAddresses,
    keys: Keys,
    log_range: LogRange,
    signal: Signal,
}

impl AlloyChain {
    /// Reaches the chain as configured; asks nothing yet. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(
        config: &ChainConfig,
        addresses: ChainAddresses,
        cpu: Arc<dyn CpuPool>,
        rng: Arc<dyn Rng>,
        metrics: RpcMetrics,
    ) -> Result<Self, ChainError> {
        let timeout = Duration::from_millis(config.timeout_ms);
        Ok(Self {
            rpc: Rpc::new(&config.rpc_url, timeout, config.batch, metrics.clone())?,
            addresses,
            keys: Keys::new(cpu),
            log_range: LogRange::new(config.log_range),
            signal: Signal::new(config, rng, metrics),
        })
    }

    /// Checks that the endpoint serves the chain that the addresses are of, and that the contracts there belong together.
    ///
    /// # Errors
    /// Where it does not answer, or with something else.
    pub async fn check(&self) -> Result<(), ChainError> {
        self.rpc.identify().await?;
        let mut batch = self.rpc.batch();
        let id = batch.ask::<_, U64>("eth_chainId", &());
        let manager = self.addresses.task_manager;
        let coordinator = batch.view(manager, &AnzenTaskManager::registryCoordinatorCall {}, At::Latest);
        let stakes = batch.view(manager, &AnzenTaskManager::stakeRegistryCall {}, At::Latest);
        let keys = batch.view(manager, &AnzenTaskManager::blsApkRegistryCall {}, At::Latest);
        batch.send().await?;
        expect("the chain's id", id.get().await?.to::<u64>(), self.addresses.chain_id)?;
        expect("the registry coordinator", coordinator.get().await?, self.addresses.registry_coordinator)?;
        expect("the stake registry", stakes.get().await?, self.addresses.stake_registry)?;
        expect("the key registry", keys.get().await?, self.addresses.bls_apk_registry)
    }
}

#[async_trait]
impl HealthProbe for AlloyChain {
    async fn examine(&self, _now: UnixMillis) -> Health {
        self.rpc.examine().await
    }
}

fn expect<T: Copy + PartialEq + std::fmt::Display>(
    what: &str,
    found: T,
    wanted: T,
) -> Result<(), ChainError> {
    if found == wanted {
        return Ok(());
    }
    Err(ChainError::Nonsense(format!("{what} is {found} and should be {wanted}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_node_of_this_machine() {
        assert_eq!(ChainConfig::default().rpc_url.to_string(), "http://127.0.0.1:8545");
    }
}
