// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";

/// @title LocalPriceFeed
/// @notice A price feed of the local network, whose owner transmits the prices. It keeps every round.
contract LocalPriceFeed is AggregatorV3Interface, Ownable {
    struct Round {
        int192 answer;
        uint64 updatedAt;
    }

    /// @notice A price was transmitted, as Chainlink's aggregators announce it.
    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    /// @notice Nothing was transmitted in this round.
    error NoData(uint80 roundId);
    /// @notice The answer does not fit 192 bits.
    error AnswerOutOfRange(int256 answer);

    /// @inheritdoc AggregatorV3Interface
    uint8 public constant decimals = 8;
    /// @inheritdoc AggregatorV3Interface
    uint256 public constant version = 1;
    /// @inheritdoc AggregatorV3Interface
    string public description;
    /// @notice The number of the latest round; 0 if there is none.
    uint80 public latestRound;

    mapping(uint80 roundId => Round) private _rounds;

    constructor(string memory description_, address owner_) Ownable(owner_) {
        description = description_;
    }

    /// @notice Writes the next round. By the owner.
    function transmit(int256 answer) external onlyOwner {
        // forge-lint: disable-next-line(unsafe-typecast)
        int192 narrowed = int192(answer);
        if (narrowed != answer) revert AnswerOutOfRange(answer);
        uint80 roundId = ++latestRound;
        _rounds[roundId] = Round({answer: narrowed, updatedAt: uint64(block.timestamp)});
        emit AnswerUpdated(answer, roundId, block.timestamp);
    }

    /// @inheritdoc AggregatorV3Interface
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(latestRound);
    }

    /// @inheritdoc AggregatorV3Interface
    function getRoundData(uint80 roundId_)
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        if (roundId_ == 0 || roundId_ > latestRound) revert NoData(roundId_);
        Round memory round = _rounds[roundId_];
        return (roundId_, round.answer, round.updatedAt, round.updatedAt, roundId_);
    }
}
