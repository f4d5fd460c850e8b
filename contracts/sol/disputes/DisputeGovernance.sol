// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {
    AccessControlEnumerableUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/extensions/AccessControlEnumerableUpgradeable.sol";

import {IAnzenDisputes} from "../interfaces/IAnzenDisputes.sol";

/// @title DisputeGovernance
/// @notice What governance decides about disputes, and who the committee is.
abstract contract DisputeGovernance is IAnzenDisputes, AccessControlEnumerableUpgradeable {
    /// @custom:storage-location erc7201:anzen.storage.DisputeGovernance
    struct GovernanceStorage {
        DisputePolicy policy;
    }

    /// @inheritdoc IAnzenDisputes
    bytes32 public constant COMMITTEE_ROLE = keccak256("COMMITTEE_ROLE");

    // keccak256(abi.encode(uint256(keccak256("anzen.storage.DisputeGovernance")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant STORAGE_LOCATION = 0xc8e48cf6dc55745a88b565568c981dc0640c24369c855fdbe1c21685b8280500;

    /// @inheritdoc IAnzenDisputes
    function setDisputePolicy(DisputePolicy calldata policy) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setDisputePolicy(policy);
    }

    /// @inheritdoc IAnzenDisputes
    function disputePolicy() public view returns (DisputePolicy memory) {
        return _governance().policy;
    }

    function _setDisputePolicy(DisputePolicy calldata policy) internal {
        if (policy.treasury == address(0)) revert ZeroAddress();
        if (policy.mostPendingPerProtocol == 0 || policy.mostPendingPerProtocol > policy.mostPending) {
            revert PendingOutOfRange(policy.mostPendingPerProtocol, policy.mostPending);
        }
        // Twice nothing is nothing: without a bond, all places would be free.
        bool fits = policy.bond != 0 && policy.mostPending <= 96
            && uint256(policy.bond) << policy.mostPending - 1 <= type(uint96).max;
        if (!fits) revert BondOutOfRange(policy.bond, policy.mostPending);
        if (policy.absencePeriod == 0) revert NoAbsencePeriod();
        _governance().policy = policy;
        emit DisputePolicySet(policy);
    }

    function _governance() private pure returns (GovernanceStorage storage $) {
        assembly ("memory-safe") {
            $.slot := STORAGE_LOCATION
        }
    }
}
