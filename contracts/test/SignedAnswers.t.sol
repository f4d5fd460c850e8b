// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {IAnzenDisputes} from "../sol/interfaces/IAnzenDisputes.sol";
import {IAnzenTaskManager} from "../sol/interfaces/IAnzenTaskManager.sol";
import {IBLSSignatureChecker} from "../sol/interfaces/IBLSSignatureChecker.sol";
import {BN254} from "../sol/libraries/BN254.sol";
import {DisputesFixture} from "./fixtures/DisputesFixture.sol";

/// @notice Signatures that are shown as an operator's answer, to attest it or to prove that it signed two, and are not.
contract SignedAnswersTest is DisputesFixture {
    IAnzenTaskManager.Task private task;

    function setUp() public {
        _deployDisputes();
        _setPolicy(hex"0001");
        task = _createTask(hex"0001");
    }

    function test_attest_revertsWithAttestWindowOver() public {
        uint256 last = task.createdBlock + _windows().response;
        IAnzenDisputes.SignedAnswer memory answer = _signed(task, 4, 1);
        IAnzenDisputes.OperatorKey memory key = _key(4);
        vm.roll(last + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AttestWindowOver.selector, last));
        disputes.attest(task, answer, key);
    }

    function test_attest_revertsWithInvalidSignature() public {
        IAnzenDisputes.SignedAnswer memory answer = _signed(task, 4, 1);
        IAnzenDisputes.OperatorKey memory key = _key(0);
        vm.expectRevert(IBLSSignatureChecker.InvalidSignature.selector);
        disputes.attest(task, answer, key);
    }

    function test_attest_revertsWithUnknownTask() public {
        task.referenceBlock -= 1;
        bytes32 taskHash = keccak256(abi.encode(task));
        IAnzenDisputes.SignedAnswer memory answer = _signed(task, 4, 1);
        IAnzenDisputes.OperatorKey memory key = _key(4);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.UnknownTask.selector, taskHash));
        disputes.attest(task, answer, key);
    }

    function test_attest_twice() public {
        IAnzenDisputes.SignedAnswer memory answer = _signed(task, 4, 1);
        IAnzenDisputes.OperatorKey memory key = _key(4);
        disputes.attest(task, answer, key);
        vm.expectRevert(abi.encodeWithSelector(IAnzenDisputes.AlreadyAttested.selector, operators[4].id));
        disputes.attest(task, answer, key);
    }

    /// @dev A key that nobody registered attests for nobody.
    function test_attest_byAStrangersKey() public {
        operators.push(Operator({account: anyone, secret: 64, id: _id(_g1(64))}));
        disputes.attest(task, _signed(task, 6, 1), _key(6));
        bytes32 taskHash = keccak256(abi.encode(task));
        for (uint256 i; i < 6; ++i) {
            assertFalse(disputes.hasAttested(taskHash, operators[i].id));
        }
    }

    function test_answersOfAnotherChain() public {
        uint256 chain = block.chainid;
        vm.chainId(chain + 1);
        IAnzenDisputes.SignedAnswer memory elsewhere = _signed(task, 0, 2);
        vm.chainId(chain);
        _assertRefused(elsewhere, _key(0));
    }

    function test_answersOfAnotherContract() public {
        _assertRefused(_signedFor(address(disputes), keccak256(abi.encode(task)), 2), _key(0));
    }

    function test_answersToAnotherTask() public {
        _assertRefused(_signedFor(address(taskManager), keccak256("another task"), 2), _key(0));
    }

    /// @dev The answer that was signed is not the one that is shown.
    function test_answersOfAnotherValue() public {
        IAnzenDisputes.SignedAnswer memory answer = _signed(task, 0, 2);
        answer.safetyFactor = 3;
        _assertRefused(answer, _key(0));
    }

    /// @dev The key in G1 is the operator's, the one in G2 that of whoever signed.
    function test_keysThatDoNotBelongTogether() public {
        IAnzenDisputes.OperatorKey memory key = _key(0);
        key.g2 = _g2(operators[1].secret);
        _assertRefused(_signed(task, 1, 2), key);
    }

    /// @dev The key of nobody, under which the signature of nothing would be valid for everything.
    function test_theIdentityAsAKey() public {
        IAnzenDisputes.SignedAnswer memory nothing;
        IAnzenDisputes.OperatorKey memory nobody;
        vm.expectRevert(IBLSSignatureChecker.SignersKeyIsIdentity.selector);
        disputes.attest(task, nothing, nobody);
    }

    function testFuzz_anySignature(uint256 x, uint256 y, int256 value) public {
        IAnzenDisputes.SignedAnswer memory answer = IAnzenDisputes.SignedAnswer(value, BN254.G1Point(x, y));
        IAnzenDisputes.OperatorKey memory key = _key(0);
        vm.expectRevert();
        disputes.attest(task, answer, key);
    }

    function _assertRefused(IAnzenDisputes.SignedAnswer memory answer, IAnzenDisputes.OperatorKey memory key) private {
        IAnzenDisputes.SignedAnswer memory own = _signed(task, 0, 1);
        vm.expectRevert(IBLSSignatureChecker.InvalidSignature.selector);
        disputes.attest(task, answer, key);
        vm.expectRevert(IBLSSignatureChecker.InvalidSignature.selector);
        disputes.proveEquivocation(task, answer, own, key, 0);
    }

    /// @dev What operator 0 signed for another contract, or about another task.
    function _signedFor(address verifyingContract, bytes32 taskHash, int256 value)
        private
        view
        returns (IAnzenDisputes.SignedAnswer memory)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("AnzenTaskManager"),
                keccak256("1"),
                block.chainid,
                verifyingContract
            )
        );
        bytes32 response =
            keccak256(abi.encode(keccak256("TaskResponse(bytes32 taskHash,int256 safetyFactor)"), taskHash, value));
        bytes32 digest = MessageHashUtils.toTypedDataHash(domain, response);
        return IAnzenDisputes.SignedAnswer({safetyFactor: value, sigma: _sign(operators[0].secret, digest)});
    }
}
