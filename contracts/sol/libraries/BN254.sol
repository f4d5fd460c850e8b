// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title BN254
/// @notice What a BLS check needs of the curve BN254 (alt_bn128), over the precompiled contracts of EIP-196, EIP-197 and
/// EIP-198. Public keys are in G1 and G2, signatures and hashed messages in G1.
/// @dev The precompiled contracts refuse coordinates that are not below the field's modulus and points that are not on the
/// curve (and, in a pairing, G2 points outside the subgroup), by failing: a failed call never counts as a result. Since a
/// failing precompile eats all the gas it was given, calls are capped at about twice to ten times their present cost.
library BN254 {
    struct G1Point {
        uint256 X;
        uint256 Y;
    }

    /// @dev A coordinate c0 + c1 * u is written [c1, c0].
    struct G2Point {
        uint256[2] X;
        uint256[2] Y;
    }

    /// @notice A point given to the addition is not on the curve, or the call ran out of gas.
    error EcAddFailed();
    /// @notice A point given to the multiplication is not on the curve, or the call ran out of gas.
    error EcMulFailed();
    /// @notice The modular exponentiation ran out of gas.
    error ModExpFailed();

    /// @dev The modulus of the base field.
    uint256 internal constant P = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
    /// @dev The order of the groups.
    uint256 internal constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    /// @dev (P + 1) / 4: raising to it takes a square root, since P is 3 modulo 4.
    uint256 private constant SQRT_EXPONENT = 0xc19139cb84c680a6e14116da060561765e05aa45a1c72a34f082305b61f3f52;

    /// @dev The negated generator of G2, in the order in which the pairing reads it.
    uint256 private constant NEG_G2_X1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 private constant NEG_G2_X0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    uint256 private constant NEG_G2_Y1 = 0x275dc4a288d1afb3cbb1ac09187524c7db36395df7be3b99e673b13a075a65ec;
    uint256 private constant NEG_G2_Y0 = 0x1d9befcd05a5323e6da4d435f3b617cdb3af83285c2df711ef39c01571827f9d;

    /// @dev Costs today: 150, 6,000 and 113,000 for two pairs.
    uint256 private constant EC_ADD_GAS = 2_000;
    uint256 private constant EC_MUL_GAS = 15_000;
    uint256 private constant PAIRING_GAS = 250_000;

    /// @notice The id of the operator whose key `point` is: the hash of its coordinates.
    function hashG1(G1Point calldata point) internal pure returns (bytes32 id) {
        assembly ("memory-safe") {
            calldatacopy(0x00, point, 0x40)
            id := keccak256(0x00, 0x40)
        }
    }

    /// @notice Whether `point` is the identity.
    function isIdentity(G1Point memory point) internal pure returns (bool) {
        return point.X | point.Y == 0;
    }

    /// @notice Adds `other` to `point`, in place, straight from the calldata.
    function addCalldata(G1Point memory point, G1Point calldata other) internal view {
        bool success;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mcopy(input, point, 0x40)
            calldatacopy(add(input, 0x40), other, 0x40)
            success := staticcall(EC_ADD_GAS, 0x06, input, 0x80, point, 0x40)
        }
        if (!success) revert EcAddFailed();
    }

    /// @notice Adds `other` to `point`, in place.
    function add(G1Point memory point, G1Point memory other) internal view {
        bool success;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mcopy(input, point, 0x40)
            mcopy(add(input, 0x40), other, 0x40)
            success := staticcall(EC_ADD_GAS, 0x06, input, 0x80, point, 0x40)
        }
        if (!success) revert EcAddFailed();
    }

    /// @notice `scalar * point`.
    function mul(G1Point memory point, uint256 scalar) internal view returns (G1Point memory result) {
        bool success;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mcopy(input, point, 0x40)
            mstore(add(input, 0x40), scalar)
            success := staticcall(EC_MUL_GAS, 0x07, input, 0x60, result, 0x40)
        }
        if (!success) revert EcMulFailed();
    }

    /// @notice Negates `point`, in place. It must be on the curve; the identity stays the identity.
    function negate(G1Point memory point) internal pure {
        point.Y = (P - point.Y) % P;
    }

    /// @notice The point of G1 that `digest` is signed as: the first x from `digest` upwards that is on the curve, with the
    /// root y that raising to (P + 1) / 4 yields.
    function hashToG1(bytes32 digest) internal view returns (G1Point memory point) {
        bool success = true;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, 0x20)
            mstore(add(input, 0x20), 0x20)
            mstore(add(input, 0x40), 0x20)
            mstore(add(input, 0x80), SQRT_EXPONENT)
            mstore(add(input, 0xa0), P)
            // Half of all x are on the curve, so this ends.
            for { let x := mod(digest, P) } 1 { x := addmod(x, 1, P) } {
                let beta := addmod(mulmod(mulmod(x, x, P), x, P), 3, P)
                mstore(add(input, 0x60), beta)
                success := staticcall(gas(), 0x05, input, 0xc0, 0x00, 0x20)
                if iszero(success) { break }
                let y := mload(0x00)
                if eq(mulmod(y, y, P), beta) {
                    mstore(point, x)
                    mstore(add(point, 0x20), y)
                    break
                }
            }
        }
        if (!success) revert ModExpFailed();
    }

    /// @notice Whether e(left, -G2) * e(right, key) = 1, that is e(left, G2) = e(right, key).
    /// @return success Whether the precompiled contract could evaluate it: it cannot if `key` is not in G2.
    /// @return equal Whether the pairings are equal. False if `success` is.
    function pairingEquals(G1Point memory left, G1Point memory right, G2Point calldata key)
        internal
        view
        returns (bool success, bool equal)
    {
        assembly ("memory-safe") {
            let input := mload(0x40)
            mcopy(input, left, 0x40)
            mstore(add(input, 0x40), NEG_G2_X1)
            mstore(add(input, 0x60), NEG_G2_X0)
            mstore(add(input, 0x80), NEG_G2_Y1)
            mstore(add(input, 0xa0), NEG_G2_Y0)
            mcopy(add(input, 0xc0), right, 0x40)
            calldatacopy(add(input, 0x100), key, 0x80)
            success := staticcall(PAIRING_GAS, 0x08, input, 0x180, 0x00, 0x20)
            equal := and(success, eq(mload(0x00), 1))
        }
    }
}
