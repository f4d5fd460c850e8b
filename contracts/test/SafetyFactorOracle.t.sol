// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {TransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

import {SafetyFactorFeed} from "../sol/SafetyFactorFeed.sol";
import {SafetyFactorOracle} from "../sol/SafetyFactorOracle.sol";
import {IDisputeStatus} from "../sol/interfaces/IDisputeStatus.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";

contract SafetyFactorOracleTest is Test, IDisputeStatus {
    bytes32 private constant MODEL = keccak256("model");
    uint32 private constant CHALLENGE = 20;

    address private admin = makeAddr("admin");
    address private taskManager = makeAddr("task manager");
    SafetyFactorOracle private oracle;
    address private poster = makeAddr("fallback poster");
    SafetyFactorFeed private feed;
    SafetyFactorFeed private finalFeed;
    /// @dev The round on which the committee has to rule; 0 if there is none.
    uint80 private disputedRound;

    function setUp() public {
        oracle = SafetyFactorOracle(
            address(
                new TransparentUpgradeableProxy(
                    address(new SafetyFactorOracle()), admin, abi.encodeCall(SafetyFactorOracle.initialize, (admin))
                )
            )
        );
        vm.startPrank(admin);
        oracle.setTaskManager(taskManager);
        (address latest, address last) = oracle.addProtocol(3, "Example");
        (feed, finalFeed) = (SafetyFactorFeed(latest), SafetyFactorFeed(last));
        oracle.setDisputes(this);
        oracle.grantRole(oracle.FALLBACK_ROLE(), poster);
        vm.stopPrank();
        vm.warp(1_700_000_000);
        vm.roll(1_000);
    }

    function isDisputed(uint32, uint80 roundId) external view returns (bool) {
        return roundId == disputedRound;
    }

    function pendingDisputes(uint32) external view returns (uint256) {
        return disputedRound == 0 ? 0 : 1;
    }

    function test_initialize_revertsWithInvalidInitialization() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        oracle.initialize(admin);
        SafetyFactorOracle implementation = new SafetyFactorOracle();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(admin);
    }

    function test_initialize_revertsWithZeroAddress() public {
        address implementation = address(new SafetyFactorOracle());
        vm.expectRevert(ISafetyFactorOracle.ZeroAddress.selector);
        new TransparentUpgradeableProxy(
            implementation, admin, abi.encodeCall(SafetyFactorOracle.initialize, (address(0)))
        );
    }

    function test_addProtocol() public {
        vm.recordLogs();
        vm.prank(admin);
        (address added, address addedFinal) = oracle.addProtocol(0, "Other");
        assertTrue(oracle.protocolExists(0));
        assertFalse(oracle.protocolExists(1));
        assertEq(oracle.protocolCount(), 2);
        assertEq(oracle.protocolAt(0), 3);
        assertEq(oracle.protocolAt(1), 0);
        assertEq(oracle.protocolName(0), "Other");
        assertEq(oracle.feed(0), added);
        assertEq(oracle.finalFeed(0), addedFinal);
        assertEq(oracle.latestRound(0), 0);
    }

    function test_addProtocol_emits() public {
        uint256 nonce = vm.getNonce(address(oracle));
        address first = vm.computeCreateAddress(address(oracle), nonce);
        address second = vm.computeCreateAddress(address(oracle), nonce + 1);
        vm.expectEmit(address(oracle));
        emit ISafetyFactorOracle.ProtocolAdded(0, "Other", first, second);
        vm.prank(admin);
        oracle.addProtocol(0, "Other");
    }

    function test_addProtocol_revertsWithProtocolExists() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.ProtocolExists.selector, 3));
        vm.prank(admin);
        oracle.addProtocol(3, "Again");
    }

    function test_addProtocol_revertsWithEmptyName() public {
        vm.expectRevert(ISafetyFactorOracle.EmptyName.selector);
        vm.prank(admin);
        oracle.addProtocol(4, "");
    }

    function test_addProtocol_revertsWithAccessControlUnauthorizedAccount() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, taskManager, bytes32(0))
        );
        vm.prank(taskManager);
        oracle.addProtocol(4, "Other");
    }

    function test_setTaskManager() public {
        vm.expectEmit(address(oracle));
        emit ISafetyFactorOracle.TaskManagerSet(taskManager, address(5));
        vm.prank(admin);
        oracle.setTaskManager(address(5));
        assertEq(oracle.taskManager(), address(5));
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NotTaskManager.selector, taskManager));
        _update(1, 1);
    }

    function test_setTaskManager_revertsWithZeroAddress() public {
        vm.expectRevert(ISafetyFactorOracle.ZeroAddress.selector);
        vm.prank(admin);
        oracle.setTaskManager(address(0));
    }

    function test_setTaskManager_revertsWithAccessControlUnauthorizedAccount() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, taskManager, bytes32(0))
        );
        vm.prank(taskManager);
        oracle.setTaskManager(taskManager);
    }

    function test_update() public {
        vm.expectEmit(address(oracle));
        emit ISafetyFactorOracle.SafetyFactorUpdated(3, 1, 11, -5, 100);
        vm.prank(taskManager);
        assertEq(oracle.update(_answer(3, -5, 100, 11)), 1);
        vm.warp(1_700_000_012);
        vm.prank(taskManager);
        assertEq(oracle.update(_answer(3, 870_000_000, 101, 12)), 2);

        assertEq(oracle.latestRound(3), 2);
        (int256 value, uint32 referenceBlock, uint64 updatedAt) = oracle.getSafetyFactor(3);
        assertEq(value, 870_000_000);
        assertEq(referenceBlock, 101);
        assertEq(updatedAt, 1_700_000_012);
        ISafetyFactorOracle.Snapshot memory first = oracle.getRound(3, 1);
        assertEq(first.safetyFactor, -5);
        assertEq(first.referenceBlock, 100);
        assertEq(first.updatedAt, 1_700_000_000);
        assertEq(first.taskIndex, 11);
    }

    function test_fuzz_update_keepsWhatWasWritten(int128 value, uint32 referenceBlock, uint32 taskIndex, uint32 time)
        public
    {
        referenceBlock = uint32(bound(referenceBlock, 1, type(uint32).max));
        vm.warp(time);
        vm.roll(uint256(referenceBlock) + 1);
        vm.prank(taskManager);
        oracle.update(_answer(3, value, referenceBlock, taskIndex));
        ISafetyFactorOracle.Snapshot memory snapshot = oracle.getRound(3, 1);
        assertEq(snapshot.safetyFactor, value);
        assertEq(snapshot.referenceBlock, referenceBlock);
        assertEq(snapshot.taskIndex, taskIndex);
        assertEq(snapshot.updatedAt, time);
        assertEq(address(feed), oracle.feed(3));
    }

    function test_update_revertsWithNotTaskManager() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NotTaskManager.selector, admin));
        vm.prank(admin);
        oracle.update(_answer(3, 1, 1, 1));
    }

    function test_update_revertsWithUnknownProtocol() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.UnknownProtocol.selector, 4));
        vm.prank(taskManager);
        oracle.update(_answer(4, 1, 1, 1));
    }

    function test_update_revertsWithReferenceBlockNotLater() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.ReferenceBlockNotLater.selector, 3, 0, 0));
        _update(1, 0);
        _update(1, 100);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.ReferenceBlockNotLater.selector, 3, 100, 100));
        _update(1, 100);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.ReferenceBlockNotLater.selector, 3, 100, 99));
        _update(1, 99);
    }

    function test_fuzz_update_revertsWithSafetyFactorOutOfRange(int256 value) public {
        vm.assume(value < type(int128).min || value > type(int128).max);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.SafetyFactorOutOfRange.selector, value));
        _update(value, 1);
    }

    function test_getSafetyFactor_revertsWithNoData() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoData.selector, 3, 0));
        oracle.getSafetyFactor(3);
    }

    function test_getRound_revertsWithNoData() public {
        _update(1, 1);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoData.selector, 3, 0));
        oracle.getRound(3, 0);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoData.selector, 3, 2));
        oracle.getRound(3, 2);
    }

    function test_views_revertWithUnknownProtocol() public {
        bytes memory e = abi.encodeWithSelector(ISafetyFactorOracle.UnknownProtocol.selector, 4);
        vm.expectRevert(e);
        oracle.getSafetyFactor(4);
        vm.expectRevert(e);
        oracle.getRound(4, 1);
        vm.expectRevert(e);
        oracle.latestRound(4);
        vm.expectRevert(e);
        oracle.protocolName(4);
        vm.expectRevert(e);
        oracle.feed(4);
    }

    // ----------------------------------------------------------------------------------------------------- withdrawing

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

    // ------------------------------------------------------------------------------------------------------------ feed

    function test_feed() public {
        assertEq(feed.decimals(), 9);
        assertEq(feed.version(), 1);
        assertEq(feed.description(), "Example safety factor");
        assertEq(address(feed.oracle()), address(oracle));
        assertEq(feed.oracleIndex(), 3);
        _update(5, 100);
        vm.warp(1_700_000_012);
        _update(6, 101);
        _assertRound(2, 6, 1_700_000_012);
        (uint80 roundId, int256 answer,, uint256 updatedAt, uint80 answeredIn) = feed.getRoundData(1);
        assertEq(roundId, 1);
        assertEq(answer, 5);
        assertEq(updatedAt, 1_700_000_000);
        assertEq(answeredIn, 1);
    }

    function test_feed_revertsWithNoData() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoData.selector, 3, 0));
        feed.latestRoundData();
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoData.selector, 3, 1));
        feed.getRoundData(1);
    }

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

    function _assertRound(uint80 round, int256 value, uint256 time) private view {
        (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn) =
            feed.latestRoundData();
        assertEq(roundId, round);
        assertEq(answer, value);
        assertEq(startedAt, time);
        assertEq(updatedAt, time);
        assertEq(answeredIn, round);
    }

    function _answer(uint32 oracleIndex, int256 value, uint32 referenceBlock, uint32 taskIndex)
        private
        pure
        returns (ISafetyFactorOracle.Answer memory)
    {
        return ISafetyFactorOracle.Answer(oracleIndex, value, referenceBlock, taskIndex, MODEL, CHALLENGE);
    }

    function _update(int256 value, uint32 referenceBlock) private {
        vm.prank(taskManager);
        oracle.update(_answer(3, value, referenceBlock, 0));
    }
}
