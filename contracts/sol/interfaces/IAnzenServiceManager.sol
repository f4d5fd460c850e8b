// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAllocationManager} from "../eigenlayer/IAllocationManager.sol";
import {IPermissionController} from "../eigenlayer/IPermissionController.sol";
import {ISlashingRegistryCoordinator} from "../eigenlayer/ISlashingRegistryCoordinator.sol";
import {IStakeRegistry} from "../eigenlayer/IStakeRegistry.sol";

/// @title IAnzenServiceManager
/// @notice Anzen's identity in EigenLayer: the address of the AVS. It is the slasher of its operator sets, and the registry
/// coordinator's ejector.
interface IAnzenServiceManager {
    /// @notice An address that must not be zero is.
    error ZeroAddress();

    /// @notice Removes an operator from quorums. By the administrator.
    function ejectOperator(address operator, bytes calldata quorumNumbers) external;

    /// @notice All strategies of all quorums; EigenLayer's interface reads it. A strategy of several quorums is listed for
    /// each.
    function getRestakeableStrategies() external view returns (address[] memory);

    /// @notice All strategies of the quorums of an operator; EigenLayer's interface reads it.
    function getOperatorRestakedStrategies(address operator) external view returns (address[] memory);

    function registryCoordinator() external view returns (ISlashingRegistryCoordinator);

    function stakeRegistry() external view returns (IStakeRegistry);

    function allocationManager() external view returns (IAllocationManager);

    function permissionController() external view returns (IPermissionController);
}
