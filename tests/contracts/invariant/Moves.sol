// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CaseStatus, Round, RoundState, Seat, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Demand} from "../../../contracts/interfaces/IStepChallenge.sol";
import {Task, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Model} from "./Model.sol";

/// @dev Which actions are legal in the state a task or a case is in, and who would take them.
abstract contract Moves is Model {
    enum Kind {
        None,
        // money
        Deposit,
        DepositWithPermit,
        Withdraw,
        Stake,
        RequestUnstake,
        WithdrawStake,
        // rules, time
        CreateSubnet,
        Pause,
        Resume,
        CloseSubnet,
        ReturnBond,
        AddParams,
        Fulfil,
        MissEpoch,
        Wait,
        // tasks
        CreateBatch,
        Cancel,
        Assign,
        AssignMany,
        Submit,
        Finalize,
        FinalizeMany,
        ExpireOpen,
        ExpireAssigned,
        ExpireMany,
        // cases
        CommitDispute,
        DropCommitment,
        DemandLeaves,
        PublishLeaves,
        CloseDemand,
        Pin,
        DrawSeats,
        CommitVote,
        CommitAgain,
        RevealVote,
        AdvanceDrawing,
        AdvanceCommit,
        AdvanceReveal,
        Appeal,
        Settle,
        SettleMoot,
        CloseSeat,
        CloseSeats,
        // checks
        DrawChecker,
        CommitCheck,
        DeclineCheck,
        OpenAnswers,
        RevealCheck,
        CloseCheck,
        // jobs
        Append,
        // what must be refused
        Probe
    }

    struct Move {
        Kind kind;
        address who;
        bytes32 id;
        uint8 seat;
        uint32 step;
    }

    struct Ballot {
        Verdict verdict;
        bytes32 answer;
        /// a copy can not be opened
        bool copied;
        bool cast;
    }

    uint256 internal constant MOST_CASES = 6;

    bool internal paused;
    bytes32[] internal liveTasks;
    bytes32[] internal liveCases;
    /// tasks whose leaves somebody waits for
    bytes32[] internal demands;
    /// made and not pinned
    Move[] internal commitments;
    mapping(bytes32 taskId => bool) internal isNoise;
    mapping(bytes32 taskId => bool) internal isWithheld;
    mapping(bytes32 taskId => bytes32[]) internal casesAbout;
    mapping(bytes32 caseId => mapping(uint8 round => mapping(uint8 seat => Ballot))) internal ballots;

    Move[] internal legal;

    function listForTask(bytes32 id) internal {
        Task memory entry = taskAt(id);
        bool late = vm.getBlockTimestamp() > entry.deadline;
        if (entry.status == TaskStatus.Open) {
            if (late) return _list(chance(50) ? Kind.ExpireOpen : Kind.ExpireMany, stranger, id);
            if (seedReady(entry.epoch)) _list(chance(60) ? Kind.Assign : Kind.AssignMany, stranger, id);
            bool isNew = entry.attempt == 1 && entry.epoch == beacon.currentEpoch();
            if (isNew && chance(8)) _list(Kind.Cancel, buyer, id);
        } else if (entry.status == TaskStatus.Assigned) {
            if (late) _list(chance(50) ? Kind.ExpireAssigned : Kind.ExpireMany, stranger, id);
            else if (habitOf[entry.solver] != Habit.Absent) _list(Kind.Submit, entry.solver, id);
        } else if (entry.status == TaskStatus.Submitted || entry.status == TaskStatus.Undecided) {
            if (!late) {
                _listDemand(id);
                _listDispute(id, entry.solver);
            } else if (entry.openCases == 0) {
                _list(chance(50) ? Kind.Finalize : Kind.FinalizeMany, stranger, id);
            }
        }
    }

    function _listDemand(bytes32 id) private {
        address by = anyone();
        if (challenge.demandOf(id).by != address(0) || free(by) < 10 * PAN || !chance(15)) return;
        _list(Kind.DemandLeaves, by, id);
    }

    /// @dev Whoever delivers noise answers now and then only.
    function listForDemand(bytes32 id) internal {
        Demand memory demand = challenge.demandOf(id);
        bool late = vm.getBlockTimestamp() > demand.answerBy;
        if (!late && chance(isNoise[id] ? 5 : 80)) _list(Kind.PublishLeaves, anyone(), id);
        bool isAlone = taskAt(id).openCases == (audit.isOpen(id) ? 2 : 1);
        if ((late && isAlone) || !market.isSubmitted(id)) _list(Kind.CloseDemand, stranger, id);
    }

    function _listDispute(bytes32 id, address solver) private {
        if (liveCases.length >= MOST_CASES || casesAbout[id].length >= 4) return;
        if (!isNoise[id] && !isWithheld[id] && !chance(20)) return; // sham disputes are dear
        address disputer = habitOf[solver] == Habit.SelfDisputer && chance(70) ? solver : anyone();
        uint32 step = isNoise[id] && chance(70) ? badStepOf(id) : uint32(pick(INNER_STEPS));
        if (free(disputer) < 40 * PAN) return;
        for (uint256 i = 0; i < casesAbout[id].length; ++i) {
            bytes32 other = casesAbout[id][i];
            if (cases_[other].disputer == disputer && cases_[other].step == step) return;
        }
        legal.push(Move(Kind.Pin, disputer, id, 0, step));
    }

    function listForCase(bytes32 id) internal {
        Round memory r = round(id);
        if (r.status != CaseStatus.Active) return _listClosing(id, r);
        if (!market.isSubmitted(cases_[id].taskId)) {
            _list(Kind.SettleMoot, stranger, id);
            if (r.state > RoundState.Reveal || chance(60)) return;
        }
        bool late = vm.getBlockTimestamp() > r.deadline;
        if (r.state == RoundState.Drawing) {
            if (!late && seedReady(r.epoch)) _list(Kind.DrawSeats, stranger, id);
            if (late) _listAdvance(Kind.AdvanceDrawing, id);
        } else if (r.state == RoundState.Commit) {
            if (late) _listAdvance(Kind.AdvanceCommit, id);
            else _listCommits(id, r);
        } else if (r.state == RoundState.Reveal) {
            if (late || r.committed == 0) _listAdvance(Kind.AdvanceReveal, id);
            if (!late) _listReveals(id, r);
        } else if (r.state == RoundState.Ruled && !late) {
            _listAppeal(id, r);
        } else if (market.isSubmitted(cases_[id].taskId)) {
            _list(Kind.Settle, stranger, id);
        }
    }

    function _listAdvance(Kind kind, bytes32 id) private {
        if (market.isSubmitted(cases_[id].taskId)) _list(kind, stranger, id);
    }

    function _listCommits(bytes32 id, Round memory r) private {
        for (uint8 i = 0; i < r.size; ++i) {
            Seat memory seat = court.seatOf(id, r.number, i);
            if (seat.verdict != Verdict.None || habitOf[seat.voter] == Habit.Absent) continue;
            if (!ballots[id][r.number][i].cast) _listSeat(Kind.CommitVote, seat.voter, id, i);
            else if (chance(10)) _listSeat(Kind.CommitAgain, seat.voter, id, i);
        }
    }

    function _listReveals(bytes32 id, Round memory r) private {
        for (uint8 i = 0; i < r.size; ++i) {
            Ballot memory ballot = ballots[id][r.number][i];
            bool open = court.commitmentOf(id, r.number, i) != 0;
            if (open && !ballot.copied && ballot.cast) _listSeat(Kind.RevealVote, stranger, id, i);
        }
    }

    /// @dev Liars appeal what goes against them; who is honest appeals what is wrong.
    function _listAppeal(bytes32 id, Round memory r) private {
        bool wrong = r.ruling != truthOf(id);
        address appellant = cast[wrong ? pick(2) : 6 + pick(2)];
        if (!wrong && !chance(50)) return;
        if (r.number < paramsOf(id).maxRounds && free(appellant) >= 100 * PAN) {
            _list(Kind.Appeal, appellant, id);
        }
    }

    function _listClosing(bytes32 id, Round memory newest) private {
        for (uint8 number = 1; number <= newest.number; ++number) {
            uint8 size = court.roundOf(id, number).size;
            for (uint8 i = 0; i < size; ++i) {
                Seat memory seat = court.seatOf(id, number, i);
                if (seat.voter == address(0) || seat.closed) continue;
                legal.push(Move(chance(70) ? Kind.CloseSeat : Kind.CloseSeats, stranger, id, i, number));
                return;
            }
        }
    }

    /// @dev What anyone may do once it is time, and a keeper does.
    function isKept(Kind kind) internal pure returns (bool) {
        if (kind == Kind.Assign || kind == Kind.AssignMany) return true;
        if (kind >= Kind.Finalize && kind <= Kind.ExpireMany) return true;
        if (kind >= Kind.AdvanceDrawing && kind <= Kind.AdvanceReveal) return true;
        return kind == Kind.CloseDemand || kind == Kind.DrawSeats
            || (kind >= Kind.Settle && kind <= Kind.CloseSeats);
    }

    function _list(Kind kind, address who, bytes32 id) private {
        legal.push(Move(kind, who, id, 0, 0));
    }

    function _listSeat(Kind kind, address who, bytes32 id, uint8 seat) private {
        legal.push(Move(kind, who, id, seat, 0));
    }

    // ------------------------------------------------------------------------------------ what is true

    function badStepOf(bytes32 taskId) internal pure returns (uint32) {
        return uint32(uint256(taskId) % INNER_STEPS);
    }

    function truthOf(bytes32 caseId) internal view returns (Verdict) {
        bytes32 taskId = cases_[caseId].taskId;
        if (isWithheld[taskId]) return Verdict.Unavailable;
        return isNoise[taskId] && cases_[caseId].step == badStepOf(taskId) ? Verdict.Invalid : Verdict.Valid;
    }

    function seedReady(uint32 requestEpoch) internal view returns (bool ready) {
        uint32 epoch = beacon.currentEpoch();
        if (epoch <= requestEpoch) return false;
        (, ready) = beacon.seed(epoch - 1);
    }
}
