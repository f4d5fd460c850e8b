// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {TrieProof} from "@openzeppelin/contracts/utils/cryptography/TrieProof.sol";

import {MerklePatricia} from "../sol/libraries/MerklePatricia.sol";
import {StrictRLP} from "../sol/libraries/StrictRLP.sol";
import {Proofs, ProofsTest} from "./fixtures/Proofs.sol";
import {Trie, TrieBuilder} from "./fixtures/Trie.sol";

/// @notice Over tries that the tests build themselves, with keys that share long prefixes: those of `state-proofs.mjs` are
/// hashes, which hardly do.
contract MerklePatriciaTest is ProofsTest {
    using RLP for *;

    TrieBuilder private _tries = new TrieBuilder();
    uint256 private _random;

    // -- what is in the trie, and what is not

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_everyKeyIsProvedAsItIs(uint256 seed) public {
        Trie.Entries memory entries = _entries(seed);
        bytes32 root = _tries.root(entries);
        for (uint256 i; i < entries.keys.length; ++i) {
            bytes[] memory proof = _tries.prove(entries, entries.keys[i]);
            assertEq(proofs.get(root, entries.keys[i], proof), entries.values[i]);
            assertEq(TrieProof.traverse(root, abi.encode(entries.keys[i]), proof), entries.values[i]);

            bytes32 other = _near(entries.keys[i]);
            assertEq(proofs.get(root, other, _tries.prove(entries, other)), _truth(entries, other));
        }
    }

    /// @dev All that a proof can bring about is the truth: for keys that are there and that are not, from right proofs with
    /// edits, and from any nodes of the trie in any order.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_noProofProvesWhatIsNotSo(uint256 seed) public {
        Trie.Entries memory entries = _entries(seed);
        bytes32 root = _tries.root(entries);
        for (uint256 i; i < 20; ++i) {
            bytes32 key = entries.keys[_below(entries.keys.length)];
            if (_below(4) == 0) key = _near(key);
            bytes[] memory proof = _below(4) == 0 ? _anyNodes(entries) : _tries.prove(entries, key);
            for (uint256 edits = _below(4); edits > 0; --edits) {
                proof = _edit(proof);
            }
            (bool success, bytes memory output) = _try(abi.encodeCall(Proofs.get, (root, key, proof)));
            if (success) assertEq(abi.decode(output, (bytes)), _truth(entries, key));
        }
    }

    /// @dev The proof of a key is the only one: whatever is changed in it, it is refused.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_aProofHasNoOtherForm(uint256 seed) public {
        Trie.Entries memory entries = _entries(seed);
        bytes32 root = _tries.root(entries);
        for (uint256 i; i < 20; ++i) {
            bytes32 key = entries.keys[_below(entries.keys.length)];
            if (_below(2) == 0) key = _near(key);
            bytes[] memory proof = _tries.prove(entries, key);
            bytes[] memory edited = _edit(proof);
            if (keccak256(abi.encode(edited)) == keccak256(abi.encode(proof))) continue;
            (bool success,) = _try(abi.encodeCall(Proofs.get, (root, key, edited)));
            assertFalse(success);
        }
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_theProofOfAnotherKeyProvesNothingFalse(uint256 seed) public {
        Trie.Entries memory entries = _entries(seed);
        bytes32 root = _tries.root(entries);
        for (uint256 i; i < entries.keys.length; ++i) {
            for (uint256 j; j < entries.keys.length; ++j) {
                bytes memory input =
                    abi.encodeCall(Proofs.get, (root, entries.keys[i], _tries.prove(entries, entries.keys[j])));
                (bool success, bytes memory output) = _try(input);
                if (success) assertEq(abi.decode(output, (bytes)), entries.values[i]);
            }
        }
    }

    function test_emptyTrie_holdsNothing() public {
        bytes[] memory none;
        assertEq(proofs.get(MerklePatricia.EMPTY_ROOT, "any", none), "");
        assertEq(MerklePatricia.EMPTY_ROOT, keccak256(hex"80"));

        vm.expectRevert(abi.encodeWithSelector(MerklePatricia.NodeUnused.selector, 0));
        proofs.get(MerklePatricia.EMPTY_ROOT, "any", _nodes(hex"80"));
    }

    function test_leafOfTheLastNibble_inABranchInABranch() public view {
        // Leaves with no path, in a branch which is in an extension, which is named by its hash.
        Trie.Entries memory entries = Trie.Entries({keys: new bytes32[](3), values: new bytes[](3)});
        for (uint256 i; i < 3; ++i) {
            (entries.keys[i], entries.values[i]) = (bytes32(i), abi.encodePacked(uint8(i + 1)));
        }
        bytes[] memory proof = _tries.prove(entries, bytes32(uint256(2)));
        assertEq(proof.length, 1);
        assertEq(proofs.get(_tries.root(entries), bytes32(uint256(2)), proof), hex"03");
        assertEq(proofs.get(_tries.root(entries), bytes32(uint256(3)), proof), "");
    }

    // -- proofs that are refused

    function test_emptyProof_refused() public {
        vm.expectRevert(abi.encodeWithSelector(MerklePatricia.NodeMissing.selector, 0));
        proofs.get(keccak256("root"), "any", new bytes[](0));
    }

    function test_emptyNode_refused() public {
        vm.expectRevert(StrictRLP.NotAList.selector);
        proofs.get(keccak256(""), "any", _nodes(""));
    }

    function test_inlineNodeThatIsListed_refused() public {
        Trie.Entries memory entries = Trie.Entries({keys: new bytes32[](2), values: new bytes[](2)});
        (entries.keys[0], entries.values[0]) = (bytes32(uint256(0)), hex"01");
        (entries.keys[1], entries.values[1]) = (bytes32(uint256(1)), hex"02");
        bytes[] memory proof = new bytes[](2);
        proof[0] = _tries.prove(entries, 0)[0];
        proof[1] = Trie.leaf(0, 64, hex"01");
        bytes32 root = _tries.root(entries);
        vm.expectRevert(abi.encodeWithSelector(MerklePatricia.NodeUnused.selector, 1));
        proofs.get(root, 0, proof);
    }

    // -- helpers

    /// @dev Up to six keys, most of them near to each other, with values of 1 to 40 bytes.
    function _entries(uint256 seed) private returns (Trie.Entries memory entries) {
        _random = seed;
        uint256 wanted = 1 + _below(6);
        bytes32[] memory keys = new bytes32[](wanted);
        uint256 count;
        for (uint256 i; i < wanted; ++i) {
            bytes32 key = count == 0 ? bytes32(_next()) : _near(keys[_below(count)]);
            bool known;
            for (uint256 j; j < count; ++j) {
                known = known || keys[j] == key;
            }
            if (!known) keys[count++] = key;
        }
        entries = Trie.Entries({keys: new bytes32[](count), values: new bytes[](count)});
        for (uint256 i; i < count; ++i) {
            entries.keys[i] = keys[i];
            // Short ones more often: their nodes are.
            entries.values[i] = new bytes(1 + _below(1 + _below(40)));
            entries.values[i][0] = bytes1(uint8(1 + _below(255)));
        }
    }

    /// @dev A key that differs from `key` in one nibble, or in those from one on; more often towards its end.
    function _near(bytes32 key) private returns (bytes32) {
        uint256 depth = _below(2) == 0 ? 60 + _below(4) : _below(64);
        uint256 change = (1 + _below(15)) << (252 - 4 * depth);
        if (_below(2) == 0) change |= _next() >> (4 + 4 * depth);
        return key ^ bytes32(change);
    }

    function _truth(Trie.Entries memory entries, bytes32 key) private pure returns (bytes memory) {
        for (uint256 i; i < entries.keys.length; ++i) {
            if (entries.keys[i] == key) return entries.values[i];
        }
        return "";
    }

    function _anyNodes(Trie.Entries memory entries) private returns (bytes[] memory nodes) {
        nodes = new bytes[](_below(6));
        for (uint256 i; i < nodes.length; ++i) {
            bytes[] memory proof = _tries.prove(entries, _near(entries.keys[_below(entries.keys.length)]));
            nodes[i] = proof[i == 0 ? 0 : _below(proof.length)];
        }
    }

    /// @dev Changes a byte, drops, repeats, swaps, cuts, lengthens, empties or adds a node.
    function _edit(bytes[] memory proof) private returns (bytes[] memory) {
        if (proof.length == 0) return _nodes(hex"80");
        uint256 kind = _below(8);
        uint256 index = _below(proof.length);
        if (kind == 1) return _without(proof, index);
        if (kind == 2) return _with(proof, index, proof[index]);
        if (kind == 3) return _with(proof, proof.length, Trie.leaf(bytes32(_next()), _below(64), "value"));
        bytes[] memory edited = abi.decode(abi.encode(proof), (bytes[]));
        if (kind == 0 && edited[index].length != 0) {
            edited[index][_below(edited[index].length)] ^= bytes1(uint8(1 + _below(255)));
        } else if (kind == 4) {
            uint256 other = _below(proof.length);
            (edited[index], edited[other]) = (edited[other], edited[index]);
        } else if (kind == 5 && edited[index].length != 0) {
            bytes memory node = edited[index];
            uint256 length = _below(node.length);
            assembly ("memory-safe") {
                mstore(node, length)
            }
        } else if (kind == 6) {
            edited[index] = abi.encodePacked(edited[index], uint8(_next()));
        } else {
            edited[index] = "";
        }
        return edited;
    }

    function _without(bytes[] memory proof, uint256 index) private pure returns (bytes[] memory rest) {
        rest = new bytes[](proof.length - 1);
        for (uint256 i; i < rest.length; ++i) {
            rest[i] = proof[i < index ? i : i + 1];
        }
    }

    function _with(bytes[] memory proof, uint256 index, bytes memory node) private pure returns (bytes[] memory more) {
        more = new bytes[](proof.length + 1);
        for (uint256 i; i < more.length; ++i) {
            more[i] = i < index ? proof[i] : i == index ? node : proof[i - 1];
        }
    }

    function _next() private returns (uint256) {
        _random = uint256(keccak256(abi.encode(_random)));
        return _random;
    }

    function _below(uint256 bound) private returns (uint256) {
        return _next() % bound;
    }
}
