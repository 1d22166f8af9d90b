// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {ChiSquare} from "../support/ChiSquare.sol";
import {StakingWorld} from "../support/StakingWorld.sol";

contract DrawTest is StakingWorld {
    function test_RevertWhen_theCallerDoesNotDrawThisRole() public {
        _isTheDrawersOfTheRole(IStaking.draw.selector);
    }

    function test_aVerifierSeatBacksAsManyBondsAsItsExposure() public {
        stake(alice, Role.Verifier, 1);
        nextEpoch();
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(_drawVerifier(bytes32(i), address(0)), alice, "drawn");
        }
        vm.assertEq(_drawVerifier(bytes32(uint256(4)), address(0)), address(0), "a fifth time is not");

        _release(alice);
        nextEpoch();
        vm.assertEq(_drawVerifier(bytes32(uint256(5)), address(0)), alice, "free again");
    }

    /// @dev While all others are at work, whoever stakes with the seed in sight would be all that a draw can find.
    function test_verifiersBondsStakedWithTheSeedInSightAreNotDrawnBeforeTheNextEpoch() public {
        stake(alice, Role.Verifier, 1);
        nextEpoch();
        _drawAll(alice, 3);
        stake(alice, Role.Verifier, 2);
        vm.assertEq(_position(Role.Verifier).freeBonds, 1, "what was free before");
        _drawAll(alice, 1);
        nextEpoch();
        vm.assertEq(_position(Role.Verifier).freeBonds, 8, "in the next epoch");
        _drawAll(alice, 8);
    }

    /// @dev Or whoever has voted would close its seats in the transaction that draws, if that seats it again.
    function test_verifiersBondsReleasedWithTheSeedInSightAreNotDrawnBeforeTheNextEpoch() public {
        stake(alice, Role.Verifier, 1);
        nextEpoch();
        _drawAll(alice, 2);
        _release(alice);
        _release(alice);
        vm.assertEq(_position(Role.Verifier).freeBonds, 2, "what was free before");
        _drawAll(alice, 2);
        _release(alice);
        vm.assertEq(_drawVerifier("released", address(0)), address(0), "drawn and released");
        nextEpoch();
        vm.assertEq(_position(Role.Verifier).freeBonds, 3, "in the next epoch");
        _drawAll(alice, 3);
    }

    /// @dev Staked and released are counted together, and those of an earlier epoch no more.
    function test_freshBondsOfOneEpochAreCountedTogether() public {
        stake(alice, Role.Verifier, 1);
        nextEpoch();
        _drawAll(alice, 2);
        nextEpoch();
        _release(alice);
        stake(alice, Role.Verifier, 1);
        vm.assertEq(_position(Role.Verifier).freeBonds, 2, "of eight, five are fresh and one is at work");
        nextEpoch();
        _release(alice);
        vm.assertEq(_position(Role.Verifier).freeBonds, 7, "one is fresh");
    }

    /// @dev They are counted in 16 bits: more than that, and what was free before waits with them.
    function test_ofMoreFreshBondsThanCanBeCountedNoneOfThePositionIsDrawn() public {
        fund(alice, 20_000 * 4 * BOND);
        stake(alice, Role.Verifier, 1);
        nextEpoch();
        stake(alice, Role.Verifier, 16_383);
        vm.assertEq(_position(Role.Verifier).freeBonds, 4, "65,532 are fresh");
        stake(alice, Role.Verifier, 1);
        vm.assertEq(_position(Role.Verifier).freeBonds, 0, "65,536 are");
        vm.assertEq(_drawVerifier("x", address(0)), address(0), "nobody");
        nextEpoch();
        vm.assertEq(_position(Role.Verifier).freeBonds, 4 * 16_385, "in the next epoch");
        _drawAll(alice, 1);
    }

    /// @dev A solver that is drawn for a task decides nothing by it.
    function test_solversDoNotWait() public {
        stake(alice, Role.Solver, 1);
        nextEpoch();
        vm.assertEq(_drawSolver("a"), alice, "drawn");
        vm.prank(address(market));
        staking.release(subnet, Role.Solver, alice);
        vm.assertEq(_drawSolver("b"), alice, "released");
        stake(alice, Role.Solver, 1);
        vm.assertEq(_drawSolver("c"), alice, "staked");
    }

    /// @dev So many bonds of the only verifier, where nobody is found after them if none is left.
    function _drawAll(address account, uint256 bonds) private {
        uint32 isFree = staking.positionOf(subnet, Role.Verifier, account).freeBonds;
        for (uint256 i = 0; i < bonds; ++i) {
            vm.assertEq(_drawVerifier(bytes32(i), address(0)), account, "drawn");
        }
        if (bonds == isFree) vm.assertEq(_drawVerifier("x", address(0)), address(0), "none is left");
    }

    function test_theExcludedAccountIsNeverDrawn() public {
        stake(alice, Role.Verifier, 1);
        stake(workers[1], Role.Verifier, 1);
        nextEpoch();
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(_drawVerifier(bytes32(i), alice), workers[1], "drawn");
        }
    }

    function test_nobodyIsDrawnFromAnEmptyPool() public {
        vm.assertEq(_drawSolver("x"), address(0), "nobody has staked");
        stake(alice, Role.Solver, 1);
        vm.assertEq(_drawSolver("x"), address(0), "nor had when the last epoch ended");
    }

    /// @dev The last ticket of ten is the only one that finds a free seat.
    function test_sixteenTicketsAreTried() public {
        stake(alice, Role.Verifier, 9);
        stake(workers[1], Role.Verifier, 1);
        nextEpoch();
        bool[18] memory seen;
        for (uint256 n = 0; !(seen[15] && seen[16]); ++n) {
            uint256 misses = 0;
            while (misses < 17 && uint256(keccak256(abi.encode(bytes32(n), misses))) % 10 < 9) ++misses;
            if (seen[misses]) continue;
            seen[misses] = true;
            uint256 before = vm.snapshotState();
            address drawn = _drawVerifier(bytes32(n), alice);
            vm.assertEq(drawn, misses < 16 ? workers[1] : address(0), vm.toString(misses));
            vm.revertToState(before);
        }
    }

    /// @dev Last epoch's weights promise three seats: one is at work, one was asked back.
    function test_whatIsAskedBackAndWhatIsAtWorkAreBothTaken() public {
        stake(alice, Role.Solver, 3);
        nextEpoch();
        _drawSolver("a");
        _requestUnstake(Role.Solver, 1);
        vm.assertEq(_position(Role.Solver).freeBonds, 1, "one left");
        vm.assertEq(_drawSolver("b"), alice, "drawn");
        vm.assertEq(_position(Role.Solver).locked, 2, "at work");
        vm.assertEq(_drawSolver("c"), address(0), "none is left");
    }

    /// @dev 1:2:3 among those who came in time, whatever came later; 3,000 draws, 2 degrees of freedom, 0.1 % point 13.82.
    function test_drawsForAnOlderVersionFollowTheWeightsOfThoseWhoCameInTime() public {
        for (uint32 i = 0; i < 3; ++i) {
            stake(workers[i], Role.Solver, i + 1);
        }
        useParams(defaultParams());
        fund(workers[3], 6_000 * STAKE);
        stake(workers[3], Role.Solver, 6_000);
        nextEpoch();
        uint256[] memory hits = new uint256[](3);
        for (uint256 n = 0; n < 3_000; ++n) {
            address solver = _drawSolver(bytes32(n));
            for (uint256 i = 0; i < 3; ++i) {
                if (solver == workers[i]) ++hits[i];
            }
            vm.prank(address(market));
            staking.release(subnet, Role.Solver, solver);
        }
        vm.assertEq(hits[0] + hits[1] + hits[2], 3_000, "every draw finds one of them");
        vm.assertLt(ChiSquare.ofSeats(hits), 13_820, "chi-square");
        vm.assertEq(_drawSolver("newer", 2), workers[3], "of the version in force, all are drawn");
    }

    /// @dev A departure from draws by stake alone: a position counts whole while one of its bonds is free. Four seats in one
    /// position against four of one seat each, three quarters of the bonds of both at work: four tickets against one.
    function test_whileBondsAreAtWorkALargePositionIsDrawnMoreThanItsSeatsInSeveral() public {
        stake(alice, Role.Verifier, 4);
        address[4] memory small;
        for (uint256 i = 0; i < 4; ++i) {
            small[i] = actor(string.concat("small ", vm.toString(i)));
            fund(small[i], 4 * BOND);
            stake(small[i], Role.Verifier, 1);
        }
        nextEpoch();
        _isBetween(_shareOf(alice), 450, 550, "half of the draws while all are free");
        uint256[2] memory busy;
        for (uint256 n = 0; busy[0] < 12 || busy[1] < 12; ++n) {
            uint256 before = vm.snapshotState();
            address drawn = _drawVerifier(keccak256(abi.encode("busy", n)), address(0));
            uint256 side = drawn == alice ? 0 : 1;
            bool stays = side == 0 ? busy[0] < 12 : drawn != small[3] && busy[1] < 12;
            if (stays) ++busy[side];
            else vm.revertToState(before);
        }
        _isBetween(_shareOf(alice), 750, 850, "four fifths with a quarter of the bonds free");
    }

    /// @return hits of 1,000 draws, each by itself
    function _shareOf(address account) private returns (uint256 hits) {
        uint256 before = vm.snapshotState();
        for (uint256 n = 0; n < 1_000; ++n) {
            if (_drawVerifier(keccak256(abi.encode("share", n)), address(0)) == account) ++hits;
            vm.revertToState(before);
        }
    }

    function _isBetween(uint256 value, uint256 least, uint256 most, string memory what) private pure {
        vm.assertGe(value, least, what);
        vm.assertLe(value, most, what);
    }

    function _release(address account) private {
        vm.prank(address(court));
        staking.release(subnet, Role.Verifier, account);
    }

    /// @dev 4,000 draws over seats 1:2:3:4; chi-square with 3 degrees of freedom, 0.1 % point 16.27.
    function test_drawsFollowTheWeights() public {
        for (uint32 i = 0; i < 4; ++i) {
            stake(workers[i], Role.Solver, i + 1);
        }
        nextEpoch();
        uint256[] memory hits = new uint256[](4);
        for (uint256 n = 0; n < 4_000; ++n) {
            address drawn = _drawSolver(keccak256(abi.encode(n)));
            for (uint256 i = 0; i < 4; ++i) {
                if (drawn == workers[i]) ++hits[i];
            }
            vm.prank(address(market));
            staking.release(subnet, Role.Solver, drawn);
        }
        vm.assertLt(ChiSquare.ofSeats(hits), 16_270, "chi-square");
    }
}
