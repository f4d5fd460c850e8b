// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ISafetyFactorModels} from "../sol/interfaces/ISafetyFactorModels.sol";
import {ModelMath} from "../sol/libraries/ModelMath.sol";
import {ModelFixture} from "./fixtures/ModelFixture.sol";
import {RandomTerms} from "./fixtures/RandomTerms.sol";

/// @notice What the Rust side encodes and computes (messages/src/model/vectors), asked of the contract behind its proxy.
contract ModelVectorsTest is ModelFixture {
    string private _json;

    function setUp() public {
        _deployModels();
        _json = vm.readFile("test/vectors/models.json");
    }

    function test_accepted() public {
        string[] memory names = _strings(".accepted.name");
        bytes[] memory encoded = vm.parseJsonBytesArray(_json, ".accepted.encoded");
        bytes32[] memory hashes = vm.parseJsonBytes32Array(_json, ".accepted.hash");
        bool[] memory provable = vm.parseJsonBoolArray(_json, ".accepted.provable");
        assertEq(names.length, 4);
        for (uint256 i; i < names.length; ++i) {
            bytes32 modelHash = _add(abi.decode(encoded[i], (ISafetyFactorModels.Model)));
            assertEq(modelHash, hashes[i], names[i]);
            assertEq(abi.encode(models.getModel(modelHash)), encoded[i], names[i]);
            assertEq(models.isProvable(modelHash), provable[i], names[i]);
        }
    }

    function test_refused() public view {
        string[] memory names = _strings(".refused.name");
        bytes[] memory encoded = vm.parseJsonBytesArray(_json, ".refused.encoded");
        string[] memory expected = _strings(".refused.error");
        assertEq(names.length, 45);
        for (uint256 i; i < names.length; ++i) {
            ISafetyFactorModels.Model memory model = abi.decode(encoded[i], (ISafetyFactorModels.Model));
            (bool success, bytes memory reason) = address(models).staticcall(abi.encodeCall(models.checkModel, (model)));
            assertFalse(success, names[i]);
            assertEq(bytes4(reason), _selector(expected[i]), names[i]);
        }
    }

    function test_evaluations() public view {
        string[] memory names = _strings(".evaluations.name");
        bytes[] memory encoded = vm.parseJsonBytesArray(_json, ".evaluations.terms");
        assertEq(names.length, 47);
        ISafetyFactorModels.ReadTerm[][] memory terms = new ISafetyFactorModels.ReadTerm[][](names.length);
        for (uint256 i; i < names.length; ++i) {
            terms[i] = abi.decode(encoded[i], (ISafetyFactorModels.ReadTerm[]));
        }
        _evaluate(terms, ".evaluations.outcome", ".evaluations.safetyFactor", names);
    }

    function test_randomEvaluations() public view {
        ISafetyFactorModels.ReadTerm[][] memory terms = new ISafetyFactorModels.ReadTerm[][](512);
        string[] memory names = new string[](terms.length);
        for (uint256 i; i < terms.length; ++i) {
            terms[i] = RandomTerms.terms(bytes32(i));
            names[i] = vm.toString(i);
        }
        _evaluate(terms, ".random.outcome", ".random.safetyFactor", names);
    }

    function test_feeds() public view {
        int256[] memory answers = vm.parseJsonIntArray(_json, ".feeds.answer");
        uint256[] memory ages = _uints(".feeds.age");
        uint256[] memory maxAges = _uints(".feeds.maxAge");
        uint256[] memory outcomes = _uints(".feeds.outcome");
        uint256[] memory values = _uints(".feeds.value");
        assertEq(answers.length, 9);
        for (uint256 i; i < answers.length; ++i) {
            ISafetyFactorModels.Reading memory reading =
                ModelMath.readingOfFeed(answers[i], ages[i], uint32(maxAges[i]));
            assertEq(uint256(reading.outcome), outcomes[i], vm.toString(i));
            assertEq(reading.value, values[i], vm.toString(i));
        }
    }

    function test_fields() public view {
        bytes32[] memory words = vm.parseJsonBytes32Array(_json, ".fields.word");
        uint256[] memory offsets = _uints(".fields.offset");
        uint256[] memory widths = _uints(".fields.width");
        uint256[] memory values = _uints(".fields.value");
        assertEq(words.length, 8);
        for (uint256 i; i < words.length; ++i) {
            uint256 value = ModelMath.fieldOf(words[i], uint8(offsets[i]), uint8(widths[i]));
            assertEq(value, values[i], vm.toString(i));
        }
    }

    /// @dev Asks the contract what follows from each list of terms, and compares with what the file has.
    function _evaluate(
        ISafetyFactorModels.ReadTerm[][] memory terms,
        string memory outcomesAt,
        string memory safetyFactorsAt,
        string[] memory names
    ) private view {
        uint256[] memory outcomes = _uints(outcomesAt);
        int256[] memory safetyFactors = vm.parseJsonIntArray(_json, safetyFactorsAt);
        assertEq(outcomes.length, terms.length);
        for (uint256 i; i < terms.length; ++i) {
            (ISafetyFactorModels.Outcome outcome, int256 safetyFactor) = models.evaluate(terms[i]);
            assertEq(uint256(outcome), outcomes[i], names[i]);
            assertEq(safetyFactor, safetyFactors[i], names[i]);
        }
    }

    /// @dev Of the error of this name.
    function _selector(string memory name) private pure returns (bytes4) {
        string[11] memory signatures = [
            "TermCountOutOfRange(uint256)",
            "NoCostTerm()",
            "TooManySlots(uint256)",
            "ShareOutOfRange(uint256,uint32)",
            "TooManyDecimals(uint256,uint8)",
            "SourceNotCanonical(uint256,uint8)",
            "SourceNotAContract(uint256,address)",
            "NoMaxAge(uint256)",
            "FieldOutOfRange(uint256,uint8,uint8)",
            "TooManyGuards(uint256,uint256)",
            "CallDataTooLong(uint256,uint256)"
        ];
        for (uint256 i; i < signatures.length; ++i) {
            if (vm.indexOf(signatures[i], string.concat(name, "(")) == 0) {
                return bytes4(keccak256(bytes(signatures[i])));
            }
        }
        revert(name);
    }

    function _strings(string memory path) private view returns (string[] memory) {
        return vm.parseJsonStringArray(_json, path);
    }

    function _uints(string memory path) private view returns (uint256[] memory) {
        return vm.parseJsonUintArray(_json, path);
    }
}
