// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract LeavesWithheldTest is HookWorld {
    function test_RevertWhen_anotherThanTheChallengeCalls() public {
        _refusedToAllBut(
            address(challenge), abi.encodeCall(ITaskMarket.leavesWithheld, (termsOf[_task], 0, dora))
        );
    }

    function test_RevertGiven_theTaskIsNotSubmitted() public {
        bytes32 id = postOne();
        _refused(
            address(challenge),
            abi.encodeCall(ITaskMarket.leavesWithheld, (termsOf[id], 0, dora)),
            abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Open)
        );
    }

    function test_RevertGiven_otherCasesAreOpen() public {
        _openCase();
        _openCase();
        _openCase();
        _refused(
            address(challenge),
            abi.encodeCall(ITaskMarket.leavesWithheld, (termsOf[_task], 0, dora)),
            abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, _task, 2)
        );
    }

    function test_theSolverIsConvictedAndWhoeverDemandedGetsTheBounty() public {
        _openCase();
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskRejected(_task, _solver);
        vm.prank(address(challenge));
        vm.assertEq(market.leavesWithheld(termsOf[_task], 0, dora), 60 * PAN, "to burn");
        vm.assertEq(free(address(challenge)), 60 * PAN, "with the caller");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "bounty");
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "price back, and the delay");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Rejected), "status");
        vm.assertTrue(staking.positionOf(subnet, Role.Solver, _solver).jailed, "jailed");
        vm.assertEq(staked(_solver, Role.Solver), STAKE, "one of two seats");
    }
}
