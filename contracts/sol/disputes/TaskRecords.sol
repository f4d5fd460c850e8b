// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ISlashingRegistryCoordinator} from "../eigenlayer/ISlashingRegistryCoordinator.sol";
import {IAnzenDisputes} from "../interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../interfaces/IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "../interfaces/IAnzenTaskManager.sol";
import {IModelEvaluator} from "../interfaces/IModelEvaluator.sol";
import {ISafetyFactorOracle} from "../interfaces/ISafetyFactorOracle.sol";

/// @title TaskRecords
/// @notice What disputes are about: tasks, answers, and who took part. The task manager keeps hashes only, so whoever disputes
/// supplies the rest; here it is compared with them.
abstract contract TaskRecords is IAnzenDisputes {
    /// @inheritdoc IAnzenDisputes
    IAnzenTaskManager public immutable taskManager;
    /// @inheritdoc IAnzenDisputes
    ISafetyFactorOracle public immutable oracle;
    /// @inheritdoc IAnzenDisputes
    IAnzenServiceManager public immutable serviceManager;
    /// @inheritdoc IAnzenDisputes
    IModelEvaluator public immutable evaluator;

    ISlashingRegistryCoordinator private immutable _coordinator;

    constructor(IAnzenTaskManager taskManager_, IAnzenServiceManager serviceManager_, IModelEvaluator evaluator_) {
        evaluator = evaluator_;
        taskManager = taskManager_;
        oracle = taskManager_.oracle();
        serviceManager = serviceManager_;
        _coordinator = serviceManager_.registryCoordinator();
        bool belongTogether =
            _coordinator == taskManager_.registryCoordinator() && evaluator_.models() == taskManager_.models();
        if (!belongTogether) revert ContractsOfAnotherDeployment();
    }

    /// @inheritdoc IAnzenDisputes
    function faultIdOf(IAnzenServiceManager.FaultKind kind, bytes32 taskHash, bytes32 operatorId)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(kind, taskHash, operatorId));
    }

    /// @dev That there is such a task.
    function _checkTask(IAnzenTaskManager.Task calldata task) internal view returns (bytes32 taskHash) {
        taskHash = keccak256(abi.encode(task));
        if (taskManager.taskHashAt(task.index) != taskHash) revert UnknownTask(taskHash);
    }

    /// @dev That there is such a task, and that it was answered so.
    function _checkResponse(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponse calldata response,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata
    ) internal view returns (bytes32 taskHash) {
        taskHash = _checkTask(task);
        bytes32 known = taskManager.responseHash(taskHash);
        if (known != keccak256(abi.encode(response, metadata))) revert UnknownResponse(taskHash);
    }

    /// @dev The task's windows, and the last block of the one in which its answer can be challenged.
    function _challengeWindow(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata
    ) internal view returns (IAnzenTaskManager.Windows memory windows, uint256 last) {
        windows = taskManager.windowsAt(task.createdBlock);
        last = uint256(metadata.respondedBlock) + windows.challenge;
    }

    /// @dev That the round is the answer to the task, and was not withdrawn. The index does not tell: an oracle that is given
    /// another task manager has rounds of both, and each numbers its tasks from 0. The reference block does, as no two answers
    /// about a protocol have the same.
    function _checkRound(IAnzenTaskManager.Task calldata task, uint80 roundId) internal view {
        ISafetyFactorOracle.Snapshot memory snapshot = oracle.getRound(task.oracleIndex, roundId);
        bool isAnswer = snapshot.kind == ISafetyFactorOracle.RoundKind.Answer && snapshot.taskIndex == task.index
            && snapshot.referenceBlock == task.referenceBlock;
        if (!isAnswer) revert ISafetyFactorOracle.RoundOfAnotherTask(roundId, task.index);
    }

    /// @dev That these, ascending, did not sign the answer, and all others of the quorums did.
    function _checkNonSigners(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        bytes32[] calldata nonSignerIds
    ) internal pure {
        bytes32 record = keccak256(abi.encodePacked(task.referenceBlock, nonSignerIds));
        if (record != metadata.signatoryRecordHash) revert WrongNonSigners();
    }

    /// @dev The quorums of the task that the operator was in at the reference block, as a bitmap: one at least.
    function _quorumsOf(IAnzenTaskManager.Task calldata task, bytes32 operatorId, uint32 bitmapIndex)
        internal
        view
        returns (uint192 quorums)
    {
        ISlashingRegistryCoordinator.QuorumBitmapUpdate memory entry =
            _coordinator.getQuorumBitmapUpdateByIndex(operatorId, bitmapIndex);
        bool inForce = entry.updateBlockNumber <= task.referenceBlock
            && (entry.nextUpdateBlockNumber == 0 || entry.nextUpdateBlockNumber > task.referenceBlock);
        for (uint256 i; inForce && i < task.quorumNumbers.length; ++i) {
            quorums |= entry.quorumBitmap & uint192(1) << uint8(task.quorumNumbers[i]);
        }
        if (quorums == 0) revert NotInQuorum(operatorId);
    }

    /// @dev The account that registered the operator's key.
    function _accountOf(bytes32 operatorId) internal view returns (address) {
        return _coordinator.getOperatorFromId(operatorId);
    }

    /// @dev Whether `id` is in an ascending list.
    function _contains(bytes32[] calldata ids, bytes32 id) internal pure returns (bool) {
        uint256 low;
        uint256 high = ids.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (ids[middle] == id) return true;
            if (ids[middle] < id) low = middle + 1;
            else high = middle;
        }
        return false;
    }
}
