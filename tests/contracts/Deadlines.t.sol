// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, Verdict} from "../../contracts/interfaces/ICourt.sol";
import {IRandomnessSource} from "../../contracts/interfaces/IRandomnessSource.sol";
import {IStaking, Role} from "../../contracts/interfaces/IStaking.sol";
import {IStepChallenge} from "../../contracts/interfaces/IStepChallenge.sol";
import {ITaskMarket, Terms} from "../../contracts/interfaces/ITaskMarket.sol";
import {World} from "./support/World.sol";

/// @dev See Deadlines.tree. A deadline is the last second that is in time.
contract DeadlinesTest is World {
    struct Call {
        address target;
        address caller;
        bytes data;
    }

    function setUp() public override {
        super.setUp();
        stakeAll(2, 4);
    }

    function test_openBy() public {
        bytes32 id = postOne();
        nextEpoch();
        _turn(
            deadlineOf(id),
            Call(address(market), stranger, abi.encodeCall(ITaskMarket.assign, (termsOf[id], slotOf[id]))),
            Call(address(market), stranger, abi.encodeCall(ITaskMarket.expire, (termsOf[id], slotOf[id]))),
            id,
            ITaskMarket.DeadlinePassed.selector,
            ITaskMarket.DeadlineNotPassed.selector
        );
    }

    function test_solveBy() public {
        (bytes32 id, address solver) = assigned();
        bytes memory submit = abi.encodeCall(ITaskMarket.submit, (termsOf[id], slotOf[id], submission()));
        _turn(
            deadlineOf(id),
            Call(address(market), solver, submit),
            Call(address(market), stranger, abi.encodeCall(ITaskMarket.expire, (termsOf[id], slotOf[id]))),
            id,
            ITaskMarket.DeadlinePassed.selector,
            ITaskMarket.DeadlineNotPassed.selector
        );
    }

    function test_challengeBy() public {
        (bytes32 id,) = submitted();
        uint40 challengeBy = uint40(deadlineOf(id));
        bytes memory tooLate = abi.encodeWithSelector(ITaskMarket.DeadlinePassed.selector, id, challengeBy);
        bytes memory tooEarly =
            abi.encodeWithSelector(ITaskMarket.DeadlineNotPassed.selector, id, challengeBy);
        bytes memory finalize_ = abi.encodeCall(ITaskMarket.finalize, (termsOf[id], slotOf[id]));
        for (uint256 t = challengeBy - 1; t <= challengeBy + 1; ++t) {
            bool late = t > challengeBy;
            uint256 before = vm.snapshotState();
            vm.warp(t);
            _check(Call(address(market), stranger, finalize_), late ? bytes("") : tooEarly);
            vm.revertToState(before);
            vm.warp(t);
            try this.dispute(id) {
                vm.assertTrue(!late, "in time");
            } catch (bytes memory reason) {
                vm.assertTrue(late && keccak256(reason) == keccak256(tooLate), "too late");
            }
            vm.revertToState(before);
        }
    }

    function dispute(bytes32 id) external {
        disputeAs(dora, id, 7);
    }

    function test_drawBy() public {
        (bytes32 id,) = disputed();
        nextEpoch();
        _turnCase(id, stranger, abi.encodeCall(ICourt.drawSeats, (cases_[id])));
    }

    function test_answerBy() public {
        (bytes32 id,) = submitted();
        Terms memory posted = termsOf[id];
        vm.prank(dora);
        challenge.demandLeaves(posted, 0, submission());
        bytes memory publish =
            abi.encodeCall(IStepChallenge.publishLeaves, (posted, 0, submission(), leavesOfTheTrace()));
        _turn(
            challenge.demandOf(id).answerBy,
            Call(address(challenge), stranger, publish),
            Call(address(challenge), stranger, abi.encodeCall(IStepChallenge.closeDemand, (posted, 0))),
            id,
            IStepChallenge.AnswerTooLate.selector,
            IStepChallenge.AnswerNotDue.selector
        );
    }

    function test_commitBy() public {
        (bytes32 id,) = voting();
        _turnCase(
            id, voter(id, 0), abi.encodeCall(ICourt.commitVote, (cases_[id], 1, 0, bytes32("commitment")))
        );
    }

    function test_revealBy() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        _turnCase(
            id,
            stranger,
            abi.encodeCall(
                ICourt.revealVote, (cases_[id], 1, 0, Verdict.Valid, answerOf(Verdict.Valid), saltOf(0))
            )
        );
    }

    function test_appealBy() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        bytes32 task = cases_[id].taskId;
        _turn(
            round(id).deadline,
            Call(address(court), dora, abi.encodeCall(ICourt.appeal, (cases_[id]))),
            Call(
                address(court),
                stranger,
                abi.encodeCall(ICourt.settle, (cases_[id], termsOf[task], slotOf[task]))
            ),
            id,
            ICourt.DeadlinePassed.selector,
            ICourt.DeadlineNotPassed.selector
        );
    }

    function test_cancelOnlyInTheEpochOfPosting() public {
        bytes32 id = postOne();
        uint32 epoch = beacon.currentEpoch();
        bytes memory cancel_ = abi.encodeCall(ITaskMarket.cancel, (termsOf[id], slotOf[id]));
        bytes memory assign_ = abi.encodeCall(ITaskMarket.assign, (termsOf[id], slotOf[id]));
        vm.roll((uint256(epoch) + 1) * EPOCH_BLOCKS - 1); // its last block
        uint256 before = vm.snapshotState();
        _check(Call(address(market), buyer, cancel_), "");
        vm.revertToState(before);
        _check(
            Call(address(market), stranger, assign_),
            abi.encodeWithSelector(IRandomnessSource.SeedNotDue.selector, id, epoch, epoch)
        );
        vm.roll((uint256(epoch) + 1) * EPOCH_BLOCKS); // the first of the next
        _check(
            Call(address(market), buyer, cancel_),
            abi.encodeWithSelector(ITaskMarket.SeedMayBeKnown.selector, id, epoch, epoch + 1)
        );
        _check(
            Call(address(market), stranger, assign_),
            abi.encodeWithSelector(IRandomnessSource.SeedNotKnown.selector, epoch)
        );
    }

    function test_seatsAreDrawnFromTheEpochAfterTheDispute() public {
        (bytes32 id,) = disputed();
        uint32 epoch = beacon.currentEpoch();
        bytes memory draw = abi.encodeCall(ICourt.drawSeats, (cases_[id]));
        _check(
            Call(address(court), stranger, draw),
            abi.encodeWithSelector(IRandomnessSource.SeedNotDue.selector, id, epoch, epoch)
        );
        nextEpoch();
        _check(Call(address(court), stranger, draw), "");
    }

    function test_stakeIsPaidOutFromUnlockAtOn() public {
        bytes memory withdraw = abi.encodeCall(IStaking.withdrawStake, (subnet, Role.Solver));
        vm.prank(workers[0]);
        staking.requestUnstake(subnet, Role.Solver, 1);
        uint40 unlockAt = staking.positionOf(subnet, Role.Solver, workers[0]).unlockAt;
        vm.assertEq(unlockAt, beacon.currentEpoch() + 2, "unlockAt");
        vm.roll(unlockAt * EPOCH_BLOCKS - 1);
        _check(
            Call(address(staking), workers[0], withdraw),
            abi.encodeWithSelector(IStaking.StillCoolingDown.selector, unlockAt, unlockAt - 1)
        );
        vm.roll(unlockAt * EPOCH_BLOCKS);
        _check(Call(address(staking), workers[0], withdraw), "");
    }

    /// @dev `advance` is what ends the wait.
    function _turnCase(bytes32 id, address caller, bytes memory upTo) private {
        _turn(
            round(id).deadline,
            Call(address(court), caller, upTo),
            Call(address(court), stranger, abi.encodeCall(ICourt.advance, (cases_[id]))),
            id,
            ICourt.DeadlinePassed.selector,
            ICourt.DeadlineNotPassed.selector
        );
    }

    function _turn(
        uint256 deadline,
        Call memory upTo,
        Call memory from,
        bytes32 id,
        bytes4 passed,
        bytes4 notPassed
    ) private {
        for (uint256 t = deadline - 1; t <= deadline + 1; ++t) {
            uint256 before = vm.snapshotState();
            vm.warp(t);
            _check(upTo, t <= deadline ? bytes("") : abi.encodeWithSelector(passed, id, deadline));
            vm.revertToState(before);
            vm.warp(t);
            _check(from, t > deadline ? bytes("") : abi.encodeWithSelector(notPassed, id, deadline));
            vm.revertToState(before);
        }
    }

    /// @param reason empty if the call must go through
    function _check(Call memory call, bytes memory reason) private {
        vm.prank(call.caller);
        (bool ok, bytes memory answer) = call.target.call(call.data);
        vm.assertEq(ok ? 1 : 0, reason.length == 0 ? 1 : 0, "in time or not");
        if (!ok) vm.assertEq(keccak256(answer), keccak256(reason), "with these arguments");
    }
}
