// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SlashingQueue} from "./SlashingQueue.sol";
import {IAllocationManager} from "./eigenlayer/IAllocationManager.sol";
import {IPermissionController} from "./eigenlayer/IPermissionController.sol";
import {ISlashingRegistryCoordinator} from "./eigenlayer/ISlashingRegistryCoordinator.sol";
import {IAnzenServiceManager} from "./interfaces/IAnzenServiceManager.sol";

/// @title AnzenServiceManager
/// @notice The AVS. It sets itself up in EigenLayer when it is initialised; from the moment that `admin` accepts the
/// administration that it is offered there, this contract no longer administers itself.
contract AnzenServiceManager is SlashingQueue {
    /// @inheritdoc IAnzenServiceManager
    IPermissionController public immutable permissionController;

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor(ISlashingRegistryCoordinator registryCoordinator_, IPermissionController permissionController_)
        SlashingQueue(registryCoordinator_)
    {
        permissionController = permissionController_;
        _disableInitializers();
    }

    /// @notice Announces the AVS, appoints who acts for it, and offers its administration to `admin`, who has to call
    /// `acceptAdmin(this)` of the PermissionController. The registry coordinator must have been initialised with this address
    /// as its AVS.
    function initialize(address admin, string calldata metadataURI) external initializer {
        if (admin == address(0)) revert ZeroAddress();
        _grantRole(DEFAULT_ADMIN_ROLE, admin);

        allocationManager.updateAVSMetadataURI(address(this), metadataURI);
        _appoint(address(registryCoordinator), IAllocationManager.createOperatorSets.selector);
        _appoint(address(registryCoordinator), IAllocationManager.deregisterFromOperatorSets.selector);
        _appoint(address(stakeRegistry), IAllocationManager.addStrategiesToOperatorSet.selector);
        _appoint(address(this), IAllocationManager.slashOperator.selector);
        allocationManager.setAVSRegistrar(address(this), address(registryCoordinator));
        permissionController.addPendingAdmin(address(this), admin);
    }

    /// @inheritdoc IAnzenServiceManager
    function ejectOperator(address operator, bytes calldata quorumNumbers) external onlyRole(DEFAULT_ADMIN_ROLE) {
        registryCoordinator.ejectOperator(operator, quorumNumbers);
    }

    /// @inheritdoc IAnzenServiceManager
    function getRestakeableStrategies() external view returns (address[] memory) {
        return _strategies((1 << registryCoordinator.quorumCount()) - 1);
    }

    /// @inheritdoc IAnzenServiceManager
    function getOperatorRestakedStrategies(address operator) external view returns (address[] memory) {
        return _strategies(registryCoordinator.getCurrentQuorumBitmap(registryCoordinator.getOperatorId(operator)));
    }

    /// @dev Lets `appointee` call a function of the AllocationManager in the AVS's name.
    function _appoint(address appointee, bytes4 selector) private {
        permissionController.setAppointee(address(this), appointee, address(allocationManager), selector);
    }

    /// @dev The strategies of the quorums in a bitmap.
    function _strategies(uint256 quorums) private view returns (address[] memory strategies) {
        uint256 count;
        for (uint8 q; quorums >> q != 0; ++q) {
            if (quorums >> q & 1 == 1) count += stakeRegistry.strategyParamsLength(q);
        }
        strategies = new address[](count);
        for (uint8 q; quorums >> q != 0; ++q) {
            if (quorums >> q & 1 == 0) continue;
            for (uint256 i = stakeRegistry.strategyParamsLength(q); i != 0; --i) {
                strategies[--count] = stakeRegistry.strategyParamsByIndex(q, i - 1).strategy;
            }
        }
    }
}
