// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";

import {StateProof} from "../sol/libraries/StateProof.sol";
import {Proofs, ProofsTest} from "./fixtures/Proofs.sol";
import {Trie} from "./fixtures/Trie.sol";

/// @notice Gas of proofs as deep as mainnet's, for snapshots/: an account beneath eight branches without an empty child
/// (300 million accounts fill seven, and a part of the eighth), a slot beneath seven. Without what the transaction costs.
/// With EIP-7623 that is 40 gas for each byte that is not zero, execution included, or 16 and execution if that is more: of
/// the proofs here the former, which the decoder does not change.
/// forge-config: default.isolate = true
contract GasProofsTest is ProofsTest {
    using RLP for *;

    uint256 private constant ACCOUNT_DEPTH = 8;
    uint256 private constant SLOT_DEPTH = 7;
    bytes32 private constant SLOT = "slot";

    function test_gas_header() public {
        string memory json = vm.readFile("test/vectors/proofs.json");
        proofs.header(vm.parseJsonBytes(json, ".block.encoded"), vm.parseJsonBytes32(json, ".block.hash"));
        vm.snapshotGasLastCall("StateProof", "header");
    }

    function test_gas_account() public {
        (bytes32 root, StateProof.AccountProof memory account) = _account(true);
        proofs.storageRoot(root, account.account, account.proof);
        vm.snapshotGasLastCall("StateProof", "account");
    }

    function test_gas_absentAccount() public {
        (bytes32 root, StateProof.AccountProof memory account) = _account(false);
        proofs.storageRoot(root, account.account, account.proof);
        vm.snapshotGasLastCall("StateProof", "absent account");
    }

    function test_gas_slot() public {
        (bytes32 root, bytes[] memory proof) = _slot(true);
        assertEq(proofs.slot(root, SLOT, proof), bytes32(type(uint256).max));
        vm.snapshotGasLastCall("StateProof", "slot");
    }

    function test_gas_slotOfZero() public {
        (bytes32 root, bytes[] memory proof) = _slot(false);
        assertEq(proofs.slot(root, SLOT, proof), 0);
        vm.snapshotGasLastCall("StateProof", "slot of zero");
    }

    function test_gas_slots_ofOneAccount() public {
        _prove(1, "1 account, 1 slot");
    }

    function test_gas_slots_of5Accounts() public {
        _prove(5, "5 accounts, 5 slots");
    }

    /// @dev As many as fit a transaction that nodes pass on (128 KiB).
    function test_gas_slots_of13Accounts() public {
        assertLe(_prove(13, "13 accounts, 13 slots"), 128 * 1024 - 2048);
    }

    /// @return size The length of the calldata.
    function _prove(uint256 count, string memory name) private returns (uint256 size) {
        StateProof.AccountProof[] memory accounts = new StateProof.AccountProof[](count);
        bytes32 root;
        for (uint256 i; i < count; ++i) {
            // The same account: what is proved does not depend on what was proved before.
            (root, accounts[i]) = _account(true);
        }
        assertEq(proofs.prove(root, accounts).length, count);
        vm.snapshotGasLastCall("StateProof", name);
        size = abi.encodeCall(Proofs.prove, (root, accounts)).length;
        vm.snapshotValue("StateProof", string.concat(name, ", bytes"), size);
    }

    function _account(bool present) private pure returns (bytes32 root, StateProof.AccountProof memory account) {
        account.account = address(0xacc0);
        account.slots = new StateProof.SlotProof[](1);
        account.slots[0].slot = SLOT;
        bytes[] memory fields = new bytes[](4);
        (fields[0], fields[1]) = (hex"01", uint256(1 ether).encode());
        bytes32 storageRoot;
        (storageRoot, account.slots[0].proof) = _slot(true);
        fields[2] = storageRoot.encode();
        fields[3] = keccak256("code").encode();
        bytes32 key = keccak256(abi.encodePacked(account.account));
        account.proof = _beneath(key, ACCOUNT_DEPTH, fields.encode(), present);
        root = keccak256(account.proof[0]);
    }

    function _slot(bool present) private pure returns (bytes32 root, bytes[] memory proof) {
        proof = _beneath(keccak256(abi.encode(SLOT)), SLOT_DEPTH, type(uint256).max.encode(), present);
        root = keccak256(proof[0]);
    }

    /// @dev Beneath the branches is the leaf of `key`, or the one of a key that differs in the last nibble.
    function _beneath(bytes32 key, uint256 depth, bytes memory value, bool present)
        private
        pure
        returns (bytes[] memory)
    {
        bytes32 other = present ? key : key ^ bytes32(uint256(1));
        return Trie.beneathBranches(Trie.leaf(other, depth, value), key, depth);
    }
}
