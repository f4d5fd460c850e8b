// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenTaskManager} from "../sol/interfaces/IAnzenTaskManager.sol";
import {IBLSSignatureChecker} from "../sol/interfaces/IBLSSignatureChecker.sol";
import {EigenLayerFixture} from "./fixtures/EigenLayerFixture.sol";

/// @notice Gas of a task's way, for snapshots/: 20 operators in one quorum.
/// forge-config: default.isolate = true
contract GasTest is EigenLayerFixture {
    uint256 private constant OPERATORS = 20;

    function setUp() public {
        _deployAll();
        _createQuorum(LOOK_AHEAD);
        uint256[] memory secrets = new uint256[](OPERATORS);
        uint256[] memory stakes = new uint256[](OPERATORS);
        bytes[] memory quorums = new bytes[](OPERATORS);
        for (uint256 i; i < OPERATORS; ++i) {
            (secrets[i], stakes[i], quorums[i]) = (i + 1, 100 ether, hex"00");
        }
        _addOperators(secrets, stakes, quorums);
        _refresh(hex"00");
        vm.roll(vm.getBlockNumber() + 2);
        _setPolicy(hex"00");

        // The first answer of a protocol is dearer: it fills empty slots.
        IAnzenTaskManager.Task memory task = _createTask(hex"00");
        vm.roll(vm.getBlockNumber() + 1);
        taskManager.respondToTask(task, _response(task), _certificate(task, _ids()));
        vm.roll(vm.getBlockNumber() + 10);
    }

    function test_gas_createNewTask() public {
        _createTask(hex"00");
        vm.snapshotGasLastCall("AnzenTaskManager", "createNewTask");
    }

    function test_gas_respondToTask_0NonSigners() public {
        _respond(0, "respondToTask, 0 non-signers");
    }

    function test_gas_respondToTask_1NonSigner() public {
        _respond(1, "respondToTask, 1 non-signer");
    }

    function test_gas_respondToTask_5NonSigners() public {
        _respond(5, "respondToTask, 5 non-signers");
    }

    function _respond(uint256 nonSigners, string memory name) private {
        IAnzenTaskManager.Task memory task = _createTask(hex"00");
        vm.roll(vm.getBlockNumber() + 1);
        bytes32[] memory ids = new bytes32[](nonSigners);
        for (uint256 i; i < nonSigners; ++i) {
            ids[i] = operators[i].id;
        }
        IAnzenTaskManager.TaskResponse memory response = _response(task);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory certificate = _certificate(task, ids);
        taskManager.respondToTask(task, response, certificate);
        vm.snapshotGasLastCall("AnzenTaskManager", name);
    }
}
