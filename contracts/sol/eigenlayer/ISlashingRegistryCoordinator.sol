// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAllocationManager} from "./IAllocationManager.sol";
import {IBLSApkRegistry} from "./IBLSApkRegistry.sol";
import {IStakeRegistry} from "./IStakeRegistry.sol";

/// @title ISlashingRegistryCoordinator
/// @notice What Anzen calls of the middleware's registry coordinator.
interface ISlashingRegistryCoordinator {
    struct QuorumBitmapUpdate {
        uint32 updateBlockNumber;
        uint32 nextUpdateBlockNumber;
        uint192 quorumBitmap;
    }

    function stakeRegistry() external view returns (IStakeRegistry);

    function blsApkRegistry() external view returns (IBLSApkRegistry);

    function allocationManager() external view returns (IAllocationManager);

    /// @notice How many quorums there are; they are numbered from 0.
    function quorumCount() external view returns (uint8);

    /// @notice The block of the last refresh of all stakes of a quorum.
    function quorumUpdateBlockNumber(uint8 quorumNumber) external view returns (uint256);

    /// @notice The `index`-th entry in an operator's history of quorums, as a bitmap of those it belonged to from
    /// `updateBlockNumber` on and before `nextUpdateBlockNumber`, which is zero for the last entry.
    function getQuorumBitmapUpdateByIndex(bytes32 operatorId, uint256 index)
        external
        view
        returns (QuorumBitmapUpdate memory);

    function getOperatorId(address operator) external view returns (bytes32);

    /// @notice The operator that registered the key with the hash `operatorId`; zero if there is none.
    function getOperatorFromId(bytes32 operatorId) external view returns (address);

    function getCurrentQuorumBitmap(bytes32 operatorId) external view returns (uint192);

    /// @notice Refreshes all stakes of the quorums. By anyone.
    /// @param operatorsPerQuorum All operators of each quorum, ascending by address.
    function updateOperatorsForQuorum(address[][] calldata operatorsPerQuorum, bytes calldata quorumNumbers) external;

    /// @notice Removes an operator from quorums, and starts the time in which it cannot register anew. Nothing is removed unless
    /// it is in all of the quorums. By the ejector.
    function ejectOperator(address operator, bytes calldata quorumNumbers) external;

    /// @notice For how many seconds an operator cannot register after it was ejected.
    function ejectionCooldown() external view returns (uint256);
}
