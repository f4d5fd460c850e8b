//! The chain behind an RPC endpoint, over alloy: one file per port.

mod broadcast;
mod config;
mod contract;
mod disputes;
mod eigen;
mod endpoint;
mod events;
mod failure;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod hearing;
mod keys;
mod log_range;
mod metrics;
mod models;
mod node;
mod pool;
mod ranking;
mod reader;
mod refusal;
mod registry;
mod rpc;
mod signal;
mod standing;

use std::sync::{Arc, Mutex};

use alloy::primitives::Address;
use anzen_contracts::AnzenTaskManager;
use anzen_deploy::Addresses;
use async_trait::async_trait;

pub use config::ChainConfig;
pub(crate) use endpoint::redacted;
pub use endpoint::{Endpoint, EndpointError};
pub use metrics::RpcMetrics;

use self::keys::Keys;
use self::log_range::LogRange;
use self::models::Kept;
use self::rpc::{At, Rpc};
use self::signal::Signal;
use crate::health::{Health, HealthProbe};
use crate::ports::{ChainError, CpuPool, Rng, UnixMillis};

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
    /// SafetyFactorModels.
    pub models: Address,
    /// SafetyFactorOracle.
    pub oracle: Address,
    /// EigenLayer's AllocationManager.
    pub allocation_manager: Address,
    /// EigenLayer's RewardsCoordinator.
    pub rewards_coordinator: Address,
    /// AnzenDisputes.
    pub disputes: Address,
    /// ModelEvaluator.
    pub model_evaluator: Address,
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
            models: addresses.safety_factor_models,
            oracle: addresses.safety_factor_oracle,
            allocation_manager: addresses.allocation_manager,
            rewards_coordinator: addresses.rewards_coordinator,
            disputes: addresses.disputes,
            model_evaluator: addresses.model_evaluator,
        }
    }
}

/// The chain, as all chain ports want it.
pub struct AlloyChain {
    rpc: Rpc,
    addresses: ChainAddresses,
    keys: Keys,
    kept: Kept,
    /// How many endpoints must say the same of what a model reads.
    agree: usize,
    metrics: RpcMetrics,
    /// By endpoint: providers differ in what they answer at once.
    log_ranges: Vec<Mutex<LogRange>>,
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
        let log_range = |_| Mutex::new(LogRange::new(config.log_range));
        Ok(Self {
            rpc: Rpc::new(config, addresses.chain_id, metrics.clone())?,
            addresses,
            keys: Keys::new(cpu),
            kept: Kept::default(),
            agree: config.agree.max(1),
            metrics: metrics.clone(),
            log_ranges: (0..config.rpc_endpoints().len()).map(log_range).collect(),
            signal: Signal::new(config, addresses.chain_id, rng, metrics),
        })
    }

    /// Checks that the contracts belong together; that an endpoint serves their chain is checked before it is asked anything.
    ///
    /// # Errors
    /// Where it does not answer, or with something else.
    pub async fn check(&self) -> Result<(), ChainError> {
        let mut batch = self.rpc.batch();
        let manager = self.addresses.task_manager;
        let coordinator = batch.view(manager, &AnzenTaskManager::registryCoordinatorCall {}, At::Latest);
        let stakes = batch.view(manager, &AnzenTaskManager::stakeRegistryCall {}, At::Latest);
        let keys = batch.view(manager, &AnzenTaskManager::blsApkRegistryCall {}, At::Latest);
        batch.send().await?;
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
