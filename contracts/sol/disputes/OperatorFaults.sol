// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenDisputes} from "../interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../interfaces/IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "../interfaces/IAnzenTaskManager.sol";
import {ISafetyFactorOracle} from "../interfaces/ISafetyFactorOracle.sol";
import {BN254} from "../libraries/BN254.sol";
import {BlsSignature} from "../libraries/BlsSignature.sol";
import {DisputeGovernance} from "./DisputeGovernance.sol";
import {TaskRecords} from "./TaskRecords.sol";

/// @title OperatorFaults
/// @notice What a single operator is held to: that it signs one answer to a task, and that it does not keep away.
/// @dev An aggregator chooses whose signatures it takes, so to be left out of a certificate says something only of an operator
/// that had time to record its answer here and did not. Whoever was left out of a late certificate had no time. And who did
/// not sign a wrong answer did right: where nothing follows from the chain's state, it had no answer to record. So an absence
/// counts only when the answer is final, and could be recomputed: where it cannot, nobody can tell who was right, and a
/// majority could eject whoever did not sign what it says.
abstract contract OperatorFaults is TaskRecords, DisputeGovernance {
    /// @dev An operator's absences.
    /// @param first The block of the first answer of the present period that the operator was absent from.
    /// @param last And of the last one; with a `count` of zero, that of the period for which the operator was ejected.
    /// @param count How many there were.
    /// @param rulingEnd Until when the committee can make a fault of those for which the operator was last ejected; zero if it
    /// cannot, or has done so.
    /// @param executionBlocks For how many blocks from then on the fault can be executed.
    /// @param taskHash The last of the tasks that it was ejected for.
    /// @param quorums Those of the task's quorums that it was in.
    struct Tally {
        uint32 first;
        uint32 last;
        uint16 count;
        uint32 rulingEnd;
        uint32 executionBlocks;
        bytes32 taskHash;
        uint192 quorums;
    }

    /// @custom:storage-location erc7201:anzen.storage.OperatorFaults
    struct FaultsStorage {
        // keccak256(abi.encode(the answer)).
        mapping(bytes32 taskHash => mapping(bytes32 operatorId => bytes32)) attested;
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
        if ($.attested[taskHash][operatorId] != 0) revert AlreadyAttested(operatorId);
        _checkSigned(taskHash, answer, key);
        $.attested[taskHash][operatorId] = keccak256(abi.encode(answer.safetyFactor));
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
        uint80 roundId,
        bytes32[] calldata nonSignerIds,
        Member calldata member
    ) external {
        bytes32 taskHash = _checkResponse(task, response, metadata);
        _checkCountsAsAbsence(task, metadata, roundId);
        _checkNonSigners(task, metadata, nonSignerIds);
        bytes32 operatorId = member.operatorId;
        if (!_contains(nonSignerIds, operatorId)) revert OperatorSigned(operatorId);
        uint192 quorums = _quorumsOf(task, operatorId, member.bitmapIndex);

        FaultsStorage storage $ = _faults();
        // Any other answer was of no use to the protocol: to sign one must not be a cheap way to keep away.
        if ($.attested[taskHash][operatorId] == keccak256(abi.encode(response.safetyFactor))) {
            revert AlreadyAttested(operatorId);
        }
        if ($.counted[taskHash][operatorId]) revert AbsenceCounted(operatorId);
        $.counted[taskHash][operatorId] = true;
        if (_count(taskHash, operatorId, metadata.respondedBlock)) {
            _ejectAbsentee(task, taskHash, metadata.respondedBlock, operatorId, quorums);
        }
    }

    /// @inheritdoc IAnzenDisputes
    function ruleAbsence(bytes32 operatorId) external onlyRole(COMMITTEE_ROLE) {
        Tally memory tally = _faults().tallies[operatorId];
        if (tally.rulingEnd == 0) revert NotAnAbsentee(operatorId);
        if (block.number > tally.rulingEnd) revert RulingWindowOver(tally.rulingEnd);
        _faults().tallies[operatorId].rulingEnd = 0;

        IAnzenServiceManager.FaultKind kind = IAnzenServiceManager.FaultKind.Absence;
        bytes32 faultId = faultIdOf(kind, tally.taskHash, operatorId);
        // The ruling stands in for the veto.
        serviceManager.recordFault(faultId, kind, _numbers(tally.quorums), 0, tally.executionBlocks);
        serviceManager.freezeOperator(faultId, _accountOf(operatorId), tally.quorums);
    }

    /// @inheritdoc IAnzenDisputes
    function hasAttested(bytes32 taskHash, bytes32 operatorId) external view returns (bool) {
        return _faults().attested[taskHash][operatorId] != 0;
    }

    /// @inheritdoc IAnzenDisputes
    function absences(bytes32 operatorId) external view returns (uint256) {
        Tally memory tally = _faults().tallies[operatorId];
        return block.number > uint256(tally.first) + disputePolicy().absencePeriod ? 0 : tally.count;
    }

    /// @dev Counts an absence, in a new period where the last one was over. Returns whether it was one too many. Periods are of
    /// the blocks of the answers: who records chooses when, and in which order, and must not join by it what is apart.
    function _count(bytes32 taskHash, bytes32 operatorId, uint32 respondedBlock) private returns (bool tooMany) {
        Tally storage tally = _faults().tallies[operatorId];
        uint256 period = disputePolicy().absencePeriod;
        // Nor may what is older begin anew, or bring forward the end of the ruling on those that the operator was ejected for.
        if (tally.count == 0 && respondedBlock <= tally.last) revert AbsenceOfAnEarlierPeriod(operatorId);
        if (tally.count == 0 || respondedBlock > tally.first + period) {
            (tally.first, tally.last, tally.count) = (respondedBlock, respondedBlock, 0);
        }
        if (respondedBlock + period < tally.last) revert AbsenceOfAnEarlierPeriod(operatorId);
        if (respondedBlock < tally.first) tally.first = respondedBlock;
        if (respondedBlock > tally.last) tally.last = respondedBlock;
        uint16 count = ++tally.count;
        emit AbsenceRecorded(taskHash, operatorId, count);
        return count > disputePolicy().absencesAllowed;
    }

    /// @dev Ejects an operator, and leaves to the committee whether its absence is a fault. The end of that time does not depend
    /// on when the absence was counted: stakes are sure to be slashable for as long only as the task's windows last.
    function _ejectAbsentee(
        IAnzenTaskManager.Task calldata task,
        bytes32 taskHash,
        uint32 respondedBlock,
        bytes32 operatorId,
        uint192 quorums
    ) private {
        IAnzenTaskManager.Windows memory windows = taskManager.windowsAt(task.createdBlock);
        uint32 rulingEnd = respondedBlock + windows.challenge + windows.veto;
        Tally storage tally = _faults().tallies[operatorId];
        (tally.first, tally.count) = (0, 0);
        (tally.rulingEnd, tally.executionBlocks) = (rulingEnd, windows.execution);
        (tally.taskHash, tally.quorums) = (taskHash, quorums);
        emit AbsenteeEjected(operatorId, taskHash, rulingEnd);
        serviceManager.ejectFromAll(_accountOf(operatorId));
    }

    /// @dev That absence from the answer can be counted now, and that it means something.
    function _checkCountsAsAbsence(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        uint80 roundId
    ) private view {
        IAnzenTaskManager.Windows memory windows = taskManager.windowsAt(task.createdBlock);
        if (metadata.respondedBlock > task.createdBlock + windows.response / 2) {
            revert AnsweredLate(metadata.respondedBlock);
        }
        uint256 attestEnd = uint256(task.createdBlock) + windows.response;
        if (block.number <= attestEnd) revert AttestWindowNotOver(attestEnd);
        _checkRound(task, roundId);
        if (oracle.roundStatus(task.oracleIndex, roundId) != ISafetyFactorOracle.RoundStatus.Final) {
            revert ISafetyFactorOracle.RoundNotFinal(task.oracleIndex, roundId);
        }
        // Half of the time in which the committee could veto is left for its ruling.
        uint256 last = uint256(metadata.respondedBlock) + windows.challenge + windows.veto / 2;
        if (block.number > last) revert AbsenceWindowOver(last);
        // As of now: a source that does not answer excuses as long as that lasts.
        if (!evaluator.isReadable(task.modelHash)) revert ModelIsNotReadable(task.modelHash);
    }

    /// @dev That the operator with this key signed the answer.
    function _checkSigned(bytes32 taskHash, SignedAnswer calldata answer, OperatorKey calldata key) private view {
        bytes32 digest = taskManager.responseDigest(
            IAnzenTaskManager.TaskResponse({taskHash: taskHash, safetyFactor: answer.safetyFactor})
        );
        BlsSignature.verify(digest, key.g1, key.g2, answer.sigma);
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
