// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LibBit} from "solady/utils/LibBit.sol";
import {Check, CheckState, IAudit} from "./interfaces/IAudit.sol";
import {Case, CaseStatus, ICourt, Round, RoundState, Seat} from "./interfaces/ICourt.sol";
import {
    AccountView,
    Action,
    IPanthaliaLens,
    Next,
    RoundView,
    TaskView,
    VersionsView
} from "./interfaces/IPanthaliaLens.sol";
import {IRandomnessBeacon} from "./interfaces/IRandomnessBeacon.sol";
import {IStaking, Role} from "./interfaces/IStaking.sol";
import {Demand, IStepChallenge} from "./interfaces/IStepChallenge.sol";
import {ISubnetRegistry} from "./interfaces/ISubnetRegistry.sol";
import {ITaskMarket, Task, TaskStatus, Terms} from "./interfaces/ITaskMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {TaskIds} from "./libraries/TaskIds.sol";

/// @notice Reads only. Conditions are those of TaskMarket, Court and StepChallenge; src/protocol/keeper.ts decides the same
/// from events.
contract PanthaliaLens is IPanthaliaLens {
    uint256 private constant PROVABLE_BLOCKS = 8_191;

    IVault public immutable vault;
    ISubnetRegistry public immutable registry;
    IStaking public immutable staking;
    IRandomnessBeacon public immutable beacon;
    ITaskMarket public immutable market;
    ICourt public immutable court;
    IStepChallenge public immutable challenge;
    IAudit public immutable audit;

    constructor(
        IVault vault_,
        ISubnetRegistry registry_,
        IStaking staking_,
        IRandomnessBeacon beacon_,
        ITaskMarket market_,
        ICourt court_,
        IStepChallenge challenge_,
        IAudit audit_
    ) {
        vault = vault_;
        registry = registry_;
        staking = staking_;
        beacon = beacon_;
        market = market_;
        court = court_;
        challenge = challenge_;
        audit = audit_;
    }

    // ---------------------------------------------------------------------------------------- what is due

    /// @inheritdoc IPanthaliaLens
    function nextAction(Terms calldata terms, uint8 slot) external view returns (Next memory) {
        return _nextOfTask(_taskId(terms, slot), market.task(terms, slot));
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

    /// @inheritdoc IPanthaliaLens
    function nextCheckAction(Terms calldata terms, uint8 slot) external view returns (Next memory next) {
        bytes32 id = _taskId(terms, slot);
        Task memory entry = market.task(terms, slot);
        Check memory check = audit.checkOf(id);
        if (check.state == CheckState.Over) return next;
        if (check.state == CheckState.None) return _nextSample(terms, slot, entry);
        if (!market.isSubmitted(id)) return _from(Action.CloseCheck, 0);
        if (check.state == CheckState.Disputing) {
            return entry.openCases == 1 ? _after(Action.CloseCheck, entry.deadline) : next;
        }
        bool isDraw = check.state == CheckState.Drawing && block.timestamp <= check.deadline;
        if (isDraw) return _nextDraw(Action.DrawChecker, check.epoch);
        // silence convicts the solver, once nothing else is open
        bool waits = check.state == CheckState.Answering && entry.openCases > 1;
        return waits ? next : _after(Action.CloseCheck, check.deadline);
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
            tasks[i] = TaskView({
                taskId: id,
                slot: slot,
                task: entry,
                submissionHash: market.submissionHash(id),
                demand: challenge.demandOf(id),
                next: _nextOfTask(id, entry)
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

    /// @inheritdoc IPanthaliaLens
    function versionsOf(uint32 subnetId) external view returns (VersionsView memory) {
        return VersionsView({
            inForce: registry.currentVersion(subnetId),
            newest: registry.latestVersion(subnetId),
            newestFrom: registry.newestFrom(subnetId)
        });
    }

    // ---------------------------------------------------------------------------------------- conditions

    function _nextOfTask(bytes32 id, Task memory entry) private view returns (Next memory next) {
        Demand memory demand = challenge.demandOf(id);
        bool demanded = demand.by != address(0) && !demand.closed;
        if (entry.status == TaskStatus.Open) {
            bool late = block.timestamp > entry.deadline;
            return late ? _after(Action.Expire, entry.deadline) : _nextDraw(Action.Assign, entry.epoch);
        }
        if (entry.status == TaskStatus.Assigned) return _after(Action.Expire, entry.deadline);
        if (entry.status == TaskStatus.Submitted || entry.status == TaskStatus.Undecided) {
            // a demand counts as a case
            if (entry.openCases == 0) return _after(Action.Finalize, entry.deadline);
            // a check waits for the demand
            uint8 cases = audit.isOpen(id) ? entry.openCases - 1 : entry.openCases;
            if (demanded && cases == 1) return _after(Action.CloseDemand, demand.answerBy);
            return next;
        }
        if (demanded) return _from(Action.CloseDemand, 0);
    }

    /// @dev Whether a submission is checked follows from the seed of its epoch. The fee is the buyer's to have: a draw that it could
    /// not pay is none, until it can.
    function _nextSample(Terms calldata terms, uint8 slot, Task memory entry)
        private
        view
        returns (Next memory next)
    {
        if (entry.status != TaskStatus.Submitted || block.timestamp > entry.deadline) return next;
        (, bool ready) = beacon.seed(entry.epoch);
        if (!ready) return _seedOf(entry.epoch);
        try audit.sampleOf(terms, slot) returns (bytes32, bool) {
            uint256 fee = registry.paramsOf(terms.subnetId, terms.paramsVersion).verifierFee;
            if (vault.balanceOf(terms.buyer) < fee) return next;
            return _nextDraw(Action.DrawChecker, entry.epoch);
        } catch {
            return next; // NotSampled
        }
    }

    /// @dev A draw that was asked for in `epoch` is made in a later one, with the seed of the epoch before that.
    function _nextDraw(Action draw, uint32 epoch) private view returns (Next memory next) {
        uint32 current = beacon.currentEpoch();
        uint32 seeded = current > epoch ? current - 1 : epoch;
        (, bool ready) = beacon.seed(seeded);
        return ready ? _from(draw, 0) : _seedOf(seeded);
    }

    /// @dev Provable from the block after its own, for as long as that block's hash can be asked for (EIP-2935).
    function _seedOf(uint32 epoch) private view returns (Next memory next) {
        uint256 target = beacon.targetBlock(epoch);
        if (block.number > target + PROVABLE_BLOCKS) return next;
        // a number of a block fits
        // forge-lint: disable-next-line(unsafe-typecast)
        (next.action, next.which, next.blockNumber) = (Action.Fulfil, epoch, uint64(target + 1));
        next.due = block.number > target;
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
