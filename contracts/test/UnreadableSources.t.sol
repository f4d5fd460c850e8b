// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";
import {FeedRounds} from "../sol/libraries/FeedRounds.sol";
import {VaultFixture} from "./fixtures/VaultFixture.sol";

/// @notice A feed that answered when the answer was given, and does not when it is disputed: it must neither shield a wrong answer
/// nor speak against a right one.
contract UnreadableSourcesTest is VaultFixture {
    bytes private code;

    function setUp() public {
        _deployVault();
    }

    function test_challenge_ofARightAnswerProvesNothingByADeadFeed() public {
        _answerWith(RIGHT);
        _kill();
        for (uint64 round; round < 4; ++round) {
            witness.rounds[0] = round;
            vm.expectPartialRevert(FeedRounds.RoundUnreadable.selector);
            _challenge();
        }
    }

    /// @dev The committee rules then, as on view calls.
    function test_challengeByCommittee_ofAWrongAnswerWithADeadFeed() public {
        _answerWith(RIGHT + 1);
        _kill();
        vm.expectPartialRevert(FeedRounds.RoundUnreadable.selector);
        _challenge();
        _ask(answered);
        _rule(answered, true);
        _assertWithdrawn();
        disputes.freezeSigners(answered.task, answered.response, answered.metadata, answered.nonSignerIds, _members(0));
        serviceManager.executeSlashing(_faultId(), _plan(hex"0001"), _accounts(0));
        assertApproxEqAbs(_withdrawable(0), 100 ether, 1e6);
    }

    function test_challengeByCommittee_ofARightAnswerWithADeadFeed() public {
        _answerWith(RIGHT);
        _kill();
        _ask(answered);
        _rule(answered, false);
        (int256 value,,) = oracle.getSafetyFactor(ORACLE_INDEX);
        assertEq(value, RIGHT);
        assertEq(disputes.bondsDue(treasury), BOND);
    }

    function test_challengeByCommittee_revertsWithModelIsReadable() public {
        _answerWith(RIGHT);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ModelIsReadable.selector, modelHash));
        _ask(answered);
    }

    /// @dev Whoever gives little gas does not make a feed look dead.
    function test_challengeByCommittee_starvedOfGasReverts() public {
        _answerWith(RIGHT);
        bytes memory input = abi.encodeCall(
            disputes.challengeByCommittee, (answered.task, answered.response, answered.metadata, answered.roundId)
        );
        for (uint256 gas_ = 50_000; gas_ < 800_000; gas_ += 2_503) {
            vm.prank(anyone);
            (bool success,) = address(disputes).call{gas: gas_, value: BOND}(input);
            assertFalse(success, vm.toString(gas_));
        }
    }

    /// @dev The feed answers again: nobody need rule.
    function test_challenge_endsTheDisputeBeforeTheCommittee() public {
        _answerWith(RIGHT + 1);
        _kill();
        _ask(answered);
        vm.etch(address(stakeFeed), code);
        vm.expectEmit(address(disputes));
        emit IAnzenDisputes.CommitteeDisputeEnded(answered.taskHash, IAnzenDisputes.DisputeState.Upheld);
        _challenge();
        _assertWithdrawn();
        assertEq(disputes.bondsDue(anyone), BOND);
        assertEq(disputes.pendingDisputes(ORACLE_INDEX), 0);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.NoPendingDispute.selector, answered.taskHash));
        _rule(answered, false);
    }

    /// @dev And a right answer stays right: only the committee could still say otherwise.
    function test_challenge_ofARightAnswerWhileTheCommitteeIsAsked() public {
        _answerWith(RIGHT);
        _kill();
        _ask(answered);
        vm.etch(address(stakeFeed), code);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeUnfounded.selector, RIGHT));
        _challenge();
    }

    /// @dev A source that comes back after the challenge window: a proof decides, not the committee.
    function test_challenge_afterItsWindowWhileTheCommitteeIsAsked() public {
        _answerWith(RIGHT + 1);
        vm.roll(answered.metadata.respondedBlock + _windows().challenge);
        _kill();
        _ask(answered);
        vm.roll(vm.getBlockNumber() + 1);
        vm.etch(address(stakeFeed), code);
        _challenge();
        _assertWithdrawn();
        // It ends with the task's windows all the same.
        IAnzenServiceManager.Fault memory fault = serviceManager.fault(_faultId());
        uint256 vetoEnd = answered.metadata.respondedBlock + _windows().challenge + _windows().veto - 1;
        assertEq(fault.vetoEnd, vetoEnd);
        assertEq(fault.executionEnd, vetoEnd + _windows().execution);
    }

    /// @dev Whoever proves must not choose that nobody can veto: half of that time is left.
    function test_challenge_leavesHalfOfTheTimeForAVeto() public {
        uint256 lastWhileAsked = _askInTheLastBlock() + _windows().veto / 2;
        vm.etch(address(stakeFeed), code);
        vm.roll(lastWhileAsked + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeWindowOver.selector, lastWhileAsked));
        _challenge();
        vm.roll(lastWhileAsked);
        _challenge();
        disputes.freezeSigners(answered.task, answered.response, answered.metadata, answered.nonSignerIds, _members(0));
        bytes32 faultId = _faultId();
        uint256 vetoEnd = serviceManager.fault(faultId).vetoEnd;
        IAnzenServiceManager.QuorumStrategies[] memory plan = _plan(hex"0001");
        address[] memory accounts = _accounts(0);
        assertEq(vetoEnd, lastWhileAsked + _windows().veto / 2 - 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.VetoWindowNotOver.selector, vetoEnd));
        serviceManager.executeSlashing(faultId, plan, accounts);
        vm.roll(vetoEnd);
        vm.prank(committee);
        serviceManager.vetoFault(faultId);
    }

    /// @dev Where the committee was asked early, its time is over first.
    function test_challenge_revertsAfterItsWindowWhereTheRulingIsOver() public {
        _answerWith(RIGHT + 1);
        _kill();
        _ask(answered);
        vm.etch(address(stakeFeed), code);
        uint256 last = answered.metadata.respondedBlock + _windows().challenge;
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeWindowOver.selector, last));
        _challenge();
    }

    function test_challenge_revertsAfterItsWindowOnceTheCommitteeHasRuled() public {
        _answerWith(RIGHT + 1);
        uint256 last = answered.metadata.respondedBlock + _windows().challenge;
        vm.roll(last);
        _kill();
        _ask(answered);
        vm.roll(last + 1);
        _rule(answered, false);
        vm.etch(address(stakeFeed), code);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeWindowOver.selector, last));
        _challenge();
    }

    /// @dev Of an answer that can be recomputed the committee takes no stake.
    function test_rule_revertsWithModelIsReadableWhereTheFeedAnswersAgain() public {
        _answerWith(RIGHT);
        _kill();
        _ask(answered);
        vm.etch(address(stakeFeed), code);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ModelIsReadable.selector, modelHash));
        _rule(answered, true);
        _rule(answered, false);
    }

    /// @dev After the challenge window a rejection would end the time for a proof.
    function test_rule_thatRejectsPreventsNoProof() public {
        vm.roll(_askInTheLastBlock() + 1);
        vm.etch(address(stakeFeed), code);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ModelIsReadable.selector, modelHash));
        _rule(answered, false);
        _challenge();
        _assertWithdrawn();
    }

    /// @dev In it, it does not.
    function test_rule_thatRejectsInTheChallengeWindowPreventsNoProof() public {
        _askInTheLastBlock();
        vm.etch(address(stakeFeed), code);
        _rule(answered, false);
        _challenge();
        _assertWithdrawn();
    }

    /// @dev Nobody proved anything: the answer stands, and the bond comes back.
    function test_lapse_whereTheFeedAnswersAgainAndNobodyProves() public {
        _askInTheLastBlock();
        vm.etch(address(stakeFeed), code);
        vm.roll(disputes.committeeDispute(answered.taskHash).rulingEnd + 1);
        disputes.lapse(answered.taskHash);
        assertEq(disputes.bondsDue(anyone), BOND);
        assertTrue(oracle.roundStatus(ORACLE_INDEX, answered.roundId) == ISafetyFactorOracle.RoundStatus.Final);
    }

    function test_challengeByCommittee_revertsAfterAWithdrawal() public {
        _answerWith(RIGHT + 1);
        _challenge();
        _kill();
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundIsWithdrawn.selector, ORACLE_INDEX, 1));
        _ask(answered);
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    /// @dev A wrong answer whose feed dies in the last block of its challenge window, which is returned.
    function _askInTheLastBlock() private returns (uint256 last) {
        _answerWith(RIGHT + 1);
        last = answered.metadata.respondedBlock + _windows().challenge;
        vm.roll(last);
        _kill();
        _ask(answered);
    }

    function _kill() private {
        code = address(stakeFeed).code;
        vm.etch(address(stakeFeed), hex"fe");
    }
}
