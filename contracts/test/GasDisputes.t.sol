// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {IAnzenTaskManager} from "../sol/interfaces/IAnzenTaskManager.sol";
import {IModelEvaluator} from "../sol/interfaces/IModelEvaluator.sol";
import {ISafetyFactorModels} from "../sol/interfaces/ISafetyFactorModels.sol";
import {StateProof} from "../sol/libraries/StateProof.sol";
import {LocalPriceFeed} from "../sol/local/LocalPriceFeed.sol";
import {DisputesFixture} from "./fixtures/DisputesFixture.sol";
import {Trie} from "./fixtures/Trie.sol";

/// @notice Gas of disputes, for snapshots/. Every second term reads a storage slot, as long as it may, the others a quorum's stake; all
/// have a feed's price. Proofs are as deep as mainnet's, each slot in an account of its own. Without what the transaction's data cost: see
/// GasProofs.t.sol.
/// forge-config: default.isolate = true
contract GasDisputesTest is DisputesFixture {
    using RLP for *;

    bytes32 private constant SLOT = "slot";

    uint256 private accountDepth = 8;
    uint256 private slotDepth = 7;
    address private market = makeAddr("market");
    LocalPriceFeed private feed;
    IModelEvaluator.Witness private witness;
    Answered private answered;

    function setUp() public {
        _deployDisputes();
        feed = new LocalPriceFeed("PRICE / USD", address(this));
        feed.transmit(1e8);
        vm.etch(market, hex"00");
    }

    function test_gas_challenge_1Term() public {
        _challenge(1, "challenge, 1 term");
    }

    function test_gas_challenge_5Terms() public {
        _challenge(5, "challenge, 5 terms");
    }

    function test_gas_challenge_20Terms() public {
        _challenge(20, "challenge, 20 terms");
    }

    /// @dev As many slots as a model may read, each in an account of its own.
    function test_gas_challenge_mostSlots() public {
        _challenge(_modelOfMostSlots(), models.MAX_SLOTS(), "challenge, 8 slots");
    }

    /// @dev And tries that somebody has deepened: it has to fit a transaction that nodes pass on, of 128 KiB, with a real header,
    /// a signature and so on.
    function test_gas_challenge_mostSlotsInDeepenedTries() public {
        (accountDepth, slotDepth) = (13, 12);
        uint256 size = _challenge(_modelOfMostSlots(), models.MAX_SLOTS(), "challenge, 8 slots, deepened");
        assertLe(size + 600, 128 * 1024 - 1024);
    }

    function test_gas_freezeAndSlash() public {
        _challenge(1, "challenge, 1 term");
        IAnzenDisputes.Member[] memory signers = new IAnzenDisputes.Member[](4);
        address[] memory accounts = new address[](4);
        for (uint256 i; i < 4; ++i) {
            (signers[i], accounts[i]) = (_member(i), operators[i].account);
        }
        disputes.freezeSigners(answered.task, answered.response, answered.metadata, answered.nonSignerIds, signers);
        vm.snapshotGasLastCall("AnzenDisputes", "freezeSigners, 4 operators in 2 quorums");
        vm.roll(vm.getBlockNumber() + _windows().veto);
        bytes32 faultId = disputes.faultIdOf(IAnzenServiceManager.FaultKind.WrongAnswer, answered.taskHash, 0);
        serviceManager.executeSlashing(faultId, _plan(hex"0001"), accounts);
        vm.snapshotGasLastCall("AnzenDisputes", "executeSlashing, 4 operators in 2 quorums");
    }

    function test_gas_attest() public {
        _use(_model(1));
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        disputes.attest(task, _signed(task, 0, 1), _key(0));
        vm.snapshotGasLastCall("AnzenDisputes", "attest");
    }

    function test_gas_proveEquivocation() public {
        _use(_model(1));
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        disputes.proveEquivocation(task, _signed(task, 0, 1), _signed(task, 0, 2), _key(0), 0);
        vm.snapshotGasLastCall("AnzenDisputes", "proveEquivocation");
    }

    function _challenge(uint256 terms, string memory name) private {
        _challenge(_model(terms), Math.min(terms / 2, models.MAX_SLOTS()), name);
    }

    /// @param slots How many slots the model reads; the other terms read a stake.
    /// @return size The length of the calldata.
    function _challenge(ISafetyFactorModels.Model memory model, uint256 slots, string memory name)
        private
        returns (uint256 size)
    {
        _use(model);
        bytes32 stateRoot = _prove(model.terms.length, slots);
        witness.header = _header(stateRoot);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256(witness.header));
        answered = _answered(_ids(4), 1);
        disputes.challenge(answered.task, answered.response, answered.metadata, answered.roundId, witness);
        vm.snapshotGasLastCall("AnzenDisputes", name);
        bytes memory input = abi.encodeCall(
            disputes.challenge, (answered.task, answered.response, answered.metadata, answered.roundId, witness)
        );
        vm.snapshotValue("AnzenDisputes", string.concat(name, ", bytes"), input.length);
        return input.length;
    }

    function _modelOfMostSlots() private view returns (ISafetyFactorModels.Model memory model) {
        uint256 slots = models.MAX_SLOTS();
        model = _model(2 * slots);
        // Of the stakes one is enough.
        for (uint256 i = 1; i < slots; ++i) {
            model.terms[i] = model.terms[2 * i - 1];
        }
        model.terms[slots] = model.terms[1];
        assembly {
            mstore(mload(model), add(slots, 1))
        }
    }

    function _model(uint256 count) private view returns (ISafetyFactorModels.Model memory model) {
        ISafetyFactorModels.StorageSlotSource memory slot;
        (slot.account, slot.slot, slot.width) = (market, SLOT, 8);
        model.terms = new ISafetyFactorModels.Term[](count);
        for (uint256 i; i < count; ++i) {
            bool isCost = i % 2 == 0;
            bool readsStake = isCost || i / 2 >= models.MAX_SLOTS();
            model.terms[i] = ISafetyFactorModels.Term({
                side: isCost ? ISafetyFactorModels.Side.Cost : ISafetyFactorModels.Side.Profit,
                amount: readsStake ? _quorumStake(address(stakeRegistry), 0) : _storageSlot(slot),
                price: _feedRound(address(feed), 0, 3_600),
                shareBps: 10_000,
                decimals: 8
            });
        }
    }

    /// @dev Fills the witness in. The same account and slot each time: what a proof costs does not depend on those before.
    function _prove(uint256 terms, uint256 slots) private returns (bytes32 stateRoot) {
        delete witness;
        bytes memory value = uint256(type(uint256).max).encode();
        bytes32 key = keccak256(abi.encode(SLOT));
        bytes[] memory slotProof = Trie.beneathBranches(Trie.leaf(key, slotDepth, value), key, slotDepth);
        bytes[] memory account = new bytes[](4);
        (account[0], account[1]) = (hex"01", uint256(1 ether).encode());
        (account[2], account[3]) = (keccak256(slotProof[0]).encode(), keccak256("code").encode());
        key = keccak256(abi.encodePacked(market));
        bytes[] memory accountProof =
            Trie.beneathBranches(Trie.leaf(key, accountDepth, account.encode()), key, accountDepth);
        uint32 index = uint32(stakeRegistry.getTotalStakeHistoryLength(0) - 1);
        for (uint256 i; i < terms; ++i) {
            witness.rounds.push(1);
            if (i < terms - slots) witness.stakeIndices.push(index);
        }
        for (uint256 i; i < slots; ++i) {
            StateProof.AccountProof storage proof = witness.accounts.push();
            (proof.account, proof.proof) = (market, accountProof);
            proof.slots.push(StateProof.SlotProof(SLOT, slotProof));
        }
        return keccak256(accountProof[0]);
    }
}
