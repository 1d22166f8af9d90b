// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {StakingWorld} from "../support/StakingWorld.sol";

contract ForfeitTest is StakingWorld {
    function test_RevertWhen_theCallerDoesNotDrawThisRole() public {
        _isTheDrawersOfTheRole(IStaking.forfeit.selector);
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
