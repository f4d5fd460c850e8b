//! What the end-to-end tests know of the contracts: declarations of their own, from the interfaces in `contracts/sol`, so that a
//! mistake in Anzen's bindings does not hide itself.

#![allow(missing_docs, reason = "documented in contracts/sol/interfaces")]

use alloy::sol;

sol! {
    #[derive(Debug)]
    struct Task {
        uint32 index;
        uint32 oracleIndex;
        bytes32 modelHash;
        int256 proposedSafetyFactor;
        uint32 referenceBlock;
        bytes32 referenceBlockHash;
        uint32 createdBlock;
        bytes quorumNumbers;
        uint32 quorumThresholdPercentage;
    }
    struct TaskResponse { bytes32 taskHash; int256 safetyFactor; }
    struct TaskResponseMetadata { uint32 respondedBlock; bytes32 signatoryRecordHash; }

    event NewTaskCreated(uint32 indexed taskIndex, bytes32 indexed taskHash, Task task);
    event TaskResponded(
        uint32 indexed taskIndex,
        bytes32 indexed taskHash,
        TaskResponse response,
        TaskResponseMetadata metadata,
        bytes32[] nonSignerIds
    );

    #[sol(rpc)]
    interface Token {
        function balanceOf(address account) external view returns (uint256);
        function mint(address account, uint256 amount) external;
    }
    #[sol(rpc)]
    interface Oracle {
        function getSafetyFactor(uint32 oracleIndex) external view returns (int256, uint32, uint64);
    }
    #[sol(rpc)]
    interface Stakes {
        function getCurrentTotalStake(uint8 quorumNumber) external view returns (uint96);
    }
    #[sol(rpc)]
    interface Feed {
        function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
    }
    struct Source { uint8 kind; bytes data; }
    struct Term { uint8 side; Source amount; Source price; uint32 shareBps; uint8 decimals; }
    struct Model { Term[] terms; }
    struct Guard { address account; bytes32 slot; bytes32 expected; }
    struct StorageSlot { address account; bytes32 slot; uint8 offset; uint8 width; Guard[] guards; }
    struct ViewCall { address target; bytes callData; }
    #[sol(rpc)]
    interface Models {
        function getModel(bytes32 modelHash) external view returns (Model memory);
        function addModel(Model model) external;
    }

    #[derive(Debug, PartialEq, Eq)]
    struct QuorumStrategies { uint8 quorumNumber; address[] strategies; }
    #[derive(Debug)]
    event AnswerWithdrawn(
        uint32 indexed taskIndex, bytes32 indexed taskHash, bytes32 indexed faultId, uint32 oracleIndex, uint80 roundId
    );
    event EquivocationProved(bytes32 indexed taskHash, bytes32 indexed operatorId, bytes32 indexed faultId);
    event AbsenteeEjected(bytes32 indexed operatorId, bytes32 indexed taskHash, uint32 rulingEnd);
    #[derive(Debug)]
    event FaultRecorded(
        bytes32 indexed faultId, uint8 indexed kind, uint64 wadToSlash, uint32 vetoEnd, uint32 executionEnd,
        QuorumStrategies[] plan
    );
    event FaultVetoed(bytes32 indexed faultId);
    event OperatorFrozen(bytes32 indexed faultId, address indexed operator, uint192 quorums);
    event OperatorSlashed(
        bytes32 indexed faultId, address indexed operator, uint8 indexed quorumNumber, uint64 wadToSlash
    );
    event SafetyFactorUpdated(
        uint32 indexed oracleIndex, uint80 indexed roundId, uint32 indexed taskIndex, int256 safetyFactor,
        uint32 referenceBlock
    );

    #[sol(rpc)]
    interface Faults {
        function executeSlashing(bytes32 faultId, QuorumStrategies[] plan, address[] operators) external;
        function vetoFault(bytes32 faultId) external;
    }
    #[sol(rpc)]
    interface Rounds {
        function roundStatus(uint32 oracleIndex, uint80 roundId) external view returns (uint8);
        function getSafetyFactor(uint32 oracleIndex) external view returns (int256, uint32, uint64);
    }
    #[sol(rpc)]
    interface Allocations {
        function getMaxMagnitude(address operator, address strategy) external view returns (uint64);
    }
    #[sol(rpc)]
    interface Delegations {
        function operatorShares(address operator, address strategy) external view returns (uint256);
    }
    #[sol(rpc)]
    interface Coordinator {
        function getOperatorStatus(address operator) external view returns (uint8);
    }

    struct SignedAnswer { int256 safetyFactor; G1Point sigma; }
    struct G1Point { uint256 X; uint256 Y; }
    struct G2Point { uint256[2] X; uint256[2] Y; }
    struct OperatorKey { G1Point g1; G2Point g2; }
    struct Member { bytes32 operatorId; uint32 bitmapIndex; }
    interface Disputes {
        function challengeByCommittee(
            Task task, TaskResponse response, TaskResponseMetadata metadata, uint80 roundId
        ) external payable;
        function rule(Task task, TaskResponse response, TaskResponseMetadata metadata, bool upheld) external;
        function recordAbsence(
            Task task, TaskResponse response, TaskResponseMetadata metadata, uint80 roundId, bytes32[] nonSignerIds,
            Member member
        ) external;
        function ruleAbsence(bytes32 operatorId) external;
    }
    struct TaskPolicy {
        bytes quorumNumbers; uint32 leastThresholdPercentage; uint32 greatestThresholdPercentage;
        uint32 minTaskInterval; bytes32 modelHash;
    }
    interface Tasks {
        function setTaskPolicy(uint32 oracleIndex, TaskPolicy policy) external;
    }
}
