// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CaseStatus, ICourt, Round, RoundState, Seat, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Action, Next} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {Demand} from "../../../contracts/interfaces/IStepChallenge.sol";
import {ITaskMarket, Task, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Stakes} from "./Stakes.sol";

/// @dev What must hold after every step; the number before a sentence is the invariant's, see README.md.
abstract contract Checks is Stakes {
    struct Seen {
        TaskStatus status;
        uint8 attempt;
        address solver;
        bytes32 submission;
    }

    mapping(bytes32 taskId => Seen) private _seen;
    mapping(bytes32 caseId => mapping(uint8 round => uint256)) private _phases;
    mapping(uint32 epoch => bytes32) private _seeds;
    mapping(bytes32 value => bool) private _isSeed;
    mapping(uint32 version => bytes32) private _params;
    uint32 private _newest;
    /// epoch from which on the newest parameters are in force
    uint32 internal noticeUntil;
    /// of a subnet that is closed: when its bond goes back
    mapping(uint32 subnetId => uint256) internal bondAt;
    mapping(uint32 subnetId => bool) internal isBondBack;
    uint256 internal bondsBack;
    mapping(Action action => uint256) public namedByLens;
    uint256 public tiesSeen;
    uint256 private _steps;

    /// @dev What the step touched and something at random every time; all books now and then: sums are compared after
    /// every step, so nothing goes wrong unseen in between.
    function afterStep() internal {
        if (++_steps % 8 == 0) compareBooks();
        _checkLedger();
        checkStake();
        checkJob();
        _checkRandomness();
        _checkRules();
        uint256 escrow = 0;
        for (uint256 i = liveTasks.length; i > 0; --i) {
            escrow += _checkTask(liveTasks[i - 1]);
            if (_seen[liveTasks[i - 1]].status > TaskStatus.Undecided) _drop(liveTasks, i - 1);
        }
        same(free(address(market)), escrow, "1, 4: market = prices of live tasks");
        for (uint256 i = liveCases.length; i > 0; --i) {
            if (liveCases[i - 1] != touched && !chance(20)) continue;
            if (_checkCase(liveCases[i - 1])) _drop(liveCases, i - 1);
        }
        touched = 0;
        for (uint256 i = demands.length; i > 0; --i) {
            if (challenge.demandOf(demands[i - 1]).closed) _drop(demands, i - 1);
        }
        if (liveTasks.length > 0 && chance(15)) _checkLens(liveTasks[pick(liveTasks.length)]);
        if (liveCases.length > 0 && chance(15)) _checkLens(liveCases[pick(liveCases.length)]);
        if (demands.length > 0 && chance(15)) _checkLens(demands[pick(demands.length)]);
        same(free(address(court)), pots + committed, "1, 4: court = pots and bonds of commitments");
        same(free(address(challenge)), demanded, "1, 4: challenge = fees of open demands");
        afterChecks();
    }

    // ------------------------------------------------------------------------------------ keepers

    /// @dev The lens names a call just where this model has one that anyone may make, and it can be made.
    function _checkLens(bytes32 id) private {
        Next memory next = nextOf(id);
        bool seedIsDue = next.due && next.action == Action.Fulfil;
        holds(seedIsDue || next.due == _anyoneMayAct(id), "33: the lens names what is due");
        if (!next.due) return;
        ++namedByLens[next.action];
        uint256 before = vm.snapshotState();
        try this.makeNext(id, next) {}
        catch (bytes memory reason) {
            bool noSolver = bytes4(reason) == ITaskMarket.NoSolverFree.selector;
            holds(noSolver || bytes4(reason) == ICourt.NoVerifierFree.selector, "33: what is due succeeds");
        }
        vm.revertToState(before);
    }

    function makeNext(bytes32 id, Next calldata next) external {
        make(id, next);
    }

    function _anyoneMayAct(bytes32 id) private returns (bool found) {
        delete legal;
        if (cases_[id].taskId != 0) {
            listForCase(id);
        } else {
            listForTask(id);
            Demand memory demand = challenge.demandOf(id);
            if (demand.by != address(0) && !demand.closed) listForDemand(id);
        }
        for (uint256 i = 0; i < legal.length; ++i) {
            if (isKept(legal[i].kind)) return true;
        }
    }

    // ------------------------------------------------------------------------------------ ledger, stake

    function _checkLedger() private view {
        uint256 bonds = SUBNET_BOND * (registry.subnetCount() - bondsBack);
        same(free(address(registry)), bonds, "1: registry = bonds of subnets");
        uint256 held = bonds + free(address(staking)) + free(address(market)) + free(address(court))
            + free(address(challenge)) + free(address(audit));
        for (uint256 i = 0; i < accounts.length; ++i) {
            held += books[accounts[i]].free;
        }
        uint256 inVault = token.balanceOf(address(vault));
        if (inVault != held) compareBooks(); // whose money it is says more than that a sum is off
        same(inVault, held, "1: tokens = accounts");
        same(
            vault.totalDeposited(),
            vault.totalWithdrawn() + vault.totalBurned() + held,
            "2, 3: in = out + held"
        );
    }

    // ------------------------------------------------------------------------------------ seeds, rules

    function _checkRandomness() private {
        uint32 last = beacon.currentEpoch() - 1;
        (bytes32 value, bool ready) = beacon.seed(last);
        same(ready ? 1 : 0, value != 0 ? 1 : 0, "27: zero is no seed");
        if (!ready) return;
        if (_seeds[last] == 0) {
            holds(!_isSeed[value], "27: the same seed twice");
            (_seeds[last], _isSeed[value]) = (value, true);
        }
        sameHash(_seeds[last], value, "27: a seed changed");
        (, ready) = beacon.seed(last + 1);
        holds(!ready, "27: a seed known while its epoch runs");
    }

    function _checkRules() private {
        uint32 newest = registry.latestVersion(subnet);
        uint32 awaited = beacon.currentEpoch() < noticeUntil ? 1 : 0;
        same(registry.currentVersion(subnet), newest - awaited, "17: in force before its notice is over");
        for (uint32 version = 1; newest != _newest && version <= newest; ++version) {
            _checkParams(version); // all of them when there is another one
        }
        _newest = newest;
        _checkParams(uint32(1 + pick(newest)));
    }

    function _checkParams(uint32 version) private {
        bytes32 hash = keccak256(abi.encode(registry.paramsOf(subnet, version)));
        if (_params[version] == 0) _params[version] = hash;
        sameHash(hash, _params[version], "17: parameters of a version changed");
    }

    // ------------------------------------------------------------------------------------ tasks

    function _checkTask(bytes32 id) private returns (uint256 escrow) {
        Task memory entry = taskAt(id);
        Seen storage seen = _seen[id];
        ++tasksSeen[entry.status];
        if (seen.status == TaskStatus.None) (seen.status, seen.attempt) = (TaskStatus.Open, 1);
        holds(_maySucceed(seen, entry), "12: a transition that is not in the table");
        bytes32 hash = market.submissionHash(id);
        if (seen.submission != 0) sameHash(hash, seen.submission, "15: a result changed");
        if (seen.solver != address(0) && entry.attempt == seen.attempt && entry.status != TaskStatus.Expired)
        {
            holds(entry.solver == seen.solver, "15: the solver changed");
        }
        same(entry.openCases, _openCases(id, entry.status), "open cases");
        if (entry.status == TaskStatus.Submitted || entry.status == TaskStatus.Undecided) {
            bool isUndecided = entry.status == TaskStatus.Undecided;
            holds(isUndecided == (undecidedSteps[id] > 0), "12: undecided as long as a step of it is");
        }
        (seen.status, seen.attempt, seen.solver) = (entry.status, entry.attempt, entry.solver);
        seen.submission = hash;
        return entry.status > TaskStatus.Undecided ? 0 : termsOf[id].price;
    }

    function _maySucceed(Seen storage seen, Task memory entry) private view returns (bool) {
        TaskStatus a = seen.status;
        TaskStatus b = entry.status;
        if (entry.attempt != seen.attempt) {
            return a == TaskStatus.Assigned && b == TaskStatus.Open && entry.attempt == seen.attempt + 1;
        }
        if (a == b) return true;
        if (a == TaskStatus.Open) {
            return b == TaskStatus.Assigned || b == TaskStatus.Cancelled || b == TaskStatus.Expired;
        }
        if (a == TaskStatus.Assigned) return b == TaskStatus.Submitted || b == TaskStatus.Expired;
        if (b == TaskStatus.Rejected || b == TaskStatus.Voided) {
            return a == TaskStatus.Submitted || a == TaskStatus.Undecided;
        }
        if (a == TaskStatus.Undecided) return b == TaskStatus.Submitted;
        return a == TaskStatus.Submitted && (b == TaskStatus.Accepted || b == TaskStatus.Undecided);
    }

    function _openCases(bytes32 id, TaskStatus status) private view returns (uint256 count) {
        if (status > TaskStatus.Undecided) return taskAt(id).openCases;
        for (uint256 i = 0; i < casesAbout[id].length; ++i) {
            if (round(casesAbout[id][i]).status == CaseStatus.Active) ++count;
        }
        Demand memory demand = challenge.demandOf(id);
        if (demand.by != address(0) && !demand.closed) ++count;
        if (audit.isOpen(id)) ++count;
    }

    // ------------------------------------------------------------------------------------ cases

    /// @return done whether nothing of it is left
    function _checkCase(bytes32 id) private returns (bool done) {
        Round memory newest = round(id);
        ++roundsSeen[newest.state];
        ++casesSeen[newest.status];
        atMost(newest.number, uint256(paramsOf(id).maxRounds) + 1, "26: rounds");
        bool open = false;
        for (uint8 number = 1; number <= newest.number; ++number) {
            Round memory r = court.roundOf(id, number);
            Seat[] memory seats = seatsOf(id, r);
            _checkRound(id, newest, r, seats);
            for (uint256 i = 0; i < seats.length; ++i) {
                if (seats[i].voter != address(0) && !seats[i].closed) open = true;
            }
        }
        done = newest.status > CaseStatus.Active && !open;
        if (done) same(potOf[id], 0, "4: a pot that is left over");
    }

    function _checkRound(bytes32 id, Round memory newest, Round memory r, Seat[] memory seats) private {
        same(r.size, panelSizeOf(paramsOf(id), r.number), "18: size of a panel");
        atMost(r.drawn, r.size, "18: drawn");
        same(r.valid, votesFor(seats, Verdict.Valid), "18: valid");
        same(r.invalid, votesFor(seats, Verdict.Invalid), "18: invalid");
        same(r.unavailable, votesFor(seats, Verdict.Unavailable), "18: unavailable");
        atMost(uint256(r.committed) + r.valid + r.invalid + r.unavailable, r.size, "18: committed");
        if (r.number < newest.number) holds(r.state == RoundState.Ruled, "21: appealed unruled");
        Verdict before = r.number == 1 ? Verdict.None : court.roundOf(id, r.number - 1).ruling;
        Verdict majority = majorityOf(seats);
        bool isQuorum = 2 * (seats.length - votesFor(seats, Verdict.None)) > seats.length;
        bool isLast = r.number == paramsOf(id).maxRounds + (paramsOf(id).terminalPanel > 0 ? 1 : 0);
        if (r.state == RoundState.Ruled && majority != Verdict.None) {
            same(uint256(r.ruling), uint256(majority), "21: ruling = majority");
        } else if (r.state == RoundState.Ruled) {
            same(uint256(r.ruling), uint256(before), "21: a tie leaves what was ruled");
            holds(isQuorum && !isLast, "21: a tie that nobody could appeal");
            ++tiesSeen;
        } else if (r.state == RoundState.Void) {
            same(uint256(r.ruling), uint256(before), "21: a void round leaves what was ruled");
            holds(isLast || r.excused || !isQuorum, "21: void though there is an appeal");
        }
        uint256 phase = uint256(r.state) + (r.replacement ? uint256(type(RoundState).max) : 0);
        atMost(_phases[id][r.number], phase, "26: a round goes back, or is replaced twice");
        _phases[id][r.number] = phase;
    }

    function _drop(bytes32[] storage list, uint256 place) private {
        list[place] = list[list.length - 1];
        list.pop();
    }

    // ------------------------------------------------------------------------------------ drain

    /// @dev 8, 13: from wherever the market is, time and calls that anyone may make end every task and every case, and
    /// every token that is not burned can be withdrawn by its owner.
    function drain() external {
        compareBooks();
        while (liveCases.length > 0) {
            _finishCase(liveCases[liveCases.length - 1]);
            liveCases.pop();
        }
        while (demands.length > 0) {
            _finishDemand(demands[demands.length - 1]);
            demands.pop();
        }
        while (commitments.length > 0) {
            dropOldest();
        }
        finishChecks();
        while (liveTasks.length > 0) {
            _finishTask(liveTasks[liveTasks.length - 1]);
            liveTasks.pop();
        }
        same(free(address(market)), 0, "8: escrow");
        same(free(address(challenge)), 0, "8: demands");
        same(free(address(court)), 0, "8: pots");
        for (uint256 i = 2; i < accounts.length; ++i) {
            _unstake(accounts[i], Role.Solver);
            _unstake(accounts[i], Role.Verifier);
        }
        nextEpoch();
        nextEpoch();
        for (uint256 i = 0; i < accounts.length; ++i) {
            _takeHome(accounts[i]);
        }
        same(free(address(staking)), 0, "8: stake");
        _takeBondsHome();
        same(token.balanceOf(address(vault)), 0, "8: vault");
        same(vault.totalDeposited(), vault.totalWithdrawn() + vault.totalBurned(), "3: totals");
    }

    function _takeBondsHome() private {
        uint32 count = registry.subnetCount();
        for (uint32 id = 1; id <= count; ++id) {
            if (bondAt[id] != 0) continue;
            vm.prank(registry.ownerOf(id));
            registry.closeSubnet(id);
        }
        pass(30 days);
        for (uint32 id = 1; id <= count; ++id) {
            if (isBondBack[id]) continue;
            address owner = registry.ownerOf(id);
            registry.returnBond(id);
            vm.prank(owner);
            vault.withdraw(owner, SUBNET_BOND);
        }
    }

    /// @dev Drawing, commit, reveal, drawing again, commit, reveal, settle: seven waits at most for one panel.
    function _finishCase(bytes32 id) private {
        for (uint256 waits = 0; round(id).status == CaseStatus.Active; ++waits) {
            atMost(waits, 7, "13: a case has no way out");
            if (round(id).deadline >= vm.getBlockTimestamp()) vm.warp(round(id).deadline + 1);
            if (round(id).state >= RoundState.Ruled || !market.isSubmitted(cases_[id].taskId)) {
                settleCase(id);
            } else {
                advance(id);
            }
        }
        closeAll(id);
    }

    function _finishDemand(bytes32 id) private {
        uint256 answerBy = challenge.demandOf(id).answerBy;
        if (answerBy >= vm.getBlockTimestamp()) vm.warp(answerBy + 1);
        challenge.closeDemand(termsOf[id], slotOf[id]);
    }

    /// @dev A commitment that nobody pins is lost after seven days.
    function dropOldest() internal {
        Move memory made = commitments[commitments.length - 1];
        commitments.pop();
        committed -= termsOf[made.id].price / 2;
        bytes32 commitment = challenge.commitmentOf(made.id, made.who, made.step, bytes32("never pinned"));
        uint256 until = challenge.commitmentAt(made.who, commitment).time + 7 days;
        if (until >= vm.getBlockTimestamp()) vm.warp(until + 1);
        challenge.dropCommitment(made.who, commitment);
    }

    /// @dev Nobody assigns any more, so what is open or comes back expires.
    function _finishTask(bytes32 id) private {
        for (uint256 waits = 0; taskAt(id).status <= TaskStatus.Undecided; ++waits) {
            atMost(waits, 2, "13: a task has no way out");
            if (deadlineOf(id) >= vm.getBlockTimestamp()) vm.warp(deadlineOf(id) + 1);
            if (taskAt(id).status >= TaskStatus.Submitted) finalize(id);
            else expire(id);
        }
        ++tasksSeen[taskAt(id).status];
    }

    /// @dev A part-empty seat counts as one, and a jailed position's seats are in no view: one by one, to the last.
    function _unstake(address account, Role role) private {
        for (bool more = true; more;) {
            vm.prank(account);
            try staking.requestUnstake(subnet, role, 1) {}
            catch {
                more = false;
            }
        }
    }

    function _takeHome(address account) private {
        for (uint256 role = 0; role < 2; ++role) {
            if (staking.positionOf(subnet, Role(role), account).pending == 0) continue;
            withdrawStake(account, Role(role));
        }
        uint256 amount = free(account);
        vm.prank(account);
        vault.withdraw(account, amount);
    }
}
