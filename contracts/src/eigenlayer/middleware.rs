//! EigenLayer's middleware, as far as Anzen uses it: the registries of one AVS.

use alloy::sol;

sol! {
    /// A point of BN254's first group, affine.
    #[derive(Debug, PartialEq, Eq, Default)]
    struct G1Point {
        uint256 X;
        uint256 Y;
    }

    /// A point of BN254's second group, affine; each coordinate with its imaginary part first.
    #[derive(Debug, PartialEq, Eq, Default)]
    struct G2Point {
        uint256[2] X;
        uint256[2] Y;
    }

    /// An operator's keys, with the signature that proves that it has the secret one.
    struct PubkeyRegistrationParams {
        G1Point pubkeyRegistrationSignature;
        G1Point pubkeyG1;
        G2Point pubkeyG2;
    }

    /// The bounds of a quorum; basis points say when a new operator may displace another.
    #[derive(Debug, PartialEq, Eq)]
    struct OperatorSetParam {
        uint32 maxOperatorCount;
        uint16 kickBIPsOfOperatorStake;
        uint16 kickBIPsOfTotalStake;
    }

    /// The weight of a strategy's shares in a quorum's stake; 1e18 is one to one.
    #[derive(Debug, PartialEq, Eq)]
    struct StrategyParams {
        address strategy;
        uint96 multiplier;
    }

    #[sol(rpc)]
    contract SlashingRegistryCoordinator {
        event OperatorDeregistered(address indexed operator, bytes32 indexed operatorId);
        event OperatorRegistered(address indexed operator, bytes32 indexed operatorId);
        event OperatorSetParamsUpdated(uint8 indexed quorumNumber, OperatorSetParam operatorSetParams);
        event OperatorSocketUpdate(bytes32 indexed operatorId, string socket);
        event QuorumBlockNumberUpdated(uint8 indexed quorumNumber, uint256 blocknumber);

        constructor(
            address stakeRegistry,
            address blsApkRegistry,
            address indexRegistry,
            address socketRegistry,
            address allocationManager,
            address pauserRegistry,
            string version
        );
        function initialize(
            address initialOwner, address churnApprover, address ejector, uint256 initialPausedStatus, address avs
        ) external;

        function allocationManager() external view returns (address);
        function avs() external view returns (address);
        function blsApkRegistry() external view returns (address);
        function churnApprover() external view returns (address);
        /// How long, in seconds, whoever was ejected cannot register.
        function ejectionCooldown() external view returns (uint256);
        function ejector() external view returns (address);
        function getCurrentQuorumBitmap(bytes32 operatorId) external view returns (uint192);
        function getOperatorFromId(bytes32 operatorId) external view returns (address);
        function getOperatorId(address operator) external view returns (bytes32);
        function getOperatorSetParams(uint8 quorumNumber) external view returns (OperatorSetParam memory);
        /// 0 never registered, 1 registered, 2 deregistered.
        function getOperatorStatus(address operator) external view returns (uint8);
        /// Which entry of each operator's history was in force at the end of a block.
        function getQuorumBitmapIndicesAtBlockNumber(uint32 blockNumber, bytes32[] operatorIds)
            external
            view
            returns (uint32[] memory);
        function indexRegistry() external view returns (address);
        function owner() external view returns (address);
        /// A bit for each thing that is paused.
        function paused() external view returns (uint256);
        function pauserRegistry() external view returns (address);
        function pubkeyRegistrationMessageHash(address operator) external view returns (G1Point memory);
        function quorumCount() external view returns (uint8);
        function quorumUpdateBlockNumber(uint8 quorumNumber) external view returns (uint256);
        function socketRegistry() external view returns (address);
        function stakeRegistry() external view returns (address);

        function createSlashableStakeQuorum(
            OperatorSetParam operatorSetParams,
            uint96 minimumStake,
            StrategyParams[] strategyParams,
            uint32 lookAheadPeriod
        ) external;
        function ejectOperator(address operator, bytes quorumNumbers) external;
        function setChurnApprover(address churnApprover) external;
        function setEjectionCooldown(uint256 ejectionCooldown) external;
        function setEjector(address ejector) external;
        function setOperatorSetParams(uint8 quorumNumber, OperatorSetParam operatorSetParams) external;
        function transferOwnership(address newOwner) external;
        function updateOperators(address[] operators) external;
        function updateOperatorsForQuorum(address[][] operatorsPerQuorum, bytes quorumNumbers) external;
        function updateSocket(string socket) external;
    }

    #[sol(rpc)]
    contract StakeRegistry {
        /// One period of an operator's or a quorum's stake.
        #[derive(Debug, PartialEq, Eq)]
        struct StakeUpdate {
            uint32 updateBlockNumber;
            uint32 nextUpdateBlockNumber;
            uint96 stake;
        }

        event OperatorStakeUpdate(bytes32 indexed operatorId, uint8 quorumNumber, uint96 stake);

        constructor(
            address slashingRegistryCoordinator,
            address delegationManager,
            address avsDirectory,
            address allocationManager
        );

        function allocationManager() external view returns (address);
        function delegation() external view returns (address);
        function getCurrentStake(bytes32 operatorId, uint8 quorumNumber) external view returns (uint96);
        function getCurrentTotalStake(uint8 quorumNumber) external view returns (uint96);
        /// Nothing but zeros where there was none.
        function getLatestStakeUpdate(bytes32 operatorId, uint8 quorumNumber)
            external
            view
            returns (StakeUpdate memory);
        function getStakeAtBlockNumber(bytes32 operatorId, uint8 quorumNumber, uint32 blockNumber)
            external
            view
            returns (uint96);
        function getTotalStakeAtBlockNumberFromIndex(uint8 quorumNumber, uint32 blockNumber, uint256 index)
            external
            view
            returns (uint96);
        function getTotalStakeHistoryLength(uint8 quorumNumber) external view returns (uint256);
        function getTotalStakeIndicesAtBlockNumber(uint32 blockNumber, bytes quorumNumbers)
            external
            view
            returns (uint32[] memory);
        function getTotalStakeUpdateAtIndex(uint8 quorumNumber, uint256 index)
            external
            view
            returns (StakeUpdate memory);
        function minimumStakeForQuorum(uint8 quorumNumber) external view returns (uint96);
        function registryCoordinator() external view returns (address);
        function slashableStakeLookAheadPerQuorum(uint8 quorumNumber) external view returns (uint32);
        /// 0 delegated, 1 slashable.
        function stakeTypePerQuorum(uint8 quorumNumber) external view returns (uint8);
        function strategyParamsByIndex(uint8 quorumNumber, uint256 index)
            external
            view
            returns (StrategyParams memory);
        function strategyParamsLength(uint8 quorumNumber) external view returns (uint256);
        function weightOfOperatorForQuorum(uint8 quorumNumber, address operator) external view returns (uint96);
    }

    #[sol(rpc)]
    contract BLSApkRegistry {
        event NewPubkeyRegistration(address indexed operator, G1Point pubkeyG1, G2Point pubkeyG2);
        event OperatorAddedToQuorums(address operator, bytes32 operatorId, bytes quorumNumbers);
        event OperatorRemovedFromQuorums(address operator, bytes32 operatorId, bytes quorumNumbers);

        constructor(address slashingRegistryCoordinator);

        function getApk(uint8 quorumNumber) external view returns (G1Point memory);
        function getOperatorFromPubkeyHash(bytes32 pubkeyHash) external view returns (address);
        function getOperatorId(address operator) external view returns (bytes32);
        function getOperatorPubkeyG2(address operator) external view returns (G2Point memory);
        function getRegisteredPubkey(address operator) external view returns (G1Point memory, bytes32);
        function registryCoordinator() external view returns (address);
    }

    #[sol(rpc)]
    contract IndexRegistry {
        constructor(address slashingRegistryCoordinator);
        function getOperatorListAtBlockNumber(uint8 quorumNumber, uint32 blockNumber)
            external
            view
            returns (bytes32[] memory);
        function registryCoordinator() external view returns (address);
        function totalOperatorsForQuorum(uint8 quorumNumber) external view returns (uint32);
    }

    #[sol(rpc)]
    contract SocketRegistry {
        constructor(address slashingRegistryCoordinator);
        function getOperatorSocket(bytes32 operatorId) external view returns (string memory);
        function slashingRegistryCoordinator() external view returns (address);
    }

    /// Views over several registries at once; without state.
    #[sol(rpc)]
    contract OperatorStateRetriever {
        /// An operator of a quorum and its stake in it.
        #[derive(Debug, PartialEq, Eq)]
        struct Operator {
            address operator;
            bytes32 operatorId;
            uint96 stake;
        }

        /// Where a certificate's checker finds what it needs in the registries' histories.
        #[derive(Debug, PartialEq, Eq, Default)]
        struct CheckSignaturesIndices {
            uint32[] nonSignerQuorumBitmapIndices;
            uint32[] quorumApkIndices;
            uint32[] totalStakeIndices;
            uint32[][] nonSignerStakeIndices;
        }

        function getBatchOperatorFromId(address registryCoordinator, bytes32[] operatorIds)
            external
            view
            returns (address[] memory);
        function getBatchOperatorId(address registryCoordinator, address[] operators)
            external
            view
            returns (bytes32[] memory);
        function getCheckSignaturesIndices(
            address registryCoordinator,
            uint32 referenceBlockNumber,
            bytes quorumNumbers,
            bytes32[] nonSignerOperatorIds
        ) external view returns (CheckSignaturesIndices memory);
        function getOperatorState(address registryCoordinator, bytes quorumNumbers, uint32 blockNumber)
            external
            view
            returns (Operator[][] memory);
    }
}
