// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {TaskStatus, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract AssignManyTest is World {
    function test_assignManySkipsWhatCanNotBeAssigned() public {
        stake(workers[0], Role.Solver, 2);
        bytes32[] memory ids = post(3);
        vm.assertEq(market.assignMany(termsOf[ids[0]], type(uint256).max), 0, "none in the same epoch");
        nextEpoch();
        vm.assertEq(market.assignMany(termsOf[ids[0]], type(uint256).max), 2, "two seats");
    }

    function test_manyCallsLeaveWhatIsNotDue() public {
        stakeAll(2, 1);
        bytes32[] memory ids = post(2);
        Terms memory terms_ = termsOf[ids[0]];
        vm.assertEq(market.expireMany(terms_, 3), 0, "none is late");
        vm.assertEq(market.assignMany(terms_, 3), 0, "the seed is not due");
        nextEpoch();
        vm.assertEq(market.assignMany(terms_, 3), 2, "both");
        submitAs(taskAt(ids[0]).solver, ids[0]);
        vm.assertEq(market.finalizeMany(terms_, 3), 0, "the window is open");
        vm.warp(deadlineOf(ids[0]) + 1);
        vm.assertEq(market.finalizeMany(terms_, 3), 1, "the submitted one");
        vm.assertEq(statusOf(ids[1]), uint256(TaskStatus.Assigned), "the other is left");
    }

    function test_withoutASeedNothingIsAssigned() public {
        stakeAll(2, 1);
        bytes32[] memory ids = post(2);
        mine(beacon.targetBlock(beacon.currentEpoch()) + 1);
        vm.assertEq(market.assignMany(termsOf[ids[0]], 3), 0, "nobody told the seed");
    }

    function test_inTheFirstEpochNothingIsAssigned() public {
        stakeAll(2, 1);
        vm.roll(EPOCH_BLOCKS - 1);
        bytes32[] memory ids = post(1);
        vm.assertEq(market.assignMany(termsOf[ids[0]], 1), 0, "no epoch before it");
    }
}
