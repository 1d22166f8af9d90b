// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../contracts/interfaces/ICourt.sol";
import {IRandomnessSource} from "../../contracts/interfaces/IRandomnessSource.sol";
import {IStaking, Role} from "../../contracts/interfaces/IStaking.sol";
import {Params} from "../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket, Submission, Task, TaskStatus, Terms} from "../../contracts/interfaces/ITaskMarket.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {World} from "./support/World.sol";

contract TaskMarketTest is World {
    // ------------------------------------------------------------------------------------ createBatch

    function test_aBatchEscrowsThePriceOfEveryTask() public {
        bytes32[] memory ids = post(3);
        vm.assertEq(free(buyer), PURSE - 3 * PRICE, "buyer");
        vm.assertEq(free(address(market)), 3 * PRICE, "escrow");
        Task memory task = taskAt(ids[2]);
        vm.assertEq(uint256(task.status), uint256(TaskStatus.Open), "status");
        vm.assertEq(task.attempt, 1, "attempt");
        vm.assertEq(task.epoch, beacon.currentEpoch(), "epoch");
        vm.assertEq(task.deadline, vm.getBlockTimestamp() + 60, "openBy");
        vm.assertEq(uint256(market.task(termsOf[ids[2]], 3).status), uint256(TaskStatus.None), "no such slot");
    }

    function test_aBatchIsAnnouncedWithAllItNeeds() public {
        Terms memory posted = terms(1 << 255 | 1 << 5);
        bytes32 batchId = keccak256(abi.encode(block.chainid, address(market), posted));
        vm.assertEq(market.batchIdOf(posted), batchId, "batch id");
        bytes32 id = keccak256(abi.encode(block.chainid, address(market), batchId, uint256(5)));
        vm.assertEq(market.taskIdOf(batchId, 5), id, "task id");
        vm.expectEmit(address(market));
        emit ITaskMarket.BatchCreated(
            batchId, buyer, subnet, posted, beacon.currentEpoch(), uint40(vm.getBlockTimestamp() + 60)
        );
        vm.prank(buyer);
        market.createBatch(posted);
        vm.assertEq(free(address(market)), 2 * PRICE, "two bits, two prices");
    }

    function test_badBatchesAreNamed() public {
        Terms memory bad = terms(1);
        bad.price = uint96(PRICE - 1);
        _refused(bad, abi.encodeWithSelector(ITaskMarket.PriceTooLow.selector, PRICE - 1, PRICE));
        _refused(terms(0), abi.encodeWithSelector(ITaskMarket.NoSlots.selector));
        bad = terms(1);
        bad.buyer = stranger;
        _refused(bad, abi.encodeWithSelector(ITaskMarket.WrongBuyer.selector, stranger, buyer));
        bad = terms(1);
        bad.paramsVersion = 2;
        _refused(bad, abi.encodeWithSelector(ITaskMarket.NotNewestVersion.selector, 2, 1));
        bad = terms(1);
        bad.innerSteps = 0;
        _refused(bad, abi.encodeWithSelector(ITaskMarket.InnerStepsOutOfRange.selector, 0, 2_047));
        bad.innerSteps = 2_048;
        _refused(bad, abi.encodeWithSelector(ITaskMarket.InnerStepsOutOfRange.selector, 2_048, 2_047));
        bad = terms(1);
        bad.price = uint96(PURSE + 1);
        _refused(bad, abi.encodeWithSelector(IVault.InsufficientBalance.selector, buyer, PURSE + 1, PURSE));
        Terms memory good = terms(1);
        vm.prank(buyer);
        bytes32 batchId = market.createBatch(good);
        bytes memory reason = abi.encodeWithSelector(ITaskMarket.BatchExists.selector, batchId);
        vm.expectRevert(reason);
        vm.prank(buyer);
        market.createBatch(good);
    }

    function test_aTaskKeepsTheParametersItWasPostedUnder() public {
        stakeAll(1, 1);
        bytes32 id = postOne();
        Params memory params = defaultParams();
        params.solveSeconds = 1;
        registry.addParams(subnet, params);
        nextEpoch();
        assign(id);
        vm.assertEq(deadlineOf(id), vm.getBlockTimestamp() + 600, "solveBy");
        bytes32 later = postOne();
        vm.assertEq(termsOf[later].paramsVersion, 2, "version of a later task");
    }

    // ------------------------------------------------------------------------------------ assign

    function test_aTaskIsAssignedInALaterEpochWithASeed() public {
        stakeAll(1, 1);
        bytes32 id = postOne();
        uint32 epoch = beacon.currentEpoch();
        vm.expectRevert(abi.encodeWithSelector(IRandomnessSource.SeedNotDue.selector, id, epoch, epoch));
        assign(id);
        mine(beacon.targetBlock(epoch) + 1);
        vm.expectRevert(abi.encodeWithSelector(IRandomnessSource.SeedNotKnown.selector, epoch));
        assign(id);
        beacon.fulfil(epoch, headerOf(beacon.targetBlock(epoch)));
        vm.prank(stranger);
        assign(id);
        address solver = taskAt(id).solver;
        vm.assertEq(staking.positionOf(subnet, Role.Solver, solver).locked, 1, "seat at work");
        vm.assertEq(free(address(market)), PRICE, "the price; the seat stays where it is");
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Assigned));
        assign(id);
    }

    function test_aTaskCanStillBeAssignedAtOpenByButNotAfter() public {
        stakeAll(1, 1);
        bytes32 id = postOne();
        nextEpoch();
        uint40 openBy = uint40(deadlineOf(id));
        uint256 snapshot = vm.snapshotState();
        vm.warp(openBy);
        assign(id);
        vm.revertToState(snapshot);
        vm.warp(openBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, id, openBy));
        assign(id);
    }

    function test_withoutAFreeSeatATaskWaitsForTheNextEpoch() public {
        stake(workers[0], Role.Solver, 1);
        bytes32[] memory ids = post(2);
        nextEpoch();
        assign(ids[0]);
        vm.expectRevert(
            abi.encodeWithSelector(ITaskMarket.NoSolverFree.selector, ids[1], beacon.currentEpoch())
        );
        assign(ids[1]);
        stake(workers[1], Role.Solver, 50);
        nextEpoch();
        assign(ids[1]);
        vm.assertEq(taskAt(ids[1]).solver, workers[1], "solver");
    }

    function test_assignManySkipsWhatCanNotBeAssigned() public {
        stake(workers[0], Role.Solver, 2);
        bytes32[] memory ids = post(3);
        vm.assertEq(market.assignMany(termsOf[ids[0]], type(uint256).max), 0, "none in the same epoch");
        nextEpoch();
        vm.assertEq(market.assignMany(termsOf[ids[0]], type(uint256).max), 2, "two seats");
    }

    // ------------------------------------------------------------------------------------ cancel

    function test_theBuyerCancelsWhileNoSeedCanBeKnown() public {
        bytes32 id = postOne();
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.NotBuyer.selector, id, stranger));
        vm.prank(stranger);
        cancel(id);
        vm.prank(buyer);
        cancel(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Cancelled), "status");
        vm.assertEq(free(buyer), PURSE, "refund");
    }

    function test_aLaterCancelWouldBeAReroll() public {
        bytes32 id = postOne();
        uint32 epoch = beacon.currentEpoch();
        vm.roll((uint256(epoch) + 1) * EPOCH_BLOCKS - 1); // last block of the epoch
        uint256 snapshot = vm.snapshotState();
        vm.prank(buyer);
        cancel(id);
        vm.revertToState(snapshot);
        vm.roll((uint256(epoch) + 1) * EPOCH_BLOCKS);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.SeedMayBeKnown.selector, id, epoch, epoch + 1));
        vm.prank(buyer);
        cancel(id);
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
        vm.assertEq(market.submissionHash(id), keccak256(abi.encode(submission())), "submission");
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Submitted));
        submitAs(solver, id);
    }

    function test_anEmptyRootIsRefused() public {
        stakeAll(1, 1);
        (bytes32 id, address solver) = assigned();
        bytes memory reason = abi.encodeWithSelector(ITaskMarket.EmptyRoot.selector, id);
        Submission[3] memory bad = [submission(), submission(), submission()];
        (bad[0].traceRoot, bad[1].resultRoot, bad[2].leavesBlob) = (0, 0, 0);
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(reason);
            vm.prank(solver);
            market.submit(termsOf[id], slotOf[id], bad[i]);
        }
    }

    function test_aResultIsInTimeAtSolveByAndLateAfter() public {
        stakeAll(1, 1);
        (bytes32 id, address solver) = assigned();
        uint40 solveBy = uint40(deadlineOf(id));
        uint256 snapshot = vm.snapshotState();
        vm.warp(solveBy);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlineNotPassed.selector, id, solveBy));
        expire(id);
        submitAs(solver, id);
        vm.revertToState(snapshot);
        vm.warp(solveBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, id, solveBy));
        submitAs(solver, id);
        expire(id);
    }

    // ------------------------------------------------------------------------------------ finalize

    function test_aResultIsDisputableAtChallengeByAndFinalAfter() public {
        stakeAll(1, 1);
        (bytes32 id, address solver) = submitted();
        uint40 challengeBy = uint40(deadlineOf(id));
        uint256 snapshot = vm.snapshotState();
        vm.warp(challengeBy);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlineNotPassed.selector, id, challengeBy));
        finalize(id);
        disputeAs(dora, id, 0);
        vm.revertToState(snapshot);

        vm.warp(challengeBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, id, challengeBy));
        vm.prank(address(challenge));
        market.openCase(termsOf[id], slotOf[id], submission());
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskAccepted(id, solver);
        finalize(id);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Accepted));
        finalize(id);
        vm.assertEq(free(address(market)), 0, "escrow");
    }

    function test_finalizeManyAndExpireManySkipTheRest() public {
        stakeAll(2, 1);
        bytes32[] memory ids = post(3);
        nextEpoch();
        vm.assertEq(market.assignMany(termsOf[ids[0]], type(uint256).max), 3, "assigned");
        submitAs(taskAt(ids[1]).solver, ids[1]);
        vm.warp(deadlineOf(ids[0]) + 1);
        vm.assertEq(market.finalizeMany(termsOf[ids[0]], type(uint256).max), 1, "finalized");
        vm.assertEq(market.expireMany(termsOf[ids[0]], type(uint256).max), 2, "expired");
    }

    // ------------------------------------------------------------------------------------ expire

    function test_aTaskThatFindsNoSolverIsRefunded() public {
        bytes32 id = postOne();
        uint40 openBy = uint40(deadlineOf(id));
        vm.warp(openBy);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlineNotPassed.selector, id, openBy));
        expire(id);
        vm.warp(openBy + 1);
        expire(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Expired), "status");
        vm.assertEq(free(buyer), PURSE, "refund");
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Expired));
        expire(id);
    }

    function test_aTaskIsTriedThreeTimesThenExpires() public {
        stakeAll(3, 1);
        bytes32 id = postOne();
        for (uint8 attempt = 1; attempt <= 3; ++attempt) {
            nextEpoch();
            assign(id);
            address solver = taskAt(id).solver;
            vm.assertEq(taskAt(id).attempt, attempt, "attempt");
            vm.warp(deadlineOf(id) + 1);
            vm.expectEmit(address(staking));
            emit IStaking.SeatSlashed(subnet, Role.Solver, solver, 10 * PAN, id);
            expire(id);
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
        expire(id);
        vm.assertEq(taskAt(id).solver, address(0), "nobody's");
        vm.assertEq(deadlineOf(id), vm.getBlockTimestamp() + 60, "openBy");
        vm.expectPartialRevert(IRandomnessSource.SeedNotDue.selector);
        assign(id);
        nextEpoch();
        assign(id);
    }

    // ------------------------------------------------------------------------------------ court only

    function test_onlyTheModulesOpenAndCloseCases() public {
        bytes32 id = postOne();
        bytes memory reason = abi.encodeWithSelector(ITaskMarket.NotChallenge.selector, stranger);
        vm.expectRevert(reason);
        vm.prank(stranger);
        market.openCase(termsOf[id], 0, submission());
        vm.expectRevert(reason);
        vm.prank(stranger);
        market.leavesPublished(termsOf[id], 0);
        vm.expectRevert(reason);
        vm.prank(stranger);
        market.leavesWithheld(termsOf[id], 0, stranger);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.NotCourt.selector, stranger));
        vm.prank(stranger);
        market.closeCase(termsOf[id], 0, Verdict.Valid, stranger, 0);
    }

    function _refused(Terms memory bad, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(buyer);
        market.createBatch(bad);
    }
}
