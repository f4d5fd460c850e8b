//! Verification notices what someone has changed.

use crate::chain::Chain;
use alloy::{
    primitives::{Address, B256, Bytes, U256, aliases::U96, hex},
    providers::Provider,
    sol,
    sol_types::SolCall,
};
use anzen_contracts::{
    AnzenDisputes, AnzenServiceManager, AnzenTaskManager, LocalPriceFeed, SafetyFactorModels,
    SafetyFactorOracle, TimelockController,
    anzen_disputes::IAnzenDisputes::DisputePolicy,
    eigenlayer::{AllocationManager, PauserRegistry, PermissionController, SlashingRegistryCoordinator, v4},
};
use anzen_deploy::{
    Addresses,
    chain::{code_at, proxy_implementation, read},
    models, verify,
};
use anzen_messages::model::Source;

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
    let call = SafetyFactorModels::forbidStakeRegistryCall { stakeRegistry: at.stake_registry };
    chain.call_as(timelock, at.safety_factor_models, call).await;
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
            "models: own stake registry is allowed",
            "coordinator: ejector",
            "task manager: administrators",
            "AVS in EigenLayer: administrators to be",
            "timelock: administrators",
        ]
    );
}

#[tokio::test]
async fn notices_whoever_may_more_than_was_decided() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let (timelock, manager) = (at.timelock, at.task_manager);

    let role = read(&chain.provider, manager, AnzenTaskManager::GENERATOR_ROLECall {}).await.unwrap();
    chain.call_as(timelock, manager, AnzenTaskManager::grantRoleCall { role, account: STRANGER }).await;
    let role = read(&chain.provider, manager, AnzenTaskManager::PAUSER_ROLECall {}).await.unwrap();
    chain.call_as(timelock, manager, AnzenTaskManager::grantRoleCall { role, account: STRANGER }).await;
    for role in [
        read(&chain.provider, timelock, TimelockController::PROPOSER_ROLECall {}).await.unwrap(),
        read(&chain.provider, timelock, TimelockController::CANCELLER_ROLECall {}).await.unwrap(),
        read(&chain.provider, timelock, TimelockController::EXECUTOR_ROLECall {}).await.unwrap(),
    ] {
        chain
            .call_as(timelock, timelock, TimelockController::grantRoleCall { role, account: STRANGER })
            .await;
    }
    let call = TimelockController::updateDelayCall { newDelay: U256::ONE };
    chain.call_as(timelock, timelock, call).await;
    let call = PermissionController::setAppointeeCall {
        account: at.service_manager,
        appointee: STRANGER,
        target: at.allocation_manager,
        selector: AllocationManager::setAVSRegistrarCall::SELECTOR.into(),
    };
    chain.call_as(timelock, at.permission_controller, call).await;
    let call = PauserRegistry::setIsPauserCall { newPauser: STRANGER, canPause: true };
    chain.call_as(timelock, at.pauser_registry, call).await;
    assert_eq!(
        failed(&chain, &at).await,
        [
            "task manager: generators",
            "task manager: pausers",
            "AVS in EigenLayer: other appointees",
            "pauser registry: pausers",
            "timelock: delay",
            "timelock: proposers",
            "timelock: cancellers",
            "timelock: executors",
        ]
    );

    // What was taken back is not there.
    let call = PauserRegistry::setIsPauserCall { newPauser: STRANGER, canPause: false };
    chain.call_as(timelock, at.pauser_registry, call).await;
    assert!(!failed(&chain, &at).await.contains(&"pauser registry: pausers".to_owned()));
}

#[tokio::test]
async fn notices_disputes_that_lead_nowhere() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let timelock = at.timelock;

    let call = SafetyFactorOracle::setDisputesCall { newDisputes: STRANGER };
    chain.call_as(timelock, at.safety_factor_oracle, call).await;
    let role = read(&chain.provider, at.service_manager, AnzenServiceManager::DISPUTES_ROLECall {}).await;
    let call = AnzenServiceManager::revokeRoleCall { role: role.unwrap(), account: at.disputes };
    chain.call_as(timelock, at.service_manager, call).await;
    let call = AnzenServiceManager::setFaultShareCall { kind: 1, wadToSlash: 0 };
    chain.call_as(timelock, at.service_manager, call).await;
    let policy = read(&chain.provider, at.disputes, AnzenDisputes::disputePolicyCall {}).await.unwrap();
    let call = AnzenDisputes::setDisputePolicyCall { policy: DisputePolicy { treasury: STRANGER, ..policy } };
    chain.call_as(timelock, at.disputes, call).await;
    let call = SlashingRegistryCoordinator::setEjectionCooldownCall { ejectionCooldown: U256::from(59) };
    chain.call_as(timelock, at.registry_coordinator, call).await;
    assert_eq!(
        failed(&chain, &at).await,
        [
            "oracle: disputes",
            "AVS: who records faults",
            "disputes: policy",
            "AVS: share of equivocation, of 1e18",
            "ejection cooldown no less than the veto window",
        ]
    );
}

#[tokio::test]
async fn notices_who_rules_and_posts_without_being_decided() {
    let chain = Chain::start();
    let mut at = chain.deploy().await.unwrap();
    let timelock = at.timelock;
    let committee = read(&chain.provider, at.disputes, AnzenDisputes::COMMITTEE_ROLECall {}).await.unwrap();
    let poster =
        read(&chain.provider, at.safety_factor_oracle, SafetyFactorOracle::FALLBACK_ROLECall {}).await;
    let recorder = read(&chain.provider, at.service_manager, AnzenServiceManager::DISPUTES_ROLECall {}).await;
    for (of, role) in [
        (at.disputes, B256::ZERO),
        (at.disputes, committee),
        (at.service_manager, committee),
        (at.service_manager, recorder.unwrap()),
        (at.safety_factor_oracle, poster.unwrap()),
    ] {
        let call = AnzenTaskManager::grantRoleCall { role, account: STRANGER };
        chain.call_as(timelock, of, call).await;
    }
    at.protocols[0].final_feed = at.protocols[1].final_feed;
    assert_eq!(
        failed(&chain, &at).await,
        [
            "disputes: administrators",
            "oracle: fallback posters",
            "disputes: committee",
            "AVS: committee",
            "AVS: who records faults",
            "protocol 0: final feed",
        ]
    );
}

#[tokio::test]
async fn notices_an_evaluator_and_disputes_that_are_others() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    // The same, but for a byte that is never reached.
    let code = code_at(&chain.provider, at.model_evaluator).await.unwrap();
    set_code(&chain, at.model_evaluator, [code.as_ref(), &[0]].concat()).await;
    // An AnzenDisputes, of another evaluator.
    let disputes = proxy_implementation(&chain.provider, at.disputes).await.unwrap();
    replace(&chain, disputes, at.model_evaluator.into_word(), STRANGER.into_word()).await;
    assert_eq!(
        failed(&chain, &at).await,
        [
            "compiled code of the implementation of AnzenDisputes",
            "compiled code of ModelEvaluator",
            "disputes: evaluator",
        ]
    );
}

#[tokio::test]
async fn notices_stake_that_can_be_withdrawn_before_it_is_slashed() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let delegation = proxy_implementation(&chain.provider, at.delegation_manager).await.unwrap();
    let word = |blocks| B256::from(U256::from(blocks));
    replace(&chain, delegation, word(1_000), word(629)).await;
    assert_eq!(failed(&chain, &at).await, ["windows within withdrawal delay"]);
}

/// Changes an immutable.
async fn replace(chain: &Chain, contract: Address, from: B256, to: B256) {
    let code = hex::encode(code_at(&chain.provider, contract).await.unwrap());
    let changed = code.replace(&hex::encode(from), &hex::encode(to));
    assert_ne!(code, changed);
    set_code(chain, contract, hex::decode(changed).unwrap()).await;
}

#[tokio::test]
async fn notices_code_that_is_not_ours() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let code = async |address| code_at(&chain.provider, address).await.unwrap();
    let implementation = async |proxy| proxy_implementation(&chain.provider, proxy).await.unwrap();

    // The same, but for a byte that is never reached.
    for address in [implementation(at.safety_factor_oracle).await, at.index_registry, at.timelock] {
        set_code(&chain, address, [code(address).await.as_ref(), &[0]].concat()).await;
    }
    // A proxy that another administrator may upgrade, though it shows the right one.
    let admin = at.proxy_admins.task_manager;
    replace(&chain, at.task_manager, admin.into_word(), STRANGER.into_word()).await;
    // A contract that behaves as it should, where the timelock could have put any other.
    set_code(&chain, STRANGER, code(implementation(at.stake_registry).await).await.to_vec()).await;
    let call = v4::ProxyAdmin::upgradeCall { proxy: at.stake_registry, implementation: STRANGER };
    chain.call_as(at.timelock, at.proxy_admins.registries, call).await;
    assert_eq!(
        failed(&chain, &at).await,
        [
            "compiled code of the implementation of SafetyFactorOracle",
            "compiled code of the proxy of AnzenTaskManager",
            "compiled code of TimelockController",
            "recorded implementation of StakeRegistry",
            "EigenLayer's code of the proxy of IndexRegistry",
        ]
    );
}

async fn set_code(chain: &Chain, address: Address, code: Vec<u8>) {
    let code = Bytes::from(code);
    let () = chain.provider.raw_request("anvil_setCode".into(), (address, code)).await.unwrap();
}

sol! {
    function pause(uint256 newPausedStatus) external;
    function modifyStrategyParams(uint8 quorum, uint256[] indices, uint96[] multipliers) external;
    function addStrategies(uint8 quorum, StrategyParams[] strategies) external;
    function setMinimumStakeForQuorum(uint8 quorum, uint96 minimumStake) external;
    struct StrategyParams { address strategy; uint96 multiplier; }
}

#[tokio::test]
async fn notices_a_quorum_that_counts_otherwise() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let (timelock, registry) = (at.timelock, at.stake_registry);
    chain.call_as(timelock, at.registry_coordinator, pauseCall { newPausedStatus: U256::from(4) }).await;
    let multipliers = vec![U96::from(2)];
    let call = modifyStrategyParamsCall { quorum: 0, indices: vec![U256::ZERO], multipliers };
    chain.call_as(timelock, registry, call).await;
    let strategies = vec![StrategyParams { strategy: STRANGER, multiplier: U96::from(1) }];
    chain.call_as(timelock, registry, addStrategiesCall { quorum: 0, strategies }).await;
    let call = setMinimumStakeForQuorumCall { quorum: 0, minimumStake: U96::from(1) };
    chain.call_as(timelock, registry, call).await;
    assert_eq!(
        failed(&chain, &at).await,
        [
            "coordinator: paused",
            "quorum 0: number of strategies",
            "quorum 0: multiplier",
            "quorum 0: minimum stake",
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
    let model = models::get(&chain.provider, at.safety_factor_models, at.protocols[1].model_hash);
    let Source::FeedRound { feed, .. } = model.await.unwrap().terms()[1].price else { panic!("no feed") };
    chain.call_as(chain.deployer().await.address(), feed, call).await;
    at.protocols[0].model_hash = B256::repeat_byte(1);
    at.protocols[1].name = "Other".into();
    assert_eq!(
        failed(&chain, &at).await,
        [
            "quorum 0: a full refresh fits a block",
            "protocol 0: model",
            "protocol 0: model is known",
            "protocol 1: name",
            "protocol 1: price of term 1 (FeedRound)",
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
