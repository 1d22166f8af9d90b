// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ITaskMarket, Submission, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract OpenCaseTest is HookWorld {
    function test_RevertWhen_anotherThanTheChallengeCalls() public {
        _refusedToAllBut(
            address(challenge), abi.encodeCall(ITaskMarket.openCase, (termsOf[_task], 0, submission()))
        );
    }

    function test_RevertGiven_theTaskIsNotSubmitted() public {
        bytes32 id = postOne();
        _refused(
            address(challenge),
            abi.encodeCall(ITaskMarket.openCase, (termsOf[id], 0, submission())),
            abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Open)
        );
    }

    function test_RevertWhen_anotherSubmissionIsOpened() public {
        Submission memory other = submission();
        other.resultRoot = keccak256("another result");
        bytes32 expected = market.submissionHash(_task);
        vm.assertEq(expected, keccak256(abi.encode(submission())), "what was submitted");
        vm.expectRevert(
            abi.encodeWithSelector(
                ITaskMarket.WrongSubmission.selector, _task, expected, keccak256(abi.encode(other))
            )
        );
        vm.prank(address(challenge));
        market.openCase(termsOf[_task], 0, other);
    }

    /// @dev 255 fees are dearer than any stake; the count must not wrap all the same.
    function test_RevertGiven_thereAreTooManyCases() public {
        for (uint256 n = 0; n < 255; ++n) {
            _openCase();
        }
        vm.assertEq(taskAt(_task).openCases, 255, "cases");
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.TooManyCases.selector, _task, 255));
        _openCase();
    }

    function test_itIsInTimeUntilChallengeBy() public {
        uint256 challengeBy = deadlineOf(_task);
        vm.warp(challengeBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, _task, challengeBy));
        _openCase();
        vm.warp(challengeBy);
        _openCase();
        vm.assertEq(taskAt(_task).openCases, 1, "cases");
    }

    function test_itCountsOneMoreAndNamesTheSolver() public {
        _leaveUndecided(); // there is time for another case
        vm.prank(address(challenge));
        (bytes32 id, address solver) = market.openCase(termsOf[_task], 0, submission());
        vm.assertEq(id, _task, "id");
        vm.assertEq(solver, _solver, "solver");
        vm.assertEq(taskAt(id).openCases, 1, "cases");
    }
}
