// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Case, CaseStatus, ICourt, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

/// @dev What the court refuses beside deadlines, with the exact arguments; see Court.tree.
contract CourtRefusalsTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(2, 4);
    }

    function test_RevertWhen_aCommitmentIsOpenedAsSomethingElse() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        bytes32 kept = court.commitmentOf(id, 1, 0);
        for (uint256 what = 0; what < 3; ++what) {
            Verdict verdict = what == 0 ? Verdict.Invalid : Verdict.Valid;
            bytes32 answer = what == 1 ? bytes32("another") : answerOf(Verdict.Valid);
            bytes32 salt = what == 2 ? bytes32("another") : saltOf(0);
            bytes32 opening = court.voteHash(id, 1, 0, voter(id, 0), verdict, answer, salt);
            vm.expectRevert(abi.encodeWithSelector(ICourt.WrongOpening.selector, kept, opening));
            court.revealVote(cases_[id], 1, 0, verdict, answer, salt);
        }
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotAVerdict.selector, Verdict.None));
        court.revealVote(cases_[id], 1, 0, Verdict.None, 0, 0);
    }

    /// @dev A copied commitment names the first seat and its voter, so what opens that one does not open it.
    function test_RevertWhen_aCopiedCommitmentIsOpened() public {
        (bytes32 id,) = voting();
        commit(id, 0, Verdict.Valid);
        bytes32 copied = court.commitmentOf(id, 1, 0);
        address copier = voter(id, 1);
        vm.prank(copier);
        court.commitVote(cases_[id], 1, 1, copied);
        commit(id, 2, Verdict.Valid);
        reveal(id, 0, Verdict.Valid);
        bytes32 answer = answerOf(Verdict.Valid);
        bytes32 opening = court.voteHash(id, 1, 1, copier, Verdict.Valid, answer, saltOf(0));
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongOpening.selector, copied, opening));
        court.revealVote(cases_[id], 1, 1, Verdict.Valid, answer, saltOf(0));
    }

    /// @dev The same voter in the same seat of a later round, with what it committed to in the first.
    function test_RevertWhen_aCommitmentIsReplayedInAnotherRound() public {
        (bytes32 id,) = voting();
        bytes32[7] memory first;
        for (uint8 seat = 0; seat < 3; ++seat) {
            first[seat] = court.voteHash(
                id, 1, seat, voter(id, seat), Verdict.Valid, answerOf(Verdict.Valid), saltOf(seat)
            );
        }
        vote(id, unanimous(3, Verdict.Valid));
        vm.prank(dora);
        appeal(id);
        seatPanel(id);
        for (uint8 seat = 0; seat < 5; ++seat) {
            address holder = voter(id, seat);
            bytes32 replayed = first[seat % 3];
            vm.prank(holder);
            court.commitVote(cases_[id], 2, seat, replayed);
        }
        for (uint8 seat = 0; seat < 3; ++seat) {
            bytes32 answer = answerOf(Verdict.Valid);
            bytes32 opening =
                court.voteHash(id, 2, seat, voter(id, seat), Verdict.Valid, answer, saltOf(seat));
            vm.expectRevert(abi.encodeWithSelector(ICourt.WrongOpening.selector, first[seat], opening));
            court.revealVote(cases_[id], 2, seat, Verdict.Valid, answer, saltOf(seat));
        }
    }

    /// @dev The last commitment opened the reveal; without its block there is none, and the reveal is not open.
    function test_RevertWhen_theBlockOfACommitmentIsReorganised() public {
        (bytes32 id,) = voting();
        commit(id, 0, Verdict.Valid);
        commit(id, 1, Verdict.Valid);
        uint256 before = vm.snapshotState();
        commit(id, 2, Verdict.Valid);
        reveal(id, 2, Verdict.Valid);
        vm.revertToState(before);
        bytes32 answer = answerOf(Verdict.Valid);
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Commit));
        court.revealVote(cases_[id], 1, 2, Verdict.Valid, answer, saltOf(2));
        vm.warp(round(id).deadline + 1);
        advance(id);
        bytes32 opening = court.voteHash(id, 1, 2, voter(id, 2), Verdict.Valid, answer, saltOf(2));
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongOpening.selector, bytes32(0), opening));
        court.revealVote(cases_[id], 1, 2, Verdict.Valid, answer, saltOf(2));
    }

    /// @dev The court keeps a hash: whatever is changed in the case, it is one that does not exist.
    function test_RevertWhen_theCaseIsAnother() public {
        (bytes32 id,) = voting();
        for (uint256 field = 0; field < 5; ++field) {
            Case memory other = cases_[id];
            if (field == 0) other.solver = stranger;
            else if (field == 1) other.disputer = stranger;
            else if (field == 2) other.step += 1;
            else if (field == 3) other.paramsVersion += 1;
            else other.taskId = keccak256("another");
            bytes32 otherId = court.caseIdOf(other);
            vm.expectRevert(abi.encodeWithSelector(ICourt.CaseNotActive.selector, otherId, CaseStatus.None));
            court.drawSeats(other);
            vm.expectRevert(abi.encodeWithSelector(ICourt.CaseNotEnded.selector, otherId, CaseStatus.None));
            court.closeSeats(other, 1);
        }
    }

    function test_RevertWhen_aCaseIsSettledWithTheTermsOfAnotherTask() public {
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
        (bytes32 id,) = disputed();
        _settleTooEarly(id, RoundState.Drawing);
        seatPanel(id);
        _settleTooEarly(id, RoundState.Commit);
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        _settleTooEarly(id, RoundState.Reveal);
    }

    function test_RevertWhen_aRuledRoundIsAdvanced() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        vm.warp(round(id).deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Ruled));
        court.advance(cases_[id]);
    }

    function test_RevertWhen_theLastRulingIsAppealed() public {
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

    function test_RevertWhen_aSeatIsClosedTwiceOrIsNone() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        vm.expectRevert(abi.encodeWithSelector(ICourt.CaseNotEnded.selector, id, CaseStatus.Active));
        court.closeSeat(cases_[id], 1, 0);
        vm.warp(round(id).deadline + 1);
        settleCase(id);
        court.closeSeat(cases_[id], 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ICourt.SeatAlreadyClosed.selector, id, 1, 0));
        court.closeSeat(cases_[id], 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSuchSeat.selector, id, 1, 3));
        court.closeSeat(cases_[id], 1, 3);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSuchSeat.selector, id, 2, 0));
        court.closeSeat(cases_[id], 2, 0);
    }

    function _settleTooEarly(bytes32 id, RoundState state) private {
        Terms memory terms_ = termsOf[cases_[id].taskId];
        vm.warp(round(id).deadline);
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, state));
        court.settle(cases_[id], terms_, 0);
    }
}
