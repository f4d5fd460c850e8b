// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title IDisputeStatus
/// @notice What the oracle asks of the disputes contract.
interface IDisputeStatus {
    /// @notice Whether the committee has to rule on a round.
    function isDisputed(uint32 oracleIndex, uint80 roundId) external view returns (bool);

    /// @notice On how many rounds of a protocol the committee has to rule.
    function pendingDisputes(uint32 oracleIndex) external view returns (uint256);
}
