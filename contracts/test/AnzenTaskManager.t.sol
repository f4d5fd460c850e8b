// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PausableUpgradeable} from "@openzeppelin/contracts-upgradeable/utils/PausableUpgradeable.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

import {AnzenTaskManager} from "../sol/AnzenTaskManager.sol";
import {IAllocationManager} from "../sol/eigenlayer/IAllocationManager.sol";
import {IDelegationManager} from "../sol/eigenlayer/IDelegationManager.sol";
import {IStakeRegistry} from "../sol/eigenlayer/IStakeRegistry.sol";
import {IAnzenTaskManager} from "../sol/interfaces/IAnzenTaskManager.sol";
import {IBLSSignatureChecker} from "../sol/interfaces/IBLSSignatureChecker.sol";
import {ISafetyFactorOracle} from "../sol/interfaces/ISafetyFactorOracle.sol";
import {BN254} from "../sol/libraries/BN254.sol";
import {IStakeRegistryAdmin} from "./fixtures/EigenLayer.sol";
import {EigenLayerFixture} from "./fixtures/EigenLayerFixture.sol";

/// @notice Tasks and their answers, over the real registries; see tree/AnzenTaskManager.tree.
contract AnzenTaskManagerTest is EigenLayerFixture {
    uint256 private constant SUM = 550;

    function setUp() public {
        _deployAll();
        _setUpTwoQuorums();
        _setPolicy(hex"0001");
    }

    // -------------------------------------------------------------------------------------------------- initialisation

    function test_initialize() public view {
        assertTrue(taskManager.hasRole(taskManager.DEFAULT_ADMIN_ROLE(), admin));
        assertTrue(taskManager.hasRole(taskManager.GENERATOR_ROLE(), generator));
        assertTrue(taskManager.hasRole(taskManager.PAUSER_ROLE(), pauser));
        assertEq(keccak256(abi.encode(taskManager.windows())), keccak256(abi.encode(_windows())));
        assertEq(taskManager.maxStakeAge(), 200);
        assertEq(address(taskManager.oracle()), address(oracle));
        assertEq(address(taskManager.registryCoordinator()), address(coordinator));
        assertEq(address(taskManager.stakeRegistry()), address(stakeRegistry));
        assertEq(address(taskManager.blsApkRegistry()), address(apkRegistry));
    }

    function test_initialize_revertsWithInvalidInitialization() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        taskManager.initialize(admin, generator, pauser, _windows());
        AnzenTaskManager implementation = new AnzenTaskManager(coordinator, oracle, models);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(admin, generator, pauser, _windows());
    }

    function test_initialize_revertsWithZeroAddress() public {
        admin = address(0);
        vm.expectRevert(IAnzenTaskManager.ZeroAddress.selector);
        this.newTaskManager(_windows());
    }

    function test_initialize_revertsWithLookAheadTooShort() public {
        IAnzenTaskManager.Windows memory windows = _windows();
        windows.veto += LOOK_AHEAD - uint32(SUM) + 1;
        vm.expectRevert(
            abi.encodeWithSelector(IAnzenTaskManager.LookAheadTooShort.selector, 0, LOOK_AHEAD, uint256(LOOK_AHEAD) + 1)
        );
        this.newTaskManager(windows);
    }

    /// @dev Both may be granted later; address zero gets neither.
    function test_initialize_withoutGeneratorAndPauser() public {
        (generator, pauser) = (address(0), address(0));
        AnzenTaskManager fresh = _newTaskManager(_windows());
        assertFalse(fresh.hasRole(fresh.GENERATOR_ROLE(), address(0)));
        assertFalse(fresh.hasRole(fresh.PAUSER_ROLE(), address(0)));
        assertEq(fresh.getRoleMemberCount(fresh.GENERATOR_ROLE()), 0);
        assertEq(fresh.getRoleMemberCount(fresh.PAUSER_ROLE()), 0);
        assertEq(fresh.getRoleMemberCount(fresh.DEFAULT_ADMIN_ROLE()), 1);
    }

    /// @dev A quorum whose look-ahead promises more than the core keeps.
    function test_initialize_revertsWithDeallocationDelayTooShort() public {
        bytes memory e = _shortenDeallocationDelay();
        vm.expectRevert(e);
        this.newTaskManager(_windows());
    }

    function test_initialize_revertsWithWithdrawalDelayTooShort() public {
        bytes memory e = _shortenWithdrawalDelay();
        vm.expectRevert(e);
        this.newTaskManager(_windows());
    }

    function test_constructor_revertsWithZeroAddress() public {
        vm.expectRevert(IAnzenTaskManager.ZeroAddress.selector);
        new AnzenTaskManager(coordinator, ISafetyFactorOracle(address(0)), models);
    }

    function test_storageLocations() public pure {
        assertEq(
            keccak256(abi.encode(uint256(keccak256("anzen.storage.TaskManager")) - 1)) & ~bytes32(uint256(0xff)),
            0x7a45d921ecd997f21f85cb5fddd99f8c5b77d31133d764a86270a8870c0ada00
        );
        assertEq(
            keccak256(abi.encode(uint256(keccak256("anzen.storage.SafetyFactorOracle")) - 1)) & ~bytes32(uint256(0xff)),
            0xd31e58d728191656928fac049fbef534081b10f2ef1834b9a6a6caa8cf4e2200
        );
    }

    // ----------------------------------------------------------------------------------------------------- createNewTask

    function test_createNewTask() public {
        IAnzenTaskManager.Task memory task = _nextTask(hex"0001");
        bytes32 taskHash = keccak256(abi.encode(task));
        vm.expectEmit(address(taskManager));
        emit IAnzenTaskManager.NewTaskCreated(0, taskHash, task);
        vm.prank(generator);
        (uint32 index, bytes32 returned) = taskManager.createNewTask(ORACLE_INDEX, SAFETY_FACTOR, 67, hex"0001");

        assertEq(index, 0);
        assertEq(returned, taskHash);
        assertEq(taskManager.hashTask(task), taskHash);
        assertEq(taskManager.taskCount(), 1);
        assertEq(taskManager.taskHashAt(0), taskHash);
        assertEq(taskManager.responseHash(taskHash), 0);
        assertTrue(taskManager.isOpen(ORACLE_INDEX));
        _assertLatest(true, 0, uint32(vm.getBlockNumber()), false);
    }

    function test_createNewTask_aSecondOne() public {
        _answer(_createTask(hex"0001"));
        vm.roll(vm.getBlockNumber() + 5);
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        assertEq(task.index, 1);
        assertEq(taskManager.taskHashAt(1), keccak256(abi.encode(task)));
        _assertLatest(true, 1, task.createdBlock, false);
    }

    function test_createNewTask_afterOneThatWasNotAnswered() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(task.createdBlock + 50);
        assertTrue(taskManager.isOpen(ORACLE_INDEX));
        vm.roll(task.createdBlock + 51);
        assertFalse(taskManager.isOpen(ORACLE_INDEX));
        assertEq(_createTask(hex"0001").index, 1);
    }

    function test_createNewTask_tellsThatThePreviousOneWasNotAnswered() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + _windows().response + 1);
        vm.expectEmit(address(taskManager));
        emit IAnzenTaskManager.TaskUnanswered(0, keccak256(abi.encode(task)));
        _createTask(hex"0001");
    }

    function test_createNewTask_anotherProtocolHasItsOwn() public {
        vm.startPrank(admin);
        oracle.addProtocol(8, "Other");
        taskManager.setTaskPolicy(8, _policy(hex"00"));
        vm.stopPrank();
        _createTask(hex"0001");
        vm.prank(generator);
        (uint32 index,) = taskManager.createNewTask(8, 0, 80, hex"00");
        assertEq(index, 1);
        assertTrue(taskManager.isOpen(8));
    }

    function test_createNewTask_revertsWithAccessControlUnauthorizedAccount() public {
        bytes32 role = taskManager.GENERATOR_ROLE();
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, admin, role));
        vm.prank(admin);
        taskManager.createNewTask(ORACLE_INDEX, 0, 67, hex"0001");
    }

    function test_createNewTask_revertsWithEnforcedPause() public {
        vm.prank(pauser);
        taskManager.pause();
        _createReverts(abi.encodeWithSelector(PausableUpgradeable.EnforcedPause.selector));
    }

    function test_createNewTask_revertsWithNoTaskPolicy() public {
        vm.prank(admin);
        taskManager.removeTaskPolicy(ORACLE_INDEX);
        _createReverts(abi.encodeWithSelector(IAnzenTaskManager.NoTaskPolicy.selector, ORACLE_INDEX));
    }

    function test_createNewTask_revertsWithQuorumsNotOfPolicy() public {
        bytes[4] memory others = [bytes(""), hex"00", hex"0100", hex"000102"];
        for (uint256 i; i < others.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IAnzenTaskManager.QuorumsNotOfPolicy.selector, others[i], bytes(hex"0001"))
            );
            vm.prank(generator);
            taskManager.createNewTask(ORACLE_INDEX, 0, 67, others[i]);
        }
    }

    function test_fuzz_createNewTask_revertsWithThresholdOutOfRange(uint32 threshold) public {
        vm.assume(threshold < 67 || threshold > 80);
        _thresholdReverts(threshold);
    }

    /// @dev A generator that demanded all of the stake would stall the protocol: one operator that is down is enough.
    function test_createNewTask_withinThePolicysThresholds() public {
        _thresholdReverts(66);
        _thresholdReverts(81);
        _thresholdReverts(100);
        vm.prank(generator);
        taskManager.createNewTask(ORACLE_INDEX, 0, 80, hex"0001");
        vm.roll(vm.getBlockNumber() + 51);
        vm.prank(generator);
        taskManager.createNewTask(ORACLE_INDEX, 0, 67, hex"0001");
    }

    function test_createNewTask_revertsWithTaskIntervalNotOver() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        taskManager.respondToTask(task, _response(task), _certificate(task, _ids()));
        vm.roll(task.createdBlock + 4);
        _createReverts(
            abi.encodeWithSelector(IAnzenTaskManager.TaskIntervalNotOver.selector, uint256(task.createdBlock) + 5)
        );
        vm.roll(task.createdBlock + 5);
        _createTask(hex"0001");
    }

    function test_createNewTask_revertsWithTaskStillOpen() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(task.createdBlock + 50);
        _createReverts(abi.encodeWithSelector(IAnzenTaskManager.TaskStillOpen.selector, 0));
    }

    function test_createNewTask_revertsWithStakesStale() public {
        uint256 refreshed = coordinator.quorumUpdateBlockNumber(0);
        vm.roll(refreshed + 201);
        _createReverts(abi.encodeWithSelector(IBLSSignatureChecker.StakesStale.selector, 0, refreshed));
        // One quorum is not enough.
        _refresh(hex"00");
        vm.roll(vm.getBlockNumber() + 1);
        _createReverts(abi.encodeWithSelector(IBLSSignatureChecker.StakesStale.selector, 1, refreshed));
    }

    function test_createNewTask_withStakesAsOldAsTheyMayBe() public {
        vm.roll(coordinator.quorumUpdateBlockNumber(0) + 200);
        _createTask(hex"0001");
    }

    function test_createNewTask_revertsWithStakesRefreshedAfterReference() public {
        _refresh(hex"0001");
        _createReverts(abi.encodeWithSelector(IAnzenTaskManager.StakesRefreshedAfterReference.selector, 0));
        vm.roll(vm.getBlockNumber() + 1);
        _createTask(hex"0001");
    }

    /// @dev Someone refreshes in every block, ahead of the generator.
    function test_createNewTask_thoughStakesAreRefreshedInEveryBlock() public {
        _refreshStakes(hex"0001");
        for (uint256 i; i < 300; ++i) {
            vm.roll(vm.getBlockNumber() + 1);
            _refreshStakes(hex"0001");
            // Half of maxStakeAge is 100: in each 101st block the note is overwritten. That one has to be waited out.
            if (i % 101 == 100) {
                _createReverts(abi.encodeWithSelector(IAnzenTaskManager.StakesRefreshedAfterReference.selector, 0));
            } else if (i % 101 == 0) {
                _createTask(hex"0001");
            }
        }
        assertEq(taskManager.taskCount(), 3);
    }

    function test_createNewTask_withANotedRefreshAsOldAsItMayBe() public {
        _refreshStakes(hex"0001");
        vm.roll(vm.getBlockNumber() + 200);
        _refresh(hex"0001");
        _createTask(hex"0001");
    }

    function test_createNewTask_revertsWithStakesRefreshedAfterReference_ifTheNotedOneIsStale() public {
        _refreshStakes(hex"0001");
        vm.roll(vm.getBlockNumber() + 201);
        _refresh(hex"01");
        _refresh(hex"00");
        _createReverts(abi.encodeWithSelector(IAnzenTaskManager.StakesRefreshedAfterReference.selector, 0));
        vm.roll(vm.getBlockNumber() + 1);
        _createTask(hex"0001");
    }

    /// @dev A note is not overwritten, so a note of this block is the first one, or comes instead of an old one.
    function test_createNewTask_revertsWithStakesRefreshedAfterReference_ifTheNotedOneIsOfThisBlock() public {
        _refreshStakes(hex"0001");
        _createReverts(abi.encodeWithSelector(IAnzenTaskManager.StakesRefreshedAfterReference.selector, 0));
    }

    /// @dev Each quorum must have its note.
    function test_createNewTask_revertsWithStakesRefreshedAfterReference_ofTheQuorumWithoutNote() public {
        _refreshStakes(hex"00");
        vm.roll(vm.getBlockNumber() + 1);
        _refresh(hex"0001");
        _createReverts(abi.encodeWithSelector(IAnzenTaskManager.StakesRefreshedAfterReference.selector, 1));
    }

    function test_createNewTask_notesTheRefreshThatItSees() public {
        uint32 refreshed = uint32(coordinator.quorumUpdateBlockNumber(0));
        _createTask(hex"0001");
        assertEq(taskManager.notedRefresh(0), refreshed);
        assertEq(taskManager.notedRefresh(1), refreshed);
        // Half of maxStakeAge later it is kept, a block more and it is not.
        vm.roll(refreshed + 99);
        _refresh(hex"0001");
        vm.roll(refreshed + 100);
        _createTask(hex"0001");
        assertEq(taskManager.notedRefresh(0), refreshed);
        vm.roll(refreshed + 151);
        _createTask(hex"0001");
        assertEq(taskManager.notedRefresh(0), refreshed + 99);
        assertEq(taskManager.notedRefresh(1), refreshed + 99);
    }

    function test_createNewTask_doesNotNoteARefreshOfItsOwnBlock() public {
        _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 120);
        _refresh(hex"0001");
        uint32 noted = taskManager.notedRefresh(0);
        _createTask(hex"0001");
        assertEq(taskManager.notedRefresh(0), noted);
    }

    // ----------------------------------------------------------------------------------------------------- refreshStakes

    function test_refreshStakes() public {
        uint32 first = uint32(vm.getBlockNumber());
        assertEq(taskManager.notedRefresh(0), 0);
        address[][] memory members = _members(hex"01");
        vm.prank(makeAddr("anyone"));
        taskManager.refreshStakes(members, hex"01");
        assertEq(coordinator.quorumUpdateBlockNumber(1), first);
        assertEq(taskManager.notedRefresh(0), 0);
        assertEq(taskManager.notedRefresh(1), first);

        // Half of maxStakeAge later the note is kept, a block more and it is not.
        vm.roll(first + 100);
        _refreshStakes(hex"0001");
        assertEq(coordinator.quorumUpdateBlockNumber(1), first + 100);
        assertEq(taskManager.notedRefresh(0), first + 100);
        assertEq(taskManager.notedRefresh(1), first);
        vm.roll(first + 101);
        _refreshStakes(hex"0001");
        assertEq(taskManager.notedRefresh(0), first + 100);
        assertEq(taskManager.notedRefresh(1), first + 101);
    }

    function test_refreshStakes_whilePaused() public {
        vm.prank(pauser);
        taskManager.pause();
        _refreshStakes(hex"0001");
        assertEq(taskManager.notedRefresh(0), vm.getBlockNumber());
    }

    /// @dev Not all operators: it would be no full refresh.
    function test_refreshStakes_revertsWithTheCoordinatorsError() public {
        address[][] memory members = _members(hex"00");
        members[0] = new address[](1);
        members[0][0] = operators[0].account;
        vm.expectRevert(bytes4(keccak256("QuorumOperatorCountMismatch()")));
        taskManager.refreshStakes(members, hex"00");
        assertEq(taskManager.notedRefresh(0), 0);
    }

    /// @dev The core may have been upgraded since the windows were set.
    function test_createNewTask_revertsWithDeallocationDelayTooShort() public {
        _mockDeallocationDelay(uint32(SUM) - 1);
        _createReverts(abi.encodeWithSelector(IAnzenTaskManager.DeallocationDelayTooShort.selector, SUM - 1, SUM));
        _mockDeallocationDelay(uint32(SUM));
        _createTask(hex"0001");
    }

    function test_createNewTask_revertsWithWithdrawalDelayTooShort() public {
        _createReverts(_shortenWithdrawalDelay());
        _mockWithdrawalDelay(uint32(SUM));
        _createTask(hex"0001");
    }

    function test_createNewTask_revertsWithLookAheadTooShort() public {
        vm.prank(admin);
        IStakeRegistryAdmin(address(stakeRegistry)).setSlashableStakeLookahead(1, uint32(SUM) - 1);
        _createReverts(abi.encodeWithSelector(IAnzenTaskManager.LookAheadTooShort.selector, 1, SUM - 1, SUM));
    }

    function test_createNewTask_revertsWithQuorumWithoutStake() public {
        _createQuorum(LOOK_AHEAD);
        _setPolicy(hex"02");
        vm.roll(vm.getBlockNumber() + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenTaskManager.QuorumWithoutStake.selector, 2));
        vm.prank(generator);
        taskManager.createNewTask(ORACLE_INDEX, 0, 67, hex"02");
    }

    /// @dev The first operator registers in the block of the creation: nobody could answer.
    function test_createNewTask_revertsWithNoStakeAtReference() public {
        _createQuorum(LOOK_AHEAD);
        _setPolicy(hex"02");
        vm.roll(vm.getBlockNumber() + 1);
        _addOperator(64, 100 ether, hex"02");
        // Back into the block of the registration.
        vm.roll(vm.getBlockNumber() - 1);
        _createQuorum2Reverts();
        vm.roll(vm.getBlockNumber() + 1);
        vm.prank(generator);
        taskManager.createNewTask(ORACLE_INDEX, 0, 67, hex"02");
    }

    /// @dev The quorum itself is of this block.
    function test_createNewTask_revertsWithNoStakeAtReference_ifTheQuorumIsNew() public {
        // That stake comes in the very block of the quorum's creation takes more than this EigenLayer allows.
        vm.mockCall(
            address(stakeRegistry),
            abi.encodeCall(stakeRegistry.getTotalStakeHistoryLength, (1)),
            abi.encode(uint256(1))
        );
        vm.mockCall(
            address(stakeRegistry),
            abi.encodeCall(stakeRegistry.getTotalStakeUpdateAtIndex, (1, 0)),
            abi.encode(IStakeRegistry.StakeUpdate(uint32(vm.getBlockNumber()), 0, 1 ether))
        );
        _createReverts(abi.encodeWithSelector(IBLSSignatureChecker.NoStakeAtReference.selector, 1));
    }

    /// @dev Stake that changes in the block of the creation, and was there before.
    function test_createNewTask_inABlockInWhichStakeChanges() public {
        _refreshStakes(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        _addOperator(64, 100 ether, hex"00");
        vm.roll(vm.getBlockNumber() - 1);
        uint256 length = stakeRegistry.getTotalStakeHistoryLength(0);
        assertEq(stakeRegistry.getTotalStakeUpdateAtIndex(0, length - 1).updateBlockNumber, vm.getBlockNumber());
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        _answer(task);
    }

    function test_createNewTask_revertsWithQuorumKeyIsIdentity() public {
        _createQuorum(LOOK_AHEAD);
        _addOperator(64, 100 ether, hex"02");
        _addOperator(BN254.R - 64, 100 ether, hex"02");
        _refresh(hex"02");
        _setPolicy(hex"02");
        vm.roll(vm.getBlockNumber() + 1);
        vm.expectRevert(abi.encodeWithSelector(IAnzenTaskManager.QuorumKeyIsIdentity.selector, 2));
        vm.prank(generator);
        taskManager.createNewTask(ORACLE_INDEX, 0, 67, hex"02");
    }

    // ----------------------------------------------------------------------------------------------------- respondToTask

    function test_respondToTask() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 3);
        IAnzenTaskManager.TaskResponse memory response = _response(task);
        IAnzenTaskManager.TaskResponseMetadata memory metadata = IAnzenTaskManager.TaskResponseMetadata({
            respondedBlock: uint32(vm.getBlockNumber()),
            signatoryRecordHash: keccak256(abi.encodePacked(task.referenceBlock, operators[0].id))
        });
        IBLSSignatureChecker.NonSignerStakesAndSignature memory certificate = _certificate(task, _ids(0));

        vm.expectEmit(address(taskManager));
        emit IAnzenTaskManager.TaskResponded(0, response.taskHash, response, metadata, _ids(0));
        vm.expectEmit(address(oracle));
        emit ISafetyFactorOracle.SafetyFactorUpdated(ORACLE_INDEX, 1, 0, SAFETY_FACTOR, task.referenceBlock);
        vm.prank(makeAddr("anyone"));
        taskManager.respondToTask(task, response, certificate);

        assertEq(taskManager.responseHash(response.taskHash), keccak256(abi.encode(response, metadata)));
        assertFalse(taskManager.isOpen(ORACLE_INDEX));
        _assertLatest(true, 0, task.createdBlock, true);
        (int256 value, uint32 referenceBlock,) = oracle.getSafetyFactor(ORACLE_INDEX);
        assertEq(value, SAFETY_FACTOR);
        assertEq(referenceBlock, task.referenceBlock);
    }

    function test_respondToTask_inTheLastBlock() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(task.createdBlock + 50);
        _answer(task);
    }

    function test_respondToTask_stakesRefreshedOrStaleSinceThenChangeNothing() public {
        uint256 refreshed = coordinator.quorumUpdateBlockNumber(0);
        vm.roll(refreshed + 200);
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(refreshed + 240);
        _refresh(hex"0001");
        _answer(task);
    }

    function test_respondToTask_afterThePolicyWasRemoved() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.prank(admin);
        taskManager.removeTaskPolicy(ORACLE_INDEX);
        vm.roll(vm.getBlockNumber() + 1);
        _answer(task);
    }

    function test_respondToTask_keepsTheWindowsOfItsCreation() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 5);
        IAnzenTaskManager.Windows memory windows = _windows();
        windows.response = 2;
        vm.prank(admin);
        taskManager.setWindows(windows);
        assertTrue(taskManager.isOpen(ORACLE_INDEX));
        _answer(task);

        vm.roll(vm.getBlockNumber() + 5);
        task = _createTask(hex"0001");
        vm.roll(task.createdBlock + 3);
        _respondReverts(
            task, abi.encodeWithSelector(IAnzenTaskManager.ResponseWindowOver.selector, uint256(task.createdBlock) + 2)
        );
    }

    /// @dev The block in which windows are set has those that were there before.
    function test_respondToTask_keepsTheWindowsOfItsCreation_ifNewOnesAreSetInTheSameBlock() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        IAnzenTaskManager.Windows memory windows = _windows();
        windows.response = 2;
        windows.maxStakeAge = 1;
        vm.prank(admin);
        taskManager.setWindows(windows);
        assertEq(taskManager.windows().response, 50);
        assertEq(taskManager.maxStakeAge(), 200);
        vm.roll(task.createdBlock + 3);
        assertEq(taskManager.windows().response, 2);
        assertEq(taskManager.maxStakeAge(), 1);
        assertTrue(taskManager.isOpen(ORACLE_INDEX));
        _answer(task);
    }

    /// @dev Whether it is created before or after they are set: the stakes' age is judged by the windows that hold.
    function test_createNewTask_inTheBlockInWhichWindowsAreSet() public {
        IAnzenTaskManager.Windows memory windows = _windows();
        (windows.response, windows.maxStakeAge) = (2, 1);
        vm.prank(admin);
        taskManager.setWindows(windows);
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(task.createdBlock + 50);
        _answer(task);
        _createReverts(
            abi.encodeWithSelector(IBLSSignatureChecker.StakesStale.selector, 0, coordinator.quorumUpdateBlockNumber(0))
        );
    }

    /// @dev From its own block on there are windows.
    function test_initialize_windowsHoldFromItsBlockOn() public {
        AnzenTaskManager fresh = _newTaskManager(_windows());
        uint32 first = uint32(vm.getBlockNumber());
        assertEq(fresh.windows().response, 50);
        IAnzenTaskManager.Windows memory windows = _windows();
        windows.response = 2;
        vm.prank(admin);
        fresh.setWindows(windows);
        assertEq(fresh.windowsAt(first).response, 50);
        assertEq(fresh.windowsAt(first + 1).response, 2);
        vm.expectRevert(abi.encodeWithSelector(IAnzenTaskManager.NoWindowsAt.selector, first - 1));
        fresh.windowsAt(first - 1);
    }

    function test_respondToTask_revertsWithEnforcedPause() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        vm.prank(pauser);
        taskManager.pause();
        _respondReverts(task, abi.encodeWithSelector(PausableUpgradeable.EnforcedPause.selector));
        vm.prank(admin);
        taskManager.unpause();
        _answer(task);
    }

    function test_respondToTask_revertsWithUnknownTask() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        task.quorumThresholdPercentage = 68;
        _respondReverts(
            task, abi.encodeWithSelector(IAnzenTaskManager.UnknownTask.selector, keccak256(abi.encode(task)))
        );
        task.quorumThresholdPercentage = 67;
        task.index = 1;
        _respondReverts(
            task, abi.encodeWithSelector(IAnzenTaskManager.UnknownTask.selector, keccak256(abi.encode(task)))
        );
    }

    function test_respondToTask_revertsWithResponseToAnotherTask() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        IAnzenTaskManager.TaskResponse memory response = _response(task);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory certificate = _certificate(task, _ids());
        bytes32 taskHash = response.taskHash;
        response.taskHash = keccak256("another");
        vm.expectRevert(
            abi.encodeWithSelector(IAnzenTaskManager.ResponseToAnotherTask.selector, taskHash, keccak256("another"))
        );
        taskManager.respondToTask(task, response, certificate);
    }

    function test_respondToTask_revertsWithTaskAlreadyAnswered() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        _answer(task);
        _respondReverts(
            task, abi.encodeWithSelector(IAnzenTaskManager.TaskAlreadyAnswered.selector, keccak256(abi.encode(task)))
        );
    }

    function test_respondToTask_revertsWithResponseWindowOver() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(task.createdBlock + 51);
        _respondReverts(
            task, abi.encodeWithSelector(IAnzenTaskManager.ResponseWindowOver.selector, uint256(task.createdBlock) + 50)
        );
    }

    function test_respondToTask_revertsWithReferenceBlockNotPast_neverSinceItIs() public {
        // Even in the block of its creation the reference block is past.
        _answer(_createTask(hex"0001"));
    }

    function test_respondToTask_revertsWithThresholdNotReached() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        // 300 of 500 is 60 percent in each.
        IAnzenTaskManager.TaskResponse memory response = _response(task);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory certificate = _certificate(task, _ids(0, 1));
        vm.expectRevert(abi.encodeWithSelector(IAnzenTaskManager.ThresholdNotReached.selector, 0, 300 ether, 500 ether));
        taskManager.respondToTask(task, response, certificate);
        // In quorum 1 only: 60 percent there, 80 percent in quorum 0.
        certificate = _certificate(task, _ids(0, 5));
        vm.expectRevert(abi.encodeWithSelector(IAnzenTaskManager.ThresholdNotReached.selector, 1, 300 ether, 500 ether));
        taskManager.respondToTask(task, response, certificate);
    }

    function test_respondToTask_atTheThresholdExactly() public {
        IAnzenTaskManager.TaskPolicy memory policy = _policy(hex"0001");
        policy.leastThresholdPercentage = 60;
        vm.prank(admin);
        taskManager.setTaskPolicy(ORACLE_INDEX, policy);
        IAnzenTaskManager.Task memory task = _nextTask(hex"0001");
        task.quorumThresholdPercentage = 60;
        vm.prank(generator);
        taskManager.createNewTask(ORACLE_INDEX, SAFETY_FACTOR, 60, hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        taskManager.respondToTask(task, _response(task), _certificate(task, _ids(0, 1)));
    }

    function test_respondToTask_revertsWithInvalidSignature_ofAnotherAnswer() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        IAnzenTaskManager.TaskResponse memory response = _response(task);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory certificate = _certificate(task, _ids());
        response.safetyFactor += 1;
        vm.expectRevert(IBLSSignatureChecker.InvalidSignature.selector);
        taskManager.respondToTask(task, response, certificate);
    }

    /// @dev The same response, signed for another deployment or on another chain.
    function test_respondToTask_revertsWithInvalidSignature_ofAnotherContractOrChain() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        IAnzenTaskManager.TaskResponse memory response = _response(task);

        AnzenTaskManager other = _newTaskManager(_windows());
        IBLSSignatureChecker.NonSignerStakesAndSignature memory certificate =
            _certificate(other.responseDigest(response), task.quorumNumbers, task.referenceBlock, _ids());
        vm.expectRevert(IBLSSignatureChecker.InvalidSignature.selector);
        taskManager.respondToTask(task, response, certificate);

        certificate = _certificate(task, _ids());
        vm.chainId(999);
        vm.expectRevert(IBLSSignatureChecker.InvalidSignature.selector);
        taskManager.respondToTask(task, response, certificate);
    }

    function test_respondToTask_revertsWithSafetyFactorOutOfRange() public {
        IAnzenTaskManager.Task memory task = _createTask(hex"0001");
        vm.roll(vm.getBlockNumber() + 1);
        IAnzenTaskManager.TaskResponse memory response = _response(task);
        response.safetyFactor = int256(type(int128).min) - 1;
        IBLSSignatureChecker.NonSignerStakesAndSignature memory certificate =
            _certificate(taskManager.responseDigest(response), task.quorumNumbers, task.referenceBlock, _ids());
        vm.expectRevert(
            abi.encodeWithSelector(ISafetyFactorOracle.SafetyFactorOutOfRange.selector, response.safetyFactor)
        );
        taskManager.respondToTask(task, response, certificate);
    }

    // -------------------------------------------------------------------------------------------------------- digest

    function test_responseDigest_isEip712() public view {
        IAnzenTaskManager.TaskResponse memory response = IAnzenTaskManager.TaskResponse(keccak256("task"), -5);
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("AnzenTaskManager"),
                keccak256("1"),
                block.chainid,
                address(taskManager)
            )
        );
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("TaskResponse(bytes32 taskHash,int256 safetyFactor)"),
                response.taskHash,
                response.safetyFactor
            )
        );
        assertEq(taskManager.responseDigest(response), keccak256(abi.encodePacked(hex"1901", domain, structHash)));
    }

    function test_eip712Domain() public view {
        (, string memory name, string memory version, uint256 chainId, address verifyingContract,,) =
            taskManager.eip712Domain();
        assertEq(name, "AnzenTaskManager");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(verifyingContract, address(taskManager));
    }

    // -------------------------------------------------------------------------------------------------------- policies

    function test_setTaskPolicy() public {
        IAnzenTaskManager.TaskPolicy memory policy = _policy(hex"01");
        vm.expectEmit(address(taskManager));
        emit IAnzenTaskManager.TaskPolicySet(ORACLE_INDEX, policy);
        vm.prank(admin);
        taskManager.setTaskPolicy(ORACLE_INDEX, policy);
        assertEq(keccak256(abi.encode(taskManager.taskPolicy(ORACLE_INDEX))), keccak256(abi.encode(policy)));
    }

    function test_setTaskPolicy_revertsWithAccessControlUnauthorizedAccount() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, generator, bytes32(0))
        );
        vm.prank(generator);
        taskManager.setTaskPolicy(ORACLE_INDEX, _policy(hex"00"));
    }

    function test_setTaskPolicy_revertsWithUnknownProtocol() public {
        vm.expectRevert(abi.encodeWithSelector(IAnzenTaskManager.UnknownProtocol.selector, 99));
        vm.prank(admin);
        taskManager.setTaskPolicy(99, _policy(hex"00"));
    }

    function test_setTaskPolicy_revertsWithUnknownModel() public {
        modelHash = keccak256("no model");
        vm.expectRevert(abi.encodeWithSelector(IAnzenTaskManager.UnknownModel.selector, modelHash));
        vm.prank(admin);
        taskManager.setTaskPolicy(ORACLE_INDEX, _policy(hex"00"));
    }

    function test_fuzz_setTaskPolicy_revertsWithThresholdOutOfRange(uint32 threshold) public {
        vm.assume(threshold <= 50 || threshold > 100);
        IAnzenTaskManager.TaskPolicy memory policy = _policy(hex"00");
        policy.leastThresholdPercentage = threshold;
        _policyReverts(
            policy, abi.encodeWithSelector(IAnzenTaskManager.ThresholdOutOfRange.selector, threshold, 51, 100)
        );
    }

    function test_fuzz_setTaskPolicy_revertsWithThresholdOutOfRange_ofTheGreatest(uint32 threshold) public {
        vm.assume(threshold < 67 || threshold > 100);
        IAnzenTaskManager.TaskPolicy memory policy = _policy(hex"00");
        policy.greatestThresholdPercentage = threshold;
        _policyReverts(
            policy, abi.encodeWithSelector(IAnzenTaskManager.ThresholdOutOfRange.selector, threshold, 67, 100)
        );
    }

    function test_setTaskPolicy_atTheBoundsOfThresholds() public {
        IAnzenTaskManager.TaskPolicy memory policy = _policy(hex"00");
        (policy.leastThresholdPercentage, policy.greatestThresholdPercentage) = (51, 51);
        vm.startPrank(admin);
        taskManager.setTaskPolicy(ORACLE_INDEX, policy);
        (policy.leastThresholdPercentage, policy.greatestThresholdPercentage) = (100, 100);
        taskManager.setTaskPolicy(ORACLE_INDEX, policy);
        vm.stopPrank();
    }

    function test_setTaskPolicy_revertsWithNoTaskInterval() public {
        IAnzenTaskManager.TaskPolicy memory policy = _policy(hex"00");
        policy.minTaskInterval = 0;
        _policyReverts(policy, abi.encodeWithSelector(IAnzenTaskManager.NoTaskInterval.selector));
    }

    function test_setTaskPolicy_revertsWithNoQuorums() public {
        _policyReverts(_policy(""), abi.encodeWithSelector(IBLSSignatureChecker.NoQuorums.selector));
    }

    function test_setTaskPolicy_revertsWithUnknownQuorum() public {
        _policyReverts(_policy(hex"0002"), abi.encodeWithSelector(IAnzenTaskManager.UnknownQuorum.selector, 2));
    }

    function test_setTaskPolicy_revertsWithQuorumNumbersNotAscending() public {
        bytes memory e = abi.encodeWithSelector(IBLSSignatureChecker.QuorumNumbersNotAscending.selector);
        _policyReverts(_policy(hex"0100"), e);
        _policyReverts(_policy(hex"0000"), e);
    }

    function test_setTaskPolicy_revertsWithQuorumNotSlashable() public {
        _createDelegatedQuorum();
        _policyReverts(_policy(hex"0002"), abi.encodeWithSelector(IAnzenTaskManager.QuorumNotSlashable.selector, 2));
    }

    function test_setTaskPolicy_revertsWithWithdrawalDelayTooShort() public {
        _policyReverts(_policy(hex"00"), _shortenWithdrawalDelay());
    }

    function test_setTaskPolicy_revertsWithLookAheadTooShort() public {
        _createQuorum(uint32(SUM) - 1);
        _policyReverts(
            _policy(hex"02"), abi.encodeWithSelector(IAnzenTaskManager.LookAheadTooShort.selector, 2, SUM - 1, SUM)
        );
    }

    function test_setTaskPolicy_revertsWithDeallocationDelayTooShort() public {
        bytes memory e = _shortenDeallocationDelay();
        _policyReverts(_policy(hex"00"), e);
        _mockDeallocationDelay(LOOK_AHEAD);
        _setPolicy(hex"00");
    }

    function test_setTaskPolicy_atTheLookAheadExactly() public {
        _createQuorum(uint32(SUM));
        _setPolicy(hex"02");
    }

    function test_removeTaskPolicy() public {
        vm.expectEmit(address(taskManager));
        emit IAnzenTaskManager.TaskPolicyRemoved(ORACLE_INDEX);
        vm.prank(admin);
        taskManager.removeTaskPolicy(ORACLE_INDEX);
        assertEq(taskManager.taskPolicy(ORACLE_INDEX).quorumNumbers.length, 0);
        assertEq(taskManager.taskPolicy(ORACLE_INDEX).leastThresholdPercentage, 0);
        vm.expectRevert(abi.encodeWithSelector(IAnzenTaskManager.NoTaskPolicy.selector, ORACLE_INDEX));
        vm.prank(admin);
        taskManager.removeTaskPolicy(ORACLE_INDEX);
    }

    function test_removeTaskPolicy_revertsWithAccessControlUnauthorizedAccount() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, pauser, bytes32(0))
        );
        vm.prank(pauser);
        taskManager.removeTaskPolicy(ORACLE_INDEX);
    }

    // --------------------------------------------------------------------------------------------------------- windows

    function test_setWindows() public {
        uint32 first = uint32(vm.getBlockNumber());
        IAnzenTaskManager.Windows memory before = _windows();
        IAnzenTaskManager.Windows memory windows = _windows();
        windows.response = 51;
        vm.expectEmit(address(taskManager));
        emit IAnzenTaskManager.WindowsSet(windows);
        vm.prank(admin);
        taskManager.setWindows(windows);
        assertEq(taskManager.windows().response, before.response);
        assertEq(taskManager.windowsAt(first + 1).response, 51);
        assertEq(taskManager.windowsAt(first).response, before.response);
        assertEq(taskManager.windowsAt(100).response, before.response);

        // Twice in a block, and a third time later.
        windows.response = 52;
        vm.prank(admin);
        taskManager.setWindows(windows);
        assertEq(taskManager.windowsAt(first + 1).response, 52);
        assertEq(taskManager.windowsAt(first).response, before.response);
        vm.roll(first + 10);
        windows.response = 53;
        vm.prank(admin);
        taskManager.setWindows(windows);
        assertEq(taskManager.windowsAt(first + 11).response, 53);
        assertEq(taskManager.windowsAt(first + 10).response, 52);
        assertEq(taskManager.windowsAt(first + 1).response, 52);
        assertEq(taskManager.windowsAt(first).response, before.response);
        // In the very next block.
        vm.roll(first + 11);
        windows.response = 54;
        vm.prank(admin);
        taskManager.setWindows(windows);
        assertEq(taskManager.windowsAt(first + 12).response, 54);
        assertEq(taskManager.windowsAt(first + 11).response, 53);
        assertEq(taskManager.windowsAt(first + 10).response, 52);
    }

    function test_windowsAt_revertsWithNoWindowsAt() public {
        vm.expectRevert(abi.encodeWithSelector(IAnzenTaskManager.NoWindowsAt.selector, 99));
        taskManager.windowsAt(99);
    }

    function test_setWindows_revertsWithAccessControlUnauthorizedAccount() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, generator, bytes32(0))
        );
        vm.prank(generator);
        taskManager.setWindows(_windows());
    }

    function test_setWindows_revertsWithNoResponseWindow() public {
        IAnzenTaskManager.Windows memory windows = _windows();
        windows.response = 0;
        _windowsRevert(windows, abi.encodeWithSelector(IAnzenTaskManager.NoResponseWindow.selector));
    }

    function test_setWindows_revertsWithEmptyWindow() public {
        bytes memory e = abi.encodeWithSelector(IAnzenTaskManager.EmptyWindow.selector);
        IAnzenTaskManager.Windows memory windows = _windows();
        windows.challenge = 0;
        _windowsRevert(windows, e);
        (windows.challenge, windows.veto) = (1, 0);
        _windowsRevert(windows, e);
        (windows.veto, windows.execution) = (1, 0);
        _windowsRevert(windows, e);
        windows.execution = 1;
        vm.prank(admin);
        taskManager.setWindows(windows);
    }

    /// @dev Whichever window it is that grows, and however far: no sum overflows.
    function test_fuzz_setWindows_revertsWithLookAheadTooShort(uint8 which, uint32 by) public {
        IAnzenTaskManager.Windows memory windows = _windows();
        uint32 room = LOOK_AHEAD - uint32(SUM);
        by = uint32(bound(by, room + 1, type(uint32).max - 200));
        which %= 5;
        if (which == 0) windows.maxStakeAge += by;
        else if (which == 1) windows.response += by;
        else if (which == 2) windows.challenge += by;
        else if (which == 3) windows.veto += by;
        else windows.execution += by;
        uint256 needed = SUM + by;
        _windowsRevert(
            windows,
            needed > DEALLOCATION_DELAY
                ? abi.encodeWithSelector(
                    IAnzenTaskManager.DeallocationDelayTooShort.selector, DEALLOCATION_DELAY, needed
                )
                : abi.encodeWithSelector(IAnzenTaskManager.LookAheadTooShort.selector, 0, LOOK_AHEAD, needed)
        );
    }

    function test_setWindows_revertsWithQuorumNotSlashable() public {
        _createDelegatedQuorum();
        _windowsRevert(_windows(), abi.encodeWithSelector(IAnzenTaskManager.QuorumNotSlashable.selector, 2));
    }

    function test_setWindows_revertsWithDeallocationDelayTooShort_forTheLookAhead() public {
        bytes memory e = _shortenDeallocationDelay();
        _windowsRevert(_windows(), e);
        _mockDeallocationDelay(LOOK_AHEAD);
        vm.prank(admin);
        taskManager.setWindows(_windows());
    }

    /// @dev A staker can withdraw, whatever its operator has allocated.
    function test_setWindows_revertsWithWithdrawalDelayTooShort() public {
        bytes memory e = _shortenWithdrawalDelay();
        _windowsRevert(_windows(), e);
        _mockWithdrawalDelay(uint32(SUM));
        vm.prank(admin);
        taskManager.setWindows(_windows());
    }

    function test_setWindows_atTheLookAheadExactly() public {
        IAnzenTaskManager.Windows memory windows = _windows();
        windows.execution += LOOK_AHEAD - uint32(SUM);
        vm.prank(admin);
        taskManager.setWindows(windows);
    }

    // ----------------------------------------------------------------------------------------------------------- pause

    function test_pause_revertsWithAccessControlUnauthorizedAccount() public {
        bytes32 role = taskManager.PAUSER_ROLE();
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, generator, role)
        );
        vm.prank(generator);
        taskManager.pause();
    }

    function test_unpause_revertsWithAccessControlUnauthorizedAccount() public {
        vm.prank(pauser);
        taskManager.pause();
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, pauser, bytes32(0))
        );
        vm.prank(pauser);
        taskManager.unpause();
    }

    // --------------------------------------------------------------------------------------------------------- helpers

    function newTaskManager(IAnzenTaskManager.Windows calldata windows) external {
        _newTaskManager(windows);
    }

    function _answer(IAnzenTaskManager.Task memory task) private {
        taskManager.respondToTask(task, _response(task), _certificate(task, _ids()));
    }

    function _assertLatest(bool exists, uint32 index, uint32 createdBlock, bool answered) private view {
        (bool e, uint32 i, uint32 c, bool a) = taskManager.latestTask(ORACLE_INDEX);
        assertEq(e, exists);
        assertEq(i, index);
        assertEq(c, createdBlock);
        assertEq(a, answered);
    }

    function _createReverts(bytes memory error_) private {
        vm.expectRevert(error_);
        vm.prank(generator);
        taskManager.createNewTask(ORACLE_INDEX, SAFETY_FACTOR, 67, hex"0001");
    }

    function _thresholdReverts(uint32 threshold) private {
        vm.expectRevert(abi.encodeWithSelector(IAnzenTaskManager.ThresholdOutOfRange.selector, threshold, 67, 80));
        vm.prank(generator);
        taskManager.createNewTask(ORACLE_INDEX, 0, threshold, hex"0001");
    }

    function _createQuorum2Reverts() private {
        vm.expectRevert(abi.encodeWithSelector(IBLSSignatureChecker.NoStakeAtReference.selector, 2));
        vm.prank(generator);
        taskManager.createNewTask(ORACLE_INDEX, 0, 67, hex"02");
    }

    /// @dev To a block less than the quorums' look-ahead, which is more than the windows. Returns the error that follows.
    function _shortenDeallocationDelay() private returns (bytes memory) {
        _mockDeallocationDelay(LOOK_AHEAD - 1);
        return abi.encodeWithSelector(
            IAnzenTaskManager.DeallocationDelayTooShort.selector, uint256(LOOK_AHEAD) - 1, uint256(LOOK_AHEAD)
        );
    }

    /// @dev To a block less than the windows. Returns the error that follows.
    function _shortenWithdrawalDelay() private returns (bytes memory) {
        _mockWithdrawalDelay(uint32(SUM) - 1);
        return abi.encodeWithSelector(IAnzenTaskManager.WithdrawalDelayTooShort.selector, SUM - 1, SUM);
    }

    function _mockWithdrawalDelay(uint32 delay) private {
        vm.mockCall(
            address(delegationManager),
            abi.encodeCall(IDelegationManager.minWithdrawalDelayBlocks, ()),
            abi.encode(delay)
        );
    }

    function _mockDeallocationDelay(uint32 delay) private {
        vm.mockCall(
            address(allocationManager), abi.encodeCall(IAllocationManager.DEALLOCATION_DELAY, ()), abi.encode(delay)
        );
    }

    function _respondReverts(IAnzenTaskManager.Task memory task, bytes memory error_) private {
        IAnzenTaskManager.TaskResponse memory response = _response(task);
        IBLSSignatureChecker.NonSignerStakesAndSignature memory certificate = _certificate(task, _ids());
        vm.expectRevert(error_);
        taskManager.respondToTask(task, response, certificate);
    }

    function _policyReverts(IAnzenTaskManager.TaskPolicy memory policy, bytes memory error_) private {
        vm.expectRevert(error_);
        vm.prank(admin);
        taskManager.setTaskPolicy(ORACLE_INDEX, policy);
    }

    function _windowsRevert(IAnzenTaskManager.Windows memory windows, bytes memory error_) private {
        vm.expectRevert(error_);
        vm.prank(admin);
        taskManager.setWindows(windows);
    }
}
