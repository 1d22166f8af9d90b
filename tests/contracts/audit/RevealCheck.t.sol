// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CheckOutcome, CheckState, IAudit} from "../../../contracts/interfaces/IAudit.sol";
import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {AuditWorld} from "./AuditWorld.sol";

/// @dev See RevealCheck.tree.
contract RevealCheckTest is AuditWorld {
    function test_RevertGiven_theCheckerHasNotCommitted() public {
        (bytes32 id,,) = drawn();
        vm.expectRevert(abi.encodeWithSelector(IAudit.WrongCheckState.selector, id, CheckState.Committing));
        revealCheck(id, 0);
    }

    function test_RevertGiven_nobodyHasOpenedTheAnswers() public {
        (bytes32 id,,) = committed(true);
        bytes32 answers = answersOf(id);
        bytes memory reason =
            abi.encodeWithSelector(IAudit.WrongCheckState.selector, id, CheckState.Answering);
        vm.expectRevert(reason);
        revealCheck(id, answers);
        vm.warp(checkOf(id).deadline + 1);
        vm.expectRevert(reason);
        revealCheck(id, answers);
    }

    function test_itIsInTimeUntilRevealBy() public {
        (bytes32 id,,) = committed(true);
        bytes32 answers = answersOf(id);
        openAnswers(id);
        uint40 revealBy = checkOf(id).deadline;
        vm.warp(revealBy + 1);
        vm.expectRevert(abi.encodeWithSelector(IAudit.CheckDeadlinePassed.selector, id, revealBy));
        revealCheck(id, answers);
        vm.warp(revealBy);
        revealCheck(id, answers);
        assertState(id, CheckState.Over);
    }

    function test_RevertGiven_theTaskHasEnded() public {
        (bytes32 id,) = sampled();
        bytes32 caseId = disputeAs(dora, id, 7);
        drawChecker(id);
        bytes32 answers = answersOf(id);
        commitCheck(id, answers);
        seatPanel(caseId);
        vote(caseId, unanimous(3, Verdict.Invalid));
        openAnswers(id);
        vm.warp(round(caseId).deadline + 1);
        settleCase(caseId);
        vm.expectRevert(abi.encodeWithSelector(IAudit.TaskHasEnded.selector, id));
        revealCheck(id, answers);
    }

    function test_RevertWhen_theOpeningIsAnother() public {
        (bytes32 id,, address checker) = committed(true);
        bytes32 right = hashOf(id, checker, answersOf(id));
        bytes32 others = othersOf(id);
        openAnswers(id);
        vm.expectRevert(
            abi.encodeWithSelector(IAudit.WrongCheckOpening.selector, right, hashOf(id, checker, others))
        );
        revealCheck(id, others);
    }

    /// @dev By whoever is drawn for another task, or on another chain.
    function test_RevertWhen_aCommitmentIsReplayed() public {
        (bytes32 first,, address checker) = committed(true);
        bytes32 copied = hashOf(first, checker, answersOf(first));
        (bytes32 id,, address copier) = drawn();
        vm.prank(copier);
        audit.commitCheck(termsOf[id], slotOf[id], copied);
        openAnswers(id);
        bytes32 answers = answersOf(first);
        bytes4 wrong = IAudit.WrongCheckOpening.selector;
        vm.expectRevert(abi.encodeWithSelector(wrong, copied, hashOf(id, copier, answers)));
        revealCheck(id, answers);
        uint256 home = block.chainid;
        vm.chainId(home + 1);
        vm.assertNotEq(hashOf(first, checker, answers), copied, "elsewhere");
        vm.chainId(home);
    }

    /// @dev Nothing of the check is shown before a commitment is there; one that is gone can not be opened.
    function test_RevertWhen_theBlockOfTheCommitmentIsReorganised() public {
        (bytes32 id,, address checker) = drawn();
        bytes32 answers = answersOf(id);
        uint256 before = vm.snapshotState();
        commitCheck(id, answers);
        openAnswers(id);
        vm.revertToState(before);
        bytes memory noCommitment =
            abi.encodeWithSelector(IAudit.WrongCheckState.selector, id, CheckState.Committing);
        vm.expectRevert(noCommitment);
        revealCheck(id, answers);
        bytes32 other = othersOf(id);
        commitCheck(id, other);
        openAnswers(id);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAudit.WrongCheckOpening.selector, hashOf(id, checker, other), hashOf(id, checker, answers)
            )
        );
        revealCheck(id, answers);
    }

    function test_equalAnswersPass() public {
        (bytes32 id, address solver, address checker) = committed(true);
        bytes32 answers = answersOf(id);
        openAnswers(id);
        uint256 before = free(checker);
        uint256 challengeBy = deadlineOf(id);
        vm.expectEmit(address(audit));
        emit IAudit.CheckRevealed(id, checker, answers, 0);
        vm.expectEmit(address(audit));
        emit IAudit.CheckClosed(id, checker, CheckOutcome.Passed, FEE, 0);
        revealCheck(id, answers);

        vm.assertEq(free(checker), before + FEE, "paid");
        vm.assertEq(locked(checker), 0, "bond");
        vm.assertEq(reputation.scoreOf(subnet, solver), 1, "score");
        vm.assertEq(free(address(audit)), 0, "nothing is left");
        vm.assertEq(taskAt(id).openCases, 0, "let go");
        vm.assertEq(deadlineOf(id), challengeBy, "no longer than without");
        assertState(id, CheckState.Over);
        if (vm.getBlockTimestamp() <= challengeBy) vm.warp(challengeBy + 1);
        finalize(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Accepted), "accepted");
    }

    function test_whatStandsBehindTheAnswersDoesNotCount() public {
        (bytes32 id,,) = drawn();
        bytes32 answers = answersOf(id) | bytes32(uint256(1));
        commitCheck(id, answers);
        openAnswers(id);
        revealCheck(id, answers);
        assertState(id, CheckState.Over);
    }

    function test_everyAnswerCounts() public {
        for (uint256 index = 0; index < AUDIT_STEPS; ++index) {
            (bytes32 id,,) = drawn();
            bytes32 answers = answersOf(id) ^ bytes32(uint256(1) << (192 - 64 * index));
            commitCheck(id, answers);
            openAnswers(id);
            revealCheck(id, answers);
            assertState(id, CheckState.Disputing);
        }
    }

    function test_differentAnswersLeaveTimeToPin() public {
        (bytes32 id, address solver, address checker) = committed(false);
        bytes32 answers = othersOf(id);
        openAnswers(id);
        pass(30);
        uint40 challengeBy = uint40(vm.getBlockTimestamp() + CHALLENGE_SECONDS);
        vm.expectEmit(address(audit));
        emit IAudit.CheckRevealed(id, checker, answers, challengeBy);
        revealCheck(id, answers);
        vm.assertEq(deadlineOf(id), challengeBy, "challengeBy");
        vm.assertEq(checkOf(id).deadline, 0, "challengeBy alone counts");
        vm.assertEq(audit.commitmentOf(id), answers, "answers");
        vm.assertEq(reputation.scoreOf(subnet, solver), 0, "score");
        vm.assertEq(locked(checker), 1, "still at stake");
        disputeAs(checker, id, 7);
    }
}
