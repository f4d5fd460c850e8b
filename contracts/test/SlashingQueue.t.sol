// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {ISlashingRegistryCoordinator} from "../sol/eigenlayer/ISlashingRegistryCoordinator.sol";
import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {FaultsFixture} from "./fixtures/FaultsFixture.sol";

/// @notice Faults, from their recording to the veto. What follows: see SlashingExecution.t.sol.
contract SlashingQueueTest is FaultsFixture {
    function setUp() public {
        _deployFaults();
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
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, address(this), role)
        );
        serviceManager.freezeOperator(FAULT, operators[0].account, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, address(this), role)
        );
        serviceManager.ejectFromAll(operators[0].account);
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

    /// @dev One that EigenLayer has removed from everything, because nothing is left of its stake.
    function test_freezeOperator_thatWasSlashedInFull() public {
        vm.prank(admin);
        serviceManager.setFaultShare(IAnzenServiceManager.FaultKind.WrongAnswer, 1 ether);
        vm.prank(disputes);
        serviceManager.recordFault("first", IAnzenServiceManager.FaultKind.WrongAnswer, hex"00", 0, EXECUTION);
        vm.prank(disputes);
        serviceManager.freezeOperator("first", operators[4].account, 1);
        serviceManager.executeSlashing("first", _plan(hex"00"), _accounts(4));
        coordinator.updateOperators(_accounts(4));

        _record(hex"00");
        _freeze(4, 1);
        assertTrue(serviceManager.slashingRequest(FAULT, operators[4].account).frozen);
    }

    /// @dev EigenLayer is paused: the slashing is requested all the same, and the ejection can be made up for.
    function test_freezeOperator_thatCannotBeEjectedNow() public {
        _record(hex"00");
        allocationManager.pause(type(uint256).max);
        vm.expectEmit(true, false, false, false, address(serviceManager));
        emit IAnzenServiceManager.EjectionFailed(operators[0].account, "");
        _freeze(0, 1);
        assertTrue(serviceManager.slashingRequest(FAULT, operators[0].account).frozen);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[0].id), 3);

        allocationManager.unpause(0);
        _freeze(0, 1);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[0].id), 0);
    }

    /// @dev Of a fault that is proved once only, as an equivocation is, nobody freezes again.
    function test_retryEjection_byAnyone() public {
        _record(hex"00");
        allocationManager.pause(type(uint256).max);
        _freeze(0, 1);
        allocationManager.unpause(0);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[0].id), 3);
        _retry(0);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[0].id), 0);
        // There is nothing left to do.
        _retry(0);
    }

    function test_retryEjection_revertsWithOperatorNotFrozen() public {
        _record(hex"00");
        address account = operators[0].account;
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.OperatorNotFrozen.selector, FAULT, account));
        _retry(0);
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.UnknownFault.selector, bytes32("other")));
        serviceManager.retryEjection("other", account);
    }

    function test_retryEjection_leavesInPeaceWhoseSlashingWasVetoedOrTaken() public {
        allocationManager.pause(type(uint256).max);
        _record(hex"00");
        _freeze(0, 1);
        _freeze(4, 1);
        allocationManager.unpause(0);
        vm.prank(committee);
        serviceManager.vetoSlashing(FAULT, operators[0].account);
        _retry(0);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[0].id), 3);
        vm.roll(vm.getBlockNumber() + VETO);
        _execute(hex"00", 4);
        _retry(4);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 1);
    }

    function test_retryEjection_revertsAfterTheEnd() public {
        _record(hex"00");
        _freeze(0, 1);
        uint256 last = serviceManager.fault(FAULT).executionEnd;
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.ExecutionWindowOver.selector, last));
        _retry(0);
    }

    /// @dev Where the execution window is longer than EigenLayer keeps an operator out.
    function test_freezeOperator_thatCameBack() public {
        vm.prank(disputes);
        serviceManager.recordFault(
            FAULT, IAnzenServiceManager.FaultKind.WrongAnswer, hex"00", 0, 2 * DEALLOCATION_DELAY
        );
        _freeze(0, 1);
        vm.roll(vm.getBlockNumber() + DEALLOCATION_DELAY + 1);
        vm.warp(vm.getBlockTimestamp() + 1001);
        this.register(0);
        _freeze(0, 1);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[0].id), 0);

        // Once its stake is taken, it is left in peace.
        _execute(hex"00", 0);
        vm.roll(vm.getBlockNumber() + DEALLOCATION_DELAY - 10);
        _freeze(0, 1);
    }

    /// @dev An ejection is given one and a half times what it takes, at least: 300,000, and 500,000 for each quorum.
    function test_freezeOperator_gasOfAnEjection() public {
        assertLt(_gasOfEjecting(4, hex"00") * 3 / 2, 800_000);
        assertLt(_gasOfEjecting(0, hex"0001") * 3 / 2, 1_300_000);
    }

    /// @dev Whoever gives too little gas freezes nobody without an ejection.
    function test_freezeOperator_starvedOfGas() public {
        _record(hex"0001");
        bytes memory input = abi.encodeCall(serviceManager.freezeOperator, (FAULT, operators[0].account, 3));
        for (uint256 gas_ = 30_000; gas_ < 1_500_000; gas_ += 4_099) {
            uint256 before = vm.snapshotState();
            vm.prank(disputes);
            (bool success,) = address(serviceManager).call{gas: gas_}(input);
            assertEq(success, coordinator.getCurrentQuorumBitmap(operators[0].id) == 0, vm.toString(gas_));
            vm.revertToState(before);
        }
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

    /// @dev Freezing can wait until nothing can be vetoed any more; sparing need not.
    function test_vetoSlashing_ofAnOperatorThatIsNotFrozenYet() public {
        _record(hex"00");
        vm.prank(committee);
        serviceManager.vetoSlashing(FAULT, operators[4].account);
        vm.roll(vm.getBlockNumber() + VETO);
        _freeze(4, 1);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 1);
        _execute(hex"00", 4);
        assertEq(_withdrawable(4), STAKE);
    }

    function test_vetoSlashing_onlyOnceAndInItsWindow() public {
        _record(hex"00");
        address account = operators[4].account;
        uint256 last = serviceManager.fault(FAULT).vetoEnd;
        vm.startPrank(committee);
        serviceManager.vetoSlashing(FAULT, account);
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.SlashingIsVetoed.selector, FAULT, account));
        serviceManager.vetoSlashing(FAULT, account);
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenServiceManager.VetoWindowOver.selector, last));
        serviceManager.vetoSlashing(FAULT, operators[0].account);
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

    function _retry(uint256 index) private {
        vm.prank(anyone);
        serviceManager.retryEjection(FAULT, operators[index].account);
    }

    function _gasOfEjecting(uint256 index, bytes memory quorumNumbers) private returns (uint256) {
        ISlashingRegistryCoordinator ejector = ISlashingRegistryCoordinator(address(coordinator));
        vm.prank(address(serviceManager));
        uint256 before = gasleft();
        ejector.ejectOperator(operators[index].account, quorumNumbers);
        return before - gasleft();
    }
}
