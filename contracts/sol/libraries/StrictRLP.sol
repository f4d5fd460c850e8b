// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title StrictRLP
/// @notice Reads RLP (Yellow Paper, appendix B) in the calldata, where it is the one encoding of what it encodes.
/// @dev Everything that is read here has been hashed before, so that a client made it: strictness is a second line. Why not
/// OpenZeppelin's `RLP`: it copies into memory and takes 38,000 gas for a full branch of a trie, this library 10,000; and it takes
/// leading zeros, and whatever follows an item. They agree on what both take (test/StrictRLP.t.sol).
library StrictRLP {
    /// @notice Not the RLP encoding of one item, or of several, and nothing else.
    error RLPMalformed();
    /// @notice A list stands where a string belongs.
    error NotAString();
    /// @notice A string stands where a list belongs.
    error NotAList();
    /// @notice The item is not a string of 32 bytes.
    error NotAHash();
    /// @notice The item is not an integer of at most 32 bytes without leading zeros.
    error NotAnInteger();

    /// @dev Below it, a byte is its own encoding. It is the encoding of the empty string.
    uint256 private constant STRING = 0x80;
    /// @dev The encoding of the empty list.
    uint256 private constant LIST = 0xc0;
    /// @dev A longer payload has its length written out.
    uint256 private constant MAX_SHORT = 55;

    /// @notice Splits `input` behind its first item.
    /// @return item The encoding of the first item.
    /// @return payload What it encodes: the string, or the items of the list.
    /// @return rest What follows the item.
    function split(bytes calldata input)
        internal
        pure
        returns (bytes calldata item, bytes calldata payload, bytes calldata rest)
    {
        (uint256 start, uint256 end) = _bounds(input);
        return (input[:end], input[start:end], input[end:]);
    }

    /// @notice The items of the list that `input` encodes, one after the other.
    function readList(bytes calldata input) internal pure returns (bytes calldata items) {
        if (!isList(input)) revert NotAList();
        return _whole(input);
    }

    /// @notice The string that `input` encodes.
    function readString(bytes calldata input) internal pure returns (bytes calldata) {
        if (isList(input)) revert NotAString();
        return _whole(input);
    }

    /// @notice The 32 bytes that `input` encodes.
    function readHash(bytes calldata input) internal pure returns (bytes32) {
        bytes calldata string_ = readString(input);
        if (string_.length != 32) revert NotAHash();
        // forge-lint: disable-next-line(unsafe-typecast)
        return bytes32(string_);
    }

    /// @notice The integer that `input` encodes. Zero is the empty string.
    function readInteger(bytes calldata input) internal pure returns (uint256) {
        bytes calldata string_ = readString(input);
        uint256 length = string_.length;
        if (length > 32 || (length != 0 && string_[0] == 0)) revert NotAnInteger();
        // A shift by 256 yields zero.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint256(bytes32(string_)) >> (256 - 8 * length);
    }

    /// @notice Item `index` of `items`, and how many there are. No item, and the number, if there are fewer.
    function itemAt(bytes calldata items, uint256 index) internal pure returns (bytes calldata item, uint256 count) {
        item = items[:0];
        while (items.length != 0) {
            (, uint256 end) = _bounds(items);
            if (count == index) item = items[:end];
            assembly ("memory-safe") {
                // `items[end:]`: `_bounds` saw to it that this is not behind the end.
                items.offset := add(items.offset, end)
                items.length := sub(items.length, end)
                count := add(count, 1)
            }
        }
    }

    /// @notice Whether the first item of `input` is a list.
    function isList(bytes calldata input) internal pure returns (bool) {
        return input.length != 0 && uint8(input[0]) >= LIST;
    }

    /// @notice Whether `input` is the empty string's encoding.
    function isEmptyString(bytes calldata input) internal pure returns (bool) {
        return input.length == 1 && uint8(input[0]) == STRING;
    }

    /// @dev The payload of `input`, which is one item.
    function _whole(bytes calldata input) private pure returns (bytes calldata) {
        (uint256 start, uint256 end) = _bounds(input);
        if (end != input.length) revert RLPMalformed();
        return input[start:];
    }

    /// @dev Where the payload of the first item of `input` starts, and where it ends: not behind the end of `input`.
    function _bounds(bytes calldata input) private pure returns (uint256 start, uint256 end) {
        uint256 word;
        assembly ("memory-safe") {
            // The first byte, and the length if that is written out: at most nine bytes. Whatever follows `input` does no
            // harm: an item that claims more than there is of `input` is refused.
            word := calldataload(input.offset)
        }
        // Nothing overflows: lengths are below 2 ** 64.
        unchecked {
            uint256 first = word >> 248;
            uint256 second = (word >> 240) & 0xff;
            if (first < STRING) {
                end = 1;
            } else {
                uint256 length = first - (first < LIST ? STRING : LIST);
                start = 1;
                if (length > MAX_SHORT) {
                    uint256 size = length - MAX_SHORT;
                    start += size;
                    length = (word << 8) >> (256 - 8 * size);
                    // The shortest form: no leading zero, and none of what fits the first byte.
                    if (length <= MAX_SHORT || second == 0) revert RLPMalformed();
                }
                end = start + length;
                // A byte that is its own encoding has no other.
                if (first == STRING + 1 && second < STRING) revert RLPMalformed();
            }
        }
        if (end > input.length) revert RLPMalformed();
    }
}
