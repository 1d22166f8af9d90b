// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CaseStatus, ICourt, Round, RoundState, Seat} from "../../../contracts/interfaces/ICourt.sol";
import {IStaking, PositionView, Role} from "../../../contracts/interfaces/IStaking.sol";
import {ISubnetRegistry, Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Checks} from "./Checks.sol";

/// @dev One step: a place in the market is chosen, the actions that are legal there are listed, and one is taken. None
/// of them may fail. In between somebody tries what is not legal.
contract Handler is Checks {
    uint256 private constant MOST_TASKS = 5;

    function setUp() public override {
        super.setUp();
        endEpoch();
        nextEpoch();
    }

    function step(uint256 seed) external {
        setSeed(seed);
        uint256 dice = pick(100);
        if (dice < 70) _work();
        else if (dice < 85) _trade();
        else if (dice < 91) _rules();
        else if (dice < 95) _probe();
        else _pass();
        afterStep();
    }

    // ------------------------------------------------------------------------------------ work

    /// @dev Where nothing can be done but wait, time passes: that is an action too.
    function _work() private {
        delete legal;
        if (demands.length > 0 && chance(15)) {
            bytes32 asked = demands[pick(demands.length)];
            listForDemand(asked);
            if (legal.length > 0) return play(legal[pick(legal.length)]);
            if (chance(20)) _waitUntil(challenge.demandOf(asked).answerBy + pick(2));
        }
        if (checks.length > 0 && chance(35)) {
            bytes32 checked = checks[pick(checks.length)];
            listForCheck(checked);
            if (legal.length > 0) return play(legal[pick(legal.length)]);
            if (chance(20)) _waitUntil(audit.checkOf(checked).deadline + pick(2));
        }
        uint256 places = liveTasks.length + 2 * liveCases.length;
        if (places == 0 || (liveTasks.length < MOST_TASKS && chance(12))) return _post();
        uint256 place = pick(places);
        bytes32 id;
        if (place < liveTasks.length) {
            id = liveTasks[place];
            listDrawOf(id);
            if (legal.length == 0 || chance(50)) listForTask(id); // or a draw is one of many possible moves
        } else {
            id = liveCases[(place - liveTasks.length) / 2];
            listForCase(id);
        }
        if (legal.length == 0) _pass();
        else play(legal[pick(legal.length)]);
    }

    function _post() private {
        if (paused) {
            return _refuse(buyer, address(market), abi.encodeCall(ITaskMarket.createBatch, (terms(1))));
        }
        uint32 count = uint32(1 + pick(2));
        pays(buyer, count * PRICE);
        bytes32[] memory ids = post(count);
        for (uint256 i = 0; i < count; ++i) {
            liveTasks.push(ids[i]);
            isWithheld[ids[i]] = chance(20);
        }
        ++taken[Kind.CreateBatch];
    }

    /// @dev 31: what a pause keeps out. Everything else goes on as ever.
    function _refuse(address who, address target, bytes memory data) private {
        vm.prank(who);
        (bool success, bytes memory reason) = target.call(data);
        holds(!success, "31: taken while paused");
        sameHash(bytes4(reason), ISubnetRegistry.SubnetIsPaused.selector, "31: why it was not");
    }

    // ------------------------------------------------------------------------------------ money

    function _trade() private {
        address account = anyone();
        uint256 dice = pick(6);
        if (dice == 0) {
            _deposit(account, 1 + pick(50 * PAN));
        } else if (dice == 1) {
            _withdraw(account, pick(free(account) / 20 + 1));
        } else if (dice == 2 && chance(20)) {
            _commitForNothing(account);
        } else if (keyOf[account] != 0) {
            _moveStake(account, chance(50) ? Role.Solver : Role.Verifier);
            rewriteBook(account);
        }
    }

    /// @dev Dropped by somebody after a week, which ends the deadlines of everything else as well.
    function _commitForNothing(address account) private {
        if (commitments.length > 0) {
            dropOldest();
            ++taken[Kind.DropCommitment];
        } else if (liveTasks.length > 0 && free(account) >= PRICE) {
            pays(account, PRICE / 2);
            committed += PRICE / 2;
            bytes32 id = liveTasks[0];
            commitments.push(Move(Kind.CommitDispute, account, id, 0, 3));
            commitToDispute(account, id, 3, "never pinned");
            ++taken[Kind.CommitDispute];
        }
    }

    function _deposit(address account, uint256 amount) private {
        gains(account, amount);
        if (keyOf[account] == 0) {
            fund(account, amount);
            ++taken[Kind.Deposit];
            return;
        }
        token.mint(account, amount);
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 content = keccak256(
            abi.encode(typehash, account, address(vault), amount, token.nonces(account), type(uint256).max)
        );
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), content));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf[account], digest);
        vm.prank(account);
        vault.depositWithPermit(amount, type(uint256).max, v, r, s);
        ++taken[Kind.DepositWithPermit];
    }

    function _withdraw(address account, uint256 amount) private {
        pays(account, amount);
        uint256 held = token.balanceOf(address(vault));
        vm.prank(account);
        vault.withdraw(account, amount);
        vm.assertEq(token.balanceOf(address(vault)), held - amount, "2: withdraw pays what it debits");
        ++taken[Kind.Withdraw];
    }

    function _moveStake(address account, Role role) private {
        PositionView memory position = staking.positionOf(subnet, role, account);
        uint256 seat = role == Role.Solver ? STAKE : 4 * BOND;
        if (
            position.pending > 0 && beacon.currentEpoch() >= position.unlockAt && _anyUnlocked(position, role)
        ) {
            vm.prank(account);
            staking.withdrawStake(subnet, role);
            ++taken[Kind.WithdrawStake];
        } else if (position.seats > 2 || (position.seats > 0 && chance(25))) {
            vm.prank(account);
            staking.requestUnstake(subnet, role, uint32(1 + pick(position.seats)));
            ++taken[Kind.RequestUnstake];
        } else if (paused) {
            _refuse(account, address(staking), abi.encodeCall(IStaking.stake, (subnet, role, 1)));
        } else if (!position.jailed && free(account) >= 2 * seat) {
            vm.prank(account);
            staking.stake(subnet, role, uint32(1 + pick(2)));
            ++taken[Kind.Stake];
        }
    }

    function _anyUnlocked(PositionView memory position, Role role) private pure returns (bool) {
        return position.amount / (role == Role.Solver ? STAKE : BOND) > position.locked;
    }

    // ------------------------------------------------------------------------------------ rules, time

    /// @dev New parameters for new tasks. Tasks and cases that run keep theirs.
    function _rules() private {
        Params memory p = defaultParams();
        p.commitSeconds += uint32(pick(30));
        p.verifierFee -= uint96(pick(5 * PAN));
        p.computeCost = p.verifierFee;
        p.livenessBps = uint16(pick(2_000));
        p.bountyBps = uint16(2_000 + pick(1_000));
        if (paused) {
            registry.resume(subnet);
            paused = false;
            ++taken[Kind.Resume];
        } else if (chance(10)) {
            registry.pause(subnet);
            paused = true;
            ++taken[Kind.Pause];
        } else if (chance(10)) {
            _openAnother(p);
        } else if (chance(15) && beacon.currentEpoch() >= noticeUntil) {
            registry.addParams(subnet, p);
            noticeUntil = beacon.currentEpoch() + p.cooldownEpochs;
            ++taken[Kind.AddParams];
        } else {
            replaceConvicts();
        }
    }

    function _openAnother(Params memory p) private {
        address owner = anyone();
        if (free(owner) < 2 * SUBNET_BOND) return;
        pays(owner, SUBNET_BOND);
        vm.prank(owner);
        registry.createSubnet(p, keccak256("another"));
        ++taken[Kind.CreateSubnet];
    }

    function _pass() private {
        uint256 dice = pick(100);
        if (dice < 50) {
            endEpoch();
            nextEpoch();
            ++taken[Kind.Fulfil];
        } else if (dice < 55) {
            endEpoch();
            vm.roll(beacon.targetBlock(beacon.currentEpoch()));
            ++taken[Kind.MissEpoch];
        } else if (dice < 80) {
            pass(1 + pick(20));
            ++taken[Kind.Wait];
        } else {
            _waitForADeadline();
            ++taken[Kind.Wait];
        }
    }

    /// @dev To its last second or the one after: t - 1 and t + 1 of every deadline get their share.
    function _waitForADeadline() private {
        uint256 places = liveTasks.length + liveCases.length;
        if (places == 0) return pass(1);
        uint256 place = pick(places);
        uint256 deadline = place < liveTasks.length
            ? deadlineOf(liveTasks[place])
            : round(liveCases[place - liveTasks.length]).deadline;
        _waitUntil(deadline + pick(2));
    }

    function _waitUntil(uint256 time) private {
        if (time > vm.getBlockTimestamp()) vm.warp(time);
    }

    // ------------------------------------------------------------------------------------ what is not legal

    function _probe() private {
        ++taken[Kind.Probe];
        address thief = anyone();
        _refused(
            address(vault), thief, abi.encodeCall(IVault.move, (buyer, thief, 1)), IVault.NotModule.selector
        );
        _refused(address(vault), thief, abi.encodeCall(IVault.burn, (1)), IVault.NotModule.selector);
        _refused(
            address(vault),
            thief,
            abi.encodeCall(IVault.withdraw, (thief, free(thief) + 1)),
            IVault.InsufficientBalance.selector
        );
        _refused(
            address(staking),
            thief,
            abi.encodeCall(IStaking.release, (subnet, Role.Solver, thief)),
            IStaking.NotAllowed.selector
        );
        if (liveTasks.length > 0) _probeTask(liveTasks[pick(liveTasks.length)], thief);
        if (liveCases.length > 0) _probeCase(liveCases[pick(liveCases.length)], thief);
    }

    function _probeTask(bytes32 id, address thief) private {
        TaskStatus status = taskAt(id).status;
        bytes4 reason = ITaskMarket.WrongStatus.selector;
        if (status == TaskStatus.Assigned) {
            if (thief == taskAt(id).solver) return;
            reason = ITaskMarket.NotSolver.selector;
        }
        bytes memory call = abi.encodeCall(ITaskMarket.submit, (termsOf[id], slotOf[id], submission()));
        _refused(address(market), thief, call, reason);
        call = abi.encodeCall(ITaskMarket.openCase, (termsOf[id], slotOf[id], submission()));
        _refused(address(market), thief, call, ITaskMarket.NotChallenge.selector);
        if (status <= TaskStatus.Assigned) reason = ITaskMarket.WrongStatus.selector;
        else if (vm.getBlockTimestamp() <= deadlineOf(id)) reason = ITaskMarket.DeadlineNotPassed.selector;
        else return;
        call = abi.encodeCall(ITaskMarket.finalize, (termsOf[id], slotOf[id]));
        _refused(address(market), thief, call, reason);
    }

    /// @dev A copied commitment can not be opened, whoever tries with whatever the first seat revealed.
    function _probeCase(bytes32 id, address thief) private {
        Round memory r = round(id);
        bytes memory call = abi.encodeCall(ICourt.closeSeat, (cases_[id], 1, 0));
        if (r.status == CaseStatus.Active) {
            _refused(address(court), thief, call, ICourt.CaseNotEnded.selector);
        }
        if (r.status != CaseStatus.Active || r.state < RoundState.Commit) return;
        for (uint8 i = 0; i < r.size; ++i) {
            Ballot memory ballot = ballots[id][r.number][i];
            if (!ballot.copied || court.commitmentOf(id, r.number, i) == 0) continue;
            for (uint8 other = 0; other < r.size; ++other) {
                Ballot memory seen = ballots[id][r.number][other];
                if (other == i || seen.copied || !seen.cast) continue;
                call = abi.encodeCall(
                    ICourt.revealVote, (cases_[id], r.number, i, seen.verdict, seen.answer, saltOf(other))
                );
                bool open = r.state == RoundState.Reveal;
                if (open && vm.getBlockTimestamp() > r.deadline) return;
                _refused(
                    address(court),
                    thief,
                    call,
                    open ? ICourt.WrongOpening.selector : ICourt.WrongState.selector
                );
            }
        }
    }

    function _refused(address target, address caller, bytes memory data, bytes4 selector) private {
        vm.prank(caller);
        (bool ok, bytes memory reason) = target.call(data);
        vm.assertTrue(!ok && bytes4(reason) == selector, "refused for another reason, or not at all");
    }
}
