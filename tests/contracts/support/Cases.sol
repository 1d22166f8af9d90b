// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Case, CaseStatus, Round, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Pin} from "../../../contracts/interfaces/IStepChallenge.sol";
import {Submission, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Tasks} from "./Tasks.sol";

/// @dev A dispute, and verbs that take it to the state a test is about.
abstract contract Cases is Tasks {
    uint256 private _pins;

    /// @dev Committed to in the block before, then pinned.
    function disputeAs(address disputer, bytes32 id, uint32 step) internal returns (bytes32 caseId) {
        bytes32 salt = bytes32(++_pins);
        vm.roll(vm.getBlockNumber() - 1);
        commitToDispute(disputer, id, step, salt);
        vm.roll(vm.getBlockNumber() + 1);
        return pinAs(disputer, id, submissionOf(id), pinOf(leavesOf(id), step, salt));
    }

    /// @dev With the bond that the parameters ask for.
    function commitToDispute(address disputer, bytes32 id, uint32 step, bytes32 salt) internal {
        bytes32 commitment = challenge.commitmentOf(id, disputer, step, salt);
        vm.prank(disputer);
        challenge.commitDispute(commitment, termsOf[id].price / 2);
    }

    function pinAs(address disputer, bytes32 id, Pin memory what) internal returns (bytes32 caseId) {
        return pinAs(disputer, id, submission(), what);
    }

    function pinAs(address disputer, bytes32 id, Submission memory of_, Pin memory what)
        internal
        returns (bytes32 caseId)
    {
        Terms memory t = termsOf[id];
        vm.prank(disputer);
        caseId = challenge.pin(t, slotOf[id], of_, what);
        address solver = market.task(t, slotOf[id]).solver;
        uint40 openedAt = uint40(vm.getBlockTimestamp());
        cases_[caseId] = Case(id, t.subnetId, t.paramsVersion, solver, disputer, what.step, openedAt);
    }

    /// @return id of the case
    function disputed() internal returns (bytes32 id, address solver) {
        (id, solver) = submitted();
        id = disputeAs(dora, id, 7);
    }

    /// @dev A dispute whose first panel sits.
    function voting() internal returns (bytes32 id, address solver) {
        (id, solver) = disputed();
        seatPanel(id);
    }

    function seatPanel(bytes32 id) internal {
        nextEpoch();
        drawSeats(id);
    }

    function drawSeats(bytes32 id) internal {
        court.drawSeats(cases_[id]);
    }

    function advance(bytes32 id) internal {
        court.advance(cases_[id]);
    }

    function appeal(bytes32 id) internal {
        court.appeal(cases_[id]);
    }

    function settleCase(bytes32 id) internal {
        bytes32 taskId = cases_[id].taskId;
        court.settle(cases_[id], termsOf[taskId], slotOf[taskId]);
    }

    function currentRound(bytes32 id) internal view returns (uint8) {
        return court.newestRound(id).number;
    }

    function round(bytes32 id) internal view returns (Round memory) {
        return court.newestRound(id);
    }

    function voter(bytes32 id, uint8 seat) internal view returns (address) {
        return court.seatOf(id, currentRound(id), seat).voter;
    }

    function answerOf(Verdict verdict) internal pure returns (bytes32) {
        return keccak256(abi.encode(verdict));
    }

    function saltOf(uint8 seat) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", seat));
    }

    function commit(bytes32 id, uint8 seat, Verdict verdict) internal {
        address holder = voter(id, seat);
        uint8 number = currentRound(id);
        bytes32 commitment =
            court.voteHash(id, number, seat, holder, verdict, answerOf(verdict), saltOf(seat));
        vm.prank(holder);
        court.commitVote(cases_[id], number, seat, commitment);
    }

    function reveal(bytes32 id, uint8 seat, Verdict verdict) internal {
        court.revealVote(cases_[id], currentRound(id), seat, verdict, answerOf(verdict), saltOf(seat));
    }

    /// @dev Votes for the first seats; `None` is a seat that stays away. Then the round is moved on.
    function vote(bytes32 id, Verdict[] memory verdicts) internal {
        bool absent = false;
        uint8 number = currentRound(id);
        for (uint8 seat = 0; seat < verdicts.length; ++seat) {
            if (verdicts[seat] == Verdict.None) absent = true;
            else commit(id, seat, verdicts[seat]);
        }
        if (absent) {
            vm.warp(round(id).deadline + 1);
            advance(id);
        }
        for (uint8 seat = 0; seat < verdicts.length; ++seat) {
            if (verdicts[seat] == Verdict.None) continue;
            court.revealVote(cases_[id], number, seat, verdicts[seat], answerOf(verdicts[seat]), saltOf(seat));
        }
        if (round(id).state == RoundState.Reveal) advance(id);
    }

    function unanimous(uint256 seats, Verdict verdict) internal pure returns (Verdict[] memory verdicts) {
        verdicts = new Verdict[](seats);
        for (uint256 seat = 0; seat < seats; ++seat) {
            verdicts[seat] = verdict;
        }
    }

    function three(Verdict a, Verdict b, Verdict c) internal pure returns (Verdict[] memory verdicts) {
        verdicts = new Verdict[](3);
        (verdicts[0], verdicts[1], verdicts[2]) = (a, b, c);
    }

    /// @dev Let the appeal window pass and pay everybody.
    function settle(bytes32 id) internal {
        vm.warp(round(id).deadline + 1);
        closeAll(id);
    }

    function closeAll(bytes32 id) internal {
        if (round(id).status == CaseStatus.Active) settleCase(id);
        for (uint8 number = 1; number <= currentRound(id); ++number) {
            court.closeSeats(cases_[id], number);
        }
    }

    function seatsHeld(bytes32 id, uint8 number, address account) internal view returns (uint256 held) {
        uint8 size = court.roundOf(id, number).size;
        for (uint8 seat = 0; seat < size; ++seat) {
            if (court.seatOf(id, number, seat).voter == account) ++held;
        }
    }
}
