// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AggregatorV3Interface} from "./interfaces/AggregatorV3Interface.sol";
import {ISafetyFactorOracle} from "./interfaces/ISafetyFactorOracle.sol";

/// @title SafetyFactorFeed
/// @notice One protocol's safety factor, for readers of Chainlink's AggregatorV3Interface: all rounds as they are written, or
/// final ones only.
/// @dev A round is written at once, so it starts when it is updated and is answered in itself. Rounds that were not written
/// revert with ISafetyFactorOracle.NoData, and such as were proved wrong with RoundIsWithdrawn; no zeros are returned. `updatedAt` is when the answer was written: the block that
/// it is about came somewhat earlier, see ISafetyFactorOracle.getRound.
contract SafetyFactorFeed is AggregatorV3Interface {
    /// @notice The oracle that holds the data.
    ISafetyFactorOracle public immutable oracle;
    /// @notice The protocol.
    uint32 public immutable oracleIndex;
    /// @notice Whether only final rounds are told.
    bool public immutable finalOnly;

    /// @inheritdoc AggregatorV3Interface
    uint256 public constant version = 1;

    constructor(ISafetyFactorOracle oracle_, uint32 oracleIndex_, bool finalOnly_) {
        oracle = oracle_;
        oracleIndex = oracleIndex_;
        finalOnly = finalOnly_;
    }

    /// @inheritdoc AggregatorV3Interface
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(finalOnly ? oracle.latestFinalRound(oracleIndex) : oracle.latestRound(oracleIndex));
    }

    /// @inheritdoc AggregatorV3Interface
    function decimals() external view returns (uint8) {
        return oracle.DECIMALS();
    }

    /// @inheritdoc AggregatorV3Interface
    function description() external view returns (string memory) {
        return string.concat(oracle.protocolName(oracleIndex), finalOnly ? " safety factor, final" : " safety factor");
    }

    /// @inheritdoc AggregatorV3Interface
    function getRoundData(uint80 roundId_)
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        ISafetyFactorOracle.Snapshot memory snapshot = oracle.getRound(oracleIndex, roundId_);
        if (finalOnly && oracle.roundStatus(oracleIndex, roundId_) != ISafetyFactorOracle.RoundStatus.Final) {
            revert ISafetyFactorOracle.RoundNotFinal(oracleIndex, roundId_);
        }
        return (roundId_, snapshot.safetyFactor, snapshot.updatedAt, snapshot.updatedAt, roundId_);
    }
}
