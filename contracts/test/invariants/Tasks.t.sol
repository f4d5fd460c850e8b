// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenTaskManager} from "../../sol/interfaces/IAnzenTaskManager.sol";
import {IBLSSignatureChecker} from "../../sol/interfaces/IBLSSignatureChecker.sol";
import {ISafetyFactorOracle} from "../../sol/interfaces/ISafetyFactorOracle.sol";
import {EigenLayerFixture} from "../fixtures/EigenLayerFixture.sol";

/// @notice Creates and answers tasks of two protocols in any order, rightly and wrongly, and remembers what happened.
contract TaskHandler is EigenLayerFixture {
    IAnzenTaskManager.Task[] public tasks;
    bytes32[] public hashes;
    mapping(bytes32 taskHash => uint256) public answers;
    mapping(bytes32 taskHash => bytes32) public recorded;
    uint256 public violations;

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
        _refresh(hex"00");
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

    function refresh() external {
        _refresh(hex"00");
    }

    function setResponseWindow(uint8 response) external {
        IAnzenTaskManager.Windows memory windows = _windows();
        windows.response = 1 + uint32(response % 100);
        vm.prank(admin);
        taskManager.setWindows(windows);
    }

    function create(bool other) external {
        uint32 oracleIndex = other ? 8 : ORACLE_INDEX;
        bool wasOpen = taskManager.isOpen(oracleIndex);
        IAnzenTaskManager.Task memory task = _nextTask(hex"00");
        task.oracleIndex = oracleIndex;
        vm.prank(generator);
        try taskManager.createNewTask(oracleIndex, SAFETY_FACTOR, 67, hex"00") returns (uint32, bytes32 taskHash) {
            if (wasOpen || taskHash != keccak256(abi.encode(task))) ++violations;
            tasks.push(task);
            hashes.push(taskHash);
        } catch {}
    }

    function answer(uint256 which, uint8 nonSigners, int128 value) external {
        if (tasks.length == 0) return;
        // The latest ones more often: they may be open.
        which = which % 2 == 0 ? tasks.length - 1 : which % tasks.length;
        IAnzenTaskManager.Task memory task = tasks[which];
        IAnzenTaskManager.TaskResponse memory response = IAnzenTaskManager.TaskResponse(hashes[which], value);
        bytes32[] memory ids = new bytes32[](nonSigners % 3);
        for (uint256 i; i < ids.length; ++i) {
            ids[i] = operators[i].id;
        }
        IBLSSignatureChecker.NonSignerStakesAndSignature memory certificate =
            _certificate(taskManager.responseDigest(response), task.quorumNumbers, task.referenceBlock, ids);
        bool wasOpen = taskManager.isOpen(task.oracleIndex);
        try taskManager.respondToTask(task, response, certificate) {
            // Two of four non-signers leave 50 percent.
            if (!wasOpen || ids.length == 2) ++violations;
            ++answers[hashes[which]];
            recorded[hashes[which]] = taskManager.responseHash(hashes[which]);
        } catch {}
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
        bytes4[] memory selectors = new bytes4[](5);
        selectors[0] = TaskHandler.passTime.selector;
        selectors[1] = TaskHandler.refresh.selector;
        selectors[2] = TaskHandler.setResponseWindow.selector;
        selectors[3] = TaskHandler.create.selector;
        selectors[4] = TaskHandler.answer.selector;
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    /// @dev A task is created only when none of its protocol is open, and answered only while open, with the threshold.
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
