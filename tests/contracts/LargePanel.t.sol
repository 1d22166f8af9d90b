// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, RoundState, Verdict} from "../../contracts/interfaces/ICourt.sol";
import {Params} from "../../contracts/interfaces/ISubnetRegistry.sol";
import {TaskStatus} from "../../contracts/interfaces/ITaskMarket.sol";
import {World} from "./support/World.sol";

/// @dev A panel of 21, more than one call may draw.
contract LargePanelTest is World {
    bytes32 private _id;

    function setUp() public override {
        super.setUp();
        Params memory params = defaultParams();
        params.panelStart = 21;
        params.maxRounds = 1;
        params.solverStake = uint96(700 * PAN);
        fund(address(this), SUBNET_BOND);
        subnet = registry.createSubnet(params, 0);
        stakeAll(1, 4);
        (_id,) = disputed();
        nextEpoch();
    }

    function test_drawingTakesAsManyCallsAsItNeeds() public {
        drawSeats(_id);
        vm.assertEq(round(_id).drawn, 16, "the most of one call");
        drawSeats(_id);
        vm.assertEq(uint256(round(_id).state), uint256(RoundState.Commit), "the rest");
    }

    function test_aReplacementWithOnlyKeptSeatsLeftOpensVoting() public {
        drawSeats(_id);
        drawSeats(_id);
        Verdict[] memory verdicts = new Verdict[](21);
        for (uint256 seat = 16; seat < 21; ++seat) {
            verdicts[seat] = Verdict.Valid;
        }
        vote(_id, verdicts); // 16 are absent
        vm.assertEq(round(_id).replaced, 16, "replaced");
        nextEpoch();
        drawSeats(_id);
        vm.assertEq(uint256(round(_id).state), uint256(RoundState.Drawing), "all drawn, five not looked at");
        drawSeats(_id);
        vm.assertEq(uint256(round(_id).state), uint256(RoundState.Commit), "voting");
        for (uint8 seat = 0; seat < 16; ++seat) {
            commit(_id, seat, Verdict.Valid);
        }
        for (uint8 seat = 0; seat < 16; ++seat) {
            court.revealVote(cases_[_id], 1, seat, Verdict.Valid, answerOf(Verdict.Valid), saltOf(seat));
        }
        closeAll(_id);
        vm.assertEq(free(address(court)), 0, "pot");
    }
}

/// @dev As in localParams of src/chain/params.ts: seven panels of 3 to 15, then one of 31 that nobody can appeal.
contract TerminalPanelTest is World {
    bytes32 private _id;

    function setUp() public override {
        super.setUp();
        Params memory params = defaultParams();
        (params.maxRounds, params.terminalPanel) = (7, 31);
        fund(address(this), SUBNET_BOND);
        subnet = registry.createSubnet(params, 0);
        stakeAll(1, 20);
        (_id,) = voting();
    }

    function test_theLastAppealGoesToTheTerminalPanel() public {
        for (uint256 size = 3; size <= 15; size += 2) {
            vm.assertEq(round(_id).size, size, "seats");
            vote(_id, unanimous(size, Verdict.Valid));
            vm.prank(dora);
            appeal(_id);
            seatPanel(_id);
        }
        vm.assertEq(round(_id).size, 31, "seats of the terminal panel");
        vm.assertEq(uint256(round(_id).state), uint256(RoundState.Drawing), "more than one call draws");
        drawSeats(_id);
        vote(_id, unanimous(31, Verdict.Invalid));
        vm.assertEq(round(_id).deadline, 0, "no time to appeal");
        vm.expectRevert(abi.encodeWithSelector(ICourt.LastRound.selector, _id, 8));
        vm.prank(dora);
        appeal(_id);
        closeAll(_id); // at once
        vm.assertEq(statusOf(_id), uint256(TaskStatus.Rejected), "convicted");
        vm.assertEq(
            free(dora),
            PURSE + 30 * PAN,
            "each wrong panel paid for the next: eight fees back, and the bounty"
        );
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function test_aTerminalPanelThatCanNotBeFilledLeavesTheRulingBeforeIt() public {
        for (uint256 size = 3; size <= 15; size += 2) {
            vote(_id, unanimous(size, Verdict.Invalid));
            vm.prank(buyer);
            appeal(_id);
            if (size < 15) seatPanel(_id);
        }
        vm.warp(round(_id).deadline + 1);
        advance(_id);
        vm.assertEq(uint256(round(_id).state), uint256(RoundState.Void), "void");
        closeAll(_id);
        vm.assertEq(statusOf(_id), uint256(TaskStatus.Rejected), "the ruling of round 7");
    }
}
