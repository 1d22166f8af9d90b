// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Verdict} from "./interfaces/ICourt.sol";
import {IRandomnessSource} from "./interfaces/IRandomnessSource.sol";
import {IStaking, Role} from "./interfaces/IStaking.sol";
import {ISubnetRegistry, Params} from "./interfaces/ISubnetRegistry.sol";
import {Batch, ITaskMarket, Task, TaskStatus, TaskView} from "./interfaces/ITaskMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {EpochSeed} from "./libraries/EpochSeed.sol";
import {Settlement} from "./libraries/Settlement.sol";

/// @notice Tasks from escrow to payment. The market's vault account holds the price of every open task and the
/// seat of every solver at work.
contract TaskMarket is ITaskMarket {
    using EpochSeed for IRandomnessSource;

    uint256 public constant MOST_SLOTS = 64;

    IVault public immutable vault;
    ISubnetRegistry public immutable registry;
    IStaking public immutable staking;
    IRandomnessSource public immutable beacon;
    address public immutable court;

    mapping(bytes32 batchId => Batch) private _batches;
    mapping(bytes32 taskId => Task) private _tasks;

    modifier onlyCourt() {
        require(msg.sender == court, NotCourt(msg.sender));
        _;
    }

    constructor(
        IVault vault_,
        ISubnetRegistry registry_,
        IStaking staking_,
        IRandomnessSource beacon_,
        address court_
    ) {
        vault = vault_;
        registry = registry_;
        staking = staking_;
        beacon = beacon_;
        court = court_;
    }

    // ---------------------------------------------------------------------------------------- posting

    /// @inheritdoc ITaskMarket
    function createBatch(
        uint32 subnetId,
        bytes32 jobId,
        uint32 round,
        bytes32 baseRoot,
        bytes32 specHash,
        uint96 price,
        uint32[] calldata slots,
        bytes32 salt
    ) external returns (bytes32 batchId) {
        require(slots.length > 0 && slots.length <= MOST_SLOTS, WrongBatchSize(slots.length, MOST_SLOTS));
        uint32 version = registry.latestVersion(subnetId);
        Params memory params = registry.paramsOf(subnetId, version);
        require(price >= params.minPrice, PriceTooLow(price, params.minPrice));

        Batch memory created = Batch({
            buyer: msg.sender,
            price: price,
            subnetId: subnetId,
            paramsVersion: version,
            round: round,
            jobId: jobId,
            baseRoot: baseRoot,
            specHash: specHash
        });
        batchId = keccak256(abi.encode(block.chainid, address(this), created, slots, salt));
        require(_batches[batchId].buyer == address(0), BatchExists(batchId));
        _batches[batchId] = created;

        uint32 epoch = beacon.currentEpoch();
        uint40 openBy = _after(params.openSeconds);
        bytes32[] memory taskIds = _openTasks(batchId, slots, epoch, openBy);
        emit BatchCreated(
            batchId,
            msg.sender,
            subnetId,
            version,
            jobId,
            round,
            baseRoot,
            specHash,
            price,
            slots,
            taskIds,
            epoch,
            openBy
        );
        vault.move(msg.sender, address(this), price * slots.length);
    }

    /// @inheritdoc ITaskMarket
    function cancel(bytes32 id) external {
        Task storage entry = _inStatus(id, TaskStatus.Open);
        Batch storage origin = _batches[entry.batchId];
        require(msg.sender == origin.buyer, NotBuyer(id, msg.sender));
        uint32 epoch = beacon.currentEpoch();
        require(epoch == entry.epoch, SeedMayBeKnown(id, entry.epoch, epoch));

        entry.status = TaskStatus.Cancelled;
        emit TaskCancelled(id);
        vault.move(address(this), origin.buyer, origin.price);
    }

    // ---------------------------------------------------------------------------------------- solving

    /// @inheritdoc ITaskMarket
    function assign(bytes32 id) external {
        Task storage entry = _inStatus(id, TaskStatus.Open);
        _inTime(id, entry);
        bytes32 seed = beacon.forDraw(id, entry.epoch);
        Batch storage origin = _batches[entry.batchId];
        uint32 epoch = beacon.currentEpoch();
        bytes32 entropy = keccak256(abi.encode(seed, id, entry.attempt));
        address solver = staking.draw(origin.subnetId, Role.Solver, entropy, address(0));
        require(solver != address(0), NoSolverFree(id, epoch));

        entry.status = TaskStatus.Assigned;
        entry.solver = solver;
        entry.deadline = _after(_paramsOf(origin).solveSeconds);
        emit TaskAssigned(id, solver, entry.attempt, epoch, entry.deadline);
    }

    /// @inheritdoc ITaskMarket
    function submit(bytes32 id, bytes32 traceRoot, bytes32 resultRoot, bytes32 leavesBlob) external {
        Task storage entry = _inStatus(id, TaskStatus.Assigned);
        require(msg.sender == entry.solver, NotSolver(id, msg.sender));
        _inTime(id, entry);
        require(traceRoot != 0 && resultRoot != 0 && leavesBlob != 0, EmptyRoot(id));

        entry.status = TaskStatus.Submitted;
        entry.deadline = _after(_paramsOf(_batches[entry.batchId]).challengeSeconds);
        entry.traceRoot = traceRoot;
        entry.resultRoot = resultRoot;
        entry.leavesBlob = leavesBlob;
        emit TaskSubmitted(id, msg.sender, traceRoot, resultRoot, leavesBlob, entry.deadline);
    }

    /// @inheritdoc ITaskMarket
    function finalize(bytes32 id) external {
        Task storage entry = _inStatus(id, TaskStatus.Submitted);
        _overdue(id, entry);
        _accept(id, entry, _batches[entry.batchId]);
    }

    /// @inheritdoc ITaskMarket
    function expire(bytes32 id) external {
        Task storage entry = _tasks[id];
        require(
            entry.status == TaskStatus.Open || entry.status == TaskStatus.Assigned,
            WrongStatus(id, entry.status)
        );
        _overdue(id, entry);
        Batch storage origin = _batches[entry.batchId];
        if (entry.status == TaskStatus.Open) _expire(id, entry, origin);
        else _takeBack(id, entry, origin);
    }

    /// @inheritdoc ITaskMarket
    function assignMany(bytes32[] calldata taskIds) external returns (uint256 done) {
        for (uint256 i = 0; i < taskIds.length; ++i) {
            try this.assign(taskIds[i]) {
                ++done;
            } catch {} // not assignable now; who wants to know why calls assign
        }
    }

    /// @inheritdoc ITaskMarket
    function finalizeMany(bytes32[] calldata taskIds) external returns (uint256 done) {
        for (uint256 i = 0; i < taskIds.length; ++i) {
            try this.finalize(taskIds[i]) {
                ++done;
            } catch {} // see assignMany
        }
    }

    /// @inheritdoc ITaskMarket
    function expireMany(bytes32[] calldata taskIds) external returns (uint256 done) {
        for (uint256 i = 0; i < taskIds.length; ++i) {
            try this.expire(taskIds[i]) {
                ++done;
            } catch {} // see assignMany
        }
    }

    // ---------------------------------------------------------------------------------------- disputes

    /// @inheritdoc ITaskMarket
    function dispute(bytes32 id, address disputer, uint32 step)
        external
        onlyCourt
        returns (uint32 subnetId, uint32 paramsVersion, address solver)
    {
        Task storage entry = _inStatus(id, TaskStatus.Submitted);
        _inTime(id, entry);
        entry.status = TaskStatus.Disputed;
        emit TaskDisputed(id, disputer, step);
        Batch storage origin = _batches[entry.batchId];
        return (origin.subnetId, origin.paramsVersion, entry.solver);
    }

    /// @inheritdoc ITaskMarket
    function resolve(bytes32 id, Verdict verdict, address disputer, uint256 fee)
        external
        onlyCourt
        returns (uint256 toBurn)
    {
        Task storage entry = _inStatus(id, TaskStatus.Disputed);
        Batch storage origin = _batches[entry.batchId];
        if (verdict == Verdict.Valid) _accept(id, entry, origin);
        else if (verdict == Verdict.Invalid) toBurn = _convict(id, entry, origin, disputer, fee);
        else if (verdict == Verdict.Unavailable) toBurn = _dismiss(id, entry, origin, disputer, fee);
        else _void(id, entry, origin);
    }

    // ---------------------------------------------------------------------------------------- views

    function task(bytes32 id) external view returns (TaskView memory) {
        Task storage entry = _tasks[id];
        Batch storage origin = _batches[entry.batchId];
        return TaskView({
            batchId: entry.batchId,
            buyer: origin.buyer,
            subnetId: origin.subnetId,
            paramsVersion: origin.paramsVersion,
            jobId: origin.jobId,
            round: origin.round,
            slot: entry.slot,
            baseRoot: origin.baseRoot,
            specHash: origin.specHash,
            price: origin.price,
            status: entry.status,
            attempt: entry.attempt,
            epoch: entry.epoch,
            deadline: entry.deadline,
            solver: entry.solver,
            traceRoot: entry.traceRoot,
            resultRoot: entry.resultRoot,
            leavesBlob: entry.leavesBlob
        });
    }

    function batch(bytes32 batchId) external view returns (Batch memory) {
        return _batches[batchId];
    }

    /// @inheritdoc ITaskMarket
    function taskId(bytes32 batchId, uint32 slot) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), batchId, slot));
    }

    // ---------------------------------------------------------------------------------------- transitions

    function _openTasks(bytes32 batchId, uint32[] calldata slots, uint32 epoch, uint40 openBy)
        private
        returns (bytes32[] memory taskIds)
    {
        taskIds = new bytes32[](slots.length);
        for (uint256 i = 0; i < slots.length; ++i) {
            bytes32 id = taskId(batchId, slots[i]);
            Task storage entry = _tasks[id];
            require(entry.status == TaskStatus.None, TaskExists(id));
            entry.batchId = batchId;
            entry.slot = slots[i];
            entry.status = TaskStatus.Open;
            entry.attempt = 1;
            entry.epoch = epoch;
            entry.deadline = openBy;
            taskIds[i] = id;
        }
    }

    function _accept(bytes32 id, Task storage entry, Batch storage origin) private {
        entry.status = TaskStatus.Accepted;
        emit TaskAccepted(id, entry.solver, entry.resultRoot);
        staking.release(origin.subnetId, Role.Solver, entry.solver);
        vault.move(address(this), entry.solver, origin.price);
    }

    function _expire(bytes32 id, Task storage entry, Batch storage origin) private {
        entry.status = TaskStatus.Expired;
        emit TaskExpired(id);
        vault.move(address(this), origin.buyer, origin.price);
    }

    /// @dev The solver missed solveBy: its seat is broken up and the task opened again, or ended.
    function _takeBack(bytes32 id, Task storage entry, Batch storage origin) private {
        address solver = entry.solver;
        Params memory params = _paramsOf(origin);
        if (entry.attempt == params.maxAttempts) {
            _expire(id, entry, origin);
        } else {
            entry.status = TaskStatus.Open;
            entry.solver = address(0);
            entry.attempt += 1;
            entry.epoch = beacon.currentEpoch();
            entry.deadline = _after(params.openSeconds);
            (, uint256 penalty,) = Settlement.ofAbsence(params, 0);
            emit TaskReopened(id, solver, entry.attempt, penalty);
        }
        vault.burn(_breakSeat(id, solver, origin, params, address(0), 0));
    }

    function _convict(bytes32 id, Task storage entry, Batch storage origin, address disputer, uint256 fee)
        private
        returns (uint256 toBurn)
    {
        uint256 toDisputer;
        uint256 toBuyer;
        Params memory params = _paramsOf(origin);
        (toDisputer, toBuyer, toBurn) = Settlement.ofConviction(params, fee);
        entry.status = TaskStatus.Rejected;
        emit TaskRejected(id, entry.solver);
        staking.forfeit(origin.subnetId, Role.Solver, entry.solver, params.solverStake, id);
        staking.jail(origin.subnetId, Role.Solver, entry.solver);
        vault.move(address(this), origin.buyer, origin.price + toBuyer);
        vault.move(address(this), disputer, toDisputer);
        vault.move(address(this), court, toBurn);
    }

    /// @dev Nobody could get the bytes to check, so the task ends but no lie is proven.
    function _dismiss(bytes32 id, Task storage entry, Batch storage origin, address disputer, uint256 fee)
        private
        returns (uint256 toBurn)
    {
        entry.status = TaskStatus.Rejected;
        emit TaskRejected(id, entry.solver);
        toBurn = _breakSeat(id, entry.solver, origin, _paramsOf(origin), disputer, fee);
        vault.move(address(this), origin.buyer, origin.price);
        vault.move(address(this), court, toBurn);
    }

    function _void(bytes32 id, Task storage entry, Batch storage origin) private {
        entry.status = TaskStatus.Voided;
        emit TaskVoided(id);
        staking.release(origin.subnetId, Role.Solver, entry.solver);
        vault.move(address(this), origin.buyer, origin.price);
    }

    /// @dev A seat that has paid a penalty is no longer whole: it leaves the position, and what remains of it
    /// goes to the solver's own account.
    /// @return penalty in the market's account, to be burned
    function _breakSeat(
        bytes32 id,
        address solver,
        Batch storage origin,
        Params memory params,
        address disputer,
        uint256 fee
    ) private returns (uint256 penalty) {
        uint256 toDisputer;
        uint256 toSolver;
        (toDisputer, penalty, toSolver) = Settlement.ofAbsence(params, fee);
        staking.forfeit(origin.subnetId, Role.Solver, solver, toDisputer + penalty, id);
        if (toDisputer > 0) vault.move(address(this), disputer, toDisputer);
        vault.move(address(this), solver, toSolver);
    }

    // ---------------------------------------------------------------------------------------- conditions

    function _inStatus(bytes32 id, TaskStatus status) private view returns (Task storage entry) {
        entry = _tasks[id];
        require(entry.status == status, WrongStatus(id, entry.status));
    }

    function _inTime(bytes32 id, Task storage entry) private view {
        require(block.timestamp <= entry.deadline, DeadlinePassed(id, entry.deadline));
    }

    function _overdue(bytes32 id, Task storage entry) private view {
        require(block.timestamp > entry.deadline, DeadlineNotPassed(id, entry.deadline));
    }

    function _after(uint32 duration) private view returns (uint40) {
        return uint40(block.timestamp) + duration;
    }

    function _paramsOf(Batch storage origin) private view returns (Params memory) {
        return registry.paramsOf(origin.subnetId, origin.paramsVersion);
    }
}
