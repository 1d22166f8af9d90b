// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Round, RoundState, Verdict} from "../../contracts/interfaces/ICourt.sol";
import {Role} from "../../contracts/interfaces/IStaking.sol";
import {TaskStatus} from "../../contracts/interfaces/ITaskMarket.sol";
import {World} from "./support/World.sol";

/// @dev The worked examples: price 10, stake 100, fee 30 then 50, bond 40. Panthalia paper, figure 4.
contract MoneyTest is World {
    uint256 private _held;

    mapping(address account => uint256) private _before;

    function setUp() public override {
        super.setUp();
        stakeAll(2, 4);
        _held = token.balanceOf(address(vault));
        _before[buyer] = wealth(buyer);
        _before[dora] = wealth(dora);
        for (uint256 i = 0; i < workers.length; ++i) {
            _before[workers[i]] = wealth(workers[i]);
        }
    }

    function test_anHonestTaskPaysThePriceToItsSolver() public {
        (bytes32 id, address solver) = submitted();
        vm.warp(deadlineOf(id) + 1);
        finalize(id);
        _gained(solver, PRICE, 0);
        _lost(buyer, PRICE);
        _burned(0);
    }

    function test_aConvictedCheatLosesItsSeatToDisputerBuyerAndFire() public {
        (bytes32 id, address solver) = voting();
        vote(id, unanimous(3, Verdict.Invalid));
        settle(id);

        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "status");
        _lost(solver, STAKE);
        _gained(dora, 30 * PAN, 0); // fee 30 back and bounty 30
        _gained(buyer, 10 * PAN, 0); // price back and 10 for the delay
        _gainedPerSeat(id, 1, 10 * PAN);
        _burned(30 * PAN);
        vm.assertTrue(staking.positionOf(subnet, Role.Solver, solver).jailed, "jailed");
        vm.assertEq(free(address(court)), 0, "pot of the court");
        vm.assertEq(free(address(market)), 0, "escrow of the market");
    }

    function test_aFrivolousDisputeCostsTheDisputerItsFee() public {
        (bytes32 id, address solver) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        settle(id);

        vm.warp(deadlineOf(id) + 1);
        finalize(cases_[id].taskId);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Accepted), "status");
        _lost(dora, 30 * PAN + PRICE / 10); // and the deposit, for the delay
        _lost(buyer, PRICE);
        _gainedPerSeat(id, 1, 10 * PAN, solver, PRICE + PRICE / 10);
        _burned(0);
    }

    function test_anAppealThatFlipsTheRulingIsRepaidByTheWrongPanel() public {
        (bytes32 id, address solver) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        vm.prank(dora);
        appeal(id);
        vm.assertEq(free(address(court)), 81 * PAN, "both fees and the deposit");
        vm.assertEq(round(id).size, 5, "seats of the appeal");
        seatPanel(id);
        vote(id, unanimous(5, Verdict.Invalid));
        settle(id);

        _lost(solver, STAKE);
        _gained(dora, 30 * PAN, 0); // both fees back, bounty 30
        _gained(buyer, 10 * PAN, 0);
        for (uint256 i = 0; i < workers.length; ++i) {
            address account = workers[i];
            if (account == solver) continue;
            uint256 wrong = seatsHeld(id, 1, account);
            uint256 right = seatsHeld(id, 2, account);
            _gained(account, right * 10 * PAN, wrong * BOND);
        }
        // first panel: fee 30 and bonds 120, less the appeal's 50; conviction: 30
        _burned(100 * PAN + 30 * PAN);
        vm.assertEq(free(address(court)), 0, "pot of the court");
    }

    function test_anAppealThatChangesNothingPaysTheLargerPanel() public {
        (bytes32 id, address solver) = voting();
        vote(id, unanimous(3, Verdict.Invalid));
        vm.prank(solver);
        appeal(id);
        seatPanel(id);
        vote(id, unanimous(5, Verdict.Invalid));
        settle(id);
        _lost(solver, STAKE + 50 * PAN);
        _gained(dora, 30 * PAN, 0);
        for (uint256 i = 0; i < workers.length; ++i) {
            if (workers[i] == solver) continue;
            uint256 seats = seatsHeld(id, 1, workers[i]) + seatsHeld(id, 2, workers[i]);
            _gained(workers[i], seats * 10 * PAN, 0);
        }
        _burned(30 * PAN);
    }

    function test_anAbsentVerifierLosesItsBondToThoseWhoCame() public {
        (bytes32 id, address solver) = voting();
        address absent = voter(id, 2);
        vote(id, three(Verdict.Valid, Verdict.Valid, Verdict.None));
        Round memory ruled = round(id);
        vm.assertEq(uint256(ruled.state), uint256(RoundState.Ruled), "two of three are a quorum");
        settle(id);

        // fee 30 and half of the bond of 40 for two seats
        for (uint256 i = 0; i < workers.length; ++i) {
            address account = workers[i];
            if (account == solver) continue;
            uint256 came = seatsHeld(id, 1, account);
            if (account == absent) _gained(account, (came - 1) * 25 * PAN, BOND);
            else _gained(account, came * 25 * PAN, 0);
        }
        _burned(20 * PAN);
    }

    /// @dev What cannot be had is the buyer's, so no solver can be made to pay for it.
    function test_aTaskWhoseDataIsMissingCostsTheBuyerItsPrice() public {
        (bytes32 id, address solver) = voting();
        vote(id, unanimous(3, Verdict.Unavailable));
        settle(id);

        vm.assertEq(statusOf(id), uint256(TaskStatus.Voided), "status");
        _gainedPerSeat(id, 1, 10 * PAN, solver, 0);
        _lost(dora, 20 * PAN); // its fee of 30, less the price
        _lost(buyer, PRICE);
        _burned(0);
        vm.assertEq(free(address(court)), 0, "pot of the court");
        vm.assertTrue(!staking.positionOf(subnet, Role.Solver, solver).jailed, "not jailed");
    }

    function test_aCheatThatDisputesItselfIsSeventyPoorer() public {
        (bytes32 id, address solver) = submitted();
        id = disputeAs(solver, id, 0);
        seatPanel(id);
        vote(id, unanimous(3, Verdict.Invalid));
        settle(id);
        _lost(solver, 70 * PAN);
    }

    function test_aVoidFirstRoundCostsNobodyButTheAbsent() public {
        (bytes32 id, address solver) = voting();
        address[3] memory absent = [voter(id, 0), voter(id, 1), voter(id, 2)];
        vote(id, three(Verdict.None, Verdict.None, Verdict.None));
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Drawing), "replaced once");
        seatPanel(id);
        uint256 came = seatsHeld(id, 1, voter(id, 0));
        address present = voter(id, 0);
        vote(id, three(Verdict.Valid, Verdict.None, Verdict.None));
        vm.warp(round(id).deadline + 1);
        if (round(id).state == RoundState.Reveal) advance(id);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Void), "then void");
        closeAll(id);

        vm.warp(deadlineOf(id) + 1);
        finalize(cases_[id].taskId);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Voided), "status");
        _gained(buyer, 0, 0);
        _gained(dora, 0, 0);
        // five bonds were lost, the one vote is paid one fee out of them
        _burned(5 * BOND - 10 * PAN);
        uint256 bonds = came - 1;
        for (uint256 i = 0; i < 3; ++i) {
            if (absent[i] == present) ++bonds;
        }
        _gained(present, 10 * PAN, bonds * BOND);
        if (solver != present) _gained(solver, 0, 0);
        vm.assertEq(free(address(court)), 0, "pot of the court");
        vm.assertEq(free(address(market)), 0, "escrow of the market");
    }

    function test_aSolverThatDeliversNothingPaysForTheDelay() public {
        (bytes32 id, address solver) = assigned();
        vm.warp(deadlineOf(id) + 1);
        expire(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Open), "open again");
        _lost(solver, 10 * PAN);
        vm.assertEq(staked(solver, Role.Solver), STAKE, "one of two seats is broken up");
        _lost(buyer, PRICE); // still escrowed
        _burned(10 * PAN);
    }

    function test_postingATaskThatNobodyCanSolveCostsItsPrice() public {
        bytes32 id = postOne();
        for (uint256 attempt = 0; attempt < 3; ++attempt) {
            nextEpoch();
            assign(id);
            vm.warp(deadlineOf(id) + 1);
            expire(id);
        }
        vm.assertEq(statusOf(id), uint256(TaskStatus.Expired), "status");
        _lost(buyer, PRICE);
        _burned(PRICE + 30 * PAN);
        vm.assertEq(free(address(market)), 0, "escrow of the market");
    }

    // ------------------------------------------------------------------------------------ comparisons

    function _gained(address account, uint256 plus, uint256 minus) private view {
        vm.assertEq(wealth(account) + minus, _before[account] + plus, "wealth");
    }

    function _lost(address account, uint256 amount) private view {
        _gained(account, 0, amount);
    }

    function _gainedPerSeat(bytes32 id, uint8 number, uint256 each) private view {
        _gainedPerSeat(id, number, each, address(0), 0);
    }

    function _gainedPerSeat(bytes32 id, uint8 number, uint256 each, address solver, uint256 price)
        private
        view
    {
        for (uint256 i = 0; i < workers.length; ++i) {
            if (workers[i] == solver) {
                _gained(solver, price, 0);
            } else if (workers[i] != cases_[id].solver) {
                _gained(workers[i], seatsHeld(id, number, workers[i]) * each, 0);
            }
        }
    }

    function _burned(uint256 amount) private view {
        vm.assertEq(vault.totalBurned(), amount, "burned");
        vm.assertEq(token.balanceOf(address(vault)), _held - amount, "held");
    }
}
