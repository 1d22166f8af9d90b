// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract LeavesPublishedTest is HookWorld {
    function _module() internal view override returns (address) {
        return address(challenge);
    }

    function _call(bytes32 id) internal view override returns (bytes memory) {
        return abi.encodeCall(ITaskMarket.leavesPublished, (termsOf[id], 0));
    }

    function test_thereIsOneCaseLessAndTimeToPin() public {
        _openCase();
        vm.warp(deadlineOf(_task) + 400);
        uint256 until = vm.getBlockTimestamp() + 120;
        vm.prank(address(challenge));
        vm.assertEq(market.leavesPublished(termsOf[_task], 0), until, "challengeBy");
        vm.assertEq(deadlineOf(_task), until, "kept");
        vm.assertEq(taskAt(_task).openCases, 0, "cases");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Submitted), "status");
        vm.warp(until + 1);
        finalize(_task);
    }
}
