// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {TransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

import {SafetyFactorFeed} from "../sol/SafetyFactorFeed.sol";
import {SafetyFactorOracle} from "../sol/SafetyFactorOracle.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";
import {OracleFixture} from "./fixtures/OracleFixture.sol";

/// @notice Protocols and their rounds. Which of these count: see RoundStatus.t.sol.
contract SafetyFactorOracleTest is OracleFixture {
    function setUp() public {
        _deployOracle();
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

    function _assertRound(uint80 round, int256 value, uint256 time) private view {
        (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn) =
            feed.latestRoundData();
        assertEq(roundId, round);
        assertEq(answer, value);
        assertEq(startedAt, time);
        assertEq(updatedAt, time);
        assertEq(answeredIn, round);
    }
}
