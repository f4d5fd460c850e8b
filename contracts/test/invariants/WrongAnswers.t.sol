// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {IAnzenServiceManager} from "../../sol/interfaces/IAnzenServiceManager.sol";
import {ISafetyFactorOracle} from "../../sol/interfaces/ISafetyFactorOracle.sol";
import {DisputesHandler} from "./Disputes.t.sol";

/// @notice All operators but one sign wrong answers, too. Somebody proves some of them wrong, asks the committee while a feed fails,
/// freezes and slashes; the committee itself does nothing.
contract WrongAnswersHandler is DisputesHandler {
    /// @dev The answers that were proved wrong.
    mapping(bytes32 taskHash => bool) private proved;
    uint256 public proofs;
    /// @dev The wrong answers in their challenge window that were not withdrawn although they were proved.
    uint256 public shielded;

    function answerWrongly(uint8 blocks, int64 by) external {
        _answer(blocks, by == 0 ? RIGHT + 1 : RIGHT + by);
    }

    function prove(uint256 which) external {
        if (answers.length == 0) return;
        Answered memory about = _about(which);
        ISafetyFactorOracle.RoundStatus status = oracle.roundStatus(ORACLE_INDEX, about.roundId);
        bool isDue = _isOfAllStake(_place(which)) && about.response.safetyFactor != RIGHT
            && status == ISafetyFactorOracle.RoundStatus.Provisional;
        vm.prank(anyone);
        try disputes.challenge(about.task, about.response, about.metadata, about.roundId, witnesses[_place(which)]) {
            proved[about.taskHash] = true;
            ++proofs;
        } catch {
            if (isDue) ++shielded;
        }
    }

    /// @dev And whoever asks fetches what is left of its bonds.
    function askWhileAFeedFails(uint256 which) external {
        if (answers.length == 0) return;
        Answered memory about = _about(which);
        bytes memory code = address(stakeFeed).code;
        uint256 bond = disputes.bond();
        vm.etch(address(stakeFeed), hex"fe");
        vm.deal(anyone, bond);
        vm.prank(anyone);
        try disputes.challengeByCommittee{value: bond}(about.task, about.response, about.metadata, about.roundId) {}
            catch {}
        vm.etch(address(stakeFeed), code);
        _call(address(disputes), abi.encodeCall(disputes.withdrawBonds, (anyone)));
    }

    function retryEjection(uint256 which, uint8 index) external {
        if (answers.length == 0) return;
        address account = operators[index % 6].account;
        _call(address(serviceManager), abi.encodeCall(serviceManager.retryEjection, (_faultOf(which), account)));
    }

    function execute(uint256 which, uint8 index) external {
        if (answers.length == 0) return;
        _call(
            address(serviceManager),
            abi.encodeCall(serviceManager.executeSlashing, (_faultOf(which), _plan(hex"0001"), _accounts(index % 6)))
        );
    }

    /// @return Whether the operator that signed no wrong answer has lost nothing, and the others nothing without a proof.
    function isJust() external view returns (bool) {
        bool harmless = coordinator.getCurrentQuorumBitmap(operators[4].id) == 1 && _withdrawable(4) == 100 ether;
        for (uint256 i; i < 4; ++i) {
            harmless = harmless && (proofs != 0 || _withdrawable(i) == 200 ether);
        }
        return harmless;
    }

    /// @return Whether those answers are withdrawn that were proved wrong, and no other.
    function onlyProvedOnesAreWithdrawn() external view returns (bool) {
        for (uint256 i; i < answers.length; ++i) {
            ISafetyFactorOracle.RoundStatus status = oracle.roundStatus(ORACLE_INDEX, answers[i].roundId);
            bool withdrawn = status == ISafetyFactorOracle.RoundStatus.Withdrawn;
            if (withdrawn != proved[answers[i].taskHash]) return false;
            if (withdrawn && _isOfAllStake(i) && answers[i].response.safetyFactor == RIGHT) return false;
        }
        return true;
    }

    /// @dev Once somebody is ejected, the stake is another one at the reference block, and the right answer, too.
    function _isOfAllStake(uint256 place) private view returns (bool) {
        return stakeRegistry.getTotalStakeUpdateAtIndex(0, witnesses[place].stakeIndices[0]).stake == 500 ether;
    }

    function _faultOf(uint256 which) private view returns (bytes32) {
        return disputes.faultIdOf(IAnzenServiceManager.FaultKind.WrongAnswer, _about(which).taskHash, 0);
    }
}

/// @notice Where answers are wrong, those are withdrawn that are proved to be, and those pay who signed them.
contract WrongAnswersInvariantTest is Test {
    WrongAnswersHandler private handler;

    function setUp() public {
        handler = new WrongAnswersHandler();
        handler.deploy();
        targetContract(address(handler));
        bytes4[] memory excluded = new bytes4[](3);
        (excluded[0], excluded[1]) = (handler.deploy.selector, handler.createAndAnswer.selector);
        // It proves with forged witnesses, and with the right one; `prove` counts these.
        excluded[2] = handler.challenge.selector;
        excludeSelector(FuzzSelector({addr: address(handler), selectors: excluded}));
    }

    function invariant_onlyWrongAnswersHaveConsequences() public view {
        assertTrue(handler.isJust());
        assertTrue(handler.onlyProvedOnesAreWithdrawn());
        assertEq(handler.shielded(), 0);
    }
}
