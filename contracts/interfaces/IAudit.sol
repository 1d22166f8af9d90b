// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {TraceLeaf} from "../libraries/TraceLeaf.sol";
import {Submission, Terms} from "./ITaskMarket.sol";

enum CheckState {
    None,
    /// another checker is to be drawn in place of the first one
    Drawing,
    Committing,
    /// the checker has committed, the solver is to answer
    Answering,
    Revealing,
    /// the answers differ
    Disputing,
    Over
}

enum CheckOutcome {
    None,
    /// equal answers
    Passed,
    /// the task was rejected after the checker had committed
    Rejected,
    /// the task ended otherwise, or a case about it without a verdict: nobody is right or wrong
    Moot,
    /// nobody said what the solver's trace is made of: the solver is convicted
    Silent,
    /// answers that differ from those of a trace nobody could fault, or that were never opened
    CheckerFailed,
    /// two checkers were absent or declined, or there was no second one
    Unchecked
}

/// @notice What a leaf of the trace is made of, and that it is one.
struct Opening {
    TraceLeaf.Content content;
    /// of TraceTree.verify
    bytes32[] proof;
}

/// @notice One word.
struct Check {
    address checker;
    /// of the state: drawBy, commitBy, answerBy or revealBy; the last second that is in time
    uint40 deadline;
    /// epoch in which a second checker was asked for
    uint32 epoch;
    CheckState state;
    /// 1, or 2 for the second checker
    uint8 attempt;
    /// of the whole task: the last step is the first of the checked ones
    bool whole;
}

/// @notice Checks of results that nobody disputes.
///
/// The seed of the epoch of a submission says whether it is checked, and which steps (libraries/Sampling.sol). Anyone may
/// then have a checker drawn; it is paid by the buyer if the result passes. The checker commits to answers about those
/// steps, then the solver shows what its trace is made of there, from which its answers follow, and the checker opens. If the
/// answers are equal the check has passed. If not, the checker has seen another step than the solver committed to, and pins
/// it as every disputer does. An open check holds a task back from being accepted as a case does.
interface IAudit {
    /// @param attempt 2 for the one in place of an absent checker
    /// @param roll gives the steps, and is the seed of the answers
    event CheckerDrawn(
        bytes32 indexed taskId,
        address indexed checker,
        uint8 attempt,
        bool whole,
        bytes32 roll,
        uint40 commitBy
    );
    event CheckCommitted(bytes32 indexed taskId, address indexed checker, uint40 answerBy);
    event AnswersOpened(bytes32 indexed taskId, bytes32 answers, uint40 revealBy);
    /// @param challengeBy new, since the answers differ; zero if they are equal
    event CheckRevealed(bytes32 indexed taskId, address indexed checker, bytes32 answers, uint40 challengeBy);
    /// @param bond what the checker lost: its bond, or nothing if it declined
    event CheckerReplaced(bytes32 indexed taskId, address indexed checker, uint256 bond, uint40 drawBy);
    /// @param paid to the checker, beside its bond; the fee went back to the buyer if it is zero
    /// @param lost bond of the checker, burned
    event CheckClosed(
        bytes32 indexed taskId, address indexed checker, CheckOutcome outcome, uint256 paid, uint256 lost
    );

    error NotSampled(bytes32 taskId);
    error SampleSeedNotKnown(bytes32 taskId, uint32 epoch);
    error NoCheckerFree(bytes32 taskId, uint32 epoch);
    error WrongCheckState(bytes32 taskId, CheckState state);
    error CheckDeadlinePassed(bytes32 taskId, uint40 deadline);
    error CheckDeadlineNotPassed(bytes32 taskId, uint40 deadline);
    error NotChecker(bytes32 taskId, address caller);
    error EmptyCheck(bytes32 taskId);
    error WrongOpeningCount(uint256 received, uint256 expected);
    error WrongCheckOpening(bytes32 expected, bytes32 received);
    /// @dev The task is no longer submitted; only `closeCheck` is left to do.
    error TaskHasEnded(bytes32 taskId);

    /// @notice Draw the checker of a sampled task, before `challengeBy`; or the second one. Its fee comes from the
    /// buyer's vault account.
    function drawChecker(Terms calldata terms, uint8 slot) external;

    /// @notice Commit to answers. The checker only, once, and before the task has ended.
    /// @param commitment see libraries/CheckHash.sol
    function commitCheck(Terms calldata terms, uint8 slot, bytes32 commitment) external;

    /// @notice Decline a check that can not be made, before `commitBy`. The bond is released, and nothing is paid.
    function declineCheck(Terms calldata terms, uint8 slot) external;

    /// @notice Show what the solver's trace is made of at the checked steps, once the checker has committed. Whoever has it
    /// may: it proves itself.
    /// @param openings of S_(k+1) for each checked step k, in the order of the answers
    function openAnswers(
        Terms calldata terms,
        uint8 slot,
        Submission calldata submission,
        Opening[] calldata openings
    ) external;

    /// @notice Open the checker's commitment, after the solver's answers. Anyone who knows the opening may.
    function revealCheck(Terms calldata terms, uint8 slot, bytes32 answers, bytes32 salt) external;

    /// @notice End a check whose deadline has passed, or whose task has ended. After different answers, and after none, that
    /// is once no case and no demand is open; after different answers `challengeBy` has to pass too. Anyone may.
    function closeCheck(Terms calldata terms, uint8 slot) external;

    /// @notice Which check a submission is due: the roll that gives its steps, and whether it is of the whole task.
    function sampleOf(Terms calldata terms, uint8 slot) external view returns (bytes32 roll, bool whole);

    function checkOf(bytes32 taskId) external view returns (Check memory);

    /// @notice Step k of the transition k -> k + 1 that an answer is about. A check of the whole task begins with the last
    /// one: whoever has come there from the base has seen all of it.
    /// @param index of the answer
    function stepOf(bytes32 roll, bool whole, uint8 index, uint32 innerSteps) external pure returns (uint32);

    /// @notice Whether a check holds the task.
    function isOpen(bytes32 taskId) external view returns (bool);

    /// @notice The solver's answers, zero if it gave none.
    function answersOf(bytes32 taskId) external view returns (bytes32);

    /// @notice The checker's commitment; once it is opened, its answers.
    function commitmentOf(bytes32 taskId) external view returns (bytes32);
}
