// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Case, CaseStatus, ICourt, Round, RoundState, Verdict} from "../../contracts/interfaces/ICourt.sol";
import {IRandomnessSource} from "../../contracts/interfaces/IRandomnessSource.sol";
import {Role} from "../../contracts/interfaces/IStaking.sol";
import {ITaskMarket, Submission, TaskStatus} from "../../contracts/interfaces/ITaskMarket.sol";
import {Pin} from "../../contracts/interfaces/IStepChallenge.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {World} from "./support/World.sol";

contract CourtTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    // ------------------------------------------------------------------------------------ openCase

    function test_aDisputeTakesTheFeeAndHoldsTheTask() public {
        (bytes32 id, address solver) = submitted();
        Case memory about = Case(id, subnet, 1, solver, dora, 7, uint40(vm.getBlockTimestamp()));
        bytes32 caseId = keccak256(abi.encode(block.chainid, address(court), about));
        vm.assertEq(court.caseIdOf(about), caseId, "case id");
        commitToDispute(dora, id, 7, "salt");
        vm.roll(vm.getBlockNumber() + 1);
        Pin memory what = pinOf(7, "salt");
        vm.expectEmit(address(court));
        emit ICourt.CaseOpened(id, caseId, dora, 7, stateAt(7), stateAt(8), 0);
        vm.expectEmit(address(court));
        emit ICourt.RoundOpened(caseId, 1, 3, dora, uint96(30 * PAN), beacon.currentEpoch());
        pinAs(dora, id, what);
        vm.assertEq(free(dora), PURSE - 31 * PAN, "fee and deposit");
        vm.assertEq(statusOf(id), uint256(TaskStatus.Submitted), "status");
        vm.assertEq(taskAt(id).openCases, 1, "cases");
        vm.assertEq(uint256(round(caseId).status), uint256(CaseStatus.Active), "case");
        vm.assertEq(court.payerOf(about, 1), dora, "payer");
        vm.assertEq(court.feeOf(subnet, 1, 1), 30 * PAN, "fee of round 1");
        vm.assertEq(court.feeOf(subnet, 1, 2), 50 * PAN, "fee of round 2");
        vm.warp(deadlineOf(id) + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, id, 1));
        finalize(id);
        vm.assertEq(market.finalizeMany(termsOf[id], 1), 0, "skipped");
    }

    function test_anAccountBringsAStepOncePerSecond() public {
        (bytes32 id,) = submitted();
        bytes32 caseId = disputeAs(dora, id, 7);
        commitToDispute(dora, id, 7, "again");
        vm.roll(vm.getBlockNumber() + 1);
        Pin memory again = pinOf(7, "again");
        vm.expectRevert(abi.encodeWithSelector(ICourt.CaseExists.selector, caseId));
        vm.prank(dora);
        challenge.pin(termsOf[id], slotOf[id], submission(), again);
        disputeAs(buyer, id, 7);
        disputeAs(dora, id, 8);
        vm.assertEq(taskAt(id).openCases, 3, "cases");
    }

    /// @dev Nobody is to blame where a panel could not be filled: who found the fault can bring it again.
    function test_aStepIsBroughtAgainAfterACaseWithoutAVerdict() public {
        (bytes32 id,) = submitted();
        bytes32 void = disputeAs(dora, id, 7);
        vm.warp(round(void).deadline + 1);
        advance(void);
        closeAll(void);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Undecided), "undecided");
        bytes32 again = disputeAs(dora, id, 7);
        vm.assertTrue(again != void, "another case");
        seatPanel(again);
        vote(again, unanimous(3, Verdict.Invalid));
        settle(again);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "convicted");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "both fees and deposits back, and the bounty");
    }

    /// @dev Two auditors find the same fault at the same time. Whose case ends second has lost nothing but its gas.
    function test_ofTwoCasesAboutOneStepTheSecondIsMootAndGetsItsMoneyBack() public {
        (bytes32 id,) = submitted();
        bytes32 first = disputeAs(dora, id, 7);
        bytes32 second = disputeAs(_funded(stranger), id, 7);
        nextEpoch();
        drawSeats(first);
        drawSeats(second);
        vote(first, unanimous(3, Verdict.Invalid));
        vote(second, unanimous(3, Verdict.Invalid));
        settle(first);
        closeAll(second);
        vm.assertEq(uint256(round(second).status), uint256(CaseStatus.Moot), "moot");
        vm.assertEq(free(stranger), PURSE, "fee and deposit back");
        vm.assertEq(free(dora), PURSE + 30 * PAN, "one bounty");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function test_onlyTheChallengeOpensCases() public {
        Case memory about = Case(0, subnet, 1, stranger, stranger, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotChallenge.selector, stranger));
        vm.prank(stranger);
        court.openCase(about, 0, 0, 0, 0, 0);
    }

    function _funded(address account) private returns (address) {
        fund(account, PURSE);
        return account;
    }

    // ------------------------------------------------------------------------------------ side by side

    function test_theFirstConvictionMakesTheOtherCasesMoot() public {
        (bytes32 id, address solver) = submitted();
        bytes32 first = disputeAs(dora, id, 7);
        bytes32 second = disputeAs(buyer, id, 9);
        nextEpoch();
        drawSeats(first);
        drawSeats(second);
        commit(second, 0, Verdict.Invalid); // two stay away
        vote(first, unanimous(3, Verdict.Invalid));
        settle(first);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "task");
        vm.expectRevert(abi.encodeWithSelector(ICourt.CaseIsMoot.selector, second));
        advance(second);
        closeAll(second);
        vm.assertEq(uint256(round(second).status), uint256(CaseStatus.Moot), "moot");
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "fee back, and the share of the conviction");
        vm.assertEq(free(address(court)), 0, "pot");
        for (uint256 i = 0; i < workers.length; ++i) {
            vm.assertEq(staking.positionOf(subnet, Role.Verifier, workers[i]).locked, 0, "bonds free");
            vm.assertEq(staked(workers[i], Role.Verifier), 16 * BOND, "bonds whole");
        }
        vm.assertTrue(staking.positionOf(subnet, Role.Solver, solver).jailed, "convicted");
    }

    function test_aStrawManDoesNotSaveACheat() public {
        (bytes32 id,) = submitted();
        bytes32 strawMan = disputeAs(buyer, id, 9);
        bytes32 honest = disputeAs(dora, id, 7);
        nextEpoch();
        drawSeats(strawMan);
        vote(strawMan, unanimous(3, Verdict.Valid));
        settle(strawMan);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Submitted), "still on trial");
        drawSeats(honest);
        vote(honest, unanimous(3, Verdict.Invalid));
        settle(honest);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "convicted");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function test_aCaseWithoutAVerdictLeavesTimeForAnother() public {
        (bytes32 id,) = submitted();
        bytes32 strawMan = disputeAs(buyer, id, 9);
        vm.warp(round(strawMan).deadline + 1);
        advance(strawMan);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskUndecided(id, uint40(vm.getBlockTimestamp() + 120));
        closeAll(strawMan);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Undecided), "undecided");
        bytes32 honest = disputeAs(dora, id, 7);
        nextEpoch();
        drawSeats(honest);
        vote(honest, unanimous(3, Verdict.Invalid));
        settle(honest);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "convicted");
        vm.assertEq(free(address(market)), 0, "escrow");
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

    // ------------------------------------------------------------------------------------ drawSeats

    function test_seatsAreDrawnInALaterEpochAndNeverToTheSolver() public {
        (bytes32 id, address solver) = disputed();
        uint32 epoch = beacon.currentEpoch();
        vm.expectRevert(abi.encodeWithSelector(IRandomnessSource.SeedNotDue.selector, id, epoch, epoch));
        drawSeats(id);
        nextEpoch();
        vm.prank(stranger);
        drawSeats(id);
        for (uint8 seat = 0; seat < 3; ++seat) {
            vm.assertTrue(voter(id, seat) != solver && voter(id, seat) != address(0), "seated");
        }
        vm.assertEq(free(address(court)), 31 * PAN, "fee and deposit; bonds stay where they are");
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Commit), "voting");
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Commit));
        drawSeats(id);
    }

    function test_thePanelSitsAtDrawByAndIsVoidAfter() public {
        (bytes32 id,) = disputed();
        nextEpoch();
        uint40 drawBy = round(id).deadline;
        uint256 snapshot = vm.snapshotState();
        vm.warp(drawBy);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlineNotPassed.selector, id, drawBy));
        advance(id);
        drawSeats(id);
        vm.revertToState(snapshot);
        vm.warp(drawBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlinePassed.selector, id, drawBy));
        drawSeats(id);
        advance(id);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Void), "void");
        closeAll(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Undecided), "task");
        vm.warp(deadlineOf(id) + 1);
        finalize(cases_[id].taskId);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Voided), "task");
        vm.assertEq(free(dora), PURSE, "fee back");
        vm.assertEq(free(buyer), PURSE, "price back");
    }

    function test_aPanelThatNobodyFillsReturnsTheBondsOfThoseSeated() public {
        // only the solver and one seat of somebody else can be drawn: a bond short of a panel
        (bytes32 id, address solver) = disputed();
        address last = solver == workers[0] ? workers[1] : workers[0];
        for (uint256 i = 0; i < workers.length; ++i) {
            if (workers[i] == solver) continue;
            vm.prank(workers[i]);
            staking.requestUnstake(subnet, Role.Verifier, workers[i] == last ? 3 : 4);
        }
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(address(court));
            staking.draw(subnet, Role.Verifier, keccak256(abi.encode(i)), solver);
        }
        nextEpoch();
        uint256 before = wealth(last);
        drawSeats(id);
        vm.assertEq(round(id).drawn, 2, "two of three");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoVerifierFree.selector, id, beacon.currentEpoch()));
        drawSeats(id);
        vm.warp(round(id).deadline + 1);
        advance(id);
        closeAll(id);
        vm.assertEq(wealth(last), before, "bonds back");
        vm.assertEq(vault.totalBurned(), 0, "nothing burned");
    }

    // ------------------------------------------------------------------------------------ commitVote

    function test_onlyTheHolderOfASeatCommits() public {
        (bytes32 id,) = voting();
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotSeatHolder.selector, id, 1, 0, stranger));
        vm.prank(stranger);
        court.commitVote(cases_[id], 1, 0, "x");
        address holder = voter(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotSeatHolder.selector, id, 1, 3, holder));
        vm.prank(holder);
        court.commitVote(cases_[id], 1, 3, "x"); // no such seat
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongRound.selector, id, 2, 1));
        vm.prank(holder);
        court.commitVote(cases_[id], 2, 0, "x");
        vm.expectRevert(abi.encodeWithSelector(ICourt.EmptyCommitment.selector, id, 1, 0));
        vm.prank(holder);
        court.commitVote(cases_[id], 1, 0, 0);
    }

    function test_aCommitmentCanBeChangedUntilVotingEnds() public {
        (bytes32 id,) = voting();
        commit(id, 0, Verdict.Valid);
        commit(id, 0, Verdict.Invalid);
        vm.assertEq(round(id).committed, 1, "counted once");
        commit(id, 1, Verdict.Invalid);
        commit(id, 2, Verdict.Invalid);
        _revealFails(id, 0, Verdict.Valid, abi.encodePacked(ICourt.WrongOpening.selector));
        reveal(id, 0, Verdict.Invalid);
    }

    function test_aCommitmentIsInTimeAtCommitByAndLateAfter() public {
        (bytes32 id,) = voting();
        uint40 commitBy = round(id).deadline;
        uint256 snapshot = vm.snapshotState();
        vm.warp(commitBy);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlineNotPassed.selector, id, commitBy));
        advance(id);
        commit(id, 0, Verdict.Valid);
        vm.revertToState(snapshot);
        vm.warp(commitBy + 1);
        address holder = voter(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlinePassed.selector, id, commitBy));
        vm.prank(holder);
        court.commitVote(cases_[id], 1, 0, "x");
    }

    function test_revealingOpensWhenAllHaveCommitted() public {
        (bytes32 id,) = voting();
        commit(id, 0, Verdict.Valid);
        commit(id, 1, Verdict.Valid);
        _revealFails(
            id, 0, Verdict.Valid, abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Commit)
        );
        commit(id, 2, Verdict.Valid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Reveal), "state");
        vm.assertEq(round(id).deadline, vm.getBlockTimestamp() + 40, "revealBy");
        address holder = voter(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Reveal));
        vm.prank(holder);
        court.commitVote(cases_[id], 1, 0, "x");
    }

    // ------------------------------------------------------------------------------------ revealVote

    function test_anyoneOpensACommitmentButOnlyAsItWasMade() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        vm.expectPartialRevert(ICourt.WrongOpening.selector);
        court.revealVote(cases_[id], 1, 0, Verdict.Invalid, answerOf(Verdict.Valid), saltOf(0));
        vm.expectPartialRevert(ICourt.WrongOpening.selector);
        court.revealVote(cases_[id], 1, 0, Verdict.Valid, answerOf(Verdict.Invalid), saltOf(0));
        vm.expectPartialRevert(ICourt.WrongOpening.selector);
        court.revealVote(cases_[id], 1, 0, Verdict.Valid, answerOf(Verdict.Valid), saltOf(1));
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongRound.selector, id, 2, 1));
        court.revealVote(cases_[id], 2, 0, Verdict.Valid, answerOf(Verdict.Valid), saltOf(0));
        vm.expectEmit(address(court));
        emit ICourt.VoteRevealed(id, 1, 0, voter(id, 0), Verdict.Valid, answerOf(Verdict.Valid));
        vm.prank(stranger);
        court.revealVote(cases_[id], 1, 0, Verdict.Valid, answerOf(Verdict.Valid), saltOf(0));
        _revealFails(id, 0, Verdict.Valid, abi.encodePacked(ICourt.WrongOpening.selector)); // not twice
        vm.assertEq(round(id).valid, 1, "counted once");
    }

    function test_noneIsNoVerdict() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.None);
        }
        _revealFails(id, 0, Verdict.None, abi.encodeWithSelector(ICourt.NotAVerdict.selector, Verdict.None));
    }

    function test_aCopiedCommitmentCanNotBeOpened() public {
        (bytes32 id,) = voting();
        commit(id, 0, Verdict.Invalid);
        bytes32 copied = court.commitmentOf(id, 1, 0);
        for (uint8 seat = 1; seat < 3; ++seat) {
            address holder = voter(id, seat);
            vm.prank(holder);
            court.commitVote(cases_[id], 1, seat, copied);
        }
        reveal(id, 0, Verdict.Invalid);
        vm.expectPartialRevert(ICourt.WrongOpening.selector);
        court.revealVote(cases_[id], 1, 1, Verdict.Invalid, answerOf(Verdict.Invalid), saltOf(0));
    }

    function test_aVoteIsInTimeAtRevealByAndLateAfter() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        uint40 revealBy = round(id).deadline;
        uint256 snapshot = vm.snapshotState();
        vm.warp(revealBy);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlineNotPassed.selector, id, revealBy));
        advance(id);
        reveal(id, 0, Verdict.Valid);
        vm.revertToState(snapshot);
        vm.warp(revealBy + 1);
        _revealFails(
            id, 0, Verdict.Valid, abi.encodeWithSelector(ICourt.DeadlinePassed.selector, id, revealBy)
        );
        advance(id);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Drawing), "the silent are replaced");
    }

    // ------------------------------------------------------------------------------------ replacement

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

    function test_aTieOfAllSeatsIsVoidAndCostsNobody() public {
        (bytes32 id,) = voting();
        vote(id, three(Verdict.Invalid, Verdict.Valid, Verdict.Unavailable));
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Void), "void");
        closeAll(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Undecided), "task");
        vm.assertEq(vault.totalBurned(), 0, "burned");
        vm.assertEq(free(address(court)), 0, "pot");
        vm.assertEq(free(dora), PURSE, "fee back");
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

    // ------------------------------------------------------------------------------------ appeal

    function test_anAppealIsInTimeAtAppealByAndTheRulingFinalAfter() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        uint40 appealBy = round(id).deadline;
        vm.assertEq(appealBy, vm.getBlockTimestamp() + 30, "appealBy");
        uint256 snapshot = vm.snapshotState();
        vm.warp(appealBy);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlineNotPassed.selector, id, appealBy));
        settleCase(id);
        vm.expectEmit(address(court));
        emit ICourt.RoundOpened(id, 2, 5, dora, uint96(50 * PAN), beacon.currentEpoch());
        vm.prank(dora);
        appeal(id);
        vm.revertToState(snapshot);
        vm.warp(appealBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlinePassed.selector, id, appealBy));
        vm.prank(dora);
        appeal(id);
        vm.expectEmit(address(court));
        emit ICourt.CaseSettled(id, Verdict.Valid, 1, 0);
        settleCase(id);
    }

    function test_theLastPanelHasNoAppeal() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        vm.prank(dora);
        appeal(id);
        seatPanel(id);
        vote(id, unanimous(5, Verdict.Valid));
        vm.prank(dora);
        appeal(id);
        seatPanel(id);
        vm.assertEq(round(id).size, 7, "seats");
        for (uint8 seat = 0; seat < 7; ++seat) {
            commit(id, seat, Verdict.Invalid);
        }
        for (uint8 seat = 0; seat < 6; ++seat) {
            reveal(id, seat, Verdict.Invalid);
        }
        vm.expectEmit(address(court));
        emit ICourt.RoundRuled(id, 3, Verdict.Invalid, 0);
        court.revealVote(cases_[id], 3, 6, Verdict.Invalid, answerOf(Verdict.Invalid), saltOf(6));
        closeAll(id);
        vm.assertEq(free(address(court)), 0, "pot");
        // all three fees back, and the bounty
        vm.assertEq(free(dora), PURSE + 30 * PAN, "the disputer is whole");
    }

    function test_aVoidAppealLeavesTheRulingAndReturnsTheFee() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Invalid));
        vm.prank(buyer);
        appeal(id);
        vm.warp(round(id).deadline + 1);
        advance(id);
        closeAll(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "first ruling stands");
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "appeal fee and price back");
        vm.assertEq(free(address(court)), 0, "pot");
    }

    function test_aRunningVoteCanNotBeAppealed() public {
        (bytes32 id,) = voting();
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Commit));
        vm.prank(dora);
        appeal(id);
    }

    // ------------------------------------------------------------------------------------ closeSeat

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

    // ------------------------------------------------------------------------------------ voteHash

    function test_theVoteHashIsTheOneTheDocumentsState() public view {
        bytes32 typehash = keccak256(
            "PanthaliaVote(uint256 chainId,address court,bytes32 caseId,uint16 round,uint8 seat,address voter,uint8 verdict,bytes32 answer,bytes32 salt)"
        );
        bytes32 expected = keccak256(
            abi.encode(
                typehash,
                block.chainid,
                address(court),
                keccak256("case"),
                uint256(2),
                uint256(3),
                stranger,
                uint256(2),
                keccak256("answer"),
                keccak256("salt")
            )
        );
        vm.assertEq(
            court.voteHash(
                keccak256("case"), 2, 3, stranger, Verdict.Invalid, keccak256("answer"), keccak256("salt")
            ),
            expected,
            "hash"
        );
    }

    function testFuzz_theVoteHashBindsEverything(
        bytes32 caseId,
        uint8 number,
        uint8 seat,
        address holder,
        bytes32 answer,
        bytes32 salt
    ) public {
        bytes32 hash = court.voteHash(caseId, number, seat, holder, Verdict.Valid, answer, salt);
        _differs(hash, ~caseId, number, seat, holder, Verdict.Valid, answer, salt);
        _differs(hash, caseId, ~number, seat, holder, Verdict.Valid, answer, salt);
        _differs(hash, caseId, number, ~seat, holder, Verdict.Valid, answer, salt);
        _differs(hash, caseId, number, seat, address(~uint160(holder)), Verdict.Valid, answer, salt);
        _differs(hash, caseId, number, seat, holder, Verdict.Invalid, answer, salt);
        _differs(hash, caseId, number, seat, holder, Verdict.Valid, ~answer, salt);
        _differs(hash, caseId, number, seat, holder, Verdict.Valid, answer, ~salt);
        vm.chainId(block.chainid + 1);
        _differs(hash, caseId, number, seat, holder, Verdict.Valid, answer, salt);
    }

    /// @param reason whole, or the selector alone
    function _revealFails(bytes32 id, uint8 seat, Verdict verdict, bytes memory reason) private {
        uint8 number = currentRound(id);
        if (reason.length == 4) vm.expectPartialRevert(bytes4(reason));
        else vm.expectRevert(reason);
        court.revealVote(cases_[id], number, seat, verdict, answerOf(verdict), saltOf(seat));
    }

    function _differs(
        bytes32 hash,
        bytes32 caseId,
        uint8 number,
        uint8 seat,
        address holder,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) private view {
        vm.assertNotEq(court.voteHash(caseId, number, seat, holder, verdict, answer, salt), hash, "bound");
    }
}
