// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CheckState, IAudit} from "../../../contracts/interfaces/IAudit.sol";
import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {AuditWorld} from "./AuditWorld.sol";

/// @dev See CommitCheck.tree.
contract CommitCheckTest is AuditWorld {
    bytes32 private constant ANSWERS = "answers";

    function test_RevertGiven_noCheckOrAnotherState() public {
        (bytes32 id,) = sampled();
        vm.expectRevert(abi.encodeWithSelector(IAudit.WrongCheckState.selector, id, CheckState.None));
        audit.commitCheck(termsOf[id], 0, ANSWERS);
        drawChecker(id);
        commitCheck(id, ANSWERS);
        address checker = checkOf(id).checker;
        vm.expectRevert(abi.encodeWithSelector(IAudit.WrongCheckState.selector, id, CheckState.Answering));
        vm.prank(checker);
        audit.commitCheck(termsOf[id], 0, ANSWERS);
    }

    function test_RevertWhen_theCallerIsNotTheChecker() public {
        (bytes32 id, address solver,) = drawn();
        vm.expectRevert(abi.encodeWithSelector(IAudit.NotChecker.selector, id, solver));
        vm.prank(solver);
        audit.commitCheck(termsOf[id], 0, ANSWERS);
    }

    function test_RevertWhen_theCommitmentIsEmpty() public {
        (bytes32 id,, address checker) = drawn();
        vm.expectRevert(abi.encodeWithSelector(IAudit.EmptyCheck.selector, id));
        vm.prank(checker);
        audit.commitCheck(termsOf[id], 0, 0);
    }

    /// @dev It has a reason: who had committed is paid when the task is rejected.
    function test_RevertGiven_theTaskHasEnded() public {
        (bytes32 id,, address checker) = drawn();
        bytes32 caseId = disputeAs(dora, id, 7);
        seatPanel(caseId);
        vote(caseId, unanimous(3, Verdict.Invalid));
        settle(caseId);
        vm.expectRevert(abi.encodeWithSelector(IAudit.TaskHasEnded.selector, id));
        vm.prank(checker);
        audit.commitCheck(termsOf[id], 0, ANSWERS);
        uint256 before = free(buyer);
        closeCheck(id);
        vm.assertEq(free(buyer), before + FEE, "the fee goes back");
    }

    function test_itIsInTimeUntilCommitBy() public {
        (bytes32 id,, address checker) = drawn();
        uint40 commitBy = checkOf(id).deadline;
        vm.warp(commitBy + 1);
        vm.expectRevert(abi.encodeWithSelector(IAudit.CheckDeadlinePassed.selector, id, commitBy));
        vm.prank(checker);
        audit.commitCheck(termsOf[id], 0, ANSWERS);

        vm.warp(commitBy);
        vm.expectEmit(address(audit));
        emit IAudit.CheckCommitted(id, checker, uint40(commitBy + CLOCK_SECONDS));
        commitCheck(id, ANSWERS);
        assertState(id, CheckState.Answering);
        vm.assertEq(audit.commitmentOf(id), hashOf(id, checker, ANSWERS), "commitment");
    }
}
