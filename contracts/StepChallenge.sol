// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReadsParams} from "./base/ReadsParams.sol";
import {Case, ICourt} from "./interfaces/ICourt.sol";
import {Commitment, Demand, IStepChallenge, Pin} from "./interfaces/IStepChallenge.sol";
import {ISubnetRegistry, Params} from "./interfaces/ISubnetRegistry.sol";
import {ITaskMarket, Submission, Terms} from "./interfaces/ITaskMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {TaskIds} from "./libraries/TaskIds.sol";
import {TraceTree} from "./libraries/TraceTree.sol";

/// @notice How a dispute about one step begins. Its vault account holds the fees of open demands; bonds of commitments
/// are in the court's, to which the pins pay.
contract StepChallenge is IStepChallenge, ReadsParams {
    uint256 public constant COMMITMENT_LIFE = 7 days;

    IVault public immutable vault;
    ITaskMarket public immutable market;
    ICourt public immutable court;

    /// @dev Of each account its own: or whoever sees a hash could put it down first, with a bond too small to pin.
    mapping(address disputer => mapping(bytes32 commitment => Commitment)) private _commitments;
    mapping(bytes32 taskId => Demand) private _demands;

    constructor(IVault vault_, ISubnetRegistry registry_, ITaskMarket market_, ICourt court_)
        ReadsParams(registry_)
    {
        vault = vault_;
        market = market_;
        court = court_;
    }

    // ---------------------------------------------------------------------------------------- pins

    /// @inheritdoc IStepChallenge
    function commitDispute(bytes32 commitment, uint96 bond) external {
        require(_commitments[msg.sender][commitment].time == 0, AlreadyCommitted(commitment));
        _commitments[msg.sender][commitment] =
            Commitment({bond: bond, time: uint40(block.timestamp), blockNumber: uint64(block.number)});
        emit DisputeCommitted(commitment, msg.sender, bond);
        vault.move(msg.sender, address(court), bond);
    }

    /// @inheritdoc IStepChallenge
    function dropCommitment(address disputer, bytes32 commitment) external {
        Commitment memory made = _commitments[disputer][commitment];
        require(made.time != 0, NotCommitted(commitment));
        uint256 until = made.time + COMMITMENT_LIFE;
        require(block.timestamp > until, CommitmentStillGood(commitment, until));
        delete _commitments[disputer][commitment];
        emit CommitmentDropped(commitment, disputer, made.bond);
        vault.move(address(court), address(this), made.bond);
        if (made.bond > 0) vault.burn(made.bond);
    }

    /// @inheritdoc IStepChallenge
    function pin(Terms calldata terms, uint8 slot, Submission calldata submission, Pin calldata what)
        external
        returns (bytes32 caseId)
    {
        require(what.step < terms.innerSteps, StepBeyondTrace(what.step, terms.innerSteps));
        (bytes32 taskId, address solver) = market.openCase(terms, slot, submission);
        bytes32 commitment = commitmentOf(taskId, msg.sender, what.step, what.salt);
        uint96 bond = _spend(commitment);
        TraceTree.verifyPair(
            submission.traceRoot, terms.innerSteps, what.step, what.before, what.next, what.siblings
        );
        Case memory about = Case({
            taskId: taskId,
            subnetId: terms.subnetId,
            paramsVersion: terms.paramsVersion,
            solver: solver,
            disputer: msg.sender,
            step: what.step,
            openedAt: uint40(block.timestamp)
        });
        caseId = court.openCase(about, terms.price, bond, what.before, what.next, what.stateBlob);
        emit CommitmentOpened(commitment, caseId);
    }

    /// @dev The caller's commitment, made in an earlier block, is good for one pin.
    function _spend(bytes32 commitment) private returns (uint96 bond) {
        Commitment storage made = _commitments[msg.sender][commitment];
        require(made.time != 0, NotCommitted(commitment));
        require(block.number > made.blockNumber, CommitmentTooYoung(commitment, block.number));
        bond = made.bond;
        (made.bond, made.time, made.blockNumber) = (0, 0, 0);
    }

    // ---------------------------------------------------------------------------------------- leaves

    /// @inheritdoc IStepChallenge
    function demandLeaves(Terms calldata terms, uint8 slot, Submission calldata submission) external {
        (bytes32 taskId,) = market.openCase(terms, slot, submission);
        require(_demands[taskId].by == address(0), AlreadyDemanded(taskId));
        Params memory params = _paramsOf(terms);
        uint40 answerBy = uint40(block.timestamp) + params.clockSeconds;
        _demands[taskId] = Demand({by: msg.sender, answerBy: answerBy, closed: false});
        emit LeavesDemanded(taskId, msg.sender, params.verifierFee, answerBy);
        vault.move(msg.sender, address(this), params.verifierFee);
    }

    /// @inheritdoc IStepChallenge
    function publishLeaves(
        Terms calldata terms,
        uint8 slot,
        Submission calldata submission,
        bytes32[] calldata leaves
    ) external {
        (bytes32 taskId, Demand memory demand) = _openDemand(terms, slot);
        require(block.timestamp <= demand.answerBy, AnswerTooLate(taskId, demand.answerBy));
        uint256 count = uint256(terms.innerSteps) + 1;
        require(leaves.length == count, WrongLeafCount(leaves.length, count));
        bytes32 opening = keccak256(abi.encode(submission));
        bytes32 expected = market.submissionHash(taskId);
        require(opening == expected, ITaskMarket.WrongSubmission(taskId, expected, opening));
        bytes32 root = TraceTree.rootOf(leaves);
        require(root == submission.traceRoot, WrongLeaves(root, submission.traceRoot));

        _demands[taskId].closed = true;
        // where the task has ended elsewhere there is nothing left to pin
        uint40 challengeBy = market.isSubmitted(taskId) ? market.leavesPublished(terms, slot) : 0;
        emit LeavesPublished(taskId, msg.sender, leaves, challengeBy);
        vault.move(address(this), msg.sender, _paramsOf(terms).verifierFee);
    }

    /// @inheritdoc IStepChallenge
    function closeDemand(Terms calldata terms, uint8 slot) external {
        (bytes32 taskId, Demand memory demand) = _openDemand(terms, slot);
        bool withheld = market.isSubmitted(taskId);
        require(!withheld || block.timestamp > demand.answerBy, AnswerNotDue(taskId, demand.answerBy));
        _demands[taskId].closed = true;
        emit DemandClosed(taskId, withheld);
        vault.move(address(this), demand.by, _paramsOf(terms).verifierFee);
        if (withheld) vault.burn(market.leavesWithheld(terms, slot, demand.by));
    }

    // ---------------------------------------------------------------------------------------- views

    /// @inheritdoc IStepChallenge
    function commitmentOf(bytes32 taskId, address disputer, uint32 step, bytes32 salt)
        public
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, address(this), taskId, disputer, step, salt));
    }

    function commitmentAt(address disputer, bytes32 commitment) external view returns (Commitment memory) {
        return _commitments[disputer][commitment];
    }

    function demandOf(bytes32 taskId) external view returns (Demand memory) {
        return _demands[taskId];
    }

    function _openDemand(Terms calldata terms, uint8 slot)
        private
        view
        returns (bytes32 taskId, Demand memory demand)
    {
        address market_ = address(market);
        taskId = TaskIds.taskIdOf(market_, TaskIds.batchIdOf(market_, terms), slot);
        demand = _demands[taskId];
        require(demand.by != address(0) && !demand.closed, NoDemand(taskId));
    }
}
