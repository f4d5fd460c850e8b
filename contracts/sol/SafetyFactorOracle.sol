// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {
    AccessControlEnumerableUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/extensions/AccessControlEnumerableUpgradeable.sol";

import {SafetyFactorFeed} from "./SafetyFactorFeed.sol";
import {ISafetyFactorOracle} from "./interfaces/ISafetyFactorOracle.sol";

/// @title SafetyFactorOracle
/// @notice Keeps every answer, and deploys a feed for each protocol.
contract SafetyFactorOracle is ISafetyFactorOracle, AccessControlEnumerableUpgradeable {
    /// @dev One slot: an answer reads and writes it once.
    struct Protocol {
        address feed;
        uint64 latestRound;
        uint32 latestReferenceBlock;
    }

    /// @custom:storage-location erc7201:anzen.storage.SafetyFactorOracle
    struct OracleStorage {
        address taskManager;
        uint32[] indices;
        mapping(uint32 oracleIndex => Protocol) protocols;
        mapping(uint32 oracleIndex => string) names;
        mapping(uint32 oracleIndex => mapping(uint80 roundId => Snapshot)) rounds;
    }

    /// @inheritdoc ISafetyFactorOracle
    uint8 public constant DECIMALS = 9;

    // keccak256(abi.encode(uint256(keccak256("anzen.storage.SafetyFactorOracle")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant STORAGE_LOCATION = 0xd31e58d728191656928fac049fbef534081b10f2ef1834b9a6a6caa8cf4e2200;

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Sets the administrator. The task manager and the protocols are set afterwards.
    function initialize(address admin) external initializer {
        if (admin == address(0)) revert ZeroAddress();
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc ISafetyFactorOracle
    function addProtocol(uint32 oracleIndex, string calldata name)
        external
        onlyRole(DEFAULT_ADMIN_ROLE)
        returns (address newFeed)
    {
        OracleStorage storage $ = _storage();
        if ($.protocols[oracleIndex].feed != address(0)) revert ProtocolExists(oracleIndex);
        if (bytes(name).length == 0) revert EmptyName();

        newFeed = address(new SafetyFactorFeed(this, oracleIndex));
        $.protocols[oracleIndex].feed = newFeed;
        $.names[oracleIndex] = name;
        $.indices.push(oracleIndex);
        emit ProtocolAdded(oracleIndex, name, newFeed);
    }

    /// @inheritdoc ISafetyFactorOracle
    function setTaskManager(address newTaskManager) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (newTaskManager == address(0)) revert ZeroAddress();
        OracleStorage storage $ = _storage();
        emit TaskManagerSet($.taskManager, newTaskManager);
        $.taskManager = newTaskManager;
    }

    /// @inheritdoc ISafetyFactorOracle
    function update(uint32 oracleIndex, int256 safetyFactor, uint32 referenceBlock, uint32 taskIndex)
        external
        returns (uint80 roundId)
    {
        OracleStorage storage $ = _storage();
        if (msg.sender != $.taskManager) revert NotTaskManager(msg.sender);
        Protocol memory protocol = $.protocols[oracleIndex];
        if (protocol.feed == address(0)) revert UnknownProtocol(oracleIndex);
        if (referenceBlock <= protocol.latestReferenceBlock) {
            revert ReferenceBlockNotLater(oracleIndex, protocol.latestReferenceBlock, referenceBlock);
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        int128 narrowed = int128(safetyFactor);
        if (narrowed != safetyFactor) revert SafetyFactorOutOfRange(safetyFactor);

        roundId = ++protocol.latestRound;
        protocol.latestReferenceBlock = referenceBlock;
        $.protocols[oracleIndex] = protocol;
        $.rounds[oracleIndex][roundId] = Snapshot({
            safetyFactor: narrowed,
            referenceBlock: referenceBlock,
            updatedAt: uint64(block.timestamp),
            taskIndex: taskIndex
        });
        emit SafetyFactorUpdated(oracleIndex, roundId, taskIndex, safetyFactor, referenceBlock);
    }

    /// @inheritdoc ISafetyFactorOracle
    function getSafetyFactor(uint32 oracleIndex)
        external
        view
        returns (int256 safetyFactor, uint32 referenceBlock, uint64 updatedAt)
    {
        Snapshot memory snapshot = getRound(oracleIndex, latestRound(oracleIndex));
        return (snapshot.safetyFactor, snapshot.referenceBlock, snapshot.updatedAt);
    }

    /// @inheritdoc ISafetyFactorOracle
    function taskManager() external view returns (address) {
        return _storage().taskManager;
    }

    /// @inheritdoc ISafetyFactorOracle
    function protocolExists(uint32 oracleIndex) external view returns (bool) {
        return _storage().protocols[oracleIndex].feed != address(0);
    }

    /// @inheritdoc ISafetyFactorOracle
    function protocolCount() external view returns (uint256) {
        return _storage().indices.length;
    }

    /// @inheritdoc ISafetyFactorOracle
    function protocolAt(uint256 position) external view returns (uint32 oracleIndex) {
        return _storage().indices[position];
    }

    /// @inheritdoc ISafetyFactorOracle
    function protocolName(uint32 oracleIndex) external view returns (string memory) {
        _existing(oracleIndex);
        return _storage().names[oracleIndex];
    }

    /// @inheritdoc ISafetyFactorOracle
    function feed(uint32 oracleIndex) external view returns (address) {
        return _existing(oracleIndex).feed;
    }

    /// @inheritdoc ISafetyFactorOracle
    function latestRound(uint32 oracleIndex) public view returns (uint80) {
        return _existing(oracleIndex).latestRound;
    }

    /// @inheritdoc ISafetyFactorOracle
    function getRound(uint32 oracleIndex, uint80 roundId) public view returns (Snapshot memory) {
        if (roundId == 0 || roundId > latestRound(oracleIndex)) revert NoData(oracleIndex, roundId);
        return _storage().rounds[oracleIndex][roundId];
    }

    function _existing(uint32 oracleIndex) private view returns (Protocol storage protocol) {
        protocol = _storage().protocols[oracleIndex];
        if (protocol.feed == address(0)) revert UnknownProtocol(oracleIndex);
    }

    function _storage() private pure returns (OracleStorage storage $) {
        assembly ("memory-safe") {
            $.slot := STORAGE_LOCATION
        }
    }
}
