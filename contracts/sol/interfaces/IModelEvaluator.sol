// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {StateProof} from "../libraries/StateProof.sol";
import {ISafetyFactorModels} from "./ISafetyFactorModels.sol";

/// @title IModelEvaluator
/// @notice Recomputes what a model yields at a block in the past, from nothing but the block's hash and a witness.
interface IModelEvaluator {
    /// @notice Where to look, not what is there: whoever writes it, it yields the one outcome, or the evaluation reverts. Sources
    /// are read in the order of the terms, amounts before prices, up to the first that has no value: that decides, and what
    /// the witness says of those behind it is not looked at.
    /// @param header The RLP encoding of the block's header.
    /// @param accounts Proofs of all slots that are read, guards included, each once.
    /// @param stakeIndices For each quorum's stake that is read, in order, the index of the entry that was in force at the
    /// block; 0 if there was none.
    /// @param rounds For each feed that is read, in order, the number of its last round at the time of the block, in the phase
    /// that the model names; 0 if there was none.
    struct Witness {
        bytes header;
        StateProof.AccountProof[] accounts;
        uint32[] stakeIndices;
        uint64[] rounds;
    }

    /// @notice The model reads a view call, of which there is no proof.
    error ViewCallNotProvable(address target);
    /// @notice The witness has fewer stake indices or rounds than the model reads.
    error WitnessTooShort();

    /// @notice What the model yields at the block: the outcome, and the safety factor if it is `Answer` (else zero). Reverts where
    /// the witness does not prove an input.
    function evaluate(bytes32 modelHash, bytes32 blockHash, Witness calldata witness)
        external
        view
        returns (ISafetyFactorModels.Outcome outcome, int256 safetyFactor);

    /// @notice Whether the inputs of a model can be read now: it makes no view calls, and each of its feeds and stake registries
    /// answers. Reverts if there is no such model.
    function isReadable(bytes32 modelHash) external view returns (bool);

    /// @notice Where models are kept.
    function models() external view returns (ISafetyFactorModels);
}
