// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {
    AccessControlEnumerableUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/extensions/AccessControlEnumerableUpgradeable.sol";
import {Arrays} from "@openzeppelin/contracts/utils/Arrays.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

import {IAllocationManager} from "./eigenlayer/IAllocationManager.sol";
import {ISlashingRegistryCoordinator} from "./eigenlayer/ISlashingRegistryCoordinator.sol";
import {IStakeRegistry} from "./eigenlayer/IStakeRegistry.sol";
import {IAnzenServiceManager} from "./interfaces/IAnzenServiceManager.sol";
import {BoundedCall} from "./libraries/BoundedCall.sol";

/// @title SlashingQueue
/// @notice Faults, from their recording to the execution of their slashing.
/// @dev What is taken, and where, is fixed when a fault is recorded, so that nobody can change it afterwards: governance by
/// other shares or strategies, an operator by leaving (the windows end before the stake could be withdrawn). The work of a
/// step does not depend on how many operators are at fault. Slashing one is a call of its own, so that no operator can
/// stand in another's way, and it leaves a mark only where it succeeded: who starves it of gas achieves nothing.
abstract contract SlashingQueue is IAnzenServiceManager, AccessControlEnumerableUpgradeable {
    /// @custom:storage-location erc7201:anzen.storage.SlashingQueue
    struct QueueStorage {
        mapping(bytes32 faultId => Fault) faults;
        mapping(bytes32 faultId => mapping(address operator => SlashingRequest)) requests;
        mapping(FaultKind kind => uint64) shares;
    }

    /// @inheritdoc IAnzenServiceManager
    bytes32 public constant DISPUTES_ROLE = keccak256("DISPUTES_ROLE");
    /// @inheritdoc IAnzenServiceManager
    bytes32 public constant COMMITTEE_ROLE = keccak256("COMMITTEE_ROLE");

    // keccak256(abi.encode(uint256(keccak256("anzen.storage.SlashingQueue")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant STORAGE_LOCATION = 0x49e70686f935643757a2385dd2dafbcd4b5a84aab97c6c0fa5b7c92516b5f300;

    /// @dev Everything, as a share.
    uint64 private constant WAD = 1e18;
    /// @dev An ejection takes 400,000 from one quorum, 690,000 from two (test/SlashingQueue.t.sol). This is more.
    uint256 private constant EJECTION_GAS = 300_000;
    uint256 private constant EJECTION_GAS_PER_QUORUM = 500_000;
    /// @dev A slashing of one strategy takes 130,000 (snapshots/AnzenDisputes.json: eight in executeSlashing). This is more:
    /// deallocations and withdrawals that are under way add to it.
    uint256 private constant SLASHING_GAS = 300_000;
    uint256 private constant SLASHING_GAS_PER_STRATEGY = 300_000;
    /// @dev A call that began with so much, nearly what a transaction may take (EIP-7825: 16,777,216), may leave the rest to
    /// another. With less it has to do all, so that an estimate of the gas is that of the whole.
    uint256 private constant GAS_OF_A_LARGE_CALL = 15_000_000;
    /// @dev From more, an ejection might not fit a transaction.
    uint256 private constant MOST_QUORUMS_PER_EJECTION = 16;

    /// @inheritdoc IAnzenServiceManager
    ISlashingRegistryCoordinator public immutable registryCoordinator;
    /// @inheritdoc IAnzenServiceManager
    IStakeRegistry public immutable stakeRegistry;
    /// @inheritdoc IAnzenServiceManager
    IAllocationManager public immutable allocationManager;

    constructor(ISlashingRegistryCoordinator registryCoordinator_) {
        registryCoordinator = registryCoordinator_;
        stakeRegistry = registryCoordinator_.stakeRegistry();
        allocationManager = registryCoordinator_.allocationManager();
    }

    /// @inheritdoc IAnzenServiceManager
    function recordFault(
        bytes32 faultId,
        FaultKind kind,
        bytes calldata quorumNumbers,
        uint32 vetoBlocks,
        uint32 executionBlocks
    ) external onlyRole(DISPUTES_ROLE) {
        QueueStorage storage $ = _queue();
        if ($.faults[faultId].recordedBlock != 0) revert FaultExists(faultId);

        QuorumStrategies[] memory plan = _plan(quorumNumbers);
        uint64 share = $.shares[kind];
        uint32 vetoEnd = uint32(block.number + vetoBlocks - 1);
        uint32 executionEnd = vetoEnd + executionBlocks;
        $.faults[faultId] = Fault({
            kind: kind,
            recordedBlock: uint32(block.number),
            vetoEnd: vetoEnd,
            executionEnd: executionEnd,
            vetoed: false,
            wadToSlash: share,
            planHash: keccak256(abi.encode(plan))
        });
        emit FaultRecorded(faultId, kind, share, vetoEnd, executionEnd, plan);
    }

    /// @inheritdoc IAnzenServiceManager
    function freezeOperator(bytes32 faultId, address operator, uint192 quorums) external onlyRole(DISPUTES_ROLE) {
        _checkNotOver(faultId);
        SlashingRequest storage request = _queue().requests[faultId][operator];
        if (request.vetoed) return;
        if (!request.frozen) {
            request.frozen = true;
            request.quorums = quorums;
            emit OperatorFrozen(faultId, operator, quorums);
        }
        // Again, too, as long as something is to be taken: it may have failed, or the operator may have come back.
        if (request.quorums != 0) _eject(operator);
    }

    /// @inheritdoc IAnzenServiceManager
    function retryEjection(bytes32 faultId, address operator) external {
        _checkNotOver(faultId);
        SlashingRequest memory request = _queue().requests[faultId][operator];
        if (!request.frozen) revert OperatorNotFrozen(faultId, operator);
        if (!request.vetoed && request.quorums != 0) _eject(operator);
    }

    /// @inheritdoc IAnzenServiceManager
    function ejectFromAll(address operator) external onlyRole(DISPUTES_ROLE) {
        _eject(operator);
    }

    /// @inheritdoc IAnzenServiceManager
    function vetoFault(bytes32 faultId) external onlyRole(COMMITTEE_ROLE) {
        Fault storage fault_ = _vetoable(faultId);
        fault_.vetoed = true;
        emit FaultVetoed(faultId);
    }

    /// @inheritdoc IAnzenServiceManager
    function vetoSlashing(bytes32 faultId, address operator) external onlyRole(COMMITTEE_ROLE) {
        _vetoable(faultId);
        // It need not be frozen yet: whoever freezes it last of all could else leave no time for this.
        SlashingRequest storage request = _queue().requests[faultId][operator];
        if (request.vetoed) revert SlashingIsVetoed(faultId, operator);
        request.vetoed = true;
        emit SlashingVetoed(faultId, operator);
    }

    /// @inheritdoc IAnzenServiceManager
    function executeSlashing(bytes32 faultId, QuorumStrategies[] calldata plan, address[] calldata operators) external {
        bool isLarge = gasleft() >= GAS_OF_A_LARGE_CALL;
        Fault memory fault_ = _liveFault(faultId);
        if (block.number <= fault_.vetoEnd) revert VetoWindowNotOver(fault_.vetoEnd);
        if (block.number > fault_.executionEnd) revert ExecutionWindowOver(fault_.executionEnd);
        if (keccak256(abi.encode(plan)) != fault_.planHash) revert WrongPlan(faultId);

        // Once something is done in a large call, the rest may be left.
        bool mayStop;
        for (uint256 q; q < plan.length; ++q) {
            address[] memory strategies = _stillInSet(plan[q]);
            for (uint256 i; i < operators.length; ++i) {
                if (!_isOwed(faultId, operators[i], plan[q].quorumNumber)) continue;
                if (mayStop && !_isSureOf(_slashingGas(strategies.length))) return;
                mayStop = _slash(faultId, fault_, operators[i], plan[q].quorumNumber, strategies) && isLarge || mayStop;
            }
        }
    }

    /// @inheritdoc IAnzenServiceManager
    function setFaultShare(FaultKind kind, uint64 wadToSlash) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (wadToSlash > WAD) revert ShareOutOfRange(wadToSlash);
        _queue().shares[kind] = wadToSlash;
        emit FaultShareSet(kind, wadToSlash);
    }

    /// @inheritdoc IAnzenServiceManager
    function fault(bytes32 faultId) external view returns (Fault memory) {
        return _queue().faults[faultId];
    }

    /// @inheritdoc IAnzenServiceManager
    function slashingRequest(bytes32 faultId, address operator) external view returns (SlashingRequest memory) {
        return _queue().requests[faultId][operator];
    }

    /// @inheritdoc IAnzenServiceManager
    function faultShare(FaultKind kind) external view returns (uint64) {
        return _queue().shares[kind];
    }

    /// @dev Removes an operator from all quorums, or the lowest of very many; the next call takes the others. The coordinator refuses one that is in none: such a one has left, and
    /// EigenLayer keeps it out for the deallocation delay, which is longer than the windows. Whatever else it or EigenLayer
    /// refuses, to be paused say, must not keep a slashing from being requested.
    function _eject(address operator) private {
        uint256 quorums = registryCoordinator.getCurrentQuorumBitmap(registryCoordinator.getOperatorId(operator));
        if (quorums == 0) return;
        bytes memory numbers;
        for (uint256 q; quorums >> q != 0 && numbers.length < MOST_QUORUMS_PER_EJECTION; ++q) {
            if (quorums >> q & 1 == 1) numbers = bytes.concat(numbers, bytes1(uint8(q)));
        }
        // Nor may little gas keep an operator from being ejected.
        _checkGas(EJECTION_GAS + numbers.length * EJECTION_GAS_PER_QUORUM);
        try registryCoordinator.ejectOperator(operator, numbers) {}
        catch (bytes memory reason) {
            emit EjectionFailed(operator, reason);
        }
    }

    /// @dev Whether the operator's slashing in a quorum is requested, not vetoed and not done yet.
    function _isOwed(bytes32 faultId, address operator, uint8 quorumNumber) private view returns (bool) {
        SlashingRequest memory request = _queue().requests[faultId][operator];
        if (request.vetoed) return false;
        if (!request.frozen) revert OperatorNotFrozen(faultId, operator);
        return request.quorums >> quorumNumber & 1 == 1;
    }

    /// @dev Takes the operator's stake in a quorum, which it owes. Returns whether it is done.
    function _slash(
        bytes32 faultId,
        Fault memory fault_,
        address operator,
        uint8 quorumNumber,
        address[] memory strategies
    ) private returns (bool done) {
        SlashingRequest storage request = _queue().requests[faultId][operator];
        uint192 bit = uint192(1) << quorumNumber;
        // Before the call, so that there is no second time whatever is called.
        request.quorums &= ~bit;
        if (fault_.wadToSlash != 0 && strategies.length != 0) {
            // So that a failure is EigenLayer's word, and an estimate of the gas (eth_estimateGas) is enough for a success.
            _checkGas(_slashingGas(strategies.length));
            try allocationManager.slashOperator(
                address(this), _slashing(faultId, fault_.wadToSlash, operator, quorumNumber, strategies)
            ) {}
            catch (bytes memory reason) {
                request.quorums |= bit;
                emit SlashingFailed(faultId, operator, quorumNumber, reason);
                return false;
            }
        }
        emit OperatorSlashed(faultId, operator, quorumNumber, fault_.wadToSlash);
        return true;
    }

    function _slashingGas(uint256 strategyCount) private pure returns (uint256) {
        return SLASHING_GAS + strategyCount * SLASHING_GAS_PER_STRATEGY;
    }

    function _checkGas(uint256 needed) private view {
        if (!_isSureOf(needed)) revert BoundedCall.GasTooLow(gasleft());
    }

    /// @dev Whether a call is sure of so much gas (EIP-150).
    function _isSureOf(uint256 needed) private view returns (bool) {
        uint256 gasLeft = gasleft();
        return gasLeft - gasLeft / 64 >= needed;
    }

    function _vetoable(bytes32 faultId) private view returns (Fault storage fault_) {
        fault_ = _liveFault(faultId);
        if (block.number > fault_.vetoEnd) revert VetoWindowOver(fault_.vetoEnd);
    }

    /// @dev That operators can be frozen for the fault.
    function _checkNotOver(bytes32 faultId) private view {
        Fault storage fault_ = _liveFault(faultId);
        if (block.number > fault_.executionEnd) revert ExecutionWindowOver(fault_.executionEnd);
    }

    function _liveFault(bytes32 faultId) private view returns (Fault storage fault_) {
        fault_ = _queue().faults[faultId];
        if (fault_.recordedBlock == 0) revert UnknownFault(faultId);
        if (fault_.vetoed) revert FaultIsVetoed(faultId);
    }

    /// @dev The strategies of the quorums now, as EigenLayer wants them: strictly ascending.
    function _plan(bytes calldata quorumNumbers) private view returns (QuorumStrategies[] memory plan) {
        plan = new QuorumStrategies[](quorumNumbers.length);
        for (uint256 i; i < plan.length; ++i) {
            uint8 quorumNumber = uint8(quorumNumbers[i]);
            address[] memory strategies = new address[](stakeRegistry.strategyParamsLength(quorumNumber));
            for (uint256 s; s < strategies.length; ++s) {
                strategies[s] = stakeRegistry.strategyParamsByIndex(quorumNumber, s).strategy;
            }
            plan[i] = QuorumStrategies({quorumNumber: quorumNumber, strategies: Arrays.sort(strategies)});
        }
    }

    /// @dev Those of the plan's strategies that secure the operator set still: with another, EigenLayer would refuse all.
    function _stillInSet(QuorumStrategies calldata part) private view returns (address[] memory strategies) {
        address[] memory inSet = allocationManager.getStrategiesInOperatorSet(
            IAllocationManager.OperatorSet({avs: address(this), id: part.quorumNumber})
        );
        strategies = new address[](part.strategies.length);
        uint256 count;
        for (uint256 i; i < part.strategies.length; ++i) {
            if (_contains(inSet, part.strategies[i])) strategies[count++] = part.strategies[i];
        }
        assembly ("memory-safe") {
            mstore(strategies, count)
        }
    }

    function _contains(address[] memory list, address item) private pure returns (bool) {
        for (uint256 i; i < list.length; ++i) {
            if (list[i] == item) return true;
        }
        return false;
    }

    function _slashing(
        bytes32 faultId,
        uint64 wadToSlash,
        address operator,
        uint8 quorumNumber,
        address[] memory strategies
    ) private pure returns (IAllocationManager.SlashingParams memory) {
        uint256[] memory wads = new uint256[](strategies.length);
        for (uint256 i; i < wads.length; ++i) {
            wads[i] = wadToSlash;
        }
        return IAllocationManager.SlashingParams({
            operator: operator,
            operatorSetId: quorumNumber,
            strategies: strategies,
            wadsToSlash: wads,
            description: string.concat("Anzen fault ", Strings.toHexString(uint256(faultId), 32))
        });
    }

    function _queue() private pure returns (QueueStorage storage $) {
        assembly ("memory-safe") {
            $.slot := STORAGE_LOCATION
        }
    }
}
