// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenTaskManager} from "../../sol/interfaces/IAnzenTaskManager.sol";
import {IBLSSignatureChecker} from "../../sol/interfaces/IBLSSignatureChecker.sol";
import {ISafetyFactorOracle} from "../../sol/interfaces/ISafetyFactorOracle.sol";
import {EigenLayerFixture} from "../fixtures/EigenLayerFixture.sol";

/// @notice Creates and answers tasks of two protocols in any order, rightly and wrongly, and remembers what happened. It
/// knows from its own record, not the contract's, whether a call must succeed: any other outcome is a violation.
contract TaskHandler is EigenLayerFixture {
    uint256 private constant MAX_STAKE_AGE = 200;
    uint256 private constant MIN_TASK_INTERVAL = 5;

    IAnzenTaskManager.Task[] public tasks;
    bytes32[] public hashes;
    mapping(bytes32 taskHash => uint256) public answers;
    mapping(bytes32 taskHash => bytes32) public recorded;
    mapping(bytes32 taskHash => uint256) public lastBlock;
    uint256 public violations;
    uint256 public refusals;

    /// @dev One more than the place of a protocol's latest task; zero if there is none.
    mapping(uint32 oracleIndex => uint256) private latest;
    uint256 private refreshed;
    uint256 private noted;
    /// @dev The response window from block `from` on, and before.
    uint256 private from;
    uint256 private response;
    uint256 private responseBefore;
    bool private paused;

    function deploy() external {
        _deployAll();
        _createQuorum(LOOK_AHEAD);
        uint256[] memory secrets = new uint256[](4);
        uint256[] memory stakes = new uint256[](4);
        bytes[] memory quorums = new bytes[](4);
        for (uint256 i; i < 4; ++i) {
            (secrets[i], stakes[i], quorums[i]) = (i + 1, 100 ether, hex"00");
        }
        _addOperators(secrets, stakes, quorums);
        response = _windows().response;
        refresh();
        vm.roll(vm.getBlockNumber() + 1);
        vm.startPrank(admin);
        oracle.addProtocol(8, "Other");
        taskManager.setTaskPolicy(ORACLE_INDEX, _policy(hex"00"));
        taskManager.setTaskPolicy(8, _policy(hex"00"));
        vm.stopPrank();
    }

    function passTime(uint8 blocks) external {
        vm.roll(vm.getBlockNumber() + blocks % 40);
    }

    function refresh() public {
        _refresh(hex"00");
        refreshed = vm.getBlockNumber();
    }

    function refreshStakes() external {
        _refreshStakes(hex"00");
        refreshed = vm.getBlockNumber();
        _note(refreshed);
    }

    function setResponseWindow(uint8 response_) external {
        responseBefore = _responseNow();
        response = 1 + uint256(response_ % 100);
        from = vm.getBlockNumber() + 1;
        IAnzenTaskManager.Windows memory windows = _windows();
        windows.response = uint32(response);
        vm.prank(admin);
        taskManager.setWindows(windows);
    }

    function togglePause(uint8 chance) external {
        // A pause is rare, and soon over.
        if (!paused && chance % 4 != 0) return;
        vm.prank(paused ? admin : pauser);
        if (paused) taskManager.unpause();
        else taskManager.pause();
        paused = !paused;
    }

    /// @param threshold 66 and 81 are just out of the policy's range.
    function create(bool other, uint8 threshold) external {
        IAnzenTaskManager.Task memory task = _nextTask(hex"00");
        task.index = uint32(tasks.length);
        task.oracleIndex = other ? 8 : ORACLE_INDEX;
        task.quorumThresholdPercentage = 66 + uint32(threshold % 16);
        bool expected = _mayCreate(task);
        vm.prank(generator);
        try taskManager.createNewTask(
            task.oracleIndex, SAFETY_FACTOR, task.quorumThresholdPercentage, hex"00"
        ) returns (
            uint32 index, bytes32 taskHash
        ) {
            if (!expected || index != task.index || taskHash != keccak256(abi.encode(task))) ++violations;
            if (refreshed < vm.getBlockNumber()) _note(refreshed);
            tasks.push(task);
            hashes.push(taskHash);
            lastBlock[taskHash] = vm.getBlockNumber() + _responseNow();
            latest[task.oracleIndex] = tasks.length;
        } catch {
            if (expected) ++violations;
            ++refusals;
        }
    }

    /// @param nonSigners Of four operators: without one 75 percent have signed, without two 50.
    /// @param forged Whether another answer was signed; seldom.
    function answer(uint256 which, uint8 nonSigners, int128 value, uint8 forged) external {
        if (tasks.length == 0) return;
        // The latest ones more often: they may be open.
        which = which % 2 == 0 ? tasks.length - 1 : which % tasks.length;
        IAnzenTaskManager.Task memory task = tasks[which];
        IAnzenTaskManager.TaskResponse memory given = IAnzenTaskManager.TaskResponse(hashes[which], value);
        bytes32[] memory ids = new bytes32[](nonSigners % 3);
        for (uint256 i; i < ids.length; ++i) {
            ids[i] = operators[i].id;
        }
        IBLSSignatureChecker.NonSignerStakesAndSignature memory certificate =
            _certificate(taskManager.responseDigest(given), task.quorumNumbers, task.referenceBlock, ids);
        bool expected = !paused && _isOpen(hashes[which]) && forged % 4 != 0
            && (4 - ids.length) * 25 >= task.quorumThresholdPercentage;
        if (forged % 4 == 0) given.safetyFactor ^= 1;
        try taskManager.respondToTask(task, given, certificate) {
            if (!expected) ++violations;
            ++answers[hashes[which]];
            recorded[hashes[which]] = taskManager.responseHash(hashes[which]);
        } catch {
            if (expected) ++violations;
            ++refusals;
        }
    }

    function _mayCreate(IAnzenTaskManager.Task memory task) private view returns (bool) {
        uint256 number = vm.getBlockNumber();
        if (paused || task.quorumThresholdPercentage < 67 || task.quorumThresholdPercentage > 80) return false;
        uint256 place = latest[task.oracleIndex];
        if (place != 0) {
            if (number < tasks[place - 1].createdBlock + MIN_TASK_INTERVAL) return false;
            if (_isOpen(hashes[place - 1])) return false;
        }
        uint256 age = number - (refreshed < number ? refreshed : noted);
        return age != 0 && age <= MAX_STAKE_AGE;
    }

    function _isOpen(bytes32 taskHash) private view returns (bool) {
        return answers[taskHash] == 0 && vm.getBlockNumber() <= lastBlock[taskHash];
    }

    function _responseNow() private view returns (uint256) {
        return vm.getBlockNumber() >= from ? response : responseBefore;
    }

    function _note(uint256 number) private {
        if (noted == 0 || vm.getBlockNumber() - noted > MAX_STAKE_AGE / 2) noted = number;
    }

    function count() external view returns (uint256) {
        return tasks.length;
    }

    function addresses() external view returns (IAnzenTaskManager, ISafetyFactorOracle) {
        return (taskManager, oracle);
    }
}

contract TasksInvariantTest is EigenLayerFixture {
    TaskHandler private handler;
    IAnzenTaskManager private manager;
    ISafetyFactorOracle private values;

    function setUp() public {
        handler = new TaskHandler();
        handler.deploy();
        (manager, values) = handler.addresses();
        _driveOnce();
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = TaskHandler.passTime.selector;
        selectors[1] = TaskHandler.refresh.selector;
        selectors[2] = TaskHandler.setResponseWindow.selector;
        selectors[3] = TaskHandler.create.selector;
        selectors[4] = TaskHandler.answer.selector;
        selectors[5] = TaskHandler.refreshStakes.selector;
        selectors[6] = TaskHandler.togglePause.selector;
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    /// @dev That the handler does what it says: else the invariants would hold of nothing.
    function _driveOnce() private {
        // 66 + 1 percent; then a task too early, an answer that is forged, too few signers, all of them, a second answer.
        handler.create(false, 1);
        handler.create(false, 1);
        assertEq(handler.count(), 1);
        handler.passTime(1);
        handler.answer(0, 0, 5, 0);
        handler.answer(0, 2, 5, 1);
        assertEq(values.latestRound(7), 0);
        handler.answer(0, 1, 5, 1);
        handler.answer(0, 0, 5, 1);
        assertEq(values.latestRound(7), 1);
        assertEq(values.getRound(7, 1).safetyFactor, 5);
        assertEq(handler.answers(handler.hashes(0)), 1);
        assertNotEq(handler.recorded(handler.hashes(0)), 0);
        assertEq(handler.refusals(), 4);
        handler.create(true, 14);
        assertEq(handler.count(), 2);
        assertEq(handler.violations(), 0);
    }

    /// @dev A task is created if and only if none of its protocol is open, the interval is over, the stakes are recent and the
    /// threshold allowed; and answered if and only if it is open and the threshold has signed this answer.
    function invariant_nothingHappensOutOfTurn() public view {
        assertEq(handler.violations(), 0);
    }

    /// @dev Indices count up, and a task's hash stays.
    function invariant_taskHashesNeverChange() public view {
        assertEq(manager.taskCount(), handler.count());
        for (uint256 i; i < handler.count(); ++i) {
            assertEq(manager.taskHashAt(uint32(i)), handler.hashes(i));
        }
        assertEq(manager.taskHashAt(uint32(handler.count())), 0);
    }

    /// @dev A task is answered at most once, and its record stays.
    function invariant_answeredAtMostOnce() public view {
        for (uint256 i; i < handler.count(); ++i) {
            bytes32 taskHash = handler.hashes(i);
            assertLe(handler.answers(taskHash), 1);
            assertEq(manager.responseHash(taskHash), handler.recorded(taskHash));
        }
    }

    /// @dev Of all tasks of a protocol only the latest can be open.
    function invariant_atMostOneOpenTask() public view {
        uint256[2] memory open;
        for (uint256 i; i < handler.count(); ++i) {
            (, uint32 oracleIndex,,,,, uint32 createdBlock,,) = handler.tasks(i);
            bool answered = manager.responseHash(handler.hashes(i)) != 0;
            bool over = vm.getBlockNumber() > createdBlock + manager.windowsAt(createdBlock).response;
            if (!answered && !over) ++open[oracleIndex == 8 ? 1 : 0];
        }
        assertLe(open[0], 1);
        assertLe(open[1], 1);
    }

    /// @dev The oracle's reference blocks increase.
    function invariant_referenceBlocksIncrease() public view {
        uint32[2] memory indices = [uint32(7), 8];
        for (uint256 p; p < 2; ++p) {
            uint32 previous;
            for (uint80 round = 1; round <= values.latestRound(indices[p]); ++round) {
                uint32 referenceBlock = values.getRound(indices[p], round).referenceBlock;
                assertGt(referenceBlock, previous);
                previous = referenceBlock;
            }
        }
    }
}
