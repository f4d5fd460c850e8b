//! EigenLayer's middleware for Anzen, and the AVS itself: each knows the other's address, so they come up together.

use crate::{
    addresses::Implementations,
    artifacts::{eigenlayer_code, eigenlayer_code_linked},
    chain,
    config::QuorumConfig,
    eigenlayer::{EigenLayer, VERSION, code, proxy_code, upgrade},
    error::DeployError,
    steps::{Effect, Step, Steps, with_arguments},
};
use alloy::{
    primitives::{Address, Bytes, U256, aliases::U96, uint},
    sol_types::SolCall,
};
use anzen_contracts::{
    AnzenServiceManager, ProxyAdmin, TransparentUpgradeableProxy,
    eigenlayer::{
        BLSApkRegistry, EmptyContract, IndexRegistry, OperatorSetParam, PauserRegistry,
        SlashingRegistryCoordinator, SocketRegistry, StakeRegistry, StrategyParams, v4,
    },
};

/// A strategy's shares count one to one.
pub(crate) const MULTIPLIER: U96 = uint!(1_000_000_000_000_000_000_U96);
/// A newcomer to a full quorum would displace an operator with a tenth less stake that has under a tenth of it all; but
/// the one who approves that is the timelock, which signs nothing, so nobody is displaced.
const KICK_BIPS_OF_OPERATOR_STAKE: u16 = 11_000;
const KICK_BIPS_OF_TOTAL_STAKE: u16 = 1_000;

/// The registries and the AVS.
pub(super) struct Registries {
    pub(super) admin: Address,
    pub(super) pausers: Address,
    pub(super) coordinator: Address,
    pub(super) stake: Address,
    pub(super) apk: Address,
    pub(super) index: Address,
    pub(super) socket: Address,
    pub(super) retriever: Address,
    pub(super) service_manager: Address,
    pub(super) implementations: Implementations,
}

pub(super) async fn deploy(
    steps: &mut Steps<'_>,
    core: &EigenLayer,
    timelock: Address,
    metadata_uri: &str,
) -> Result<Registries, DeployError> {
    // Only the timelock pauses the registries: a paused deregistration would keep an operator from being removed.
    let pausers = PauserRegistry::constructorCall { pausers: vec![timelock], unpauser: timelock };
    let [admin, empty, pausers, retriever] = steps
        .create([
            ("anzen/registries/ProxyAdmin", eigenlayer_code("ProxyAdmin")?),
            ("anzen/EmptyContract", eigenlayer_code("EmptyContract")?),
            ("anzen/registries/PauserRegistry", code("PauserRegistry", &pausers)?),
            ("anzen/OperatorStateRetriever", eigenlayer_code("OperatorStateRetriever")?),
        ])
        .await?;
    // OpenZeppelin 5 insists on a first call, lest a proxy be forgotten uninitialised; this one does nothing.
    let anything = EmptyContract::fooCall {}.abi_encode().into();
    let [coordinator, stake, apk, index, socket, service_manager] = steps
        .create([
            ("anzen/SlashingRegistryCoordinator/proxy", proxy_code(admin, empty)?),
            ("anzen/StakeRegistry/proxy", proxy_code(admin, empty)?),
            ("anzen/BLSApkRegistry/proxy", proxy_code(admin, empty)?),
            ("anzen/IndexRegistry/proxy", proxy_code(admin, empty)?),
            ("anzen/SocketRegistry/proxy", proxy_code(admin, empty)?),
            ("anzen/AnzenServiceManager/proxy", new_proxy_code(empty, steps.account.address(), anything)),
        ])
        .await?;
    let mut registries = Registries {
        admin,
        pausers,
        coordinator,
        stake,
        apk,
        index,
        socket,
        retriever,
        service_manager,
        implementations: Implementations::default(),
    };
    registries.implementations = implement(steps, &registries, core, timelock).await?;
    initialize_avs(steps, &registries, core, timelock, metadata_uri).await?;
    Ok(registries)
}

/// Creation code of a proxy of OpenZeppelin 5, which has a ProxyAdmin of its own, owned by `owner`.
pub(super) fn new_proxy_code(implementation: Address, owner: Address, data: Bytes) -> Bytes {
    let arguments = TransparentUpgradeableProxy::constructorCall {
        _logic: implementation,
        initialOwner: owner,
        _data: data,
    };
    with_arguments(&TransparentUpgradeableProxy::BYTECODE, &arguments)
}

async fn implement(
    steps: &mut Steps<'_>,
    r: &Registries,
    core: &EigenLayer,
    timelock: Address,
) -> Result<Implementations, DeployError> {
    let stake = StakeRegistry::constructorCall {
        slashingRegistryCoordinator: r.coordinator,
        delegationManager: core.delegation_manager,
        avsDirectory: core.avs_directory,
        allocationManager: core.allocation_manager,
    };
    let apk = BLSApkRegistry::constructorCall { slashingRegistryCoordinator: r.coordinator };
    let index = IndexRegistry::constructorCall { slashingRegistryCoordinator: r.coordinator };
    let socket = SocketRegistry::constructorCall { slashingRegistryCoordinator: r.coordinator };
    let [stake, apk, index, socket] = steps
        .create([
            ("anzen/StakeRegistry", code("StakeRegistry", &stake)?),
            ("anzen/BLSApkRegistry", code("BLSApkRegistry", &apk)?),
            ("anzen/IndexRegistry", code("IndexRegistry", &index)?),
            ("anzen/SocketRegistry", code("SocketRegistry", &socket)?),
        ])
        .await?;
    let coordinator = create_coordinator(steps, r, core).await?;
    let initialize = SlashingRegistryCoordinator::initializeCall {
        initialOwner: steps.account.address(),
        churnApprover: timelock,
        ejector: r.service_manager,
        initialPausedStatus: U256::ZERO,
        avs: r.service_manager,
    };
    let initialize: Bytes = initialize.abi_encode().into();
    steps
        .call([
            upgrade("anzen/StakeRegistry/upgrade", r.admin, r.stake, stake, Bytes::new()),
            upgrade("anzen/BLSApkRegistry/upgrade", r.admin, r.apk, apk, Bytes::new()),
            upgrade("anzen/IndexRegistry/upgrade", r.admin, r.index, index, Bytes::new()),
            upgrade("anzen/SocketRegistry/upgrade", r.admin, r.socket, socket, Bytes::new()),
            upgrade(
                "anzen/SlashingRegistryCoordinator/initialize",
                r.admin,
                r.coordinator,
                coordinator,
                initialize,
            ),
        ])
        .await?;
    Ok(Implementations {
        registry_coordinator: coordinator,
        stake_registry: stake,
        bls_apk_registry: apk,
        index_registry: index,
        socket_registry: socket,
    })
}

async fn create_coordinator(
    steps: &mut Steps<'_>,
    r: &Registries,
    core: &EigenLayer,
) -> Result<Address, DeployError> {
    let [bitmaps, signatures] = steps
        .create([
            ("anzen/QuorumBitmapHistoryLib", eigenlayer_code("QuorumBitmapHistoryLib")?),
            ("anzen/SignatureCheckerLib", eigenlayer_code("SignatureCheckerLib")?),
        ])
        .await?;
    let libraries = [("QuorumBitmapHistoryLib", bitmaps), ("SignatureCheckerLib", signatures)];
    let code = eigenlayer_code_linked("SlashingRegistryCoordinator", &libraries)?;
    let arguments = SlashingRegistryCoordinator::constructorCall {
        stakeRegistry: r.stake,
        blsApkRegistry: r.apk,
        indexRegistry: r.index,
        socketRegistry: r.socket,
        allocationManager: core.allocation_manager,
        pauserRegistry: r.pausers,
        version: VERSION.to_owned(),
    };
    steps.create_one("anzen/SlashingRegistryCoordinator", with_arguments(&code, &arguments)).await
}

/// The AVS announces itself to EigenLayer in its initialiser, and offers its administration to the timelock.
async fn initialize_avs(
    steps: &mut Steps<'_>,
    r: &Registries,
    core: &EigenLayer,
    timelock: Address,
    metadata_uri: &str,
) -> Result<(), DeployError> {
    let arguments = AnzenServiceManager::constructorCall {
        registryCoordinator_: r.coordinator,
        permissionController_: core.permission_controller,
    };
    let code = with_arguments(&AnzenServiceManager::BYTECODE, &arguments);
    let implementation = steps.create_one("anzen/AnzenServiceManager", code).await?;
    let initialize =
        AnzenServiceManager::initializeCall { admin: timelock, metadataURI: metadata_uri.to_owned() };
    let admin = chain::proxy_admin(steps.provider(), r.service_manager).await?;
    let call = ProxyAdmin::upgradeAndCallCall {
        proxy: r.service_manager,
        implementation,
        data: initialize.abi_encode().into(),
    };
    let done = Effect::Implementation(r.service_manager, implementation);
    steps.call([Step::new("anzen/AnzenServiceManager/initialize", admin, &call, done)]).await
}

/// Quorum 0, of slashable stake in one strategy.
pub(super) async fn create_quorum(
    steps: &mut Steps<'_>,
    r: &Registries,
    config: &QuorumConfig,
    strategy: Address,
) -> Result<(), DeployError> {
    let call = SlashingRegistryCoordinator::createSlashableStakeQuorumCall {
        operatorSetParams: OperatorSetParam {
            maxOperatorCount: config.max_operator_count,
            kickBIPsOfOperatorStake: KICK_BIPS_OF_OPERATOR_STAKE,
            kickBIPsOfTotalStake: KICK_BIPS_OF_TOTAL_STAKE,
        },
        minimumStake: config.minimum_stake.to(),
        strategyParams: vec![StrategyParams { strategy, multiplier: MULTIPLIER }],
        lookAheadPeriod: config.look_ahead,
    };
    let view = SlashingRegistryCoordinator::quorumCountCall {};
    let done = Effect::returns_other(r.coordinator, &view, &0);
    steps.call([Step::new("anzen/quorum", r.coordinator, &call, done)]).await
}

/// Whoever is ejected stays out for so long.
pub(super) async fn set_ejection_cooldown(
    steps: &mut Steps<'_>,
    r: &Registries,
    seconds: u64,
) -> Result<(), DeployError> {
    let call = SlashingRegistryCoordinator::setEjectionCooldownCall { ejectionCooldown: U256::from(seconds) };
    let view = SlashingRegistryCoordinator::ejectionCooldownCall {};
    let done = Effect::returns_other(r.coordinator, &view, &U256::ZERO);
    steps.call([Step::new("anzen/ejection-cooldown", r.coordinator, &call, done)]).await
}

/// The last of what the deployer owns goes to the timelock.
pub(super) async fn hand_over(
    steps: &mut Steps<'_>,
    r: &Registries,
    timelock: Address,
) -> Result<(), DeployError> {
    let service_manager_admin = chain::proxy_admin(steps.provider(), r.service_manager).await?;
    let owned = |of| Effect::returns(of, &v4::ProxyAdmin::ownerCall {}, &timelock);
    let transfer = v4::ProxyAdmin::transferOwnershipCall { newOwner: timelock };
    steps
        .call([
            Step::new(
                "anzen/owner/SlashingRegistryCoordinator",
                r.coordinator,
                &transfer,
                owned(r.coordinator),
            ),
            Step::new("anzen/owner/registries/ProxyAdmin", r.admin, &transfer, owned(r.admin)),
            Step::new(
                "anzen/owner/AnzenServiceManager/ProxyAdmin",
                service_manager_admin,
                &transfer,
                owned(service_manager_admin),
            ),
        ])
        .await
}
