// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract LeavesPublishedTest is World {
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
            market.leavesPublished(termsOf[id], 0);
        }
    }

    function test_RevertWhen_theTaskIsNotSubmitted() public {
        (bytes32 id,) = assigned();
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Assigned));
        vm.prank(address(challenge));
        market.leavesPublished(termsOf[id], 0);
    }

    function test_thereIsOneCaseLessAndTimeToPin() public {
        (bytes32 id,) = submitted();
        vm.prank(address(challenge));
        market.openCase(termsOf[id], 0, submission());
        vm.warp(deadlineOf(id) + 400);
        uint256 until = vm.getBlockTimestamp() + 120;
        vm.prank(address(challenge));
        vm.assertEq(market.leavesPublished(termsOf[id], 0), until, "challengeBy");
        vm.assertEq(deadlineOf(id), until, "kept");
        vm.assertEq(taskAt(id).openCases, 0, "cases");
        vm.assertEq(statusOf(id), uint256(TaskStatus.Submitted), "status");
        vm.warp(until + 1);
        finalize(id);
    }
}
