// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CheckState} from "../../../contracts/interfaces/IAudit.sol";
import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Action, Next} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {AuditWorld} from "../audit/AuditWorld.sol";

contract NextCheckActionTest is AuditWorld {
    function test_withoutASubmissionItNamesNothing() public {
        (bytes32 id,) = assigned();
        _expectNothing(id);
    }

    function test_afterChallengeByItNamesNothing() public {
        (bytes32 id,) = sampled();
        vm.warp(deadlineOf(id) + 1);
        _expectNothing(id);
    }

    function test_beforeTheSeedItNamesIt() public {
        (bytes32 id,) = submitted();
        uint32 epoch = beacon.currentEpoch();
        uint256 first = beacon.targetBlock(epoch) + 1;
        vm.roll(first - 1);
        Next memory next = _next(id);
        vm.assertEq(uint256(next.action), uint256(Action.Fulfil), "action");
        vm.assertEq(next.which, epoch, "epoch");
        vm.assertEq(next.blockNumber, first, "block");
        vm.assertTrue(!next.due, "due too early");
        mine(first);
        _expectDue(id, Action.Fulfil);
        _expectDue(id, Action.DrawChecker);
    }

    function test_whereNothingIsCheckedItNamesNothing() public {
        useSampling({pMin: 1, pMax: 1, stepAuditRate: 0}); // one in 2^32
        (bytes32 id,) = sampled();
        _expectNothing(id);
    }

    function test_ofASampledTaskItNamesTheDraw() public {
        (bytes32 id,) = sampled();
        _expectDue(id, Action.DrawChecker);
        assertState(id, CheckState.Committing);
    }

    function test_ofAnAbsentCheckerItNamesTheClosingAndThenAnotherDraw() public {
        (bytes32 id,,) = drawn();
        _expectAt(id, Action.CloseCheck, checkOf(id).deadline + 1);
        assertState(id, CheckState.Drawing);
        vm.assertEq(uint256(_next(id).action), uint256(Action.Fulfil), "a new seed");
        nextEpoch();
        _expectDue(id, Action.DrawChecker);
        assertState(id, CheckState.Committing);
    }

    function test_ofASecondDrawThatIsLateItNamesTheClosing() public {
        (bytes32 id,,) = drawn();
        vm.warp(checkOf(id).deadline + 1);
        closeCheck(id);
        nextEpoch();
        vm.warp(checkOf(id).deadline + 1);
        _expectDue(id, Action.CloseCheck);
        _expectNothing(id);
    }

    function test_ofASilentSolverItNamesTheClosing() public {
        (bytes32 id,,) = committed(true);
        _expectAt(id, Action.CloseCheck, checkOf(id).deadline + 1);
    }

    function test_ofASilentSolverBesideACaseItNamesNothing() public {
        (bytes32 id,,) = committed(true);
        disputeAs(dora, id, 7);
        vm.warp(checkOf(id).deadline + 1);
        _expectNothing(id);
    }

    function test_ofACheckerThatDoesNotRevealItNamesTheClosing() public {
        (bytes32 id,,) = committed(true);
        openAnswers(id);
        _expectAt(id, Action.CloseCheck, checkOf(id).deadline + 1);
    }

    function test_ofAnswersThatDifferItNamesTheClosing() public {
        (bytes32 id,,) = differing();
        _expectAt(id, Action.CloseCheck, deadlineOf(id) + 1);
    }

    function test_ofAnswersThatDifferBesideACaseItNamesNothing() public {
        (bytes32 id,,) = differing();
        disputeAs(dora, id, 7);
        vm.warp(deadlineOf(id) + 1);
        _expectNothing(id);
    }

    function test_ofATaskThatHasEndedItNamesTheClosingAtOnce() public {
        (bytes32 id,,) = differing();
        bytes32 caseId = disputeAs(dora, id, 7);
        seatPanel(caseId);
        vote(caseId, unanimous(3, Verdict.Invalid));
        settle(caseId);
        _expectDue(id, Action.CloseCheck);
        _expectNothing(id);
    }

    function _next(bytes32 id) private view returns (Next memory) {
        return lens.nextCheckAction(termsOf[id], slotOf[id]);
    }

    function _expectNothing(bytes32 id) private view {
        vm.assertEq(uint256(_next(id).action), uint256(Action.None), "action");
    }

    function _expectAt(bytes32 id, Action action, uint256 time) private {
        vm.warp(time - 1);
        vm.assertEq(_next(id).time, time, "time");
        vm.assertTrue(!_next(id).due, "due too early");
        vm.warp(time);
        _expectDue(id, action);
    }

    function _expectDue(bytes32 id, Action action) private {
        Next memory next = _next(id);
        vm.assertEq(uint256(next.action), uint256(action), "action");
        vm.assertTrue(next.due, "due");
        if (action == Action.Fulfil) beacon.fulfil(next.which, headerOf(beacon.targetBlock(next.which)));
        else if (action == Action.DrawChecker) drawChecker(id);
        else closeCheck(id);
    }
}
