// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {IStepChallenge, Pin} from "../../../contracts/interfaces/IStepChallenge.sol";
import {TraceTree} from "../../../contracts/libraries/TraceTree.sol";
import {ChallengeWorld} from "./ChallengeWorld.sol";

contract PinTest is ChallengeWorld {
    function test_everyStepCanBePinned() public {
        for (uint32 step = 0; step < INNER_STEPS; ++step) {
            uint256 before = vm.snapshotState();
            bytes32 id = disputeAs(dora, _task, step);
            vm.assertEq(cases_[id].step, step, "step");
            vm.revertToState(before);
        }
    }

    function test_RevertWhen_theStepIsBeyondTheTrace() public {
        Pin memory what = pinOf(7, "salt");
        what.step = INNER_STEPS;
        _refused(
            what, abi.encodeWithSelector(IStepChallenge.StepBeyondTrace.selector, INNER_STEPS, INNER_STEPS)
        );
    }

    function test_RevertWhen_itWasNotCommittedTo() public {
        Pin memory what = pinOf(7, "salt");
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        bytes memory reason = abi.encodeWithSelector(IStepChallenge.NotCommitted.selector, commitment);
        _refused(what, reason);
        commitToDispute(dora, _task, 8, "salt");
        commitToDispute(dora, _task, 7, "another");
        commitToDispute(buyer, _task, 7, "salt");
        vm.roll(vm.getBlockNumber() + 1);
        _refused(what, reason);
    }

    function test_RevertWhen_itWasCommittedToInTheSameBlock() public {
        commitToDispute(dora, _task, 7, "salt");
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        uint256 number = vm.getBlockNumber();
        _refused(
            pinOf(7, "salt"),
            abi.encodeWithSelector(IStepChallenge.CommitmentTooYoung.selector, commitment, number)
        );
        vm.roll(number + 1);
        pinAs(dora, _task, pinOf(7, "salt"));
    }

    function test_RevertWhen_aCommitmentIsPinnedTwice() public {
        commitToDispute(dora, _task, 7, "salt");
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        vm.roll(vm.getBlockNumber() + 1);
        pinAs(dora, _task, pinOf(7, "salt"));
        _refused(pinOf(7, "salt"), abi.encodeWithSelector(IStepChallenge.NotCommitted.selector, commitment));
    }

    /// @dev It is to one task on one chain: there it opens another commitment, which nobody made.
    function test_RevertWhen_aCommitmentIsReplayedElsewhere() public {
        commitToDispute(dora, _task, 7, "salt");
        vm.roll(vm.getBlockNumber() + 1);
        (bytes32 other,) = submitted();
        bytes32 there = challenge.commitmentOf(other, dora, 7, "salt");
        vm.expectRevert(abi.encodeWithSelector(IStepChallenge.NotCommitted.selector, there));
        vm.prank(dora);
        challenge.pin(termsOf[other], 0, submission(), pinOf(7, "salt"));
        vm.assertNotEq(_onTheNextChain(), challenge.commitmentOf(_task, dora, 7, "salt"), "of the chain");
    }

    /// @dev The blocks are built again without the commitment, then with commitment and pin in one.
    function test_RevertWhen_theBlockOfTheCommitmentIsReorganised() public {
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        uint256 before = vm.snapshotState();
        uint256 number = vm.getBlockNumber();
        commitToDispute(dora, _task, 7, "salt");
        vm.roll(number + 1);
        pinAs(dora, _task, pinOf(7, "salt"));
        vm.assertEq(taskAt(_task).openCases, 1, "a case, in the blocks as they were");

        vm.revertToState(before);
        vm.roll(number + 1);
        _refused(pinOf(7, "salt"), abi.encodeWithSelector(IStepChallenge.NotCommitted.selector, commitment));
        commitToDispute(dora, _task, 7, "salt");
        _refused(
            pinOf(7, "salt"),
            abi.encodeWithSelector(IStepChallenge.CommitmentTooYoung.selector, commitment, number + 1)
        );
        vm.assertEq(free(dora), PURSE - PRICE / 2, "the bond of one commitment");
    }

    function test_RevertWhen_theStatesAreNotTheSolvers() public {
        for (uint32 step = 0; step < 16; ++step) {
            commitToDispute(dora, _task, step, "salt");
        }
        vm.roll(vm.getBlockNumber() + 1);
        for (uint32 step = 0; step < 16; ++step) {
            Pin memory what = pinOf(step, "salt");
            what.before = keccak256("another");
            _notInTrace(what);
            what = pinOf(step, "salt");
            what.next = keccak256("another");
            _notInTrace(what);
            what = pinOf(step, "salt");
            (what.before, what.next) = (what.next, what.before);
            _notInTrace(what);
            for (uint256 i = 0; i < what.siblings.length; ++i) {
                what = pinOf(step, "salt");
                what.siblings[i] ^= bytes32(uint256(1));
                _notInTrace(what);
            }
            what = pinOf(step ^ 32, "salt"); // a true pair at another place, with as many siblings
            what.step = step;
            _notInTrace(what);
        }
    }

    function test_RevertWhen_theNumberOfSiblingsIsAnother() public {
        commitToDispute(dora, _task, 7, "salt");
        vm.roll(vm.getBlockNumber() + 1);
        Pin memory what = pinOf(7, "salt");
        uint256 expected = what.siblings.length;
        vm.assertEq(expected, TRACE_DEPTH + 3 - 1, "three levels apart");
        for (uint256 length = 0; length <= expected + 1; ++length) {
            if (length == expected) continue;
            what.siblings = new bytes32[](length);
            _refused(what, abi.encodeWithSelector(TraceTree.WrongTraceProofLength.selector, length, expected));
        }
    }

    function test_theBondCountsTowardsFeeAndDeposit() public {
        _pinWithBond(PRICE / 2);
        vm.assertEq(free(dora), PURSE - 31 * PAN, "fee 30 and deposit 1");
    }

    function test_aBondOfMoreIsGivenBack() public {
        _pinWithBond(100 * PAN);
        vm.assertEq(free(dora), PURSE - 31 * PAN, "fee 30 and deposit 1");
    }

    function test_RevertWhen_theBondIsTooSmall() public {
        bytes memory reason = abi.encodeWithSelector(ICourt.BondTooSmall.selector, PRICE / 2 - 1, PRICE / 2);
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        vm.prank(dora);
        challenge.commitDispute(commitment, uint96(PRICE / 2 - 1));
        vm.roll(vm.getBlockNumber() + 1);
        _refused(pinOf(7, "salt"), reason);
    }

    function test_aPinThatLosesPaysTheSolverForTheDelay() public {
        bytes32 id = disputeAs(dora, _task, 7);
        seatPanel(id);
        address solver = cases_[id].solver;
        vote(id, unanimous(3, Verdict.Valid));
        vm.warp(round(id).deadline + 1);
        uint256 before = free(solver);
        settleCase(id);
        vm.assertEq(free(solver), before + PAN, "deposit");
    }

    function test_aPinThatWinsGetsItsDepositBack() public {
        bytes32 id = disputeAs(dora, _task, 7);
        seatPanel(id);
        vote(id, unanimous(3, Verdict.Invalid));
        settle(id);
        vm.assertEq(free(dora), PURSE + 30 * PAN, "fee, deposit and bounty");
    }

    function _pinWithBond(uint256 bond) private {
        bytes32 commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        vm.prank(dora);
        challenge.commitDispute(commitment, uint96(bond));
        vm.roll(vm.getBlockNumber() + 1);
        pinAs(dora, _task, pinOf(7, "salt"));
        vm.assertEq(challenge.commitmentAt(dora, commitment).time, 0, "spent");
        vm.assertEq(free(address(court)), 31 * PAN, "with the court");
    }

    function _onTheNextChain() private returns (bytes32 commitment) {
        vm.chainId(block.chainid + 1);
        commitment = challenge.commitmentOf(_task, dora, 7, "salt");
        vm.chainId(block.chainid - 1);
    }

    function _notInTrace(Pin memory what) private {
        vm.expectPartialRevert(TraceTree.NotInTrace.selector);
        vm.prank(dora);
        challenge.pin(termsOf[_task], 0, submission(), what);
    }

    function _refused(Pin memory what, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(dora);
        challenge.pin(termsOf[_task], 0, submission(), what);
    }
}
