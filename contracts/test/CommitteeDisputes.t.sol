// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";
import {DisputesFixture} from "./fixtures/DisputesFixture.sol";

/// @notice Answers that cannot be recomputed on chain, on which the committee rules; and the freezing of those who signed.
contract CommitteeDisputesTest is DisputesFixture {
    Answered private answered;

    function setUp() public {
        _deployDisputes();
        _use(_modelOf(_viewCall(address(token), abi.encodeCall(token.totalSupply, ())), _constant(1)));
        answered = _answered(_ids(4), 1);
    }

    // --------------------------------------------------------------------------------------------------------- asking

    function test_challengeByCommittee_makesTheRoundDisputed() public {
        uint32 rulingEnd = uint32(vm.getBlockNumber()) + _windows().veto;
        vm.expectEmit(address(disputes));
        emit IAnzenDisputes.CommitteeAsked(answered.taskHash, ORACLE_INDEX, anyone, answered.roundId, rulingEnd);
        _ask(answered);
        assertTrue(disputes.isDisputed(ORACLE_INDEX, answered.roundId));
        assertEq(disputes.pendingDisputes(ORACLE_INDEX), 1);
        assertTrue(oracle.roundStatus(ORACLE_INDEX, 1) == ISafetyFactorOracle.RoundStatus.Disputed);
        assertEq(address(disputes).balance, BOND);
    }

    /// @dev Nobody can hold the oracle up by disputes.
    function test_challengeByCommittee_newTasksAreCreatedAndAnsweredMeanwhile() public {
        _ask(answered);
        vm.roll(vm.getBlockNumber() + 10);
        Answered memory next = _answered(_ids(4), 1);
        assertEq(next.roundId, 2);
        assertTrue(oracle.roundStatus(ORACLE_INDEX, 2) == ISafetyFactorOracle.RoundStatus.Provisional);
    }

    function test_challengeByCommittee_onlyOnce() public {
        _ask(answered);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AlreadyDisputed.selector, answered.taskHash));
        _ask(answered);
        _rule(answered, false);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AlreadyDisputed.selector, answered.taskHash));
        _ask(answered);
    }

    function test_challengeByCommittee_revertsWithWrongBond() public {
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.WrongBond.selector, BOND));
        vm.prank(anyone);
        disputes.challengeByCommittee{value: BOND - 1}(
            answered.task, answered.response, answered.metadata, answered.roundId
        );
    }

    function test_challengeByCommittee_revertsWithTooManyDisputes() public {
        _ask(answered);
        for (uint256 i; i < 2; ++i) {
            vm.roll(vm.getBlockNumber() + 10);
            answered = _answered(_ids(4), 1);
            if (i == 1) vm.expectRevert(IAnzenDisputes.TooManyDisputes.selector);
            _ask(answered, 2 * BOND);
        }
        // The first one's time is over: its place is free, and its bond due.
        vm.roll(disputes.committeeDispute(taskManager.taskHashAt(0)).rulingEnd + 1);
        _refresh(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        answered = _answered(_ids(4), 1);
        _ask(answered, 2 * BOND);
        assertEq(disputes.bondsDue(anyone), BOND);
    }

    /// @dev To take all places costs many times what one does.
    function test_challengeByCommittee_costsTwiceAsMuchWithEachThatIsPending() public {
        assertEq(disputes.bond(), BOND);
        _ask(answered);
        assertEq(disputes.bond(), 2 * BOND);
        vm.roll(vm.getBlockNumber() + 10);
        Answered memory second = _answered(_ids(4), 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.WrongBond.selector, 2 * BOND));
        _ask(second, 2 * BOND - 1);
        _ask(second, 2 * BOND);
        assertEq(disputes.bond(), 4 * BOND);
        assertEq(disputes.committeeDispute(second.taskHash).bond, 2 * BOND);
        _rule(answered, false);
        assertEq(disputes.bond(), 2 * BOND);
        _rule(second, true);
        assertEq(disputes.bondsDue(treasury), BOND);
        assertEq(disputes.bondsDue(anyone), 2 * BOND);
    }

    /// @dev Whoever is there first may make it dearer: one can pay more at once.
    function test_challengeByCommittee_givesBackWhatIsTooMuch() public {
        _ask(answered, 3 * BOND);
        assertEq(disputes.bondsDue(anyone), 2 * BOND);
        assertEq(disputes.committeeDispute(answered.taskHash).bond, BOND);
    }

    function test_challengeByCommittee_revertsWithChallengeWindowOver() public {
        uint256 last = answered.metadata.respondedBlock + _windows().challenge;
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeWindowOver.selector, last));
        _ask(answered);
        vm.roll(last);
        _ask(answered);
    }

    /// @dev What can be recomputed is nobody's to rule on.
    function test_challengeByCommittee_revertsWithModelIsReadable() public {
        _use(_modelOf(_constant(2), _constant(1)));
        vm.roll(vm.getBlockNumber() + 10);
        answered = _answered(_ids(4), 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ModelIsReadable.selector, modelHash));
        _ask(answered);
    }

    function test_challengeByCommittee_revertsWithUnknownResponse() public {
        answered.response.safetyFactor += 1;
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.UnknownResponse.selector, answered.taskHash));
        _ask(answered);
    }

    function test_challengeByCommittee_revertsWithRoundOfAnotherTask() public {
        vm.roll(vm.getBlockNumber() + 10);
        Answered memory next = _answered(_ids(4), 1);
        answered.roundId = next.roundId;
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundOfAnotherTask.selector, next.roundId, 0));
        _ask(answered);
    }

    // --------------------------------------------------------------------------------------------------------- ruling

    function test_rule_upheldWithdrawsAndMakesAFaultThatCannotBeVetoed() public {
        _ask(answered);
        bytes32 faultId = _faultId();
        vm.expectEmit(address(disputes));
        emit IAnzenDisputes.AnswerWithdrawn(
            answered.task.index, answered.taskHash, faultId, ORACLE_INDEX, answered.roundId
        );
        _rule(answered, true);
        assertTrue(oracle.roundStatus(ORACLE_INDEX, 1) == ISafetyFactorOracle.RoundStatus.Withdrawn);
        assertEq(disputes.pendingDisputes(ORACLE_INDEX), 0);
        assertEq(disputes.bondsDue(anyone), BOND);

        _freeze(0);
        uint256 last = vm.getBlockNumber() - 1;
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.VetoWindowOver.selector, last));
        vm.prank(committee);
        serviceManager.vetoFault(faultId);
        serviceManager.executeSlashing(faultId, _plan(hex"0001"), _accounts(0));
        assertApproxEqAbs(_withdrawable(0), 100 ether, 1e6);
    }

    function test_rule_rejectedLeavesTheAnswerAndTakesTheBond() public {
        _ask(answered);
        _rule(answered, false);
        (int256 value,,) = oracle.getSafetyFactor(ORACLE_INDEX);
        assertEq(value, SAFETY_FACTOR);
        assertEq(disputes.bondsDue(anyone), 0);
        address vault = makeAddr("vault");
        vm.startPrank(treasury);
        vm.expectRevert(IAnzenDisputes.ZeroAddress.selector);
        disputes.withdrawBonds(address(0));
        disputes.withdrawBonds(vault);
        assertEq(vault.balance, BOND);
        vm.expectRevert(IAnzenDisputes.NothingDue.selector);
        disputes.withdrawBonds(vault);
        vm.stopPrank();
    }

    function test_rule_untilTheLastBlockOfItsWindow() public {
        _ask(answered);
        uint256 last = disputes.committeeDispute(answered.taskHash).rulingEnd;
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.RulingWindowOver.selector, last));
        _rule(answered, true);
        vm.roll(last);
        _rule(answered, true);
    }

    function test_rule_revertsWithNoPendingDispute() public {
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.NoPendingDispute.selector, answered.taskHash));
        _rule(answered, true);
    }

    function test_rule_revertsWithAccessControlUnauthorizedAccount() public {
        _ask(answered);
        bytes32 role = disputes.COMMITTEE_ROLE();
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, anyone, role));
        vm.prank(anyone);
        disputes.rule(answered.task, answered.response, answered.metadata, true);
    }

    function test_lapse_givesTheBondBackAndLetsTheAnswerStand() public {
        _ask(answered);
        uint256 last = disputes.committeeDispute(answered.taskHash).rulingEnd;
        vm.roll(last);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.RulingWindowNotOver.selector, last));
        disputes.lapse(answered.taskHash);
        vm.roll(last + 1);
        // It holds nothing up from then on, whether or not anybody says so.
        assertFalse(disputes.isDisputed(ORACLE_INDEX, answered.roundId));
        assertEq(disputes.pendingDisputes(ORACLE_INDEX), 0);
        assertTrue(oracle.roundStatus(ORACLE_INDEX, 1) == ISafetyFactorOracle.RoundStatus.Final);
        disputes.lapse(answered.taskHash);
        uint256 before = anyone.balance;
        vm.prank(anyone);
        disputes.withdrawBonds(anyone);
        assertEq(anyone.balance, before + BOND);
    }

    // ------------------------------------------------------------------------------------------------------- fallback

    function test_postFallback_whileTheCommitteeHasToRuleOnly() public {
        bytes memory refusal = abi.encodeWithSelector(ISafetyFactorOracle.NothingDisputed.selector, ORACLE_INDEX);
        vm.startPrank(committee);
        vm.expectRevert(refusal);
        oracle.postFallback(ORACLE_INDEX, 1);
        vm.stopPrank();
        _ask(answered);
        vm.prank(committee);
        oracle.postFallback(ORACLE_INDEX, 1);
        vm.roll(disputes.committeeDispute(answered.taskHash).rulingEnd + 1);
        vm.expectRevert(refusal);
        vm.prank(committee);
        oracle.postFallback(ORACLE_INDEX, 1);
    }

    // ------------------------------------------------------------------------------------------------------- freezing

    function test_freezeSigners_inBatchesEachInItsQuorums() public {
        _ask(answered);
        _rule(answered, true);
        IAnzenDisputes.Member[] memory batch = new IAnzenDisputes.Member[](3);
        (batch[0], batch[1], batch[2]) = (_member(0), _member(1), _member(0));
        _freeze(batch);
        _freeze(5);
        assertEq(serviceManager.slashingRequest(_faultId(), operators[0].account).quorums, 3);
        assertEq(serviceManager.slashingRequest(_faultId(), operators[1].account).quorums, 3);
        assertEq(serviceManager.slashingRequest(_faultId(), operators[5].account).quorums, 2);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[5].id), 0);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[2].id), 3);
    }

    /// @dev An honest operator, whose signature is not in the certificate, is not touched.
    function test_freezeSigners_revertsWithOperatorDidNotSign() public {
        _ask(answered);
        _rule(answered, true);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.OperatorDidNotSign.selector, operators[4].id));
        _freeze(4);
    }

    function test_freezeSigners_revertsWithWrongNonSigners() public {
        _ask(answered);
        _rule(answered, true);
        answered.nonSignerIds = _ids();
        vm.expectRevert(IAnzenDisputes.WrongNonSigners.selector);
        _freeze(4);
    }

    function test_freezeSigners_revertsWithUnknownFaultWhereTheAnswerStands() public {
        bytes memory refusal = abi.encodeWithSelector(IAnzenServiceManager.UnknownFault.selector, _faultId());
        vm.expectRevert(refusal);
        _freeze(0);
        _ask(answered);
        _rule(answered, false);
        vm.expectRevert(refusal);
        _freeze(0);
    }

    /// @dev Somebody who joined after the reference block.
    function test_freezeSigners_revertsWithNotInQuorum() public {
        uint256 late = _addOperator(64, 100 ether, hex"00");
        _ask(answered);
        _rule(answered, true);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.NotInQuorum.selector, operators[late].id));
        _freeze(late);
    }

    function test_setDisputePolicy_byTheAdministratorOnly() public {
        IAnzenDisputes.DisputePolicy memory policy = _disputePolicy();
        policy.bond = 7;
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, anyone, bytes32(0))
        );
        vm.prank(anyone);
        disputes.setDisputePolicy(policy);
        vm.prank(admin);
        disputes.setDisputePolicy(policy);
        assertEq(disputes.disputePolicy().bond, 7);
        policy.treasury = address(0);
        _policyReverts(policy, abi.encodeWithSelector(IAnzenDisputes.ZeroAddress.selector));
    }

    function test_setDisputePolicy_revertsWithPendingOutOfRange() public {
        IAnzenDisputes.DisputePolicy memory policy = _disputePolicy();
        policy.mostPendingPerProtocol = 0;
        _policyReverts(policy, abi.encodeWithSelector(IAnzenDisputes.PendingOutOfRange.selector, 0, 3));
        policy.mostPendingPerProtocol = 4;
        _policyReverts(policy, abi.encodeWithSelector(IAnzenDisputes.PendingOutOfRange.selector, 4, 3));
    }

    /// @dev Also the dearest bond is told and kept as it is.
    function test_setDisputePolicy_revertsWithBondOutOfRange() public {
        IAnzenDisputes.DisputePolicy memory policy = _disputePolicy();
        policy.bond = 2 ** 94;
        _policyReverts(policy, abi.encodeWithSelector(IAnzenDisputes.BondOutOfRange.selector, policy.bond, 3));
        (policy.bond, policy.mostPending) = (1, 97);
        _policyReverts(policy, abi.encodeWithSelector(IAnzenDisputes.BondOutOfRange.selector, 1, 97));
        (policy.bond, policy.mostPending) = (0, 3);
        _policyReverts(policy, abi.encodeWithSelector(IAnzenDisputes.BondOutOfRange.selector, 0, 3));
        (policy.bond, policy.mostPending) = (1, 96);
        vm.prank(admin);
        disputes.setDisputePolicy(policy);
    }

    function test_setDisputePolicy_revertsWithNoAbsencePeriod() public {
        IAnzenDisputes.DisputePolicy memory policy = _disputePolicy();
        policy.absencePeriod = 0;
        _policyReverts(policy, abi.encodeWithSelector(IAnzenDisputes.NoAbsencePeriod.selector));
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    function _policyReverts(IAnzenDisputes.DisputePolicy memory policy, bytes memory refusal) private {
        vm.expectRevert(refusal);
        vm.prank(admin);
        disputes.setDisputePolicy(policy);
    }

    function _freeze(uint256 index) private {
        _freeze(_members(index));
    }

    function _freeze(IAnzenDisputes.Member[] memory members) private {
        vm.prank(anyone);
        disputes.freezeSigners(answered.task, answered.response, answered.metadata, answered.nonSignerIds, members);
    }

    function _faultId() private view returns (bytes32) {
        return disputes.faultIdOf(IAnzenServiceManager.FaultKind.WrongAnswer, answered.taskHash, 0);
    }
}
