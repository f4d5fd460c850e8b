// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {CommitteeDisputes} from "./disputes/CommitteeDisputes.sol";
import {OperatorFaults} from "./disputes/OperatorFaults.sol";
import {ProvedDisputes} from "./disputes/ProvedDisputes.sol";
import {TaskRecords} from "./disputes/TaskRecords.sol";
import {IAnzenServiceManager} from "./interfaces/IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "./interfaces/IAnzenTaskManager.sol";
import {IModelEvaluator} from "./interfaces/IModelEvaluator.sol";

/// @title AnzenDisputes
/// @notice Disputes about answers, and what operators are held to. See IAnzenDisputes.
contract AnzenDisputes is ProvedDisputes, CommitteeDisputes, OperatorFaults {
    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor(IAnzenTaskManager taskManager_, IAnzenServiceManager serviceManager_, IModelEvaluator evaluator_)
        TaskRecords(taskManager_, serviceManager_, evaluator_)
    {
        _disableInitializers();
    }

    /// @notice Sets who administers and what governance has decided. The committee may be zero, and be named later.
    function initialize(address admin, address committee, DisputePolicy calldata policy) external initializer {
        if (admin == address(0)) revert ZeroAddress();
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        if (committee != address(0)) _grantRole(COMMITTEE_ROLE, committee);
        _setDisputePolicy(policy);
    }
}
