// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";

import {MerklePatricia} from "../sol/libraries/MerklePatricia.sol";
import {StateProof} from "../sol/libraries/StateProof.sol";
import {StrictRLP} from "../sol/libraries/StrictRLP.sol";
import {Proofs, ProofsTest} from "./fixtures/Proofs.sol";
import {Trie} from "./fixtures/Trie.sol";

/// @notice What anvil proves of its state (tools/state-proofs.mjs), verified and falsified.
contract StateProofTest is ProofsTest {
    using RLP for *;

    /// @dev The accounts of proofs.json, by their place in it.
    uint256 private constant USER = 0;
    uint256 private constant MANY_SLOTS = 1;
    uint256 private constant NO_SLOTS = 6;
    uint256 private constant ABSENT = 7;
    uint256 private constant ACCOUNTS = 10;

    string private _json;
    bytes32 private _stateRoot;

    function setUp() public {
        _json = vm.readFile("test/vectors/proofs.json");
        _stateRoot = vm.parseJsonBytes32(_json, ".block.stateRoot");
    }

    // -- accounts and slots

    function test_vectors_haveEveryEnding() public {
        string[7] memory endings =
            ["leaf", "inlineLeaf", "leafOfZero", "emptyChild", "otherLeaf", "extension", "emptyTrie"];
        for (uint256 i; i < endings.length; ++i) {
            assertTrue(vm.contains(_json, string.concat('"ending": "', endings[i], '"')), endings[i]);
        }
    }

    function test_vectors_areProved() public view {
        StateProof.ProvenSlot[] memory proven = proofs.prove(_stateRoot, _accounts());
        uint256 count;
        for (uint256 i; i < ACCOUNTS; ++i) {
            StateProof.AccountProof memory account = _account(i);
            bytes32 storageRoot = vm.parseJsonBytes32(_json, string.concat(_path(i), ".storageRoot"));
            assertEq(proofs.storageRoot(_stateRoot, account.account, account.proof), storageRoot);
            for (uint256 j; j < account.slots.length; ++j) {
                bytes32 value = vm.parseJsonBytes32(_json, string.concat(_slotPath(i, j), ".value"));
                assertEq(proven[count++].value, value);
                assertEq(proofs.read(proven, account.account, account.slots[j].slot), value);
            }
        }
        assertEq(proven.length, count);
    }

    function test_absentAccount_hasOnlyZeros() public view {
        for (uint256 i = ABSENT; i < ACCOUNTS; ++i) {
            StateProof.AccountProof[] memory accounts = new StateProof.AccountProof[](1);
            accounts[0] = _account(i);
            accounts[0].slots = new StateProof.SlotProof[](1);
            assertEq(proofs.prove(_stateRoot, accounts)[0].value, 0);
        }
    }

    function test_slotOfEmptyStorage_withNodes_refused() public {
        StateProof.AccountProof[] memory accounts = new StateProof.AccountProof[](1);
        accounts[0] = _account(NO_SLOTS);
        accounts[0].slots[0].proof = _account(MANY_SLOTS).slots[0].proof;
        vm.expectRevert(abi.encodeWithSelector(MerklePatricia.NodeUnused.selector, 0));
        proofs.prove(_stateRoot, accounts);
    }

    function test_anyByteChanged_refused() public view {
        StateProof.AccountProof memory account = _account(MANY_SLOTS);
        _refusesChanges(true, _stateRoot, bytes32(bytes20(account.account)), account.proof);
        bytes32 storageRoot = proofs.storageRoot(_stateRoot, account.account, account.proof);
        for (uint256 i; i < account.slots.length; ++i) {
            _refusesChanges(false, storageRoot, account.slots[i].slot, account.slots[i].proof);
        }
    }

    function test_proofOfAnotherAccount_refused() public view {
        StateProof.AccountProof[] memory accounts = _accounts();
        for (uint256 i; i < ACCOUNTS; ++i) {
            for (uint256 j; j < ACCOUNTS; ++j) {
                if (i == j) continue;
                (bool success,) =
                    _try(abi.encodeCall(Proofs.storageRoot, (_stateRoot, accounts[i].account, accounts[j].proof)));
                assertFalse(success);
            }
        }
    }

    function test_proofOfAnotherSlot_refused() public view {
        StateProof.AccountProof memory account = _account(MANY_SLOTS);
        bytes32 root = proofs.storageRoot(_stateRoot, account.account, account.proof);
        for (uint256 i; i < account.slots.length; ++i) {
            for (uint256 j; j < account.slots.length; ++j) {
                if (i == j) continue;
                (bool success,) =
                    _try(abi.encodeCall(Proofs.slot, (root, account.slots[i].slot, account.slots[j].proof)));
                assertFalse(success);
            }
        }
    }

    function test_proofOfAnotherBlock_refused() public {
        StateProof.AccountProof memory account = _account(USER);
        bytes32 other = vm.parseJsonBytes32(_json, ".headers[5].stateRoot");
        vm.expectRevert(abi.encodeWithSelector(MerklePatricia.NodeMismatch.selector, 0));
        proofs.storageRoot(other, account.account, account.proof);
    }

    function test_slotProofAgainstTheState_refused() public {
        StateProof.AccountProof memory account = _account(MANY_SLOTS);
        vm.expectRevert(abi.encodeWithSelector(MerklePatricia.NodeMismatch.selector, 0));
        proofs.slot(_stateRoot, account.slots[0].slot, account.slots[0].proof);
    }

    function test_accountThatNoClientMakes_refused() public {
        bytes[] memory fields = new bytes[](4);
        (fields[0], fields[1], fields[3]) = (hex"80", hex"80", bytes32(0).encode());
        fields[2] = bytes32("root").encode();
        assertEq(_proveAccount(fields.encode()), "root");

        fields[2] = new bytes(31).encode();
        vm.expectRevert(StrictRLP.NotAHash.selector);
        _proveAccount(fields.encode());
        vm.expectRevert(abi.encodeWithSelector(StateProof.AccountMalformed.selector, 3));
        _proveAccount(hex"c3808080");
        vm.expectRevert(StrictRLP.NotAList.selector);
        _proveAccount(hex"80");
        vm.expectRevert(StrictRLP.RLPMalformed.selector);
        _proveAccount(hex"c4808080");
    }

    function test_valueThatNoClientMakes_refused() public {
        assertEq(_proveValue(hex"7f"), bytes32(uint256(0x7f)));
        assertEq(_proveValue(abi.encodePacked(hex"a0", type(uint256).max)), bytes32(type(uint256).max));
        bytes[4] memory refused = [
            bytes(hex"00"), hex"8200ff", abi.encodePacked(hex"a101", bytes32(0)), abi.encodePacked(hex"a0", uint256(1))
        ];
        for (uint256 i; i < refused.length; ++i) {
            vm.expectRevert(StrictRLP.NotAnInteger.selector);
            _proveValue(refused[i]);
        }
        bytes[3] memory malformed = [bytes(hex"8101"), hex"0101", hex"82ff"];
        for (uint256 i; i < malformed.length; ++i) {
            vm.expectRevert(StrictRLP.RLPMalformed.selector);
            _proveValue(malformed[i]);
        }
        vm.expectRevert(StrictRLP.NotAString.selector);
        _proveValue(hex"c101");
    }

    // -- reading what was proved

    function test_read_refusesWhatWasNotProved() public {
        StateProof.ProvenSlot[] memory proven = new StateProof.ProvenSlot[](1);
        proven[0] = StateProof.ProvenSlot({account: address(1), slot: "slot", value: "value"});
        assertEq(proofs.read(proven, address(1), "slot"), "value");
        vm.expectRevert(abi.encodeWithSelector(StateProof.SlotNotProven.selector, address(2), bytes32("slot")));
        proofs.read(proven, address(2), "slot");
        vm.expectRevert(abi.encodeWithSelector(StateProof.SlotNotProven.selector, address(1), bytes32("other")));
        proofs.read(proven, address(1), "other");
    }

    // -- helpers

    /// @dev The proof of `key`'s account, or of slot `key`, against `root`, with one bit of each byte changed, without each
    /// node, and with each node twice.
    function _refusesChanges(bool account, bytes32 root, bytes32 key, bytes[] memory proof) private view {
        for (uint256 i; i < proof.length; ++i) {
            bytes memory node = proof[i];
            for (uint256 j; j < node.length; ++j) {
                bytes1 change = bytes1(uint8(1 << (j % 8)));
                node[j] ^= change;
                _refuses(account, root, key, proof);
                node[j] ^= change;
            }
            proof[i] = "";
            _refuses(account, root, key, proof);
            proof[i] = proof[(i + 1) % proof.length];
            if (proof.length > 1) _refuses(account, root, key, proof);
            proof[i] = node;
        }
    }

    function _refuses(bool account, bytes32 root, bytes32 key, bytes[] memory proof) private view {
        // Thousands of calls: each in the same memory.
        Memory.Pointer free = Memory.getFreeMemoryPointer();
        (bool success,) = _try(
            account
                ? abi.encodeCall(Proofs.storageRoot, (root, address(bytes20(key)), proof))
                : abi.encodeCall(Proofs.slot, (root, key, proof))
        );
        assertFalse(success);
        Memory.unsafeSetFreeMemoryPointer(free);
    }

    /// @dev What a state of one account proves, whose fields are encoded as `value`.
    function _proveAccount(bytes memory value) private view returns (bytes32) {
        bytes memory leaf = Trie.leaf(keccak256(abi.encodePacked(address(1))), 0, value);
        return proofs.storageRoot(keccak256(leaf), address(1), _nodes(leaf));
    }

    /// @dev What a storage of one slot proves, whose value is encoded as `value`.
    function _proveValue(bytes memory value) private view returns (bytes32) {
        bytes memory leaf = Trie.leaf(keccak256(abi.encode(bytes32("slot"))), 0, value);
        return proofs.slot(keccak256(leaf), "slot", _nodes(leaf));
    }

    function _accounts() private view returns (StateProof.AccountProof[] memory accounts) {
        accounts = new StateProof.AccountProof[](ACCOUNTS);
        for (uint256 i; i < ACCOUNTS; ++i) {
            accounts[i] = _account(i);
        }
    }

    function _account(uint256 index) private view returns (StateProof.AccountProof memory account) {
        string memory path = _path(index);
        account.account = vm.parseJsonAddress(_json, string.concat(path, ".account"));
        account.proof = vm.parseJsonBytesArray(_json, string.concat(path, ".proof"));
        uint256 count;
        while (vm.keyExistsJson(_json, _slotPath(index, count))) ++count;
        account.slots = new StateProof.SlotProof[](count);
        for (uint256 i; i < count; ++i) {
            path = _slotPath(index, i);
            account.slots[i].slot = vm.parseJsonBytes32(_json, string.concat(path, ".slot"));
            account.slots[i].proof = vm.parseJsonBytesArray(_json, string.concat(path, ".proof"));
        }
    }

    function _path(uint256 account) private pure returns (string memory) {
        return string.concat(".accounts[", vm.toString(account), "]");
    }

    function _slotPath(uint256 account, uint256 slot) private pure returns (string memory) {
        return string.concat(_path(account), ".slots[", vm.toString(slot), "]");
    }
}
