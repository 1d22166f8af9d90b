// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {CaseStatus, DisputeCase, ICourt, Round, RoundState, Seat, Verdict} from "./interfaces/ICourt.sol";
import {IRandomnessSource} from "./interfaces/IRandomnessSource.sol";
import {IStaking, Role} from "./interfaces/IStaking.sol";
import {ISubnetRegistry, Params} from "./interfaces/ISubnetRegistry.sol";
import {ITaskMarket} from "./interfaces/ITaskMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {EpochSeed} from "./libraries/EpochSeed.sol";
import {Escalation} from "./libraries/Escalation.sol";
import {Settlement} from "./libraries/Settlement.sol";
import {VoteHash} from "./libraries/VoteHash.sol";

/// @notice Disputes over tasks. The court's vault account holds the fees and the bonds of all open cases. It
/// decides what verifiers and those who paid for panels get; price and solver's seat are the market's.
contract Court is ICourt, ReentrancyGuardTransient {
    using EpochSeed for IRandomnessSource;
    using SafeCast for uint256;

    /// Bounds the gas of one drawSeats; a larger panel takes more calls.
    uint256 public constant MOST_DRAWS = 16;

    IVault public immutable vault;
    ISubnetRegistry public immutable registry;
    IStaking public immutable staking;
    IRandomnessSource public immutable beacon;
    ITaskMarket public immutable market;

    mapping(bytes32 caseId => DisputeCase) private _cases;
    mapping(bytes32 caseId => mapping(uint16 number => Round)) private _rounds;
    mapping(bytes32 caseId => mapping(uint16 number => mapping(uint8 seat => Seat))) private _seats;

    constructor(
        IVault vault_,
        ISubnetRegistry registry_,
        IStaking staking_,
        IRandomnessSource beacon_,
        ITaskMarket market_
    ) {
        vault = vault_;
        registry = registry_;
        staking = staking_;
        beacon = beacon_;
        market = market_;
    }

    // ---------------------------------------------------------------------------------------- panels

    /// @inheritdoc ICourt
    function openDispute(bytes32 taskId, uint32 step) external returns (bytes32 caseId) {
        caseId = taskId;
        DisputeCase storage entry = _cases[caseId];
        (entry.subnetId, entry.paramsVersion, entry.solver) = market.dispute(taskId, msg.sender, step);
        entry.status = CaseStatus.Active;
        entry.disputer = msg.sender;
        entry.step = step;
        _openRound(caseId, entry, 1);
    }

    /// @inheritdoc ICourt
    function appeal(bytes32 caseId) external {
        (DisputeCase storage entry, Round storage round) = _current(caseId, RoundState.Ruled);
        _inTime(caseId, round);
        require(entry.round < Escalation.lastRound(_paramsOf(entry)), LastRound(caseId, entry.round));
        _openRound(caseId, entry, entry.round + 1);
    }

    /// @inheritdoc ICourt
    function drawSeats(bytes32 caseId) external {
        (DisputeCase storage entry, Round storage round) = _current(caseId, RoundState.Drawing);
        _inTime(caseId, round);
        bytes32 seed = beacon.forDraw(caseId, round.epoch);
        uint8 index = round.drawn;
        uint256 draws = 0;
        for (; index < round.size && draws < MOST_DRAWS; ++index) {
            Seat storage seat = _seats[caseId][entry.round][index];
            if (seat.voter != address(0)) continue; // kept by a replacement
            bytes32 entropy = keccak256(abi.encode(seed, caseId, entry.round, index));
            address voter = staking.draw(entry.subnetId, Role.Verifier, entropy, entry.solver);
            if (voter == address(0)) break;
            seat.voter = voter;
            ++draws;
            emit SeatDrawn(caseId, entry.round, index, voter);
        }
        require(index > round.drawn, NoVerifierFree(caseId, beacon.currentEpoch()));
        round.drawn = index;
        if (index == round.size) _openVoting(caseId, entry, round);
    }

    // ---------------------------------------------------------------------------------------- votes

    /// @inheritdoc ICourt
    function commitVote(bytes32 caseId, uint16 number, uint8 index, bytes32 commitment) external {
        (DisputeCase storage entry, Round storage round) = _current(caseId, RoundState.Commit);
        require(number == entry.round, WrongRound(caseId, number, entry.round));
        _inTime(caseId, round);
        Seat storage seat = _seats[caseId][number][index];
        require(seat.voter == msg.sender, NotSeatHolder(caseId, number, index, msg.sender));
        require(seat.verdict == Verdict.None, AlreadyVoted(caseId, number, index));
        require(commitment != 0, EmptyCommitment(caseId, number, index));

        if (seat.commitment == 0) round.committed += 1;
        seat.commitment = commitment;
        emit VoteCommitted(caseId, number, index, msg.sender);
        if (round.committed + _votes(round) == round.size) _openReveal(caseId, entry, round);
    }

    /// @inheritdoc ICourt
    function revealVote(
        bytes32 caseId,
        uint16 number,
        uint8 index,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) external nonReentrant {
        (DisputeCase storage entry, Round storage round) = _current(caseId, RoundState.Reveal);
        require(number == entry.round, WrongRound(caseId, number, entry.round));
        _inTime(caseId, round);
        require(verdict != Verdict.None, NotAVerdict(verdict));
        Seat storage seat = _seats[caseId][number][index];
        bytes32 opening = voteHash(caseId, number, index, seat.voter, verdict, answer, salt);
        require(opening == seat.commitment, WrongOpening(seat.commitment, opening));

        seat.commitment = 0;
        seat.verdict = verdict;
        seat.answer = answer;
        round.committed -= 1;
        if (verdict == Verdict.Valid) round.valid += 1;
        else if (verdict == Verdict.Invalid) round.invalid += 1;
        else round.unavailable += 1;
        emit VoteRevealed(caseId, number, index, seat.voter, verdict, answer);
        if (round.committed == 0) _rule(caseId, entry, round);
    }

    /// @inheritdoc ICourt
    function advance(bytes32 caseId) external nonReentrant {
        DisputeCase storage entry = _active(caseId);
        Round storage round = _rounds[caseId][entry.round];
        require(block.timestamp > round.deadline, DeadlineNotPassed(caseId, round.deadline));
        if (round.state == RoundState.Drawing) {
            round.excused = true;
            _void(caseId, entry, round);
        } else if (round.state == RoundState.Commit) {
            _openReveal(caseId, entry, round);
        } else if (round.state == RoundState.Reveal) {
            _rule(caseId, entry, round);
        } else {
            _settle(caseId, entry);
        }
    }

    // ---------------------------------------------------------------------------------------- payment

    /// @inheritdoc ICourt
    function closeSeat(bytes32 caseId, uint16 number, uint8 index) external {
        DisputeCase storage entry = _settled(caseId);
        Seat storage seat = _seats[caseId][number][index];
        require(seat.voter != address(0), NoSuchSeat(caseId, number, index));
        require(!seat.closed, SeatAlreadyClosed(caseId, number, index));
        _closeSeat(caseId, entry, number, index);
    }

    /// @inheritdoc ICourt
    function closeSeats(bytes32 caseId, uint16 number) external {
        DisputeCase storage entry = _settled(caseId);
        uint8 size = _rounds[caseId][number].size;
        for (uint8 index = 0; index < size; ++index) {
            Seat storage seat = _seats[caseId][number][index];
            if (seat.voter != address(0) && !seat.closed) _closeSeat(caseId, entry, number, index);
        }
    }

    // ---------------------------------------------------------------------------------------- views

    function disputeCase(bytes32 caseId) external view returns (DisputeCase memory) {
        return _cases[caseId];
    }

    function roundOf(bytes32 caseId, uint16 number) external view returns (Round memory) {
        return _rounds[caseId][number];
    }

    function seatOf(bytes32 caseId, uint16 number, uint8 index) external view returns (Seat memory) {
        return _seats[caseId][number][index];
    }

    /// @inheritdoc ICourt
    function feeOf(uint32 subnetId, uint32 paramsVersion, uint16 number) external view returns (uint256) {
        return Escalation.panelFee(registry.paramsOf(subnetId, paramsVersion), number);
    }

    /// @inheritdoc ICourt
    function voteHash(
        bytes32 caseId,
        uint16 number,
        uint8 index,
        address voter,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) public view returns (bytes32) {
        return VoteHash.hash(address(this), caseId, number, index, voter, verdict, answer, salt);
    }

    // ---------------------------------------------------------------------------------------- transitions

    /// @dev The caller pays.
    function _openRound(bytes32 caseId, DisputeCase storage entry, uint16 number) private {
        Params memory params = _paramsOf(entry);
        entry.round = number;
        Round storage round = _rounds[caseId][number];
        round.state = RoundState.Drawing;
        round.size = Escalation.panelSize(params, number).toUint8();
        round.deadline = _after(params.openSeconds);
        round.epoch = beacon.currentEpoch();
        round.payer = msg.sender;
        round.fee = Escalation.panelFee(params, number).toUint96();
        emit RoundOpened(caseId, number, round.size, msg.sender, round.fee, round.epoch);
        vault.move(msg.sender, address(this), round.fee);
    }

    function _openVoting(bytes32 caseId, DisputeCase storage entry, Round storage round) private {
        round.state = RoundState.Commit;
        round.deadline = _after(_paramsOf(entry).commitSeconds);
        emit VotingOpened(caseId, entry.round, round.deadline);
    }

    function _openReveal(bytes32 caseId, DisputeCase storage entry, Round storage round) private {
        round.state = RoundState.Reveal;
        round.deadline = _after(_paramsOf(entry).revealSeconds);
        emit RevealOpened(caseId, entry.round, round.deadline);
        if (round.committed == 0) _rule(caseId, entry, round);
    }

    /// @dev Voting is over: all commitments are open, or the time for it has passed.
    function _rule(bytes32 caseId, DisputeCase storage entry, Round storage round) private {
        Verdict ruling = Escalation.ruling(round.size, round.valid, round.invalid, round.unavailable);
        if (ruling == Verdict.None) {
            if (!round.replacement && _votes(round) < round.size) _replaceAbsent(caseId, entry, round);
            else _void(caseId, entry, round);
            return;
        }
        round.state = RoundState.Ruled;
        round.ruling = ruling;
        entry.ruling = ruling;
        Params memory params = _paramsOf(entry);
        bool last = entry.round == Escalation.lastRound(params);
        round.deadline = last ? 0 : _after(params.appealSeconds);
        emit RoundRuled(caseId, entry.round, ruling, round.deadline);
        if (last) _settle(caseId, entry);
    }

    /// @dev Absent seats lose their bonds and are drawn again; votes already given stand. O(size).
    function _replaceAbsent(bytes32 caseId, DisputeCase storage entry, Round storage round) private {
        uint16 number = entry.round;
        Params memory params = _paramsOf(entry);
        uint8 absent = round.size - _votes(round);
        round.state = RoundState.Drawing;
        round.replacement = true;
        round.replaced = absent;
        round.drawn = 0;
        round.committed = 0;
        round.epoch = beacon.currentEpoch();
        round.deadline = _after(params.openSeconds);
        emit ReplacementOpened(caseId, number, absent, round.epoch);
        for (uint8 index = 0; index < round.size; ++index) {
            Seat storage seat = _seats[caseId][number][index];
            if (seat.verdict != Verdict.None) continue;
            address voter = seat.voter;
            seat.voter = address(0);
            seat.commitment = 0;
            emit SeatClosed(caseId, number, index, voter, 0, params.seatBond);
            staking.forfeit(entry.subnetId, Role.Verifier, voter, params.seatBond, caseId);
        }
    }

    function _void(bytes32 caseId, DisputeCase storage entry, Round storage round) private {
        round.state = RoundState.Void;
        round.deadline = 0;
        emit RoundRuled(caseId, entry.round, Verdict.None, 0);
        _settle(caseId, entry);
    }

    /// @dev Everything but the seats, which are closed one by one. O(rounds).
    function _settle(bytes32 caseId, DisputeCase storage entry) private {
        entry.status = CaseStatus.Settled;
        Params memory params = _paramsOf(entry);
        uint256 burned = 0;
        for (uint16 number = 1; number <= entry.round; ++number) {
            burned += _settleRound(caseId, entry, params, number);
        }
        burned += market.resolve(caseId, entry.ruling, entry.disputer, _rounds[caseId][1].fee);
        emit CaseSettled(caseId, entry.ruling, entry.round, burned);
        if (burned > 0) vault.burn(burned);
    }

    function _settleRound(bytes32 caseId, DisputeCase storage entry, Params memory params, uint16 number)
        private
        returns (uint256 burned)
    {
        Round storage round = _rounds[caseId][number];
        uint256 share;
        if (round.state == RoundState.Void) {
            uint256 voted = _votes(round);
            uint256 lost = round.excused ? round.replaced : round.replaced + round.size - voted;
            (share, burned) = Settlement.ofVoidRound(params.seatBond, params.verifierFee, voted, lost);
            vault.move(address(this), round.payer, round.fee);
        } else {
            uint256 right = _votesFor(round, entry.ruling);
            uint256 lost = round.replaced + round.size - right;
            uint256 refund = 0;
            if (round.ruling != entry.ruling) {
                Round storage correction = _rounds[caseId][number + 1];
                refund = correction.fee;
                vault.move(address(this), correction.payer, refund);
            }
            (share, burned) = Settlement.ofRound(round.fee, params.seatBond, right, lost, refund);
        }
        round.share = share.toUint96();
    }

    function _closeSeat(bytes32 caseId, DisputeCase storage entry, uint16 number, uint8 index) private {
        Round storage round = _rounds[caseId][number];
        Seat storage seat = _seats[caseId][number][index];
        bool isVoid = round.state == RoundState.Void;
        bool isRight = isVoid ? seat.verdict != Verdict.None : seat.verdict == entry.ruling;
        bool keepsBond = isRight || (isVoid && round.excused);
        uint256 paid = isRight ? round.share : 0;
        (uint256 bond,) = staking.bondOf(entry.subnetId, Role.Verifier);

        seat.closed = true;
        emit SeatClosed(caseId, number, index, seat.voter, paid, keepsBond ? 0 : bond);
        if (keepsBond) staking.release(entry.subnetId, Role.Verifier, seat.voter);
        else staking.forfeit(entry.subnetId, Role.Verifier, seat.voter, bond, caseId);
        if (paid > 0) vault.move(address(this), seat.voter, paid);
    }

    // ---------------------------------------------------------------------------------------- conditions

    function _active(bytes32 caseId) private view returns (DisputeCase storage entry) {
        entry = _cases[caseId];
        require(entry.status == CaseStatus.Active, CaseNotActive(caseId, entry.status));
    }

    function _settled(bytes32 caseId) private view returns (DisputeCase storage entry) {
        entry = _cases[caseId];
        require(entry.status == CaseStatus.Settled, CaseNotSettled(caseId, entry.status));
    }

    /// @dev The newest round of an open case.
    function _current(bytes32 caseId, RoundState state)
        private
        view
        returns (DisputeCase storage entry, Round storage round)
    {
        entry = _active(caseId);
        round = _rounds[caseId][entry.round];
        require(round.state == state, WrongState(caseId, entry.round, round.state));
    }

    function _inTime(bytes32 caseId, Round storage round) private view {
        require(block.timestamp <= round.deadline, DeadlinePassed(caseId, round.deadline));
    }

    function _votes(Round storage round) private view returns (uint8) {
        return round.valid + round.invalid + round.unavailable;
    }

    function _votesFor(Round storage round, Verdict verdict) private view returns (uint8) {
        if (verdict == Verdict.Valid) return round.valid;
        return verdict == Verdict.Invalid ? round.invalid : round.unavailable;
    }

    function _after(uint32 duration) private view returns (uint40) {
        return uint40(block.timestamp) + duration;
    }

    function _paramsOf(DisputeCase storage entry) private view returns (Params memory) {
        return registry.paramsOf(entry.subnetId, entry.paramsVersion);
    }
}
