// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Case, CaseStatus, ICourt, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {IRandomnessSource} from "../../../contracts/interfaces/IRandomnessSource.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract DrawSeatsTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    function test_seatsAreDrawnInALaterEpochAndNeverToTheSolver() public {
        (bytes32 id, address solver) = disputed();
        uint32 epoch = beacon.currentEpoch();
        vm.expectRevert(abi.encodeWithSelector(IRandomnessSource.SeedNotDue.selector, id, epoch, epoch));
        drawSeats(id);
        nextEpoch();
        vm.prank(stranger);
        drawSeats(id);
        for (uint8 seat = 0; seat < 3; ++seat) {
            vm.assertTrue(voter(id, seat) != solver && voter(id, seat) != address(0), "seated");
        }
        vm.assertEq(free(address(court)), 31 * PAN, "fee and deposit; bonds stay where they are");
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Commit), "voting");
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Commit));
        drawSeats(id);
    }

    function test_thePanelSitsAtDrawByAndIsVoidAfter() public {
        (bytes32 id,) = disputed();
        nextEpoch();
        uint40 drawBy = round(id).deadline;
        uint256 snapshot = vm.snapshotState();
        vm.warp(drawBy);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlineNotPassed.selector, id, drawBy));
        advance(id);
        drawSeats(id);
        vm.revertToState(snapshot);
        vm.warp(drawBy + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlinePassed.selector, id, drawBy));
        drawSeats(id);
        advance(id);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Void), "void");
        closeAll(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Undecided), "task");
        vm.warp(deadlineOf(id) + 1);
        finalize(cases_[id].taskId);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Voided), "task");
        vm.assertEq(free(dora), PURSE, "fee back");
        vm.assertEq(free(buyer), PURSE, "price back");
    }

    /// @dev Or the bonds of those who were found would be locked for nothing, by whoever disputes when few are free.
    function test_aPanelOfWhichOneSeatFindsNobodySeatsNone() public {
        // only the solver and one seat of somebody else can be drawn: a bond short of a panel
        (bytes32 id, address solver) = disputed();
        address last = solver == workers[0] ? workers[1] : workers[0];
        for (uint256 i = 0; i < workers.length; ++i) {
            if (workers[i] == solver) continue;
            vm.prank(workers[i]);
            staking.requestUnstake(subnet, Role.Verifier, workers[i] == last ? 3 : 4);
        }
        uint32 epoch = beacon.currentEpoch();
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(address(court));
            staking.draw(subnet, Role.Verifier, keccak256(abi.encode(i)), solver, epoch, 1);
        }
        uint32 isFree = staking.positionOf(subnet, Role.Verifier, last).freeBonds;
        for (uint256 attempt = 0; attempt < 2; ++attempt) {
            nextEpoch();
            bytes memory reason =
                abi.encodeWithSelector(ICourt.NoVerifierFree.selector, id, beacon.currentEpoch());
            vm.expectRevert(reason);
            drawSeats(id);
        }
        vm.assertEq(round(id).drawn, 0, "none of three");
        vm.assertEq(staking.positionOf(subnet, Role.Verifier, last).freeBonds, isFree, "no bond is locked");
        vm.warp(round(id).deadline);
        vm.prank(address(court));
        staking.release(subnet, Role.Verifier, last);
        for (uint256 epochs = 0; epochs < 10 && round(id).state == RoundState.Drawing; ++epochs) {
            nextEpoch();
            try court.drawSeats(cases_[id]) {} catch {} // four of five tickets are the solver's
        }
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Commit), "voting, in the last second");
    }

    /// @dev The court keeps a hash: whatever is changed in the case, it is one that does not exist.
    function test_RevertWhen_theCaseIsAnother() public {
        stakeAll(2, 4);
        (bytes32 id,) = voting();
        for (uint256 field = 0; field < 5; ++field) {
            Case memory other = cases_[id];
            if (field == 0) other.solver = stranger;
            else if (field == 1) other.disputer = stranger;
            else if (field == 2) other.step += 1;
            else if (field == 3) other.paramsVersion += 1;
            else other.taskId = keccak256("another");
            bytes32 otherId = court.caseIdOf(other);
            vm.expectRevert(abi.encodeWithSelector(ICourt.CaseNotActive.selector, otherId, CaseStatus.None));
            court.drawSeats(other);
            vm.expectRevert(abi.encodeWithSelector(ICourt.CaseNotEnded.selector, otherId, CaseStatus.None));
            court.closeSeats(other, 1);
        }
    }

    /// @dev Nobody chooses: everyone can compute the panel of a round from the seed of the epoch before.
    function test_aSeatFollowsFromSeedCaseRoundAndPlace() public {
        (bytes32 id,) = disputed();
        _drawsAsItMust(id);
        vote(id, unanimous(3, Verdict.Valid));
        vm.prank(dora);
        appeal(id);
        _drawsAsItMust(id);
    }

    function _drawsAsItMust(bytes32 id) private {
        nextEpoch();
        uint8 number = currentRound(id);
        uint8 size = round(id).size;
        for (uint8 seat = 0; seat < size; ++seat) {
            vm.expectEmit(address(court));
            emit ICourt.SeatDrawn(id, number, seat, _ownerOf(id, number, seat));
        }
        vm.expectEmit(address(court));
        emit ICourt.VotingOpened(id, number, uint40(vm.getBlockTimestamp() + 600));
        drawSeats(id);
        vm.assertEq(round(id).deadline, vm.getBlockTimestamp() + 600, "commitBy");
    }

    /// @dev There are bonds enough for everybody, so only the solver is passed over.
    function _ownerOf(bytes32 id, uint8 number, uint8 seat) private view returns (address owner) {
        (bytes32 seed,) = beacon.seed(beacon.currentEpoch() - 1);
        uint256 seats = staking.drawableSeats(subnet, Role.Verifier);
        bytes32 entropy = keccak256(abi.encode(seed, id, number, seat));
        uint256 attempt = 0;
        do {
            uint256 ticket = uint256(keccak256(abi.encode(entropy, attempt++))) % seats;
            owner = staking.ownerOfTicket(subnet, Role.Verifier, ticket);
        } while (owner == cases_[id].solver);
    }
}
