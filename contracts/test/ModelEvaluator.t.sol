// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IModelEvaluator} from "../sol/interfaces/IModelEvaluator.sol";
import {ISafetyFactorModels} from "../sol/interfaces/ISafetyFactorModels.sol";
import {MerklePatricia} from "../sol/libraries/MerklePatricia.sol";
import {VaultFixture} from "./fixtures/VaultFixture.sol";

/// @notice What the evaluator makes of a stake of the real registry, feeds' rounds and storage slots. What it refuses: see
/// ProvedDisputes.t.sol and ForgedWitness.t.sol.
contract ModelEvaluatorTest is VaultFixture {
    function setUp() public {
        _deployVault();
        _writeWitness();
    }

    function test_evaluate_answer() public {
        _assertEvaluation(_model(), ISafetyFactorModels.Outcome.Answer, RIGHT);
    }

    function test_fuzz_evaluate_vault(uint256 tokens) public {
        tokens = bound(tokens, 0, type(uint120).max);
        witness.header = _header(_proveVault(tokens));
        // At 4.0, against a stake of 500 tokens at 2.0.
        int256 expected = 1e9 - int256((tokens * 4 * 1e9 + 1000 ether - 1) / 1000 ether);
        _assertEvaluation(_model(), ISafetyFactorModels.Outcome.Answer, expected);
    }

    function test_evaluate_slotOfZero() public {
        witness.header = _header(_proveVault(0));
        _assertEvaluation(_model(), ISafetyFactorModels.Outcome.Answer, 1_000_000_000);
    }

    function test_evaluate_noRoundBeforeTheFeedsFirst() public {
        vm.warp(vm.getBlockTimestamp() - 1);
        _writeWitness();
        witness.rounds[0] = 0;
        _assertEvaluation(_model(), ISafetyFactorModels.Outcome.NoRound, 0);
    }

    function test_evaluate_noRoundBeforeTheQuorumsFirst() public {
        uint256 now_ = vm.getBlockNumber();
        vm.roll(stakeRegistry.getTotalStakeUpdateAtIndex(0, 0).updateBlockNumber);
        _writeWitness();
        witness.stakeIndices[0] = 0;
        vm.roll(now_);
        _assertEvaluation(_model(), ISafetyFactorModels.Outcome.NoRound, 0);
    }

    function test_evaluate_noHistoryOfAQuorumThatThereIsNot() public {
        ISafetyFactorModels.Model memory model = _model();
        model.terms[0].amount = _quorumStake(address(stakeRegistry), 9);
        witness.stakeIndices[0] = 0;
        _assertEvaluation(model, ISafetyFactorModels.Outcome.NoRound, 0);
    }

    // ------------------------------------------------------------------------------------- sources behind the one that decides

    /// @dev A guard does not hold: whether the price behind it can be read any more makes no difference.
    function test_evaluate_doesNotReadBehindTheSourceThatDecides() public {
        implementation = bytes32(uint256(1));
        ISafetyFactorModels.Model memory model = _model();
        _add(model);
        vm.etch(address(vaultFeed), hex"fe");
        witness.rounds.pop();
        _assertEvaluation(model, ISafetyFactorModels.Outcome.GuardMismatch, 0);
    }

    /// @dev A price of zero, and a product that does not fit, decide as well.
    function test_evaluate_doesNotReadBehindATermWithoutAValue() public {
        ISafetyFactorModels.Model memory model = _model();
        model.terms[1].price = _viewCall(vault, "");
        model.terms[0].price = _constant(0);
        _assertEvaluation(model, ISafetyFactorModels.Outcome.NoPrice, 0);
        model.terms[0].price = _constant(type(uint256).max);
        _assertEvaluation(model, ISafetyFactorModels.Outcome.Overflow, 0);
    }

    // ------------------------------------------------------------------------------------------------------------- refusals

    function test_evaluate_revertsWithViewCallNotProvable() public {
        ISafetyFactorModels.Model memory model = _model();
        model.terms[1].price = _viewCall(vault, "");
        bytes32 hash = _add(model);
        vm.expectRevert(abi.encodeWithSelector(IModelEvaluator.ViewCallNotProvable.selector, vault));
        evaluator.evaluate(hash, keccak256(witness.header), witness);
    }

    function test_evaluate_revertsWithUnknownModel() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorModels.UnknownModel.selector, bytes32(0)));
        evaluator.evaluate(0, keccak256(witness.header), witness);
    }

    function test_evaluate_aSlotOfAnotherState() public {
        IModelEvaluator.Witness memory own = witness;
        _proveVault(VAULT + 1);
        own.accounts[0].slots[1].proof = witness.accounts[0].slots[1].proof;
        bytes32 hash = _add(_model());
        vm.expectRevert(abi.encodeWithSelector(MerklePatricia.NodeMismatch.selector, 0));
        evaluator.evaluate(hash, keccak256(own.header), own);
    }

    // --------------------------------------------------------------------------------------------- whether sources can be read

    function test_isReadable() public {
        ISafetyFactorModels.Model memory model = _model();
        bytes32 hash = _add(model);
        assertTrue(evaluator.isReadable(hash));
        model.terms[1].price = _viewCall(vault, "");
        assertFalse(evaluator.isReadable(_add(model)));
        vm.etch(address(vaultFeed), hex"fe");
        assertFalse(evaluator.isReadable(hash));
    }

    function test_isReadable_notWithoutAStakeRegistry() public {
        bytes32 hash = _add(_model());
        vm.etch(address(stakeRegistry), "");
        assertFalse(evaluator.isReadable(hash));
    }

    /// @dev Nobody makes a source look unreadable by giving little gas.
    function test_isReadable_starvedOfGasReverts() public {
        bytes memory input = abi.encodeCall(evaluator.isReadable, (_add(_model())));
        for (uint256 gas_ = 5_000; gas_ < 500_000; gas_ += 1_001) {
            (bool success, bytes memory output) = address(evaluator).staticcall{gas: gas_}(input);
            assertTrue(!success || abi.decode(output, (bool)));
        }
    }

    // ------------------------------------------------------------------------------------------------------------- helpers

    function _assertEvaluation(
        ISafetyFactorModels.Model memory model,
        ISafetyFactorModels.Outcome expected,
        int256 expectedFactor
    ) private {
        (ISafetyFactorModels.Outcome outcome, int256 factor) =
            evaluator.evaluate(_add(model), keccak256(witness.header), witness);
        assertEq(uint256(outcome), uint256(expected));
        assertEq(factor, expectedFactor);
    }

    function _add(ISafetyFactorModels.Model memory model) private returns (bytes32 hash) {
        hash = keccak256(abi.encode(model));
        if (models.exists(hash)) return hash;
        vm.prank(admin);
        return models.addModel(model);
    }
}
