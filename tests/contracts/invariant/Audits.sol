// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Check, CheckState, IAudit} from "../../../contracts/interfaces/IAudit.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {Submission, Task, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {CheckHash} from "../../../contracts/libraries/CheckHash.sol";
import {Play} from "./Play.sol";

/// @dev Drawn checks: who is drawn answers as it would vote, and a solver whose result is noise shows its trace now and then
/// only. What an answer is follows from the trace, so nobody can answer wrongly for a solver.
abstract contract Audits is Play {
    mapping(CheckState => uint256) public checksSeen;

    /// tasks with an open check
    bytes32[] internal checks;
    mapping(bytes32 taskId => bytes32) private _answers;
    mapping(bytes32 taskId => uint256) private _drawn;

    function play(Move memory move) internal override {
        if (move.kind < Kind.DrawChecker || move.kind > Kind.CloseCheck) return super.play(move);
        _playCheck(move.id, move.kind, move.who);
        ++taken[move.kind];
    }

    // ------------------------------------------------------------------------------------ what is legal

    function listDrawOf(bytes32 id) internal {
        Task memory entry = taskAt(id);
        if (entry.status != TaskStatus.Submitted || audit.checkOf(id).state != CheckState.None) return;
        if (vm.getBlockTimestamp() > entry.deadline || !seedReady(entry.epoch)) return;
        if (free(buyer) < 10 * PAN) return;
        (bytes32 seed, bool known) = beacon.seed(entry.epoch);
        (bytes32 expected, bool hitsSteps, bool hitsWhole) = _sample(id, entry.solver, seed);
        try audit.sampleOf(termsOf[id], slotOf[id]) returns (bytes32 roll, bool whole) {
            holds(known && (hitsSteps || hitsWhole), "16: sampled though no die says so");
            sameHash(roll, expected, "16: the die");
            holds(whole == hitsWhole, "16: the whole of it, or steps");
            legal.push(Move(Kind.DrawChecker, stranger, id, 0, 0));
        } catch (bytes memory reason) {
            if (!known) return holds(bytes4(reason) == IAudit.SampleSeedNotKnown.selector, "16: no seed");
            holds(bytes4(reason) == IAudit.NotSampled.selector, "16: refused for another reason");
            holds(!hitsSteps && !hitsWhole, "16: not sampled though a die says so");
        }
    }

    /// @dev Out of seed, task, parameters and score, and nothing else.
    function _sample(bytes32 id, address solver, bytes32 seed)
        private
        view
        returns (bytes32 roll, bool hitsSteps, bool hitsWhole)
    {
        Params memory p = registry.paramsOf(subnet, termsOf[id].paramsVersion);
        roll = keccak256(abi.encode(keccak256("PanthaliaSample(bytes32 seed,bytes32 taskId)"), seed, id));
        uint256 chance_ = uint256(p.pMax) * p.scoreHalf / (p.scoreHalf + scores[solver]);
        hitsWhole = uint32(uint256(roll)) < (chance_ < p.pMin ? p.pMin : chance_);
        hitsSteps = uint32(uint256(roll) >> 32) < p.stepAuditRate;
    }

    function listForCheck(bytes32 id) internal {
        Check memory check = audit.checkOf(id);
        bool late = vm.getBlockTimestamp() > check.deadline;
        if (!market.isSubmitted(id)) {
            _list(Kind.CloseCheck, id);
        } else if (check.state == CheckState.Drawing) {
            if (late) _list(Kind.CloseCheck, id);
            else if (seedReady(check.epoch)) _list(Kind.DrawChecker, id);
        } else if (check.state == CheckState.Committing) {
            if (late) _list(Kind.CloseCheck, id);
            else if (habitOf[check.checker] != Habit.Absent) _listAnswer(id, check.checker);
        } else if (check.state == CheckState.Answering) {
            if (!late && chance(isNoise[id] ? 30 : 90)) _list(Kind.OpenAnswers, id);
            if (late && taskAt(id).openCases == 1) _list(Kind.CloseCheck, id);
        } else if (check.state == CheckState.Revealing) {
            if (late) _list(Kind.CloseCheck, id);
            else if (habitOf[check.checker] != Habit.Copier) _list(Kind.RevealCheck, id);
        } else if (vm.getBlockTimestamp() > deadlineOf(id) && taskAt(id).openCases == 1) {
            _list(Kind.CloseCheck, id);
        }
    }

    function _listAnswer(bytes32 id, address checker) private {
        legal.push(Move(chance(30) ? Kind.DeclineCheck : Kind.CommitCheck, checker, id, 0, 0));
    }

    function _list(Kind kind, bytes32 id) private {
        legal.push(Move(kind, stranger, id, 0, 0));
    }

    // ------------------------------------------------------------------------------------ what it does

    function _playCheck(bytes32 id, Kind kind, address who) private {
        Params memory p = registry.paramsOf(subnet, termsOf[id].paramsVersion);
        Check memory check = audit.checkOf(id);
        if (kind == Kind.DrawChecker) {
            _draw(id, check, p);
        } else if (kind == Kind.CommitCheck) {
            _answers[id] = _opinionOf(who, id, check.whole);
            bytes32 commitment = CheckHash.hash(address(audit), id, who, _answers[id], "salt");
            vm.prank(who);
            audit.commitCheck(termsOf[id], slotOf[id], commitment);
        } else if (kind == Kind.DeclineCheck) {
            if (_drawn[id] == 2) _feeTo(buyer, p);
            comesFree(who, 1);
            vm.prank(who);
            audit.declineCheck(termsOf[id], slotOf[id]);
        } else if (kind == Kind.OpenAnswers) {
            Submission memory made = submissionOf(id);
            audit.openAnswers(termsOf[id], slotOf[id], made, openingsOf(id));
            sameHash(audit.answersOf(id), answersOf(id), "34: answers follow from the trace");
        } else if (kind == Kind.RevealCheck) {
            if (CheckHash.trim(_answers[id], AUDIT_STEPS) == answersOf(id)) {
                _feeTo(check.checker, p);
                comesFree(check.checker, 1);
                scores[taskAt(id).solver] += 1;
            }
            audit.revealCheck(termsOf[id], slotOf[id], _answers[id], "salt");
        } else {
            _expectClose(id, check, p);
            bool goesOn = market.isSubmitted(id) && check.state == CheckState.Committing && _drawn[id] < 2;
            audit.closeCheck(termsOf[id], slotOf[id]);
            holds(audit.isOpen(id) == goesOn, "35: only the first checker is replaced");
        }
    }

    function _draw(bytes32 id, Check memory before, Params memory p) private {
        try audit.drawChecker(termsOf[id], slotOf[id]) {
            address checker = audit.checkOf(id).checker;
            holds(checker != taskAt(id).solver, "23: the solver checks itself");
            checkDrawn(checker, Role.Verifier, id);
            atMost(++_drawn[id], 2, "35: a third checker");
            if (before.state != CheckState.None) return;
            pays(buyer, p.verifierFee);
            checkFees += p.verifierFee;
            checks.push(id);
        } catch (bytes memory reason) {
            holds(bytes4(reason) == IAudit.NoCheckerFree.selector, "only if none is free");
            ++emptyDraws;
        }
    }

    /// @dev Honest ones see what is wrong where they look; the others make it up.
    function _opinionOf(address checker, bytes32 id, bool whole) private returns (bytes32) {
        if (habitOf[checker] == Habit.Lazy) return keccak256(abi.encode("noise", pick(1e9)));
        if (habitOf[checker] == Habit.Liar && chance(50)) return "as agreed among liars";
        bool sees = whole;
        for (uint8 index = 0; index < AUDIT_STEPS; ++index) {
            if (checkedStep(id, index) == badStepOf(id)) sees = true;
        }
        return isNoise[id] && sees ? ~answersOf(id) : answersOf(id);
    }

    function _expectClose(bytes32 id, Check memory check, Params memory p) private {
        Task memory entry = taskAt(id);
        if (!market.isSubmitted(id)) {
            bool hasCommitted = check.state == CheckState.Answering || check.state == CheckState.Revealing
                || check.state == CheckState.Disputing;
            bool right = entry.status == TaskStatus.Rejected && hasCommitted;
            if (check.checker != address(0)) comesFree(check.checker, 1);
            return _feeTo(right ? check.checker : buyer, p);
        }
        if (check.state == CheckState.Answering) {
            gains(check.checker, STAKE * p.bountyBps / 10_000);
            gains(buyer, termsOf[id].price + STAKE * p.buyerBps / 10_000);
            isConvicted(entry.solver);
            comesFree(check.checker, 1);
            return _feeTo(check.checker, p);
        }
        bool excused = check.state == CheckState.Drawing
            || (check.state == CheckState.Disputing && entry.status == TaskStatus.Undecided);
        if (!excused) losesBond(check.checker);
        else if (check.checker != address(0)) comesFree(check.checker, 1);
        if (check.state != CheckState.Committing || _drawn[id] == 2) _feeTo(buyer, p);
    }

    function _feeTo(address account, Params memory p) private {
        gains(account, p.verifierFee);
        checkFees -= p.verifierFee;
    }

    // ------------------------------------------------------------------------------------ ends

    function afterChecks() internal {
        for (uint256 i = checks.length; i > 0; --i) {
            Check memory check = audit.checkOf(checks[i - 1]);
            ++checksSeen[check.state];
            if (audit.isOpen(checks[i - 1])) continue;
            checks[i - 1] = checks[checks.length - 1];
            checks.pop();
        }
        same(free(address(audit)), checkFees, "1, 4: audit = fees of open checks");
    }

    /// @dev Absent, drawing again: two waits at most, once no case is open.
    function finishChecks() internal {
        for (; checks.length > 0; checks.pop()) {
            bytes32 id = checks[checks.length - 1];
            for (uint256 waits = 0; audit.isOpen(id); ++waits) {
                atMost(waits, 2, "35: a check has no way out");
                Check memory check = audit.checkOf(id);
                uint256 end = check.state == CheckState.Disputing ? deadlineOf(id) : check.deadline;
                if (end >= vm.getBlockTimestamp()) vm.warp(end + 1);
                audit.closeCheck(termsOf[id], slotOf[id]);
            }
        }
        same(free(address(audit)), 0, "8: fees of checks");
    }
}
