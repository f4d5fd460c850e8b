// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";

import {BlockHeader} from "../sol/libraries/BlockHeader.sol";
import {StrictRLP} from "../sol/libraries/StrictRLP.sol";
import {Proofs, ProofsTest} from "./fixtures/Proofs.sol";

/// @notice Headers of every fork, and others.
contract BlockHeaderTest is ProofsTest {
    using RLP for *;

    string private _json;

    function setUp() public {
        _json = vm.readFile("test/vectors/proofs.json");
    }

    function test_headers_ofAllForks() public view {
        for (uint256 i; i < 6; ++i) {
            _checkHeader(string.concat(".headers[", vm.toString(i), "]"));
        }
        _checkHeader(".block");
    }

    function test_header_withAnyByteChanged_refused() public view {
        bytes memory encoded = vm.parseJsonBytes(_json, ".block.encoded");
        bytes32 blockHash = vm.parseJsonBytes32(_json, ".block.hash");
        for (uint256 i; i < encoded.length; ++i) {
            encoded[i] ^= 0x01;
            (bool success,) = _try(abi.encodeCall(Proofs.header, (encoded, blockHash)));
            assertFalse(success);
            encoded[i] ^= 0x01;
        }
    }

    function test_header_ofAnotherBlock_refused() public {
        bytes memory encoded = vm.parseJsonBytes(_json, ".headers[0].encoded");
        bytes32 blockHash = vm.parseJsonBytes32(_json, ".block.hash");
        vm.expectRevert(abi.encodeWithSelector(BlockHeader.HeaderMismatch.selector, blockHash, keccak256(encoded)));
        proofs.header(encoded, blockHash);
    }

    function test_header_ofALaterFork_isDecoded() public view {
        BlockHeader.Header memory header = _encodeHeader(30, bytes32(uint256(3)).encode(), uint256(8).encode());
        assertEq(header.stateRoot, bytes32(uint256(3)));
        assertEq(header.number, 8);
    }

    function test_header_thatNoClientMakes_refused() public {
        vm.expectRevert(abi.encodeWithSelector(BlockHeader.HeaderTooShort.selector, 14));
        this.encodeHeader(14, bytes32(0).encode(), hex"01");
        vm.expectRevert(StrictRLP.NotAHash.selector);
        this.encodeHeader(15, new bytes(31).encode(), hex"01");
        vm.expectRevert(StrictRLP.NotAnInteger.selector);
        this.encodeHeader(15, bytes32(0).encode(), hex"00");
        vm.expectRevert(StrictRLP.NotAnInteger.selector);
        this.encodeHeader(15, bytes32(0).encode(), hex"820001");
        vm.expectRevert(StrictRLP.NotAString.selector);
        this.encodeHeader(15, bytes32(0).encode(), hex"c101");
        vm.expectRevert(StrictRLP.NotAList.selector);
        proofs.header("", keccak256(""));
    }

    function testFuzz_header_anyBytes(bytes memory encoded) public view {
        _try(abi.encodeCall(Proofs.header, (encoded, keccak256(encoded))));
    }

    // -- helpers

    function encodeHeader(uint256 fields, bytes memory stateRoot, bytes memory number)
        external
        view
        returns (BlockHeader.Header memory)
    {
        return _encodeHeader(fields, stateRoot, number);
    }

    function _encodeHeader(uint256 fields, bytes memory stateRoot, bytes memory number)
        private
        view
        returns (BlockHeader.Header memory)
    {
        bytes[] memory items = new bytes[](fields);
        for (uint256 i; i < fields; ++i) {
            items[i] = i == 3 ? stateRoot : i == 8 ? number : bytes(hex"80");
        }
        bytes memory encoded = items.encode();
        return proofs.header(encoded, keccak256(encoded));
    }

    function _checkHeader(string memory path) private view {
        BlockHeader.Header memory header = proofs.header(
            vm.parseJsonBytes(_json, string.concat(path, ".encoded")),
            vm.parseJsonBytes32(_json, string.concat(path, ".hash"))
        );
        assertEq(header.number, vm.parseJsonUint(_json, string.concat(path, ".number")));
        assertEq(header.timestamp, vm.parseJsonUint(_json, string.concat(path, ".timestamp")));
        assertEq(header.stateRoot, vm.parseJsonBytes32(_json, string.concat(path, ".stateRoot")));
    }
}
