// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAllocationManager} from "../eigenlayer/IAllocationManager.sol";
import {IPermissionController} from "../eigenlayer/IPermissionController.sol";
import {ISlashingRegistryCoordinator} from "../eigenlayer/ISlashingRegistryCoordinator.sol";
import {IStakeRegistry} from "../eigenlayer/IStakeRegistry.sol";

/// @title IAnzenServiceManager
/// @notice Anzen's identity in EigenLayer: the address of the AVS. It is the slasher of its operator sets, and the registry
/// coordinator's ejector.
///
/// What becomes of a fault: it is *recorded*, which fixes whose stake, and how much of it, may be taken. Each operator at
/// fault is *frozen*: ejected, and its slashing requested. The committee may *veto* the fault, or one operator's request,
/// until the fault's veto window is over. From then on, until the execution window is over, anyone may *execute* what was
/// not vetoed.
interface IAnzenServiceManager {
    /// @notice What an operator can do wrong.
    enum FaultKind {
        /// It signed an answer that is not the one that follows from the chain's state.
        WrongAnswer,
        /// It signed two different answers to one task.
        Equivocation,
        /// It kept away from tasks, repeatedly, and the committee found that to be a fault.
        Absence
    }

    /// @notice Where a fault's stake is taken from: strategies of a quorum.
    /// @param quorumNumber The quorum, whose operator set has the same number.
    /// @param strategies Its strategies, strictly ascending.
    struct QuorumStrategies {
        uint8 quorumNumber;
        address[] strategies;
    }

    /// @notice A fault that was proved, or ruled on.
    /// @param kind What was done wrong.
    /// @param recordedBlock When that was recorded; zero if there is no such fault.
    /// @param vetoEnd The last block in which it can be vetoed; before `recordedBlock` if it cannot be.
    /// @param executionEnd The last block in which its slashing can be executed.
    /// @param vetoed Whether it was vetoed.
    /// @param wadToSlash The share that is taken of each strategy's allocation, in units of 1e-18.
    /// @param planHash keccak256(abi.encode(QuorumStrategies[])): where it is taken from.
    struct Fault {
        FaultKind kind;
        uint32 recordedBlock;
        uint32 vetoEnd;
        uint32 executionEnd;
        bool vetoed;
        uint64 wadToSlash;
        bytes32 planHash;
    }

    /// @notice An operator's part in a fault.
    /// @param frozen Whether the operator was frozen for it.
    /// @param vetoed Whether the slashing was vetoed, for this operator alone.
    /// @param quorums The quorums in which the operator's stake is still to be taken, as a bitmap.
    struct SlashingRequest {
        bool frozen;
        bool vetoed;
        uint192 quorums;
    }

    /// @notice A fault was recorded. `plan` is what `executeSlashing` wants.
    event FaultRecorded(
        bytes32 indexed faultId,
        FaultKind indexed kind,
        uint64 wadToSlash,
        uint32 vetoEnd,
        uint32 executionEnd,
        QuorumStrategies[] plan
    );
    /// @notice An operator was ejected for a fault, and its slashing in `quorums`, a bitmap, requested.
    event OperatorFrozen(bytes32 indexed faultId, address indexed operator, uint192 quorums);
    /// @notice The coordinator refused to eject an operator. Once it is frozen for a fault, `retryEjection` tries again.
    event EjectionFailed(address indexed operator, bytes reason);
    /// @notice Nobody will be slashed for the fault.
    event FaultVetoed(bytes32 indexed faultId);
    /// @notice The operator will not be slashed for the fault.
    event SlashingVetoed(bytes32 indexed faultId, address indexed operator);
    /// @notice An operator's stake in a quorum was taken.
    event OperatorSlashed(
        bytes32 indexed faultId, address indexed operator, uint8 indexed quorumNumber, uint64 wadToSlash
    );
    /// @notice EigenLayer refused to slash. It can be tried again until the execution window is over.
    event SlashingFailed(bytes32 indexed faultId, address indexed operator, uint8 indexed quorumNumber, bytes reason);
    /// @notice Governance has set which share a fault that is recorded from now on costs.
    event FaultShareSet(FaultKind indexed kind, uint64 wadToSlash);

    /// @notice An address that must not be zero is.
    error ZeroAddress();
    /// @notice A share is more than everything, 1e18.
    error ShareOutOfRange(uint64 wadToSlash);
    /// @notice This fault is recorded already.
    error FaultExists(bytes32 faultId);
    /// @notice There is no such fault.
    error UnknownFault(bytes32 faultId);
    /// @notice The fault was vetoed.
    error FaultIsVetoed(bytes32 faultId);
    /// @notice The fault could be vetoed until block `last`.
    error VetoWindowOver(uint256 last);
    /// @notice The fault can be executed after block `last` only; until then it may be vetoed.
    error VetoWindowNotOver(uint256 last);
    /// @notice The fault could be executed until block `last`.
    error ExecutionWindowOver(uint256 last);
    /// @notice The operator was not frozen for the fault.
    error OperatorNotFrozen(bytes32 faultId, address operator);
    /// @notice The operator's slashing was vetoed already.
    error SlashingIsVetoed(bytes32 faultId, address operator);
    /// @notice The plan is not that of the fault.
    error WrongPlan(bytes32 faultId);

    /// @notice Records a fault. By the disputes contract.
    /// @param faultId Its name; each fault has its own.
    /// @param quorumNumbers The quorums whose stake it costs, a byte each, strictly ascending.
    /// @param vetoBlocks For how many blocks it may be vetoed; none if the committee itself has ruled.
    /// @param executionBlocks For how many blocks after these it may be executed.
    function recordFault(
        bytes32 faultId,
        FaultKind kind,
        bytes calldata quorumNumbers,
        uint32 vetoBlocks,
        uint32 executionBlocks
    ) external;

    /// @notice Ejects an operator from all quorums, of more than 16 from the 16 lowest, and requests its slashing in those of `quorums`, a bitmap, that the fault
    /// is about. By the disputes contract. What is requested once stays as it is; an operator that has come back before its stake
    /// was taken is ejected again. One whose slashing was vetoed is passed over.
    function freezeOperator(bytes32 faultId, address operator, uint192 quorums) external;

    /// @notice Ejects an operator again that was frozen for a fault: the coordinator refused it, the operator has come back, or is in
    /// quorums still as it was in more than 16. By
    /// anyone, until the fault's execution window is over; of one whose slashing was vetoed, or is done, nothing happens.
    function retryEjection(bytes32 faultId, address operator) external;

    /// @notice Ejects an operator from all quorums, of more than 16 from the 16 lowest. By the disputes contract, for repeated absence.
    function ejectFromAll(address operator) external;

    /// @notice Lets nobody be slashed for a fault. By the committee, until the veto window is over. Whoever was ejected may
    /// register again when the coordinator's cooldown and EigenLayer's deallocation delay are over.
    function vetoFault(bytes32 faultId) external;

    /// @notice Lets an operator go unslashed for a fault, whether it was frozen for it or not. By the committee, until the veto
    /// window is over.
    function vetoSlashing(bytes32 faultId, address operator) external;

    /// @notice Takes the stake of operators that were frozen for a fault. By anyone, between the end of the veto window and
    /// that of the execution window. Each quorum's is taken once. What EigenLayer refuses is told and can be tried again; it
    /// holds up neither the other quorums nor the other operators. A call that begins with 15,000,000 gas or more takes what fits, one
    /// quorum of one operator at least, and leaves the rest as it was, for the next call; one with less takes all, or reverts.
    /// @param plan What the fault's FaultRecorded says.
    function executeSlashing(bytes32 faultId, QuorumStrategies[] calldata plan, address[] calldata operators) external;

    /// @notice Sets the share that a fault of a kind costs, in units of 1e-18. By the administrator. Recorded faults keep theirs.
    function setFaultShare(FaultKind kind, uint64 wadToSlash) external;

    /// @notice Removes an operator from quorums. By the administrator.
    function ejectOperator(address operator, bytes calldata quorumNumbers) external;

    /// @notice A fault; all zero if there is none.
    function fault(bytes32 faultId) external view returns (Fault memory);

    /// @notice An operator's part in a fault; all zero if there is none.
    function slashingRequest(bytes32 faultId, address operator) external view returns (SlashingRequest memory);

    /// @notice The share that a fault of a kind costs if it is recorded now, in units of 1e-18.
    function faultShare(FaultKind kind) external view returns (uint64);

    /// @notice All strategies of all quorums; EigenLayer's interface reads it. A strategy of several quorums is listed for
    /// each.
    function getRestakeableStrategies() external view returns (address[] memory);

    /// @notice All strategies of the quorums of an operator; EigenLayer's interface reads it.
    function getOperatorRestakedStrategies(address operator) external view returns (address[] memory);

    function registryCoordinator() external view returns (ISlashingRegistryCoordinator);

    function stakeRegistry() external view returns (IStakeRegistry);

    function allocationManager() external view returns (IAllocationManager);

    function permissionController() external view returns (IPermissionController);

    /// @notice The role of the disputes contract: it records faults, and freezes.
    function DISPUTES_ROLE() external view returns (bytes32);

    /// @notice The role of the committee: it vetoes.
    function COMMITTEE_ROLE() external view returns (bytes32);
}
