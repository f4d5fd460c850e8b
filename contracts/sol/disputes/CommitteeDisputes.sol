// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenDisputes} from "../interfaces/IAnzenDisputes.sol";
import {IAnzenTaskManager} from "../interfaces/IAnzenTaskManager.sol";
import {IDisputeStatus} from "../interfaces/IDisputeStatus.sol";
import {DisputeGovernance} from "./DisputeGovernance.sol";
import {WrongAnswers} from "./WrongAnswers.sol";

/// @title CommitteeDisputes
/// @notice Disputes about answers that cannot be recomputed on chain: because the model makes a view call, or because a feed or
/// a stake registry that it reads does not answer any more.
/// @dev Each costs a bond and a place, and the bond twice as much as that of the one before: whoever wants to take `n` places
/// pays 2^n - 1 bonds, and whoever overpays, as others may come before, has the rest due. When the time for a ruling is over, anyone can free both (`lapse`); the next dispute about
/// the protocol does so by itself, one about another protocol does not. So no one can hold anything up for longer than that. An answer is disputed once: the committee need not rule twice.
///
/// A source that fails must neither shield a wrong answer nor speak against a right one. So it proves nothing (FeedRounds), and
/// opens this way instead. That it fails is asked here, with gas that the caller cannot cut short (BoundedCall). If it answers
/// again before the committee has ruled, only a proof can withdraw the answer (ProvedDisputes says until when), and the committee
/// cannot keep anybody from it: after the challenge window it cannot reject either.
abstract contract CommitteeDisputes is WrongAnswers, DisputeGovernance {
    /// @custom:storage-location erc7201:anzen.storage.CommitteeDisputes
    struct CommitteeStorage {
        mapping(bytes32 taskHash => CommitteeDispute) disputes;
        // Those that are pending, and those whose time is over that nobody has ended yet.
        mapping(uint32 oracleIndex => bytes32[] taskHashes) open;
        uint256 openCount;
        mapping(address account => uint256) due;
    }

    // keccak256(abi.encode(uint256(keccak256("anzen.storage.CommitteeDisputes")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant STORAGE_LOCATION = 0x8b7bd2385d5f8fc0559ac90246476619abc8b8e10e70d2cf13bd1d32896e4200;

    /// @inheritdoc IAnzenDisputes
    function challengeByCommittee(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponse calldata response,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        uint80 roundId
    ) external payable {
        bytes32 taskHash = _checkResponse(task, response, metadata);
        (IAnzenTaskManager.Windows memory windows, uint256 last) = _challengeWindow(task, metadata);
        if (block.number > last) revert ChallengeWindowOver(last);
        if (evaluator.isReadable(task.modelHash)) revert ModelIsReadable(task.modelHash);
        // Else the oracle would refuse to withdraw it after the ruling.
        _checkRound(task, roundId);
        CommitteeStorage storage $ = _committee();
        if ($.disputes[taskHash].state != DisputeState.None) revert AlreadyDisputed(taskHash);
        _endOverdue(task.oracleIndex);
        DisputePolicy memory policy = disputePolicy();
        if ($.open[task.oracleIndex].length >= policy.mostPendingPerProtocol || $.openCount >= policy.mostPending) {
            revert TooManyDisputes();
        }
        uint256 price = bond();
        if (msg.value < price) revert WrongBond(price);
        $.due[msg.sender] += msg.value - price;

        uint32 rulingEnd = uint32(block.number + windows.veto);
        $.disputes[taskHash] = CommitteeDispute({
            challenger: msg.sender,
            bond: uint96(price),
            oracleIndex: task.oracleIndex,
            roundId: roundId,
            rulingEnd: rulingEnd,
            state: DisputeState.Pending
        });
        $.open[task.oracleIndex].push(taskHash);
        ++$.openCount;
        emit CommitteeAsked(taskHash, task.oracleIndex, msg.sender, roundId, rulingEnd);
    }

    /// @inheritdoc IAnzenDisputes
    function rule(
        IAnzenTaskManager.Task calldata task,
        IAnzenTaskManager.TaskResponse calldata response,
        IAnzenTaskManager.TaskResponseMetadata calldata metadata,
        bool upheld
    ) external onlyRole(COMMITTEE_ROLE) {
        bytes32 taskHash = _checkResponse(task, response, metadata);
        CommitteeDispute memory dispute = _pending(taskHash);
        if (block.number > dispute.rulingEnd) revert RulingWindowOver(dispute.rulingEnd);
        (IAnzenTaskManager.Windows memory windows, uint256 last) = _challengeWindow(task, metadata);
        // Whoever is right can prove it now; in the challenge window also after a rejection, and later before one only.
        if ((upheld || block.number > last) && evaluator.isReadable(task.modelHash)) {
            revert ModelIsReadable(task.modelHash);
        }
        if (upheld) {
            // The ruling stands in for the veto.
            _withdraw(task, taskHash, dispute.roundId, 0, windows.execution);
        } else {
            _end(taskHash, DisputeState.Rejected, disputePolicy().treasury);
        }
    }

    /// @inheritdoc IAnzenDisputes
    function lapse(bytes32 taskHash) external {
        CommitteeDispute memory dispute = _pending(taskHash);
        if (block.number <= dispute.rulingEnd) revert RulingWindowNotOver(dispute.rulingEnd);
        _end(taskHash, DisputeState.Lapsed, dispute.challenger);
    }

    /// @inheritdoc IAnzenDisputes
    function withdrawBonds(address to) external {
        if (to == address(0)) revert ZeroAddress();
        CommitteeStorage storage $ = _committee();
        uint256 due = $.due[msg.sender];
        if (due == 0) revert NothingDue();
        $.due[msg.sender] = 0;
        (bool paid,) = to.call{value: due}("");
        if (!paid) revert PaymentFailed();
    }

    /// @inheritdoc IAnzenDisputes
    function committeeDispute(bytes32 taskHash) external view returns (CommitteeDispute memory) {
        return _committee().disputes[taskHash];
    }

    /// @inheritdoc IAnzenDisputes
    function bond() public view returns (uint256) {
        return uint256(disputePolicy().bond) << _committee().openCount;
    }

    /// @inheritdoc IAnzenDisputes
    function bondsDue(address account) external view returns (uint256) {
        return _committee().due[account];
    }

    /// @inheritdoc IDisputeStatus
    function isDisputed(uint32 oracleIndex, uint80 roundId) external view returns (bool) {
        CommitteeStorage storage $ = _committee();
        bytes32[] storage open = $.open[oracleIndex];
        for (uint256 i; i < open.length; ++i) {
            CommitteeDispute memory dispute = $.disputes[open[i]];
            if (dispute.roundId == roundId) return block.number <= dispute.rulingEnd;
        }
        return false;
    }

    /// @inheritdoc IDisputeStatus
    function pendingDisputes(uint32 oracleIndex) external view returns (uint256 count) {
        CommitteeStorage storage $ = _committee();
        bytes32[] storage open = $.open[oracleIndex];
        for (uint256 i; i < open.length; ++i) {
            if (block.number <= $.disputes[open[i]].rulingEnd) ++count;
        }
    }

    /// @inheritdoc WrongAnswers
    function _rulingEnd(bytes32 taskHash) internal view override returns (uint256) {
        CommitteeDispute storage dispute = _committee().disputes[taskHash];
        return dispute.state == DisputeState.Pending ? dispute.rulingEnd : 0;
    }

    /// @inheritdoc WrongAnswers
    function _endDispute(bytes32 taskHash) internal override {
        CommitteeDispute memory dispute = _committee().disputes[taskHash];
        if (dispute.state == DisputeState.Pending) _end(taskHash, DisputeState.Upheld, dispute.challenger);
    }

    /// @dev Ends those of a protocol's disputes on which the committee has not ruled in time, so that they take no place.
    function _endOverdue(uint32 oracleIndex) private {
        CommitteeStorage storage $ = _committee();
        bytes32[] storage open = $.open[oracleIndex];
        for (uint256 i = open.length; i != 0; --i) {
            CommitteeDispute memory dispute = $.disputes[open[i - 1]];
            if (block.number > dispute.rulingEnd) _end(open[i - 1], DisputeState.Lapsed, dispute.challenger);
        }
    }

    /// @dev Ends a dispute; its bond is `beneficiary`'s, who has to fetch it: a payment that is refused holds nothing up.
    function _end(bytes32 taskHash, DisputeState state, address beneficiary) private {
        CommitteeStorage storage $ = _committee();
        CommitteeDispute storage dispute = $.disputes[taskHash];
        dispute.state = state;
        $.due[beneficiary] += dispute.bond;
        bytes32[] storage open = $.open[dispute.oracleIndex];
        for (uint256 i; i < open.length; ++i) {
            if (open[i] != taskHash) continue;
            open[i] = open[open.length - 1];
            open.pop();
            break;
        }
        --$.openCount;
        emit CommitteeDisputeEnded(taskHash, state);
    }

    function _pending(bytes32 taskHash) private view returns (CommitteeDispute memory dispute) {
        dispute = _committee().disputes[taskHash];
        if (dispute.state != DisputeState.Pending) revert NoPendingDispute(taskHash);
    }

    function _committee() private pure returns (CommitteeStorage storage $) {
        assembly ("memory-safe") {
            $.slot := STORAGE_LOCATION
        }
    }
}
