// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {IAllocationManagerFull} from "./fixtures/EigenLayer.sol";
import {SlashingFixture} from "./fixtures/SlashingFixture.sol";

/// @notice Faults, from their recording to the fall of real stake.
contract SlashingQueueTest is SlashingFixture {
    bytes32 private constant FAULT = keccak256("fault");
    uint64 private constant SHARE = 0.25 ether;
    uint32 private constant VETO = 100;
    uint32 private constant EXECUTION = 50;
    /// @dev What each operator has of its own in each quorum it is in.
    uint256 private constant STAKE = 100 ether;

    address private disputes = makeAddr("disputes");
    address private committee = makeAddr("committee");
    address private anyone = makeAddr("anyone");

    function setUp() public {
        _deployAll();
        _setUpTwoQuorums();
        vm.startPrank(admin);
        serviceManager.grantRole(serviceManager.DISPUTES_ROLE(), disputes);
        serviceManager.grantRole(serviceManager.COMMITTEE_ROLE(), committee);
        serviceManager.setFaultShare(IAnzenServiceManager.FaultKind.WrongAnswer, SHARE);
        coordinator.setEjectionCooldown(1000);
        vm.stopPrank();
    }

    // ------------------------------------------------------------------------------------------------------ recording

    function test_recordFault_fixesShareStrategiesAndWindows() public {
        uint32 number = uint32(vm.getBlockNumber());
        vm.expectEmit(address(serviceManager));
        emit IAnzenServiceManager.FaultRecorded(
            FAULT,
            IAnzenServiceManager.FaultKind.WrongAnswer,
            SHARE,
            number + VETO - 1,
            number + VETO + EXECUTION - 1,
            _plan(hex"0001")
        );
        _record(hex"0001");

        vm.prank(admin);
        serviceManager.setFaultShare(IAnzenServiceManager.FaultKind.WrongAnswer, 1 ether);
        IAnzenServiceManager.Fault memory fault = serviceManager.fault(FAULT);
        assertEq(fault.wadToSlash, SHARE);
        assertEq(fault.recordedBlock, number);
        assertEq(fault.planHash, keccak256(abi.encode(_plan(hex"0001"))));
    }

    function test_recordFault_revertsWithFaultExists() public {
        _record(hex"00");
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.FaultExists.selector, FAULT));
        _record(hex"00");
    }

    function test_recordFault_revertsWithAccessControlUnauthorizedAccount() public {
        bytes32 role = serviceManager.DISPUTES_ROLE();
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, address(this), role)
        );
        serviceManager.recordFault(FAULT, IAnzenServiceManager.FaultKind.WrongAnswer, hex"00", VETO, EXECUTION);
    }

    // ------------------------------------------------------------------------------------------------------- freezing

    function test_freezeOperator_ejectsFromAllQuorumsAndStartsTheCooldown() public {
        _record(hex"00");
        _freeze(0, 1);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[0].id), 0);
        vm.roll(vm.getBlockNumber() + DEALLOCATION_DELAY + 1);
        vm.expectRevert(bytes4(keccak256("CannotReregisterYet()")));
        this.register(0);
        vm.warp(vm.getBlockTimestamp() + 1001);
        this.register(0);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[0].id), 3);
    }

    function test_freezeOperator_twiceIsOnce() public {
        _record(hex"00");
        _freeze(0, 1);
        _freeze(0, 3);
        assertEq(serviceManager.slashingRequest(FAULT, operators[0].account).quorums, 1);
    }

    /// @dev It need not be ejected: EigenLayer keeps it out until after the windows.
    function test_freezeOperator_thatHasLeft() public {
        _deregister(0, hex"0001");
        _record(hex"00");
        _freeze(0, 1);
        vm.warp(vm.getBlockTimestamp() + 1001);
        vm.roll(serviceManager.fault(FAULT).executionEnd);
        vm.expectRevert(bytes4(keccak256("AlreadyMemberOfSet()")));
        this.register(0);
        _execute(hex"00", 0);
        assertApproxEqAbs(_withdrawable(0), 2 * STAKE - STAKE / 4, 1e6);
    }

    function test_freezeOperator_revertsAfterAVetoAndAfterTheEnd() public {
        _record(hex"00");
        vm.roll(vm.getBlockNumber() + VETO + EXECUTION);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAnzenServiceManager.ExecutionWindowOver.selector, serviceManager.fault(FAULT).executionEnd
            )
        );
        _freeze(0, 1);
    }

    // ----------------------------------------------------------------------------------------------------------- veto

    function test_vetoFault_endsItForEveryone() public {
        _record(hex"00");
        _freeze(0, 1);
        vm.prank(committee);
        serviceManager.vetoFault(FAULT);

        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.FaultIsVetoed.selector, FAULT));
        _freeze(1, 1);
        vm.roll(vm.getBlockNumber() + VETO);
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.FaultIsVetoed.selector, FAULT));
        _execute(hex"00", 0);
    }

    function test_vetoFault_untilTheLastBlockOfItsWindow() public {
        _record(hex"00");
        uint256 last = serviceManager.fault(FAULT).vetoEnd;
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.VetoWindowOver.selector, last));
        vm.prank(committee);
        serviceManager.vetoFault(FAULT);
        vm.roll(last);
        vm.prank(committee);
        serviceManager.vetoFault(FAULT);
    }

    function test_vetoSlashing_sparesOneOperator() public {
        _record(hex"00");
        _freeze(0, 1);
        _freeze(1, 1);
        vm.prank(committee);
        serviceManager.vetoSlashing(FAULT, operators[0].account);
        vm.roll(vm.getBlockNumber() + VETO);
        _execute(hex"00", 0, 1);
        assertEq(_withdrawable(0), 2 * STAKE);
        assertApproxEqAbs(_withdrawable(1), 2 * STAKE - STAKE / 4, 1e6);
    }

    function test_veto_revertsWithAccessControlUnauthorizedAccount() public {
        _record(hex"00");
        _freeze(0, 1);
        bytes32 role = serviceManager.COMMITTEE_ROLE();
        bytes memory refusal =
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, disputes, role);
        vm.startPrank(disputes);
        vm.expectRevert(refusal);
        serviceManager.vetoFault(FAULT);
        vm.expectRevert(refusal);
        serviceManager.vetoSlashing(FAULT, operators[0].account);
    }

    // ------------------------------------------------------------------------------------------------------ execution

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

    /// @dev Whoever gives too little gas may only waste it.
    function testFuzz_executeSlashing_starvedOfGasLosesNothing(uint256 allowance) public {
        _record(hex"00");
        _freeze(4, 1);
        vm.roll(vm.getBlockNumber() + VETO);
        allowance = bound(allowance, 30_000, 400_000);
        vm.prank(anyone);
        try serviceManager.executeSlashing{gas: allowance}(FAULT, _plan(hex"00"), _accounts(4)) {} catch {}
        bool done = serviceManager.slashingRequest(FAULT, operators[4].account).quorums == 0;
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

    // -------------------------------------------------------------------------------------------------------- helpers

    function register(uint256 index) external {
        _register(index, hex"0001");
    }

    function _record(bytes memory quorumNumbers) private {
        vm.prank(disputes);
        serviceManager.recordFault(FAULT, IAnzenServiceManager.FaultKind.WrongAnswer, quorumNumbers, VETO, EXECUTION);
    }

    function _freeze(uint256 index, uint192 quorums) private {
        vm.prank(disputes);
        serviceManager.freezeOperator(FAULT, operators[index].account, quorums);
    }

    function _execute(bytes memory quorumNumbers, uint256 a) private {
        vm.prank(anyone);
        serviceManager.executeSlashing(FAULT, _plan(quorumNumbers), _accounts(a));
    }

    function _execute(bytes memory quorumNumbers, uint256 a, uint256 b) private {
        address[] memory accounts = new address[](2);
        (accounts[0], accounts[1]) = (operators[a].account, operators[b].account);
        vm.prank(anyone);
        serviceManager.executeSlashing(FAULT, _plan(quorumNumbers), accounts);
    }

    function _magnitude(uint256 index, uint8 quorumNumber) private view returns (uint64) {
        return allocationManager.getAllocation(
            operators[index].account,
            IAllocationManagerFull.OperatorSet(address(serviceManager), quorumNumber),
            strategy
        )
        .currentMagnitude;
    }
}
