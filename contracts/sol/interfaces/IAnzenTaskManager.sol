// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IBLSSignatureChecker} from "./IBLSSignatureChecker.sol";
import {ISafetyFactorModels} from "./ISafetyFactorModels.sol";
import {ISafetyFactorOracle} from "./ISafetyFactorOracle.sol";

/// @title IAnzenTaskManager
/// @notice Creates the tasks that operators answer, and takes the answers that enough stake has signed.
interface IAnzenTaskManager is IBLSSignatureChecker {
    /// @notice The question: what is the safety factor of a protocol at a block? Its hash, keccak256(abi.encode(task)), is
    /// its identity, and all that is stored.
    /// @param index Its number, from 0.
    /// @param oracleIndex The protocol.
    /// @param modelHash How to compute the answer.
    /// @param proposedSafetyFactor What the generator claims; operators sign what they computed.
    /// @param referenceBlock The block that the answer is about, the one before `createdBlock`.
    /// @param referenceBlockHash Its hash.
    /// @param createdBlock The block in which the task was created.
    /// @param quorumNumbers The quorums that must sign, a byte each, ascending.
    /// @param quorumThresholdPercentage How much of each quorum's stake must have signed.
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

    /// @notice The answer. Operators sign its EIP-712 digest.
    struct TaskResponse {
        bytes32 taskHash;
        int256 safetyFactor;
    }

    /// @notice What the contract adds to an answer.
    /// @param respondedBlock The block in which the answer was taken.
    /// @param signatoryRecordHash Who signed: see IBLSSignatureChecker.checkSignatures.
    struct TaskResponseMetadata {
        uint32 respondedBlock;
        bytes32 signatoryRecordHash;
    }

    /// @notice What governance demands of a protocol's tasks.
    /// @param quorumNumbers The quorums that must sign, a byte each, strictly ascending.
    /// @param leastThresholdPercentage The least threshold that a task may have, 51 to 100.
    /// @param greatestThresholdPercentage The greatest one, from the least to 100: what a generator may demand at most.
    /// @param minTaskInterval The least number of blocks between the creation of two tasks, at least 1.
    /// @param modelHash How to compute the answer: one of the models that governance has added.
    struct TaskPolicy {
        bytes quorumNumbers;
        uint32 leastThresholdPercentage;
        uint32 greatestThresholdPercentage;
        uint32 minTaskInterval;
        bytes32 modelHash;
    }

    /// @notice How long things may take, in blocks. Their sum is the time, from the refresh of a stake on, for which the
    /// stake must be sure to be slashable.
    /// @param maxStakeAge From the last refresh of all stakes of a quorum to the creation of a task.
    /// @param response From a task's creation to its answer.
    /// @param challenge From the answer to a challenge of it.
    /// @param veto From a challenge's success to the end of the time in which its slashing can be vetoed.
    /// @param execution From there to the execution of the slashing.
    struct Windows {
        uint32 maxStakeAge;
        uint32 response;
        uint32 challenge;
        uint32 veto;
        uint32 execution;
    }

    /// @notice A task was created.
    event NewTaskCreated(uint32 indexed taskIndex, bytes32 indexed taskHash, Task task);
    /// @notice A task was answered. All that a dispute of the answer needs is told here: the certificate is in the calldata of
    /// whatever contract posted it, and that of a call within a transaction is not to be had of every node.
    /// @param nonSignerIds The operators of the task's quorums that did not sign, strictly ascending: those of the metadata's
    /// signatory record.
    event TaskResponded(
        uint32 indexed taskIndex,
        bytes32 indexed taskHash,
        TaskResponse response,
        TaskResponseMetadata metadata,
        bytes32[] nonSignerIds
    );
    /// @notice Nobody answered a task in time. Told when the protocol's next task is created; `latestTask` tells it before.
    event TaskUnanswered(uint32 indexed taskIndex, bytes32 indexed taskHash);
    /// @notice Governance has set what it demands of a protocol's tasks.
    event TaskPolicySet(uint32 indexed oracleIndex, TaskPolicy policy);
    /// @notice There will be no more tasks of a protocol.
    event TaskPolicyRemoved(uint32 indexed oracleIndex);
    /// @notice Governance has set the windows of the tasks that are created from the next block on; at initialisation, from
    /// this one on.
    event WindowsSet(Windows windows);

    /// @notice An address that must not be zero is.
    error ZeroAddress();
    /// @notice The protocol is not in the oracle.
    error UnknownProtocol(uint32 oracleIndex);
    /// @notice There is no such model: governance has to add it first.
    error UnknownModel(bytes32 modelHash);
    /// @notice Governance has set no policy for the protocol.
    error NoTaskPolicy(uint32 oracleIndex);
    /// @notice There is no such quorum.
    error UnknownQuorum(uint8 quorumNumber);
    /// @notice The quorum's stake is not slashable stake.
    error QuorumNotSlashable(uint8 quorumNumber);
    /// @notice The quorum's stake is sure to be slashable for `lookAhead` blocks only, and the windows need `needed`.
    error LookAheadTooShort(uint8 quorumNumber, uint256 lookAhead, uint256 needed);
    /// @notice The core's deallocation delay, `delay`, is shorter than the windows or a quorum's look-ahead, `needed`.
    error DeallocationDelayTooShort(uint256 delay, uint256 needed);
    /// @notice A withdrawal that was queued in EigenLayer's core can be slashed for `delay` blocks only, and the windows need
    /// `needed`.
    error WithdrawalDelayTooShort(uint256 delay, uint256 needed);
    /// @notice The response window is zero: no task could be answered.
    error NoResponseWindow();
    /// @notice The window for challenges, vetoes or executions is zero: nobody could do it.
    error EmptyWindow();
    /// @notice A threshold is not between `least` and `greatest` percent.
    error ThresholdOutOfRange(uint256 threshold, uint256 least, uint256 greatest);
    /// @notice A policy must leave at least a block between two tasks.
    error NoTaskInterval();
    /// @notice The quorums given are not those of the protocol's policy.
    error QuorumsNotOfPolicy(bytes given, bytes policy);
    /// @notice The protocol's next task can be created from block `earliest` on.
    error TaskIntervalNotOver(uint256 earliest);
    /// @notice The protocol has a task that can still be answered.
    error TaskStillOpen(uint32 taskIndex);
    /// @notice The quorum has no stake.
    error QuorumWithoutStake(uint8 quorumNumber);
    /// @notice The quorum's aggregate key is the identity.
    error QuorumKeyIsIdentity(uint8 quorumNumber);
    /// @notice The quorum's stakes were refreshed in this very block, and no recent refresh before it is noted: those at the
    /// reference block may be old. Try again in the next block.
    error StakesRefreshedAfterReference(uint8 quorumNumber);
    /// @notice There is no such task.
    error UnknownTask(bytes32 taskHash);
    /// @notice The response is to another task.
    error ResponseToAnotherTask(bytes32 taskHash, bytes32 responseTaskHash);
    /// @notice The task has been answered.
    error TaskAlreadyAnswered(bytes32 taskHash);
    /// @notice The task could be answered until block `last`.
    error ResponseWindowOver(uint256 last);
    /// @notice The stake that signed is below the task's threshold.
    error ThresholdNotReached(uint8 quorumNumber, uint96 signedStake, uint96 totalStake);
    /// @notice There were no windows at that block.
    error NoWindowsAt(uint32 blockNumber);

    /// @notice Creates a task about the block before this one. By a generator, while not paused.
    /// @param oracleIndex The protocol; governance must have set a policy for it.
    /// @param proposedSafetyFactor What the generator claims.
    /// @param quorumThresholdPercentage Within the policy's bounds.
    /// @param quorumNumbers The policy's quorums. Each must have stake, refreshed recently.
    function createNewTask(
        uint32 oracleIndex,
        int256 proposedSafetyFactor,
        uint32 quorumThresholdPercentage,
        bytes calldata quorumNumbers
    ) external returns (uint32 taskIndex, bytes32 taskHash);

    /// @notice Answers a task. By anyone who has a valid certificate, while not paused.
    function respondToTask(
        Task calldata task,
        TaskResponse calldata response,
        NonSignerStakesAndSignature calldata certificate
    ) external;

    /// @notice Refreshes all stakes of the quorums, as the coordinator's `updateOperatorsForQuorum` does, and notes that they
    /// were refreshed in this block, unless a refresh within the last `maxStakeAge / 2` blocks is noted. By anyone, also
    /// while paused.
    /// @param operatorsPerQuorum All operators of each quorum, ascending by address.
    /// @param quorumNumbers The quorums, a byte each, strictly ascending.
    function refreshStakes(address[][] calldata operatorsPerQuorum, bytes calldata quorumNumbers) external;

    /// @notice Sets what is demanded of a protocol's tasks. By the administrator. An open task stays as it is.
    function setTaskPolicy(uint32 oracleIndex, TaskPolicy calldata policy) external;

    /// @notice Ends the tasks of a protocol. By the administrator. An open task can still be answered.
    function removeTaskPolicy(uint32 oracleIndex) external;

    /// @notice Sets the windows. By the administrator. They hold for tasks created from the next block on: a task keeps the
    /// windows of its creation, also one that was created earlier in this block.
    function setWindows(Windows calldata windows_) external;

    /// @notice Stops the creation of tasks, and responses. By a pauser.
    function pause() external;

    /// @notice Ends a pause. By the administrator. The time of a pause is not added to the windows.
    function unpause() external;

    /// @notice How many tasks there have been.
    function taskCount() external view returns (uint32);

    /// @notice The hash of a task, zero if there is none.
    function taskHashAt(uint32 taskIndex) external view returns (bytes32);

    /// @notice keccak256(abi.encode(TaskResponse, TaskResponseMetadata)) of a task's answer, zero if there is none.
    function responseHash(bytes32 taskHash) external view returns (bytes32);

    /// @notice A protocol's latest task.
    function latestTask(uint32 oracleIndex)
        external
        view
        returns (bool exists, uint32 taskIndex, uint32 createdBlock, bool answered);

    /// @notice The block of a refresh of all stakes of a quorum, on which `createNewTask` falls back when there was another
    /// one in its own block; zero if none is noted.
    function notedRefresh(uint8 quorumNumber) external view returns (uint32);

    /// @notice Whether a protocol has a task that could be answered in this block.
    function isOpen(uint32 oracleIndex) external view returns (bool);

    /// @notice What is demanded of a protocol's tasks; all zero if there is no policy.
    function taskPolicy(uint32 oracleIndex) external view returns (TaskPolicy memory);

    /// @notice The windows of a task created now.
    function windows() external view returns (Windows memory);

    /// @notice The windows of a task created in block `blockNumber`.
    function windowsAt(uint32 blockNumber) external view returns (Windows memory);

    /// @notice The identity of a task.
    function hashTask(Task calldata task) external pure returns (bytes32);

    /// @notice What operators sign: the EIP-712 digest of a response, to be hashed to the curve.
    function responseDigest(TaskResponse calldata response) external view returns (bytes32);

    /// @notice Where answers are written.
    function oracle() external view returns (ISafetyFactorOracle);

    /// @notice Where models are kept.
    function models() external view returns (ISafetyFactorModels);

    /// @notice The role that may create tasks.
    function GENERATOR_ROLE() external view returns (bytes32);

    /// @notice The role that may pause.
    function PAUSER_ROLE() external view returns (bytes32);
}
