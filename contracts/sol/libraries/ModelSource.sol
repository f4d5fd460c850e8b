// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ISafetyFactorModels} from "../interfaces/ISafetyFactorModels.sol";

/// @title ModelSource
/// @notice Reads the data of sources, each kind its struct. Data that does not decode reverts without a reason: models that
/// were added have none.
library ModelSource {
    function constant_(bytes memory data) internal pure returns (ISafetyFactorModels.ConstantSource memory) {
        return abi.decode(data, (ISafetyFactorModels.ConstantSource));
    }

    function quorumStake(bytes memory data) internal pure returns (ISafetyFactorModels.QuorumStakeSource memory) {
        return abi.decode(data, (ISafetyFactorModels.QuorumStakeSource));
    }

    function feedRound(bytes memory data) internal pure returns (ISafetyFactorModels.FeedRoundSource memory) {
        return abi.decode(data, (ISafetyFactorModels.FeedRoundSource));
    }

    function storageSlot(bytes memory data) internal pure returns (ISafetyFactorModels.StorageSlotSource memory) {
        return abi.decode(data, (ISafetyFactorModels.StorageSlotSource));
    }

    function viewCall(bytes memory data) internal pure returns (ISafetyFactorModels.ViewCallSource memory) {
        return abi.decode(data, (ISafetyFactorModels.ViewCallSource));
    }

    /// @notice `data` as it is encoded from what it decodes to.
    function canonical(ISafetyFactorModels.SourceKind kind, bytes memory data) internal pure returns (bytes memory) {
        if (kind == ISafetyFactorModels.SourceKind.Constant) return abi.encode(constant_(data));
        if (kind == ISafetyFactorModels.SourceKind.QuorumStake) return abi.encode(quorumStake(data));
        if (kind == ISafetyFactorModels.SourceKind.FeedRound) return abi.encode(feedRound(data));
        if (kind == ISafetyFactorModels.SourceKind.StorageSlot) return abi.encode(storageSlot(data));
        return abi.encode(viewCall(data));
    }
}
