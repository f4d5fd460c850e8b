// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BN254} from "../libraries/BN254.sol";
import {IAnzenServiceManager} from "./IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "./IAnzenTaskManager.sol";
import {IDisputeStatus} from "./IDisputeStatus.sol";
import {IModelEvaluator} from "./IModelEvaluator.sol";
import {ISafetyFactorOracle} from "./ISafetyFactorOracle.sol";

/// @title IAnzenDisputes
/// @notice Where answers are disputed, and operators are held to what they signed.
///
/// A *challenge* recomputes an answer from proofs; a wrong one is withdrawn, and a fault recorded. Its signers are frozen
/// afterwards, in batches. Where an answer cannot be recomputed on chain, the *committee* rules on it. An operator that signed
/// two answers to one task is frozen by the proof of it. One that keeps away is ejected, unless it has *attested* its answers.
interface IAnzenDisputes is IDisputeStatus {
    /// @notice An operator that was in a quorum at a task's reference block.
    /// @param operatorId The operator.
    /// @param bitmapIndex Which entry in the coordinator's history of the operator's quorums was in force then.
    struct Member {
        bytes32 operatorId;
        uint32 bitmapIndex;
    }

    /// @notice An operator's key, in both groups.
    struct OperatorKey {
        BN254.G1Point g1;
        BN254.G2Point g2;
    }

    /// @notice An answer with its signature.
    struct SignedAnswer {
        int256 safetyFactor;
        BN254.G1Point sigma;
    }

    /// @notice What governance decides about disputes.
    /// @param bond What a challenge that the committee has to rule on costs if it is rejected, in wei, where none is pending. Each one
    /// that is pending, of any protocol, doubles it.
    /// @param treasury Who gets such a bond.
    /// @param mostPendingPerProtocol On how many answers of a protocol the committee may have to rule at once.
    /// @param mostPending And of all protocols. The last of them must cost less than 2^96 wei.
    /// @param absencesAllowed How many tasks an operator may keep away from within `absencePeriod` without consequences.
    /// @param absencePeriod That period, in blocks, from the first of the answers that it was absent from to the last.
    struct DisputePolicy {
        uint96 bond;
        address treasury;
        uint8 mostPendingPerProtocol;
        uint16 mostPending;
        uint16 absencesAllowed;
        uint32 absencePeriod;
    }

    /// @notice How a dispute before the committee stands.
    enum DisputeState {
        None,
        Pending,
        Upheld,
        Rejected,
        Lapsed
    }

    /// @notice A dispute before the committee.
    /// @param challenger Who gets the bond back.
    /// @param bond What was paid, in wei.
    /// @param oracleIndex The protocol.
    /// @param roundId The round that is disputed.
    /// @param rulingEnd The last block in which the committee can rule.
    struct CommitteeDispute {
        address challenger;
        uint96 bond;
        uint32 oracleIndex;
        uint80 roundId;
        uint32 rulingEnd;
        DisputeState state;
    }

    /// @notice An answer was proved wrong, or ruled to be; it was withdrawn. `faultId` names the fault of its signers.
    event AnswerWithdrawn(
        uint32 indexed taskIndex, bytes32 indexed taskHash, bytes32 indexed faultId, uint32 oracleIndex, uint80 roundId
    );
    /// @notice The committee has to rule on an answer until block `rulingEnd`.
    event CommitteeAsked(
        bytes32 indexed taskHash,
        uint32 indexed oracleIndex,
        address indexed challenger,
        uint80 roundId,
        uint32 rulingEnd
    );
    /// @notice A dispute before the committee is over.
    event CommitteeDisputeEnded(bytes32 indexed taskHash, DisputeState state);
    /// @notice An operator's own answer was recorded.
    event AnswerAttested(bytes32 indexed taskHash, bytes32 indexed operatorId, int256 safetyFactor);
    /// @notice An operator signed two answers to a task.
    event EquivocationProved(bytes32 indexed taskHash, bytes32 indexed operatorId, bytes32 indexed faultId);
    /// @notice An operator kept away from a task; it was the `count`-th time in its present period.
    event AbsenceRecorded(bytes32 indexed taskHash, bytes32 indexed operatorId, uint256 count);
    /// @notice An operator was ejected because it kept away too often, at last from the task `taskHash`. Until block `rulingEnd` the
    /// committee can make a fault of it, which faultIdOf names by that task.
    event AbsenteeEjected(bytes32 indexed operatorId, bytes32 indexed taskHash, uint32 rulingEnd);
    /// @notice Governance has decided anew about disputes.
    event DisputePolicySet(DisputePolicy policy);

    /// @notice An address that must not be zero is.
    error ZeroAddress();
    /// @notice The task manager, the service manager and the evaluator are not over the same coordinator and models.
    error ContractsOfAnotherDeployment();
    /// @notice There is no such task.
    error UnknownTask(bytes32 taskHash);
    /// @notice The task was not answered so.
    error UnknownResponse(bytes32 taskHash);
    /// @notice The answer could be challenged until block `last`.
    error ChallengeWindowOver(uint256 last);
    /// @notice The answer is what follows from the chain's state.
    error ChallengeUnfounded(int256 safetyFactor);
    /// @notice All that the model reads can be read on chain now: challenge the answer by proofs.
    error ModelIsReadable(bytes32 modelHash);
    /// @notice What the model reads cannot all be read on chain now: absence from its answers does not count.
    error ModelIsNotReadable(bytes32 modelHash);
    /// @notice The answer has been withdrawn, or disputed before the committee.
    error AlreadyDisputed(bytes32 taskHash);
    /// @notice The bond is `bond` wei at least.
    error WrongBond(uint256 bond);
    /// @notice The committee has to rule on as many answers as it may at once.
    error TooManyDisputes();
    /// @notice There is no dispute about the task before the committee, or it is over.
    error NoPendingDispute(bytes32 taskHash);
    /// @notice The committee could rule until block `last`.
    error RulingWindowOver(uint256 last);
    /// @notice The committee can rule until block `last`.
    error RulingWindowNotOver(uint256 last);
    /// @notice These are not those who did not sign.
    error WrongNonSigners();
    /// @notice The operator did not sign the answer.
    error OperatorDidNotSign(bytes32 operatorId);
    /// @notice The operator signed the answer, or was in none of its quorums.
    error OperatorSigned(bytes32 operatorId);
    /// @notice The operator was in none of the task's quorums at the reference block, or the index is not that of the entry
    /// that was in force then.
    error NotInQuorum(bytes32 operatorId);
    /// @notice The two answers are the same.
    error SameAnswer();
    /// @notice Answers to the task can be attested until block `last` only.
    error AttestWindowOver(uint256 last);
    /// @notice Answers to the task can still be attested, until block `last`.
    error AttestWindowNotOver(uint256 last);
    /// @notice The operator has attested an answer to the task; where an absence is recorded, the one that is final.
    error AlreadyAttested(bytes32 operatorId);
    /// @notice The answer came too late for those left out of it to attest theirs.
    error AnsweredLate(uint256 respondedBlock);
    /// @notice Absence from the answer could be counted until block `last`.
    error AbsenceWindowOver(uint256 last);
    /// @notice The absence is counted already.
    error AbsenceCounted(bytes32 operatorId);
    /// @notice The answer came too long before others, which the operator was absent from and which are counted, to count with them;
    /// or not after those for which it was ejected.
    error AbsenceOfAnEarlierPeriod(bytes32 operatorId);
    /// @notice The operator was not ejected for absence, or that was ruled on.
    error NotAnAbsentee(bytes32 operatorId);
    /// @notice The committee may have to rule on one answer of a protocol at least, and on no more than of all.
    error PendingOutOfRange(uint256 mostPendingPerProtocol, uint256 mostPending);
    /// @notice The bond is zero, or that of the last dispute that may be pending, which is `bond` doubled for each before, exceeds
    /// 2^96 wei.
    error BondOutOfRange(uint256 bond, uint256 mostPending);
    /// @notice The period of absences is zero.
    error NoAbsencePeriod();
    /// @notice There is nothing to be paid out to the caller.
    error NothingDue();
    /// @notice The payment was refused.
    error PaymentFailed();

    /// @notice Proves that an answer is wrong: that another one follows from the chain's state at the task's reference block, or
    /// that none does. It is withdrawn at once, and its signers can be frozen. By anyone, in the answer's challenge window; and as
    /// long as the committee is asked about the answer, for half as many blocks after that window as it could have vetoed: the
    /// other half at least is left for the veto. A challenge of an answer that is right reverts, and nothing else happens.
    /// @param roundId The oracle's round that the answer was written in.
    /// @param witness Proofs of what the model read.
    function challenge(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponse calldata response,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        uint80 roundId,
        IModelEvaluator.Witness calldata witness
    ) external;

    /// @notice Has the committee rule on an answer that cannot be recomputed on chain now: its model makes a view call, or a feed or
    /// stake registry that it reads does not answer (IModelEvaluator.isReadable). By anyone who pays the bond, in the answer's
    /// challenge window, once for each answer. What is paid beyond the bond (`bond`) is due to the caller; the bond comes back unless the committee rejects the challenge. A `challenge`
    /// that succeeds meanwhile ends the dispute.
    function challengeByCommittee(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponse calldata response,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        uint80 roundId
    ) external payable;

    /// @notice Rules on an answer. By the committee, for as many blocks as it could have vetoed: a fault that it finds cannot
    /// be vetoed. It cannot uphold a challenge of an answer that can be recomputed on chain again: that takes a proof; nor
    /// reject it after the challenge window, which would end the time for one. Where none comes, the dispute lapses.
    function rule(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponse calldata response,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        bool upheld
    ) external;

    /// @notice Ends a dispute on which the committee has not ruled in time: the answer stands, the bond goes back. By anyone.
    function lapse(bytes32 taskHash) external;

    /// @notice Pays the bonds that are due to the caller out, to an address that takes them.
    function withdrawBonds(address to) external;

    /// @notice Freezes signers of an answer that was withdrawn. By anyone, until the fault's execution window is over. Those
    /// that are frozen already are passed over.
    /// @param nonSignerIds Those who did not sign, strictly ascending.
    /// @param signers Those to be frozen.
    function freezeSigners(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponse calldata response,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        bytes32[] calldata nonSignerIds,
        Member[] calldata signers
    ) external;

    /// @notice Records an operator's own answer to a task, so that its absence from a certificate for that answer is no absence. By
    /// anyone, within the response window, one answer for each operator.
    function attest(IAnzenTaskManager.Task calldata task, SignedAnswer calldata answer, OperatorKey calldata key)
        external;

    /// @notice Proves that an operator signed two answers to a task, and freezes it. By anyone, as long as an answer to the task
    /// could be challenged.
    function proveEquivocation(
        IAnzenTaskManager.Task calldata task,
        SignedAnswer calldata first,
        SignedAnswer calldata second,
        OperatorKey calldata key,
        uint32 bitmapIndex
    ) external;

    /// @notice Counts that an operator kept away from a task; ejects it if that was once too often. By anyone, once the answer is
    /// final, for half as many blocks after its challenge window as the committee could have vetoed; and only if the answer came
    /// in the first half of the response window, so that who was left out of it had time to attest; and only if all that the model
    /// reads can be read on chain now (IModelEvaluator.isReadable). Absences count together if their answers, whenever they are
    /// recorded, came within a period of the policy. It begins with the first of them: it does not slide.
    /// @param roundId The oracle's round that the answer was written in.
    function recordAbsence(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponse calldata response,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        uint80 roundId,
        bytes32[] calldata nonSignerIds,
        Member calldata member
    ) external;

    /// @notice Makes a fault of the absence for which an operator was ejected. By the committee, until the `rulingEnd` of
    /// AbsenteeEjected: as many blocks after the challenge window as it could have vetoed.
    function ruleAbsence(bytes32 operatorId) external;

    /// @notice Decides about disputes from now on. By the administrator.
    function setDisputePolicy(DisputePolicy calldata policy) external;

    function disputePolicy() external view returns (DisputePolicy memory);

    /// @notice The dispute about a task's answer before the committee.
    function committeeDispute(bytes32 taskHash) external view returns (CommitteeDispute memory);

    /// @notice The name of a fault: of all who signed the wrong answer to a task (`operatorId` zero), or of one operator. An absence
    /// is named by the task that was one too many.
    function faultIdOf(IAnzenServiceManager.FaultKind kind, bytes32 taskHash, bytes32 operatorId)
        external
        pure
        returns (bytes32);

    /// @notice Whether an operator has attested an answer to a task.
    function hasAttested(bytes32 taskHash, bytes32 operatorId) external view returns (bool);

    /// @notice How often an operator has been absent in its present period, as far as that is recorded; 0 when it is over.
    function absences(bytes32 operatorId) external view returns (uint256);

    /// @notice What `challengeByCommittee` costs now, in wei. Where disputes are overdue, ending them first (`lapse`) makes it less.
    function bond() external view returns (uint256);

    /// @notice The bonds that are due to an account, in wei.
    function bondsDue(address account) external view returns (uint256);

    function taskManager() external view returns (IAnzenTaskManager);

    function oracle() external view returns (ISafetyFactorOracle);

    function serviceManager() external view returns (IAnzenServiceManager);

    /// @notice What recomputes answers.
    function evaluator() external view returns (IModelEvaluator);

    /// @notice The role of the committee: it rules on what cannot be recomputed, and on absence. The service manager has a role of
    /// the same name, for vetoes.
    function COMMITTEE_ROLE() external view returns (bytes32);
}
