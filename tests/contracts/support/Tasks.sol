// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Case} from "../../../contracts/interfaces/ICourt.sol";
import {ITaskMarket, Submission, Task, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Accounts} from "./Accounts.sol";
import {Traces} from "./Traces.sol";

/// @dev A task, and verbs that take it to the state a test is about.
abstract contract Tasks is Accounts, Traces {
    /// what a caller has to bring again
    mapping(bytes32 taskId => Terms) internal termsOf;
    mapping(bytes32 taskId => uint8) internal slotOf;
    mapping(bytes32 caseId => Case) internal cases_;

    uint32 private _batches;

    function terms(uint256 slots) internal view virtual returns (Terms memory) {
        return Terms({
            buyer: buyer,
            price: uint96(PRICE),
            subnetId: subnet,
            paramsVersion: registry.currentVersion(subnet),
            round: 4,
            innerSteps: INNER_STEPS,
            jobId: keccak256("job"),
            baseRoot: keccak256("base"),
            specHash: keccak256("spec"),
            slots: slots,
            salt: _batches
        });
    }

    function post(uint32 count) internal returns (bytes32[] memory taskIds) {
        Terms memory posted = terms((1 << count) - 1);
        ++_batches;
        vm.prank(buyer);
        bytes32 batchId = market.createBatch(posted);
        taskIds = new bytes32[](count);
        for (uint8 slot = 0; slot < count; ++slot) {
            taskIds[slot] = market.taskIdOf(batchId, slot);
            termsOf[taskIds[slot]] = posted;
            slotOf[taskIds[slot]] = slot;
        }
    }

    function postOne() internal returns (bytes32) {
        return post(1)[0];
    }

    function assign(bytes32 id) internal {
        market.assign(termsOf[id], slotOf[id]);
    }

    function cancel(bytes32 id) internal {
        market.cancel(termsOf[id], slotOf[id]);
    }

    function finalize(bytes32 id) internal {
        market.finalize(termsOf[id], slotOf[id]);
    }

    function expire(bytes32 id) internal {
        market.expire(termsOf[id], slotOf[id]);
    }

    function assigned() internal returns (bytes32 id, address solver) {
        id = postOne();
        nextEpoch();
        assign(id);
        solver = taskAt(id).solver;
    }

    function submission() internal view returns (Submission memory) {
        return Submission({traceRoot: TRACE_ROOT, resultRoot: RESULT_ROOT, leavesBlob: LEAVES_BLOB});
    }

    /// @dev Of what a solver submits; TraceWorld has one whose leaves have a content.
    function leavesOf(bytes32) internal pure virtual returns (bytes32[] memory) {
        return leavesOfTheTrace();
    }

    function submissionOf(bytes32) internal view virtual returns (Submission memory) {
        return submission();
    }

    /// @dev Why something else than what the solver submitted is refused.
    function anotherSubmission(bytes32 id, Submission memory other) internal view returns (bytes memory) {
        bytes32 expected = keccak256(abi.encode(submissionOf(id)));
        bytes32 received = keccak256(abi.encode(other));
        return abi.encodeWithSelector(ITaskMarket.WrongSubmission.selector, id, expected, received);
    }

    function submitAs(address solver, bytes32 id) internal {
        Submission memory own = submissionOf(id); // may call, which would take the prank
        vm.prank(solver);
        market.submit(termsOf[id], slotOf[id], own);
    }

    function submitted() internal returns (bytes32 id, address solver) {
        (id, solver) = assigned();
        submitAs(solver, id);
    }

    /// @param id of the task, or of a case about it
    function taskAt(bytes32 id) internal view returns (Task memory) {
        if (cases_[id].taskId != 0) id = cases_[id].taskId;
        return market.task(termsOf[id], slotOf[id]);
    }

    function deadlineOf(bytes32 id) internal view returns (uint256) {
        return taskAt(id).deadline;
    }

    function statusOf(bytes32 id) internal view returns (uint256) {
        return uint256(taskAt(id).status);
    }
}
