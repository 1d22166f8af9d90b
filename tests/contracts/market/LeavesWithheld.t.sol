// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract LeavesWithheldTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(2, 1);
    }

    function test_RevertWhen_anotherThanTheChallengeCalls() public {
        (bytes32 id, address solver) = submitted();
        address[4] memory callers = [stranger, buyer, solver, address(court)];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITaskMarket.NotChallenge.selector, callers[i]));
            vm.prank(callers[i]);
            market.leavesWithheld(termsOf[id], 0, dora);
        }
    }

    function test_RevertWhen_theTaskIsNotSubmitted() public {
        (bytes32 id,) = assigned();
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Assigned));
        vm.prank(address(challenge));
        market.leavesWithheld(termsOf[id], 0, dora);
    }

    function test_theSolverIsConvictedAndWhoeverDemandedGetsTheBounty() public {
        (bytes32 id, address solver) = submitted();
        vm.prank(address(challenge));
        market.openCase(termsOf[id], 0, submission());
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskRejected(id, solver);
        vm.prank(address(challenge));
        vm.assertEq(market.leavesWithheld(termsOf[id], 0, dora), 60 * PAN, "to burn");
        vm.assertEq(free(address(challenge)), 60 * PAN, "with the caller");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "bounty");
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "price back, and the delay");
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "status");
        vm.assertTrue(staking.positionOf(subnet, Role.Solver, solver).jailed, "jailed");
        vm.assertEq(staked(solver, Role.Solver), STAKE, "one of two seats");
    }
}
