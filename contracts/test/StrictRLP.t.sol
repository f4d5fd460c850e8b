// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";

import {StrictRLP} from "../sol/libraries/StrictRLP.sol";
import {Proofs, ProofsTest} from "./fixtures/Proofs.sol";

/// @notice OpenZeppelin's decoder, as a contract.
contract OpenZeppelinRLP {
    function items(bytes memory input) external pure returns (bytes[] memory list) {
        Memory.Slice[] memory slices = RLP.decodeList(input);
        list = new bytes[](slices.length);
        for (uint256 i; i < slices.length; ++i) {
            list[i] = Memory.toBytes(slices[i]);
        }
    }
}

contract StrictRLPTest is ProofsTest {
    using RLP for *;

    OpenZeppelinRLP private _openZeppelin = new OpenZeppelinRLP();

    function testFuzz_strings_areRead(bytes memory value) public view {
        assertEq(proofs.readString(value.encode()), value);
    }

    function test_strings_ofLengthsAroundTheLimits() public view {
        uint256[8] memory lengths = [uint256(0), 1, 2, 55, 56, 255, 256, 70_000];
        for (uint256 i; i < lengths.length; ++i) {
            assertEq(proofs.readString(new bytes(lengths[i]).encode()), new bytes(lengths[i]));
        }
    }

    function testFuzz_integers_areRead(uint256 value, uint8 shift) public view {
        assertEq(proofs.readInteger((value >> shift).encode()), value >> shift);
    }

    function testFuzz_hashes_areRead(bytes32 value) public view {
        assertEq(proofs.readHash(value.encode()), value);
    }

    function testFuzz_lists_areReadAsOpenZeppelinDoes(bytes[] memory values, uint256 index) public view {
        vm.assume(values.length != 0);
        for (uint256 i; i < values.length; ++i) {
            values[i] = i % 3 == 2 ? _nodes(values[i].encode()).encode() : values[i].encode();
        }
        index %= values.length;
        bytes memory items = proofs.readList(values.encode());
        assertEq(items, bytes.concat(_concat(values)));
        (bytes memory item, uint256 count) = proofs.itemAt(items, index);
        assertEq(item, values[index]);
        assertEq(count, values.length);
        (item, count) = proofs.itemAt(items, values.length);
        assertEq(item, "");
        assertEq(count, values.length);
        (item,, items) = proofs.split(items);
        assertEq(item, values[0]);
    }

    /// @dev Bytes that resemble RLP: a prefix, and few bytes.
    function testFuzz_anyBytes_areTakenAsOpenZeppelinDoesOrRefused(uint8 prefix, bytes memory tail) public view {
        bytes memory input = abi.encodePacked(prefix, tail);
        (bool success, bytes memory output) = _try(abi.encodeCall(Proofs.readList, (input)));
        (bool theirs, bytes memory list) =
            address(_openZeppelin).staticcall(abi.encodeCall(OpenZeppelinRLP.items, (input)));
        if (!success) return;
        (success, output) = _try(abi.encodeCall(Proofs.itemAt, (abi.decode(output, (bytes)), 0)));
        // What is in a list is looked at by both when its items are.
        assertEq(success, theirs);
        if (!success) return;
        (bytes memory item, uint256 count) = abi.decode(output, (bytes, uint256));
        bytes[] memory items = abi.decode(list, (bytes[]));
        assertEq(count, items.length);
        if (count != 0) assertEq(item, items[0]);
    }

    function testFuzz_anyBytes_haveOneEncoding(uint8 prefix, bytes memory tail) public view {
        bytes memory input = abi.encodePacked(prefix, tail);
        (bool success, bytes memory output) = _try(abi.encodeCall(Proofs.readString, (input)));
        if (success) assertEq(abi.decode(output, (bytes)).encode(), input);
        (success, output) = _try(abi.encodeCall(Proofs.readInteger, (input)));
        if (success) assertEq(abi.decode(output, (uint256)).encode(), input);
    }

    function test_shortestFormOnly() public {
        // A byte wrapped; a length written out that fits the first byte; a length with a leading zero; one too short.
        bytes[5] memory refused = [
            bytes(hex"817f"),
            abi.encodePacked(hex"b837", new bytes(55)),
            abi.encodePacked(hex"b90038", new bytes(56)),
            abi.encodePacked(hex"b838", new bytes(55)),
            hex"bf"
        ];
        for (uint256 i; i < refused.length; ++i) {
            vm.expectRevert(StrictRLP.RLPMalformed.selector);
            proofs.readString(refused[i]);
        }
    }

    function test_emptyInput_refused() public {
        vm.expectRevert(StrictRLP.NotAList.selector);
        proofs.readList("");
        vm.expectRevert(StrictRLP.RLPMalformed.selector);
        proofs.readString("");
        vm.expectRevert(StrictRLP.RLPMalformed.selector);
        proofs.split("");
    }

    function _concat(bytes[] memory parts) private pure returns (bytes memory whole) {
        for (uint256 i; i < parts.length; ++i) {
            whole = bytes.concat(whole, parts[i]);
        }
    }
}
