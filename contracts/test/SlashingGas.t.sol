// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IStakeRegistry} from "../sol/eigenlayer/IStakeRegistry.sol";
import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {BoundedCall} from "../sol/libraries/BoundedCall.sol";
import {LocalToken} from "../sol/local/LocalToken.sol";
import {IAllocationManagerFull, ICoordinator} from "./fixtures/EigenLayer.sol";
import {FaultsFixture} from "./fixtures/FaultsFixture.sol";

/// @notice Operators in so many quorums, with so many strategies, that what is done to them does not fit one transaction: that must
/// protect nobody.
contract SlashingGasTest is FaultsFixture {
    /// @dev What a transaction may take (EIP-7825), without its own cost and some calldata's.
    uint256 private constant TRANSACTION_GAS = 16_777_216 - 21_000 - 250_000;
    /// @dev The most that a quorum can have.
    uint256 private constant STRATEGIES = 32;
    uint256 private constant QUORUMS = 3;

    IStakeRegistry.StrategyParams[] private params;
    LocalToken[] private tokens;
    address[] private strategies;

    function setUp() public {
        // The coordinator takes an operator that was never ejected for one that was at time 0.
        vm.warp(1_700_000_000);
        _deployFaults();
    }

    function test_freezeOperator_ofManyQuorums() public {
        for (uint256 q = 2; q < 33; ++q) {
            _createQuorum(LOOK_AHEAD);
        }
        uint256 index = _addOperator(64, 1000 ether, _numbers(0, 33));
        _record(hex"00");
        address account = operators[index].account;
        vm.prank(disputes);
        serviceManager.freezeOperator{gas: TRANSACTION_GAS}(FAULT, account, 1);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[index].id), (1 << 33) - (1 << 16));

        serviceManager.retryEjection{gas: TRANSACTION_GAS}(FAULT, account);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[index].id), 1 << 32);
        serviceManager.retryEjection{gas: TRANSACTION_GAS}(FAULT, account);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[index].id), 0);
    }

    function test_executeSlashing_ofManyStrategiesInManyQuorums() public {
        (address account, IAnzenServiceManager.QuorumStrategies[] memory plan) = _freezeOneOfMuch();
        address[] memory accounts = new address[](1);
        accounts[0] = account;
        uint192 owed = serviceManager.slashingRequest(FAULT, account).quorums;
        for (uint256 calls; owed != 0; ++calls) {
            assertLt(calls, QUORUMS, "each call takes one quorum at least");
            serviceManager.executeSlashing{gas: TRANSACTION_GAS}(FAULT, plan, accounts);
            uint192 left = serviceManager.slashingRequest(FAULT, account).quorums;
            assertLt(left, owed, "more of it");
            if (calls == 0) assertGt(left, 0, "it all fitted: this tests nothing");
            for (uint8 q = 2; q < 2 + QUORUMS; ++q) {
                bool done = left >> q & 1 == 0;
                assertEq(_magnitudeOf(account, q) < 1 ether / uint64(QUORUMS), done, "done if and only if taken");
            }
            owed = left;
        }
    }

    /// @dev An estimate looks for the least gas that a call does not revert with: that must not be what suffices for a part.
    function test_executeSlashing_withLessThanNearlyATransactionsGasDoesAllOrNothing() public {
        (address account, IAnzenServiceManager.QuorumStrategies[] memory plan) = _freezeOneOfMuch();
        address[] memory accounts = new address[](1);
        accounts[0] = account;
        uint192 owed = serviceManager.slashingRequest(FAULT, account).quorums;
        vm.expectPartialRevert(BoundedCall.GasTooLow.selector);
        serviceManager.executeSlashing{gas: 14_900_000}(FAULT, plan, accounts);
        assertEq(serviceManager.slashingRequest(FAULT, account).quorums, owed);
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    /// @dev An operator that is to be slashed now in three quorums of 32 strategies.
    function _freezeOneOfMuch() private returns (address account, IAnzenServiceManager.QuorumStrategies[] memory plan) {
        _createQuorumsOfManyStrategies();
        account = _addOperatorOfManyStrategies();
        bytes memory numbers = _numbers(2, QUORUMS);
        _record(numbers);
        _freeze(operators.length - 1, uint192((1 << QUORUMS) - 1) << 2);
        vm.roll(vm.getBlockNumber() + VETO);
        plan = new IAnzenServiceManager.QuorumStrategies[](QUORUMS);
        for (uint256 q; q < QUORUMS; ++q) {
            plan[q] = IAnzenServiceManager.QuorumStrategies(uint8(numbers[q]), strategies);
        }
    }

    function _createQuorumsOfManyStrategies() private {
        for (uint256 i; i < STRATEGIES; ++i) {
            tokens.push(new LocalToken("Token", "T", address(this)));
            address one = strategyFactory.deployNewStrategy(address(tokens[i]));
            params.push(IStakeRegistry.StrategyParams(one, 1 ether));
            strategies.push(one);
        }
        address[] memory sorted = strategies;
        _sort(sorted);
        strategies = sorted;
        for (uint256 q; q < QUORUMS; ++q) {
            vm.prank(admin);
            coordinator.createSlashableStakeQuorum(
                ICoordinator.OperatorSetParam(200, 11_000, 100), MINIMUM_STAKE, params, LOOK_AHEAD
            );
        }
    }

    /// @dev With 100 tokens in each strategy, of which each quorum has its part.
    function _addOperatorOfManyStrategies() private returns (address account) {
        account = makeAddr("operator of many strategies");
        vm.prank(account);
        delegationManager.registerAsOperator(address(0), 0, "");
        for (uint256 i; i < STRATEGIES; ++i) {
            tokens[i].mint(account, 100 ether);
            vm.startPrank(account);
            tokens[i].approve(address(strategyManager), 100 ether);
            strategyManager.depositIntoStrategy(params[i].strategy, address(tokens[i]), 100 ether);
            vm.stopPrank();
        }
        vm.roll(vm.getBlockNumber() + CONFIGURATION_DELAY + 1);
        IAllocationManagerFull.AllocateParams[] memory parts = new IAllocationManagerFull.AllocateParams[](QUORUMS);
        for (uint256 q; q < QUORUMS; ++q) {
            parts[q].operatorSet = IAllocationManagerFull.OperatorSet(address(serviceManager), uint32(2 + q));
            parts[q].strategies = strategies;
            parts[q].newMagnitudes = new uint64[](STRATEGIES);
            for (uint256 i; i < STRATEGIES; ++i) {
                parts[q].newMagnitudes[i] = uint64(1 ether / QUORUMS);
            }
        }
        vm.prank(account);
        allocationManager.modifyAllocations(account, parts);
        vm.roll(vm.getBlockNumber() + 1);
        operators.push(Operator({account: account, secret: 64, id: _id(_g1(64))}));
        secretOf[_id(_g1(64))] = 64;
        _register(operators.length - 1, _numbers(2, QUORUMS));
        vm.roll(vm.getBlockNumber() + 1);
    }

    function _magnitudeOf(address account, uint8 quorumNumber) private view returns (uint64) {
        return allocationManager.getAllocation(
            account, IAllocationManagerFull.OperatorSet(address(serviceManager), quorumNumber), strategies[0]
        )
        .currentMagnitude;
    }

    function _numbers(uint256 from, uint256 count) private pure returns (bytes memory numbers) {
        for (uint256 q = from; q < from + count; ++q) {
            numbers = bytes.concat(numbers, bytes1(uint8(q)));
        }
    }
}
