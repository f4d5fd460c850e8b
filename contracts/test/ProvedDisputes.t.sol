// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {IAnzenTaskManager} from "../sol/interfaces/IAnzenTaskManager.sol";
import {IModelEvaluator} from "../sol/interfaces/IModelEvaluator.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";
import {BlockHeader} from "../sol/libraries/BlockHeader.sol";
import {FeedRounds} from "../sol/libraries/FeedRounds.sol";
import {StakeHistory} from "../sol/libraries/StakeHistory.sol";
import {StateProof} from "../sol/libraries/StateProof.sol";
import {VaultFixture} from "./fixtures/VaultFixture.sol";

/// @notice Answers that are disputed by recomputing them: from real stakes, feeds, and the state of a block.
contract ProvedDisputesTest is VaultFixture {
    function setUp() public {
        _deployVault();
    }

    // --------------------------------------------------------------------------------------------------- right and wrong

    function test_challenge_ofARightAnswerIsUnfounded() public {
        _answerWith(RIGHT);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeUnfounded.selector, RIGHT));
        _challenge();
    }

    function test_fuzz_challenge_ofAWrongAnswerWithdrawsIt(int128 wrong) public {
        vm.assume(wrong != RIGHT);
        _answerWith(wrong);
        bytes32 faultId = _faultId();
        vm.expectEmit(address(disputes));
        emit IAnzenDisputes.AnswerWithdrawn(
            answered.task.index, answered.taskHash, faultId, ORACLE_INDEX, answered.roundId
        );
        _challenge();
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundIsWithdrawn.selector, ORACLE_INDEX, 1));
        oracle.getSafetyFactor(ORACLE_INDEX);
    }

    /// @dev From the false answer of all but one to the fall of their stake, with nobody's vote.
    function test_challenge_slashesThoseWhoSigned() public {
        _answerWith(RIGHT + 1);
        _challenge();
        for (uint256 i; i < 4; ++i) {
            vm.prank(anyone);
            disputes.freezeSigners(
                answered.task, answered.response, answered.metadata, answered.nonSignerIds, _members(i)
            );
        }
        vm.roll(vm.getBlockNumber() + _windows().veto);
        address[] memory accounts = new address[](4);
        for (uint256 i; i < 4; ++i) {
            accounts[i] = operators[i].account;
        }
        vm.prank(anyone);
        serviceManager.executeSlashing(_faultId(), _plan(hex"0001"), accounts);
        for (uint256 i; i < 4; ++i) {
            assertApproxEqAbs(_withdrawable(i), 100 ether, 1e6);
            assertEq(coordinator.getCurrentQuorumBitmap(operators[i].id), 0);
        }
        // Who did not sign keeps what it has.
        assertEq(_withdrawable(4), 100 ether);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 1);
    }

    /// @dev Everything in the last block of its window, and a signer that takes its allocation back and leaves as soon as it can.
    function test_challenge_slashesWhoLeavesWhateverTheTime() public {
        _deallocate(0, 0);
        _writeWitness();
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256(witness.header));
        safetyFactor = RIGHT + 1;
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        _deregister(0, hex"0001");
        vm.roll(task.createdBlock + _windows().response);
        answered = _respond(task, _ids(4));
        vm.roll(vm.getBlockNumber() + _windows().challenge);
        _challenge();
        vm.roll(vm.getBlockNumber() + _windows().veto + _windows().execution - 1);
        disputes.freezeSigners(answered.task, answered.response, answered.metadata, answered.nonSignerIds, _members(0));
        serviceManager.executeSlashing(_faultId(), _plan(hex"0001"), _accounts(0));
        assertApproxEqAbs(_withdrawable(0), 100 ether, 1e6);
    }

    function test_challenge_onlyOnce() public {
        _answerWith(1);
        _challenge();
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundIsWithdrawn.selector, ORACLE_INDEX, 1));
        _challenge();
    }

    function test_challenge_untilTheLastBlockOfTheWindow() public {
        _answerWith(1);
        uint256 last = answered.metadata.respondedBlock + _windows().challenge;
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeWindowOver.selector, last));
        _challenge();
        vm.roll(last);
        _challenge();
    }

    function test_challenge_namesTheRoundOfTheAnswer() public {
        _answerWith(1);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoData.selector, ORACLE_INDEX, 2));
        disputes.challenge(answered.task, answered.response, answered.metadata, 2, witness);
    }

    // ------------------------------------------------------------------------------------------- what has changed since

    /// @dev Prices and stakes of later blocks are nobody's fault.
    function test_challenge_countsWhatWasAtTheReferenceBlock() public {
        _answerWith(RIGHT);
        vm.warp(vm.getBlockTimestamp() + 12);
        stakeFeed.transmit(1);
        vaultFeed.transmit(1e18);
        _deregister(5, hex"01");
        vm.roll(vm.getBlockNumber() + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeUnfounded.selector, RIGHT));
        _challenge();
    }

    function test_challenge_byTheRoundOfAnotherTime() public {
        _answerWith(RIGHT);
        witness.rounds[0] = 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                FeedRounds.RoundTooEarly.selector, address(stakeFeed), 1, vm.getBlockTimestamp(), vm.getBlockTimestamp()
            )
        );
        _challenge();
        vm.warp(vm.getBlockTimestamp() + 12);
        stakeFeed.transmit(9e8);
        witness.rounds[0] = 3;
        vm.expectPartialRevert(FeedRounds.RoundTooLate.selector);
        _challenge();
    }

    function test_challenge_byTheStakeOfAnotherBlock() public {
        _answerWith(RIGHT);
        witness.stakeIndices[0] -= 1;
        vm.expectPartialRevert(StakeHistory.StakeUpdateNotInForce.selector);
        _challenge();
    }

    function test_challenge_byTheStateOfAnotherBlock() public {
        _answerWith(RIGHT);
        witness.header = _header(bytes32(uint256(1)));
        vm.expectPartialRevert(BlockHeader.HeaderMismatch.selector);
        _challenge();
    }

    function test_challenge_withoutAProofOfASlot() public {
        _answerWith(RIGHT);
        delete witness.accounts;
        vm.expectRevert(abi.encodeWithSelector(StateProof.SlotNotProven.selector, vault, IMPLEMENTATION_SLOT));
        _challenge();
    }

    function test_challenge_withTooFewInputs() public {
        _answerWith(RIGHT);
        witness.rounds.pop();
        vm.expectRevert(IModelEvaluator.WitnessTooShort.selector);
        _challenge();
        witness.rounds.push(1);
        witness.stakeIndices.pop();
        vm.expectRevert(IModelEvaluator.WitnessTooShort.selector);
        _challenge();
    }

    // ------------------------------------------------------------------------------------------------- no answer at all

    /// @dev Whoever signs where there is no answer signs a wrong one, whatever it says.
    function test_challenge_whereTheGuardDoesNotHold() public {
        bytes32 expected = implementation;
        implementation = bytes32(uint256(1));
        _answerWith(RIGHT);
        implementation = expected;
        _challenge();
        _assertWithdrawn();
    }

    function test_challenge_whereAFeedWasStale() public {
        vm.warp(vm.getBlockTimestamp() + 3_601);
        vaultFeed.transmit(4e8);
        _answerWith(RIGHT);
        witness.rounds[1] = 2;
        _challenge();
        _assertWithdrawn();
    }

    function test_challenge_whereThereWasNoPrice() public {
        stakeFeed.transmit(0);
        _answerWith(RIGHT);
        witness.rounds[0] = 3;
        _challenge();
        _assertWithdrawn();
    }
}
