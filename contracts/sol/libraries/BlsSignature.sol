// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IBLSSignatureChecker} from "../interfaces/IBLSSignatureChecker.sol";
import {BN254} from "./BN254.sol";

/// @title BlsSignature
/// @notice The check of one signature by one key, which may be a sum of keys.
library BlsSignature {
    using BN254 for BN254.G1Point;

    /// @notice Reverts unless `sigma` is the signature of `digest` by `key`, and `keyG2` is `key` in G2.
    /// @dev Checks that `sigma` is the signature of `digest` by `key`, and that `keyG2` is `key` in G2: the two equations
    /// e(sigma, G2) = e(H(digest), keyG2) and e(key, G2) = e(G1, keyG2), the second one times gamma. Gamma is a hash of all
    /// that the equations are about, so that nothing can be chosen after it.
    function verify(
        bytes32 digest,
        BN254.G1Point memory key,
        BN254.G2Point calldata keyG2,
        BN254.G1Point calldata sigma
    ) internal view {
        if (key.isIdentity()) revert IBLSSignatureChecker.SignersKeyIsIdentity();
        uint256 gamma;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, digest)
            mcopy(add(input, 0x20), key, 0x40)
            calldatacopy(add(input, 0x60), keyG2, 0x80)
            calldatacopy(add(input, 0xe0), sigma, 0x40)
            gamma := keccak256(input, 0x120)
        }
        gamma %= BN254.R;

        BN254.G1Point memory left = key.mul(gamma);
        left.addCalldata(sigma);
        BN254.G1Point memory right = BN254.G1Point(1, 2).mul(gamma);
        right.add(BN254.hashToG1(digest));

        (bool success, bool equal) = BN254.pairingEquals(left, right, keyG2);
        if (!success) revert IBLSSignatureChecker.PairingPrecompileFailed();
        if (!equal) revert IBLSSignatureChecker.InvalidSignature();
    }
}
