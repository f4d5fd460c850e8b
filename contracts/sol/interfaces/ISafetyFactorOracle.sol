// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title ISafetyFactorOracle
/// @notice The safety factor of each protocol, a snapshot for every task that was answered. 1.0 is 1_000_000_000.
interface ISafetyFactorOracle {
    /// @notice One answered task.
    /// @param safetyFactor The answer.
    /// @param referenceBlock The block that the answer is about.
    /// @param updatedAt When the answer was written, in seconds.
    /// @param taskIndex The task that was answered.
    struct Snapshot {
        int128 safetyFactor;
        uint32 referenceBlock;
        uint64 updatedAt;
        uint32 taskIndex;
    }

    /// @notice A protocol was added.
    event ProtocolAdded(uint32 indexed oracleIndex, string name, address feed);
    /// @notice `taskManager` alone may write from now on.
    event TaskManagerSet(address indexed previousTaskManager, address indexed taskManager);
    /// @notice A protocol's safety factor was written.
    event SafetyFactorUpdated(
        uint32 indexed oracleIndex,
        uint80 indexed roundId,
        uint32 indexed taskIndex,
        int256 safetyFactor,
        uint32 referenceBlock
    );

    /// @notice The caller is not the task manager.
    error NotTaskManager(address caller);
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

    /// @notice Adds a protocol, and deploys its feed. By the administrator; there is no way to remove one.
    function addProtocol(uint32 oracleIndex, string calldata name) external returns (address feed);

    /// @notice Sets who may write. By the administrator.
    function setTaskManager(address taskManager) external;

    /// @notice Writes the answer of a task. By the task manager. Reference blocks strictly increase per protocol.
    /// @return roundId The round, from 1.
    function update(uint32 oracleIndex, int256 safetyFactor, uint32 referenceBlock, uint32 taskIndex)
        external
        returns (uint80 roundId);

    /// @notice The latest safety factor of a protocol. Reverts with NoData if there is none.
    function getSafetyFactor(uint32 oracleIndex)
        external
        view
        returns (int256 safetyFactor, uint32 referenceBlock, uint64 updatedAt);

    /// @notice What was written in a round. Reverts with NoData if nothing was.
    function getRound(uint32 oracleIndex, uint80 roundId) external view returns (Snapshot memory);

    /// @notice The number of a protocol's latest round; 0 if there is none.
    function latestRound(uint32 oracleIndex) external view returns (uint80);

    /// @notice Who may write.
    function taskManager() external view returns (address);

    function protocolExists(uint32 oracleIndex) external view returns (bool);

    function protocolCount() external view returns (uint256);

    /// @notice The index of the protocol that was added as number `position`, from 0.
    function protocolAt(uint256 position) external view returns (uint32 oracleIndex);

    function protocolName(uint32 oracleIndex) external view returns (string memory);

    /// @notice The protocol's feed, for readers of Chainlink's AggregatorV3Interface.
    function feed(uint32 oracleIndex) external view returns (address);

    /// @notice The decimals of every safety factor.
    function DECIMALS() external view returns (uint8);
}
