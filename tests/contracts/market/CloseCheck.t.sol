// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract CloseCheckTest is HookWorld {
    function test_RevertWhen_anotherThanTheAuditCalls() public {
        _refusedToAllBut(address(audit), abi.encodeCall(ITaskMarket.closeCheck, (termsOf[_task], 0)));
    }

    function test_RevertGiven_theTaskIsNotSubmitted() public {
        bytes32 id = postOne();
        _refused(
            address(audit),
            abi.encodeCall(ITaskMarket.closeCheck, (termsOf[id], 0)),
            abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Open)
        );
    }

    function test_itLetsGoOfTheTask() public {
        _openCheck();
        uint256 challengeBy = deadlineOf(_task);
        vm.prank(address(audit));
        market.closeCheck(termsOf[_task], 0);
        vm.assertEq(taskAt(_task).openCases, 0, "cases");
        vm.assertEq(deadlineOf(_task), challengeBy, "challengeBy");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Submitted), "status");
        vm.warp(challengeBy + 1);
        finalize(_task);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Accepted), "status");
    }

    function test_theCasesStay() public {
        _openCheck();
        _openCase();
        vm.prank(address(audit));
        market.closeCheck(termsOf[_task], 0);
        vm.assertEq(taskAt(_task).openCases, 1, "cases");
    }
}
