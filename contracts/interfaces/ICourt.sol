// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

enum Verdict {
    None,
    Valid,
    Invalid,
    Unavailable
}

enum CaseStatus {
    None,
    Active,
    Settled
}

enum RoundState {
    None,
    Drawing,
    Commit,
    Reveal,
    Ruled,
    Void
}

struct DisputeCase {
    CaseStatus status;
    /// of the newest panel that came to one; final once settled
    Verdict ruling;
    /// number of the newest panel, from 1
    uint16 round;
    uint32 subnetId;
    uint32 paramsVersion;
    uint32 step;
    address disputer;
    address solver;
}

struct Round {
    RoundState state;
    Verdict ruling;
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
    /// of the current state: drawBy, commitBy, revealBy or appealBy; the last second that is in time
    uint40 deadline;
    /// epoch in which the draw was asked for; it is made in a later one
    uint32 epoch;
    /// what each seat that was right gets beside its bond; known once the case is settled
    uint96 share;
    /// who paid for this panel: the disputer, or whoever appealed
    address payer;
    uint96 fee;
}

struct Seat {
    address voter;
    Verdict verdict;
    bool closed;
    bytes32 commitment;
    bytes32 answer;
}

/// @notice Disputes: panels of drawn verifiers, commit-reveal votes, appeals, settlement.
///
/// A round: Drawing -> Commit -> Reveal -> Ruled, then settled or appealed to a larger panel. Too few votes, or
/// a tie, replaces the absent seats once, then the round is Void; so is a panel that can not be filled in time.
/// A void round leaves the ruling before it standing; a void first round ends the case without a verdict.
/// Every exit is a call that anyone may make once the deadline has passed.
interface ICourt {
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
    /// @param verdict `None` if the round is void
    /// @param appealBy zero if there is no appeal
    event RoundRuled(bytes32 indexed caseId, uint16 round, Verdict verdict, uint40 appealBy);
    event CaseSettled(bytes32 indexed caseId, Verdict verdict, uint16 rounds, uint256 burned);
    /// @param paid beside the bond
    /// @param slashed the bond, if it is lost
    event SeatClosed(
        bytes32 indexed caseId, uint16 round, uint8 seat, address indexed voter, uint256 paid, uint256 slashed
    );

    error CaseNotActive(bytes32 caseId, CaseStatus status);
    error CaseNotSettled(bytes32 caseId, CaseStatus status);
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
    /// @dev No attempt hit a free bond; the next epoch's seed may.
    error NoVerifierFree(bytes32 caseId, uint32 epoch);

    /// @notice Dispute a submitted task. The fee of the first panel comes from the caller's vault account.
    /// @param step the first step that is wrong, k of the transition k -> k + 1
    /// @return caseId the task's id
    function openDispute(bytes32 taskId, uint32 step) external returns (bytes32 caseId);

    /// @notice Draw the seats of the newest round, as many as one call may; voting opens when all are drawn.
    function drawSeats(bytes32 caseId) external;

    /// @notice Commit to a vote, or change the commitment. The holder of the seat only.
    /// Revealing opens at once when all seats have committed.
    function commitVote(bytes32 caseId, uint16 round, uint8 seat, bytes32 commitment) external;

    /// @notice Open a commitment. Anyone who knows the opening may.
    /// The round is ruled at once when all commitments are open.
    function revealVote(
        bytes32 caseId,
        uint16 round,
        uint8 seat,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) external;

    /// @notice Move the newest round on after its deadline; after `appealBy` this settles the case.
    function advance(bytes32 caseId) external;

    /// @notice Call a larger panel against the current ruling. Its fee comes from the caller's vault account
    /// and is returned if the final ruling differs from the one appealed.
    function appeal(bytes32 caseId) external;

    /// @notice Pay or slash one seat of a settled case.
    function closeSeat(bytes32 caseId, uint16 round, uint8 seat) external;

    /// @notice `closeSeat` for every open seat of a round.
    function closeSeats(bytes32 caseId, uint16 round) external;

    /// @notice The commitment to a vote: binds chain, court, case, round, seat and voter, so it can not be copied.
    function voteHash(
        bytes32 caseId,
        uint16 round,
        uint8 seat,
        address voter,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) external view returns (bytes32);

    function disputeCase(bytes32 caseId) external view returns (DisputeCase memory);

    function roundOf(bytes32 caseId, uint16 round) external view returns (Round memory);

    function seatOf(bytes32 caseId, uint16 round, uint8 seat) external view returns (Seat memory);

    /// @notice What `openDispute` on a task of these parameters costs, or the appeal that opens `round`.
    function feeOf(uint32 subnetId, uint32 paramsVersion, uint16 round) external view returns (uint256);
}
