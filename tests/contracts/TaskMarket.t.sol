// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../contracts/interfaces/ICourt.sol";
import {IRandomnessSource} from "../../contracts/interfaces/IRandomnessSource.sol";
import {IStaking, Role} from "../../contracts/interfaces/IStaking.sol";
import {Params} from "../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket, TaskStatus, TaskView} from "../../contracts/interfaces/ITaskMarket.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {World} from "./support/World.sol";

contract TaskMarketTest is World {
    // ------------------------------------------------------------------------------------ createBatch

    function test_aBatchEscrowsThePriceOfEveryTask() public {
        bytes32[] memory ids = post(3);
        vm.assertEq(free(buyer), PURSE - 3 * PRICE, "buyer");
        vm.assertEq(free(address(market)), 3 * PRICE, "escrow");
        TaskView memory task = market.task(ids[2]);
        vm.assertEq(uint256(task.status), uint256(TaskStatus.Open), "status");
        vm.assertEq(task.slot, 2, "slot");
        vm.assertEq(task.attempt, 1, "attempt");
        vm.assertEq(task.buyer, buyer, "buyer of the view");
        vm.assertEq(task.price, PRICE, "price");
        vm.assertEq(task.subnetId, subnet, "subnet");
        vm.assertEq(task.paramsVersion, 1, "version");
        vm.assertEq(task.baseRoot, keccak256("base"), "base");
        vm.assertEq(task.specHash, keccak256("spec"), "spec");
        vm.assertEq(task.jobId, keccak256("job"), "job");
        vm.assertEq(task.epoch, beacon.currentEpoch(), "epoch");
        vm.assertEq(task.deadline, vm.getBlockTimestamp() + 60, "openBy");
        vm.assertEq(market.batch(task.batchId).buyer, buyer, "batch");
    }

    function test_aBatchIsAnnouncedWithAllItNeeds() public {
        uint32[] memory slots = new uint32[](1);
        slots[0] = 5;
        uint256 snapshot = vm.snapshotState();
        bytes32 batchId = _create(uint96(PRICE), slots);
        vm.revertToState(snapshot);
        bytes32[] memory ids = new bytes32[](1);
        ids[0] = keccak256(abi.encode(block.chainid, address(market), batchId, uint32(5)));
        vm.assertEq(market.taskId(batchId, 5), ids[0], "task id");
        vm.expectEmit(address(market));
        emit ITaskMarket.BatchCreated(
            batchId,
            buyer,
            subnet,
            1,
            keccak256("job"),
            4,
            keccak256("base"),
            keccak256("spec"),
            uint96(PRICE),
            slots,
            ids,
            beacon.currentEpoch(),
            uint40(vm.getBlockTimestamp() + 60)
        );
        _create(uint96(PRICE), slots);
    }

    function test_badBatchesAreNamed() public {
        uint32[] memory slots = new uint32[](1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.PriceTooLow.selector, PRICE - 1, PRICE));
        _create(uint96(PRICE - 1), slots);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongBatchSize.selector, 0, 64));
        _create(uint96(PRICE), new uint32[](0));
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongBatchSize.selector, 65, 64));
        _create(uint96(PRICE), new uint32[](65));
        vm.expectPartialRevert(ITaskMarket.TaskExists.selector);
        _create(uint96(PRICE), new uint32[](2)); // slot 0 twice
        vm.expectPartialRevert(IVault.InsufficientBalance.selector);
        _create(uint96(PURSE + 1), slots);
        bytes32 batchId = _create(uint96(PRICE), slots);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.BatchExists.selector, batchId));
        _create(uint96(PRICE), slots);
    }

    function test_aTaskKeepsTheParametersItWasPostedUnder() public {
        stakeAll(1, 1);
        bytes32 id = postOne();
        Params memory params = defaultParams();
        params.solveSeconds = 1;
        registry.addParams(subnet, params);
        nextEpoch();
        market.assign(id);
        vm.assertEq(deadlineOf(id), vm.getBlockTimestamp() + 600, "solveBy");
        bytes32 later = postOne();
        vm.assertEq(market.task(later).paramsVersion, 2, "version of a later task");
    }

    // ------------------------------------------------------------------------------------ assign

    function test_aTaskIsAssignedInALaterEpochWithASeed() public {
        stakeAll(1, 1);
        bytes32 id = postOne();
        uint32 epoch = beacon.currentEpoch();
        vm.expectRevert(abi.encodeWithSelector(IRandomnessSource.SeedNotDue.selector, id, epoch, epoch));
        market.assign(id);
        mine(beacon.targetBlock(epoch) + 1);
        vm.expectRevert(abi.encodeWithSelector(IRandomnessSource.SeedNotKnown.selector, epoch));
        market.assign(id);
        beacon.fulfil(epoch, headerOf(beacon.targetBlock(epoch)));
        vm.prank(stranger);
        market.assign(id);
        address solver = market.task(id).solver;
        vm.assertEq(staking.positionOf(subnet, Role.Solver, solver).locked, 1, "seat at work");
        vm.assertEq(free(address(market)), PRICE + STAKE, "price and seat");
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Assigned));
        market.assign(id);
    }

    function test_aTaskCanStillBeAssignedAtOpenByButNotAfter() public {
        stakeAll(1, 1);
        bytes32 id = postOne();
        nextEpoch();
        uint40 openBy = uint40(deadlineOf(id));
        uint256 snapshot = vm.snapshotState();
        vm.warp(openBy);
        market.assign(id);
        vm.revertToState(snapshot);
        vm.warp(openBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, id, openBy));
        market.assign(id);
    }

    function test_withoutAFreeSeatATaskWaitsForTheNextEpoch() public {
        stake(workers[0], Role.Solver, 1);
        bytes32[] memory ids = post(2);
        nextEpoch();
        market.assign(ids[0]);
        vm.expectRevert(
            abi.encodeWithSelector(ITaskMarket.NoSolverFree.selector, ids[1], beacon.currentEpoch())
        );
        market.assign(ids[1]);
        stake(workers[1], Role.Solver, 50);
        nextEpoch();
        market.assign(ids[1]);
        vm.assertEq(market.task(ids[1]).solver, workers[1], "solver");
    }

    function test_assignManySkipsWhatCanNotBeAssigned() public {
        stake(workers[0], Role.Solver, 2);
        bytes32[] memory ids = post(3);
        vm.assertEq(market.assignMany(ids), 0, "none in the same epoch");
        nextEpoch();
        vm.assertEq(market.assignMany(ids), 2, "two seats");
    }

    // ------------------------------------------------------------------------------------ cancel

    function test_theBuyerCancelsWhileNoSeedCanBeKnown() public {
        bytes32 id = postOne();
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.NotBuyer.selector, id, stranger));
        vm.prank(stranger);
        market.cancel(id);
        vm.prank(buyer);
        market.cancel(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Cancelled), "status");
        vm.assertEq(free(buyer), PURSE, "refund");
    }

    function test_aLaterCancelWouldBeAReroll() public {
        bytes32 id = postOne();
        uint32 epoch = beacon.currentEpoch();
        vm.roll((uint256(epoch) + 1) * EPOCH_BLOCKS - 1); // last block of the epoch
        uint256 snapshot = vm.snapshotState();
        vm.prank(buyer);
        market.cancel(id);
        vm.revertToState(snapshot);
        vm.roll((uint256(epoch) + 1) * EPOCH_BLOCKS);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.SeedMayBeKnown.selector, id, epoch, epoch + 1));
        vm.prank(buyer);
        market.cancel(id);
    }

    // ------------------------------------------------------------------------------------ submit

    function test_onlyTheSolverSubmitsAndOnlyOnce() public {
        stakeAll(1, 1);
        (bytes32 id, address solver) = assigned();
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.NotSolver.selector, id, stranger));
        submitAs(stranger, id);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskSubmitted(
            id, solver, TRACE_ROOT, RESULT_ROOT, LEAVES_BLOB, uint40(vm.getBlockTimestamp() + 120)
        );
        submitAs(solver, id);
        TaskView memory task = market.task(id);
        vm.assertEq(task.traceRoot, TRACE_ROOT, "trace root");
        vm.assertEq(task.resultRoot, RESULT_ROOT, "result root");
        vm.assertEq(task.leavesBlob, LEAVES_BLOB, "leaves");
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Submitted));
        submitAs(solver, id);
    }

    function test_anEmptyRootIsRefused() public {
        stakeAll(1, 1);
        (bytes32 id, address solver) = assigned();
        bytes memory reason = abi.encodeWithSelector(ITaskMarket.EmptyRoot.selector, id);
        vm.expectRevert(reason);
        vm.prank(solver);
        market.submit(id, 0, RESULT_ROOT, LEAVES_BLOB);
        vm.expectRevert(reason);
        vm.prank(solver);
        market.submit(id, TRACE_ROOT, 0, LEAVES_BLOB);
        vm.expectRevert(reason);
        vm.prank(solver);
        market.submit(id, TRACE_ROOT, RESULT_ROOT, 0);
    }

    function test_aResultIsInTimeAtSolveByAndLateAfter() public {
        stakeAll(1, 1);
        (bytes32 id, address solver) = assigned();
        uint40 solveBy = uint40(deadlineOf(id));
        uint256 snapshot = vm.snapshotState();
        vm.warp(solveBy);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlineNotPassed.selector, id, solveBy));
        market.expire(id);
        submitAs(solver, id);
        vm.revertToState(snapshot);
        vm.warp(solveBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, id, solveBy));
        submitAs(solver, id);
        market.expire(id);
    }

    // ------------------------------------------------------------------------------------ finalize

    function test_aResultIsDisputableAtChallengeByAndFinalAfter() public {
        stakeAll(1, 1);
        (bytes32 id, address solver) = submitted();
        uint40 challengeBy = uint40(deadlineOf(id));
        uint256 snapshot = vm.snapshotState();
        vm.warp(challengeBy);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlineNotPassed.selector, id, challengeBy));
        market.finalize(id);
        vm.prank(dora);
        court.openDispute(id, 0);
        vm.revertToState(snapshot);

        vm.warp(challengeBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, id, challengeBy));
        vm.prank(dora);
        court.openDispute(id, 0);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskAccepted(id, solver, RESULT_ROOT);
        market.finalize(id);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Accepted));
        market.finalize(id);
        vm.assertEq(free(address(market)), 0, "escrow");
    }

    function test_finalizeManyAndExpireManySkipTheRest() public {
        stakeAll(2, 1);
        bytes32[] memory ids = post(3);
        nextEpoch();
        vm.assertEq(market.assignMany(ids), 3, "assigned");
        submitAs(market.task(ids[1]).solver, ids[1]);
        vm.warp(deadlineOf(ids[0]) + 1);
        vm.assertEq(market.finalizeMany(ids), 1, "finalized");
        vm.assertEq(market.expireMany(ids), 2, "expired");
    }

    // ------------------------------------------------------------------------------------ expire

    function test_aTaskThatFindsNoSolverIsRefunded() public {
        bytes32 id = postOne();
        uint40 openBy = uint40(deadlineOf(id));
        vm.warp(openBy);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlineNotPassed.selector, id, openBy));
        market.expire(id);
        vm.warp(openBy + 1);
        market.expire(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Expired), "status");
        vm.assertEq(free(buyer), PURSE, "refund");
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Expired));
        market.expire(id);
    }

    function test_aTaskIsTriedThreeTimesThenExpires() public {
        stakeAll(3, 1);
        bytes32 id = postOne();
        for (uint8 attempt = 1; attempt <= 3; ++attempt) {
            nextEpoch();
            market.assign(id);
            address solver = market.task(id).solver;
            vm.assertEq(market.task(id).attempt, attempt, "attempt");
            vm.warp(deadlineOf(id) + 1);
            vm.expectEmit(address(staking));
            emit IStaking.SeatSlashed(subnet, Role.Solver, solver, 10 * PAN, id);
            market.expire(id);
        }
        vm.assertEq(statusOf(id), uint256(TaskStatus.Expired), "status");
        vm.assertEq(free(buyer), PURSE, "refund and no more");
        vm.assertEq(free(address(market)), 0, "escrow");
    }

    function test_aReopenedTaskWaitsForTheSeedOfItsNewEpoch() public {
        stakeAll(3, 1);
        (bytes32 id, address solver) = assigned();
        vm.warp(deadlineOf(id) + 1);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskReopened(id, solver, 2, 10 * PAN);
        market.expire(id);
        vm.assertEq(market.task(id).solver, address(0), "nobody's");
        vm.assertEq(deadlineOf(id), vm.getBlockTimestamp() + 60, "openBy");
        vm.expectPartialRevert(IRandomnessSource.SeedNotDue.selector);
        market.assign(id);
        nextEpoch();
        market.assign(id);
    }

    // ------------------------------------------------------------------------------------ court only

    function test_onlyTheCourtDisputesAndResolves() public {
        bytes memory reason = abi.encodeWithSelector(ITaskMarket.NotCourt.selector, stranger);
        vm.expectRevert(reason);
        vm.prank(stranger);
        market.dispute(0, stranger, 0);
        vm.expectRevert(reason);
        vm.prank(stranger);
        market.resolve(0, Verdict.Valid, stranger, 0);
    }

    function _create(uint96 price, uint32[] memory slots) private returns (bytes32) {
        vm.prank(buyer);
        return market.createBatch(
            subnet, keccak256("job"), 4, keccak256("base"), keccak256("spec"), price, slots, 0
        );
    }
}
