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
        IAnzenTaskManager.Windows memory windows = _checkChallengeWindow(task, metadata);
        (ISafetyFactorModels.Outcome outcome, int256 safetyFactor) =
            evaluator.evaluate(task.modelHash, task.referenceBlockHash, witness);
        // Where nothing follows from the chain's state, no answer is right.
        if (outcome == ISafetyFactorModels.Outcome.Answer && safetyFactor == response.safetyFactor) {
            revert ChallengeUnfounded(safetyFactor);
        }
        _withdraw(task, taskHash, roundId, windows.veto, windows.execution);
    }
}
