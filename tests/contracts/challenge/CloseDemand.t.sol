// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {IStepChallenge} from "../../../contracts/interfaces/IStepChallenge.sol";
import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {ChallengeWorld} from "./ChallengeWorld.sol";

contract CloseDemandTest is ChallengeWorld {
    function test_RevertGiven_noOpenDemand() public {
        bytes memory reason = abi.encodeWithSelector(IStepChallenge.NoDemand.selector, _task);
        vm.expectRevert(reason);
        challenge.closeDemand(termsOf[_task], 0);
        _demand();
        _publish(leavesOfTheTrace());
        vm.expectRevert(reason);
        challenge.closeDemand(termsOf[_task], 0);
    }

    function test_RevertGiven_answerByHasNotPassed() public {
        _demand();
        uint40 answerBy = challenge.demandOf(_task).answerBy;
        vm.warp(answerBy);
        vm.expectRevert(abi.encodeWithSelector(IStepChallenge.AnswerNotDue.selector, _task, answerBy));
        challenge.closeDemand(termsOf[_task], 0);
        vm.warp(answerBy + 1);
        challenge.closeDemand(termsOf[_task], 0);
        vm.assertTrue(challenge.demandOf(_task).closed, "closed");
    }

    function test_leavesThatAreWithheldConvictTheSolver() public {
        _demand();
        vm.warp(vm.getBlockTimestamp() + CLOCK + 1);
        uint256 before = free(_solver);
        uint256 burned = vault.totalBurned();
        vm.expectEmit(address(challenge));
        emit IStepChallenge.DemandClosed(_task, true);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskRejected(_task, _solver);
        challenge.closeDemand(termsOf[_task], 0);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Rejected), "status");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "fee back, and the bounty");
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "price back, and the buyer's part");
        vm.assertEq(free(_solver), before, "nothing left of the seat");
        vm.assertEq(staked(_solver, Role.Solver), STAKE, "one seat less");
        vm.assertTrue(staking.positionOf(subnet, Role.Solver, _solver).jailed, "and not drawn again");
        vm.assertEq(vault.totalBurned(), burned + 60 * PAN, "the rest");
        vm.assertEq(free(address(challenge)), 0, "nothing kept");
    }

    /// @dev What it saves is what a cheat saves that disputes itself: no more than the bounty.
    function test_aCheatThatDemandsItsOwnLeavesLosesAllButTheBounty() public {
        uint256 before = wealth(_solver);
        vm.prank(_solver);
        challenge.demandLeaves(termsOf[_task], 0, submission());
        vm.warp(vm.getBlockTimestamp() + CLOCK + 1);
        challenge.closeDemand(termsOf[_task], 0);
        vm.assertEq(wealth(_solver), before - 70 * PAN, "wealth");
    }

    /// @dev Or a cheat could demand its own leaves, and not show them, to escape a case before it is settled.
    function test_whileACaseIsOpenADemandWaits() public {
        bytes32 id = disputeAs(buyer, _task, 7);
        _demand();
        vm.warp(vm.getBlockTimestamp() + CLOCK + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, _task, 1));
        challenge.closeDemand(termsOf[_task], 0);
        vm.warp(round(id).deadline + 1);
        advance(id); // nobody drew the panel
        settleCase(id);
        challenge.closeDemand(termsOf[_task], 0);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Rejected), "status");
    }

    function test_aTaskThatEndedElsewhereGivesTheFeeBack() public {
        _demand();
        _convict();
        uint256 before = free(dora);
        vm.expectEmit(address(challenge));
        emit IStepChallenge.DemandClosed(_task, false);
        challenge.closeDemand(termsOf[_task], 0);
        vm.assertEq(free(dora), before + 10 * PAN, "fee back");
    }
}
