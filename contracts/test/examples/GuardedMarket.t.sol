// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {TransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";

import {SafetyFactorOracle} from "../../sol/SafetyFactorOracle.sol";
import {AggregatorV3Interface} from "../../sol/interfaces/AggregatorV3Interface.sol";
import {ISafetyFactorOracle} from "../../sol/interfaces/ISafetyFactorOracle.sol";
import {GuardedMarket} from "./GuardedMarket.sol";

contract GuardedMarketTest is Test {
    SafetyFactorOracle private oracle;
    GuardedMarket private market;

    function setUp() public {
        address implementation = address(new SafetyFactorOracle());
        bytes memory initialize = abi.encodeCall(SafetyFactorOracle.initialize, (address(this)));
        oracle = SafetyFactorOracle(address(new TransparentUpgradeableProxy(implementation, address(1), initialize)));
        oracle.setTaskManager(address(this));
        (address feed,) = oracle.addProtocol(0, "Market");
        market = new GuardedMarket(AggregatorV3Interface(feed));
        vm.warp(1_700_000_000);
        vm.deal(address(this), 1 ether);
    }

    receive() external payable {}

    function test_deposit_revertsWithoutAnAnswer() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoData.selector, 0, 0));
        market.deposit{value: 1}();
    }

    function test_deposit_whileTheFactorIsHighAndFresh() public {
        oracle.update(_answer(0, 200_000_000, 10, 0));
        vm.warp(block.timestamp + 1 hours);
        market.deposit{value: 3}();
        assertEq(market.deposits(address(this)), 3);
    }

    function test_deposit_revertsWithNotSafe() public {
        uint256 updatedAt = block.timestamp;
        oracle.update(_answer(0, 199_999_999, 10, 0));
        vm.expectRevert(abi.encodeWithSelector(GuardedMarket.NotSafe.selector, 199_999_999, updatedAt));
        market.deposit{value: 1}();

        oracle.update(_answer(0, 500_000_000, 11, 1));
        vm.warp(updatedAt + 1 hours + 1);
        vm.expectRevert(abi.encodeWithSelector(GuardedMarket.NotSafe.selector, 500_000_000, updatedAt));
        market.deposit{value: 1}();
    }

    function test_withdraw_isNeverGuarded() public {
        oracle.update(_answer(0, 500_000_000, 10, 0));
        market.deposit{value: 3}();
        vm.warp(block.timestamp + 30 days);
        market.withdraw(2);
        assertEq(market.deposits(address(this)), 1);
    }

    function _answer(uint32 oracleIndex, int256 value, uint32 referenceBlock, uint32 taskIndex)
        private
        pure
        returns (ISafetyFactorOracle.Answer memory)
    {
        return ISafetyFactorOracle.Answer(oracleIndex, value, referenceBlock, taskIndex, bytes32(0), 20);
    }
}
