// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {MerklePatricia} from "./MerklePatricia.sol";
import {StrictRLP} from "./StrictRLP.sol";

/// @title StateProof
/// @notice What the storage of contracts held at a block, from proofs against its state root (`eth_getProof`, EIP-1186).
/// @dev The state maps the hash of an address to [nonce, balance, storageRoot, codeHash], an account's storage the hash of a
/// slot to its value, of which zero is not stored (Yellow Paper, 4.1). So a slot is zero if its account, or the slot in its
/// account's storage, is proved to be absent.
library StateProof {
    using StrictRLP for bytes;

    /// @notice Proves slots of one account.
    /// @param proof The nodes from the state root to the account, or to where it would be.
    struct AccountProof {
        address account;
        bytes[] proof;
        SlotProof[] slots;
    }

    /// @notice Proves one slot.
    /// @param proof The nodes from the account's storage root to the slot, or to where it would be. None if the account is
    /// absent or its storage is empty.
    struct SlotProof {
        bytes32 slot;
        bytes[] proof;
    }

    /// @notice What a slot held.
    struct ProvenSlot {
        address account;
        bytes32 slot;
        bytes32 value;
    }

    /// @notice An account in the state has four fields.
    error AccountMalformed(uint256 fields);
    /// @notice The proofs do not cover this slot: add it.
    error SlotNotProven(address account, bytes32 slot);

    uint256 private constant ACCOUNT_FIELDS = 4;
    uint256 private constant STORAGE_ROOT = 2;

    /// @notice What all slots in `accounts` held in the state `stateRoot`. Reverts if one of the proofs does not decide.
    function prove(bytes32 stateRoot, AccountProof[] calldata accounts)
        internal
        pure
        returns (ProvenSlot[] memory proven)
    {
        proven = new ProvenSlot[](_countSlots(accounts));
        uint256 count;
        for (uint256 i; i < accounts.length; ++i) {
            AccountProof calldata account = accounts[i];
            bytes32 storageRoot = proveStorageRoot(stateRoot, account.account, account.proof);
            for (uint256 j; j < account.slots.length; ++j) {
                SlotProof calldata slot = account.slots[j];
                bytes32 value = proveSlot(storageRoot, slot.slot, slot.proof);
                proven[count++] = ProvenSlot({account: account.account, slot: slot.slot, value: value});
            }
        }
    }

    /// @notice The root of `account`'s storage in the state `stateRoot`: the empty trie's if there is no such account.
    function proveStorageRoot(bytes32 stateRoot, address account, bytes[] calldata proof)
        internal
        pure
        returns (bytes32)
    {
        bytes calldata encoded = MerklePatricia.get(stateRoot, keccak256(abi.encodePacked(account)), proof);
        if (encoded.length == 0) return MerklePatricia.EMPTY_ROOT;

        (bytes calldata storageRoot, uint256 count) = encoded.readList().itemAt(STORAGE_ROOT);
        if (count != ACCOUNT_FIELDS) revert AccountMalformed(count);
        return storageRoot.readHash();
    }

    /// @notice What `slot` holds in the storage `storageRoot`.
    function proveSlot(bytes32 storageRoot, bytes32 slot, bytes[] calldata proof) internal pure returns (bytes32) {
        bytes calldata encoded = MerklePatricia.get(storageRoot, keccak256(abi.encode(slot)), proof);
        return encoded.length == 0 ? bytes32(0) : bytes32(encoded.readInteger());
    }

    /// @notice What `slot` of `account` held. Reverts if it is not among the `proven` ones.
    function read(ProvenSlot[] memory proven, address account, bytes32 slot) internal pure returns (bytes32) {
        for (uint256 i; i < proven.length; ++i) {
            if (proven[i].slot == slot && proven[i].account == account) return proven[i].value;
        }
        revert SlotNotProven(account, slot);
    }

    function _countSlots(AccountProof[] calldata accounts) private pure returns (uint256 count) {
        for (uint256 i; i < accounts.length; ++i) {
            count += accounts[i].slots.length;
        }
    }
}
