// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IRandomnessSource} from "../../../contracts/interfaces/IRandomnessSource.sol";
import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract ExpireTest is World {
    function test_aTaskThatFindsNoSolverIsRefunded() public {
        bytes32 id = postOne();
        uint40 openBy = uint40(deadlineOf(id));
        vm.warp(openBy);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlineNotPassed.selector, id, openBy));
        expire(id);
        vm.warp(openBy + 1);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskExpired(id, 0);
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
            if (attempt == 3) {
                vm.expectEmit(address(market));
                emit ITaskMarket.TaskExpired(id, PRICE);
            }
            vm.expectEmit(address(staking));
            emit IStaking.SeatSlashed(subnet, Role.Solver, solver, 10 * PAN, id);
            expire(id);
        }
        vm.assertEq(statusOf(id), uint256(TaskStatus.Expired), "status");
        vm.assertEq(free(buyer), PURSE - PRICE, "no refund: three strangers have paid for it");
        vm.assertEq(vault.totalBurned(), PRICE + 30 * PAN, "price and three penalties");
        vm.assertEq(free(address(market)), 0, "escrow");
    }

    /// @dev Nobody could be drawn: no stranger has lost anything after the one of before.
    function test_aReopenedTaskThatFindsNoSolverIsRefunded() public {
        stakeAll(1, 1);
        (bytes32 id,) = assigned();
        vm.warp(deadlineOf(id) + 1);
        expire(id);
        vm.warp(deadlineOf(id) + 1);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskExpired(id, 0);
        expire(id);
        vm.assertEq(free(buyer), PURSE, "refund");
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
}
