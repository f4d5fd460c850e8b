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
/// @notice Recomputes answers, without state of its own: what it returns follows from the model, the block's hash and what the
/// registries and feeds have kept since.
contract ModelEvaluator is IModelEvaluator {
    using StateProof for StateProof.ProvenSlot[];

    /// @dev What is known of the block, and how much of the witness has been used.
    /// @param slots What the proven slots held.
    /// @param stakes How many stakes have been read.
    /// @param rounds How many feeds have been read.
    struct Reader {
        BlockHeader.Header header;
        StateProof.ProvenSlot[] slots;
        uint256 stakes;
        uint256 rounds;
    }

    /// @inheritdoc IModelEvaluator
    ISafetyFactorModels public immutable models;

    constructor(ISafetyFactorModels models_) {
        models = models_;
    }

    /// @inheritdoc IModelEvaluator
    function evaluate(bytes32 modelHash, bytes32 blockHash, Witness calldata witness)
        external
        view
        returns (ISafetyFactorModels.Outcome outcome, int256 safetyFactor)
    {
        ISafetyFactorModels.Term[] memory terms = models.getModel(modelHash).terms;
        Reader memory reader;
        reader.header = BlockHeader.decode(witness.header, blockHash);
        reader.slots = StateProof.prove(reader.header.stateRoot, witness.accounts);

        uint256[2] memory sums;
        for (uint256 i; i < terms.length; ++i) {
            outcome = ModelMath.addTerm(sums, _readTerm(terms[i], reader, witness));
            // What comes after it need not be readable any more.
            if (outcome != ISafetyFactorModels.Outcome.Answer) return (outcome, 0);
        }
        return ModelMath.safetyFactorOf(sums);
    }

    /// @inheritdoc IModelEvaluator
    function isReadable(bytes32 modelHash) external view returns (bool) {
        ISafetyFactorModels.Term[] memory terms = models.getModel(modelHash).terms;
        for (uint256 i; i < terms.length; ++i) {
            if (!_isReadable(terms[i].amount) || !_isReadable(terms[i].price)) return false;
        }
        return true;
    }

    function _readTerm(ISafetyFactorModels.Term memory term, Reader memory reader, Witness calldata witness)
        private
        view
        returns (ISafetyFactorModels.ReadTerm memory read)
    {
        (read.side, read.shareBps, read.decimals) = (term.side, term.shareBps, term.decimals);
        read.amount = _readSource(term.amount, reader, witness);
        if (read.amount.outcome == ISafetyFactorModels.Outcome.Answer) {
            read.price = _readSource(term.price, reader, witness);
        }
    }

    /// @dev What a source held at the block.
    function _readSource(ISafetyFactorModels.Source memory source, Reader memory reader, Witness calldata witness)
        private
        view
        returns (ISafetyFactorModels.Reading memory)
    {
        if (source.kind == ISafetyFactorModels.SourceKind.Constant) {
            return _answer(ModelSource.constant_(source.data).value);
        }
        if (source.kind == ISafetyFactorModels.SourceKind.QuorumStake) {
            return _readStake(ModelSource.quorumStake(source.data), reader, witness.stakeIndices);
        }
        if (source.kind == ISafetyFactorModels.SourceKind.FeedRound) {
            return _readFeed(ModelSource.feedRound(source.data), reader, witness.rounds);
        }
        if (source.kind == ISafetyFactorModels.SourceKind.StorageSlot) {
            return _readSlot(ModelSource.storageSlot(source.data), reader.slots);
        }
        revert ViewCallNotProvable(ModelSource.viewCall(source.data).target);
    }

    function _readStake(
        ISafetyFactorModels.QuorumStakeSource memory source,
        Reader memory reader,
        uint32[] calldata indices
    ) private view returns (ISafetyFactorModels.Reading memory) {
        if (reader.stakes == indices.length) revert WitnessTooShort();
        uint256 index = indices[reader.stakes++];
        (bool exists, uint256 stake) = StakeHistory.totalStakeAt(
            IStakeRegistry(source.stakeRegistry), source.quorumNumber, reader.header.number, index
        );
        return exists ? _answer(stake) : _without(ISafetyFactorModels.Outcome.NoRound);
    }

    function _readFeed(
        ISafetyFactorModels.FeedRoundSource memory source,
        Reader memory reader,
        uint64[] calldata rounds
    ) private view returns (ISafetyFactorModels.Reading memory) {
        if (reader.rounds == rounds.length) revert WitnessTooShort();
        uint64 round = rounds[reader.rounds++];
        uint256 time = reader.header.timestamp;
        (bool exists, int256 answer, uint256 updatedAt) = FeedRounds.answerAt(source.feed, source.phaseId, round, time);
        if (!exists) return _without(ISafetyFactorModels.Outcome.NoRound);
        return ModelMath.readingOfFeed(answer, time - updatedAt, source.maxAge);
    }

    function _readSlot(ISafetyFactorModels.StorageSlotSource memory source, StateProof.ProvenSlot[] memory slots)
        private
        pure
        returns (ISafetyFactorModels.Reading memory)
    {
        for (uint256 i; i < source.guards.length; ++i) {
            ISafetyFactorModels.Guard memory guard = source.guards[i];
            if (slots.read(guard.account, guard.slot) != guard.expected) {
                return _without(ISafetyFactorModels.Outcome.GuardMismatch);
            }
        }
        bytes32 word = slots.read(source.account, source.slot);
        return _answer(ModelMath.fieldOf(word, source.offset, source.width));
    }

    function _isReadable(ISafetyFactorModels.Source memory source) private view returns (bool) {
        if (source.kind == ISafetyFactorModels.SourceKind.QuorumStake) {
            ISafetyFactorModels.QuorumStakeSource memory stake = ModelSource.quorumStake(source.data);
            return StakeHistory.isReadable(stake.stakeRegistry, stake.quorumNumber);
        }
        if (source.kind == ISafetyFactorModels.SourceKind.FeedRound) {
            ISafetyFactorModels.FeedRoundSource memory feed = ModelSource.feedRound(source.data);
            return FeedRounds.isReadable(feed.feed, feed.phaseId);
        }
        return source.kind != ISafetyFactorModels.SourceKind.ViewCall;
    }

    function _answer(uint256 value) private pure returns (ISafetyFactorModels.Reading memory) {
        return ISafetyFactorModels.Reading({outcome: ISafetyFactorModels.Outcome.Answer, value: value});
    }

    function _without(ISafetyFactorModels.Outcome outcome) private pure returns (ISafetyFactorModels.Reading memory) {
        return ISafetyFactorModels.Reading({outcome: outcome, value: 0});
    }
}
