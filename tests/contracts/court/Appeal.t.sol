// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract AppealTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    function test_anAppealIsInTimeAtAppealByAndTheRulingFinalAfter() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        uint40 appealBy = round(id).deadline;
        vm.assertEq(appealBy, vm.getBlockTimestamp() + 30, "appealBy");
        uint256 snapshot = vm.snapshotState();
        vm.warp(appealBy);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlineNotPassed.selector, id, appealBy));
        settleCase(id);
        vm.expectEmit(address(court));
        emit ICourt.RoundOpened(id, 2, 5, dora, uint96(50 * PAN), beacon.currentEpoch());
        vm.prank(dora);
        appeal(id);
        vm.revertToState(snapshot);
        vm.warp(appealBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlinePassed.selector, id, appealBy));
        vm.prank(dora);
        appeal(id);
        vm.expectEmit(address(court));
        emit ICourt.CaseSettled(id, Verdict.Valid, 1, 0);
        settleCase(id);
    }

    function test_theLastPanelHasNoAppeal() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        vm.prank(dora);
        appeal(id);
        seatPanel(id);
        vote(id, unanimous(5, Verdict.Valid));
        vm.prank(dora);
        appeal(id);
        seatPanel(id);
        vm.assertEq(round(id).size, 7, "seats");
        for (uint8 seat = 0; seat < 7; ++seat) {
            commit(id, seat, Verdict.Invalid);
        }
        for (uint8 seat = 0; seat < 6; ++seat) {
            reveal(id, seat, Verdict.Invalid);
        }
        vm.expectEmit(address(court));
        emit ICourt.RoundRuled(id, 3, Verdict.Invalid, 0);
        court.revealVote(cases_[id], 3, 6, Verdict.Invalid, answerOf(Verdict.Invalid), saltOf(6));
        closeAll(id);
        vm.assertEq(free(address(court)), 0, "pot");
        // all three fees back, and the bounty
        vm.assertEq(free(dora), PURSE + 30 * PAN, "the disputer is whole");
    }

    function test_aVoidAppealLeavesTheRulingAndReturnsTheFee() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Invalid));
        vm.prank(buyer);
        appeal(id);
        vm.warp(round(id).deadline + 1);
        advance(id);
        closeAll(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "first ruling stands");
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "appeal fee and price back");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function test_aRunningVoteCanNotBeAppealed() public {
        (bytes32 id,) = voting();
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Commit));
        vm.prank(dora);
        appeal(id);
    }

    function test_RevertWhen_theLastRulingIsAppealed() public {
        stakeAll(2, 4);
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        for (uint8 size = 5; size <= 7; size += 2) {
            vm.prank(dora);
            appeal(id);
            seatPanel(id);
            vote(id, unanimous(size, Verdict.Valid));
        }
        vm.expectRevert(abi.encodeWithSelector(ICourt.LastRound.selector, id, 3));
        vm.prank(dora);
        appeal(id);
        settleCase(id); // at once
    }
}
