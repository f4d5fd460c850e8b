// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title IPermissionController
/// @notice What Anzen calls of EigenLayer's PermissionController. An account without an administrator is its own.
interface IPermissionController {
    /// @notice Lets `appointee` call `selector` of `target` in the name of `account`.
    function setAppointee(address account, address appointee, address target, bytes4 selector) external;

    /// @notice Offers `admin` the administration of `account`; it takes effect when `admin` accepts.
    function addPendingAdmin(address account, address admin) external;
}
