// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IDelegationManager} from "./IDelegationManager.sol";

/// @title IAllocationManager
/// @notice What Anzen calls of EigenLayer's AllocationManager.
interface IAllocationManager {
    struct OperatorSet {
        address avs;
        uint32 id;
    }

    struct CreateSetParams {
        uint32 operatorSetId;
        address[] strategies;
    }

    struct DeregisterParams {
        address operator;
        address avs;
        uint32[] operatorSetIds;
    }

    struct SlashingParams {
        address operator;
        uint32 operatorSetId;
        address[] strategies;
        uint256[] wadsToSlash;
        string description;
    }

    function delegation() external view returns (IDelegationManager);

    /// @notice Blocks for which an operator that leaves, or takes stake back, can still be slashed.
    function DEALLOCATION_DELAY() external view returns (uint32);

    /// @notice Announces an AVS; the first thing that it does.
    function updateAVSMetadataURI(address avs, string calldata metadataURI) external;

    /// @notice Sets who is told of operators that register for, or leave, the operator sets of `avs`.
    function setAVSRegistrar(address avs, address registrar) external;

    function createOperatorSets(address avs, CreateSetParams[] calldata params) external;

    function addStrategiesToOperatorSet(address avs, uint32 operatorSetId, address[] calldata strategies) external;

    function deregisterFromOperatorSets(DeregisterParams calldata params) external;

    /// @notice Takes shares, in units of 1e-18, of what an operator has allocated to an operator set. The operator must be
    /// slashable there; strategies must be of the set, strictly ascending; what is not allocated is passed over.
    function slashOperator(address avs, SlashingParams calldata params) external;

    /// @notice The strategies whose stake secures an operator set.
    function getStrategiesInOperatorSet(OperatorSet calldata operatorSet) external view returns (address[] memory);
}
