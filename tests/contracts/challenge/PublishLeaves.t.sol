// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStepChallenge} from "../../../contracts/interfaces/IStepChallenge.sol";
import {Submission, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {ChallengeWorld} from "./ChallengeWorld.sol";

contract PublishLeavesTest is ChallengeWorld {
    function test_whoeverAnswersIsPaidAndThereIsTimeToPin() public {
        _demand();
        vm.warp(vm.getBlockTimestamp() + CLOCK); // the last second, long after challengeBy
        _publish(leavesOfTheTrace());
        vm.assertEq(free(stranger), 10 * PAN, "paid");
        vm.assertEq(taskAt(_task).openCases, 0, "let go");
        vm.assertEq(deadlineOf(_task), vm.getBlockTimestamp() + 120, "challengeBy");
        disputeAs(dora, _task, 7);
    }

    function test_RevertGiven_noOpenDemand() public {
        bytes memory reason = abi.encodeWithSelector(IStepChallenge.NoDemand.selector, _task);
        bytes32[] memory leaves = leavesOfTheTrace();
        vm.expectRevert(reason);
        challenge.publishLeaves(termsOf[_task], 0, submission(), leaves);
        _demand();
        _publish(leaves);
        vm.expectRevert(reason);
        challenge.publishLeaves(termsOf[_task], 0, submission(), leaves);
    }

    function test_RevertWhen_theAnswerIsLate() public {
        _demand();
        uint40 answerBy = challenge.demandOf(_task).answerBy;
        bytes32[] memory leaves = leavesOfTheTrace();
        vm.warp(answerBy + 1);
        vm.expectRevert(abi.encodeWithSelector(IStepChallenge.AnswerTooLate.selector, _task, answerBy));
        challenge.publishLeaves(termsOf[_task], 0, submission(), leaves);
    }

    function test_RevertWhen_theLeavesAreOthers() public {
        _demand();
        bytes32[] memory leaves = new bytes32[](INNER_STEPS);
        vm.expectRevert(
            abi.encodeWithSelector(IStepChallenge.WrongLeafCount.selector, INNER_STEPS, INNER_STEPS + 1)
        );
        challenge.publishLeaves(termsOf[_task], 0, submission(), leaves);
        for (uint32 i = 0; i <= INNER_STEPS; i += 16) {
            leaves = leavesOfTheTrace();
            leaves[i] = keccak256("another");
            vm.expectRevert(
                abi.encodeWithSelector(IStepChallenge.WrongLeaves.selector, traceNodes(leaves)[1], TRACE_ROOT)
            );
            challenge.publishLeaves(termsOf[_task], 0, submission(), leaves);
        }
        Submission memory other = submission();
        other.resultRoot = keccak256("another");
        vm.expectRevert(anotherSubmission(_task, other));
        challenge.publishLeaves(termsOf[_task], 0, other, leaves);
    }

    function test_anAnswerAfterTheTaskEndedIsPaidAllTheSame() public {
        _demand();
        _convict();
        _publish(leavesOfTheTrace());
        vm.assertEq(free(stranger), 10 * PAN, "paid");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Rejected), "and nothing else");
    }
}
