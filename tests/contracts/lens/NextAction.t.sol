// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Action} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {Submission, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {LensWorld} from "../support/LensWorld.sol";

contract NextActionTest is LensWorld {
    function setUp() public override {
        super.setUp();
        stakeAll(2, 2);
    }

    function test_ofNoTaskItNamesNothing() public {
        bytes32 id = postOne();
        slotOf[id] = 1;
        expectNothing(id);
    }

    function test_ofATaskOfThisEpochItNamesItsSeed() public {
        bytes32 id = postOne();
        expectSeed(id, beacon.currentEpoch());
        expectDue(id, Action.Assign);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Assigned), "status");
    }

    function test_ofATaskOfAnEarlierEpochItNamesTheSeedOfTheLast() public {
        bytes32 id = postOne();
        nextEpoch();
        vm.roll(vm.getBlockNumber() + EPOCH_BLOCKS);
        uint32 last = beacon.currentEpoch() - 1;
        vm.roll(beacon.targetBlock(last));
        expectSeed(id, last);
        expectDue(id, Action.Assign);
    }

    function test_ofATaskWithASeedItNamesTheDraw() public {
        bytes32 id = postOne();
        nextEpoch();
        expectDue(id, Action.Assign);
    }

    function test_afterOpenByItNamesTheExpiry() public {
        bytes32 id = postOne();
        nextEpoch();
        vm.warp(deadlineOf(id));
        vm.assertEq(uint256(nextOf(id).action), uint256(Action.Assign), "in the last second");
        pass(1);
        expectDue(id, Action.Expire);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Expired), "status");
    }

    function test_ofAnAssignedTaskItNamesTheExpiry() public {
        (bytes32 id,) = assigned();
        expectAt(id, Action.Expire, deadlineOf(id) + 1);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Open), "status");
    }

    function test_ofASubmittedTaskItNamesTheAcceptance() public {
        (bytes32 id,) = submitted();
        expectAt(id, Action.Finalize, deadlineOf(id) + 1);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Accepted), "status");
        expectNothing(id);
    }

    function test_besideACaseItNamesNothing() public {
        (bytes32 id,) = submitted();
        disputeAs(dora, id, 7);
        expectNothing(id);
        vm.warp(deadlineOf(id) + 1);
        expectNothing(id);
    }

    function test_ofAnUndecidedTaskItNamesTheEnd() public {
        (bytes32 id,) = submitted();
        bytes32 caseId = disputeAs(dora, id, 7);
        vm.warp(round(caseId).deadline + 1);
        advance(caseId);
        settleCase(caseId);
        expectAt(id, Action.Finalize, deadlineOf(id) + 1);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Voided), "status");
    }

    function test_ofADemandItNamesTheClosing() public {
        (bytes32 id,) = submitted();
        _demand(id);
        expectAt(id, Action.CloseDemand, challenge.demandOf(id).answerBy + 1);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Rejected), "status");
    }

    function test_besideACaseADemandWaits() public {
        (bytes32 id,) = submitted();
        _demand(id);
        disputeAs(dora, id, 7);
        vm.warp(challenge.demandOf(id).answerBy + 1);
        expectNothing(id);
    }

    function test_ofADemandAboutATaskThatHasEndedItNamesTheClosingAtOnce() public {
        (bytes32 id,) = submitted();
        _demand(id);
        bytes32 caseId = disputeAs(dora, id, 7);
        seatPanel(caseId);
        vote(caseId, unanimous(3, Verdict.Invalid));
        settle(caseId);
        expectDue(id, Action.CloseDemand);
        expectNothing(id);
    }

    function test_ofATaskThatHasEndedItNamesNothing() public {
        bytes32 id = postOne();
        vm.prank(buyer);
        cancel(id);
        expectNothing(id);
    }

    function _demand(bytes32 id) private {
        Submission memory made = submissionOf(id);
        vm.prank(dora);
        challenge.demandLeaves(termsOf[id], slotOf[id], made);
    }
}
