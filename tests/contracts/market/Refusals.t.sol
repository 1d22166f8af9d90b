// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {
    Batch,
    ITaskMarket,
    Submission,
    TaskStatus,
    Terms
} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

/// @dev What the market refuses beside deadlines, with the exact arguments; see TaskMarket.tree.
contract MarketRefusalsTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(2, 1);
    }

    function test_RevertWhen_anotherSubmissionIsOpened() public {
        (bytes32 id,) = submitted();
        Submission memory other = submission();
        other.resultRoot = keccak256("another result");
        bytes32 expected = market.submissionHash(id);
        vm.assertEq(expected, keccak256(abi.encode(submission())), "what was submitted");
        vm.expectRevert(
            abi.encodeWithSelector(
                ITaskMarket.WrongSubmission.selector, id, expected, keccak256(abi.encode(other))
            )
        );
        vm.prank(address(challenge));
        market.openCase(termsOf[id], slotOf[id], other);
    }

    /// @dev 255 fees are dearer than any stake; the count must not wrap all the same.
    function test_RevertWhen_thereAreTooManyCases() public {
        (bytes32 id,) = submitted();
        for (uint256 n = 0; n < 255; ++n) {
            vm.prank(address(challenge));
            market.openCase(termsOf[id], slotOf[id], submission());
        }
        vm.assertEq(taskAt(id).openCases, 255, "cases");
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.TooManyCases.selector, id, 255));
        vm.prank(address(challenge));
        market.openCase(termsOf[id], slotOf[id], submission());
    }

    /// @dev Whatever is changed in the terms: it is another batch, which nobody posted.
    function test_RevertWhen_theTermsAreOthers() public {
        bytes32 id = postOne();
        nextEpoch();
        for (uint256 field = 0; field < 6; ++field) {
            Terms memory other = termsOf[id];
            if (field == 0) other.price += 1;
            else if (field == 1) other.buyer = stranger;
            else if (field == 2) other.innerSteps += 1;
            else if (field == 3) other.slots |= 2;
            else if (field == 4) other.specHash = keccak256("another");
            else other.salt = keccak256("another");
            bytes32 otherId = market.taskIdOf(market.batchIdOf(other), 0);
            vm.expectRevert(
                abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, otherId, TaskStatus.None)
            );
            market.assign(other, 0);
        }
    }

    function test_RevertWhen_theSlotIsNotInTheBatch() public {
        bytes32 id = postOne();
        bytes32 beside = market.taskIdOf(market.batchIdOf(termsOf[id]), 1);
        nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.WrongStatus.selector, beside, TaskStatus.None));
        market.assign(termsOf[id], 1);
        vm.assertEq(market.assignMany(termsOf[id], type(uint256).max), 1, "only the one there is");
    }

    function test_manyCallsLeaveWhatIsNotDue() public {
        bytes32[] memory ids = post(2);
        Terms memory terms_ = termsOf[ids[0]];
        vm.assertEq(market.expireMany(terms_, 3), 0, "none is late");
        vm.assertEq(market.assignMany(terms_, 3), 0, "the seed is not due");
        nextEpoch();
        vm.assertEq(market.assignMany(terms_, 3), 2, "both");
        submitAs(taskAt(ids[0]).solver, ids[0]);
        vm.assertEq(market.finalizeMany(terms_, 3), 0, "the window is open");
        vm.warp(deadlineOf(ids[0]) + 1);
        vm.assertEq(market.finalizeMany(terms_, 3), 1, "the submitted one");
        vm.assertEq(statusOf(ids[1]), uint256(TaskStatus.Assigned), "the other is left");
    }

    function test_inTheFirstEpochNothingIsAssigned() public {
        vm.roll(EPOCH_BLOCKS - 1);
        bytes32[] memory ids = post(1);
        vm.assertEq(market.assignMany(termsOf[ids[0]], 1), 0, "no epoch before it");
    }

    function test_aBatchIsKept() public {
        bytes32 id = postOne();
        Batch memory kept = market.batch(market.batchIdOf(termsOf[id]));
        vm.assertEq(kept.epoch, beacon.currentEpoch(), "epoch");
        vm.assertEq(kept.openBy, vm.getBlockTimestamp() + 60, "openBy");
        vm.assertEq(kept.solveSeconds, 600, "solveSeconds");
        vm.assertEq(kept.challengeSeconds, 120, "challengeSeconds");
    }

    function test_RevertWhen_theSubnetIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownSubnet.selector, 9));
        registry.seatTerms(9);
    }
}
