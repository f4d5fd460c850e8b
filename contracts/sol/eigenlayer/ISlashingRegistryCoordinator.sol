// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAllocationManager} from "./IAllocationManager.sol";
import {IBLSApkRegistry} from "./IBLSApkRegistry.sol";
import {IStakeRegistry} from "./IStakeRegistry.sol";

/// @title ISlashingRegistryCoordinator
/// @notice What Anzen calls of the middleware's registry coordinator.
interface ISlashingRegistryCoordinator {
    function stakeRegistry() external view returns (IStakeRegistry);

    function blsApkRegistry() external view returns (IBLSApkRegistry);

    function allocationManager() external view returns (IAllocationManager);

    /// @notice How many quorums there are; they are numbered from 0.
    function quorumCount() external view returns (uint8);

    /// @notice The block of the last refresh of all stakes of a quorum.
    function quorumUpdateBlockNumber(uint8 quorumNumber) external view returns (uint256);

    /// @notice The quorums that an operator belonged to at `blockNumber`, as a bitmap. Reverts unless the entry at `index`
    /// was in force then.
    function getQuorumBitmapAtBlockNumberByIndex(bytes32 operatorId, uint32 blockNumber, uint256 index)
        external
        view
        returns (uint192);

    function getOperatorId(address operator) external view returns (bytes32);

    function getCurrentQuorumBitmap(bytes32 operatorId) external view returns (uint192);

    function ejectOperator(address operator, bytes calldata quorumNumbers) external;
}
