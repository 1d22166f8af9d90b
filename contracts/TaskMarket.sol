// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {LibBit} from "solady/utils/LibBit.sol";
import {ReadsParams} from "./base/ReadsParams.sol";
import {IAudit} from "./interfaces/IAudit.sol";
import {Verdict} from "./interfaces/ICourt.sol";
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
import {TaskIds} from "./libraries/TaskIds.sol";

/// @notice Tasks from escrow to payment. The market's vault account holds the price of every task that has not ended.
contract TaskMarket is ITaskMarket, ReadsParams {
    using EpochSeed for IRandomnessSource;
    using LibBit for uint256;
    using ParamsCode for address;
    using SafeCast for uint256;

    /// @dev What untouched tasks of a batch of several have in common; one word.
    struct Batch {
        /// in which the batch was posted
        uint32 epoch;
        /// zero if there is no such batch
        uint40 openBy;
    }

    /// So that one transaction can carry the leaves of a trace.
    uint32 public constant MOST_INNER_STEPS = 2_047;

    IVault public immutable vault;
    IStaking public immutable staking;
    IRandomnessSource public immutable beacon;
    address public immutable court;
    address public immutable challenge;
    IAudit public immutable audit;
    IReputation public immutable reputation;
    EpochClock private immutable _clock;

    mapping(bytes32 batchId => Batch) private _batches;
    /// @dev An assigned task has the time of its assignment where others have their deadline, and `_load` makes the one of the
    /// other: so nobody pays for reading parameters to assign it.
    mapping(bytes32 taskId => Task) private _tasks;
    /// @inheritdoc ITaskMarket
    mapping(bytes32 taskId => bytes32) public submissionHash;
    /// @dev Steps that a case left without a verdict, and no case has found right since: which, and how many.
    mapping(bytes32 taskId => mapping(uint32 step => bool)) private _isUndecided;
    mapping(bytes32 taskId => uint256) private _undecidedSteps;

    modifier onlyCourt() {
        require(msg.sender == court, NotCourt(msg.sender));
        _;
    }

    modifier onlyChallenge() {
        require(msg.sender == challenge, NotChallenge(msg.sender));
        _;
    }

    modifier onlyAudit() {
        require(msg.sender == address(audit), NotAudit(msg.sender));
        _;
    }

    constructor(
        IVault vault_,
        ISubnetRegistry registry_,
        IStaking staking_,
        IRandomnessSource beacon_,
        address court_,
        address challenge_,
        IAudit audit_,
        IReputation reputation_
    ) ReadsParams(registry_) {
        vault = vault_;
        staking = staking_;
        beacon = beacon_;
        _clock = beacon_.clock();
        court = court_;
        challenge = challenge_;
        audit = audit_;
        reputation = reputation_;
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

    // ---------------------------------------------------------------------------------------- cases

    /// @inheritdoc ITaskMarket
    function openCase(Terms calldata terms, uint8 slot, Submission calldata submission)
        external
        onlyChallenge
        returns (bytes32 id, address solver)
    {
        Task memory entry;
        (id, entry) = _submitted(terms, slot);
        _inTime(id, entry);
        bytes32 opening = keccak256(abi.encode(submission));
        require(opening == submissionHash[id], WrongSubmission(id, submissionHash[id], opening));
        _countCase(id, entry);
        return (id, entry.solver);
    }

    /// @inheritdoc ITaskMarket
    function closeCase(
        Terms calldata terms,
        uint8 slot,
        uint32 step,
        Verdict verdict,
        address disputer,
        uint256 fee
    ) external onlyCourt returns (uint256 toBurn) {
        (bytes32 id, Task memory entry) = _submitted(terms, slot);
        entry.openCases -= 1;
        if (verdict == Verdict.Invalid) return _convict(terms, id, entry, disputer, fee);
        if (verdict == Verdict.Unavailable) return _voidUnavailable(terms, id, entry, disputer, fee);
        if (verdict == Verdict.None) _leaveUndecided(terms, id, entry, step);
        else if (entry.status == TaskStatus.Undecided) _decide(id, entry, step);
        _store(id, entry);
    }

    /// @inheritdoc ITaskMarket
    function leavesPublished(Terms calldata terms, uint8 slot)
        external
        onlyChallenge
        returns (uint40 challengeBy)
    {
        (bytes32 id, Task memory entry) = _submitted(terms, slot);
        entry.openCases -= 1;
        challengeBy = _challengeBy(terms);
        entry.deadline = challengeBy;
        _store(id, entry);
    }

    /// @inheritdoc ITaskMarket
    function leavesWithheld(Terms calldata terms, uint8 slot, address demander)
        external
        onlyChallenge
        returns (uint256 toBurn)
    {
        (bytes32 id, Task memory entry) = _submitted(terms, slot);
        uint8 waiting = audit.isOpen(id) ? 2 : 1; // a check waits for the demand
        require(entry.openCases <= waiting, CasesOpen(id, entry.openCases - waiting));
        entry.openCases = 0;
        return _convict(terms, id, entry, demander, 0); // the fee was for an answer, and goes back
    }

    // ---------------------------------------------------------------------------------------- checks

    /// @inheritdoc ITaskMarket
    function openCheck(Terms calldata terms, uint8 slot)
        external
        onlyAudit
        returns (bytes32 id, address solver, uint32 epoch)
    {
        Task memory entry;
        (id, entry) = _inStatus(terms, slot, TaskStatus.Submitted);
        _inTime(id, entry);
        _countCase(id, entry);
        return (id, entry.solver, entry.epoch);
    }

    /// @inheritdoc ITaskMarket
    function prolong(Terms calldata terms, uint8 slot) external onlyAudit returns (uint40 challengeBy) {
        (bytes32 id, Task memory entry) = _submitted(terms, slot);
        challengeBy = _challengeBy(terms);
        entry.deadline = challengeBy;
        _store(id, entry);
    }

    /// @inheritdoc ITaskMarket
    function closeCheck(Terms calldata terms, uint8 slot) external onlyAudit {
        (bytes32 id, Task memory entry) = _submitted(terms, slot);
        entry.openCases -= 1;
        _store(id, entry);
    }

    /// @inheritdoc ITaskMarket
    function solverSilent(Terms calldata terms, uint8 slot, address checker)
        external
        onlyAudit
        returns (uint256 toBurn)
    {
        (bytes32 id, Task memory entry) = _submitted(terms, slot);
        require(entry.openCases == 1, CasesOpen(id, entry.openCases - 1));
        entry.openCases = 0;
        return _convict(terms, id, entry, checker, 0); // the fee of the check is the buyer's
    }

    // ---------------------------------------------------------------------------------------- views

    /// @inheritdoc ITaskMarket
    function isSubmitted(bytes32 id) external view returns (bool) {
        return _awaitsJudgement(_tasks[id].status);
    }

    /// @inheritdoc ITaskMarket
    function task(Terms calldata terms, uint8 slot) external view returns (Task memory entry) {
        (, entry) = _load(terms, batchIdOf(terms), slot);
    }

    /// @inheritdoc ITaskMarket
    function batchIdOf(Terms calldata terms) public view returns (bytes32) {
        return TaskIds.batchIdOf(address(this), terms);
    }

    /// @inheritdoc ITaskMarket
    function taskIdOf(bytes32 batchId, uint8 slot) public view returns (bytes32) {
        return TaskIds.taskIdOf(address(this), batchId, slot);
    }

    // ---------------------------------------------------------------------------------------- transitions

    /// @dev The task of a batch of one gets its word at once, so that assignment finds one to change. Those of a larger
    /// batch share one until they are assigned.
    function _keep(bytes32 batchId, uint256 slots, Batch memory created) private {
        if (slots.popCount() == 1) {
            bytes32 id = taskIdOf(batchId, uint8(slots.ffs()));
            require(_tasks[id].status == TaskStatus.None, BatchExists(batchId));
            _store(id, _posted(created));
        } else {
            require(_batches[batchId].openBy == 0, BatchExists(batchId));
            _batches[batchId] = created;
        }
    }

    function _posted(Batch memory origin) private pure returns (Task memory entry) {
        entry.status = TaskStatus.Open;
        entry.attempt = 1;
        entry.epoch = origin.epoch;
        entry.deadline = origin.openBy;
    }

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
        entry.deadline = _after(0); // see _tasks
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

    /// @param accuser whoever disputed the result, or demanded leaves that nobody showed
    /// @param fee that the accuser spent
    /// @return toBurn in the account of the module that calls
    function _convict(Terms calldata terms, bytes32 id, Task memory entry, address accuser, uint256 fee)
        private
        returns (uint256 toBurn)
    {
        uint256 toAccuser;
        uint256 toBuyer;
        Params memory params = _paramsOf(terms);
        (toAccuser, toBuyer, toBurn) = Settlement.ofConviction(params, fee);
        _end(id, entry, TaskStatus.Rejected);
        emit TaskRejected(id, entry.solver);
        staking.convict(terms.subnetId, Role.Solver, entry.solver, params.solverStake, id);
        reputation.convicted(terms.subnetId, entry.solver);
        vault.move(address(this), terms.buyer, terms.price);
        vault.move(address(staking), terms.buyer, toBuyer);
        vault.move(address(staking), accuser, toAccuser);
        vault.move(address(staking), msg.sender, toBurn);
    }

    /// @dev What the buyer had to provide could not be had, so nothing is proven and nobody is paid for the result. The
    /// price does not go back either, or a buyer could take a result and withhold what it is checked with.
    function _voidUnavailable(
        Terms calldata terms,
        bytes32 id,
        Task memory entry,
        address disputer,
        uint256 fee
    ) private returns (uint256 toBurn) {
        uint256 repaid = fee < terms.price ? fee : terms.price;
        toBurn = terms.price - repaid;
        _end(id, entry, TaskStatus.Voided);
        emit TaskVoided(id);
        staking.release(terms.subnetId, Role.Solver, entry.solver);
        vault.move(address(this), disputer, repaid);
        vault.move(address(this), court, toBurn);
    }

    function _leaveUndecided(Terms calldata terms, bytes32 id, Task memory entry, uint32 step) private {
        if (!_isUndecided[id][step]) {
            _isUndecided[id][step] = true;
            _undecidedSteps[id] += 1;
        }
        if (entry.status == TaskStatus.Undecided) return;
        entry.status = TaskStatus.Undecided;
        entry.deadline = _challengeBy(terms);
        emit TaskUndecided(id, entry.deadline);
    }

    /// @dev Of this step only: or whoever keeps the verifiers busy until a case about a wrong step has failed would have a right one
    /// judged instead.
    function _decide(bytes32 id, Task memory entry, uint32 step) private {
        if (!_isUndecided[id][step]) return;
        _isUndecided[id][step] = false;
        _undecidedSteps[id] -= 1;
        if (_undecidedSteps[id] > 0) return;
        entry.status = TaskStatus.Submitted;
        emit TaskDecided(id);
    }

    function _countCase(bytes32 id, Task memory entry) private {
        require(entry.openCases < type(uint8).max, TooManyCases(id, type(uint8).max));
        entry.openCases += 1;
        _store(id, entry);
    }

    function _end(bytes32 id, Task memory entry, TaskStatus status) private {
        entry.status = status;
        _store(id, entry);
    }

    /// @dev A function, so that the code that packs a word is there once.
    function _store(bytes32 id, Task memory entry) private {
        _tasks[id] = entry;
    }

    function _burn(uint256 amount) private {
        if (amount > 0) vault.burn(amount);
    }

    // ---------------------------------------------------------------------------------------- conditions

    /// @dev A task without a word of its own is as its batch says.
    function _load(Terms calldata terms, bytes32 batchId, uint8 slot)
        private
        view
        returns (bytes32 id, Task memory entry)
    {
        id = taskIdOf(batchId, slot);
        entry = _tasks[id];
        if (entry.status == TaskStatus.Assigned) {
            uint256 solveSeconds = _paramsCodeOf(terms).member(ParamsCode.SOLVE_SECONDS);
            entry.deadline = (entry.deadline + solveSeconds).toUint40();
        } else if (entry.status == TaskStatus.None && (terms.slots >> slot) & 1 == 1) {
            Batch memory origin = _batches[batchId];
            if (origin.openBy != 0) entry = _posted(origin);
        }
    }

    function _inStatus(Terms calldata terms, uint8 slot, TaskStatus status)
        private
        view
        returns (bytes32 id, Task memory entry)
    {
        (id, entry) = _load(terms, batchIdOf(terms), slot);
        require(entry.status == status, WrongStatus(id, entry.status));
    }

    function _submitted(Terms calldata terms, uint8 slot)
        private
        view
        returns (bytes32 id, Task memory entry)
    {
        (id, entry) = _load(terms, batchIdOf(terms), slot);
        require(_awaitsJudgement(entry.status), WrongStatus(id, entry.status));
    }

    function _awaitsJudgement(TaskStatus status) private pure returns (bool) {
        return status == TaskStatus.Submitted || status == TaskStatus.Undecided;
    }

    function _inTime(bytes32 id, Task memory entry) private view {
        require(block.timestamp <= entry.deadline, DeadlinePassed(id, entry.deadline));
    }

    function _overdue(bytes32 id, Task memory entry) private view {
        require(block.timestamp > entry.deadline, DeadlineNotPassed(id, entry.deadline));
    }

    function _challengeBy(Terms calldata terms) private view returns (uint40) {
        return _after(_paramsCodeOf(terms).member(ParamsCode.CHALLENGE_SECONDS));
    }
}
