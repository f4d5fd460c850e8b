// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "../sol/interfaces/IAnzenTaskManager.sol";
import {IModelEvaluator} from "../sol/interfaces/IModelEvaluator.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";
import {LocalPriceFeed} from "../sol/local/LocalPriceFeed.sol";
import {DisputesFixture} from "./fixtures/DisputesFixture.sol";

/// @notice Operators that keep away, and answers that they attest so as not to be taken for such.
contract AbsenceTest is DisputesFixture {
    function setUp() public {
        _deployDisputes();
        _setPolicy(hex"0001");
    }

    function test_recordAbsence_ejectsAfterOneTooMany() public {
        _absence();
        assertEq(disputes.absences(operators[4].id), 1);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 1);
        Answered memory second = _answered(_ids(4), 1);
        vm.roll(_finalAt(second));
        vm.expectEmit(address(disputes));
        emit IAnzenDisputes.AbsenteeEjected(operators[4].id, second.taskHash, _rulingEnd(second));
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

    /// @dev What counts is when the answers were given: whoever records could wait with one until it meets the next.
    function test_recordAbsence_countsByTheBlockOfTheAnswer() public {
        Answered memory first = _answered(_ids(4), 1);
        vm.roll(_finalAt(first) + _windows().veto / 2 - 1);
        _record(first);
        vm.roll(first.metadata.respondedBlock + _disputePolicy().absencePeriod - 1);
        _refresh(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        Answered memory second = _answered(_ids(4), 1);
        vm.roll(_finalAt(second));
        _record(second);
        assertEq(disputes.absences(operators[4].id), 1);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 1);
    }

    function test_recordAbsence_inAnyOrder() public {
        _setAbsences(1, 30);
        Answered memory old = _answered(_ids(4), 1);
        vm.roll(vm.getBlockNumber() + 20);
        Answered memory first = _answered(_ids(4), 1);
        vm.roll(vm.getBlockNumber() + 15);
        Answered memory second = _answered(_ids(4), 1);
        vm.roll(_finalAt(second));
        _record(second);
        // Too long before the second.
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AbsenceOfAnEarlierPeriod.selector, operators[4].id));
        _record(old);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 1);
        _record(first);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 0);
    }

    /// @dev A period begins with the first of its answers, also where that is recorded last.
    function test_recordAbsence_periodOfAnswersInAnyOrder() public {
        _setAbsences(2, 30);
        Answered memory first = _answered(_ids(4), 1);
        vm.roll(vm.getBlockNumber() + 15);
        Answered memory second = _answered(_ids(4), 1);
        vm.roll(vm.getBlockNumber() + 15);
        Answered memory third = _answered(_ids(4), 1);
        vm.roll(_finalAt(third));
        _record(second);
        _record(first);
        _record(third);
        assertEq(third.metadata.respondedBlock - first.metadata.respondedBlock, 32);
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
        vm.roll(_finalAt(answered));
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AlreadyAttested.selector, operators[4].id));
        _record(answered);
    }

    /// @dev To sign anything at all does not count as taking part.
    function test_recordAbsence_ofWhoAttestedAnotherAnswer() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        disputes.attest(task, _signed(task, 4, SAFETY_FACTOR + 1), _key(4));
        vm.roll(vm.getBlockNumber() + 1);
        Answered memory answered = _respond(task, _ids(4));
        vm.roll(_finalAt(answered));
        _record(answered);
        assertEq(disputes.absences(operators[4].id), 1);
    }

    /// @dev Of a model that cannot be recomputed nobody can tell who was right: a majority that leaves out whoever attests something
    /// else, or finds that there is no answer, ejects nobody by it. Not even where a colluder had the committee asked, in vain.
    function test_recordAbsence_revertsWithModelIsNotReadable() public {
        _use(_modelOf(_viewCall(address(token), hex"313ce567"), _constant(1)));
        safetyFactor = SAFETY_FACTOR + 1;
        for (uint256 n; n < 3; ++n) {
            Answered memory answered = _answered(_ids(4), 1);
            if (n != 0) disputes.attest(answered.task, _signed(answered.task, 4, SAFETY_FACTOR), _key(4));
            if (n == 2) _ask(answered);
            // Or later, where the committee did not rule.
            vm.roll(_finalAt(answered) + (n == 2 ? 2 : 0));
            vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ModelIsNotReadable.selector, modelHash));
            _record(answered);
            _refresh(hex"0001");
            vm.roll(vm.getBlockNumber() + 1);
        }
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 1);
    }

    /// @dev A source that died in the meantime excuses, too.
    function test_recordAbsence_notWhereASourceDoesNotAnswer() public {
        LocalPriceFeed feed = new LocalPriceFeed("PRICE", address(this));
        feed.transmit(1e8);
        _use(_modelOf(_feedRound(address(feed), 0, 3_600), _constant(1)));
        Answered memory answered = _answered(_ids(4), 1);
        vm.roll(_finalAt(answered));
        bytes memory code = address(feed).code;
        vm.etch(address(feed), hex"fe");
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ModelIsNotReadable.selector, modelHash));
        _record(answered);
        vm.etch(address(feed), code);
        _record(answered);
    }

    function test_recordAbsence_onlyWhenTheAnswerIsFinal() public {
        Answered memory answered = _answered(_ids(4), 1);
        vm.roll(answered.task.createdBlock + _windows().response);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAnzenDisputes.AttestWindowNotOver.selector, answered.task.createdBlock + _windows().response
            )
        );
        _record(answered);
        vm.roll(_finalAt(answered) - 1);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundNotFinal.selector, ORACLE_INDEX, 1));
        _record(answered);
        vm.roll(_finalAt(answered));
        _record(answered);
    }

    function test_recordAbsence_untilHalfOfTheVetoWindowIsOver() public {
        Answered memory answered = _answered(_ids(4), 1);
        uint256 last = answered.metadata.respondedBlock + _windows().challenge + _windows().veto / 2;
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AbsenceWindowOver.selector, last));
        _record(answered);
        vm.roll(last);
        _record(answered);
    }

    function test_recordAbsence_revertsWithRoundOfAnotherTask() public {
        Answered memory answered = _answered(_ids(4), 1);
        vm.roll(vm.getBlockNumber() + 10);
        answered.roundId = _answered(_ids(4), 1).roundId;
        vm.roll(_finalAt(answered));
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundOfAnotherTask.selector, 2, 0));
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

    /// @dev Who did not sign a wrong answer did right, also where there was no other that it could have attested.
    function test_recordAbsence_ofWhoDidNotSignAWrongAnswer() public {
        _use(_modelOf(_constant(2), _constant(0)));
        IModelEvaluator.Witness memory witness;
        witness.header = _header(0);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256(witness.header));
        Answered memory answered = _answered(_ids(4), 1);
        disputes.challenge(answered.task, answered.response, answered.metadata, answered.roundId, witness);
        vm.roll(_finalAt(answered));
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundIsWithdrawn.selector, ORACLE_INDEX, 1));
        _record(answered);
    }

    function test_recordAbsence_notWhileTheCommitteeIsAsked() public {
        _use(_modelOf(_viewCall(address(token), ""), _constant(1)));
        Answered memory answered = _answered(_ids(4), 1);
        vm.roll(vm.getBlockNumber() + 2);
        _ask(answered);
        vm.roll(_finalAt(answered));
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundNotFinal.selector, ORACLE_INDEX, 1));
        _record(answered);
    }

    /// @dev Who was in none of the quorums at the reference block kept away from nothing.
    function test_recordAbsence_ofWhoJoinedLater() public {
        Answered memory answered = _answered(_ids(4), 1);
        uint256 late = _addOperator(64, 100 ether, hex"00");
        vm.roll(_finalAt(answered));
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.OperatorSigned.selector, operators[late].id));
        _record(answered, late);
    }

    /// @dev Of one that has left since, too: to leave is no excuse, and there is nothing to eject it from.
    function test_recordAbsence_ofWhoHasLeft() public {
        Answered memory first = _answered(_ids(4), 1);
        vm.roll(vm.getBlockNumber() + 5);
        Answered memory second = _answered(_ids(4), 1);
        _deregister(4, hex"00");
        vm.roll(_finalAt(second));
        _record(first);
        _record(second);
        vm.prank(committee);
        disputes.ruleAbsence(operators[4].id);
        bytes32 faultId = disputes.faultIdOf(IAnzenServiceManager.FaultKind.Absence, second.taskHash, operators[4].id);
        assertTrue(serviceManager.slashingRequest(faultId, operators[4].account).frozen);
    }

    function test_recordAbsence_revertsWithOperatorSigned() public {
        Answered memory answered = _answered(_ids(4), 1);
        vm.roll(_finalAt(answered));
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.OperatorSigned.selector, operators[0].id));
        _record(answered, 0);
    }

    function test_recordAbsence_revertsWithWrongNonSigners() public {
        Answered memory answered = _answered(_ids(4), 1);
        vm.roll(_finalAt(answered));
        answered.nonSignerIds = _ids(0);
        vm.expectRevert(IAnzenDisputes.WrongNonSigners.selector);
        _record(answered, 0);
    }

    function test_ruleAbsence_makesItAFault() public {
        _absence();
        Answered memory last = _absence();
        vm.roll(_rulingEnd(last));
        vm.prank(committee);
        disputes.ruleAbsence(operators[4].id);
        bytes32 faultId = disputes.faultIdOf(IAnzenServiceManager.FaultKind.Absence, last.taskHash, operators[4].id);
        // The committee has ruled: there is no veto to wait for.
        serviceManager.executeSlashing(faultId, _plan(hex"00"), _accounts(4));
        assertApproxEqAbs(_withdrawable(4), 50 ether, 1e6);

        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.NotAnAbsentee.selector, operators[4].id));
        vm.prank(committee);
        disputes.ruleAbsence(operators[4].id);
    }

    function test_ruleAbsence_revertsWithRulingWindowOver() public {
        _absence();
        uint256 last = _rulingEnd(_absence());
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

    /// @dev What is older than that for which the operator was ejected neither counts nor shortens the time for the ruling.
    function test_recordAbsence_olderThanTheEjectionLeavesTheRulingAsItIs() public {
        _setAbsences(0, 500);
        Answered memory older = _answered(_ids(4), 1);
        vm.roll(vm.getBlockNumber() + 5);
        Answered memory newer = _answered(_ids(4), 1);
        vm.roll(_finalAt(newer));
        _record(newer);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AbsenceOfAnEarlierPeriod.selector, operators[4].id));
        _record(older);
        vm.roll(_rulingEnd(newer));
        vm.prank(committee);
        disputes.ruleAbsence(operators[4].id);
        bytes32 faultId = disputes.faultIdOf(IAnzenServiceManager.FaultKind.Absence, newer.taskHash, operators[4].id);
        assertTrue(serviceManager.slashingRequest(faultId, operators[4].account).frozen);
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    /// @dev A task that operator 4 kept away from, which is recorded.
    function _absence() private returns (Answered memory answered) {
        answered = _answered(_ids(4), 1);
        vm.roll(_finalAt(answered));
        _record(answered);
    }

    function _setAbsences(uint16 allowed, uint32 period) private {
        IAnzenDisputes.DisputePolicy memory policy = _disputePolicy();
        (policy.absencesAllowed, policy.absencePeriod) = (allowed, period);
        vm.prank(admin);
        disputes.setDisputePolicy(policy);
    }

    function _record(Answered memory answered) private {
        _record(answered, 4);
    }

    function _record(Answered memory answered, uint256 index) private {
        vm.prank(anyone);
        disputes.recordAbsence(
            answered.task, answered.response, answered.metadata, answered.roundId, answered.nonSignerIds, _member(index)
        );
    }

    /// @dev The first block in which the answer is final.
    function _finalAt(Answered memory answered) private pure returns (uint256) {
        return answered.metadata.respondedBlock + _windows().challenge + 1;
    }

    function _rulingEnd(Answered memory answered) private pure returns (uint32) {
        return answered.metadata.respondedBlock + _windows().challenge + _windows().veto;
    }
}
