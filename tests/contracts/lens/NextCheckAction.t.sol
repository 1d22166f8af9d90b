// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CheckState} from "../../../contracts/interfaces/IAudit.sol";
import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Action, Next} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {AuditWorld} from "../audit/AuditWorld.sol";
import {LensWorld} from "../support/LensWorld.sol";
import {World} from "../support/World.sol";

contract NextCheckActionTest is AuditWorld, LensWorld {
    function setUp() public override(World, AuditWorld) {
        super.setUp();
    }

    function test_withoutASubmissionItNamesNothing() public {
        (bytes32 id,) = assigned();
        expectNothing(id);
    }

    function test_afterChallengeByItNamesNothing() public {
        (bytes32 id,) = sampled();
        vm.warp(deadlineOf(id) + 1);
        expectNothing(id);
    }

    function test_beforeTheSeedItNamesIt() public {
        (bytes32 id,) = submitted();
        expectSeed(id, beacon.currentEpoch());
        expectDue(id, Action.DrawChecker);
    }

    /// @dev Nobody drew, and the hash of its block can not be asked for any more.
    function test_ofASeedThatIsTooOldItNamesNothing() public {
        (bytes32 id,) = submitted();
        uint256 last = beacon.targetBlock(beacon.currentEpoch()) + 8_191;
        vm.roll(last);
        vm.assertEq(uint256(nextOf(id).action), uint256(Action.Fulfil), "action");
        vm.roll(last + 1);
        expectNothing(id);
    }

    function test_whereNothingIsCheckedItNamesNothing() public {
        useSampling({pMin: 1, pMax: 1, stepAuditRate: 0}); // one in 2^32
        (bytes32 id,) = sampled();
        expectNothing(id);
    }

    function test_ofASampledTaskItNamesTheDraw() public {
        (bytes32 id,) = sampled();
        expectDue(id, Action.DrawChecker);
        assertState(id, CheckState.Committing);
    }

    function test_aDrawThatTheBuyerCanNotPayIsNamedWhenItCan() public {
        (bytes32 id,) = sampled();
        uint256 left = free(buyer) - FEE + 1;
        vm.prank(buyer);
        vault.withdraw(buyer, left);
        expectNothing(id);
        fund(buyer, 1);
        expectDue(id, Action.DrawChecker);
        vm.assertEq(free(buyer), 0, "paid to the last unit");
        // which the second one does not need: its fee is paid
        vm.warp(checkOf(id).deadline + 1);
        closeCheck(id);
        nextEpoch();
        expectDue(id, Action.DrawChecker);
    }

    function test_ofAnAbsentCheckerItNamesTheClosingAndThenAnotherDraw() public {
        (bytes32 id,,) = drawn();
        expectAt(id, Action.CloseCheck, checkOf(id).deadline + 1);
        assertState(id, CheckState.Drawing);
        vm.assertEq(uint256(nextOf(id).action), uint256(Action.Fulfil), "a new seed");
        nextEpoch();
        expectDue(id, Action.DrawChecker);
        assertState(id, CheckState.Committing);
    }

    function test_ofASecondDrawThatIsLateItNamesTheClosing() public {
        (bytes32 id,,) = drawn();
        vm.warp(checkOf(id).deadline + 1);
        closeCheck(id);
        nextEpoch();
        vm.warp(checkOf(id).deadline + 1);
        expectDue(id, Action.CloseCheck);
        expectNothing(id);
    }

    function test_ofASilentSolverItNamesTheClosing() public {
        (bytes32 id,,) = committed(true);
        expectAt(id, Action.CloseCheck, checkOf(id).deadline + 1);
    }

    function test_ofASilentSolverBesideACaseItNamesNothing() public {
        (bytes32 id,,) = committed(true);
        disputeAs(dora, id, 7);
        vm.warp(checkOf(id).deadline + 1);
        expectNothing(id);
    }

    function test_ofACheckerThatDoesNotRevealItNamesTheClosing() public {
        (bytes32 id,,) = committed(true);
        openAnswers(id);
        expectAt(id, Action.CloseCheck, checkOf(id).deadline + 1);
    }

    function test_ofAnswersThatDifferItNamesTheClosing() public {
        (bytes32 id,,) = differing();
        expectAt(id, Action.CloseCheck, deadlineOf(id) + 1);
    }

    function test_ofAnswersThatDifferBesideACaseItNamesNothing() public {
        (bytes32 id,,) = differing();
        disputeAs(dora, id, 7);
        vm.warp(deadlineOf(id) + 1);
        expectNothing(id);
    }

    function test_ofATaskThatHasEndedItNamesTheClosingAtOnce() public {
        (bytes32 id,,) = differing();
        bytes32 caseId = disputeAs(dora, id, 7);
        seatPanel(caseId);
        vote(caseId, unanimous(3, Verdict.Invalid));
        settle(caseId);
        expectDue(id, Action.CloseCheck);
        expectNothing(id);
    }

    function nextOf(bytes32 id) internal view override returns (Next memory) {
        return lens.nextCheckAction(termsOf[id], slotOf[id]);
    }

    function make(bytes32 id, Next memory next) internal override {
        if (next.action == Action.DrawChecker) drawChecker(id);
        else if (next.action == Action.CloseCheck) closeCheck(id);
        else super.make(id, next);
    }
}
