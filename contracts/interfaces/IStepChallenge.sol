// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Submission, Terms} from "./ITaskMarket.sol";

/// @notice A transition that a solver has committed to, and that somebody says is wrong.
struct Pin {
    /// k of the transition k -> k + 1
    uint32 step;
    /// S_k
    bytes32 before;
    /// S_(k+1)
    bytes32 next;
    /// of TraceTree.verifyPair
    bytes32[] siblings;
    /// id of the blob theta | m | v | 84 bytes behind S_k, published beforehand; zero if there is none
    bytes32 stateBlob;
    /// of the commitment
    bytes32 salt;
}

/// @notice That `msg.sender` knows a fault, before it says which; one word.
struct Commitment {
    uint96 bond;
    uint40 time;
    uint64 blockNumber;
}

/// @notice A wish to see the leaves of a trace; one word.
struct Demand {
    address by;
    uint40 answerBy;
    bool closed;
}

/// @notice How a dispute about one step begins.
///
/// A disputer commits to a step and pins it at least one block later, so that nobody who sees the pin can have been
/// first. A pin proves in one transaction that S_k and S_(k+1) are what the solver committed to; the panel is asked about
/// that transition alone. Losing a pin costs fee and delay deposit and leaves every other step open.
///
/// A disputer that can not get the leaves demands them. Anyone may answer with all of them, checked against the trace
/// root. Without an answer in `clockSeconds` the solver is convicted, and the bounty goes to whoever demanded them.
interface IStepChallenge {
    event DisputeCommitted(bytes32 indexed commitment, address indexed disputer, uint96 bond);
    /// @dev Its bond counted towards what the pin costs.
    event CommitmentOpened(bytes32 indexed commitment, bytes32 indexed caseId);
    event CommitmentDropped(bytes32 indexed commitment, address indexed disputer, uint96 bond);
    event LeavesDemanded(bytes32 indexed taskId, address indexed by, uint256 fee, uint40 answerBy);
    /// @param challengeBy there is time to pin
    event LeavesPublished(bytes32 indexed taskId, address indexed by, bytes32[] leaves, uint40 challengeBy);
    /// @param withheld whether the solver is convicted for it; otherwise the task had ended elsewhere
    event DemandClosed(bytes32 indexed taskId, bool withheld);

    error AlreadyCommitted(bytes32 commitment);
    error NotCommitted(bytes32 commitment);
    error CommitmentTooYoung(bytes32 commitment, uint256 blockNumber);
    error CommitmentStillGood(bytes32 commitment, uint256 until);
    error StepBeyondTrace(uint32 step, uint32 innerSteps);
    error AlreadyDemanded(bytes32 taskId);
    error NoDemand(bytes32 taskId);
    error AnswerTooLate(bytes32 taskId, uint40 answerBy);
    error AnswerNotDue(bytes32 taskId, uint40 answerBy);
    error WrongLeafCount(uint256 received, uint256 expected);
    error WrongLeaves(bytes32 root, bytes32 expected);

    /// @notice Commit to a dispute. The bond comes from the caller's vault account and is given back by the pin.
    /// @param commitment see `commitmentOf`
    /// @param bond at least `commitBondBps` of the task's price when it is pinned
    function commitDispute(bytes32 commitment, uint96 bond) external;

    /// @notice Burn the bond of a commitment that was not pinned in seven days.
    function dropCommitment(address disputer, bytes32 commitment) external;

    /// @notice Open a case about one step of a submitted task. The caller made the commitment in an earlier block and
    /// pays the fee of the first panel and the delay deposit, less its bond.
    function pin(Terms calldata terms, uint8 slot, Submission calldata submission, Pin calldata what)
        external
        returns (bytes32 caseId);

    /// @notice Demand the leaves of a trace, once per task. `verifierFee` comes from the caller's vault account, for
    /// whoever answers.
    function demandLeaves(Terms calldata terms, uint8 slot, Submission calldata submission) external;

    /// @notice Answer a demand, which leaves the time of a challenge to pin. Anyone may.
    /// @param leaves S_0 .. S_H
    function publishLeaves(
        Terms calldata terms,
        uint8 slot,
        Submission calldata submission,
        bytes32[] calldata leaves
    ) external;

    /// @notice Close a demand that nobody answered in time: the task is rejected, its solver convicted, and every open case
    /// is moot. Where the task has ended elsewhere only the fee goes back, which it does in both. Anyone may.
    function closeDemand(Terms calldata terms, uint8 slot) external;

    /// @notice keccak256(abi.encode(chain id, this contract, taskId, disputer, step, salt))
    function commitmentOf(bytes32 taskId, address disputer, uint32 step, bytes32 salt)
        external
        view
        returns (bytes32);

    function commitmentAt(address disputer, bytes32 commitment) external view returns (Commitment memory);

    function demandOf(bytes32 taskId) external view returns (Demand memory);
}
