// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CheckState, IAudit} from "../../../contracts/interfaces/IAudit.sol";
import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {IRandomnessSource} from "../../../contracts/interfaces/IRandomnessSource.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Sampling} from "../../../contracts/libraries/Sampling.sol";
import {AuditWorld} from "./AuditWorld.sol";

/// @dev See DrawChecker.tree.
contract DrawCheckerTest is AuditWorld {
    function test_RevertGiven_theTaskIsNotSubmitted() public {
        (bytes32 id,) = assigned();
        nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, id, TaskStatus.Assigned));
        drawChecker(id);
    }

    function test_RevertGiven_challengeByHasPassed() public {
        (bytes32 id,) = sampled();
        uint40 challengeBy = taskAt(id).deadline;
        vm.warp(challengeBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, id, challengeBy));
        drawChecker(id);
        vm.warp(challengeBy);
        drawChecker(id);
    }

    function test_RevertGiven_theSeedIsNotKnown() public {
        (bytes32 id,) = submitted();
        uint32 epoch = beacon.currentEpoch();
        vm.assertEq(taskAt(id).epoch, epoch, "epoch of the submission");
        vm.expectRevert(abi.encodeWithSelector(IAudit.SampleSeedNotKnown.selector, id, epoch));
        drawChecker(id);
    }

    function test_RevertGiven_theRollAsksForNone() public {
        useSampling({pMin: 1, pMax: 1, stepAuditRate: 1});
        (bytes32 id,) = sampled();
        vm.expectRevert(abi.encodeWithSelector(IAudit.NotSampled.selector, id));
        drawChecker(id);
    }

    function test_RevertGiven_theBuyerCanNotPay() public {
        (bytes32 id,) = sampled();
        uint256 left = free(buyer) - FEE + 1;
        vm.prank(buyer);
        vault.withdraw(buyer, left);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, buyer, FEE, FEE - 1));
        drawChecker(id);
    }

    function test_RevertGiven_noVerifierIsFree() public {
        (bytes32 id,) = sampled();
        for (uint256 i = 0; i < workers.length; ++i) {
            vm.prank(workers[i]);
            staking.requestUnstake(subnet, Role.Verifier, 4);
        }
        nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(IAudit.NoCheckerFree.selector, id, beacon.currentEpoch()));
        drawChecker(id);
    }

    function test_itDrawsAVerifierPaidByTheBuyer() public {
        (bytes32 id, address solver) = sampled();
        uint256 before = free(buyer);
        vm.assertTrue(!audit.isOpen(id), "no check yet");
        (bytes32 roll, bool whole) = audit.sampleOf(termsOf[id], slotOf[id]);
        address expected = _firstOf(id, 1);
        uint40 commitBy = uint40(vm.getBlockTimestamp() + COMMIT_SECONDS);
        vm.expectEmit(address(audit));
        emit IAudit.CheckerDrawn(id, expected, 1, false, roll, commitBy);
        address checker = drawChecker(id);
        vm.assertEq(checker, expected, "checker");
        vm.assertTrue(audit.isOpen(id), "open");
        vm.assertTrue(checker != solver && checker != address(0), "not the solver");
        vm.assertEq(locked(checker), 1, "bond");
        vm.assertEq(free(buyer), before - FEE, "fee");
        vm.assertEq(free(address(audit)), FEE, "held");
        vm.assertEq(taskAt(id).openCases, 1, "holds the task");
        vm.assertEq(checkOf(id).deadline, commitBy, "commitBy");
        vm.assertEq(checkOf(id).attempt, 1, "attempt");
        vm.assertTrue(!whole && roll != 0, "of steps");
        vm.assertEq(checkOf(id).epoch, taskAt(id).epoch, "epoch of the request");
        vm.warp(taskAt(id).deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, id, 1));
        finalize(id);
    }

    /// @dev By the seed of the last epoch, the task and the number of the checker, and by nothing else.
    function test_whoIsDrawnFollowsFromTheSeed() public {
        for (uint256 i = 0; i < 6; ++i) {
            (bytes32 id,) = sampled();
            (bytes32 roll,) = audit.sampleOf(termsOf[id], slotOf[id]);
            vm.assertEq(roll, Sampling.rollOf(_seed(taskAt(id).epoch), id), "roll");
            address expected = _firstOf(id, 1);
            vm.assertEq(drawChecker(id), expected, "first");
            pass(COMMIT_SECONDS + 1);
            closeCheck(id);
            nextEpoch();
            expected = _firstOf(id, 2);
            vm.assertEq(drawChecker(id), expected, "second");
        }
    }

    function test_aCheckOfTheWholeTaskBeginsWithTheLastStep() public {
        useSampling({pMin: type(uint32).max, pMax: type(uint32).max, stepAuditRate: 0});
        (bytes32 id,,) = drawn();
        vm.assertTrue(checkOf(id).whole, "whole");
        (bytes32 roll, bool whole) = audit.sampleOf(termsOf[id], slotOf[id]);
        vm.assertTrue(whole, "whole, says the sample");
        vm.assertEq(audit.stepOf(roll, true, 0, INNER_STEPS), INNER_STEPS - 1, "last step");
        vm.assertEq(
            audit.stepOf(roll, true, 1, INNER_STEPS),
            audit.stepOf(roll, false, 1, INNER_STEPS),
            "then as drawn"
        );
    }

    function test_aSecondCheckerIsDrawnOnce() public {
        (bytes32 id,) = _absent();
        vm.expectRevert(
            abi.encodeWithSelector(
                IRandomnessSource.SeedNotDue.selector, id, checkOf(id).epoch, beacon.currentEpoch()
            )
        );
        drawChecker(id);
        nextEpoch();
        uint256 before = free(buyer);
        address second = drawChecker(id);
        vm.assertTrue(second != taskAt(id).solver, "not the solver");
        vm.assertEq(free(buyer), before, "no other fee");
        vm.assertEq(checkOf(id).attempt, 2, "attempt");
        vm.assertEq(taskAt(id).openCases, 1, "one check");
        vm.expectRevert(abi.encodeWithSelector(IAudit.WrongCheckState.selector, id, CheckState.Committing));
        drawChecker(id);
    }

    function test_RevertGiven_drawByHasPassed() public {
        (bytes32 id,) = _absent();
        nextEpoch();
        uint40 drawBy = checkOf(id).deadline;
        vm.warp(drawBy + 1);
        vm.expectRevert(abi.encodeWithSelector(IAudit.CheckDeadlinePassed.selector, id, drawBy));
        drawChecker(id);
        vm.warp(drawBy);
        drawChecker(id);
    }

    function test_RevertGiven_theTaskHasEnded() public {
        (bytes32 id,) = sampled();
        bytes32 caseId = disputeAs(dora, id, 7);
        address checker = drawChecker(id);
        vm.prank(checker);
        audit.declineCheck(termsOf[id], 0);
        _convict(caseId);
        vm.expectRevert(abi.encodeWithSelector(IAudit.TaskHasEnded.selector, id));
        drawChecker(id);
    }

    function _seed(uint32 epoch) private view returns (bytes32 seed) {
        (seed,) = beacon.seed(epoch);
    }

    /// @dev Whom Staking names for that draw, which is undone.
    function _firstOf(bytes32 id, uint8 attempt) private returns (address expected) {
        bytes32 entropy = keccak256(abi.encode(_seed(beacon.currentEpoch() - 1), id, attempt));
        address solver = taskAt(id).solver;
        uint32 epoch = beacon.currentEpoch();
        uint256 before = vm.snapshotState();
        vm.prank(address(audit));
        expected = staking.draw(subnet, Role.Verifier, entropy, solver, epoch, termsOf[id].paramsVersion);
        vm.revertToState(before);
    }

    function _absent() private returns (bytes32 id, address solver) {
        (id, solver,) = drawn();
        pass(COMMIT_SECONDS + 1);
        closeCheck(id);
        assertState(id, CheckState.Drawing);
    }

    function _convict(bytes32 caseId) private {
        seatPanel(caseId);
        vote(caseId, unanimous(3, Verdict.Invalid));
        settle(caseId);
    }
}
