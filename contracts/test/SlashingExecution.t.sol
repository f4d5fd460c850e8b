// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {FaultsFixture} from "./fixtures/FaultsFixture.sol";

/// @notice The execution of slashings, to the fall of real stake.
contract SlashingExecutionTest is FaultsFixture {
    function setUp() public {
        _deployFaults();
    }

    function test_executeSlashing_takesStakeInTheQuorumsOfEachOperator() public {
        _record(hex"0001");
        _freeze(0, 3);
        _freeze(4, 1);
        vm.roll(vm.getBlockNumber() + VETO);
        _execute(hex"0001", 0, 4);
        // A quarter in both quorums; a quarter in the one.
        assertApproxEqAbs(_withdrawable(0), 2 * STAKE - STAKE / 2, 1e6);
        assertApproxEqAbs(_withdrawable(4), STAKE - STAKE / 4, 1e6);
        assertEq(_magnitude(0, 0), 0.375 ether);
        assertEq(_magnitude(4, 0), 0.75 ether);
        assertEq(_withdrawable(1), 2 * STAKE);
    }

    function test_executeSlashing_twiceTakesOnce() public {
        _record(hex"00");
        _freeze(4, 1);
        vm.roll(vm.getBlockNumber() + VETO);
        _execute(hex"00", 4, 4);
        uint256 left = _withdrawable(4);
        _execute(hex"00", 4);
        assertEq(_withdrawable(4), left);
        assertEq(serviceManager.slashingRequest(FAULT, operators[4].account).quorums, 0);
    }

    function test_executeSlashing_ofAnOperatorThatLeftMeanwhile() public {
        _record(hex"00");
        _deregister(4, hex"00");
        _freeze(4, 1);
        vm.roll(vm.getBlockNumber() + VETO + EXECUTION - 1);
        _execute(hex"00", 4);
        assertApproxEqAbs(_withdrawable(4), STAKE - STAKE / 4, 1e6);
    }

    function test_executeSlashing_ofOneThatWasSlashedInFull() public {
        vm.prank(admin);
        serviceManager.setFaultShare(IAnzenServiceManager.FaultKind.WrongAnswer, 1 ether);
        bytes32 second = keccak256("second");
        _record(hex"00");
        vm.prank(disputes);
        serviceManager.recordFault(second, IAnzenServiceManager.FaultKind.WrongAnswer, hex"00", VETO, EXECUTION);
        _freeze(4, 1);
        vm.prank(disputes);
        serviceManager.freezeOperator(second, operators[4].account, 1);

        vm.roll(vm.getBlockNumber() + VETO);
        _execute(hex"00", 4);
        assertEq(_withdrawable(4), 0);
        vm.prank(anyone);
        serviceManager.executeSlashing(second, _plan(hex"00"), _accounts(4));
        assertEq(serviceManager.slashingRequest(second, operators[4].account).quorums, 0);
    }

    function test_executeSlashing_passesOverAStrategyThatLeftTheSet() public {
        _record(hex"00");
        _freeze(4, 1);
        address[] memory gone = new address[](1);
        gone[0] = strategy;
        vm.prank(admin);
        allocationManager.removeStrategiesFromOperatorSet(address(serviceManager), 0, gone);
        vm.roll(vm.getBlockNumber() + VETO);
        _execute(hex"00", 4);
        assertEq(_withdrawable(4), STAKE);
        assertEq(serviceManager.slashingRequest(FAULT, operators[4].account).quorums, 0);
    }

    /// @dev Of a batch, whom EigenLayer refuses to slash holds nobody else up: here, somebody it does not know.
    function test_executeSlashing_ofABatchInWhichOneFails() public {
        _record(hex"00");
        _freeze(4, 1);
        vm.prank(disputes);
        serviceManager.freezeOperator(FAULT, anyone, 1);
        _freeze(0, 1);
        vm.roll(vm.getBlockNumber() + VETO);
        address[] memory accounts = new address[](3);
        (accounts[0], accounts[1], accounts[2]) = (operators[4].account, anyone, operators[0].account);
        vm.expectEmit(true, true, true, false, address(serviceManager));
        emit IAnzenServiceManager.SlashingFailed(FAULT, anyone, 0, "");
        serviceManager.executeSlashing(FAULT, _plan(hex"00"), accounts);
        assertApproxEqAbs(_withdrawable(4), STAKE - STAKE / 4, 1e6);
        assertApproxEqAbs(_withdrawable(0), 2 * STAKE - STAKE / 4, 1e6);
        assertEq(serviceManager.slashingRequest(FAULT, anyone).quorums, 1);
    }

    /// @dev What EigenLayer refuses now can be taken later.
    function test_executeSlashing_thatFailsCanBeTriedAgain() public {
        _record(hex"00");
        _freeze(4, 1);
        vm.roll(vm.getBlockNumber() + VETO);
        allocationManager.pause(type(uint256).max);
        vm.expectEmit(true, true, true, false, address(serviceManager));
        emit IAnzenServiceManager.SlashingFailed(FAULT, operators[4].account, 0, "");
        _execute(hex"00", 4);
        assertEq(_withdrawable(4), STAKE);
        allocationManager.unpause(0);
        _execute(hex"00", 4);
        assertApproxEqAbs(_withdrawable(4), STAKE - STAKE / 4, 1e6);
    }

    /// @dev Whoever gives too little gas may only waste it; and the least gas that a call does not revert with, which is what
    /// eth_estimateGas finds, is enough for the slashing.
    function testFuzz_executeSlashing_starvedOfGasReverts(uint256 allowance) public {
        _record(hex"00");
        _freeze(4, 1);
        vm.roll(vm.getBlockNumber() + VETO);
        allowance = bound(allowance, 30_000, 1_000_000);
        vm.prank(anyone);
        bool succeeded;
        try serviceManager.executeSlashing{gas: allowance}(FAULT, _plan(hex"00"), _accounts(4)) {
            succeeded = true;
        } catch {}
        bool done = serviceManager.slashingRequest(FAULT, operators[4].account).quorums == 0;
        assertEq(done, succeeded, "done if and only if it did not revert");
        assertEq(done, _withdrawable(4) < STAKE, "done if and only if taken");
        _execute(hex"00", 4);
        assertApproxEqAbs(_withdrawable(4), STAKE - STAKE / 4, 1e6);
    }

    function test_executeSlashing_onlyInItsWindow() public {
        _record(hex"00");
        _freeze(4, 1);
        IAnzenServiceManager.Fault memory fault = serviceManager.fault(FAULT);
        vm.roll(fault.vetoEnd);
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.VetoWindowNotOver.selector, fault.vetoEnd));
        _execute(hex"00", 4);
        vm.roll(fault.executionEnd + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.ExecutionWindowOver.selector, fault.executionEnd));
        _execute(hex"00", 4);
        vm.roll(fault.executionEnd);
        _execute(hex"00", 4);
    }

    function test_executeSlashing_atOnceWhereTheCommitteeHasRuled() public {
        vm.prank(disputes);
        serviceManager.recordFault(FAULT, IAnzenServiceManager.FaultKind.WrongAnswer, hex"00", 0, EXECUTION);
        _freeze(4, 1);
        vm.expectRevert();
        vm.prank(committee);
        serviceManager.vetoFault(FAULT);
        _execute(hex"00", 4);
        assertApproxEqAbs(_withdrawable(4), STAKE - STAKE / 4, 1e6);
    }

    function test_executeSlashing_revertsWithWrongPlan() public {
        _record(hex"00");
        _freeze(0, 1);
        vm.roll(vm.getBlockNumber() + VETO);
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.WrongPlan.selector, FAULT));
        _execute(hex"0001", 0);
    }

    function test_executeSlashing_revertsWithOperatorNotFrozen() public {
        _record(hex"00");
        vm.roll(vm.getBlockNumber() + VETO);
        vm.expectRevert(
            abi.encodeWithSelector(IAnzenServiceManager.OperatorNotFrozen.selector, FAULT, operators[0].account)
        );
        _execute(hex"00", 0);
    }

    function test_executeSlashing_revertsWithUnknownFault() public {
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.UnknownFault.selector, FAULT));
        _execute(hex"00", 0);
    }

    function test_setFaultShare_revertsWithShareOutOfRange() public {
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.ShareOutOfRange.selector, 1 ether + 1));
        vm.prank(admin);
        serviceManager.setFaultShare(IAnzenServiceManager.FaultKind.Equivocation, 1 ether + 1);
    }
}
