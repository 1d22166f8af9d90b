// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {World} from "../support/World.sol";

contract CloseSeatsTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    function test_answersOfValidVotesMustAgree() public {
        (bytes32 id,) = voting();
        bytes32[3] memory answers = [bytes32("read"), bytes32("guessed"), bytes32("read")];
        for (uint8 seat = 0; seat < 3; ++seat) {
            address holder = voter(id, seat);
            bytes32 hash = court.voteHash(id, 1, seat, holder, Verdict.Valid, answers[seat], saltOf(seat));
            vm.prank(holder);
            court.commitVote(cases_[id], 1, seat, hash);
        }
        for (uint8 seat = 0; seat < 3; ++seat) {
            court.revealVote(cases_[id], 1, seat, Verdict.Valid, answers[seat], saltOf(seat));
        }
        vm.assertEq(round(id).agreeing, 2, "two agree");
        vm.warp(round(id).deadline + 1);
        settleCase(id);
        vm.expectEmit(address(court));
        emit ICourt.SeatClosed(id, 1, 1, voter(id, 1), 0, BOND);
        court.closeSeat(cases_[id], 1, 1);
        vm.expectEmit(address(court));
        emit ICourt.SeatClosed(id, 1, 0, voter(id, 0), 25 * PAN, 0);
        court.closeSeats(cases_[id], 1);
        vm.assertEq(free(address(court)), 0, "pot");
    }

    /// @dev The candidate changes while the votes are counted.
    function test_theAnswerOfMostCountsWhateverTheOrder() public {
        (bytes32 id,) = _voted([Verdict.Valid, Verdict.Valid, Verdict.Valid], [bytes32("a"), "b", "b"]);
        vm.assertEq(round(id).agreeing, 2, "two agree");
        _closes(id, 0, 0, BOND);
        _closes(id, 1, 25 * PAN, 0);
        _closes(id, 2, 25 * PAN, 0);
        court.closeSeats(cases_[id], 1);
        vm.assertEq(free(address(court)), 0, "pot");
    }

    /// @dev Half is no majority: neither answer stands for anything, and both votes were right.
    function test_whereNoAnswerHasMostNoneIsAskedFor() public {
        (bytes32 id,) = _voted([Verdict.Valid, Verdict.Invalid, Verdict.Valid], [bytes32("a"), "a", "b"]);
        vm.assertEq(round(id).agreeing, 0, "none has most");
        _closes(id, 0, 25 * PAN, 0);
        _closes(id, 1, 0, BOND);
        _closes(id, 2, 25 * PAN, 0);
        court.closeSeats(cases_[id], 1);
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function _closes(bytes32 id, uint8 seat, uint256 paid, uint256 lost) private {
        vm.expectEmit(address(court));
        emit ICourt.SeatClosed(id, 1, seat, voter(id, seat), paid, lost);
        uint256 before = vm.snapshotState();
        court.closeSeat(cases_[id], 1, seat);
        vm.revertToState(before);
    }

    /// @dev Votes with these answers, and the case settled by them.
    function _voted(Verdict[3] memory verdicts, bytes32[3] memory answers)
        private
        returns (bytes32 id, address solver)
    {
        (id, solver) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            address holder = voter(id, seat);
            bytes32 hash = court.voteHash(id, 1, seat, holder, verdicts[seat], answers[seat], saltOf(seat));
            vm.prank(holder);
            court.commitVote(cases_[id], 1, seat, hash);
        }
        for (uint8 seat = 0; seat < 3; ++seat) {
            court.revealVote(cases_[id], 1, seat, verdicts[seat], answers[seat], saltOf(seat));
        }
        vm.warp(round(id).deadline + 1);
        settleCase(id);
    }
}
