// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LibBit} from "solady/utils/LibBit.sol";
import {Case, CaseStatus, ICourt, Round, RoundState, Seat} from "./interfaces/ICourt.sol";
import {
    AccountView,
    Action,
    IPanthaliaLens,
    Next,
    RoundView,
    TaskView
} from "./interfaces/IPanthaliaLens.sol";
import {IRandomnessBeacon} from "./interfaces/IRandomnessBeacon.sol";
import {IStaking, Role} from "./interfaces/IStaking.sol";
import {Demand, IStepChallenge} from "./interfaces/IStepChallenge.sol";
import {ITaskMarket, Task, TaskStatus, Terms} from "./interfaces/ITaskMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {TaskIds} from "./libraries/TaskIds.sol";

/// @notice Reads only. Conditions are those of TaskMarket, Court and StepChallenge; src/protocol/keeper.ts decides the same
/// from events.
contract PanthaliaLens is IPanthaliaLens {
    IVault public immutable vault;
    IStaking public immutable staking;
    IRandomnessBeacon public immutable beacon;
    ITaskMarket public immutable market;
    ICourt public immutable court;
    IStepChallenge public immutable challenge;

    constructor(
        IVault vault_,
        IStaking staking_,
        IRandomnessBeacon beacon_,
        ITaskMarket market_,
        ICourt court_,
        IStepChallenge challenge_
    ) {
        vault = vault_;
        staking = staking_;
        beacon = beacon_;
        market = market_;
        court = court_;
        challenge = challenge_;
    }

    // ---------------------------------------------------------------------------------------- what is due

    /// @inheritdoc IPanthaliaLens
    function nextAction(Terms calldata terms, uint8 slot) external view returns (Next memory) {
        return _nextOfTask(market.task(terms, slot), challenge.demandOf(_taskId(terms, slot)));
    }

    /// @inheritdoc IPanthaliaLens
    function nextCaseAction(Case calldata about) external view returns (Next memory next) {
        bytes32 caseId = court.caseIdOf(about);
        Round memory round = court.newestRound(caseId);
        if (round.status == CaseStatus.None) return next;
        if (round.status != CaseStatus.Active) return _nextClosing(caseId, round.number);
        // the task ended elsewhere
        if (!market.isSubmitted(about.taskId)) return _from(Action.Settle, 0);
        if (round.state == RoundState.Drawing) {
            bool late = block.timestamp > round.deadline;
            return late ? _after(Action.Advance, round.deadline) : _nextDraw(Action.DrawSeats, round.epoch);
        }
        if (round.state == RoundState.Commit) return _after(Action.Advance, round.deadline);
        if (round.state == RoundState.Reveal) {
            bool allOpened = round.committed == 0;
            return allOpened ? _from(Action.Advance, 0) : _after(Action.Advance, round.deadline);
        }
        // of the last ruling and of a void round there is no appeal
        return round.deadline == 0 ? _from(Action.Settle, 0) : _after(Action.Settle, round.deadline);
    }

    // ---------------------------------------------------------------------------------------- pages

    /// @inheritdoc IPanthaliaLens
    function tasksOf(Terms calldata terms, uint8 from, uint256 count)
        external
        view
        returns (TaskView[] memory tasks)
    {
        uint256 slots = (terms.slots >> from) << from;
        uint256 found = LibBit.popCount(slots);
        tasks = new TaskView[](found < count ? found : count);
        for (uint256 i = 0; i < tasks.length; ++i) {
            uint8 slot = uint8(LibBit.ffs(slots));
            slots &= slots - 1;
            bytes32 id = _taskId(terms, slot);
            Task memory entry = market.task(terms, slot);
            Demand memory demand = challenge.demandOf(id);
            tasks[i] = TaskView({
                taskId: id,
                slot: slot,
                task: entry,
                submissionHash: market.submissionHash(id),
                demand: demand,
                next: _nextOfTask(entry, demand)
            });
        }
    }

    /// @inheritdoc IPanthaliaLens
    function roundsOf(Case calldata about, uint8 from, uint256 count)
        external
        view
        returns (RoundView[] memory rounds)
    {
        bytes32 caseId = court.caseIdOf(about);
        uint8 last = court.newestRound(caseId).number;
        uint8 first = from == 0 ? 1 : from;
        uint256 found = last < first ? 0 : last - first + 1;
        rounds = new RoundView[](found < count ? found : count);
        for (uint8 i = 0; i < rounds.length; ++i) {
            uint8 number = first + i;
            rounds[i].round = court.roundOf(caseId, number);
            rounds[i].payer = court.payerOf(about, number);
            rounds[i].seats = new Seat[](rounds[i].round.size);
            for (uint8 index = 0; index < rounds[i].seats.length; ++index) {
                rounds[i].seats[index] = court.seatOf(caseId, number, index);
            }
        }
    }

    /// @inheritdoc IPanthaliaLens
    function accountsOf(uint32 subnetId, address[] calldata accounts)
        external
        view
        returns (AccountView[] memory views)
    {
        views = new AccountView[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            views[i] = AccountView({
                account: account,
                balance: vault.balanceOf(account),
                solver: staking.positionOf(subnetId, Role.Solver, account),
                verifier: staking.positionOf(subnetId, Role.Verifier, account)
            });
        }
    }

    // ---------------------------------------------------------------------------------------- conditions

    function _nextOfTask(Task memory entry, Demand memory demand) private view returns (Next memory next) {
        bool demanded = demand.by != address(0) && !demand.closed;
        if (entry.status == TaskStatus.Open) {
            bool late = block.timestamp > entry.deadline;
            return late ? _after(Action.Expire, entry.deadline) : _nextDraw(Action.Assign, entry.epoch);
        }
        if (entry.status == TaskStatus.Assigned) return _after(Action.Expire, entry.deadline);
        if (entry.status == TaskStatus.Submitted || entry.status == TaskStatus.Undecided) {
            if (demanded) return _after(Action.CloseDemand, demand.answerBy); // whatever else is open
            if (entry.openCases == 0) return _after(Action.Finalize, entry.deadline);
            return next;
        }
        if (demanded) return _from(Action.CloseDemand, 0);
    }

    /// @dev A draw that was asked for in `epoch` is made in a later one, with the seed of the epoch before that.
    function _nextDraw(Action draw, uint32 epoch) private view returns (Next memory next) {
        uint32 current = beacon.currentEpoch();
        uint32 seeded = current > epoch ? current - 1 : epoch;
        (, bool ready) = beacon.seed(seeded);
        if (ready) return _from(draw, 0);
        uint64 first = uint64(beacon.targetBlock(seeded) + 1);
        return
            Next({
                action: Action.Fulfil, due: block.number >= first, time: 0, blockNumber: first, which: seeded
            });
    }

    function _nextClosing(bytes32 caseId, uint8 rounds) private view returns (Next memory next) {
        for (uint8 number = 1; number <= rounds; ++number) {
            uint8 size = court.roundOf(caseId, number).size;
            for (uint8 index = 0; index < size; ++index) {
                Seat memory seat = court.seatOf(caseId, number, index);
                if (seat.voter == address(0) || seat.closed) continue;
                next = _from(Action.CloseSeats, 0);
                next.which = number;
                return next;
            }
        }
    }

    /// @dev Once `deadline` has passed.
    function _after(Action action, uint40 deadline) private view returns (Next memory) {
        return _from(action, deadline + 1);
    }

    function _from(Action action, uint40 time) private view returns (Next memory next) {
        (next.action, next.due, next.time) = (action, block.timestamp >= time, time);
    }

    function _taskId(Terms calldata terms, uint8 slot) private view returns (bytes32) {
        address market_ = address(market);
        return TaskIds.taskIdOf(market_, TaskIds.batchIdOf(market_, terms), slot);
    }
}
