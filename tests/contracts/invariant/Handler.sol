// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {ISubnetRegistry, Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Probes} from "./Probes.sol";

/// @dev One step: a place in the market is chosen, the actions that are legal there are listed, and one is taken. None
/// of them may fail. In between somebody tries what is not legal.
contract Handler is Probes {
    uint256 private constant MOST_TASKS = 5;
    uint256 private immutable SERIES;

    /// @param series markets of the same seeds differ between two of them
    constructor(uint256 series) {
        SERIES = series;
    }

    function setUp() public override {
        super.setUp();
        endEpoch();
        nextEpoch();
    }

    function step(uint256 seed) external {
        setSeed(seed ^ SERIES);
        uint256 dice = pick(100);
        if (dice < 70) _work();
        else if (dice < 85) _trade();
        else if (dice < 91) _rules();
        else if (dice < 95) probe();
        else _pass();
        afterStep();
    }

    /// @dev Everything that the market is made of, by the names of the artifacts.
    function deployed() external view returns (string[12] memory names, address[12] memory places) {
        names = [
            "PanthaliaToken",
            "SubnetRegistry",
            "RandomnessBeacon",
            "Vault",
            "Staking",
            "TaskMarket",
            "Court",
            "StepChallenge",
            "Audit",
            "Reputation",
            "StateRegistry",
            "PanthaliaLens"
        ];
        places = [
            address(token),
            address(registry),
            address(beacon),
            address(vault),
            address(staking),
            address(market),
            address(court),
            address(challenge),
            address(audit),
            address(reputation),
            address(states),
            address(lens)
        ];
    }

    // ------------------------------------------------------------------------------------ work

    /// @dev Where nothing can be done but wait, time passes: that is an action too.
    function _work() private {
        delete legal;
        if (chance(4) && append()) return;
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
            bytes memory call = abi.encodeCall(ITaskMarket.createBatch, (terms(1)));
            bytes4 reason = ISubnetRegistry.SubnetIsPaused.selector;
            return refused(address(market), buyer, call, reason, "31: a task while the subnet is paused");
        }
        uint32 count = uint32(1 + pick(2));
        price = PRICE * (chance(25) ? 1 + pick(5) : 1); // above the fee of a panel, and below it
        if (free(buyer) < count * price) _deposit(buyer, PURSE);
        pays(buyer, count * price);
        bytes32[] memory ids = post(count);
        for (uint256 i = 0; i < count; ++i) {
            liveTasks.push(ids[i]);
            noteForStep(ids[i]);
            isWithheld[ids[i]] = chance(20);
        }
        ++taken[Kind.CreateBatch];
    }

    // ------------------------------------------------------------------------------------ money

    function _trade() private {
        address account = chance(50) ? cast[pick(9)] : anyone();
        uint256 dice = pick(6);
        if (dice == 0) {
            _deposit(account, 1 + pick(50 * PAN));
        } else if (dice == 1) {
            _withdraw(account, pick(free(account) / 20 + 1));
        } else if (dice == 2 && chance(20)) {
            _commitForNothing(account);
        } else if (keyOf[account] != 0) {
            _moveStake(account, chance(50) ? Role.Solver : Role.Verifier);
        }
    }

    /// @dev Dropped by somebody after a week, which ends the deadlines of everything else as well.
    function _commitForNothing(address account) private {
        if (commitments.length > 0) {
            dropOldest();
            ++taken[Kind.DropCommitment];
        } else if (liveTasks.length > 0 && free(account) >= termsOf[liveTasks[0]].price) {
            bytes32 id = liveTasks[0];
            uint256 bond = termsOf[id].price / 2;
            pays(account, bond);
            committed += bond;
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
        uint256 seats = weightOf(account, role);
        bool isOut = role == Role.Solver && isConvict[account];
        if (dueTo(account, role) > 0) _withdrawStake(account, role);
        else if (seats > 2 || (seats > 0 && chance(25))) _requestUnstake(account, role, 1 + pick(seats));
        else if (paused) _stakeIsRefused(account, role);
        else if (!isOut) _stake(account, role, 1 + pick(2));
        compareBook(account);
        checkPosition(account, role);
    }

    function _withdrawStake(address account, Role role) private {
        (uint256 bond,) = bondOf(role);
        uint256 paid = dueTo(account, role);
        claims[account][uint256(role)].pending -= paid;
        books[account].staked[uint256(role)] -= paid * bond;
        gains(account, paid * bond);
        withdrawStake(account, role);
        same(free(account), books[account].free, "5: what was paid out");
        ++taken[Kind.WithdrawStake];
    }

    function _requestUnstake(address account, Role role, uint256 seats) private {
        (, uint256 perSeat) = bondOf(role);
        uint256 active = activeOf(account, role);
        Claim storage claim = claims[account][uint256(role)];
        claim.pending += seats == roundedUp(active, role) ? active : seats * perSeat;
        claim.unlockAt = beacon.currentEpoch() + defaultParams().cooldownEpochs;
        vm.prank(account);
        staking.requestUnstake(subnet, role, uint32(seats));
        ++taken[Kind.RequestUnstake];
    }

    /// @dev What is missing of a part-empty seat is bought too.
    function _stake(address account, Role role, uint256 seats) private {
        (uint256 bond, uint256 perSeat) = bondOf(role);
        uint256 active = activeOf(account, role);
        uint256 cost = ((active / perSeat + seats) * perSeat - active) * bond;
        if (free(account) < cost) return;
        pays(account, cost);
        if (weightOf(account, role) == 0) takesPlace(account, role);
        books[account].staked[uint256(role)] += cost;
        if (role == Role.Verifier) comesFree(account, cost / bond);
        vm.prank(account);
        staking.stake(subnet, role, uint32(seats));
        ++taken[Kind.Stake];
    }

    /// @dev 31: what a pause keeps out. Everything else goes on as ever.
    function _stakeIsRefused(address account, Role role) private {
        bytes memory call = abi.encodeCall(IStaking.stake, (subnet, role, 1));
        bytes4 reason = ISubnetRegistry.SubnetIsPaused.selector;
        refused(address(staking), account, call, reason, "31: stake while the subnet is paused");
    }

    // ------------------------------------------------------------------------------------ rules, time

    /// @dev New parameters for new tasks. Tasks and cases that run keep theirs.
    function _rules() private {
        Params memory p = defaultParams();
        p.commitSeconds += uint32(pick(30));
        p.verifierFee -= uint96(pick(5 * PAN));
        p.computeCost = uint96(5 * PAN);
        p.livenessBps = uint16(pick(2_000));
        p.bountyBps = uint16(2_000 + pick(1_000));
        p.scoreHalf = uint32(1 + pick(4)); // so that one check that passes makes the next less likely by far
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
        } else if (chance(30)) {
            _endAnother();
        } else if (chance(7)) {
            _strike(Role(pick(2)));
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

    /// @dev Everybody asks everything back: what is drawn by the weights of the last epoch finds nobody free.
    function _strike(Role role) private {
        for (uint256 i = 2; i < accounts.length; ++i) {
            uint256 seats = weightOf(accounts[i], role);
            if (seats > 0) _requestUnstake(accounts[i], role, seats);
        }
    }

    /// @dev Not the one in which all this is, nor the one before it: those are closed when everything has ended.
    function _endAnother() private {
        uint32 count = registry.subnetCount();
        if (count == subnet) return;
        uint32 id = uint32(subnet + 1 + pick(count - subnet));
        address owner = registry.ownerOf(id);
        if (bondAt[id] == 0) {
            bondAt[id] = vm.getBlockTimestamp() + 30 days;
            vm.prank(owner);
            registry.closeSubnet(id);
            ++taken[Kind.CloseSubnet];
        } else if (!isBondBack[id] && (bondAt[id] <= vm.getBlockTimestamp() || chance(20))) {
            _waitUntil(bondAt[id]); // which ends the deadlines of everything else as well
            isBondBack[id] = true;
            ++bondsBack;
            gains(owner, SUBNET_BOND);
            registry.returnBond(id);
            ++taken[Kind.ReturnBond];
        }
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
}
