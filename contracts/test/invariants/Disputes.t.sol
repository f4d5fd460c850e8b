// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenDisputes} from "../../sol/interfaces/IAnzenDisputes.sol";
import {IAnzenServiceManager} from "../../sol/interfaces/IAnzenServiceManager.sol";
import {IModelEvaluator} from "../../sol/interfaces/IModelEvaluator.sol";
import {ISafetyFactorOracle} from "../../sol/interfaces/ISafetyFactorOracle.sol";
import {VaultFixture} from "../fixtures/VaultFixture.sol";

/// @notice Honest operators answer tasks; the one that a certificate leaves out attests its answer. Somebody without any role calls
/// whatever there is about it, with what can be seen on chain.
contract DisputesHandler is VaultFixture {
    Answered[] internal answers;
    IModelEvaluator.Witness[] internal witnesses;
    uint256 public blocked;
    uint256 public calls;
    uint256 public successes;

    function deploy() external {
        _deployVault();
    }

    /// @dev A task is created and answered, whatever was done before.
    function answerATask(uint8 blocks) external {
        _answer(blocks, RIGHT);
    }

    function createAndAnswer(int256 value) external {
        _answerWith(value);
        disputes.attest(answered.task, _signed(answered.task, 4, RIGHT), _key(4));
        answers.push(answered);
        witnesses.push(witness);
    }

    function passTime(uint8 blocks) external {
        _pass(1 + blocks % 120);
    }

    /// @param change What is changed of the witness.
    function challenge(uint256 which, uint8 change, uint64 round, bytes memory node) external {
        if (answers.length == 0) return;
        Answered memory about = _about(which);
        IModelEvaluator.Witness memory forged = witnesses[_place(which)];
        if (change % 6 == 1) forged.rounds[round % 2] = round % 8;
        if (change % 6 == 2) forged.stakeIndices[0] = uint32(round % 16);
        if (change % 6 == 3) forged.accounts[0].slots[1].proof[0] = node;
        if (change % 6 == 4) forged.header = node;
        if (change % 6 == 5) forged.accounts[0].proof = new bytes[](round % 3);
        _call(
            address(disputes),
            abi.encodeCall(disputes.challenge, (about.task, about.response, about.metadata, about.roundId, forged))
        );
    }

    function askTheCommittee(uint256 which) external {
        if (answers.length == 0) return;
        Answered memory about = _about(which);
        vm.prank(anyone);
        (bool success,) = address(disputes).call{value: BOND}(
            abi.encodeCall(disputes.challengeByCommittee, (about.task, about.response, about.metadata, about.roundId))
        );
        _count(success);
    }

    function freeze(uint256 which, uint8 index) external {
        if (answers.length == 0) return;
        Answered memory about = _about(which);
        _call(
            address(disputes),
            abi.encodeCall(
                disputes.freezeSigners,
                (about.task, about.response, about.metadata, about.nonSignerIds, _members(index % 6))
            )
        );
    }

    function recordAbsence(uint256 which, uint8 index) external {
        if (answers.length == 0) return;
        Answered memory about = _about(which);
        _call(
            address(disputes),
            abi.encodeCall(
                disputes.recordAbsence,
                (about.task, about.response, about.metadata, about.roundId, about.nonSignerIds, _member(index % 6))
            )
        );
    }

    /// @dev By what the operator signed, and what somebody else did, or another value.
    function proveEquivocation(uint256 which, uint8 index, uint8 forger, int128 value) external {
        if (answers.length == 0) return;
        Answered memory about = _about(which);
        IAnzenDisputes.SignedAnswer memory own = _signed(about.task, index % 6, RIGHT);
        IAnzenDisputes.SignedAnswer memory other = own;
        if (forger % 6 != index % 6) other = _signed(about.task, forger % 6, value);
        other.safetyFactor = value;
        _call(
            address(disputes), abi.encodeCall(disputes.proveEquivocation, (about.task, own, other, _key(index % 6), 0))
        );
    }

    /// @dev What the roles may call, and what anyone may about a fault that there is not.
    function callAsARole(uint256 which, uint8 index, uint8 what) external {
        if (answers.length == 0) return;
        Answered memory about = _about(which);
        address account = operators[index % 6].account;
        bytes32 faultId = disputes.faultIdOf(IAnzenServiceManager.FaultKind.WrongAnswer, about.taskHash, 0);
        IAnzenServiceManager.FaultKind kind = IAnzenServiceManager.FaultKind.WrongAnswer;
        bytes[10] memory inputs = [
            abi.encodeCall(serviceManager.recordFault, (faultId, kind, hex"0001", 0, 100)),
            abi.encodeCall(serviceManager.freezeOperator, (faultId, account, 3)),
            abi.encodeCall(serviceManager.ejectFromAll, (account)),
            abi.encodeCall(serviceManager.ejectOperator, (account, hex"00")),
            abi.encodeCall(serviceManager.executeSlashing, (faultId, _plan(hex"0001"), _accounts(index % 6))),
            abi.encodeCall(oracle.withdraw, (ORACLE_INDEX, about.roundId, about.task.index)),
            abi.encodeCall(oracle.postFallback, (ORACLE_INDEX, 1)),
            abi.encodeCall(disputes.rule, (about.task, about.response, about.metadata, true)),
            abi.encodeCall(disputes.ruleAbsence, (operators[index % 6].id)),
            abi.encodeCall(disputes.lapse, (about.taskHash))
        ];
        what %= 10;
        _call(what < 5 ? address(serviceManager) : what < 7 ? address(oracle) : address(disputes), inputs[what]);
    }

    /// @return Whether no operator has lost anything, and all answers stand.
    function isUnharmed() external view returns (bool) {
        for (uint256 i; i < 6; ++i) {
            uint192 quorums = i < 4 ? 3 : i == 4 ? 1 : 2;
            if (coordinator.getCurrentQuorumBitmap(operators[i].id) != quorums) return false;
            if (_withdrawable(i) != (i < 4 ? 200 ether : 100 ether)) return false;
        }
        for (uint80 round = 1; round <= oracle.latestRound(ORACLE_INDEX); ++round) {
            ISafetyFactorOracle.RoundStatus status = oracle.roundStatus(ORACLE_INDEX, round);
            bool stands = status == ISafetyFactorOracle.RoundStatus.Provisional
                || status == ISafetyFactorOracle.RoundStatus.Final;
            if (!stands || oracle.getRound(ORACLE_INDEX, round).safetyFactor != RIGHT) return false;
        }
        return true;
    }

    function _answer(uint8 blocks, int256 value) internal {
        _pass(6 + blocks % 60);
        stakeFeed.transmit(2e8);
        vaultFeed.transmit(4e8);
        _refreshStakes(hex"0001");
        _pass(1);
        try this.createAndAnswer(value) {}
        catch {
            ++blocked;
        }
    }

    function _pass(uint256 blocks) private {
        vm.roll(vm.getBlockNumber() + blocks);
        vm.warp(vm.getBlockTimestamp() + 12 * blocks);
    }

    function _call(address target, bytes memory input) internal {
        vm.prank(anyone);
        (bool success,) = target.call(input);
        _count(success);
    }

    function _count(bool success) private {
        ++calls;
        if (success) ++successes;
    }

    /// @dev The latest ones: of those before, the windows are over.
    function _place(uint256 which) internal view returns (uint256) {
        return answers.length - 1 - which % (answers.length < 4 ? answers.length : 4);
    }

    function _about(uint256 which) internal view returns (Answered memory) {
        return answers[_place(which)];
    }
}

/// @notice No sequence of calls by anyone but the named roles blocks the oracle, freezes an honest operator or moves stake.
/// forge-config: default.invariant.runs = 16
contract DisputesInvariantTest is VaultFixture {
    DisputesHandler private handler;

    function setUp() public {
        handler = new DisputesHandler();
        handler.deploy();
        targetContract(address(handler));
        bytes4[] memory internal_ = new bytes4[](2);
        (internal_[0], internal_[1]) = (handler.deploy.selector, handler.createAndAnswer.selector);
        excludeSelector(FuzzSelector({addr: address(handler), selectors: internal_}));
    }

    function invariant_honestOperatorsAndAnswersAreUnharmed() public view {
        assertTrue(handler.isUnharmed());
        assertEq(handler.successes(), 0);
    }

    function invariant_tasksAreCreatedAndAnswered() public view {
        assertEq(handler.blocked(), 0);
    }
}
