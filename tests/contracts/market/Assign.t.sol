// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IRandomnessSource} from "../../../contracts/interfaces/IRandomnessSource.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket, TaskStatus, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract AssignTest is World {
    function test_aTaskKeepsTheParametersItWasPostedUnder() public {
        stakeAll(1, 1);
        bytes32 id = postOne();
        Params memory params = defaultParams();
        params.solveSeconds = LEAST_WINDOW;
        useParams(params);
        assign(id);
        vm.assertEq(deadlineOf(id), vm.getBlockTimestamp() + 600, "solveBy");
        bytes32 later = postOne();
        vm.assertEq(termsOf[later].paramsVersion, 2, "version of a later task");
    }

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

    /// @dev The first ticket, where its seat is free.
    function test_whoIsDrawnFollowsFromSeedTaskAndAttempt() public {
        stakeAll(5, 1);
        bytes32[] memory ids = post(4);
        nextEpoch();
        uint32 epoch = beacon.currentEpoch();
        (bytes32 seed,) = beacon.seed(epoch - 1);
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 entropy = keccak256(abi.encode(seed, ids[i], 1));
            uint256 ticket = uint256(keccak256(abi.encode(entropy, 0))) % 20;
            address solver = staking.ownerOfTicket(subnet, Role.Solver, ticket);
            vm.expectEmit(address(market));
            emit ITaskMarket.TaskAssigned(ids[i], solver, 1, epoch);
            assign(ids[i]);
            vm.assertEq(taskAt(ids[i]).solver, solver, "solver");
        }
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

    /// @dev Whatever is changed in the terms: it is another batch, which nobody posted.
    function test_RevertWhen_theTermsAreOthers() public {
        stakeAll(2, 1);
        bytes32 id = postOne();
        nextEpoch();
        for (uint256 field = 0; field < 6; ++field) {
            Terms memory other = termsOf[id];
            if (field == 0) other.price += 1;
            else if (field == 1) other.buyer = stranger;
            else if (field == 2) other.innerSteps += 1;
            else if (field == 3) other.slots |= 2;
            else if (field == 4) other.specHash = keccak256("another");
            else other.salt += 1;
            bytes32 otherId = market.taskIdOf(market.batchIdOf(other), 0);
            vm.expectRevert(
                abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, otherId, TaskStatus.None)
            );
            market.assign(other, 0);
        }
    }

    function test_RevertWhen_theSlotIsNotInTheBatch() public {
        stakeAll(2, 1);
        bytes32 id = postOne();
        bytes32 beside = market.taskIdOf(market.batchIdOf(termsOf[id]), 1);
        nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, beside, TaskStatus.None));
        market.assign(termsOf[id], 1);
        vm.assertEq(market.assignMany(termsOf[id], type(uint256).max), 1, "only the one there is");
    }
}
