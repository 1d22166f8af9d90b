// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CaseStatus, ICourt, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {ITaskMarket, TaskStatus, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract SettleTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    /// @dev Nobody is to blame where a panel could not be filled: who found the fault can bring it again.
    function test_aStepIsBroughtAgainAfterACaseWithoutAVerdict() public {
        (bytes32 id,) = submitted();
        bytes32 void = disputeAs(dora, id, 7);
        vm.warp(round(void).deadline + 1);
        advance(void);
        closeAll(void);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Undecided), "undecided");
        bytes32 again = disputeAs(dora, id, 7);
        vm.assertTrue(again != void, "another case");
        seatPanel(again);
        vote(again, unanimous(3, Verdict.Invalid));
        settle(again);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "convicted");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "both fees and deposits back, and the bounty");
    }

    /// @dev What nobody could judge at first is paid once a panel has found it right.
    function test_aResultThatIsFoundRightAfterACaseWithoutAVerdictIsPaid() public {
        (bytes32 id, address solver) = submitted();
        bytes32 void = disputeAs(dora, id, 7);
        vm.warp(round(void).deadline + 1);
        advance(void);
        closeAll(void);
        bytes32 again = disputeAs(dora, id, 7);
        seatPanel(again);
        vote(again, unanimous(3, Verdict.Valid));
        settle(again);
        vm.warp(deadlineOf(id) + 1);
        finalize(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Accepted), "accepted");
        bool judged = solver == voter(again, 0) || solver == voter(again, 1) || solver == voter(again, 2);
        vm.assertTrue(!judged, "not by itself");
        vm.assertEq(free(address(market)), 0, "escrow");
    }

    /// @dev A cheat that kept the verifiers busy while its wrong step was on trial has a right one judged when they are free.
    function test_aResultIsNotPaidForAStepThatNobodyDoubted() public {
        (bytes32 id,) = submitted();
        bytes32 void = disputeAs(dora, id, 7);
        vm.warp(round(void).deadline + 1);
        advance(void);
        closeAll(void);
        bytes32 sham = disputeAs(buyer, id, 9);
        seatPanel(sham);
        vote(sham, unanimous(3, Verdict.Valid));
        settle(sham);
        vm.warp(deadlineOf(id) + 1);
        finalize(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Voided), "voided");
    }

    /// @dev Two auditors find the same fault at the same time. Whose case ends second has lost nothing but its gas.
    function test_ofTwoCasesAboutOneStepTheSecondIsMootAndGetsItsMoneyBack() public {
        (bytes32 id,) = submitted();
        bytes32 first = disputeAs(dora, id, 7);
        bytes32 second = disputeAs(_funded(stranger), id, 7);
        nextEpoch();
        drawSeats(first);
        drawSeats(second);
        vote(first, unanimous(3, Verdict.Invalid));
        vote(second, unanimous(3, Verdict.Invalid));
        settle(first);
        closeAll(second);
        vm.assertEq(uint256(round(second).status), uint256(CaseStatus.Moot), "moot");
        vm.assertEq(free(stranger), PURSE, "fee and deposit back");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "one bounty");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function test_theFirstConvictionMakesTheOtherCasesMoot() public {
        (bytes32 id, address solver) = submitted();
        bytes32 first = disputeAs(dora, id, 7);
        bytes32 second = disputeAs(buyer, id, 9);
        nextEpoch();
        drawSeats(first);
        drawSeats(second);
        commit(second, 0, Verdict.Invalid); // two stay away
        vote(first, unanimous(3, Verdict.Invalid));
        settle(first);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "task");
        vm.expectRevert(abi.encodeWithSelector(ICourt.CaseIsMoot.selector, second));
        advance(second);
        closeAll(second);
        vm.assertEq(uint256(round(second).status), uint256(CaseStatus.Moot), "moot");
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "fee back, and the share of the conviction");
        vm.assertEq(free(address(court)), 0, "pot");
        for (uint256 i = 0; i < workers.length; ++i) {
            vm.assertEq(staking.positionOf(subnet, Role.Verifier, workers[i]).locked, 0, "bonds free");
            vm.assertEq(staked(workers[i], Role.Verifier), 16 * BOND, "bonds whole");
        }
        vm.assertTrue(staking.positionOf(subnet, Role.Solver, solver).jailed, "convicted");
    }

    function test_aStrawManDoesNotSaveACheat() public {
        (bytes32 id,) = submitted();
        bytes32 strawMan = disputeAs(buyer, id, 9);
        bytes32 honest = disputeAs(dora, id, 7);
        nextEpoch();
        drawSeats(strawMan);
        vote(strawMan, unanimous(3, Verdict.Valid));
        settle(strawMan);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Submitted), "still on trial");
        drawSeats(honest);
        vote(honest, unanimous(3, Verdict.Invalid));
        settle(honest);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "convicted");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function test_aCaseWithoutAVerdictLeavesTimeForAnother() public {
        (bytes32 id,) = submitted();
        bytes32 strawMan = disputeAs(buyer, id, 9);
        vm.warp(round(strawMan).deadline + 1);
        advance(strawMan);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskUndecided(id, uint40(vm.getBlockTimestamp() + 120));
        closeAll(strawMan);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Undecided), "undecided");
        bytes32 honest = disputeAs(dora, id, 7);
        nextEpoch();
        drawSeats(honest);
        vote(honest, unanimous(3, Verdict.Invalid));
        settle(honest);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "convicted");
        vm.assertEq(free(address(market)), 0, "escrow");
    }

    function test_RevertWhen_aCaseIsSettledWithTheTermsOfAnotherTask() public {
        stakeAll(2, 4);
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        vm.warp(round(id).deadline + 1);
        bytes32 taskId = cases_[id].taskId;
        bytes32 other = postOne();
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongTask.selector, id, taskId, other));
        court.settle(cases_[id], termsOf[other], slotOf[other]);
        bytes32 beside = market.taskIdOf(market.batchIdOf(termsOf[taskId]), 1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongTask.selector, id, taskId, beside));
        court.settle(cases_[id], termsOf[taskId], 1);
    }

    function test_RevertWhen_aCaseIsSettledBeforeItIsRuled() public {
        stakeAll(2, 4);
        (bytes32 id,) = disputed();
        _settleTooEarly(id, RoundState.Drawing);
        seatPanel(id);
        _settleTooEarly(id, RoundState.Commit);
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        _settleTooEarly(id, RoundState.Reveal);
    }

    /// @dev Whoever appealed against the wrong ruling, not whoever paid for the panel that gave it.
    function test_anAppealThatFlipsIsRepaidToWhoeverAppealed() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        vm.prank(buyer);
        appeal(id);
        seatPanel(id);
        vote(id, unanimous(5, Verdict.Invalid));
        settle(id);
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "fee of the appeal and price back, and the delay");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "its own fee, and the bounty");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    /// @dev The absent of a panel that was replaced stay poorer, also where the case comes to nothing.
    function test_aMootCaseBurnsTheBondsOfReplacedSeats() public {
        (bytes32 task,) = submitted();
        bytes32 first = disputeAs(dora, task, 7);
        bytes32 second = disputeAs(buyer, task, 9);
        nextEpoch();
        drawSeats(first);
        drawSeats(second);
        vote(second, three(Verdict.Valid, Verdict.None, Verdict.None));
        vm.assertEq(round(second).replaced, 2, "replaced");
        uint256 deadline = round(first).deadline;
        vm.warp(deadline - 1);
        vote(first, unanimous(3, Verdict.Invalid));
        settle(first);
        uint256 burned = vault.totalBurned();
        vm.expectEmit(address(court));
        emit ICourt.CaseMoot(second);
        settleCase(second);
        vm.assertEq(uint256(round(second).status), uint256(CaseStatus.Moot), "moot");
        vm.assertEq(vault.totalBurned(), burned + 2 * BOND, "two bonds");
        closeAll(second);
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function _funded(address account) private returns (address) {
        fund(account, PURSE);
        return account;
    }

    function _settleTooEarly(bytes32 id, RoundState state) private {
        Terms memory terms_ = termsOf[cases_[id].taskId];
        vm.warp(round(id).deadline);
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, state));
        court.settle(cases_[id], terms_, 0);
    }
}
