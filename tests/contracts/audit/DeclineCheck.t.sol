// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CheckOutcome, CheckState, IAudit} from "../../../contracts/interfaces/IAudit.sol";
import {TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {AuditWorld} from "./AuditWorld.sol";

/// @dev See DeclineCheck.tree.
contract DeclineCheckTest is AuditWorld {
    function test_RevertGiven_noCheckOrAnotherState() public {
        (bytes32 id,) = sampled();
        vm.expectRevert(abi.encodeWithSelector(IAudit.WrongCheckState.selector, id, CheckState.None));
        audit.declineCheck(termsOf[id], 0);
        address checker = drawChecker(id);
        commitCheck(id, "answers");
        vm.expectRevert(abi.encodeWithSelector(IAudit.WrongCheckState.selector, id, CheckState.Answering));
        vm.prank(checker);
        audit.declineCheck(termsOf[id], 0);
    }

    function test_RevertWhen_theCallerIsNotTheChecker() public {
        (bytes32 id, address solver,) = drawn();
        vm.expectRevert(abi.encodeWithSelector(IAudit.NotChecker.selector, id, solver));
        vm.prank(solver);
        audit.declineCheck(termsOf[id], 0);
    }

    function test_RevertGiven_commitByHasPassed() public {
        (bytes32 id,, address checker) = drawn();
        uint40 commitBy = checkOf(id).deadline;
        vm.warp(commitBy + 1);
        vm.expectRevert(abi.encodeWithSelector(IAudit.CheckDeadlinePassed.selector, id, commitBy));
        vm.prank(checker);
        audit.declineCheck(termsOf[id], 0);
    }

    function test_theFirstIsReplacedAndLosesNothing() public {
        (bytes32 id,, address checker) = drawn();
        vm.warp(checkOf(id).deadline);
        uint256 before = wealth(checker);
        vm.expectEmit(address(audit));
        emit IAudit.CheckerReplaced(id, checker, 0, uint40(vm.getBlockTimestamp() + OPEN_SECONDS));
        vm.prank(checker);
        audit.declineCheck(termsOf[id], 0);
        vm.assertEq(wealth(checker), before, "nothing lost");
        vm.assertEq(locked(checker), 0, "bond");
        vm.assertEq(vault.totalBurned(), 0, "nothing burned");
        assertState(id, CheckState.Drawing);
        vm.assertEq(taskAt(id).openCases, 1, "the task still waits");
        nextEpoch();
        drawChecker(id);
        vm.assertEq(checkOf(id).attempt, 2, "another");
    }

    function test_afterTheSecondTheTaskStaysUnchecked() public {
        (bytes32 id,, address checker) = drawn();
        vm.prank(checker);
        audit.declineCheck(termsOf[id], 0);
        nextEpoch();
        checker = drawChecker(id);
        uint256 before = free(buyer);
        vm.expectEmit(address(audit));
        emit IAudit.CheckClosed(id, checker, CheckOutcome.Unchecked, 0, 0);
        vm.prank(checker);
        audit.declineCheck(termsOf[id], 0);
        vm.assertEq(locked(checker), 0, "bond");
        vm.assertEq(free(buyer), before + FEE, "fee back");
        vm.assertEq(taskAt(id).openCases, 0, "let go");
        vm.warp(deadlineOf(id) + 1);
        finalize(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Accepted), "accepted");
    }
}
