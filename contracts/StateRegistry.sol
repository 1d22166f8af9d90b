// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Contribution, IStateRegistry, JobHead} from "./interfaces/IStateRegistry.sol";
import {ITaskMarket, TaskStatus, Terms} from "./interfaces/ITaskMarket.sol";
import {OuterSteps} from "./libraries/OuterSteps.sol";
import {TaskIds} from "./libraries/TaskIds.sol";

/// @notice The outer steps of every job. It holds no money, and no other contract reads it.
contract StateRegistry is IStateRegistry {
    ITaskMarket public immutable market;

    mapping(address buyer => mapping(uint32 subnetId => mapping(bytes32 jobId => JobHead))) private _heads;

    constructor(ITaskMarket market_) {
        market = market_;
    }

    /// @inheritdoc IStateRegistry
    function append(
        uint32 subnetId,
        bytes32 jobId,
        uint32 round,
        bytes32 baseRoot,
        bytes32 stateRoot,
        Contribution[] calldata contributions
    ) external returns (bytes32 chainHash) {
        JobHead storage head = _heads[msg.sender][subnetId][jobId];
        require(round == head.rounds, WrongRound(jobId, head.rounds, round));
        require(round == 0 || baseRoot == head.stateRoot, WrongBaseRoot(jobId, head.stateRoot, baseRoot));
        require(stateRoot != 0, EmptyStateRoot(jobId, round));
        require(contributions.length > 0, NoContributions(jobId, round));

        bytes32[] memory taskIds = new bytes32[](contributions.length);
        bytes32[] memory leaves = new bytes32[](contributions.length);
        for (uint256 i = 0; i < contributions.length; ++i) {
            Contribution calldata one = contributions[i];
            uint8 before = i == 0 ? 0 : contributions[i - 1].slot;
            require(i == 0 || one.slot > before, SlotsOutOfOrder(one.slot, before));
            taskIds[i] = _accepted(one, subnetId, jobId, round, baseRoot);
            leaves[i] = OuterSteps.leafOf(one.slot, taskIds[i], one.submission.resultRoot);
        }
        bytes32 contributionRoot = OuterSteps.rootOf(leaves);
        bytes32 previous = round == 0
            ? OuterSteps.beginning(address(this), msg.sender, subnetId, jobId, baseRoot)
            : head.chainHash;
        chainHash = OuterSteps.next(previous, round, stateRoot, contributionRoot);
        (head.stateRoot, head.chainHash, head.rounds) = (stateRoot, chainHash, round + 1);
        emit OuterStepAppended(
            msg.sender, subnetId, jobId, round, baseRoot, stateRoot, contributionRoot, chainHash, taskIds
        );
    }

    /// @inheritdoc IStateRegistry
    function headOf(address buyer, uint32 subnetId, bytes32 jobId) external view returns (JobHead memory) {
        return _heads[buyer][subnetId][jobId];
    }

    /// @dev Whoever posted it: a right result of this round is one, and the buyer says which went in.
    function _accepted(
        Contribution calldata one,
        uint32 subnetId,
        bytes32 jobId,
        uint32 round,
        bytes32 baseRoot
    ) private view returns (bytes32 id) {
        Terms calldata terms = one.terms;
        address market_ = address(market);
        id = TaskIds.taskIdOf(market_, TaskIds.batchIdOf(market_, terms), one.slot);
        require(
            terms.subnetId == subnetId && terms.jobId == jobId,
            TaskOfAnotherJob(id, terms.subnetId, terms.jobId)
        );
        require(
            terms.round == round && terms.baseRoot == baseRoot,
            TaskOfAnotherRound(id, terms.round, terms.baseRoot)
        );
        TaskStatus status = market.task(terms, one.slot).status;
        require(status == TaskStatus.Accepted, TaskNotAccepted(id, status));
        bytes32 opening = keccak256(abi.encode(one.submission));
        bytes32 expected = market.submissionHash(id);
        require(opening == expected, ITaskMarket.WrongSubmission(id, expected, opening));
    }
}
