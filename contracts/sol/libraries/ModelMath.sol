// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ISafetyFactorModels} from "../interfaces/ISafetyFactorModels.sol";

/// @title ModelMath
/// @notice The arithmetic of models, the same as messages/src/model/evaluate.rs on every input. It never reverts. Every rounding is
/// against the protocol that is measured: the cost rounds down, the profit up, the quotient down (towards minus infinity).
library ModelMath {
    /// @notice 1.0
    uint256 internal constant ONE = 1_000_000_000;

    uint256 private constant SHARE_SCALE = 10_000;
    /// @dev `10^73 x SHARE_SCALE` is the largest that fits 256 bits.
    uint256 private constant MOST_DECIMALS = 73;
    /// @dev What `1.0 - fraction` may subtract for an int128 to result: `2^127 + 1.0`.
    uint256 private constant MOST_FRACTION = (1 << 127) + ONE;

    /// @notice What follows from what was read: the outcome, and the safety factor if it is `Answer` (else zero).
    /// @dev The first term that has no value decides; in a term, its amount before its price.
    function evaluate(ISafetyFactorModels.ReadTerm[] memory terms)
        internal
        pure
        returns (ISafetyFactorModels.Outcome outcome, int256 safetyFactor)
    {
        uint256[2] memory sums;
        for (uint256 i; i < terms.length; ++i) {
            outcome = addTerm(sums, terms[i]);
            if (outcome != ISafetyFactorModels.Outcome.Answer) return (outcome, 0);
        }
        return safetyFactorOf(sums);
    }

    /// @notice Adds a term's value to the sum of its side. If there is none, that is the outcome, whatever terms come after it.
    /// @param sums By side.
    /// @return outcome `Answer`, or why there is no value.
    function addTerm(uint256[2] memory sums, ISafetyFactorModels.ReadTerm memory term)
        internal
        pure
        returns (ISafetyFactorModels.Outcome outcome)
    {
        uint256 value;
        (outcome, value) = _valueOf(term);
        if (outcome != ISafetyFactorModels.Outcome.Answer) return outcome;
        bool fits;
        (fits, sums[uint256(term.side)]) = Math.tryAdd(sums[uint256(term.side)], value);
        if (!fits) return ISafetyFactorModels.Outcome.Overflow;
    }

    /// @notice What follows from the sums of all terms: `1.0 - profit / cost`, rounded down.
    /// @param sums By side.
    function safetyFactorOf(uint256[2] memory sums) internal pure returns (ISafetyFactorModels.Outcome, int256) {
        return _safetyFactor({
            cost: sums[uint256(ISafetyFactorModels.Side.Cost)], profit: sums[uint256(ISafetyFactorModels.Side.Profit)]
        });
    }

    /// @notice What a feed's round is as a reading.
    /// @param age How many seconds before the reference block the answer was given.
    function readingOfFeed(int256 answer, uint256 age, uint32 maxAge)
        internal
        pure
        returns (ISafetyFactorModels.Reading memory)
    {
        if (age > maxAge) return ISafetyFactorModels.Reading(ISafetyFactorModels.Outcome.StaleFeed, 0);
        if (answer <= 0) return ISafetyFactorModels.Reading(ISafetyFactorModels.Outcome.NoPrice, 0);
        // forge-lint: disable-next-line(unsafe-typecast)
        return ISafetyFactorModels.Reading(ISafetyFactorModels.Outcome.Answer, uint256(answer));
    }

    /// @notice `width` bytes of a slot's word, `offset` bytes from the right. Their bounds are those of StorageSlotSource.
    function fieldOf(bytes32 word, uint8 offset, uint8 width) internal pure returns (uint256) {
        uint256 mask = type(uint256).max >> (256 - 8 * uint256(width));
        return uint256(word) >> (8 * uint256(offset)) & mask;
    }

    /// @dev `amount x price x share / 10^decimals`.
    function _valueOf(ISafetyFactorModels.ReadTerm memory term)
        private
        pure
        returns (ISafetyFactorModels.Outcome, uint256)
    {
        ISafetyFactorModels.Outcome answer = ISafetyFactorModels.Outcome.Answer;
        if (term.amount.outcome != answer) return (term.amount.outcome, 0);
        if (term.price.outcome != answer) return (term.price.outcome, 0);
        if (term.price.value == 0) return (ISafetyFactorModels.Outcome.NoPrice, 0);

        (bool fits, uint256 product) = Math.tryMul(term.amount.value, term.price.value);
        if (fits) (fits, product) = Math.tryMul(product, term.shareBps);
        if (!fits || term.decimals > MOST_DECIMALS) return (ISafetyFactorModels.Outcome.Overflow, 0);
        uint256 scale = 10 ** uint256(term.decimals) * SHARE_SCALE;
        bool isCost = term.side == ISafetyFactorModels.Side.Cost;
        return (answer, isCost ? product / scale : Math.ceilDiv(product, scale));
    }

    /// @dev `1.0 - profit / cost`, rounded down: the fraction that is subtracted rounds up.
    function _safetyFactor(uint256 cost, uint256 profit) private pure returns (ISafetyFactorModels.Outcome, int256) {
        if (cost == 0) return (ISafetyFactorModels.Outcome.NoCost, 0);
        (bool fits, uint256 scaled) = Math.tryMul(profit, ONE);
        if (!fits) return (ISafetyFactorModels.Outcome.Overflow, 0);
        uint256 fraction = Math.ceilDiv(scaled, cost);
        if (fraction > MOST_FRACTION) return (ISafetyFactorModels.Outcome.Overflow, 0);
        // forge-lint: disable-next-line(unsafe-typecast)
        return (ISafetyFactorModels.Outcome.Answer, int256(ONE) - int256(fraction));
    }
}
