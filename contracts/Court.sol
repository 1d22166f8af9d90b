// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReadsParams} from "./base/ReadsParams.sol";
import {Case, CaseStatus, ICourt, Round, RoundState, Seat, Verdict} from "./interfaces/ICourt.sol";
import {IRandomnessSource} from "./interfaces/IRandomnessSource.sol";
import {IStaking, Role} from "./interfaces/IStaking.sol";
import {ISubnetRegistry, Params} from "./interfaces/ISubnetRegistry.sol";
import {ITaskMarket, Terms} from "./interfaces/ITaskMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {EpochClock} from "./libraries/EpochClock.sol";
import {EpochSeed} from "./libraries/EpochSeed.sol";
import {Escalation} from "./libraries/Escalation.sol";
import {ParamsCode} from "./libraries/ParamsCode.sol";
import {Settlement} from "./libraries/Settlement.sol";
import {TaskIds} from "./libraries/TaskIds.sol";
import {VoteHash} from "./libraries/VoteHash.sol";

/// @notice Disputes over tasks. The court's vault account holds fees and deposits of all open cases, the bonds lost in
/// them, and the bonds of commitments to disputes. It decides what verifiers and those who paid for panels get; price and solver's seat are the market's.
contract Court is ICourt, ReadsParams, ReentrancyGuardTransient {
    using EpochSeed for IRandomnessSource;
    using ParamsCode for address;
    using ParamsCode for Params;
    using SafeCast for uint256;

    /// Bounds the gas of one drawSeats; a larger panel takes more calls.
    uint256 public constant MOST_DRAWS = 16;
    /// So many panels, one after the other, can sit and rule while the first of a case is drawn: whoever keeps all verifiers busy with
    /// disputes, so that it finds nobody, has to pay for them as often, and once more. Appeals and replacements are drawn in
    /// `openSeconds`, or an appeal that finds nobody, and is repaid, would keep the seats of its first panel for as long.
    uint256 public constant LOCKS_OUTLASTED = 2;

    IVault public immutable vault;
    IStaking public immutable staking;
    IRandomnessSource public immutable beacon;
    ITaskMarket public immutable market;
    address public immutable challenge;
    EpochClock private immutable _clock;

    mapping(bytes32 caseId => Round) private _newest;
    /// @dev Those that were appealed.
    mapping(bytes32 caseId => mapping(uint8 number => Round)) private _appealed;
    mapping(bytes32 caseId => mapping(uint8 number => address)) private _appellants;
    mapping(bytes32 seatId => Seat) private _seats;
    mapping(bytes32 seatId => bytes32) private _commitments;

    constructor(
        IVault vault_,
        ISubnetRegistry registry_,
        IStaking staking_,
        IRandomnessSource beacon_,
        ITaskMarket market_,
        address challenge_
    ) ReadsParams(registry_) {
        vault = vault_;
        staking = staking_;
        beacon = beacon_;
        market = market_;
        challenge = challenge_;
        _clock = beacon_.clock();
    }

    // ---------------------------------------------------------------------------------------- panels

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

    // ---------------------------------------------------------------------------------------- payment

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

    // ---------------------------------------------------------------------------------------- views

    /// @inheritdoc ICourt
    function caseIdOf(Case calldata about) external view returns (bytes32) {
        return _idOf(about);
    }

    /// @inheritdoc ICourt
    function newestRound(bytes32 caseId) external view returns (Round memory) {
        return _newest[caseId];
    }

    function roundOf(bytes32 caseId, uint8 number) external view returns (Round memory) {
        return _roundOf(caseId, _newest[caseId], number);
    }

    /// @inheritdoc ICourt
    function payerOf(Case calldata about, uint8 number) external view returns (address) {
        return _payerOf(about, _idOf(about), number);
    }

    function seatOf(bytes32 caseId, uint8 number, uint8 index) external view returns (Seat memory) {
        return _seats[_seatId(caseId, number, index)];
    }

    /// @inheritdoc ICourt
    function commitmentOf(bytes32 caseId, uint8 number, uint8 index) external view returns (bytes32) {
        return _commitments[_seatId(caseId, number, index)];
    }

    /// @inheritdoc ICourt
    function feeOf(uint32 subnetId, uint32 paramsVersion, uint8 number) external view returns (uint256) {
        Params memory params;
        params.read(address(registry), subnetId, paramsVersion);
        return Escalation.panelFee(params, number);
    }

    /// @inheritdoc ICourt
    function voteHash(
        bytes32 caseId,
        uint8 number,
        uint8 index,
        address voter,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) public view returns (bytes32) {
        return VoteHash.hash(address(this), caseId, number, index, voter, verdict, answer, salt);
    }

    // ---------------------------------------------------------------------------------------- transitions

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

    /// @dev Absent seats lose their bonds and are drawn again; votes already given stand. O(size).
    function _replaceAbsent(Case calldata about, bytes32 caseId, Round storage round) private {
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

    function _void(bytes32 caseId, Round storage round) private {
        round.state = RoundState.Void;
        round.deadline = 0;
        emit RoundRuled(caseId, round.number, Verdict.None, 0);
    }

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

    function _isDecided(Round storage round) private view returns (bool) {
        return _votes(round) == round.size || _ruling(round) != Verdict.None;
    }

    function _ruling(Round storage round) private view returns (Verdict) {
        return Escalation.ruling(round.size, round.valid, round.invalid, round.unavailable);
    }

    function _votesFor(Round storage round, Verdict verdict) private view returns (uint8) {
        if (verdict == Verdict.Valid) return round.agreeing == 0 ? round.valid : round.agreeing;
        return verdict == Verdict.Invalid ? round.invalid : round.unavailable;
    }

    function _votes(Round storage round) private view returns (uint8) {
        return round.valid + round.invalid + round.unavailable;
    }

    // ---------------------------------------------------------------------------------------- conditions

    function _active(Case calldata about) private view returns (bytes32 caseId, Round storage round) {
        caseId = _idOf(about);
        round = _newest[caseId];
        require(round.status == CaseStatus.Active, CaseNotActive(caseId, round.status));
    }

    function _ended(Case calldata about) private view returns (bytes32 caseId, Round storage newest) {
        caseId = _idOf(about);
        newest = _newest[caseId];
        require(newest.status > CaseStatus.Active, CaseNotEnded(caseId, newest.status));
    }

    /// @dev The newest round of an open case.
    function _current(Case calldata about, RoundState state)
        private
        view
        returns (bytes32 caseId, Round storage round)
    {
        (caseId, round) = _active(about);
        require(round.state == state, WrongState(caseId, round.number, round.state));
    }

    function _inTime(bytes32 caseId, Round storage round) private view {
        require(block.timestamp <= round.deadline, DeadlinePassed(caseId, round.deadline));
    }

    function _roundOf(bytes32 caseId, Round storage newest, uint8 number)
        private
        view
        returns (Round storage)
    {
        return number == newest.number ? newest : _appealed[caseId][number];
    }

    function _payerOf(Case calldata about, bytes32 caseId, uint8 number) private view returns (address) {
        return number == 1 ? about.disputer : _appellants[caseId][number];
    }

    function _seatId(bytes32 caseId, uint8 number, uint8 index) private pure returns (bytes32) {
        return keccak256(abi.encode(caseId, number, index));
    }

    /// @dev keccak256(abi.encode(block.chainid, address(this), about)), of the words as they came: a case with other bits beside
    /// a member is another case.
    function _idOf(Case calldata about) private view returns (bytes32 id) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, chainid())
            mstore(add(at, 0x20), address())
            calldatacopy(add(at, 0x40), about, 0xe0)
            id := keccak256(at, 0x120)
        }
    }

    function _drawFirstBy(Params memory params) private view returns (uint40) {
        uint256 lock = uint256(params.commitSeconds) + params.revealSeconds + params.appealSeconds;
        return _after(params.openSeconds + LOCKS_OUTLASTED * lock);
    }

    function _paramsOf(Case calldata about) private view returns (Params memory params) {
        params.read(address(registry), about.subnetId, about.paramsVersion);
    }

    function _paramsCodeOf(Case calldata about) private view returns (address) {
        return ParamsCode.codeOf(address(registry), about.subnetId, about.paramsVersion);
    }
}
