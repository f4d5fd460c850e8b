// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {IModelEvaluator} from "../sol/interfaces/IModelEvaluator.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";
import {MerklePatricia} from "../sol/libraries/MerklePatricia.sol";
import {StateProof} from "../sol/libraries/StateProof.sol";
import {VaultFixture} from "./fixtures/VaultFixture.sol";

/// @notice Challenges of an answer that is right, by whatever witness: none succeeds. That nothing but the answer's own value is
/// found right is for ProvedDisputes.t.sol.
contract ForgedWitnessTest is VaultFixture {
    /// @dev A challenge takes 600,000 of it.
    uint256 private constant ENOUGH_GAS = 2_000_000;

    function setUp() public {
        _deployVault();
        _answerWith(RIGHT);
    }

    /// @dev One bit of one node, or of the header.
    function test_fuzz_aFlippedBit(uint256 which, uint256 position) public {
        IModelEvaluator.Witness memory forged = witness;
        bytes memory part = _part(forged, which);
        position = bound(position, 0, 8 * part.length - 1);
        part[position / 8] ^= bytes1(uint8(1 << (position % 8)));
        _assertRefused(forged);
    }

    /// @dev A node, or the header, of other bytes: RLP or not.
    function test_fuzz_anotherNode(uint256 which, bytes memory other) public {
        IModelEvaluator.Witness memory forged = witness;
        bytes memory part = _part(forged, which);
        vm.assume(keccak256(part) != keccak256(other));
        which %= 4;
        if (which == 0) forged.header = other;
        else if (which == 1) forged.accounts[0].proof[0] = other;
        else forged.accounts[0].slots[which - 2].proof[0] = other;
        _assertRefused(forged);
    }

    /// @dev Nodes that are missing, too many, or in another order.
    function test_fuzz_otherNodes(uint256 which, uint256 seed) public {
        IModelEvaluator.Witness memory forged = witness;
        which %= 3;
        bytes[] memory nodes = which == 0 ? forged.accounts[0].proof : forged.accounts[0].slots[which - 1].proof;
        uint256 length = seed % (nodes.length + 3);
        bytes[] memory others = new bytes[](length);
        bool same = length == nodes.length;
        for (uint256 i; i < length; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 from = seed % nodes.length;
            others[i] = nodes[from];
            same = same && from == i;
        }
        vm.assume(!same);
        if (which == 0) forged.accounts[0].proof = others;
        else forged.accounts[0].slots[which - 1].proof = others;
        _assertRefused(forged);
    }

    /// @dev The proof of the vault, as another account's; of the one slot, as the other's.
    function test_proofsOfAnotherAccountOrSlot() public {
        IModelEvaluator.Witness memory forged = witness;
        forged.accounts[0].account = anyone;
        _assertRefused(forged);
        forged = witness;
        (forged.accounts[0].slots[0].slot, forged.accounts[0].slots[1].slot) =
        (forged.accounts[0].slots[1].slot, forged.accounts[0].slots[0].slot);
        _assertRefused(forged);
    }

    /// @dev An absent account, or an empty storage, in place of the vault's: a slot that is said to be zero.
    function test_theVaultAsAbsent() public {
        IModelEvaluator.Witness memory forged = witness;
        forged.accounts[0].proof = new bytes[](0);
        _expectRefusal(forged, abi.encodeWithSelector(MerklePatricia.NodeMissing.selector, 0));
        forged = witness;
        forged.accounts[0].slots[1].proof = new bytes[](0);
        _expectRefusal(forged, abi.encodeWithSelector(MerklePatricia.NodeMissing.selector, 0));
    }

    /// @dev The account twice, with nothing, and with the slots that are wanted: what is proved counts, wherever it stands.
    function test_anAccountTwice() public {
        IModelEvaluator.Witness memory twice = witness;
        twice.accounts = new StateProof.AccountProof[](2);
        (twice.accounts[0], twice.accounts[1]) = (witness.accounts[0], witness.accounts[0]);
        twice.accounts[0].slots = new StateProof.SlotProof[](0);
        _expectRefusal(twice, abi.encodeWithSelector(IAnzenDisputes.ChallengeUnfounded.selector, RIGHT));
    }

    /// @dev Whichever entries and rounds are named, of those before and those after the reference block: the right ones, or none.
    function test_fuzz_otherEntriesAndRounds(uint32 index, uint64 first, uint64 second, uint256 later) public {
        vm.warp(vm.getBlockTimestamp() + 1 + later % 1_000);
        stakeFeed.transmit(9e8);
        vaultFeed.transmit(1);
        _deregister(4, hex"00");
        vm.roll(vm.getBlockNumber() + 1);
        IModelEvaluator.Witness memory forged = witness;
        forged.stakeIndices[0] = forged.stakeIndices[0] + 1 - index % 3;
        (forged.rounds[0], forged.rounds[1]) = (first % 4, second % 3);
        _assertRefused(forged);
        (forged.stakeIndices[0], forged.rounds[0], forged.rounds[1]) = (index, first, second);
        _assertRefused(forged);
    }

    /// @dev Round 1 of the feed was followed by round 2: with whatever gas, it does not look like the last one.
    function test_aStarvedFeed() public {
        IModelEvaluator.Witness memory forged = witness;
        forged.rounds[0] = 1;
        for (uint256 gas_ = 100_000; gas_ < 1_100_000; gas_ += 4_999) {
            assertFalse(_try(forged, gas_), vm.toString(gas_));
        }
        forged.rounds[0] = 0;
        for (uint256 gas_ = 100_000; gas_ < 1_100_000; gas_ += 4_999) {
            assertFalse(_try(forged, gas_), vm.toString(gas_));
        }
    }

    /// @dev Witnesses that are not ABI-encoded at all.
    function test_fuzz_anyCalldata(bytes memory tail) public {
        bytes memory input = abi.encodeCall(
            disputes.challenge, (answered.task, answered.response, answered.metadata, answered.roundId, witness)
        );
        for (uint256 i; i < tail.length && i < input.length / 2; ++i) {
            input[input.length - 1 - i] = tail[i];
        }
        vm.prank(anyone);
        (bool success,) = address(disputes).call(input);
        assertFalse(success);
        _assertStands();
    }

    // -------------------------------------------------------------------------------------------------------- helpers

    /// @dev The header, or a root node.
    function _part(IModelEvaluator.Witness memory from, uint256 which) private pure returns (bytes memory) {
        which %= 4;
        if (which == 0) return from.header;
        if (which == 1) return from.accounts[0].proof[0];
        return from.accounts[0].slots[which - 2].proof[0];
    }

    function _assertRefused(IModelEvaluator.Witness memory forged) private {
        assertFalse(_try(forged, ENOUGH_GAS));
        _assertStands();
    }

    function _expectRefusal(IModelEvaluator.Witness memory forged, bytes memory reason) private {
        vm.expectRevert(reason);
        disputes.challenge(answered.task, answered.response, answered.metadata, answered.roundId, forged);
    }

    function _try(IModelEvaluator.Witness memory forged, uint256 gas_) private returns (bool success) {
        bytes memory input = abi.encodeCall(
            disputes.challenge, (answered.task, answered.response, answered.metadata, answered.roundId, forged)
        );
        vm.prank(anyone);
        (success,) = address(disputes).call{gas: gas_}(input);
    }

    function _assertStands() private view {
        assertTrue(oracle.roundStatus(ORACLE_INDEX, answered.roundId) == ISafetyFactorOracle.RoundStatus.Provisional);
    }
}
