// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {TransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

import {SafetyFactorModels} from "../sol/SafetyFactorModels.sol";
import {ISafetyFactorModels} from "../sol/interfaces/ISafetyFactorModels.sol";
import {LocalPriceFeed} from "../sol/local/LocalPriceFeed.sol";
import {ModelFixture} from "./fixtures/ModelFixture.sol";
import {Phases} from "./fixtures/Phases.sol";

contract SafetyFactorModelsTest is ModelFixture {
    function setUp() public {
        _deployModels();
    }

    // ---------------------------------------------------------------------------------------------------- administration

    function test_initialize_revertsWithInvalidInitialization() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        models.initialize(admin);
        SafetyFactorModels implementation = new SafetyFactorModels();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(admin);
    }

    function test_initialize_revertsWithZeroAddress() public {
        address implementation = address(new SafetyFactorModels());
        vm.expectRevert(ISafetyFactorModels.ZeroAddress.selector);
        new TransparentUpgradeableProxy(
            implementation, admin, abi.encodeCall(SafetyFactorModels.initialize, (address(0)))
        );
    }

    function test_fuzz_administration_revertsWithAccessControlUnauthorizedAccount(address caller) public {
        vm.assume(caller != admin && caller != _proxyAdmin());
        bytes[3] memory calls = [
            abi.encodeCall(models.addModel, (_modelOf(1))),
            abi.encodeCall(models.allowStakeRegistry, (feed)),
            abi.encodeCall(models.forbidStakeRegistry, (stakeRegistry))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(caller);
            (bool success, bytes memory reason) = address(models).call(calls[i]);
            assertFalse(success);
            assertEq(
                reason,
                abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, bytes32(0))
            );
        }
    }

    function test_allowStakeRegistry() public {
        vm.expectEmit(address(models));
        emit ISafetyFactorModels.StakeRegistryAllowed(market);
        vm.prank(admin);
        models.allowStakeRegistry(market);
        assertTrue(models.isStakeRegistryAllowed(market));
        address[] memory allowed = models.allowedStakeRegistries();
        assertEq(allowed.length, 2);
        assertEq(allowed[0], stakeRegistry);
        assertEq(allowed[1], market);
    }

    function test_allowStakeRegistry_revertsWithStakeRegistryIsAllowed() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorModels.StakeRegistryIsAllowed.selector, stakeRegistry));
        vm.prank(admin);
        models.allowStakeRegistry(stakeRegistry);
    }

    function test_allowStakeRegistry_revertsWithNotAContract() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorModels.NotAContract.selector, address(0)));
        vm.prank(admin);
        models.allowStakeRegistry(address(0));
    }

    function test_forbidStakeRegistry_leavesModelsAsTheyAre() public {
        bytes32 modelHash = _add(_modelOf(1));
        vm.expectEmit(address(models));
        emit ISafetyFactorModels.StakeRegistryForbidden(stakeRegistry);
        vm.prank(admin);
        models.forbidStakeRegistry(stakeRegistry);
        assertFalse(models.isStakeRegistryAllowed(stakeRegistry));
        assertEq(models.allowedStakeRegistries().length, 0);
        assertEq(abi.encode(models.getModel(modelHash)), abi.encode(_modelOf(1)));
    }

    function test_forbidStakeRegistry_revertsWithStakeRegistryNotAllowed() public {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorModels.StakeRegistryNotAllowed.selector, market));
        vm.prank(admin);
        models.forbidStakeRegistry(market);
    }

    // ------------------------------------------------------------------------------------------------------------ models

    function test_addModel() public {
        ISafetyFactorModels.Model memory model = _modelOf(_storageSlot(0, 32, 4));
        bytes32 expected = keccak256(abi.encode(model));
        assertFalse(models.exists(expected));
        vm.expectEmit(address(models));
        emit ISafetyFactorModels.ModelAdded(expected, true, model);
        assertEq(_add(model), expected);
        assertTrue(models.exists(expected));
        assertTrue(models.isProvable(expected));
        assertEq(abi.encode(models.getModel(expected)), abi.encode(model));
    }

    function test_addModel_withAViewCallIsNotProvable() public {
        assertFalse(models.isProvable(_add(_modelOf(_viewCall(market, 256)))));
        ISafetyFactorModels.Model memory model = _modelOf(1);
        model.terms[0].price = _viewCall(market, 4);
        assertFalse(models.checkModel(model));
        assertFalse(models.isProvable(_add(model)));
    }

    /// @dev Sources of the longest kinds that the bounds admit.
    function test_addModel_keepsTheLongestModel() public {
        ISafetyFactorModels.Model memory model = _modelOf(20);
        for (uint256 i; i < 20; ++i) {
            model.terms[i] = _term(_viewCall(market, 256), _viewCall(market, 256));
        }
        (model.terms[0].amount, model.terms[1].amount) = (_storageSlot(0, 32, 4), _storageSlot(0, 32, 2));
        assertEq(abi.encode(model).length, 23_392);
        assertEq(abi.encode(models.getModel(_add(model))), abi.encode(model));
    }

    function test_fuzz_addModel_keepsWhatWasAdded(
        uint256 count,
        uint256 value,
        uint8 quorumNumber,
        uint32 maxAge,
        uint16 phaseId
    ) public {
        count = bound(count, 1, 20);
        ISafetyFactorModels.Model memory model = _modelOf(count);
        for (uint256 i; i < count; ++i) {
            if (i % 3 == 1) model.terms[i].amount = _constant(value);
            if (i % 3 == 2) model.terms[i].side = ISafetyFactorModels.Side.Profit;
            model.terms[i].shareBps = uint32(bound(value, 1, 10_000));
            model.terms[i].decimals = uint8(bound(value, 0, 60));
        }
        model.terms[0].amount.data = abi.encode(stakeRegistry, quorumNumber);
        _begin(phaseId);
        model.terms[0].price.data = abi.encode(feed, phaseId, bound(maxAge, 1, type(uint32).max));
        bytes32 modelHash = _add(model);
        assertEq(modelHash, keccak256(abi.encode(model)));
        assertEq(abi.encode(models.getModel(modelHash)), abi.encode(model));
    }

    function test_addModel_revertsWithModelExists() public {
        bytes32 modelHash = _add(_modelOf(1));
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorModels.ModelExists.selector, modelHash));
        _add(_modelOf(1));
    }

    function test_views_revertWithUnknownModel() public {
        bytes memory unknown = abi.encodeWithSelector(ISafetyFactorModels.UnknownModel.selector, bytes32(uint256(1)));
        vm.expectRevert(unknown);
        models.getModel(bytes32(uint256(1)));
        vm.expectRevert(unknown);
        models.isProvable(bytes32(uint256(1)));
    }

    /// @dev Whoever calls a model's contract gets nothing, and it stays.
    function test_addModel_storesNoCode() public {
        address data = vm.computeCreateAddress(address(models), vm.getNonce(address(models)));
        bytes32 modelHash = _add(_modelOf(1));
        (bool success, bytes memory returned) = data.call(abi.encode(modelHash));
        assertTrue(success);
        assertEq(returned.length, 0);
        assertEq(data.code, bytes.concat(hex"00", abi.encode(_modelOf(1))));
    }

    // ------------------------------------------------------------------------------------------------------------ bounds

    function test_checkModel_revertsWithTermCountOutOfRange() public {
        _refused(_modelOf(0), abi.encodeWithSelector(ISafetyFactorModels.TermCountOutOfRange.selector, 0));
        assertTrue(models.checkModel(_modelOf(20)));
        _refused(_modelOf(21), abi.encodeWithSelector(ISafetyFactorModels.TermCountOutOfRange.selector, 21));
    }

    function test_checkModel_revertsWithNoCostTerm() public {
        ISafetyFactorModels.Model memory model = _modelOf(1);
        model.terms[0].side = ISafetyFactorModels.Side.Profit;
        _refused(model, abi.encodeWithSelector(ISafetyFactorModels.NoCostTerm.selector));
    }

    function test_checkModel_revertsWithShareOutOfRange() public {
        ISafetyFactorModels.Model memory model = _modelOf(2);
        model.terms[1].shareBps = 10_000;
        assertTrue(models.checkModel(model));
        model.terms[1].shareBps = 10_001;
        _refused(model, abi.encodeWithSelector(ISafetyFactorModels.ShareOutOfRange.selector, 1, 10_001));
        model.terms[1].shareBps = 0;
        _refused(model, abi.encodeWithSelector(ISafetyFactorModels.ShareOutOfRange.selector, 1, 0));
    }

    function test_checkModel_revertsWithTooManyDecimals() public {
        ISafetyFactorModels.Model memory model = _modelOf(2);
        model.terms[1].decimals = 60;
        assertTrue(models.checkModel(model));
        model.terms[1].decimals = 61;
        _refused(model, abi.encodeWithSelector(ISafetyFactorModels.TooManyDecimals.selector, 1, 61));
    }

    function test_checkModel_revertsWithTooManySlots() public {
        ISafetyFactorModels.Model memory model = _modelOf(2);
        model.terms[0].amount = _storageSlot(0, 32, 4);
        model.terms[1].price = _storageSlot(0, 32, 2);
        assertTrue(models.checkModel(model));
        model.terms[1].price = _storageSlot(0, 32, 3);
        _refused(model, abi.encodeWithSelector(ISafetyFactorModels.TooManySlots.selector, 9));
    }

    function test_checkModel_revertsWithStakeRegistryNotAllowed() public {
        _refused(
            _modelOf(_quorumStake(market)),
            abi.encodeWithSelector(ISafetyFactorModels.StakeRegistryNotAllowed.selector, market)
        );
    }

    function test_checkModel_revertsWithNoMaxAge() public {
        _refused(_modelOf(_feedRound(feed, 0)), abi.encodeWithSelector(ISafetyFactorModels.NoMaxAge.selector, 1));
    }

    /// @dev A phase that has not begun, and what is no feed at all.
    function test_checkModel_revertsWithFeedUnreadable() public {
        bytes4 selector = ISafetyFactorModels.FeedUnreadable.selector;
        _refused(_modelOf(_feedRound(feed, 7, 60)), abi.encodeWithSelector(selector, 1, feed, 7));
        Phases(feed).setPhase(7, new LocalPriceFeed("PRICE / USD", address(this)));
        _refused(_modelOf(_feedRound(feed, 7, 60)), abi.encodeWithSelector(selector, 1, feed, 7));
        _refused(_modelOf(_feedRound(market, 0, 60)), abi.encodeWithSelector(selector, 1, market, 0));
        _begin(7);
        assertTrue(models.checkModel(_modelOf(_feedRound(feed, 7, 60))));
    }

    function test_checkModel_revertsWithSourceNotAContract() public {
        bytes memory e = abi.encodeWithSelector(ISafetyFactorModels.SourceNotAContract.selector, 1, admin);
        _refused(_modelOf(_feedRound(admin, 1)), e);
        _refused(_modelOf(_viewCall(admin, 4)), e);
        address known = market;
        market = admin;
        _refused(_modelOf(_storageSlot(0, 32, 0)), e);
        ISafetyFactorModels.Source memory source = _storageSlot(0, 32, 1);
        // Its account is known, that of its guard is not.
        source.data = _replaceWord(source.data, 1, bytes32(uint256(uint160(known))));
        _refused(_modelOf(source), e);
    }

    function test_checkModel_revertsWithFieldOutOfRange() public {
        uint8[2][5] memory outside = [[0, 0], [0, 33], [1, 32], [32, 1], [255, 255]];
        for (uint256 i; i < outside.length; ++i) {
            (uint8 offset, uint8 width) = (outside[i][0], outside[i][1]);
            _refused(
                _modelOf(_storageSlot(offset, width, 0)),
                abi.encodeWithSelector(ISafetyFactorModels.FieldOutOfRange.selector, 1, offset, width)
            );
        }
        assertTrue(models.checkModel(_modelOf(_storageSlot(0, 32, 0))));
        assertTrue(models.checkModel(_modelOf(_storageSlot(31, 1, 0))));
    }

    function test_checkModel_revertsWithTooManyGuards() public {
        assertTrue(models.checkModel(_modelOf(_storageSlot(0, 32, 4))));
        _refused(
            _modelOf(_storageSlot(0, 32, 5)), abi.encodeWithSelector(ISafetyFactorModels.TooManyGuards.selector, 1, 5)
        );
    }

    function test_checkModel_revertsWithCallDataTooLong() public {
        assertFalse(models.checkModel(_modelOf(_viewCall(market, 256))));
        _refused(
            _modelOf(_viewCall(market, 257)),
            abi.encodeWithSelector(ISafetyFactorModels.CallDataTooLong.selector, 1, 257)
        );
    }

    // -------------------------------------------------------------------------------------------------------- encodings

    function test_checkModel_revertsWithSourceNotCanonical_bytesMissingOrInExcess() public {
        ISafetyFactorModels.Source[5] memory sources = _oneOfEachKind();
        for (uint256 i; i < sources.length; ++i) {
            bytes memory data = sources[i].data;
            _notCanonical(sources[i].kind, "");
            _notCanonical(sources[i].kind, bytes.concat(data, hex"00"));
            _notCanonical(sources[i].kind, bytes.concat(data, bytes32(0)));
            _notCanonical(sources[i].kind, _firstBytes(data, data.length - 1));
            _notCanonical(sources[i].kind, _firstBytes(data, data.length - 32));
        }
    }

    function test_checkModel_revertsWithSourceNotCanonical_valuesWiderThanTheirType() public {
        bytes32 wide = bytes32(type(uint256).max);
        ISafetyFactorModels.Source[5] memory sources = _oneOfEachKind();
        for (uint256 i; i < sources.length; ++i) {
            for (uint256 word; word < sources[i].data.length / 32; ++word) {
                if (!_isFull(sources[i].kind, word)) {
                    _notCanonical(sources[i].kind, _replaceWord(sources[i].data, word, wide));
                }
            }
        }
    }

    function test_checkModel_revertsWithSourceNotCanonical_movedParts() public {
        // The same guards and the same call, but with a gap before them.
        bytes memory data = _storageSlot(0, 32, 0).data;
        data = bytes.concat(_replaceWord(data, 5, bytes32(uint256(0xc0))), bytes32(0));
        assertEq(abi.decode(data, (ISafetyFactorModels.StorageSlotSource)).guards.length, 0);
        _notCanonical(ISafetyFactorModels.SourceKind.StorageSlot, data);
        data = bytes.concat(_replaceWord(_viewCall(market, 0).data, 2, bytes32(uint256(0x60))), bytes32(0));
        assertEq(abi.decode(data, (ISafetyFactorModels.ViewCallSource)).callData.length, 0);
        _notCanonical(ISafetyFactorModels.SourceKind.ViewCall, data);
    }

    function test_checkModel_revertsWithSourceNotCanonical_paddingThatIsNotZero() public {
        bytes memory data = _viewCall(market, 4).data;
        data[data.length - 1] = 0x01;
        _notCanonical(ISafetyFactorModels.SourceKind.ViewCall, data);
    }

    function test_fuzz_checkModel_revertsWithSourceNotCanonical(uint8 kind, bytes calldata data) public {
        // 32 bytes are a constant, whatever they are.
        vm.assume(data.length != 32);
        _notCanonical(ISafetyFactorModels.SourceKind(bound(kind, 0, 4)), data);
    }

    /// @dev Two models of one meaning would have two hashes, so any other byte is another meaning, or refused.
    function test_fuzz_canonicalData_isInjective(uint8 which, uint256 position, uint8 value) public view {
        ISafetyFactorModels.Source memory source = _oneOfEachKind()[bound(which, 0, 4)];
        source.data[bound(position, 0, source.data.length - 1)] = bytes1(value);
        try models.canonicalData(source) returns (bytes memory canonical) {
            (bool accepted,) = address(models).staticcall(abi.encodeCall(models.checkModel, (_modelOf(source))));
            if (accepted) assertEq(canonical, source.data);
        } catch {}
    }

    /// @dev Data of a kind that there is not never reaches a model.
    function test_addModel_revertsWithoutAReasonForAnUnknownKind() public {
        bytes memory call = abi.encodeCall(models.addModel, (_modelOf(1)));
        // selector, offset, model's offset, count, offset; side, offset of amount, of price, share, decimals; the kind.
        uint256 kindAt = 4 + 9 * 32;
        assertEq(call[kindAt + 31], bytes1(uint8(ISafetyFactorModels.SourceKind.QuorumStake)));
        call[kindAt + 31] = 0x05;
        vm.prank(admin);
        (bool success, bytes memory reason) = address(models).call(call);
        assertFalse(success);
        assertEq(reason.length, 0);
    }

    /// @dev Words that are 32 bytes wide: the constant; the slot, a guard's slot and value; the call data.
    function _isFull(ISafetyFactorModels.SourceKind kind, uint256 word) private pure returns (bool) {
        if (kind == ISafetyFactorModels.SourceKind.Constant) return true;
        if (kind == ISafetyFactorModels.SourceKind.StorageSlot) return word == 2 || word == 8 || word == 9;
        return kind == ISafetyFactorModels.SourceKind.ViewCall && word == 4;
    }

    function _oneOfEachKind() private view returns (ISafetyFactorModels.Source[5] memory) {
        return [
            _constant(1),
            _quorumStake(stakeRegistry),
            _feedRound(feed, 60),
            _storageSlot(0, 32, 1),
            _viewCall(market, 32)
        ];
    }

    function _refused(ISafetyFactorModels.Model memory model, bytes memory e) private {
        vm.expectRevert(e);
        models.checkModel(model);
        vm.expectRevert(e);
        _add(model);
    }

    function _notCanonical(ISafetyFactorModels.SourceKind kind, bytes memory data) private {
        vm.expectRevert(abi.encodeWithSelector(ISafetyFactorModels.SourceNotCanonical.selector, 1, kind));
        models.checkModel(_modelOf(_source(kind, data)));
    }

    function _replaceWord(bytes memory data, uint256 index, bytes32 word) private pure returns (bytes memory changed) {
        changed = bytes.concat(data);
        assembly ("memory-safe") {
            mstore(add(add(changed, 0x20), mul(index, 0x20)), word)
        }
    }

    function _firstBytes(bytes memory data, uint256 length) private pure returns (bytes memory first) {
        first = new bytes(length);
        for (uint256 i; i < length; ++i) {
            first[i] = data[i];
        }
    }

    /// @dev The owner of the proxy may only upgrade it.
    function _proxyAdmin() private view returns (address) {
        bytes32 slot = 0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103;
        return address(uint160(uint256(vm.load(address(models), slot))));
    }
}
