// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CaseStatus, ICourt, Round, RoundState} from "../../../contracts/interfaces/ICourt.sol";
import {IRandomnessBeacon} from "../../../contracts/interfaces/IRandomnessBeacon.sol";
import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {IStateRegistry} from "../../../contracts/interfaces/IStateRegistry.sol";
import {IStepChallenge, Pin} from "../../../contracts/interfaces/IStepChallenge.sol";
import {ISubnetRegistry} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket, Task, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {TraceTree} from "../../../contracts/libraries/TraceTree.sol";
import {Checks} from "./Checks.sol";

/// @dev Somebody tries what is not legal, and is refused with the right error.
abstract contract Probes is Checks {
    /// how often each error refused something
    mapping(bytes4 selector => uint256) public refusals;

    function probe() internal {
        ++taken[Kind.Probe];
        address thief = anyone();
        _probeMoney(thief);
        _probeSeed(thief);
        for (uint256 i = 0; i < cast.length; ++i) {
            _probeStake(cast[i], Role(pick(2)));
        }
        _probeBond(uint32(1 + pick(registry.subnetCount())), thief);
        if (liveTasks.length > 0) {
            bytes32 id = liveTasks[pick(liveTasks.length)];
            _probeTask(id, thief);
            _probePin(id, thief);
            _probeJob(id);
        }
        for (uint256 i = 0; i < liveCases.length; ++i) {
            _probeCase(liveCases[i], thief);
            _probeVotes(liveCases[i], thief);
        }
    }

    /// @param what would be wrong if the call went through
    function refused(address target, address caller, bytes memory data, bytes4 selector, string memory what)
        internal
    {
        vm.prank(caller);
        (bool ok, bytes memory reason) = target.call(data);
        holds(!ok, what);
        if (bytes4(reason) != selector) holds(false, string.concat(what, ", refused for another reason"));
        ++refusals[selector];
    }

    // ------------------------------------------------------------------------------------ money, stake

    function _probeMoney(address thief) private {
        bytes4 notModule = IVault.NotModule.selector;
        bytes memory call = abi.encodeCall(IVault.move, (buyer, thief, 1));
        refused(address(vault), thief, call, notModule, "1: anybody moves money");
        refused(address(vault), thief, abi.encodeCall(IVault.burn, (1)), notModule, "2: anybody burns");
        call = abi.encodeCall(IVault.withdraw, (thief, free(thief) + 1));
        bytes4 reason = IVault.InsufficientBalance.selector;
        refused(address(vault), thief, call, reason, "1: more withdrawn than is owned");
        call = abi.encodeCall(IStaking.release, (subnet, Role.Solver, thief));
        refused(address(staking), thief, call, IStaking.NotAllowed.selector, "5: anybody releases a seat");
    }

    /// @dev 27: neither once more, nor while the epoch runs.
    function _probeSeed(address thief) private {
        uint32 epoch = beacon.currentEpoch();
        bytes4 reason = IRandomnessBeacon.TargetNotMined.selector;
        refused(address(beacon), thief, _fulfilCall(epoch), reason, "27: a seed before its epoch has ended");
        (, bool ready) = beacon.seed(epoch - 1);
        if (!ready) return;
        uint256 target = beacon.targetBlock(epoch - 1);
        vm.setBlockhash(target, keccak256(headerOf(target))); // its proof is as good as it was
        reason = IRandomnessBeacon.SeedAlreadyKnown.selector;
        refused(address(beacon), thief, _fulfilCall(epoch - 1), reason, "27: a seed that is told twice");
    }

    function _fulfilCall(uint32 epoch) private view returns (bytes memory) {
        return abi.encodeCall(IRandomnessBeacon.fulfil, (epoch, headerOf(beacon.targetBlock(epoch))));
    }

    /// @dev 5: neither before its time, nor more than was asked back, nor what still backs something.
    function _probeStake(address account, Role role) private {
        Claim storage claim = claims[account][uint256(role)];
        uint32 held = uint32(roundedUp(activeOf(account, role), role));
        bytes memory call = abi.encodeCall(IStaking.requestUnstake, (subnet, role, held + 1));
        bytes4 tooMany = IStaking.NotEnoughSeats.selector;
        refused(address(staking), account, call, tooMany, "5: more asked back than there is");
        if (dueTo(account, role) > 0) return;
        bytes4 reason = IStaking.StillLocked.selector;
        if (claim.pending == 0) reason = IStaking.NothingPending.selector;
        else if (beacon.currentEpoch() < claim.unlockAt) reason = IStaking.StillCoolingDown.selector;
        call = abi.encodeCall(IStaking.withdrawStake, (subnet, role));
        refused(
            address(staking), account, call, reason, "5: stake paid out early, twice or while it is locked"
        );
    }

    function _probeBond(uint32 id, address thief) private {
        bytes4 reason = ISubnetRegistry.SubnetNotClosed.selector;
        if (isBondBack[id]) reason = ISubnetRegistry.BondIsBack.selector;
        else if (bondAt[id] > vm.getBlockTimestamp()) reason = ISubnetRegistry.BondNotDue.selector;
        else if (bondAt[id] != 0) return;
        bytes memory call = abi.encodeCall(ISubnetRegistry.returnBond, (id));
        refused(address(registry), thief, call, reason, "1: a subnet's bond back early or twice");
        if (bondAt[id] == 0) return;
        call = abi.encodeCall(IStaking.stake, (id, Role.Solver, 1));
        reason = ISubnetRegistry.SubnetIsClosed.selector;
        refused(address(staking), thief, call, reason, "31: stake in a closed subnet");
    }

    // ------------------------------------------------------------------------------------ tasks, jobs

    function _probeTask(bytes32 id, address thief) private {
        Task memory entry = taskAt(id);
        bytes4 reason = ITaskMarket.WrongStatus.selector;
        if (entry.status == TaskStatus.Assigned) {
            if (thief == entry.solver) return;
            reason = ITaskMarket.NotSolver.selector;
        }
        bytes memory call = abi.encodeCall(ITaskMarket.submit, (termsOf[id], slotOf[id], submission()));
        refused(address(market), thief, call, reason, "15: submitted by another than who was drawn, or again");
        call = abi.encodeCall(ITaskMarket.openCase, (termsOf[id], slotOf[id], submission()));
        bytes4 notChallenge = ITaskMarket.NotChallenge.selector;
        refused(address(market), thief, call, notChallenge, "32: a case without a pin");
        if (entry.status <= TaskStatus.Assigned) reason = ITaskMarket.WrongStatus.selector;
        else if (vm.getBlockTimestamp() <= entry.deadline) reason = ITaskMarket.DeadlineNotPassed.selector;
        else if (entry.openCases > 0) reason = ITaskMarket.CasesOpen.selector; // 16: a check is one
        else return;
        call = abi.encodeCall(ITaskMarket.finalize, (termsOf[id], slotOf[id]));
        refused(address(market), thief, call, reason, "12, 16: finalized early, twice or while it is checked");
    }

    /// @dev 32: what nobody committed to is not pinned, nor what the solver did not commit to.
    function _probePin(bytes32 id, address thief) private {
        Task memory entry = taskAt(id);
        bool isSubmitted = entry.status == TaskStatus.Submitted || entry.status == TaskStatus.Undecided;
        if (!isSubmitted || vm.getBlockTimestamp() > entry.deadline || free(thief) < 40 * PAN) return;
        Pin memory what = pinOf(leavesOf(id), uint32(pick(INNER_STEPS)), "of a thief");
        bytes4 reason = IStepChallenge.NotCommitted.selector;
        refused(address(challenge), thief, _pinCall(id, what), reason, "32: a pin without a commitment");
        if (chance(50)) what.before = keccak256("another state");
        else what.next = keccak256("another state");
        uint256 number = vm.getBlockNumber();
        uint256 before = vm.snapshotState();
        commitToDispute(thief, id, what.step, what.salt);
        vm.roll(number + 1);
        reason = TraceTree.NotInTrace.selector;
        refused(
            address(challenge), thief, _pinCall(id, what), reason, "32: a pin on what is not in the trace"
        );
        vm.revertToState(before);
        vm.roll(number);
        ++refusals[TraceTree.NotInTrace.selector];
    }

    function _pinCall(bytes32 id, Pin memory what) private view returns (bytes memory) {
        return abi.encodeCall(IStepChallenge.pin, (termsOf[id], slotOf[id], submissionOf(id), what));
    }

    /// @dev 30: neither what was not accepted, nor what is not of this round, nor out of order.
    function _probeJob(bytes32 id) private {
        bytes32[] memory ids = new bytes32[](1);
        ids[0] = id;
        bytes4 reason = termsOf[id].round == head.rounds
            ? IStateRegistry.TaskNotAccepted.selector
            : IStateRegistry.TaskOfAnotherRound.selector;
        bytes memory call = appendCall(head.rounds, baseRoot(), "next", ids);
        refused(address(states), buyer, call, reason, "30: a step out of what was not accepted for it");
        call = appendCall(head.rounds + 1, baseRoot(), "next", ids);
        reason = IStateRegistry.WrongRound.selector;
        refused(address(states), buyer, call, reason, "30: a step that leaves one out");
        if (head.rounds == 0) return;
        call = appendCall(head.rounds, "another base", "next", ids);
        reason = IStateRegistry.WrongBaseRoot.selector;
        refused(address(states), buyer, call, reason, "30: a step from another base");
    }

    // ------------------------------------------------------------------------------------ votes

    /// @dev 20: no commitment after `commitBy`, no opening before all are there, none after `revealBy`.
    function _probeVotes(bytes32 id, address thief) private {
        Round memory r = round(id);
        if (r.status != CaseStatus.Active) return;
        bool late = vm.getBlockTimestamp() > r.deadline;
        uint8 seat = uint8(pick(r.size));
        if (r.state != RoundState.Commit || late) {
            bytes4 reason =
                r.state == RoundState.Commit ? ICourt.DeadlinePassed.selector : ICourt.WrongState.selector;
            bytes memory call =
                abi.encodeCall(ICourt.commitVote, (cases_[id], r.number, seat, bytes32("too late")));
            address holder = court.seatOf(id, r.number, seat).voter;
            refused(address(court), holder, call, reason, "20: a commitment out of time");
        }
        Ballot memory ballot = ballots[id][r.number][seat];
        bool isOpen = r.state == RoundState.Reveal;
        if (!ballot.cast || ballot.copied || (isOpen && !late)) return;
        bytes4 expected = isOpen ? ICourt.DeadlinePassed.selector : ICourt.WrongState.selector;
        bytes memory opening = _openingCall(id, r.number, seat, seat);
        refused(address(court), thief, opening, expected, "20: an opening out of time");
    }

    /// @dev The commitment of `seat` with what `from` voted.
    function _openingCall(bytes32 id, uint8 number, uint8 seat, uint8 from)
        private
        view
        returns (bytes memory)
    {
        Ballot memory b = ballots[id][number][from];
        return
            abi.encodeCall(ICourt.revealVote, (cases_[id], number, seat, b.verdict, b.answer, saltOf(from)));
    }

    /// @dev 19: a copied commitment can not be opened, whoever tries with whatever another seat has.
    function _probeCase(bytes32 id, address thief) private {
        Round memory r = round(id);
        if (r.status != CaseStatus.Active) return;
        bytes memory call = abi.encodeCall(ICourt.closeSeat, (cases_[id], 1, 0));
        bytes4 notEnded = ICourt.CaseNotEnded.selector;
        refused(address(court), thief, call, notEnded, "5: a seat closed before its case ends");
        if (r.state < RoundState.Commit) return;
        bool open = r.state == RoundState.Reveal;
        if (open && vm.getBlockTimestamp() > r.deadline) return;
        for (uint8 i = 0; i < r.size; ++i) {
            Ballot memory ballot = ballots[id][r.number][i];
            if (!ballot.copied || court.commitmentOf(id, r.number, i) == 0) continue;
            for (uint8 other = 0; other < r.size; ++other) {
                Ballot memory seen = ballots[id][r.number][other];
                if (other == i || seen.copied || !seen.cast) continue;
                bytes4 reason = open ? ICourt.WrongOpening.selector : ICourt.WrongState.selector;
                call = _openingCall(id, r.number, i, other);
                refused(address(court), thief, call, reason, "19: another seat's commitment opened");
            }
        }
    }
}
