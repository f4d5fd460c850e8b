// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IStakeRegistry} from "../sol/eigenlayer/IStakeRegistry.sol";
import {StakeHistory} from "../sol/libraries/StakeHistory.sol";
import {EigenLayerFixture} from "./fixtures/EigenLayerFixture.sol";

/// @notice The library, as a contract.
contract Stakes {
    function totalStakeAt(IStakeRegistry registry, uint8 quorumNumber, uint256 blockNumber, uint256 index)
        external
        view
        returns (bool exists, uint256 stake)
    {
        return StakeHistory.totalStakeAt(registry, quorumNumber, blockNumber, index);
    }
}

/// @notice On the real registry.
contract StakeHistoryTest is EigenLayerFixture {
    Stakes private _stakes = new Stakes();
    uint256 private _start;

    function setUp() public {
        _deployAll();
        _start = vm.getBlockNumber();
        vm.roll(_start + 5);
        _createQuorum(LOOK_AHEAD);
        vm.roll(_start + 10);
        _addOperator(1, 100 ether, hex"00");
        vm.roll(vm.getBlockNumber() + 10);
        _addOperator(2, 50 ether, hex"00");
        vm.roll(vm.getBlockNumber() + 10);
        _deregister(0, hex"00");
        vm.roll(vm.getBlockNumber() + 10);
    }

    /// @dev At each block one entry can be proved, and it says what the registry says.
    function test_oneStakeAtEachBlock() public view {
        uint256 length = stakeRegistry.getTotalStakeHistoryLength(0);
        assertGe(length, 4);
        for (uint256 number = _start; number < vm.getBlockNumber(); ++number) {
            uint256 proved;
            for (uint256 index; index < length + 2; ++index) {
                try _stakes.totalStakeAt(stakeRegistry, 0, number, index) returns (bool exists, uint256 stake) {
                    ++proved;
                    assertEq(exists, number >= _start + 5);
                    if (!exists) continue;
                    assertEq(stake, stakeRegistry.getTotalStakeAtBlockNumberFromIndex(0, uint32(number), index));
                } catch {}
            }
            assertEq(proved, 1);
        }
    }

    function test_entryThatWasNotInForce_refused() public {
        uint256 last = stakeRegistry.getTotalStakeHistoryLength(0) - 1;
        uint256 since = stakeRegistry.getTotalStakeUpdateAtIndex(0, last).updateBlockNumber;
        vm.expectRevert(abi.encodeWithSelector(StakeHistory.StakeUpdateNotInForce.selector, last - 1, since));
        _stakes.totalStakeAt(stakeRegistry, 0, since, last - 1);
        vm.expectRevert(abi.encodeWithSelector(StakeHistory.StakeUpdateNotInForce.selector, last, since - 1));
        _stakes.totalStakeAt(stakeRegistry, 0, since - 1, last);
    }

    function test_entryThatIsNot_refused() public {
        uint256 length = stakeRegistry.getTotalStakeHistoryLength(0);
        vm.expectRevert(abi.encodeWithSelector(StakeHistory.NoSuchStakeUpdate.selector, length, length));
        _stakes.totalStakeAt(stakeRegistry, 0, _start + 20, length);
    }

    function test_quorumWithoutHistory_hasNoStake() public {
        (bool exists, uint256 stake) = _stakes.totalStakeAt(stakeRegistry, 9, _start + 20, 0);
        assertTrue(!exists && stake == 0);
        vm.expectRevert(abi.encodeWithSelector(StakeHistory.NoSuchStakeUpdate.selector, 1, 0));
        _stakes.totalStakeAt(stakeRegistry, 9, _start + 20, 1);
    }
}
