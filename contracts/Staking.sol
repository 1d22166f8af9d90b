// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IRandomnessSource} from "./interfaces/IRandomnessSource.sol";
import {IStaking, Position, PositionView, Role} from "./interfaces/IStaking.sol";
import {ISubnetRegistry} from "./interfaces/ISubnetRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {EpochClock} from "./libraries/EpochClock.sol";
import {SortitionTree} from "./libraries/SortitionTree.sol";

/// @notice Positions, seats and draws. A drawn bond stays where it is and is locked, so a slash can never find it
/// withdrawn; the module that drew it decides what becomes of it.
contract Staking is IStaking {
    using Checkpoints for Checkpoints.Trace224;
    using SortitionTree for SortitionTree.Tree;

    /// Positions tried per draw before it is left to the next epoch's seed.
    uint256 public constant DRAW_ATTEMPTS = 16;
    uint16 private constant ALL_FRESH = type(uint16).max;

    /// @dev Everybody with one role in one subnet.
    struct Pool {
        SortitionTree.Tree tree;
        /// by version of the parameters, how many leaves were taken while it or an older one was in force
        Checkpoints.Trace224 leaves;
        mapping(uint256 leaf => address) owners;
        mapping(address account => Position) positions;
    }

    IVault public immutable vault;
    ISubnetRegistry public immutable registry;
    IRandomnessSource public immutable beacon;
    address public immutable market;
    address public immutable court;
    address public immutable audit;
    EpochClock private immutable _clock;

    mapping(uint32 subnetId => mapping(Role => Pool)) private _pools;

    /// @dev Solvers are drawn, returned and slashed by the market, verifiers by the court for panels and by the audit
    /// for checks.
    modifier onlyDrawerOf(Role role) {
        bool isDrawer =
            role == Role.Solver ? msg.sender == market : msg.sender == court || msg.sender == audit;
        require(isDrawer, NotAllowed(msg.sender, role));
        _;
    }

    constructor(
        IVault vault_,
        ISubnetRegistry registry_,
        IRandomnessSource beacon_,
        address market_,
        address court_,
        address audit_
    ) {
        vault = vault_;
        registry = registry_;
        beacon = beacon_;
        _clock = beacon_.clock();
        market = market_;
        court = court_;
        audit = audit_;
    }

    /// @inheritdoc IStaking
    function stake(uint32 subnetId, Role role, uint32 seats) external {
        require(seats > 0, NoSeats(subnetId, role, msg.sender));
        (uint256 bond, uint32 perSeat) = bondOf(subnetId, role);
        uint32 version = registry.openVersion(subnetId); // reverts where no new stake is taken
        Pool storage pool = _pools[subnetId][role];
        Position memory position = pool.positions[msg.sender];
        require(!position.jailed, PositionIsJailed(subnetId, role, msg.sender));
        if (position.version != version && _weight(position, perSeat) == 0) _enter(pool, position, version);

        uint32 active = position.bonds - position.pending;
        uint32 whole = active / perSeat;
        uint32 most = (type(uint32).max - position.pending) / perSeat - whole;
        require(seats <= most, TooManySeats(seats, most));
        uint32 added = (whole + seats) * perSeat - active;
        position.bonds += added;
        pool.positions[msg.sender] = position;
        if (role == Role.Verifier) _freshen(pool.positions[msg.sender], added);
        _weigh(pool, position, perSeat);
        uint256 amount = added * bond;
        emit SeatsStaked(subnetId, role, msg.sender, seats, amount);
        vault.move(msg.sender, address(this), amount);
    }

    /// @inheritdoc IStaking
    function requestUnstake(uint32 subnetId, Role role, uint32 seats) external {
        require(seats > 0, NoSeats(subnetId, role, msg.sender));
        (, uint32 perSeat) = bondOf(subnetId, role);
        Pool storage pool = _pools[subnetId][role];
        Position memory position = pool.positions[msg.sender];
        uint32 active = position.bonds - position.pending;
        uint32 held = _seatsRoundedUp(active, perSeat);
        require(seats <= held, NotEnoughSeats(seats, held));

        position.pending += seats == held ? active : seats * perSeat;
        uint32 cooldown = registry.paramsOf(subnetId, registry.latestVersion(subnetId)).cooldownEpochs;
        position.unlockAt = _clock.currentEpoch() + cooldown;
        pool.positions[msg.sender] = position;
        _weigh(pool, position, perSeat);
        emit UnstakeRequested(subnetId, role, msg.sender, seats, position.unlockAt);
    }

    /// @inheritdoc IStaking
    function withdrawStake(uint32 subnetId, Role role) external {
        Position storage position = _pools[subnetId][role].positions[msg.sender];
        uint32 pending = position.pending;
        require(pending > 0, NothingPending(subnetId, role, msg.sender));
        uint32 epoch = _clock.currentEpoch();
        require(epoch >= position.unlockAt, StillCoolingDown(position.unlockAt, epoch));
        uint32 unlocked = position.bonds - position.locked;
        require(unlocked > 0, StillLocked(pending, position.locked));

        uint32 paid = pending < unlocked ? pending : unlocked;
        position.pending = pending - paid;
        position.bonds -= paid;
        (uint256 bond, uint32 perSeat) = bondOf(subnetId, role);
        uint256 amount = paid * bond;
        emit StakeWithdrawn(subnetId, role, msg.sender, _seatsRoundedUp(paid, perSeat), amount);
        vault.move(address(this), msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function draw(uint32 subnetId, Role role, bytes32 entropy, address excluded, uint32 epoch, uint32 version)
        external
        onlyDrawerOf(role)
        returns (address account)
    {
        Pool storage pool = _pools[subnetId][role];
        uint256 total = pool.tree.total(epoch);
        for (uint256 attempt = 0; attempt < DRAW_ATTEMPTS && total > 0; ++attempt) {
            uint256 ticket = uint256(Hashes.efficientKeccak256(entropy, bytes32(attempt))) % total;
            account = pool.owners[pool.tree.find(ticket, epoch) + 1];
            Position storage position = pool.positions[account];
            if (position.version > version) {
                // newcomers stand behind all others, so the tickets before theirs are as good as a tree of their own
                total = pool.tree.totalBefore(pool.leaves.upperLookup(version), epoch);
                continue;
            }
            if (account == excluded) continue;
            uint256 taken = _taken(position.pending, position.locked, position.fresh, epoch);
            if (_freeBonds(position.bonds, taken, position.jailed) == 0) continue;
            unchecked {
                position.locked += 1; // one is free, so there are more bonds than locked ones
            }
            return account;
        }
        return address(0);
    }

    /// @inheritdoc IStaking
    function release(uint32 subnetId, Role role, address account) external onlyDrawerOf(role) {
        Position storage position = _pools[subnetId][role].positions[account];
        position.locked -= 1;
        if (role == Role.Verifier) _freshen(position, 1);
    }

    /// @inheritdoc IStaking
    function forfeit(uint32 subnetId, Role role, address account, uint256 lost, bytes32 caseId)
        external
        onlyDrawerOf(role)
    {
        emit SeatSlashed(subnetId, role, account, lost, caseId);
        _takeBond(subnetId, role, account, false);
    }

    /// @inheritdoc IStaking
    function convict(uint32 subnetId, Role role, address account, uint256 lost, bytes32 caseId)
        external
        onlyDrawerOf(role)
    {
        emit SeatSlashed(subnetId, role, account, lost, caseId);
        emit PositionJailed(subnetId, role, account);
        _takeBond(subnetId, role, account, true);
    }

    function positionOf(uint32 subnetId, Role role, address account)
        external
        view
        returns (PositionView memory)
    {
        Position storage position = _pools[subnetId][role].positions[account];
        (uint256 bond, uint32 perSeat) = bondOf(subnetId, role);
        uint256 taken = _taken(position.pending, position.locked, position.fresh, _clock.currentEpoch());
        return PositionView({
            seats: _weight(position, perSeat),
            locked: position.locked,
            pending: _seatsRoundedUp(position.pending, perSeat),
            unlockAt: position.unlockAt,
            jailed: position.jailed,
            amount: position.bonds * bond,
            freeBonds: _freeBonds(position.bonds, taken, position.jailed),
            version: position.version
        });
    }

    /// @inheritdoc IStaking
    function drawableSeats(uint32 subnetId, Role role) external view returns (uint256) {
        return _pools[subnetId][role].tree.total(_clock.currentEpoch());
    }

    /// @inheritdoc IStaking
    function ownerOfTicket(uint32 subnetId, Role role, uint256 ticket) external view returns (address) {
        Pool storage pool = _pools[subnetId][role];
        return pool.owners[pool.tree.find(ticket, _clock.currentEpoch()) + 1];
    }

    /// @inheritdoc IStaking
    function bondOf(uint32 subnetId, Role role) public view returns (uint256 bond, uint32 bondsPerSeat) {
        (uint96 solverStake, uint96 seatBond, uint8 exposure) = registry.seatTerms(subnetId);
        return role == Role.Solver ? (solverStake, uint32(1)) : (seatBond, uint32(exposure));
    }

    function _takeBond(uint32 subnetId, Role role, address account, bool jailed) private {
        Pool storage pool = _pools[subnetId][role];
        Position memory position = pool.positions[account];
        position.locked -= 1;
        position.bonds -= 1;
        if (position.pending > position.bonds) position.pending = position.bonds;
        if (jailed) position.jailed = true;
        pool.positions[account] = position;
        (, uint32 perSeat) = bondOf(subnetId, role);
        _weigh(pool, position, perSeat);
    }

    /// @dev Into the draw, or back into it: behind everybody who came while an older version was in force.
    function _enter(Pool storage pool, Position memory position, uint32 version) private {
        position.version = version;
        position.leaf = uint32(pool.leaves.latest()) + 1;
        pool.owners[position.leaf] = msg.sender;
        pool.leaves.push(version, position.leaf);
    }

    /// @dev Keep the tree at the position's whole active seats.
    function _weigh(Pool storage pool, Position memory position, uint32 perSeat) private {
        uint256 weight = _weight(position, perSeat);
        uint256 leaf = position.leaf - 1;
        if (pool.tree.weightOf(leaf) != weight) pool.tree.update(leaf, weight, _clock.currentEpoch());
    }

    function _weight(Position memory position, uint32 perSeat) private pure returns (uint32) {
        return position.jailed ? 0 : (position.bonds - position.pending) / perSeat;
    }

    /// @dev Bonds become free with this epoch's seed in sight, and whoever owns them could choose the moment for a draw to find
    /// them: while all others are at work, that would fill a panel. So they wait for the next epoch. A solver that is
    /// drawn for a task decides nothing by it, so its bonds do not wait.
    function _freshen(Position storage position, uint256 count) private {
        uint48 epoch = _clock.currentEpoch();
        uint48 fresh = position.fresh;
        // forge-lint: disable-next-line(unsafe-typecast)
        if (fresh >> 16 == epoch) count += uint16(fresh);
        // forge-lint: disable-next-line(unsafe-typecast)
        position.fresh = (epoch << 16) | (count < ALL_FRESH ? uint16(count) : ALL_FRESH);
    }

    /// @dev Bonds that no draw of this epoch finds: more than any position has, if the fresh ones were too many to be counted.
    function _taken(uint256 pending, uint256 locked, uint256 fresh, uint32 epoch)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 sum = pending + locked; // of 32 bits each
            if (fresh >> 16 != epoch) return sum;
            // forge-lint: disable-next-line(unsafe-typecast)
            return uint16(fresh) == ALL_FRESH ? type(uint32).max : sum + uint16(fresh);
        }
    }

    /// @dev Bonds that back nothing, were not asked back and were there before the epoch. Last epoch's weights may promise more.
    function _freeBonds(uint32 bonds, uint256 taken, bool jailed) private pure returns (uint32) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return jailed || taken >= bonds ? 0 : uint32(bonds - taken);
    }

    function _seatsRoundedUp(uint32 bonds, uint32 perSeat) private pure returns (uint32) {
        return (bonds + perSeat - 1) / perSeat;
    }
}
