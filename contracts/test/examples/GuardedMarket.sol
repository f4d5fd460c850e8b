// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

import {AggregatorV3Interface} from "../../sol/interfaces/AggregatorV3Interface.sol";

/// @title GuardedMarket
/// @notice A market that takes deposits only while its safety factor is fresh and high enough. An example for integrators;
/// docs/integrators.md explains it.
contract GuardedMarket {
    /// @notice The feed of this market in Anzen's oracle.
    AggregatorV3Interface public immutable safetyFactor;
    /// @notice The least safety factor, with 9 decimals.
    int256 public constant LEAST = 200_000_000;
    /// @notice How old the value may be, in seconds. Choose a few task intervals.
    uint256 public constant MAX_AGE = 1 hours;

    /// @notice What each depositor has.
    mapping(address depositor => uint256) public deposits;

    /// @notice The safety factor is `safetyFactor`, written at `updatedAt`.
    error NotSafe(int256 safetyFactor, uint256 updatedAt);

    constructor(AggregatorV3Interface safetyFactor_) {
        safetyFactor = safetyFactor_;
    }

    modifier whileSafe() {
        // Reverts with NoData where there has never been an answer.
        (, int256 factor,, uint256 updatedAt,) = safetyFactor.latestRoundData();
        if (factor < LEAST || block.timestamp - updatedAt > MAX_AGE) revert NotSafe(factor, updatedAt);
        _;
    }

    /// @notice Deposits ether.
    function deposit() external payable whileSafe {
        deposits[msg.sender] += msg.value;
    }

    /// @notice Takes ether back. Never guarded: a way out must not depend on an oracle.
    function withdraw(uint256 amount) external {
        deposits[msg.sender] -= amount;
        Address.sendValue(payable(msg.sender), amount);
    }
}
