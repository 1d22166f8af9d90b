// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CaseBook} from "./court/CaseBook.sol";
import {CasePanels} from "./court/CasePanels.sol";
import {CasePayment} from "./court/CasePayment.sol";
import {Case, ICourt, Round, RoundState, Seat, Verdict} from "./interfaces/ICourt.sol";
import {IRandomnessSource} from "./interfaces/IRandomnessSource.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {ISubnetRegistry} from "./interfaces/ISubnetRegistry.sol";
import {ITaskMarket} from "./interfaces/ITaskMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Escalation} from "./libraries/Escalation.sol";
import {ParamsCode} from "./libraries/ParamsCode.sol";

/// @notice Disputes over tasks. The court's vault account holds fees and deposits of all open cases, the bonds lost in
/// them, and the bonds of commitments to disputes. A case is opened and its panels are drawn (CasePanels), they vote and rule
/// (here), and when it has ended all are paid (CasePayment); what is kept of it stands in CaseBook.
contract Court is CasePanels, CasePayment {
    using ParamsCode for address;

    constructor(
        IVault vault_,
        ISubnetRegistry registry_,
        IStaking staking_,
        IRandomnessSource beacon_,
        ITaskMarket market_,
        address challenge_
    ) CaseBook(vault_, registry_, staking_, market_) CasePanels(beacon_, challenge_) {}

    // ---------------------------------------------------------------------------------------- votes

    /// @inheritdoc ICourt
    function commitVote(Case calldata about, uint8 number, uint8 index, bytes32 commitment) external {
        (bytes32 caseId, Round storage round) = _current(about, RoundState.Commit);
        require(number == round.number, WrongRound(caseId, number, round.number));
        _inTime(caseId, round);
        bytes32 seatId = _seatId(caseId, number, index);
        Seat storage seat = _seats[seatId];
        require(seat.voter == msg.sender, NotSeatHolder(caseId, number, index, msg.sender));
        require(seat.verdict == Verdict.None, AlreadyVoted(caseId, number, index));
        require(commitment != 0, EmptyCommitment(caseId, number, index));

        bool isFirst = _commitments[seatId] == 0;
        uint8 committed = round.committed + 1;
        bool isLast = committed + _votes(round) == round.size;
        _commitments[seatId] = commitment;
        emit VoteCommitted(caseId, number, index, msg.sender);
        if (!isFirst) return;
        round.committed = committed;
        if (isLast) _openReveal(about, caseId, round);
    }

    /// @inheritdoc ICourt
    function revealVote(
        Case calldata about,
        uint8 number,
        uint8 index,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) external {
        (bytes32 caseId, Round storage round) = _current(about, RoundState.Reveal);
        require(number == round.number, WrongRound(caseId, number, round.number));
        _inTime(caseId, round);
        require(verdict != Verdict.None, NotAVerdict(verdict));
        bytes32 seatId = _seatId(caseId, number, index);
        Seat storage seat = _seats[seatId];
        address voter = seat.voter;
        bytes32 expected = _commitments[seatId];
        bytes32 opening = voteHash(caseId, number, index, voter, verdict, answer, salt);
        require(opening == expected, WrongOpening(expected, opening));

        _commitments[seatId] = 0;
        seat.verdict = verdict;
        // forge-lint: disable-next-line(unsafe-typecast)
        seat.answer = bytes8(answer); // the first bytes are enough to tell answers apart
        uint8 committed = round.committed - 1;
        round.committed = committed;
        // forge-lint: disable-next-line(unsafe-typecast)
        if (verdict == Verdict.Valid) _countValid(round, bytes8(answer));
        else if (verdict == Verdict.Invalid) round.invalid += 1;
        else round.unavailable += 1;
        emit VoteRevealed(caseId, number, index, voter, verdict, answer);
        // whether absent seats are to be replaced is for `advance` to say, which looks at the task
        if (committed == 0 && _isDecided(round)) _rule(about, caseId, round);
    }

    /// @inheritdoc ICourt
    function advance(Case calldata about) external {
        (bytes32 caseId, Round storage round) = _active(about);
        require(market.isSubmitted(about.taskId), CaseIsMoot(caseId));
        bool allOpened = round.state == RoundState.Reveal && round.committed == 0;
        require(allOpened || block.timestamp > round.deadline, DeadlineNotPassed(caseId, round.deadline));
        if (round.state == RoundState.Drawing) {
            round.excused = true;
            _void(caseId, round);
        } else if (round.state == RoundState.Commit) {
            _openReveal(about, caseId, round);
            if (round.committed == 0) _rule(about, caseId, round);
        } else if (round.state == RoundState.Reveal) {
            _rule(about, caseId, round);
        } else {
            revert WrongState(caseId, round.number, round.state);
        }
    }

    // ---------------------------------------------------------------------------------------- transitions

    function _openReveal(Case calldata about, bytes32 caseId, Round storage round) private {
        uint40 revealBy = _after(_paramsCodeOf(about).member(ParamsCode.REVEAL_SECONDS));
        round.state = RoundState.Reveal;
        round.deadline = revealBy;
        emit RevealOpened(caseId, round.number, revealBy);
    }

    /// @dev The answer with a majority, if any has one, is the candidate in the end (Boyer and Moore, 1981).
    function _countValid(Round storage round, bytes8 answer) private {
        if (round.agreeing == 0) round.answer = answer;
        if (round.answer == answer) {
            round.agreeing += 1;
        } else {
            round.agreeing -= 1;
            round.split = true;
        }
        round.valid += 1;
    }

    /// @dev Voting is over: all commitments are open, or the time for it has passed. A tie leaves the ruling that was there.
    function _rule(Case calldata about, bytes32 caseId, Round storage round) private {
        Verdict ruling = _ruling(round);
        uint256 votes = _votes(round);
        bool isTied = ruling == Verdict.None;
        if (isTied && !round.replacement && votes < round.size) return _replaceAbsent(about, caseId, round);
        address params = _paramsCodeOf(about);
        uint256 last = Escalation.lastRound(
            params.member(ParamsCode.MAX_ROUNDS), params.member(ParamsCode.TERMINAL_PANEL)
        );
        uint8 number = round.number;
        if (isTied) {
            if (number == last || !Escalation.isQuorum(round.size, votes)) return _void(caseId, round);
            ruling = round.ruling; // or a few seats that divide a panel would put an end to appeals
        }
        if (round.split) _countAgreeing(caseId, round);
        uint40 appealBy = number == last ? 0 : _after(params.member(ParamsCode.APPEAL_SECONDS));
        round.state = RoundState.Ruled;
        round.ruling = ruling;
        round.deadline = appealBy;
        emit RoundRuled(caseId, number, ruling, appealBy);
    }

    /// @dev O(size), and only where valid votes differ. An answer without a majority stands for nothing, and then
    /// none is asked for.
    function _countAgreeing(bytes32 caseId, Round storage round) private {
        uint8 agreeing = 0;
        for (uint8 index = 0; index < round.size; ++index) {
            Seat storage seat = _seats[_seatId(caseId, round.number, index)];
            if (seat.verdict == Verdict.Valid && seat.answer == round.answer) ++agreeing;
        }
        round.agreeing = 2 * agreeing > round.valid ? agreeing : 0;
    }

    function _void(bytes32 caseId, Round storage round) private {
        round.state = RoundState.Void;
        round.deadline = 0;
        emit RoundRuled(caseId, round.number, Verdict.None, 0);
    }

    function _isDecided(Round storage round) private view returns (bool) {
        return _votes(round) == round.size || _ruling(round) != Verdict.None;
    }

    function _ruling(Round storage round) private view returns (Verdict) {
        return Escalation.ruling(round.size, round.valid, round.invalid, round.unavailable);
    }
}
