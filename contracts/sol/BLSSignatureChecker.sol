// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IBLSApkRegistry} from "./eigenlayer/IBLSApkRegistry.sol";
import {ISlashingRegistryCoordinator} from "./eigenlayer/ISlashingRegistryCoordinator.sol";
import {IStakeRegistry} from "./eigenlayer/IStakeRegistry.sol";
import {IBLSSignatureChecker} from "./interfaces/IBLSSignatureChecker.sol";
import {BN254} from "./libraries/BN254.sol";

/// @title BLSSignatureChecker
/// @notice Checks certificates against the middleware's registries.
/// @dev The signers' key is the sum of the quorums' keys less the non-signers' keys, each as often as it belongs to one of
/// the quorums. What the caller supplies is bound to what the registries keep: a quorum's key by its hash, a non-signer's key
/// by its hash being the operator id under which a bitmap is found, every index by the registries' own check that its entry
/// was in force at the reference block. Registration proves possession of each key, so no key is chosen to cancel others.
abstract contract BLSSignatureChecker is IBLSSignatureChecker {
    using BN254 for BN254.G1Point;

    /// @inheritdoc IBLSSignatureChecker
    ISlashingRegistryCoordinator public immutable registryCoordinator;
    /// @inheritdoc IBLSSignatureChecker
    IStakeRegistry public immutable stakeRegistry;
    /// @inheritdoc IBLSSignatureChecker
    IBLSApkRegistry public immutable blsApkRegistry;

    /// @dev Quorums are numbered below 192: a bitmap of them has 192 bits.
    uint256 private constant MAX_QUORUM_NUMBER = 191;

    constructor(ISlashingRegistryCoordinator registryCoordinator_) {
        registryCoordinator = registryCoordinator_;
        stakeRegistry = registryCoordinator_.stakeRegistry();
        blsApkRegistry = registryCoordinator_.blsApkRegistry();
    }

    /// @inheritdoc IBLSSignatureChecker
    function checkSignatures(
        bytes32 digest,
        bytes calldata quorumNumbers,
        uint32 referenceBlock,
        NonSignerStakesAndSignature calldata params
    )
        public
        view
        virtual
        returns (uint96[] memory signedStake, uint96[] memory totalStake, bytes32 signatoryRecordHash)
    {
        uint256 maxAge = maxStakeAge();
        for (uint256 i; i < quorumNumbers.length; ++i) {
            uint8 quorumNumber = uint8(quorumNumbers[i]);
            uint256 refreshedBlock = registryCoordinator.quorumUpdateBlockNumber(quorumNumber);
            if (refreshedBlock + maxAge < referenceBlock) revert StakesStale(quorumNumber, refreshedBlock);
        }
        return _checkCertificate(digest, quorumNumbers, referenceBlock, params);
    }

    /// @inheritdoc IBLSSignatureChecker
    function maxStakeAge() public view virtual returns (uint32);

    /// @dev `checkSignatures` without the question of how old the stakes are.
    function _checkCertificate(
        bytes32 digest,
        bytes calldata quorumNumbers,
        uint32 referenceBlock,
        NonSignerStakesAndSignature calldata params
    ) internal view returns (uint96[] memory signedStake, uint96[] memory totalStake, bytes32 signatoryRecordHash) {
        if (referenceBlock >= block.number) revert ReferenceBlockNotPast(referenceBlock);
        _checkLengths(quorumNumbers.length, params);

        BN254.G1Point memory signersKey;
        uint256 quorums;
        (signersKey, quorums, totalStake) = _addQuorums(quorumNumbers, referenceBlock, params);

        if (params.nonSignerPubkeys.length == 0) {
            signedStake = totalStake;
            for (uint256 i; i < quorumNumbers.length; ++i) {
                if (params.nonSignerStakeIndices[i].length != 0) revert ArrayLengthMismatch();
            }
            signatoryRecordHash = keccak256(abi.encodePacked(referenceBlock));
        } else {
            BN254.G1Point memory nonSignersKey;
            (nonSignersKey, signedStake, signatoryRecordHash) =
                _addNonSigners(quorumNumbers, quorums, referenceBlock, params, totalStake);
            nonSignersKey.negate();
            signersKey.add(nonSignersKey);
        }

        _checkSignature(digest, signersKey, params.apkG2, params.sigma);
    }

    function _checkLengths(uint256 quorumCount, NonSignerStakesAndSignature calldata params) private pure {
        if (quorumCount == 0) revert NoQuorums();
        if (
            params.quorumApks.length != quorumCount || params.quorumApkIndices.length != quorumCount
                || params.totalStakeIndices.length != quorumCount || params.nonSignerStakeIndices.length != quorumCount
                || params.nonSignerPubkeys.length != params.nonSignerQuorumBitmapIndices.length
        ) revert ArrayLengthMismatch();
    }

    /// @dev The sum of the quorums' keys, the quorums as a bitmap, and their stakes.
    function _addQuorums(
        bytes calldata quorumNumbers,
        uint32 referenceBlock,
        NonSignerStakesAndSignature calldata params
    ) private view returns (BN254.G1Point memory key, uint256 quorums, uint96[] memory totalStake) {
        totalStake = new uint96[](quorumNumbers.length);
        for (uint256 i; i < quorumNumbers.length; ++i) {
            uint8 quorumNumber = uint8(quorumNumbers[i]);
            uint256 bit = 1 << quorumNumber;
            if (bit <= quorums || quorumNumber > MAX_QUORUM_NUMBER) revert QuorumNumbersNotAscending();
            quorums |= bit;

            BN254.G1Point calldata apk = params.quorumApks[i];
            bytes24 apkHash = blsApkRegistry.getApkHashAtBlockNumberAndIndex(
                quorumNumber, referenceBlock, params.quorumApkIndices[i]
            );
            if (bytes24(BN254.hashG1(apk)) != apkHash) revert WrongQuorumApk(quorumNumber);
            // The first one is copied: it is the registry's, so on the curve.
            if (i == 0) key = apk;
            else key.addCalldata(apk);

            uint96 stake = stakeRegistry.getTotalStakeAtBlockNumberFromIndex(
                quorumNumber, referenceBlock, params.totalStakeIndices[i]
            );
            if (stake == 0) revert NoStakeAtReference(quorumNumber);
            totalStake[i] = stake;
        }
    }

    /// @dev The sum of the non-signers' keys, each as often as it belongs to one of the quorums, what is left of the quorums'
    /// stakes without them, and the hash of who they are.
    function _addNonSigners(
        bytes calldata quorumNumbers,
        uint256 quorums,
        uint32 referenceBlock,
        NonSignerStakesAndSignature calldata params,
        uint96[] memory totalStake
    ) private view returns (BN254.G1Point memory key, uint96[] memory signedStake, bytes32 signatoryRecordHash) {
        uint256 count = params.nonSignerPubkeys.length;
        // For each quorum, how many non-signers it has had so far.
        uint256[] memory seen = new uint256[](quorumNumbers.length);
        bytes32[] memory ids = new bytes32[](count);
        signedStake = new uint96[](quorumNumbers.length);
        for (uint256 i; i < quorumNumbers.length; ++i) {
            signedStake[i] = totalStake[i];
        }

        bytes32 previous;
        for (uint256 n; n < count; ++n) {
            BN254.G1Point calldata pubkey = params.nonSignerPubkeys[n];
            bytes32 id = BN254.hashG1(pubkey);
            // No id is zero, so the first one passes.
            if (id <= previous) revert NonSignersNotAscending(n);
            previous = id;
            ids[n] = id;

            uint256 memberOf = quorums
                & registryCoordinator.getQuorumBitmapAtBlockNumberByIndex(
                    id, referenceBlock, params.nonSignerQuorumBitmapIndices[n]
                );
            if (memberOf == 0) revert NonSignerOfNoQuorum(id);

            for (uint256 i; i < quorumNumbers.length; ++i) {
                uint8 quorumNumber = uint8(quorumNumbers[i]);
                if (memberOf & (1 << quorumNumber) == 0) continue;
                uint256 position = seen[i]++;
                if (position >= params.nonSignerStakeIndices[i].length) revert ArrayLengthMismatch();
                signedStake[
                    i
                ] -= stakeRegistry.getStakeAtBlockNumberAndIndex(
                    quorumNumber, referenceBlock, id, params.nonSignerStakeIndices[i][position]
                );
                // Once for each quorum; an addition costs a fortieth of a multiplication.
                key.addCalldata(pubkey);
            }
        }
        for (uint256 i; i < quorumNumbers.length; ++i) {
            if (seen[i] != params.nonSignerStakeIndices[i].length) revert ArrayLengthMismatch();
        }
        signatoryRecordHash = keccak256(abi.encodePacked(referenceBlock, ids));
    }

    /// @dev Checks that `sigma` is the signature of `digest` by `key`, and that `keyG2` is `key` in G2: the two equations
    /// e(sigma, G2) = e(H(digest), keyG2) and e(key, G2) = e(G1, keyG2), the second one times gamma. Gamma is a hash of all
    /// that the equations are about, so that nothing can be chosen after it.
    function _checkSignature(
        bytes32 digest,
        BN254.G1Point memory key,
        BN254.G2Point calldata keyG2,
        BN254.G1Point calldata sigma
    ) private view {
        if (key.isIdentity()) revert SignersKeyIsIdentity();
        uint256 gamma = uint256(
            keccak256(
                abi.encodePacked(digest, key.X, key.Y, keyG2.X[0], keyG2.X[1], keyG2.Y[0], keyG2.Y[1], sigma.X, sigma.Y)
            )
        ) % BN254.R;

        BN254.G1Point memory left = key.mul(gamma);
        left.addCalldata(sigma);
        BN254.G1Point memory right = BN254.G1Point(1, 2).mul(gamma);
        right.add(BN254.hashToG1(digest));

        (bool success, bool equal) = BN254.pairingEquals(left, right, keyG2);
        if (!success) revert PairingPrecompileFailed();
        if (!equal) revert InvalidSignature();
    }
}
