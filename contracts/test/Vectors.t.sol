// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnzenTaskManager} from "../sol/interfaces/IAnzenTaskManager.sol";
import {IBLSSignatureChecker} from "../sol/interfaces/IBLSSignatureChecker.sol";
import {BN254} from "../sol/libraries/BN254.sol";
import {IOperatorStateRetriever} from "./fixtures/EigenLayer.sol";
import {EigenLayerFixture} from "./fixtures/EigenLayerFixture.sol";

/// @notice What the Rust side computed (messages/src/vectors.rs), verified by the contracts.
contract VectorsTest is EigenLayerFixture {
    using BN254 for BN254.G1Point;

    string private _json;

    function setUp() public {
        _deployAll();
        _setUpTwoQuorums();
        _json = vm.readFile("test/vectors/bls.json");
    }

    function test_hashToG1() public view {
        for (uint256 i = 0; i < 4; i++) {
            string memory entry = string.concat(".hashToG1[", vm.toString(i), "]");
            bytes32 digest = vm.parseJsonBytes32(_json, string.concat(entry, ".digest"));
            _assertEq(BN254.hashToG1(digest), _point(string.concat(entry, ".point")));
        }
    }

    function test_keys() public view {
        for (uint256 i = 0; i < 3; i++) {
            string memory entry = string.concat(".keys[", vm.toString(i), "]");
            uint256 secret = vm.parseJsonUint(_json, string.concat(entry, ".secretKey"));
            BN254.G1Point memory g1 = _point(string.concat(entry, ".key.g1"));
            _assertEq(g1, _g1(secret));
            assertEq(_id(g1), vm.parseJsonBytes32(_json, string.concat(entry, ".key.operatorId")));
            _assertEq(_pointG2(string.concat(entry, ".key.g2")), _g2(secret));
        }
    }

    function test_taskHash() public view {
        assertEq(taskManager.hashTask(_task()), vm.parseJsonBytes32(_json, ".taskHash"));
    }

    /// @dev The digest is bound to the chain and to the contract's address, so the contract is put there.
    function test_responseDigest() public {
        address home = vm.parseJsonAddress(_json, ".taskManager");
        assertEq(block.chainid, vm.parseJsonUint(_json, ".chainId"));
        bytes32 slot = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
        address implementation = address(uint160(uint256(vm.load(address(taskManager), slot))));
        bytes memory init = abi.encodeWithSignature(
            "initialize(address,address,address,(uint32,uint32,uint32,uint32,uint32))",
            admin,
            generator,
            pauser,
            _windows()
        );
        deployCodeTo(
            "TransparentUpgradeableProxy.sol:TransparentUpgradeableProxy", abi.encode(implementation, admin, init), home
        );
        bytes32 digest = IAnzenTaskManager(home).responseDigest(_response());
        assertEq(digest, vm.parseJsonBytes32(_json, ".responseDigest"));
        _assertEq(BN254.hashToG1(digest), _point(".message"));
    }

    /// @dev Keys 3 and 5 once, key 9 twice: an operator of two quorums.
    function test_weightedAggregate() public {
        _assertEq(_point(".aggregate.apkG1"), _g1(3 + 5 + 2 * 9));
        _assertEq(_pointG2(".aggregate.apkG2"), _g2(3 + 5 + 2 * 9));
        _assertEq(_point(".aggregate.sigma"), _point(".message").mul(3 + 5 + 2 * 9));
        (bool success, bool equal) =
            this.pairing(_point(".aggregate.sigma"), _point(".message"), _pointG2(".aggregate.apkG2"));
        assertTrue(success && equal);
    }

    /// @dev Only the indices come from the chain, as in actors/src/adapters/alloy_chain/contract.rs. The operators and the
    /// quorums are those of `_setUpTwoQuorums`.
    function test_certificate() public {
        IAnzenTaskManager.Task memory task = _task();
        vm.roll(task.referenceBlock);
        _refresh(task.quorumNumbers);
        vm.roll(task.referenceBlock + 1);
        (uint96[] memory signed, uint96[] memory total, bytes32 record) = taskManager.checkSignatures(
            vm.parseJsonBytes32(_json, ".responseDigest"),
            task.quorumNumbers,
            task.referenceBlock,
            _certificateOfRust(task)
        );
        // Operator 1 (secret 2) signed in neither, operator 4 (16) not in quorum 0.
        assertEq(signed[0], 300 ether);
        assertEq(signed[1], 400 ether);
        assertEq(total[0], 500 ether);
        assertEq(total[1], 500 ether);
        assertEq(record, vm.parseJsonBytes32(_json, ".certificate.signatoryRecordHash"));
    }

    function _certificateOfRust(IAnzenTaskManager.Task memory task)
        private
        view
        returns (IBLSSignatureChecker.NonSignerStakesAndSignature memory c)
    {
        bytes32[] memory ids = vm.parseJsonBytes32Array(_json, ".certificate.nonSignerIds");
        assertEq(ids.length, 2);
        IOperatorStateRetriever.CheckSignaturesIndices memory indices =
            retriever.getCheckSignaturesIndices(address(coordinator), task.referenceBlock, task.quorumNumbers, ids);
        c.nonSignerQuorumBitmapIndices = indices.nonSignerQuorumBitmapIndices;
        c.quorumApkIndices = indices.quorumApkIndices;
        c.totalStakeIndices = indices.totalStakeIndices;
        c.nonSignerStakeIndices = indices.nonSignerStakeIndices;
        c.nonSignerPubkeys = _twoPoints(".certificate.nonSignerPubkeys");
        c.quorumApks = _twoPoints(".certificate.quorumApks");
        c.apkG2 = _pointG2(".certificate.apkG2");
        c.sigma = _point(".certificate.sigma");
    }

    function _twoPoints(string memory path) private view returns (BN254.G1Point[] memory points) {
        points = new BN254.G1Point[](2);
        points[0] = _point(string.concat(path, "[0]"));
        points[1] = _point(string.concat(path, "[1]"));
    }

    function pairing(BN254.G1Point memory left, BN254.G1Point memory right, BN254.G2Point calldata key)
        external
        view
        returns (bool, bool)
    {
        return BN254.pairingEquals(left, right, key);
    }

    function _task() private view returns (IAnzenTaskManager.Task memory task) {
        task.index = uint32(vm.parseJsonUint(_json, ".task.index"));
        task.oracleIndex = uint32(vm.parseJsonUint(_json, ".task.oracleIndex"));
        task.modelHash = vm.parseJsonBytes32(_json, ".task.modelHash");
        task.proposedSafetyFactor = vm.parseJsonInt(_json, ".task.proposedSafetyFactor");
        task.referenceBlock = uint32(vm.parseJsonUint(_json, ".task.referenceBlock"));
        task.referenceBlockHash = vm.parseJsonBytes32(_json, ".task.referenceBlockHash");
        task.createdBlock = uint32(vm.parseJsonUint(_json, ".task.createdBlock"));
        task.quorumNumbers = vm.parseJsonBytes(_json, ".task.quorumNumbers");
        task.quorumThresholdPercentage = uint32(vm.parseJsonUint(_json, ".task.quorumThresholdPercentage"));
    }

    function _response() private view returns (IAnzenTaskManager.TaskResponse memory) {
        return IAnzenTaskManager.TaskResponse(
            vm.parseJsonBytes32(_json, ".response.taskHash"), vm.parseJsonInt(_json, ".response.safetyFactor")
        );
    }

    function _point(string memory path) private view returns (BN254.G1Point memory) {
        return BN254.G1Point(
            vm.parseJsonUint(_json, string.concat(path, ".x")), vm.parseJsonUint(_json, string.concat(path, ".y"))
        );
    }

    function _pointG2(string memory path) private view returns (BN254.G2Point memory point) {
        uint256[] memory words = vm.parseJsonUintArray(_json, path);
        point.X = [words[0], words[1]];
        point.Y = [words[2], words[3]];
    }

    function _assertEq(BN254.G1Point memory a, BN254.G1Point memory b) private pure {
        assertEq(a.X, b.X);
        assertEq(a.Y, b.Y);
    }

    function _assertEq(BN254.G2Point memory a, BN254.G2Point memory b) private pure {
        assertEq(abi.encode(a), abi.encode(b));
    }
}
