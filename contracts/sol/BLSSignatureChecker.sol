// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IBLSApkRegistry} from "./eigenlayer/IBLSApkRegistry.sol";
import {ISlashingRegistryCoordinator} from "./eigenlayer/ISlashingRegistryCoordinator.sol";
import {IStakeRegistry} from "./eigenlayer/IStakeRegistry.sol";
import {IBLSSignatureChecker} from "./interfaces/IBLSSignatureChecker.sol";
import {BN254} from "./libraries/BN254.sol";
import {BlsSignature} from "./libraries/BlsSignature.sol";

/// @title BLSSignatureChecker
/// @notice Checks certificates against the middleware's registries.
/// @dev The signers' key is the sum of the quorums' keys less the non-signers' keys, each as often as it belongs to one of
/// the quorums. What the caller supplies is bound to what the registries keep: a quorum's key by its hash, a non-signer's key
/// by its hash being the operator id under which a bitmap is found, every index by the registries' own check that its entry
/// was in force at the reference block. Registration proves possession of each key, so no key is chosen to cancel others.
abstract contract BLSSignatureChecker is IBLSSignatureChecker {
    using BN254 for BN254.G1Point;

    /// @dev A quorum of those asked, while a certificate is checked. The order of the members is relied on below.
    /// @param number The quorum's number.
    /// @param signedStake Its stake, less that of the non-signers so far.
    /// @param nextIndex Where in the calldata the stake index of its next non-signer is.
    /// @param endOfIndices Where they end.
    struct Quorum {
        uint256 number;
        uint256 signedStake;
        uint256 nextIndex;
        uint256 endOfIndices;
    }

    /// @dev A certificate while it is checked.
    /// @param referenceBlock The block whose stakes count.
    /// @param bitmap The quorums asked, as a bitmap.
    /// @param quorums The quorums asked.
    /// @param key The sum of the keys so far.
    /// @param bitmapRequest The call of the coordinator for an operator's quorums; its arguments are written into it.
    /// @param stakeRequest The call of the stake registry for an operator's stake, likewise.
    struct Check {
        uint256 referenceBlock;
        uint256 bitmap;
        Quorum[] quorums;
        BN254.G1Point key;
        bytes bitmapRequest;
        bytes stakeRequest;
    }

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
        bytes32[] memory nonSignerIds;
        (signedStake, totalStake, nonSignerIds) = _checkCertificate(digest, quorumNumbers, referenceBlock, params);
        signatoryRecordHash = _signatoryRecordHash(referenceBlock, nonSignerIds);
    }

    /// @inheritdoc IBLSSignatureChecker
    function maxStakeAge() public view virtual returns (uint32);

    /// @dev `checkSignatures` without the question of how old the stakes are. Returns who did not sign, ascending.
    function _checkCertificate(
        bytes32 digest,
        bytes calldata quorumNumbers,
        uint32 referenceBlock,
        NonSignerStakesAndSignature calldata params
    ) internal view returns (uint96[] memory signedStake, uint96[] memory totalStake, bytes32[] memory nonSignerIds) {
        if (referenceBlock >= block.number) revert ReferenceBlockNotPast(referenceBlock);
        _checkLengths(quorumNumbers.length, params);

        Check memory check;
        check.referenceBlock = referenceBlock;
        check.quorums = new Quorum[](quorumNumbers.length);
        totalStake = _addQuorums(check, quorumNumbers, params);
        nonSignerIds = _subtractNonSigners(check, params.nonSignerPubkeys, params.nonSignerQuorumBitmapIndices);
        signedStake = _signedStake(check.quorums);
        BlsSignature.verify(digest, check.key, params.apkG2, params.sigma);
    }

    function _signatoryRecordHash(uint32 referenceBlock, bytes32[] memory nonSignerIds)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(referenceBlock, nonSignerIds));
    }

    function _checkLengths(uint256 quorumCount, NonSignerStakesAndSignature calldata params) private pure {
        if (quorumCount == 0) revert NoQuorums();
        if (
            params.quorumApks.length != quorumCount || params.quorumApkIndices.length != quorumCount
                || params.totalStakeIndices.length != quorumCount || params.nonSignerStakeIndices.length != quorumCount
                || params.nonSignerPubkeys.length != params.nonSignerQuorumBitmapIndices.length
        ) revert ArrayLengthMismatch();
    }

    /// @dev Adds the quorums' keys up and fills in the quorums. Returns their stakes.
    function _addQuorums(Check memory check, bytes calldata quorumNumbers, NonSignerStakesAndSignature calldata params)
        private
        view
        returns (uint96[] memory totalStake)
    {
        uint256 bitmap;
        totalStake = new uint96[](quorumNumbers.length);
        for (uint256 i; i < quorumNumbers.length; ++i) {
            uint8 number = uint8(quorumNumbers[i]);
            if (1 << number <= bitmap || number > MAX_QUORUM_NUMBER) revert QuorumNumbersNotAscending();
            bitmap |= 1 << number;

            bytes24 apkHash = blsApkRegistry.getApkHashAtBlockNumberAndIndex(
                number, uint32(check.referenceBlock), params.quorumApkIndices[i]
            );
            if (bytes24(BN254.hashG1(params.quorumApks[i])) != apkHash) revert WrongQuorumApk(number);
            check.key.addCalldata(params.quorumApks[i]);

            uint96 stake = stakeRegistry.getTotalStakeAtBlockNumberFromIndex(
                number, uint32(check.referenceBlock), params.totalStakeIndices[i]
            );
            if (stake == 0) revert NoStakeAtReference(number);
            totalStake[i] = stake;

            uint32[] calldata indices = params.nonSignerStakeIndices[i];
            Quorum memory quorum = check.quorums[i];
            quorum.number = number;
            quorum.signedStake = stake;
            assembly ("memory-safe") {
                mstore(add(quorum, 0x40), indices.offset)
                mstore(add(quorum, 0x60), add(indices.offset, shl(5, indices.length)))
            }
        }
        check.bitmap = bitmap;
    }

    /// @dev Subtracts the non-signers' keys, each as often as it belongs to one of the quorums, and from the quorums' stakes
    /// the non-signers' stakes. Returns who they are.
    function _subtractNonSigners(Check memory check, BN254.G1Point[] calldata pubkeys, uint32[] calldata bitmapIndices)
        private
        view
        returns (bytes32[] memory ids)
    {
        if (pubkeys.length == 0) return ids;

        uint32 referenceBlock = uint32(check.referenceBlock);
        check.bitmapRequest = abi.encodeCall(ISlashingRegistryCoordinator.getQuorumBitmapUpdateByIndex, (0, 0));
        check.stakeRequest = abi.encodeCall(IStakeRegistry.getStakeAtBlockNumberAndIndex, (0, referenceBlock, 0, 0));
        ids = new bytes32[](pubkeys.length);
        BN254.G1Point memory sum;
        bytes32 previous;
        for (uint256 n; n < pubkeys.length; ++n) {
            bytes32 id = BN254.hashG1(pubkeys[n]);
            // No id is zero, so the first one passes.
            if (id <= previous) revert NonSignersNotAscending(n);
            previous = id;
            ids[n] = id;

            uint256 memberOf = _bitmapAtReference(check, id, bitmapIndices[n]) & check.bitmap;
            if (memberOf == 0) revert NonSignerOfNoQuorum(id);
            // An addition costs a fortieth of a multiplication, so it is done once for each quorum.
            for (uint256 times = _subtractStakes(check, id, memberOf); times != 0; --times) {
                sum.addCalldata(pubkeys[n]);
            }
        }
        sum.negate();
        check.key.add(sum);
    }

    /// @dev The quorums of the operator `id` at the reference block, which are the `index`-th in its history.
    /// `getQuorumBitmapAtBlockNumberByIndex` says the same and is dearer.
    function _bitmapAtReference(Check memory check, bytes32 id, uint256 index) private view returns (uint256 bitmap) {
        ISlashingRegistryCoordinator coordinator = registryCoordinator;
        bytes memory request = check.bitmapRequest;
        uint256 updateBlock;
        uint256 nextUpdateBlock;
        assembly ("memory-safe") {
            mstore(add(request, 0x24), id)
            mstore(add(request, 0x44), index)
            let free := mload(0x40)
            // The arguments of `and` are evaluated from the last to the first.
            if iszero(
                and(
                    gt(returndatasize(), 0x5f),
                    staticcall(gas(), coordinator, add(request, 0x20), mload(request), free, 0x60)
                )
            ) {
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
            updateBlock := mload(free)
            nextUpdateBlock := mload(add(free, 0x20))
            bitmap := mload(add(free, 0x40))
        }
        if (updateBlock > check.referenceBlock || (nextUpdateBlock != 0 && nextUpdateBlock <= check.referenceBlock)) {
            revert WrongBitmapIndex(id);
        }
    }

    /// @dev Subtracts the stakes of the operator `id` from those of the quorums in `memberOf`. Returns how many those are.
    function _subtractStakes(Check memory check, bytes32 id, uint256 memberOf) private view returns (uint256 times) {
        IStakeRegistry registry = stakeRegistry;
        bytes memory request = check.stakeRequest;
        Quorum[] memory quorums = check.quorums;
        for (uint256 i; i < quorums.length; ++i) {
            Quorum memory quorum = quorums[i];
            if (memberOf >> quorum.number & 1 == 0) continue;
            if (quorum.nextIndex == quorum.endOfIndices) revert ArrayLengthMismatch();
            uint256 stake;
            assembly ("memory-safe") {
                // The arguments are the quorum's number, the block, the id and the index.
                mstore(add(request, 0x24), mload(quorum))
                mstore(add(request, 0x64), id)
                mstore(add(request, 0x84), calldataload(mload(add(quorum, 0x40))))
                if iszero(
                    and(
                        gt(returndatasize(), 0x1f),
                        staticcall(gas(), registry, add(request, 0x20), mload(request), 0, 0x20)
                    )
                ) {
                    let free := mload(0x40)
                    returndatacopy(free, 0, returndatasize())
                    revert(free, returndatasize())
                }
                stake := mload(0)
            }
            quorum.signedStake -= stake;
            quorum.nextIndex += 32;
            ++times;
        }
    }

    /// @dev What is left of the quorums' stakes. All stake indices must have been used.
    function _signedStake(Quorum[] memory quorums) private pure returns (uint96[] memory signedStake) {
        signedStake = new uint96[](quorums.length);
        for (uint256 i; i < quorums.length; ++i) {
            if (quorums[i].nextIndex != quorums[i].endOfIndices) revert ArrayLengthMismatch();
            signedStake[i] = uint96(quorums[i].signedStake);
        }
    }
}
