// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Submission, TaskStatus, Terms} from "./ITaskMarket.sol";

/// @notice A task whose result went into an outer step.
struct Contribution {
    Terms terms;
    uint8 slot;
    /// what its solver committed to
    Submission submission;
}

/// @notice How far a job is.
struct JobHead {
    /// of the model that the next round starts from; zero before the first outer step
    bytes32 stateRoot;
    /// over all outer steps so far
    bytes32 chainHash;
    /// outer steps that were appended; the next one is of this round
    uint32 rounds;
}

/// @notice The outer steps of every job, in order: which accepted results went into each, and the state root that its buyer
/// says they led to.
///
/// A job belongs to one buyer, one subnet and one manifest. That the results were accepted, belong to this very round and start
/// from the state before is checked here. That the new state root follows from them is not: the outer step is a function of
/// what is public, so whoever makes it again sees it.
///
/// Roots and hashes are those of libraries/OuterSteps.sol, and follow from the events.
interface IStateRegistry {
    /// @param taskIds of the results that went in, in the order of their slots
    event OuterStepAppended(
        address indexed buyer,
        uint32 indexed subnetId,
        bytes32 indexed jobId,
        uint32 round,
        bytes32 baseRoot,
        bytes32 stateRoot,
        bytes32 contributionRoot,
        bytes32 chainHash,
        bytes32[] taskIds
    );

    /// @dev Of a step that is there already, or of one that is not next.
    error WrongRound(bytes32 jobId, uint32 expected, uint32 received);
    error WrongBaseRoot(bytes32 jobId, bytes32 expected, bytes32 received);
    error EmptyStateRoot(bytes32 jobId, uint32 round);
    error NoContributions(bytes32 jobId, uint32 round);
    error SlotsOutOfOrder(uint8 slot, uint8 before);
    error TaskOfAnotherJob(bytes32 taskId, uint32 subnetId, bytes32 jobId);
    error TaskOfAnotherRound(bytes32 taskId, uint32 round, bytes32 baseRoot);
    error TaskNotAccepted(bytes32 taskId, TaskStatus status);

    /// @notice Append the outer step of `round` to the caller's job.
    /// @param baseRoot the state root before; of round 0, the one that the job starts from
    /// @param contributions one for each slot that went in, slots ascending
    /// @return chainHash
    function append(
        uint32 subnetId,
        bytes32 jobId,
        uint32 round,
        bytes32 baseRoot,
        bytes32 stateRoot,
        Contribution[] calldata contributions
    ) external returns (bytes32 chainHash);

    /// @notice All zero for a job without an outer step.
    function headOf(address buyer, uint32 subnetId, bytes32 jobId) external view returns (JobHead memory);
}
