// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, Submission, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract SubmitTest is World {
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
        Submission[3] memory bad = [submission(), submission(), submission()];
        (bad[0].traceRoot, bad[1].resultRoot, bad[2].leavesBlob) = (0, 0, 0);
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    ITaskMarket.EmptyRoot.selector, id, bad[i].traceRoot, bad[i].resultRoot, bad[i].leavesBlob
                )
            );
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
}
