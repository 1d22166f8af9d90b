// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract CloseCheckTest is HookWorld {
    function _module() internal view override returns (address) {
        return address(audit);
    }

    function _call(bytes32 id) internal view override returns (bytes memory) {
        return abi.encodeCall(ITaskMarket.closeCheck, (termsOf[id], 0));
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
