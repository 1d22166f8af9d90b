// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReadsParams} from "./base/ReadsParams.sol";
import {Check, CheckOutcome, CheckState, IAudit, Opening} from "./interfaces/IAudit.sol";
import {IRandomnessSource} from "./interfaces/IRandomnessSource.sol";
import {IReputation} from "./interfaces/IReputation.sol";
import {IStaking, Role} from "./interfaces/IStaking.sol";
import {ISubnetRegistry, Params} from "./interfaces/ISubnetRegistry.sol";
import {ITaskMarket, Submission, Task, TaskStatus, Terms} from "./interfaces/ITaskMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {CheckHash} from "./libraries/CheckHash.sol";
import {EpochClock} from "./libraries/EpochClock.sol";
import {EpochSeed} from "./libraries/EpochSeed.sol";
import {Sampling} from "./libraries/Sampling.sol";
import {TaskIds} from "./libraries/TaskIds.sol";
import {TraceLeaf} from "./libraries/TraceLeaf.sol";
import {TraceTree} from "./libraries/TraceTree.sol";

/// @notice Drawn checks. Its vault account holds the fees of open checks. It has no verdict of its own: it pays for a look at
/// a result, and what the look finds wrong is for the court.
contract Audit is IAudit, ReadsParams {
    using EpochSeed for IRandomnessSource;

    IVault public immutable vault;
    IStaking public immutable staking;
    IRandomnessSource public immutable beacon;
    ITaskMarket public immutable market;
    IReputation public immutable reputation;
    EpochClock private immutable _clock;

    mapping(bytes32 taskId => Check) private _checks;
    /// @inheritdoc IAudit
    mapping(bytes32 taskId => bytes32) public commitmentOf;
    /// @inheritdoc IAudit
    mapping(bytes32 taskId => bytes32) public answersOf;

    constructor(
        IVault vault_,
        ISubnetRegistry registry_,
        IStaking staking_,
        IRandomnessSource beacon_,
        ITaskMarket market_,
        IReputation reputation_
    ) ReadsParams(registry_) {
        vault = vault_;
        staking = staking_;
        beacon = beacon_;
        market = market_;
        reputation = reputation_;
        _clock = beacon_.clock();
    }

    // ---------------------------------------------------------------------------------------- draws

    /// @inheritdoc IAudit
    function drawChecker(Terms calldata terms, uint8 slot) external {
        (bytes32 id, Check memory check) = _load(terms, slot);
        if (check.state == CheckState.None) _drawFirst(terms, slot, check);
        else _drawSecond(terms, slot, id, check);
    }

    function _drawFirst(Terms calldata terms, uint8 slot, Check memory check) private {
        (bytes32 id, address solver, uint32 epoch) = market.openCheck(terms, slot);
        Params memory params = _paramsOf(terms);
        bytes32 roll;
        (roll, check.whole) = _sample(terms.subnetId, params, id, solver, epoch);
        check.epoch = epoch;
        check.attempt = 1;
        _draw(terms, id, check, solver, roll, params.commitSeconds);
        vault.move(terms.buyer, address(this), params.verifierFee);
    }

    function _drawSecond(Terms calldata terms, uint8 slot, bytes32 id, Check memory check) private {
        require(check.state == CheckState.Drawing, WrongCheckState(id, check.state));
        _inTime(id, check);
        Task memory task = _submitted(terms, slot, id);
        check.attempt = 2;
        bytes32 roll = _rollOf(id, task.epoch);
        _draw(terms, id, check, task.solver, roll, _paramsOf(terms).commitSeconds);
    }

    function _draw(
        Terms calldata terms,
        bytes32 id,
        Check memory check,
        address solver,
        bytes32 roll,
        uint32 commitSeconds
    ) private {
        uint32 epoch = _clock.currentEpoch();
        bytes32 seed = beacon.forDraw(id, check.epoch, epoch);
        bytes32 entropy = keccak256(abi.encode(seed, id, check.attempt));
        check.checker =
            staking.draw(terms.subnetId, Role.Verifier, entropy, solver, epoch, terms.paramsVersion);
        require(check.checker != address(0), NoCheckerFree(id, epoch));
        _enter(id, check, CheckState.Committing, _after(commitSeconds));
        emit CheckerDrawn(id, check.checker, check.attempt, check.whole, roll, check.deadline);
    }

    // ---------------------------------------------------------------------------------------- answers

    /// @inheritdoc IAudit
    function commitCheck(Terms calldata terms, uint8 slot, bytes32 commitment) external {
        (bytes32 id, Check memory check) = _asChecker(terms, slot);
        require(commitment != 0, EmptyCheck(id));
        // or a checker that has done nothing commits to anything and takes the fee of a task that is rejected already
        require(market.isSubmitted(id), TaskHasEnded(id));
        commitmentOf[id] = commitment;
        _enter(id, check, CheckState.Answering, _after(_paramsOf(terms).clockSeconds));
        emit CheckCommitted(id, msg.sender, check.deadline);
    }

    /// @inheritdoc IAudit
    function declineCheck(Terms calldata terms, uint8 slot) external {
        (bytes32 id, Check memory check) = _asChecker(terms, slot);
        if (check.attempt > 1) return _close(terms, slot, id, check, CheckOutcome.Unchecked, false);
        _replace(terms, id, check, 0);
        staking.release(terms.subnetId, Role.Verifier, msg.sender);
    }

    /// @inheritdoc IAudit
    function openAnswers(
        Terms calldata terms,
        uint8 slot,
        Submission calldata submission,
        Opening[] calldata openings
    ) external {
        (bytes32 id, Check memory check) = _inState(terms, slot, CheckState.Answering);
        _inTime(id, check);
        bytes32 roll = _rollOf(id, _submitted(terms, slot, id).epoch);
        _requireSubmission(id, submission);
        Params memory params = _paramsOf(terms);
        require(openings.length == params.auditSteps, WrongOpeningCount(openings.length, params.auditSteps));
        bytes32 answers = 0;
        for (uint8 index = 0; index < openings.length; ++index) {
            uint32 step = stepOf(roll, check.whole, index, terms.innerSteps);
            answers = CheckHash.put(
                answers, index, _answerOf(id, roll, terms.innerSteps, submission, step, openings[index])
            );
        }
        answersOf[id] = answers;
        _enter(id, check, CheckState.Revealing, _after(params.revealSeconds));
        emit AnswersOpened(id, answers, check.deadline);
    }

    /// @inheritdoc IAudit
    function revealCheck(Terms calldata terms, uint8 slot, bytes32 answers, bytes32 salt) external {
        (bytes32 id, Check memory check) = _inState(terms, slot, CheckState.Revealing);
        _inTime(id, check);
        address solver = _submitted(terms, slot, id).solver;
        bytes32 opening = CheckHash.hash(address(this), id, check.checker, answers, salt);
        require(opening == commitmentOf[id], WrongCheckOpening(commitmentOf[id], opening));

        commitmentOf[id] = answers;
        if (CheckHash.trim(answers, _paramsOf(terms).auditSteps) == answersOf[id]) {
            emit CheckRevealed(id, check.checker, answers, 0);
            reputation.verified(terms.subnetId, solver);
            _close(terms, slot, id, check, CheckOutcome.Passed, false);
        } else {
            _enter(id, check, CheckState.Disputing, 0);
            emit CheckRevealed(id, check.checker, answers, market.prolong(terms, slot));
        }
    }

    /// @dev The solver's answer about a step, out of its own trace.
    function _answerOf(
        bytes32 id,
        bytes32 roll,
        uint32 innerSteps,
        Submission calldata submission,
        uint32 step,
        Opening calldata opening
    ) private pure returns (bytes32) {
        uint32 index = step + 1;
        bytes32 leaf = TraceLeaf.hash(id, index, opening.content);
        TraceTree.verify(submission.traceRoot, innerSteps, index, leaf, opening.proof);
        return CheckHash.answer(
            roll, leaf, opening.content, index == innerSteps ? submission.resultRoot : bytes32(0)
        );
    }

    // ---------------------------------------------------------------------------------------- ends

    /// @inheritdoc IAudit
    function closeCheck(Terms calldata terms, uint8 slot) external {
        (bytes32 id, Check memory check) = _load(terms, slot);
        require(isOpen(id), WrongCheckState(id, check.state));
        Task memory task = market.task(terms, slot);
        if (!market.isSubmitted(id)) {
            // the state a check was in when its task ended stays, so it does not matter who closes it, and when
            bool isPaid = task.status == TaskStatus.Rejected && check.state >= CheckState.Answering;
            _close(terms, slot, id, check, isPaid ? CheckOutcome.Rejected : CheckOutcome.Moot, false);
        } else if (check.state == CheckState.Disputing) {
            require(block.timestamp > task.deadline, CheckDeadlineNotPassed(id, task.deadline));
            require(task.openCases == 1, ITaskMarket.CasesOpen(id, task.openCases - 1));
            bool isMoot = task.status == TaskStatus.Undecided;
            _close(terms, slot, id, check, isMoot ? CheckOutcome.Moot : CheckOutcome.CheckerFailed, !isMoot);
        } else {
            _closeLate(terms, slot, id, check);
        }
    }

    /// @dev Whoever was to act has not.
    function _closeLate(Terms calldata terms, uint8 slot, bytes32 id, Check memory check) private {
        _overdue(id, check);
        if (check.state == CheckState.Drawing) {
            _close(terms, slot, id, check, CheckOutcome.Unchecked, false);
        } else if (check.state == CheckState.Answering) {
            _close(terms, slot, id, check, CheckOutcome.Silent, false);
        } else if (check.state == CheckState.Revealing) {
            _close(terms, slot, id, check, CheckOutcome.CheckerFailed, true);
        } else if (check.attempt > 1) {
            _close(terms, slot, id, check, CheckOutcome.Unchecked, true);
        } else {
            uint256 lost = _forfeit(terms, id, check.checker);
            _replace(terms, id, check, lost);
            vault.burn(lost);
        }
    }

    /// @dev Who takes the place of the first checker is drawn with a seed that is not known yet.
    function _replace(Terms calldata terms, bytes32 id, Check memory check, uint256 bond) private {
        address first = check.checker;
        check.checker = address(0);
        check.epoch = _clock.currentEpoch();
        _enter(id, check, CheckState.Drawing, _after(_paramsOf(terms).openSeconds));
        emit CheckerReplaced(id, first, bond, check.deadline);
    }

    /// @dev Fee and bond go where the outcome says, and the task goes on, or ends.
    function _close(
        Terms calldata terms,
        uint8 slot,
        bytes32 id,
        Check memory check,
        CheckOutcome outcome,
        bool losesBond
    ) private {
        _enter(id, check, CheckState.Over, 0);
        uint256 lost = 0;
        if (losesBond) lost = _forfeit(terms, id, check.checker);
        else if (check.checker != address(0)) staking.release(terms.subnetId, Role.Verifier, check.checker);
        uint256 fee = _paramsOf(terms).verifierFee;
        bool isPaid = outcome == CheckOutcome.Passed || outcome == CheckOutcome.Rejected
            || outcome == CheckOutcome.Silent;
        emit CheckClosed(id, check.checker, outcome, isPaid ? fee : 0, lost);
        vault.move(address(this), isPaid ? check.checker : terms.buyer, fee);
        if (outcome == CheckOutcome.Silent) lost = market.solverSilent(terms, slot, check.checker);
        else if (market.isSubmitted(id)) market.closeCheck(terms, slot);
        if (lost > 0) vault.burn(lost);
    }

    /// @return bond in the account of the audit: its caller burns it when all else is written, for burning calls a token
    function _forfeit(Terms calldata terms, bytes32 id, address checker) private returns (uint256 bond) {
        bond = _paramsOf(terms).seatBond;
        staking.forfeit(terms.subnetId, Role.Verifier, checker, bond, id);
        vault.move(address(staking), address(this), bond);
    }

    // ---------------------------------------------------------------------------------------- views

    /// @inheritdoc IAudit
    function sampleOf(Terms calldata terms, uint8 slot) external view returns (bytes32 roll, bool whole) {
        (bytes32 id, Check memory check) = _load(terms, slot);
        Task memory task = _submitted(terms, slot, id);
        if (check.state != CheckState.None) return (_rollOf(id, task.epoch), check.whole);
        return _sample(terms.subnetId, _paramsOf(terms), id, task.solver, task.epoch);
    }

    /// @inheritdoc IAudit
    function isOpen(bytes32 taskId) public view returns (bool) {
        CheckState state = _checks[taskId].state;
        return state != CheckState.None && state != CheckState.Over;
    }

    /// @inheritdoc IAudit
    function checkOf(bytes32 taskId) external view returns (Check memory) {
        return _checks[taskId];
    }

    /// @inheritdoc IAudit
    function stepOf(bytes32 roll, bool whole, uint8 index, uint32 innerSteps) public pure returns (uint32) {
        return whole && index == 0 ? innerSteps - 1 : Sampling.stepOf(roll, index, innerSteps);
    }

    // ---------------------------------------------------------------------------------------- conditions

    function _sample(uint32 subnetId, Params memory params, bytes32 id, address solver, uint32 epoch)
        private
        view
        returns (bytes32 roll, bool whole)
    {
        roll = _rollOf(id, epoch);
        Sampling.Check kind = Sampling.checkOf(params, roll, reputation.scoreOf(subnetId, solver));
        require(kind != Sampling.Check.None, NotSampled(id));
        whole = kind == Sampling.Check.Whole;
    }

    /// @dev The seed of that one epoch, or whoever draws could choose among seeds.
    function _rollOf(bytes32 id, uint32 epoch) private view returns (bytes32) {
        (bytes32 seed, bool ready) = beacon.seed(epoch);
        require(ready, SampleSeedNotKnown(id, epoch));
        return Sampling.rollOf(seed, id);
    }

    function _requireSubmission(bytes32 id, Submission calldata submission) private view {
        bytes32 opening = keccak256(abi.encode(submission));
        bytes32 expected = market.submissionHash(id);
        require(opening == expected, ITaskMarket.WrongSubmission(id, expected, opening));
    }

    /// @dev The caller is the checker, and has yet to commit.
    function _asChecker(Terms calldata terms, uint8 slot)
        private
        view
        returns (bytes32 id, Check memory check)
    {
        (id, check) = _inState(terms, slot, CheckState.Committing);
        require(msg.sender == check.checker, NotChecker(id, msg.sender));
        _inTime(id, check);
    }

    function _submitted(Terms calldata terms, uint8 slot, bytes32 id)
        private
        view
        returns (Task memory task)
    {
        require(market.isSubmitted(id), TaskHasEnded(id));
        return market.task(terms, slot);
    }

    function _inState(Terms calldata terms, uint8 slot, CheckState state)
        private
        view
        returns (bytes32 id, Check memory check)
    {
        (id, check) = _load(terms, slot);
        require(check.state == state, WrongCheckState(id, check.state));
    }

    function _load(Terms calldata terms, uint8 slot) private view returns (bytes32 id, Check memory check) {
        address market_ = address(market);
        id = TaskIds.taskIdOf(market_, TaskIds.batchIdOf(market_, terms), slot);
        check = _checks[id];
    }

    function _enter(bytes32 id, Check memory check, CheckState state, uint40 deadline) private {
        check.state = state;
        check.deadline = deadline;
        _checks[id] = check;
    }

    function _inTime(bytes32 id, Check memory check) private view {
        require(block.timestamp <= check.deadline, CheckDeadlinePassed(id, check.deadline));
    }

    function _overdue(bytes32 id, Check memory check) private view {
        require(block.timestamp > check.deadline, CheckDeadlineNotPassed(id, check.deadline));
    }
}
