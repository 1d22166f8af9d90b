// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Case, CaseStatus, Round, RoundState, Seat, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {Task, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Cast} from "./Cast.sol";

/// @dev What every action has to do to everybody's money, reckoned from the votes and not from the court's counters.
/// The handler writes the books beforehand; `compareBooks` asks the contracts.
abstract contract Model is Cast {
    /// what the court holds for a case
    mapping(bytes32 caseId => uint256) internal potOf;
    uint256 internal pots;
    /// fees of open demands, and bonds of open commitments
    uint256 internal demanded;
    uint256 internal committed;
    /// fees of open checks
    uint256 internal checkFees;
    mapping(address account => uint256) internal scores;
    /// bonds that settled cases took from seats which are not closed yet
    uint256 internal bondsOnTheirWay;
    mapping(bytes32 caseId => mapping(uint8 round => address)) internal payers;
    /// steps that a case left without a verdict, and none has found right since
    mapping(bytes32 taskId => mapping(uint32 step => bool)) private _isUndecided;
    mapping(bytes32 taskId => uint256) internal undecidedSteps;

    // ------------------------------------------------------------------------------------ expectations

    function gains(address account, uint256 amount) internal {
        books[account].free += amount;
    }

    function pays(address account, uint256 amount) internal {
        books[account].free -= amount;
    }

    function losesBond(address account) internal {
        _loses(account, Role.Verifier);
    }

    function losesSeat(address account) internal {
        _loses(account, Role.Solver);
    }

    /// @dev A bond that was asked back, if no other is left.
    function _loses(address account, Role role) private {
        (uint256 bond,) = bondOf(role);
        books[account].staked[uint256(role)] -= bond;
        Claim storage claim = claims[account][uint256(role)];
        if (claim.pending > bondsOf(account, role)) claim.pending = bondsOf(account, role);
    }

    function isConvicted(address solver) internal {
        losesSeat(solver);
        scores[solver] = 0;
        isConvict[solver] = true;
    }

    // ------------------------------------------------------------------------------------ positions

    function bondOf(Role role) internal pure returns (uint256 bond, uint256 perSeat) {
        return role == Role.Solver ? (STAKE, 1) : (BOND, 4);
    }

    function bondsOf(address account, Role role) internal view returns (uint256) {
        (uint256 bond,) = bondOf(role);
        return books[account].staked[uint256(role)] / bond;
    }

    /// @dev Bonds that were not asked back.
    function activeOf(address account, Role role) internal view returns (uint256) {
        return bondsOf(account, role) - claims[account][uint256(role)].pending;
    }

    /// @dev Whole seats that draws of the next epoch can hit.
    function weightOf(address account, Role role) internal view returns (uint256) {
        (, uint256 perSeat) = bondOf(role);
        bool isOut = role == Role.Solver && isConvict[account];
        return isOut ? 0 : activeOf(account, role) / perSeat;
    }

    function roundedUp(uint256 bonds, Role role) internal pure returns (uint256 seats) {
        (, uint256 perSeat) = bondOf(role);
        return (bonds + perSeat - 1) / perSeat;
    }

    function fillPot(bytes32 caseId, uint256 amount) internal {
        potOf[caseId] += amount;
        pots += amount;
    }

    function takeFromPot(bytes32 caseId, uint256 amount) internal {
        potOf[caseId] -= amount;
        pots -= amount;
    }

    /// @dev Invariants 6, 7, 14, 22, 24, 25, to the unit: nobody's money changes but as the model says.
    function compareBooks() internal view {
        for (uint256 i = 0; i < accounts.length; ++i) {
            compareBook(accounts[i]);
            same(reputation.scoreOf(subnet, accounts[i]), scores[accounts[i]], "28: score");
        }
    }

    function compareBook(address account) internal view {
        Book memory found = readBook(account);
        Book storage book = books[account];
        same(found.free, book.free, "14, 22, 24, 25: free balance");
        same(found.staked[0], book.staked[0], "6, 7: solver's stake");
        same(found.staked[1], book.staked[1], "6: verifier's stake");
    }

    // ------------------------------------------------------------------------------------ judging

    function paramsOf(bytes32 caseId) internal view returns (Params memory) {
        return registry.paramsOf(cases_[caseId].subnetId, cases_[caseId].paramsVersion);
    }

    function panelSizeOf(Params memory p, uint8 number) internal pure returns (uint256) {
        return number > p.maxRounds ? p.terminalPanel : p.panelStart + p.panelStep * (number - 1);
    }

    function feeOf(Params memory p, uint8 number) internal pure returns (uint256) {
        return panelSizeOf(p, number) * p.verifierFee;
    }

    /// @dev Of whoever pins, for the solver if the pin loses.
    function depositOf(bytes32 caseId) internal view returns (uint256) {
        return uint256(termsOf[cases_[caseId].taskId].price) * paramsOf(caseId).delayBps / 10_000;
    }

    function seatsOf(bytes32 caseId, Round memory r) internal view returns (Seat[] memory seats) {
        seats = new Seat[](r.size);
        for (uint8 i = 0; i < r.size; ++i) {
            seats[i] = court.seatOf(caseId, r.number, i);
        }
    }

    function votesFor(Seat[] memory seats, Verdict verdict) internal pure returns (uint256 count) {
        for (uint256 i = 0; i < seats.length; ++i) {
            if (seats[i].verdict == verdict) ++count;
        }
    }

    /// @dev Invariant 21: more than half of the panel voted, and one verdict has more votes than each other.
    function majorityOf(Seat[] memory seats) internal pure returns (Verdict ruling) {
        uint256[4] memory votes;
        for (uint256 v = 1; v < 4; ++v) {
            votes[v] = votesFor(seats, Verdict(v));
        }
        if (2 * (votes[1] + votes[2] + votes[3]) <= seats.length) return Verdict.None;
        for (uint256 v = 1; v < 4; ++v) {
            uint256 a = votes[v % 3 + 1];
            uint256 b = votes[(v + 1) % 3 + 1];
            if (votes[v] > a && votes[v] > b) return Verdict(v);
        }
    }

    /// @dev With the final verdict and, for Valid, with the answer that most of the round's valid votes came with.
    function isRight(Seat[] memory seats, uint256 index, Verdict ruling) internal pure returns (bool) {
        Seat memory seat = seats[index];
        if (seat.verdict != ruling) return false;
        if (ruling != Verdict.Valid) return true;
        uint256 valid = votesFor(seats, Verdict.Valid);
        for (uint256 i = 0; i < seats.length; ++i) {
            if (seats[i].verdict == Verdict.Valid && 2 * _sameAnswer(seats, i) > valid) {
                return seats[i].answer == seat.answer;
            }
        }
        return true;
    }

    function _sameAnswer(Seat[] memory seats, uint256 index) private pure returns (uint256 count) {
        for (uint256 i = 0; i < seats.length; ++i) {
            if (seats[i].verdict == Verdict.Valid && seats[i].answer == seats[index].answer) ++count;
        }
    }

    /// @dev Where a case ends without a ruling, none of its panels was right or wrong, however they ended.
    function isVoid(Round memory r, Verdict ruling) internal pure returns (bool) {
        return r.state == RoundState.Void || ruling == Verdict.None;
    }

    function rightOnes(Seat[] memory seats, Verdict ruling) internal pure returns (uint256 count) {
        for (uint256 i = 0; i < seats.length; ++i) {
            if (isRight(seats, i, ruling)) ++count;
        }
    }

    /// @return share of a seat that is right, beside its bond
    /// @return refund to whoever appealed against the round
    /// @return taken bonds that seats of the round lose, without those of replaced ones
    function outcomeOf(Params memory p, Round memory r, Seat[] memory seats, Verdict ruling)
        internal
        pure
        returns (uint256 share, uint256 refund, uint256 taken)
    {
        if (isVoid(r, ruling)) {
            uint256 voted = seats.length - votesFor(seats, Verdict.None);
            taken = r.excused ? 0 : seats.length - voted;
            share = voted == 0 ? 0 : (taken + r.replaced) * BOND / voted;
            return (share > p.verifierFee ? p.verifierFee : share, 0, taken);
        }
        uint256 right = rightOnes(seats, ruling);
        taken = seats.length - right;
        if (r.ruling != ruling) refund = feeOf(p, r.number + 1);
        uint256 rest = (taken + r.replaced) * BOND - refund;
        share = right == 0 ? 0 : (feeOf(p, r.number) + rest / 2) / right;
    }

    // ------------------------------------------------------------------------------------ what a settlement does

    function expectSettlement(bytes32 caseId) internal {
        Round memory newest = round(caseId);
        bool moot = !market.isSubmitted(cases_[caseId].taskId);
        uint256 left = 0;
        for (uint8 number = 1; number <= newest.number; ++number) {
            if (moot) gains(payers[caseId][number], feeOf(paramsOf(caseId), number));
            else left += _expectRound(caseId, court.roundOf(caseId, number), newest.ruling);
        }
        if (!moot) _expectVerdict(cases_[caseId], newest.ruling);
        bool lost = !moot && newest.ruling == Verdict.Valid;
        gains(lost ? cases_[caseId].solver : cases_[caseId].disputer, depositOf(caseId));
        takeFromPot(caseId, potOf[caseId]);
        fillPot(caseId, left);
    }

    function _expectRound(bytes32 caseId, Round memory r, Verdict ruling) private returns (uint256 left) {
        Params memory p = paramsOf(caseId);
        Seat[] memory seats = seatsOf(caseId, r);
        (uint256 share, uint256 refund, uint256 taken) = outcomeOf(p, r, seats, ruling);
        bondsOnTheirWay += taken;
        if (isVoid(r, ruling)) {
            gains(payers[caseId][r.number], feeOf(p, r.number));
            return share * (seats.length - votesFor(seats, Verdict.None));
        }
        if (refund > 0) gains(payers[caseId][r.number + 1], refund);
        return share * rightOnes(seats, ruling);
    }

    function _expectVerdict(Case storage about, Verdict ruling) private {
        Params memory p = registry.paramsOf(about.subnetId, about.paramsVersion);
        uint256 fee = feeOf(p, 1);
        uint256 price = termsOf[about.taskId].price;
        if (ruling == Verdict.Invalid) {
            gains(termsOf[about.taskId].buyer, price + STAKE * p.buyerBps / 10_000);
            gains(about.disputer, fee + STAKE * p.bountyBps / 10_000);
            isConvicted(about.solver);
        } else if (ruling == Verdict.Unavailable) {
            gains(about.disputer, fee < price ? fee : price);
        } else {
            _decides(about.taskId, about.step, ruling == Verdict.Valid);
        }
    }

    function _decides(bytes32 taskId, uint32 step, bool found) private {
        if (_isUndecided[taskId][step] != found) return;
        _isUndecided[taskId][step] = !found;
        if (found) --undecidedSteps[taskId];
        else ++undecidedSteps[taskId];
    }

    function expectClosing(bytes32 caseId, uint8 number, uint8 index) internal {
        Round memory newest = round(caseId);
        Round memory r = court.roundOf(caseId, number);
        Seat[] memory seats = seatsOf(caseId, r);
        if (newest.status == CaseStatus.Moot) return comesFree(seats[index].voter, 1);
        (uint256 share,,) = outcomeOf(paramsOf(caseId), r, seats, newest.ruling);
        bool void = isVoid(r, newest.ruling);
        bool right = void ? seats[index].verdict != Verdict.None : isRight(seats, index, newest.ruling);
        if (right) {
            gains(seats[index].voter, share);
            takeFromPot(caseId, share);
        } else if (!(void && r.excused)) {
            losesBond(seats[index].voter);
            bondsOnTheirWay -= 1;
            return;
        }
        comesFree(seats[index].voter, 1);
    }
}
