// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {LocalPriceFeed} from "../sol/local/LocalPriceFeed.sol";
import {LocalToken} from "../sol/local/LocalToken.sol";
import {LocalVault} from "../sol/local/LocalVault.sol";

contract LocalTest is Test {
    address private owner = makeAddr("owner");
    LocalToken private token = new LocalToken("Token", "TKN", owner);
    LocalPriceFeed private feed = new LocalPriceFeed("TKN / USD", owner);

    function test_token_mint() public {
        vm.prank(owner);
        token.mint(address(this), 5);
        assertEq(token.balanceOf(address(this)), 5);
        assertEq(token.decimals(), 18);
    }

    function test_token_mint_revertsWithOwnableUnauthorizedAccount() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)));
        token.mint(address(this), 5);
    }

    function test_vault() public {
        LocalVault vault = new LocalVault(token, "Vault", "vTKN");
        vm.prank(owner);
        token.mint(address(this), 5);
        token.approve(address(vault), 5);
        vault.deposit(5, address(this));
        assertEq(vault.totalAssets(), 5);
        assertEq(vault.asset(), address(token));
    }

    function test_feed() public {
        assertEq(feed.decimals(), 8);
        assertEq(feed.version(), 1);
        assertEq(feed.description(), "TKN / USD");
        vm.warp(1000);
        vm.expectEmit(address(feed));
        emit LocalPriceFeed.AnswerUpdated(200_000_000_000, 1, 1000);
        vm.prank(owner);
        feed.transmit(200_000_000_000);
        vm.warp(1012);
        vm.prank(owner);
        feed.transmit(-1);

        (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn) =
            feed.latestRoundData();
        assertEq(roundId, 2);
        assertEq(answer, -1);
        assertEq(startedAt, 1012);
        assertEq(updatedAt, 1012);
        assertEq(answeredIn, 2);
        (, answer,, updatedAt,) = feed.getRoundData(1);
        assertEq(answer, 200_000_000_000);
        assertEq(updatedAt, 1000);
    }

    function test_feed_revertsWithNoData() public {
        vm.expectRevert(abi.encodeWithSelector(LocalPriceFeed.NoData.selector, 0));
        feed.latestRoundData();
        vm.expectRevert(abi.encodeWithSelector(LocalPriceFeed.NoData.selector, 1));
        feed.getRoundData(1);
    }

    function test_feed_transmit_revertsWithAnswerOutOfRange() public {
        int256 answer = int256(type(int192).max) + 1;
        vm.expectRevert(abi.encodeWithSelector(LocalPriceFeed.AnswerOutOfRange.selector, answer));
        vm.prank(owner);
        feed.transmit(answer);
    }

    function test_feed_transmit_revertsWithOwnableUnauthorizedAccount() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)));
        feed.transmit(1);
    }
}
