// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {StakingWorld} from "../support/StakingWorld.sol";

contract ReleaseTest is StakingWorld {
    function setUp() public override {
        super.setUp();
        stake(alice, Role.Solver, 1);
        stake(alice, Role.Verifier, 1);
        nextEpoch();
    }

    function test_RevertWhen_theCallerDoesNotDrawThisRole() public {
        _isTheDrawersOfTheRole(IStaking.release.selector);
    }

    function test_oneBondIsFreeAgainAndNothingElseChanges() public {
        _drawVerifier("a", address(0));
        _drawVerifier("b", address(0));
        vm.assertEq(staking.positionOf(subnet, Role.Verifier, alice).freeBonds, 2, "two at work");
        vm.prank(address(court));
        staking.release(subnet, Role.Verifier, alice);
        vm.assertEq(staking.positionOf(subnet, Role.Verifier, alice).freeBonds, 2, "not yet free");
        nextEpoch();
        vm.assertEq(staking.positionOf(subnet, Role.Verifier, alice).freeBonds, 3, "one at work");
        vm.assertEq(staking.positionOf(subnet, Role.Verifier, alice).locked, 1, "locked");
        vm.assertEq(staked(alice, Role.Verifier), 4 * BOND, "all of it");
        vm.assertEq(staking.drawableSeats(subnet, Role.Verifier), 1, "weight");
    }

    function test_aSeatThatWasAskedBackCanLeaveOnceReleased() public {
        _drawSolver("a");
        vm.prank(alice);
        staking.requestUnstake(subnet, Role.Solver, 1);
        nextEpoch();
        nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(IStaking.StillLocked.selector, 1, 1));
        vm.prank(alice);
        staking.withdrawStake(subnet, Role.Solver);
        vm.prank(address(market));
        staking.release(subnet, Role.Solver, alice);
        vm.prank(alice);
        staking.withdrawStake(subnet, Role.Solver);
        vm.assertEq(free(alice), PURSE - 4 * BOND, "the seat");
    }
}
