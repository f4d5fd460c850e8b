// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BN254} from "../libraries/BN254.sol";

/// @title IBLSApkRegistry
/// @notice What Anzen calls of the middleware's registry of aggregate public keys.
interface IBLSApkRegistry {
    /// @notice The aggregate key of a quorum now.
    function getApk(uint8 quorumNumber) external view returns (BN254.G1Point memory);

    /// @notice The first 24 bytes of the hash of a quorum's aggregate key at `blockNumber`. Reverts unless the entry at
    /// `index` is the one that was in force then.
    function getApkHashAtBlockNumberAndIndex(uint8 quorumNumber, uint32 blockNumber, uint256 index)
        external
        view
        returns (bytes24);
}
