// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CaseStatus, ICourt, Round, RoundState, Seat, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket, Submission, Task, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Moves} from "./Moves.sol";

/// @dev Takes one action about a task or a case, after telling the model what it has to do to everybody's money.
abstract contract Play is Moves {
    mapping(Kind kind => uint256) public taken;
    mapping(TaskStatus => uint256) public tasksSeen;
    mapping(RoundState => uint256) public roundsSeen;
    mapping(CaseStatus => uint256) public casesSeen;
    mapping(Verdict => uint256) public ruled;
    /// draws that found nobody
    uint256 public emptyDraws;

    /// seats at the end of the last epoch: who can be drawn in this one
    mapping(address account => uint256[2]) internal drawable;

    /// the case that the step at hand is about
    bytes32 internal touched;

    function play(Move memory move) internal virtual {
        if (move.kind < Kind.CommitDispute) _playTask(move);
        else if (move.kind < Kind.Pin) _playDemand(move);
        else _playCase(move);
        if (move.kind > Kind.Pin) touched = move.id;
        ++taken[move.kind];
    }

    // ------------------------------------------------------------------------------------ tasks

    function _playTask(Move memory move) private {
        bytes32 id = move.id;
        Task memory entry = taskAt(id);
        if (move.kind == Kind.Cancel) {
            gains(buyer, termsOf[id].price);
            vm.prank(buyer);
            cancel(id);
        } else if (move.kind == Kind.Assign) {
            _assign(id);
        } else if (move.kind == Kind.AssignMany) {
            uint256 done = market.assignMany(termsOf[id], 1 << slotOf[id]);
            if (done == 0) ++emptyDraws;
            else checkDrawn(taskAt(id).solver, Role.Solver, id);
        } else if (move.kind == Kind.Submit) {
            isNoise[id] = deliversNoise(move.who);
            submitAs(move.who, id);
        } else if (move.kind == Kind.Finalize || move.kind == Kind.FinalizeMany) {
            gains(entry.status == TaskStatus.Submitted ? entry.solver : buyer, termsOf[id].price);
            if (move.kind == Kind.Finalize) finalize(id);
            else same(market.finalizeMany(termsOf[id], 1 << slotOf[id]), 1, "finalizeMany");
            compareBook(entry.solver); // 7: it has what it had, and the price
        } else {
            _expectExpiry(id, entry);
            if (move.kind != Kind.ExpireMany) expire(id);
            else same(market.expireMany(termsOf[id], 1 << slotOf[id]), 1, "expireMany");
        }
    }

    function _assign(bytes32 id) private {
        try market.assign(termsOf[id], slotOf[id]) {
            checkDrawn(taskAt(id).solver, Role.Solver, id);
        } catch (bytes memory reason) {
            holds(bytes4(reason) == ITaskMarket.NoSolverFree.selector, "only if none is free");
            ++emptyDraws;
        }
    }

    function _expectExpiry(bytes32 id, Task memory entry) private {
        Params memory p = registry.paramsOf(subnet, termsOf[id].paramsVersion);
        bool assigned_ = entry.status == TaskStatus.Assigned;
        if (!assigned_) return gains(buyer, termsOf[id].price); // that of the last attempt is burned
        losesSeat(entry.solver);
        scores[entry.solver] = scores[entry.solver] * 2 / 3;
        gains(entry.solver, STAKE - STAKE * p.livenessBps / 10_000);
    }

    // ------------------------------------------------------------------------------------ leaves

    function _playDemand(Move memory move) private {
        bytes32 id = move.id;
        Params memory p = registry.paramsOf(subnet, termsOf[id].paramsVersion);
        if (move.kind == Kind.DemandLeaves) {
            pays(move.who, p.verifierFee);
            demanded += p.verifierFee;
            demands.push(id);
            Submission memory made = submissionOf(id);
            vm.prank(move.who);
            challenge.demandLeaves(termsOf[id], slotOf[id], made);
            return;
        }
        demanded -= p.verifierFee;
        if (move.kind == Kind.PublishLeaves) {
            gains(move.who, p.verifierFee);
            (Submission memory made, bytes32[] memory leaves) = (submissionOf(id), leavesOf(id));
            vm.prank(move.who);
            challenge.publishLeaves(termsOf[id], slotOf[id], made, leaves);
        } else {
            address by = challenge.demandOf(id).by;
            gains(by, p.verifierFee);
            if (market.isSubmitted(id)) _expectWithheld(id, by, p);
            challenge.closeDemand(termsOf[id], slotOf[id]);
        }
    }

    function _expectWithheld(bytes32 id, address demander, Params memory p) private {
        gains(termsOf[id].buyer, termsOf[id].price + STAKE * p.buyerBps / 10_000);
        gains(demander, STAKE * p.bountyBps / 10_000);
        isConvicted(taskAt(id).solver);
    }

    // ------------------------------------------------------------------------------------ cases

    function _playCase(Move memory move) private {
        bytes32 id = move.id;
        if (move.kind == Kind.Pin) _open(move);
        else if (move.kind == Kind.DrawSeats) _draw(id);
        else if (move.kind == Kind.CommitVote || move.kind == Kind.CommitAgain) _commit(move);
        else if (move.kind == Kind.RevealVote) _reveal(id, move.seat);
        else if (move.kind == Kind.Appeal) _appeal(id, move.who);
        else if (move.kind == Kind.Settle || move.kind == Kind.SettleMoot) _settle(id);
        else if (move.kind == Kind.CloseSeat) _close(id, uint8(move.step), move.seat);
        else if (move.kind == Kind.CloseSeats) _closeAll(id, uint8(move.step));
        else _advance(id);
    }

    function _open(Move memory move) private {
        bytes32 id = disputeAs(move.who, move.id, move.step);
        payers[id][1] = move.who;
        uint256 due = feeOf(paramsOf(id), 1) + depositOf(id);
        pays(move.who, due);
        fillPot(id, due);
        liveCases.push(id);
        casesAbout[move.id].push(id);
    }

    function _appeal(bytes32 id, address who) private {
        uint8 next = currentRound(id) + 1;
        uint256 fee = feeOf(paramsOf(id), next);
        pays(who, fee);
        fillPot(id, fee);
        payers[id][next] = who;
        vm.prank(who);
        appeal(id);
    }

    function _draw(bytes32 id) private {
        uint8 before = round(id).drawn;
        try court.drawSeats(cases_[id]) {
            Round memory r = round(id);
            for (uint8 i = before; i < r.drawn; ++i) {
                Seat memory seat = court.seatOf(id, r.number, i);
                holds(seat.voter != cases_[id].solver, "23: the solver judges itself");
                if (seat.verdict == Verdict.None) checkDrawn(seat.voter, Role.Verifier, cases_[id].taskId);
            }
        } catch (bytes memory reason) {
            holds(bytes4(reason) == ICourt.NoVerifierFree.selector, "only if none is free");
            ++emptyDraws;
        }
    }

    function checkDrawn(address account, Role role, bytes32 taskId) internal view {
        vm.assertGe(drawable[account][uint256(role)], 1, "11: drawn without weight");
        uint256 taken =
            staking.positionOf(subnet, role, account).locked + (role == Role.Verifier ? freshOf(account) : 0);
        atMost(taken, activeOf(account, role), "5: drawn though no bond was free");
        uint256 version = places[account][uint256(role)].version;
        atMost(
            version, termsOf[taskId].paramsVersion, "36: drawn for a task of a version older than its stake"
        );
    }

    function _commit(Move memory move) private {
        uint8 number = currentRound(move.id);
        Ballot storage ballot = ballots[move.id][number][move.seat];
        bytes32 commitment;
        ballot.cast = true;
        ballot.copied = false;
        if (habitOf[move.who] == Habit.Copier) commitment = _copy(move.id, number, move.seat);
        if (commitment != 0) {
            ballot.copied = true;
        } else {
            (ballot.verdict, ballot.answer) = opinionOf(move.who, truthOf(move.id));
            if (habitOf[move.who] == Habit.Tier) ballot.verdict = _rarest(move.id, number, move.seat);
            commitment = court.voteHash(
                move.id, number, move.seat, move.who, ballot.verdict, ballot.answer, saltOf(move.seat)
            );
        }
        vm.prank(move.who);
        court.commitVote(cases_[move.id], number, move.seat, commitment);
    }

    /// @dev What fewest of the others have said so far, among themselves: its seats know of all.
    function _rarest(bytes32 id, uint8 number, uint8 seat) private view returns (Verdict rarest) {
        uint256[4] memory votes;
        for (uint8 other = 0; other < round(id).size; ++other) {
            if (other != seat) ++votes[uint256(ballots[id][number][other].verdict)];
        }
        rarest = Verdict.Valid;
        for (uint256 v = 2; v < 4; ++v) {
            if (votes[v] < votes[uint256(rarest)]) rarest = Verdict(v);
        }
    }

    function _copy(bytes32 id, uint8 number, uint8 seat) private view returns (bytes32 commitment) {
        for (uint8 other = 0; other < round(id).size && commitment == 0; ++other) {
            if (other != seat) commitment = court.commitmentOf(id, number, other);
        }
    }

    function _reveal(bytes32 id, uint8 seat) private {
        uint8 number = currentRound(id);
        Ballot memory ballot = ballots[id][number][seat];
        court.revealVote(cases_[id], number, seat, ballot.verdict, ballot.answer, saltOf(seat));
    }

    /// @dev If absent seats are replaced, each of them loses its bond at once.
    function _advance(bytes32 id) private {
        Round memory r = round(id);
        Seat[] memory seats = seatsOf(id, r);
        advance(id);
        bool replaces = r.state != RoundState.Drawing && round(id).state == RoundState.Drawing;
        if (!replaces) return;
        for (uint8 i = 0; i < seats.length; ++i) {
            if (seats[i].verdict != Verdict.None) continue;
            losesBond(seats[i].voter);
            fillPot(id, BOND);
            delete ballots[id][r.number][i];
        }
    }

    function _settle(bytes32 id) private {
        expectSettlement(id);
        settleCase(id);
        ++ruled[round(id).ruling];
    }

    function _close(bytes32 id, uint8 number, uint8 seat) private {
        expectClosing(id, number, seat);
        court.closeSeat(cases_[id], number, seat);
    }

    function _closeAll(bytes32 id, uint8 number) private {
        uint8 size = court.roundOf(id, number).size;
        for (uint8 i = 0; i < size; ++i) {
            Seat memory seat = court.seatOf(id, number, i);
            if (seat.voter != address(0) && !seat.closed) expectClosing(id, number, i);
        }
        court.closeSeats(cases_[id], number);
    }
}
