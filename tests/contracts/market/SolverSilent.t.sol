// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract SolverSilentTest is HookWorld {
    function test_RevertWhen_anotherThanTheAuditCalls() public {
        _refusedToAllBut(address(audit), abi.encodeCall(ITaskMarket.solverSilent, (termsOf[_task], 0, dora)));
    }

    function test_RevertGiven_theTaskIsNotSubmitted() public {
        bytes32 id = postOne();
        _refused(
            address(audit),
            abi.encodeCall(ITaskMarket.solverSilent, (termsOf[id], 0, dora)),
            abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Open)
        );
    }

    function test_RevertGiven_aCaseIsOpen() public {
        _openCheck();
        _openCase();
        _openCase();
        _refused(
            address(audit),
            abi.encodeCall(ITaskMarket.solverSilent, (termsOf[_task], 0, dora)),
            abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, _task, 2)
        );
    }

    function test_theSolverIsConvictedAndTheCheckerGetsTheBounty() public {
        _openCheck();
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskRejected(_task, _solver);
        vm.prank(address(audit));
        vm.assertEq(market.solverSilent(termsOf[_task], 0, dora), 60 * PAN, "to burn");
        vm.assertEq(free(address(audit)), 60 * PAN, "with the caller");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "bounty");
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "price back, and the delay");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Rejected), "status");
        vm.assertEq(taskAt(_task).openCases, 0, "cases");
        vm.assertTrue(staking.positionOf(subnet, Role.Solver, _solver).jailed, "jailed");
        vm.assertEq(staked(_solver, Role.Solver), STAKE, "one of two seats");
    }
}
