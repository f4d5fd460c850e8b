// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "../sol/interfaces/IAnzenTaskManager.sol";
import {IModelEvaluator} from "../sol/interfaces/IModelEvaluator.sol";
import {DisputesFixture} from "./fixtures/DisputesFixture.sol";
import {IDelegationManager} from "./fixtures/EigenLayer.sol";

/// @notice A staker need not leave a quorum to take its stake away: it withdraws from EigenLayer.
contract WithdrawalsTest is DisputesFixture {
    IAnzenTaskManager.Windows private windows = _windows();

    function setUp() public {
        _deployDisputes();
        _use(_modelOf(_constant(2), _constant(0)));
        windows.execution += WITHDRAWAL_DELAY - 550;
        vm.prank(admin);
        taskManager.setWindows(windows);
        vm.roll(vm.getBlockNumber() + 1);
    }

    /// @dev Everything in the last block of its window, and windows as long as a withdrawal takes.
    function test_executeSlashing_ofWhoWithdrawsWhateverTheTime() public {
        uint256 refreshed = vm.getBlockNumber();
        _refresh(hex"0001");
        _queueWithdrawal(4, 100 ether);
        vm.roll(refreshed + windows.maxStakeAge);
        Answered memory wrong = _withdrawnAnswer();
        bytes32 faultId = disputes.faultIdOf(IAnzenServiceManager.FaultKind.WrongAnswer, wrong.taskHash, 0);
        vm.roll(serviceManager.fault(faultId).executionEnd);
        assertEq(vm.getBlockNumber(), refreshed + WITHDRAWAL_DELAY - 1);
        disputes.freezeSigners(wrong.task, wrong.response, wrong.metadata, wrong.nonSignerIds, _members(4));
        serviceManager.executeSlashing(faultId, _plan(hex"0001"), _accounts(4));

        vm.roll(refreshed + WITHDRAWAL_DELAY + 1);
        _completeWithdrawal(4);
        assertApproxEqAbs(token.balanceOf(operators[4].account), 50 ether, 1e6);
    }

    function _withdrawnAnswer() private returns (Answered memory wrong) {
        IModelEvaluator.Witness memory witness;
        witness.header = _header(0);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256(witness.header));
        wrong = _answered(_ids(), windows.response);
        vm.roll(vm.getBlockNumber() + windows.challenge);
        disputes.challenge(wrong.task, wrong.response, wrong.metadata, wrong.roundId, witness);
    }

    function _queueWithdrawal(uint256 index, uint256 shares) private {
        IDelegationManager.QueuedWithdrawalParams[] memory params = new IDelegationManager.QueuedWithdrawalParams[](1);
        params[0].strategies = new address[](1);
        params[0].strategies[0] = strategy;
        params[0].depositShares = new uint256[](1);
        params[0].depositShares[0] = shares;
        params[0].withdrawer = operators[index].account;
        vm.prank(operators[index].account);
        delegationManager.queueWithdrawals(params);
    }

    function _completeWithdrawal(uint256 index) private {
        address account = operators[index].account;
        (IDelegationManager.Withdrawal[] memory queued,) = delegationManager.getQueuedWithdrawals(account);
        address[] memory tokens = new address[](1);
        tokens[0] = address(token);
        vm.prank(account);
        delegationManager.completeQueuedWithdrawal(queued[0], tokens, true);
    }
}
