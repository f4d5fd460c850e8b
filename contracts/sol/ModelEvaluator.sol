// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IStakeRegistry} from "./eigenlayer/IStakeRegistry.sol";
import {IModelEvaluator} from "./interfaces/IModelEvaluator.sol";
import {ISafetyFactorModels} from "./interfaces/ISafetyFactorModels.sol";
import {BlockHeader} from "./libraries/BlockHeader.sol";
import {FeedRounds} from "./libraries/FeedRounds.sol";
import {ModelMath} from "./libraries/ModelMath.sol";
import {ModelSource} from "./libraries/ModelSource.sol";
import {StakeHistory} from "./libraries/StakeHistory.sol";
import {StateProof} from "./libraries/StateProof.sol";

/// @title ModelEvaluator
/// @notice Recomputes answers, without state of its own: what it returns follows from the model, the reference block and what
/// the registries and feeds have kept since. A witness can be wrong, in which case this reverts; it cannot change the result.
contract ModelEvaluator is IModelEvaluator {
    using StateProof for StateProof.ProvenSlot[];

    /// @dev An evaluation under way.
    /// @param time That of the reference block, in seconds; zero if no header was given.
    /// @param slots What the model's slots held.
    /// @param stakes How many stakes have been read.
    /// @param feeds How many feeds have been read.
    struct Evaluation {
        uint32 referenceBlock;
        uint256 time;
        StateProof.ProvenSlot[] slots;
        uint256 stakes;
        uint256 feeds;
    }

    /// @inheritdoc IModelEvaluator
    ISafetyFactorModels public immutable models;

    constructor(ISafetyFactorModels models_) {
        models = models_;
    }

    /// @inheritdoc IModelEvaluator
    function evaluate(bytes32 modelHash, uint32 referenceBlock, bytes32 referenceBlockHash, Witness calldata witness)
        external
        view
        returns (ISafetyFactorModels.Outcome outcome, int256 safetyFactor)
    {
        ISafetyFactorModels.Model memory model = models.getModel(modelHash);
        Evaluation memory evaluation;
        evaluation.referenceBlock = referenceBlock;
        if (witness.header.length != 0) {
            BlockHeader.Header memory header = BlockHeader.decode(witness.header, referenceBlockHash);
            evaluation.time = header.timestamp;
            evaluation.slots = StateProof.prove(header.stateRoot, witness.accounts);
        }

        ISafetyFactorModels.ReadTerm[] memory terms = new ISafetyFactorModels.ReadTerm[](model.terms.length);
        for (uint256 i; i < terms.length; ++i) {
            ISafetyFactorModels.Term memory term = model.terms[i];
            terms[i] = ISafetyFactorModels.ReadTerm({
                side: term.side,
                amount: _read(evaluation, term.amount, witness),
                price: _read(evaluation, term.price, witness),
                shareBps: term.shareBps,
                decimals: term.decimals
            });
        }
        if (evaluation.stakes != witness.stakeIndices.length || evaluation.feeds != witness.rounds.length) {
            revert WitnessLengthMismatch();
        }
        return ModelMath.evaluate(terms);
    }

    /// @dev What a source held at the reference block.
    function _read(Evaluation memory evaluation, ISafetyFactorModels.Source memory source, Witness calldata witness)
        private
        view
        returns (ISafetyFactorModels.Reading memory)
    {
        if (source.kind == ISafetyFactorModels.SourceKind.Constant) {
            return _answer(ModelSource.constant_(source.data).value);
        }
        if (source.kind == ISafetyFactorModels.SourceKind.QuorumStake) {
            return _readStake(evaluation, ModelSource.quorumStake(source.data), witness.stakeIndices);
        }
        if (source.kind == ISafetyFactorModels.SourceKind.FeedRound) {
            return _readFeed(evaluation, ModelSource.feedRound(source.data), witness.rounds);
        }
        if (source.kind == ISafetyFactorModels.SourceKind.StorageSlot) {
            return _readSlot(evaluation, ModelSource.storageSlot(source.data));
        }
        revert ViewCallNotProvable(ModelSource.viewCall(source.data).target);
    }

    function _readStake(
        Evaluation memory evaluation,
        ISafetyFactorModels.QuorumStakeSource memory source,
        uint256[] calldata indices
    ) private view returns (ISafetyFactorModels.Reading memory) {
        uint256 position = evaluation.stakes++;
        if (position >= indices.length) revert WitnessLengthMismatch();
        (bool exists, uint256 stake) = StakeHistory.totalStakeAt(
            IStakeRegistry(source.stakeRegistry), source.quorumNumber, evaluation.referenceBlock, indices[position]
        );
        return exists ? _answer(stake) : ISafetyFactorModels.Reading(ISafetyFactorModels.Outcome.NoRound, 0);
    }

    function _readFeed(
        Evaluation memory evaluation,
        ISafetyFactorModels.FeedRoundSource memory source,
        uint64[] calldata rounds
    ) private view returns (ISafetyFactorModels.Reading memory) {
        uint256 position = evaluation.feeds++;
        if (position >= rounds.length || evaluation.time == 0) revert WitnessLengthMismatch();
        (bool exists, int256 answer, uint256 updatedAt) =
            FeedRounds.answerAt(source.feed, source.phaseId, rounds[position], evaluation.time);
        if (!exists) return ISafetyFactorModels.Reading(ISafetyFactorModels.Outcome.NoRound, 0);
        return ModelMath.readingOfFeed(answer, evaluation.time - updatedAt, source.maxAge);
    }

    function _readSlot(Evaluation memory evaluation, ISafetyFactorModels.StorageSlotSource memory source)
        private
        pure
        returns (ISafetyFactorModels.Reading memory)
    {
        for (uint256 i; i < source.guards.length; ++i) {
            ISafetyFactorModels.Guard memory guard = source.guards[i];
            if (evaluation.slots.read(guard.account, guard.slot) != guard.expected) {
                return ISafetyFactorModels.Reading(ISafetyFactorModels.Outcome.GuardMismatch, 0);
            }
        }
        bytes32 word = evaluation.slots.read(source.account, source.slot);
        return _answer(ModelMath.fieldOf(word, source.offset, source.width));
    }

    function _answer(uint256 value) private pure returns (ISafetyFactorModels.Reading memory) {
        return ISafetyFactorModels.Reading(ISafetyFactorModels.Outcome.Answer, value);
    }
}
