// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenDisputes} from "../interfaces/IAnzenDisputes.sol";
import {IAnzenTaskManager} from "../interfaces/IAnzenTaskManager.sol";
import {IModelEvaluator} from "../interfaces/IModelEvaluator.sol";
import {ISafetyFactorModels} from "../interfaces/ISafetyFactorModels.sol";
import {WrongAnswers} from "./WrongAnswers.sol";

/// @title ProvedDisputes
/// @notice Disputes that recompute the answer. Nobody has to be asked, and nobody can prevent them.
abstract contract ProvedDisputes is WrongAnswers {
    /// @inheritdoc IAnzenDisputes
    function challenge(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponse calldata response,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        uint80 roundId,
        IModelEvaluator.Witness calldata witness
    ) external {
        bytes32 taskHash = _checkResponse(task, response, metadata);
        (uint32 vetoBlocks, uint32 executionBlocks) = _checkProvable(task, metadata, taskHash);
        (ISafetyFactorModels.Outcome outcome, int256 safetyFactor) =
            evaluator.evaluate(task.modelHash, task.referenceBlockHash, witness);
        // Where nothing follows from the chain's state, no answer is right.
        if (outcome == ISafetyFactorModels.Outcome.Answer && safetyFactor == response.safetyFactor) {
            revert ChallengeUnfounded(safetyFactor);
        }
        _withdraw(task, taskHash, roundId, vetoBlocks, executionBlocks);
    }

    /// @dev That the answer can be proved wrong now: in its challenge window, and as long as the committee is asked about it, as a
    /// source may answer again meanwhile. Stakes are sure to be slashable for as long only as the task's windows last, so whatever
    /// comes after the challenge window is taken from the veto's: half of it at most, or whoever proves could choose that there is
    /// none.
    function _checkProvable(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        bytes32 taskHash
    ) private view returns (uint32 vetoBlocks, uint32 executionBlocks) {
        (IAnzenTaskManager.Windows memory windows, uint256 last) = _challengeWindow(task, metadata);
        if (block.number <= last) return (windows.veto, windows.execution);
        if (block.number > _rulingEnd(taskHash)) revert ChallengeWindowOver(last);
        uint256 lastWhileAsked = last + windows.veto / 2;
        if (block.number > lastWhileAsked) revert ChallengeWindowOver(lastWhileAsked);
        return (uint32(last + windows.veto - block.number), windows.execution);
    }
}
