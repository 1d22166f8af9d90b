// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Terms} from "./ITaskMarket.sol";

enum Verdict {
    None,
    Valid,
    Invalid,
    Unavailable
}

enum CaseStatus {
    None,
    Active,
    Settled,
    /// the task ended elsewhere first: fees and bonds go back
    Moot
}

enum RoundState {
    None,
    Drawing,
    Commit,
    Reveal,
    Ruled,
    Void
}

/// @notice What a case is about. The court keeps only its hash, so every call brings the case again.
struct Case {
    bytes32 taskId;
    uint32 subnetId;
    uint32 paramsVersion;
    address solver;
    address disputer;
    /// k of the transition k -> k + 1
    uint32 step;
    /// so that a step can be brought again after a case without a verdict
    uint40 openedAt;
}

/// @notice A panel, and with the newest panel the state of the case; one word.
struct Round {
    CaseStatus status;
    RoundState state;
    /// of the newest panel that came to one, this one or one before; final once settled
    Verdict ruling;
    /// from 1
    uint8 number;
    uint8 size;
    /// seats that are filled, in order; a replacement starts again from 0
    uint8 drawn;
    /// commitments that are not revealed
    uint8 committed;
    uint8 valid;
    uint8 invalid;
    uint8 unavailable;
    /// seats whose absent holder lost its bond to a replacement
    uint8 replaced;
    /// absent seats were replaced once already
    bool replacement;
    /// void before the panel sat: seats without a vote lose nothing
    bool excused;
    /// valid votes came with different answers
    bool split;
    /// of the current state: drawBy, commitBy, revealBy or appealBy; the last second that is in time
    uint40 deadline;
    /// epoch in which the draw was asked for; it is made in a later one
    uint32 epoch;
    /// first bytes of the answer that most valid votes came with
    bytes8 answer;
    /// valid votes with that answer; while votes are opened, how many more than with others
    uint8 agreeing;
}

/// @notice One word.
struct Seat {
    address voter;
    Verdict verdict;
    bool closed;
    /// first bytes of the answer, with which it is compared to others'
    bytes8 answer;
}

/// @notice Disputes: panels of drawn verifiers, commit-reveal votes, appeals, settlement.
///
/// A round: Drawing -> Commit -> Reveal -> Ruled, then settled or appealed to a larger panel. Too few votes, or
/// a tie, replaces the absent seats once. Then a round with too few votes is Void, and so is a panel that can not be filled in
/// time. A tie is Ruled with the ruling before it, none in the first round, and can be appealed as every ruling; in the last round it is Void.
/// A void round leaves the ruling before it standing. A case that ends without a ruling returns the fees of all its panels.
/// Any number of cases about one task run side by side; when one of them ends the task, the others are moot.
/// Every exit is a call that anyone may make once the deadline has passed.
interface ICourt {
    /// @param before S_k, as the solver committed to it
    /// @param next S_(k+1), likewise
    /// @param stateBlob where the state behind S_k may be found; zero if nobody says
    event CaseOpened(
        bytes32 indexed taskId,
        bytes32 indexed caseId,
        address indexed disputer,
        uint32 step,
        bytes32 before,
        bytes32 next,
        bytes32 stateBlob
    );
    event RoundOpened(
        bytes32 indexed caseId, uint16 round, uint8 size, address indexed payer, uint96 fee, uint32 epoch
    );
    /// @dev The absent seats of a round are about to be drawn again.
    event ReplacementOpened(bytes32 indexed caseId, uint16 round, uint8 seats, uint32 epoch);
    event SeatDrawn(bytes32 indexed caseId, uint16 round, uint8 seat, address indexed voter);
    event VotingOpened(bytes32 indexed caseId, uint16 round, uint40 commitBy);
    event VoteCommitted(bytes32 indexed caseId, uint16 round, uint8 seat, address indexed voter);
    event RevealOpened(bytes32 indexed caseId, uint16 round, uint40 revealBy);
    event VoteRevealed(
        bytes32 indexed caseId,
        uint16 round,
        uint8 seat,
        address indexed voter,
        Verdict verdict,
        bytes32 answer
    );
    /// @param verdict that stands now: of a tie, that of the round before. `None` where there is none, and of a void round
    /// @param appealBy zero if there is no appeal
    event RoundRuled(bytes32 indexed caseId, uint16 round, Verdict verdict, uint40 appealBy);
    event CaseSettled(bytes32 indexed caseId, Verdict verdict, uint16 rounds, uint256 burned);
    event CaseMoot(bytes32 indexed caseId);
    /// @param paid beside the bond
    /// @param slashed the bond, if it is lost
    event SeatClosed(
        bytes32 indexed caseId, uint16 round, uint8 seat, address indexed voter, uint256 paid, uint256 slashed
    );

    error CaseExists(bytes32 caseId);
    error CaseNotActive(bytes32 caseId, CaseStatus status);
    error CaseNotEnded(bytes32 caseId, CaseStatus status);
    /// @dev The task ended elsewhere; only `settle` is left to do.
    error CaseIsMoot(bytes32 caseId);
    error WrongTask(bytes32 caseId, bytes32 taskId, bytes32 received);
    error WrongState(bytes32 caseId, uint16 round, RoundState state);
    error WrongRound(bytes32 caseId, uint16 round, uint16 currentRound);
    error DeadlinePassed(bytes32 caseId, uint40 deadline);
    error DeadlineNotPassed(bytes32 caseId, uint40 deadline);
    error NotSeatHolder(bytes32 caseId, uint16 round, uint8 seat, address caller);
    error NoSuchSeat(bytes32 caseId, uint16 round, uint8 seat);
    error SeatAlreadyClosed(bytes32 caseId, uint16 round, uint8 seat);
    error AlreadyVoted(bytes32 caseId, uint16 round, uint8 seat);
    error EmptyCommitment(bytes32 caseId, uint16 round, uint8 seat);
    error WrongOpening(bytes32 expected, bytes32 received);
    error NotAVerdict(Verdict verdict);
    error LastRound(bytes32 caseId, uint16 round);
    error NotChallenge(address caller);
    error BondTooSmall(uint256 bond, uint256 least);
    /// @dev For some seat no attempt hit a free bond; with the seed of the next epoch one may.
    error NoVerifierFree(bytes32 caseId, uint32 epoch);

    /// @notice Open a case about a transition that was shown to be the solver's. StepChallenge only.
    /// Fee of the first panel and delay deposit come from the disputer's vault account, less `bond`, which is in the
    /// court's account already.
    /// @param price of the task
    function openCase(
        Case calldata about,
        uint96 price,
        uint96 bond,
        bytes32 before,
        bytes32 next,
        bytes32 stateBlob
    ) external returns (bytes32 caseId);

    /// @notice Draw the seats of the newest round, all of them or as many as one call may; voting opens when all are drawn. Where
    /// it finds too few, it can be tried again in every epoch until drawBy: openSeconds, and for the first panel twice the time to commit, reveal and appeal.
    function drawSeats(Case calldata about) external;

    /// @notice Commit to a vote, or change the commitment. The holder of the seat only.
    /// Revealing opens at once when all seats have committed.
    function commitVote(Case calldata about, uint8 round, uint8 seat, bytes32 commitment) external;

    /// @notice Open a commitment. Anyone who knows the opening may.
    /// The round is ruled at once when all commitments are open and the votes decide.
    function revealVote(
        Case calldata about,
        uint8 round,
        uint8 seat,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) external;

    /// @notice Move the newest round on after its deadline, or as soon as there is nothing left to wait for.
    function advance(Case calldata about) external;

    /// @notice Call a larger panel against the current ruling. Its fee comes from the caller's vault account
    /// and is returned if the final ruling differs from the one appealed.
    function appeal(Case calldata about) external;

    /// @notice End a case: after `appealBy`, at once after the last ruling or a void round, and at any time once the
    /// task has ended elsewhere. Seats are closed one by one afterwards.
    /// @param terms of the task's batch
    function settle(Case calldata about, Terms calldata terms, uint8 slot) external;

    /// @notice Pay or slash one seat of an ended case.
    function closeSeat(Case calldata about, uint8 round, uint8 seat) external;

    /// @notice `closeSeat` for every open seat of a round.
    function closeSeats(Case calldata about, uint8 round) external;

    /// @notice The commitment to a vote: binds chain, court, case, round, seat and voter, so it can not be copied.
    function voteHash(
        bytes32 caseId,
        uint8 round,
        uint8 seat,
        address voter,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) external view returns (bytes32);

    /// @notice keccak256(abi.encode(chain id, this contract, case))
    function caseIdOf(Case calldata about) external view returns (bytes32);

    /// @notice The newest round, with the state of the case.
    function newestRound(bytes32 caseId) external view returns (Round memory);

    function roundOf(bytes32 caseId, uint8 round) external view returns (Round memory);

    /// @notice Who paid for a round: the disputer, or whoever appealed.
    function payerOf(Case calldata about, uint8 round) external view returns (address);

    function seatOf(bytes32 caseId, uint8 round, uint8 seat) external view returns (Seat memory);

    /// @notice The commitment of a seat that is not opened yet.
    function commitmentOf(bytes32 caseId, uint8 round, uint8 seat) external view returns (bytes32);

    /// @notice The fee of the panel of `round`; a pin costs that of round 1 and the delay deposit.
    function feeOf(uint32 subnetId, uint32 paramsVersion, uint8 round) external view returns (uint256);
}
