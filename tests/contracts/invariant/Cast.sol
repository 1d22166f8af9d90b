// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {LensWorld} from "../support/LensWorld.sol";

/// @dev Nine actors of mixed honesty, what they would do, and what each of them owns according to the model.
abstract contract Cast is LensWorld {
    enum Habit {
        Honest,
        Lazy, // answers Valid without looking, delivers noise
        Absent, // is drawn and never seen again
        Copier, // commits to what another committed to
        SelfDisputer, // delivers noise and disputes it first
        Liar, // two of them, who say the same wrong thing
        Tier // votes as fewest others do, so that no verdict gets a majority
    }

    struct Book {
        uint256 free;
        uint256[2] staked; // by role
    }

    /// what a position has asked back, in bonds, and from which epoch on it can have it
    struct Claim {
        uint256 pending;
        uint256 unlockAt;
    }

    /// where a position stands in the tree, from 1, and under which version of the parameters it came there
    struct Place {
        uint256 leaf;
        uint256 version;
    }

    /// verifiers' bonds that came or were released in the last epoch in which any did
    struct Fresh {
        uint256 epoch;
        uint256 bonds;
    }

    uint256 private constant MOST_ACCOUNTS = 40;

    address[9] internal cast;
    /// everybody who ever had a part, the buyer and a disputer without stake
    address[] internal accounts;
    mapping(address account => Habit) internal habitOf;
    mapping(address account => uint256) internal keyOf;
    mapping(address account => Book) internal books;
    mapping(address account => Claim[2]) internal claims;
    mapping(address account => Place[2]) internal places;
    mapping(address account => Fresh) private _fresh;
    /// leaves taken, by role
    uint256[2] internal leavesTaken;
    mapping(address account => bool) internal isConvict;

    uint256 private _seed;

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i = 0; i < workers.length; ++i) {
            vm.prank(workers[i]);
            vault.withdraw(address(this), PURSE);
        }
        accounts = [buyer, dora];
        Habit[9] memory habits = [
            Habit.Honest,
            Habit.Honest,
            Habit.Lazy,
            Habit.Absent,
            Habit.Copier,
            Habit.SelfDisputer,
            Habit.Liar,
            Habit.Liar,
            Habit.Tier
        ];
        for (uint256 i = 0; i < habits.length; ++i) {
            _enter(i, habits[i]);
        }
        books[buyer] = readBook(buyer);
        books[dora] = readBook(dora);
    }

    function _enter(uint256 place, Habit habit) private {
        uint256 key = 0xac7 + accounts.length;
        address account = vm.addr(key);
        cast[place] = account;
        accounts.push(account);
        habitOf[account] = habit;
        keyOf[account] = key;
        fund(account, PURSE);
        stake(account, Role.Solver, 2);
        stake(account, Role.Verifier, 2);
        books[account] = readBook(account);
        takesPlace(account, Role.Solver);
        takesPlace(account, Role.Verifier);
        comesFree(account, 8);
    }

    /// @dev Verifiers' bonds, staked or back from their work: no draw of this epoch finds them.
    function comesFree(address account, uint256 bonds) internal {
        uint256 before = freshOf(account);
        _fresh[account] = Fresh(beacon.currentEpoch(), before + bonds);
    }

    function freshOf(address account) internal view returns (uint256) {
        return _fresh[account].epoch == beacon.currentEpoch() ? _fresh[account].bonds : 0;
    }

    /// @dev Somebody who was not in the draw comes into it: behind everybody who came under an older version.
    function takesPlace(address account, Role role) internal {
        uint256 version = registry.currentVersion(subnet);
        if (places[account][uint256(role)].version == version) return;
        places[account][uint256(role)] = Place(++leavesTaken[uint256(role)], version);
    }

    /// @dev A convicted solver comes back under another name.
    function replaceConvicts() internal {
        for (uint256 i = 0; i < cast.length && accounts.length < MOST_ACCOUNTS; ++i) {
            if (isConvict[cast[i]]) _enter(i, habitOf[cast[i]]);
        }
    }

    function readBook(address account) internal view returns (Book memory book) {
        book.free = free(account);
        book.staked[0] = staked(account, Role.Solver);
        book.staked[1] = staked(account, Role.Verifier);
    }

    // ------------------------------------------------------------------------------------ what they think

    function deliversNoise(address solver) internal returns (bool) {
        Habit habit = habitOf[solver];
        if (habit == Habit.Honest) return false;
        return habit == Habit.SelfDisputer || chance(60);
    }

    /// @dev Honest ones err now and then, or no panel would ever be wrong or tied.
    function opinionOf(address voter_, Verdict truth) internal returns (Verdict verdict, bytes32 answer) {
        Habit habit = habitOf[voter_];
        if (habit == Habit.Lazy) return (Verdict.Valid, keccak256(abi.encode("noise", pick(1e9))));
        if (habit == Habit.Liar) {
            verdict = truth == Verdict.Valid ? Verdict.Invalid : Verdict.Valid;
            return (verdict, "as agreed among liars");
        }
        verdict = chance(88) ? truth : Verdict(1 + pick(3));
        return (verdict, answerOf(verdict));
    }

    // ------------------------------------------------------------------------------------ chance

    function setSeed(uint256 seed) internal {
        _seed = seed;
    }

    function pick(uint256 count) internal returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed % count;
    }

    function chance(uint256 percent) internal returns (bool) {
        return pick(100) < percent;
    }

    function anyone() internal returns (address) {
        return accounts[pick(accounts.length)];
    }

    // ------------------------------------------------------------------------------------ what must be

    /// @dev The cheatcodes are called on failure only: hundreds of calls a step are what a step would cost.
    function same(uint256 left, uint256 right, string memory what) internal pure {
        if (left != right) vm.assertEq(left, right, what);
    }

    function sameHash(bytes32 left, bytes32 right, string memory what) internal pure {
        if (left != right) vm.assertEq(left, right, what);
    }

    function atMost(uint256 value, uint256 most, string memory what) internal pure {
        if (value > most) vm.assertLe(value, most, what);
    }

    function holds(bool condition, string memory what) internal pure {
        if (!condition) vm.assertTrue(condition, what);
    }
}
