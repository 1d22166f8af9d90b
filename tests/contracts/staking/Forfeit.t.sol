// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {StakingWorld} from "../support/StakingWorld.sol";

contract ForfeitTest is StakingWorld {
    function test_RevertWhen_theCallerDoesNotDrawThisRole() public {
        _isTheDrawersOfTheRole(IStaking.forfeit.selector);
    }

    function test_oneBondIsLostAndWhatWasAskedBackStays() public {
        stake(alice, Role.Verifier, 1);
        stake(alice, Role.Solver, 3);
        nextEpoch();
        _requestUnstake(Role.Solver, 2);
        _drawSolver("a");
        vm.prank(address(market));
        staking.forfeit(subnet, Role.Solver, alice, STAKE, "task");
        vm.assertEq(_position(Role.Solver).pending, 2, "asked back");
        vm.assertEq(_position(Role.Solver).amount, 2 * STAKE, "staked");
        vm.assertEq(_position(Role.Solver).locked, 0, "at work");
        vm.assertEq(_position(Role.Solver).seats, 0, "drawn from the next epoch on");
        vm.assertTrue(!_position(Role.Solver).jailed, "not jailed");
        vm.assertEq(_position(Role.Verifier).amount, 4 * BOND, "the other role");
    }

    function test_aSlashReachesStakeThatWasAskedBack() public {
        stake(alice, Role.Solver, 1);
        nextEpoch();
        (bytes32 id,) = assigned();
        _requestUnstake(Role.Solver, 1);
        vm.warp(deadlineOf(id) + 1);
        expire(id);
        vm.assertEq(_position(Role.Solver).pending, 0, "nothing left to withdraw");
        vm.assertEq(_position(Role.Solver).amount, 0, "nothing staked");
    }
}
