// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ICourt, Verdict} from "../../contracts/interfaces/ICourt.sol";
import {IRandomnessBeacon} from "../../contracts/interfaces/IRandomnessBeacon.sol";
import {IRandomnessSource} from "../../contracts/interfaces/IRandomnessSource.sol";
import {IStaking, Role} from "../../contracts/interfaces/IStaking.sol";
import {IStepChallenge} from "../../contracts/interfaces/IStepChallenge.sol";
import {ISubnetRegistry} from "../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket, TaskStatus, Terms} from "../../contracts/interfaces/ITaskMarket.sol";
import {Turns} from "./support/Turns.sol";
import {World} from "./support/World.sol";

/// @dev See Deadlines.tree. A deadline is the last second that is in time. Those of checks: audit/CheckDeadlines.t.sol.
contract DeadlinesTest is World, Turns {
    function setUp() public override {
        super.setUp();
        stakeAll(2, 4);
    }

    // ------------------------------------------------------------------------------------ tasks

    function test_openBy() public {
        bytes32 id = postOne();
        nextEpoch();
        _turnTask(id, Call(address(market), stranger, _assign(id)), _expire(id));
    }

    function test_openByOfATaskThatWasOpenedAgain() public {
        (bytes32 id,) = assigned();
        vm.warp(deadlineOf(id) + 1);
        expire(id);
        nextEpoch();
        vm.assertEq(taskAt(id).attempt, 2, "attempt");
        _turnTask(id, Call(address(market), stranger, _assign(id)), _expire(id));
    }

    function test_solveBy() public {
        (bytes32 id, address solver) = assigned();
        bytes memory submit = abi.encodeCall(ITaskMarket.submit, (termsOf[id], slotOf[id], submission()));
        _turnTask(id, Call(address(market), solver, submit), _expire(id));
    }

    function test_challengeBy() public {
        (bytes32 id,) = submitted();
        _turnTask(id, _demand(id), _finalize(id));
        _turnTask(id, _pin(id), _finalize(id));
    }

    function test_challengeByOfAnUndecidedTask() public {
        (bytes32 caseId,) = disputed();
        vm.warp(round(caseId).deadline + 1);
        advance(caseId); // no panel
        settle(caseId);
        bytes32 id = cases_[caseId].taskId;
        vm.assertEq(statusOf(id), uint256(TaskStatus.Undecided), "status");
        _turnTask(id, _pin(id), _finalize(id));
    }

    function test_challengeByOnceLeavesAreShown() public {
        (bytes32 id,) = submitted();
        Call memory demand = _demand(id);
        tryNow(demand, "");
        pass(defaultParams().clockSeconds);
        challenge.publishLeaves(termsOf[id], slotOf[id], submission(), leavesOfTheTrace());
        vm.assertEq(deadlineOf(id), vm.getBlockTimestamp() + defaultParams().challengeSeconds, "anew");
        _turnTask(id, _pin(id), _finalize(id));
    }

    function test_manyAtOpenBy() public {
        bytes32 id = postOne();
        nextEpoch();
        _turnMany(
            id,
            abi.encodeCall(ITaskMarket.assignMany, (termsOf[id], 1)),
            abi.encodeCall(ITaskMarket.expireMany, (termsOf[id], 1))
        );
    }

    function test_manyAtSolveBy() public {
        (bytes32 id,) = assigned();
        bytes memory expireMany = abi.encodeCall(ITaskMarket.expireMany, (termsOf[id], 1));
        for (uint256 t = deadlineOf(id) - 1; t <= deadlineOf(id) + 1; ++t) {
            countAt(t, Call(address(market), stranger, expireMany), t > deadlineOf(id) ? 1 : 0);
        }
    }

    function test_manyAtChallengeBy() public {
        (bytes32 id,) = submitted();
        bytes memory finalizeMany = abi.encodeCall(ITaskMarket.finalizeMany, (termsOf[id], 1));
        for (uint256 t = deadlineOf(id) - 1; t <= deadlineOf(id) + 1; ++t) {
            countAt(t, Call(address(market), stranger, finalizeMany), t > deadlineOf(id) ? 1 : 0);
        }
    }

    // ------------------------------------------------------------------------------------ leaves

    function test_answerBy() public {
        (bytes32 id,) = submitted();
        Call memory demand = _demand(id);
        tryNow(demand, "");
        Terms memory posted = termsOf[id];
        bytes memory publish =
            abi.encodeCall(IStepChallenge.publishLeaves, (posted, 0, submission(), leavesOfTheTrace()));
        turn(
            challenge.demandOf(id).answerBy,
            Call(address(challenge), stranger, publish),
            Call(address(challenge), stranger, abi.encodeCall(IStepChallenge.closeDemand, (posted, 0))),
            id,
            IStepChallenge.AnswerTooLate.selector,
            IStepChallenge.AnswerNotDue.selector
        );
    }

    /// @dev Seven days; nothing but being dropped ends it.
    function test_lifeOfACommitment() public {
        (bytes32 id,) = submitted();
        commitToDispute(dora, id, 7, "salt");
        bytes32 commitment = challenge.commitmentOf(id, dora, 7, "salt");
        uint256 until = vm.getBlockTimestamp() + 7 days;
        bytes memory drop = abi.encodeCall(IStepChallenge.dropCommitment, (dora, commitment));
        bytes4 selector = IStepChallenge.CommitmentStillGood.selector;
        opens(
            until + 1,
            Call(address(challenge), stranger, drop),
            abi.encodeWithSelector(selector, commitment, until)
        );
    }

    function test_aCommitmentIsPinnedFromTheNextBlockOn() public {
        (bytes32 id,) = submitted();
        commitToDispute(dora, id, 7, "salt");
        bytes32 commitment = challenge.commitmentOf(id, dora, 7, "salt");
        uint256 block_ = vm.getBlockNumber();
        Call memory pin_ = Call(
            address(challenge),
            dora,
            abi.encodeCall(IStepChallenge.pin, (termsOf[id], slotOf[id], submission(), pinOf(7, "salt")))
        );
        tryNow(pin_, abi.encodeWithSelector(IStepChallenge.CommitmentTooYoung.selector, commitment, block_));
        for (uint256 later = 1; later <= 2; ++later) {
            uint256 before = vm.snapshotState();
            vm.roll(block_ + later);
            tryNow(pin_, "");
            vm.revertToState(before);
        }
    }

    // ------------------------------------------------------------------------------------ cases

    function test_drawBy() public {
        (bytes32 id,) = disputed();
        nextEpoch();
        _turnCase(id, stranger, abi.encodeCall(ICourt.drawSeats, (cases_[id])));
    }

    function test_drawByOfAReplacement() public {
        (bytes32 id,) = voting();
        vm.warp(round(id).deadline + 1);
        advance(id); // nobody votes
        vm.assertTrue(round(id).replacement, "a replacement");
        nextEpoch();
        _turnCase(id, stranger, abi.encodeCall(ICourt.drawSeats, (cases_[id])));
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
        turn(
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

    // ------------------------------------------------------------------------------------ bonds, permits

    function test_theBondOfASubnetGoesBackFromTheThirtiethDayOn() public {
        registry.closeSubnet(subnet);
        uint40 bondAt = uint40(vm.getBlockTimestamp() + 30 days);
        opens(
            bondAt,
            Call(address(registry), stranger, abi.encodeCall(ISubnetRegistry.returnBond, (subnet))),
            abi.encodeWithSelector(ISubnetRegistry.BondNotDue.selector, subnet, bondAt)
        );
    }

    function test_deadlineOfAPermit() public {
        uint256 key = 0xa11ce;
        uint256 deadline = vm.getBlockTimestamp() + 100;
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 content = keccak256(abi.encode(typehash, vm.addr(key), stranger, uint256(9), 0, deadline));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), content)));
        bytes memory permit =
            abi.encodeCall(IERC20Permit.permit, (vm.addr(key), stranger, 9, deadline, v, r, s));
        for (uint256 t = deadline - 1; t <= deadline + 1; ++t) {
            bytes memory late = abi.encodeWithSelector(ERC20Permit.ERC2612ExpiredSignature.selector, deadline);
            tryAt(t, Call(address(token), stranger, permit), t <= deadline ? bytes("") : late);
        }
    }

    // ------------------------------------------------------------------------------------ epochs, blocks

    function test_cancelOnlyInTheEpochOfPosting() public {
        bytes32 id = postOne();
        uint32 epoch = beacon.currentEpoch();
        Call memory cancel_ =
            Call(address(market), buyer, abi.encodeCall(ITaskMarket.cancel, (termsOf[id], slotOf[id])));
        Call memory assign_ = Call(address(market), stranger, _assign(id));
        vm.roll((uint256(epoch) + 1) * EPOCH_BLOCKS - 1); // its last block
        uint256 before = vm.snapshotState();
        tryNow(cancel_, "");
        vm.revertToState(before);
        tryNow(assign_, abi.encodeWithSelector(IRandomnessSource.SeedNotDue.selector, id, epoch, epoch));
        for (uint32 next = epoch + 1; next <= epoch + 2; ++next) {
            vm.roll(uint256(next) * EPOCH_BLOCKS); // its first block
            tryNow(cancel_, abi.encodeWithSelector(ITaskMarket.SeedMayBeKnown.selector, id, epoch, next));
            tryNow(assign_, abi.encodeWithSelector(IRandomnessSource.SeedNotKnown.selector, next - 1));
        }
        nextEpoch();
        tryNow(assign_, "");
    }

    function test_seatsAreDrawnFromTheEpochAfterTheDispute() public {
        (bytes32 id,) = disputed();
        uint32 epoch = beacon.currentEpoch();
        Call memory draw = Call(address(court), stranger, abi.encodeCall(ICourt.drawSeats, (cases_[id])));
        tryNow(draw, abi.encodeWithSelector(IRandomnessSource.SeedNotDue.selector, id, epoch, epoch));
        for (uint256 later = 1; later <= 2; ++later) {
            nextEpoch();
            uint256 before = vm.snapshotState();
            tryNow(draw, "");
            vm.revertToState(before);
        }
    }

    function test_stakeIsPaidOutFromUnlockAtOn() public {
        Call memory withdraw =
            Call(address(staking), workers[0], abi.encodeCall(IStaking.withdrawStake, (subnet, Role.Solver)));
        vm.prank(workers[0]);
        staking.requestUnstake(subnet, Role.Solver, 1);
        uint40 unlockAt = staking.positionOf(subnet, Role.Solver, workers[0]).unlockAt;
        vm.assertEq(unlockAt, beacon.currentEpoch() + 2, "unlockAt");
        vm.roll(unlockAt * EPOCH_BLOCKS - 1); // the last block before
        tryNow(withdraw, abi.encodeWithSelector(IStaking.StillCoolingDown.selector, unlockAt, unlockAt - 1));
        uint256 before = vm.snapshotState();
        vm.roll(unlockAt * EPOCH_BLOCKS);
        tryNow(withdraw, "");
        vm.revertToState(before);
        vm.roll((unlockAt + 1) * EPOCH_BLOCKS);
        tryNow(withdraw, "");
    }

    function test_aVersionIsInForceOnceItsNoticeIsOver() public {
        Terms memory old = terms(1);
        Terms memory next = terms(1);
        next.paramsVersion = registry.addParams(subnet, defaultParams());
        uint32 from = beacon.currentEpoch() + defaultParams().cooldownEpochs;
        Call memory add = Call(
            address(registry),
            address(this),
            abi.encodeCall(ISubnetRegistry.addParams, (subnet, defaultParams()))
        );
        for (uint256 epoch = from - 1; epoch <= from + 1; ++epoch) {
            _tryVersions(epoch, epoch >= from, old, next);
            bytes memory early = abi.encodeWithSelector(
                ISubnetRegistry.VersionNotInForce.selector, subnet, next.paramsVersion, from
            );
            tryAtBlock(epoch * EPOCH_BLOCKS, add, epoch >= from ? bytes("") : early);
        }
    }

    function _tryVersions(uint256 epoch, bool isThere, Terms memory old, Terms memory next) private {
        bytes4 wrong = ITaskMarket.NotCurrentVersion.selector;
        bytes memory isOld = abi.encodeWithSelector(wrong, old.paramsVersion, next.paramsVersion);
        bytes memory isNew = abi.encodeWithSelector(wrong, next.paramsVersion, old.paramsVersion);
        tryAtBlock(epoch * EPOCH_BLOCKS, _post(old), isThere ? isOld : bytes(""));
        tryAtBlock(epoch * EPOCH_BLOCKS, _post(next), isThere ? bytes("") : isNew);
    }

    /// @dev How long its header can be proven: beacon/Fulfil.t.sol, block for block.
    function test_theSeedIsToldFromTheBlockAfterItsOwnOn() public {
        uint32 epoch = beacon.currentEpoch();
        uint256 target = beacon.targetBlock(epoch);
        bytes memory header = headerOf(target);
        Call memory fulfil =
            Call(address(beacon), stranger, abi.encodeCall(IRandomnessBeacon.fulfil, (epoch, header)));
        for (uint256 number = target - 1; number <= target; ++number) {
            vm.roll(number);
            tryNow(fulfil, abi.encodeWithSelector(IRandomnessBeacon.TargetNotMined.selector, target, number));
        }
        for (uint256 number = target + 1; number <= target + 2; ++number) {
            uint256 before = vm.snapshotState();
            vm.roll(number);
            vm.setBlockhash(target, keccak256(header));
            tryNow(fulfil, "");
            vm.revertToState(before);
        }
    }

    // ------------------------------------------------------------------------------------ calls

    function _turnTask(bytes32 id, Call memory upTo, Call memory from) private {
        bytes4 passed = ITaskMarket.DeadlinePassed.selector;
        turn(deadlineOf(id), upTo, from, id, passed, ITaskMarket.DeadlineNotPassed.selector);
    }

    function _turnMany(bytes32 id, bytes memory upTo, bytes memory from) private {
        turnOfMany(
            deadlineOf(id), Call(address(market), stranger, upTo), Call(address(market), stranger, from)
        );
    }

    /// @dev `advance` is what ends the wait.
    function _turnCase(bytes32 id, address caller, bytes memory upTo) private {
        turn(
            round(id).deadline,
            Call(address(court), caller, upTo),
            Call(address(court), stranger, abi.encodeCall(ICourt.advance, (cases_[id]))),
            id,
            ICourt.DeadlinePassed.selector,
            ICourt.DeadlineNotPassed.selector
        );
    }

    function _assign(bytes32 id) private view returns (bytes memory) {
        return abi.encodeCall(ITaskMarket.assign, (termsOf[id], slotOf[id]));
    }

    function _post(Terms memory posted) private view returns (Call memory) {
        return Call(address(market), buyer, abi.encodeCall(ITaskMarket.createBatch, (posted)));
    }

    function _expire(bytes32 id) private view returns (Call memory) {
        return Call(address(market), stranger, abi.encodeCall(ITaskMarket.expire, (termsOf[id], slotOf[id])));
    }

    function _finalize(bytes32 id) private view returns (Call memory) {
        return
            Call(address(market), stranger, abi.encodeCall(ITaskMarket.finalize, (termsOf[id], slotOf[id])));
    }

    function _demand(bytes32 id) private view returns (Call memory) {
        bytes memory demand =
            abi.encodeCall(IStepChallenge.demandLeaves, (termsOf[id], slotOf[id], submission()));
        return Call(address(challenge), dora, demand);
    }

    /// @dev Committed to in the block before.
    function _pin(bytes32 id) private returns (Call memory) {
        commitToDispute(dora, id, 9, "in time");
        vm.roll(vm.getBlockNumber() + 1);
        bytes memory pin_ =
            abi.encodeCall(IStepChallenge.pin, (termsOf[id], slotOf[id], submission(), pinOf(9, "in time")));
        return Call(address(challenge), dora, pin_);
    }
}
