// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title IDelegationManager
/// @notice What Anzen calls of EigenLayer's DelegationManager.
interface IDelegationManager {
    /// @notice Blocks for which stake whose withdrawal was queued can still be slashed.
    function minWithdrawalDelayBlocks() external view returns (uint32);
}
