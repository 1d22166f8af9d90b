// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IAudit} from "../../../contracts/interfaces/IAudit.sol";
import {IStepChallenge} from "../../../contracts/interfaces/IStepChallenge.sol";
import {ITaskMarket} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Turns} from "../support/Turns.sol";
import {AuditWorld} from "./AuditWorld.sol";

/// @dev See CheckDeadlines.tree.
contract CheckDeadlinesTest is AuditWorld, Turns {
    function test_challengeByEndsTheTimeToDraw() public {
        (bytes32 id,) = sampled();
        bytes memory finalize_ = abi.encodeCall(ITaskMarket.finalize, (termsOf[id], slotOf[id]));
        turn(
            deadlineOf(id),
            Call(address(audit), stranger, _draw(id)),
            Call(address(market), stranger, finalize_),
            id,
            ITaskMarket.DeadlinePassed.selector,
            ITaskMarket.DeadlineNotPassed.selector
        );
    }

    function test_commitBy() public {
        (bytes32 id,, address checker) = drawn();
        bytes32 commitment = hashOf(id, checker, answersOf(id));
        _turnCheck(id, checker, abi.encodeCall(IAudit.commitCheck, (termsOf[id], slotOf[id], commitment)));
        _turnCheck(id, checker, abi.encodeCall(IAudit.declineCheck, (termsOf[id], slotOf[id])));
    }

    function test_answerBy() public {
        (bytes32 id,,) = committed(true);
        _turnCheck(
            id,
            stranger,
            abi.encodeCall(IAudit.openAnswers, (termsOf[id], slotOf[id], submissionOf(id), openingsOf(id)))
        );
    }

    function test_revealBy() public {
        (bytes32 id,,) = committed(true);
        openAnswers(id);
        _turnCheck(
            id, stranger, abi.encodeCall(IAudit.revealCheck, (termsOf[id], slotOf[id], answersOf(id), SALT))
        );
    }

    function test_drawByOfTheSecondChecker() public {
        (bytes32 id,,) = drawn();
        vm.warp(checkOf(id).deadline + 1);
        closeCheck(id);
        nextEpoch();
        _turnCheck(id, stranger, _draw(id));
    }

    function test_challengeByAfterDifferentAnswers() public {
        (bytes32 id,, address checker) = differing();
        commitToDispute(checker, id, 9, "salt");
        vm.roll(vm.getBlockNumber() + 1);
        bytes memory pin_ = abi.encodeCall(
            IStepChallenge.pin, (termsOf[id], slotOf[id], submissionOf(id), pinOf(leavesOf(id), 9, "salt"))
        );
        turn(
            deadlineOf(id),
            Call(address(challenge), checker, pin_),
            _close(id),
            id,
            ITaskMarket.DeadlinePassed.selector,
            IAudit.CheckDeadlineNotPassed.selector
        );
    }

    function test_theSeedOfTheEpochOfTheSubmissionSaysWhetherItIsChecked() public {
        (bytes32 id,) = submitted();
        uint32 epoch = beacon.currentEpoch();
        Call memory draw = Call(address(audit), stranger, _draw(id));
        bytes memory unknown = abi.encodeWithSelector(IAudit.SampleSeedNotKnown.selector, id, epoch);
        tryNow(draw, unknown);
        vm.roll((uint256(epoch) + 1) * EPOCH_BLOCKS);
        tryNow(draw, unknown);
        nextEpochAfter(epoch);
        uint256 before = vm.snapshotState();
        tryNow(draw, "");
        bytes32 answers = answersOf(id);
        vm.revertToState(before);
        nextEpoch();
        tryNow(draw, "");
        vm.assertEq(answersOf(id), answers, "the same steps");
    }

    /// @dev Its seed is told in the epoch after it.
    function nextEpochAfter(uint32 epoch) private {
        mine(beacon.targetBlock(epoch) + 1);
        beacon.fulfil(epoch, headerOf(beacon.targetBlock(epoch)));
    }

    /// @dev `closeCheck` is what ends the wait.
    function _turnCheck(bytes32 id, address caller, bytes memory upTo) private {
        turn(
            checkOf(id).deadline,
            Call(address(audit), caller, upTo),
            _close(id),
            id,
            IAudit.CheckDeadlinePassed.selector,
            IAudit.CheckDeadlineNotPassed.selector
        );
    }

    function _draw(bytes32 id) private view returns (bytes memory) {
        return abi.encodeCall(IAudit.drawChecker, (termsOf[id], slotOf[id]));
    }

    function _close(bytes32 id) private view returns (Call memory) {
        return Call(address(audit), stranger, abi.encodeCall(IAudit.closeCheck, (termsOf[id], slotOf[id])));
    }
}
