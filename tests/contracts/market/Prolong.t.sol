// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract ProlongTest is HookWorld {
    function _module() internal view override returns (address) {
        return address(audit);
    }

    function _call(bytes32 id) internal view override returns (bytes memory) {
        return abi.encodeCall(ITaskMarket.prolong, (termsOf[id], 0));
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
