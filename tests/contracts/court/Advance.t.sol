// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CaseStatus, ICourt, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {IRandomnessSource} from "../../../contracts/interfaces/IRandomnessSource.sol";
import {World} from "../support/World.sol";

contract AdvanceTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    function test_absentSeatsAreReplacedAndVotesStand() public {
        (bytes32 id,) = voting();
        address first = voter(id, 0);
        vote(id, three(Verdict.Invalid, Verdict.None, Verdict.None));
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Drawing), "drawing again");
        vm.assertEq(round(id).replaced, 2, "two");
        vm.assertEq(voter(id, 0), first, "the vote keeps its seat");
        vm.assertEq(voter(id, 1), address(0), "an empty seat");
        vm.expectPartialRevert(IRandomnessSource.SeedNotDue.selector);
        drawSeats(id);
        seatPanel(id);

        vm.expectRevert(abi.encodeWithSelector(ICourt.AlreadyVoted.selector, id, 1, 0));
        vm.prank(first);
        court.commitVote(cases_[id], 1, 0, "x");
        commit(id, 1, Verdict.Invalid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Commit), "one is missing");
        commit(id, 2, Verdict.Valid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Reveal), "all new seats committed");
        reveal(id, 1, Verdict.Invalid);
        reveal(id, 2, Verdict.Valid);
        vm.assertEq(uint256(round(id).ruling), uint256(Verdict.Invalid), "ruling");
        settle(id);
        // fee 30 and half of three lost bonds, for two seats
        vm.assertEq(vault.totalBurned(), 30 * PAN + 60 * PAN, "of the conviction, and half of three bonds");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function test_aCommitmentThatIsNeverOpenedIsForgottenWithItsSeat() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        reveal(id, 0, Verdict.Valid);
        vm.warp(round(id).deadline + 1);
        advance(id);
        seatPanel(id);
        vm.assertEq(court.commitmentOf(id, 1, 1), 0, "an empty seat");
        commit(id, 1, Verdict.Valid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Commit), "one is missing");
        commit(id, 2, Verdict.Valid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Reveal), "all new seats committed");
    }

    function test_aTieWithAnAbsentSeatIsReplacedAndDecided() public {
        (bytes32 id,) = voting();
        vote(id, three(Verdict.Invalid, Verdict.Valid, Verdict.None));
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Drawing), "drawing again");
        seatPanel(id);
        commit(id, 2, Verdict.Valid);
        reveal(id, 2, Verdict.Valid);
        vm.assertEq(uint256(round(id).ruling), uint256(Verdict.Valid), "ruling");
    }

    function test_aReplacementNobodyFillsPaysTheVotesGiven() public {
        (bytes32 id,) = voting();
        address first = voter(id, 0);
        vote(id, three(Verdict.Invalid, Verdict.None, Verdict.None));
        uint256 before = free(first);
        vm.warp(round(id).deadline + 1);
        advance(id);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Void), "void");
        closeAll(id);
        vm.assertEq(free(first), before + 10 * PAN, "one fee out of the lost bonds");
        vm.assertEq(vault.totalBurned(), 2 * BOND - 10 * PAN, "the rest is burned");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function test_aSettledOrUnknownCaseDoesNotMove() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        settle(id);
        bytes memory reason = abi.encodeWithSelector(ICourt.CaseNotActive.selector, id, CaseStatus.Settled);
        vm.expectRevert(reason);
        advance(id);
        vm.expectRevert(reason);
        vm.prank(dora);
        appeal(id);
        cases_[id].step += 1;
        bytes32 unknown = court.caseIdOf(cases_[id]);
        vm.expectRevert(abi.encodeWithSelector(ICourt.CaseNotActive.selector, unknown, CaseStatus.None));
        advance(id);
    }

    function test_RevertWhen_aRuledRoundIsAdvanced() public {
        stakeAll(2, 4);
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        vm.warp(round(id).deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Ruled));
        court.advance(cases_[id]);
    }

    function test_whoIsReplacedIsAnnounced() public {
        (bytes32 id,) = voting();
        address[3] memory seated = [voter(id, 0), voter(id, 1), voter(id, 2)];
        commit(id, 1, Verdict.Valid);
        vm.warp(round(id).deadline + 1);
        advance(id);
        reveal(id, 1, Verdict.Valid);
        vm.expectEmit(address(court));
        emit ICourt.ReplacementOpened(id, 1, 2, beacon.currentEpoch());
        vm.expectEmit(address(court));
        emit ICourt.SeatClosed(id, 1, 0, seated[0], 0, BOND);
        vm.expectEmit(address(court));
        emit ICourt.SeatClosed(id, 1, 2, seated[2], 0, BOND);
        advance(id);
        vm.assertEq(round(id).deadline, vm.getBlockTimestamp() + 60, "drawBy: openSeconds");
        vm.assertEq(free(address(court)), 31 * PAN + 2 * BOND, "with fee and deposit");
    }

    /// @dev There is nothing to reveal, so nobody waits for it.
    function test_aPanelThatStaysAwayIsReplacedAtOnce() public {
        (bytes32 id,) = voting();
        vm.warp(round(id).deadline + 1);
        advance(id);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Drawing), "drawing again");
        vm.assertEq(round(id).replaced, 3, "all of them");
    }

    function test_aVoidRoundIsAnnounced() public {
        (bytes32 id,) = disputed();
        vm.warp(round(id).deadline + 1);
        vm.expectEmit(address(court));
        emit ICourt.RoundRuled(id, 1, Verdict.None, 0);
        advance(id);
        vm.assertEq(round(id).deadline, 0, "nothing to wait for");
    }
}
