// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BN254} from "../sol/libraries/BN254.sol";
import {Bls} from "./fixtures/Bls.sol";

contract BN254Test is Bls {
    using BN254 for BN254.G1Point;

    function setUp() public {
        _loadKeys();
    }

    function test_hashToG1_vectors() public view {
        _assertHash(0, 1, 2);
        _assertHash(bytes32(uint256(1)), 1, 2);
        _assertHash(bytes32(BN254.P), 1, 2);
        _assertHash(
            bytes32(BN254.P - 1), BN254.P - 1, 0x279d7bc4e184e3a57f5fa684690c6df6b484a7f1daa1de608d266a2a4be6593f
        );
        _assertHash(
            bytes32(type(uint256).max),
            0x0e0a77c19a07df2f666ea36f7879462c0a78eb28f5c70b3dd35d438dc58f0d9c,
            0x14be43b98e05db3bee1459f626263fc7bccd58e77b8182329f8ac7453c92c0ca
        );
        _assertHash(
            bytes32(uint256(0x616e7a656e)),
            0x616e7a656f,
            0x2f180027afd413e3bda4da0a8391f62f890e9df976a7d74243897e85d0f3dd0b
        );
    }

    function test_fuzz_hashToG1_isOnTheCurve(bytes32 digest) public view {
        BN254.G1Point memory point = BN254.hashToG1(digest);
        assertLt(point.X, BN254.P);
        assertLt(point.Y, BN254.P);
        uint256 x3 = mulmod(mulmod(point.X, point.X, BN254.P), point.X, BN254.P);
        assertEq(mulmod(point.Y, point.Y, BN254.P), addmod(x3, 3, BN254.P));
        // The precompiled contract agrees.
        point.mul(1);
    }

    function test_fuzz_addIsMul(uint256 a, uint256 b) public view {
        a = bound(a, 0, BN254.R - 1);
        b = bound(b, 0, BN254.R - 1);
        BN254.G1Point memory sum = _g1(a);
        sum.add(_g1(b));
        BN254.G1Point memory expected = _g1(addmod(a, b, BN254.R));
        assertEq(sum.X, expected.X);
        assertEq(sum.Y, expected.Y);
    }

    function test_fuzz_negate(uint256 a) public view {
        a = bound(a, 0, BN254.R - 1);
        BN254.G1Point memory point = _g1(a);
        point.negate();
        point.add(_g1(a));
        assertTrue(point.isIdentity());
    }

    function test_negate_identityStays() public pure {
        BN254.G1Point memory point;
        point.negate();
        assertEq(point.Y, 0);
    }

    function test_pairingEquals() public view {
        (bool success, bool equal) = this.pairingEquals(_g1(6), _g1(2), _g2(3));
        assertTrue(success && equal);
        (success, equal) = this.pairingEquals(_g1(7), _g1(2), _g2(3));
        assertTrue(success && !equal);
        (success, equal) = this.pairingEquals(_g1(BN254.R - 6), _g1(2), _g2(BN254.R - 3));
        assertTrue(success && equal);
    }

    function test_pairingEquals_failsForWhatIsNoPoint() public view {
        BN254.G2Point memory key = _g2(3);
        key.X[0] += 1;
        (bool success, bool equal) = this.pairingEquals(_g1(6), _g1(2), key);
        assertTrue(!success && !equal);
    }

    /// @dev Library functions take calldata; this gives them some.
    function pairingEquals(BN254.G1Point memory left, BN254.G1Point memory right, BN254.G2Point calldata key)
        external
        view
        returns (bool, bool)
    {
        return BN254.pairingEquals(left, right, key);
    }

    function test_mul_revertsWithEcMulFailed() public {
        vm.expectRevert(BN254.EcMulFailed.selector);
        this.mul(BN254.G1Point(1, 1));
    }

    function test_add_revertsWithEcAddFailed() public {
        vm.expectRevert(BN254.EcAddFailed.selector);
        this.add(BN254.G1Point(1, 1));
    }

    /// @dev A failing precompiled contract eats all the gas that it is given.
    function test_aFailureCostsBoundedGas() public {
        uint256 before = gasleft();
        vm.expectRevert(BN254.EcMulFailed.selector);
        this.mul(BN254.G1Point(1, 1));
        assertLt(before - gasleft(), 30_000);
        before = gasleft();
        vm.expectRevert(BN254.EcAddFailed.selector);
        this.add(BN254.G1Point(1, 1));
        assertLt(before - gasleft(), 15_000);
        before = gasleft();
        vm.expectRevert(BN254.EcAddFailed.selector);
        this.addCalldata(BN254.G1Point(1, 1));
        assertLt(before - gasleft(), 15_000);
    }

    function addCalldata(BN254.G1Point calldata point) external view {
        BN254.G1Point(1, 2).addCalldata(point);
    }

    function mul(BN254.G1Point memory point) external view {
        point.mul(2);
    }

    function add(BN254.G1Point memory point) external view {
        point.add(BN254.G1Point(1, 2));
    }

    function _assertHash(bytes32 digest, uint256 x, uint256 y) private view {
        BN254.G1Point memory point = BN254.hashToG1(digest);
        assertEq(point.X, x);
        assertEq(point.Y, y);
    }
}
