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
        uint256 count;
        for (; vm.keyExistsJson(_json, _at("accepted", count)); ++count) {
            string memory entry = _at("accepted", count);
            string memory name = _string(entry, ".name");
            bytes memory encoded = _bytes(entry, ".encoded");
            bytes32 modelHash = _add(abi.decode(encoded, (ISafetyFactorModels.Model)));
            assertEq(modelHash, vm.parseJsonBytes32(_json, string.concat(entry, ".hash")), name);
            assertEq(abi.encode(models.getModel(modelHash)), encoded, name);
            bool provable = vm.parseJsonBool(_json, string.concat(entry, ".provable"));
            assertEq(models.isProvable(modelHash), provable, name);
        }
        assertEq(count, 4);
    }

    function test_refused() public {
        uint256 count;
        for (; vm.keyExistsJson(_json, _at("refused", count)); ++count) {
            string memory entry = _at("refused", count);
            ISafetyFactorModels.Model memory model = abi.decode(_bytes(entry, ".encoded"), (ISafetyFactorModels.Model));
            (bool success, bytes memory reason) = address(models).staticcall(abi.encodeCall(models.checkModel, (model)));
            assertFalse(success, _string(entry, ".name"));
            assertEq(bytes4(reason), _selector(_string(entry, ".error")), _string(entry, ".name"));
        }
        assertGt(count, 40);
    }

    function test_evaluations() public view {
        uint256 count;
        for (; vm.keyExistsJson(_json, _at("evaluations", count)); ++count) {
            string memory entry = _at("evaluations", count);
            ISafetyFactorModels.ReadTerm[] memory terms =
                abi.decode(_bytes(entry, ".terms"), (ISafetyFactorModels.ReadTerm[]));
            (ISafetyFactorModels.Outcome outcome, int256 safetyFactor) = models.evaluate(terms);
            assertEq(uint256(outcome), _uint(entry, ".outcome"), _string(entry, ".name"));
            int256 expected = vm.parseJsonInt(_json, string.concat(entry, ".safetyFactor"));
            assertEq(safetyFactor, expected, _string(entry, ".name"));
        }
        assertGt(count, 40);
    }

    function test_randomEvaluations() public view {
        uint256[] memory outcomes = vm.parseJsonUintArray(_json, ".random.outcomes");
        int256[] memory safetyFactors = vm.parseJsonIntArray(_json, ".random.safetyFactors");
        assertEq(outcomes.length, 512);
        for (uint256 i; i < outcomes.length; ++i) {
            (ISafetyFactorModels.Outcome outcome, int256 safetyFactor) = models.evaluate(RandomTerms.terms(bytes32(i)));
            assertEq(uint256(outcome), outcomes[i], vm.toString(i));
            assertEq(safetyFactor, safetyFactors[i], vm.toString(i));
        }
    }

    function test_feeds() public view {
        uint256 count;
        for (; vm.keyExistsJson(_json, _at("feeds", count)); ++count) {
            string memory entry = _at("feeds", count);
            ISafetyFactorModels.Reading memory reading = ModelMath.readingOfFeed(
                vm.parseJsonInt(_json, string.concat(entry, ".answer")),
                _uint(entry, ".age"),
                uint32(_uint(entry, ".maxAge"))
            );
            assertEq(uint256(reading.outcome), _uint(entry, ".outcome"), entry);
            assertEq(reading.value, _uint(entry, ".value"), entry);
        }
        assertEq(count, 9);
    }

    function test_fields() public view {
        uint256 count;
        for (; vm.keyExistsJson(_json, _at("fields", count)); ++count) {
            string memory entry = _at("fields", count);
            bytes32 word = vm.parseJsonBytes32(_json, string.concat(entry, ".word"));
            uint256 value = ModelMath.fieldOf(word, uint8(_uint(entry, ".offset")), uint8(_uint(entry, ".width")));
            assertEq(value, _uint(entry, ".value"), entry);
        }
        assertEq(count, 8);
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

    function _at(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(index), "]");
    }

    function _string(string memory entry, string memory key) private view returns (string memory) {
        return vm.parseJsonString(_json, string.concat(entry, key));
    }

    function _bytes(string memory entry, string memory key) private view returns (bytes memory) {
        return vm.parseJsonBytes(_json, string.concat(entry, key));
    }

    function _uint(string memory entry, string memory key) private view returns (uint256) {
        return vm.parseJsonUint(_json, string.concat(entry, key));
    }
}
