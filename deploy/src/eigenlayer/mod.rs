//! EigenLayer's core: deployed on a chain that has none, taken as it is on one that does.

mod deploy;
mod existing;
mod implementations;

pub use deploy::{CoreParams, deploy_eigenlayer};
pub(crate) use deploy::{
    Foundation, Proxies, VERSION, code, deploy, implement, lay_foundation, proxy_code, strategy_code, upgrade,
};
pub use existing::existing_eigenlayer;

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};

/// Where EigenLayer's core is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is the contract of that name")]
pub struct EigenLayer {
    pub allocation_manager: Address,
    pub avs_directory: Address,
    pub delegation_manager: Address,
    pub permission_controller: Address,
    pub rewards_coordinator: Address,
    pub strategy_factory: Address,
    pub strategy_manager: Address,
}

impl EigenLayer {
    /// Each contract with its name.
    pub fn contracts(&self) -> [(&'static str, Address); 7] {
        [
            ("AllocationManager", self.allocation_manager),
            ("AVSDirectory", self.avs_directory),
            ("DelegationManager", self.delegation_manager),
            ("PermissionController", self.permission_controller),
            ("RewardsCoordinator", self.rewards_coordinator),
            ("StrategyFactory", self.strategy_factory),
            ("StrategyManager", self.strategy_manager),
        ]
    }
}
