// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {BoundedCall} from "../sol/libraries/BoundedCall.sol";
import {FeedRounds} from "../sol/libraries/FeedRounds.sol";
import {LocalPriceFeed} from "../sol/local/LocalPriceFeed.sol";
import {Phases} from "./fixtures/Phases.sol";

/// @notice The library, as a contract.
contract Rounds {
    function answerAt(address feed, uint16 phase, uint64 round, uint256 time)
        external
        view
        returns (bool exists, int256 answer, uint256 updatedAt)
    {
        return FeedRounds.answerAt(feed, phase, round, time);
    }
}

/// @notice Round 1 is in order. How the others behave is chosen.
contract OddFeed {
    enum Kind {
        Zeros,
        Short,
        Long,
        Burns,
        Costs
    }

    Kind private immutable KIND;
    uint256 private immutable UPDATED_AT;

    constructor(Kind kind, uint256 updatedAt) {
        KIND = kind;
        UPDATED_AT = updatedAt;
    }

    function getRoundData(uint80 roundId) external view returns (uint80, int256, uint256, uint256, uint80) {
        if (KIND == Kind.Costs) _burn(150_000);
        if (roundId == 1 || KIND == Kind.Costs) return (roundId, int80(roundId), 0, UPDATED_AT, roundId);
        if (KIND == Kind.Zeros) return (0, 0, 0, 0, 0);
        if (KIND == Kind.Burns) _burn(type(uint256).max);
        uint256 size = KIND == Kind.Short ? 0x9f : 100_000;
        assembly {
            mstore(add(mload(0x40), 0x60), 1)
            return(mload(0x40), size)
        }
    }

    function _burn(uint256 amount) private view {
        uint256 start = gasleft();
        while (start - gasleft() < amount) {}
    }
}

/// @notice Changes something when it is asked, as one that calls back would.
contract WritingFeed {
    uint256 private asked;

    function getRoundData(uint80 roundId) external returns (uint80, int256, uint256, uint256, uint80) {
        ++asked;
        return (roundId, 1, 1, 1, roundId);
    }
}

contract FeedRoundsTest is Test {
    uint256 private constant START = 1_700_000_000;

    Rounds private _rounds = new Rounds();
    LocalPriceFeed private _feed = new LocalPriceFeed("TKN / USD", address(this));

    /// @dev Round r (1 to 4) answers 10 * r at START + 100 * r; rounds 3 and 4 at the same time.
    function setUp() public {
        vm.warp(START + 100);
        _feed.transmit(10);
        vm.warp(START + 200);
        _feed.transmit(20);
        vm.warp(START + 300);
        _feed.transmit(30);
        _feed.transmit(-40);
        vm.warp(START + 1000);
    }

    function test_theRoundThatWasTheLast() public view {
        _assertRound(1, START + 100, 10, START + 100);
        _assertRound(1, START + 199, 10, START + 100);
        _assertRound(2, START + 200, 20, START + 200);
        _assertRound(4, START + 300, -40, START + 300);
        _assertRound(4, START + 999, -40, START + 300);
    }

    /// @dev At each time there is one round that can be proved.
    function testFuzz_oneRoundAtEachTime(uint256 time) public view {
        time = bound(time, START, START + 1000);
        uint256 proved;
        for (uint64 round; round < 8; ++round) {
            try _rounds.answerAt(address(_feed), 0, round, time) returns (bool exists, int256, uint256 updatedAt) {
                ++proved;
                assertTrue(exists == (round != 0) && updatedAt <= time);
            } catch {}
        }
        assertEq(proved, 1);
    }

    function test_noRoundBeforeTheFirst() public view {
        (bool exists, int256 answer, uint256 updatedAt) = _rounds.answerAt(address(_feed), 0, 0, START + 99);
        assertTrue(!exists && answer == 0 && updatedAt == 0);
    }

    function test_noRound_whereThereWasOne_refused() public {
        vm.expectRevert(_error(FeedRounds.RoundTooEarly.selector, address(_feed), 0, START + 100, START + 100));
        _rounds.answerAt(address(_feed), 0, 0, START + 100);
    }

    function test_earlierRound_refused() public {
        vm.expectRevert(_error(FeedRounds.RoundTooEarly.selector, address(_feed), 1, START + 200, START + 200));
        _rounds.answerAt(address(_feed), 0, 1, START + 200);
        // Of two in one block the later one.
        vm.expectRevert(_error(FeedRounds.RoundTooEarly.selector, address(_feed), 3, START + 300, START + 300));
        _rounds.answerAt(address(_feed), 0, 3, START + 300);
    }

    function test_laterRound_refused() public {
        vm.expectRevert(_error(FeedRounds.RoundTooLate.selector, address(_feed), 2, START + 200, START + 199));
        _rounds.answerAt(address(_feed), 0, 2, START + 199);
    }

    function test_roundThatIsAbsent_refused() public {
        _assertUnreadable(address(_feed), 0, 5);
        _assertUnreadable(address(_feed), 0, type(uint64).max);
        _assertUnreadable(address(_feed), 1, 1);
    }

    function test_notAFeed_provesNothing() public {
        address[3] memory others = [makeAddr("nobody"), address(this), address(0)];
        for (uint256 i; i < others.length; ++i) {
            _assertUnreadable(others[i], 0, 1);
            vm.expectRevert(abi.encodeWithSelector(FeedRounds.RoundUnreadable.selector, others[i], 1));
            _rounds.answerAt(others[i], 0, 0, START + 500);
        }
    }

    /// @dev A feed is asked in a way that lets it change nothing, here or elsewhere.
    function test_feedThatCallsBack_provesNothing() public {
        _assertUnreadable(address(new WritingFeed()), 0, 1);
    }

    /// @dev A feed that has died says nothing about the time when it was alive.
    function test_deadFeed_doesNotProveThatThereWasNoRound() public {
        vm.etch(address(_feed), hex"60006000fd");
        vm.expectRevert(abi.encodeWithSelector(FeedRounds.RoundUnreadable.selector, address(_feed), 1));
        _rounds.answerAt(address(_feed), 0, 0, START + 50);
    }

    function test_phasesOfAProxy() public {
        Phases proxy = new Phases();
        proxy.setPhase(3, _feed);
        LocalPriceFeed next = new LocalPriceFeed("TKN / USD", address(this));
        proxy.setPhase(4, next);
        next.transmit(50);
        // The last round of a phase, though a later phase has some.
        (bool exists, int256 answer,) = _rounds.answerAt(address(proxy), 3, 4, START + 1000);
        assertTrue(exists && answer == -40);
        (exists, answer,) = _rounds.answerAt(address(proxy), 4, 1, START + 1000);
        assertTrue(exists && answer == 50);
        (exists,,) = _rounds.answerAt(address(proxy), 4, 0, START + 999);
        assertFalse(exists);
        _assertUnreadable(address(proxy), 0, 4);
        _assertUnreadable(address(proxy), 5, 1);
    }

    function test_nextRoundThatIsNone() public {
        OddFeed.Kind[3] memory kinds = [OddFeed.Kind.Zeros, OddFeed.Kind.Short, OddFeed.Kind.Burns];
        for (uint256 i; i < kinds.length; ++i) {
            address feed = address(new OddFeed(kinds[i], START));
            (bool exists, int256 answer, uint256 updatedAt) = _rounds.answerAt{gas: 1_000_000}(feed, 0, 1, START);
            assertTrue(exists && answer == 1 && updatedAt == START);
            _assertUnreadable(feed, 0, 2);
        }
    }

    function test_longReturnData_isNotCopied() public {
        address feed = address(new OddFeed(OddFeed.Kind.Long, START));
        // Its fourth word is 1: a round that was written at that time.
        vm.expectRevert(_error(FeedRounds.RoundTooEarly.selector, feed, 1, 1, START));
        _rounds.answerAt{gas: 1_000_000}(feed, 0, 1, START);
    }

    /// @dev Round 1 was followed by a round: whatever gas the call is given, it does not look absent.
    function test_starvedCall_doesNotMakeARoundAbsent() public {
        address costly = address(new OddFeed(OddFeed.Kind.Costs, START + 1));
        for (uint256 gas_ = 5_000; gas_ < 700_000; gas_ += 617) {
            _assertRefused(address(_feed), gas_);
            _assertRefused(costly, gas_);
        }
        vm.expectPartialRevert(BoundedCall.GasTooLow.selector);
        _rounds.answerAt{gas: 200_000}(address(_feed), 0, 1, START + 200);
        (bool exists,,) = _rounds.answerAt{gas: 300_000}(address(_feed), 0, 2, START + 200);
        assertTrue(exists);
    }

    function _assertRefused(address feed, uint256 gas_) private view {
        bytes memory input = abi.encodeCall(Rounds.answerAt, (feed, 0, 1, START + 200));
        (bool success,) = address(_rounds).staticcall{gas: gas_}(input);
        assertFalse(success, vm.toString(gas_));
    }

    function _assertRound(uint64 round, uint256 time, int256 expected, uint256 expectedAt) private view {
        (bool exists, int256 answer, uint256 updatedAt) = _rounds.answerAt(address(_feed), 0, round, time);
        assertTrue(exists);
        assertEq(answer, expected);
        assertEq(updatedAt, expectedAt);
    }

    function _assertUnreadable(address feed, uint16 phase, uint64 round) private {
        uint80 roundId = uint80(phase) << 64 | round;
        vm.expectRevert(abi.encodeWithSelector(FeedRounds.RoundUnreadable.selector, feed, roundId));
        _rounds.answerAt(feed, phase, round, START + 500);
    }

    function _error(bytes4 selector, address feed, uint80 roundId, uint256 updatedAt, uint256 time)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(selector, feed, roundId, updatedAt, time);
    }
}
