// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";

import {MerklePatricia} from "../sol/libraries/MerklePatricia.sol";
import {Proofs, ProofsTest} from "./fixtures/Proofs.sol";
import {Trie} from "./fixtures/Trie.sol";

/// @notice Nodes that no client makes: they are refused even if a root named them.
contract MalformedNodesTest is ProofsTest {
    using RLP for *;

    function test_branchBehindTheKey_refused() public {
        bytes[] memory items = new bytes[](17);
        for (uint256 i; i < 17; ++i) {
            items[i] = hex"80";
        }
        // In the branch of the last nibble there is another one.
        items[0] = items.encode();
        bytes[] memory proof = new bytes[](2);
        proof[1] = items.encode();
        proof[0] = _extension(63, Trie.name(proof[1]));
        vm.expectRevert(MerklePatricia.NodeMalformed.selector);
        proofs.get(keccak256(proof[0]), 0, proof);
    }

    function test_extensionWithoutPath_refused() public {
        bytes memory extension = Trie.pair(hex"00", keccak256("child").encode());
        vm.expectRevert(MerklePatricia.NodeMalformed.selector);
        proofs.get(keccak256(extension), 0, _nodes(extension));
    }

    function test_extensionOfTheWholeKey_refused() public {
        bytes memory extension = _extension(64, keccak256("child").encode());
        vm.expectRevert(MerklePatricia.NodeMalformed.selector);
        proofs.get(keccak256(extension), 0, _nodes(extension));
    }

    function test_leafOfAnotherLength_refused() public {
        _refuses(Trie.pair(Trie.hexPrefix(0, 0, 63, 2).encode(), bytes("value").encode()));
        _refuses(Trie.pair(abi.encodePacked(uint8(0x20), bytes32(0), uint8(0)).encode(), bytes("value").encode()));
        _refuses(Trie.pair(abi.encodePacked(uint8(0x30), bytes32(0)).encode(), bytes("value").encode()));
        _refuses(Trie.pair(hex"80", bytes("value").encode()));
    }

    function test_pathWithAnotherFlag_refused() public {
        for (uint256 flag = 4; flag < 16; ++flag) {
            _refuses(Trie.pair(Trie.hexPrefix(0, 0, 64 - flag % 2, flag).encode(), bytes("value").encode()));
        }
    }

    function test_pathWithPadding_refused() public {
        for (uint8 padding = 1; padding < 16; ++padding) {
            _refuses(Trie.pair(abi.encodePacked(uint8(0x20) | padding, bytes32(0)).encode(), bytes("value").encode()));
        }
    }

    function test_pathIsAList_refused() public {
        _refuses(Trie.pair(hex"c120", bytes("value").encode()));
    }

    function test_emptyValue_refused() public {
        _refuses(Trie.leaf(0, 0, ""));
    }

    function test_valueIsAList_refused() public {
        _refuses(Trie.pair(Trie.hexPrefix(0, 0, 64, 2).encode(), hex"c101"));
    }

    function test_extensionToNothing_refused() public {
        _refuses(_extension(1, hex"80"));
    }

    function test_childIsNoHash_refused() public {
        _refuses(_extension(1, new bytes(31).encode()));
        _refuses(_extension(1, new bytes(33).encode()));
    }

    function test_longNodeInItsParent_refused() public {
        _refuses(_extension(1, Trie.pair(Trie.hexPrefix(0, 1, 63, 2).encode(), bytes("value").encode())));
    }

    function test_otherNumberOfItems_refused() public {
        for (uint256 count; count < 20; ++count) {
            if (count == 2 || count == 17) continue;
            bytes[] memory items = new bytes[](count);
            for (uint256 i; i < count; ++i) {
                items[i] = hex"80";
            }
            _refuses(items.encode());
        }
    }

    function test_nestedLists_refused() public {
        bytes memory nested = hex"c0";
        for (uint256 i; i < 300; ++i) {
            nested = _nodes(nested).encode();
            _refuses(nested);
        }
        // Extensions within extensions, which look like nodes down to the end.
        bytes memory chain = hex"c0";
        for (uint256 i; i < 20; ++i) {
            chain = Trie.pair(Trie.hexPrefix(0, 0, 1, 0).encode(), chain);
            _refuses(chain);
        }
    }

    function test_lengthsThatLie_refused() public {
        _refuses(hex"f8");
        _refuses(hex"f838");
        _refuses(hex"ffffffffffffffffff");
        _refuses(hex"c22080ff");
        _refuses(hex"c320bf80");
        _refuses(hex"cb20bfffffffffffffffff80");
        _refuses(abi.encodePacked(hex"f90040", new bytes(64)));
        _refuses(abi.encodePacked(hex"f837", new bytes(55)));
        _refuses(abi.encodePacked(hex"f842", hex"a1", hex"20", new bytes(32), hex"8120", new bytes(31)));
    }

    function testFuzz_anyBytes_decideOrAreRefused(bytes memory node, bytes32 key) public view {
        _try(abi.encodeCall(Proofs.get, (keccak256(node), key, _nodes(node))));
        // And where they look like a node.
        bytes memory list = Trie.pair(Trie.hexPrefix(key, 0, 63, 0).encode(), node);
        _try(abi.encodeCall(Proofs.get, (keccak256(list), key, _nodes(list))));
    }

    function test_manyItems_costInProportion() public view {
        bytes memory list = abi.encodePacked(hex"f90fff", new bytes(4095));
        _try(abi.encodeCall(Proofs.get, (keccak256(list), 0, _nodes(list))));
    }

    // -- helpers

    /// @dev Key zero is not decided by a trie whose root is `node`.
    function _refuses(bytes memory node) private view {
        (bool success,) = _try(abi.encodeCall(Proofs.get, (keccak256(node), 0, _nodes(node))));
        assertFalse(success, vm.toString(node));
    }

    function _extension(uint256 length, bytes memory child) private pure returns (bytes memory) {
        return Trie.pair(Trie.hexPrefix(0, 0, length, 0).encode(), child);
    }
}
