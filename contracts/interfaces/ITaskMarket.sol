// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "./ICourt.sol";

enum TaskStatus {
    None,
    Open,
    Assigned,
    Submitted,
    /// submitted, and a case about it ended without a verdict: it can still be rejected, but not accepted
    Undecided,
    Accepted,
    Rejected,
    Expired,
    Cancelled,
    Voided
}

/// @notice What the tasks of a batch share: one outer round, or a part of it. The market keeps only its hash, so every
/// call brings the terms again.
struct Terms {
    address buyer;
    /// escrowed for each task
    uint96 price;
    uint32 subnetId;
    uint32 paramsVersion;
    uint32 round;
    /// H: a trace has the states S_0 .. S_H
    uint32 innerSteps;
    bytes32 jobId;
    bytes32 baseRoot;
    bytes32 specHash;
    /// bit s: slot s of the round has a task in this batch
    uint256 slots;
    /// makes equal batches of one buyer differ
    uint32 salt;
}

/// @notice What a solver commits to. Opened again where it is needed.
struct Submission {
    /// Merkle root over the state hash of every step
    bytes32 traceRoot;
    /// id of the result blob
    bytes32 resultRoot;
    /// id of the blob of trace leaves
    bytes32 leavesBlob;
}

/// @notice One word. A task of a batch of several has none until it leaves Open for the first time.
struct Task {
    address solver;
    /// of the current status: openBy, solveBy or challengeBy; the last second that is in time
    uint40 deadline;
    /// epoch in which the task was opened or reopened, it is assigned in a later one; from submission on that of the
    /// submission, whose seed says whether it is checked
    uint32 epoch;
    TaskStatus status;
    /// from 1
    uint8 attempt;
    /// cases, a demand for leaves and a check that are not closed
    uint8 openCases;
}

/// @notice Tasks: escrow, assignment, submission, finality.
///
/// Open -> Assigned -> Submitted -> Accepted. Open -> Cancelled while no seed can be known, -> Expired after openBy.
/// Assigned -> Open again after solveBy, until the attempts are used up, then Expired without the price.
/// Any number of cases run side by side while a task is submitted. The first that finds it invalid rejects it, one that
/// finds its data missing voids it, one without a verdict makes it Undecided, which ends as Voided unless a later case
/// finds the same step right: then it is Submitted again. It is accepted when challengeBy has passed and no case is open.
/// Every exit is a call that anyone may make once the deadline has passed.
interface ITaskMarket {
    /// @param solveSeconds from its assignment on a task is to be submitted in that time
    event BatchCreated(
        bytes32 indexed batchId,
        address indexed buyer,
        uint32 indexed subnetId,
        Terms terms,
        uint32 epoch,
        uint40 openBy,
        uint32 solveSeconds
    );
    event TaskAssigned(bytes32 indexed taskId, address indexed solver, uint8 attempt, uint32 epoch);
    event TaskSubmitted(
        bytes32 indexed taskId,
        address indexed solver,
        bytes32 traceRoot,
        bytes32 resultRoot,
        bytes32 leavesBlob,
        uint40 challengeBy
    );
    /// @param challengeBy there is time to bring the case again
    event TaskUndecided(bytes32 indexed taskId, uint40 challengeBy);
    /// @dev Every step that was left without a verdict has been found right: it is submitted as before.
    event TaskDecided(bytes32 indexed taskId);
    event TaskAccepted(bytes32 indexed taskId, address indexed solver);
    event TaskRejected(bytes32 indexed taskId, address indexed solver);
    /// @param solver who delivered nothing
    /// @param attempt the one that begins
    /// @param penalty burned out of the solver's seat; the rest of the seat is in the solver's account
    event TaskReopened(bytes32 indexed taskId, address indexed solver, uint8 attempt, uint256 penalty);
    /// @param burned the price, where the attempts were used up; otherwise it went back to the buyer
    event TaskExpired(bytes32 indexed taskId, uint256 burned);
    event TaskCancelled(bytes32 indexed taskId);
    event TaskVoided(bytes32 indexed taskId);

    error PriceTooLow(uint256 price, uint256 minPrice);
    error NotCurrentVersion(uint32 paramsVersion, uint32 current);
    error WrongBuyer(address buyer, address caller);
    error InnerStepsOutOfRange(uint32 innerSteps, uint32 most);
    error NoSlots(bytes32 batchId);
    error BatchExists(bytes32 batchId);
    error WrongStatus(bytes32 taskId, TaskStatus status);
    error DeadlinePassed(bytes32 taskId, uint40 deadline);
    error DeadlineNotPassed(bytes32 taskId, uint40 deadline);
    error NotBuyer(bytes32 taskId, address caller);
    error NotSolver(bytes32 taskId, address caller);
    error NotCourt(address caller);
    error NotChallenge(address caller);
    error NotAudit(address caller);
    /// @dev Too late to cancel: a seed that decides this task may be known.
    error SeedMayBeKnown(bytes32 taskId, uint32 requestEpoch, uint32 currentEpoch);
    /// @dev Too late to cancel: a solver has lost a part of its seat over this task.
    error AlreadyTried(bytes32 taskId, uint8 attempt);
    /// @dev No attempt hit a free seat; the next epoch's seed may.
    error NoSolverFree(bytes32 taskId, uint32 epoch);
    /// @dev One of the three is zero.
    error EmptyRoot(bytes32 taskId, bytes32 traceRoot, bytes32 resultRoot, bytes32 leavesBlob);
    error WrongSubmission(bytes32 taskId, bytes32 expected, bytes32 received);
    error CasesOpen(bytes32 taskId, uint8 openCases);
    error TooManyCases(bytes32 taskId, uint8 most);

    /// @notice Post one task per slot and escrow `price` for each from the caller's vault account. The terms name the
    /// caller as buyer and the newest version of the parameters of a subnet that is open.
    function createBatch(Terms calldata terms) external returns (bytes32 batchId);

    /// @notice Draw the solver of an open task with the seed of the last epoch; its seat is locked.
    function assign(Terms calldata terms, uint8 slot) external;

    /// @notice Commit to a result. The assigned solver only.
    function submit(Terms calldata terms, uint8 slot, Submission calldata submission) external;

    /// @notice Accept and pay a result that no case stands against when the time to dispute it has passed; void one
    /// that is undecided.
    function finalize(Terms calldata terms, uint8 slot) external;

    /// @notice End an open task that found no solver, or take an assigned one from a solver that is late; the last attempt burns the
    /// price.
    function expire(Terms calldata terms, uint8 slot) external;

    /// @notice Take an open task back. Buyer only, in the epoch in which it was posted.
    function cancel(Terms calldata terms, uint8 slot) external;

    /// @notice `assign` for those of `slots` that are due; the others are left as they are.
    /// @param slots bit s: slot s
    /// @return done how many were assigned
    function assignMany(Terms calldata terms, uint256 slots) external returns (uint256 done);

    /// @notice `finalize` for those of `slots` that are due; the others are left as they are.
    function finalizeMany(Terms calldata terms, uint256 slots) external returns (uint256 done);

    /// @notice `expire` for those of `slots` that are due; the others are left as they are.
    function expireMany(Terms calldata terms, uint256 slots) external returns (uint256 done);

    /// @notice Count one more case against a submitted task, or a demand for its leaves. StepChallenge only.
    function openCase(Terms calldata terms, uint8 slot, Submission calldata submission)
        external
        returns (bytes32 taskId, address solver);

    /// @notice End a case about a task that is still submitted, with what follows for price and seat. Court only.
    /// @param step that the case was about
    /// @param verdict `None` if no panel came to a verdict
    /// @param fee what the disputer paid for the first panel
    /// @return toBurn moved to the court's account, for the court to burn
    function closeCase(
        Terms calldata terms,
        uint8 slot,
        uint32 step,
        Verdict verdict,
        address disputer,
        uint256 fee
    ) external returns (uint256 toBurn);

    /// @notice The leaves of a submitted task are public: one case less, and time to pin. StepChallenge only.
    /// @return challengeBy
    function leavesPublished(Terms calldata terms, uint8 slot) external returns (uint40 challengeBy);

    /// @notice Reject a submitted task whose leaves nobody would show. Silence on chain is the solver's, as a lie is, so
    /// its seat goes as in a conviction. StepChallenge only, once no case is open; a check does not matter.
    /// @return toBurn moved to the caller's account, for it to burn
    function leavesWithheld(Terms calldata terms, uint8 slot, address demander)
        external
        returns (uint256 toBurn);

    /// @notice Count a check of a submitted task like a case. Audit only, and not after `challengeBy`.
    function openCheck(Terms calldata terms, uint8 slot)
        external
        returns (bytes32 taskId, address solver, uint32 epoch);

    /// @notice Leave the time of a challenge from now on to pin what a check has found. Audit only.
    /// @return challengeBy
    function prolong(Terms calldata terms, uint8 slot) external returns (uint40 challengeBy);

    /// @notice A check of a task that is still submitted is over. Audit only.
    function closeCheck(Terms calldata terms, uint8 slot) external;

    /// @notice Convict the solver that did not say what its trace is made of, once no case and no demand is open. Audit only.
    /// @return toBurn moved to the audit's account, for the audit to burn
    function solverSilent(Terms calldata terms, uint8 slot, address checker) external returns (uint256 toBurn);

    /// @notice Whether cases about the task can still change what becomes of it.
    function isSubmitted(bytes32 taskId) external view returns (bool);

    /// @notice keccak256(abi.encode(chain id, this contract, terms))
    function batchIdOf(Terms calldata terms) external view returns (bytes32);

    /// @notice keccak256(abi.encode(chain id, this contract, batchId, slot))
    function taskIdOf(bytes32 batchId, uint8 slot) external view returns (bytes32);

    /// @notice The task as it stands; of a batch that nobody posted, or a slot that is not in it, status None.
    function task(Terms calldata terms, uint8 slot) external view returns (Task memory);

    /// @notice keccak256(abi.encode(submission)), zero if there is none.
    function submissionHash(bytes32 taskId) external view returns (bytes32);
}
