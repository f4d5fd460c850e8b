// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IDisputeStatus} from "./IDisputeStatus.sol";

/// @title ISafetyFactorOracle
/// @notice The safety factor of each protocol, a round for every task that was answered. 1.0 is 1_000_000_000.
///
/// An answer is *provisional* while it can be challenged, and *final* afterwards. One that was proved wrong is *withdrawn*,
/// and reading its round reverts. Readers choose: `feed` is as new as can be, `finalFeed` what nobody could refute in time.
interface ISafetyFactorOracle {
    /// @notice Where a round came from, and whether it counts.
    enum RoundKind {
        /// The answer to a task.
        Answer,
        /// A value of the fallback poster, while the committee had to rule on an answer.
        Fallback,
        /// The answer to a task, which was proved wrong.
        Withdrawn
    }

    /// @notice How far a round can be relied on.
    enum RoundStatus {
        /// It can still be challenged.
        Provisional,
        /// The committee has to rule on it.
        Disputed,
        /// It could have been challenged, and was not with success.
        Final,
        /// The fallback poster's word.
        Fallback,
        /// It was proved wrong.
        Withdrawn
    }

    /// @notice One round.
    /// @param safetyFactor The answer.
    /// @param referenceBlock The block that the answer is about; of a fallback, the one before its own.
    /// @param taskIndex The task that was answered; of a fallback, how many rounds before it the last other one is.
    /// @param updatedAt When the round was written, in seconds.
    /// @param finality It is final after block `referenceBlock + finality`, which is not before the round before it is.
    /// @param kind Where it came from.
    struct Snapshot {
        int128 safetyFactor;
        uint32 referenceBlock;
        uint32 taskIndex;
        uint32 updatedAt;
        uint24 finality;
        RoundKind kind;
    }

    /// @notice The answer of a task, as the task manager writes it.
    /// @param oracleIndex The protocol.
    /// @param safetyFactor The answer.
    /// @param referenceBlock The block that it is about.
    /// @param taskIndex The task.
    /// @param modelHash How it was computed.
    /// @param challengeBlocks For how many blocks from this one on it can be challenged.
    struct Answer {
        uint32 oracleIndex;
        int256 safetyFactor;
        uint32 referenceBlock;
        uint32 taskIndex;
        bytes32 modelHash;
        uint32 challengeBlocks;
    }

    /// @notice A protocol was added.
    event ProtocolAdded(uint32 indexed oracleIndex, string name, address feed, address finalFeed);
    /// @notice `taskManager` alone may write from now on.
    event TaskManagerSet(address indexed previousTaskManager, address indexed taskManager);
    /// @notice `disputes` alone may withdraw from now on.
    event DisputesSet(address indexed previousDisputes, address indexed disputes);
    /// @notice A protocol's safety factor was written.
    event SafetyFactorUpdated(
        uint32 indexed oracleIndex,
        uint80 indexed roundId,
        uint32 indexed taskIndex,
        int256 safetyFactor,
        uint32 referenceBlock
    );
    /// @notice The answers from this round on are computed by another model than those before.
    event ModelChanged(uint32 indexed oracleIndex, uint80 indexed roundId, bytes32 indexed modelHash);
    /// @notice A round was proved wrong.
    event RoundWithdrawn(uint32 indexed oracleIndex, uint80 indexed roundId, uint32 indexed taskIndex);
    /// @notice The fallback poster has written a round.
    event FallbackPosted(uint32 indexed oracleIndex, uint80 indexed roundId, int256 safetyFactor);

    /// @notice The caller is not the task manager.
    error NotTaskManager(address caller);
    /// @notice The caller is not the disputes contract.
    error NotDisputes(address caller);
    /// @notice An address that must not be zero is.
    error ZeroAddress();
    /// @notice There is a protocol of this index already.
    error ProtocolExists(uint32 oracleIndex);
    /// @notice There is no protocol of this index.
    error UnknownProtocol(uint32 oracleIndex);
    /// @notice A protocol needs a name.
    error EmptyName();
    /// @notice The answer is not about a later block than the last one.
    error ReferenceBlockNotLater(uint32 oracleIndex, uint32 latest, uint32 given);
    /// @notice The safety factor does not fit 128 bits.
    error SafetyFactorOutOfRange(int256 safetyFactor);
    /// @notice Nothing has been written in this round (or ever, if it is round 0).
    error NoData(uint32 oracleIndex, uint80 roundId);
    /// @notice The round was proved wrong. Wait for the next one, or read `finalFeed`.
    error RoundIsWithdrawn(uint32 oracleIndex, uint80 roundId);
    /// @notice The round is not final.
    error RoundNotFinal(uint32 oracleIndex, uint80 roundId);
    /// @notice No round of the protocol is final.
    error NoFinalRound(uint32 oracleIndex);
    /// @notice The round is not the answer to this task.
    error RoundOfAnotherTask(uint80 roundId, uint32 taskIndex);
    /// @notice The committee has to rule on no answer of the protocol, so there is no need of a fallback.
    error NothingDisputed(uint32 oracleIndex);

    /// @notice Adds a protocol, and deploys its feeds. By the administrator; there is no way to remove one.
    function addProtocol(uint32 oracleIndex, string calldata name) external returns (address feed, address finalFeed);

    /// @notice Sets who may write. By the administrator.
    function setTaskManager(address taskManager) external;

    /// @notice Sets who may withdraw rounds. By the administrator.
    function setDisputes(IDisputeStatus disputes) external;

    /// @notice Writes the answer of a task. By the task manager. Reference blocks strictly increase per protocol.
    /// @return roundId The round, from 1.
    function update(Answer calldata answer) external returns (uint80 roundId);

    /// @notice Withdraws the round that answers a task. By the disputes contract.
    function withdraw(uint32 oracleIndex, uint80 roundId, uint32 taskIndex) external;

    /// @notice Writes a round while the committee has to rule on an answer of the protocol. By the fallback poster. Tasks are
    /// created and answered meanwhile as ever: the next answer is the latest round again.
    function postFallback(uint32 oracleIndex, int256 safetyFactor) external returns (uint80 roundId);

    /// @notice The latest safety factor of a protocol, which may be provisional. Reverts with NoData if there is none, with
    /// RoundIsWithdrawn if it was proved wrong.
    function getSafetyFactor(uint32 oracleIndex)
        external
        view
        returns (int256 safetyFactor, uint32 referenceBlock, uint64 updatedAt);

    /// @notice What was written in a round. Reverts with NoData if nothing was, with RoundIsWithdrawn if it was proved wrong.
    function getRound(uint32 oracleIndex, uint80 roundId) external view returns (Snapshot memory);

    /// @notice How far a round can be relied on. Reverts with NoData if nothing was written in it.
    function roundStatus(uint32 oracleIndex, uint80 roundId) external view returns (RoundStatus);

    /// @notice The model that the answer of a round was computed by; of a fallback or of no round, that of the answer before.
    function modelAt(uint32 oracleIndex, uint80 roundId) external view returns (bytes32 modelHash);

    /// @notice The number of a protocol's latest round; 0 if there is none.
    function latestRound(uint32 oracleIndex) external view returns (uint80);

    /// @notice The number of a protocol's latest final round. Reverts with NoFinalRound if there is none.
    function latestFinalRound(uint32 oracleIndex) external view returns (uint80);

    /// @notice Who may write.
    function taskManager() external view returns (address);

    /// @notice Who may withdraw.
    function disputes() external view returns (IDisputeStatus);

    function protocolExists(uint32 oracleIndex) external view returns (bool);

    function protocolCount() external view returns (uint256);

    /// @notice The index of the protocol that was added as number `position`, from 0.
    function protocolAt(uint256 position) external view returns (uint32 oracleIndex);

    function protocolName(uint32 oracleIndex) external view returns (string memory);

    /// @notice The protocol's latest rounds, for readers of Chainlink's AggregatorV3Interface.
    function feed(uint32 oracleIndex) external view returns (address);

    /// @notice The protocol's final rounds, for the same readers.
    function finalFeed(uint32 oracleIndex) external view returns (address);

    /// @notice The decimals of every safety factor.
    function DECIMALS() external view returns (uint8);

    /// @notice The role of the fallback poster.
    function FALLBACK_ROLE() external view returns (bytes32);
}
