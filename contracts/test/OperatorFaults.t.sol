// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "../sol/interfaces/IAnzenTaskManager.sol";
import {IBLSSignatureChecker} from "../sol/interfaces/IBLSSignatureChecker.sol";
import {DisputesFixture} from "./fixtures/DisputesFixture.sol";

/// @notice What single operators are held to: one answer to a task, and to be there.
contract OperatorFaultsTest is DisputesFixture {
    function setUp() public {
        _deployDisputes();
        _setPolicy(hex"0001");
    }

    // --------------------------------------------------------------------------------------------------- equivocation

    function test_proveEquivocation_slashesTheOperator() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        bytes32 faultId = _faultId(IAnzenServiceManager.FaultKind.Equivocation, task, 0);
        vm.expectEmit(address(disputes));
        emit IAnzenDisputes.EquivocationProved(keccak256(abi.encode(task)), operators[0].id, faultId);
        _proveEquivocation(task, 0, 1, 2);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[0].id), 0);

        vm.roll(vm.getBlockNumber() + _windows().veto);
        vm.prank(anyone);
        serviceManager.executeSlashing(faultId, _plan(hex"0001"), _accounts(0));
        assertApproxEqAbs(_withdrawable(0), 100 ether, 1e6);
    }

    /// @dev Of an operator that is in one of the task's quorums only.
    function test_proveEquivocation_slashesInItsQuorumsOnly() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        _proveEquivocation(task, 4, 1, 2);
        bytes32 faultId = _faultId(IAnzenServiceManager.FaultKind.Equivocation, task, 4);
        assertEq(serviceManager.slashingRequest(faultId, operators[4].account).quorums, 1);
    }

    function test_proveEquivocation_afterTheOperatorHasLeft() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        _deregister(0, hex"0001");
        _proveEquivocation(task, 0, 1, 2);
        vm.roll(vm.getBlockNumber() + _windows().veto);
        serviceManager.executeSlashing(
            _faultId(IAnzenServiceManager.FaultKind.Equivocation, task, 0), _plan(hex"0001"), _accounts(0)
        );
        assertApproxEqAbs(_withdrawable(0), 100 ether, 1e6);
    }

    function test_proveEquivocation_onlyOnce() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        _proveEquivocation(task, 0, 1, 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAnzenServiceManager.FaultExists.selector,
                _faultId(IAnzenServiceManager.FaultKind.Equivocation, task, 0)
            )
        );
        this.proveEquivocation(task, 0, 3, 4);
    }

    function test_proveEquivocation_revertsWithSameAnswer() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.expectRevert(IAnzenDisputes.SameAnswer.selector);
        this.proveEquivocation(task, 0, 1, 1);
    }

    /// @dev What somebody else signed proves nothing.
    function test_proveEquivocation_revertsWithInvalidSignature() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        IAnzenDisputes.SignedAnswer memory own = _signed(task, 0, 1);
        IAnzenDisputes.SignedAnswer memory others = _signed(task, 1, 2);
        IAnzenDisputes.OperatorKey memory key = _key(0);
        vm.expectRevert(IBLSSignatureChecker.InvalidSignature.selector);
        disputes.proveEquivocation(task, own, others, key, 0);
        vm.expectRevert(IBLSSignatureChecker.InvalidSignature.selector);
        disputes.proveEquivocation(task, others, own, key, 0);
    }

    /// @dev Answers to another task, or to one that there is not, prove nothing.
    function test_proveEquivocation_revertsWithUnknownTask() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        task.proposedSafetyFactor += 1;
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.UnknownTask.selector, keccak256(abi.encode(task))));
        this.proveEquivocation(task, 0, 1, 2);
    }

    function test_proveEquivocation_revertsWithNotInQuorum() public {
        vm.prank(admin);
        taskManager.setTaskPolicy(ORACLE_INDEX, _policy(hex"01"));
        IAnzenTaskManager.Task memory task = _createTask(hex"01");
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.NotInQuorum.selector, operators[4].id));
        this.proveEquivocation(task, 4, 1, 2);
    }

    function test_proveEquivocation_revertsWithChallengeWindowOver() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        uint256 last = task.createdBlock + _windows().response + _windows().challenge;
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeWindowOver.selector, last));
        this.proveEquivocation(task, 0, 1, 2);
        vm.roll(last);
        this.proveEquivocation(task, 0, 1, 2);
    }

    // -------------------------------------------------------------------------------------------------------- absence

    function test_recordAbsence_ejectsAfterOneTooMany() public {
        _absence();
        assertEq(disputes.absences(operators[4].id), 1);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 1);
        Answered memory second = _answered(_ids(4), 1);
        vm.roll(second.task.createdBlock + _windows().response + 1);
        vm.expectEmit(address(disputes));
        emit IAnzenDisputes.AbsenteeEjected(operators[4].id);
        _record(second);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 0);
        // No stake is touched.
        assertEq(_withdrawable(4), 100 ether);
    }

    function test_recordAbsence_forgetsAfterThePeriod() public {
        _absence();
        vm.roll(vm.getBlockNumber() + _disputePolicy().absencePeriod + 1);
        assertEq(disputes.absences(operators[4].id), 0);
        _refresh(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        _absence();
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 1);
    }

    function test_recordAbsence_revertsWithAlreadyAttested() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.expectEmit(address(disputes));
        emit IAnzenDisputes.AnswerAttested(keccak256(abi.encode(task)), operators[4].id, SAFETY_FACTOR);
        disputes.attest(task, _signed(task, 4, SAFETY_FACTOR), _key(4));
        assertTrue(disputes.hasAttested(keccak256(abi.encode(task)), operators[4].id));

        vm.roll(vm.getBlockNumber() + 1);
        Answered memory answered = _respond(task, _ids(4));
        vm.roll(task.createdBlock + _windows().response + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AlreadyAttested.selector, operators[4].id));
        _record(answered);
    }

    function test_recordAbsence_revertsWithAttestWindowNotOver() public {
        Answered memory answered = _answered(_ids(4), 1);
        uint256 last = answered.task.createdBlock + _windows().response;
        vm.roll(last);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AttestWindowNotOver.selector, last));
        _record(answered);
    }

    /// @dev Whoever was left out of a late answer had no time to attest its own.
    function test_recordAbsence_revertsWithAnsweredLate() public {
        Answered memory answered = _answered(_ids(4), _windows().response / 2 + 1);
        vm.roll(vm.getBlockNumber() + _windows().response);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AnsweredLate.selector, answered.metadata.respondedBlock));
        _record(answered);
    }

    function test_recordAbsence_revertsWithAbsenceCounted() public {
        Answered memory answered = _absence();
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AbsenceCounted.selector, operators[4].id));
        _record(answered);
    }

    function test_recordAbsence_revertsWithOperatorSigned() public {
        Answered memory answered = _answered(_ids(4), 1);
        vm.roll(vm.getBlockNumber() + _windows().response);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.OperatorSigned.selector, operators[0].id));
        disputes.recordAbsence(answered.task, answered.response, answered.metadata, answered.nonSignerIds, _member(0));
    }

    function test_recordAbsence_revertsWithWrongNonSigners() public {
        Answered memory answered = _answered(_ids(4), 1);
        vm.roll(vm.getBlockNumber() + _windows().response);
        answered.nonSignerIds = _ids(0);
        vm.expectRevert(IAnzenDisputes.WrongNonSigners.selector);
        disputes.recordAbsence(answered.task, answered.response, answered.metadata, answered.nonSignerIds, _member(0));
    }

    function test_attest_revertsWithAttestWindowOver() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        uint256 last = task.createdBlock + _windows().response;
        IAnzenDisputes.SignedAnswer memory answer = _signed(task, 4, 1);
        IAnzenDisputes.OperatorKey memory key = _key(4);
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AttestWindowOver.selector, last));
        disputes.attest(task, answer, key);
    }

    function test_attest_revertsWithInvalidSignature() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        IAnzenDisputes.SignedAnswer memory answer = _signed(task, 4, 1);
        IAnzenDisputes.OperatorKey memory key = _key(0);
        vm.expectRevert(IBLSSignatureChecker.InvalidSignature.selector);
        disputes.attest(task, answer, key);
    }

    function test_ruleAbsence_makesItAFault() public {
        _absence();
        _absence();
        uint256 ejectedBlock = vm.getBlockNumber();
        vm.roll(ejectedBlock + _windows().veto);
        vm.prank(committee);
        disputes.ruleAbsence(operators[4].id);
        bytes32 faultId =
            disputes.faultIdOf(IAnzenServiceManager.FaultKind.Absence, bytes32(ejectedBlock), operators[4].id);
        // The committee has ruled: there is no veto to wait for.
        serviceManager.executeSlashing(faultId, _plan(hex"00"), _accounts(4));
        assertApproxEqAbs(_withdrawable(4), 50 ether, 1e6);

        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.NotAnAbsentee.selector, operators[4].id));
        vm.prank(committee);
        disputes.ruleAbsence(operators[4].id);
    }

    function test_ruleAbsence_revertsWithRulingWindowOver() public {
        _absence();
        _absence();
        uint256 last = vm.getBlockNumber() + _windows().veto;
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.RulingWindowOver.selector, last));
        vm.prank(committee);
        disputes.ruleAbsence(operators[4].id);
    }

    function test_ruleAbsence_revertsWithNotAnAbsentee() public {
        _absence();
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.NotAnAbsentee.selector, operators[4].id));
        vm.prank(committee);
        disputes.ruleAbsence(operators[4].id);
    }

    function test_ruleAbsence_revertsWithAccessControlUnauthorizedAccount() public {
        bytes32 role = disputes.COMMITTEE_ROLE();
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, anyone, role));
        vm.prank(anyone);
        disputes.ruleAbsence(operators[4].id);
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    function proveEquivocation(IAnzenTaskManager.Task calldata task, uint256 index, int256 a, int256 b) external {
        disputes.proveEquivocation(task, _signed(task, index, a), _signed(task, index, b), _key(index), 0);
    }

    function _proveEquivocation(IAnzenTaskManager.Task memory task, uint256 index, int256 a, int256 b) private {
        IAnzenDisputes.SignedAnswer memory first = _signed(task, index, a);
        IAnzenDisputes.SignedAnswer memory second = _signed(task, index, b);
        IAnzenDisputes.OperatorKey memory key = _key(index);
        vm.prank(anyone);
        disputes.proveEquivocation(task, first, second, key, 0);
    }

    function _faultId(IAnzenServiceManager.FaultKind kind, IAnzenTaskManager.Task memory task, uint256 index)
        private
        view
        returns (bytes32)
    {
        return disputes.faultIdOf(kind, keccak256(abi.encode(task)), operators[index].id);
    }

    /// @dev A task that operator 4 kept away from, which is recorded.
    function _absence() private returns (Answered memory answered) {
        answered = _answered(_ids(4), 1);
        vm.roll(answered.task.createdBlock + _windows().response + 1);
        _record(answered);
    }

    function _record(Answered memory answered) private {
        vm.prank(anyone);
        disputes.recordAbsence(
            answered.task,
            answered.response,
            answered.metadata,
            answered.nonSignerIds,
            IAnzenDisputes.Member({operatorId: operators[4].id, bitmapIndex: 0})
        );
    }
}
