// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IStakeRegistry} from "../eigenlayer/IStakeRegistry.sol";
import {BoundedCall} from "./BoundedCall.sol";

/// @title StakeHistory
/// @notice What the total stake of a quorum was at a block in the past, from the history in its stake registry.
/// @dev The middleware appends an entry when the stake changes, or overwrites it within the same block, and closes the one
/// before: the entries follow on each other without gaps, so that one at most was in force at a block, and that of a block
/// which is over does not change. The registry is trusted to be the middleware's: governance lists those that are.
library StakeHistory {
    /// @notice The history has only `length` entries.
    error NoSuchStakeUpdate(uint256 index, uint256 length);
    /// @notice The entry at `index` was not in force at the block: name the one that was.
    error StakeUpdateNotInForce(uint256 index, uint256 blockNumber);

    /// @notice The total stake of quorum `quorumNumber` at the end of block `blockNumber`.
    /// @param index The entry that was in force; 0 if there was none.
    /// @return exists Whether there was an entry: none before the quorum was created.
    /// @return stake The weight, in the unit of the quorum's strategies.
    function totalStakeAt(IStakeRegistry registry, uint8 quorumNumber, uint256 blockNumber, uint256 index)
        internal
        view
        returns (bool exists, uint256 stake)
    {
        uint256 length = registry.getTotalStakeHistoryLength(quorumNumber);
        if (length == 0 && index == 0) return (false, 0);
        if (index >= length) revert NoSuchStakeUpdate(index, length);

        IStakeRegistry.StakeUpdate memory update = registry.getTotalStakeUpdateAtIndex(quorumNumber, index);
        if (blockNumber < update.updateBlockNumber) {
            if (index == 0) return (false, 0);
            revert StakeUpdateNotInForce(index, blockNumber);
        }
        if (update.nextUpdateBlockNumber != 0 && update.nextUpdateBlockNumber <= blockNumber) {
            revert StakeUpdateNotInForce(index, blockNumber);
        }
        return (true, update.stake);
    }

    /// @notice Whether the registry tells a history of the quorum; that may be empty.
    function isReadable(address registry, uint8 quorumNumber) internal view returns (bool success) {
        bytes memory input = abi.encodeCall(IStakeRegistry.getTotalStakeHistoryLength, (quorumNumber));
        (success,) = BoundedCall.read(registry, input, 1);
    }
}
