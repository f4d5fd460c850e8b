// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {
    AccessControlEnumerableUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/extensions/AccessControlEnumerableUpgradeable.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

import {ISafetyFactorModels} from "./interfaces/ISafetyFactorModels.sol";
import {DataContract} from "./libraries/DataContract.sol";
import {FeedRounds} from "./libraries/FeedRounds.sol";
import {ModelMath} from "./libraries/ModelMath.sol";
import {ModelSource} from "./libraries/ModelSource.sol";

/// @title SafetyFactorModels
/// @notice Keeps the models, each as the code of a contract of its own.
contract SafetyFactorModels is ISafetyFactorModels, AccessControlEnumerableUpgradeable {
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @dev `data` holds `abi.encode(model)`.
    struct Entry {
        address data;
        bool provable;
    }

    /// @custom:storage-location erc7201:anzen.storage.SafetyFactorModels
    struct ModelsStorage {
        mapping(bytes32 modelHash => Entry) entries;
        EnumerableSet.AddressSet stakeRegistries;
    }

    /// @inheritdoc ISafetyFactorModels
    uint256 public constant MAX_TERMS = 20;
    /// @inheritdoc ISafetyFactorModels
    /// @dev Nodes pass on transactions of up to 128 KiB. On Ethereum the proof of a slot and of its account is up to 15 branches
    /// of 608 bytes each, as they are encoded. With 8 of them, each in an account of its own, there is room for 25
    /// (test/GasDisputes.t.sol): so whoever wants to shield an answer has to deepen the tries by 10 full branches above each
    /// slot. Each level takes 16 times as many hashes as the one before, and a branch that is not filled is short.
    uint256 public constant MAX_SLOTS = 8;

    // Within these bounds no encoding is longer than what a contract's code holds.
    uint256 private constant MAX_SHARE_BPS = 10_000;
    uint256 private constant MAX_DECIMALS = 60;
    uint256 private constant MAX_GUARDS = 4;
    uint256 private constant MAX_CALL_DATA_LENGTH = 256;

    // keccak256(abi.encode(uint256(keccak256("anzen.storage.SafetyFactorModels")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant STORAGE_LOCATION = 0x63482debe54000a244e1ea6417d67b00be7d348f78ec39cf316ee6049e524300;

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Sets the administrator. Stake registries and models are added afterwards.
    function initialize(address admin) external initializer {
        if (admin == address(0)) revert ZeroAddress();
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc ISafetyFactorModels
    function addModel(Model calldata model) external onlyRole(DEFAULT_ADMIN_ROLE) returns (bytes32 modelHash) {
        bool provable = checkModel(model);
        bytes memory encoded = abi.encode(model);
        modelHash = keccak256(encoded);
        if (exists(modelHash)) revert ModelExists(modelHash);
        _storage().entries[modelHash] = Entry({data: DataContract.write(encoded), provable: provable});
        emit ModelAdded(modelHash, provable, model);
    }

    /// @inheritdoc ISafetyFactorModels
    function allowStakeRegistry(address stakeRegistry) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (stakeRegistry.code.length == 0) revert NotAContract(stakeRegistry);
        if (!_storage().stakeRegistries.add(stakeRegistry)) revert StakeRegistryIsAllowed(stakeRegistry);
        emit StakeRegistryAllowed(stakeRegistry);
    }

    /// @inheritdoc ISafetyFactorModels
    function forbidStakeRegistry(address stakeRegistry) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (!_storage().stakeRegistries.remove(stakeRegistry)) revert StakeRegistryNotAllowed(stakeRegistry);
        emit StakeRegistryForbidden(stakeRegistry);
    }

    /// @inheritdoc ISafetyFactorModels
    function getModel(bytes32 modelHash) external view returns (Model memory) {
        bytes memory encoded = DataContract.read(_existing(modelHash).data);
        // What was stored is what this function returns, encoded already: the caller alone decodes it.
        assembly ("memory-safe") {
            return(add(encoded, 0x20), mload(encoded))
        }
    }

    /// @inheritdoc ISafetyFactorModels
    function isProvable(bytes32 modelHash) external view returns (bool) {
        return _existing(modelHash).provable;
    }

    /// @inheritdoc ISafetyFactorModels
    function isStakeRegistryAllowed(address stakeRegistry) external view returns (bool) {
        return _storage().stakeRegistries.contains(stakeRegistry);
    }

    /// @inheritdoc ISafetyFactorModels
    function allowedStakeRegistries() external view returns (address[] memory) {
        return _storage().stakeRegistries.values();
    }

    /// @inheritdoc ISafetyFactorModels
    function evaluate(ReadTerm[] calldata terms) external pure returns (Outcome outcome, int256 safetyFactor) {
        return ModelMath.evaluate(terms);
    }

    /// @inheritdoc ISafetyFactorModels
    function canonicalData(Source calldata source) external pure returns (bytes memory) {
        return ModelSource.canonical(source.kind, source.data);
    }

    /// @inheritdoc ISafetyFactorModels
    function checkModel(Model calldata model) public view returns (bool provable) {
        uint256 count = model.terms.length;
        if (count == 0 || count > MAX_TERMS) revert TermCountOutOfRange(count);
        bool anyCost;
        uint256 slots;
        provable = true;
        for (uint256 i; i < count; ++i) {
            Term calldata term = model.terms[i];
            if (term.shareBps == 0 || term.shareBps > MAX_SHARE_BPS) revert ShareOutOfRange(i, term.shareBps);
            if (term.decimals > MAX_DECIMALS) revert TooManyDecimals(i, term.decimals);
            slots += _checkSource(i, term.amount) + _checkSource(i, term.price);
            if (term.side == Side.Cost) anyCost = true;
            if (term.amount.kind == SourceKind.ViewCall || term.price.kind == SourceKind.ViewCall) provable = false;
        }
        if (!anyCost) revert NoCostTerm();
        if (slots > MAX_SLOTS) revert TooManySlots(slots);
    }

    /// @inheritdoc ISafetyFactorModels
    function exists(bytes32 modelHash) public view returns (bool) {
        return _storage().entries[modelHash].data != address(0);
    }

    /// @dev Returns how many storage slots the source reads.
    function _checkSource(uint256 term, Source calldata source) private view returns (uint256 slots) {
        // Called from outside, because that is how data that does not decode is caught.
        try this.canonicalData(source) returns (bytes memory canonical) {
            if (keccak256(canonical) != keccak256(source.data)) revert SourceNotCanonical(term, source.kind);
        } catch {
            revert SourceNotCanonical(term, source.kind);
        }
        if (source.kind == SourceKind.QuorumStake) {
            address stakeRegistry = ModelSource.quorumStake(source.data).stakeRegistry;
            if (!_storage().stakeRegistries.contains(stakeRegistry)) revert StakeRegistryNotAllowed(stakeRegistry);
        } else if (source.kind == SourceKind.FeedRound) {
            FeedRoundSource memory feedRound = ModelSource.feedRound(source.data);
            _checkContract(term, feedRound.feed);
            if (feedRound.maxAge == 0) revert NoMaxAge(term);
            // Before its first round, that there was none could not be proved; and some feeds answer accounts only.
            if (!FeedRounds.isReadable(feedRound.feed, feedRound.phaseId)) {
                revert FeedUnreadable(term, feedRound.feed, feedRound.phaseId);
            }
        } else if (source.kind == SourceKind.StorageSlot) {
            return _checkStorageSlot(term, ModelSource.storageSlot(source.data));
        } else if (source.kind == SourceKind.ViewCall) {
            ViewCallSource memory viewCall = ModelSource.viewCall(source.data);
            _checkContract(term, viewCall.target);
            uint256 length = viewCall.callData.length;
            if (length > MAX_CALL_DATA_LENGTH) revert CallDataTooLong(term, length);
        }
    }

    function _checkStorageSlot(uint256 term, StorageSlotSource memory source) private view returns (uint256 slots) {
        _checkContract(term, source.account);
        if (source.width == 0 || uint256(source.offset) + source.width > 32) {
            revert FieldOutOfRange(term, source.offset, source.width);
        }
        uint256 count = source.guards.length;
        if (count > MAX_GUARDS) revert TooManyGuards(term, count);
        for (uint256 i; i < count; ++i) {
            _checkContract(term, source.guards[i].account);
        }
        return 1 + count;
    }

    function _checkContract(uint256 term, address account) private view {
        if (account.code.length == 0) revert SourceNotAContract(term, account);
    }

    function _existing(bytes32 modelHash) private view returns (Entry memory entry) {
        entry = _storage().entries[modelHash];
        if (entry.data == address(0)) revert UnknownModel(modelHash);
    }

    function _storage() private pure returns (ModelsStorage storage $) {
        assembly ("memory-safe") {
            $.slot := STORAGE_LOCATION
        }
    }
}
