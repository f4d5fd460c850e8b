//! Verification notices what someone has changed.

use crate::chain::Chain;
use alloy::primitives::{Address, B256};
use anzen_contracts::{
    AnzenTaskManager, LocalPriceFeed, SafetyFactorOracle, TimelockController,
    eigenlayer::{PermissionController, SlashingRegistryCoordinator, v4},
};
use anzen_deploy::{Addresses, verify};

const STRANGER: Address = Address::repeat_byte(0x66);

/// The checks that fail, by name.
async fn failed(chain: &Chain, addresses: &Addresses) -> Vec<String> {
    let report = verify(&chain.provider, addresses).await.unwrap();
    report.failed().map(|check| check.name.clone()).collect()
}

#[tokio::test]
async fn notices_roles_and_wiring_that_were_tampered_with() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let timelock = at.timelock;
    assert_eq!(failed(&chain, &at).await, Vec::<String>::new());

    let call = AnzenTaskManager::grantRoleCall { role: B256::ZERO, account: STRANGER };
    chain.call_as(timelock, at.task_manager, call).await;
    let call = SlashingRegistryCoordinator::setEjectorCall { ejector: STRANGER };
    chain.call_as(timelock, at.registry_coordinator, call).await;
    let call = SafetyFactorOracle::setTaskManagerCall { newTaskManager: STRANGER };
    chain.call_as(timelock, at.safety_factor_oracle, call).await;
    let call = PermissionController::addPendingAdminCall { account: at.service_manager, admin: STRANGER };
    chain.call_as(timelock, at.permission_controller, call).await;
    let call = TimelockController::grantRoleCall { role: B256::ZERO, account: STRANGER };
    chain.call_as(timelock, timelock, call).await;
    let call = v4::ProxyAdmin::transferOwnershipCall { newOwner: STRANGER };
    chain.call_as(timelock, at.proxy_admins.service_manager, call).await;
    assert_eq!(
        failed(&chain, &at).await,
        [
            "owner of the proxy admin of AnzenServiceManager",
            "oracle: task manager",
            "coordinator: ejector",
            "task manager: administrators",
            "AVS in EigenLayer: administrators to be",
            "timelock: administrators",
        ]
    );
}

#[tokio::test]
async fn notices_policies_windows_and_prices() {
    let chain = Chain::start();
    let mut at = chain.deploy().await.unwrap();

    let call = SlashingRegistryCoordinator::setOperatorSetParamsCall {
        quorumNumber: 0,
        operatorSetParams: anzen_contracts::eigenlayer::OperatorSetParam {
            maxOperatorCount: 1_000,
            kickBIPsOfOperatorStake: 11_000,
            kickBIPsOfTotalStake: 1_000,
        },
    };
    chain.call_as(at.timelock, at.registry_coordinator, call).await;
    let call = LocalPriceFeed::transmitCall { answer: Default::default() };
    let feed = at.protocols[1].model.vault_price_feed;
    chain.call_as(chain.deployer().await.address(), feed, call).await;
    at.protocols[0].model.cost_share_bps = 1;
    at.protocols[1].name = "Other".into();
    assert_eq!(
        failed(&chain, &at).await,
        [
            "quorum 0: a full refresh fits a block",
            "protocol 0: model",
            "protocol 1: name",
            "protocol 1: price of the asset",
        ]
    );
}

#[tokio::test]
async fn addresses_of_another_chain_are_all_findings_and_no_error() {
    let (deployed, empty) = (Chain::start(), Chain::start());
    let at = deployed.deploy().await.unwrap();
    let error = verify(&empty.provider, &at).await.unwrap().into_result().unwrap_err();
    assert!(error.failed > 60, "{error}");
    assert!(error.to_string().contains("FAILED  code of AnzenTaskManager: 0 bytes"), "{error}");

    let other = Addresses { chain_id: 1, ..at };
    assert_eq!(failed(&deployed, &other).await, ["chain id"]);
}
