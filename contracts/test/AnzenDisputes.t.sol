// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

import {AnzenDisputes} from "../sol/AnzenDisputes.sol";
import {ModelEvaluator} from "../sol/ModelEvaluator.sol";
import {SafetyFactorModels} from "../sol/SafetyFactorModels.sol";
import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {DisputesFixture} from "./fixtures/DisputesFixture.sol";

/// @notice The disputes contract as it is put in place.
contract AnzenDisputesTest is DisputesFixture {
    function setUp() public {
        _deployDisputes();
    }

    function test_constructor() public view {
        assertEq(address(disputes.taskManager()), address(taskManager));
        assertEq(address(disputes.oracle()), address(oracle));
        assertEq(address(disputes.serviceManager()), address(serviceManager));
        assertEq(address(disputes.evaluator()), address(evaluator));
    }

    function test_constructor_revertsWithContractsOfAnotherDeployment() public {
        ModelEvaluator foreign = new ModelEvaluator(new SafetyFactorModels());
        vm.expectRevert(IAnzenDisputes.ContractsOfAnotherDeployment.selector);
        new AnzenDisputes(taskManager, serviceManager, foreign);
    }

    function test_initialize_revertsWithInvalidInitialization() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        disputes.initialize(admin, committee, _disputePolicy());
        AnzenDisputes implementation = new AnzenDisputes(taskManager, serviceManager, evaluator);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(admin, committee, _disputePolicy());
    }

    function test_initialize_revertsWithZeroAddress() public {
        address implementation = address(new AnzenDisputes(taskManager, serviceManager, evaluator));
        bytes memory input = abi.encodeCall(AnzenDisputes.initialize, (address(0), committee, _disputePolicy()));
        vm.expectRevert(IAnzenDisputes.ZeroAddress.selector);
        new TransparentUpgradeableProxy(implementation, admin, input);
    }
}
