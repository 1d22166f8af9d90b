// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {World} from "../support/World.sol";

contract CloseSeatTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
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
