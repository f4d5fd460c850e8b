// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {ISafetyFactorModels} from "../sol/interfaces/ISafetyFactorModels.sol";
import {ModelMath} from "../sol/libraries/ModelMath.sol";
import {RandomTerms} from "./fixtures/RandomTerms.sol";

/// @notice What both implementations compute is in ModelVectors.t.sol; here is what holds for every input.
contract ModelMathTest is Test {
    using ModelMath for ISafetyFactorModels.ReadTerm[];

    function test_fuzz_evaluate_neverReverts(bytes32 seed) public pure {
        ISafetyFactorModels.ReadTerm[] memory terms = RandomTerms.terms(seed);
        (ISafetyFactorModels.Outcome outcome, int256 safetyFactor) = terms.evaluate();
        if (outcome == ISafetyFactorModels.Outcome.Answer) {
            assertLe(safetyFactor, int256(ModelMath.ONE));
            assertGe(safetyFactor, type(int128).min);
        } else {
            assertEq(safetyFactor, 0);
        }
    }

    /// @dev The order of terms matters to the reason at most.
    function test_fuzz_evaluate_ofTermsInAnotherOrder(bytes32 seed) public pure {
        ISafetyFactorModels.ReadTerm[] memory terms = RandomTerms.terms(seed);
        (ISafetyFactorModels.Outcome outcome, int256 safetyFactor) = terms.evaluate();
        for (uint256 i; i < terms.length / 2; ++i) {
            (terms[i], terms[terms.length - 1 - i]) = (terms[terms.length - 1 - i], terms[i]);
        }
        (ISafetyFactorModels.Outcome reversed, int256 value) = terms.evaluate();
        assertEq(outcome == ISafetyFactorModels.Outcome.Answer, reversed == ISafetyFactorModels.Outcome.Answer);
        assertEq(safetyFactor, value);
    }

    function test_fuzz_evaluate_agreesWithTheExactQuotient(uint64 cost, uint64 profit) public pure {
        cost = uint64(bound(cost, 1, type(uint64).max));
        ISafetyFactorModels.ReadTerm[] memory terms = new ISafetyFactorModels.ReadTerm[](2);
        terms[0] = _term(ISafetyFactorModels.Side.Cost, cost, 1);
        terms[1] = _term(ISafetyFactorModels.Side.Profit, profit, 1);
        (ISafetyFactorModels.Outcome outcome, int256 safetyFactor) = terms.evaluate();
        assertEq(uint8(outcome), uint8(ISafetyFactorModels.Outcome.Answer));
        // SF <= (CoC - PfC) / CoC < SF + 1, in units of the last decimal.
        int256 exact = (int256(uint256(cost)) - int256(uint256(profit))) * 1e9;
        assertLe(safetyFactor * int256(uint256(cost)), exact);
        assertGt((safetyFactor + 1) * int256(uint256(cost)), exact);
    }

    /// @dev More to gain or less to lose never makes a protocol safer.
    function test_fuzz_evaluate_isMonotonic(uint80 cost, uint80 profit, uint80 more, uint8 decimals) public pure {
        ISafetyFactorModels.ReadTerm[] memory terms = new ISafetyFactorModels.ReadTerm[](2);
        terms[0] = _term(ISafetyFactorModels.Side.Cost, cost, 1e18);
        terms[1] = _term(ISafetyFactorModels.Side.Profit, profit, 1e18);
        terms[0].decimals = terms[1].decimals = decimals % 19;
        (ISafetyFactorModels.Outcome outcome, int256 before) = terms.evaluate();
        vm.assume(outcome == ISafetyFactorModels.Outcome.Answer);
        terms[1].amount.value += more;
        (, int256 richer) = terms.evaluate();
        assertLe(richer, before);
        terms[1].amount.value -= more;
        terms[0].amount.value += more;
        (, int256 dearer) = terms.evaluate();
        assertGe(dearer, before);
    }

    /// @dev Whatever the rest is: the first source without a value decides.
    function test_fuzz_evaluate_tellsTheFirstSourceWithoutAValue(uint256 count, uint256 which, uint8 reason, bool price)
        public
        pure
    {
        count = bound(count, 1, 20);
        which = bound(which, 0, count - 1);
        ISafetyFactorModels.ReadTerm[] memory terms = new ISafetyFactorModels.ReadTerm[](count);
        for (uint256 i; i < count; ++i) {
            terms[i] = _term(ISafetyFactorModels.Side.Cost, 5, 7);
            if (i > which) terms[i].amount.outcome = ISafetyFactorModels.Outcome.Overflow;
        }
        ISafetyFactorModels.Outcome expected = ISafetyFactorModels.Outcome(bound(reason, 1, 5));
        (price ? terms[which].price : terms[which].amount).outcome = expected;
        (ISafetyFactorModels.Outcome outcome, int256 safetyFactor) = terms.evaluate();
        assertEq(uint8(outcome), uint8(expected));
        assertEq(safetyFactor, 0);
    }

    function test_fuzz_fieldOf(bytes32 word, uint8 offset, uint8 width) public pure {
        width = uint8(bound(width, 1, 32));
        offset = uint8(bound(offset, 0, 32 - width));
        uint256 expected;
        for (uint256 i; i < width; ++i) {
            expected = expected << 8 | uint8(word[32 - offset - width + i]);
        }
        assertEq(ModelMath.fieldOf(word, offset, width), expected);
    }

    function test_fuzz_readingOfFeed(int256 answer, uint256 age, uint32 maxAge) public pure {
        ISafetyFactorModels.Reading memory reading = ModelMath.readingOfFeed(answer, age, maxAge);
        if (age > maxAge) {
            assertEq(uint8(reading.outcome), uint8(ISafetyFactorModels.Outcome.StaleFeed));
        } else if (answer <= 0) {
            assertEq(uint8(reading.outcome), uint8(ISafetyFactorModels.Outcome.NoPrice));
        } else {
            assertEq(uint8(reading.outcome), uint8(ISafetyFactorModels.Outcome.Answer));
            assertEq(reading.value, uint256(answer));
        }
    }

    function test_readingOfFeed_atItsGreatestAge() public pure {
        assertEq(uint8(ModelMath.readingOfFeed(1, 60, 60).outcome), uint8(ISafetyFactorModels.Outcome.Answer));
        assertEq(uint8(ModelMath.readingOfFeed(1, 61, 60).outcome), uint8(ISafetyFactorModels.Outcome.StaleFeed));
    }

    function _term(ISafetyFactorModels.Side side, uint256 amount, uint256 price)
        private
        pure
        returns (ISafetyFactorModels.ReadTerm memory)
    {
        ISafetyFactorModels.Outcome answer = ISafetyFactorModels.Outcome.Answer;
        return ISafetyFactorModels.ReadTerm({
            side: side,
            amount: ISafetyFactorModels.Reading(answer, amount),
            price: ISafetyFactorModels.Reading(answer, price),
            shareBps: 10_000,
            decimals: 0
        });
    }
}
