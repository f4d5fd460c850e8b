// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title ModelHistory
/// @notice Which model the rounds of a protocol were computed by. A model changes when governance says so: an entry for each
/// change, and in the steady state one slot is read.
library ModelHistory {
    /// @dev The model of the answers from a round on.
    struct From {
        uint80 roundId;
        bytes32 modelHash;
    }

    struct History {
        From current;
        From[] past;
    }

    /// @notice Notes the model of a new round. Returns whether it is another one than before.
    function note(History storage history, uint80 roundId, bytes32 modelHash) internal returns (bool changed) {
        From memory current = history.current;
        if (current.modelHash == modelHash) return false;
        if (current.roundId != 0) history.past.push(current);
        history.current = From({roundId: roundId, modelHash: modelHash});
        return true;
    }

    /// @notice The model of a round; zero if there was no answer up to it.
    function modelAt(History storage history, uint80 roundId) internal view returns (bytes32) {
        From memory from = history.current;
        for (uint256 i = history.past.length; roundId < from.roundId && i != 0; --i) {
            from = history.past[i - 1];
        }
        return roundId < from.roundId ? bytes32(0) : from.modelHash;
    }
}
