// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";

import {AnzenDisputes} from "../sol/AnzenDisputes.sol";
import {IModelEvaluator} from "../sol/interfaces/IModelEvaluator.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";
import {DisputesFixture} from "./fixtures/DisputesFixture.sol";

/// @notice An oracle that is given another task manager, whose tasks are numbered from 0 again.
contract NextTaskManagerTest is DisputesFixture {
    /// @dev Round 1: task 0 of the first task manager, right. Round 2: task 0 of the next one, wrong.
    Answered private wrong;
    IModelEvaluator.Witness private witness;

    function setUp() public {
        _deployDisputes();
        _setPolicy(hex"0001");
        _answered(_ids(), 1);
        vm.roll(vm.getBlockNumber() + _windows().challenge + 1);
        _replace();

        _use(_modelOf(_constant(2), _constant(0)));
        _refresh(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        witness.header = _header(0);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256(witness.header));
        wrong = _answered(_ids(), 1);
        assertEq(wrong.task.index, 0);
        assertEq(wrong.roundId, 2);
    }

    /// @dev It would withdraw a right answer, and shield the wrong one.
    function test_challenge_doesNotWithdrawTheRoundOfThePreviousManagersTask() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundOfAnotherTask.selector, 1, 0));
        disputes.challenge(wrong.task, wrong.response, wrong.metadata, 1, witness);

        disputes.challenge(wrong.task, wrong.response, wrong.metadata, 2, witness);
        assertTrue(oracle.roundStatus(ORACLE_INDEX, 1) == ISafetyFactorOracle.RoundStatus.Final);
        assertTrue(oracle.roundStatus(ORACLE_INDEX, 2) == ISafetyFactorOracle.RoundStatus.Withdrawn);
    }

    function test_recordAbsence_isNotAboutTheRoundOfThePreviousManagersTask() public {
        vm.roll(vm.getBlockNumber() + _windows().challenge + 1);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundOfAnotherTask.selector, 1, 0));
        disputes.recordAbsence(wrong.task, wrong.response, wrong.metadata, 1, _ids(), _member(4));
    }

    function _replace() private {
        taskManager = _newTaskManager(_windows());
        disputes = AnzenDisputes(
            address(
                new TransparentUpgradeableProxy(
                    address(new AnzenDisputes(taskManager, serviceManager, evaluator)),
                    admin,
                    abi.encodeCall(AnzenDisputes.initialize, (admin, committee, _disputePolicy()))
                )
            )
        );
        vm.startPrank(admin);
        oracle.setTaskManager(address(taskManager));
        oracle.setDisputes(disputes);
        serviceManager.grantRole(serviceManager.DISPUTES_ROLE(), address(disputes));
        vm.stopPrank();
    }
}
