// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ICourt, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {World} from "../support/World.sol";

contract RevealVoteTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    function test_anyoneOpensACommitmentButOnlyAsItWasMade() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        vm.expectPartialRevert(ICourt.WrongOpening.selector);
        court.revealVote(cases_[id], 1, 0, Verdict.Invalid, answerOf(Verdict.Valid), saltOf(0));
        vm.expectPartialRevert(ICourt.WrongOpening.selector);
        court.revealVote(cases_[id], 1, 0, Verdict.Valid, answerOf(Verdict.Invalid), saltOf(0));
        vm.expectPartialRevert(ICourt.WrongOpening.selector);
        court.revealVote(cases_[id], 1, 0, Verdict.Valid, answerOf(Verdict.Valid), saltOf(1));
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongRound.selector, id, 2, 1));
        court.revealVote(cases_[id], 2, 0, Verdict.Valid, answerOf(Verdict.Valid), saltOf(0));
        vm.expectEmit(address(court));
        emit ICourt.VoteRevealed(id, 1, 0, voter(id, 0), Verdict.Valid, answerOf(Verdict.Valid));
        vm.prank(stranger);
        court.revealVote(cases_[id], 1, 0, Verdict.Valid, answerOf(Verdict.Valid), saltOf(0));
        _revealFails(id, 0, Verdict.Valid, abi.encodePacked(ICourt.WrongOpening.selector)); // not twice
        vm.assertEq(round(id).valid, 1, "counted once");
    }

    function test_noneIsNoVerdict() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.None);
        }
        _revealFails(id, 0, Verdict.None, abi.encodeWithSelector(ICourt.NotAVerdict.selector, Verdict.None));
    }

    function test_aCopiedCommitmentCanNotBeOpened() public {
        (bytes32 id,) = voting();
        commit(id, 0, Verdict.Invalid);
        bytes32 copied = court.commitmentOf(id, 1, 0);
        for (uint8 seat = 1; seat < 3; ++seat) {
            address holder = voter(id, seat);
            vm.prank(holder);
            court.commitVote(cases_[id], 1, seat, copied);
        }
        reveal(id, 0, Verdict.Invalid);
        vm.expectPartialRevert(ICourt.WrongOpening.selector);
        court.revealVote(cases_[id], 1, 1, Verdict.Invalid, answerOf(Verdict.Invalid), saltOf(0));
    }

    function test_aVoteIsInTimeAtRevealByAndLateAfter() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        uint40 revealBy = round(id).deadline;
        uint256 snapshot = vm.snapshotState();
        vm.warp(revealBy);
        vm.expectRevert(abi.encodeWithSelector(ICourt.DeadlineNotPassed.selector, id, revealBy));
        advance(id);
        reveal(id, 0, Verdict.Valid);
        vm.revertToState(snapshot);
        vm.warp(revealBy + 1);
        _revealFails(
            id, 0, Verdict.Valid, abi.encodeWithSelector(ICourt.DeadlinePassed.selector, id, revealBy)
        );
        advance(id);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Drawing), "the silent are replaced");
    }

    function test_theVoteHashIsTheOneTheDocumentsState() public view {
        bytes32 typehash = keccak256(
            "PanthaliaVote(uint256 chainId,address court,bytes32 caseId,uint16 round,uint8 seat,address voter,uint8 verdict,bytes32 answer,bytes32 salt)"
        );
        bytes32 expected = keccak256(
            abi.encode(
                typehash,
                block.chainid,
                address(court),
                keccak256("case"),
                uint256(2),
                uint256(3),
                stranger,
                uint256(2),
                keccak256("answer"),
                keccak256("salt")
            )
        );
        vm.assertEq(
            court.voteHash(
                keccak256("case"), 2, 3, stranger, Verdict.Invalid, keccak256("answer"), keccak256("salt")
            ),
            expected,
            "hash"
        );
    }

    function testFuzz_theVoteHashBindsEverything(
        bytes32 caseId,
        uint8 number,
        uint8 seat,
        address holder,
        bytes32 answer,
        bytes32 salt
    ) public {
        bytes32 hash = court.voteHash(caseId, number, seat, holder, Verdict.Valid, answer, salt);
        _differs(hash, ~caseId, number, seat, holder, Verdict.Valid, answer, salt);
        _differs(hash, caseId, ~number, seat, holder, Verdict.Valid, answer, salt);
        _differs(hash, caseId, number, ~seat, holder, Verdict.Valid, answer, salt);
        _differs(hash, caseId, number, seat, address(~uint160(holder)), Verdict.Valid, answer, salt);
        _differs(hash, caseId, number, seat, holder, Verdict.Invalid, answer, salt);
        _differs(hash, caseId, number, seat, holder, Verdict.Valid, ~answer, salt);
        _differs(hash, caseId, number, seat, holder, Verdict.Valid, answer, ~salt);
        vm.chainId(block.chainid + 1);
        _differs(hash, caseId, number, seat, holder, Verdict.Valid, answer, salt);
    }

    function test_RevertWhen_aCommitmentIsOpenedAsSomethingElse() public {
        stakeAll(2, 4);
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        bytes32 kept = court.commitmentOf(id, 1, 0);
        for (uint256 what = 0; what < 3; ++what) {
            Verdict verdict = what == 0 ? Verdict.Invalid : Verdict.Valid;
            bytes32 answer = what == 1 ? bytes32("another") : answerOf(Verdict.Valid);
            bytes32 salt = what == 2 ? bytes32("another") : saltOf(0);
            bytes32 opening = court.voteHash(id, 1, 0, voter(id, 0), verdict, answer, salt);
            vm.expectRevert(abi.encodeWithSelector(ICourt.WrongOpening.selector, kept, opening));
            court.revealVote(cases_[id], 1, 0, verdict, answer, salt);
        }
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotAVerdict.selector, Verdict.None));
        court.revealVote(cases_[id], 1, 0, Verdict.None, 0, 0);
    }

    /// @dev A copied commitment names the first seat and its voter, so what opens that one does not open it.
    function test_RevertWhen_aCopiedCommitmentIsOpened() public {
        stakeAll(2, 4);
        (bytes32 id,) = voting();
        commit(id, 0, Verdict.Valid);
        bytes32 copied = court.commitmentOf(id, 1, 0);
        address copier = voter(id, 1);
        vm.prank(copier);
        court.commitVote(cases_[id], 1, 1, copied);
        commit(id, 2, Verdict.Valid);
        reveal(id, 0, Verdict.Valid);
        bytes32 answer = answerOf(Verdict.Valid);
        bytes32 opening = court.voteHash(id, 1, 1, copier, Verdict.Valid, answer, saltOf(0));
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongOpening.selector, copied, opening));
        court.revealVote(cases_[id], 1, 1, Verdict.Valid, answer, saltOf(0));
    }

    /// @dev The same voter in the same seat of a later round, with what it committed to in the first.
    function test_RevertWhen_aCommitmentIsReplayedInAnotherRound() public {
        stakeAll(2, 4);
        (bytes32 id,) = voting();
        bytes32[7] memory first;
        for (uint8 seat = 0; seat < 3; ++seat) {
            first[seat] = court.voteHash(
                id, 1, seat, voter(id, seat), Verdict.Valid, answerOf(Verdict.Valid), saltOf(seat)
            );
        }
        vote(id, unanimous(3, Verdict.Valid));
        vm.prank(dora);
        appeal(id);
        seatPanel(id);
        for (uint8 seat = 0; seat < 5; ++seat) {
            address holder = voter(id, seat);
            bytes32 replayed = first[seat % 3];
            vm.prank(holder);
            court.commitVote(cases_[id], 2, seat, replayed);
        }
        for (uint8 seat = 0; seat < 3; ++seat) {
            bytes32 answer = answerOf(Verdict.Valid);
            bytes32 opening =
                court.voteHash(id, 2, seat, voter(id, seat), Verdict.Valid, answer, saltOf(seat));
            vm.expectRevert(abi.encodeWithSelector(ICourt.WrongOpening.selector, first[seat], opening));
            court.revealVote(cases_[id], 2, seat, Verdict.Valid, answer, saltOf(seat));
        }
    }

    /// @dev The last commitment opened the reveal; without its block there is none, and the reveal is not open.
    function test_RevertWhen_theBlockOfACommitmentIsReorganised() public {
        stakeAll(2, 4);
        (bytes32 id,) = voting();
        commit(id, 0, Verdict.Valid);
        commit(id, 1, Verdict.Valid);
        uint256 before = vm.snapshotState();
        commit(id, 2, Verdict.Valid);
        reveal(id, 2, Verdict.Valid);
        vm.revertToState(before);
        bytes32 answer = answerOf(Verdict.Valid);
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongState.selector, id, 1, RoundState.Commit));
        court.revealVote(cases_[id], 1, 2, Verdict.Valid, answer, saltOf(2));
        vm.warp(round(id).deadline + 1);
        advance(id);
        bytes32 opening = court.voteHash(id, 1, 2, voter(id, 2), Verdict.Valid, answer, saltOf(2));
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongOpening.selector, bytes32(0), opening));
        court.revealVote(cases_[id], 1, 2, Verdict.Valid, answer, saltOf(2));
    }

    function test_theLastVoteRulesTheRound() public {
        (bytes32 id,) = voting();
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, Verdict.Valid);
        }
        reveal(id, 0, Verdict.Valid);
        reveal(id, 1, Verdict.Valid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Reveal), "one is missing");
        vm.expectEmit(address(court));
        emit ICourt.RoundRuled(id, 1, Verdict.Valid, uint40(vm.getBlockTimestamp() + 30));
        reveal(id, 2, Verdict.Valid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Ruled), "state");
    }

    /// @dev Nobody is left to replace, so nothing is to be waited for.
    function test_theLastVoteOfATieRulesTheRound() public {
        (bytes32 id,) = voting();
        Verdict[3] memory verdicts = [Verdict.Valid, Verdict.Invalid, Verdict.Unavailable];
        for (uint8 seat = 0; seat < 3; ++seat) {
            commit(id, seat, verdicts[seat]);
        }
        reveal(id, 0, verdicts[0]);
        reveal(id, 1, verdicts[1]);
        vm.expectEmit(address(court));
        emit ICourt.RoundRuled(id, 1, Verdict.None, uint40(vm.getBlockTimestamp() + 30));
        reveal(id, 2, verdicts[2]);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Ruled), "at once");
    }

    /// @dev Whether an absent seat is replaced is for `advance` to say, which looks at the task.
    function test_aTieWithAnAbsentSeatWaitsForAdvance() public {
        (bytes32 id,) = voting();
        _twoOfThree(id, Verdict.Valid, Verdict.Invalid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Reveal), "waits");
        advance(id); // at once: every commitment is open
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Drawing), "replaced");
    }

    function test_aMajorityOfThePanelRulesWithoutTheAbsent() public {
        (bytes32 id,) = voting();
        _twoOfThree(id, Verdict.Invalid, Verdict.Invalid);
        vm.assertEq(uint256(round(id).state), uint256(RoundState.Ruled), "at once");
        vm.assertEq(uint256(round(id).ruling), uint256(Verdict.Invalid), "ruling");
    }

    /// @param reason whole, or the selector alone
    function _revealFails(bytes32 id, uint8 seat, Verdict verdict, bytes memory reason) private {
        uint8 number = currentRound(id);
        if (reason.length == 4) vm.expectPartialRevert(bytes4(reason));
        else vm.expectRevert(reason);
        court.revealVote(cases_[id], number, seat, verdict, answerOf(verdict), saltOf(seat));
    }

    function _differs(
        bytes32 hash,
        bytes32 caseId,
        uint8 number,
        uint8 seat,
        address holder,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) private view {
        vm.assertNotEq(court.voteHash(caseId, number, seat, holder, verdict, answer, salt), hash, "bound");
    }

    function _twoOfThree(bytes32 id, Verdict first, Verdict second) private {
        commit(id, 0, first);
        commit(id, 1, second);
        vm.warp(round(id).deadline + 1);
        advance(id);
        reveal(id, 0, first);
        reveal(id, 1, second);
    }
}
