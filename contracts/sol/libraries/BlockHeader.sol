// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {StrictRLP} from "./StrictRLP.sol";

/// @title BlockHeader
/// @notice What is known of a block whose hash is known.
/// @dev A block's hash is the hash of its header's encoding (Yellow Paper, 4.3), so a header that has the hash is the
/// block's. Forks have appended fields (EIP-1559, 4895, 4844, 4788, 7685) and moved none: those behind the fifteen of the
/// first version are not looked at.
library BlockHeader {
    using StrictRLP for bytes;

    struct Header {
        uint256 number;
        /// @dev In seconds.
        uint256 timestamp;
        bytes32 stateRoot;
    }

    /// @notice The header is not that of the block `blockHash`.
    error HeaderMismatch(bytes32 blockHash, bytes32 headerHash);
    /// @notice A block's header has at least fifteen fields.
    error HeaderTooShort(uint256 fields);

    uint256 private constant MIN_FIELDS = 15;
    uint256 private constant STATE_ROOT = 3;
    uint256 private constant NUMBER = 8;
    uint256 private constant TIMESTAMP = 11;

    /// @notice Decodes the RLP encoding of the header of the block `blockHash`. Reverts if it is another one's.
    function decode(bytes calldata encoded, bytes32 blockHash) internal pure returns (Header memory) {
        bytes32 headerHash = keccak256(encoded);
        if (headerHash != blockHash) revert HeaderMismatch(blockHash, headerHash);

        bytes calldata fields = encoded.readList();
        (bytes calldata stateRoot, uint256 count) = fields.itemAt(STATE_ROOT);
        if (count < MIN_FIELDS) revert HeaderTooShort(count);
        return Header({
            number: _integer(fields, NUMBER), timestamp: _integer(fields, TIMESTAMP), stateRoot: stateRoot.readHash()
        });
    }

    function _integer(bytes calldata fields, uint256 index) private pure returns (uint256) {
        (bytes calldata field,) = fields.itemAt(index);
        return field.readInteger();
    }
}
