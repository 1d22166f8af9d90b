// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

enum Role {
    Solver,
    Verifier
}

/// @notice Stake of one account in one role of one subnet, counted in bonds. A solver's seat is one bond of
/// `solverStake`; a verifier's seat is `exposure` bonds of `seatBond`. Losing a bond can leave a seat part
/// empty; such a seat is not drawn, is filled up by the next `stake`, and can be unstaked.
struct Position {
    /// leaf of the sortition tree, counting from 1
    uint32 leaf;
    /// everything owned: free, locked and pending
    uint32 bonds;
    /// in a task or a case at this moment: neither drawn again nor withdrawn
    uint32 locked;
    /// asked back, no longer drawn
    uint32 pending;
    /// the first epoch in which pending bonds can be withdrawn
    uint40 unlockAt;
    /// convicted: never drawn again, may only leave
    bool jailed;
    /// of the parameters, in force when it came into the draw: no task of an older one draws it
    uint32 version;
    /// verifiers only: the last epoch in which bonds came or were released, and in the lowest 16 bits how many they were. They
    /// are not drawn in that epoch; 65,535 stands for all of the position
    uint48 fresh;
}

struct PositionView {
    /// whole seats that count in the next draw
    uint32 seats;
    /// bonds in a task or a case; a solver's seat is one bond, a verifier's `exposure` of them
    uint32 locked;
    /// seats asked back, rounded up
    uint32 pending;
    uint40 unlockAt;
    bool jailed;
    /// tokens of the position, locked and pending ones included
    uint256 amount;
    /// bonds that could be drawn now
    uint32 freeBonds;
    /// of the parameters, in force when it came into the draw; zero if it never did
    uint32 version;
}

/// @notice Stake in whole seats and the stake-weighted draw over it.
/// Stake added in epoch `e` is drawn from epoch `e + 1` on, so nobody can stake after seeing a seed; nor are verifiers' bonds
/// that came or were released in epoch `e` drawn in it, so nobody can choose with the seed in sight which of them are free.
/// Who comes into the draw has agreed to the parameters in force, and is drawn for tasks of that version and later ones, never for
/// those of an older one; who leaves and comes back agrees anew.
interface IStaking {
    event SeatsStaked(
        uint32 indexed subnetId, Role indexed role, address indexed account, uint32 seats, uint256 amount
    );
    event UnstakeRequested(
        uint32 indexed subnetId, Role indexed role, address indexed account, uint32 seats, uint40 unlockAt
    );
    event StakeWithdrawn(
        uint32 indexed subnetId, Role indexed role, address indexed account, uint32 seats, uint256 amount
    );
    /// @param amount what the owner lost
    /// @param caseId the case or task in which it was lost
    event SeatSlashed(
        uint32 indexed subnetId, Role role, address indexed account, uint256 amount, bytes32 indexed caseId
    );
    event PositionJailed(uint32 indexed subnetId, Role role, address indexed account);

    /// @dev None are asked for.
    error NoSeats(uint32 subnetId, Role role, address account);
    /// @dev More than a position can hold.
    error TooManySeats(uint32 requested, uint32 most);
    error PositionIsJailed(uint32 subnetId, Role role, address account);
    error NotEnoughSeats(uint32 requested, uint32 available);
    error NothingPending(uint32 subnetId, Role role, address account);
    error StillCoolingDown(uint40 unlockAt, uint32 currentEpoch);
    /// @dev Everything pending still backs a task or a case.
    error StillLocked(uint32 pending, uint32 locked);
    error NotAllowed(address caller, Role role);

    /// @notice Add `seats` whole seats, paid from the caller's vault account; a part-empty seat is filled first.
    function stake(uint32 subnetId, Role role, uint32 seats) external;

    /// @notice Ask `seats` back. They leave the draw now and can be withdrawn after the cooldown, which starts
    /// again for everything pending. A part-empty seat counts as one.
    function requestUnstake(uint32 subnetId, Role role, uint32 seats) external;

    /// @notice Pay pending stake that is not locked into the caller's vault account, after the cooldown.
    function withdrawStake(uint32 subnetId, Role role) external;

    /// @notice Draw a position and lock one of its bonds: the market draws solvers, court and audit verifiers. Uses the
    /// weights as they stood when the last epoch ended.
    /// @param entropy decides the draw together with those weights
    /// @param excluded an account that must not be drawn, zero for none
    /// @param epoch the current one, which the caller has just asked the source of seeds for
    /// @param version of the parameters of the task: among those who came under it or an older one
    /// @return account zero if no attempt hit a position with a free bond
    /// @dev At most `DRAW_ATTEMPTS` descents of the tree, each O(depth).
    function draw(uint32 subnetId, Role role, bytes32 entropy, address excluded, uint32 epoch, uint32 version)
        external
        returns (address account);

    /// @notice Unlock a bond that the calling module drew.
    function release(uint32 subnetId, Role role, address account) external;

    /// @notice Take away a bond that the calling module drew. The module moves the tokens, which may be before: a locked
    /// bond can not be withdrawn.
    /// @param lost what the owner loses for good, for the record
    function forfeit(uint32 subnetId, Role role, address account, uint256 lost, bytes32 caseId) external;

    /// @notice `forfeit`, and take the position out of every later draw.
    function convict(uint32 subnetId, Role role, address account, uint256 lost, bytes32 caseId) external;

    function positionOf(uint32 subnetId, Role role, address account)
        external
        view
        returns (PositionView memory);

    /// @notice Value of one bond and number of bonds per seat.
    function bondOf(uint32 subnetId, Role role) external view returns (uint256 bond, uint32 bondsPerSeat);

    /// @notice Seats that a draw in the current epoch chooses from.
    function drawableSeats(uint32 subnetId, Role role) external view returns (uint256);

    /// @notice Who owns `ticket`, in [0, drawableSeats), in the current epoch.
    function ownerOfTicket(uint32 subnetId, Role role, uint256 ticket) external view returns (address);
}
