// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Action, Next} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {LensWorld} from "../support/LensWorld.sol";

contract NextCaseActionTest is LensWorld {
    function setUp() public override {
        super.setUp();
        stakeAll(2, 3);
    }

    function test_ofNoCaseItNamesNothing() public view {
        Next memory next = lens.nextCaseAction(cases_[0]);
        vm.assertEq(uint256(next.action), uint256(Action.None), "action");
    }

    function test_ofATaskThatHasEndedItNamesTheSettlement() public {
        (bytes32 id,) = submitted();
        bytes32 first = disputeAs(dora, id, 7);
        bytes32 second = disputeAs(dora, id, 9);
        seatPanel(first);
        vote(first, unanimous(3, Verdict.Invalid));
        settle(first);
        expectDue(second, Action.Settle);
        expectNothing(second);
    }

    function test_inTheEpochOfTheRequestItNamesItsSeed() public {
        (bytes32 id,) = disputed();
        expectSeed(id, beacon.currentEpoch());
        expectDue(id, Action.DrawSeats);
    }

    function test_withTheSeedItNamesTheDraw() public {
        (bytes32 id,) = disputed();
        nextEpoch();
        expectDue(id, Action.DrawSeats);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Commit), "state");
    }

    function test_afterTheDeadlineOfTheDrawItNamesTheAdvance() public {
        (bytes32 id,) = disputed();
        nextEpoch();
        vm.warp(round(id).deadline);
        vm.assertEq(uint256(nextOf(id).action), uint256(Action.DrawSeats), "in the last second");
        pass(1);
        expectDue(id, Action.Advance);
        // the panel is void
        expectDue(id, Action.Settle);
        expectNothing(id);
    }

    function test_ofCommitmentsItNamesTheAdvance() public {
        (bytes32 id,) = voting();
        expectAt(id, Action.Advance, round(id).deadline + 1);
    }

    function test_ofCommitmentsThatAreAllOpenItNamesTheAdvanceAtOnce() public {
        (bytes32 id,) = voting();
        commit(id, 0, Verdict.Valid);
        vm.warp(round(id).deadline + 1);
        advance(id);
        reveal(id, 0, Verdict.Valid);
        expectDue(id, Action.Advance);
        vm.assertTrue(round(id).replacement, "absent seats are replaced");
    }

    function test_ofOtherCommitmentsItNamesTheAdvanceAfterRevealBy() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        expectAt(id, Action.Advance, round(id).deadline + 1);
    }

    function test_ofARulingItNamesTheSettlementAfterAppealBy() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        expectAt(id, Action.Settle, round(id).deadline + 1);
        Next memory next = nextOf(id);
        vm.assertEq(next.which, 1, "round");
        expectDue(id, Action.CloseSeats);
        expectNothing(id);
    }

    function test_ofTheLastRulingItNamesTheSettlementAtOnce() public {
        (bytes32 id,) = voting();
        for (uint8 number = 1; number < defaultParams().maxRounds; ++number) {
            vote(id, unanimous(round(id).size, Verdict.Valid));
            vm.prank(dora);
            appeal(id);
            seatPanel(id);
        }
        vote(id, unanimous(round(id).size, Verdict.Valid));
        expectDue(id, Action.Settle);
        for (uint32 number = 1; number <= defaultParams().maxRounds; ++number) {
            vm.assertEq(nextOf(id).which, number, "round");
            expectDue(id, Action.CloseSeats);
        }
        expectNothing(id);
    }

    function test_ofOpenSeatsItNamesTheFirstRoundThatHasOne() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        vm.warp(round(id).deadline + 1);
        settleCase(id);
        court.closeSeat(cases_[id], 1, 0);
        court.closeSeat(cases_[id], 1, 1);
        expectDue(id, Action.CloseSeats);
        expectNothing(id);
    }
}
