// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {
    AccessControlEnumerableUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/extensions/AccessControlEnumerableUpgradeable.sol";
import {PausableUpgradeable} from "@openzeppelin/contracts-upgradeable/utils/PausableUpgradeable.sol";
import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";

import {BLSSignatureChecker} from "./BLSSignatureChecker.sol";
import {IAllocationManager} from "./eigenlayer/IAllocationManager.sol";
import {IDelegationManager} from "./eigenlayer/IDelegationManager.sol";
import {ISlashingRegistryCoordinator} from "./eigenlayer/ISlashingRegistryCoordinator.sol";
import {IStakeRegistry} from "./eigenlayer/IStakeRegistry.sol";
import {IAnzenTaskManager} from "./interfaces/IAnzenTaskManager.sol";
import {IBLSSignatureChecker} from "./interfaces/IBLSSignatureChecker.sol";
import {ISafetyFactorModels} from "./interfaces/ISafetyFactorModels.sol";
import {ISafetyFactorOracle} from "./interfaces/ISafetyFactorOracle.sol";
import {BN254} from "./libraries/BN254.sol";

/// @title AnzenTaskManager
/// @notice Creates tasks and takes their answers.
/// @dev A task is created only if, for each of its quorums, all stakes were refreshed at most `maxStakeAge` blocks before,
/// and not after the reference block. A later refresh changes nothing of what was at the reference block, so an answer need
/// not ask again. Anyone can refresh stakes, in every block ahead of a creation; the registry keeps the latest refresh only.
/// So an earlier one is noted here, which bounds the age of the stakes at every later block just as well. A note is
/// overwritten only when it is older than half of `maxStakeAge`: a refresh can hold creation up in its own block, and not
/// in the next ones (given a `maxStakeAge` of at least 2). A stake that was recorded in block u is sure to be slashable until
/// u + lookAhead, unless it is withdrawn, and then for EigenLayer's withdrawal delay: hence the windows, all counted from the
/// block in which the stakes were refreshed, must exceed neither.
///
/// Windows are found by the block in which a task was created: when governance changes them, open tasks keep theirs.
contract AnzenTaskManager is
    IAnzenTaskManager,
    BLSSignatureChecker,
    AccessControlEnumerableUpgradeable,
    PausableUpgradeable,
    EIP712Upgradeable
{
    /// @dev The windows of the tasks created from block `fromBlock` on.
    struct WindowsFrom {
        uint32 fromBlock;
        Windows windows;
    }

    /// @dev A protocol's latest task; none if `createdBlock` is zero.
    struct LatestTask {
        uint32 index;
        uint32 createdBlock;
    }

    /// @custom:storage-location erc7201:anzen.storage.TaskManager
    struct TaskManagerStorage {
        WindowsFrom current;
        WindowsFrom[] past;
        uint32 taskCount;
        mapping(uint256 taskIndex => bytes32) taskHashes;
        mapping(bytes32 taskHash => bytes32) responseHashes;
        mapping(uint32 oracleIndex => LatestTask) latest;
        mapping(uint32 oracleIndex => TaskPolicy) policies;
        // By quorum number, eight to a slot.
        uint32[256] notedRefreshes;
    }

    /// @inheritdoc IAnzenTaskManager
    bytes32 public constant GENERATOR_ROLE = keccak256("GENERATOR_ROLE");
    /// @inheritdoc IAnzenTaskManager
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");

    // keccak256(abi.encode(uint256(keccak256("anzen.storage.TaskManager")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant STORAGE_LOCATION = 0x7a45d921ecd997f21f85cb5fddd99f8c5b77d31133d764a86270a8870c0ada00;

    bytes32 private constant RESPONSE_TYPEHASH = keccak256("TaskResponse(bytes32 taskHash,int256 safetyFactor)");

    /// @dev No threshold is below this: two certificates for one task share signers.
    uint256 private constant LEAST_THRESHOLD_PERCENTAGE = 51;

    /// @inheritdoc IAnzenTaskManager
    ISafetyFactorOracle public immutable oracle;
    /// @inheritdoc IAnzenTaskManager
    ISafetyFactorModels public immutable models;

    IAllocationManager private immutable _allocationManager;
    IDelegationManager private immutable _delegationManager;

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor(
        ISlashingRegistryCoordinator registryCoordinator_,
        ISafetyFactorOracle oracle_,
        ISafetyFactorModels models_
    ) BLSSignatureChecker(registryCoordinator_) {
        if (address(oracle_) == address(0) || address(models_) == address(0)) {
            revert ZeroAddress();
        }
        oracle = oracle_;
        models = models_;
        _allocationManager = registryCoordinator_.allocationManager();
        _delegationManager = _allocationManager.delegation();
        _disableInitializers();
    }

    /// @notice Sets the roles and the windows. The generator and the pauser may be zero, and be granted later.
    function initialize(address admin, address generator, address pauser, Windows calldata windows_)
        external
        initializer
    {
        if (admin == address(0)) revert ZeroAddress();
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        if (generator != address(0)) _grantRole(GENERATOR_ROLE, generator);
        if (pauser != address(0)) _grantRole(PAUSER_ROLE, pauser);
        _setWindows(windows_, block.number);
    }

    /// @inheritdoc IAnzenTaskManager
    function createNewTask(
        uint32 oracleIndex,
        int256 proposedSafetyFactor,
        uint32 quorumThresholdPercentage,
        bytes calldata quorumNumbers
    ) external onlyRole(GENERATOR_ROLE) whenNotPaused returns (uint32 taskIndex, bytes32 taskHash) {
        TaskManagerStorage storage $ = _storage();
        Windows memory windows_ = windowsAt(uint32(block.number));
        bytes32 modelHash = _checkPolicy(oracleIndex, quorumThresholdPercentage, quorumNumbers);
        _tellIfUnanswered($.latest[oracleIndex]);
        _checkDeallocationDelay(_sum(windows_));
        _checkWithdrawalDelay(_sum(windows_));
        for (uint256 i; i < quorumNumbers.length; ++i) {
            _checkQuorumIsReady(uint8(quorumNumbers[i]), windows_);
        }

        taskIndex = $.taskCount++;
        Task memory task = Task({
            index: taskIndex,
            oracleIndex: oracleIndex,
            modelHash: modelHash,
            proposedSafetyFactor: proposedSafetyFactor,
            referenceBlock: uint32(block.number - 1),
            referenceBlockHash: blockhash(block.number - 1),
            createdBlock: uint32(block.number),
            quorumNumbers: quorumNumbers,
            quorumThresholdPercentage: quorumThresholdPercentage
        });
        taskHash = keccak256(abi.encode(task));
        $.taskHashes[taskIndex] = taskHash;
        $.latest[oracleIndex] = LatestTask({index: taskIndex, createdBlock: uint32(block.number)});
        emit NewTaskCreated(taskIndex, taskHash, task);
    }

    /// @inheritdoc IAnzenTaskManager
    function respondToTask(
        Task calldata task,
        TaskResponse calldata response,
        NonSignerStakesAndSignature calldata certificate
    ) external whenNotPaused {
        TaskManagerStorage storage $ = _storage();
        bytes32 taskHash = hashTask(task);
        if ($.taskHashes[task.index] != taskHash) revert UnknownTask(taskHash);
        if (response.taskHash != taskHash) revert ResponseToAnotherTask(taskHash, response.taskHash);
        if ($.responseHashes[taskHash] != 0) revert TaskAlreadyAnswered(taskHash);
        Windows memory windows_ = windowsAt(task.createdBlock);
        uint256 last = uint256(task.createdBlock) + windows_.response;
        if (block.number > last) revert ResponseWindowOver(last);

        // How old the stakes were at the reference block was checked when the task was created.
        (uint96[] memory signedStake, uint96[] memory totalStake, bytes32[] memory nonSignerIds) =
            _checkCertificate(responseDigest(response), task.quorumNumbers, task.referenceBlock, certificate);
        for (uint256 i; i < signedStake.length; ++i) {
            if (uint256(signedStake[i]) * 100 < uint256(totalStake[i]) * task.quorumThresholdPercentage) {
                revert ThresholdNotReached(uint8(task.quorumNumbers[i]), signedStake[i], totalStake[i]);
            }
        }

        TaskResponseMetadata memory metadata = TaskResponseMetadata({
            respondedBlock: uint32(block.number),
            signatoryRecordHash: _signatoryRecordHash(task.referenceBlock, nonSignerIds)
        });
        $.responseHashes[taskHash] = keccak256(abi.encode(response, metadata));
        emit TaskResponded(task.index, taskHash, response, metadata, nonSignerIds);
        oracle.update(
            ISafetyFactorOracle.Answer({
                oracleIndex: task.oracleIndex,
                safetyFactor: response.safetyFactor,
                referenceBlock: task.referenceBlock,
                taskIndex: task.index,
                modelHash: task.modelHash,
                challengeBlocks: windows_.challenge
            })
        );
    }

    /// @inheritdoc IAnzenTaskManager
    function refreshStakes(address[][] calldata operatorsPerQuorum, bytes calldata quorumNumbers) external {
        registryCoordinator.updateOperatorsForQuorum(operatorsPerQuorum, quorumNumbers);
        uint256 maxAge = maxStakeAge();
        for (uint256 i; i < quorumNumbers.length; ++i) {
            uint8 quorumNumber = uint8(quorumNumbers[i]);
            _noteRefresh(quorumNumber, block.number, _storage().notedRefreshes[quorumNumber], maxAge);
        }
    }

    /// @inheritdoc IAnzenTaskManager
    function setTaskPolicy(uint32 oracleIndex, TaskPolicy calldata policy) external onlyRole(DEFAULT_ADMIN_ROLE) {
        // Neither protocols nor models are ever removed, so that a task need not ask again.
        if (!oracle.protocolExists(oracleIndex)) revert UnknownProtocol(oracleIndex);
        if (!models.exists(policy.modelHash)) revert UnknownModel(policy.modelHash);
        _checkThreshold(policy.leastThresholdPercentage, LEAST_THRESHOLD_PERCENTAGE, 100);
        _checkThreshold(policy.greatestThresholdPercentage, policy.leastThresholdPercentage, 100);
        // At least one: the reference blocks of a protocol's tasks strictly increase.
        if (policy.minTaskInterval == 0) revert NoTaskInterval();
        if (policy.quorumNumbers.length == 0) revert NoQuorums();

        uint8 quorumCount = registryCoordinator.quorumCount();
        uint256 needed = _sum(_storage().current.windows);
        uint256 delay = _checkDeallocationDelay(needed);
        _checkWithdrawalDelay(needed);
        for (uint256 i; i < policy.quorumNumbers.length; ++i) {
            uint8 quorumNumber = uint8(policy.quorumNumbers[i]);
            if (quorumNumber >= quorumCount) revert UnknownQuorum(quorumNumber);
            if (i != 0 && quorumNumber <= uint8(policy.quorumNumbers[i - 1])) revert QuorumNumbersNotAscending();
            _checkQuorumIsSlashable(quorumNumber, needed, delay);
        }
        _storage().policies[oracleIndex] = policy;
        emit TaskPolicySet(oracleIndex, policy);
    }

    /// @inheritdoc IAnzenTaskManager
    function removeTaskPolicy(uint32 oracleIndex) external onlyRole(DEFAULT_ADMIN_ROLE) {
        TaskManagerStorage storage $ = _storage();
        if ($.policies[oracleIndex].quorumNumbers.length == 0) revert NoTaskPolicy(oracleIndex);
        delete $.policies[oracleIndex];
        emit TaskPolicyRemoved(oracleIndex);
    }

    /// @inheritdoc IAnzenTaskManager
    function setWindows(Windows calldata windows_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        // Tasks may have been created in this block already.
        _setWindows(windows_, block.number + 1);
    }

    /// @inheritdoc IAnzenTaskManager
    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    /// @inheritdoc IAnzenTaskManager
    function unpause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _unpause();
    }

    /// @inheritdoc IAnzenTaskManager
    function taskCount() external view returns (uint32) {
        return _storage().taskCount;
    }

    /// @inheritdoc IAnzenTaskManager
    function taskHashAt(uint32 taskIndex) external view returns (bytes32) {
        return _storage().taskHashes[taskIndex];
    }

    /// @inheritdoc IAnzenTaskManager
    function responseHash(bytes32 taskHash) external view returns (bytes32) {
        return _storage().responseHashes[taskHash];
    }

    /// @inheritdoc IAnzenTaskManager
    function latestTask(uint32 oracleIndex)
        external
        view
        returns (bool exists, uint32 taskIndex, uint32 createdBlock, bool answered)
    {
        LatestTask memory latest = _storage().latest[oracleIndex];
        exists = latest.createdBlock != 0;
        return (exists, latest.index, latest.createdBlock, exists && _isAnswered(latest.index));
    }

    /// @inheritdoc IAnzenTaskManager
    function isOpen(uint32 oracleIndex) external view returns (bool) {
        LatestTask memory latest = _storage().latest[oracleIndex];
        return latest.createdBlock != 0 && _isOpen(latest);
    }

    /// @inheritdoc IAnzenTaskManager
    function notedRefresh(uint8 quorumNumber) external view returns (uint32) {
        return _storage().notedRefreshes[quorumNumber];
    }

    /// @inheritdoc IAnzenTaskManager
    function taskPolicy(uint32 oracleIndex) external view returns (TaskPolicy memory) {
        return _storage().policies[oracleIndex];
    }

    /// @inheritdoc IAnzenTaskManager
    function windows() external view returns (Windows memory) {
        return windowsAt(uint32(block.number));
    }

    /// @inheritdoc IAnzenTaskManager
    function responseDigest(TaskResponse calldata response) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(RESPONSE_TYPEHASH, response)));
    }

    /// @inheritdoc IAnzenTaskManager
    function windowsAt(uint32 blockNumber) public view returns (Windows memory) {
        TaskManagerStorage storage $ = _storage();
        if (blockNumber >= $.current.fromBlock) return $.current.windows;
        for (uint256 i = $.past.length; i != 0; --i) {
            if (blockNumber >= $.past[i - 1].fromBlock) return $.past[i - 1].windows;
        }
        revert NoWindowsAt(blockNumber);
    }

    /// @inheritdoc IBLSSignatureChecker
    function maxStakeAge() public view override(BLSSignatureChecker, IBLSSignatureChecker) returns (uint32) {
        return windowsAt(uint32(block.number)).maxStakeAge;
    }

    /// @inheritdoc IAnzenTaskManager
    function hashTask(Task calldata task) public pure returns (bytes32) {
        return keccak256(abi.encode(task));
    }

    /// @dev Constants, so that a response reads no storage for its digest.
    function _EIP712Name() internal pure override returns (string memory) {
        return "AnzenTaskManager";
    }

    /// @dev See `_EIP712Name`.
    function _EIP712Version() internal pure override returns (string memory) {
        return "1";
    }

    function _setWindows(Windows calldata windows_, uint256 fromBlock) private {
        if (windows_.response == 0) revert NoResponseWindow();
        if (windows_.challenge == 0 || windows_.veto == 0 || windows_.execution == 0) revert EmptyWindow();
        uint256 needed = _sum(windows_);
        uint256 delay = _checkDeallocationDelay(needed);
        uint8 quorumCount = registryCoordinator.quorumCount();
        for (uint8 i; i < quorumCount; ++i) {
            _checkQuorumIsSlashable(i, needed, delay);
        }
        _checkWithdrawalDelay(needed);

        TaskManagerStorage storage $ = _storage();
        // Those that were set in this block do not hold yet.
        if ($.current.fromBlock != 0 && $.current.fromBlock != fromBlock) $.past.push($.current);
        $.current = WindowsFrom({fromBlock: uint32(fromBlock), windows: windows_});
        emit WindowsSet(windows_);
    }

    /// @dev That governance's bounds allow a task of the protocol now. Returns the model to be used.
    function _checkPolicy(uint32 oracleIndex, uint32 quorumThresholdPercentage, bytes calldata quorumNumbers)
        private
        view
        returns (bytes32 modelHash)
    {
        TaskManagerStorage storage $ = _storage();
        TaskPolicy memory policy = $.policies[oracleIndex];
        if (policy.quorumNumbers.length == 0) revert NoTaskPolicy(oracleIndex);
        if (keccak256(quorumNumbers) != keccak256(policy.quorumNumbers)) {
            revert QuorumsNotOfPolicy(quorumNumbers, policy.quorumNumbers);
        }
        _checkThreshold(quorumThresholdPercentage, policy.leastThresholdPercentage, policy.greatestThresholdPercentage);

        LatestTask memory latest = $.latest[oracleIndex];
        if (latest.createdBlock != 0) {
            uint256 earliest = uint256(latest.createdBlock) + policy.minTaskInterval;
            if (block.number < earliest) revert TaskIntervalNotOver(earliest);
            if (_isOpen(latest)) revert TaskStillOpen(latest.index);
        }
        return policy.modelHash;
    }

    /// @dev That the quorum has stake, a key, and stakes that were refreshed recently, as of the reference block. That its
    /// look-ahead still covers the windows is asked again here, because the registry's owner may have changed it.
    function _checkQuorumIsReady(uint8 quorumNumber, Windows memory windows_) private {
        _checkStakesAreRecent(quorumNumber, windows_.maxStakeAge);

        uint256 lookAhead = stakeRegistry.slashableStakeLookAheadPerQuorum(quorumNumber);
        uint256 needed = _sum(windows_);
        if (lookAhead < needed) revert LookAheadTooShort(quorumNumber, lookAhead, needed);

        _checkQuorumHasStake(quorumNumber);
        if (BN254.isIdentity(blsApkRegistry.getApk(quorumNumber))) revert QuorumKeyIsIdentity(quorumNumber);
    }

    /// @dev That the quorum has stake, and had at the reference block.
    function _checkQuorumHasStake(uint8 quorumNumber) private view {
        uint256 length = stakeRegistry.getTotalStakeHistoryLength(quorumNumber);
        IStakeRegistry.StakeUpdate memory latest = stakeRegistry.getTotalStakeUpdateAtIndex(quorumNumber, length - 1);
        if (latest.stake == 0) revert QuorumWithoutStake(quorumNumber);
        if (latest.updateBlockNumber < block.number) return;
        // The entry before was in force at the reference block: a block makes one entry. None if the quorum is of this block.
        if (length == 1 || stakeRegistry.getTotalStakeUpdateAtIndex(quorumNumber, length - 2).stake == 0) {
            revert NoStakeAtReference(quorumNumber);
        }
    }

    /// @dev That all stakes of the quorum were refreshed at most `maxAge` blocks ago, and before this block: by the latest
    /// refresh, which is noted, or where that is in this block by the one noted before.
    function _checkStakesAreRecent(uint8 quorumNumber, uint256 maxAge) private {
        uint256 refreshedBlock = registryCoordinator.quorumUpdateBlockNumber(quorumNumber);
        uint256 noted = _storage().notedRefreshes[quorumNumber];
        if (refreshedBlock < block.number) {
            if (refreshedBlock + maxAge < block.number) revert StakesStale(quorumNumber, refreshedBlock);
            _noteRefresh(quorumNumber, refreshedBlock, noted, maxAge);
        } else if (noted == 0 || noted == block.number || noted + maxAge < block.number) {
            revert StakesRefreshedAfterReference(quorumNumber);
        }
    }

    /// @dev Notes a refresh, unless `noted` is there and not older than half of `maxAge`.
    function _noteRefresh(uint8 quorumNumber, uint256 refreshedBlock, uint256 noted, uint256 maxAge) private {
        bool replaceable = noted == 0 || noted + maxAge / 2 < block.number;
        if (replaceable && noted != refreshedBlock) _storage().notedRefreshes[quorumNumber] = uint32(refreshedBlock);
    }

    /// @dev That the quorum's stake can be slashed until the end of all windows.
    function _checkQuorumIsSlashable(uint8 quorumNumber, uint256 needed, uint256 delay) private view {
        if (stakeRegistry.stakeTypePerQuorum(quorumNumber) != IStakeRegistry.StakeType.TOTAL_SLASHABLE) {
            revert QuorumNotSlashable(quorumNumber);
        }
        uint256 lookAhead = stakeRegistry.slashableStakeLookAheadPerQuorum(quorumNumber);
        if (lookAhead < needed) revert LookAheadTooShort(quorumNumber, lookAhead, needed);
        if (lookAhead > delay) revert DeallocationDelayTooShort(delay, lookAhead);
    }

    /// @dev That stake can be slashed until the end of all windows also where its allocation is given up right after a refresh.
    /// EigenLayer may change that time with an upgrade, so that each task asks. Returns it.
    function _checkDeallocationDelay(uint256 needed) private view returns (uint256 delay) {
        delay = _allocationManager.DEALLOCATION_DELAY();
        if (delay < needed) revert DeallocationDelayTooShort(delay, needed);
    }

    /// @dev The same where its withdrawal is queued: the look-ahead is about allocations only.
    function _checkWithdrawalDelay(uint256 needed) private view {
        uint256 delay = _delegationManager.minWithdrawalDelayBlocks();
        if (delay < needed) revert WithdrawalDelayTooShort(delay, needed);
    }

    /// @dev A protocol's next task is created only when its latest can no longer be answered.
    function _tellIfUnanswered(LatestTask memory latest) private {
        if (latest.createdBlock != 0 && !_isAnswered(latest.index)) {
            emit TaskUnanswered(latest.index, _storage().taskHashes[latest.index]);
        }
    }

    function _isOpen(LatestTask memory latest) private view returns (bool) {
        return block.number <= _lastResponseBlock(latest.createdBlock) && !_isAnswered(latest.index);
    }

    function _isAnswered(uint32 taskIndex) private view returns (bool) {
        TaskManagerStorage storage $ = _storage();
        return $.responseHashes[$.taskHashes[taskIndex]] != 0;
    }

    function _lastResponseBlock(uint32 createdBlock) private view returns (uint256) {
        return uint256(createdBlock) + windowsAt(createdBlock).response;
    }

    function _checkThreshold(uint256 threshold, uint256 least, uint256 greatest) private pure {
        if (threshold < least || threshold > greatest) revert ThresholdOutOfRange(threshold, least, greatest);
    }

    function _sum(Windows memory windows_) private pure returns (uint256) {
        return
            uint256(windows_.maxStakeAge) + windows_.response + windows_.challenge + windows_.veto + windows_.execution;
    }

    function _storage() private pure returns (TaskManagerStorage storage $) {
        assembly ("memory-safe") {
            $.slot := STORAGE_LOCATION
        }
    }
}
