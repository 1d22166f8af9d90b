// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CheckOutcome, CheckState, IAudit} from "../../../contracts/interfaces/IAudit.sol";
import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {ITaskMarket, Submission, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {AuditWorld} from "./AuditWorld.sol";

/// @dev See CloseCheck.tree.
contract CloseCheckTest is AuditWorld {
    function test_RevertGiven_noCheckOrOneThatIsOver() public {
        (bytes32 id,) = sampled();
        vm.expectRevert(abi.encodeWithSelector(IAudit.WrongCheckState.selector, id, CheckState.None));
        closeCheck(id);
        drawChecker(id);
        bytes32 answers = answersOf(id);
        commitCheck(id, answers);
        openAnswers(id);
        revealCheck(id, answers);
        vm.expectRevert(abi.encodeWithSelector(IAudit.WrongCheckState.selector, id, CheckState.Over));
        closeCheck(id);
    }

    function test_itPaysTheCheckerWhoseAnswersDifferedFromARejectedTasks() public {
        (bytes32 id,, address checker) = differing();
        bytes32 caseId = disputeAs(checker, id, 7);
        uint256 before = wealth(checker);
        _settle(caseId, Verdict.Invalid);
        uint256 fromPanel = _paidBy(caseId, checker);
        _close(id, checker, CheckOutcome.Rejected, FEE, 0);
        vm.assertEq(locked(checker), 0, "bond");
        // fee of the panel and delay deposit come back, with a bounty of 30
        vm.assertEq(wealth(checker), before + 31 * PAN + 30 * PAN + fromPanel + FEE, "checker");
    }

    function test_itGivesTheFeeBackWhenTheTaskIsRejectedBeforeTheCheckerCommitted() public {
        (bytes32 id,) = sampled();
        bytes32 caseId = disputeAs(dora, id, 7);
        address checker = drawChecker(id);
        _settle(caseId, Verdict.Invalid);
        uint256 before = free(buyer);
        _close(id, checker, CheckOutcome.Moot, 0, 0);
        vm.assertEq(free(buyer), before + FEE, "buyer");
        vm.assertEq(locked(checker), 0, "bond");
    }

    /// @dev A solver that shows its trace when it is lost all the same takes nothing from the checker.
    function test_itPaysTheCheckerThatCommittedBeforeTheTaskWasRejected() public {
        for (uint256 shown = 0; shown < 2; ++shown) {
            (bytes32 id,) = sampled();
            bytes32 caseId = disputeAs(dora, id, 7);
            address checker = drawChecker(id);
            commitCheck(id, othersOf(id));
            if (shown == 1) openAnswers(id);
            _settle(caseId, Verdict.Invalid);
            uint256 before = wealth(checker);
            _close(id, checker, CheckOutcome.Rejected, FEE, 0);
            vm.assertEq(wealth(checker), before + FEE, "fee");
        }
    }

    function test_itGivesEverythingBackWhenTheTaskIsVoided() public {
        (bytes32 id,, address checker) = differing();
        _settle(disputeAs(dora, id, 7), Verdict.Unavailable);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Voided), "voided");
        uint256 before = free(buyer);
        _close(id, checker, CheckOutcome.Moot, 0, 0);
        vm.assertEq(free(buyer), before + FEE, "buyer");
    }

    function test_anAbsentCheckerIsReplacedOnce() public {
        (bytes32 id,, address first) = drawn();
        uint40 commitBy = checkOf(id).deadline;
        vm.warp(commitBy);
        vm.expectRevert(abi.encodeWithSelector(IAudit.CheckDeadlineNotPassed.selector, id, commitBy));
        closeCheck(id);
        vm.warp(commitBy + 1);
        uint256 firstBefore = wealth(first);
        vm.expectEmit(address(audit));
        emit IAudit.CheckerReplaced(id, first, BOND, uint40(commitBy + 1 + OPEN_SECONDS));
        closeCheck(id);
        vm.assertEq(wealth(first), firstBefore - BOND, "first");
        vm.assertEq(vault.totalBurned(), BOND, "burned");
        assertState(id, CheckState.Drawing);

        nextEpoch();
        address second = drawChecker(id);
        uint256 before = free(buyer);
        uint256 secondBefore = wealth(second);
        vm.warp(checkOf(id).deadline + 1);
        _close(id, second, CheckOutcome.Unchecked, 0, BOND);
        vm.assertEq(wealth(second), secondBefore - BOND, "second");
        vm.assertEq(free(buyer), before + FEE, "buyer");
        _isAccepted(id);
    }

    function test_withoutASecondCheckerTheTaskStaysUnchecked() public {
        (bytes32 id,,) = drawn();
        vm.warp(checkOf(id).deadline + 1);
        closeCheck(id);
        uint40 drawBy = checkOf(id).deadline;
        vm.warp(drawBy);
        vm.expectRevert(abi.encodeWithSelector(IAudit.CheckDeadlineNotPassed.selector, id, drawBy));
        closeCheck(id);
        vm.warp(drawBy + 1);
        _close(id, address(0), CheckOutcome.Unchecked, 0, 0);
        _isAccepted(id);
    }

    function test_aSolverThatStaysSilentIsConvicted() public {
        (bytes32 id, address solver, address checker) = committed(true);
        uint40 answerBy = checkOf(id).deadline;
        vm.warp(answerBy);
        vm.expectRevert(abi.encodeWithSelector(IAudit.CheckDeadlineNotPassed.selector, id, answerBy));
        closeCheck(id);
        vm.warp(answerBy + 1);
        uint256[3] memory before = [wealth(solver), wealth(checker), free(buyer)];
        _close(id, checker, CheckOutcome.Silent, FEE, 0);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "rejected");
        vm.assertEq(wealth(solver), before[0] - STAKE, "solver");
        vm.assertEq(wealth(checker), before[1] + FEE + BOUNTY, "checker");
        vm.assertEq(free(buyer), before[2] + PRICE + 10 * PAN, "buyer");
        vm.assertEq(vault.totalBurned(), 60 * PAN, "burned");
        vm.assertEq(locked(checker), 0, "bond");
        vm.assertTrue(staking.positionOf(subnet, Role.Solver, solver).jailed, "jailed");
    }

    function test_RevertGiven_aCaseOrADemandIsOpenWhileTheSolverIsSilent() public {
        (bytes32 id,, address checker) = committed(true);
        bytes32 caseId = disputeAs(dora, id, 7);
        vm.warp(checkOf(id).deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, id, 1));
        closeCheck(id);
        vm.warp(round(caseId).deadline + 1);
        advance(caseId); // nobody drew the panel
        settleCase(caseId);
        Submission memory made = submissionOf(id);
        vm.prank(dora);
        challenge.demandLeaves(termsOf[id], 0, made);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, id, 1));
        closeCheck(id);
        challenge.publishLeaves(termsOf[id], 0, made, leavesOf(id));
        _close(id, checker, CheckOutcome.Silent, FEE, 0);
    }

    function test_RevertGiven_aCaseIsOpenBesideTheCheckAndADemandIsClosed() public {
        (bytes32 id,,) = committed(true);
        Submission memory made = submissionOf(id);
        vm.prank(dora);
        challenge.demandLeaves(termsOf[id], 0, made);
        disputeAs(buyer, id, 7);
        pass(CLOCK_SECONDS + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, id, 1));
        challenge.closeDemand(termsOf[id], 0);
    }

    function test_aDemandThatNobodyAnswersDoesNotWaitForTheCheck() public {
        (bytes32 id,, address checker) = committed(true);
        Submission memory made = submissionOf(id);
        vm.prank(dora);
        challenge.demandLeaves(termsOf[id], 0, made);
        pass(CLOCK_SECONDS + 1);
        challenge.closeDemand(termsOf[id], 0);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "rejected");
        // an accomplice of the solver may have demanded, for the bounty: the checker has waited in vain as well
        uint256 before = wealth(checker);
        _close(id, checker, CheckOutcome.Rejected, FEE, 0);
        vm.assertEq(wealth(checker), before + FEE, "paid");
        vm.assertEq(locked(checker), 0, "bond");
    }

    /// @dev A demand that is over before the time to answer the check is: whoever closes the check, and when, the checker has
    /// its fee.
    function test_itDoesNotMatterWhenTheCheckOfARejectedTaskIsClosed() public {
        (bytes32 id,, address checker) = committed(true);
        uint40 answerBy = checkOf(id).deadline;
        Submission memory made = submissionOf(id);
        vm.warp(answerBy - CLOCK_SECONDS - 1); // so that the demand is over first
        vm.prank(dora);
        challenge.demandLeaves(termsOf[id], 0, made);
        vm.warp(answerBy);
        challenge.closeDemand(termsOf[id], 0);
        uint256 state = vm.snapshotState();
        for (uint256 late = 0; late < 2; ++late) {
            vm.warp(answerBy + late);
            uint256 before = wealth(checker);
            _close(id, checker, CheckOutcome.Rejected, FEE, 0);
            vm.assertEq(wealth(checker), before + FEE, "fee");
            vm.revertToState(state);
        }
    }

    function test_answersThatAreNeverRevealedCostTheBond() public {
        (bytes32 id,, address checker) = committed(true);
        openAnswers(id);
        uint40 revealBy = checkOf(id).deadline;
        vm.warp(revealBy);
        vm.expectRevert(abi.encodeWithSelector(IAudit.CheckDeadlineNotPassed.selector, id, revealBy));
        closeCheck(id);
        vm.warp(revealBy + 1);
        _close(id, checker, CheckOutcome.CheckerFailed, 0, BOND);
        _isAccepted(id);
    }

    function test_aDifferenceThatNobodyCouldProveCostsTheBond() public {
        (bytes32 id, address solver, address checker) = differing();
        uint40 challengeBy = taskAt(id).deadline;
        vm.warp(challengeBy);
        vm.expectRevert(abi.encodeWithSelector(IAudit.CheckDeadlineNotPassed.selector, id, challengeBy));
        closeCheck(id);
        vm.warp(challengeBy + 1);
        uint256 before = free(buyer);
        uint256 checkerBefore = wealth(checker);
        _close(id, checker, CheckOutcome.CheckerFailed, 0, BOND);
        vm.assertEq(free(buyer), before + FEE, "buyer");
        vm.assertEq(wealth(checker), checkerBefore - BOND, "checker");
        vm.assertEq(reputation.scoreOf(subnet, solver), 0, "nothing was verified");
        _isAccepted(id);
    }

    function test_itWaitsForTheCaseAndLosesWithIt() public {
        (bytes32 id,, address checker) = differing();
        bytes32 caseId = disputeAs(checker, id, 7);
        vm.warp(taskAt(id).deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, id, 1));
        closeCheck(id);
        vm.warp(vm.getBlockTimestamp() - CHALLENGE_SECONDS);
        _settle(caseId, Verdict.Valid);
        if (vm.getBlockTimestamp() <= taskAt(id).deadline) vm.warp(taskAt(id).deadline + 1);
        _close(id, checker, CheckOutcome.CheckerFailed, 0, BOND);
        _isAccepted(id);
    }

    function test_aCaseWithoutAVerdictLeavesBothWhole() public {
        (bytes32 id,, address checker) = differing();
        bytes32 caseId = disputeAs(checker, id, 7);
        vm.warp(round(caseId).deadline + 1); // nobody drew the panel
        advance(caseId);
        settleCase(caseId);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Undecided), "undecided");
        vm.warp(taskAt(id).deadline + 1);
        _close(id, checker, CheckOutcome.Moot, 0, 0);
        vm.assertEq(locked(checker), 0, "bond");
        finalize(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Voided), "voided");
    }

    function _close(bytes32 id, address checker, CheckOutcome outcome, uint256 paid, uint256 lost) private {
        vm.expectEmit(address(audit));
        emit IAudit.CheckClosed(id, checker, outcome, paid, lost);
        closeCheck(id);
        assertState(id, CheckState.Over);
        vm.assertTrue(!audit.isOpen(id), "open");
        vm.assertEq(checkOf(id).deadline, 0, "nobody is waited for");
        vm.assertEq(free(address(audit)), 0, "nothing is left");
    }

    function _isAccepted(bytes32 id) private {
        if (vm.getBlockTimestamp() <= taskAt(id).deadline) vm.warp(taskAt(id).deadline + 1);
        finalize(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Accepted), "accepted");
    }

    function _settle(bytes32 caseId, Verdict verdict) private {
        seatPanel(caseId);
        vote(caseId, unanimous(3, verdict));
        settle(caseId);
    }

    /// @dev A checker may sit in the panel of its own case: each seat gets a third of the fee.
    function _paidBy(bytes32 caseId, address account) private view returns (uint256) {
        return 10 * PAN * seatsHeld(caseId, 1, account);
    }
}
