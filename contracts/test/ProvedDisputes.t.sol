// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";

import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "../sol/interfaces/IAnzenTaskManager.sol";
import {IModelEvaluator} from "../sol/interfaces/IModelEvaluator.sol";
import {ISafetyFactorModels} from "../sol/interfaces/ISafetyFactorModels.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";
import {BlockHeader} from "../sol/libraries/BlockHeader.sol";
import {FeedRounds} from "../sol/libraries/FeedRounds.sol";
import {StakeHistory} from "../sol/libraries/StakeHistory.sol";
import {StateProof} from "../sol/libraries/StateProof.sol";
import {LocalPriceFeed} from "../sol/local/LocalPriceFeed.sol";
import {DisputesFixture} from "./fixtures/DisputesFixture.sol";
import {Trie, TrieBuilder} from "./fixtures/Trie.sol";

/// @notice Answers that are disputed by recomputing them: from real stakes, feeds, and the state of a block.
contract ProvedDisputesTest is DisputesFixture {
    using RLP for *;

    /// @dev What the vault's slot holds in the reference block: 100 tokens, beside something else.
    uint256 private constant VAULT = 100 ether;
    bytes32 private constant VAULT_SLOT = bytes32(uint256(5));
    bytes32 private constant IMPLEMENTATION_SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    /// @dev A stake of 500 tokens at 2.0, against 100 tokens at 4.0.
    int256 private constant RIGHT = 600_000_000;

    address private vault = makeAddr("vault");
    bytes32 private implementation = bytes32(uint256(uint160(makeAddr("implementation"))));
    LocalPriceFeed private stakeFeed;
    LocalPriceFeed private vaultFeed;
    TrieBuilder private builder = new TrieBuilder();
    /// @dev That of the reference block.
    IModelEvaluator.Witness private witness;
    Answered private answered;

    function setUp() public {
        _deployDisputes();
        stakeFeed = new LocalPriceFeed("STAKE / USD", address(this));
        vaultFeed = new LocalPriceFeed("VAULT / USD", address(this));
        vm.etch(vault, hex"00");
        stakeFeed.transmit(1e8);
        stakeFeed.transmit(2e8);
        vaultFeed.transmit(4e8);
        _use(_model());
    }

    // --------------------------------------------------------------------------------------------------- right and wrong

    function test_challenge_ofARightAnswerIsUnfounded() public {
        _answerWith(RIGHT);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeUnfounded.selector, RIGHT));
        _challenge();
    }

    function test_fuzz_challenge_ofAWrongAnswerWithdrawsIt(int128 wrong) public {
        vm.assume(wrong != RIGHT);
        _answerWith(wrong);
        bytes32 faultId = _faultId();
        vm.expectEmit(address(disputes));
        emit IAnzenDisputes.AnswerWithdrawn(
            answered.task.index, answered.taskHash, faultId, ORACLE_INDEX, answered.roundId
        );
        _challenge();
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundIsWithdrawn.selector, ORACLE_INDEX, 1));
        oracle.getSafetyFactor(ORACLE_INDEX);
    }

    /// @dev From the false answer of all but one to the fall of their stake, with nobody's vote.
    function test_challenge_slashesThoseWhoSigned() public {
        _answerWith(RIGHT + 1);
        _challenge();
        for (uint256 i; i < 4; ++i) {
            vm.prank(anyone);
            disputes.freezeSigners(
                answered.task, answered.response, answered.metadata, answered.nonSignerIds, _members(i)
            );
        }
        vm.roll(vm.getBlockNumber() + _windows().veto);
        address[] memory accounts = new address[](4);
        for (uint256 i; i < 4; ++i) {
            accounts[i] = operators[i].account;
        }
        vm.prank(anyone);
        serviceManager.executeSlashing(_faultId(), _plan(hex"0001"), accounts);
        for (uint256 i; i < 4; ++i) {
            assertApproxEqAbs(_withdrawable(i), 100 ether, 1e6);
            assertEq(coordinator.getCurrentQuorumBitmap(operators[i].id), 0);
        }
        // Who did not sign keeps what it has.
        assertEq(_withdrawable(4), 100 ether);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 1);
    }

    function test_challenge_onlyOnce() public {
        _answerWith(1);
        _challenge();
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.RoundIsWithdrawn.selector, ORACLE_INDEX, 1));
        _challenge();
    }

    function test_challenge_untilTheLastBlockOfTheWindow() public {
        _answerWith(1);
        uint256 last = answered.metadata.respondedBlock + _windows().challenge;
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeWindowOver.selector, last));
        _challenge();
        vm.roll(last);
        _challenge();
    }

    function test_challenge_namesTheRoundOfTheAnswer() public {
        _answerWith(1);
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorOracle.NoData.selector, ORACLE_INDEX, 2));
        disputes.challenge(answered.task, answered.response, answered.metadata, 2, witness);
    }

    // ------------------------------------------------------------------------------------------- what has changed since

    /// @dev Prices and stakes of later blocks are nobody's fault.
    function test_challenge_countsWhatWasAtTheReferenceBlock() public {
        _answerWith(RIGHT);
        vm.warp(vm.getBlockTimestamp() + 12);
        stakeFeed.transmit(1);
        vaultFeed.transmit(1e18);
        _deregister(5, hex"01");
        vm.roll(vm.getBlockNumber() + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.ChallengeUnfounded.selector, RIGHT));
        _challenge();
    }

    function test_challenge_byTheRoundOfAnotherTime() public {
        _answerWith(RIGHT);
        witness.rounds[0] = 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                FeedRounds.RoundTooEarly.selector, address(stakeFeed), 1, vm.getBlockTimestamp(), vm.getBlockTimestamp()
            )
        );
        _challenge();
        vm.warp(vm.getBlockTimestamp() + 12);
        stakeFeed.transmit(9e8);
        witness.rounds[0] = 3;
        vm.expectPartialRevert(FeedRounds.RoundTooLate.selector);
        _challenge();
    }

    function test_challenge_byTheStakeOfAnotherBlock() public {
        _answerWith(RIGHT);
        witness.stakeIndices[0] -= 1;
        vm.expectPartialRevert(StakeHistory.StakeUpdateNotInForce.selector);
        _challenge();
    }

    function test_challenge_byTheStateOfAnotherBlock() public {
        _answerWith(RIGHT);
        witness.header = _header(bytes32(uint256(1)));
        vm.expectPartialRevert(BlockHeader.HeaderMismatch.selector);
        _challenge();
    }

    function test_challenge_withoutAProofOfASlot() public {
        _answerWith(RIGHT);
        delete witness.accounts;
        vm.expectRevert(abi.encodeWithSelector(StateProof.SlotNotProven.selector, vault, IMPLEMENTATION_SLOT));
        _challenge();
    }

    function test_challenge_withTooFewOrTooManyInputs() public {
        _answerWith(RIGHT);
        witness.rounds.push(1);
        vm.expectRevert(IModelEvaluator.WitnessLengthMismatch.selector);
        _challenge();
        witness.rounds.pop();
        witness.rounds.pop();
        vm.expectRevert(IModelEvaluator.WitnessLengthMismatch.selector);
        _challenge();
        witness.rounds.push(1);
        witness.stakeIndices.pop();
        vm.expectRevert(IModelEvaluator.WitnessLengthMismatch.selector);
        _challenge();
    }

    // ------------------------------------------------------------------------------------------------- no answer at all

    /// @dev Whoever signs where there is no answer signs a wrong one, whatever it says.
    function test_challenge_whereTheGuardDoesNotHold() public {
        bytes32 expected = implementation;
        implementation = bytes32(uint256(1));
        _answerWith(RIGHT);
        implementation = expected;
        _challenge();
        _assertWithdrawn();
    }

    function test_challenge_whereAFeedWasStale() public {
        vm.warp(vm.getBlockTimestamp() + 3_601);
        vaultFeed.transmit(4e8);
        _answerWith(RIGHT);
        witness.rounds[1] = 2;
        _challenge();
        _assertWithdrawn();
    }

    function test_challenge_whereThereWasNoPrice() public {
        stakeFeed.transmit(0);
        _answerWith(RIGHT);
        witness.rounds[0] = 3;
        _challenge();
        _assertWithdrawn();
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    /// @dev Cost: the stake of quorum 0 at its price. Profit: what is in the vault at its price, as long as the vault's
    /// implementation is known.
    function _model() private view returns (ISafetyFactorModels.Model memory model) {
        ISafetyFactorModels.StorageSlotSource memory slot;
        slot.account = vault;
        slot.slot = VAULT_SLOT;
        slot.offset = 1;
        slot.width = 16;
        slot.guards = new ISafetyFactorModels.Guard[](1);
        slot.guards[0] = ISafetyFactorModels.Guard(vault, IMPLEMENTATION_SLOT, implementation);
        model.terms = new ISafetyFactorModels.Term[](2);
        model.terms[0] = ISafetyFactorModels.Term({
            side: ISafetyFactorModels.Side.Cost,
            amount: _quorumStake(address(stakeRegistry), 0),
            price: _feedRound(address(stakeFeed), 0, 3_600),
            shareBps: 10_000,
            decimals: 8
        });
        model.terms[1] = ISafetyFactorModels.Term({
            side: ISafetyFactorModels.Side.Profit,
            amount: _storageSlot(slot),
            price: _feedRound(address(vaultFeed), 0, 3_600),
            shareBps: 10_000,
            decimals: 8
        });
    }

    /// @dev Has a task answered so by all but operator 4, whose reference block has the vault in its state.
    function _answerWith(int256 value) private {
        bytes32 stateRoot = _proveVault();
        witness.header = _header(stateRoot);
        witness.stakeIndices = new uint256[](1);
        witness.stakeIndices[0] = stakeRegistry.getTotalStakeHistoryLength(0) - 1;
        witness.rounds = new uint64[](2);
        (witness.rounds[0], witness.rounds[1]) = (2, 1);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256(witness.header));
        safetyFactor = value;
        answered = _answered(_ids(4), 1);
    }

    /// @dev Puts the proofs of the vault's slots into the witness. Returns the root of the state.
    function _proveVault() private returns (bytes32 stateRoot) {
        bytes32[2] memory slots = [IMPLEMENTATION_SLOT, VAULT_SLOT];
        Trie.Entries memory storage_ = _entries(2);
        for (uint256 i; i < 2; ++i) {
            storage_.keys[i] = keccak256(abi.encode(slots[i]));
        }
        storage_.values[0] = uint256(implementation).encode();
        storage_.values[1] = (VAULT << 8 | 0x77).encode();

        Trie.Entries memory state = _entries(2);
        (state.keys[0], state.keys[1]) = (keccak256(abi.encodePacked(vault)), keccak256("somebody else"));
        bytes[] memory account = new bytes[](4);
        (account[0], account[1]) = (uint256(1).encode(), uint256(0).encode());
        (account[2], account[3]) = (builder.root(storage_).encode(), keccak256(hex"00").encode());
        state.values[0] = account.encode();
        state.values[1] = hex"c0";

        delete witness.accounts;
        StateProof.AccountProof storage proof = witness.accounts.push();
        proof.account = vault;
        proof.proof = builder.prove(state, state.keys[0]);
        for (uint256 i; i < 2; ++i) {
            proof.slots.push(StateProof.SlotProof(slots[i], builder.prove(storage_, storage_.keys[i])));
        }
        return builder.root(state);
    }

    function _entries(uint256 count) private pure returns (Trie.Entries memory) {
        return Trie.Entries({keys: new bytes32[](count), values: new bytes[](count)});
    }

    function _challenge() private {
        vm.prank(anyone);
        disputes.challenge(answered.task, answered.response, answered.metadata, answered.roundId, witness);
    }

    function _assertWithdrawn() private view {
        assertTrue(oracle.roundStatus(ORACLE_INDEX, answered.roundId) == ISafetyFactorOracle.RoundStatus.Withdrawn);
    }

    function _faultId() private view returns (bytes32) {
        return disputes.faultIdOf(IAnzenServiceManager.FaultKind.WrongAnswer, answered.taskHash, 0);
    }
}
