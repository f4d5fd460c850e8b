// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ISafetyFactorModels} from "../sol/interfaces/ISafetyFactorModels.sol";
import {ModelMath} from "../sol/libraries/ModelMath.sol";
import {ModelFixture} from "./fixtures/ModelFixture.sol";

/// @notice A contract that does with models what one that settles a dispute does.
contract ModelReader {
    function read(ISafetyFactorModels models, bytes32 modelHash) external view returns (uint256) {
        return models.getModel(modelHash).terms.length;
    }

    function evaluate(ISafetyFactorModels.ReadTerm[] memory terms)
        external
        pure
        returns (ISafetyFactorModels.Outcome, int256)
    {
        return ModelMath.evaluate(terms);
    }
}

/// @notice Gas of models, committed in snapshots/SafetyFactorModels.json. `just test-contracts` tells of any change.
contract ModelGasTest is ModelFixture {
    uint256[3] private _counts = [uint256(1), 5, 20];
    bytes32[3] private _hashes;
    ModelReader private reader = new ModelReader();

    function setUp() public {
        _deployModels();
        for (uint256 i; i < _counts.length; ++i) {
            _hashes[i] = _add(_modelOf(_counts[i]));
        }
    }

    function test_gas_addModel() public {
        for (uint256 i; i < _counts.length; ++i) {
            ISafetyFactorModels.Model memory model = _modelOf(_counts[i]);
            // Another model than the one that is there.
            model.terms[0].decimals = 9;
            _add(model);
            vm.snapshotGasLastCall("SafetyFactorModels", _name("addModel", i));
        }
    }

    /// @dev What a contract that settles a dispute pays: the call, with everything cold, and decoding what it returns.
    function test_gas_getModel_1Term() public {
        _getModel(0);
    }

    function test_gas_getModel_5Terms() public {
        _getModel(1);
    }

    function test_gas_getModel_20Terms() public {
        _getModel(2);
    }

    function test_gas_evaluate() public {
        for (uint256 i; i < _counts.length; ++i) {
            ISafetyFactorModels.ReadTerm[] memory terms = _read(_modelOf(_counts[i]));
            reader.evaluate(terms);
            vm.snapshotGasLastCall("SafetyFactorModels", _name("ModelMath.evaluate", i));
        }
    }

    function _getModel(uint256 which) private {
        bytes32 modelHash = _hashes[which];
        string memory name = _name("getModel by a contract", which);
        reader.read(models, modelHash);
        vm.snapshotGasLastCall("SafetyFactorModels", name);
    }

    function _name(string memory what, uint256 which) private view returns (string memory) {
        uint256 count = _counts[which];
        return string.concat(what, ", ", vm.toString(count), count == 1 ? " term" : " terms");
    }

    function _read(ISafetyFactorModels.Model memory model)
        private
        pure
        returns (ISafetyFactorModels.ReadTerm[] memory terms)
    {
        terms = new ISafetyFactorModels.ReadTerm[](model.terms.length);
        for (uint256 i; i < terms.length; ++i) {
            ISafetyFactorModels.Term memory term = model.terms[i];
            ISafetyFactorModels.Reading memory amount;
            ISafetyFactorModels.Reading memory price;
            (amount.value, price.value) = (1e24, 2_000e8);
            terms[i] = ISafetyFactorModels.ReadTerm(term.side, amount, price, term.shareBps, term.decimals);
        }
    }
}
