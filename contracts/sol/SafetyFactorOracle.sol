// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {
    AccessControlEnumerableUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/extensions/AccessControlEnumerableUpgradeable.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {SafetyFactorFeed} from "./SafetyFactorFeed.sol";
import {IDisputeStatus} from "./interfaces/IDisputeStatus.sol";
import {ISafetyFactorOracle} from "./interfaces/ISafetyFactorOracle.sol";
import {ModelHistory} from "./libraries/ModelHistory.sol";

/// @title SafetyFactorOracle
/// @notice Keeps every answer, and deploys two feeds for each protocol.
contract SafetyFactorOracle is ISafetyFactorOracle, AccessControlEnumerableUpgradeable {
    using ModelHistory for ModelHistory.History;

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
        IDisputeStatus disputes;
        mapping(uint32 oracleIndex => address) finalFeeds;
        mapping(uint32 oracleIndex => ModelHistory.History) models;
    }

    /// @inheritdoc ISafetyFactorOracle
    uint8 public constant DECIMALS = 9;
    /// @inheritdoc ISafetyFactorOracle
    bytes32 public constant FALLBACK_ROLE = keccak256("FALLBACK_ROLE");

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
        returns (address newFeed, address newFinalFeed)
    {
        OracleStorage storage $ = _storage();
        if ($.protocols[oracleIndex].feed != address(0)) revert ProtocolExists(oracleIndex);
        if (bytes(name).length == 0) revert EmptyName();

        newFeed = address(new SafetyFactorFeed(this, oracleIndex, false));
        newFinalFeed = address(new SafetyFactorFeed(this, oracleIndex, true));
        $.protocols[oracleIndex].feed = newFeed;
        $.finalFeeds[oracleIndex] = newFinalFeed;
        $.names[oracleIndex] = name;
        $.indices.push(oracleIndex);
        emit ProtocolAdded(oracleIndex, name, newFeed, newFinalFeed);
    }

    /// @inheritdoc ISafetyFactorOracle
    function setTaskManager(address newTaskManager) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (newTaskManager == address(0)) revert ZeroAddress();
        OracleStorage storage $ = _storage();
        emit TaskManagerSet($.taskManager, newTaskManager);
        $.taskManager = newTaskManager;
    }

    /// @inheritdoc ISafetyFactorOracle
    function setDisputes(IDisputeStatus newDisputes) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (address(newDisputes) == address(0)) revert ZeroAddress();
        OracleStorage storage $ = _storage();
        emit DisputesSet(address($.disputes), address(newDisputes));
        $.disputes = newDisputes;
    }

    /// @inheritdoc ISafetyFactorOracle
    function update(Answer calldata answer) external returns (uint80 roundId) {
        OracleStorage storage $ = _storage();
        if (msg.sender != $.taskManager) revert NotTaskManager(msg.sender);
        Protocol memory protocol = $.protocols[answer.oracleIndex];
        if (protocol.feed == address(0)) revert UnknownProtocol(answer.oracleIndex);
        if (answer.referenceBlock <= protocol.latestReferenceBlock) {
            revert ReferenceBlockNotLater(answer.oracleIndex, protocol.latestReferenceBlock, answer.referenceBlock);
        }

        uint256 challengeEnd = block.number + answer.challengeBlocks;
        uint24 finality = _finality(answer.oracleIndex, protocol.latestRound, answer.referenceBlock, challengeEnd);
        roundId = ++protocol.latestRound;
        protocol.latestReferenceBlock = answer.referenceBlock;
        $.protocols[answer.oracleIndex] = protocol;
        $.rounds[answer.oracleIndex][roundId] = Snapshot({
            safetyFactor: _narrowed(answer.safetyFactor),
            referenceBlock: answer.referenceBlock,
            taskIndex: answer.taskIndex,
            updatedAt: uint32(block.timestamp),
            finality: finality,
            kind: RoundKind.Answer
        });
        if ($.models[answer.oracleIndex].note(roundId, answer.modelHash)) {
            emit ModelChanged(answer.oracleIndex, roundId, answer.modelHash);
        }
        emit SafetyFactorUpdated(
            answer.oracleIndex, roundId, answer.taskIndex, answer.safetyFactor, answer.referenceBlock
        );
    }

    /// @inheritdoc ISafetyFactorOracle
    function withdraw(uint32 oracleIndex, uint80 roundId, uint32 taskIndex) external {
        OracleStorage storage $ = _storage();
        if (msg.sender != address($.disputes)) revert NotDisputes(msg.sender);
        Snapshot memory snapshot = getRound(oracleIndex, roundId);
        if (snapshot.kind != RoundKind.Answer || snapshot.taskIndex != taskIndex) {
            revert RoundOfAnotherTask(roundId, taskIndex);
        }
        $.rounds[oracleIndex][roundId].kind = RoundKind.Withdrawn;
        emit RoundWithdrawn(oracleIndex, roundId, taskIndex);
    }

    /// @inheritdoc ISafetyFactorOracle
    function postFallback(uint32 oracleIndex, int256 safetyFactor)
        external
        onlyRole(FALLBACK_ROLE)
        returns (uint80 roundId)
    {
        OracleStorage storage $ = _storage();
        Protocol storage protocol = _existing(oracleIndex);
        if (address($.disputes) == address(0) || $.disputes.pendingDisputes(oracleIndex) == 0) {
            revert NothingDisputed(oracleIndex);
        }
        // The latest reference block stays: an answer to a task that is open must not be refused for this.
        uint32 referenceBlock = uint32(block.number - 1);
        uint24 finality = _finality(oracleIndex, protocol.latestRound, referenceBlock, referenceBlock);
        uint32 inARow = 1 + _fallbacksUpTo($.rounds[oracleIndex][protocol.latestRound]);
        roundId = ++protocol.latestRound;
        $.rounds[oracleIndex][roundId] = Snapshot({
            safetyFactor: _narrowed(safetyFactor),
            referenceBlock: referenceBlock,
            taskIndex: inARow,
            updatedAt: uint32(block.timestamp),
            finality: finality,
            kind: RoundKind.Fallback
        });
        emit FallbackPosted(oracleIndex, roundId, safetyFactor);
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
    function disputes() external view returns (IDisputeStatus) {
        return _storage().disputes;
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
    function finalFeed(uint32 oracleIndex) external view returns (address) {
        _existing(oracleIndex);
        return _storage().finalFeeds[oracleIndex];
    }

    /// @inheritdoc ISafetyFactorOracle
    function latestRound(uint32 oracleIndex) public view returns (uint80) {
        return _existing(oracleIndex).latestRound;
    }

    /// @inheritdoc ISafetyFactorOracle
    function getRound(uint32 oracleIndex, uint80 roundId) public view returns (Snapshot memory snapshot) {
        snapshot = _written(oracleIndex, roundId);
        if (snapshot.kind == RoundKind.Withdrawn) revert RoundIsWithdrawn(oracleIndex, roundId);
    }

    /// @inheritdoc ISafetyFactorOracle
    function roundStatus(uint32 oracleIndex, uint80 roundId) public view returns (RoundStatus) {
        Snapshot memory snapshot = _written(oracleIndex, roundId);
        if (snapshot.kind == RoundKind.Withdrawn) return RoundStatus.Withdrawn;
        if (snapshot.kind == RoundKind.Fallback) return RoundStatus.Fallback;
        IDisputeStatus disputes_ = _storage().disputes;
        if (address(disputes_) != address(0) && disputes_.isDisputed(oracleIndex, roundId)) {
            return RoundStatus.Disputed;
        }
        return block.number <= _challengeEnd(snapshot) ? RoundStatus.Provisional : RoundStatus.Final;
    }

    /// @inheritdoc ISafetyFactorOracle
    function latestFinalRound(uint32 oracleIndex) external view returns (uint80 roundId) {
        mapping(uint80 => Snapshot) storage rounds = _storage().rounds[oracleIndex];
        // The challenge windows end in the order of the rounds, so the last one that is over is found by bisection: whoever
        // reads does not pay for each answer in a challenge window.
        uint80 above = latestRound(oracleIndex) + 1;
        while (roundId + 1 < above) {
            uint80 middle = (roundId + above) / 2;
            if (block.number <= _challengeEnd(rounds[middle])) above = middle;
            else roundId = middle;
        }
        // Withdrawn and disputed rounds are few. Of fallbacks there may be any number, which is passed over at once.
        while (roundId != 0) {
            if (roundStatus(oracleIndex, roundId) == RoundStatus.Final) return roundId;
            uint32 fallbacks = _fallbacksUpTo(rounds[roundId]);
            roundId -= fallbacks == 0 ? 1 : fallbacks;
        }
        revert NoFinalRound(oracleIndex);
    }

    /// @inheritdoc ISafetyFactorOracle
    function modelAt(uint32 oracleIndex, uint80 roundId) external view returns (bytes32) {
        return _storage().models[oracleIndex].modelAt(roundId);
    }

    /// @dev After how many blocks from `referenceBlock` on a new round is final: not before the round `latest`, so that rounds get
    /// final in their order, also where governance has made the challenge window shorter.
    function _finality(uint32 oracleIndex, uint80 latest, uint32 referenceBlock, uint256 challengeEnd)
        private
        view
        returns (uint24)
    {
        uint256 end = Math.max(challengeEnd, _challengeEnd(_storage().rounds[oracleIndex][latest]));
        return SafeCast.toUint24(end - referenceBlock);
    }

    /// @dev How many fallbacks there are in a row, the round being the last of them.
    function _fallbacksUpTo(Snapshot memory snapshot) private pure returns (uint32) {
        return snapshot.kind == RoundKind.Fallback ? snapshot.taskIndex : 0;
    }

    /// @dev The last block in which a round is not final for certain; 0 of round 0.
    function _challengeEnd(Snapshot memory snapshot) private pure returns (uint256) {
        return uint256(snapshot.referenceBlock) + snapshot.finality;
    }

    function _written(uint32 oracleIndex, uint80 roundId) private view returns (Snapshot memory) {
        if (roundId == 0 || roundId > latestRound(oracleIndex)) revert NoData(oracleIndex, roundId);
        return _storage().rounds[oracleIndex][roundId];
    }

    function _existing(uint32 oracleIndex) private view returns (Protocol storage protocol) {
        protocol = _storage().protocols[oracleIndex];
        if (protocol.feed == address(0)) revert UnknownProtocol(oracleIndex);
    }

    function _narrowed(int256 safetyFactor) private pure returns (int128 narrowed) {
        // forge-lint: disable-next-line(unsafe-typecast)
        narrowed = int128(safetyFactor);
        if (narrowed != safetyFactor) revert SafetyFactorOutOfRange(safetyFactor);
    }

    function _storage() private pure returns (OracleStorage storage $) {
        assembly ("memory-safe") {
            $.slot := STORAGE_LOCATION
        }
    }
}
