// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {BoundedCall} from "./BoundedCall.sol";

/// @title FeedRounds
/// @notice What an AggregatorV3 feed answered at a time in the past: the answer of its last round at that time.
/// @dev Round r was the last one at time t if updatedAt(r) <= t, and round r + 1 is absent or has t < updatedAt(r + 1).
/// Sound for feeds whose rounds are numbered without gaps within a phase, are stamped with the time of the block that wrote
/// them, and never change, as those of Chainlink's off-chain reporting are: then there is one such r, the same whenever it
/// is asked for.
///
/// Rounds of a phase are read at the phase's aggregator itself (phase 0), or at the proxy, which keeps all its phases
/// (round ids phase << 64 | round). Chainlink's aggregators on mainnet answer contracts only if these are on a list, their
/// proxies answer everyone. The phase is fixed by the model: over a change of phase, rounds are not in a row.
///
/// A failing call says "absent", so it is sure of its gas (BoundedCall), and a call at the same depth has read round r before:
/// depth, access lists and a dead feed cannot be what made it fail. That there was no round at all is never told from a failing
/// call: a feed that was alive at the reference block and is not any more would then speak against those who read it.
///
/// Not sound, therefore, for feeds that take rounds back or hold them back, as SafetyFactorFeed does, which reverts for rounds
/// that were withdrawn or are not final yet.
library FeedRounds {
    /// @notice The round cannot be read: it does not exist, or the feed is none.
    error RoundUnreadable(address feed, uint80 roundId);
    /// @notice The round came after the time asked for: name an earlier one.
    error RoundTooLate(address feed, uint80 roundId, uint256 updatedAt, uint256 time);
    /// @notice The round that follows was there at the time asked for: name a later one.
    error RoundTooEarly(address feed, uint80 roundId, uint256 nextUpdatedAt, uint256 time);
    uint256 private constant ROUND_DATA_WORDS = 5;

    /// @notice What `feed` answered at `time`.
    /// @param phase The phase whose rounds count where `feed` is a proxy, 0 where it is an aggregator.
    /// @param round The number of the last round at `time` in its phase; 0 if there was none.
    /// @return exists Whether there was a round at `time`.
    /// @return answer Its answer, as it is: it may be zero or negative.
    /// @return updatedAt When it was written, in seconds.
    function answerAt(address feed, uint16 phase, uint64 round, uint256 time)
        internal
        view
        returns (bool exists, int256 answer, uint256 updatedAt)
    {
        if (round != 0) {
            uint80 roundId = _roundId(phase, round);
            (exists, answer, updatedAt) = _read(feed, roundId);
            if (!exists) revert RoundUnreadable(feed, roundId);
            if (updatedAt > time) revert RoundTooLate(feed, roundId, updatedAt, time);
        }
        _checkNext(feed, phase, round, time);
    }

    /// @notice Whether `feed` tells the first round of a phase, as it does from then on for as long as it can be read at all.
    function isReadable(address feed, uint16 phase) internal view returns (bool exists) {
        (exists,,) = _read(feed, _roundId(phase, 1));
    }

    /// @dev Reverts unless the round after `round` is absent at `time`.
    function _checkNext(address feed, uint16 phase, uint64 round, uint256 time) private view {
        // No feed comes near the last round.
        uint80 roundId = _roundId(phase, round + 1);
        (bool exists,, uint256 updatedAt) = _read(feed, roundId);
        if (exists && updatedAt <= time) revert RoundTooEarly(feed, roundId - 1, updatedAt, time);
        if (!exists && round == 0) revert RoundUnreadable(feed, roundId);
    }

    function _roundId(uint16 phase, uint64 round) private pure returns (uint80) {
        return (uint80(phase) << 64) | round;
    }

    /// @dev The data of a round. It does not exist if the call fails, if it returns less than a round's data, or those of a
    /// round that was not written.
    function _read(address feed, uint80 roundId) private view returns (bool exists, int256 answer, uint256 updatedAt) {
        bytes memory input = abi.encodeCall(AggregatorV3Interface.getRoundData, (roundId));
        uint256[] memory output;
        (exists, output) = BoundedCall.read(feed, input, ROUND_DATA_WORDS);
        exists = exists && output[3] != 0;
        // forge-lint: disable-next-line(unsafe-typecast)
        if (exists) (answer, updatedAt) = (int256(output[1]), output[3]);
    }
}
