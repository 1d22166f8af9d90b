// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {
    Case,
    CaseStatus,
    ICourt,
    Round,
    RoundState,
    Seat,
    Verdict
} from "../../../contracts/interfaces/ICourt.sol";
import {IStaking, PositionView, Role} from "../../../contracts/interfaces/IStaking.sol";
import {ITaskMarket, Task, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Escalation} from "../../../contracts/libraries/Escalation.sol";
import {Settlement} from "../../../contracts/libraries/Settlement.sol";
import {World} from "./World.sol";

/// @dev Six accounts of mixed honesty that push random calls into the real contracts. A call may be refused, but
/// only with one of our errors: never by arithmetic, never by a bare revert.
contract Traders is World {
    uint256 private constant MOST_LIVE_TASKS = 5;
    uint256 private constant MOST_ACCOUNTS = 16;

    address[] public accounts;
    bytes32[] public tasks;
    bytes32[] public cases;
    mapping(bytes32 taskId => bytes32[]) public casesOf;
    mapping(string what => uint256) public done;
    mapping(TaskStatus => uint256) public ended;
    mapping(Verdict => uint256) public ruled;

    mapping(bytes32 caseId => mapping(uint8 round => mapping(uint8 seat => Verdict))) private _intended;
    uint256 private _seed;

    function setUp() public override {
        super.setUp();
        accounts = [buyer, dora, workers[0], workers[1], workers[2], workers[3]];
        stakeAll(2, 3);
    }

    function step(uint256 seed) external {
        _seed = seed;
        if (_chance(60) && tasks.length > 0) _pushOn(tasks[_recent(tasks.length)]);
        else if (_chance(50)) _trade();
        else _time();
    }

    function taskCount() external view returns (uint256) {
        return tasks.length;
    }

    // ------------------------------------------------------------------------------------ what they do

    function _trade() private {
        address account = accounts[_pick(accounts.length)];
        Role role = _chance(50) ? Role.Solver : Role.Verifier;
        uint32 seats = uint32(1 + _pick(3));
        uint256 kind = _pick(7);
        if (kind == 0) {
            _postSome();
        } else if (kind == 1) {
            _deposit(account, 1 + _pick(50 * PAN));
        } else if (kind == 2) {
            _call(
                "withdraw",
                account,
                address(vault),
                abi.encodeCall(IVault.withdraw, (account, _pick(20 * PAN)))
            );
        } else if (kind == 3) {
            _call("stake", account, address(staking), abi.encodeCall(IStaking.stake, (subnet, role, seats)));
        } else if (kind == 4) {
            _call(
                "requestUnstake",
                account,
                address(staking),
                abi.encodeCall(IStaking.requestUnstake, (subnet, role, seats))
            );
        } else {
            _call(
                "withdrawStake",
                account,
                address(staking),
                abi.encodeCall(IStaking.withdrawStake, (subnet, role))
            );
        }
    }

    function _time() private {
        if (tasks.length == 0) _postSome();
        else if (_chance(50)) _epoch();
        else pass(1 + _pick(20));
    }

    function _deposit(address account, uint256 amount) private {
        fund(account, amount);
        ++done["deposit"];
    }

    /// @dev Convicted solvers never come back under their own name.
    function _arrive() private {
        if (accounts.length == MOST_ACCOUNTS) return;
        address newcomer = address(uint160(uint256(keccak256(abi.encode("newcomer", accounts.length)))));
        accounts.push(newcomer);
        fund(newcomer, PURSE);
        stake(newcomer, Role.Solver, 3);
        stake(newcomer, Role.Verifier, 3);
    }

    function _postSome() private {
        uint256 live = 0;
        for (uint256 i = 0; i < tasks.length; ++i) {
            if (taskAt(tasks[i]).status < TaskStatus.Accepted) ++live;
        }
        if (live >= MOST_LIVE_TASKS) return;
        bytes32[] memory ids = post(uint32(1 + _pick(3)));
        for (uint256 i = 0; i < ids.length; ++i) {
            tasks.push(ids[i]);
        }
        ++done["createBatch"];
        if (_chance(30)) {
            _call("cancel", buyer, address(market), _on(ITaskMarket.cancel.selector, ids[0]));
        }
    }

    /// @dev Mostly several moves in a row: each wait of one task makes all others late.
    function _pushOn(bytes32 id) private {
        do {
            _push(id);
        } while (_chance(75));
    }

    /// @dev What the state of a task suggests, done well or badly.
    function _push(bytes32 id) private {
        Task memory task = taskAt(id);
        bytes memory expire_ = _on(ITaskMarket.expire.selector, id);
        if (task.status == TaskStatus.Open) {
            if (_chance(60)) _epoch();
            _call("assign", stranger, address(market), _on(ITaskMarket.assign.selector, id));
            if (_chance(15)) _late(task.deadline, "expire", address(market), expire_);
        } else if (task.status == TaskStatus.Assigned) {
            bytes memory call = abi.encodeCall(ITaskMarket.submit, (termsOf[id], slotOf[id], submission()));
            if (_chance(85)) _call("submit", task.solver, address(market), call);
            else _late(task.deadline, "expire", address(market), expire_);
        } else if (task.status == TaskStatus.Submitted || task.status == TaskStatus.Undecided) {
            if (casesOf[id].length == 0 || _chance(10)) _dispute(id);
            if (task.openCases > 0 || _chance(20)) _pushCase(id);
            else _late(task.deadline, "finalize", address(market), _on(ITaskMarket.finalize.selector, id));
        } else if (casesOf[id].length > 0 && _chance(60)) {
            _pushCase(id);
        } else {
            _postSome();
        }
    }

    function _on(bytes4 selector, bytes32 id) private view returns (bytes memory) {
        return abi.encodeWithSelector(selector, termsOf[id], slotOf[id]);
    }

    function _dispute(bytes32 id) private {
        address account = accounts[_pick(accounts.length)];
        uint32 k = uint32(_pick(INNER_STEPS));
        bytes memory call = abi.encodeCall(ICourt.openDispute, (termsOf[id], slotOf[id], submission(), k));
        if (!_call("openDispute", account, address(court), call)) return;
        address solver = taskAt(id).solver;
        Case memory about = Case(id, subnet, 1, solver, account, k);
        bytes32 caseId = court.caseIdOf(about);
        cases_[caseId] = about;
        cases.push(caseId);
        casesOf[id].push(caseId);
    }

    function _pushCase(bytes32 taskId) private {
        bytes32[] storage open = casesOf[taskId];
        if (open.length == 0) return;
        bytes32 id = open[_chance(70) ? open.length - 1 : _pick(open.length)];
        Round memory current = round(id);
        if (current.status != CaseStatus.Active) {
            if (_chance(50)) _close(id);
            return;
        }
        bytes memory advance_ = abi.encodeCall(ICourt.advance, (cases_[id]));
        bytes memory settle_ = abi.encodeCall(ICourt.settle, (cases_[id], termsOf[taskId], slotOf[taskId]));
        if (!market.isSubmitted(taskId) && _chance(70)) {
            _call("moot", stranger, address(court), settle_);
        } else if (current.state == RoundState.Drawing) {
            if (_chance(80)) _epoch();
            _call("drawSeats", stranger, address(court), abi.encodeCall(ICourt.drawSeats, (cases_[id])));
            if (_chance(10)) _late(current.deadline, "advance", address(court), advance_);
        } else if (current.state == RoundState.Commit) {
            _commitSome(id, current.size);
            if (_chance(50)) _late(current.deadline, "advance", address(court), advance_);
        } else if (current.state == RoundState.Reveal) {
            _revealSome(id, current.size);
            if (_chance(50)) _late(current.deadline, "advance", address(court), advance_);
        } else if (current.state == RoundState.Ruled && _chance(70)) {
            address account = accounts[_pick(accounts.length)];
            _call("appeal", account, address(court), abi.encodeCall(ICourt.appeal, (cases_[id])));
        } else {
            _late(current.deadline, "settle", address(court), settle_);
        }
        if (round(id).status == CaseStatus.Settled) ++ruled[round(id).ruling];
    }

    /// @dev Most agree on a verdict that the case decides, some do not, some stay away.
    function _commitSome(bytes32 id, uint8 size) private {
        uint8 number = currentRound(id);
        for (uint8 seat = 0; seat < size; ++seat) {
            if (_chance(12)) continue;
            Verdict usual = Verdict(1 + uint256(id) % 3);
            Verdict verdict = _chance(70) ? usual : Verdict(1 + _pick(3));
            address holder = voter(id, seat);
            bytes32 commitment =
                court.voteHash(id, number, seat, holder, verdict, _answer(seat, verdict), saltOf(seat));
            if (_call(
                    "commitVote",
                    holder,
                    address(court),
                    abi.encodeCall(ICourt.commitVote, (cases_[id], number, seat, commitment))
                )) {
                _intended[id][number][seat] = verdict;
            }
        }
    }

    function _revealSome(bytes32 id, uint8 size) private {
        uint8 number = currentRound(id);
        for (uint8 seat = 0; seat < size; ++seat) {
            if (_chance(10)) continue;
            Verdict verdict = _intended[id][number][seat];
            bytes memory call = abi.encodeCall(
                ICourt.revealVote, (cases_[id], number, seat, verdict, _answer(seat, verdict), saltOf(seat))
            );
            _call("revealVote", stranger, address(court), call);
        }
    }

    /// @dev Every fifth seat has not read what it votes about.
    function _answer(uint8 seat, Verdict verdict) private pure returns (bytes32) {
        return seat % 5 == 4 ? saltOf(seat) : answerOf(verdict);
    }

    function _close(bytes32 id) private {
        uint8 number = uint8(1 + _pick(currentRound(id)));
        if (_chance(50)) {
            _call(
                "closeSeats",
                stranger,
                address(court),
                abi.encodeCall(ICourt.closeSeats, (cases_[id], number))
            );
        } else {
            _call(
                "closeSeat",
                stranger,
                address(court),
                abi.encodeCall(ICourt.closeSeat, (cases_[id], number, uint8(_pick(3))))
            );
        }
    }

    function _late(uint256 deadline, string memory what, address target, bytes memory data) private {
        if (vm.getBlockTimestamp() <= deadline) vm.warp(deadline + 1);
        _call(what, stranger, target, data);
    }

    function _epoch() private {
        nextEpoch();
        ++done["fulfil"];
        for (uint256 role = 0; role < 2; ++role) {
            uint256 seats = 0;
            for (uint256 i = 0; i < accounts.length; ++i) {
                seats += staking.positionOf(subnet, Role(role), accounts[i]).seats;
            }
            vm.assertEq(staking.drawableSeats(subnet, Role(role)), seats, "tree = seats of the last epoch");
        }
    }

    function _call(string memory what, address caller, address target, bytes memory data)
        private
        returns (bool ok)
    {
        bytes memory reason;
        vm.prank(caller);
        (ok, reason) = target.call(data);
        if (ok) {
            ++done[what];
            return true;
        }
        // Panic(uint256) and Error(string) are bugs, and so is a revert without a reason
        bytes4 selector = bytes4(reason);
        vm.assertTrue(
            reason.length >= 4 && selector != 0x4e487b71 && selector != 0x08c379a0,
            string.concat(what, " failed without an error of ours")
        );
    }

    // ------------------------------------------------------------------------------------ drain

    /// @dev Time and calls that anyone may make bring every task to its end and every token home.
    function drain() external {
        for (uint256 i = 0; i < tasks.length; ++i) {
            _finish(tasks[i]);
            ++ended[taskAt(tasks[i]).status];
        }
        for (uint256 i = 0; i < cases.length; ++i) {
            closeAll(cases[i]);
        }
        vm.assertEq(free(address(market)), 0, "escrow");
        vm.assertEq(free(address(court)), 0, "pots");
        for (uint256 i = 0; i < accounts.length; ++i) {
            _unstakeAll(accounts[i], Role.Solver);
            _unstakeAll(accounts[i], Role.Verifier);
        }
        nextEpoch();
        nextEpoch();
        for (uint256 i = 0; i < accounts.length; ++i) {
            _withdrawAll(accounts[i]);
        }
        vm.assertEq(free(address(staking)), 0, "stake");
        vm.assertEq(token.balanceOf(address(vault)), 0, "vault");
        vm.assertEq(vault.totalDeposited(), vault.totalWithdrawn() + vault.totalBurned(), "totals");
    }

    /// @dev No state needs more than three calls after its deadline, so 40 are plenty for three attempts.
    function _finish(bytes32 id) private {
        bytes32[] storage open = casesOf[id];
        for (uint256 i = 0; i < open.length; ++i) {
            for (uint256 calls = 0; calls < 40 && round(open[i]).status == CaseStatus.Active; ++calls) {
                RoundState state = round(open[i]).state;
                pass(1 days);
                if (!market.isSubmitted(id) || state >= RoundState.Ruled) settleCase(open[i]);
                else advance(open[i]);
            }
            vm.assertTrue(round(open[i]).status > CaseStatus.Active, "a case has no way out");
        }
        for (uint256 calls = 0; calls < 40; ++calls) {
            TaskStatus status = taskAt(id).status;
            if (status >= TaskStatus.Accepted) return;
            pass(1 days);
            if (status == TaskStatus.Submitted || status == TaskStatus.Undecided) finalize(id);
            else expire(id);
        }
        vm.assertTrue(false, "a task has no way out");
    }

    /// @dev Down to one by one: a part-empty seat counts as one, and a jailed position's seats are in no view.
    function _unstakeAll(address account, Role role) private {
        for (uint32 seats = 16; seats > 0; seats /= 4) {
            bool more = true;
            while (more) {
                vm.prank(account);
                try staking.requestUnstake(subnet, role, seats) {}
                catch {
                    more = false;
                }
            }
        }
    }

    function _withdrawAll(address account) private {
        for (uint256 role = 0; role < 2; ++role) {
            if (staking.positionOf(subnet, Role(role), account).pending == 0) continue;
            vm.prank(account);
            staking.withdrawStake(subnet, Role(role));
        }
        uint256 amount = free(account);
        vm.prank(account);
        vault.withdraw(account, amount);
    }

    // ------------------------------------------------------------------------------------ what must hold

    function checkConservation() external view {
        uint256 held = free(address(staking)) + free(address(market)) + free(address(court));
        for (uint256 i = 0; i < accounts.length; ++i) {
            held += free(accounts[i]);
        }
        vm.assertEq(held, token.balanceOf(address(vault)), "accounts = tokens");
        vm.assertEq(
            vault.totalDeposited(), vault.totalWithdrawn() + vault.totalBurned() + held, "in = out + held"
        );
    }

    function checkModules() external view {
        uint256 stakes = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            stakes += staking.positionOf(subnet, Role.Solver, accounts[i]).amount;
            stakes += staking.positionOf(subnet, Role.Verifier, accounts[i]).amount;
        }
        uint256 pots = 0;
        for (uint256 i = 0; i < cases.length; ++i) {
            (uint256 pot, uint256 lost) = _potOf(cases[i]);
            pots += pot;
            stakes -= lost * BOND;
        }
        vm.assertEq(free(address(staking)), stakes, "staking = bonds that are not lost");
        vm.assertEq(free(address(court)), pots, "court = fees of live cases, dues of settled ones");

        uint256 escrow = 0;
        for (uint256 i = 0; i < tasks.length; ++i) {
            if (taskAt(tasks[i]).status < TaskStatus.Accepted) escrow += PRICE;
        }
        vm.assertEq(free(address(market)), escrow, "market = prices of live tasks");
    }

    /// @return pot what the court holds for a case
    /// @return lost bonds that a settled case took from seats which are not closed yet
    function _potOf(bytes32 id) private view returns (uint256 pot, uint256 lost) {
        Round memory newest = round(id);
        for (uint8 number = 1; number <= newest.number; ++number) {
            Round memory r = court.roundOf(id, number);
            uint256 fee = Escalation.panelFee(defaultParams(), number);
            if (newest.status == CaseStatus.Active) pot += fee + r.replaced * BOND;
            if (newest.status != CaseStatus.Settled) continue;
            uint256 share = _shareOf(newest, r, fee);
            for (uint8 index = 0; index < r.size; ++index) {
                Seat memory seat = court.seatOf(id, number, index);
                if (seat.voter == address(0) || seat.closed) continue;
                if (_isRight(newest, r, seat)) pot += share;
                else if (!r.excused) ++lost;
            }
        }
    }

    function _shareOf(Round memory newest, Round memory r, uint256 fee) private pure returns (uint256 share) {
        uint256 votes = r.valid + r.invalid + r.unavailable;
        if (r.state == RoundState.Void) {
            uint256 gone = r.excused ? r.replaced : r.replaced + r.size - votes;
            (share,) = Settlement.ofVoidRound(BOND, 10 * PAN, votes, gone);
            return share;
        }
        uint256 right = r.unavailable;
        if (newest.ruling == Verdict.Invalid) right = r.invalid;
        if (newest.ruling == Verdict.Valid) right = r.agreeing == 0 ? r.valid : r.agreeing;
        uint256 refund = r.ruling == newest.ruling ? 0 : Escalation.panelFee(defaultParams(), r.number + 1);
        (share,) = Settlement.ofRound(fee, BOND, right, r.replaced + r.size - right, refund);
    }

    function _isRight(Round memory newest, Round memory r, Seat memory seat) private pure returns (bool) {
        if (r.state == RoundState.Void) return seat.verdict != Verdict.None;
        if (seat.verdict != newest.ruling) return false;
        return newest.ruling != Verdict.Valid || r.agreeing == 0 || seat.answer == r.answer;
    }

    // ------------------------------------------------------------------------------------ chance

    function _pick(uint256 count) private returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed % count;
    }

    function _chance(uint256 percent) private returns (bool) {
        return _pick(100) < percent;
    }

    function _recent(uint256 count) private returns (uint256) {
        uint256 window = count < 6 ? count : 6;
        return count - 1 - _pick(window);
    }
}
