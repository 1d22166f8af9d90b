// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {World} from "../support/World.sol";

contract ReleaseTest is World {
    address private _alice;

    function setUp() public override {
        super.setUp();
        _alice = workers[0];
        stake(_alice, Role.Solver, 1);
        stake(_alice, Role.Verifier, 1);
        nextEpoch();
    }

    function test_RevertWhen_theCallerDoesNotDrawThisRole() public {
        address[3] memory callers = [stranger, address(court), address(market)];
        Role[3] memory roles = [Role.Solver, Role.Solver, Role.Verifier];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IStaking.NotAllowed.selector, callers[i], roles[i]));
            vm.prank(callers[i]);
            staking.release(subnet, roles[i], _alice);
        }
    }

    function test_oneBondIsFreeAgainAndNothingElseChanges() public {
        vm.prank(address(court));
        staking.draw(subnet, Role.Verifier, "a", address(0));
        vm.prank(address(court));
        staking.draw(subnet, Role.Verifier, "b", address(0));
        vm.assertEq(staking.positionOf(subnet, Role.Verifier, _alice).freeBonds, 2, "two at work");
        vm.prank(address(court));
        staking.release(subnet, Role.Verifier, _alice);
        vm.assertEq(staking.positionOf(subnet, Role.Verifier, _alice).freeBonds, 3, "one at work");
        vm.assertEq(staking.positionOf(subnet, Role.Verifier, _alice).locked, 1, "locked");
        vm.assertEq(staked(_alice, Role.Verifier), 4 * BOND, "all of it");
        vm.assertEq(staking.drawableSeats(subnet, Role.Verifier), 1, "weight");
    }

    function test_aSeatThatWasAskedBackCanLeaveOnceReleased() public {
        vm.prank(address(market));
        staking.draw(subnet, Role.Solver, "a", address(0));
        vm.prank(_alice);
        staking.requestUnstake(subnet, Role.Solver, 1);
        nextEpoch();
        nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(IStaking.StillLocked.selector, 1, 1));
        vm.prank(_alice);
        staking.withdrawStake(subnet, Role.Solver);
        vm.prank(address(market));
        staking.release(subnet, Role.Solver, _alice);
        vm.prank(_alice);
        staking.withdrawStake(subnet, Role.Solver);
        vm.assertEq(free(_alice), PURSE - 4 * BOND, "the seat");
    }
}
