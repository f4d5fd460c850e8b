// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IBLSApkRegistry} from "../eigenlayer/IBLSApkRegistry.sol";
import {ISlashingRegistryCoordinator} from "../eigenlayer/ISlashingRegistryCoordinator.sol";
import {IStakeRegistry} from "../eigenlayer/IStakeRegistry.sol";
import {BN254} from "../libraries/BN254.sol";

/// @title IBLSSignatureChecker
/// @notice Checks an aggregate BLS signature of a quorum's operators against the stakes at a block.
interface IBLSSignatureChecker {
    /// @notice A certificate: who did not sign, the signature of those who did, and where the registries keep what they
    /// held at the reference block.
    /// @param nonSignerQuorumBitmapIndices For each non-signer, the index in its history of quorum bitmaps.
    /// @param nonSignerPubkeys The operators of the quorums that did not sign, strictly ascending by operator id.
    /// @param quorumApks The aggregate key of each quorum at the reference block.
    /// @param apkG2 The aggregate key, in G2, of the signers, each as often as it belongs to a quorum of those asked.
    /// @param sigma The aggregate signature, each signer as often as in `apkG2`.
    /// @param quorumApkIndices For each quorum, the index in its history of aggregate keys.
    /// @param totalStakeIndices For each quorum, the index in its history of total stakes.
    /// @param nonSignerStakeIndices For each quorum, for each non-signer in it, the index in its history of stakes.
    struct NonSignerStakesAndSignature {
        uint32[] nonSignerQuorumBitmapIndices;
        BN254.G1Point[] nonSignerPubkeys;
        BN254.G1Point[] quorumApks;
        BN254.G2Point apkG2;
        BN254.G1Point sigma;
        uint32[] quorumApkIndices;
        uint32[] totalStakeIndices;
        uint32[][] nonSignerStakeIndices;
    }

    /// @notice No quorum was named.
    error NoQuorums();
    /// @notice The quorum numbers are not strictly ascending, or above 191.
    error QuorumNumbersNotAscending();
    /// @notice The certificate's arrays do not match the number of quorums or of non-signers.
    error ArrayLengthMismatch();
    /// @notice The reference block is not in the past.
    error ReferenceBlockNotPast(uint32 referenceBlock);
    /// @notice The last refresh of all stakes of the quorum is more than `maxStakeAge` blocks before the reference block.
    error StakesStale(uint8 quorumNumber, uint256 refreshedBlock);
    /// @notice The quorum's aggregate key at the reference block was another one.
    error WrongQuorumApk(uint8 quorumNumber);
    /// @notice The quorum had no stake at the reference block.
    error NoStakeAtReference(uint8 quorumNumber);
    /// @notice The non-signers are not strictly ascending by operator id.
    error NonSignersNotAscending(uint256 position);
    /// @notice The entry of the operator's history of quorums was not in force at the reference block.
    error WrongBitmapIndex(bytes32 operatorId);
    /// @notice The operator belonged to none of the quorums at the reference block, so it is no non-signer.
    error NonSignerOfNoQuorum(bytes32 operatorId);
    /// @notice The signers' aggregate key is the identity: everything would be a signature of it.
    error SignersKeyIsIdentity();
    /// @notice The pairing could not be evaluated: `apkG2` is not in G2, or the call ran out of gas.
    error PairingPrecompileFailed();
    /// @notice The signature is not one of the signers over the digest.
    error InvalidSignature();

    /// @notice Checks that all operators of the quorums but the non-signers have signed `digest`.
    /// @dev Whether a stake is recent is judged by the quorum's last full refresh *now*; if that is later than the
    /// reference block, nothing is known of how old the stakes were at it.
    /// @param digest What was signed, before it is hashed to the curve.
    /// @param quorumNumbers The quorums, a byte each, strictly ascending.
    /// @param referenceBlock The block whose stakes count; in the past.
    /// @param params The certificate.
    /// @return signedStake For each quorum, the stake of those who signed.
    /// @return totalStake For each quorum, its stake.
    /// @return signatoryRecordHash keccak256(abi.encodePacked(referenceBlock, ids of the non-signers)).
    function checkSignatures(
        bytes32 digest,
        bytes calldata quorumNumbers,
        uint32 referenceBlock,
        NonSignerStakesAndSignature calldata params
    ) external view returns (uint96[] memory signedStake, uint96[] memory totalStake, bytes32 signatoryRecordHash);

    /// @notice How many blocks before the reference block the last refresh of a quorum's stakes may have been.
    function maxStakeAge() external view returns (uint32);

    function registryCoordinator() external view returns (ISlashingRegistryCoordinator);

    function stakeRegistry() external view returns (IStakeRegistry);

    function blsApkRegistry() external view returns (IBLSApkRegistry);
}
