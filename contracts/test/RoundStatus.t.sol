// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {IDisputeStatus} from "../sol/interfaces/IDisputeStatus.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";
import {OracleFixture} from "./fixtures/OracleFixture.sol";

/// @notice Which rounds count: provisional, final, withdrawn, disputed and fallback ones, and the feed that tells final ones only.
contract RoundStatusTest is OracleFixture {
    function setUp() public {
        _deployOracle();
    }

    function test_roundStatus_isFinalAfterTheChallengeWindow() public {
        _update(1, 999);
        assertTrue(oracle.roundStatus(3, 1) == ISafetyFactorOracle.RoundStatus.Provisional);
        vm.roll(1_000 + CHALLENGE);
        assertTrue(oracle.roundStatus(3, 1) == ISafetyFactorOracle.RoundStatus.Provisional);
        vm.roll(1_000 + CHALLENGE + 1);
        assertTrue(oracle.roundStatus(3, 1) == ISafetyFactorOracle.RoundStatus.Final);
        disputedRound = 1;
        assertTrue(oracle.roundStatus(3, 1) == ISafetyFactorOracle.RoundStatus.Disputed);
    }

    function test_withdraw_makesReadersRevert() public {
        _update(5, 998);
        _update(6, 999);
        vm.expectEmit(address(oracle));
        emit ISafetyFactorOracle.RoundWithdrawn(3, 2, 0);
        oracle.withdraw(3, 2, 0);

        assertTrue(oracle.roundStatus(3, 2) == ISafetyFactorOracle.RoundStatus.Withdrawn);
        bytes memory e = abi.encodeWithSelector(ISafetyFactorOracle.RoundIsWithdrawn.selector, 3, 2);
        vm.expectRevert(e);
        oracle.getSafetyFactor(3);
        vm.expectRevert(e);
        oracle.getRound(3, 2);
        vm.expectRevert(e);
        feed.latestRoundData();
        // Those before and after are not touched.
        assertEq(oracle.getRound(3, 1).safetyFactor, 5);
        vm.roll(1_010);
        _update(7, 1_005);
        (int256 value,,) = oracle.getSafetyFactor(3);
        assertEq(value, 7);
    }

    function test_withdraw_onlyOnce() public {
        _update(5, 998);
        oracle.withdraw(3, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundIsWithdrawn.selector, 3, 1));
        oracle.withdraw(3, 1, 0);
    }

    function test_withdraw_revertsWithNotDisputes() public {
        _update(5, 998);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NotDisputes.selector, taskManager));
        vm.prank(taskManager);
        oracle.withdraw(3, 1, 0);
    }

    function test_withdraw_revertsWithRoundOfAnotherTask() public {
        _update(5, 998);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundOfAnotherTask.selector, 1, 9));
        oracle.withdraw(3, 1, 9);
    }

    function test_setDisputes() public {
        vm.expectEmit(address(oracle));
        emit ISafetyFactorOracle.DisputesSet(address(this), taskManager);
        vm.prank(admin);
        oracle.setDisputes(IDisputeStatus(taskManager));
        assertEq(address(oracle.disputes()), taskManager);
        vm.expectRevert(ISafetyFactorOracle.ZeroAddress.selector);
        vm.prank(admin);
        oracle.setDisputes(IDisputeStatus(address(0)));
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, taskManager, bytes32(0))
        );
        vm.prank(taskManager);
        oracle.setDisputes(this);
    }

    // -------------------------------------------------------------------------------------------------------- fallback

    function test_postFallback_whileTheCommitteeHasToRule() public {
        _update(5, 998);
        disputedRound = 1;
        vm.expectEmit(address(oracle));
        emit ISafetyFactorOracle.FallbackPosted(3, 2, 4);
        vm.prank(poster);
        assertEq(oracle.postFallback(3, 4), 2);
        assertTrue(oracle.roundStatus(3, 2) == ISafetyFactorOracle.RoundStatus.Fallback);
        (int256 value, uint32 referenceBlock,) = oracle.getSafetyFactor(3);
        assertEq(value, 4);
        assertEq(referenceBlock, 999);
    }

    /// @dev A task that was open when the fallback was posted is about a block before it.
    function test_postFallback_doesNotStandInTheWayOfTasks() public {
        _update(5, 998);
        disputedRound = 1;
        vm.roll(1_010);
        vm.prank(poster);
        oracle.postFallback(3, 4);
        _update(6, 999);
        (int256 value,,) = oracle.getSafetyFactor(3);
        assertEq(value, 6);
        oracle.withdraw(3, 3, 0);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundOfAnotherTask.selector, 2, 0));
        oracle.withdraw(3, 2, 0);
    }

    function test_postFallback_revertsWithNothingDisputed() public {
        _update(5, 998);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NothingDisputed.selector, 3));
        vm.prank(poster);
        oracle.postFallback(3, 4);
    }

    function test_postFallback_revertsWithAccessControlUnauthorizedAccount() public {
        disputedRound = 1;
        bytes32 role = oracle.FALLBACK_ROLE();
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, taskManager, role)
        );
        vm.prank(taskManager);
        oracle.postFallback(3, 4);
    }

    // --------------------------------------------------------------------------------------------------------- models

    function test_modelAt_tellsTheModelOfEachRound() public {
        _update(1, 990);
        _update(2, 991);
        bytes32 other = keccak256("other");
        ISafetyFactorOracle.Answer memory answer = _answer(3, 3, 992, 0);
        answer.modelHash = other;
        vm.expectEmit(address(oracle));
        emit ISafetyFactorOracle.ModelChanged(3, 3, other);
        vm.prank(taskManager);
        oracle.update(answer);
        _update(4, 993);

        assertEq(oracle.modelAt(3, 0), bytes32(0));
        assertEq(oracle.modelAt(3, 1), MODEL);
        assertEq(oracle.modelAt(3, 2), MODEL);
        assertEq(oracle.modelAt(3, 3), other);
        assertEq(oracle.modelAt(3, 4), MODEL);
    }

    // ----------------------------------------------------------------------------------------------------- final rounds

    function test_finalFeed_tellsTheLatestFinalRound() public {
        _update(5, 990);
        vm.roll(1_000 + CHALLENGE);
        _update(6, 999);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoFinalRound.selector, 3));
        finalFeed.latestRoundData();
        vm.roll(1_000 + CHALLENGE + 1);
        (uint80 roundId, int256 answer,,,) = finalFeed.latestRoundData();
        assertEq(roundId, 1);
        assertEq(answer, 5);
        assertEq(finalFeed.description(), "Example safety factor, final");
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundNotFinal.selector, 3, 2));
        finalFeed.getRoundData(2);
    }

    function test_finalFeed_passesOverWithdrawnDisputedAndFallbackRounds() public {
        _update(5, 990);
        _update(6, 991);
        _update(7, 992);
        oracle.withdraw(3, 3, 0);
        disputedRound = 2;
        vm.prank(poster);
        oracle.postFallback(3, 4);
        vm.roll(2_000);
        (uint80 roundId,,,,) = finalFeed.latestRoundData();
        assertEq(roundId, 1);
        disputedRound = 0;
        (roundId,,,,) = finalFeed.latestRoundData();
        assertEq(roundId, 2);
    }

    /// @dev Governance makes the challenge window shorter: what was answered before is challenged for as long as it was, and no
    /// later round overtakes it.
    function test_latestFinalRound_inTheOrderOfTheRounds() public {
        _update(5, 990, 100);
        vm.roll(1_001);
        _update(6, 1_000, 10);
        vm.roll(1_100);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoFinalRound.selector, 3));
        oracle.latestFinalRound(3);
        assertTrue(oracle.roundStatus(3, 2) == ISafetyFactorOracle.RoundStatus.Provisional);
        vm.roll(1_101);
        assertEq(oracle.latestFinalRound(3), 2);
    }

    /// @dev A fallback is not challenged, and lets nothing before it become final sooner.
    function test_latestFinalRound_withAFallbackBetween() public {
        _update(5, 999);
        disputedRound = 1;
        vm.prank(poster);
        oracle.postFallback(3, 4);
        disputedRound = 0;
        vm.roll(1_010);
        _update(6, 1_009, 1);
        vm.roll(1_000 + CHALLENGE);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoFinalRound.selector, 3));
        oracle.latestFinalRound(3);
        vm.roll(1_000 + CHALLENGE + 1);
        assertEq(oracle.latestFinalRound(3), 3);
    }

    /// @dev What bisection finds is what looking at every round finds.
    function test_fuzz_latestFinalRound(uint256 seed, uint8 count) public {
        for (uint256 i; i < count % 24; ++i) {
            vm.roll(vm.getBlockNumber() + 1 + seed % 7);
            seed = uint256(keccak256(abi.encode(seed)));
            _update(1, uint32(vm.getBlockNumber() - 1), uint32(seed >> 8) % 40);
            if (seed % 5 == 0) oracle.withdraw(3, oracle.latestRound(3), 0);
            _postFallbacks(seed % 4);
        }
        vm.roll(vm.getBlockNumber() + seed % 60);
        uint80 expected = oracle.latestRound(3);
        while (expected != 0 && oracle.roundStatus(3, expected) != ISafetyFactorOracle.RoundStatus.Final) --expected;
        if (expected == 0) vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoFinalRound.selector, 3));
        assertEq(oracle.latestFinalRound(3), expected);
    }

    /// @dev Whoever reads does not pay for the answers of the challenge window.
    function test_latestFinalRound_costsLittleWhereManyAreProvisional() public {
        _update(1, 999, 1);
        for (uint32 i; i < 500; ++i) {
            vm.roll(1_010 + i);
            _update(1, 1_009 + i, 5_000);
        }
        uint256 before = gasleft();
        assertEq(oracle.latestFinalRound(3), 1);
        assertLt(before - gasleft(), 100_000);
    }

    /// @dev Nor for whatever the fallback poster writes.
    function test_latestFinalRound_costsLittleWhereManyAreFallbacks() public {
        _update(1, 999);
        _postFallbacks(500);
        vm.roll(1_000 + CHALLENGE + 1);
        uint256 before = gasleft();
        assertEq(oracle.latestFinalRound(3), 1);
        assertLt(before - gasleft(), 100_000);
    }

    function test_latestFinalRound_whereAllAreFallbacks() public {
        _postFallbacks(2);
        assertEq(oracle.getRound(3, 2).taskIndex, 2);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoFinalRound.selector, 3));
        oracle.latestFinalRound(3);
    }

    function _postFallbacks(uint256 count) private {
        disputedRound = type(uint80).max;
        for (uint256 i; i < count; ++i) {
            vm.prank(poster);
            oracle.postFallback(3, 4);
        }
    }

    function _update(int256 value, uint32 referenceBlock, uint32 challengeBlocks) private {
        vm.prank(taskManager);
        oracle.update(ISafetyFactorOracle.Answer(3, value, referenceBlock, 0, MODEL, challengeBlocks));
    }
}
