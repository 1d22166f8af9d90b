// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract OpenCheckTest is HookWorld {
    function test_RevertWhen_anotherThanTheAuditCalls() public {
        _refusedToAllBut(address(audit), abi.encodeCall(ITaskMarket.openCheck, (termsOf[_task], 0)));
    }

    function test_RevertGiven_theTaskIsNotSubmitted() public {
        bytes32 id = postOne();
        _refused(
            address(audit),
            abi.encodeCall(ITaskMarket.openCheck, (termsOf[id], 0)),
            abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Open)
        );
    }

    /// @dev Its samples are drawn while it is submitted; where a case ended undecided nobody is paid for another look.
    function test_RevertGiven_theTaskIsUndecided() public {
        _leaveUndecided();
        _refused(
            address(audit),
            abi.encodeCall(ITaskMarket.openCheck, (termsOf[_task], 0)),
            abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, _task, TaskStatus.Undecided)
        );
    }

    function test_itIsInTimeUntilChallengeBy() public {
        uint256 challengeBy = deadlineOf(_task);
        vm.warp(challengeBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, _task, challengeBy));
        _openCheck();
        vm.warp(challengeBy);
        _openCheck();
        vm.assertEq(taskAt(_task).openCases, 1, "cases");
    }

    /// @dev 255 fees are dearer than any stake; the count must not wrap all the same.
    function test_RevertGiven_thereAreTooManyCases() public {
        for (uint256 n = 0; n < 255; ++n) {
            _openCase();
        }
        vm.assertEq(taskAt(_task).openCases, 255, "cases");
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.TooManyCases.selector, _task, 255));
        _openCheck();
    }

    function test_itHoldsTheTaskAndNamesSolverAndEpoch() public {
        uint32 submittedIn = beacon.currentEpoch();
        nextEpoch();
        (bytes32 id, address solver, uint32 epoch) = _openCheck();
        vm.assertEq(id, _task, "id");
        vm.assertEq(solver, _solver, "solver");
        vm.assertEq(epoch, submittedIn, "epoch of the submission");
        vm.assertEq(taskAt(_task).openCases, 1, "cases");
        vm.warp(deadlineOf(_task) + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, _task, 1));
        finalize(_task);
    }
}
