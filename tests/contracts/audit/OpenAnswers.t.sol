// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CheckState, IAudit, Opening} from "../../../contracts/interfaces/IAudit.sol";
import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Submission} from "../../../contracts/interfaces/ITaskMarket.sol";
import {TraceTree} from "../../../contracts/libraries/TraceTree.sol";
import {AuditWorld} from "./AuditWorld.sol";

/// @dev See OpenAnswers.tree.
contract OpenAnswersTest is AuditWorld {
    function test_RevertGiven_theCheckerHasNotCommitted() public {
        (bytes32 id,,) = drawn();
        _refuses(
            id,
            submissionOf(id),
            openingsOf(id),
            abi.encodeWithSelector(IAudit.WrongCheckState.selector, id, CheckState.Committing)
        );
    }

    function test_RevertGiven_answerByHasPassed() public {
        (bytes32 id,,) = committed(true);
        uint40 answerBy = checkOf(id).deadline;
        vm.warp(answerBy + 1);
        _refuses(
            id,
            submissionOf(id),
            openingsOf(id),
            abi.encodeWithSelector(IAudit.CheckDeadlinePassed.selector, id, answerBy)
        );
    }

    function test_RevertGiven_theTaskHasEnded() public {
        (bytes32 id,) = sampled();
        bytes32 caseId = disputeAs(dora, id, 7);
        drawChecker(id);
        commitCheck(id, answersOf(id));
        Opening[] memory openings = openingsOf(id);
        seatPanel(caseId);
        vote(caseId, unanimous(3, Verdict.Invalid));
        settle(caseId);
        _refuses(id, submissionOf(id), openings, abi.encodeWithSelector(IAudit.TaskHasEnded.selector, id));
    }

    function test_RevertWhen_theSubmissionIsAnother() public {
        (bytes32 id,,) = committed(true);
        Submission memory other = submissionOf(id);
        other.resultRoot = keccak256("another");
        _refuses(id, other, openingsOf(id), anotherSubmission(id, other));
    }

    function test_RevertWhen_thereAreMoreOrFewerOpenings() public {
        (bytes32 id,,) = committed(true);
        Opening[] memory all = openingsOf(id);
        for (uint256 count = 1; count < 4; count += 2) {
            Opening[] memory some = new Opening[](count);
            for (uint256 i = 0; i < count; ++i) {
                some[i] = all[i % 2];
            }
            _refuses(
                id,
                submissionOf(id),
                some,
                abi.encodeWithSelector(IAudit.WrongOpeningCount.selector, count, 2)
            );
        }
    }

    function test_RevertWhen_aLeafIsMadeOfSomethingElse() public {
        (bytes32 id,,) = committed(true);
        for (uint256 field = 0; field < 9; ++field) {
            Opening[] memory openings = openingsOf(id);
            if (field == 0) openings[1].content.opsetHash ^= bytes32(uint256(1));
            if (field == 1) openings[1].content.stateRoot ^= bytes32(uint256(1));
            if (field == 2) openings[1].content.gradientRoot ^= bytes32(uint256(1));
            if (field == 3) openings[1].content.batchDigest ^= bytes32(uint256(1));
            if (field == 4) openings[1].content.stepSize ^= 1;
            if (field == 5) openings[1].content.secondMomentScale ^= 1;
            if (field == 6) openings[1].content.decay ^= 1;
            if (field == 7) openings[1].content.loss ^= 1;
            if (field == 8) openings[1].content.gradientNorm ^= 1;
            _notInTrace(id, openings);
        }
    }

    function test_RevertWhen_aLeafIsAnotherStepsOrUnproven() public {
        (bytes32 id,,) = committed(true);
        Opening[] memory openings = openingsOf(id);
        (openings[0], openings[1]) = (openings[1], openings[0]);
        vm.assertTrue(checkedStep(id, 0) != checkedStep(id, 1), "two steps");
        _notInTrace(id, openings);
        openings = openingsOf(id);
        openings[1].proof[3] = keccak256("another");
        _notInTrace(id, openings);
        openings = openingsOf(id);
        openings[1].proof = new bytes32[](TRACE_DEPTH - 1);
        _refuses(
            id,
            submissionOf(id),
            openings,
            abi.encodeWithSelector(TraceTree.WrongTraceProofLength.selector, TRACE_DEPTH - 1, TRACE_DEPTH)
        );
    }

    function test_theAnswersFollowFromTheTraceWhoeverShowsIt() public {
        (bytes32 id,,) = committed(false);
        bytes32 answers = answersOf(id);
        uint40 answerBy = checkOf(id).deadline;
        vm.warp(answerBy);
        vm.expectEmit(address(audit));
        emit IAudit.AnswersOpened(id, answers, uint40(answerBy + REVEAL_SECONDS));
        openAnswers(id);
        assertState(id, CheckState.Revealing);
        vm.assertEq(audit.answersOf(id), answers, "answers");
    }

    function test_theAnswerAboutTheLastStepBindsTheResult() public {
        useSampling({pMin: type(uint32).max, pMax: type(uint32).max, stepAuditRate: 0});
        (bytes32 id,,) = committed(true);
        vm.assertEq(checkedStep(id, 0), INNER_STEPS - 1, "the last step");
        openAnswers(id);
        vm.assertEq(audit.answersOf(id), answersOf(id), "with the result root"); // see TraceWorld
    }

    function _notInTrace(bytes32 id, Opening[] memory openings) private {
        Submission memory made = submissionOf(id);
        vm.expectPartialRevert(TraceTree.NotInTrace.selector);
        audit.openAnswers(termsOf[id], slotOf[id], made, openings);
    }

    function _refuses(bytes32 id, Submission memory made, Opening[] memory openings, bytes memory reason)
        private
    {
        vm.expectRevert(reason);
        audit.openAnswers(termsOf[id], slotOf[id], made, openings);
    }
}
