// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {stdError} from "forge-std/Test.sol";

import {IBLSSignatureChecker} from "../sol/interfaces/IBLSSignatureChecker.sol";
import {BN254} from "../sol/libraries/BN254.sol";
import {EigenLayerFixture} from "./fixtures/EigenLayerFixture.sol";

/// @notice Certificates against the real registries; see tree/BLSSignatureChecker.tree.
contract BLSSignatureCheckerTest is EigenLayerFixture {
    bytes32 private constant DIGEST = keccak256("digest");

    uint32 private refBlock;

    function setUp() public {
        _deployAll();
        _setUpTwoQuorums();
        refBlock = uint32(vm.getBlockNumber() - 1);
    }

    // ------------------------------------------------------------------------------------------------------- valid

    function test_checkSignatures_everyoneSigns() public view {
        (uint96[] memory signed, uint96[] memory total, bytes32 record) = _check(hex"00", _ids());
        assertEq(signed.length, 1);
        assertEq(signed[0], 500 ether);
        assertEq(total[0], 500 ether);
        assertEq(record, keccak256(abi.encodePacked(refBlock)));
    }

    function test_checkSignatures_oneDoesNotSign() public view {
        (uint96[] memory signed, uint96[] memory total, bytes32 record) = _check(hex"00", _ids(2));
        assertEq(signed[0], 400 ether);
        assertEq(total[0], 500 ether);
        assertEq(record, keccak256(abi.encodePacked(refBlock, operators[2].id)));
    }

    function test_checkSignatures_onlyOneSigns() public view {
        bytes32[] memory nonSigners = new bytes32[](4);
        for (uint256 i; i < 4; ++i) {
            nonSigners[i] = operators[i].id;
        }
        (uint96[] memory signed,,) = _check(hex"00", nonSigners);
        assertEq(signed[0], 100 ether);
    }

    function test_checkSignatures_twoQuorums_everyoneSigns() public view {
        (uint96[] memory signed, uint96[] memory total,) = _check(hex"0001", _ids());
        assertEq(signed[0], 500 ether);
        assertEq(signed[1], 500 ether);
        assertEq(total[0], 500 ether);
        assertEq(total[1], 500 ether);
    }

    function test_checkSignatures_twoQuorums_nonSignerInBoth() public view {
        (uint96[] memory signed,,) = _check(hex"0001", _ids(0));
        assertEq(signed[0], 400 ether);
        assertEq(signed[1], 400 ether);
    }

    function test_checkSignatures_twoQuorums_nonSignerInOne() public view {
        (uint96[] memory signed,,) = _check(hex"0001", _ids(4));
        assertEq(signed[0], 400 ether);
        assertEq(signed[1], 500 ether);
        (signed,,) = _check(hex"0001", _ids(5));
        assertEq(signed[0], 500 ether);
        assertEq(signed[1], 400 ether);
    }

    function test_checkSignatures_twoQuorums_differentNonSignersInEach() public view {
        (uint96[] memory signed,,) = _check(hex"0001", _ids(4, 5));
        assertEq(signed[0], 400 ether);
        assertEq(signed[1], 400 ether);
    }

    /// @dev Every subset of non-signers of two quorums, but the one of all operators.
    function test_fuzz_checkSignatures_anyNonSigners(uint256 mask) public view {
        mask = bound(mask, 0, 62);
        uint256 count;
        uint256[2] memory expected = [uint256(500 ether), 500 ether];
        for (uint256 i; i < 6; ++i) {
            if (mask >> i & 1 == 0) continue;
            ++count;
            if (i != 5) expected[0] -= 100 ether;
            if (i != 4) expected[1] -= 100 ether;
        }
        bytes32[] memory nonSigners = new bytes32[](count);
        for (uint256 i; i < 6; ++i) {
            if (mask >> i & 1 == 1) nonSigners[--count] = operators[i].id;
        }
        (uint96[] memory signed,,) = _check(hex"0001", nonSigners);
        assertEq(signed[0], expected[0]);
        assertEq(signed[1], expected[1]);
    }

    function test_fuzz_checkSignatures_anyDigest(bytes32 digest) public view {
        taskManager.checkSignatures(digest, hex"00", refBlock, _certificate(digest, hex"00", refBlock, _ids(1)));
    }

    function test_checkSignatures_operatorThatLeftAfterTheReferenceStillCounts() public {
        _deregister(0, hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        (uint96[] memory signed, uint96[] memory total,) = _check(hex"0001", _ids());
        assertEq(signed[0], 500 ether);
        (signed, total,) = _check(hex"0001", _ids(0));
        assertEq(signed[0], 400 ether);
        assertEq(total[0], 500 ether);
    }

    function test_checkSignatures_operatorThatLeftBeforeTheReferenceDoesNotCount() public {
        _deregister(0, hex"0001");
        vm.roll(vm.getBlockNumber() + 2);
        refBlock = uint32(vm.getBlockNumber() - 1);
        (, uint96[] memory total,) = _check(hex"00", _ids());
        assertEq(total[0], 400 ether);
    }

    function test_checkSignatures_operatorThatJoinedAfterTheReferenceDoesNotCount() public {
        _addOperator(64, 100 ether, hex"00");
        (, uint96[] memory total,) = _check(hex"00", _ids());
        assertEq(total[0], 500 ether);
    }

    // -------------------------------------------------------------------------------------------- arguments and arrays

    function test_checkSignatures_revertsWithNoQuorums() public {
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids());
        _reverts(abi.encodeWithSelector(IBLSSignatureChecker.NoQuorums.selector), "", refBlock, c);
    }

    function test_checkSignatures_revertsWithQuorumNumbersNotAscending() public {
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"0001", _ids());
        bytes memory e = abi.encodeWithSelector(IBLSSignatureChecker.QuorumNumbersNotAscending.selector);
        (c.quorumApks[0], c.quorumApks[1]) = (c.quorumApks[1], c.quorumApks[0]);
        _reverts(e, hex"0100", refBlock, c);
        c.quorumApks[0] = c.quorumApks[1];
        _reverts(e, hex"0000", refBlock, c);
        _reverts(e, hex"00c0", refBlock, c);
        _reverts(e, hex"00ff", refBlock, c);
    }

    function test_checkSignatures_revertsWithReferenceBlockNotPast() public {
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids());
        uint32 number = uint32(vm.getBlockNumber());
        _reverts(
            abi.encodeWithSelector(IBLSSignatureChecker.ReferenceBlockNotPast.selector, number), hex"00", number, c
        );
    }

    function test_checkSignatures_revertsWithArrayLengthMismatch() public {
        bytes memory e = abi.encodeWithSelector(IBLSSignatureChecker.ArrayLengthMismatch.selector);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory two = _c(hex"0001", _ids());
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c;

        c = _c(hex"00", _ids(0));
        c.quorumApks = two.quorumApks;
        _reverts(e, hex"00", refBlock, c);
        c = _c(hex"00", _ids(0));
        c.quorumApkIndices = two.quorumApkIndices;
        _reverts(e, hex"00", refBlock, c);
        c = _c(hex"00", _ids(0));
        c.totalStakeIndices = two.totalStakeIndices;
        _reverts(e, hex"00", refBlock, c);
        c = _c(hex"00", _ids(0));
        c.nonSignerStakeIndices = two.nonSignerStakeIndices;
        _reverts(e, hex"00", refBlock, c);
        c = _c(hex"00", _ids(0));
        c.nonSignerQuorumBitmapIndices = new uint32[](2);
        _reverts(e, hex"00", refBlock, c);
        // Fewer, and more, stake indices than there are non-signers in the quorum.
        c = _c(hex"00", _ids(0));
        c.nonSignerStakeIndices[0] = new uint32[](0);
        _reverts(e, hex"00", refBlock, c);
        c.nonSignerStakeIndices[0] = new uint32[](2);
        _reverts(e, hex"00", refBlock, c);
        c = _c(hex"00", _ids());
        c.nonSignerStakeIndices[0] = new uint32[](1);
        _reverts(e, hex"00", refBlock, c);
    }

    // --------------------------------------------------------------------------------------------- what registries hold

    function test_checkSignatures_revertsWithStakesStale() public {
        uint256 refreshed = coordinator.quorumUpdateBlockNumber(0);
        vm.roll(refreshed + 202);
        refBlock = uint32(refreshed + 200);
        _check(hex"00", _ids());
        refBlock = uint32(refreshed + 201);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids());
        _reverts(abi.encodeWithSelector(IBLSSignatureChecker.StakesStale.selector, 0, refreshed), hex"00", refBlock, c);
        _refresh(hex"00");
        _check(hex"00", _ids());
    }

    function test_checkSignatures_revertsWithNoStakeAtReference() public {
        _createQuorum(LOOK_AHEAD);
        vm.roll(vm.getBlockNumber() + 2);
        refBlock = uint32(vm.getBlockNumber() - 1);
        _addOperator(64, 100 ether, hex"02");
        _deregister(operators.length - 1, hex"02");
        vm.roll(vm.getBlockNumber() + 2);
        _refresh(hex"02");
        refBlock = uint32(vm.getBlockNumber() - 1);
        // All have left: the quorum's key is the identity.
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"02", _ids());
        _reverts(abi.encodeWithSelector(IBLSSignatureChecker.NoStakeAtReference.selector, 2), hex"02", refBlock, c);
    }

    function test_checkSignatures_revertsWithWrongQuorumApk() public {
        bytes memory e = abi.encodeWithSelector(IBLSSignatureChecker.WrongQuorumApk.selector, 0);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids());
        c.quorumApks[0] = _g1(77);
        _reverts(e, hex"00", refBlock, c);
        // The same point, but not in its canonical form.
        c = _c(hex"00", _ids());
        c.quorumApks[0].X += BN254.P;
        _reverts(e, hex"00", refBlock, c);
        c.quorumApks[0] = BN254.G1Point(0, 0);
        _reverts(e, hex"00", refBlock, c);
    }

    function test_checkSignatures_revertsIfAnIndexIsNotThatOfTheReference() public {
        bytes memory tooRecent = abi.encodeWithSignature("BlockNumberTooRecent()");
        bytes memory noSuchEntry = abi.encodeWithSignature("InvalidBlockNumber()");
        _deregister(0, hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids(1));
        c.quorumApkIndices[0] += 1;
        _reverts(tooRecent, hex"00", refBlock, c);
        c = _c(hex"00", _ids(1));
        c.totalStakeIndices[0] += 1;
        _reverts(noSuchEntry, hex"00", refBlock, c);
        c = _c(hex"00", _ids(0));
        c.nonSignerStakeIndices[0][0] += 1;
        _reverts(noSuchEntry, hex"00", refBlock, c);
        // Past the end
        c = _c(hex"00", _ids(1));
        c.quorumApkIndices[0] = 9;
        _reverts(stdError.indexOOBError, hex"00", refBlock, c);
        c = _c(hex"00", _ids(1));
        c.totalStakeIndices[0] = 9;
        _reverts(stdError.indexOOBError, hex"00", refBlock, c);
        c = _c(hex"00", _ids(1));
        c.nonSignerStakeIndices[0][0] = 9;
        _reverts(stdError.indexOOBError, hex"00", refBlock, c);
        c = _c(hex"00", _ids(1));
        c.nonSignerQuorumBitmapIndices[0] = 9;
        _reverts(stdError.indexOOBError, hex"00", refBlock, c);
    }

    function test_checkSignatures_revertsWithWrongBitmapIndex() public {
        bytes memory e = abi.encodeWithSelector(IBLSSignatureChecker.WrongBitmapIndex.selector, operators[0].id);
        _deregister(0, hex"00");
        vm.roll(vm.getBlockNumber() + 2);
        // The entry that came after the reference block
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"01", _ids(0));
        c.nonSignerQuorumBitmapIndices[0] = 1;
        _reverts(e, hex"01", refBlock, c);
        // The entry that had been replaced by the reference block
        refBlock = uint32(vm.getBlockNumber() - 1);
        c = _c(hex"01", _ids(0));
        c.nonSignerQuorumBitmapIndices[0] = 0;
        _reverts(e, hex"01", refBlock, c);
        // In the very block of the change, the new one counts.
        refBlock = uint32(vm.getBlockNumber() - 2);
        c = _c(hex"01", _ids(0));
        assertEq(c.nonSignerQuorumBitmapIndices[0], 1);
        taskManager.checkSignatures(DIGEST, hex"01", refBlock, c);
        c.nonSignerQuorumBitmapIndices[0] = 0;
        _reverts(e, hex"01", refBlock, c);
    }

    // ----------------------------------------------------------------------------------------------------- non-signers

    function test_checkSignatures_revertsWithNonSignersNotAscending() public {
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids(0, 1));
        // The same one twice: its stake would be subtracted twice, and its key.
        BN254.G1Point memory first = c.nonSignerPubkeys[0];
        c.nonSignerPubkeys[0] = c.nonSignerPubkeys[1];
        bytes memory e = abi.encodeWithSelector(IBLSSignatureChecker.NonSignersNotAscending.selector, 1);
        _reverts(e, hex"00", refBlock, c);
        c.nonSignerPubkeys[1] = first;
        _reverts(e, hex"00", refBlock, c);
    }

    function test_checkSignatures_revertsWithNonSignerOfNoQuorum() public {
        // Operator 5 is in quorum 1 only.
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids(0));
        c.nonSignerPubkeys[0] = _g1(operators[5].secret);
        c.nonSignerStakeIndices[0] = new uint32[](0);
        _reverts(
            abi.encodeWithSelector(IBLSSignatureChecker.NonSignerOfNoQuorum.selector, operators[5].id),
            hex"00",
            refBlock,
            c
        );
    }

    function test_checkSignatures_revertsWithNonSignerOfNoQuorum_thatLeftBeforeTheReference() public {
        _deregister(0, hex"0001");
        vm.roll(vm.getBlockNumber() + 2);
        refBlock = uint32(vm.getBlockNumber() - 1);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids());
        c.nonSignerPubkeys = new BN254.G1Point[](1);
        c.nonSignerPubkeys[0] = _g1(1);
        c.nonSignerQuorumBitmapIndices = new uint32[](1);
        c.nonSignerQuorumBitmapIndices[0] = 1;
        _reverts(
            abi.encodeWithSelector(IBLSSignatureChecker.NonSignerOfNoQuorum.selector, operators[0].id),
            hex"00",
            refBlock,
            c
        );
    }

    function test_checkSignatures_revertsIfANonSignerNeverRegistered() public {
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids(0));
        c.nonSignerPubkeys[0] = _g1(99);
        vm.expectRevert(stdError.indexOOBError);
        taskManager.checkSignatures(DIGEST, hex"00", refBlock, c);
        c.nonSignerPubkeys[0] = BN254.G1Point(0, 0);
        vm.expectRevert(stdError.indexOOBError);
        taskManager.checkSignatures(DIGEST, hex"00", refBlock, c);
        // The negative of a registered key, and another writing of it.
        c.nonSignerPubkeys[0] = _g1(BN254.R - 1);
        vm.expectRevert(stdError.indexOOBError);
        taskManager.checkSignatures(DIGEST, hex"00", refBlock, c);
        c.nonSignerPubkeys[0] = _g1(1);
        c.nonSignerPubkeys[0].Y += BN254.P;
        vm.expectRevert(stdError.indexOOBError);
        taskManager.checkSignatures(DIGEST, hex"00", refBlock, c);
    }

    // ------------------------------------------------------------------------------------------------------- signature

    function test_checkSignatures_revertsWithInvalidSignature() public {
        bytes memory e = abi.encodeWithSelector(IBLSSignatureChecker.InvalidSignature.selector);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids());
        // Another message
        c.sigma = _sign(31, keccak256("another"));
        _reverts(e, hex"00", refBlock, c);
        // One signature is missing, though nobody is said not to have signed
        c.sigma = _sign(15, DIGEST);
        _reverts(e, hex"00", refBlock, c);
        c.apkG2 = _g2(15);
        _reverts(e, hex"00", refBlock, c);
        // The signature fits, the key in G2 does not
        c.sigma = _sign(31, DIGEST);
        _reverts(e, hex"00", refBlock, c);
        // The identity
        c = _c(hex"00", _ids());
        c.sigma = BN254.G1Point(0, 0);
        _reverts(e, hex"00", refBlock, c);
        c.apkG2 = _g2(0);
        _reverts(e, hex"00", refBlock, c);
        // Negated
        c = _c(hex"00", _ids());
        c.sigma.Y = BN254.P - c.sigma.Y;
        _reverts(e, hex"00", refBlock, c);
    }

    function test_checkSignatures_revertsWithInvalidSignature_ofAnotherDigest() public {
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c =
            _certificate(keccak256("another chain's"), hex"00", refBlock, _ids());
        _reverts(abi.encodeWithSelector(IBLSSignatureChecker.InvalidSignature.selector), hex"00", refBlock, c);
    }

    function test_checkSignatures_revertsWithInvalidSignature_ifASignerOfTwoQuorumsSignsOnce() public {
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"0001", _ids());
        c.sigma = _sign(1 + 2 + 4 + 8 + 16 + 32, DIGEST);
        c.apkG2 = _g2(1 + 2 + 4 + 8 + 16 + 32);
        _reverts(abi.encodeWithSelector(IBLSSignatureChecker.InvalidSignature.selector), hex"0001", refBlock, c);
    }

    /// @dev Two operators whose keys cancel out, and nobody else signs: any message would be signed.
    function test_checkSignatures_revertsWithSignersKeyIsIdentity() public {
        _addOperator(64, 100 ether, hex"00");
        _addOperator(BN254.R - 64, 100 ether, hex"00");
        _refresh(hex"00");
        vm.roll(vm.getBlockNumber() + 2);
        refBlock = uint32(vm.getBlockNumber() - 1);
        bytes32[] memory others = new bytes32[](5);
        for (uint256 i; i < 5; ++i) {
            others[i] = operators[i].id;
        }
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", others);
        assertEq(c.sigma.X, 0);
        _reverts(abi.encodeWithSelector(IBLSSignatureChecker.SignersKeyIsIdentity.selector), hex"00", refBlock, c);
        // As non-signers they leave the sum of the non-signers' keys the identity, which is fine.
        _check(hex"00", _ids(6, 7));
    }

    /// @dev Everyone is a non-signer.
    function test_checkSignatures_revertsWithSignersKeyIsIdentity_ifNobodySigns() public {
        bytes32[] memory all = new bytes32[](5);
        for (uint256 i; i < 5; ++i) {
            all[i] = operators[i].id;
        }
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", all);
        _reverts(abi.encodeWithSelector(IBLSSignatureChecker.SignersKeyIsIdentity.selector), hex"00", refBlock, c);
    }

    function test_checkSignatures_revertsWithEcAddFailed_ifSigmaIsNoPoint() public {
        bytes memory e = abi.encodeWithSelector(BN254.EcAddFailed.selector);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids());
        c.sigma = BN254.G1Point(1, 1);
        _reverts(e, hex"00", refBlock, c);
        c = _c(hex"00", _ids());
        c.sigma.X += BN254.P;
        _reverts(e, hex"00", refBlock, c);
        c.sigma = BN254.G1Point(0, BN254.P);
        _reverts(e, hex"00", refBlock, c);
    }

    function test_checkSignatures_revertsWithPairingPrecompileFailed() public {
        bytes memory e = abi.encodeWithSelector(IBLSSignatureChecker.PairingPrecompileFailed.selector);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids());
        // On the curve, outside the subgroup
        c.apkG2.X = [uint256(0), 1];
        c.apkG2.Y = [
            uint256(0x0d1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4),
            0x2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb
        ];
        _reverts(e, hex"00", refBlock, c);
        // Not on the curve
        c.apkG2.Y[0] += 1;
        _reverts(e, hex"00", refBlock, c);
        // Not canonical
        c = _c(hex"00", _ids());
        c.apkG2.X[0] += BN254.P;
        _reverts(e, hex"00", refBlock, c);
    }

    /// @dev A failing precompiled contract eats what it is given: the caps keep that small.
    function test_checkSignatures_aFailureCostsBoundedGas() public {
        // The pairing
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c = _c(hex"00", _ids());
        c.apkG2.X[0] += 1;
        _revertsCheaply(abi.encodeWithSelector(IBLSSignatureChecker.PairingPrecompileFailed.selector), c, 450_000);
        // The addition
        c = _c(hex"00", _ids());
        c.sigma.Y += 1;
        _revertsCheaply(abi.encodeWithSelector(BN254.EcAddFailed.selector), c, 150_000);
        // What is not the registry's never reaches a precompiled contract.
        c = _c(hex"00", _ids());
        c.quorumApks[0].Y += 1;
        _revertsCheaply(abi.encodeWithSelector(IBLSSignatureChecker.WrongQuorumApk.selector, 0), c, 150_000);
    }

    // --------------------------------------------------------------------------------------------------------- helpers

    function _c(bytes memory quorumNumbers, bytes32[] memory nonSigners)
        private
        view
        returns (IBLSSignatureChecker.NonSignerStakesAndSignature memory)
    {
        return _certificate(DIGEST, quorumNumbers, refBlock, nonSigners);
    }

    function _check(bytes memory quorumNumbers, bytes32[] memory nonSigners)
        private
        view
        returns (uint96[] memory, uint96[] memory, bytes32)
    {
        return taskManager.checkSignatures(DIGEST, quorumNumbers, refBlock, _c(quorumNumbers, nonSigners));
    }

    function _reverts(
        bytes memory error_,
        bytes memory quorumNumbers,
        uint32 referenceBlock,
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c
    ) private {
        vm.expectRevert(error_);
        taskManager.checkSignatures(DIGEST, quorumNumbers, referenceBlock, c);
    }

    function _revertsCheaply(
        bytes memory error_,
        IBLSSignatureChecker.NonSignerStakesAndSignature memory c,
        uint256 bound_
    ) private {
        uint256 before = gasleft();
        _reverts(error_, hex"00", refBlock, c);
        assertLt(before - gasleft(), bound_);
    }
}
