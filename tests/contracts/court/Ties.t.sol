// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

/// @dev A few seats that divide a panel put no end to appeals, and are judged as all others are. Three panels: 3, 5 and 7.
contract TiesTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 8);
    }

    function test_aTieInTheFirstRoundRulesNothingAndWaitsForAnAppeal() public {
        (bytes32 id,) = voting();
        vote(id, three(Verdict.Invalid, Verdict.Valid, Verdict.Unavailable));
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Ruled), "ruled");
        vm.assertEq(uint256(round(id).ruling), uint256(Verdict.None), "nothing");
        uint40 appealBy = round(id).deadline;
        vm.assertEq(appealBy, vm.getBlockTimestamp() + 30, "appealBy");
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlineNotPassed.selector, id, appealBy));
        settleCase(id);
    }

    /// @dev No vote was right or wrong.
    function test_aTieThatNobodyAppealsCostsNobody() public {
        (bytes32 id,) = voting();
        vote(id, three(Verdict.Invalid, Verdict.Valid, Verdict.Unavailable));
        settle(id);
        _isGivenBack(id);
    }

    function test_tiesAllTheWayCostNobodyEither() public {
        (bytes32 id,) = voting();
        vote(id, three(Verdict.Invalid, Verdict.Valid, Verdict.Unavailable));
        _appeal(id);
        vote(id, _divided(Verdict.Valid, Verdict.Invalid));
        vm.assertEq(uint256(round(id).ruling), uint256(Verdict.None), "nothing yet");
        settle(id);
        _isGivenBack(id);
    }

    /// @dev The tied seats that were wrong repay the appeal: 2 x 40 = 50 for the next panel, and half of 30 for the seat that was right.
    function test_aTieThatIsAppealedIsJudgedByTheFinalRuling() public {
        (bytes32 id,) = voting();
        vote(id, three(Verdict.Invalid, Verdict.Valid, Verdict.Unavailable));
        _appeal(id);
        vote(id, unanimous(5, Verdict.Invalid));
        vm.warp(round(id).deadline + 1);
        settleCase(id);
        _paysSeat(id, 1, 0, 45 * PAN, 0);
        _paysSeat(id, 1, 1, 0, BOND);
        _paysSeat(id, 1, 2, 0, BOND);
        closeAll(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "convicted");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "both fees back, and the bounty");
        vm.assertEq(vault.totalBurned(), 45 * PAN, "30 of the conviction, half of 30");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    /// @dev Three of five seats divide the appeal against a captured ruling. That was an end once; now a larger panel judges them.
    function test_threeOfFiveSeatsDoNotFreezeACapturedRuling() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        _appeal(id);
        vote(id, _divided(Verdict.Valid, Verdict.Invalid));
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Ruled), "ruled");
        vm.assertEq(uint256(round(id).ruling), uint256(Verdict.Valid), "as before");
        _appeal(id);
        vote(id, unanimous(7, Verdict.Invalid));
        vm.assertEq(uint256(round(id).ruling), uint256(Verdict.Invalid), "corrected");
        closeAll(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "convicted");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "all three fees back, and the bounty");
        // of panel 1, where nobody was right: 30 + 120 - 50; of panel 2: half of 120 - 70; of the conviction: 30
        vm.assertEq(vault.totalBurned(), (100 + 25 + 30) * PAN, "burned");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    /// @dev It stands, so the appeal was for nothing, as if the panel had said the same.
    function test_aTieThatNobodyAppealsConfirmsTheRulingBefore() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        _appeal(id);
        vote(id, _divided(Verdict.Valid, Verdict.Invalid));
        vm.warp(round(id).deadline + 1);
        vm.expectEmit(address(court));
        emit ICourt.CaseSettled(id, Verdict.Valid, 2, 60 * PAN); // half of three bonds
        settleCase(id);
        _paysSeat(id, 2, 0, 55 * PAN, 0);
        _paysSeat(id, 2, 1, 55 * PAN, 0);
        _paysSeat(id, 2, 2, 0, BOND);
        _paysSeat(id, 2, 4, 0, BOND);
        closeAll(id);
        vm.assertEq(free(dora), PURSE - 81 * PAN, "two fees, and the deposit");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    /// @dev There is no larger panel.
    function test_aTieInTheLastRoundIsVoidAndLeavesTheRulingBefore() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        _appeal(id);
        vote(id, unanimous(5, Verdict.Invalid));
        vm.prank(buyer);
        appeal(id);
        seatPanel(id);
        Verdict[] memory verdicts = unanimous(7, Verdict.Valid);
        verdicts[3] = verdicts[4] = verdicts[5] = Verdict.Invalid;
        verdicts[6] = Verdict.Unavailable;
        vote(id, verdicts);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Void), "void");
        uint256 bonds = vault.balanceOf(address(staking));
        closeAll(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "the ruling of panel 2");
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "price back, fee of panel 3 back");
        // the solver's seat, and the three bonds of panel 1
        vm.assertEq(bonds - free(address(staking)), STAKE + 3 * BOND, "no bond of panel 3");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    /// @dev Staying away is no tie: it costs a bond for every seat, each time.
    function test_anAppealWithoutAQuorumIsVoid() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        _appeal(id);
        Verdict[] memory verdicts = new Verdict[](5);
        verdicts[0] = verdicts[1] = Verdict.Invalid;
        vote(id, verdicts);
        vm.assertEq(round(id).replaced, 3, "three bonds");
        seatPanel(id);
        vm.warp(round(id).deadline + 1);
        advance(id);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Void), "void");
        closeAll(id);
        vm.assertEq(vault.totalBurned(), 6 * BOND - 20 * PAN, "six bonds, less what the two votes are paid");
    }

    // ------------------------------------------------------------------------------------

    function _appeal(bytes32 id) private {
        vm.prank(dora);
        appeal(id);
        seatPanel(id);
    }

    /// @dev Two, two and one of five.
    function _divided(Verdict a, Verdict b) private pure returns (Verdict[] memory verdicts) {
        verdicts = new Verdict[](5);
        (verdicts[0], verdicts[1], verdicts[2], verdicts[3]) = (a, a, b, b);
        verdicts[4] = Verdict.Unavailable;
    }

    function _paysSeat(bytes32 id, uint8 number, uint8 seat, uint256 paid, uint256 slashed) private {
        address holder = court.seatOf(id, number, seat).voter;
        vm.expectEmit(address(court));
        emit ICourt.SeatClosed(id, number, seat, holder, paid, slashed);
        court.closeSeat(cases_[id], number, seat);
    }

    function _isGivenBack(bytes32 id) private view {
        vm.assertEq(statusOf(id), uint256(TaskStatus.Undecided), "task");
        vm.assertEq(vault.totalBurned(), 0, "burned");
        vm.assertEq(free(address(court)), 0, "pot");
        vm.assertEq(free(dora), PURSE, "fees and deposit back");
        vm.assertEq(free(address(staking)), workers.length * (STAKE + 8 * 4 * BOND), "every bond");
    }
}
