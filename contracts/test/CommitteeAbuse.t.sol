// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";
import {DisputesFixture} from "./fixtures/DisputesFixture.sol";

/// @notice Fetches its bonds again while they are being paid.
contract Greedy {
    IAnzenDisputes private immutable DISPUTES;
    bool public refused;

    constructor(IAnzenDisputes disputes) {
        DISPUTES = disputes;
    }

    function ask(DisputesFixture.Answered calldata a) external payable {
        DISPUTES.challengeByCommittee{value: msg.value}(a.task, a.response, a.metadata, a.roundId);
    }

    function fetch() external {
        DISPUTES.withdrawBonds(address(this));
    }

    receive() external payable {
        try DISPUTES.withdrawBonds(address(this)) {}
        catch {
            refused = true;
        }
    }
}

/// @notice Disputes before the committee that are meant to hold a protocol up, or to cost others something.
contract CommitteeAbuseTest is DisputesFixture {
    Answered private answered;

    function setUp() public {
        _deployDisputes();
        _use(_modelOf(_viewCall(address(token), abi.encodeCall(token.totalSupply, ())), _constant(1)));
        answered = _answered(_ids(4), 1);
    }

    /// @dev Each answer but the bounded number that is disputed gets final in its time.
    function test_disputes_doNotKeepLaterAnswersFromBeingFinal() public {
        _ask(answered);
        vm.roll(vm.getBlockNumber() + 10);
        _ask(_answered(_ids(4), 1), 2 * BOND);
        vm.roll(vm.getBlockNumber() + 10);
        Answered memory third = _answered(_ids(4), 1);
        vm.expectRevert(IAnzenDisputes.TooManyDisputes.selector);
        _ask(third);
        vm.roll(third.metadata.respondedBlock + _windows().challenge + 1);
        assertEq(oracle.latestFinalRound(ORACLE_INDEX), third.roundId);
    }

    /// @dev By the policy of deploy/networks: a majority that has its own right answers disputed pays 63 bonds before it can keep
    /// its wrong answer from the committee; with fewer, an honest challenger finds a place.
    function test_challengeByCommittee_findsAPlaceUntilAllBondsArePaid() public {
        _setPlaces(6, 8);
        vm.deal(anyone, 63 * BOND);
        Answered memory wrong = answered;
        for (uint256 n; n < 6; ++n) {
            uint256 before = vm.snapshotState();
            _ask(wrong, BOND << n);
            vm.revertToState(before);
            vm.roll(vm.getBlockNumber() + 5);
            Answered memory next = _answered(_ids(4), 1);
            _ask(wrong, BOND << n);
            wrong = next;
        }
        assertEq(anyone.balance, 0);
        vm.expectRevert(IAnzenDisputes.TooManyDisputes.selector);
        _ask(wrong, 0);
    }

    /// @dev As soon as the committee has rejected one of them; and the bond is lost.
    function test_rule_thatRejectsFreesAPlace() public {
        _setPlaces(1, 1);
        _ask(answered);
        vm.roll(vm.getBlockNumber() + 5);
        Answered memory wrong = _answered(_ids(4), 1);
        vm.expectRevert(IAnzenDisputes.TooManyDisputes.selector);
        _ask(wrong);
        _rule(answered, false);
        _ask(wrong);
        assertEq(disputes.bondsDue(treasury), BOND);
    }

    /// @dev A place that is taken by a protocol whose disputes nobody ends is freed by anyone.
    function test_lapse_freesAPlace() public {
        _setPlaces(1, 1);
        _ask(answered);
        vm.roll(disputes.committeeDispute(answered.taskHash).rulingEnd + 1);
        vm.prank(makeAddr("somebody else"));
        disputes.lapse(answered.taskHash);
        _refresh(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        _ask(_answered(_ids(4), 1));
    }

    function test_lapse_onlyOnce() public {
        _ask(answered);
        vm.roll(disputes.committeeDispute(answered.taskHash).rulingEnd + 1);
        disputes.lapse(answered.taskHash);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.NoPendingDispute.selector, answered.taskHash));
        disputes.lapse(answered.taskHash);
        assertEq(disputes.bondsDue(anyone), BOND);
    }

    function test_rule_onlyOnce() public {
        _ask(answered);
        _rule(answered, false);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.NoPendingDispute.selector, answered.taskHash));
        _rule(answered, true);
    }

    function test_withdrawBonds_paysOnceToAContractThatAsksAgain() public {
        // A bond of somebody else, which must not be touched.
        _ask(answered);
        vm.roll(vm.getBlockNumber() + 10);
        Greedy greedy = new Greedy(disputes);
        Answered memory second = _answered(_ids(4), 1);
        greedy.ask{value: 2 * BOND}(second);
        vm.roll(disputes.committeeDispute(second.taskHash).rulingEnd + 1);
        disputes.lapse(second.taskHash);
        greedy.fetch();
        assertTrue(greedy.refused());
        assertEq(address(greedy).balance, 2 * BOND);
        assertEq(address(disputes).balance, BOND);
    }

    /// @dev A challenger that refuses its bond holds no ruling up.
    function test_rule_ofAChallengerThatTakesNoPayment() public {
        vm.deal(address(token), BOND);
        vm.prank(address(token));
        disputes.challengeByCommittee{value: BOND}(
            answered.task, answered.response, answered.metadata, answered.roundId
        );
        _rule(answered, true);
        assertTrue(oracle.roundStatus(ORACLE_INDEX, 1) == ISafetyFactorOracle.RoundStatus.Withdrawn);
        vm.expectRevert(IAnzenDisputes.PaymentFailed.selector);
        vm.prank(address(token));
        disputes.withdrawBonds(address(token));
    }

    /// @dev What is pending is judged by the policy of its beginning.
    function test_setDisputePolicy_leavesPendingBondsAsTheyAre() public {
        _ask(answered);
        IAnzenDisputes.DisputePolicy memory policy = _disputePolicy();
        policy.bond = 1;
        (policy.mostPendingPerProtocol, policy.mostPending) = (1, 1);
        vm.prank(admin);
        disputes.setDisputePolicy(policy);
        _rule(answered, true);
        assertEq(disputes.bondsDue(anyone), BOND);
    }

    function _setPlaces(uint8 ofAProtocol, uint16 ofAll) private {
        IAnzenDisputes.DisputePolicy memory policy = _disputePolicy();
        (policy.mostPendingPerProtocol, policy.mostPending) = (ofAProtocol, ofAll);
        vm.prank(admin);
        disputes.setDisputePolicy(policy);
    }
}
