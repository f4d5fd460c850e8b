// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {StrictRLP} from "./StrictRLP.sol";

/// @title MerklePatricia
/// @notice What a Merkle-Patricia trie with keys of 32 bytes holds for a key, or that it holds nothing (Yellow Paper,
/// appendix D): the tries of the state and of an account's storage, whose keys are hashes.
/// @dev Sound because each node is hashed before it is decoded: the root names the first one, a node that was accepted
/// names the next, so that whoever can bring forth other bytes has found a collision of Keccak-256. Over nodes that a client
/// made, the way of a key is unique, and it ends in one of these places, which decide:
///
///     a leaf with the rest of the key               the value
///     a leaf with another rest                      absent: the trie would branch here
///     an extension that the key does not follow     absent: the trie would branch here
///     an empty child of a branch                    absent
///     the root of the empty trie                    absent
///
/// A node of fewer than 32 bytes stands in its parent, in place of its hash. A proof consists of the nodes that are named by
/// their hashes, from the root on, each once and none besides: `eth_getProof` of some clients lists the others too, so a
/// prover drops what is shorter than 32 bytes. (With keys of 32 bytes a root never is.)
///
/// Why not OpenZeppelin's `TrieProof`: it reverts on an empty child, with the error of malformed RLP, so that absence could
/// only be told by a second walk; it takes a nibble of padding that is not zero, a value in a branch, and nodes in their
/// parents listed or not. The two agree where it has an answer (test/MerklePatricia.t.sol).
library MerklePatricia {
    using StrictRLP for bytes;

    /// @notice The proof ends before the key's way does: node `index` is missing.
    error NodeMissing(uint256 index);
    /// @notice Node `index` is not the one that the root, or the node before it, names.
    error NodeMismatch(uint256 index);
    /// @notice The key's way ends before the proof does: node `index` is not on it.
    error NodeUnused(uint256 index);
    /// @notice A node is not one of a trie with keys of 32 bytes. No client's proof has such a node.
    error NodeMalformed();

    /// @notice The root of the empty trie: the hash of the empty string's encoding.
    bytes32 internal constant EMPTY_ROOT = 0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421;

    uint256 private constant KEY_NIBBLES = 64;
    /// @dev A branch has sixteen children and a value, which keys of one length leave empty.
    uint256 private constant BRANCH_ITEMS = 17;
    /// @dev A leaf has a path and a value, an extension a path and a child.
    uint256 private constant PATH_ITEMS = 2;

    /// @dev What a node says about a key.
    enum Step {
        Absent,
        Value,
        Child
    }

    /// @notice What the trie `root` holds for `key`. Reverts unless `proof` decides it.
    /// @return value The value; empty if the trie does not hold the key. (No trie holds an empty value.)
    function get(bytes32 root, bytes32 key, bytes[] calldata proof) internal pure returns (bytes calldata value) {
        value = msg.data[:0];
        uint256 used;
        if (root != EMPTY_ROOT) (value, used) = _walk(root, key, proof);
        if (used != proof.length) revert NodeUnused(used);
    }

    /// @dev Follows `key` from `root` on.
    /// @return item The value; empty if the trie does not hold the key.
    /// @return used How many nodes of `proof` are on the way.
    function _walk(bytes32 root, bytes32 key, bytes[] calldata proof)
        private
        pure
        returns (bytes calldata item, uint256 used)
    {
        item = msg.data[:0];
        Step step = Step.Child;
        // Ends: each node takes at least one of the key's nibbles, or is the last one.
        for (uint256 depth; step == Step.Child;) {
            if (_isInline(item)) {
                (step, item, depth) = _follow(item, key, depth);
            } else {
                // What is beneath a node is a trie of its own.
                bytes32 name = used == 0 ? root : item.readHash();
                (step, item, depth) = _follow(_node(proof, used++, name), key, depth);
            }
        }
        item = step == Step.Value ? _value(item) : item[:0];
    }

    /// @dev Node `index` of `proof`, if its hash is `expected`.
    function _node(bytes[] calldata proof, uint256 index, bytes32 expected) private pure returns (bytes calldata node) {
        if (index == proof.length) revert NodeMissing(index);
        node = proof[index];
        if (keccak256(node) != expected) revert NodeMismatch(index);
    }

    /// @dev Follows `key`, of which `depth` nibbles led to `node`, through it.
    /// @return step What the node says.
    /// @return item The value, or the child; of no meaning if the key is absent.
    /// @return nextDepth How many nibbles of the key led to the child.
    function _follow(bytes calldata node, bytes32 key, uint256 depth)
        private
        pure
        returns (Step step, bytes calldata item, uint256 nextDepth)
    {
        bytes calldata items = node.readList();
        uint256 count;
        (item, count) = items.itemAt(_nibble(key, depth));
        if (count == PATH_ITEMS) return _followPath(items, key, depth);
        if (count != BRANCH_ITEMS || depth == KEY_NIBBLES) revert NodeMalformed();
        return (item.isEmptyString() ? Step.Absent : Step.Child, item, depth + 1);
    }

    /// @dev Follows `key` through a leaf or an extension.
    function _followPath(bytes calldata items, bytes32 key, uint256 depth)
        private
        pure
        returns (Step, bytes calldata item, uint256)
    {
        bytes calldata path;
        (path,, item) = items.split();
        (bool leaf, uint256 nibbles, uint256 value) = _decodePath(path.readString());
        uint256 left = KEY_NIBBLES - depth;
        // All keys are of one length: a leaf's path ends where they end, an extension's before.
        if (leaf ? nibbles != left : nibbles == 0 || nibbles >= left) revert NodeMalformed();

        // Shifts by 256 yield zero, which is the path without nibbles.
        if (value != (uint256(key) << (4 * depth)) >> (256 - 4 * nibbles)) return (Step.Absent, item, depth);
        return (leaf ? Step.Value : Step.Child, item, depth + nibbles);
    }

    /// @dev Decodes a path in the hex-prefix encoding (Yellow Paper, appendix C): the first nibble is 0 or 1 in an extension
    /// and 2 or 3 in a leaf, odd where the number of nibbles is odd; where it is even, a nibble of zero follows.
    /// @return leaf Whether the path is a leaf's.
    /// @return nibbles How many nibbles it has. If more than 64, `value` is of no meaning.
    /// @return value The nibbles, as a number.
    function _decodePath(bytes calldata path) private pure returns (bool leaf, uint256 nibbles, uint256 value) {
        if (path.length == 0 || path.length > 33) revert NodeMalformed();
        uint256 first = uint8(path[0]);
        bool odd = first & 0x10 != 0;
        if (first > 0x3f || (!odd && first & 0x0f != 0)) revert NodeMalformed();

        uint256 bits = 8 * (path.length - 1);
        value = ((first & 0x0f) << bits) | (uint256(bytes32(path[1:])) >> (256 - bits));
        return (first & 0x20 != 0, bits / 4 + (odd ? 1 : 0), value);
    }

    /// @dev Nibble `index` of `key`; 0 behind the last one.
    function _nibble(bytes32 key, uint256 index) private pure returns (uint256) {
        return uint256(key << (4 * index)) >> 252;
    }

    /// @dev Whether `child` is the child itself and not its hash.
    function _isInline(bytes calldata child) private pure returns (bool inline_) {
        inline_ = child.isList();
        if (inline_ && child.length >= 32) revert NodeMalformed();
    }

    function _value(bytes calldata item) private pure returns (bytes calldata value) {
        value = item.readString();
        if (value.length == 0) revert NodeMalformed();
    }
}
