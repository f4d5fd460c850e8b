// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenDisputes} from "../interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../interfaces/IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "../interfaces/IAnzenTaskManager.sol";
import {TaskRecords} from "./TaskRecords.sol";

/// @title WrongAnswers
/// @notice What follows once an answer is known to be wrong, whoever found that out.
abstract contract WrongAnswers is TaskRecords {
    /// @inheritdoc IAnzenDisputes
    function freezeSigners(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponse calldata response,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        bytes32[] calldata nonSignerIds,
        Member[] calldata signers
    ) external {
        bytes32 taskHash = _checkResponse(task, response, metadata);
        _checkNonSigners(task, metadata, nonSignerIds);
        // There is such a fault only where the answer was found to be wrong.
        bytes32 faultId = faultIdOf(IAnzenServiceManager.FaultKind.WrongAnswer, taskHash, 0);
        for (uint256 i; i < signers.length; ++i) {
            bytes32 operatorId = signers[i].operatorId;
            if (_contains(nonSignerIds, operatorId)) revert OperatorDidNotSign(operatorId);
            uint192 quorums = _quorumsOf(task, operatorId, signers[i].bitmapIndex);
            serviceManager.freezeOperator(faultId, _accountOf(operatorId), quorums);
        }
    }

    /// @dev Withdraws an answer and records the fault of those who signed it.
    /// @param vetoBlocks For how many blocks the fault can be vetoed.
    function _withdraw(
        IAnzenTaskManager.Task calldata task,
        bytes32 taskHash,
        uint80 roundId,
        uint32 vetoBlocks,
        uint32 executionBlocks
    ) internal {
        IAnzenServiceManager.FaultKind kind = IAnzenServiceManager.FaultKind.WrongAnswer;
        bytes32 faultId = faultIdOf(kind, taskHash, 0);
        // The oracle knows the task by its index only.
        _checkRound(task, roundId);
        _endDispute(taskHash);
        oracle.withdraw(task.oracleIndex, roundId, task.index);
        serviceManager.recordFault(faultId, kind, task.quorumNumbers, vetoBlocks, executionBlocks);
        emit AnswerWithdrawn(task.index, taskHash, faultId, task.oracleIndex, roundId);
    }

    /// @dev The last block in which the committee can rule on the answer; zero where it has not to.
    function _rulingEnd(bytes32 taskHash) internal view virtual returns (uint256);

    /// @dev An answer that is withdrawn needs no ruling any more, whoever found out that it is wrong.
    function _endDispute(bytes32 taskHash) internal virtual;
}
