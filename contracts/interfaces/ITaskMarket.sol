// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "./ICourt.sol";

enum TaskStatus {
    None,
    Open,
    Assigned,
    Submitted,
    Disputed,
    Accepted,
    Rejected,
    Expired,
    Cancelled,
    Voided
}

/// @notice What all tasks of a batch share: one outer round, or a part of it.
struct Batch {
    address buyer;
    /// escrowed for each task
    uint96 price;
    uint32 subnetId;
    uint32 paramsVersion;
    uint32 round;
    bytes32 jobId;
    bytes32 baseRoot;
    bytes32 specHash;
}

struct Task {
    bytes32 batchId;
    address solver;
    /// of the current status: openBy, solveBy or challengeBy; the last second that is in time
    uint40 deadline;
    uint32 slot;
    TaskStatus status;
    /// from 1
    uint8 attempt;
    /// epoch in which the task was opened or reopened; it is assigned in a later one
    uint32 epoch;
    bytes32 traceRoot;
    bytes32 resultRoot;
    bytes32 leavesBlob;
}

/// @notice A task together with its batch.
struct TaskView {
    bytes32 batchId;
    address buyer;
    uint32 subnetId;
    uint32 paramsVersion;
    bytes32 jobId;
    uint32 round;
    uint32 slot;
    bytes32 baseRoot;
    bytes32 specHash;
    uint96 price;
    TaskStatus status;
    uint8 attempt;
    uint32 epoch;
    uint40 deadline;
    address solver;
    bytes32 traceRoot;
    bytes32 resultRoot;
    bytes32 leavesBlob;
}

/// @notice Tasks: escrow, assignment, submission, finality.
///
/// Open -> Assigned -> Submitted -> Accepted, or Submitted -> Disputed -> Accepted | Rejected | Voided.
/// Open -> Cancelled while no seed can be known. Open -> Expired after openBy.
/// Assigned -> Open again after solveBy, until the attempts are used up, then Expired.
/// Every exit is a call that anyone may make once the deadline has passed.
interface ITaskMarket {
    event BatchCreated(
        bytes32 indexed batchId,
        address indexed buyer,
        uint32 indexed subnetId,
        uint32 paramsVersion,
        bytes32 jobId,
        uint32 round,
        bytes32 baseRoot,
        bytes32 specHash,
        uint96 price,
        uint32[] slots,
        bytes32[] taskIds,
        uint32 epoch,
        uint40 openBy
    );
    event TaskAssigned(
        bytes32 indexed taskId, address indexed solver, uint8 attempt, uint32 epoch, uint40 solveBy
    );
    event TaskSubmitted(
        bytes32 indexed taskId,
        address indexed solver,
        bytes32 traceRoot,
        bytes32 resultRoot,
        bytes32 leavesBlob,
        uint40 challengeBy
    );
    event TaskDisputed(bytes32 indexed taskId, address indexed disputer, uint32 step);
    event TaskAccepted(bytes32 indexed taskId, address indexed solver, bytes32 resultRoot);
    event TaskRejected(bytes32 indexed taskId, address indexed solver);
    /// @param solver who delivered nothing
    /// @param attempt the one that begins
    /// @param penalty burned out of the solver's seat; the rest of the seat is in the solver's account
    event TaskReopened(bytes32 indexed taskId, address indexed solver, uint8 attempt, uint256 penalty);
    event TaskExpired(bytes32 indexed taskId);
    event TaskCancelled(bytes32 indexed taskId);
    event TaskVoided(bytes32 indexed taskId);

    error PriceTooLow(uint256 price, uint256 minPrice);
    error WrongBatchSize(uint256 size, uint256 most);
    error BatchExists(bytes32 batchId);
    error TaskExists(bytes32 taskId);
    error WrongStatus(bytes32 taskId, TaskStatus status);
    error DeadlinePassed(bytes32 taskId, uint40 deadline);
    error DeadlineNotPassed(bytes32 taskId, uint40 deadline);
    error NotBuyer(bytes32 taskId, address caller);
    error NotSolver(bytes32 taskId, address caller);
    error NotCourt(address caller);
    /// @dev Too late to cancel: a seed that decides this task may be known.
    error SeedMayBeKnown(bytes32 taskId, uint32 requestEpoch, uint32 currentEpoch);
    /// @dev No attempt hit a free seat; the next epoch's seed may.
    error NoSolverFree(bytes32 taskId, uint32 epoch);
    error EmptyRoot(bytes32 taskId);

    /// @notice Post one task per slot and escrow `price` for each from the caller's vault account.
    /// @param salt makes equal batches of one buyer differ
    function createBatch(
        uint32 subnetId,
        bytes32 jobId,
        uint32 round,
        bytes32 baseRoot,
        bytes32 specHash,
        uint96 price,
        uint32[] calldata slots,
        bytes32 salt
    ) external returns (bytes32 batchId);

    /// @notice Draw the solver of an open task with the seed of the last epoch; its seat is locked.
    function assign(bytes32 taskId) external;

    /// @notice Commit to a result. The assigned solver only.
    /// @param traceRoot Merkle root over the state hash of every step
    /// @param resultRoot id of the result blob
    /// @param leavesBlob id of the blob of trace leaves
    function submit(bytes32 taskId, bytes32 traceRoot, bytes32 resultRoot, bytes32 leavesBlob) external;

    /// @notice Accept and pay a result that nobody disputed in time.
    function finalize(bytes32 taskId) external;

    /// @notice End an open task that found no solver, or take an assigned one from a solver that is late.
    function expire(bytes32 taskId) external;

    /// @notice Take an open task back. Buyer only, in the epoch in which it was opened.
    function cancel(bytes32 taskId) external;

    /// @notice `assign` for all that can be; the others are left as they are.
    /// @return done how many were assigned
    function assignMany(bytes32[] calldata taskIds) external returns (uint256 done);

    /// @notice `finalize` for all that can be; the others are left as they are.
    function finalizeMany(bytes32[] calldata taskIds) external returns (uint256 done);

    /// @notice `expire` for all that can be; the others are left as they are.
    function expireMany(bytes32[] calldata taskIds) external returns (uint256 done);

    /// @notice Stop the clock of a submitted task. Court only.
    function dispute(bytes32 taskId, address disputer, uint32 step)
        external
        returns (uint32 subnetId, uint32 paramsVersion, address solver);

    /// @notice End a disputed task and pay out price and seat. Court only.
    /// @param verdict `None` if no panel came to a verdict
    /// @param fee what the disputer paid for the first panel
    /// @return toBurn moved to the court's account, for the court to burn
    function resolve(bytes32 taskId, Verdict verdict, address disputer, uint256 fee)
        external
        returns (uint256 toBurn);

    /// @notice keccak256(abi.encode(chain id, this contract, batchId, slot))
    function taskId(bytes32 batchId, uint32 slot) external view returns (bytes32);

    function task(bytes32 taskId) external view returns (TaskView memory);

    function batch(bytes32 batchId) external view returns (Batch memory);
}
