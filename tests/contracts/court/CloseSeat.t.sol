// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CaseStatus, ICourt, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {World} from "../support/World.sol";

contract CloseSeatTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    function test_aSeatIsClosedOnceAndOnlyAfterTheCase() public {
        (bytes32 id,) = voting();
        vm.expectRevert(abi.encodeWithSelector(ICourt.CaseNotEnded.selector, id, CaseStatus.Active));
        court.closeSeat(cases_[id], 1, 0);
        address wrong = voter(id, 2);
        vote(id, three(Verdict.Valid, Verdict.Valid, Verdict.Invalid));
        vm.warp(round(id).deadline + 1);
        settleCase(id);
        vm.expectEmit(address(court));
        emit ICourt.SeatClosed(id, 1, 2, wrong, 0, BOND);
        court.closeSeat(cases_[id], 1, 2);
        vm.expectRevert(abi.encodeWithSelector(ICourt.SeatAlreadyClosed.selector, id, 1, 2));
        court.closeSeat(cases_[id], 1, 2);
        vm.expectEmit(address(court));
        emit ICourt.SeatClosed(id, 1, 0, voter(id, 0), 25 * PAN, 0);
        court.closeSeats(cases_[id], 1); // the rest
        vm.assertEq(free(address(court)), 0, "pot");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSuchSeat.selector, id, 1, 3));
        court.closeSeat(cases_[id], 1, 3);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSuchSeat.selector, id, 2, 0));
        court.closeSeat(cases_[id], 2, 0);
    }

    function test_RevertWhen_aSeatIsClosedTwiceOrIsNone() public {
        stakeAll(2, 4);
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

    /// @dev Judged by the last ruling, with the money of its own round.
    function test_aSeatOfAnEarlierRoundIsJudgedByTheLastRuling() public {
        (bytes32 id,) = voting();
        vote(id, three(Verdict.Valid, Verdict.Valid, Verdict.Invalid));
        vm.prank(buyer);
        appeal(id);
        seatPanel(id);
        vote(id, unanimous(5, Verdict.Invalid));
        vm.warp(round(id).deadline + 1);
        settleCase(id);
        // fee 30, two bonds of 40 less the appeal's 50; half of what is left, and the fee, to the one that was right
        _closes(id, 1, 2, 45 * PAN, 0);
        _closes(id, 1, 0, 0, BOND);
        _closes(id, 1, 1, 0, BOND);
        for (uint8 seat = 0; seat < 5; ++seat) {
            _closes(id, 2, seat, 10 * PAN, 0);
        }
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function _closes(bytes32 id, uint8 number, uint8 seat, uint256 paid, uint256 lost) private {
        address holder = court.seatOf(id, number, seat).voter;
        uint256 before = free(holder);
        vm.expectEmit(address(court));
        emit ICourt.SeatClosed(id, number, seat, holder, paid, lost);
        court.closeSeat(cases_[id], number, seat);
        vm.assertEq(free(holder), before + paid, "paid");
    }
}
