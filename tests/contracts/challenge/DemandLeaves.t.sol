// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Demand, IStepChallenge} from "../../../contracts/interfaces/IStepChallenge.sol";
import {ITaskMarket, Submission} from "../../../contracts/interfaces/ITaskMarket.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {ChallengeWorld} from "./ChallengeWorld.sol";

contract DemandLeavesTest is ChallengeWorld {
    function test_aDemandTakesAFeeAndHoldsTheTask() public {
        uint40 answerBy = uint40(vm.getBlockTimestamp() + CLOCK);
        vm.expectEmit(address(challenge));
        emit IStepChallenge.LeavesDemanded(_task, dora, 10 * PAN, answerBy);
        _demand();
        vm.assertEq(free(dora), PURSE - 10 * PAN, "fee");
        vm.assertEq(taskAt(_task).openCases, 1, "held");
        Demand memory demand = challenge.demandOf(_task);
        vm.assertEq(demand.by, dora, "by");
        vm.assertEq(demand.answerBy, answerBy, "answerBy");
    }

    function test_RevertGiven_thereIsADemand() public {
        _demand();
        vm.expectRevert(abi.encodeWithSelector(IStepChallenge.AlreadyDemanded.selector, _task));
        vm.prank(buyer);
        challenge.demandLeaves(termsOf[_task], 0, submission());
    }

    function test_RevertGiven_thereWasADemand() public {
        _demand();
        _publish(leavesOfTheTrace());
        vm.expectRevert(abi.encodeWithSelector(IStepChallenge.AlreadyDemanded.selector, _task));
        _demand();
    }

    function test_RevertWhen_theSubmissionIsAnother() public {
        Submission memory other = submission();
        other.traceRoot = keccak256("another");
        vm.expectRevert(anotherSubmission(_task, other));
        vm.prank(dora);
        challenge.demandLeaves(termsOf[_task], 0, other);
    }

    function test_RevertGiven_challengeByHasPassed() public {
        uint256 challengeBy = deadlineOf(_task);
        vm.warp(challengeBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, _task, challengeBy));
        _demand();
        vm.warp(challengeBy);
        _demand();
    }

    function test_RevertWhen_theCallerCanNotPay() public {
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, stranger, 10 * PAN, 0));
        vm.prank(stranger);
        challenge.demandLeaves(termsOf[_task], 0, submission());
    }
}
