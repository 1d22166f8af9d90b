// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Seat} from "../../../contracts/interfaces/ICourt.sol";
import {PositionView, Role} from "../../../contracts/interfaces/IStaking.sol";
import {Task, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Jobs} from "./Jobs.sol";

/// @dev Positions and the trees that are drawn from, against the model's.
abstract contract Stakes is Jobs {
    /// @dev Slot of `_pools` in Staking; a pool begins with its tree: the nodes, then the root.
    uint256 private constant POOLS = 0;
    uint256 private constant LANE = 2 ** 27;

    uint256[2] private _snapshot;
    /// by role, what each leaf weighed as the last epoch ended: a position that left and came back has another leaf
    uint256[][2] private _weighed;

    // ------------------------------------------------------------------------------------ positions

    /// @dev `compareBooks` has just read all positions; of one of them everything else is looked at.
    function checkStake() internal {
        uint256 total = 0;
        for (uint256 i = 2; i < accounts.length; ++i) {
            total += books[accounts[i]].staked[0] + books[accounts[i]].staked[1];
        }
        uint256 bonds = total - bondsOnTheirWay * BOND;
        if (free(address(staking)) != bonds) compareBooks(); // whose bond it is says more
        same(free(address(staking)), bonds, "1: staking = bonds not lost");
        Role role = Role(pick(2));
        address one = accounts[2 + pick(accounts.length - 2)];
        checkPosition(one, role);
        if (chance(15)) same(staking.positionOf(subnet, role, one).locked, lockedOf(one, role), "5: locked");
        for (uint256 r = 0; r < 2; ++r) {
            uint256 seats = staking.drawableSeats(subnet, Role(r));
            same(seats, _snapshot[r], "9, 10: no write of an epoch changes its draws");
        }
        if (chance(25)) _checkTree(role);
    }

    function checkPosition(address account, Role role) internal view {
        PositionView memory found = staking.positionOf(subnet, role, account);
        Claim storage claim = claims[account][uint256(role)];
        (uint256 bond,) = bondOf(role);
        uint256 active = activeOf(account, role);
        uint256 weight = weightOf(account, role);
        same(found.amount, bondsOf(account, role) * bond, "5: bonds");
        same(found.pending, roundedUp(claim.pending, role), "5: asked back");
        same(found.unlockAt, claim.unlockAt, "5: unlockAt");
        same(found.seats, weight, "5: seats that can be drawn");
        same(found.version, places[account][uint256(role)].version, "36: version of its stake");
        atMost(found.locked, bondsOf(account, role), "5: locked beyond what there is");
        uint256 taken = found.locked + (role == Role.Verifier ? freshOf(account) : 0);
        bool isOut = (role == Role.Solver && isConvict[account]) || taken >= active;
        same(found.freeBonds, isOut ? 0 : active - taken, "5: neither locked, asked back nor fresh");
    }

    /// @dev Bonds in tasks that have not ended, in seats that are not closed, and in checks. Tells what the contract counts.
    function lockedOf(address account, Role role) internal view returns (uint256 count) {
        if (role == Role.Verifier) return _seatsHeldBy(account);
        for (uint256 i = 0; i < liveTasks.length; ++i) {
            Task memory entry = taskAt(liveTasks[i]);
            bool isHeld = entry.status >= TaskStatus.Assigned && entry.status <= TaskStatus.Undecided;
            if (isHeld && entry.solver == account) ++count;
        }
    }

    function _seatsHeldBy(address account) private view returns (uint256 count) {
        for (uint256 i = 0; i < liveCases.length; ++i) {
            for (uint8 number = 1; number <= currentRound(liveCases[i]); ++number) {
                Seat[] memory seats = seatsOf(liveCases[i], court.roundOf(liveCases[i], number));
                for (uint256 n = 0; n < seats.length; ++n) {
                    if (seats[n].voter == account && !seats[n].closed) ++count;
                }
            }
        }
        for (uint256 i = 0; i < checks.length; ++i) {
            if (audit.isOpen(checks[i]) && audit.checkOf(checks[i]).checker == account) ++count;
        }
    }

    /// @dev What a withdrawal now would pay, in bonds.
    function dueTo(address account, Role role) internal view returns (uint256) {
        Claim storage claim = claims[account][uint256(role)];
        if (claim.pending == 0 || beacon.currentEpoch() < claim.unlockAt) return 0;
        uint256 unlocked = bondsOf(account, role) - lockedOf(account, role);
        return claim.pending < unlocked ? claim.pending : unlocked;
    }

    function withdrawStake(address account, Role role) internal {
        vm.prank(account);
        try staking.withdrawStake(subnet, role) {}
        catch {
            holds(false, "8: what is due is not paid out");
        }
    }

    // ------------------------------------------------------------------------------------ trees

    /// @dev Before the last block of an epoch is gone: what the next epoch's draws must see.
    function endEpoch() internal {
        for (uint256 role = 0; role < 2; ++role) {
            uint256 sum = 0;
            _weighed[role] = _weights(Role(role));
            for (uint256 i = 2; i < accounts.length; ++i) {
                uint256 seats = weightOf(accounts[i], Role(role));
                drawable[accounts[i]][role] = seats;
                sum += seats;
            }
            _snapshot[role] = sum;
        }
    }

    /// @dev 9, 10: each sum of each node, as it is now and as it was when the last epoch ended, is the sum of the model's seats
    /// below it.
    function _checkTree(Role role) private view {
        uint256[] memory current = _weights(role);
        uint256[] memory before = _weighed[uint256(role)];
        bytes32 pool = keccak256(abi.encode(role, keccak256(abi.encode(subnet, POOLS))));
        uint256 root = uint256(vm.load(address(staking), bytes32(uint256(pool) + 1)));
        uint256 height = root >> 248;
        atMost(current.length, 4 ** (height + 1), "9: a leaf outside the tree");
        _checkNode(root, 4 ** height, 0, current, before);
        for (uint256 level = 0; level < height; ++level) {
            for (uint256 place = 0; place * 4 ** (level + 1) < current.length; ++place) {
                bytes32 slot = keccak256(abi.encode((level << 32) | place, pool));
                uint256 node = uint256(vm.load(address(staking), slot));
                _checkNode(node, 4 ** level, place, current, before);
            }
        }
    }

    /// @param span leaves below one lane
    function _checkNode(
        uint256 node,
        uint256 span,
        uint256 place,
        uint256[] memory current,
        uint256[] memory before
    ) private view {
        _checkSums(node, current, span, place, "9: a sum as it is now");
        if (uint32(node >> 216) == beacon.currentEpoch()) node >>= 108;
        _checkSums(node, before, span, place, "9, 10: a sum as the last epoch ended");
    }

    function _checkSums(
        uint256 node,
        uint256[] memory leaves,
        uint256 span,
        uint256 place,
        string memory what
    ) private pure {
        for (uint256 lane = 0; lane < 4; ++lane) {
            uint256 sum = 0;
            uint256 first = (4 * place + lane) * span;
            for (uint256 leaf = first; leaf < first + span && leaf < leaves.length; ++leaf) {
                sum += leaves[leaf];
            }
            same((node >> (27 * lane)) % LANE, sum, what);
        }
    }

    /// @dev By leaf, as of now.
    function _weights(Role role) private view returns (uint256[] memory weights) {
        weights = new uint256[](leavesTaken[uint256(role)]);
        for (uint256 i = 2; i < accounts.length; ++i) {
            uint256 leaf = places[accounts[i]][uint256(role)].leaf;
            weights[leaf - 1] = weightOf(accounts[i], role);
        }
    }
}
