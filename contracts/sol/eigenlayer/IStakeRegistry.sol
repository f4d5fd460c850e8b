// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title IStakeRegistry
/// @notice What Anzen calls of the middleware's registry of stakes.
interface IStakeRegistry {
    enum StakeType {
        TOTAL_DELEGATED,
        TOTAL_SLASHABLE
    }

    /// @notice What a stake was from `updateBlockNumber` on and before `nextUpdateBlockNumber`, which is zero for the last
    /// entry of a history. There is one entry for a block at most.
    struct StakeUpdate {
        uint32 updateBlockNumber;
        uint32 nextUpdateBlockNumber;
        uint96 stake;
    }

    struct StrategyParams {
        address strategy;
        uint96 multiplier;
    }

    /// @notice Whether the weight of a quorum's operators is what they were delegated or what can be slashed.
    function stakeTypePerQuorum(uint8 quorumNumber) external view returns (StakeType);

    /// @notice For how many blocks from its recording on a stake of the quorum is sure to be slashable.
    function slashableStakeLookAheadPerQuorum(uint8 quorumNumber) external view returns (uint32);

    /// @notice How many entries the history of a quorum's total stake has; none if the quorum does not exist.
    function getTotalStakeHistoryLength(uint8 quorumNumber) external view returns (uint256);

    /// @notice The `index`-th entry in the history of a quorum's total stake.
    function getTotalStakeUpdateAtIndex(uint8 quorumNumber, uint256 index) external view returns (StakeUpdate memory);

    /// @notice A quorum's total stake at `blockNumber`. Reverts unless the entry at `index` was in force then.
    function getTotalStakeAtBlockNumberFromIndex(uint8 quorumNumber, uint32 blockNumber, uint256 index)
        external
        view
        returns (uint96);

    /// @notice An operator's stake at `blockNumber`. Reverts unless the entry at `index` was in force then.
    function getStakeAtBlockNumberAndIndex(uint8 quorumNumber, uint32 blockNumber, bytes32 operatorId, uint256 index)
        external
        view
        returns (uint96);

    function strategyParamsLength(uint8 quorumNumber) external view returns (uint256);

    function strategyParamsByIndex(uint8 quorumNumber, uint256 index) external view returns (StrategyParams memory);
}
