// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Demand, IStepChallenge} from "../../../contracts/interfaces/IStepChallenge.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {ITaskMarket, Submission, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

/// @dev See StepChallenge.tree.
contract LeavesTest is World {
    uint256 private constant CLOCK = 600;

    bytes32 private _task;
    address private _solver;

    function setUp() public override {
        super.setUp();
        stakeAll(2, 4);
        (_task, _solver) = submitted();
    }

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
        vm.expectRevert(abi.encodeWithSelector(IStepChallenge.AlreadyDemanded.selector, _task));
        vm.prank(buyer);
        challenge.demandLeaves(termsOf[_task], 0, submission());
    }

    function test_whoeverAnswersIsPaidAndThereIsTimeToPin() public {
        _demand();
        vm.warp(vm.getBlockTimestamp() + CLOCK); // the last second, long after challengeBy
        _publish(leavesOfTheTrace());
        vm.assertEq(free(stranger), 10 * PAN, "paid");
        vm.assertEq(taskAt(_task).openCases, 0, "let go");
        vm.assertEq(deadlineOf(_task), vm.getBlockTimestamp() + 120, "challengeBy");
        disputeAs(dora, _task, 7);
        vm.expectRevert(abi.encodeWithSelector(IStepChallenge.NoDemand.selector, _task));
        challenge.closeDemand(termsOf[_task], 0);
    }

    function test_RevertWhen_thereIsNoDemand() public {
        bytes memory reason = abi.encodeWithSelector(IStepChallenge.NoDemand.selector, _task);
        bytes32[] memory leaves = leavesOfTheTrace();
        vm.expectRevert(reason);
        challenge.publishLeaves(termsOf[_task], 0, submission(), leaves);
        vm.expectRevert(reason);
        challenge.closeDemand(termsOf[_task], 0);
    }

    function test_RevertWhen_theAnswerIsLateOrNotDue() public {
        _demand();
        uint40 answerBy = challenge.demandOf(_task).answerBy;
        bytes32[] memory leaves = leavesOfTheTrace();
        vm.warp(answerBy);
        vm.expectRevert(abi.encodeWithSelector(IStepChallenge.AnswerNotDue.selector, _task, answerBy));
        challenge.closeDemand(termsOf[_task], 0);
        vm.warp(answerBy + 1);
        vm.expectRevert(abi.encodeWithSelector(IStepChallenge.AnswerTooLate.selector, _task, answerBy));
        challenge.publishLeaves(termsOf[_task], 0, submission(), leaves);
    }

    function test_RevertWhen_theLeavesAreOthers() public {
        _demand();
        bytes32[] memory leaves = _leaves(INNER_STEPS);
        vm.expectRevert(
            abi.encodeWithSelector(IStepChallenge.WrongLeafCount.selector, INNER_STEPS, INNER_STEPS + 1)
        );
        challenge.publishLeaves(termsOf[_task], 0, submission(), leaves);
        for (uint32 i = 0; i <= INNER_STEPS; i += 16) {
            leaves = leavesOfTheTrace();
            leaves[i] = keccak256("another");
            vm.expectRevert(
                abi.encodeWithSelector(IStepChallenge.WrongLeaves.selector, _rootOf(leaves), TRACE_ROOT)
            );
            challenge.publishLeaves(termsOf[_task], 0, submission(), leaves);
        }
        Submission memory other = submission();
        other.resultRoot = keccak256("another");
        vm.expectRevert(
            abi.encodeWithSelector(
                ITaskMarket.WrongSubmission.selector,
                _task,
                market.submissionHash(_task),
                keccak256(abi.encode(other))
            )
        );
        challenge.publishLeaves(termsOf[_task], 0, other, leaves);
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

    function test_anAnswerAfterTheTaskEndedIsPaidAllTheSame() public {
        _demand();
        _convict();
        _publish(leavesOfTheTrace());
        vm.assertEq(free(stranger), 10 * PAN, "paid");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Rejected), "and nothing else");
    }

    function _convict() private {
        bytes32 id = disputeAs(buyer, _task, 7);
        seatPanel(id);
        vote(id, unanimous(3, Verdict.Invalid));
        settle(id);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Rejected), "convicted");
    }

    function _demand() private {
        vm.prank(dora);
        challenge.demandLeaves(termsOf[_task], 0, submission());
    }

    function _publish(bytes32[] memory leaves) private {
        vm.prank(stranger);
        challenge.publishLeaves(termsOf[_task], 0, submission(), leaves);
    }

    function _leaves(uint32 count) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint32 i = 0; i < count; ++i) {
            leaves[i] = stateAt(i);
        }
    }

    function _rootOf(bytes32[] memory leaves) private pure returns (bytes32) {
        bytes32[] memory nodes = new bytes32[](128);
        for (uint32 i = 0; i < leaves.length; ++i) {
            nodes[i] = keccak256(abi.encodePacked(bytes1(0x00), i, leaves[i]));
        }
        for (uint256 width = 64; width > 0; width /= 2) {
            for (uint256 i = 0; i < width; ++i) {
                nodes[i] = keccak256(abi.encodePacked(bytes1(0x01), nodes[2 * i], nodes[2 * i + 1]));
            }
        }
        return nodes[0];
    }
}
