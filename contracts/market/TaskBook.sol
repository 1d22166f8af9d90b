// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {LibBit} from "solady/utils/LibBit.sol";
import {ReadsParams} from "../base/ReadsParams.sol";
import {ITaskMarket, Task, TaskStatus, Terms} from "../interfaces/ITaskMarket.sol";
import {ParamsCode} from "../libraries/ParamsCode.sol";
import {TaskIds} from "../libraries/TaskIds.sol";

/// @notice What the market keeps of each task, by which id, and what has to hold of it before something happens to it.
abstract contract TaskBook is ITaskMarket, ReadsParams {
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

    mapping(bytes32 batchId => Batch) private _batches;
    /// @dev An assigned task has the time of its assignment where others have their deadline, and `_load` makes the one of the
    /// other: so nobody pays for reading parameters to assign it.
    mapping(bytes32 taskId => Task) private _tasks;
    /// @inheritdoc ITaskMarket
    mapping(bytes32 taskId => bytes32) public submissionHash;

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

    // ---------------------------------------------------------------------------------------- writing

    /// @dev The task of a batch of one gets its word at once, so that assignment finds one to change. Those of a larger
    /// batch share one until they are assigned.
    function _keep(bytes32 batchId, uint256 slots, Batch memory created) internal {
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

    function _end(bytes32 id, Task memory entry, TaskStatus status) internal {
        entry.status = status;
        _store(id, entry);
    }

    /// @dev A function, so that the code that packs a word is there once.
    function _store(bytes32 id, Task memory entry) internal {
        _tasks[id] = entry;
    }

    // ---------------------------------------------------------------------------------------- conditions

    /// @dev A task without a word of its own is as its batch says.
    function _load(Terms calldata terms, bytes32 batchId, uint8 slot)
        internal
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
        internal
        view
        returns (bytes32 id, Task memory entry)
    {
        (id, entry) = _load(terms, batchIdOf(terms), slot);
        require(entry.status == status, WrongStatus(id, entry.status));
    }

    function _submitted(Terms calldata terms, uint8 slot)
        internal
        view
        returns (bytes32 id, Task memory entry)
    {
        (id, entry) = _load(terms, batchIdOf(terms), slot);
        require(_awaitsJudgement(entry.status), WrongStatus(id, entry.status));
    }

    function _awaitsJudgement(TaskStatus status) internal pure returns (bool) {
        return status == TaskStatus.Submitted || status == TaskStatus.Undecided;
    }

    function _inTime(bytes32 id, Task memory entry) internal view {
        require(block.timestamp <= entry.deadline, DeadlinePassed(id, entry.deadline));
    }

    function _overdue(bytes32 id, Task memory entry) internal view {
        require(block.timestamp > entry.deadline, DeadlineNotPassed(id, entry.deadline));
    }

    function _challengeBy(Terms calldata terms) internal view returns (uint40) {
        return _after(_paramsCodeOf(terms).member(ParamsCode.CHALLENGE_SECONDS));
    }
}
