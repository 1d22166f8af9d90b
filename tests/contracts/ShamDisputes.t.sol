// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, RoundState, Verdict} from "../../contracts/interfaces/ICourt.sol";
import {Role} from "../../contracts/interfaces/IStaking.sol";
import {TaskStatus} from "../../contracts/interfaces/ITaskMarket.sol";
import {World} from "./support/World.sol";

/// @dev A small pool of verifiers, and somebody who disputes right results to keep it busy while a wrong one is disputed: what it
/// costs, and what it brings.
contract ShamDisputesTest is World {
    address private immutable _honest = actor("an honest disputer");
    address private immutable _sham = actor("a friend of the cheat");

    bytes32[] private _shams;
    /// for whose panels too few were free
    bytes32[] private _void;
    bytes32 private _wrong;
    address private _cheat;

    /// @dev Five verifiers with one seat each: 20 bonds, of which 16 can judge the cheat.
    function setUp() public override {
        super.setUp();
        workers.push(actor("eve"));
        fund(workers[4], PURSE);
        fund(_honest, PURSE);
        fund(_sham, PURSE);
        stakeAll(4, 1);
        _submitAll();
    }

    /// @dev The dispute finds nobody, and whoever made it has everything back. So does the buyer: a result that could not be
    /// judged is not paid for, so all that the lock can win is the stake of the cheat.
    function test_aResultThatNobodyIsFreeToJudgeIsNotPaidFor() public {
        _lock();
        uint256[3] memory before = [wealth(_cheat), free(_honest), free(buyer)];
        bytes32 caseId = disputeAs(_honest, _wrong, 7);
        nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoVerifierFree.selector, caseId, beacon.currentEpoch()));
        drawSeats(caseId);
        vm.warp(round(caseId).deadline + 1);
        advance(caseId);
        vm.assertEq(uint256(round(caseId).state), uint256(RoundState.Void), "void");
        closeAll(caseId);
        vm.assertEq(statusOf(_wrong), uint256(TaskStatus.Undecided), "disputable once more");
        vm.warp(deadlineOf(_wrong) + 1);
        finalize(_wrong);
        vm.assertEq(statusOf(_wrong), uint256(TaskStatus.Voided), "voided");
        vm.assertEq(wealth(_cheat), before[0], "the cheat wins nothing");
        vm.assertEq(free(_honest), before[1], "whoever disputed loses nothing");
        vm.assertEq(free(buyer), before[2] + PRICE, "nor does the buyer");
    }

    /// @dev A buyer has its price back for a right result that nobody could judge, its accomplice what a dispute costs, and its solver
    /// nothing. What it costs is the lock: three of them, one after the other, are 31 a bond, and bring a price for each
    /// such result. So a buyer gains by it with more than three of them for each bond that verifiers have.
    function test_aBuyerThatVoidsItsOwnRightResultsPaysForTheLockOnly() public {
        uint256 before = free(_sham);
        _lock();
        uint256 purse = free(buyer);
        uint256 accomplice = free(_honest);
        bytes32 caseId = disputeAs(_honest, _wrong, 7);
        vm.warp(round(caseId).deadline + 1);
        advance(caseId);
        closeAll(caseId);
        vm.warp(deadlineOf(_wrong) + 1);
        finalize(_wrong);
        vm.assertEq(free(buyer) + free(_honest), purse + accomplice + PRICE, "the price for nothing");
        vm.assertEq(
            before - free(_sham), _shams.length * 31 * PAN, "31 for three bonds, of one lock of three"
        );
        vm.assertTrue(3 * _shams.length * 31 * PAN > 40 * PRICE, "more than 40 results of this pool pay for");
    }

    /// @dev A locked bond costs the fee of its seat and a third of the deposit for the delay, and brings its owner that fee.
    function test_aLockCostsMoreThanTheStakeThatItSaves() public {
        uint256[2] memory before = [free(_sham), _wealthOfVerifiers()];
        _lock();
        _endShams();
        uint256 cost = before[0] - free(_sham);
        vm.assertEq(cost, _shams.length * 31 * PAN, "a fee and a deposit each");
        vm.assertEq(
            _wealthOfVerifiers(), before[1] + cost, "which go to those who were kept busy, and delayed"
        );
        vm.assertTrue(cost > STAKE, "more than the cheat could lose");
    }

    /// @dev The dispute is drawn for longer than the panels of the lock can take.
    function test_aPoolIsFreeAgainBeforeADisputeIsGivenUp() public {
        _lock();
        bytes32 caseId = disputeAs(_honest, _wrong, 7);
        uint256 lock = 600 + 40 + 30; // commit, reveal, appeal
        vm.assertEq(round(caseId).deadline, vm.getBlockTimestamp() + 60 + 2 * lock, "outlasts two");
        _endShams();
        vm.assertTrue(vm.getBlockTimestamp() <= round(caseId).deadline, "in time");
        nextEpoch();
        drawSeats(caseId);
        vote(caseId, unanimous(3, Verdict.Invalid));
        settle(caseId);
        vm.assertEq(statusOf(_wrong), uint256(TaskStatus.Rejected), "rejected");
        vm.assertTrue(staking.positionOf(subnet, Role.Solver, _cheat).jailed, "convicted");
    }

    /// @dev Nor do appeals that find nobody, and are repaid, keep the seats that a lock has taken.
    function test_appealsThatFindNobodyDoNotProlongTheLock() public {
        _lock();
        bytes32 caseId = disputeAs(_honest, _wrong, 7);
        for (uint256 i = 0; i < _shams.length; ++i) {
            vote(_shams[i], unanimous(3, Verdict.Valid));
        }
        vm.warp(round(_shams[0]).deadline); // the last second of the first
        for (uint256 i = 0; i < _shams.length; ++i) {
            vm.prank(_sham);
            appeal(_shams[i]);
        }
        vm.assertTrue(_isLocked(), "nobody is free for them");
        vm.warp(round(_shams[_shams.length - 1]).deadline + 1);
        for (uint256 i = 0; i < _shams.length; ++i) {
            advance(_shams[i]);
            closeAll(_shams[i]);
        }
        vm.assertTrue(vm.getBlockTimestamp() + EPOCH_BLOCKS <= round(caseId).deadline, "in time");
        nextEpoch();
        drawSeats(caseId);
        vote(caseId, unanimous(3, Verdict.Invalid));
        settle(caseId);
        vm.assertEq(statusOf(_wrong), uint256(TaskStatus.Rejected), "rejected");
    }

    /// @dev All results of one epoch, the first is the wrong one.
    function _submitAll() private {
        bytes32[] memory ids = post(12);
        nextEpoch();
        for (uint256 i = 0; i < ids.length; ++i) {
            assign(ids[i]);
            submitAs(taskAt(ids[i]).solver, ids[i]);
        }
        (_wrong, _cheat) = (ids[0], taskAt(ids[0]).solver);
        for (uint256 i = 1; i < ids.length; ++i) {
            _shams.push(ids[i]);
        }
    }

    /// @dev Until those who could judge the cheat have too few bonds free for a panel.
    function _lock() private {
        bytes32[] memory ids = _shams;
        delete _shams;
        for (uint256 i = 0; i < ids.length && !_isLocked(); ++i) {
            bytes32 caseId = disputeAs(_sham, ids[i], 7);
            bool isFull = false;
            for (uint256 epochs = 0; epochs < 10 && !isFull; ++epochs) {
                nextEpoch();
                try this.seat(caseId) {
                    isFull = true;
                } catch {} // NoVerifierFree
            }
            (isFull ? _shams : _void).push(caseId);
        }
        vm.assertTrue(_isLocked(), "all are busy");
    }

    /// @dev The result is right, and everybody says so; panels that could not be filled are void.
    function _endShams() private {
        for (uint256 i = 0; i < _shams.length; ++i) {
            vote(_shams[i], unanimous(3, Verdict.Valid));
        }
        for (uint256 i = 0; i < _shams.length; ++i) {
            settle(_shams[i]);
        }
        for (uint256 i = 0; i < _void.length; ++i) {
            if (vm.getBlockTimestamp() <= round(_void[i]).deadline) vm.warp(round(_void[i]).deadline + 1);
            advance(_void[i]);
            closeAll(_void[i]);
        }
    }

    function seat(bytes32 caseId) external {
        drawSeats(caseId);
    }

    function _isLocked() private view returns (bool) {
        uint256 isFree = 0;
        for (uint256 i = 0; i < workers.length; ++i) {
            if (workers[i] != _cheat) {
                isFree += staking.positionOf(subnet, Role.Verifier, workers[i]).freeBonds;
            }
        }
        return isFree < 3;
    }

    function _wealthOfVerifiers() private view returns (uint256 sum) {
        for (uint256 i = 0; i < workers.length; ++i) {
            sum += wealth(workers[i]);
        }
    }
}
