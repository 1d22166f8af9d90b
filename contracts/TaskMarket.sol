// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {LibBit} from "solady/utils/LibBit.sol";
import {IAudit} from "./interfaces/IAudit.sol";
import {IRandomnessSource} from "./interfaces/IRandomnessSource.sol";
import {IReputation} from "./interfaces/IReputation.sol";
import {IStaking, Role} from "./interfaces/IStaking.sol";
import {ISubnetRegistry, Params} from "./interfaces/ISubnetRegistry.sol";
import {ITaskMarket, Submission, Task, TaskStatus, Terms} from "./interfaces/ITaskMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {EpochClock} from "./libraries/EpochClock.sol";
import {EpochSeed} from "./libraries/EpochSeed.sol";
import {ParamsCode} from "./libraries/ParamsCode.sol";
import {Settlement} from "./libraries/Settlement.sol";
import {TaskJudgement} from "./market/TaskJudgement.sol";

/// @notice Tasks from escrow to payment. The market's vault account holds the price of every task that has not ended.
/// @dev Here is what anyone may call, in the order of a task's life; what court, challenge and audit may is TaskJudgement, and what is
/// kept TaskBook.
contract TaskMarket is TaskJudgement {
    using EpochSeed for IRandomnessSource;
    using LibBit for uint256;
    using ParamsCode for address;
    using SafeCast for uint256;

    /// So that one transaction can carry the leaves of a trace.
    uint32 public constant MOST_INNER_STEPS = 2_047;

    IRandomnessSource public immutable beacon;
    EpochClock private immutable _clock;

    constructor(
        IVault vault_,
        ISubnetRegistry registry_,
        IStaking staking_,
        IRandomnessSource beacon_,
        address court_,
        address challenge_,
        IAudit audit_,
        IReputation reputation_
    ) TaskJudgement(vault_, registry_, staking_, court_, challenge_, audit_, reputation_) {
        beacon = beacon_;
        _clock = beacon_.clock();
    }

    // ---------------------------------------------------------------------------------------- posting

    /// @inheritdoc ITaskMarket
    function createBatch(Terms calldata terms) external returns (bytes32 batchId) {
        require(msg.sender == terms.buyer, WrongBuyer(terms.buyer, msg.sender));
        batchId = batchIdOf(terms);
        require(terms.slots != 0, NoSlots(batchId));
        require(
            terms.innerSteps > 0 && terms.innerSteps <= MOST_INNER_STEPS,
            InnerStepsOutOfRange(terms.innerSteps, MOST_INNER_STEPS)
        );
        uint32 current = registry.openVersion(terms.subnetId);
        require(terms.paramsVersion == current, NotCurrentVersion(terms.paramsVersion, current));
        address params = _paramsCodeOf(terms);
        uint256 minPrice = params.member(ParamsCode.MIN_PRICE);
        require(terms.price >= minPrice, PriceTooLow(terms.price, minPrice));
        uint40 openBy = _after(params.member(ParamsCode.OPEN_SECONDS));
        Batch memory created = Batch({epoch: _clock.currentEpoch(), openBy: openBy});
        _keep(batchId, terms.slots, created);
        uint32 solveSeconds = params.member(ParamsCode.SOLVE_SECONDS).toUint32();
        emit BatchCreated(batchId, msg.sender, terms.subnetId, terms, created.epoch, openBy, solveSeconds);
        vault.move(msg.sender, address(this), terms.price * terms.slots.popCount());
    }

    /// @inheritdoc ITaskMarket
    function cancel(Terms calldata terms, uint8 slot) external {
        (bytes32 id, Task memory entry) = _inStatus(terms, slot, TaskStatus.Open);
        require(msg.sender == terms.buyer, NotBuyer(id, msg.sender));
        require(entry.attempt == 1, AlreadyTried(id, entry.attempt));
        uint32 epoch = _clock.currentEpoch();
        require(epoch == entry.epoch, SeedMayBeKnown(id, entry.epoch, epoch));

        _end(id, entry, TaskStatus.Cancelled);
        emit TaskCancelled(id);
        vault.move(address(this), terms.buyer, terms.price);
    }

    // ---------------------------------------------------------------------------------------- solving

    /// @inheritdoc ITaskMarket
    function assign(Terms calldata terms, uint8 slot) external {
        (bytes32 id, Task memory entry) = _inStatus(terms, slot, TaskStatus.Open);
        _inTime(id, entry);
        uint32 epoch = _clock.currentEpoch();
        bytes32 seed = beacon.forDraw(id, entry.epoch, epoch);
        require(_assign(terms, id, entry, seed, epoch), NoSolverFree(id, epoch));
    }

    /// @inheritdoc ITaskMarket
    function submit(Terms calldata terms, uint8 slot, Submission calldata submission) external {
        (bytes32 id, Task memory entry) = _inStatus(terms, slot, TaskStatus.Assigned);
        require(msg.sender == entry.solver, NotSolver(id, msg.sender));
        _inTime(id, entry);
        require(
            submission.traceRoot != 0 && submission.resultRoot != 0 && submission.leavesBlob != 0,
            EmptyRoot(id, submission.traceRoot, submission.resultRoot, submission.leavesBlob)
        );

        entry.status = TaskStatus.Submitted;
        entry.epoch = _clock.currentEpoch();
        entry.deadline = _challengeBy(terms);
        _store(id, entry);
        submissionHash[id] = keccak256(abi.encode(submission));
        emit TaskSubmitted(
            id, msg.sender, submission.traceRoot, submission.resultRoot, submission.leavesBlob, entry.deadline
        );
    }

    /// @inheritdoc ITaskMarket
    function finalize(Terms calldata terms, uint8 slot) external {
        (bytes32 id, Task memory entry) = _submitted(terms, slot);
        _overdue(id, entry);
        require(entry.openCases == 0, CasesOpen(id, entry.openCases));
        _finalize(terms, id, entry);
    }

    /// @inheritdoc ITaskMarket
    function expire(Terms calldata terms, uint8 slot) external {
        (bytes32 id, Task memory entry) = _load(terms, batchIdOf(terms), slot);
        require(
            entry.status == TaskStatus.Open || entry.status == TaskStatus.Assigned,
            WrongStatus(id, entry.status)
        );
        _overdue(id, entry);
        _burn(_expireOrReopen(terms, id, entry, _paramsOf(terms)));
    }

    /// @inheritdoc ITaskMarket
    function assignMany(Terms calldata terms, uint256 slots) external returns (uint256 done) {
        uint32 epoch = _clock.currentEpoch();
        if (epoch == 0) return 0;
        (bytes32 seed, bool ready) = beacon.seed(epoch - 1);
        if (!ready) return 0;
        bytes32 batchId = batchIdOf(terms);
        for (; slots != 0; slots &= slots - 1) {
            (bytes32 id, Task memory entry) = _load(terms, batchId, uint8(slots.ffs()));
            if (entry.status != TaskStatus.Open || block.timestamp > entry.deadline) continue;
            if (entry.epoch < epoch && _assign(terms, id, entry, seed, epoch)) ++done;
        }
    }

    /// @inheritdoc ITaskMarket
    function finalizeMany(Terms calldata terms, uint256 slots) external returns (uint256 done) {
        bytes32 batchId = batchIdOf(terms);
        for (; slots != 0; slots &= slots - 1) {
            (bytes32 id, Task memory entry) = _load(terms, batchId, uint8(slots.ffs()));
            if (!_awaitsJudgement(entry.status) || entry.openCases > 0) continue;
            if (block.timestamp <= entry.deadline) continue;
            _finalize(terms, id, entry);
            ++done;
        }
    }

    /// @inheritdoc ITaskMarket
    function expireMany(Terms calldata terms, uint256 slots) external returns (uint256 done) {
        bytes32 batchId = batchIdOf(terms);
        Params memory params = _paramsOf(terms);
        uint256 toBurn = 0;
        for (; slots != 0; slots &= slots - 1) {
            (bytes32 id, Task memory entry) = _load(terms, batchId, uint8(slots.ffs()));
            if (entry.status != TaskStatus.Open && entry.status != TaskStatus.Assigned) continue;
            if (block.timestamp <= entry.deadline) continue;
            toBurn += _expireOrReopen(terms, id, entry, params);
            ++done;
        }
        _burn(toBurn);
    }

    // ---------------------------------------------------------------------------------------- transitions

    /// @return drawn false if no attempt hit a free seat; then nothing has changed
    function _assign(Terms calldata terms, bytes32 id, Task memory entry, bytes32 seed, uint32 epoch)
        private
        returns (bool drawn)
    {
        bytes32 entropy = keccak256(abi.encode(seed, id, entry.attempt));
        address solver =
            staking.draw(terms.subnetId, Role.Solver, entropy, address(0), epoch, terms.paramsVersion);
        if (solver == address(0)) return false;

        entry.status = TaskStatus.Assigned;
        entry.solver = solver;
        entry.deadline = _after(0); // see TaskBook, _tasks
        _store(id, entry);
        emit TaskAssigned(id, solver, entry.attempt, epoch);
        return true;
    }

    function _finalize(Terms calldata terms, bytes32 id, Task memory entry) private {
        bool accepted = entry.status == TaskStatus.Submitted;
        _end(id, entry, accepted ? TaskStatus.Accepted : TaskStatus.Voided);
        if (accepted) emit TaskAccepted(id, entry.solver);
        else emit TaskVoided(id);
        staking.release(terms.subnetId, Role.Solver, entry.solver);
        vault.move(address(this), accepted ? entry.solver : terms.buyer, terms.price);
    }

    /// @dev An open task found nobody: the price goes back. The solver of an assigned one missed solveBy: its seat is broken up and
    /// the task opened again. When the attempts are used up the price is burned: strangers have paid for a task that none of them
    /// solved, and if it went back, posting what nobody can solve would cost its buyer nothing at all.
    /// @return toBurn in the market's account
    function _expireOrReopen(Terms calldata terms, bytes32 id, Task memory entry, Params memory params)
        private
        returns (uint256 toBurn)
    {
        if (entry.status == TaskStatus.Open) {
            _end(id, entry, TaskStatus.Expired);
            emit TaskExpired(id, 0);
            vault.move(address(this), terms.buyer, terms.price);
            return 0;
        }
        address solver = entry.solver;
        if (entry.attempt == params.maxAttempts) {
            toBurn = terms.price;
            _end(id, entry, TaskStatus.Expired);
            emit TaskExpired(id, toBurn);
        } else {
            entry.status = TaskStatus.Open;
            entry.solver = address(0);
            entry.attempt += 1;
            entry.epoch = _clock.currentEpoch();
            entry.deadline = _after(params.openSeconds);
            _store(id, entry);
            emit TaskReopened(id, solver, entry.attempt, Settlement.livenessPenalty(params));
        }
        toBurn += _breakSeat(terms, id, solver, params);
    }

    /// @dev A seat that has paid a penalty is no longer whole: it leaves the position, and what remains of it goes to
    /// the solver's own account. No blame can be proven, so only the delay is punished. The penalty is burned: if the
    /// buyer got it, a task that nobody can solve would be a way to live off the solvers drawn for it.
    /// @return penalty in the market's account, to be burned
    function _breakSeat(Terms calldata terms, bytes32 id, address solver, Params memory params)
        private
        returns (uint256 penalty)
    {
        penalty = Settlement.livenessPenalty(params);
        staking.forfeit(terms.subnetId, Role.Solver, solver, penalty, id);
        reputation.absent(terms.subnetId, solver);
        vault.move(address(staking), solver, params.solverStake - penalty);
        vault.move(address(staking), address(this), penalty);
    }

    function _burn(uint256 amount) private {
        if (amount > 0) vault.burn(amount);
    }
}
