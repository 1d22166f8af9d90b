// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Case, ICourt, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {World} from "../support/World.sol";

contract CommitVoteTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    function test_onlyTheHolderOfASeatCommits() public {
        (bytes32 id,) = voting();
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotSeatHolder.selector, id, 1, 0, stranger));
        vm.prank(stranger);
        court.commitVote(cases_[id], 1, 0, "x");
        address holder = voter(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotSeatHolder.selector, id, 1, 3, holder));
        vm.prank(holder);
        court.commitVote(cases_[id], 1, 3, "x"); // no such seat
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongRound.selector, id, 2, 1));
        vm.prank(holder);
        court.commitVote(cases_[id], 2, 0, "x");
        vm.expectRevert(abi.encodeWithSelector(ICourt.EmptyCommitment.selector, id, 1, 0));
        vm.prank(holder);
        court.commitVote(cases_[id], 1, 0, 0);
    }

    /// @dev An id is the hash of the words as they came.
    function test_aCaseWithOtherBitsBesideAMemberIsAnother() public {
        (bytes32 id,) = voting();
        address holder = voter(id, 0);
        Case memory about = cases_[id];
        bytes memory data = abi.encodeCall(court.commitVote, (about, 1, 0, bytes32("x")));
        data[4 + 32 * 5] = 0x80; // of the step
        vm.prank(holder);
        (bool done,) = address(court).call(data);
        vm.assertTrue(!done, "refused");
        vm.prank(holder);
        court.commitVote(about, 1, 0, "x");
    }

    function test_aCommitmentCanBeChangedUntilVotingEnds() public {
        (bytes32 id,) = voting();
        commit(id, 0, Verdict.Valid);
        commit(id, 0, Verdict.Invalid);
        vm.assertEq(round(id).committed, 1, "counted once");
        commit(id, 1, Verdict.Invalid);
        commit(id, 2, Verdict.Invalid);
        _revealFails(id, 0, Verdict.Valid, abi.encodePacked(ICourt.WrongOpening.selector));
        reveal(id, 0, Verdict.Invalid);
    }

    function test_aCommitmentIsInTimeAtCommitByAndLateAfter() public {
        (bytes32 id,) = voting();
        uint40 commitBy = round(id).deadline;
        uint256 snapshot = vm.snapshotState();
        vm.warp(commitBy);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlineNotPassed.selector, id, commitBy));
        advance(id);
        commit(id, 0, Verdict.Valid);
        vm.revertToState(snapshot);
        vm.warp(commitBy + 1);
        address holder = voter(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlinePassed.selector, id, commitBy));
        vm.prank(holder);
        court.commitVote(cases_[id], 1, 0, "x");
    }

    function test_revealingOpensWhenAllHaveCommitted() public {
        (bytes32 id,) = voting();
        commit(id, 0, Verdict.Valid);
        commit(id, 1, Verdict.Valid);
        _revealFails(
            id, 0, Verdict.Valid, abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Commit)
        );
        commit(id, 2, Verdict.Valid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Reveal), "state");
        vm.assertEq(round(id).deadline, vm.getBlockTimestamp() + 40, "revealBy");
        address holder = voter(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Reveal));
        vm.prank(holder);
        court.commitVote(cases_[id], 1, 0, "x");
    }

    function test_eachCommitmentIsAnnouncedAndTheLastOpensTheReveal() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            address holder = voter(id, seat);
            bytes32 commitment = keccak256(abi.encode(seat));
            vm.expectEmit(address(court));
            emit ICourt.VoteCommitted(id, 1, seat, holder);
            if (seat == 2) {
                vm.expectEmit(address(court));
                emit ICourt.RevealOpened(id, 1, uint40(vm.getBlockTimestamp() + 40));
            }
            vm.prank(holder);
            court.commitVote(cases_[id], 1, seat, commitment);
            vm.assertEq(court.commitmentOf(id, 1, seat), commitment, "kept");
        }
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Reveal), "state");
    }

    /// @param reason whole, or the selector alone
    function _revealFails(bytes32 id, uint8 seat, Verdict verdict, bytes memory reason) private {
        uint8 number = currentRound(id);
        if (reason.length == 4) vm.expectPartialRevert(bytes4(reason));
        else vm.expectRevert(reason);
        court.revealVote(cases_[id], number, seat, verdict, answerOf(verdict), saltOf(seat));
    }
}
