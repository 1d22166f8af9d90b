// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract ProlongTest is HookWorld {
    function test_RevertWhen_anotherThanTheAuditCalls() public {
        _refusedToAllBut(address(audit), abi.encodeCall(ITaskMarket.prolong, (termsOf[_task], 0)));
    }

    function test_RevertGiven_theTaskIsNotSubmitted() public {
        bytes32 id = postOne();
        _refused(
            address(audit),
            abi.encodeCall(ITaskMarket.prolong, (termsOf[id], 0)),
            abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Open)
        );
    }

    function test_thereIsTheTimeOfAChallengeFromNowOn() public {
        _openCheck();
        vm.warp(deadlineOf(_task) + 400);
        uint256 until = vm.getBlockTimestamp() + 120;
        vm.prank(address(audit));
        vm.assertEq(market.prolong(termsOf[_task], 0), until, "challengeBy");
        vm.assertEq(deadlineOf(_task), until, "kept");
        vm.assertEq(taskAt(_task).openCases, 1, "the check holds it still");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Submitted), "status");
        vm.warp(until);
        _openCase();
    }
}
