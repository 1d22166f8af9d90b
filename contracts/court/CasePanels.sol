// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Case, CaseStatus, ICourt, Round, RoundState, Seat, Verdict} from "../interfaces/ICourt.sol";
import {IRandomnessSource} from "../interfaces/IRandomnessSource.sol";
import {Role} from "../interfaces/IStaking.sol";
import {Params} from "../interfaces/ISubnetRegistry.sol";
import {EpochClock} from "../libraries/EpochClock.sol";
import {EpochSeed} from "../libraries/EpochSeed.sol";
import {Escalation} from "../libraries/Escalation.sol";
import {ParamsCode} from "../libraries/ParamsCode.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {CaseBook} from "./CaseBook.sol";

/// @notice Who sits in a round: somebody pays for a panel, its seats are drawn, and those that stay away are drawn again.
abstract contract CasePanels is CaseBook {
    using EpochSeed for IRandomnessSource;
    using ParamsCode for address;
    using SafeCast for uint256;

    /// Bounds the gas of one drawSeats; a larger panel takes more calls.
    uint256 public constant MOST_DRAWS = 16;
    /// So many panels, one after the other, can sit and rule while the first of a case is drawn: whoever keeps all verifiers busy with
    /// disputes, so that it finds nobody, has to pay for them as often, and once more. Appeals and replacements are drawn in
    /// `openSeconds`, or an appeal that finds nobody, and is repaid, would keep the seats of its first panel for as long.
    uint256 public constant LOCKS_OUTLASTED = 2;

    IRandomnessSource public immutable beacon;
    address public immutable challenge;
    EpochClock private immutable _clock;

    constructor(IRandomnessSource beacon_, address challenge_) {
        beacon = beacon_;
        challenge = challenge_;
        _clock = beacon_.clock();
    }

    /// @inheritdoc ICourt
    function openCase(
        Case calldata about,
        uint96 price,
        uint96 bond,
        bytes32 before,
        bytes32 next,
        bytes32 stateBlob
    ) external returns (bytes32 caseId) {
        require(msg.sender == challenge, NotChallenge(msg.sender));
        caseId = _idOf(about);
        require(_newest[caseId].status == CaseStatus.None, CaseExists(caseId));
        emit CaseOpened(about.taskId, caseId, about.disputer, about.step, before, next, stateBlob);
        Params memory params = _paramsOf(about);
        uint256 least = Settlement.partOf(price, params.commitBondBps);
        require(bond >= least, BondTooSmall(bond, least));
        uint256 due =
            _openRound(caseId, 1, params, about.disputer) + Settlement.partOf(price, params.delayBps);
        if (due >= bond) vault.move(about.disputer, address(this), due - bond);
        else vault.move(address(this), about.disputer, bond - due);
    }

    /// @inheritdoc ICourt
    function appeal(Case calldata about) external {
        (bytes32 caseId, Round storage round) = _current(about, RoundState.Ruled);
        Params memory params = _paramsOf(about);
        require(round.number < Escalation.lastRound(params), LastRound(caseId, round.number));
        _inTime(caseId, round);
        uint8 next = round.number + 1;
        _appealed[caseId][round.number] = round;
        _appellants[caseId][next] = msg.sender;
        vault.move(msg.sender, address(this), _openRound(caseId, next, params, msg.sender));
    }

    /// @inheritdoc ICourt
    function drawSeats(Case calldata about) external {
        (bytes32 caseId, Round storage round) = _current(about, RoundState.Drawing);
        _inTime(caseId, round);
        uint32 epoch = _clock.currentEpoch();
        bytes32 seed = beacon.forDraw(caseId, round.epoch, epoch);
        (uint8 number, uint8 size, uint8 index) = (round.number, round.size, round.drawn);
        uint256 draws = 0;
        for (; index < size && draws < MOST_DRAWS; ++index) {
            Seat storage seat = _seats[_seatId(caseId, number, index)];
            if (seat.voter != address(0)) continue; // kept by a replacement
            bytes32 entropy = keccak256(abi.encode(seed, caseId, number, index));
            address voter = staking.draw(
                about.subnetId, Role.Verifier, entropy, about.solver, epoch, about.paramsVersion
            );
            // all or nobody: bonds that wait for the rest of a panel would be locked at no price
            require(voter != address(0), NoVerifierFree(caseId, epoch));
            seat.voter = voter;
            ++draws;
            emit SeatDrawn(caseId, number, index, voter);
        }
        round.drawn = index;
        if (index == size) {
            round.state = RoundState.Commit;
            uint40 commitBy = _after(_paramsCodeOf(about).member(ParamsCode.COMMIT_SECONDS));
            round.deadline = commitBy;
            emit VotingOpened(caseId, number, commitBy);
        }
    }

    /// @return fee that the payer owes
    function _openRound(bytes32 caseId, uint8 number, Params memory params, address payer)
        private
        returns (uint256 fee)
    {
        Round memory round;
        round.status = CaseStatus.Active;
        round.state = RoundState.Drawing;
        round.number = number;
        round.ruling = number == 1 ? Verdict.None : _newest[caseId].ruling;
        round.size = Escalation.panelSize(params, number).toUint8();
        round.deadline = number == 1 ? _drawFirstBy(params) : _after(params.openSeconds);
        round.epoch = _clock.currentEpoch();
        _newest[caseId] = round;
        fee = Escalation.panelFee(params, number);
        emit RoundOpened(caseId, number, round.size, payer, fee.toUint96(), round.epoch);
    }

    /// @dev Absent seats lose their bonds and are drawn again; votes already given stand. O(size).
    function _replaceAbsent(Case calldata about, bytes32 caseId, Round storage round) internal {
        Params memory params = _paramsOf(about);
        round.state = RoundState.Drawing;
        round.replacement = true;
        round.replaced = round.size - _votes(round);
        round.drawn = 0;
        round.committed = 0;
        round.epoch = _clock.currentEpoch();
        round.deadline = _after(params.openSeconds);
        emit ReplacementOpened(caseId, round.number, round.replaced, round.epoch);
        for (uint8 index = 0; index < round.size; ++index) {
            bytes32 seatId = _seatId(caseId, round.number, index);
            Seat storage seat = _seats[seatId];
            if (seat.verdict != Verdict.None) continue;
            address voter = seat.voter;
            seat.voter = address(0);
            _commitments[seatId] = 0;
            emit SeatClosed(caseId, round.number, index, voter, 0, params.seatBond);
            staking.forfeit(about.subnetId, Role.Verifier, voter, params.seatBond, caseId);
        }
        vault.move(address(staking), address(this), uint256(round.replaced) * params.seatBond);
    }

    function _drawFirstBy(Params memory params) private view returns (uint40) {
        uint256 lock = uint256(params.commitSeconds) + params.revealSeconds + params.appealSeconds;
        return _after(params.openSeconds + LOCKS_OUTLASTED * lock);
    }
}
