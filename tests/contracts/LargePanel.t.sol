// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {RoundState, Verdict} from "../../contracts/interfaces/ICourt.sol";
import {Params} from "../../contracts/interfaces/ISubnetRegistry.sol";
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
