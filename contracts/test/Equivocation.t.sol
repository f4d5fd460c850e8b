// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "../sol/interfaces/IAnzenTaskManager.sol";
import {IBLSSignatureChecker} from "../sol/interfaces/IBLSSignatureChecker.sol";
import {DisputesFixture} from "./fixtures/DisputesFixture.sol";

/// @notice Operators that sign two answers to a task.
contract EquivocationTest is DisputesFixture {
    function setUp() public {
        _deployDisputes();
        _setPolicy(hex"0001");
    }

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

    /// @dev EigenLayer was paused when it was proved, which can be done only once.
    function test_proveEquivocation_ejectionCanBeMadeUpFor() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        allocationManager.pause(type(uint256).max);
        _proveEquivocation(task, 4, 1, 2);
        allocationManager.unpause(0);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 1);
        serviceManager.retryEjection(
            _faultId(IAnzenServiceManager.FaultKind.Equivocation, task, 4), operators[4].account
        );
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 0);
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
}
