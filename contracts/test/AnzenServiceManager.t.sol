// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ProxyAdmin} from "@openzeppelin/contracts/proxy/transparent/ProxyAdmin.sol";
import {
    ITransparentUpgradeableProxy,
    TransparentUpgradeableProxy
} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

import {AnzenServiceManager} from "../sol/AnzenServiceManager.sol";
import {IAllocationManager} from "../sol/eigenlayer/IAllocationManager.sol";
import {IPermissionController} from "../sol/eigenlayer/IPermissionController.sol";
import {IAnzenServiceManager} from "../sol/interfaces/IAnzenServiceManager.sol";
import {EigenLayerFixture} from "./fixtures/EigenLayerFixture.sol";

contract AnzenServiceManagerTest is EigenLayerFixture {
    function setUp() public {
        _deployAll();
    }

    function test_initialize() public view {
        assertTrue(serviceManager.hasRole(serviceManager.DEFAULT_ADMIN_ROLE(), admin));
        assertEq(address(serviceManager.registryCoordinator()), address(coordinator));
        assertEq(address(serviceManager.stakeRegistry()), address(stakeRegistry));
        assertEq(address(serviceManager.allocationManager()), address(allocationManager));
        assertEq(address(serviceManager.permissionController()), address(permissionController));
        assertEq(allocationManager.getAVSRegistrar(address(serviceManager)), address(coordinator));
        assertEq(coordinator.avs(), address(serviceManager));
        assertEq(coordinator.ejector(), address(serviceManager));
    }

    function test_initialize_appoints() public view {
        // The selectors that EigenLayer's release has.
        assertTrue(_may(address(coordinator), 0x261f84e0));
        assertTrue(_may(address(coordinator), 0x6e3492b5));
        assertTrue(_may(address(stakeRegistry), 0x50feea20));
        assertTrue(_may(address(serviceManager), 0x36352057));
        assertFalse(_may(address(coordinator), 0x36352057));
        assertFalse(_may(address(taskManager), 0x36352057));
    }

    function test_initialize_theAdminAloneAdministersOnceItHasAccepted() public view {
        address[] memory admins = permissionController.getAdmins(address(serviceManager));
        assertEq(admins.length, 1);
        assertEq(admins[0], admin);
        assertFalse(permissionController.isAdmin(address(serviceManager), address(serviceManager)));
        // Appointed for slashing only.
        assertFalse(_may(address(serviceManager), IAllocationManager.setAVSRegistrar.selector));
        assertTrue(_may(admin, IAllocationManager.setAVSRegistrar.selector));
    }

    function test_initialize_revertsWithInvalidInitialization() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        serviceManager.initialize(admin, "");
        AnzenServiceManager implementation =
            new AnzenServiceManager(coordinator, IPermissionController(address(permissionController)));
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(admin, "");
    }

    function test_initialize_revertsWithZeroAddress() public {
        address implementation =
            address(new AnzenServiceManager(coordinator, IPermissionController(address(permissionController))));
        vm.expectRevert(IAnzenServiceManager.ZeroAddress.selector);
        new TransparentUpgradeableProxy(
            implementation, admin, abi.encodeCall(AnzenServiceManager.initialize, (address(0), ""))
        );
    }

    /// @dev Another contract cannot become the AVS of the coordinator.
    function test_initialize_revertsIfTheCoordinatorHasAnotherAvs() public {
        address implementation =
            address(new AnzenServiceManager(coordinator, IPermissionController(address(permissionController))));
        vm.expectRevert(bytes4(keccak256("InvalidAVSRegistrar()")));
        new TransparentUpgradeableProxy(
            implementation, admin, abi.encodeCall(AnzenServiceManager.initialize, (admin, ""))
        );
    }

    function test_upgrade_onlyByTheProxysAdmin() public {
        address implementation =
            address(new AnzenServiceManager(coordinator, IPermissionController(address(permissionController))));
        ProxyAdmin owner = _proxyAdminOf(address(serviceManager));
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)));
        owner.upgradeAndCall(ITransparentUpgradeableProxy(address(serviceManager)), implementation, "");
    }

    function test_ejectOperator() public {
        _setUpTwoQuorums();
        vm.prank(admin);
        serviceManager.ejectOperator(operators[0].account, hex"00");
        assertEq(coordinator.getCurrentQuorumBitmap(operators[0].id), 2);
    }

    function test_ejectOperator_revertsWithAccessControlUnauthorizedAccount() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, address(this), bytes32(0))
        );
        serviceManager.ejectOperator(address(1), hex"00");
    }

    /// @dev The coordinator removes operators below the minimum, for which it has been appointed.
    function test_updateOperators_removesAnOperatorThatHasDeallocated() public {
        _setUpTwoQuorums();
        address[] memory accounts = new address[](1);
        accounts[0] = operators[4].account;
        _deallocate(4, 0);
        coordinator.updateOperators(accounts);
        assertEq(coordinator.getCurrentQuorumBitmap(operators[4].id), 0);
    }

    function test_getRestakeableStrategies() public {
        assertEq(serviceManager.getRestakeableStrategies().length, 0);
        _setUpTwoQuorums();
        address[] memory strategies = serviceManager.getRestakeableStrategies();
        assertEq(strategies.length, 2);
        assertEq(strategies[0], strategy);
        assertEq(strategies[1], strategy);
    }

    function test_getOperatorRestakedStrategies() public {
        _setUpTwoQuorums();
        assertEq(serviceManager.getOperatorRestakedStrategies(operators[0].account).length, 2);
        address[] memory strategies = serviceManager.getOperatorRestakedStrategies(operators[5].account);
        assertEq(strategies.length, 1);
        assertEq(strategies[0], strategy);
        assertEq(serviceManager.getOperatorRestakedStrategies(address(1)).length, 0);
    }

    function _may(address caller, bytes4 selector) private view returns (bool) {
        return permissionController.canCall(address(serviceManager), caller, address(allocationManager), selector);
    }
}
