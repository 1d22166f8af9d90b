// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReadsParams} from "../base/ReadsParams.sol";
import {IAudit} from "../interfaces/IAudit.sol";
import {Verdict} from "../interfaces/ICourt.sol";
import {IReputation} from "../interfaces/IReputation.sol";
import {IStaking, Role} from "../interfaces/IStaking.sol";
import {ISubnetRegistry, Params} from "../interfaces/ISubnetRegistry.sol";
import {ITaskMarket, Submission, Task, TaskStatus, Terms} from "../interfaces/ITaskMarket.sol";
import {IVault} from "../interfaces/IVault.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {TaskBook} from "./TaskBook.sol";

/// @notice What cases, demands for leaves and checks make of a submitted task, of its price and of its solver's seat. Only court,
/// challenge and audit call.
abstract contract TaskJudgement is TaskBook {
    IVault public immutable vault;
    IStaking public immutable staking;
    address public immutable court;
    address public immutable challenge;
    IAudit public immutable audit;
    IReputation public immutable reputation;

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
        address court_,
        address challenge_,
        IAudit audit_,
        IReputation reputation_
    ) ReadsParams(registry_) {
        vault = vault_;
        staking = staking_;
        court = court_;
        challenge = challenge_;
        audit = audit_;
        reputation = reputation_;
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

    // ---------------------------------------------------------------------------------------- what follows

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
}
