//! EigenLayer's core, as far as Anzen uses it: slashing release 1.4, the signatures of which later releases kept.

use alloy::sol;

sol! {
    /// A set of operators that serve one AVS; its id is the quorum number.
    #[derive(Debug, PartialEq, Eq)]
    struct OperatorSet {
        address avs;
        uint32 id;
    }

    /// How much of an operator's magnitude in a strategy is allocated to a set, and what is about to change.
    #[derive(Debug, PartialEq, Eq)]
    struct Allocation {
        uint64 currentMagnitude;
        int128 pendingDiff;
        uint32 effectBlock;
    }

    /// The new magnitudes (of 1e18) of an operator in one operator set.
    struct AllocateParams {
        OperatorSet operatorSet;
        address[] strategies;
        uint64[] newMagnitudes;
    }

    /// Joins operator sets; `data` is what the AVS's registrar asks for.
    struct RegisterParams {
        address avs;
        uint32[] operatorSetIds;
        bytes data;
    }

    /// Leaves operator sets.
    struct DeregisterParams {
        address operator;
        address avs;
        uint32[] operatorSetIds;
    }

    /// Takes a part (of 1e18) of an operator's allocation in each strategy; strategies ascending.
    struct SlashingParams {
        address operator;
        uint32 operatorSetId;
        address[] strategies;
        uint256[] wadsToSlash;
        string description;
    }

    /// Shares that leave a strategy; what is left of them after slashing can be had after a delay.
    #[derive(Debug, PartialEq, Eq)]
    struct Withdrawal {
        address staker;
        address delegatedTo;
        address withdrawer;
        uint256 nonce;
        uint32 startBlock;
        address[] strategies;
        uint256[] scaledShares;
    }

    /// Shares that are to leave strategies; the last field means nothing any more.
    struct QueuedWithdrawalParams {
        address[] strategies;
        uint256[] depositShares;
        address withdrawer;
    }

    #[sol(rpc)]
    contract AllocationManager {
        event AVSMetadataURIUpdated(address indexed avs, string metadataURI);
        event AVSRegistrarSet(address avs, address registrar);
        event AllocationDelaySet(address operator, uint32 delay, uint32 effectBlock);
        event AllocationUpdated(
            address operator, OperatorSet operatorSet, address strategy, uint64 magnitude, uint32 effectBlock
        );
        event OperatorAddedToOperatorSet(address indexed operator, OperatorSet operatorSet);
        event OperatorRemovedFromOperatorSet(address indexed operator, OperatorSet operatorSet);
        event OperatorSetCreated(OperatorSet operatorSet);
        event OperatorSlashed(
            address operator, OperatorSet operatorSet, address[] strategies, uint256[] wadSlashed, string description
        );

        constructor(
            address delegation,
            address pauserRegistry,
            address permissionController,
            uint32 deallocationDelay,
            uint32 allocationConfigurationDelay,
            string version
        );
        function initialize(address initialOwner, uint256 initialPausedStatus) external;

        function ALLOCATION_CONFIGURATION_DELAY() external view returns (uint32);
        function DEALLOCATION_DELAY() external view returns (uint32);
        function getAVSRegistrar(address avs) external view returns (address);
        function getAllocatableMagnitude(address operator, address strategy) external view returns (uint64);
        /// By operator, then by strategy; whether the operators belong to the set or not.
        function getAllocatedStake(OperatorSet operatorSet, address[] operators, address[] strategies)
            external
            view
            returns (uint256[][] memory);
        function getAllocation(address operator, OperatorSet operatorSet, address strategy)
            external
            view
            returns (Allocation memory);
        function getAllocationDelay(address operator) external view returns (bool isSet, uint32 delay);
        function getMaxMagnitude(address operator, address strategy) external view returns (uint64);
        function getMembers(OperatorSet operatorSet) external view returns (address[] memory);
        function getStrategiesInOperatorSet(OperatorSet operatorSet) external view returns (address[] memory);
        function isMemberOfOperatorSet(address operator, OperatorSet operatorSet) external view returns (bool);
        function isOperatorSet(OperatorSet operatorSet) external view returns (bool);
        function isOperatorSlashable(address operator, OperatorSet operatorSet) external view returns (bool);

        function createOperatorSets(address avs, (uint32, address[])[] params) external;
        function deregisterFromOperatorSets(DeregisterParams params) external;
        function modifyAllocations(address operator, AllocateParams[] params) external;
        function registerForOperatorSets(address operator, RegisterParams params) external;
        function setAVSRegistrar(address avs, address registrar) external;
        function setAllocationDelay(address operator, uint32 delay) external;
        function slashOperator(address avs, SlashingParams params) external;
        function updateAVSMetadataURI(address avs, string metadataURI) external;
        /// Of cores of 1.9 and later only.
        function getSlasher(OperatorSet operatorSet) external view returns (address);
    }

    #[sol(rpc)]
    contract DelegationManager {
        event OperatorRegistered(address indexed operator, address delegationApprover);
        event OperatorSharesDecreased(address indexed operator, address staker, address strategy, uint256 shares);
        event OperatorSharesIncreased(address indexed operator, address staker, address strategy, uint256 shares);
        event OperatorSharesSlashed(address indexed operator, address strategy, uint256 totalSlashedShares);

        constructor(
            address strategyManager,
            address eigenPodManager,
            address allocationManager,
            address pauserRegistry,
            address permissionController,
            uint32 minWithdrawalDelay,
            string version
        );
        function initialize(address initialOwner, uint256 initialPausedStatus) external;

        function allocationManager() external view returns (address);
        /// The shares of deposits for what slashing has left of them.
        function convertToDepositShares(address staker, address[] strategies, uint256[] withdrawableShares)
            external
            view
            returns (uint256[] memory);
        function getQueuedWithdrawals(address staker)
            external
            view
            returns (Withdrawal[] memory withdrawals, uint256[][] memory shares);
        function getWithdrawableShares(address staker, address[] strategies)
            external
            view
            returns (uint256[] memory withdrawableShares, uint256[] memory depositShares);
        function isOperator(address operator) external view returns (bool);
        function minWithdrawalDelayBlocks() external view returns (uint32);
        function operatorShares(address operator, address strategy) external view returns (uint256);
        function strategyManager() external view returns (address);
        function completeQueuedWithdrawal(Withdrawal withdrawal, address[] tokens, bool receiveAsTokens) external;
        function queueWithdrawals(QueuedWithdrawalParams[] params) external returns (bytes32[] memory);
        function registerAsOperator(address initDelegationApprover, uint32 allocationDelay, string metadataURI)
            external;
    }

    #[sol(rpc)]
    contract StrategyManager {
        constructor(address delegation, address pauserRegistry, string version);
        function initialize(address initialOwner, address initialStrategyWhitelister, uint256 initialPausedStatus)
            external;

        function delegation() external view returns (address);
        function stakerDepositShares(address staker, address strategy) external view returns (uint256);
        function strategyIsWhitelistedForDeposit(address strategy) external view returns (bool);
        function depositIntoStrategy(address strategy, address token, uint256 amount) external returns (uint256);
    }

    #[sol(rpc)]
    contract StrategyFactory {
        constructor(address strategyManager, address pauserRegistry, string version);
        function initialize(address initialOwner, uint256 initialPausedStatus, address strategyBeacon) external;

        function deployedStrategies(address token) external view returns (address);
        function strategyManager() external view returns (address);
        function deployNewStrategy(address token) external returns (address);
        function whitelistStrategies(address[] strategies) external;
    }

    #[sol(rpc)]
    contract StrategyBase {
        constructor(address strategyManager, address pauserRegistry, string version);
        function initialize(address underlyingToken) external;
        function sharesToUnderlyingView(uint256 amountShares) external view returns (uint256);
        function totalShares() external view returns (uint256);
        function underlyingToSharesView(uint256 amountUnderlying) external view returns (uint256);
        function underlyingToken() external view returns (address);
        function userUnderlyingView(address user) external view returns (uint256);
    }

    #[sol(rpc)]
    contract PermissionController {
        event AppointeeRemoved(
            address indexed account, address indexed appointee, address target, bytes4 selector
        );
        event AppointeeSet(address indexed account, address indexed appointee, address target, bytes4 selector);

        constructor(string version);

        function canCall(address account, address caller, address target, bytes4 selector) external returns (bool);
        function getAdmins(address account) external view returns (address[] memory);
        function getPendingAdmins(address account) external view returns (address[] memory);
        function getAppointees(address account, address target, bytes4 selector)
            external
            view
            returns (address[] memory);
        function isAdmin(address account, address caller) external view returns (bool);
        function isPendingAdmin(address account, address pendingAdmin) external view returns (bool);

        function acceptAdmin(address account) external;
        function addPendingAdmin(address account, address admin) external;
        function removeAdmin(address account, address admin) external;
        function removeAppointee(address account, address appointee, address target, bytes4 selector) external;
        function setAppointee(address account, address appointee, address target, bytes4 selector) external;
    }

    /// What a proxy points to until there is an implementation.
    contract EmptyContract {
        function foo() external pure returns (uint256);
    }

    contract AVSDirectory {
        constructor(address delegation, address pauserRegistry, string version);
        function initialize(address initialOwner, uint256 initialPausedStatus) external;
    }

    contract EigenPodManager {
        constructor(
            address ethPOS, address eigenPodBeacon, address delegationManager, address pauserRegistry, string version
        );
        function initialize(address initialOwner, uint256 initialPausedStatus) external;
    }

    contract EigenPod {
        constructor(address ethPOS, address eigenPodManager, uint64 genesisTime, string version);
    }

    struct RewardsCoordinatorParams {
        address delegationManager;
        address strategyManager;
        address allocationManager;
        address pauserRegistry;
        address permissionController;
        uint32 calculationIntervalSeconds;
        uint32 maxRewardsDuration;
        uint32 maxRetroactiveLength;
        uint32 maxFutureLength;
        uint32 genesisRewardsTimestamp;
        string version;
    }

    contract RewardsCoordinator {
        constructor(RewardsCoordinatorParams params);
        function cumulativeClaimed(address earner, address token) external view returns (uint256);
        function initialize(
            address initialOwner,
            uint256 initialPausedStatus,
            address rewardsUpdater,
            uint32 activationDelay,
            uint16 defaultSplitBips
        ) external;
    }

    #[sol(rpc)]
    contract PauserRegistry {
        event PauserStatusChanged(address pauser, bool canPause);

        constructor(address[] pausers, address unpauser);
        function isPauser(address pauser) external view returns (bool);
        function unpauser() external view returns (address);
        function setIsPauser(address newPauser, bool canPause) external;
        function setUnpauser(address newUnpauser) external;
    }
}

/// OpenZeppelin 4 as EigenLayer uses it: one administrator for many proxies. Anzen's own proxies are version 5's.
pub mod v4 {
    use alloy::sol;

    sol! {
        #[sol(rpc)]
        contract ProxyAdmin {
            function owner() external view returns (address);
            function transferOwnership(address newOwner) external;
            function upgrade(address proxy, address implementation) external;
            function upgradeAndCall(address proxy, address implementation, bytes data) external payable;
        }

        contract TransparentUpgradeableProxy {
            constructor(address logic, address admin, bytes data) payable;
        }

        contract UpgradeableBeacon {
            constructor(address implementation);
        }
    }
}
