// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Case, CaseStatus, ICourt, Round, RoundState, Seat, Verdict} from "../interfaces/ICourt.sol";
import {Role} from "../interfaces/IStaking.sol";
import {Params} from "../interfaces/ISubnetRegistry.sol";
import {Terms} from "../interfaces/ITaskMarket.sol";
import {Escalation} from "../libraries/Escalation.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {TaskIds} from "../libraries/TaskIds.sol";
import {CaseBook} from "./CaseBook.sol";

/// @notice What verifiers and those who paid for panels get once a case has ended. It decides that; price and solver's seat are
/// the market's.
abstract contract CasePayment is CaseBook, ReentrancyGuardTransient {
    /// @inheritdoc ICourt
    function settle(Case calldata about, Terms calldata terms, uint8 slot) external nonReentrant {
        (bytes32 caseId, Round storage round) = _active(about);
        address market_ = address(market);
        bytes32 taskId = TaskIds.taskIdOf(market_, TaskIds.batchIdOf(market_, terms), slot);
        require(taskId == about.taskId, WrongTask(caseId, about.taskId, taskId));
        Params memory params = _paramsOf(about);
        uint256 burned;
        if (market.isSubmitted(taskId)) {
            bool isOver = round.state == RoundState.Void || round.state == RoundState.Ruled;
            require(isOver, WrongState(caseId, round.number, round.state));
            require(block.timestamp > round.deadline, DeadlineNotPassed(caseId, round.deadline));
            round.status = CaseStatus.Settled;
            burned = _settleRounds(about, caseId, round, params);
            uint256 fee = Escalation.panelFee(params, 1);
            burned += market.closeCase(terms, slot, about.step, round.ruling, about.disputer, fee);
            // a pin that lost has delayed the solver
            address delayed = round.ruling == Verdict.Valid ? about.solver : about.disputer;
            vault.move(address(this), delayed, Settlement.partOf(terms.price, params.delayBps));
            emit CaseSettled(caseId, round.ruling, round.number, burned);
        } else {
            round.status = CaseStatus.Moot;
            burned = _refundRounds(about, caseId, round, params);
            vault.move(address(this), about.disputer, Settlement.partOf(terms.price, params.delayBps));
            emit CaseMoot(caseId);
        }
        if (burned > 0) vault.burn(burned);
    }

    /// @inheritdoc ICourt
    function closeSeat(Case calldata about, uint8 number, uint8 index) external {
        (bytes32 caseId, Round storage newest) = _ended(about);
        Seat storage seat = _seats[_seatId(caseId, number, index)];
        require(seat.voter != address(0), NoSuchSeat(caseId, number, index));
        require(!seat.closed, SeatAlreadyClosed(caseId, number, index));
        Round storage round = _roundOf(caseId, newest, number);
        Params memory params = _paramsOf(about);
        _closeSeat(about, caseId, index, seat, newest, round, params.seatBond, _share(newest, round, params));
    }

    /// @inheritdoc ICourt
    function closeSeats(Case calldata about, uint8 number) external {
        (bytes32 caseId, Round storage newest) = _ended(about);
        Round storage round = _roundOf(caseId, newest, number);
        Params memory params = _paramsOf(about);
        uint256 share = _share(newest, round, params);
        for (uint8 index = 0; index < round.size; ++index) {
            Seat storage seat = _seats[_seatId(caseId, number, index)];
            if (seat.voter == address(0) || seat.closed) continue;
            _closeSeat(about, caseId, index, seat, newest, round, params.seatBond, share);
        }
    }

    // ---------------------------------------------------------------------------------------- transfers

    /// @dev Everything but the seats, which are closed one by one. O(rounds).
    function _settleRounds(Case calldata about, bytes32 caseId, Round storage newest, Params memory params)
        private
        returns (uint256 burned)
    {
        for (uint8 number = 1; number <= newest.number; ++number) {
            Round storage round = _roundOf(caseId, newest, number);
            (, uint256 lost, uint256 refund, uint256 rest) = _outcome(newest, round, params);
            burned += rest;
            uint256 bonds = (lost - round.replaced) * params.seatBond; // those of replaced seats are here
            if (bonds > 0) vault.move(address(staking), address(this), bonds);
            if (_isVoid(newest, round)) {
                uint256 fee = Escalation.panelFee(params, number);
                vault.move(address(this), _payerOf(about, caseId, number), fee);
            } else if (refund > 0) {
                vault.move(address(this), _payerOf(about, caseId, number + 1), refund);
            }
        }
    }

    /// @dev Nobody was right or wrong. Only bonds of absent seats that were replaced are gone, and burned.
    function _refundRounds(Case calldata about, bytes32 caseId, Round storage newest, Params memory params)
        private
        returns (uint256 burned)
    {
        for (uint8 number = 1; number <= newest.number; ++number) {
            burned += uint256(_roundOf(caseId, newest, number).replaced) * params.seatBond;
            uint256 fee = Escalation.panelFee(params, number);
            vault.move(address(this), _payerOf(about, caseId, number), fee);
        }
    }

    function _closeSeat(
        Case calldata about,
        bytes32 caseId,
        uint8 index,
        Seat storage seat,
        Round storage newest,
        Round storage round,
        uint256 bond,
        uint256 share
    ) private {
        bool isMoot = newest.status == CaseStatus.Moot;
        bool isVoid = _isVoid(newest, round);
        bool isRight = isVoid ? seat.verdict != Verdict.None : _isRight(newest.ruling, round, seat);
        bool keepsBond = isRight || isMoot || (isVoid && round.excused);
        uint256 paid = isRight && !isMoot ? share : 0;
        address voter = seat.voter;

        seat.closed = true;
        emit SeatClosed(caseId, round.number, index, voter, paid, keepsBond ? 0 : bond);
        if (keepsBond) staking.release(about.subnetId, Role.Verifier, voter);
        else staking.forfeit(about.subnetId, Role.Verifier, voter, bond, caseId);
        if (paid > 0) vault.move(address(this), voter, paid);
    }

    // ---------------------------------------------------------------------------------------- judging

    /// @dev What becomes of the money of a round of a settled case.
    /// @return share of each seat that was right, beside its bond
    /// @return lost bonds that seats lost, replaced ones included
    /// @return refund to whoever appealed against the round
    /// @return burned what is left
    function _outcome(Round storage newest, Round storage round, Params memory params)
        private
        view
        returns (uint256 share, uint256 lost, uint256 refund, uint256 burned)
    {
        if (_isVoid(newest, round)) {
            uint256 voted = _votes(round);
            lost = round.excused ? round.replaced : uint256(round.replaced) + round.size - voted;
            (share, burned) = Settlement.ofVoidRound(params.seatBond, params.verifierFee, voted, lost);
        } else {
            uint256 right = _votesFor(round, newest.ruling);
            lost = uint256(round.replaced) + round.size - right;
            if (round.ruling != newest.ruling) refund = Escalation.panelFee(params, round.number + 1);
            uint256 fee = Escalation.panelFee(params, round.number);
            (share, burned) = Settlement.ofRound(fee, params.seatBond, right, lost, refund);
        }
    }

    function _share(Round storage newest, Round storage round, Params memory params)
        private
        view
        returns (uint256 share)
    {
        if (newest.status == CaseStatus.Settled) (share,,,) = _outcome(newest, round, params);
    }

    /// @dev Of a case without a ruling no vote was right or wrong, tied panels included.
    function _isVoid(Round storage newest, Round storage round) private view returns (bool) {
        return round.state == RoundState.Void || newest.ruling == Verdict.None;
    }

    function _isRight(Verdict ruling, Round storage round, Seat storage seat) private view returns (bool) {
        if (seat.verdict != ruling) return false;
        return ruling != Verdict.Valid || round.agreeing == 0 || seat.answer == round.answer;
    }

    function _votesFor(Round storage round, Verdict verdict) private view returns (uint8) {
        if (verdict == Verdict.Valid) return round.agreeing == 0 ? round.valid : round.agreeing;
        return verdict == Verdict.Invalid ? round.invalid : round.unavailable;
    }
}
