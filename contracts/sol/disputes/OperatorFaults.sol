// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenDisputes} from "../interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../interfaces/IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "../interfaces/IAnzenTaskManager.sol";
import {BN254} from "../libraries/BN254.sol";
import {BlsSignature} from "../libraries/BlsSignature.sol";
import {DisputeGovernance} from "./DisputeGovernance.sol";
import {TaskRecords} from "./TaskRecords.sol";

/// @title OperatorFaults
/// @notice What a single operator is held to: that it signs one answer to a task, and that it does not keep away.
/// @dev An aggregator chooses whose signatures it takes, so to be left out of a certificate proves nothing against an
/// operator that had time to record its answer here and did not. Whoever was left out of a late certificate had no time.
abstract contract OperatorFaults is TaskRecords, DisputeGovernance {
    /// @dev An operator's absences.
    /// @param periodStart The block of the first absence of the present period.
    /// @param count How many there were in it.
    /// @param ejectedBlock The block in which the operator was last ejected for them.
    /// @param taskCreated The block in which the last task that it kept away from was created.
    /// @param quorums The quorums that it was in then, as a bitmap.
    struct Tally {
        uint32 periodStart;
        uint16 count;
        uint32 ejectedBlock;
        uint32 taskCreated;
        uint192 quorums;
    }

    /// @custom:storage-location erc7201:anzen.storage.OperatorFaults
    struct FaultsStorage {
        mapping(bytes32 taskHash => mapping(bytes32 operatorId => bool)) attested;
        mapping(bytes32 taskHash => mapping(bytes32 operatorId => bool)) counted;
        mapping(bytes32 operatorId => Tally) tallies;
    }

    // keccak256(abi.encode(uint256(keccak256("anzen.storage.OperatorFaults")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant STORAGE_LOCATION = 0x53cfe39f49457c981d9b544d2fa0a94820f9197a36bb955aee291bbe44774500;

    /// @inheritdoc IAnzenDisputes
    function attest(IAnzenTaskManager.Task calldata task, SignedAnswer calldata answer, OperatorKey calldata key)
        external
    {
        bytes32 taskHash = _checkTask(task);
        uint256 last = uint256(task.createdBlock) + taskManager.windowsAt(task.createdBlock).response;
        if (block.number > last) revert AttestWindowOver(last);
        bytes32 operatorId = BN254.hashG1(key.g1);
        FaultsStorage storage $ = _faults();
        if ($.attested[taskHash][operatorId]) revert AlreadyAttested(operatorId);
        _checkSigned(taskHash, answer, key);
        $.attested[taskHash][operatorId] = true;
        emit AnswerAttested(taskHash, operatorId, answer.safetyFactor);
    }

    /// @inheritdoc IAnzenDisputes
    function proveEquivocation(
        IAnzenTaskManager.Task calldata task,
        SignedAnswer calldata first,
        SignedAnswer calldata second,
        OperatorKey calldata key,
        uint32 bitmapIndex
    ) external {
        bytes32 taskHash = _checkTask(task);
        IAnzenTaskManager.Windows memory windows = taskManager.windowsAt(task.createdBlock);
        uint256 last = uint256(task.createdBlock) + windows.response + windows.challenge;
        if (block.number > last) revert ChallengeWindowOver(last);
        if (first.safetyFactor == second.safetyFactor) revert SameAnswer();
        _checkSigned(taskHash, first, key);
        _checkSigned(taskHash, second, key);

        bytes32 operatorId = BN254.hashG1(key.g1);
        uint192 quorums = _quorumsOf(task, operatorId, bitmapIndex);
        IAnzenServiceManager.FaultKind kind = IAnzenServiceManager.FaultKind.Equivocation;
        bytes32 faultId = faultIdOf(kind, taskHash, operatorId);
        serviceManager.recordFault(faultId, kind, task.quorumNumbers, windows.veto, windows.execution);
        serviceManager.freezeOperator(faultId, _accountOf(operatorId), quorums);
        emit EquivocationProved(taskHash, operatorId, faultId);
    }

    /// @inheritdoc IAnzenDisputes
    function recordAbsence(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponse calldata response,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        bytes32[] calldata nonSignerIds,
        Member calldata member
    ) external {
        bytes32 taskHash = _checkResponse(task, response, metadata);
        _checkWasAbsence(task, metadata);
        _checkNonSigners(task, metadata, nonSignerIds);
        bytes32 operatorId = member.operatorId;
        if (!_contains(nonSignerIds, operatorId)) revert OperatorSigned(operatorId);
        uint192 quorums = _quorumsOf(task, operatorId, member.bitmapIndex);

        FaultsStorage storage $ = _faults();
        if ($.attested[taskHash][operatorId]) revert AlreadyAttested(operatorId);
        if ($.counted[taskHash][operatorId]) revert AbsenceCounted(operatorId);
        $.counted[taskHash][operatorId] = true;
        _count(taskHash, operatorId, task.createdBlock, quorums);
    }

    /// @inheritdoc IAnzenDisputes
    function ruleAbsence(bytes32 operatorId) external onlyRole(COMMITTEE_ROLE) {
        Tally storage tally = _faults().tallies[operatorId];
        if (tally.ejectedBlock == 0) revert NotAnAbsentee(operatorId);
        IAnzenTaskManager.Windows memory windows = taskManager.windowsAt(tally.taskCreated);
        uint256 last = uint256(tally.ejectedBlock) + windows.veto;
        if (block.number > last) revert RulingWindowOver(last);
        uint192 quorums = tally.quorums;
        bytes32 faultId =
            faultIdOf(IAnzenServiceManager.FaultKind.Absence, bytes32(uint256(tally.ejectedBlock)), operatorId);
        tally.ejectedBlock = 0;
        serviceManager.recordFault(
            faultId, IAnzenServiceManager.FaultKind.Absence, _numbers(quorums), 0, windows.execution
        );
        serviceManager.freezeOperator(faultId, _accountOf(operatorId), quorums);
    }

    /// @inheritdoc IAnzenDisputes
    function hasAttested(bytes32 taskHash, bytes32 operatorId) external view returns (bool) {
        return _faults().attested[taskHash][operatorId];
    }

    /// @inheritdoc IAnzenDisputes
    function absences(bytes32 operatorId) external view returns (uint256) {
        Tally memory tally = _faults().tallies[operatorId];
        return _isOver(tally) ? 0 : tally.count;
    }

    /// @dev Counts an absence, in a new period where the last one is over.
    function _count(bytes32 taskHash, bytes32 operatorId, uint32 createdBlock, uint192 quorums) private {
        Tally storage tally = _faults().tallies[operatorId];
        if (_isOver(tally)) {
            tally.periodStart = uint32(block.number);
            tally.count = 0;
        }
        uint16 count = ++tally.count;
        emit AbsenceRecorded(taskHash, operatorId, count);
        if (count <= disputePolicy().absencesAllowed) return;

        tally.count = 0;
        tally.ejectedBlock = uint32(block.number);
        tally.taskCreated = createdBlock;
        tally.quorums = quorums;
        serviceManager.ejectFromAll(_accountOf(operatorId));
        emit AbsenteeEjected(operatorId);
    }

    /// @dev That absence from the answer can be counted now, and that it means something.
    function _checkWasAbsence(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata
    ) private view {
        IAnzenTaskManager.Windows memory windows = _checkChallengeWindow(task, metadata);
        uint256 last = uint256(task.createdBlock) + windows.response;
        if (block.number <= last) revert AttestWindowNotOver(last);
        if (metadata.respondedBlock > task.createdBlock + windows.response / 2) {
            revert AnsweredLate(metadata.respondedBlock);
        }
    }

    /// @dev That the operator with this key signed the answer.
    function _checkSigned(bytes32 taskHash, SignedAnswer calldata answer, OperatorKey calldata key) private view {
        bytes32 digest = taskManager.responseDigest(
            IAnzenTaskManager.TaskResponse({taskHash: taskHash, safetyFactor: answer.safetyFactor})
        );
        BlsSignature.verify(digest, key.g1, key.g2, answer.sigma);
    }

    function _isOver(Tally memory tally) private view returns (bool) {
        return tally.count == 0 || block.number > uint256(tally.periodStart) + disputePolicy().absencePeriod;
    }

    /// @dev The quorums of a bitmap, a byte each, ascending.
    function _numbers(uint192 quorums) private pure returns (bytes memory numbers) {
        for (uint256 q; quorums >> q != 0; ++q) {
            if (quorums >> q & 1 == 1) numbers = bytes.concat(numbers, bytes1(uint8(q)));
        }
    }

    function _faults() private pure returns (FaultsStorage storage $) {
        assembly ("memory-safe") {
            $.slot := STORAGE_LOCATION
        }
    }
}
