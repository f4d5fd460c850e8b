//! The file that says where everything is: the deployment writes it, every process reads it.

mod governance;
mod protocol;

pub(crate) use protocol::Feeds;
pub use {
    governance::{DisputeRules, FaultShares, Governance},
    protocol::Protocol,
};

use crate::eigenlayer::EigenLayer;
use alloy::primitives::Address;
use serde::{Deserialize, Serialize};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why the file of addresses cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressesError {
    /// There is no such file.
    #[error("there is no file of addresses at {0}; deploy first, or give the path of one")]
    Missing(PathBuf),
    /// The file could not be read or written.
    #[error("the file of addresses {path}: {source}; check that its folder exists and may be written")]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The file is not one of addresses.
    #[error("{path} is not a file of addresses of this version: {source}; deploy again to write it anew")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
}

/// Where everything is on one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Addresses {
    /// The chain's id.
    pub chain_id: u64,
    /// A node of the chain, as the deployer reached it, but without path and query, which may be a key, unless it is on this
    /// machine; processes have their own.
    pub rpc_url: String,
    /// The first block in which something of Anzen can have happened: events are read from here on.
    pub deployment_block: u64,
    /// AnzenTaskManager.
    pub task_manager: Address,
    /// AnzenServiceManager, which is the AVS.
    pub service_manager: Address,
    /// SafetyFactorOracle.
    pub safety_factor_oracle: Address,
    /// SafetyFactorModels.
    pub safety_factor_models: Address,
    /// ModelEvaluator.
    pub model_evaluator: Address,
    /// AnzenDisputes.
    pub disputes: Address,
    /// SlashingRegistryCoordinator.
    pub registry_coordinator: Address,
    /// StakeRegistry.
    pub stake_registry: Address,
    /// BLSApkRegistry.
    pub bls_apk_registry: Address,
    /// IndexRegistry.
    pub index_registry: Address,
    /// SocketRegistry.
    pub socket_registry: Address,
    /// OperatorStateRetriever.
    pub operator_state_retriever: Address,
    /// The PauserRegistry of the registries.
    pub pauser_registry: Address,
    /// EigenLayer's AllocationManager.
    pub allocation_manager: Address,
    /// EigenLayer's DelegationManager.
    pub delegation_manager: Address,
    /// EigenLayer's StrategyManager.
    pub strategy_manager: Address,
    /// EigenLayer's PermissionController.
    pub permission_controller: Address,
    /// EigenLayer's AVSDirectory.
    pub avs_directory: Address,
    /// EigenLayer's StrategyFactory.
    pub strategy_factory: Address,
    /// EigenLayer's RewardsCoordinator.
    pub rewards_coordinator: Address,
    /// The strategy of quorum 0.
    pub strategy: Address,
    /// The token that is staked.
    pub token: Address,
    /// The owner of everything.
    pub timelock: Address,
    /// Who upgrades which proxy.
    pub proxy_admins: ProxyAdmins,
    /// What is behind the proxies of EigenLayer's registries.
    pub implementations: Implementations,
    /// Who governs, within which bounds.
    pub governance: Governance,
    /// Whose safety factor is asked for.
    pub protocols: Vec<Protocol>,
}

/// The administrators of the proxies, each owned by the timelock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProxyAdmins {
    /// Of EigenLayer's registries: one for all five.
    pub registries: Address,
    /// Of AnzenServiceManager.
    pub service_manager: Address,
    /// Of AnzenTaskManager.
    pub task_manager: Address,
    /// Of SafetyFactorOracle.
    pub safety_factor_oracle: Address,
    /// Of SafetyFactorModels.
    pub safety_factor_models: Address,
    /// Of AnzenDisputes.
    pub disputes: Address,
}

/// The implementations of EigenLayer's registries, which nobody but the timelock changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Implementations {
    /// Of SlashingRegistryCoordinator.
    pub registry_coordinator: Address,
    /// Of StakeRegistry.
    pub stake_registry: Address,
    /// Of BLSApkRegistry.
    pub bls_apk_registry: Address,
    /// Of IndexRegistry.
    pub index_registry: Address,
    /// Of SocketRegistry.
    pub socket_registry: Address,
}

impl Addresses {
    /// Reads the file.
    pub fn load(path: &Path) -> Result<Self, AddressesError> {
        let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => AddressesError::Missing(path.to_owned()),
            _ => AddressesError::File { path: path.to_owned(), source },
        })?;
        serde_json::from_str(&text)
            .map_err(|source| AddressesError::Malformed { path: path.to_owned(), source })
    }

    /// Writes the file, as a whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), AddressesError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|source| AddressesError::Malformed { path: path.to_owned(), source })?;
        crate::files::replace(path, &(text + "\n"))
            .map_err(|source| AddressesError::File { path: path.to_owned(), source })
    }

    /// The name of a protocol; `oracle 7` where it is not in the file.
    pub fn name_of(&self, oracle_index: u32) -> String {
        let protocol = self.protocols.iter().find(|protocol| protocol.oracle_index == oracle_index);
        protocol.map_or_else(|| format!("oracle {oracle_index}"), |protocol| protocol.name.clone())
    }

    /// The part that is EigenLayer's core.
    pub fn eigenlayer(&self) -> EigenLayer {
        EigenLayer {
            allocation_manager: self.allocation_manager,
            avs_directory: self.avs_directory,
            delegation_manager: self.delegation_manager,
            permission_controller: self.permission_controller,
            rewards_coordinator: self.rewards_coordinator,
            strategy_factory: self.strategy_factory,
            strategy_manager: self.strategy_manager,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::DeployConfig;
    use alloy::primitives::B256;

    pub(crate) fn example() -> Addresses {
        let at = Address::repeat_byte;
        let protocol = Protocol {
            oracle_index: 0,
            name: "Lending".into(),
            feed: at(29),
            final_feed: at(39),
            model_hash: B256::repeat_byte(21),
            quorum_numbers: vec![0],
        };
        let config = DeployConfig::anvil().unwrap();
        Addresses {
            chain_id: 31337,
            rpc_url: "http://127.0.0.1:8545".into(),
            deployment_block: 31,
            task_manager: at(1),
            service_manager: at(2),
            safety_factor_oracle: at(3),
            safety_factor_models: at(4),
            model_evaluator: at(21),
            disputes: at(23),
            registry_coordinator: at(5),
            stake_registry: at(6),
            bls_apk_registry: at(7),
            index_registry: at(8),
            socket_registry: at(9),
            operator_state_retriever: at(10),
            pauser_registry: at(11),
            allocation_manager: at(12),
            delegation_manager: at(13),
            strategy_manager: at(14),
            permission_controller: at(15),
            avs_directory: at(16),
            strategy_factory: at(17),
            rewards_coordinator: at(18),
            strategy: at(19),
            token: at(20),
            timelock: at(24),
            proxy_admins: ProxyAdmins {
                registries: at(25),
                service_manager: at(26),
                task_manager: at(27),
                safety_factor_oracle: at(28),
                safety_factor_models: at(22),
                disputes: at(40),
            },
            implementations: Implementations {
                registry_coordinator: at(30),
                stake_registry: at(31),
                bls_apk_registry: at(32),
                index_registry: at(33),
                socket_registry: at(34),
            },
            governance: Governance {
                min_delay_seconds: 10,
                proposers: [at(35), at(36)].into(),
                executors: [Address::ZERO].into(),
                generators: [at(37)].into(),
                ..Governance::new(&config, at(24))
            },
            protocols: vec![protocol],
        }
    }

    #[test]
    fn what_is_saved_can_be_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anvil/addresses.json");
        example().save(&path).unwrap();
        assert_eq!(Addresses::load(&path).unwrap(), example());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"safetyFactorOracle\"") && text.contains("\"oracleIndex\": 0"), "{text}");
        assert!(text.contains("\"minDelaySeconds\": 10") && text.contains("\"governance\""), "{text}");
    }

    #[test]
    fn what_cannot_be_loaded_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("addresses.json");
        assert!(Addresses::load(&path).unwrap_err().to_string().contains("deploy first"));

        let text = serde_json::to_string(&example()).unwrap().replace("\"taskManager\"", "\"manager\"");
        std::fs::write(&path, text).unwrap();
        let error = Addresses::load(&path).unwrap_err().to_string();
        assert!(error.contains("manager") && error.contains("deploy again"), "{error}");
    }
}
