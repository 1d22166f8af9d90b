// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CaseStatus, ICourt, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {World} from "../support/World.sol";

contract SettleTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
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
}
