// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {StateProof} from "../libraries/StateProof.sol";
import {ISafetyFactorModels} from "./ISafetyFactorModels.sol";

/// @title IModelEvaluator
/// @notice Recomputes what a model yields at a block in the past, from the block's hash.
interface IModelEvaluator {
    /// @notice What proves the inputs of a model.
    /// @param header The RLP encoding of the reference block's header; empty if the model reads neither feeds nor slots.
    /// @param accounts Proofs of all slots that the model reads, guards included.
    /// @param stakeIndices For each quorum's stake, in the order in which the model reads them, the index of the entry that was
    /// in force at the reference block; 0 if there was none.
    /// @param rounds For each feed, in the order in which the model reads them, its last round at the time of the reference
    /// block; 0 if there was none.
    struct Witness {
        bytes header;
        StateProof.AccountProof[] accounts;
        uint256[] stakeIndices;
        uint64[] rounds;
    }

    /// @notice The model reads a view call, of which there is no proof.
    error ViewCallNotProvable(address target);
    /// @notice The witness names fewer, or more, stakes or rounds than the model reads.
    error WitnessLengthMismatch();

    /// @notice What the model yields at the reference block: the outcome, and the safety factor if it is `Answer` (else zero).
    /// Reverts where the witness does not prove an input.
    function evaluate(bytes32 modelHash, uint32 referenceBlock, bytes32 referenceBlockHash, Witness calldata witness)
        external
        view
        returns (ISafetyFactorModels.Outcome outcome, int256 safetyFactor);

    /// @notice Where models are kept.
    function models() external view returns (ISafetyFactorModels);
}
