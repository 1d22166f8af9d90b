// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {StakingWorld} from "../support/StakingWorld.sol";

contract ConvictTest is StakingWorld {
    function test_RevertWhen_theCallerDoesNotDrawThisRole() public {
        _isTheDrawersOfTheRole(IStaking.convict.selector);
    }

    function test_aJailedPositionOnlyLeaves() public {
        stake(alice, Role.Solver, 3);
        nextEpoch();
        _convict();
        bytes32 id = postOne();
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.PositionIsJailed.selector, subnet, Role.Solver, alice)
        );
        vm.prank(alice);
        staking.stake(subnet, Role.Solver, 1);
        nextEpoch();
        vm.assertEq(staking.drawableSeats(subnet, Role.Solver), 0, "weight");
        vm.expectPartialRevert(bytes4(keccak256("NoSolverFree(bytes32,uint32)")));
        assign(id);
        _requestUnstake(Role.Solver, 2);
        nextEpoch();
        nextEpoch();
        _withdraw(Role.Solver);
        vm.assertEq(free(alice), PURSE - STAKE, "all but the seat");
    }

    function test_aJailedPositionIsNotDrawnFromLastEpochsWeights() public {
        stake(alice, Role.Solver, 3);
        nextEpoch();
        _convict();
        vm.assertEq(_drawSolver("x"), address(0), "drawn");
    }
}
