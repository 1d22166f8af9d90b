// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Case, Round, Seat} from "./ICourt.sol";
import {PositionView} from "./IStaking.sol";
import {Demand} from "./IStepChallenge.sol";
import {Task, Terms} from "./ITaskMarket.sol";

/// @notice A call that anyone may make.
enum Action {
    /// nothing is left to do, or what is open must end first: a case about the task, or its check
    None,
    /// RandomnessBeacon.fulfil
    Fulfil,
    /// TaskMarket.assign, expire, finalize
    Assign,
    Expire,
    Finalize,
    /// StepChallenge.closeDemand
    CloseDemand,
    /// Court.drawSeats, advance, settle, closeSeats
    DrawSeats,
    Advance,
    Settle,
    CloseSeats,
    /// Audit.drawChecker, closeCheck
    DrawChecker,
    CloseCheck
}

/// @notice The next such call, if nothing else happens before.
struct Next {
    Action action;
    /// whether it can be made in this block
    bool due;
    /// the first second, and the first block, in which it can be made
    uint40 time;
    uint64 blockNumber;
    /// the epoch of Fulfil, the round of CloseSeats
    uint32 which;
}

struct TaskView {
    bytes32 taskId;
    uint8 slot;
    Task task;
    bytes32 submissionHash;
    Demand demand;
    Next next;
}

struct RoundView {
    Round round;
    address payer;
    Seat[] seats;
}

struct AccountView {
    address account;
    /// in the vault, free
    uint256 balance;
    PositionView solver;
    PositionView verifier;
}

/// @notice Which parameters tasks are posted under, and what follows.
struct VersionsView {
    /// that tasks are posted under
    uint32 inForce;
    /// the same, or one more: then it is on its way
    uint32 newest;
    /// epoch from which on tasks are posted under the newest
    uint32 newestFrom;
}

/// @notice Reads for people and keepers, over the contracts as they are. It stores nothing, and no contract trusts it.
/// Whoever wants to know about the next block asks on top of the pending one.
interface IPanthaliaLens {
    /// @notice What anyone may do about a task. A draw that is due can still find nobody free.
    function nextAction(Terms calldata terms, uint8 slot) external view returns (Next memory);

    /// @notice What anyone may do about a case.
    function nextCaseAction(Case calldata about) external view returns (Next memory);

    /// @notice What anyone may do about the check of a submission.
    function nextCheckAction(Terms calldata terms, uint8 slot) external view returns (Next memory);

    /// @notice The tasks of a batch, slots ascending.
    /// @param from the first slot to look at
    /// @param count the most tasks to return
    function tasksOf(Terms calldata terms, uint8 from, uint256 count)
        external
        view
        returns (TaskView[] memory);

    /// @notice The rounds of a case with all their seats.
    /// @param from the number of the first round, from 1
    /// @param count the most rounds to return
    function roundsOf(Case calldata about, uint8 from, uint256 count)
        external
        view
        returns (RoundView[] memory);

    /// @notice What each of `accounts` has in the vault and in a subnet.
    function accountsOf(uint32 subnetId, address[] calldata accounts)
        external
        view
        returns (AccountView[] memory);

    /// @notice Whether new parameters of a subnet are on their way, and from when on they bind.
    function versionsOf(uint32 subnetId) external view returns (VersionsView memory);
}
